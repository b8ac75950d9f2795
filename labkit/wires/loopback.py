"""The loopback wire: real TCP on 127.0.0.1, real time, and a forwarder that can be hurt.

Three threads, each with a loop of its own: the server, the client, the wire. Everything binds to
127.0.0.1 only.

    client ── TCP ── forwarder: pipe → / ← pipe ── TCP ── server

Where it differs from a cut cable: the forwarder's kernel acknowledges what it takes, so an end's
own kernel never retransmits. What is stuck waits in the forwarder (and, when that is full, in the
kernels' buffers), until the model of an end's TCP (values/sender.py) would try again; where that
gives up, the forwarder can only reset (ECONNRESET, not ETIMEDOUT). It cannot see that an end has
closed what it has shut down, so an orphan tries as long as any connection.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..values.faults import FLOW, OTHER
from ..values.sender import Sender
from ..values.tcp import Tcp
from . import Program, Wire
from .ending import Brisk, Busy, uninterrupted
from .forwarder import RESET_ON_CLOSE, Half
from .pipe import RESET
from .threads import LoopThread, end

HOST = "127.0.0.1"
POLL = 0.005  # s between two looks at whether a run is over
TURNS = 10  # of an event loop: enough for what has arrived to be read, told and answered
STUCK = 0.1  # s; a loop that does not come to its next turns within this is blocked


class LoopbackWire(Wire):
    """Three threads, two TCP connections for one, and the pipes in between."""

    name, clock = "loopback", "monotonic"
    pace = 0.02  # s

    def __init__(
        self,
        latency: float,
        buffers: dict[str, int | None],
        seed: int = 0,
        tcp: dict[str, Tcp] | None = None,
    ) -> None:
        super().__init__(latency, buffers, seed, tcp)
        self.threads: dict[str, LoopThread] = {}
        self.halves: list[Half] = []
        self.ends: dict[tuple[int, str], Half] = {}  # by connection and by the end that sends
        self.frozen = dict.fromkeys(FLOW, 0)  # freezes that are not over
        self.sockets: dict[str, socket.socket] = {}
        # whoever listens may hand his socket on (the threading server does, to its TLS)
        self.names: dict[str, tuple[str, int]] = {}

    def _open(self) -> None:
        self.sockets["server"] = self._listen_at("server")
        self.names["server"] = self.sockets["server"].getsockname()
        for name in FLOW:
            self.threads[name] = LoopThread(name)
        self.threads["server"].listener = self.sockets["server"]
        self.loops = {end: self.threads[end].loop for end in FLOW}
        self._forward()

    def _forward(self, port: int = 0) -> None:
        """Forward what dials a port (0: any that is free) to where the server listens."""
        self.sockets["wire"] = self._listen_at("wire", port)
        self.names["wire"] = self.sockets["wire"].getsockname()
        self.threads["wire"] = LoopThread("wire")
        self.loop = self.threads["wire"].loop
        self.threads["wire"].ask(self.loop.add_reader, self.sockets["wire"], self.accept)

    def now(self) -> float:
        return time.monotonic()

    def address(self) -> tuple[str, int]:
        """Where a client finds the server: the forwarder's port."""
        return self.sockets["wire"].getsockname()

    @uninterrupted
    def start(self, end: str, program: Program) -> None:
        """Run an end's program in its thread, with a listening socket, or a function that dials."""
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
        number, pipes = self.lay()
        there = Half(self.loop, pipes["client"], near, far)
        back = Half(self.loop, pipes["server"], far, near)
        there.back, back.back = back, there
        self.halves += there, back
        self.ends[number, "client"], self.ends[number, "server"] = there, back
        there.flow()
        back.flow()

    def moved(self) -> None:
        for half in self.halves:
            half.flow()

    def _give_up(self, sender: Sender, reset: bool) -> None:
        if reset:
            self.ends[sender.conn, sender.end].pipe.push(self.now(), RESET)
        self.ends[sender.conn, OTHER[sender.end]].reset()

    def answers(self, sender: Sender, again: bool) -> bool:
        half = self.ends[sender.conn, sender.end]
        if again and half.broken:
            half.refused()
        return not half.broken

    def tell_open_tries(self) -> None:
        self.threads["wire"].ask(super().tell_open_tries)

    def travelling(self) -> bool:
        return self.threads["wire"].ask(super().travelling)

    def settle(self) -> None:
        """Let every loop that is not blocked have some turns, in the order in which bytes go."""
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
        with Brisk():
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

    def _listen_at(self, name: str, port: int = 0) -> socket.socket:
        sock = new_socket()
        end = "server" if name == "server" else "client"
        set_buffers(sock, self.buffers[end])  # accepted sockets inherit it
        if port:  # connections of before may linger there (TIME_WAIT)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
            sock.listen(1024)
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    def _connect(self, name: str, size: int | None) -> socket.socket:
        sock = new_socket()
        set_buffers(sock, size)
        try:
            sock.connect(self.names[name])  # at once, into the backlog
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


def new_socket() -> socket.socket:
    """A TCP socket that names its protocol: otherwise asyncio leaves Nagle's algorithm on."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def set_buffers(sock: socket.socket, size: int | None) -> None:
    """Set both buffers of a socket (bytes), unless the system is to choose."""
    if size is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
