"""A question: asked before the run, settled by what the run shows, answered by belief.

    Question(
        "00 healed at 14 s",
        OneOf("live", "die"),
        lambda trace: "live" if trace.closed_at("server") is None else "die",
        {"live": "The wire is whole from 14 s on. What does the ping still wait for?"},
    )

The notebook shows the choices, the run that ``settle`` gets, and the figure. The fact is read off
that run. Every wrong answer has a belief behind it: by value, or by a function of what was seen
and of the answer; of numbers, what None stands for is said of all others. If several beliefs give
the same number, all are named: only the learner knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .answers import Number, Word, is_empty
from .catalogue import find
from .ledger import Ledger

Words = str | Sequence[str]
Beliefs = Mapping[Any, Words] | Callable[[Any, Any], Words]


@dataclass(frozen=True)
class Question:
    """Its id begins with the number of its notebook, and is the name it has in the ledger."""

    id: str
    answer: Word
    fact: Callable[[Any], Any]  # what was seen → the true answer
    beliefs: Beliefs

    def believed(self, seen: Any, value: Any) -> list[str]:
        """What is behind a wrong answer: one sentence, or several that give the same number."""
        if callable(self.beliefs):
            found = self.beliefs(seen, value)
        else:
            meant = (key for key in self.beliefs if self.answer.right(value, key))
            found = self.beliefs.get(next(meant, None), "")
        return [text for text in ([found] if isinstance(found, str) else found) if text]


@dataclass(frozen=True)
class Guess:
    """What a learner expects as the answer to one question; None: nothing yet."""

    question: Question
    value: Any = None

    label = "your guess"  # how figures call it

    @property
    def made(self) -> bool:
        """Whether there is anything in it."""
        return self.value is not None

    @property
    def seconds(self) -> float | None:
        """Where a figure draws it: on the axis of time (s)."""
        return self.value if isinstance(self.question.answer, Number) else None

    def __repr__(self) -> str:
        if not self.made:
            return "no guess made (yet): replace the ... above by what you expect"
        return f"your guess is locked: {self.question.answer.said(self.value)}"


def guess(id: str, given: Any = ...) -> Guess:
    """Lock a guess; ``...`` is left open, and what cannot be meant is asked for again, in words."""
    question = find(id, "QUESTIONS")
    made = Guess(question, None if is_empty(given) else question.answer.read(given))
    before = Ledger().entries().get(id)
    if not made.made and not is_empty(given):
        print(f"expected {question.answer.wanted}; seen {given!r}, so it is left open")
    elif made.made and before and before["guess"] != made.value:
        said, fact = before["guess"], before["fact"]
        print(f"settled before: you said {said}, and it was {fact}. Your first answer counts.")
    else:
        print(made)
    return made


def settle(made: Guess, seen: Any) -> None:
    """Say what became of a guess, by belief; and keep it in the ledger. ``seen``: the run."""
    question, name = made.question, made.question.id.split(" ", 1)[1].rstrip("?")
    if not made.made:
        print(f"{name}: no guess made, so there is nothing to compare. Guess before the next")
        print("   run: you will learn more from it")
        return
    fact = question.fact(seen)
    right = question.answer.right(made.value, fact)
    said, was = question.answer.said(made.value), question.answer.said(fact)
    print(f"{name}: you said {said}, and it was {was}{' – right' if right else ''}")
    sentences = [] if right else question.believed(seen, made.value)
    if len(sentences) > 1:
        print(f"   {len(sentences)} ways lead to {said}. Which was yours?")
    for sentence in sentences:
        print(f"   {sentence}")
    Ledger().keep(question.id, made.value, fact, right)
