"""The landscape of two parameters: a sweep as a chart of cells, a colour and a number each, the contour of a budget, your own setting.

ping_timeout  8 │ 11   13   15   17        numbers: what a column of the sweep is there (the worst, or the share)
              4 │  7 ┐  9   11   13        ┘: the contour of the budget, between the cells that keep it and those that do not
              2 │  5 └──7 ┐  9   11        ★: your setting
                    2    4    6    8  ping_interval

It takes what sweep(…) gives, and runs nothing.
"""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

from . import frame, palette, picture
from .distribution_words import LABELS
from .room import FAMILY, Room, width

SIZE = (7.2, 4.6)  # inches
MARGINS = (62.0, 44.0, 14.0, 42.0)  # points at the left, bottom, right, top
# Cells with a number look alike in both themes, and so do the words on them: no colour of a theme.
LOW, HIGH = "#f4f8fb", "#0a4f7d"  # the least and the most
WORDS = "#000000", "#fefefe"  # one of the two has a contrast of 4.5 on whatever lies between
HOW = {"false_alarm": "mean", "pings": "mean", "bytes": "mean"}  # everything else: the worst
Cells = dict[tuple[float, float], float]  # by x and y; NaN where the answer is "never"


def landscape(
    sweep: Any,
    x: str,
    y: str,
    column: str = "delay",
    *,
    budget: float | None = None,
    yours: tuple[float, float] | None = None,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw a ``column`` of a sweep over two of its parameters, and return the Axes.

    Where several runs fell on a cell, it shows the worst of them; of false_alarm the share, of pings and bytes the mean. ``budget`` (in the
    column's unit) draws the contour between what keeps it and what does not; ``yours`` is your own setting, (x, y).
    """
    cells = cells_of(sweep, x, y, column)
    colours = palette.theme(theme)
    ax = ax if ax is not None else picture.new(size or SIZE, colours, MARGINS)
    chart = Chart(ax, colours, cells, column)
    chart.draw(budget, _yours(yours))
    chart.axes(x, y, finding(cells, column, budget), legend(column, budget, _yours(yours)))
    ax.alt = alt_text(cells, x, y, column, budget, yours)  # type: ignore[attr-defined]
    return ax


def cells_of(sweep: Any, x: str, y: str, column: str) -> Cells:
    """What the column is at each pair of parameters."""
    for name in (x, y, column):
        if name not in getattr(sweep, "columns", ()):
            known = ", ".join(map(str, getattr(sweep, "columns", ()))) or "no columns at all"
            raise KeyError(
                f"landscape() takes what sweep(…) gives, with a column {name!r}; seen {known}"
            )
    found = sweep.groupby([x, y])[column]
    values = (
        found.mean() if HOW.get(column) else found.max().where(found.count() == found.size())
    )  # a single "never" is the worst
    return {
        (float(a), float(b)): float(value) for (a, b), value in values.astype("float64").items()
    }


def _yours(given: Any) -> tuple[float, float] | None:
    if given is None or given is ... or any(value is None or value is ... for value in given):
        return None
    x, y = given
    return float(x), float(y)


def words(value: float, column: str) -> str:
    """A cell's number, as short as it can be."""
    if math.isnan(value):
        return "never"
    if column == "false_alarm":
        percent = 100 * value
        return "0" if percent == 0 else f"{percent:.0f} %" if percent >= 1 else "< 1 %"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{round(value, 1):g}" if abs(value) >= 1 else f"{value:.3g}"


def unit(column: str) -> str:
    """What a cell's number is, in words."""
    if column == "false_alarm":
        return "share of runs with a false alarm"
    return {"delay": "worst delay, s from the cut to noticing", "told": "told at worst, s"}.get(
        column, LABELS.get(column, column)
    )


def legend(column: str, budget: float | None, yours: Any) -> str:
    """What cells, line and star are."""
    parts = [
        f"in each cell: {unit(column)}",
        "line: the budget" * (budget is not None),
        "★ your setting" * (yours is not None),
    ]
    return "   ·   ".join(filter(None, parts))


def keeps(value: float, budget: float) -> bool:
    """Whether a cell keeps the budget; "never" keeps none."""
    return not math.isnan(value) and value <= budget + 1e-9


def finding(cells: Cells, column: str, budget: float | None) -> str:
    """ "9 of 25 settings keep the budget of 8 s"."""
    seen = [value for value in cells.values() if not math.isnan(value)]
    if budget is not None:
        kept = sum(keeps(value, budget) for value in cells.values())
        bound = (
            f"{100 * budget:g} % false alarms"
            if column == "false_alarm"
            else f"{budget:g}{'' if column in ('pings', 'bytes') else ' s'}"
        )
        return f"{kept} of {len(cells)} settings keep the budget of {bound}"
    return (
        f"{len(cells)} settings: {unit(column)}, {words(min(seen), column)} to {words(max(seen), column)}"
        if seen
        else "nobody ever noticed"
    )


def alt_text(cells: Cells, x: str, y: str, column: str, budget: float | None, yours: Any) -> str:
    """The whole figure in words."""
    parts = [f"Landscape of {unit(column)} over {x} and {y}. {finding(cells, column, budget)}."]
    seen = {at: value for at, value in cells.items() if not math.isnan(value)}
    if seen:
        low, high = min(seen, key=lambda at: seen[at]), max(seen, key=lambda at: seen[at])
        parts.append(
            f"Least: {words(seen[low], column)} at {low[0]:g}, {low[1]:g}. Most: {words(seen[high], column)} at {high[0]:g}, {high[1]:g}."
        )
    if never := len(cells) - len(seen):
        parts.append(f"Never in {never} of them.")
    if (mine := _yours(yours)) is not None:
        parts.append(f"Your setting: {x} {mine[0]:g}, {y} {mine[1]:g}.")
    return " ".join(parts)


class Chart:
    """Cells of equal size, one for each pair of values; x and y count them from 0."""

    def __init__(self, ax: Axes, theme: palette.Theme, cells: Cells, column: str) -> None:
        self.ax, self.theme, self.cells, self.column = ax, theme, cells, column
        self.xs, self.ys = sorted({a for a, _ in cells}), sorted({b for _, b in cells})
        ax.set_xlim(-0.5, len(self.xs) - 0.5)
        ax.set_ylim(-0.5, len(self.ys) - 0.5)
        self.room = Room(ax, (-0.5, len(self.xs) - 0.5), (-0.5, len(self.ys) - 0.5))

    def draw(self, budget: float | None, yours: tuple[float, float] | None) -> None:
        """Cells, then the contour, then your setting on top."""
        seen = [value for value in self.cells.values() if not math.isnan(value)]
        low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
        place = (
            None if yours is None else (position(self.xs, yours[0]), position(self.ys, yours[1]))
        )
        for (a, b), value in self.cells.items():
            at = self.xs.index(a), self.ys.index(b)
            starred = (
                place is not None and abs(place[0] - at[0]) < 0.3 and abs(place[1] - at[1]) < 0.3
            )
            self.cell(at, value, (value - low) / (high - low) if high > low else 0.3, starred)
        if budget is not None:
            self.contour(budget)
        if place is not None:
            star: dict[str, Any] = {"mfc": self.theme.guess, "mec": self.theme.paper, "ms": 17}
            self.ax.plot(
                *[[p] for p in place], marker="*", **star, mew=1.2, zorder=6, clip_on=False
            )

    def cell(self, at: tuple[int, int], value: float, share: float, starred: bool) -> None:
        """One cell; its number moves aside for a star."""
        theme, never = self.theme, math.isnan(value)
        box = (at[0] - 0.5, at[1] - 0.5), 1, 1
        fill = theme.paper if never else blend(LOW, HIGH, share)
        hatch: dict[str, Any] = {"hatch": "////", "ec": theme.rule} if never else {}
        self.ax.add_patch(Rectangle(*box, fc=fill, lw=0, zorder=0.9, **hatch))
        self.ax.add_patch(Rectangle(*box, fc="none", ec=theme.paper, lw=1.2, zorder=1))
        text, size = words(value, self.column), 10.0
        if width(text, size) > self.room.dx - 6:
            size = 7.5
        if width(text, size) > self.room.dx - 3:
            return
        ink = theme.ink if never else max(WORDS, key=lambda colour: palette.contrast(colour, fill))
        y = at[1] - (0.3 if starred else 0.0)
        back = {"facecolor": fill, "edgecolor": "none", "pad": 1.0} if never else None
        self.ax.text(
            at[0],
            y,
            text,
            ha="center",
            va="center",
            fontsize=size,
            family=FAMILY,
            color=ink,
            zorder=4,
            bbox=back,
        )

    def contour(self, budget: float) -> None:
        """The line between those that keep the budget and those that do not: along edges, since nobody has looked between two settings."""
        kept = {
            (self.xs.index(a), self.ys.index(b)): keeps(value, budget)
            for (a, b), value in self.cells.items()
        }
        lines: Any = []
        for (i, j), inside in kept.items():
            if kept.get((i + 1, j), inside) != inside:
                lines.append([(i + 0.5, j - 0.5), (i + 0.5, j + 0.5)])
            if kept.get((i, j + 1), inside) != inside:
                lines.append([(i - 0.5, j + 0.5), (i + 0.5, j + 0.5)])
        for colour, wide, z in ((self.theme.paper, 5.5, 3), (self.theme.stuck, 2.8, 3.1)):
            self.ax.add_collection(
                LineCollection(
                    lines, colors=colour, linewidths=wide, capstyle="projecting", zorder=z
                ),
                autolim=False,
            )

    def axes(self, x: str, y: str, title: str, legend: str) -> None:
        """The values at the edges, what the numbers are, and the title."""
        ax, theme = self.ax, self.theme
        ax.set_xticks(
            range(len(self.xs)), [f"{value:g}" for value in self.xs], fontsize=10, family=FAMILY
        )
        ax.set_yticks(
            range(len(self.ys)), [f"{value:g}" for value in self.ys], fontsize=10, family=FAMILY
        )
        ax.tick_params(colors=theme.ink, length=0, pad=4)
        for spine in ax.spines.values():
            spine.set_visible(False)
        if isinstance(ax, picture.Picture):
            ax.set_facecolor("none")
        ax.set_xlabel(
            label(x), loc="left", fontsize=9.5, color=theme.ink, family=FAMILY, labelpad=3
        )
        ax.set_ylabel(label(y), loc="top", fontsize=9.5, color=theme.ink, family=FAMILY, labelpad=3)
        frame.title(ax, theme, title, self.room.right, pad=17)
        ax.annotate(
            legend, (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points",
            fontsize=8.5, family=FAMILY, color=theme.faint, ha="left", va="bottom",
        )  # fmt: skip


def label(name: str) -> str:
    """A parameter's name, with its unit."""
    return f"{name}, s"


def position(values: list[float], value: float) -> float:
    """Where a value stands among the cells: between two of them in proportion, never outside by more than half a cell."""
    if value <= values[0]:
        return -0.4 if value < values[0] else 0.0
    for n, (one, two) in enumerate(zip(values, values[1:])):
        if value <= two:
            return n + (value - one) / (two - one)
    return len(values) - 0.6


def blend(low: str, high: str, share: float) -> str:
    """A colour between two, as hex."""
    red, green, blue = (a + (b - a) * share for a, b in zip(to_rgb(low), to_rgb(high)))
    return to_hex((red, green, blue))
