"""An experiment is run on a wire and leaves a trace.

``run`` is a session waited for; a session can also be kept open, to act on it while it lives:

    with open_run(fly, wire="loopback") as session:
        session.wait(5)
        cut = session.do(Cut())  # now
        session.wait()  # until the run ends by itself
    session.trace

A session is synchronous and brings its own loops, so it works in a notebook cell, a script, a
thread, and inside a running loop. Leaving it takes down every task, socket and thread it made.
"""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import platform
from collections.abc import Callable
from functools import partial
from typing import Any

from ..ends import End, Handler, make_end
from ..ends.capabilities import VIRTUAL, refuse
from ..trace import Trace
from ..trace.story import OVER
from ..values.experiment import Experiment
from ..values.faults import ENDS, Act, Fault, Send
from ..values.faults import to_json as act_to_data
from ..wires import browser
from ..wires.awaits import chains, sentence
from ..wires.ending import uninterrupted
from .engine import SILENT, Engine, needs_handshake
from .recorder import Recorder
from .tap import Tally


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


class Session(Engine):
    """A run that is going on: wait for it, act on it, ask it; left, its ``trace`` stands."""

    trace: Trace

    def __init__(
        self,
        experiment: Experiment,
        wire: str,
        handlers: dict[str, Handler | None],
        record: bool,
        implementation: str = "asyncio",
    ) -> None:
        wire = browser.wire(wire)
        if experiment.tls:
            browser.refuse_tls()
        if wire == "virtual" and implementation not in VIRTUAL:
            own = f"the {implementation} implementation has a clock of its own"
            raise ValueError(f"{own}: run it on the loopback wire")
        refuse(experiment.faults, implementation)
        super().__init__(experiment, wire)
        self.implementation, self.handlers, self.record = implementation, handlers, record
        self.tls = None
        if experiment.tls:
            from .tls import Tls  # loads ssl, which only runs with TLS need

            self.tls = Tls()
        self.recorder = Recorder(self.wire.now, self._state_changed)
        self.tally = Tally()  # of an unrecorded run
        self.ends = {end: self._end(end) for end in ENDS}
        self.states = dict.fromkeys(ENDS, "CONNECTING")
        self.acts = list(experiment.faults)
        self.handshake = True
        self.next_sample = 0.0  # s on the wire's clock
        self.waits = ""  # who waits for what, if nothing can happen any more
        self.sends = any(handlers.values()) or any(isinstance(act, Send) for act in self.planned)

    def _end(self, name: str) -> End:
        logger = self.recorder.logger(name) if self.record else SILENT
        context = self.tls.contexts[name] if self.tls else None
        observe = partial(self._observe, name)
        arguments = self.experiment, logger, observe, self.handlers[name], context
        end = make_end(self.implementation, name, *arguments)
        end.watched = not self.record
        return end

    # what a user of a session asks

    def skip_handshake(self) -> None:
        """Let both ends begin OPEN, if that makes no difference from t = 0 on."""
        plain = self.wire.name == "virtual" and self.implementation == "asyncio"
        if plain and not any(self.handlers.values()) and not needs_handshake(self.experiment):
            self.handshake = False
            for end in self.ends.values():
                end.handshake = False

    def __enter__(self) -> Session:
        try:
            self.wire.open()
            self.wire.tap = self.recorder if self.record else self.tally
            self.wire.tell = partial(self.recorder.note, "wire", "wire")
            self.wire.note = self.recorder.note
            for end in ENDS:
                self.wire.loops[end].tell = partial(self.recorder.note, end, "app")
            if self.tls and self.record:
                self.tls.log_keys()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def state(self, end: str) -> str:
        """The state of an end, now."""
        return self.states[end]

    def so_far(self) -> Trace:
        """The trace of what has happened until now; from any one thread."""
        self.wire.tell_open_tries()
        over = {"over": "going on", "ended": OVER["going on"]}
        header = {**self._place(), "end": max(0.0, self.now), **over}
        return Trace(self._as_run(), self.recorder.so_far(self.zero or 0.0), header)

    def do(self, act: Act) -> Act:
        """Let an act happen: now if it has no time of its own.

        Returns the act with its time, for :meth:`finish`. Raises ValueError if the experiment
        cannot have it, as when it goes on after ``until``.
        """
        at = round(max(0.0, self.now), 6) if act.at is None else act.at
        act = dataclasses.replace(act, at=at)  # one of its own
        refuse([act], self.implementation)
        self.experiment.but(faults=[*self.acts, act])
        self.acts.append(act)
        self.sends = self.sends or isinstance(act, Send)
        self.schedule((act,))
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
        self.step_at(self.wire.now(), act, "end", done)
        return done

    # the engine's ends

    async def serve(self, listener: Any) -> None:
        await self.ends["server"].serve(listener)

    async def connect(self, dial: Callable[[], Any]) -> None:
        await self.ends["client"].connect(dial)

    def living(self, end: str) -> int:
        return not self.ends[end].ended

    def perform(self, act: Any, step: str) -> None:
        self.ends[act.end].do(act, step)

    def abort(self, end: str) -> None:
        self.ends[end].abort()

    # what is seen

    def _observe(self, name: str, what: str, **data: Any) -> None:
        """What an end tells."""
        if what == "state":
            self._state_changed(name, data["state"])
        elif what == "opened" and name == "server":
            self.begin()
        self.recorder.note(name, "app", what, **data)

    def _state_changed(self, end: str, state: str) -> None:
        self.states[end] = state
        if end == "server" and state == "OPEN":
            self.begin()

    def note_step(self, act: Any, step: str) -> None:
        where, witness = ("wire", "wire") if isinstance(act, Fault) else (act.end, "app")
        self.recorder.note(where, witness, "act", step=step, **act_to_data(act))

    def seen(self) -> Any:
        return self.recorder.seen()

    def look(self) -> None:
        """Look at the write buffers, now and then, where anybody sends."""
        if self.record and self.sends and self.wire.now() >= self.next_sample:
            self.next_sample = self.wire.now() + self.wire.pace
            for name, end in self.ends.items():
                self.wire.sample(name, partial(self._note_waiting, name, end))

    def _note_waiting(self, name: str, end: End) -> None:
        self.recorder.waiting(name, end.waiting(), partial(chains, self.wire.loops[name]))

    def wait(self, seconds: float | None = None, tick: Callable[[], None] | None = None) -> None:
        super().wait(seconds, tick)
        if self.over == "stuck":
            self.waits = ": " + "; ".join(sentence(*item) for item in self.wire.loops.items())

    @property
    def ended(self) -> str:
        """Why it was over, in a sentence, and who waits for what if nothing can happen any more."""
        return super().ended + self.waits

    # how it ends

    @uninterrupted
    def __exit__(self, *exc: object) -> None:
        try:
            if self.over_at is None:
                self.wire.settle()
            if self.record:
                self.wire.tell_open_tries()
            self.recorder.on = False  # teardown is not recorded
        finally:
            zero = self.zero or 0.0
            end = max(0.0, (self.over_at or self.wire.now()) - zero)
            try:
                self.close()
            finally:  # an interrupt, perhaps
                self._let_go()
                events = [event for event in self.recorder.events(zero) if event.t <= end]
                self.trace = Trace(self._as_run(), events, self._header(end))

    @uninterrupted
    def close(self) -> None:
        try:
            super().close()
        finally:
            if self.tls:
                self.recorder.keys = self.tls.close()

    def _let_go(self) -> None:
        """Let what waits for the garbage collector, such as a lost connection, keep no trace."""
        self.recorder.on_state = _ignore
        for end in self.ends.values():
            end.observe = _ignore

    def _as_run(self) -> Experiment:
        """The experiment with everything that was done to it: it can be run again."""
        as_planned = tuple(self.acts) == self.experiment.faults
        return self.experiment if as_planned else self.experiment.but(faults=self.acts)

    def _place(self) -> dict[str, Any]:
        return {"wire": self.wire.name, "clock": self.wire.clock, **self.wire.about}

    def _header(self, end: float) -> dict[str, Any]:
        from websockets.version import version

        busy = [str(one) for one in self.wire.busy]
        header: dict[str, Any] = {
            **self._place(),
            "end": round(end, 9),
            "over": self.over,
            "ended": "; ".join([self.ended, *busy]),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "versions": {"websockets": version, "python": platform.python_version()},
            "implementation": self.implementation,
        }
        if not self.handshake:
            header["handshake"] = False
        if not self.record and not self.tls:  # of what is encrypted, headers can't be read
            header["counted"] = self.tally.counts()
        if self.recorder.unread:
            alone = "the log is the only witness of the frames"
            header["witnesses"] = f"{alone}: {self.recorder.unread}"
        if busy:
            header["busy"] = busy
        sources = {end: _source(handler) for end, handler in self.handlers.items() if handler}
        return {**header, "sources": sources} if sources else header


def _ignore(*_: Any, **__: Any) -> None:
    """Do nothing."""


def _source(handler: Handler) -> str:
    try:
        return inspect.getsource(handler)
    except (OSError, TypeError):
        return repr(handler)
