"""The matrix: which vintage ends how in which situation; a cell each, of colour, sign and word.

                       quiet                  backlog below the mark
                       ws      wss server     ws          …
    14.1 asyncio       ✓ told  ✕ hangs        ✕ hangs
      Python 3.10      2.0 s   CLOSING        CLOSING
    14.2 threading     – a

The fills are those of the states in which a connection stands until the cable is mended: CLOSING
amber and hatched, believed OPEN pale green. It turns cells into marks and runs nothing; what a
table of cells is, and what it comes to, stands in cells.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from . import cells as words
from .axis import Axis
from .bars import Bar
from .cells import SITUATIONS, VERDICTS, WIRES, Table, Vintage
from .figure import Figure, figure
from .labels import CENTRE
from .layout import Panel, headroom
from .marks import Label, Mark, Path
from .widths import even, width, wrap

CELL, ROW, OVER, GAP = 57.0, 27.0, 112.0, 6.0  # points: a cell; a situation at least; after it
HEAD, NOTE, RIGHT = 56.0, 15.0, 10.0  # points: columns' names, a line of the legend, right margin
STRIPE = 5.0  # points; at the left of what does not end in time
FILLS = {"hangs": "CLOSING", "never": "believes OPEN", "hole": "not run"}
STRIPES = {"late": "late", "hangs": "hangs or never", "never": "hangs or never"}
LEFT = ((-8, 0, "right", "center"),)
SIZES = (8.5, 8.0, 7.5, 7.0)


@figure
def matrix(cells: Any) -> Figure:
    """What became of connections, vintages down and situations across.

    ``cells`` is a list of dicts (or a DataFrame) with version, implementation, python, situation,
    wire ("ws", "wss server", "wss client"), verdict ("bounded", "late", "hangs", "never", "hole"),
    told, closed, cut, heal (s or None), ``why`` for a hole, and ``raised`` (the type of the
    exception, or None): a cell whose program was told by a wrong one is marked.
    """
    grid = Table(cells)
    title, places = words.finding(grid), _places(grid)
    wide = max(sum(places[-1]), 3 * OVER)  # room for the legend
    left = 16 + max(width(f"{version} {kind}", 10, True) for version, kind, _ in grid.rows)
    notes = _notes(grid, wide)
    below, top = NOTE * (len(notes) + 0.6), headroom(title, wide + RIGHT - 4)
    body = below + ROW * len(grid.rows)
    marks = [*_columns(grid, places, body), *_legend(notes, below)]
    for number, row in enumerate(grid.rows):
        low = body - ROW * (number + 1)
        if number and grid.rows[number - 1][1] != row[1]:
            marks.append(Path(((-8, low + ROW), (wide, low + ROW)), "rule", 1.0, z=1.0))
        marks += _row(grid, row, places, low)
    panel = Panel(Axis(0.0, wide), Axis(0.0, body + HEAD), tuple(marks))
    kind = f"Matrix of {len(grid.rows)} vintages and {len(grid.columns)} situations"
    size = (left + wide + RIGHT) / 72, (body + HEAD + top + 6) / 72
    return Figure(title, (panel,), (), kind, size, (left, 6.0, RIGHT, top))


def _places(grid: Table) -> list[tuple[float, float]]:
    """Where each column begins, and how wide it is (points)."""
    found, x = [], 0.0
    for _, group in groupby(grid.columns, key=lambda column: column[0]):
        count = len(list(group))
        each = max(CELL, OVER / count)
        found += [(x + each * k, each) for k in range(count)]
        x += each * count + GAP
    return found


def _written(x: float, y: float, text: str, size: float = 8.5, **look: Any) -> Label:
    return Label(x, y, wordings=(text,), sizes=(size,), **{"places": CENTRE, **look})


def _columns(grid: Table, places: list[tuple[float, float]], top: float) -> Iterator[Mark]:
    """The situations, and under each its wires."""
    columns = zip(places, grid.columns)
    for situation, group in groupby(columns, key=lambda one: one[1][0]):
        row = list(group)
        a, b = row[0][0][0], sum(row[-1][0])
        text = even(SITUATIONS.get(situation, situation), 10, b - a, True)
        yield _written((a + b) / 2, top + 40, text, 10.0, bold=True)
        yield Path(((a + 1, top + 25), (b - 1, top + 25)), "rule", 1.2)
        for (x, each), (_, wire) in row:
            yield _written(x + each / 2, top + 12, WIRES.get(wire, wire), line=1.1)


def _row(
    grid: Table, row: Vintage, places: list[tuple[float, float]], low: float
) -> Iterator[Mark]:
    """One vintage: its name, and its cells."""
    version, implementation, python = row
    name, clause = f"{version} {implementation}", words.says(grid, row)
    yield _written(0, low + ROW * 0.67, name, 10.0, bold=True, says=clause, places=LEFT)
    yield _written(0, low + ROW * 0.27, f"Python {python}", places=LEFT)
    for column, cell in grid.row(row):
        x, each = places[grid.columns.index(column)]
        high, text = (low + 1.5, low + ROW - 1.5), words.said(cell, grid.reasons)
        yield from _box(cell["verdict"], x + 1.5, x + each - 1.5, high, text)


def _box(
    verdict: str, begin: float, end: float, lane: tuple[float, float], text: str
) -> Iterator[Mark]:
    """A cell in the fill of its verdict; at its left a stripe, if it did not end in time."""
    stripe = STRIPES.get(verdict)
    if stripe is not None:
        yield Bar(begin, begin + STRIPE, lane, stripe)
        begin += STRIPE
    yield Bar(begin, end, lane, FILLS.get(verdict, "told"), wordings=(text,), sizes=SIZES)


# the legend


def _notes(grid: Table, wide: float) -> list[tuple[str, str]]:
    """The lines under the matrix: a verdict, a sign or nothing, and words."""
    found = words.legend(grid)
    for number, why in enumerate(grid.reasons):
        first, *more = wrap(why, 9, wide - 30).split("\n")
        found += [(words.letter(number), first), *(("", line) for line in more)]
    return found


def _legend(notes: list[tuple[str, str]], below: float) -> Iterator[Mark]:
    """What signs and fills mean, and why there are holes."""
    for number, (key, text) in enumerate(notes):
        y = below - NOTE * (number + 1.1)
        if key in VERDICTS:
            yield from _box(key, 1.5, 25.5, (y - 5.5, y + 5.5), VERDICTS[key][0])
        elif key:
            yield _written(13.5, y, key, bold=True)
        yield _written(32, y, text, 9.0, places=((0, 0, "left", "center"),))
