"""What every run is: a server and its clients on a wire, the acts that happen to them, and an end.

    open     the wire opens, both ends start
    begin    t = 0; from here on the time of every act counts
    step     an act begins or ends: on the wire, in an event loop, or in an application
    is_over  by one rule for all
    close    everything is taken down, whatever it is doing

A session, a fleet and a crowd are engines that say who their ends are: a run to look at, many
clients of one experiment, clients that dial as often as they like.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from ..trace.story import OVER
from ..values.experiment import Experiment, order
from ..values.faults import (
    ENDS,
    Act,
    Delay,
    Fault,
    Freeze,
    Idle,
    Limit,
    Slice,
    SlowClose,
    Suspend,
    Throttle,
    Tunnel,
)
from ..wires import Program, Wire
from ..wires.ending import uninterrupted
from ..wires.sleep import Sleepers

OPENING = 15.0  # s; longer than websockets' own open_timeout
SETTLED = 10  # rounds; what still goes on then is no consequence of what has happened
HORIZON = 3600.0  # s after the last act, for a virtual run that nothing else bounds
PATIENCE = 10.0  # s; websockets' open_timeout
LATER = (Delay, Limit, Slice, SlowClose, Throttle, Tunnel)  # touch what is sent from then on
SILENT = logging.Logger("websockets, unrecorded", logging.CRITICAL + 1)  # logs nothing


def make_wire(name: str, experiment: Experiment) -> Wire:
    """The wire of that name, for this experiment; refuses what it cannot do."""
    buffers = {end: experiment.peer(end).buffer for end in ENDS}
    tcp = {end: experiment.peer(end).tcp for end in ENDS}
    if name == "virtual":
        from ..wires.virtual import VirtualWire

        return VirtualWire(experiment.latency, buffers, experiment.seed, tcp)
    if name not in ("loopback", "kernel"):
        raise ValueError(f"a wire is 'loopback', 'virtual' or 'kernel', seen {name!r}")
    if experiment.limit is None:
        raise ValueError(
            f"this run would never end on the {name} wire: neither end has keepalive "
            "and until is None; give until=… (s), or use wire='virtual'"
        )
    if name == "loopback":
        from ..wires.loopback import LoopbackWire

        return LoopbackWire(experiment.latency, buffers, experiment.seed, tcp)
    from ..wires.kernel import KernelWire

    return KernelWire(experiment)


class Engine:
    """A run of an experiment on a wire; each kind of run says what its ends do."""

    def __init__(self, experiment: Experiment, wire: str) -> None:
        limit = experiment.limit
        self.experiment = experiment
        self.wire: Any = make_wire(wire, experiment)
        self.sleepers = Sleepers(self.wire)
        self.planned = experiment.acts  # what happens from t = 0 on
        self.until = experiment.last_act + HORIZON if limit is None else limit  # s
        self.keepers = [end for end in ENDS if experiment.peer(end).keepalive]
        self.going: list[Act] = []  # begun and not over; changed in the wire's own thread only
        self.pending: set[object] = set()  # one for each step of an act that is still to come
        self.zero: float | None = None  # t = 0 on the wire's clock
        self.over_at: float | None = None  # since when the run is over (s on the wire's clock)
        self.failure: BaseException | None = None
        self.over = "left"  # why it was over: a word of trace.story.OVER

    # what each kind of run does in its own way

    async def serve(self, listener: Any) -> None:
        """Be the server, until cancelled."""
        raise NotImplementedError

    async def connect(self, dial: Callable[[], Any]) -> None:
        """Be the client, or all of them."""
        raise NotImplementedError

    def living(self, end: str) -> int:
        """How many connections (or programs) of an end have not ended, those to come included."""
        raise NotImplementedError

    def perform(self, act: Any, step: str) -> None:
        """Do one step of an act that is no fault of the wire; called in the loop of its end."""
        raise NotImplementedError

    def abort(self, end: str) -> None:
        """Drop the connections of an end at once; called in its loop."""
        raise NotImplementedError

    def note_step(self, act: Act, step: str) -> None:
        """Hear of a step of an act, just before it is done."""

    def look(self) -> None:
        """Look at what is only seen by looking; called now and then."""

    def seen(self) -> Any:
        """Something that differs when more has been seen."""

    # its beginning

    @property
    def now(self) -> float:
        """Seconds since t = 0."""
        return float(self.wire.now() - (self.zero or 0.0))

    def run(self) -> None:
        """From the first connection to the end, with everything taken down."""
        try:
            self.wire.open()
            self.start()
            self.wait()
        finally:
            self.close()

    def start(self) -> None:
        """Start both ends, and wait for t = 0, or until no client is left that could bring it."""
        self.wire.start("server", self.guarded(self.serve))
        self.wire.start("client", self.guarded(self.connect))
        self.wire.wait(
            lambda: bool(self.failure or self.zero is not None or not self.living("client")),
            self.wire.now() + OPENING,
        )
        if self.failure:
            raise self.failure

    def guarded(self, program: Program) -> Program:
        """The program of an end; what it raises fails the run that waits for it."""

        async def guarded(sock: Any) -> None:
            try:
                await program(sock)
            except Exception as problem:
                self.failure = problem

        return guarded

    def begin(self) -> None:
        """This is t = 0, unless it has been."""
        if self.zero is None:
            self.zero = self.wire.now()
            self.schedule(self.planned)

    # what happens

    def schedule(self, acts: tuple[Act, ...]) -> None:
        """Let acts happen, each at its time."""
        assert self.zero is not None
        for when, step, act in order(acts):
            self.step_at(self.zero + when, act, step)

    def step_at(self, when: float, act: Act, step: str, done: Act | None = None) -> None:
        """Let a step happen at ``when`` (s on the wire's clock): in another thread than this."""
        ticket = object()

        def happen() -> None:
            self.step(act, step, done)
            self.pending.discard(ticket)

        self.pending.add(ticket)
        self.wire.at(when, happen)

    def step(self, act: Any, step: str, done: Act | None = None) -> None:
        """One step of an act; ``done`` is the act as it was finished, before its time."""
        others = [other for other in self.going if other is not act]
        if step == "end" and len(others) == len(self.going):
            return  # it has been finished
        self.going = [*others, act] if step == "begin" else others
        self.note_step(done or act, step)
        if isinstance(act, Fault):
            self.wire.do(act, step)
        elif isinstance(act, Freeze):
            self.wire.freeze(act.end) if step == "begin" else self.wire.thaw(act.end)
        elif isinstance(act, Suspend):
            do = self.sleepers.suspend if step == "begin" else self.sleepers.wake
            do(act.end, act)
        else:
            self.wire.call(act.end, self.perform, act, step)

    # its end

    def wait(self, seconds: float | None = None, tick: Callable[[], None] | None = None) -> None:
        """Wait until the run ends by itself, or for so many seconds of its own time.

        ``tick`` is called now and then.
        """
        if self.zero is None:
            self.over = "never open"
            return
        last = round(self.zero + self.until, 9)
        horizon = last if seconds is None else min(last, round(self.wire.now() + seconds, 9))

        def over() -> bool:
            self.look()
            if tick:
                tick()
            return self.failure is not None or self.is_over()

        alive = self.wire.wait(over, horizon)
        if self.failure:
            raise self.failure
        stopped = "stuck" if not alive else "until" if horizon == last else "left"
        self.over = self.why_over() or stopped

    def is_over(self) -> bool:
        """Whether the run is over; what happens later is no part of it."""
        if not self.why_over():
            self.over_at = None
        elif self.over_at is None:
            self.settle()
            self.over_at = self.wire.now() if self.why_over() else None
        return self.over_at is not None

    def settle(self) -> None:
        """Let everything happen that follows at once, until nothing more is seen."""
        for _ in range(SETTLED):
            before = self.seen()
            self.wire.settle()
            if self.seen() == before:
                return

    def why_over(self) -> str | None:
        """Why the run is over, a word of trace.story.OVER; None if it is not.

        On every wire a run ends when both ends have ended; or when every end with keepalive has
        ended, no act is pending and nothing is on its way. It is stopped when its time is up, or,
        in virtual time, when nothing can happen any more. What a survivor does later is no part
        of it.
        """
        living = [end for end in ENDS if self.living(end)]
        if not living:
            return "both ended"
        if len(living) == len(ENDS) or living[0] in self.keepers or not self.keepers:
            return None
        if self.pending or self.wire.travelling():
            return None
        return "keepers ended"

    @property
    def ended(self) -> str:
        """Why it was over, in a sentence."""
        who = f"the {self.keepers[0]} has ended, and " if self.over == "keepers ended" else ""
        return who + OVER[self.over]

    @uninterrupted
    def close(self) -> None:
        """Abort what lives, and take the wire down."""
        self.wire.close({end: partial(self.abort, end) for end in ENDS})


def needs_handshake(experiment: Experiment, last: float = 0.0) -> bool:
    """Whether an opening handshake could make a difference to what happens from t = 0 on.

    TLS and compression are agreed on by it, and it can take too long. Otherwise nothing must
    happen before all are OPEN, of whom the ``last`` dials so many seconds after the first, unless
    it touches only what is sent from then on.
    """
    if experiment.tls or experiment.compression or 2 * experiment.latency >= PATIENCE:
        return True
    opened = last + experiment.latency
    early = [act for act in experiment.acts if act.start <= opened]
    return bool(early) if last else not all(_spares(act, opened) for act in early)


def _spares(act: Act, opened: float) -> bool:
    """Whether an act leaves alone what was sent before it, until ``opened`` (s)."""
    if isinstance(act, Idle):
        return act.start + act.after > opened
    return isinstance(act, LATER)
