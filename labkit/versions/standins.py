"""A cell of the matrix on any machine: run where the vintage is here, else as it was recorded.

    trace, cell, source = lane("quiet", "ws", Vintage("14.1"))     # source: "live", or "recorded …"

The record knows four Pythons; a cell on another one has that of the record, if both went alike.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from ..trace import Trace
from ..trace.recordings import recorded
from . import Hole, Vintage, matrix
from .matrix_cells import VERDICTS, Cell, key, measure

RECORD = "3.11"  # the Python of most recorded traces
MOMENTS = ("noticed", "closed", "told", "raised")  # runs that have them in common went alike


def lane(situation: str, wire: str, vintage: Vintage) -> tuple[Trace | Hole, Cell, str]:
    """One cell: its trace, or a Hole that says what the record knows; its moments; its source."""
    ((cell, trace),) = measure(vintage, [(situation, wire)])
    if isinstance(trace, Trace):
        return trace, cell, "live"
    why, known = trace.why.split(": ")[0], known_cell(cell)
    hole = Hole(vintage, f"{why}; the recorded matrix says: {VERDICTS[known['verdict']]}")
    date = matrix.recorded()[0]["date"][:10]
    return known_trace(cell) or hole, known, f"recorded on {date} ({why})"


def known_cell(cell: Cell) -> Cell:
    """The recorded cell that stands for one which cannot be run here; itself if there is none."""
    known = {key(one): one for one in matrix.recorded()[1]}
    return next((known[key(one)] for one in _pythons(cell) if key(one) in known), cell)


def known_trace(cell: Cell) -> Trace | None:
    """The recorded trace of a cell, or of the same on another Python that went alike, if any."""
    mine = known_cell(cell)
    for one in _pythons(mine):
        other = known_cell(one)
        with contextlib.suppress(FileNotFoundError):
            if all(other[what] == mine[what] for what in MOMENTS):
                trace = recorded(f"matrix/{key(other)}")
                label = f"{trace.header['vintage']} (recorded)"
                return replace(trace, header={**trace.header, "vintage": label})
    return None


def _pythons(cell: Cell) -> Iterator[Cell]:
    """A cell on its own Python, and on that of the record."""
    for python in (cell["python"], RECORD):
        yield {**cell, "python": python}
