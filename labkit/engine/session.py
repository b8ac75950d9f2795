"""An experiment is run on a wire and leaves a trace.

``run`` is a session waited for; a session can also be kept open, to act on it while it lives:

    with open_run(fly, wire="loopback") as session:
        session.wait(5)
        cut = session.do(Cut())  # now
        session.wait()  # until the run ends by itself
    session.trace

A session is synchronous and brings its own loops, so it works in a notebook cell, a script, a thread, and inside a
running loop. Leaving it, by whatever way, takes down every task, socket and thread that it made,
whatever they are doing (ending.py, and wires/threads.py for real time).
"""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import logging
import platform
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..ends import End, Handler, make_end
from ..ends.capabilities import VIRTUAL
from ..trace import Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS, Act, Fault, Freeze, Send, order
from ..values.faults import to_json as act_to_data
from ..wires import Program, Wire
from ..wires.awaits import chains, sentence
from ..wires.ending import uninterrupted
from .counts import Tally
from .recorder import Recorder

if TYPE_CHECKING:
    pass

OPENING = 15.0  # s; longer than websockets' own open_timeout
SETTLED = 10  # rounds; what still goes on then is no consequence of what has happened
HORIZON = 3600.0  # s after the last act, for a virtual run that nothing else bounds
SILENT = logging.Logger(
    "websockets, unrecorded", logging.CRITICAL + 1
)  # nothing is logged above CRITICAL


def open_run(
    experiment: Experiment,
    wire: str = "loopback",
    *,
    server: Handler | None = None,
    client: Handler | None = None,
    record: bool = True,
) -> Session:
    """Open a session: use it in a ``with`` statement. The arguments are those of :func:`run`."""
    if not isinstance(experiment, Experiment):
        raise TypeError(f"run() takes an Experiment(…), seen {experiment!r}")
    return Session(experiment, wire, {"server": server, "client": client}, record)


def make_tls() -> Any:
    """The certificates and contexts of a run; loads ssl, which only runs with TLS need."""
    from .tls import Tls

    return Tls()


def make_wire(name: str, experiment: Experiment) -> Wire:
    """The wire of that name, for this experiment; refuses what it cannot do."""
    buffers = {end: experiment.peer(end).buffer for end in ENDS}
    if name == "virtual":
        from ..wires.virtual import VirtualWire

        return VirtualWire(experiment.latency, buffers, experiment.seed)
    if name == "loopback":
        if experiment.limit is None:
            raise ValueError(
                "this run would never end on the loopback wire: neither end has keepalive and until is None; "
                "give until=… (s), or use wire='virtual'"
            )
        from ..wires.loopback import LoopbackWire

        return LoopbackWire(experiment.latency, buffers, experiment.seed)
    raise ValueError(f"a wire is 'loopback' or 'virtual', seen {name!r}")


class Session:
    """A run that is going on: wait for it, act on it, ask it; when it is left, its ``trace`` stands."""

    def __init__(
        self,
        experiment: Experiment,
        wire: str,
        handlers: dict[str, Handler | None],
        record: bool,
        implementation: str = "asyncio",
    ) -> None:
        if wire == "virtual" and implementation not in VIRTUAL:
            raise ValueError(
                f"the {implementation} implementation has a clock of its own: run it on the loopback wire"
            )
        self.experiment, self.implementation = experiment, implementation
        self.handlers = handlers
        self.record = record
        self.tls = make_tls() if experiment.tls else None
        self.wire: Any = make_wire(wire, experiment)
        self.recorder = Recorder(self.wire.now, self._state_changed)
        self.tally = Tally()  # of an unrecorded run
        self.ends = {end: self._end(end) for end in ENDS}
        self.states = dict.fromkeys(ENDS, "CONNECTING")
        self.acts = list(experiment.faults)
        self.going: list[Act] = []  # begun and not over; changed in the wire's own thread only
        self.pending: set[object] = set()  # one for each step of an act that is still to come
        self.zero: float | None = None  # t = 0 on the wire's clock
        self.failure: BaseException | None = None
        self.ended = "it was left"
        self.over_at: float | None = None  # since when the run is over (s on the wire's clock)
        self.next_sample = 0.0  # s on the wire's clock
        self.quiet = not any(handlers.values()) and not any(
            isinstance(act, Send) for act in experiment.acts
        )
        self.trace: Trace

    def _end(self, name: str) -> End:
        logger = self.recorder.logger(name) if self.record else SILENT

        def observe(what: str, **data: Any) -> None:
            if what == "state":
                self._state_changed(name, data["state"])
            elif what == "opened" and name == "server":
                self._open()
            self.recorder.note(name, "app", what, **data)

        context = self.tls.contexts[name] if self.tls else None
        end = make_end(
            self.implementation,
            name,
            self.experiment,
            logger,
            observe,
            self.handlers[name],
            context,
        )
        end.watched = not self.record
        return end

    # what a user of a session asks

    def __enter__(self) -> Session:
        try:
            self.wire.open()
            self.wire.tap = self.recorder if self.record else self.tally
            self.wire.tell = partial(self.recorder.note, "wire", "wire")
            for end in ENDS:
                self.wire.loops[end].tell = partial(self.recorder.note, end, "app")
            if self.tls and self.record:
                self.tls.log_keys()
            self.wire.start("server", guarded(self, self.ends["server"].serve))
            self.wire.start("client", guarded(self, self.ends["client"].connect))
            self.wire.wait(
                lambda: self._failed() or self.zero is not None or self.ends["client"].ended,
                self.wire.now() + OPENING,
            )
            if self.failure:
                raise self.failure
        except BaseException:
            self._close()
            raise
        return self

    @property
    def now(self) -> float:
        """Seconds since the server was OPEN."""
        return float(self.wire.now() - (self.zero or 0.0))

    def state(self, end: str) -> str:
        """The state of an end, now."""
        return self.states[end]

    def so_far(self) -> Trace:
        """The trace of what has happened until now, for a look at a run that goes on; from any one thread."""
        header = {
            "wire": self.wire.name,
            "clock": self.wire.clock,
            "end": max(0.0, self.now),
            "ended": "it goes on",
        }
        return Trace(self._as_run(), self.recorder.so_far(self.zero or 0.0), header)

    def wait(self, seconds: float | None = None, tick: Callable[[], None] | None = None) -> None:
        """Wait until the run ends by itself, or for so many seconds of its own time; ``tick`` is called now and then."""
        if self.zero is None:
            self.ended = "the server was never OPEN"
            return
        limit = self.experiment.limit
        end_of_run = round(
            self.zero + (self.experiment.last_act + HORIZON if limit is None else limit), 9
        )
        horizon = (
            end_of_run if seconds is None else min(end_of_run, round(self.wire.now() + seconds, 9))
        )

        def over() -> bool:
            self._sample()
            if tick:
                tick()
            return self._failed() or self._is_over()

        alive = self.wire.wait(over, horizon)
        if self.failure:
            raise self.failure
        self.ended = self._over() or (
            self._stuck()
            if not alive
            else "its time was up"
            if horizon == end_of_run
            else "it was left"
        )

    def do(self, act: Act) -> Act:
        """Let an act happen: now if it has no time of its own.

        Returns the act with its time, for :meth:`finish`. Raises ValueError if the experiment
        cannot have it, as when it goes on after ``until``.
        """
        at = round(max(0.0, self.now), 6) if act.at is None else act.at
        act = dataclasses.replace(act, at=at)  # one of its own
        self.experiment.but(faults=[*self.acts, act])
        self.acts.append(act)
        self.quiet = self.quiet and not isinstance(act, Send)
        self._schedule((act,))
        return act

    def finish(self, act: Act) -> Act:
        """End an act now: heal a cut, resume reading. Returns the act with the time of its end.

        It is the very act that :meth:`do` returned, or one of the experiment's own; raises
        ValueError if that does not go on.
        """
        place = next((number for number, other in enumerate(self.acts) if other is act), None)
        if place is None or act.finish is None or act.over is not None and act.over <= self.now:
            expected = "an act that lasts, as do() has returned it"
            raise ValueError(f"{act!r} does not go on here: expected {expected}")
        self.acts[place] = done = dataclasses.replace(act, **{act.finish: round(self.now, 6)})
        self._step_at(self.wire.now(), act, "end", done)
        return done

    # how it goes

    def _open(self) -> None:
        """The server is OPEN: this is t = 0, and everything that happens counts from here."""
        if self.zero is None:
            self.zero = self.wire.now()
            self._schedule(self.experiment.acts)

    def _schedule(self, acts: tuple[Act, ...]) -> None:
        assert self.zero is not None
        for when, step, act in order(acts):
            self._step_at(self.zero + when, act, step)

    def _step_at(self, when: float, act: Act, step: str, done: Act | None = None) -> None:
        """Let a step happen at ``when`` (s on the wire's clock): in another thread than this."""
        ticket = object()

        def happen() -> None:
            self._step(act, step, done)
            self.pending.discard(ticket)

        self.pending.add(ticket)
        self.wire.at(when, happen)

    def _step(self, act: Act, step: str, done: Act | None = None) -> None:
        """One step of an act; ``done`` is the act as it was finished, before its time."""
        if step == "begin":
            self.going.append(act)
        elif any(other is act for other in self.going):
            self.going = [other for other in self.going if other is not act]
        else:
            return  # it has been finished
        where = "wire" if isinstance(act, Fault) else act.end  # type: ignore[attr-defined]
        witness = "wire" if where == "wire" else "app"
        self.recorder.note(where, witness, "act", step=step, **act_to_data(done or act))
        if where == "wire":
            self.wire.do(act, step)
        elif isinstance(act, Freeze):
            self.wire.freeze(where) if step == "begin" else self.wire.thaw(where)
        else:
            self.wire.call(where, self.ends[where].do, act, step)

    def _state_changed(self, end: str, state: str) -> None:
        self.states[end] = state
        if end == "server" and state == "OPEN":
            self._open()

    def _is_over(self) -> bool:
        """Whether the run is over; from then on nothing is part of the trace."""
        if not self._over():
            self.over_at = None
        elif self.over_at is None:
            self._settle()
            self.over_at = self.wire.now() if self._over() else None
        return self.over_at is not None

    def _settle(self) -> None:
        """Let everything happen that follows at once from what has happened, until nothing more is noted."""
        for _ in range(SETTLED):
            before = self.recorder.seen()
            self.wire.settle()
            if self.recorder.seen() == before:
                return

    def _over(self) -> str | None:
        """Why the run is over, or None if it is not.

        On every wire a run ends when both ends have ended; or when every end with keepalive has ended, no
        act is pending and nothing is on its way; or at ``until``; or, in virtual time, when nothing can
        happen any more. What a survivor does later is no part of it.
        """
        ended = [name for name in ENDS if self.ends[name].ended]
        if len(ended) == len(ENDS):
            return "both ends have ended"
        if not ended:
            return None
        keepers = [name for name in ENDS if self.experiment.peer(name).keepalive]
        if keepers != ended or self.pending or self.wire.travelling():
            return None
        return f"the {' and the '.join(keepers)} {'has' if len(keepers) == 1 else 'have'} ended, and nobody else has keepalive"

    def _stuck(self) -> str:
        """Nothing can happen any more: who waits for what."""
        return "nothing can happen any more: " + "; ".join(
            sentence(name, loop) for name, loop in self.wire.loops.items()
        )

    def _sample(self) -> None:
        if self.record and not self.quiet and self.wire.now() >= self.next_sample:
            self.next_sample = self.wire.now() + self.wire.pace
            for name, end in self.ends.items():
                self.wire.sample(name, partial(self._note_waiting, name, end))

    def _note_waiting(self, name: str, end: End) -> None:
        """The bytes in an end's write buffer; and while there are any, in which await its tasks are."""
        count, awaited = end.waiting(), self.recorder.awaited
        self.recorder.waiting(name, count)
        if count or awaited.get(name):
            self.recorder.awaiting(name, chains(self.wire.loops[name]))
        if not count:
            awaited.pop(name, None)

    def _failed(self) -> bool:
        return self.failure is not None

    # how it ends

    @uninterrupted
    def __exit__(self, *exc: object) -> None:
        try:
            if self.over_at is None:
                self.wire.settle()
            self.recorder.on = False  # teardown is not recorded
        finally:
            end = max(0.0, (self.over_at or self.wire.now()) - (self.zero or 0.0))
            try:
                self._close()
            finally:  # an interrupt, perhaps
                self._let_go()
                events = [
                    event for event in self.recorder.events(self.zero or 0.0) if event.t <= end
                ]
                self.trace = Trace(self._as_run(), events, self._header(end))

    def _let_go(self) -> None:
        """A lost connection is a cycle of references that waits for the garbage collector: it shall not keep the session and its trace."""
        self.recorder.on_state = _deaf
        for end in self.ends.values():
            end.observe = _deaf

    def _as_run(self) -> Experiment:
        """The experiment with everything that was done to it: it can be run again."""
        return (
            self.experiment
            if tuple(self.acts) == self.experiment.faults
            else self.experiment.but(faults=self.acts)
        )

    def _header(self, end: float) -> dict[str, Any]:
        import websockets

        busy = [str(one) for one in self.wire.busy]
        header: dict[str, Any] = {
            "wire": self.wire.name,
            "clock": self.wire.clock,
            "end": round(end, 9),
            "ended": "; ".join([self.ended, *busy]),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "versions": {
                "websockets": websockets.version.version,
                "python": platform.python_version(),
            },
            "implementation": self.implementation,
        }
        if not self.record and not self.tls:  # of what is encrypted, headers can't be read
            header["counted"] = self.tally.counts()
        if self.recorder.unread:
            header["witnesses"] = (
                f"the log is the only witness of the frames: {self.recorder.unread}"
            )
        if busy:
            header["busy"] = busy
        sources = {end: _source(handler) for end, handler in self.handlers.items() if handler}
        return {**header, "sources": sources} if sources else header

    @uninterrupted
    def _close(self) -> None:
        try:
            self.wire.close({name: end.abort for name, end in self.ends.items()})
        finally:
            if self.tls:
                self.recorder.keys = self.tls.close()


def guarded(session: Any, program: Program) -> Program:
    """The program of an end, but what it raises becomes the ``failure`` of the session that waits for it."""

    async def guarded(sock: Any) -> None:
        try:
            await program(sock)
        except Exception as problem:
            session.failure = problem

    return guarded


def _deaf(*_: Any, **__: Any) -> None:
    """Nobody listens any more."""


def _source(handler: Handler) -> str:
    try:
        return inspect.getsource(handler)
    except (OSError, TypeError):
        return repr(handler)
