"""Ledgers that were collected, and rooms that were saved, counted like votes.

A ledger is one learner's: the first answer to a question counts, once. In what a room has saved,
each line has a count.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checks.answers import Number
from checks.catalogue import find
from checks.ledger import was_right
from checks.questions import Question
from checks.workshop import AGAIN, POLLS, Choice

from ..trace.files import whole
from .pages import page
from .tally import Histogram

ASKED = {poll.id: poll for poll in POLLS}
MOST = 1000  # votes on one line


def main(args: argparse.Namespace) -> int:
    """Print a histogram of each question; 1 if a line was skipped."""
    count = Count()
    for path in args.files:
        count.ledger(path)
    for path in args.room:
        count.room(path)
    found = histograms(count.votes)
    print(*found, sep="\n\n")
    print(*count.skipped, sep="\n", file=sys.stderr)
    if args.html:
        with whole(args.html) as draft:
            draft.write_text(page("merged.html", histograms=found), encoding="utf-8")
        print(f"\nwritten {args.html}")
    return 1 if count.skipped else 0


class Count:
    """The votes of many files, and the lines that were skipped."""

    def __init__(self) -> None:
        self.votes: Counter[tuple[str, Choice]] = Counter()  # the id on the line, and the choice
        self.skipped: list[str] = []

    def ledger(self, path: Path) -> None:
        """Count a learner's file."""
        seen = set()
        for where, id, choice, _ in self._rows(path):
            if id in seen:
                self.skipped.append(f"{where}: skipped a second answer to {id!r}")
            else:
                seen.add(id)
                self.votes[id, choice] += 1

    def room(self, path: Path) -> None:
        """Count what a room has saved."""
        for where, id, choice, count in self._rows(path):
            if type(count) is int and 0 < count <= MOST:
                self.votes[id, choice] += count
            else:
                self.skipped.append(f"{where}: expected a count, 1 to {MOST}; seen {count!r}")

    def _rows(self, path: Path) -> Iterator[tuple[str, str, Choice, Any]]:
        """Where a line stands, its question's id, what was chosen, and its count."""
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            where = f"{path}, line {number}"
            try:
                row = json.loads(line)
                found = where, row["question"], chosen(row), row.get("count")
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
                self.skipped.append(f"{where}: skipped, it is no guess of the lab: {problem}")
            else:
                yield found


def chosen(row: dict[str, Any]) -> Choice:
    """What a line says; a number that is near a poll's choice is that choice."""
    question = asked(row["question"])
    answer: Any = question.answer
    value = answer.read(row["guess"])
    if value is None:
        raise ValueError(f"expected {answer.wanted}; seen {row['guess']!r}")
    poll = ASKED.get(question.id)
    if poll is not None:
        near = (choice for choice in poll.choices if answer.right(value, choice.value))
        return next(near, None) or poll.choice(value)
    right, mute = was_right(row), callable(question.beliefs)  # of which the run is not here
    beliefs = () if right or mute else tuple(question.believed(None, value))
    return Choice(value, answer.said(value), right, beliefs)


def asked(id: str) -> Question:
    """The question with this id, a poll's first; its second vote is its own."""
    id = id.removesuffix(AGAIN)
    return ASKED[id].question if id in ASKED else find(id, "QUESTIONS")


def histograms(votes: Counter[tuple[str, Choice]]) -> list[Histogram]:
    """One for each question that has votes, in the order of the notebooks."""
    return [histogram(id, votes) for id in sorted({id.removesuffix(AGAIN) for id, _ in votes})]


def histogram(id: str, votes: Counter[tuple[str, Choice]]) -> Histogram:
    """Of one question: a poll's choices and whatever else was answered; numbers by size."""
    offered = ASKED[id].choices if id in ASKED else ()
    voted = (choice for name, choice in votes if name.removesuffix(AGAIN) == id)
    choices = list(dict.fromkeys([*offered, *voted]))
    if isinstance(asked(id).answer, Number):
        choices.sort(key=lambda choice: choice.value)
    names = id, id + AGAIN
    return Histogram(id, [(one, [votes[name, one] for name in names]) for one in choices])
