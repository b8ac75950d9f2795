"""The part of a story that a ladder shows, and its times: in s, or in ms if it is short."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..values.faults import ENDS
from . import below
from .axis import SECONDS, nice, short
from .reading import Reading
from .wire import Crossing

SHORT = 0.5  # s; a shorter part is told in milliseconds
STEPS = {"CONNECTING": 1, "OPEN": 2, "CLOSING": 0, "CLOSED": 0}  # a tick's weight at each state
SAID = ("state", "frame", "raised", "returned", "fin", "reset", "handshake")


@dataclass
class Excerpt(Reading):
    """A story from ``begin`` to ``last`` (s; None: to its end)."""

    begin: float = 0.0
    last: float | None = None

    @cached_property
    def horizon(self) -> float:
        """Where the axis ends (s)."""
        if self.last is not None:
            return self.last
        if self.unknown:
            return self.begin + 10.0
        if self.is_zoomed:
            return self.stop + 0.12 * max(self.stop - self.begin, 1e-6)
        return super().horizon

    @property
    def is_zoomed(self) -> bool:
        """Whether this is less than a whole story of seconds."""
        return not self.unknown and (self.begin > 0 or self.story.end < SHORT)

    @cached_property
    def stop(self) -> float:
        """When the telling stops (s); of a part, when the last thing happens."""
        whole = self.story.end
        if not self.is_zoomed:
            return whole
        events = [event for event in self.story.events if event.what in SAID]
        times = [t for e in events for t in (e.t, e.data.get("arrived_at")) if t is not None]
        return min(whole, max(times, default=whole))

    @cached_property
    def asked(self) -> set[tuple[str, str]]:
        """What each end has been pinged with: (the end, the payload in hex)."""
        pings = (one for one in self.frames if one.opcode == "PING" and one.payload)
        return {(ping.receiver, ping.payload) for ping in pings}

    def is_answer(self, one: Crossing) -> bool:
        """Whether a PONG has the bytes of a PING."""
        return one.opcode == "PONG" and (one.sender, one.payload) in self.asked

    def is_echo(self, one: Crossing) -> bool:
        """Whether a CLOSE answers one that has arrived."""
        first = self.close
        if first is None or first.sender == one.sender or first.arrived_at is None:
            return False
        return first.arrived_at <= one.sent_at + 1e-9

    @cached_property
    def endings(self) -> list[Crossing]:
        return list(below.endings(self))

    @cached_property
    def hung_up(self) -> str:
        """The end that hung up first, if one did."""
        mine = (one.sender for one in self.endings if one.opcode == "FIN")
        return next((end for end in mine if end in ENDS), "")

    def part(self, handshake: bool) -> list[Crossing]:
        """Everything between the ends in this part of the story, in time."""
        found = [*self.crossings, *self.endings, *(below.opening(self) if handshake else ())]
        edge = self.begin + (1e-9 if self.begin > 0 else -1e-9)
        here = (one for one in found if one.sent_at <= self.horizon + 1e-9)
        shown = (one for one in here if self._is_seen(one, edge))
        return sorted(shown, key=lambda one: one.sent_at)

    def _is_seen(self, one: Crossing, edge: float) -> bool:
        return one.sent_at >= self.begin if one.stuck else one.stop > edge

    @property
    def length(self) -> float:
        """How much time is shown (s)."""
        return self.horizon - self.begin

    @cached_property
    def tolerance(self) -> float:
        return 0.004 * max((self.stop if self.last is None else self.last) - self.begin, 1e-6)

    @property
    def is_short(self) -> bool:
        """Whether times are said in milliseconds."""
        return self.length < SHORT

    @cached_property
    def origin(self) -> float:
        """What the axis counts from (s): 0, or a round moment before a short, later part."""
        late = self.is_short and self.begin > SHORT
        return float(f"{self.begin:.3f}") if late else 0.0

    @property
    def label(self) -> str:
        """The axis in words."""
        if not self.is_short:
            return f"{SECONDS}, downwards"
        since = f"{self.origin:g} s" if self.origin else "the server was OPEN"
        return f"ms since {since}, downwards"

    def tick(self, t: float) -> str:
        """A moment as its tick says it; a real clock's lateness is left out if too small."""
        unit = 1000 if self.is_short else 1
        x, whole = (t - self.origin) * unit, self.length * unit
        late = min(0.004 * whole, 1.0 if self.is_short else 0.03)
        return short(x, 1e-6 if self.story.is_virtual else late, 3)

    def moment(self, t: float) -> str:
        """A moment in words: "5.4 s", "0.31 ms"."""
        after = f" after {self.origin:g} s" if self.origin else ""
        return f"{self.tick(t)} {'ms' if self.is_short else 's'}{after}"

    def span(self, seconds: float) -> str:
        """A length of time in words."""
        if self.is_short:
            return f"{float(f'{seconds * 1000:.3g}'):g} ms"
        return f"{float(f'{seconds:.3g}'):g} s"

    @cached_property
    def ticks(self) -> list[tuple[float, int]]:
        """(time in s, how much it matters; 0 most), for the moments at which something happens."""
        rows = [(t, weight) for t, weight in super().ticks if t != self.horizon] + [(0.0, 1)]
        rows += [(t, STEPS[state]) for end in ENDS for t, state in self.states[end]]
        closes = [one for one in self.frames if one.opcode == "CLOSE"]
        moments = (t for one in closes for t in (one.sent_at, one.arrived_at) if t is not None)
        rows += [(t, 3) for t in moments]
        if not any(self.shows(t) for t, _ in rows):
            step = nice(self.length / 5)
            rows += [(round(self.begin / step + k) * step, 4) for k in range(1, 5)]
        ends = [self.begin] if self.is_zoomed and self.last is None else [self.begin, self.horizon]
        return [row for row in rows if self.shows(row[0])] + [(t, 3) for t in ends]
