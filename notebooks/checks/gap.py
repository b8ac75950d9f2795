"""One situation on many versions, live where they are, else as recorded; and logs to compare."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from string import ascii_uppercase

from labkit import Hole, Trace, Vintage
from labkit.engine.progress import Bar
from labkit.versions import matrix
from labkit.versions.matrix_cells import Cell, clock_of
from labkit.versions.standins import RECORD, lane
from labkit.wires import browser


@dataclass(frozen=True)
class Lanes:
    """One situation on some vintages, A, B, C …: a trace or a hole of each, and its cell."""

    traces: list[Trace | Hole]
    cells: list[Cell]

    @property
    def hanging(self) -> str:
        """The letters of those in CLOSING until the cable is mended: "AB", or "none"."""
        rows = zip(ascii_uppercase, self.cells)
        return "".join(letter for letter, cell in rows if cell["verdict"] == "hangs") or "none"


def side_by_side(situation: str, wire: str, vintages: Sequence[Vintage]) -> Lanes:
    """Run a situation on each vintage, or take it from the record; prints which of the two."""
    lanes = Lanes([], [])
    with browser.threads(2) as pool, Bar(len(vintages), things="vintages") as bar:
        found = pool.map(lambda one: lane(situation, wire, one), vintages)
        for letter, (trace, cell, source) in zip(ascii_uppercase, found):
            print(f"{letter}  {cell['version']:5} on Python {cell['python']}: {source}")
            lanes.traces.append(trace)
            lanes.cells.append(cell)
            bar.advance()
    return lanes


def selection() -> list[Cell]:
    """What the letter is about: asyncio around 14.2, and the newest of the others."""
    header, cells = matrix.recorded()
    newest = header["websockets"][-1]
    shown = {*product(["asyncio"], ["13.1", "14.1", "14.2", newest], ["3.10", RECORD])}
    shown |= {*product(["legacy", "threading", "trio"], [newest], [RECORD])}
    return [
        cell
        for cell in cells
        if (kind := cell["implementation"], cell["version"], cell["python"]) in shown
        and cell["clock"] == clock_of(Vintage(implementation=kind))
    ]


# the log


def log_lines(
    trace: Trace, end: str = "server", begin: float = 0.0, stop: float = math.inf, data: bool = True
) -> list[str]:
    """The log from ``begin`` to ``stop`` (s), without payloads; messages in a row are one line."""
    lines: list[str] = []
    rows = [row for row in _rows(trace.log(end)) if begin <= row[0] <= stop]
    for text, group in groupby(rows, key=lambda row: row[1]):
        times = [t for t, _ in group]
        if "BINARY" not in text:
            lines += [f"{t:9.3f} {text}" for t in times]
        elif data:
            more = f", {len(times)} times, until {times[-1]:.3f}" if len(times) > 1 else ""
            lines.append(f"{times[0]:9.3f} {text}{more}")
    return lines


def _rows(log: list[str]) -> Iterator[tuple[float, str]]:
    """(s, what a line says without a payload), from OPEN on."""
    opened = next(k for k, line in enumerate(log) if "= connection is OPEN" in line)
    for line in log[opened:]:
        text = re.sub(r"(?<=[<>] )(PING|PONG|BINARY) .*\[(\w+, )?", r"\1 [", line[10:])
        if text != "connection open":
            yield float(line[:9]), text
