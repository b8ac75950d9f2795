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
from .labels import Place
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


@figure
def tradeoff(sweep: Any, parameter: str, *, yours: float | None = None) -> Figure:
    """What each value of a ``parameter`` of a sweep costs: traffic, delay until told, false alarms.

    The knee is the point farthest below the straight line from the first to the last, both axes
    scaled to the values that were tried: a suggestion, which moves when others are tried. ``yours``
    is your own value.
    """
    settings = sorted(settings_of(sweep, parameter), key=lambda one: one.traffic)
    best, points = knee(settings), tuple((one.traffic, one.delay) for one in settings)
    along = numbers(0, 1.12 * points[-1][0], "bytes of WebSocket a minute", 5, 10)
    top = 1.14 * max(one.delay for one in settings)
    across = numbers(0, top, "told at worst, s after the cut", 5, 10)
    marks: list[Mark] = [Path(((0, 0), (0, top)), wide=0.8), Path(points, "rule", 1.4, z=2.0)]
    if best is not None:
        marks.append(Dot(best.traffic, best.delay, "knee"))
    for one in sorted(settings, key=lambda one: one is not best):
        marks.append(_mark(one, one is best, one.value == yours))
    marks += [Says(says=_costs(one)) for one in sorted(settings, key=lambda one: one.value)]
    name = parameter.rpartition(".")[2]
    title = f"{name}: no knee among {len(settings)} settings"
    if best is not None:
        costs = f"told within {best.delay:.3g} s for {best.traffic:.3g} bytes a minute"
        title = f"The knee: {name} {best.value:g} s, {costs}"
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
    alarms = _alarms(one)
    names = [name for name, holds in (("the knee", is_best), ("yours", is_yours)) if holds]
    wordings = (", ".join([value, *names, *alarms]), ", ".join([value, *alarms]), value)
    sign = "guess" if is_yours else "stuck" if alarms else "observed"
    return Dot(
        one.traffic,
        one.delay,
        sign,
        wordings=wordings,
        places=_places(13 if names else 9),
        sizes=(9.0, 8.0),
        ink="stuck_words" if alarms else "ink",
        bold=is_best,
    )


def _costs(one: Setting) -> str:
    """What a setting costs, in words."""
    traffic = f"{one.value:g} s: {one.traffic:.3g} bytes a minute"
    return ", ".join([traffic, f"told within {one.delay:.3g} s", *_alarms(one)])


def _alarms(one: Setting) -> list[str]:
    return [f"{100 * one.alarms:.2g} % false alarms"] if one.alarms else []


def _places(near: float) -> tuple[Place, ...]:
    """Above the curve at the right first."""
    return (
        (near, 7, "left", "bottom"),
        (near, 0, "left", "center"),
        (0, near, "center", "bottom"),
        (-near, -6, "right", "top"),
        (0, -near, "center", "top"),
        (-near, 6, "right", "bottom"),
        (near, -7, "left", "top"),
    )
