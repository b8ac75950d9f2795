"""The matrix: which vintage ends how in which situation; a cell each, of colour, sign and word. It draws; it runs nothing.

                       quiet                  backlog below the mark
                       ws      wss server     ws          …
    14.1 asyncio       ✓ told  ✕ hangs        ✕ hangs
      Python 3.10      2.0 s   CLOSING        CLOSING
    14.2 threading     – a

The fills are those of the states in which a connection stands until the cable is mended: CLOSED hollow, CLOSING amber and
hatched, believed OPEN pale green. Words are in matrix_words.py.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from . import palette, picture
from .frame import bare, headline, headroom
from .matrix_words import (
    SITUATIONS,
    VERDICTS,
    WIRES,
    Grid,
    Vintage,
    alt_text,
    finding,
    grid,
    legend,
    letter,
    said,
)
from .room import FAMILY, Room, extent, width, wrap

CELL, ROW, OVER, GAP = (
    57.0,
    27.0,
    112.0,
    6.0,
)  # points: a cell; at least so wide is a situation, and the gap after it
HEAD, NOTE, RIGHT = (
    56.0,
    15.0,
    10.0,
)  # points: the names of the columns, a line of the legend, the right margin
STRIPES = {
    "late": "closing",
    "hangs": "stuck",
    "never": "stuck",
}  # at the left of what does not end in time: colours of the theme
WORDS = 8.5  # size of a cell's first line


def matrix(
    cells: Any,
    *,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw what became of connections, vintages down and situations across, and return the Axes.

    ``cells`` is a list of dicts (or a DataFrame) with version, implementation, python, situation, wire ("ws", "wss server",
    "wss client"), verdict ("bounded", "late", "hangs", "never", "hole"), told, closed, cut, heal (s or None), ``why`` for a hole, and
    ``raised`` (the type of the exception, or None): a cell whose application was told by a wrong one is marked.
    """
    table, colours = grid(cells), palette.theme(theme)
    drawing = Drawing(table, colours)
    title = finding(table)
    if ax is None:
        left = 16 + max(width(f"{version} {kind}", 10, True) for version, kind, _ in table.rows)
        wide, top = left + drawing.wide + RIGHT, headroom(title, drawing.wide)
        ax = picture.new(
            size or (wide / 72, (drawing.high + top + 6) / 72), colours, (left, 6, RIGHT, top)
        )
    drawing.draw(ax, title)
    ax.alt = alt_text(table)  # type: ignore[attr-defined]
    return ax


class Drawing:
    """The drawing of one matrix, in points from the lower left corner of the Axes."""

    def __init__(self, table: Grid, theme: palette.Theme) -> None:
        self.table, self.theme = table, theme
        self.left: list[float] = []  # of each column
        self.cell: list[float] = []  # its width
        x = 0.0
        for _, group in groupby(table.columns, key=lambda column: column[0]):
            count = len(list(group))
            each = max(CELL, OVER / count)
            self.left += [x + each * k for k in range(count)]
            self.cell += [each] * count
            x += each * count + GAP
        self.wide = max(x - GAP, 3 * OVER)  # room for the legend
        self.notes = self._notes()
        self.below = NOTE * (len(self.notes) + 0.6)
        self.body = ROW * len(table.rows)
        self.high = self.below + self.body + HEAD

    def draw(self, ax: Axes, title: str) -> None:
        """Rows, columns, cells, and what they mean."""
        self.ax = ax
        ax.set_xlim(0, self.wide)
        ax.set_ylim(0, self.high)
        bare(ax, self.theme)
        self.columns()
        for k, row in enumerate(self.table.rows):
            self.row(
                row,
                self.below + self.body - ROW * (k + 1),
                first=k == 0 or self.table.rows[k - 1][1] != row[1],
            )
        self.legend()
        headline(ax, self.theme, title, Room(ax, (0, self.wide), (0, self.high)).right)

    def write(
        self, text: str, x: float, y: float, points: float, colour: str = "", **style: Any
    ) -> None:
        """One text, in the middle of a place unless ``style`` says otherwise."""
        style = {"ha": "center", "va": "center", "linespacing": 1.1, **style}
        self.ax.text(
            x,
            y,
            text,
            fontsize=points,
            family=FAMILY,
            color=colour or self.theme.ink,
            clip_on=False,
            zorder=4,
            **style,
        )

    def columns(self) -> None:
        """The situations, and under each its wires."""
        top = self.below + self.body
        for situation, group in groupby(
            zip(self.left, self.cell, self.table.columns), key=lambda one: one[2][0]
        ):
            places = list(group)
            a, b = places[0][0], places[-1][0] + places[-1][1]
            self.write(
                _fitting(SITUATIONS.get(situation, situation), b - a),
                (a + b) / 2,
                top + 40,
                10,
                weight="bold",
            )
            self.ax.plot([a + 1, b - 1], [top + 25, top + 25], color=self.theme.rule, lw=1.2)
            for x, wide, (_, wire) in places:
                self.write(WIRES.get(wire, wire), x + wide / 2, top + 12, 8.5)

    def row(self, row: Vintage, low: float, first: bool) -> None:
        """One vintage: its name, and its cells."""
        version, implementation, python = row
        style: dict[str, Any] = {"ha": "right"}
        self.write(f"{version} {implementation}", -8, low + ROW * 0.67, 10, weight="bold", **style)
        self.write(f"Python {python}", -8, low + ROW * 0.27, 8.5, **style)
        if first and low + ROW < self.below + self.body - 1:
            self.ax.plot(
                [-8, self.wide],
                [low + ROW, low + ROW],
                color=self.theme.rule,
                lw=1.0,
                zorder=1,
                clip_on=False,
            )
        for x, wide, column in zip(self.left, self.cell, self.table.columns):
            cell = self.table.cells.get((row, column))
            if cell is not None:
                first_line, second = said(cell, self.table.reasons)
                self.box(cell["verdict"], x + 1.5, low + 1.5, wide - 3, ROW - 3)
                self.lines(
                    cell["verdict"],
                    first_line,
                    second,
                    x + wide / 2 + 2.5 * (cell["verdict"] in STRIPES),
                    low + ROW / 2,
                )

    def box(self, verdict: str, x: float, y: float, wide: float, high: float) -> None:
        """The fill of a verdict: that of the state in which the connection stands."""
        theme, add = self.theme, self.ax.add_patch
        if verdict == "hole":
            add(
                Rectangle(
                    (x, y), wide, high, fc="none", ec=theme.rule, lw=0.9, ls=(0, (3, 3)), zorder=2
                )
            )
        elif verdict == "hangs":
            add(
                Rectangle(
                    (x, y),
                    wide,
                    high,
                    fc=theme.closing,
                    ec=theme.paper,
                    hatch="////",
                    lw=0,
                    zorder=2,
                )
            )
            add(Rectangle((x, y), wide, high, fc="none", ec=theme.closing, lw=1.3, zorder=3))
        elif verdict == "never":
            add(Rectangle((x, y), wide, high, fc=theme.belief, ec=theme.open, lw=1.4, zorder=2))
        else:
            add(Rectangle((x, y), wide, high, fc=theme.paper, ec=theme.rule, lw=1.2, zorder=2))
        if verdict in STRIPES:
            add(Rectangle((x, y), 5, high, fc=getattr(theme, STRIPES[verdict]), lw=0, zorder=3.5))

    def lines(self, verdict: str, first: str, second: str, x: float, y: float) -> None:
        """The two lines of a cell."""
        theme, style = self.theme, dict[str, Any]()
        colour = {"hangs": theme.on_closing, "never": theme.on_belief, "hole": theme.faint}.get(
            verdict, theme.ink
        )
        if verdict == "hangs":
            style["bbox"] = {"facecolor": theme.closing, "edgecolor": "none", "pad": 0.8}
        weight = "bold" if verdict in ("hangs", "never", "late") else "normal"
        self.write(first, x, y + (5.2 if second else 0), WORDS, colour, weight=weight, **style)
        if second:
            self.write(second, x, y - 5.8, 7.5, colour, **style)

    def _notes(self) -> list[tuple[str, str]]:
        """The lines under the matrix, as (a verdict, a letter or "", words)."""
        found = [*legend(self.table)]
        for k, why in enumerate(self.table.reasons):
            lines = wrap(why, 9, self.wide - 30).split("\n")
            found += [(letter(k) if n == 0 else "", line) for n, line in enumerate(lines)]
        return found

    def legend(self) -> None:
        """What signs and fills mean, and why there are holes."""
        for k, (key, words) in enumerate(self.notes):
            y = self.below - NOTE * (k + 1.1)
            if key in VERDICTS:
                self.box(key, 1.5, y - 5.5, 24, 11)
            sign = VERDICTS[key][0] if key in VERDICTS else key
            self.write(
                sign,
                15 if key in STRIPES else 13.5,
                y,
                8.5,
                self.theme.on_closing if key == "hangs" else "",
                weight="bold",
            )
            self.write(words, 32, y, 9, ha="left")


def _fitting(text: str, wide: float) -> str:
    """The text in lines that fit over its columns."""
    return (
        text if extent(text, 10, True)[0] <= wide else wrap(text.replace("\n", " "), 10, wide, True)
    )
