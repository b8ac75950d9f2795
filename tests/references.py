"""What the lab is measured against: the same experiment done by others, and the bare library.

Each virtual reference runs 20/20/10 with a cut at 63 s once, and returns when its server was CLOSED, in seconds since the server was OPEN;
the answer is 110.0. None of them records anything. The last two are the loopback wire's: websockets with nothing in between.

    floor       both sans-I/O protocols driven by hand: no event loop, no sockets
    solipsism   async-solipsism: a loop with its own clock and sockets in memory (GPL-3: a reference here, never a dependency)
    looptime    asyncio's loop with a clock that jumps, over real TCP on 127.0.0.1
    mockclock   websockets' trio implementation under trio's MockClock, over streams in memory
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

INTERVAL, TIMEOUT, CLOSE, CUT = 20, 20, 10, 63  # s
SILENT = logging.Logger("silent", logging.CRITICAL + 1)  # the trio implementation logs a traceback when its own keepalive ends it
QUIET = {"ping_interval": None, "compression": None}  # the client of the story: it only answers


# virtual time


def floor() -> float:
    """Both sans-I/O protocols, driven by hand: what the library itself costs."""
    server, client = ServerProtocol(), ClientProtocol(parse_uri("ws://localhost/"))
    client.send_request(client.connect())
    _carry(client, server)
    server.send_response(server.accept(server.events_received()[0]))
    _carry(server, client)
    now = 0
    while (now := now + INTERVAL) < CUT:
        server.send_ping(b"ping")
        _carry(server, client)
        _carry(client, server)
    server.send_ping(b"ping")  # into the cut, as everything from here on
    now += TIMEOUT
    server.fail(1011, "keepalive ping timeout")
    server.data_to_send()
    now += CLOSE
    server.receive_eof()
    assert server.state is State.CLOSED
    return float(now)


def _carry(source: Any, sink: Any) -> None:
    for data in source.data_to_send():
        sink.receive_data(data)
    sink.events_received() if sink.state is State.OPEN else None


def solipsism() -> float:
    """async-solipsism's loop."""
    from async_solipsism import EventLoop

    with asyncio.Runner(loop_factory=EventLoop) as runner:
        return runner.run(cut_by_streams("::1"))


def looptime() -> float:
    """looptime's loop; real sockets."""
    from looptime import new_event_loop

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(cut_by_streams("127.0.0.1"))


async def cut_by_streams(host: str) -> float:
    """Server and client, and between them a forwarder made of asyncio streams that forwards nothing from the cut on."""
    clock = asyncio.get_running_loop().time
    opened, closed = 0.0, asyncio.get_running_loop().create_future()
    forwarding: list[Any] = []

    async def application(websocket: Any) -> None:
        nonlocal opened
        opened = clock()
        await _recv_until_closed(websocket)
        closed.set_result(clock() - opened)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if clock() - opened >= CUT:
                return
            writer.write(data)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, _port(server))
        forwarding.append(asyncio.current_task())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        writer.close()
        far_writer.close()

    settings = {"ping_interval": INTERVAL, "ping_timeout": TIMEOUT, "close_timeout": CLOSE, "compression": None, "open_timeout": None}
    server = await serve(application, host, 0, **settings)
    forwarder = await asyncio.start_server(forward, host, 0)
    client = await connect("ws://localhost/", host=host, port=_port(forwarder), proxy=None, open_timeout=None, **QUIET)
    reading = asyncio.create_task(_recv_until_closed(client))
    try:
        return float(await closed)
    finally:
        client.transport.abort()
        forwarding[0].cancel()
        await asyncio.wait([reading, *forwarding])
        forwarder.close()
        server.close()


def mockclock() -> float:
    """websockets' trio implementation under trio's MockClock."""
    import trio
    from trio.testing import MockClock

    return float(trio.run(_cut_by_memory_streams, clock=MockClock(autojump_threshold=0)))


async def _cut_by_memory_streams() -> float:
    import trio
    from trio.testing import memory_stream_pair
    from websockets.trio.client import connect as trio_connect
    from websockets.trio.server import serve as trio_serve

    opened = closed = 0.0
    near, near_wire = memory_stream_pair()
    far_wire, far = memory_stream_pair()

    class Listener(trio.abc.Listener):  # type: ignore[type-arg,misc]
        """Accepts one connection, made beforehand."""

        socket = SimpleNamespace(family=socket.AF_INET, getsockname=lambda: ("127.0.0.1", 0))
        waiting = [far]

        async def accept(self) -> Any:
            return self.waiting.pop() if self.waiting else await trio.sleep_forever()

        async def aclose(self) -> None:
            pass

    async def application(websocket: Any) -> None:
        nonlocal opened, closed
        opened = trio.current_time()
        await _recv_until_closed(websocket)
        closed = trio.current_time() - opened
        nursery.cancel_scope.cancel()

    async def pump(source: Any, sink: Any) -> None:
        async for data in source:
            if trio.current_time() - opened >= CUT:
                return
            await sink.send_all(data)

    async def live() -> None:
        async with trio_connect("ws://localhost/", stream=near, proxy=None, **QUIET) as websocket:
            await _recv_until_closed(websocket)

    settings = {"ping_interval": INTERVAL, "ping_timeout": TIMEOUT, "close_timeout": CLOSE, "compression": None}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: trio_serve(application, listeners=[Listener()], logger=SILENT, **settings))  # type: ignore[arg-type,list-item]
        nursery.start_soon(pump, near_wire, far_wire)
        nursery.start_soon(pump, far_wire, near_wire)
        nursery.start_soon(live)
    return closed


async def _recv_until_closed(websocket: Any) -> None:
    with contextlib.suppress(ConnectionClosed):
        await websocket.recv()


def _port(server: Any) -> int:
    return int(server.sockets[0].getsockname()[1])


# real time


class Watched(ServerConnection):
    """A connection that notes when each state was first seen (s, monotonic), at the two places where states change: no log, no polling."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.seen: dict[str, float] = {}

    def send_data(self) -> None:  # the answer to the handshake makes it OPEN, the CLOSE frame CLOSING
        self.seen.setdefault(self.state.name, time.monotonic())
        super().send_data()

    def connection_lost(self, problem: Exception | None) -> None:
        super().connection_lost(problem)
        self.seen.setdefault(self.state.name, time.monotonic())


def bare_loopback(interval: float, timeout: float, close: float, pings: int) -> tuple[float, float]:
    """When a websockets server noticed, and was CLOSED (s since OPEN), with nobody in between and nothing recorded.

    No wire, so no cut: the other end is a socket in a thread that did the handshake, answers so many pings, and then nothing,
    with its connection open. That is the least a program can do: one loop, no logger, no forwarder.
    """
    done = threading.Event()

    async def main() -> Watched:
        last = asyncio.get_running_loop().create_future()

        async def application(websocket: ServerConnection) -> None:
            await _recv_until_closed(websocket)
            last.set_result(websocket)

        settings = {"ping_interval": interval, "ping_timeout": timeout, "close_timeout": close, "compression": None}
        async with serve(application, "127.0.0.1", 0, create_connection=Watched, **settings) as server:
            answering = threading.Thread(target=_answer, args=(_port(server), pings, done))
            answering.start()
            try:
                return await last
            finally:
                done.set()
                answering.join()

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        seen = runner.run(main()).seen
    return seen["CLOSING"] - seen["OPEN"], seen["CLOSED"] - seen["OPEN"]


def _answer(port: int, pings: int, done: threading.Event) -> None:
    protocol = ClientProtocol(parse_uri("ws://localhost/"))
    protocol.send_request(protocol.connect())
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answered = 0
        while answered < pings:
            sock.sendall(b"".join(protocol.data_to_send()))
            protocol.receive_data(sock.recv(65536))
            answered += sum(getattr(event, "opcode", None) is Opcode.PING for event in protocol.events_received())
        sock.sendall(b"".join(protocol.data_to_send()))
        done.wait(60)


def bare_pings(handler: Callable[[Any], Any]) -> None:
    """``handler`` at a server whose client is connected directly, each in a loop and thread of its own, as on the loopback wire."""
    ready: Any = SimpleNamespace(port=0, event=threading.Event())

    async def server() -> None:
        last = asyncio.get_running_loop().create_future()

        async def application(websocket: Any) -> None:
            await handler(websocket)
            last.set_result(None)

        async with serve(application, "127.0.0.1", 0, **QUIET) as listening:  # type: ignore[arg-type]
            ready.port = _port(listening)
            ready.event.set()
            await last

    async def client() -> None:
        async with connect(f"ws://127.0.0.1:{ready.port}/", proxy=None, **QUIET) as websocket:  # type: ignore[arg-type]
            await _recv_until_closed(websocket)

    def run(program: Any) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(program)

    serving = threading.Thread(target=lambda: run(server()))
    serving.start()
    ready.event.wait(10)
    run(client())
    serving.join()


# many runs


def batch(runs: range) -> list[float]:
    """What a pool's worker does at a time."""
    return [solipsism() for _ in runs]


def pool(runs: int, size: int, workers: int) -> tuple[float, float]:
    """A process pool of async-solipsism in batches, from nothing: s to the first batch, s in all. Its workers are fresh."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    begin, first = time.perf_counter(), 0.0
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        waiting = [executor.submit(batch, range(at, min(at + size, runs))) for at in range(0, runs, size)]
        for future in as_completed(waiting):
            assert set(future.result()) == {float(INTERVAL * 4 + TIMEOUT + CLOSE)}
            first = first or time.perf_counter() - begin
    return first, time.perf_counter() - begin


if __name__ == "__main__":  # alone, so that its workers import this module and nothing of ours
    print(*pool(*map(int, sys.argv[1:])))
