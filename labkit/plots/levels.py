"""Where the bytes are that one end has sent: in its write buffer, in the wire, at the peer, received. Pure; draws nothing.

    handed      frames that the library took from its application (its log), whether or not send() has returned
    in buffer   what asyncio's transport says is waiting
    arrived     frames whose last byte came out of the wire; one that came in part is still in the wire
    received    messages that the peer's recv() returned; pings, pongs and CLOSEs are received as they arrive
    in wire     handed - in buffer - arrived                in queue    arrived - received

All in bytes as they are on the wire: payload and frame header.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from ..trace import OTHER, Frame, Trace
from ..values.frames import frame_size
from .words import CONTROL

Steps = tuple[list[float], list[int]]  # times (s), and the value from each on


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


@dataclass
class Levels:
    """The bytes that ``sender`` of a trace has sent, place by place, over time."""

    trace: Trace
    sender: str

    @property
    def receiver(self) -> str:
        return OTHER[self.sender]

    @cached_property
    def end(self) -> float:
        return self.trace.end

    @cached_property
    def last(self) -> float:
        """Where the axis ends (s): a little later if nothing can happen any more, so that this is seen."""
        still = self.trace.over == "stuck"
        return max(1e-3, self.end + (0.18 * (self.end - self.first) if still else 0.0))

    @cached_property
    def first(self) -> float:
        """Where the axis begins (s): at 0, or in a long story a while before the first trouble."""
        stops = [
            e.t
            for e in self.trace.select("act", self.receiver)
            if e.data.get("act") == "StopReading"
        ]
        trouble = min(
            [
                *(cut.start for cut in self.trace.experiment.cuts),
                *stops,
                *(a for a, _ in self.blocked),
            ],
            default=0.0,
        )
        after = self.end - trouble
        return max(0.0, trouble - after) if 0 < after < 0.3 * self.end else 0.0

    @property
    def limit(self) -> int:
        """Bytes in the write buffer above which drain() waits."""
        return self.trace.experiment.peer(self.sender).write_limit

    def overhead(self, size: int) -> int:
        """The bytes of a frame with so much payload (RFC 6455 §5.2); a client's is masked."""
        return frame_size(size, self.sender)

    @cached_property
    def handed(self) -> Steps:
        logged = [
            e
            for e in self.trace.select("sent", self.sender, "log")
            if e.data.get("opcode") != "EOF"
        ]
        rows = [(e.t, self.overhead(e.data.get("size", 0))) for e in logged]
        return steps(rows or [(t, self.overhead(size)) for t, size in self.returned])

    @cached_property
    def returned(self) -> list[tuple[float, int]]:
        """(s, payload in bytes) of each send() that has returned."""
        return [
            (e.t, e.data["size"])
            for e in self.trace.select("message", self.sender)
            if e.data.get("step") == "sent"
        ]

    @cached_property
    def got(self) -> list[tuple[float, int]]:
        """(s, payload in bytes) of each message that the peer's recv() returned; a learner's own handler does not tell."""
        rows = [
            (e.t, e.data["size"])
            for e in self.trace.select("message", self.receiver)
            if e.data.get("step") == "received"
        ]
        if self.receiver in self.trace.header.get("sources", {}):
            return [
                (f.arrived_at, f.size)
                for f in self._frames
                if f.arrived_at is not None and f.opcode not in CONTROL
            ]
        return rows

    @cached_property
    def _frames(self) -> list[Frame]:
        return self.trace.frames(self.sender)

    @cached_property
    def arrived(self) -> Steps:
        return steps(
            [
                (f.arrived_at, self.overhead(f.size))
                for f in self._frames
                if f.arrived_at is not None
            ]
        )

    @cached_property
    def received(self) -> Steps:
        control = [
            (f.arrived_at, self.overhead(f.size))
            for f in self._frames
            if f.arrived_at is not None and f.opcode in CONTROL
        ]
        return steps([(t, self.overhead(size)) for t, size in self.got] + control)

    @cached_property
    def waiting(self) -> Steps:
        rows = self.trace.waiting(self.sender)
        return [t for t, _ in rows], [count for _, count in rows]

    def at(self, t: float) -> Level:
        """The bytes in each place at ``t`` (s)."""
        handed, arrived, received = (
            value(self.handed, t),
            value(self.arrived, t),
            value(self.received, t),
        )
        received = min(received, handed)
        arrived = min(max(arrived, received), handed)
        buffer = min(value(self.waiting, t), handed - arrived)
        return Level(t, buffer, handed - buffer - arrived, arrived - received, received)

    @cached_property
    def history(self) -> list[Level]:
        """The levels at every moment at which one changes, as far as the axis goes."""
        times = {
            self.first,
            self.end,
            self.last,
            *(
                t
                for row in (self.handed, self.arrived, self.received, self.waiting)
                for t in row[0]
            ),
        }
        return [self.at(t) for t in sorted(times) if self.first <= t <= self.last]

    @cached_property
    def blocked(self) -> list[tuple[float, float | None]]:
        """From when to when (s; None: to the end) a send() is blocked: drain() waits for the write buffer."""
        found: list[tuple[float, float | None]] = []
        for t, count in zip(*self.waiting):
            if count > self.limit and (
                not found or (found[-1][1] is not None and t > found[-1][1])
            ):
                found.append(
                    (
                        t,
                        next(
                            (
                                when
                                for when, low in zip(*self.waiting)
                                if when > t and low <= self.limit // 4
                            ),
                            None,
                        ),
                    )
                )
        return found

    def is_blocked(self, t: float) -> bool:
        return any(a <= t and (b is None or t < b) for a, b in self.blocked)


def steps(rows: list[tuple[float, int]]) -> Steps:
    """A running sum."""
    rows = sorted(rows)
    return [t for t, _ in rows], list(accumulate(count for _, count in rows))


def value(row: Steps, t: float) -> int:
    """The value at ``t`` (s)."""
    index = bisect_right(row[0], t + 1e-9)
    return row[1][index - 1] if index else 0
