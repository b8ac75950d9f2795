"""The loopback wire: real TCP on 127.0.0.1, real time, and a forwarder between the ends that can be hurt.

Three threads, each with a loop of its own: the server, the client, the wire. Everything binds to 127.0.0.1 only.

    client ── TCP ── forwarder: pipe → / ← pipe ── TCP ── server

Where it differs from a cut cable: the forwarder's kernel acknowledges what it takes, so an end's own kernel never
retransmits; and what is stuck waits in the forwarder (and, when that is full, in the kernels' buffers).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..values.faults import FLOW
from . import Program, Wire
from .ending import Busy, brisk, uninterrupted
from .pipe import EOF, RESET, Pipe
from .threads import LoopThread, end

HOST = "127.0.0.1"
CHUNK = 2**16  # bytes a read
POLL = 0.005  # s between two looks at whether a run is over
TURNS = 10  # of an event loop: enough for what has arrived to be read, told and answered
STUCK = 0.1  # s; a loop that does not come to its next turns within this is blocked
ANSWER = 0.005  # s; no reset is back before its asker is done with what it does at once, as in virtual time
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


class LoopbackWire(Wire):
    """Three threads, two TCP connections for one, and the pipes in between."""

    name, clock = "loopback", "monotonic"
    pace = 0.02  # s

    def __init__(self, latency: float, buffers: dict[str, int | None], seed: int = 0) -> None:
        super().__init__(latency, buffers, seed)
        self.threads: dict[str, LoopThread] = {}
        self.halves: list[Half] = []
        self.frozen = dict.fromkeys(FLOW, 0)  # freezes that are not over
        self.sockets: dict[str, socket.socket] = {}

    def _open(self) -> None:
        for name in ("server", "wire"):
            self.sockets[name] = self._listen_at(name)
        for name in (*FLOW, "wire"):
            self.threads[name] = LoopThread(name)
        self.threads["server"].listener = self.sockets["server"]
        self.loops = {end: self.threads[end].loop for end in FLOW}
        self.loop = self.threads["wire"].loop
        self.threads["wire"].ask(self.loop.add_reader, self.sockets["wire"], self.accept)

    def now(self) -> float:
        return time.monotonic()

    def address(self) -> tuple[str, int]:
        """Where a client finds the server: the forwarder's port."""
        return self.sockets["wire"].getsockname()

    @uninterrupted
    def start(self, end: str, program: Program) -> None:
        """Run an end's program in a thread of its own: the server gets a listening socket, the client a function that dials."""
        sock = self.sockets["server"] if end == "server" else self.dial
        self.threads[end].call(self.threads[end].begin, program(sock))

    def dial(self) -> socket.socket:
        """A new connection to the forwarder: the client's socket."""
        return self._connect("wire", self.buffers["client"])

    def accept(self) -> None:
        """A client has dialled: dial the server, and join the two."""
        near, _ = self.sockets["wire"].accept()
        near.setblocking(False)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            far = self._connect("server", self.buffers["server"])
        except OSError:  # the server is gone
            near.close()
            return
        _, pipes = self.lay()
        pair = Half(self, pipes["client"], near, far), Half(self, pipes["server"], far, near)
        pair[0].back, pair[1].back = pair[1], pair[0]
        self.halves += pair
        for half in pair:
            half.flow()

    def moved(self) -> None:
        for half in self.halves:
            half.flow()

    def travelling(self) -> bool:
        return self.threads["wire"].ask(super().travelling)

    def settle(self) -> None:
        """Let every loop that is not blocked have some turns, in the order in which bytes go from end to end and back."""
        blocked = {name for name, count in self.frozen.items() if count}
        for name in (*FLOW, "wire", *FLOW, "wire"):
            if name not in blocked and not self.threads[name].has_turns(TURNS, STUCK):
                blocked.add(name)

    # what a session asks for

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at ``when`` (s on this wire's clock), in the wire's thread."""
        self.threads["wire"].call(self.loop.call_at, when, do)

    def freeze(self, end: str) -> None:
        self.frozen[end] += 1
        self.threads[end].freeze()

    def thaw(self, end: str) -> None:
        self.frozen[end] -= 1
        if not self.frozen[end]:
            self.threads[end].thaw()

    def call(self, end: str, do: Callable[..., Any], *args: Any) -> None:
        """Do something in the loop of ``end``."""
        self.threads[end].call(do, *args)

    def wait(self, over: Callable[[], bool], horizon: float) -> bool:
        """Wait until ``over()`` or until ``horizon`` (s); can be interrupted at any time."""
        while not over() and (left := horizon - self.now()) > 0:
            self.interrupts.let_in()
            self._raise_failure()
            time.sleep(min(POLL, left))
        return True

    def _raise_failure(self) -> None:
        """What a handler raises and asyncio lets through, such as SystemExit, ends the run."""
        for thread in self.threads.values():
            if thread.failure:
                raise thread.failure

    def sample(self, end: str, do: Callable[[], None]) -> None:
        """Look at something of ``end``, soon, in its own thread."""
        self.threads[end].call(do)

    def _close(self, aborts: Mapping[str, Callable[[], None]]) -> list[Busy]:
        """End the threads and close the sockets, within 2 s."""
        with brisk():
            ends = [thread for name, thread in self.threads.items() if name in FLOW]
            for thread in ends:
                thread.leave(aborts.get(thread.name))
            busy = end(ends)
            if wire := self.threads.get("wire"):
                wire.leave()
                end([wire])
        self._close_sockets(any(thread.is_stuck() for thread in ends))
        return busy

    def _close_sockets(self, stuck: bool) -> None:
        """Close what is the wire's own; an end that is ``stuck`` loses its connections by a reset.

        What it listens at is only shut down: it closes that itself, when it comes back.
        """
        for half in self.halves:
            if stuck:
                with contextlib.suppress(OSError):  # it is closed
                    half.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            half.source.close()
        for name, sock in self.sockets.items():
            if stuck and name == "server":
                with contextlib.suppress(OSError):  # not every system shuts down a listener
                    sock.shutdown(socket.SHUT_RDWR)
            else:
                sock.close()

    def _listen_at(self, name: str) -> socket.socket:
        sock = _new_socket()
        _size(
            sock, self.buffers["server" if name == "server" else "client"]
        )  # accepted sockets inherit it
        sock.bind((HOST, 0))
        sock.listen(1024)
        sock.setblocking(False)
        return sock

    def _connect(self, name: str, size: int | None) -> socket.socket:
        sock = _new_socket()
        _size(sock, size)
        try:
            sock.connect(
                self.sockets[name].getsockname()
            )  # at once: the listener's backlog takes it
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


class Half:
    """One direction of one connection: from ``source`` into the pipe, and what has arrived out of it to ``sink``."""

    def __init__(
        self, wire: LoopbackWire, pipe: Pipe, source: socket.socket, sink: socket.socket
    ) -> None:
        self.wire, self.loop, self.pipe, self.source, self.sink = (
            wire,
            wire.loop,
            pipe,
            source,
            sink,
        )
        self.back: Half  # the other direction
        self.reading = self.writing = False
        self.ended = False  # the source has said its last
        self.broken = False  # the sink takes nothing any more: what comes for it goes nowhere
        self.timer: asyncio.TimerHandle | None = None

    def readable(self) -> None:
        """The source has sent bytes, EOF or RESET."""
        item: bytes | None
        try:
            item = self.source.recv(min(CHUNK, self.pipe.room))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            item = RESET
        self.ended = not item
        self.pipe.push(self.wire.now(), item)
        self.flow()

    def flow(self) -> None:
        """Write what has arrived; come back when more is due, or when there is room again."""
        now, stopped = self.wire.now(), False
        while self.pipe.ready(now) and not stopped:
            item = self.pipe.head()
            count = self.write(item)
            stopped = count < len(item or b"")
            if count or not item:
                self.pipe.advance(now, count)
        self.watch_source(not self.ended and self.pipe.room > 0)
        self.watch_sink(stopped)
        self.come_back(now)

    def write(self, item: bytes | None) -> int:
        """Give the sink one item; returns how many bytes of it are done with."""
        if self.broken:
            if item:
                self.refused()
            return len(item or b"")
        if item is RESET:
            self.reset()
        elif item == EOF:
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)
        else:
            try:
                count = self.sink.send(item)
            except (BlockingIOError, InterruptedError):
                return 0
            except OSError:
                self.refused()
                return len(item or b"")
            if self.back.ended and self.sink.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.refused()  # the sink had closed already, and its kernel answered with a reset
            return count
        return 0

    def refused(self) -> None:
        """The sink is gone, and answers whatever comes with a reset: it goes back to the source, if it gets through."""
        self.broken = True
        if self.back.ended:
            self.back.pipe.push(self.wire.now() + ANSWER, RESET)
            self.loop.call_soon(self.back.flow)

    def reset(self) -> None:
        """Close the sink with a reset; the other direction has lost its source."""
        self.broken = self.back.ended = True
        self.watch_sink(False)
        self.back.watch_source(False)
        self.back.watch_sink(False)
        self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.sink.close()

    def watch_source(self, wanted: bool) -> None:
        if wanted != self.reading:
            self.reading = wanted
            self.loop.add_reader(self.source, self.readable) if wanted else self.loop.remove_reader(
                self.source
            )

    def watch_sink(self, wanted: bool) -> None:
        if wanted != self.writing:
            self.writing = wanted
            self.loop.add_writer(self.sink, self.flow) if wanted else self.loop.remove_writer(
                self.sink
            )

    def come_back(self, now: float) -> None:
        """Set the timer to the next arrival."""
        if self.timer:
            self.timer.cancel()
        due = self.pipe.due()
        self.timer = self.loop.call_at(due, self.flow) if due is not None and due > now else None


def _new_socket() -> socket.socket:
    """A TCP socket. It has to name its protocol: otherwise asyncio does not turn Nagle's algorithm off."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def _size(sock: socket.socket, size: int | None) -> None:
    """Set both buffers of a socket (bytes), unless the system is to choose."""
    if size is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
