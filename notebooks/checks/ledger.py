"""The learner's own ledger: every guess that was settled, and how well calibrated they are.

It is a file in the folder of the notebooks, one line a question. The first answer to a question
counts: a guess that was settled is not replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
from itertools import groupby
from pathlib import Path
from typing import Any

from labkit.trace.files import whole

from .answers import Number

LEDGER = "my-guesses.jsonl"


class Ledger:
    """The guesses and what was true, in a file."""

    def __init__(self, path: str | os.PathLike[str] = LEDGER) -> None:
        self.path = Path(path)

    def entries(self) -> dict[str, dict[str, Any]]:
        """Every question with its guess, its fact, and whether the guess was right."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
            rows = [json.loads(line) for line in lines]
            return {row["question"]: row for row in rows}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def keep(self, question: str, given: Any, fact: Any, right: bool) -> None:
        """Write an entry, unless there is one; a folder that cannot be written to loses it."""
        rows = self.entries()
        rows.setdefault(question, dict(question=question, guess=given, fact=fact, right=right))
        with contextlib.suppress(OSError), whole(self.path) as draft:
            text = "".join(json.dumps(row) + "\n" for row in rows.values())
            draft.write_text(text, encoding="utf-8")


def calibration(ledger: Ledger | None = None) -> None:
    """Say how good the guesses have been so far, by notebook, and where wrong numbers went."""
    rows = list((ledger or Ledger()).entries().values())
    if not rows:
        print("no guesses in your ledger yet: they are kept when a run settles them")
        return
    for book, group in groupby(sorted(rows, key=_book), key=_book):
        many = list(group)
        hits = sum(map(was_right, many))
        dots = "●" * hits + "○" * (len(many) - hits)
        print(f"notebook {book:4}{hits:3} of {len(many):2} right  {dots}")
    print(f"all together {sum(map(was_right, rows)):3} of {len(rows):2} right")
    _direction([row for row in rows if not was_right(row) and _both_numbers(row)])


def _book(row: dict[str, Any]) -> str:
    return str(row["question"])[:2]


def was_right(row: dict[str, Any]) -> bool:
    """What settlement said; a ledger of an older lab does not say, so that its numbers do."""
    if "right" in row:
        return bool(row["right"])
    same = bool(row["guess"] == row["fact"])
    return Number().right(row["guess"], row["fact"]) if _both_numbers(row) else same


def _both_numbers(row: dict[str, Any]) -> bool:
    return all(isinstance(row[name], (int, float)) for name in ("guess", "fact"))


def _direction(wrong: list[dict[str, Any]]) -> None:
    ratios = [row["guess"] / row["fact"] for row in wrong if row["fact"]]
    if not ratios:
        return
    small = sum(ratio < 1 for ratio in ratios)
    typical = statistics.median(ratios)
    print(
        f"wrong numbers: {small} too small, {len(ratios) - small} too large;"
        f" the typical one was {typical:.2g} × the fact"
    )
