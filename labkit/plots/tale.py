"""What of a story a timeline shows: frames, moments, whose story it is, the axis. Pure: it draws nothing and runs nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..experiment import Experiment
from ..faults import ENDS, Cut
from ..trace import Frame, Story

NEVER = math.inf


@dataclass(frozen=True)
class Moment:
    """Something that happened to an end: ``words`` at ``t`` (s)."""

    t: float
    end: str
    words: str  # noticed, said goodbye, got the CLOSE, closed, told


@dataclass
class Tale:
    """A story seen up to ``until`` (s; None: all of it), asked only what a figure wants to know."""

    story: Story
    until: float | None = None
    reach: float = 0.0  # s; something else that wants to be on the axis, such as a guess

    @cached_property
    def header(self) -> dict[str, Any]:
        return getattr(self.story, "header", None) or {}

    @cached_property
    def experiment(self) -> Experiment | None:
        return getattr(self.story, "experiment", None)

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

    @cached_property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts that have begun, in time; a heal later than ``until`` is known all the same: it was planned."""
        return tuple(cut for cut in self._cuts() if cut.at is not None and cut.at <= self.stop + 1e-9)

    def _cuts(self) -> Iterable[Cut]:
        if self.experiment is not None:
            return self.experiment.cuts
        acts = [event.data for event in self.story.select("act") if event.data.get("act") == "Cut" and event.data.get("step") == "begin"]
        return [Cut(at=data["at"], heal=data.get("heal"), direction=data.get("direction", "both")) for data in acts]

    @cached_property
    def latency(self) -> float:
        return self.experiment.latency if self.experiment else 0.0

    @cached_property
    def frames(self) -> list[Frame]:
        """The frames sent until the telling stops."""
        return [frame for frame in self.story.frames() if frame.sent_at <= self.stop]

    @cached_property
    def stuck(self) -> list[Frame]:
        """The frames that waited in a cut, or never came out of the wire at all."""
        if self.until is not None:
            return []
        return [frame for frame in self.frames if self._waited(frame)]

    def _waited(self, frame: Frame) -> bool:
        if frame.arrived_at is None:
            cut = any(a <= frame.sent_at < b for a, b in self.silences(frame.receiver))
            return cut or self.stop - frame.sent_at > self.latency + 1e-6
        if frame.arrived_at - frame.sent_at <= self.latency + 0.05:
            return False
        return any(a <= frame.arrived_at and frame.sent_at < b <= frame.arrived_at + 1e-6 for a, b in self.silences(frame.receiver))

    @cached_property
    def through(self) -> list[Frame]:
        """The frames that came through, or are on their way when the telling stops."""
        stuck = set(map(id, self.stuck))
        return [frame for frame in self.frames if id(frame) not in stuck and (frame.arrived_at is not None or self.latency)]

    def silences(self, end: str) -> list[tuple[float, float]]:
        """From when to when (s) a cut silences the direction to ``end``."""
        return [(cut.at or 0.0, NEVER if cut.heal is None else cut.heal) for cut in self.cuts if cut.direction in ("both", f"to_{end}")]

    # who, and when

    @cached_property
    def hero(self) -> str:
        """The end whose story this is: the first that left OPEN; the server if nobody did, unless only the client has keepalive."""
        left = [(t, end != "server", end) for end in ENDS if (t := self.noticed(end)) is not None]
        if left:
            first = min(left)[0]
            near = [end for t, _, end in left if t - first <= self.tolerance]
            return min(near, key=lambda end: (self.why_left(end) == "got the CLOSE", end != "server"))
        only_client = self.experiment and not self.experiment.server.keepalive and self.experiment.client.keepalive
        return "client" if only_client else "server"

    def noticed(self, end: str) -> float | None:
        return self._seen(self.story.noticed_at(end))

    def closed(self, end: str) -> float | None:
        return self._seen(self.story.closed_at(end))

    def told(self, end: str) -> float | None:
        return self._seen(self.story.told_at(end))

    def _seen(self, t: float | None) -> float | None:
        """A moment, unless it is unknown or later than the telling."""
        return None if t is None or math.isnan(t) or (self.until is not None and t > self.until) else t

    def why_left(self, end: str) -> str:
        """How an end left OPEN, in a verb: "said goodbye" if it closed by itself, "got the CLOSE", or else it "noticed"."""
        t = self.noticed(end)
        if t is None:
            return "noticed"
        if any(abs(when - t) <= 0.05 for when in self.goodbyes(end)):
            return "said goodbye"
        closes = [f for f in self.frames if f.opcode == "CLOSE"]
        first = closes[0] if closes else None  # the other CLOSE is its answer
        got = first is not None and first.receiver == end and first.arrived_at is not None and abs(first.arrived_at - t) <= 0.05
        return "got the CLOSE" if got else "noticed"

    def goodbyes(self, end: str) -> list[float]:
        """When the application of ``end`` calls close() (s)."""
        acts = self.experiment.acts if self.experiment else ()
        return [act.at or 0.0 for act in acts if type(act).__name__ == "Goodbye" and act.end == end]  # type: ignore[attr-defined]

    @cached_property
    def moments(self) -> list[Moment]:
        """What happened to both ends, in time."""
        found = []
        for end in ENDS:
            rows = ((self.noticed(end), self.why_left(end)), (self.closed(end), "closed"), (self.told(end), "told"))
            found += [Moment(t, end, words) for t, words in rows if t is not None]
        return sorted(found, key=lambda one: (one.t, one.end != self.hero))

    # the axis

    @cached_property
    def tolerance(self) -> float:
        """Times nearer than this (s) are the same on the picture."""
        return 0.004 * max(self.stop, 1e-6)

    def same(self, a: float | None, b: float | None) -> bool:
        """Whether two moments (s) are one to a reader; a real clock is late by some milliseconds."""
        slack = 1e-6 if self.header.get("clock", "virtual") == "virtual" else 0.05
        return a is not None and b is not None and abs(a - b) <= slack

    @cached_property
    def horizon(self) -> float:
        """Where the axis ends (s). After an ended story some room is left, so that CLOSED and the survivor are seen to last."""
        step = self._step()
        if self.until is not None:
            # nothing of the outcome: what has passed once more, or everything that a keepalive can add up to
            peers = [p for p in (self.experiment.server, self.experiment.client) if p.keepalive] if self.experiment else []
            worst = max((sum(x or 0.0 for x in (p.ping_interval, p.ping_timeout, p.close_timeout)) for p in peers), default=0.0)
            return max(_up(max(2 * self.stop, self.stop + worst), step), self._reach(step))
        if self.closed(self.hero) is None:
            return max(self.stop, self._reach(step), 1e-3)
        return max(_up(self.stop * 1.05, step), self._reach(step))

    def _reach(self, step: float) -> float:
        """Room for a guess, if it is not absurdly far away."""
        return _up(self.reach * 1.02, step) if self.stop * 0.9 < self.reach < self.stop * 3 + 10 else 0.0

    def _step(self) -> float:
        """A round number of seconds: the ping interval, or about a fifth of the story."""
        peer = self.experiment.peer(self.hero) if self.experiment else None
        interval = peer.ping_interval if peer else None
        if interval and 0.05 * self.stop <= interval <= 0.5 * self.stop:
            return float(interval)
        return nice(self.stop / 5)

    @cached_property
    def ticks(self) -> list[tuple[float, int]]:
        """(time in s, how much it matters; 0 most), for the moments at which something happens."""
        rows = [(0.0, 1), (self.horizon, 3)]
        for cut in self.cuts:
            rows += [(cut.at or 0.0, 0)] + ([(cut.heal, 0)] if cut.heal is not None and cut.heal <= self.horizon else [])
        rows += [(one.t, 1 if one.end == self.hero else 2) for one in self.moments]
        rows += [(frame.sent_at, 2) for frame in self.stuck if frame.opcode in ("PING", "CLOSE")]
        rows += [(frame.arrived_at, 3) for frame in self.stuck if frame.arrived_at is not None]
        rows += [(frame.sent_at, 4 if frame.opcode == "PING" else 5) for frame in self.through if frame.opcode in ("PING", "CLOSE")]
        return rows

    def neat(self, t: float) -> str:
        """A time as a tick says it: a real clock's few milliseconds of lateness are left out."""
        slack = min(0.06, 0.015 * self.stop) if self.header.get("clock", "virtual") != "virtual" else 1e-6
        digits = next((d for d in range(3) if abs(t - round(t, d)) <= slack), 2 if self.horizon >= 1 else 4)
        return f"{round(t, digits):g}" if abs(t) < 1e5 else f"{t:.0f}"

    def seconds(self, t: float) -> str:
        """A time as the verdict says it: "15.0 s"."""
        text = self.neat(t)
        return f"{text if '.' in text else text + '.0'} s"


def nice(x: float) -> float:
    """The round number (1, 2 or 5 times a power of ten) next to ``x``."""
    if x <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(x))
    return min((k * power for k in (1, 2, 5, 10)), key=lambda one: abs(one - x))


def _up(t: float, step: float) -> float:
    return math.ceil(t / step - 1e-9) * step
