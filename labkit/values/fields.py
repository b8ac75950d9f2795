"""How a value is refused: one sentence with the field, what was given, what is allowed, and the unit.

Every value of the lab (a Peer, a Cut, an Experiment) checks its fields here when it is made, so that a wrong
number never travels further than the line that typed it.
"""

from __future__ import annotations

import difflib
import math
from typing import Any

LONGEST = (
    1e7  # seconds, about 115 days: beyond it a float can no longer hold a microsecond comfortably
)


def refuse(value: Any, field: str, expected: str, kind: type[Exception] = ValueError) -> Exception:
    """The exception for one bad field; the caller raises it."""
    return kind(f"{type(value).__name__}.{field} is {getattr(value, field)!r}: expected {expected}")


def seconds(value: Any, field: str, *, above: bool = False, none: str | None = None) -> None:
    """Check that a field is a number of seconds from 0 (or, with ``above``, greater than 0); ``none`` says what None means."""
    given = getattr(value, field)
    bound = "greater than 0" if above else "from 0"
    expected = f"seconds, {bound} up to {LONGEST:,.0f}" + (f", or None ({none})" if none else "")
    if given is None and none:
        return
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise refuse(value, field, expected, TypeError)
    if not math.isfinite(given) or not (0 < given if above else 0 <= given) or given > LONGEST:
        raise refuse(value, field, expected)


def whole(
    value: Any, field: str, low: int, high: int, unit: str, *, none: str | None = None
) -> None:
    """Check that a field is a whole number of ``unit`` between ``low`` and ``high``."""
    given = getattr(value, field)
    expected = f"a whole number of {unit} from {low:,} to {high:,}" + (
        f", or None ({none})" if none else ""
    )
    if given is None and none:
        return
    if isinstance(given, bool) or not isinstance(given, int):
        raise refuse(value, field, expected, TypeError)
    if not low <= given <= high:
        raise refuse(value, field, expected)


def number(value: Any, field: str, low: float, high: float, unit: str) -> None:
    """Check that a field is a number of ``unit`` between ``low`` and ``high``."""
    given = getattr(value, field)
    expected = f"a number of {unit} from {low:,g} to {high:,g}"
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise refuse(value, field, expected, TypeError)
    if not low <= given <= high:
        raise refuse(value, field, expected)


def one_of(value: Any, field: str, allowed: tuple[Any, ...]) -> None:
    """Check that a field is one of a few words."""
    if getattr(value, field) not in allowed:
        raise refuse(value, field, " or ".join(map(repr, allowed)))


def flag(value: Any, field: str) -> None:
    """Check that a field is True or False."""
    if not isinstance(getattr(value, field), bool):
        raise refuse(value, field, "True or False", TypeError)


def close_code(value: Any, field: str) -> None:
    """Check that a field is a code that may be sent in a CLOSE frame (RFC 6455 §7.4; 1005, 1006 and 1015 never are)."""
    given = getattr(value, field)
    expected = "a close code that may be sent: 1000–1003, 1007–1014, or 3000–4999 (1005, 1006, 1015 are never on the wire)"
    if isinstance(given, bool) or not isinstance(given, int):
        raise refuse(value, field, expected, TypeError)
    if not (1000 <= given <= 1003 or 1007 <= given <= 1014 or 3000 <= given <= 4999):
        raise refuse(value, field, expected)


def reason(value: Any, field: str) -> None:
    """Check that a close reason fits beside the code in a control frame: at most 123 bytes of UTF-8 (RFC 6455 §5.5)."""
    given = getattr(value, field)
    if not isinstance(given, str):
        raise refuse(value, field, "a text of at most 123 bytes", TypeError)
    if len(given.encode()) > 123:
        raise refuse(
            value, field, "a text of at most 123 bytes (a control frame carries 125, RFC 6455 §5.5)"
        )


def unknown(name: str, given: str, allowed: list[str]) -> ValueError:
    """The exception for a word that nothing answers to, with the nearest one that would."""
    near = difflib.get_close_matches(given, allowed, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(allowed)}"
    return ValueError(f"{name} has no {given!r}{hint}")
