"""What the figures of many runs read: the columns of a table, whatever kind of table it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

COUNTS = ("pings", "bytes")  # columns that are not seconds


def column(table: Any, name: str, who: str) -> list[float | None]:
    """A column of what sweep(…) gives, or of a list of rows (dicts); None for "never".

    ``who`` is the figure that asks. Raises TypeError for what is no table, or holds other than
    numbers; KeyError for a column that is not there.
    """
    is_rows = isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table[:1])
    if not is_rows and not hasattr(table, "columns"):
        raise TypeError(f"{who}() takes what sweep(…) gives, or a list of rows; seen {table!r}")
    names = columns(table)
    if name not in names:
        known = ", ".join(map(str, names)) or "no columns at all"
        raise KeyError(f"{who}() found no column {name!r} in this table; it has {known}")
    values = [row.get(name) for row in table] if is_rows else table[name]
    return [_number(value, name) for value in values]


def columns(table: Any) -> list[str]:
    """The names of its columns."""
    return list(
        getattr(table, "columns", table[0] if isinstance(table, Sequence) and table else ())
    )


def _number(value: Any, name: str) -> float | None:
    if value is None or type(value).__name__ == "NAType":  # of pandas' whole numbers
        return None
    if not isinstance(value, Real):
        raise TypeError(f"the column {name!r} holds {value!r}: expected numbers, or None for never")
    return float(value) if math.isfinite(value) else None
