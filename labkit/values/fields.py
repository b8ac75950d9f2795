"""The fields of a value: how they are checked, written as an expression, and read from plain data.

A field of an Experiment, a Peer or an act is declared with its rule and checked when the value is
made. A refusal is one sentence: the field, what was given, what is allowed, and the unit.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LONGEST = 1e7  # s, about 115 days: beyond it a float holds a microsecond badly
SENDABLE = (range(1000, 1004), range(1007, 1015), range(3000, 5000))  # RFC 6455 §7.4
REASON = 123  # bytes; a control frame carries 125, two of them are the code (RFC 6455 §5.5)


@dataclass(frozen=True)
class Rule:
    """What a field may hold: its types, the values among them, and both in words."""

    types: tuple[type, ...]
    allows: Callable[[Any], bool]
    expected: str

    def check(self, value: Any, name: str) -> None:
        """Raise TypeError or ValueError if the field ``name`` of ``value`` breaks this rule."""
        given = getattr(value, name)
        is_bool = isinstance(given, bool)
        if not isinstance(given, self.types) or is_bool and bool not in self.types:
            raise refuse(value, name, self.expected, TypeError)
        if not self.allows(given):
            raise refuse(value, name, self.expected)


def check(value: Any) -> None:
    """Check every field that has a rule; what was left at its default needs no check."""
    for field in dataclasses.fields(value):
        rule = field.metadata.get("rule")
        if rule and getattr(value, field.name) is not field.default:
            rule.check(value, field.name)


def refuse(value: Any, field: str, expected: str, kind: type[Exception] = ValueError) -> Exception:
    """The exception for one bad field; the caller raises it."""
    return kind(f"{type(value).__name__}.{field} is {getattr(value, field)!r}: expected {expected}")


def unknown(name: str, given: str, allowed: list[str]) -> ValueError:
    """The exception for a name that does not exist, with the nearest one that does."""
    near = difflib.get_close_matches(given, allowed, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(allowed)}"
    return ValueError(f"{name} has no {given!r}; {hint}")


# one function a kind of field: its default, and what else is allowed


def seconds(default: Any = None, *, above: bool = False, none: str | None = None) -> Any:
    """A number of seconds from 0, or greater than 0 (``above``); ``none``: what None means."""

    def allows(given: float) -> bool:
        return math.isfinite(given) and (0 < given if above else 0 <= given) and given <= LONGEST

    bound = "greater than 0" if above else "from 0"
    return _field(default, (int, float), allows, f"seconds, {bound} up to {LONGEST:,.0f}", none)


def whole(default: Any, low: int, high: int, unit: str, *, none: str | None = None) -> Any:
    """A whole number of ``unit`` from ``low`` to ``high``."""
    expected = f"a whole number of {unit} from {low:,} to {high:,}"
    return _field(default, (int,), lambda given: low <= given <= high, expected, none)


def number(default: float, low: float, high: float, unit: str) -> Any:
    """A number of ``unit`` from ``low`` to ``high``."""
    expected = f"a number of {unit} from {low:,g} to {high:,g}"
    return _field(default, (int, float), lambda given: low <= given <= high, expected)


def word(default: str, allowed: tuple[str, ...]) -> Any:
    """One of a few words."""
    return _field(default, (object,), lambda given: given in allowed, _either(allowed))


def flag(default: bool) -> Any:
    """True or False."""
    return _field(default, (bool,), lambda given: True, "True or False")


def close_code() -> Any:
    """A code that a CLOSE frame may carry (RFC 6455 §7.4); 1000 if none is given."""
    expected = (
        "a close code that may be sent: 1000–1003, 1007–1014, or 3000–4999 "
        "(1005, 1006, 1015 are never on the wire)"
    )
    return _field(1000, (int,), lambda code: any(code in codes for codes in SENDABLE), expected)


def reason() -> Any:
    """The reason in a CLOSE frame; empty if none is given."""
    expected = f"a text of at most {REASON} bytes (a control frame carries 125, RFC 6455 §5.5)"
    return _field("", (str,), lambda text: len(text.encode()) <= REASON, expected)


def one_of(value: Any, field: str, allowed: tuple[Any, ...]) -> None:
    """Check a field that was declared without a rule: it holds one of a few words."""
    if getattr(value, field) not in allowed:
        raise refuse(value, field, _either(allowed))


def _either(allowed: tuple[Any, ...]) -> str:
    return " or ".join(map(repr, allowed))


def _field(
    default: Any,
    types: tuple[type, ...],
    allows: Callable[[Any], bool],
    expected: str,
    none: str | None = None,
) -> Any:
    if none is None:
        rule = Rule(types, allows, expected)
    else:
        expected = f"{expected}, or None ({none})"
        rule = Rule((*types, type(None)), lambda given: given is None or allows(given), expected)
    return dataclasses.field(default=default, metadata={"rule": rule})


# written and read


def spell(value: Any) -> str:
    """The shortest expression that makes this value again: fields at their default are left out."""
    parts = []
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if given != field.default:
            given = list(given) if isinstance(given, tuple) else given
            parts.append(f"{field.name}={given!r}")
    return f"{type(value).__name__}({', '.join(parts)})"


def build(kind: type[Any], given: dict[str, Any]) -> Any:
    """Make a value from its fields; raises ValueError for a field that it does not have."""
    allowed = [field.name for field in dataclasses.fields(kind)]
    for name in given:
        if name not in allowed:
            raise unknown(kind.__name__, name, allowed)
    return kind(**given)
