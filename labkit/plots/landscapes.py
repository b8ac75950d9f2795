"""Two parameters of a sweep as a chart of cells, with a budget's contour and your own setting.

    ping_timeout  8 │ 11   13   15   17      numbers: the worst of a column there, or its mean
                  4 │  7 ┐  9   11   13      ┘: between cells that keep the budget and those that
                  2 │  5 └──7 ┐  9   11         do not: nobody has looked between two settings
                        2   4    6    8  ping_interval         ★: your setting

It takes what sweep(…) gives, and runs nothing. Cells are counted from 0, along and across.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from statistics import fmean
from typing import Any

from . import tables
from .axis import categories
from .bars import Bar
from .figure import Figure, figure
from .layout import Panel
from .marks import Dot, Mark, Path, Says
from .palette import STEPS

SIZE, MARGINS = (7.2, 4.6), (62.0, 54.0, 14.0, 30.0)  # inches; points
FOOT = 42.0  # points below the cells: the legend, under the axis
JOIN = 0.014  # of a cell: where two edges meet, each is longer by half its width
MEANS = ("false_alarm", "pings", "bytes")
UNITS = {
    **tables.LABELS,
    "false_alarm": "share of runs with a false alarm",
    "delay": "worst delay, s from the cut to noticing",
    "told": "told at worst, s",
}
Cells = dict[tuple[float, float], float]  # by x and y; NaN is "never"


@figure
def landscape(
    sweep: Any,
    x: str,
    y: str,
    column: str = "delay",
    *,
    budget: float | None = None,
    yours: tuple[float, float] | None = None,
) -> Figure:
    """A ``column`` of a sweep over two of its parameters.

    Where several runs fell on a cell, it shows the worst of them ("never" is the worst); of
    false_alarm the share, of pings and bytes the mean. ``budget`` (in the column's unit) draws the
    contour between what keeps it and what does not; ``yours`` is your own setting, (x, y).
    """
    cells, unit = cells_of(sweep, x, y, column), UNITS.get(column, column)
    xs, ys = sorted({a for a, _ in cells}), sorted({b for _, b in cells})
    marks = [*_cells(cells, xs, ys, column), *_extremes(cells, column)]
    source = [(f"in each cell: {unit}", "faint")]
    if budget is not None:
        marks += _contour(cells, xs, ys, budget)
        source.append(("line: the budget", "stuck_words"))
    if yours is not None and None not in yours and ... not in yours:
        says = f"Your setting: {x} {yours[0]:g}, {y} {yours[1]:g}"
        marks.append(Dot(position(xs, yours[0]), position(ys, yours[1]), "guess", says=says))
        source.append(("★ your setting", "guess"))
    along = categories([f"{value:g}" for value in xs], f"{x}, s", 10)
    across = categories([f"{value:g}" for value in ys], f"{y}, s", 10)
    kind = f"Landscape of {unit} over {x} and {y}"
    title = finding(cells, column, budget)
    panel = Panel(along, across, tuple(marks))
    return Figure(title, (panel,), tuple(source), kind, SIZE, MARGINS, foot=FOOT)


def cells_of(sweep: Any, x: str, y: str, column: str) -> Cells:
    """What the column is at each pair of parameters."""
    runs = defaultdict(list)
    for a, b, value in zip(*(tables.column(sweep, name, "landscape") for name in (x, y, column))):
        if a is not None and b is not None:
            runs[a, b].append(value)
    return {at: _whole(runs[at], column in MEANS) for at in sorted(runs)}


def _whole(values: list[float | None], is_mean: bool) -> float:
    """What several runs come to."""
    seen = [value for value in values if value is not None]
    if not seen or not is_mean and len(seen) < len(values):
        return math.nan
    return fmean(seen) if is_mean else max(seen)


def position(values: list[float], value: float) -> float:
    """Where a value stands among the cells: in proportion between two, never far outside."""
    k = bisect_left(values, value)
    if k == len(values):
        return k - 0.6
    if k == 0:
        return 0.0 if value == values[0] else -0.4
    return k - 1 + (value - values[k - 1]) / (values[k] - values[k - 1])


def keeps(value: float, budget: float) -> bool:
    """Whether a cell keeps the budget; "never" keeps none."""
    return value <= budget + 1e-9


def _cells(cells: Cells, xs: list[float], ys: list[float], column: str) -> Iterator[Mark]:
    """A cell for each setting: a step of the scale, and its number."""
    seen = [value for value in cells.values() if not math.isnan(value)]
    low, high = min(seen, default=0.0), max(seen, default=0.0)
    for (a, b), value in cells.items():
        i, j = xs.index(a), ys.index(b)
        share = (value - low) / (high - low) if high > low else 0.3
        fill = "never" if math.isnan(value) else f"step {min(STEPS - 1, int(share * STEPS))}"
        yield Bar(i - 0.5, i + 0.5, (j - 0.5, j + 0.5), fill, wordings=(words(value, column),))


def _contour(cells: Cells, xs: list[float], ys: list[float], budget: float) -> Iterator[Mark]:
    """The edges between the cells that keep the budget and the others, on a card of paper."""
    places = {(xs.index(x), ys.index(y)): value for (x, y), value in cells.items()}
    kept = {place: keeps(value, budget) for place, value in places.items()}
    edges = []
    for (i, j), inside in kept.items():
        if kept.get((i + 1, j), inside) != inside:
            edges.append(((i + 0.5, j - 0.5 - JOIN), (i + 0.5, j + 0.5 + JOIN)))
        if kept.get((i, j + 1), inside) != inside:
            edges.append(((i - 0.5 - JOIN, j + 0.5), (i + 0.5 + JOIN, j + 0.5)))
    yield from (Path(edge, "paper", 5.5, z=4.0) for edge in edges)
    yield from (Path(edge, "stuck", 2.8, z=4.1) for edge in edges)


# in words


def words(value: float, column: str) -> str:
    """A cell's number, as short as it can be."""
    if math.isnan(value):
        return "never"
    if column == "false_alarm":
        return "< 1 %" if 0 < value < 0.01 else f"{100 * value:.0f} %" if value else "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{round(value, 1):g}" if abs(value) >= 1 else f"{value:.3g}"


def finding(cells: Cells, column: str, budget: float | None) -> str:
    """ "9 of 25 settings keep the budget of 8 s"."""
    if budget is not None:
        kept = sum(keeps(value, budget) for value in cells.values())
        bound = f"{budget:g}" if column in ("pings", "bytes") else f"{budget:g} s"
        if column == "false_alarm":
            bound = f"{100 * budget:g} % false alarms"
        return f"{kept} of {len(cells)} settings keep the budget of {bound}"
    seen = [value for value in cells.values() if not math.isnan(value)]
    if not seen:
        return "nobody ever noticed"
    span = f"{words(min(seen), column)} to {words(max(seen), column)}"
    return f"{len(cells)} settings: {UNITS.get(column, column)}, {span}"


def _extremes(cells: Cells, column: str) -> Iterator[Mark]:
    """Where it is least, where most, and how often never."""
    seen = {at: value for at, value in cells.items() if not math.isnan(value)}
    for name, find in (("Least", min), ("Most", max)) if seen else ():
        x, y = find(seen, key=lambda at: seen[at])
        yield Says(says=f"{name}: {words(seen[x, y], column)} at {x:g}, {y:g}")
    if len(seen) < len(cells):
        yield Says(says=f"Never in {len(cells) - len(seen)} of them")
