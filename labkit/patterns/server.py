"""A server to copy, whose connections end in time: ``await Server(talk).run(stop, host, port)``.

For websockets from 14.2 on. Bounds, while its loop runs and it reads; P is close_timeout (20 s):

    silence    ends it ping_interval + 1.2 P after the last byte came or left (44 s), in every state
    drain()    is free again 1.2 P after the last byte left (24 s); CLOSING lasts 1.1 P (22 s)
    handler    is cancelled 1.1 P after its connection was lost (22 s)
    broadcast  waits for nobody: a client that is ``bound`` messages behind (100) is dropped
    shutdown   takes 2.2 P (44 s), or TimeoutError says that a handler does not let itself be ended
"""

import asyncio
import contextlib
import logging
import random
import signal
from types import SimpleNamespace
from typing import Any

from websockets import ConnectionClosed, ServerConnection, State, serve


class Connection(ServerConnection):
    """As websockets' own; it is watched."""

    heard = 0.0  # s; when bytes came last  # watchdog

    def data_received(self, data: bytes) -> None:  # watchdog
        self.heard = self.loop.time()
        super().data_received(data)

    async def watch(self, limit: asyncio.Timeout) -> None:  # watchdog
        """Abort it when nothing moves, in whichever state; then let ``limit`` end its program."""
        now, patience, waits = self.loop.time, self.close_timeout or 0.1, 0
        left = opened = looked = self.heard = now()
        while self.state is not State.CLOSED:
            await asyncio.sleep(patience * random.uniform(0.05, 0.1))
            late, looked = now() - looked > patience / 2, now()  # late: this program was blocked
            waited, waits = waits, self.transport.get_write_buffer_size()
            left = looked if late or waits < waited or not waits else left
            opened = looked if late or self.state is State.OPEN else opened
            if late or waits < waited or not self.transport.is_reading():  # or nobody takes it
                self.heard = looked
            if looked > min(left, opened, self.heard + (self.ping_interval or 1e9)) + patience:
                self.transport.abort()  # not close(): its CLOSE would wait behind what is stuck
        limit.reschedule(now() + patience)

    async def close(self, code: int = 1000, reason: str = "") -> None:  # goodbye
        stuck = self.loop.call_later(self.close_timeout or 0, self.transport.abort)
        await super().close(code, reason)
        stuck.cancel()


class Server:
    """A handler, the connections that it is run over, and what waits to be sent to each."""

    def __init__(self, handler: Any, bound: int = 100) -> None:
        self.handler, self.bound = handler, bound
        self.queues: dict[Any, asyncio.Queue[Any]] = {}  # by connection

    def broadcast(self, message: Any) -> None:  # broadcast
        for connection, queue in self.queues.items():
            if queue.full():
                connection.transport.abort()
            else:
                queue.put_nowait(message)

    async def forward(self, connection: Any) -> None:  # broadcast
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.send(await self.queues[connection].get())

    async def welcome(self, connection: Any) -> None:
        """Run the handler over one connection, and see that both end."""
        self.queues[connection] = asyncio.Queue(self.bound)
        sending = asyncio.create_task(self.forward(connection))  # broadcast
        try:
            async with asyncio.timeout(None) as limit:
                watching = asyncio.create_task(connection.watch(limit))  # watchdog
                await self.handler(connection)
        except ConnectionClosed:
            pass
        finally:
            watching.cancel()  # watchdog
            sending.cancel()  # broadcast
            del self.queues[connection]

    async def run(self, stop: asyncio.Event, *where: Any, **settings: Any) -> None:
        """Serve until ``stop`` is set; ``where`` and ``settings`` go to serve()."""
        with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError):  # where
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.where)
        settings = {"ping_timeout": None, "close_timeout": 20, **settings}
        server = await serve(self.welcome, *where, create_connection=Connection, **settings)
        try:
            await stop.wait()
        finally:
            server.close()  # says 1001 to all
            async with asyncio.timeout(2.2 * settings["close_timeout"]):
                await server.wait_closed()

    def where(self) -> None:  # where
        """Print in which await each task is, and how many bytes wait for whom: kill -USR1 PID."""
        for task in asyncio.all_tasks():
            at, names = task.get_coro(), [task.get_name()]  # type: Any, list[str]
            while at is not None:
                names.append(getattr(at, "__name__", ""))
                own = at.cr_frame.f_locals.get("self") if names[-1] == "__aexit__" else None
                at = getattr(own, "gen", getattr(at, "cr_await", getattr(at, "ag_await", None)))
            print(" > ".join(names))
        for one in self.queues:
            print(one.id, one.state.name, one.transport.get_write_buffer_size(), "bytes wait")


def log_connections() -> None:  # debug
    """Log all that websockets does, each line with the id of its connection."""
    lines, nobody = logging.StreamHandler(), {"websocket": SimpleNamespace(id="-")}
    form = "{asctime} {websocket.id} {name} {levelname} {message}"
    lines.setFormatter(logging.Formatter(form, style="{", defaults=nobody))
    logging.getLogger("websockets").addHandler(lines)
    logging.getLogger("websockets").setLevel(logging.DEBUG)
