"""What a learner typed: whether it can be an answer at all, and which."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, TypeVar

Word = TypeVar("Word", str, int)


def is_number(given: Any) -> bool:
    """Whether it can be meant as a finite number (numpy's, too); True and False are none."""
    if (
        given is ...
        or given is None
        or isinstance(given, (str, complex))
        or type(given).__name__ in ("bool", "bool_")
    ):
        return False
    try:
        return math.isfinite(given)
    except (TypeError, ValueError, OverflowError):
        return False


def is_seconds(given: Any, most: float) -> bool:
    """Whether it is a number of seconds, above 0 and up to ``most``; says so if it is not, or not yet."""
    if given is ... or given is None:
        print("your turn – replace the ... by a number of seconds")
        return False
    if not is_number(given) or not 0 < given <= most:
        print(f"expected a number of seconds, above 0 and up to {most:,g}; seen {given!r}")
        return False
    return True


def one_of(given: Any, among: Iterable[Word]) -> Word | None:
    """The answer that is meant by what was typed, whatever its case, blanks and punctuation; None if it is none of them.

    "closed" is "CLOSED", "at 15s" is "at 15 s", and of several things, "b, a" or "A and B" is "AB". The value None is the word
    "none", where that is one.
    """
    if is_number(given):
        given = f"{given:.15g}"
    if given is not None and not isinstance(given, str):
        return None
    typed = str(given).lower()
    for answer in among:
        word = str(answer)
        if _letters(typed) == _letters(word.lower()) or (
            _is_set(word) and _set(typed) == list(word)
        ):
            return answer
    return None


def _letters(words: str) -> str:
    return "".join(re.findall(r"\w|\.(?=\d)|-(?=\d)", words))


def _is_set(word: str) -> bool:
    """Whether it says which of several things, such as "ACD"."""
    return word.isupper() and list(word) == sorted(set(word))


def _set(typed: str) -> list[str]:
    return sorted(set("".join(re.split(r"\band\b|\W", typed)).upper()))
