"""What each value of a parameter costs: delay against traffic, false alarms, and the knee.

    delay │ ● 60 s
          │   ● 30 s
          │      ◎ 12 s  the knee: beyond it, more traffic buys little
          │            ●  6 s           ✕ 3 s, 20 % false alarms
          └──────────────────────────────── traffic

It takes what sweep(…) gives (a cut in every run), and runs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from . import tables
from .axis import numbers
from .figure import Figure, figure
from .labels import around, beside
from .layout import Panel
from .marks import Dot, Mark, Path, Says

SIZE, MARGINS = (7.2, 4.2), (52.0, 44.0, 18.0, 30.0)  # inches; points
COLUMNS = ("told", "cut.at", "bytes", "false_alarm")


@dataclass(frozen=True)
class Setting:
    """One value of the parameter, and what it costs."""

    value: float
    traffic: float  # bytes a minute
    delay: float  # s from the cut until the program is told, at worst
    alarms: float  # the share of runs with a false alarm

    @property
    def false(self) -> list[str]:
        """Its false alarms in words, if there are any."""
        return [f"{100 * self.alarms:.2g} % false alarms"] if self.alarms else []


@figure
def tradeoff(sweep: Any, parameter: str, *, yours: float | None = None) -> Figure:
    """What each value of a ``parameter`` of a sweep costs: traffic, delay until told, false alarms.

    The knee is the point farthest below the straight line from the first to the last, both axes
    scaled to the values that were tried: a suggestion, which moves when others are tried. ``yours``
    is your own value.
    """
    settings = settings_of(sweep, parameter)
    points = sorted((one.traffic, one.delay) for one in settings)
    top, best = 1.14 * max(one.delay for one in settings), knee(settings)
    along = numbers(0, 1.12 * points[-1][0], "bytes of WebSocket a minute", 5, 10)
    across = numbers(0, top, "told at worst, s after the cut", 5, 10)
    marks: list[Mark] = [Path(((0, 0), (0, top)), wide=0.8)]
    marks.append(Path(tuple(points), "rule", 1.4, z=2.0))
    name = parameter.rpartition(".")[2]
    title = f"{name}: no knee among {len(settings)} settings"
    if best is not None:
        marks.append(Dot(best.traffic, best.delay, "knee"))
        costs = f"told within {best.delay:.3g} s for {best.traffic:.3g} bytes a minute"
        title = f"The knee: {name} {best.value:g} s, {costs}"
    for one in sorted(settings, key=lambda one: (one is not best, one.traffic)):
        marks.append(_mark(one, one is best, one.value == yours))
    for one in settings:
        traffic = f"{one.value:g} s: {one.traffic:.3g} bytes a minute"
        says = ", ".join([traffic, f"told within {one.delay:.3g} s", *one.false])
        marks.append(Says(says=says))
    return Figure(title, (Panel(along, across, tuple(marks)),), (), "Trade-off", SIZE, MARGINS)


def settings_of(sweep: Any, parameter: str) -> list[Setting]:
    """What each value costs, in order; one at which nobody was ever told is left out."""
    runs = defaultdict(list)
    columns = [tables.column(sweep, name, "tradeoff") for name in (parameter, *COLUMNS)]
    for value, told, *run in zip(*columns):
        if value is not None and None not in run:  # a run that failed has no bytes
            runs[value].append((told, *run))
    found = []
    for value in sorted(runs):
        told, cuts, sizes, alarms = zip(*runs[value])
        delays = [t - cut for t, cut, _, alarm in runs[value] if t is not None and not alarm]
        lived = sum(cut if t is None else t for t, cut in zip(told, cuts))
        if delays and lived:
            found.append(Setting(value, 60 * sum(sizes) / lived, max(delays), fmean(alarms)))
    if not found:
        raise ValueError(
            "a trade-off needs cuts that somebody was told of: seen none in this sweep"
        )
    return found


def knee(settings: list[Setting]) -> Setting | None:
    """The setting farthest below the line from end to end; None where the curve does not bend."""
    ordered = sorted(settings, key=lambda one: one.traffic)
    first, last = ordered[0], ordered[-1]
    if len(settings) < 3 or last.traffic <= first.traffic or first.delay <= last.delay:
        return None

    def below(one: Setting) -> float:
        across = (one.traffic - first.traffic) / (last.traffic - first.traffic)
        return 1 - across - (one.delay - last.delay) / (first.delay - last.delay)

    best = max(ordered, key=below)
    return best if below(best) > 0.05 else None


def _mark(one: Setting, is_best: bool, is_yours: bool) -> Dot:
    """A dot, with false alarms a cross, yours a star; and what is to be said of it."""
    value = f"{one.value:g} s"
    names = [name for name, holds in (("the knee", is_best), ("yours", is_yours)) if holds]
    wordings = (", ".join([value, *names, *one.false]), ", ".join([value, *one.false]), value)
    sign = "guess" if is_yours else "stuck" if one.false else "observed"
    near, ink = 13 if names else 9, "stuck_words" if one.false else "ink"
    places = (*beside(near, (12, 0))[:2], *around(near)[::-1], *beside(near, (-12, 12)))
    return Dot(
        one.traffic,
        one.delay,
        sign,
        wordings=wordings,
        places=places,
        sizes=(9.0, 8.0),
        ink=ink,
        bold=is_best,
    )
