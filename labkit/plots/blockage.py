"""Which await each task of an end is in, what waits in its write buffer, what theory promised.

A promise is what ``predict`` says of the same experiment without its traffic: when the end notices,
and when it is closed. It is kept if the fact is there by then. Nothing is drawn here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from ..theory import predict
from ..trace import Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS, Cut, Goodbye, Send
from .levels import value
from .reading import Reading

TASKS = {  # the tasks of labkit's own programs, as a reader knows them
    "keepalive": "keepalive",
    "send": "send()",
    "own": "handler",
    "say_goodbye": "close()",
}
ASLEEP = ("sleep",)


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


class Blockage:
    """A trace, and the ``end`` of it whose write buffer it is about."""

    def __init__(self, trace: Trace, end: str) -> None:
        self.trace, self.end, self.closed = trace, end, trace.closed_at(end)
        self.waiting = [(0.0, 0), *trace.waiting(end)]  # (s, bytes in the buffer from then on)
        self.limit = trace.experiment.peer(end).write_limit  # bytes above which drain() waits
        self.low = self.limit // 4  # at which it goes on: asyncio's low-water mark
        self.is_still = trace.over == "stuck"  # what was so at the end is so for ever
        self._events = trace.select("awaiting", end)

    @cached_property
    def reading(self) -> Reading:
        """The story; if it has no end, with room on its axis for the words about it."""
        begun = max((event.t for event in self._events), default=0.0)
        due = max((t for t, _ in self.broken), default=0.0)
        return Reading(self.trace, reach=max(1.9 * begun, 1.2 * due) if self.is_still else 0.0)

    def at(self, t: float) -> str:
        """A moment, or a length: "12.5 s"."""
        return f"{self.reading.neat(t)} s"

    # bytes

    @cached_property
    def waits_under_limit(self) -> bool:
        """Whether a task went on waiting while the buffer was under its limit again."""
        under = [t for t, count in self.waiting if count <= self.limit]
        shown = self.reading.tolerance
        return any(one.begin < t < one.stop - shown for one in self.blocked for t in under)

    @cached_property
    def behind(self) -> list[tuple[float, str, int]]:
        """(s, opcode, bytes before it) of each PING and CLOSE written while bytes were waiting."""
        logged = self.trace.select("sent", self.end, "log")
        sent = [(e.t, e.data["opcode"], value(self.waiting, e.t - 3e-9)) for e in logged]
        late = self.trace.slack
        return [
            (t, opcode, count)
            for t, opcode, count in sent
            if opcode in ("PING", "CLOSE") and count and value(self.waiting, t + late)
        ]

    # awaits

    @cached_property
    def rows(self) -> dict[str, list[Await]]:
        """The awaits by task: the program's own first, and whoever was blocked, keepalive."""
        tasks = dict.fromkeys(event.data["task"] for event in self._events)
        found = {task: list(self._awaits(task)) for task in tasks}
        rows = [
            (task, awaits)
            for task, awaits in found.items()
            if task.split()[0] in TASKS or any(one.drain for one in awaits)
        ]
        return dict(sorted(rows, key=lambda row: row[0] == "keepalive"))

    def _awaits(self, task: str) -> Iterator[Await]:
        seen = [(e.t, tuple(e.data["chain"])) for e in self._events if e.data["task"] == task]
        if seen[0][0] <= self._events[0].t + self.trace.slack:
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
    def broken(self) -> list[tuple[float, str]]:
        """The promises of theory that were not kept: (s, "notice" or "close").

        One that is due after the run cannot be held against it.
        """
        noticed, it = self.trace.noticed_at(self.end), self.trace.experiment
        stories = [quiet(it)]
        if noticed is not None:
            stories.append(goodbye(it, self.end, noticed))
        last = math.inf if self.is_still else self.trace.end
        found = set()
        for story in map(predict, stories):
            dues = story.noticed_at(self.end), story.closed_at(self.end)
            for what, due, fact in zip(("notice", "close"), dues, (noticed, self.closed)):
                if due is None or not math.isfinite(due) or due > last:
                    continue
                if fact is None or fact > due + self.trace.slack:
                    found.add((round(due, 6), what))
        return sorted(found)


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
