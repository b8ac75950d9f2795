"""What figures ask of a story: frames, moments, whose story it is, its axis. It draws nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..trace import Frame, Raised, Story
from ..trace.story import REAL
from ..values.experiment import Experiment, Peer
from ..values.faults import ENDS, Cut, Goodbye
from .axis import nice, short
from .wire import Crossing

NEVER = math.inf
LEAST = 1e-3  # s; an axis is this long at least
UNKNOWN = Experiment(server=Peer(ping_interval=None), client=Peer(ping_interval=None))


@dataclass(frozen=True)
class Moment:
    """Something that happened to an end: ``words`` at ``t`` (s)."""

    t: float
    end: str
    words: str  # noticed, said goodbye, got the CLOSE, closed, told


@dataclass
class Reading:
    """A story seen up to ``until`` (s; None: all of it), asked only what a figure wants to know."""

    story: Story
    until: float | None = None
    reach: float = 0.0  # s; something else that wants to be on the axis, such as a guess
    begin = 0.0  # s; where the axis begins

    # who tells, and how much

    @property
    def header(self) -> Mapping[str, Any]:
        return self.story.header

    @cached_property
    def experiment(self) -> Experiment:
        """What was run; if nobody knows, ends without keepalive and no faults."""
        return getattr(self.story, "experiment", UNKNOWN)

    @property
    def peer(self) -> Peer:
        """The subject's settings."""
        return self.experiment.peer(self.subject)

    @cached_property
    def is_theory(self) -> bool:
        """Whether this is a prediction rather than something seen."""
        return any(event.witness == "theory" for event in self.story.events[:50])

    @cached_property
    def unknown(self) -> str | None:
        return getattr(self.story, "unknown", None)

    @property
    def is_asked(self) -> bool:
        """Whether the story stops at a question: the rest is not told yet."""
        return self.until is not None

    @cached_property
    def stop(self) -> float:
        """When the telling stops (s)."""
        return self.story.end if self.until is None else self.until

    # the wire

    @cached_property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts that have begun; a heal later than ``until`` is known: it was planned."""
        began = (cut for cut in self.experiment.cuts if cut.at is not None)
        return tuple(cut for cut in began if cut.start <= self.stop + 1e-9)

    @staticmethod
    def heal(cut: Cut) -> float:
        """When a cut ends (s), maybe never."""
        return NEVER if cut.heal is None else cut.heal

    @cached_property
    def silences(self) -> dict[str, list[tuple[float, float]]]:
        """From when to when (s) a cut silences the direction to an end."""
        return {
            end: [(cut.start, self.heal(cut)) for cut in self.cuts if cut.meets(f"to_{end}")]
            for end in ENDS
        }

    def is_cut(self, end: str, t: float) -> bool:
        """Whether the direction to an end is cut at ``t`` (s)."""
        return any(a <= t < b for a, b in self.silences[end])

    @property
    def latency(self) -> float:
        return self.experiment.latency

    @cached_property
    def frames(self) -> list[Frame]:
        """The frames sent until the telling stops."""
        return [frame for frame in self.story.frames() if frame.sent_at <= self.stop]

    @cached_property
    def crossings(self) -> list[Crossing]:
        """The frames that came through, are under way when the telling stops, or are stuck."""
        found: list[Crossing] = []
        held = dict.fromkeys(ENDS, -NEVER)
        for frame in self.frames:
            one = self.crossing(frame, held[frame.sender])
            if one.stuck:
                held[one.sender] = one.free
            if one.stuck or one.arrived_at is not None:
                found.append(one)
        return found

    def crossing(self, frame: Frame, held: float) -> Crossing:
        """A frame with its fate, if what its sender had sent before was held until ``held`` (s).

        One that is under way arrives in time.
        """
        stuck, arrived = not self.is_asked and self._waited(frame, held), frame.arrived_at
        if arrived is None and not stuck and self.latency:
            arrived = frame.sent_at + self.latency
        return Crossing(**{**vars(frame), "arrived_at": arrived}, stuck=stuck)

    def _waited(self, frame: Frame, held: float) -> bool:
        """Whether a frame waited in a cut or behind one that did, or never came out of the wire."""
        sent, arrived, silences = frame.sent_at, frame.arrived_at, self.silences[frame.receiver]
        if arrived is None:
            return self.is_cut(frame.receiver, sent) or self.stop - sent > self.latency + 1e-6
        if arrived - sent <= self.latency + REAL:
            return False
        return sent < held or any(a <= arrived and sent < b <= arrived + 1e-6 for a, b in silences)

    @cached_property
    def stuck(self) -> list[Crossing]:
        return [one for one in self.crossings if one.stuck]

    @cached_property
    def through(self) -> list[Crossing]:
        return [one for one in self.crossings if not one.stuck]

    @cached_property
    def close(self) -> Crossing | None:
        """The first CLOSE; the other is its answer, or crosses it."""
        return next((one for one in self.crossings if one.opcode == "CLOSE"), None)

    # who, and when

    @cached_property
    def states(self) -> dict[str, list[tuple[float, str]]]:
        """What each end is from when on (s), as in Story.states."""
        return {end: self.story.states(end) for end in ENDS}

    @cached_property
    def raised(self) -> dict[str, list[Raised]]:
        """The exceptions that each program met."""
        found = self.story.raised()
        return {end: [one for one in found if one.end == end] for end in ENDS}

    @cached_property
    def _moments(self) -> dict[str, tuple[float | None, ...]]:
        asks = self.story.noticed_at, self.story.closed_at, self.story.told_at
        return {end: tuple(self._seen(ask(end)) for ask in asks) for end in ENDS}

    def _seen(self, t: float | None) -> float | None:
        """A moment, unless it is unknown or later than the telling."""
        late = t is not None and self.until is not None and t > self.until
        return None if t is None or math.isnan(t) or late else t

    def noticed(self, end: str) -> float | None:
        return self._moments[end][0]

    def closed(self, end: str) -> float | None:
        return self._moments[end][1]

    def told(self, end: str) -> float | None:
        return self._moments[end][2]

    @cached_property
    def subject(self) -> str:
        """The end whose story this is: the first that left OPEN, or else the server, unless only
        the client has keepalive."""
        left = [(t, end) for end in ENDS if (t := self.noticed(end)) is not None]
        if left:
            first = min(t for t, _ in left)
            near = [end for t, end in left if t - first <= self.tolerance]
            return min(
                near, key=lambda end: (self.why_left(end) == "got the CLOSE", end != "server")
            )
        it = self.experiment
        return "client" if it.client.keepalive and not it.server.keepalive else "server"

    def why_left(self, end: str) -> str:
        """How an end left OPEN, in a verb: "said goodbye", "got the CLOSE", or else "noticed"."""
        t, close = self.noticed(end), self.close
        if t is None:
            return "noticed"
        if any(abs(when - t) <= REAL for when in self.goodbyes(end)):
            return "said goodbye"
        if close is None or close.receiver != end or close.arrived_at is None:
            return "noticed"
        return "got the CLOSE" if abs(close.arrived_at - t) <= REAL else "noticed"

    def goodbyes(self, end: str) -> list[float]:
        """When the program at ``end`` calls close() (s)."""
        acts = (act for act in self.experiment.acts if isinstance(act, Goodbye))
        return [act.start for act in acts if act.end == end]

    @cached_property
    def moments(self) -> list[Moment]:
        """What happened to both ends, in time."""
        found = []
        for end in ENDS:
            words = (self.why_left(end), "closed", "told")
            found += [Moment(t, end, w) for t, w in zip(self._moments[end], words) if t is not None]
        return sorted(found, key=lambda one: (one.t, one.end != self.subject))

    # the axis

    @cached_property
    def tolerance(self) -> float:
        """Times nearer than this (s) are the same on the picture."""
        return 0.004 * max(self.stop, 1e-6)

    def same(self, a: float | None, b: float | None) -> bool:
        """Whether two moments (s) are one to a reader; a real clock is a little late."""
        return a is not None and b is not None and abs(a - b) <= self.story.slack

    def shows(self, t: float | None) -> bool:
        """Whether a moment (s) is on the axis."""
        return t is not None and self.begin - 1e-9 <= t <= self.horizon + 1e-9

    @cached_property
    def horizon(self) -> float:
        """Where the axis ends (s): a little after an ended story, so that CLOSED is seen."""
        step = self._step()
        if self.until is not None:
            # nothing of the outcome: what has passed once more, or a keepalive's timers together
            it = self.experiment
            peers = [peer for peer in (it.server, it.client) if peer.keepalive]
            timers = ((p.ping_interval, p.ping_timeout, p.close_timeout) for p in peers)
            worst = max((sum(x or 0.0 for x in row) for row in timers), default=0.0)
            return max(_up(max(2 * self.stop, self.stop + worst), step), self._reach(step))
        if self.closed(self.subject) is None:
            return max(self.stop, self._reach(step), LEAST)
        return max(_up(self.stop * 1.05, step), self._reach(step), LEAST)

    def _reach(self, step: float) -> float:
        """Room for a guess, if it is not absurdly far away."""
        near = self.stop * 0.9 < self.reach < self.stop * 3 + 10
        return _up(self.reach * 1.02, step) if near else 0.0

    def _step(self) -> float:
        """A round number of seconds: the ping interval, or about a fifth of the story."""
        interval = self.peer.ping_interval
        if interval and 0.05 * self.stop <= interval <= 0.5 * self.stop:
            return float(interval)
        return nice(self.stop / 5)

    @cached_property
    def ticks(self) -> list[tuple[float, int]]:
        """(time in s, how much it matters; 0 most), for the moments at which something happens."""
        rows = [(0.0, 1), (self.horizon, 3)]
        cuts = [t for cut in self.cuts for t in (cut.at, cut.heal) if t is not None]
        rows += [(t, 0) for t in cuts if t <= self.horizon]
        rows += [(one.t, 1 if one.end == self.subject else 2) for one in self.moments]
        rows += [(f.sent_at, 2) for f in self.stuck if f.opcode in ("PING", "CLOSE")]
        rows += [(f.arrived_at, 3) for f in self.stuck if f.arrived_at is not None]
        weights = {"PING": 4, "CLOSE": 5}
        heard = [f.arrived_at for f in self.through if f.opcode == "CLOSE"]
        rows += [(t, 5) for t in heard if t is not None]
        return rows + [(f.sent_at, weights[f.opcode]) for f in self.through if f.opcode in weights]

    def neat(self, t: float) -> str:
        """A time as a tick says it: a real clock's few milliseconds of lateness are left out."""
        slack = 1e-6 if self.story.is_virtual else min(0.06, 0.015 * self.stop)
        return short(t, slack, 2 if self.horizon >= 1 else 4)

    tick = neat

    def moment(self, t: float) -> str:
        """A moment in words: "12.21 s"."""
        return f"{self.neat(t)} s"

    def seconds(self, t: float) -> str:
        """A time as the result says it: "15.0 s"."""
        text = self.neat(t)
        return f"{text if '.' in text else text + '.0'} s"


def _up(t: float, step: float) -> float:
    return math.ceil(t / step - 1e-9) * step
