"""A guess: made before the run, drawn beside theory and fact, and kept in the learner's own ledger.

The ledger is a file in the folder of the notebooks, one line a question; the last notebook shows how well calibrated it is.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..trace import Trace
from ..trace.files import whole
from ..values.faults import ENDS
from .answers import is_number, one_of
from .beliefs import explain

WHO = ("server", "client", "both", "nobody")
HOW_SOON = ("at once", "seconds", "minutes", "never")
LEDGER = "my-guesses.jsonl"


@dataclass(frozen=True)
class Guess:
    """What a learner expects: who notices, how soon, and when (s); each may be left open (None)."""

    question: str
    seconds: float | None = None
    who: str | None = None
    how_soon: str | None = None

    @property
    def made(self) -> bool:
        """Whether there is anything in it."""
        return (self.seconds, self.who, self.how_soon) != (None, None, None)

    @property
    def label(self) -> str:
        """How figures call it."""
        return "your guess"

    def __repr__(self) -> str:
        if not self.made:
            return "no guess made (yet): replace the ... above by what you expect"
        who = {"nobody": "nobody notices", "both": "both notice", None: "somebody notices"}.get(
            self.who, f"the {self.who} notices"
        )
        soon = {None: "", "at once": ", at once", "never": ""}.get(
            self.how_soon, f", within {self.how_soon}"
        )
        when = "" if self.seconds is None else f", at {self.seconds:g} s"
        return f"your guess is locked: {who}{soon}{when}"


def guess(question: str, seconds: Any = ..., who: Any = ..., how_soon: Any = ...) -> Guess:
    """Lock a guess; what is ``...`` is left open, and what cannot be meant is asked for again, in words."""
    made = Guess(question, _number(seconds), _word(who, WHO), _word(how_soon, HOW_SOON))
    print(made)
    return made


def _number(given: Any) -> float | None:
    if given is ... or given is None:
        return None
    if not is_number(given):
        print(f"a guess in seconds is a number, such as 12.5; seen {given!r}, so it is left open")
        return None
    return float(given)


def _word(given: Any, allowed: tuple[str, ...]) -> str | None:
    if given is ... or given is None:
        return None
    if (word := one_of(given, allowed)) is None:
        print(f"expected {', '.join(map(repr, allowed))}; seen {given!r}, so it is left open")
    return word


def settle(made: Guess, trace: Trace) -> None:
    """Say what became of a guess about when the server notices, by belief; and keep it in the ledger."""
    fact = trace.noticed_at("server")
    if not made.made:
        print(
            "no guess made, so there is nothing to settle; guess first, the next run surprises you more"
        )
        return
    if made.who is not None:
        noticed = [end for end in ("server", "client") if trace.noticed_at(end) is not None]
        truth = {0: "nobody", 1: noticed[0] if noticed else "", 2: "both"}[len(noticed)]
        print(
            f"who: you said {made.who}, and it was {truth}"
            + (" – right" if made.who == truth else "")
        )
    if made.how_soon is not None:
        truth = _how_soon(trace)
        print(
            f"how soon: you said {made.how_soon}, and it was {truth}"
            + (" – right" if made.how_soon == truth else "")
        )
    if made.seconds is not None:
        print(_sentence(made.seconds, fact, trace))
        Ledger().keep(made.question, made.seconds, fact)


def _how_soon(trace: Trace) -> str:
    """How long after the first cut anybody noticed, in a word."""
    moments = [t for end in ENDS if (t := trace.noticed_at(end)) is not None]
    if not moments:
        return "never"
    delay = min(moments) - (trace.experiment.cuts[0].start if trace.experiment.cuts else 0.0)
    return "at once" if delay < 1 else "seconds" if delay < 60 else "minutes"


def _sentence(seconds: float, fact: float | None, trace: Trace) -> str:
    if fact is None:
        return f"when: you said {seconds:g} s, and the server never noticed"
    if abs(seconds - fact) <= 0.1:
        return f"when: you said {seconds:g} s, and it was {fact:.1f} s – right"
    belief = explain(trace.experiment, seconds)
    why = f". {seconds:g} is {belief.sum}: {belief.answer}" if belief else ""
    side = "late" if seconds > fact else "early"
    return f"when: you said {seconds:g} s, and it was {fact:.1f} s: {abs(seconds - fact):.1f} s too {side}{why}"


class Ledger:
    """The learner's guesses and what was true, in a file; the newest answer to each question counts."""

    def __init__(self, path: str | os.PathLike[str] = LEDGER) -> None:
        self.path = Path(path)

    def entries(self) -> dict[str, dict[str, Any]]:
        """Every question with its guess and fact (s)."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            rows = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
            return {row["question"]: row for row in rows}
        return {}

    def keep(self, question: str, given: float | str, fact: float | str | None) -> None:
        """Write an entry, of numbers or of words; a folder that cannot be written to loses it without a fuss."""
        rows = {**self.entries(), question: {"question": question, "guess": given, "fact": fact}}
        with contextlib.suppress(OSError), whole(self.path) as draft:
            draft.write_text(
                "".join(json.dumps(row) + "\n" for row in rows.values()), encoding="utf-8"
            )
