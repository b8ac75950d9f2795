"""The cells of a matrix: rows and columns in their order, what a cell says, what all come to.

A cell is a dict: version, implementation, python, situation, wire, verdict; noticed, closed, told
(s, or None), cut and heal (s), why for a hole, and raised, the type of the exception that told the
program (or None). Nothing here draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from .ends import listed, plural
from .lineup_lanes import by_version

SITUATIONS = {  # in their order; what stands above their columns
    "quiet": "quiet",
    "backlog below the mark": "backlog below the mark",
    "drain blocked before the ping": "drain() blocked before the ping",
    "ping before drain blocked": "ping, then drain() blocked",
}
WIRES = {"ws": "ws", "wss server": "wss\nserver", "wss client": "wss\nclient"}
VERDICTS = {  # the sign and the two lines of each, and what it means
    "bounded": ("✓", "told", "", "CLOSED, and the program told, so long after the cut"),
    "late": ("◔", "late", "", "the same, but long after close_timeout"),
    "hangs": ("✕", "hangs", "CLOSING", "hung in CLOSING until healed"),
    "never": ("✕", "never", "OPEN", "OPEN until healed: never noticed"),
    "hole": ("–", "", "", "not run, for the reason below"),
}
STUCK = {  # in the title, of one and of many
    "hangs": ("hangs in CLOSING until healed", "hang in CLOSING until healed"),
    "never": ("never notices", "never notice"),
}
NEEDED = ("version", "implementation", "python", "situation", "wire", "verdict")
PROPER = (None, "ConnectionClosedError", "ConnectionClosedOK")  # else it was told by a bug
ODD = "†"
Cell = dict[str, Any]
Vintage = tuple[str, str, str]  # version, implementation, python
Column = tuple[str, str]  # situation, wire


class Table:
    """Cells by vintage and column, in their order; refuses what is not a cell, in a sentence."""

    def __init__(self, cells: Any) -> None:
        found: dict[tuple[Vintage, Column], Cell] = {}
        for row in cells.to_dict("records") if hasattr(cells, "to_dict") else cells:
            cell = {key: value for key, value in row.items() if value == value}  # no nan
            _check(cell)
            version, implementation, python, situation, wire = (str(cell[k]) for k in NEEDED[:-1])
            place = (version, implementation, python), (situation, wire)
            if place in found:
                raise ValueError(
                    f"two cells for {', '.join((*place[0], *place[1]))}: draw one of each"
                )
            found[place] = cell
        if not found:
            raise ValueError("matrix() takes at least one cell, seen none")
        # by implementation, then from old to new; situation by situation, the unknown last
        rows, columns = {row for row, _ in found}, {column for _, column in found}
        self.rows = sorted(rows, key=lambda row: (row[1], by_version(row[0]), by_version(row[2])))
        self.columns = sorted(
            columns, key=lambda one: (_rank(SITUATIONS, one[0]), _rank(WIRES, one[1]), one)
        )
        order = [(row, column) for row in self.rows for column in self.columns]
        self.cells = {place: found[place] for place in order if place in found}
        holes = (cell["why"] for cell in self.cells.values() if cell["verdict"] == "hole")
        self.reasons = list(dict.fromkeys(holes))  # each once

    def row(self, row: Vintage) -> list[tuple[Column, Cell]]:
        """The cells of a vintage that there are, in the order of the columns."""
        return [(column, cell) for (one, column), cell in self.cells.items() if one == row]


def _rank(known: Iterable[str], name: str) -> int:
    """The place of a name in an order; the last if it is not known."""
    return [*known, name].index(name)


def _check(cell: Cell) -> None:
    missing = [key for key in NEEDED if not cell.get(key)]
    if missing:
        raise ValueError(f"a cell of the matrix lacks {listed(missing)}: {cell!r}")
    if cell["verdict"] not in VERDICTS:
        raise ValueError(f"a verdict is one of {', '.join(VERDICTS)}; seen {cell['verdict']!r}")
    if cell["verdict"] == "hole" and not cell.get("why"):
        raise ValueError(f"a hole says why: {cell!r}")


# in words


def said(cell: Cell, reasons: Sequence[str]) -> str:
    """The one or two lines of a cell: the sign and the word, and a detail."""
    sign, word, detail, _ = VERDICTS[cell["verdict"]]
    if cell["verdict"] == "hole":
        return f"{sign} {letter(reasons.index(cell['why']))}"
    if word == "told" and cell.get("told") is None:
        word = "closed"
    long, odd = _after(cell), f" {ODD}" if _is_odd(cell) else ""
    if not detail and long is not None:
        detail = f"{long:.1f} s"
    return f"{sign} {word}{odd}\n{detail}".strip()


def _after(cell: Cell) -> float | None:
    """How long after the cut it was CLOSED and its program told, the later of the two (s)."""
    moments = [float(cell[key]) for key in ("told", "closed") if cell.get(key) is not None]
    return max(moments) - float(cell.get("cut") or 0.0) if moments else None


def _is_odd(cell: Cell) -> bool:
    return cell.get("raised") not in PROPER


def letter(number: int) -> str:
    """The footnotes: a, b, c."""
    return chr(ord("a") + number) if number < 26 else str(number)


def finding(grid: Table) -> str:
    """How many hang, how many never notice; and how many of the newest version do either."""
    newest = max((row[0] for row in grid.rows), key=by_version)
    run = {place: cell["verdict"] for place, cell in grid.cells.items()}
    run = {place: verdict for place, verdict in run.items() if verdict != "hole"}
    counts = Counter(run.values())
    last = Counter(verdict for (row, _), verdict in run.items() if row[0] == newest)
    if not run:
        return "No cell of this matrix was run"
    stuck = [(counts[key], words) for key, words in STUCK.items() if counts[key]]
    those = [f"{count:,} {one if count == 1 else many}" for count, (one, many) in stuck]
    were = "was" if len(run) == 1 else "were"
    text = f"Of {plural(len(run), 'connection')} that {were} cut, {listed(those) or 'none hangs'}"
    if last.total() in (0, len(run)) or not stuck:
        return text
    still = last["hangs"] + last["never"]
    return f"{text}; in {newest}, {f'still {still:,}' if still else 'none'} of {last.total():,}"


def legend(grid: Table) -> list[tuple[str, str]]:
    """The verdicts that occur, with what they mean; and the mark of a wrong exception."""
    cells = grid.cells.values()
    verdicts, heals = {cell["verdict"] for cell in cells}, [c for c in cells if c.get("heal")]
    spans = {round(float(cell["heal"]) - float(cell.get("cut") or 0.0), 1) for cell in heals}
    healed = f"healed ({min(spans):g} s after the cut)" if len(spans) == 1 else "healed"
    found = [
        (key, VERDICTS[key][-1].replace("healed", healed)) for key in VERDICTS if key in verdicts
    ]
    odd = sorted({str(cell["raised"]) for cell in cells if _is_odd(cell)})
    if odd:
        found.append((ODD, f"told by {listed(odd)} instead of ConnectionClosedError"))
    return found


def says(grid: Table, row: Vintage) -> str:
    """A row in words."""
    words = [f"{' '.join(column)} {_clause(cell)}" for column, cell in grid.row(row)]
    return f"{row[0]} {row[1]}, Python {row[2]}: {'; '.join(words)}"


def _clause(cell: Cell) -> str:
    if cell["verdict"] == "hole":
        return f"not run, {cell['why']}"
    odd = f", told by {cell['raised']}" if _is_odd(cell) else ""
    if cell["verdict"] in STUCK:
        return VERDICTS[cell["verdict"]][-1] + odd
    long, word = _after(cell), "closed" if cell.get("told") is None else "told"
    when = "" if long is None else f", {'over' if odd else word} {long:.1f} s after the cut"
    return f"{cell['verdict']}{when}{odd}"
