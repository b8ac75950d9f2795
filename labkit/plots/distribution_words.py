"""A distribution in words: its title, what theory allows, its guess, its alt text. And its bars, counted. Pure; draws nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..values.experiment import Experiment
from .tale import nice

NAMES = ("min", "mean", "max")
VERBS = {
    "delay": "noticed after",
    "noticed": "noticed at",
    "closed": "closed at",
    "told": "told at",
    "client_noticed": "client noticed at",
    "client_told": "client told at",
}
LABELS = {
    "delay": "seconds from the cut to noticing",
    "pings": "pings a run",
    "bytes": "bytes a run",
}
Three = tuple[float | None, float | None, float | None]


def three(guess: Any) -> Three:
    """A guess as (min, mean, max); None for what is not guessed."""
    if isinstance(guess, dict):
        parts: Sequence[Any] = [guess.get(name) for name in NAMES]
    elif isinstance(guess, (tuple, list)):
        if len(guess) != 3:
            raise ValueError(f"a guess has three numbers, min, mean and max; seen {guess!r}")
        parts = guess
    else:
        parts = [getattr(guess, name, None) for name in NAMES]
    a, b, c = (
        float(x)
        if isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)
        else None
        for x in parts
    )
    return a, b, c


def facts(values: list[float | None]) -> tuple[float, float, float] | None:
    """Min, mean and max; None if there is none."""
    seen = [value for value in values if value is not None]
    return (min(seen), sum(seen) / len(seen), max(seen)) if seen else None


def say(value: float, column: str) -> str:
    """A value with its unit: "5.0 s", "1,200 bytes"."""
    if column in ("pings", "bytes"):
        return f"{value:,.1f}".removesuffix(".0") + f" {column}"
    return f"{value:.1f} s" if abs(value) >= 0.95 or value == 0 else f"{value * 1000:.3g} ms"


def finding(column: str, values: list[float | None]) -> str:
    """ "200 cuts: noticed after 3.0 to 7.0 s, 5.0 s on average"."""
    what, seen = "cut" if column == "delay" else "run", facts(values)
    count, never = (
        f"{len(values):,} {what}{'s' * (len(values) != 1)}",
        sum(value is None for value in values),
    )
    if seen is None:
        return f"{count}: never {VERBS.get(column, '').rpartition(' ')[0] or 'seen'}"
    (low, unit), (mean, high) = (
        say(seen[0], column).split(" "),
        (say(value, column) for value in seen[1:]),
    )
    ends = f"{low} to {high}" if high.endswith(unit) else f"{low} {unit} to {high}"
    rest = f"; {never:,} never" if never else ""
    if seen[2] - seen[0] < 1e-6:
        return f"{count}: always {VERBS.get(column, '')} {high}".replace("  ", " ") + rest
    return f"{count}: {VERBS.get(column, '')} {ends}, {mean} on average".replace(":  ", ": ") + rest


def band_words(
    experiment: Experiment | None, column: str, band: tuple[float, float] | None
) -> list[str]:
    """What theory allows, the longest first; with the timers' names if they are what it says."""
    if band is None:
        return []
    low, high = (
        say(value, column) if column in ("pings", "bytes") else f"{value:g} s" for value in band
    )
    plain = f"theory: from {low} to {high}"
    peer = experiment.server if experiment is not None and column == "delay" else None
    interval, timeout = (
        (peer.ping_interval, peer.ping_timeout) if peer is not None else (None, None)
    )
    if (
        timeout is None
        or interval is None
        or abs(band[0] - timeout) > 1e-6
        or abs(band[1] - interval - timeout) > 1e-6
    ):
        return [plain]
    return [f"theory: from ping_timeout {low} to ping_interval + ping_timeout {high}", plain]


def alt_text(
    column: str, values: list[float | None], band: tuple[float, float] | None, guess: Three
) -> str:
    """The whole figure in words."""
    parts = [f"Distribution. {finding(column, values)}."]
    if band is not None:
        inside = "all are inside" if facts(values) else "there is none"
        out = sum(
            value is not None and not band[0] - 1e-6 <= value <= band[1] + 1e-6 for value in values
        )
        parts.append(
            f"Theory allows {say(band[0], column)} to {say(band[1], column)}: {f'{out:,} outside' if out else inside}."
        )
    rows = [
        (name, g, fact)
        for name, g, fact in zip(NAMES, guess, facts(values) or (None,) * 3)
        if g is not None
    ]
    for name, g, fact in rows:
        parts.append(
            f"Guess of the {name}: {say(g, column)}"
            + (f", it was {say(fact, column)}." if fact is not None else ".")
        )
    rest = sum(value is None for value in values)
    parts += [f"{rest:,} of {len(values):,} never."] if rest else []
    return " ".join(parts)


def marks_words(
    values: Sequence[float | None], column: str, near: float
) -> list[tuple[float, str]]:
    """Where the words of min, mean and max stand, and what they say; those nearer than ``near`` together."""
    rows: list[tuple[float, list[str]]] = []
    for name, x in zip(NAMES, values):
        if x is None:
            continue
        same = next((names for at, names in rows if abs(at - x) <= near), None)
        if same is None:
            rows.append((x, [name]))
        else:
            same.append(name)
    return [
        (x, f"{' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))} {say(x, column)}")
        for x, names in rows
    ]


def histogram(values: list[float]) -> tuple[list[int], float, float]:
    """How many values are in each bar; the width of a bar, a round number; where the first begins."""
    if not values:
        return [], 1.0, 0.0
    low, high = min(values), max(values)
    wide = nice(max(high - low, 0.02 * abs(high), 1e-3) / min(20, max(6, len(values) ** 0.5)))
    start = math.floor(low / wide + 1e-6) * wide
    counts = [0] * (int((high - start) / wide + 1e-6) + 1)
    for value in values:
        counts[int((value - start) / wide + 1e-6)] += 1
    if counts[-1] and len(counts) > 1 and abs(start + (len(counts) - 1) * wide - high) < 1e-6:
        counts[-2:] = [
            counts[-2] + counts[-1]
        ]  # what lies on the last edge belongs to the bar before
    return counts, wide, start
