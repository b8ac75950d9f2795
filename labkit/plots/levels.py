"""Where the bytes are that one end has sent: in its write buffer, in the wire, at the peer.

    handed      frames that the library took from its program, if send() has returned or not
    buffer      what asyncio's transport says is waiting
    received    messages that the peer's recv() returned; control frames as they arrive
    wire        handed - buffer - arrived: their last byte has not come out of the wire
    queue       arrived - received

All in bytes as they are on the wire: payload and frame header. Nothing is drawn here.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from ..trace import OTHER, Trace
from ..values.framing import frame_size
from .axis import Axis, numbers
from .ends import plural
from .wire import CONTROL

Steps = list[tuple[float, int]]  # (s, bytes from then on)


@dataclass(frozen=True)
class Level:
    """The bytes in each place at one moment."""

    t: float  # s
    buffer: int
    wire: int
    queue: int
    received: int

    @property
    def handed(self) -> int:
        return self.buffer + self.wire + self.queue + self.received


class Levels:
    """The bytes that ``sender`` of a trace has sent, place by place, over time."""

    def __init__(self, trace: Trace, sender: str) -> None:
        self.trace, self.sender, self.receiver = trace, sender, OTHER[sender]
        self.limit = trace.experiment.peer(sender).write_limit
        self.low = self.limit // 4  # asyncio's low-water mark, at which a blocked drain() goes on
        self.end = trace.end
        frames = [f for f in trace.frames(sender) if f.arrived_at is not None]
        came = [(f.arrived_at or 0.0, f.size) for f in frames]
        control = [row for row, f in zip(came, frames) if f.opcode in CONTROL]
        # (s, payload in bytes) of each send() that has returned, of each message recv() returned
        self.returned = self._messages(sender, "sent")
        self.got = self._messages(self.receiver, "received")
        if self.receiver in trace.header.get("sources", {}):  # a learner's handler does not tell
            self.got = [row for row, f in zip(came, frames) if f.opcode not in CONTROL]
        sent = [e for e in trace.select("sent", sender, "log") if e.data.get("opcode") != "EOF"]
        logged = [(event.t, event.data.get("size", 0)) for event in sent]
        self.handed = self._sum(logged or self.returned)
        self.arrived, self.received = self._sum(came), self._sum([*self.got, *control])
        self.waiting = trace.waiting(sender)

    def _messages(self, end: str, step: str) -> Steps:
        events = self.trace.select("message", end)
        return [(e.t, e.data["size"]) for e in events if e.data.get("step") == step]

    def _sum(self, rows: Iterable[tuple[float, int]]) -> Steps:
        """Payloads as a running sum of the bytes on the wire."""
        total, found = 0, []
        for t, size in sorted(rows):
            total += frame_size(size, self.sender)
            found.append((t, total))
        return found

    def at(self, t: float) -> Level:
        """The bytes in each place at ``t`` (s)."""
        handed, arrived, waiting = (value(s, t) for s in (self.handed, self.arrived, self.waiting))
        received = min(value(self.received, t), handed)
        arrived = min(max(arrived, received), handed)
        buffer = min(waiting, handed - arrived)
        return Level(t, buffer, handed - buffer - arrived, arrived - received, received)

    @cached_property
    def blocked(self) -> list[tuple[float, float | None]]:
        """From when to when (s; None: to the end) a send() waits in drain()."""
        found: list[tuple[float, float | None]] = []
        since = None
        returns = [(t, 0) for t, _ in self.returned]  # the buffer was low, if only for a moment
        for t, count in sorted([*self.waiting, *returns]):
            if since is None and count > self.limit:
                since = t
            elif since is not None and count <= self.low:
                found.append((since, t))
                since = None
        return found if since is None else [*found, (since, None)]

    def blocked_since(self, t: float) -> float | None:
        """Since when (s) a send() is blocked at ``t``, if one is."""
        return next((a for a, b in self.blocked if a <= t and (b is None or t < b)), None)

    # over time

    @cached_property
    def last(self) -> float:
        """Where the axis ends (s): a little later if nothing can happen any more."""
        still = self.trace.over == "stuck"
        return max(1e-3, self.end + (0.18 * (self.end - self.first) if still else 0.0))

    @cached_property
    def first(self) -> float:
        """Where the axis begins (s): at 0, or in a long story a while before the first trouble."""
        cuts = [cut.start for cut in self.trace.experiment.cuts]
        blocked = [since for since, _ in self.blocked]
        trouble = min([*cuts, *self.stops, *blocked], default=0.0)
        after = self.end - trouble
        return max(0.0, trouble - after) if 0 < after < 0.3 * self.end else 0.0

    @cached_property
    def stops(self) -> list[float]:
        """When the receiver stops reading (s)."""
        acts = self.trace.select("act", self.receiver)
        stops = (e for e in acts if e.data.get("act") == "StopReading")
        return [e.t for e in stops if e.data.get("step") == "begin"]

    @cached_property
    def history(self) -> list[Level]:
        """The levels at every moment at which one changes, as far as the axis goes."""
        rows = (*self.handed, *self.arrived, *self.received, *self.waiting)
        times = {self.first, self.end, self.last, *(t for t, _ in rows)}
        return [self.at(t) for t in sorted(times) if self.first <= t <= self.last]


def value(steps: Steps, t: float) -> int:
    """The value at ``t`` (s)."""
    index = bisect_right(steps, (t + 1e-9, math.inf))
    return steps[index - 1][1] if index else 0


def stairs(steps: Steps, end: float) -> tuple[tuple[float, float], ...]:
    """The line of a value that stays until its next one, until ``end`` (s)."""
    stops = [*(t for t, _ in steps[1:]), end]
    return tuple((t, high) for (begin, high), stop in zip(steps, stops) for t in (begin, stop))


# bytes in words


def many(count: int) -> str:
    """Bytes as a reader wants them: "924 bytes", "33.1 kB"."""
    if count < 10_000:
        return plural(count, "byte")
    return f"{count / 1000:,.1f} kB" if count < 1e6 else f"{count / 1e6:,.2f} MB"


def byte_axis(low: float, high: float, label: str = "") -> Axis:
    """A plain axis of bytes, all its ticks in one unit."""
    axis = numbers(low, high, label, size=8.5, least=1)
    most = max((tick.at for tick in axis.ticks), default=0.0)
    unit, name = (1e6, "MB") if most >= 1e6 else (1e3, "kB")
    ticks = []
    for tick in axis.ticks:
        text = plural(round(tick.at), "byte") if most < 1e4 else f"{tick.at / unit:,g} {name}"
        ticks.append(tick._replace(text=text if tick.at else "0"))
    return replace(axis, ticks=tuple(ticks))
