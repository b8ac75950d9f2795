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
from collections.abc import Iterable, Iterator
from statistics import fmean
from typing import Any

from . import tables
from .axis import Axis, categories
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
    "pings": "pings a run",
    "bytes": "bytes a run",
    "false_alarm": "share of runs with a false alarm",
    "delay": "worst delay, s from the cut to noticing",
    "told": "told at worst, s",
}
Cells = dict[tuple[float, float], float]  # by x and y, or by place; NaN is "never"


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
    xs, ys = ({at[k] for at in cells} for k in (0, 1))
    along, across = _axis(xs, x), _axis(ys, y)
    places = {(position(xs, a), position(ys, b)): value for (a, b), value in cells.items()}
    marks = [*_cells(places, column), *_extremes(cells, column)]
    source = [(f"in each cell: {unit}", "faint")]
    if budget is not None:
        marks += _contour({at: keeps(value, budget) for at, value in places.items()})
        source.append(("line: the budget", "stuck_words"))
    if yours is not None and None not in yours and ... not in yours:
        says = f"Your setting: {x} {yours[0]:g}, {y} {yours[1]:g}"
        marks.append(Dot(position(xs, yours[0]), position(ys, yours[1]), "guess", says=says))
        source.append(("★ your setting", "guess"))
    kind = f"Landscape of {unit} over {x} and {y}"
    title = finding(cells, column, budget)
    panel = Panel(along, across, tuple(marks))
    return Figure(title, (panel,), tuple(source), kind, SIZE, MARGINS, foot=FOOT)


def _axis(values: Iterable[float], name: str) -> Axis:
    return categories([f"{value:g}" for value in sorted(values)], f"{name}, s", 10)


def cells_of(sweep: Any, x: str, y: str, column: str) -> Cells:
    """What the column is at each pair of parameters: of several runs the worst, or the mean."""
    runs = defaultdict(list)
    for a, b, value in zip(*(tables.column(sweep, name, "landscape") for name in (x, y, column))):
        if a is not None and b is not None:
            runs[a, b].append(value)
    found = {}
    for at, values in sorted(runs.items()):
        seen, is_mean = [value for value in values if value is not None], column in MEANS
        is_never = not seen or not is_mean and len(seen) < len(values)
        found[at] = math.nan if is_never else fmean(seen) if is_mean else max(seen)
    return found


def position(values: Iterable[float], value: float) -> float:
    """Where a value stands among the cells: in proportion between two, never far outside."""
    row = sorted(values)
    if not row[0] <= value <= row[-1]:
        return -0.4 if value < row[0] else len(row) - 0.6
    k = bisect_left(row, value)
    return k if row[k] == value else k - 1 + (value - row[k - 1]) / (row[k] - row[k - 1])


def keeps(value: float, budget: float) -> bool:
    """Whether a cell keeps the budget; "never" keeps none."""
    return value <= budget + 1e-9


def _cells(places: Cells, column: str) -> Iterator[Mark]:
    """A cell for each setting: a step of the scale, and its number."""
    seen = [value for value in places.values() if not math.isnan(value)]
    low, high = min(seen, default=0.0), max(seen, default=0.0)
    for (i, j), value in places.items():
        share = (value - low) / (high - low) if high > low else 0.3
        fill = "never" if math.isnan(value) else f"step {min(STEPS - 1, int(share * STEPS))}"
        yield Bar(i - 0.5, i + 0.5, (j - 0.5, j + 0.5), fill, wordings=(words(value, column),))


def _contour(kept: dict[tuple[float, float], bool]) -> Iterator[Mark]:
    """The edges between the cells that keep the budget and the others, on a card of paper."""
    half, edges = 0.5 + JOIN, []
    for (i, j), inside in kept.items():
        if kept.get((i + 1, j), inside) != inside:
            edges.append(((i + 0.5, j - half), (i + 0.5, j + half)))
        if kept.get((i, j + 1), inside) != inside:
            edges.append(((i - half, j + 0.5), (i + half, j + 0.5)))
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
