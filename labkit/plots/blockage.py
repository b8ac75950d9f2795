"""Which await each task of an end is in, what waits in its write buffer, what theory promised.

A promise is what ``predict`` says of the same experiment without its traffic: when the end notices,
and when it is closed. It is kept if the fact is there by then. Nothing is drawn here.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from ..theory import predict
from ..trace import Event, Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS, Cut, Goodbye, Send
from .reading import Reading

TASKS = {  # the tasks of labkit's own applications, as a reader knows them
    "keepalive": "keepalive",
    "send": "send()",
    "own": "handler",
    "say_goodbye": "close()",
}
ASLEEP = ("sleep",)
LATE = 0.06  # s by which a real clock may be late, and a promise is still kept


@dataclass(frozen=True)
class Await:
    """A stretch of time (s) in which a task is in one await; ``chain``: its calls, outermost first.

    ``drain`` is the call that waits for the write buffer ("drain", in older versions "_drain");
    ``call`` the method of the connection that was called. Both are empty if there is none: a CLOSE
    of keepalive's own is sent without a call.
    """

    task: str
    begin: float
    stop: float
    chain: tuple[str, ...]

    @property
    def drain(self) -> str:
        return next((name for name in self.chain if "drain" in name), "")

    @property
    def call(self) -> str:
        calls = ("ping", "pong", "send", "close")
        return next((name for name in reversed(self.chain) if name in calls), "")


@dataclass(frozen=True)
class Promise:
    """Something that was due at ``t`` (s): "notice" or "close"."""

    t: float
    what: str


@dataclass
class Blockage:
    """A trace, and the ``end`` of it whose write buffer it is about."""

    trace: Trace
    end: str

    @cached_property
    def reading(self) -> Reading:
        """The story; if it has no end, with room on its axis for the words about it."""
        begun = max((event.t for event in self._events), default=0.0)
        due = max((one.t for one in self.broken), default=0.0)
        return Reading(self.trace, reach=max(1.9 * begun, 1.2 * due) if self.is_still else 0.0)

    @cached_property
    def is_still(self) -> bool:
        """Whether nothing can happen any more: what was so at the end is so for ever."""
        return self.trace.over == "stuck"

    @property
    def slack(self) -> float:
        """By how much (s) this trace's clock may be late."""
        return 1e-6 if self.trace.header.get("clock") == "virtual" else LATE

    @cached_property
    def closed(self) -> float | None:
        return self.trace.closed_at(self.end)

    def at(self, t: float) -> str:
        """A moment, or a length: "12.5 s"."""
        return f"{self.reading.neat(t)} s"

    # bytes

    @cached_property
    def waiting(self) -> list[tuple[float, int]]:
        """(s, bytes in the write buffer from then on), from 0 s on."""
        return [(0.0, 0), *self.trace.waiting(self.end)]

    @property
    def limit(self) -> int:
        """Bytes above which drain() waits."""
        return self.trace.experiment.peer(self.end).write_limit

    @property
    def low(self) -> int:
        """Bytes at which a drain() that waits goes on: asyncio's low-water mark, a quarter."""
        return self.limit // 4

    @cached_property
    def waits_under_limit(self) -> bool:
        """Whether a task went on waiting while the buffer was under its limit again."""
        under = [t for t, count in self.waiting if count <= self.limit]
        shown = self.reading.tolerance
        return any(one.begin < t < one.stop - shown for one in self.blocked for t in under)

    def _bytes(self, t: float) -> int:
        return self.waiting[max(0, bisect_right(self.waiting, (t, math.inf)) - 1)][1]

    @cached_property
    def behind(self) -> list[tuple[float, str, int]]:
        """(s, opcode, bytes before it) of each PING and CLOSE written while bytes were waiting."""
        logged = self.trace.select("sent", self.end, "log")
        sent = [(e.t, e.data["opcode"], self._bytes(e.t - 2e-9)) for e in logged]
        sent = [one for one in sent if one[1] in ("PING", "CLOSE")]
        return [one for one in sent if one[2] and self._bytes(one[0] + self.slack)]

    # awaits

    @cached_property
    def rows(self) -> dict[str, list[Await]]:
        """The awaits by task: the application's own first, and whoever was blocked, keepalive."""
        found = {}
        for task in dict.fromkeys(event.data["task"] for event in self._events):
            awaits = list(self._awaits(task))
            if task.split()[0] in TASKS or any(one.drain for one in awaits):
                found[task] = awaits
        return dict(sorted(found.items(), key=lambda row: row[0] == "keepalive"))

    @cached_property
    def _events(self) -> list[Event]:
        return self.trace.select("awaiting", self.end)

    def _awaits(self, task: str) -> Iterator[Await]:
        seen = [(e.t, tuple(e.data["chain"])) for e in self._events if e.data["task"] == task]
        if seen[0][0] <= self._events[0].t + self.slack:
            seen.insert(0, (0.0, ASLEEP))  # nobody looks before bytes wait, and nobody is blocked
        alike = [(t, ASLEEP if chain[-1:] == ASLEEP else chain) for t, chain in seen]
        rows = [next(same) for _, same in groupby(alike, key=lambda row: row[1])]
        last = self.reading.horizon if self.closed is None else max(self.closed, rows[-1][0])
        for (begin, chain), stop in zip(rows, [*(t for t, _ in rows[1:]), last]):
            if chain and stop > begin:
                yield Await(task, begin, stop, chain)

    @cached_property
    def blocked(self) -> list[Await]:
        """Every stretch in which a task waits for the write buffer, in time."""
        rows = [one for awaits in self.rows.values() for one in awaits if one.drain]
        return sorted(rows, key=lambda one: one.begin)

    # theory

    @cached_property
    def broken(self) -> list[Promise]:
        """The promises of theory that were not kept; a later one cannot be held against a run."""
        end = math.inf if self.is_still else self.trace.end
        promises = {one for one in self._promised() if one.t <= end and not self._kept(one)}
        return sorted(promises, key=lambda one: one.t)

    def _kept(self, promise: Promise) -> bool:
        fact = self.trace.noticed_at(self.end) if promise.what == "notice" else self.closed
        return fact is not None and fact <= promise.t + self.slack

    def _promised(self) -> Iterator[Promise]:
        """What theory says of keepalive, and of a CLOSE sent when this end sent its own."""
        yield from _promises(quiet(self.trace.experiment), self.end)
        noticed = self.trace.noticed_at(self.end)
        if noticed is not None:
            yield from _promises(goodbye(self.trace.experiment, self.end, noticed), self.end)


def _promises(experiment: Experiment, end: str) -> Iterator[Promise]:
    story = predict(experiment)
    for what, t in (("notice", story.noticed_at(end)), ("close", story.closed_at(end))):
        if t is not None and math.isfinite(t):
            yield Promise(round(t, 6), what)


def quiet(experiment: Experiment) -> Experiment:
    """The experiment without its traffic and goodbyes: what its keepalive ought to do."""
    acts = [act for act in experiment.faults if not isinstance(act, (Send, Goodbye))]
    return _peers(experiment.but(faults=acts, until=None), send_every=None, close_at=None)


def goodbye(experiment: Experiment, end: str, at: float) -> Experiment:
    """Its cuts alone, and ``end`` says goodbye at ``at`` (s): what close_timeout ought to do."""
    cuts = [act for act in experiment.faults if isinstance(act, Cut)]
    still = _peers(quiet(experiment), ping_interval=None)
    return still.but(faults=[*cuts, Goodbye(at=round(at, 6), end=end)])


def _peers(experiment: Experiment, **changes: Any) -> Experiment:
    """The experiment with both peers changed."""
    peers = {end: dataclasses.replace(experiment.peer(end), **changes) for end in ENDS}
    return experiment.but(**peers)
