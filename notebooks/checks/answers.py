"""Kinds of answers: whether what a learner typed can be meant as one, and which it is.

Each kind has ``wanted`` (what to type, in words), ``read`` (what is meant; None if nothing can be),
``right`` (whether it is the fact) and ``said`` (the value as a sentence says it). What counts as
near enough stands here, once.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

NEAR = 0.1  # as near as this to the fact, in its unit …
SHARE = 0.02  # … or as near as this share of it, a number is right
LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high``; ``near`` is how far off is still right. "s": seconds."""

    unit: str = "s"
    low: float = 0.0
    high: float = math.inf
    near: float = NEAR

    @property
    def wanted(self) -> str:
        """What to type."""
        unit = "seconds" if self.unit == "s" else self.unit
        if self.high < math.inf:
            return f"a number of {unit}, from {self.low:g} to {self.high:,g}"
        return f"a number of {unit}, from {self.low:g}" if self.low else f"a number of {unit}"

    def read(self, given: Any) -> float | None:
        """The number; None if it is none, or out of bounds."""
        return float(given) if is_number(given) and self.low <= given <= self.high else None

    def right(self, value: float, fact: float | None) -> bool:
        """Whether it is as near to the fact as the lab asks anywhere."""
        if fact is None:
            return False
        return bool(abs(value - fact) <= max(self.near, SHARE * abs(fact)) + 1e-9)  # not numpy's

    def said(self, value: float | None) -> str:
        """With its unit."""
        return "never" if value is None else f"{value:,.6g} {self.unit}".strip()


class Exact:
    """What is right only as it is."""

    def right(self, value: Any, fact: Any) -> bool:
        """Whether it is the fact."""
        return bool(value == fact)

    def said(self, value: Any) -> str:
        """As it is."""
        return str(value)


@dataclass(frozen=True, init=False)
class OneOf(Exact):
    """One of a few words or numbers, whatever the case, blanks and punctuation."""

    choices: tuple[Any, ...]

    def __init__(self, *choices: Any) -> None:
        object.__setattr__(self, "choices", choices)

    @property
    def wanted(self) -> str:
        """What to type."""
        return ", ".join(map(repr, self.choices[:-1])) + f" or {self.choices[-1]!r}"

    def read(self, given: Any) -> Any:
        """The choice that is meant; None if it is none of them."""
        return next((choice for choice in self.choices if _meant(given) == _meant(choice)), None)


@dataclass(frozen=True)
class Letters(Exact):
    """Letters out of ``among``, such as "ACD": a set, or an order in which each stands once."""

    among: str
    ordered: bool = False

    @property
    def wanted(self) -> str:
        """What to type."""
        if self.ordered:
            return f"each of the letters {self.among} once, in your order"
        return f'letters out of {self.among}, such as "{self.among[0]}{self.among[-1]}", or "none"'

    def read(self, given: Any) -> str | None:
        """The letters, in capitals; a set is sorted, and the empty one is "none"."""
        if isinstance(given, (list, tuple, set)):
            given = " ".join(map(str, given))
        if not isinstance(given, str):
            return None
        if not self.ordered and _meant(given) == "none":
            return "none"
        found = re.sub(r"\band\b|\W", "", given, flags=re.IGNORECASE).upper()
        if self.ordered:
            return found if sorted(found) == sorted(self.among) else None
        return "".join(sorted(set(found))) if found and set(found) <= set(self.among) else None


@dataclass(frozen=True)
class Form:
    """An answer of a form of its own: ``read`` gives what is meant by it, or None."""

    wanted: str
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Code:
    """A function or class that the learner writes; ``...`` in it means that it is not finished."""

    wanted: str = "your own code"

    def read(self, given: Any) -> Callable[..., Any] | None:
        """It, if it can be called."""
        return given if callable(given) else None


Word = Number | OneOf | Letters  # what can be guessed
Answer = Word | Form | Code


def is_empty(given: Any) -> bool:
    """Whether nothing has been filled in yet: ``...``, None, or code in which a ``...`` is left."""
    if given is ... or given is None:
        return True
    return callable(given) and _unfinished(given)


def is_number(given: Any) -> bool:
    """Whether it can be meant as a finite number (numpy's, too); True and False are none."""
    kind = type(given)
    return issubclass(kind, Real) and kind is not bool and bool(abs(given) <= LARGEST)


def _meant(given: Any) -> str:
    """What was typed, without case, blanks and punctuation: "at 15s" is "at 15 s"."""
    if is_number(given):
        given = f"{given:.15g}"
    words = "none" if given is None else given if isinstance(given, str) else ""
    return "".join(re.findall(r"\w|\.(?=\d)|-(?=\d)", words.lower()))


def _unfinished(code: Any) -> bool:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError):
        return False
    return any(isinstance(n, ast.Constant) and n.value is ... for n in ast.walk(tree))
