"""The part of a story that a ladder shows, and how its times are said: seconds, or milliseconds if it is short. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .tale import Tale, nice

SHORT = 0.5  # s; a shorter part is told in milliseconds
STEPS = {"CONNECTING": 1, "OPEN": 2, "CLOSING": 0, "CLOSED": 0}  # how much a tick at each state matters; 0 most


@dataclass
class Excerpt(Tale):
    """A story from ``since`` to ``last`` (s; None: to its end)."""

    since: float = 0.0
    last: float | None = None

    @cached_property
    def horizon(self) -> float:
        """Where the axis ends (s)."""
        if self.last is not None:
            return self.last
        if self.unknown:
            return self.since + 10.0
        if self.is_zoomed:
            return self.stop + 0.12 * max(self.stop - self.since, 1e-6)
        return super().horizon

    @property
    def is_zoomed(self) -> bool:
        """Whether this is less than a whole story of seconds."""
        return not self.unknown and (self.since > 0 or self.story.end < SHORT)

    @cached_property
    def stop(self) -> float:
        """When the telling stops (s); of a part, when the last thing happens."""
        whole = self.story.end
        said = ("state", "frame", "raised", "returned", "fin", "reset", "handshake")
        times = [t for e in self.story.events if e.what in said for t in (e.t, e.data.get("arrived_at")) if t is not None]
        return min(whole, max(times, default=whole)) if self.is_zoomed else whole

    @cached_property
    def asked(self) -> set[tuple[str, str]]:
        """What each end has pinged with: (the end, the payload in hex)."""
        return {(frame.sender, frame.payload) for frame in self.frames if frame.opcode == "PING"}

    @property
    def length(self) -> float:
        """How much time is shown (s)."""
        return self.horizon - self.since

    @cached_property
    def tolerance(self) -> float:
        return 0.004 * max((self.stop if self.last is None else self.last) - self.since, 1e-6)

    @property
    def is_short(self) -> bool:
        """Whether times are said in milliseconds."""
        return self.length < SHORT

    @cached_property
    def origin(self) -> float:
        """What the axis counts from (s): 0, or a round moment before a short part that begins later."""
        if not self.is_short or self.since <= SHORT:
            return 0.0
        return float(f"{self.since:.3f}")

    @property
    def unit(self) -> str:
        return "ms" if self.is_short else "s"

    @property
    def label(self) -> str:
        """The axis in words."""
        if not self.is_short:
            return "seconds since the server was OPEN, downwards"
        return f"ms since {self.origin:g} s, downwards" if self.origin else "ms since the server was OPEN, downwards"

    def shows(self, t: float | None) -> bool:
        """Whether a moment (s) is in this part."""
        return t is not None and self.since - 1e-9 <= t <= self.horizon + 1e-9

    def tick(self, t: float) -> str:
        """A moment as its tick says it; a real clock's lateness is left out as far as it would not be seen."""
        x, whole = (t - self.origin, self.length) if not self.is_short else ((t - self.origin) * 1000, self.length * 1000)
        slack = 1e-6 if self.header.get("clock", "virtual") == "virtual" else min(0.004 * whole, 0.03 if not self.is_short else 1.0)
        digits = next((d for d in range(4) if abs(x - round(x, d)) <= slack), 3)
        return f"{round(x, digits) + 0.0:g}" if abs(x) < 1e5 else f"{x:.0f}"

    def moment(self, t: float) -> str:
        """A moment in words: "5.4 s", "0.31 ms"."""
        after = f" after {self.origin:g} s" if self.origin else ""
        return f"{self.tick(t)} {self.unit}{after}"

    def span(self, seconds: float) -> str:
        """A length of time in words."""
        return f"{float(f'{seconds * 1000:.3g}'):g} ms" if self.is_short else f"{float(f'{seconds:.3g}'):g} s"

    @cached_property
    def ticks(self) -> list[tuple[float, int]]:
        """(time in s, how much it matters; 0 most), for the moments at which something happens."""
        rows = [(self.since, 6)] + [(t, weight) for t, weight in super().ticks if t != self.horizon]
        rows += [] if self.is_zoomed and self.last is None else [(self.horizon, 6)]
        rows += [(t, STEPS[state]) for end in ("server", "client") for t, state in self.story.states(end)]
        rows += [(0.0, 1)] + [(frame.sent_at, 3) for frame in self.frames if frame.opcode == "CLOSE"]
        rows += [(f.arrived_at, 4) for f in self.frames if f.opcode == "CLOSE" and f.arrived_at is not None]
        if not any(self.shows(t) and weight < 6 for t, weight in rows):
            step = nice(self.length / 5)
            rows += [(round(self.since / step + k) * step, 6) for k in range(1, 5)]
        return [row for row in rows if self.shows(row[0])]
