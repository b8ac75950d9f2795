"""An axis: which values it holds, where each is drawn, and the ticks that have room.

A tick stands where something happens, the weightier first (0 most), as many as have room. A long
stretch in which nothing happens may be drawn short (a *break*), and says so:

    0  1  2  3 ─────── 57 s ─────── 60        values
    0  1  2  3 ──//── 60                      where they are drawn
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from .widths import width

SECONDS = "seconds since the server was OPEN"
PERIODIC = 4  # ticks of this weight and above may be thinned to every n-th
DRAWN = 0.6  # of all that is drawn at its length: so long are the broken stretches together


class Tick(NamedTuple):
    """A value with its text; ``known`` (s) is from when on it may be shown (None: always)."""

    at: float
    text: str
    weight: int = 0
    known: float | None = None


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, or downwards; ``knots`` are (value, place) of a broken one."""

    low: float
    high: float
    ticks: tuple[Tick, ...] = ()
    label: str = ""
    knots: tuple[tuple[float, float], ...] = ()
    breaks: tuple[tuple[float, float], ...] = ()
    has_line: bool = True
    size: float = 10.0  # of the ticks' texts, points

    @property
    def limits(self) -> tuple[float, float]:
        """From where to where it goes on a canvas of its own: 0 to 1 if it is not plain."""
        return (0.0, 1.0) if self.knots else (self.low, self.high)

    @property
    def slits(self) -> list[float]:
        """Where its breaks are drawn: near their ends, so that words have room before."""
        return [a + 0.88 * (b - a) for a, b in self.breaks]

    def place(self, value: float) -> float:
        """Where a value is drawn: 0 at ``low``, 1 at ``high``."""
        low, high = self._raw(self.low), self._raw(self.high)
        return (self._raw(value) - low) / (high - low)

    def _raw(self, value: float) -> float:
        if not self.knots:
            return value
        for (a, x), (b, y) in pairwise(self.knots):
            if value <= b:
                return x + (value - a) * (y - x) / (b - a)
        end, place = self.knots[-1]
        return place + (value - end)

    def shows(self, value: float) -> bool:
        """Whether a value is on the axis."""
        low, high = sorted((self.low, self.high))
        slack = 1e-9 * max(1.0, abs(high))
        return low - slack <= value <= high + slack

    def moments(self) -> Iterator[Tick]:
        """The ticks that matter: they have their stroke even where their text has no room."""
        return (tick for tick in self.ticks if tick.weight <= 1 and self.shows(tick.at))

    def until(self, t: float) -> Axis:
        """The axis as it may be shown at ``t`` (s)."""
        ticks = (tick for tick in self.ticks if tick.known is None or tick.known <= t)
        return replace(self, ticks=tuple(ticks))

    def placed(self, length: float, turned: bool = False) -> list[Tick]:
        """The ticks that have room on an axis of ``length`` points; ``turned`` if it is upright."""
        found: list[tuple[float, float, Tick]] = []
        for tick in sorted(self._thinned(length), key=lambda tick: (tick.weight, tick.at)):
            x, half = self.place(tick.at) * length, self.size / 2 + 1
            if not turned:
                half = width(tick.text, self.size) / 2 + 3
            is_free = all(abs(x - other) > half + reach for other, reach, _ in found)
            if is_free and self.shows(tick.at):
                found.append((x, half, tick))
        return [tick for _, _, tick in sorted(found)]

    def _thinned(self, length: float) -> set[Tick]:
        """Of too many periodic ticks every n-th, so that they stand at equal distances."""
        times = sorted({tick.at for tick in self.ticks if tick.weight >= PERIODIC})
        span = abs(self.place(times[-1]) - self.place(times[0])) * length if times else 0.0
        crowd = (len(times) - 1) * 26 / max(1.0, span)
        steps = (k * 10**power for power in range(6) for k in (1, 2, 5))
        step = next(step for step in steps if step >= crowd)
        keep = set(times[step - 1 :: step])
        return {tick for tick in self.ticks if tick.weight < PERIODIC or tick.at in keep}


def numbers(
    low: float, high: float, label: str = "", count: int = 4, size: float = 9.5, least: float = 0.0
) -> Axis:
    """A plain axis with about ``count`` round numbers, ``least`` or more apart."""
    step = max(least, nice((high - low) / count))
    first = math.ceil(low / step - 1e-9)
    values = [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]
    return Axis(low, high, tuple(Tick(x, f"{round(x, 9):,g}") for x in values), label, size=size)


def categories(names: Sequence[str], label: str = "", size: float = 9.5) -> Axis:
    """One place for each name, at 0, 1, 2 …"""
    ticks = tuple(Tick(k, name) for k, name in enumerate(names))
    return Axis(-0.5, len(names) - 0.5, ticks, label, has_line=False, size=size)


def broken(axis: Axis, moments: Iterable[float], longest: float) -> Axis:
    """The axis with breaks: what is longer than ``longest`` and than all the rest is short."""
    times = sorted({axis.low, *moments, axis.high})
    gaps = list(pairwise(times))
    rest = sum(b - a for a, b in gaps if b - a <= longest)
    breaks = [(a, b) for a, b in gaps if b - a > max(longest, 2 * rest)] if rest else []
    if not breaks:
        return axis
    kept = sum(b - a for a, b in gaps if (a, b) not in breaks)
    knots = [(axis.low, 0.0)]
    for a, b in gaps:
        drawn = DRAWN * kept / len(breaks) if (a, b) in breaks else b - a
        knots.append((b, knots[-1][1] + drawn))
    return replace(axis, knots=tuple(knots), breaks=tuple(breaks))


def nice(x: float) -> float:
    """The round number (1, 2 or 5 times a power of ten) next to ``x``."""
    if x <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(x))
    return min((k * power for k in (1, 2, 5, 10)), key=lambda one: abs(one - x))


def short(x: float, slack: float, most: int) -> str:
    """A number with as few decimals as ``slack`` allows, ``most`` if it allows none."""
    digits = next((d for d in range(most) if abs(x - round(x, d)) <= slack), most)
    return f"{round(x, digits) + 0.0:g}" if abs(x) < 1e5 else f"{x:.0f}"
