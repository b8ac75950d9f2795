"""The virtual wire: the same websockets code and the same pipes, in memory, in virtual time.

Deterministic, and milliseconds for hours of connection. TCP is a model here (values/stream.py).
What it cannot show is what a busy machine does (being late): for that there is the loopback wire.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Mapping
from typing import Any

from ..values.faults import FLOW, OTHER
from ..values.sender import Sender
from ..values.tcp import Tcp
from . import Program, Wire
from .clock import Clock
from .ending import Busy, abandon, heard, stubborn, uninterrupted
from .loop import VirtualLoop, VirtualTimeError
from .memory import MemoryListener, MemorySocket
from .options import answered
from .pipe import RESET, Pipe

PORT = 8765
ROUNDS = 10  # cancellations of a task that swallows them


for step in (Clock.run, Clock.settle, VirtualLoop.turn):
    uninterrupted(step)


class VirtualWire(Wire):
    """Two loops, one clock, sockets in memory."""

    name = clock = "virtual"

    def __init__(
        self,
        latency: float,
        buffers: dict[str, int | None],
        seed: int = 0,
        tcp: dict[str, Tcp] | None = None,
    ) -> None:
        super().__init__(latency, buffers, seed, tcp)
        self.time = Clock()
        self.sockets: dict[int, Any] = {}
        self.fds = itertools.count(1_000_000)
        self.tasks: list[Any] = []
        self.loops = {end: VirtualLoop(self.time, self.sockets) for end in FLOW}
        self.time.loops += self.loops.values()
        self.listener = MemoryListener(next(self.fds), ("127.0.0.1", PORT))
        self.sockets[self.listener.fd] = self.listener
        self.sinks: dict[Pipe, MemorySocket] = {}  # where each pipe ends
        for loop in self.loops.values():
            loop.network = self

    def now(self) -> float:
        return self.time.now

    def address(self) -> tuple[str, int]:
        """Where a client finds the server."""
        return self.listener.name

    @uninterrupted
    def start(self, end: str, program: Program) -> None:
        """Run an end's program in its loop, with a listening socket, or a function that dials."""
        sock = self.listener if end == "server" else self.dial
        if end == "server":
            self.listener.listen(1024)
        self.tasks.append(self.loops[end].create_task(program(sock)))

    def listen(self, port: int) -> MemoryListener:
        """A new listening socket, in the place of one that is closed or that nobody waited at."""
        if self.listener.open and self.listener.selector is not None:
            used = os.strerror(errno.EADDRINUSE)
            why = "a virtual wire has one server, and it listens already"
            raise OSError(errno.EADDRINUSE, f"{used}: {why}")
        self.listener.close()
        self.listener = MemoryListener(next(self.fds), ("127.0.0.1", port or PORT))
        self.sockets[self.listener.fd] = self.listener
        return self.listener

    def dial(self, port: int | None = None) -> MemorySocket:
        """A new connection, the client's socket; ConnectionRefusedError if no server listens."""
        if not self.listener.open or port not in (None, self.listener.name[1]):
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        _, pipes = self.lay()
        for trips, sender in enumerate(("client", "server"), start=1):  # the opening handshake,
            pipes[sender].arrived = self.time.now + trips * self.latency  # whoever skips it
        here = ("127.0.0.1", 50_000 + len(self.pipes))
        client = self._socket("client", here, self.listener.name, pipes)
        server = self._socket("server", self.listener.name, here, pipes)
        self.sinks[pipes["client"]], self.sinks[pipes["server"]] = server, client
        client.far, server.far = server, client
        self.listener.add(server)
        return client

    def _socket(
        self, end: str, name: tuple[str, int], peer: tuple[str, int], pipes: dict[str, Pipe]
    ) -> MemorySocket:
        out, into = pipes[end], pipes["client" if end == "server" else "server"]
        sock = MemorySocket(next(self.fds), name, peer, out, into, self, self.capacity(end))
        self.sockets[sock.fd] = sock
        return sock

    def tcp_of(self, number: int) -> dict[str, Tcp]:
        """Of each end's system for this connection: its own, and what its socket was told."""
        pipes = self.pipes[number - 1]
        sockets = {end: self.sinks.get(pipes[OTHER[end]]) for end in FLOW}  # none in a cut yet
        told = {end: sock.told if sock else None for end, sock in sockets.items()}
        return {end: answered(tcp, told[end] or {}) for end, tcp in self.tcp.items()}

    def push(self, pipe: Pipe, item: bytes | None) -> None:
        """An end has sent something: its arrival goes on the agenda, even if that is now."""
        waiting = bool(pipe.queue)
        pipe.push(self.time.now, item)
        if not waiting or pipe.sender is not None:
            self.await_arrival(pipe)

    def refuse(self, pipe: Pipe) -> None:
        """Answer with RESET at the end of this instant, when its asker is done."""
        self.time.answers.append(lambda: self.push(pipe, RESET))

    def await_arrival(self, pipe: Pipe) -> None:
        """Be there when something arrives, or when its sender's TCP has something to do."""
        due, sender = pipe.due(), pipe.sender
        if sender is None:
            if due is not None:
                self.time.at(due, lambda: self.deliver(pipe))
            return
        alarm = sender.alarm()
        if due is not None and not (pipe.head() and self.sinks[pipe].is_full):
            alarm = due if alarm is None else min(due, alarm)
        if sender.timer is not None:
            when, number = sender.timer
            if when == alarm:
                return
            self.time.cancelled.add(number)
        sender.timer = None
        if alarm is not None:
            sender.timer = alarm, self.time.at(alarm, lambda: self.ring(sender))

    def ring(self, sender: Sender) -> None:
        """The time has come that a sender's timer was set to."""
        sender.timer = None
        self.deliver(self.pipes[sender.conn - 1][sender.end])

    def deliver(self, pipe: Pipe) -> None:
        """Move what has arrived to its socket, as far as there is room."""
        sink, now, was_full = self.sinks[pipe], self.time.now, not pipe.room
        room = 0
        if pipe.sender is not None:
            room = sink.out.room
            pipe.sender.ring(now)
        while pipe.ready(now):
            item = pipe.head()
            if item and sink.is_full:
                break  # go on when it is read
            pipe.advance(now, sink.receive(item))
        if was_full and pipe.room:
            sink.far.wake()
        if pipe.sender is not None or pipe.queue and not sink.is_full:
            self.await_arrival(pipe)
        if pipe.sender is not None:
            if sink.out.room > room:
                sink.wake()  # what it has sent is acknowledged
            self.await_arrival(sink.out)

    def moved(self) -> None:
        for pipe in self.sinks:
            self.deliver(pipe)

    def left(self, pipe: Pipe) -> None:
        """The end that sends through this pipe has closed its socket."""
        if pipe.sender is not None:
            pipe.sender.closed_at = self.time.now
            self.await_arrival(pipe)

    # what TCP does

    def _give_up(self, sender: Sender, reset: bool) -> None:
        if reset:
            self.push(self.pipes[sender.conn - 1][sender.end], RESET)
        self.sinks[self._received(sender)].give_up()

    def answers(self, sender: Sender, again: bool) -> bool:
        sink = self.sinks[self.pipes[sender.conn - 1][sender.end]]
        if again and sink.dead:
            self.refuse(sink.out)
        return not sink.dead

    # what a session asks for

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at ``when`` (s on this wire's clock), before the bytes of that instant."""
        self.time.at(when, do, act=True)

    def freeze(self, end: str) -> None:
        self.loops[end].frozen += 1

    def thaw(self, end: str) -> None:
        self.loops[end].frozen -= 1

    def call(self, end: str, do: Callable[..., Any], *args: Any) -> None:
        """Do something in the loop of ``end``."""
        self.loops[end].call_soon(do, *args)

    def wait(self, over: Callable[[], bool], horizon: float) -> bool:
        """Let time pass until ``over()`` or ``horizon`` (s); False if nothing can happen."""

        def over_or_interrupted() -> bool:
            self.interrupts.let_in()
            return over()

        return self.time.run(over_or_interrupted, horizon)

    def sample(self, end: str, do: Callable[[], None]) -> None:
        """Look at something of ``end``, now."""
        do()

    def _close(self, aborts: Mapping[str, Callable[[], None]]) -> list[Busy]:
        """Abort the connections, and cancel what waits, a few times."""
        self.time.agenda.clear()
        try:
            for end, abort in aborts.items():
                self.loops[end].frozen = 0
                self.loops[end].set_exception_handler(heard)
                self.loops[end].call_soon(abort)
            self._cancel_all()
            # such as `async for websocket in connect(…)`, half-way
            begun = [(loop, one) for loop in self.loops.values() for one in loop.generators]
            if left := [(loop, one) for loop, one in begun if one.ag_frame]:
                for loop, one in left:
                    loop.create_task(one.aclose())
                self._settle()
                self._cancel_all()
            self._settle()  # what was closed last closes its socket
        finally:
            busy = self._put_away()
        return busy

    def _cancel_all(self) -> None:
        for _ in range(ROUNDS):
            for task in self.time.sleepers():
                task.cancel()
            self._settle()
            if not self.time.sleepers():
                return

    def _settle(self) -> None:
        """Let everybody run who has something to do now."""
        try:
            self.time.run(lambda: True)
        except KeyboardInterrupt:
            self.interrupts.waiting = True
        except VirtualTimeError:
            pass  # somebody is busy for ever, and will be abandoned

    def _put_away(self) -> list[Busy]:
        """Close the loops; tasks that swallow their cancellation never run again."""
        busy: list[Busy] = []
        for end, loop in self.loops.items():
            left = [task for task in loop.tasks if not task.done()]
            busy += stubborn(end, left)
            for task in left:
                abandon(task)
            loop.close()
        self.tasks.clear()
        return busy
