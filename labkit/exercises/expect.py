"""An expectation: a word out of a few, or a number, locked before the run and settled by what the run shows.

    carries = expect("01 what a pong carries", carries, among=("nothing", "the time"))
    settle_one(carries, "nothing", {"the time": "no clock is sent"})

It says the same sentences as a ``guess`` about a cut, and is kept in the same ledger. What is ``...`` is left open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import is_number, one_of
from .guess import Ledger

NEAR = 0.02  # of the fact: as near as this, a number is right


@dataclass(frozen=True)
class Expectation:
    """What a learner expects as the answer to one question; None: nothing yet."""

    question: str
    value: str | float | None = None
    unit: str = ""
    among: tuple[str | int, ...] = ()

    @property
    def made(self) -> bool:
        """Whether there is anything in it."""
        return self.value is not None

    def __repr__(self) -> str:
        if self.value is None:
            return "no guess made (yet): replace the ... above by what you expect"
        return f"your guess is locked: {self.said(self.value)}"

    def said(self, value: str | float | None) -> str:
        """A value as a sentence says it: a word as it is, a number with its unit."""
        return (
            f"{value:g} {self.unit}".strip()
            if isinstance(value, float)
            else f"{value} {self.unit}".strip()
        )


def expect(
    question: str, given: Any = ..., among: tuple[str, ...] | tuple[int, ...] = (), unit: str = ""
) -> Expectation:
    """Lock one answer ``among`` a few, or, without them, a number with its ``unit``; what cannot be meant is left open."""
    made = Expectation(question, _usable(given, among, unit), unit, among)
    print(made)
    return made


def _usable(given: Any, among: tuple[Any, ...], unit: str) -> str | float | None:
    if given is ... or (given is None and "none" not in among):
        return None
    if (answer := one_of(given, among)) is not None:
        return answer
    if not among and is_number(given):
        return float(given)
    wanted = (
        " or ".join(map(repr, among))
        if among
        else f"a number {f'({unit})' if unit else ''}".strip()
    )
    print(f"expected {wanted}; seen {given!r}, so it is left open")
    return None


def settle_one(
    made: Expectation, fact: str | float | None, why: Mapping[str | float, str] | None = None
) -> None:
    """Say what became of an expectation; ``why`` holds, by value, what is wrong (or right) about a belief."""
    name = made.question.split(" ", 1)[-1].rstrip("?")
    if made.value is None:
        print(
            f"{name}: no guess made, so there is nothing to settle; guess first, the next run surprises you more"
        )
        return
    exact = made.among or isinstance(fact, str) or fact is None
    right = (
        made.value == fact
        if exact
        else abs(float(made.value) - float(fact or 0.0)) <= NEAR * float(fact or 0.0)
    )
    belief = next((text for value, text in (why or {}).items() if value == made.value), "")
    verdict = " – right" if right else ""
    print(
        f"{name}: you said {made.said(made.value)}, and it was {made.said(fact)}{verdict}{'. ' * bool(belief)}{belief}"
    )
    Ledger().keep(made.question, made.value, fact)
