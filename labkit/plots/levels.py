"""Where the bytes are that one end has sent: in its write buffer, in the wire, at the peer.

    handed      frames that the library took from its application, if send() has returned or not
    in buffer   what asyncio's transport says is waiting
    arrived     frames whose last byte came out of the wire
    received    messages that the peer's recv() returned; control frames as they arrive
    in wire     handed - in buffer - arrived                in queue    arrived - received

All in bytes as they are on the wire: payload and frame header.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from ..trace import OTHER, Trace
from ..values.framing import frame_size
from .wire import CONTROL

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
        """Where the axis ends (s): a little later if nothing can happen any more."""
        still = self.trace.over == "stuck"
        return max(1e-3, self.end + (0.18 * (self.end - self.first) if still else 0.0))

    @cached_property
    def first(self) -> float:
        """Where the axis begins (s): at 0, or in a long story a while before the first trouble."""
        acts = self.trace.select("act", self.receiver)
        stops = [act.t for act in acts if act.data.get("act") == "StopReading"]
        cuts = [cut.start for cut in self.trace.experiment.cuts]
        trouble = min([*cuts, *stops, *(t for t, _ in self.blocked)], default=0.0)
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
        events = self.trace.select("sent", self.sender, "log")
        logged = [(e.t, e.data.get("size", 0)) for e in events if e.data.get("opcode") != "EOF"]
        return self._sum(logged or self.returned)

    @cached_property
    def returned(self) -> list[tuple[float, int]]:
        """(s, payload in bytes) of each send() that has returned."""
        return self._messages(self.sender, "sent")

    @cached_property
    def got(self) -> list[tuple[float, int]]:
        """(s, payload in bytes) of each message that the peer's recv() returned.

        A learner's own handler does not tell: there it is what arrived.
        """
        if self.receiver in self.trace.header.get("sources", {}):
            return [(t, size) for t, size, opcode in self._came if opcode not in CONTROL]
        return self._messages(self.receiver, "received")

    def _messages(self, end: str, step: str) -> list[tuple[float, int]]:
        events = self.trace.select("message", end)
        return [(e.t, e.data["size"]) for e in events if e.data.get("step") == step]

    @cached_property
    def _came(self) -> list[tuple[float, int, str]]:
        """(s, payload in bytes, opcode) of each frame that came out of the wire."""
        frames = self.trace.frames(self.sender)
        return [(f.arrived_at, f.size, f.opcode) for f in frames if f.arrived_at is not None]

    @cached_property
    def arrived(self) -> Steps:
        return self._sum([(t, size) for t, size, _ in self._came])

    @cached_property
    def received(self) -> Steps:
        control = [(t, size) for t, size, opcode in self._came if opcode in CONTROL]
        return self._sum([*self.got, *control])

    def _sum(self, rows: list[tuple[float, int]]) -> Steps:
        """Payloads as a running sum of the bytes on the wire."""
        rows = sorted(rows)
        return [t for t, _ in rows], list(accumulate(self.overhead(size) for _, size in rows))

    @cached_property
    def waiting(self) -> Steps:
        rows = self.trace.waiting(self.sender)
        return [t for t, _ in rows], [count for _, count in rows]

    def at(self, t: float) -> Level:
        """The bytes in each place at ``t`` (s)."""
        rows = (self.handed, self.arrived, self.received)
        handed, arrived, received = (value(row, t) for row in rows)
        received = min(received, handed)
        arrived = min(max(arrived, received), handed)
        buffer = min(value(self.waiting, t), handed - arrived)
        return Level(t, buffer, handed - buffer - arrived, arrived - received, received)

    @cached_property
    def history(self) -> list[Level]:
        """The levels at every moment at which one changes, as far as the axis goes."""
        rows = (self.handed, self.arrived, self.received, self.waiting)
        times = {self.first, self.end, self.last, *(t for row in rows for t in row[0])}
        return [self.at(t) for t in sorted(times) if self.first <= t <= self.last]

    @cached_property
    def blocked(self) -> list[tuple[float, float | None]]:
        """From when to when (s; None: to the end) a send() waits in drain()."""
        found: list[tuple[float, float | None]] = []
        for t, count in zip(*self.waiting):
            waits = bool(found) and found[-1][1] is None
            if waits and count <= self.limit // 4:
                found[-1] = found[-1][0], t
            elif not waits and count > self.limit:
                found.append((t, None))
        return found

    def is_blocked(self, t: float) -> bool:
        return any(a <= t and (b is None or t < b) for a, b in self.blocked)


def value(row: Steps, t: float) -> int:
    """The value at ``t`` (s)."""
    index = bisect_right(row[0], t + 1e-9)
    return row[1][index - 1] if index else 0
