"""Wires carry bytes between two ends and can be hurt. They know nothing of WebSocket.

``Wire`` holds what all of them share: the connections made over it, two pipes each, and what a
fault does to pipes. How bytes get into a pipe and out of it is the business of each wire.

    pipe.py       one direction of a connection, without I/O; effects.py: what faults do to bytes
    virtual.py    the wire in virtual time: clock.py, loop.py and memory.py (sockets)
    loopback.py   real TCP on 127.0.0.1, in real time: threads.py (loops) and forwarder.py
    kernel/       real TCP between network namespaces, where packets are lost (Linux)
    sleep.py      a machine that sleeps; browser.py: what Python lacks in a browser
    ending.py     how a run is taken down, whatever runs in it; places.py, awaits.py: where it is
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

from ..values.experiment import CAPACITY
from ..values.faults import FLOW, OTHER, Act, Cut, Fault, HangUp, Idle, Reset, Tunnel
from ..values.sender import TICK, Sender
from ..values.stream import join
from ..values.tcp import Tcp
from .effects import EFFECTS, Effect, Tunneled, in_order
from .ending import Busy, Interrupts, uninterrupted, warn
from .pipe import EOF, RESET, Pipe


class Tap(Protocol):
    """Who listens on the wire, on its clock (s); data is bytes, EOF (b"") or RESET (None)."""

    def sent(self, conn: int, sender: str, now: float, data: bytes | None) -> None: ...

    def arrived(
        self, conn: int, sender: str, now: float, data: bytes | None, count: int
    ) -> None: ...

    def tcp(self, when: float, conn: int, end: str, what: str, **data: Any) -> None: ...


class Unavailable(RuntimeError):
    """This system lacks what a wire needs: why, in a sentence."""


def untold(*what: Any, **data: Any) -> None:
    """What a wire or a loop tells, until somebody is given to it that is to be told."""


Program = Callable[[Any], Coroutine[Any, Any, None]]  # what an end does, given its socket


class Wire:
    """The pipes of every connection, and the faults in force."""

    name = "?"
    clock = "?"
    loops: Mapping[str, Any]  # the event loop of each end; loop.block(seconds) blocks it
    pace = 0.0  # s between two samples of what is only seen by looking

    def __init__(
        self,
        latency: float,
        buffers: dict[str, int | None],
        seed: int = 0,
        tcp: dict[str, Tcp] | None = None,
    ) -> None:
        self.latency = latency
        self.buffers = buffers  # bytes, by end
        self.seed = seed
        self.tcp = tcp or dict.fromkeys(FLOW, Tcp())  # of each end's system
        self.pipes: list[dict[str, Pipe]] = []  # one dict a connection, by sender
        self.force: list[Fault] = []  # the faults in force
        self.interrupts = Interrupts()
        self.busy: list[Busy] = []  # the ends that were not done when the wire was closed
        self.tap: Tap | None = None
        self.tell: Callable[..., None] = untold  # is called with what the wire does by itself
        self.note: Callable[..., None] = untold  # is called with what another witness sees
        self.about: dict[str, str] = {}  # what a trace's header says of this wire

    # whoever opens a wire closes it

    @uninterrupted
    def open(self) -> None:
        """Start what a wire needs to run; whatever comes of it, ``close`` has to follow."""
        self.interrupts.begin()
        self._open()

    @uninterrupted
    def close(self, aborts: Mapping[str, Callable[[], None]]) -> None:
        """Take everything down, with what aborts the connections of each end.

        Which ends were not done is warned of, and kept in ``busy``. An interrupt that comes
        meanwhile is raised at the end.
        """
        try:
            self.busy = self._close(aborts)
            warn(self.busy)
        finally:
            self.interrupts.end()

    # what each wire does in its own way

    def _open(self) -> None:
        """Start what a wire needs to run."""

    def _close(self, aborts: Mapping[str, Callable[[], None]]) -> list[Busy]:
        """Take everything down, whatever it is doing; returns which ends were not done."""
        raise NotImplementedError

    def now(self) -> float:
        """The time on this wire's clock (s)."""
        raise NotImplementedError

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at ``when`` (s on this wire's clock), before the bytes of that instant."""
        raise NotImplementedError

    def moved(self) -> None:
        """Something may arrive earlier or later than it was thought: look again."""
        raise NotImplementedError

    def settle(self) -> None:
        """Let everything happen that follows at once; in virtual time it has."""

    def leave_nothing(self) -> None:
        """Whoever asked for this run is gone: leave nothing in the system, at once."""

    def freeze(self, end: str) -> None:
        """Block the event loop of ``end``, from now on."""
        raise NotImplementedError

    def thaw(self, end: str) -> None:
        """Let the event loop of ``end`` run again, now."""
        raise NotImplementedError

    # connections

    def lay(self) -> tuple[int, dict[str, Pipe]]:
        """One more connection: its number (from 1) and its pipes, under the faults in force."""
        pipes = {sender: Pipe(self.latency, self.capacity(sender)) for sender in FLOW}
        self.pipes.append(pipes)
        number = len(self.pipes)
        if self.tap:
            for sender, pipe in pipes.items():
                self._listen(pipe, number, sender, self.tap)
        for fault in self.force:
            self._begin(fault, number)
        return number, pipes

    def capacity(self, sender: str) -> int:
        """Bytes that may wait on their way from ``sender``."""
        return self.buffers[sender] or CAPACITY

    def _listen(self, pipe: Pipe, number: int, sender: str, tap: Tap) -> None:
        def arrive(now: float, item: bytes | None, count: int) -> None:
            by_wire = pipe.finished and not item and not pipe.queue  # a box's own word is the last
            tap.arrived(number, "wire" if by_wire else sender, now, item, count)

        pipe.on_push = lambda now, item: tap.sent(number, sender, now, item)
        pipe.on_arrive = arrive

    def travelling(self) -> bool:
        """Whether anything is on its way and will arrive."""
        now = self.now()
        dues = (pipe.due() for pipes in self.pipes for pipe in pipes.values())
        return any(due is not None and due > now for due in dues)

    # what TCP does by itself, as a Host of senders

    def cut(self, number: int, pipe: Pipe, by: object) -> None:
        """Silence a pipe of this connection, now."""
        if pipe.sender is None:
            join(self.pipes[number - 1], self.tcp_of(number), self, number)
        pipe.cut(self.now(), by)

    def tcp_of(self, number: int) -> dict[str, Tcp]:
        """Of each end's system for this connection."""
        return self.tcp

    def _received(self, sender: Sender) -> Pipe:
        """The pipe through which this sender's end receives."""
        return self.pipes[sender.conn - 1][OTHER[sender.end]]

    def gave_up(self, sender: Sender, reset: bool) -> None:
        orphan = sender.closed_at is not None
        if self.tap:
            self.tap.tcp(self.now(), sender.conn, sender.end, "gave_up", orphan=orphan)
        self._give_up(sender, reset)

    def _give_up(self, sender: Sender, reset: bool) -> None:
        """A connection is lost for this sender: ETIMEDOUT."""
        raise NotImplementedError

    def answers(self, sender: Sender, again: bool) -> bool:
        raise NotImplementedError

    def tried(self, sender: Sender, when: float, number: int, through: bool) -> None:
        if self.tap:
            what = {"number": number, "through": through}
            self.tap.tcp(when, sender.conn, sender.end, "retransmission", **what)

    def probed(self, sender: Sender, when: float, number: int) -> None:
        if self.tap:
            self.tap.tcp(when, sender.conn, sender.end, "probe", number=number)

    def tell_open_tries(self) -> None:
        """Tell what was tried in vain until now, in silences that have not ended."""
        for pipes in self.pipes:
            for pipe in pipes.values():
                if pipe.sender is not None and pipe.silent:
                    pipe.sender.fail_until(self.now() + TICK)

    # faults

    def do(self, fault: Act, step: str) -> None:
        """Begin or end a fault on every connection, now; what ends is this very object."""
        if not isinstance(fault, Fault):
            raise ValueError(f"a wire cannot do {fault!r}: an application does that")
        if step == "end":
            self.force = [other for other in self.force if other is not fault]
        elif not isinstance(fault, (HangUp, Reset)):  # those are done at once
            self.force.append(fault)
        for number in range(1, len(self.pipes) + 1):
            self._begin(fault, number) if step == "begin" else self._end(fault, number)
        self.moved()

    def _met(self, fault: Fault, number: int) -> Iterator[tuple[str, Pipe]]:
        return (
            (sender, pipe)
            for sender, pipe in self.pipes[number - 1].items()
            if fault.meets(FLOW[sender])
        )

    def _begin(self, fault: Fault, number: int) -> None:
        now = self.now()
        for sender, pipe in self._met(fault, number):
            if isinstance(fault, Cut):
                self.cut(number, pipe, fault)
            elif isinstance(fault, HangUp):
                pipe.finish(now, EOF, fault.delay)
            elif isinstance(fault, Reset):
                pipe.finish(now, RESET)
            elif type(fault) in EFFECTS:
                pipe.effects = in_order((*pipe.effects, self._effect(fault, number, sender)))
        if isinstance(fault, Idle):
            self._watch(fault, number, now)

    def _effect(self, fault: Fault, number: int, sender: str) -> Effect:
        """What a fault does to the bytes of ``sender``; a tunnel is the same in both directions."""
        who = "both" if isinstance(fault, Tunnel) else sender
        dice = random.Random(f"{self.seed} {number} {who} {fault!r}")
        make: Callable[..., Effect] = EFFECTS[type(fault)]
        effect = make(fault, dice, partial(self._limit_reached, number))
        if isinstance(effect, Tunneled):
            effect.end = self.now()
            effect.retries = self.tcp[sender].retries_at(2 * self.latency)
        return effect

    def _end(self, fault: Fault, number: int) -> None:
        for _, pipe in self._met(fault, number):
            if isinstance(fault, Cut):
                pipe.heal(self.now(), fault)
            else:
                pipe.effects = tuple(effect for effect in pipe.effects if effect.act is not fault)

    def _limit_reached(self, number: int) -> None:
        """So many bytes and no more: the box in the middle hangs up, both ways."""
        now = self.now()
        self.tell("limit", connection=number)
        self.at(now, lambda: self._hang_up(number, EOF))

    def _hang_up(self, number: int, item: bytes | None) -> None:
        for pipe in self.pipes[number - 1].values():
            pipe.finish(self.now(), item)
        self.moved()

    def _watch(self, fault: Idle, number: int, since: float) -> None:
        """Forget the connection when it has been idle for long enough; until then, look again."""
        if all(other is not fault for other in self.force):
            return
        last = max([since, *(pipe.touched for _, pipe in self._met(fault, number))])
        idle = [tcp.keepalive_idle for tcp in self.tcp.values() if tcp.keepalive_idle is not None]
        if min(idle, default=fault.after) < fault.after:
            return  # TCP's own keepalive passes, before it is forgotten
        if round(self.now() - last - fault.after, 9) < 0:
            self.at(last + fault.after, lambda: self._watch(fault, number, since))
            return
        self.tell("forgotten", connection=number, after=fault.after, then=fault.then)
        if fault.then == "silence":
            for pipe in self.pipes[number - 1].values():
                self.cut(number, pipe, fault)  # nobody ends that
        else:
            self._hang_up(number, EOF if fault.then == "fin" else RESET)
