"""What of a trace the blocked figure shows: in which await each task is, what waits in the write buffer, what theory promised. Pure.

promised    by predict, of the same experiment without its traffic: when an end notices, and when it is closed
kept        the fact is there by then; a promise that is not kept is what the figure is about
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..theory import predict
from ..trace import Event, Trace
from ..values.experiment import Experiment
from ..values.faults import Cut, Goodbye, Send
from .tale import Tale

TASKS = {
    "keepalive": "keepalive",
    "send": "send()",
    "own": "handler",
    "say_goodbye": "close()",
}  # labkit's own applications
ASLEEP = ("sleep",)
LATE = 0.06  # s by which a real clock may be late, and a promise is still kept


@dataclass(frozen=True)
class Await:
    """A stretch of time (s) in which a task is in one await; ``chain`` holds the calls, outermost first."""

    task: str
    begin: float
    stop: float
    chain: tuple[str, ...] = ()

    @property
    def is_blocked(self) -> bool:
        """Whether it waits for the write buffer."""
        return bool(self.drain)

    @property
    def drain(self) -> str:
        """The call that waits for the write buffer: "drain", in older versions "_drain"; empty if none does."""
        return next((name for name in self.chain if "drain" in name), "")

    @property
    def call(self) -> str:
        """The call of websockets' that the task made: "ping", "send", "close"; empty if it is keepalive's own CLOSE, or none."""
        return next(
            (name for name in reversed(self.chain) if name in ("ping", "pong", "send", "close")), ""
        )


@dataclass(frozen=True)
class Promise:
    """Something that was due at ``t`` (s) and had not happened by then."""

    t: float
    what: str  # notice, close


@dataclass
class Blockage:
    """A trace, and the ``end`` of it whose write buffer it is about."""

    trace: Trace
    end: str

    @cached_property
    def tale(self) -> Tale:
        """The story, with an axis that has room for what was promised."""
        tale = Tale(self.trace)
        tale.horizon = self.last
        return tale

    @cached_property
    def is_still(self) -> bool:
        """Whether nothing can happen any more: what was so at the end is so for ever."""
        return self.trace.over == "stuck"

    @cached_property
    def last(self) -> float:
        """Where the axis ends (s)."""
        if not self.is_still:
            return max(
                1e-3,
                (1.06 if self.closed is not None and self.closed > 0.95 * self.trace.end else 1.0)
                * self.trace.end,
            )
        begun = max((e.t for e in self._events), default=0.0)
        due = max((one.t for one in self.broken), default=0.0)
        return max(
            1e-3, 1.08 * self.trace.end, 1.2 * due, 1.9 * begun
        )  # so that what is so for ever has room for its words

    @property
    def slack(self) -> float:
        """By how much (s) this trace's clock may be late."""
        return 0.0 if self.trace.header.get("clock") == "virtual" else LATE

    @cached_property
    def closed(self) -> float | None:
        return self.trace.closed_at(self.end)

    # bytes

    @cached_property
    def waiting(self) -> list[tuple[float, int]]:
        """(s, bytes in the write buffer), from 0 to the end of the axis."""
        rows = [(0.0, 0), *self.trace.waiting(self.end)]
        return [*rows, (self.last, rows[-1][1])]

    @property
    def limit(self) -> int:
        """Bytes above which drain() waits."""
        return self.trace.experiment.peer(self.end).write_limit

    def before(self, t: float) -> int:
        """Bytes in the write buffer just before ``t`` (s)."""
        return self.waiting[max(0, bisect_left(self._times, t - 1e-9) - 1)][1]

    def at(self, t: float) -> int:
        """Bytes in the write buffer from ``t`` (s) on."""
        return self.waiting[bisect_right(self._times, t + 1e-9) - 1][1]

    @cached_property
    def _times(self) -> list[float]:
        return [t for t, _ in self.waiting]

    @cached_property
    def behind(self) -> list[tuple[float, str, int]]:
        """The pings and CLOSEs that the library wrote while bytes were waiting: (s, opcode, how many bytes are before it)."""
        logged = self.trace.select("sent", self.end, "log")
        rows = [
            (e.t, str(e.data["opcode"]), self.before(e.t))
            for e in logged
            if e.data.get("opcode") in ("PING", "CLOSE")
        ]
        return [row for row in rows if row[2] and self.at(row[0] + self.slack)]

    # awaits

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks to show: keepalive, the application's calls, and whoever was ever blocked."""
        blocked = {
            e.data["task"]
            for e in self._events
            if Await("", 0, 0, tuple(e.data["chain"])).is_blocked
        }
        seen = list(dict.fromkeys(e.data["task"] for e in self._events))
        shown = [task for task in seen if task in blocked or task.split()[0] in TASKS]
        return sorted(shown, key=lambda task: task == "keepalive")  # the application's own first

    @cached_property
    def _events(self) -> list[Event]:
        return self.trace.select("awaiting", self.end)

    def awaits(self, task: str) -> list[Await]:
        """In which await a task is, from when to when; before bytes wait nobody looks, and it is taken to sleep: it cannot be blocked."""
        rows = [(e.t, _brief(e.data["chain"])) for e in self._events if e.data["task"] == task]
        if rows[0][0] <= self._events[0].t + self.slack:
            rows.insert(0, (0.0, ASLEEP))
        rows = [
            row for before, row in zip([None, *rows], rows) if before is None or row[1] != before[1]
        ]
        stops = [t for t, _ in rows[1:]] + [
            self.last if self.closed is None else max(self.closed, rows[-1][0])
        ]
        return [
            Await(task, t, stop, chain)
            for (t, chain), stop in zip(rows, stops)
            if chain and stop > t
        ]

    @cached_property
    def blocked(self) -> list[Await]:
        """Every stretch in which a task waits for the write buffer, in time."""
        return sorted(
            (one for task in self.tasks for one in self.awaits(task) if one.is_blocked),
            key=lambda one: one.begin,
        )

    # theory

    @cached_property
    def broken(self) -> list[Promise]:
        """The promises of theory that were not kept."""
        end = math.inf if self.is_still else self.trace.end
        late = [one for one in self._promised() if one.t <= end and not self._kept(one)]
        return sorted(set(late), key=lambda one: one.t)

    def _kept(self, promise: Promise) -> bool:
        fact = self.trace.noticed_at(self.end) if promise.what == "notice" else self.closed
        return fact is not None and fact <= promise.t + self.slack + 1e-6

    def _promised(self) -> Iterator[Promise]:
        """What theory says of the same cut without traffic: of keepalive, and of a CLOSE sent when this end sent its own."""
        yield from _of(quiet(self.trace.experiment), self.end)
        noticed = self.trace.noticed_at(self.end)
        if noticed is not None:
            yield from _of(goodbye(self.trace.experiment, self.end, noticed), self.end)


def _brief(chain: list[str]) -> tuple[str, ...]:
    """A chain, in which all sleep is alike."""
    return ASLEEP if chain and chain[-1] == "sleep" else tuple(chain)


def _of(experiment: Experiment, end: str) -> Iterator[Promise]:
    story = predict(experiment)
    for what, t in (("notice", story.noticed_at(end)), ("close", story.closed_at(end))):
        if t is not None and math.isfinite(t):
            yield Promise(round(t, 6), what)


def quiet(experiment: Experiment) -> Experiment:
    """The same experiment without its traffic and goodbyes: what its keepalive ought to do."""
    silent = {
        end: dataclasses.replace(experiment.peer(end), send_every=None, close_at=None)
        for end in ("server", "client")
    }
    return experiment.but(
        **silent,
        faults=[act for act in experiment.faults if not isinstance(act, (Send, Goodbye))],
        until=None,
    )


def goodbye(experiment: Experiment, end: str, at: float) -> Experiment:
    """The same cuts without traffic and keepalive, and ``end`` says goodbye at ``at`` (s): what its close_timeout ought to do."""
    still = quiet(experiment)
    peers = {
        name: dataclasses.replace(still.peer(name), ping_interval=None)
        for name in ("server", "client")
    }
    cuts = [act for act in still.faults if isinstance(act, Cut)]
    return still.but(**peers, faults=[*cuts, Goodbye(at=round(at, 6), end=end)])
