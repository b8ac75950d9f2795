"""A time axis on which a long stretch in which nothing happens is drawn short, and says so. Pure; draws nothing.

0  1  2  3 ─────── 57 s ─────── 60        moments
0  1  2  3 ──//── 60                      where they are drawn
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

DRAWN = 0.6  # of all that is drawn at its length: so long are the shortened stretches together


@dataclass(frozen=True)
class Squeeze:
    """Where each second is drawn: ``knots`` are (s, place), ``breaks`` the stretches (s) that are drawn short."""

    knots: tuple[tuple[float, float], ...]
    breaks: tuple[tuple[float, float], ...] = ()

    def place(self, t: float) -> float:
        """Where the moment ``t`` (s) is drawn; beyond the last knot a second is as long as before the first break."""
        for (a, x), (b, y) in pairwise(self.knots):
            if t <= b:
                return x + (t - a) * (y - x) / (b - a)
        end, place = self.knots[-1]
        return place + (t - end)

    @property
    def saved(self) -> float:
        """How many seconds the shortened stretches hold."""
        return sum(b - a for a, b in self.breaks)


def squeeze(moments: Iterable[float], longest: float) -> Squeeze:
    """The axis for these moments (s): whatever is longer than ``longest`` (s) and than all the rest together is drawn short."""
    times = sorted({0.0, *moments})
    gaps = list(pairwise(times))
    rest = sum(b - a for a, b in gaps if b - a <= longest)
    breaks = [(a, b) for a, b in gaps if b - a > max(longest, 2 * rest)] if rest else []
    drawn = DRAWN * sum(b - a for a, b in gaps if (a, b) not in breaks) / max(1, len(breaks))
    knots = [(0.0, 0.0)]
    for a, b in gaps:
        knots.append((b, knots[-1][1] + (drawn if (a, b) in breaks else b - a)))
    return Squeeze(tuple(knots), tuple(breaks))
