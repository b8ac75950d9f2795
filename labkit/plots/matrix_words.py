"""A matrix in words: its rows and columns in their order, what a cell says, the title, the footnotes, the alt text. Pure; draws nothing.

A cell is a dict: version, implementation, python, situation, wire, verdict; noticed, closed, told (s, or None), cut and
heal (s), why for a hole, and raised, the type of the exception that told the application (or None).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .lineup_words import by_version
from .words import listed

SITUATIONS = {  # in their order; each with the lines above its columns
    "quiet": "quiet",
    "backlog below the mark": "backlog\nbelow the mark",
    "drain blocked before the ping": "drain() blocked\nbefore the ping",
    "ping before drain blocked": "ping, then\ndrain() blocked",
}
WIRES = {"ws": "ws", "wss server": "wss\nserver", "wss client": "wss\nclient"}
VERDICTS = {  # the sign and the word of each, and what it means
    "bounded": ("✓", "told", "CLOSED, and the application told, so long after the cut"),
    "late": ("◔", "late", "the same, but long after close_timeout"),
    "hangs": ("✕", "CLOSING", "hung in CLOSING until healed"),
    "never": ("✕", "OPEN", "OPEN until healed: never noticed"),
    "hole": ("–", "", "not run, for the reason below"),
}
UNTOLD = "closed"  # instead of told, where the application was not told
PROPER = (
    None,
    "ConnectionClosedError",
    "ConnectionClosedOK",
)  # what an application is told with; anything else is a bug, and marked
ODD = "†"
Vintage = tuple[str, str, str]  # version, implementation, python
Column = tuple[str, str]  # situation, wire


@dataclass(frozen=True)
class Grid:
    """Cells by vintage and column."""

    cells: dict[tuple[Vintage, Column], dict[str, Any]]

    @cached_property
    def rows(self) -> list[Vintage]:
        """The vintages: by implementation, then from old to new."""
        return sorted(
            {row for row, _ in self.cells},
            key=lambda row: (row[1], by_version(row[0]), by_version(row[2])),
        )

    @cached_property
    def columns(self) -> list[Column]:
        """The columns, situation by situation."""
        return sorted(
            {column for _, column in self.cells},
            key=lambda one: (_rank(SITUATIONS, one[0]), _rank(WIRES, one[1])),
        )

    @cached_property
    def reasons(self) -> list[str]:
        """Why there are holes, each reason once."""
        said = [
            cell["why"]
            for row in self.rows
            for column in self.columns
            if (cell := self.cells.get((row, column))) and _hole(cell)
        ]
        return list(dict.fromkeys(said))

    @cached_property
    def odd(self) -> list[str]:
        """The exceptions that should not reach an application, each once."""
        return sorted({str(cell["raised"]) for cell in self.cells.values() if _odd(cell)})

    def verdicts(self, rows: Iterable[Vintage] = ()) -> dict[str, int]:
        """How many cells of these rows (of all) end in each way."""
        some = set(rows) or set(self.rows)
        counts = dict.fromkeys(VERDICTS, 0)
        for (row, _), cell in self.cells.items():
            counts[cell["verdict"]] += row in some
        return counts


def _rank(order: Iterable[str], name: str) -> tuple[int, str]:
    known = list(order)
    return (known.index(name) if name in known else len(known), name)


def _hole(cell: dict[str, Any]) -> bool:
    return bool(cell["verdict"] == "hole")


def _odd(cell: dict[str, Any]) -> bool:
    return cell.get("raised") not in PROPER


def grid(cells: Any) -> Grid:
    """The cells in their places; a list of dicts or a DataFrame. Refuses what is not a cell, in a sentence."""
    rows = cells.to_dict("records") if hasattr(cells, "to_dict") else list(cells)
    found: dict[tuple[Vintage, Column], dict[str, Any]] = {}
    for row in rows:
        cell = {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in dict(row).items()
        }
        if missing := [
            key
            for key in ("version", "implementation", "python", "situation", "wire", "verdict")
            if not cell.get(key)
        ]:
            raise ValueError(f"a cell of the matrix lacks {listed(missing)}: {cell!r}")
        if cell["verdict"] not in VERDICTS:
            raise ValueError(f"a verdict is one of {', '.join(VERDICTS)}; seen {cell['verdict']!r}")
        if _hole(cell) and not cell.get("why"):
            raise ValueError(f"a hole says why: {cell!r}")
        key = (
            (str(cell["version"]), str(cell["implementation"]), str(cell["python"])),
            (str(cell["situation"]), str(cell["wire"])),
        )
        if key in found:
            raise ValueError(f"two cells for {', '.join((*key[0], *key[1]))}: draw one of each")
        found[key] = cell
    if not found:
        raise ValueError("matrix() takes at least one cell, seen none")
    return Grid(found)


def after(cell: dict[str, Any]) -> float | None:
    """How long after the cut it was over: the connection CLOSED and the application told, the later of the two (s)."""
    moments = [float(cell[key]) for key in ("told", "closed") if cell.get(key) is not None]
    return max(moments) - float(cell.get("cut") or 0.0) if moments else None


def said(cell: dict[str, Any], reasons: Sequence[str]) -> tuple[str, str]:
    """The two lines of a cell: the sign and the word, and a detail."""
    sign, word, _ = VERDICTS[cell["verdict"]]
    if _hole(cell):
        return f"{sign} {letter(reasons.index(cell['why']))}", ""
    mark = f" {ODD}" if _odd(cell) else ""
    if cell["verdict"] in ("hangs", "never"):
        return f"{sign} {'hangs' if cell['verdict'] == 'hangs' else 'never'}{mark}", word
    long = after(cell)
    return (
        f"{sign} {word if cell.get('told') is not None or word != 'told' else UNTOLD}{mark}",
        "" if long is None else f"{long:.1f} s",
    )


def letter(k: int) -> str:
    """The k-th footnote: a, b, c."""
    return chr(ord("a") + k) if k < 26 else str(k)


def finding(grid: Grid) -> str:
    """How many hang, how many never notice; and how many of the newest version do either."""
    counts = grid.verdicts()
    newest = max(grid.rows, key=lambda row: by_version(row[0]))[0]
    last = grid.verdicts(row for row in grid.rows if row[0] == newest)
    run, again = (sum(some.values()) - some["hole"] for some in (counts, last))
    if not run:
        return "No cell of this matrix was run"
    text = f"Of {run:,} connection{'s' * (run > 1)} that {'were' if run > 1 else 'was'} cut, {_stuck(counts)}"
    if again in (0, run) or not counts["hangs"] + counts["never"]:
        return text
    still = last["hangs"] + last["never"]
    return f"{text}; in {newest}, {f'still {still:,}' if still else 'none'} of {again:,}"


def _stuck(counts: dict[str, int]) -> str:
    verbs = {
        "hangs": ("hangs in CLOSING until healed", "hang in CLOSING until healed"),
        "never": ("never notices", "never notice"),
    }
    found = [
        f"{counts[key]:,} {many if counts[key] > 1 else one}"
        for key, (one, many) in verbs.items()
        if counts[key]
    ]
    return listed(found) or "none hangs"


def legend(grid: Grid) -> list[tuple[str, str]]:
    """The verdicts that occur, with what they mean; and the mark of a wrong exception, if there is one."""
    counts, when = grid.verdicts(), healed(grid)
    found = [
        (kind, meaning.replace("healed", f"healed{when}"))
        for kind, (_, _, meaning) in VERDICTS.items()
        if counts[kind]
    ]
    return found + [(ODD, f"told by {listed(grid.odd)} instead of ConnectionClosedError")] * bool(
        grid.odd
    )


def healed(grid: Grid) -> str:
    """ " (58.8 s after the cut)", if all cables were mended so long after; else nothing."""
    spans = {
        round(float(cell["heal"]) - float(cell.get("cut") or 0.0), 1)
        for cell in grid.cells.values()
        if cell.get("heal") is not None
    }
    return f" ({min(spans):g} s after the cut)" if len(spans) == 1 else ""


def name(row: Vintage) -> str:
    return f"{row[0]} {row[1]}, Python {row[2]}"


def alt_text(grid: Grid) -> str:
    """The whole matrix in words, row by row."""
    parts = [
        f"Matrix of {len(grid.rows)} vintages and {len(grid.columns)} situations. {finding(grid)}."
    ]
    for row in grid.rows:
        cells = [(column, grid.cells.get((row, column))) for column in grid.columns]
        words = [f"{' '.join(column)} {_words(cell)}" for column, cell in cells if cell]
        parts.append(f"{name(row)}: {'; '.join(words)}.")
    return " ".join(parts)


def _words(cell: dict[str, Any]) -> str:
    if _hole(cell):
        return f"not run, {cell['why']}"
    mark = f", told by {cell['raised']}" if _odd(cell) else ""
    if cell["verdict"] in ("hangs", "never"):
        return VERDICTS[cell["verdict"]][2] + mark
    long, word = after(cell), "told" if cell.get("told") is not None else UNTOLD
    word = "over" if mark else word
    return (
        cell["verdict"]
        if long is None
        else f"{cell['verdict']}, {word} {long:.1f} s after the cut{mark}"
    )
