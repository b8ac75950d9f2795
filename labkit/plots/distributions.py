"""How the values of a column are spread: a histogram and a rug, beside theory and a guess.

            theory: from ping_timeout 3 s to ping_interval + ping_timeout 7 s
    runs    ┆▂▅▇▇▆▅▃┆    bars: how many runs
             ╵╵╵╵╵╵╵     rug: every run
    found    ●   ●   ●   min, mean, max
    guess   ★   ★     ★

It takes what sweep(…) gives, and runs nothing. Heights count runs; what stands below the bars has
its height as a part of the highest bar's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from . import ends, tables
from .axis import Axis, nice, numbers
from .bars import Bar
from .figure import Figure, figure
from .layout import Panel
from .marks import DOTTED, Dot, Label, Mark, Path, Says, Ticks

SIZE, MARGINS = (7.2, 4.2), (48.0, 44.0, 14.0, 30.0)  # inches; points
BOTTOM, RUG, BAND, RUNS, TOP = -1.0, -0.1, 1.1, 1.19, 1.28  # heights, in highest bars
LANES = {"found": -0.37, "guess": -0.7}
NEAR = 0.011  # of the axis: what is nearer is one sign
NAMES = ("min", "mean", "max")
COLUMNS = {  # what it is called beside the axis, and in a sentence
    "delay": ("seconds from the cut to noticing", "noticed after"),
    "noticed": ("noticed, seconds since the server was OPEN", "noticed at"),
    "closed": ("closed, seconds since the server was OPEN", "closed at"),
    "told": ("told, seconds since the server was OPEN", "told at"),
    "client_noticed": ("client noticed, seconds since the server was OPEN", "client noticed at"),
    "client_told": ("client told, seconds since the server was OPEN", "client told at"),
    "pings": ("pings a run", ""),
    "bytes": ("bytes a run", ""),
}
LEVEL = tuple((0, 0, align, "center") for align in ("center", "left", "right"))
BELOW = tuple((0, -8, align, "top") for align in ("center", "left", "right"))
ABOVE = tuple((0, 7, align, "bottom") for align in ("left", "right"))


@figure
def distribution(
    sweep: Any,
    column: str = "delay",
    *,
    band: tuple[float, float] | None = None,
    guess: Any = None,
) -> Figure:
    """How many runs of a sweep gave what in a ``column``; None is counted as "never".

    ``band`` is what theory allows, (low, high) in the column's unit. ``guess`` has a min, a mean
    and a max: a dict, three numbers, or a value with those attributes; what is None, ``...`` or
    missing draws nothing.
    """
    values, guesses = tables.column(sweep, column, "distribution"), _three(guess)
    seen = [value for value in values if value is not None]
    facts = [min(seen), fmean(seen), max(seen)] if seen else []
    along, (counts, wide, start) = _along(seen, guesses, band, column), histogram(seen)
    is_fleet = "client" in tables.columns(sweep)  # many connections, and one cut
    most = max(counts, default=1)
    marks: list[Mark] = []
    if band is not None:
        experiment = getattr(sweep, "attrs", {}).get("experiment")
        words = _theory(band, column, experiment)
        marks.append(Bar(*band, (0, BAND * most), "theory", says=_inside(band, seen, column)))
        marks.append(Label(sum(band) / 2, RUNS * most, wordings=words, places=LEVEL, ink="theory"))
    for k, count in enumerate(counts):
        marks.append(Bar(start + k * wide, start + (k + 1) * wide, (0, count), "runs"))
    if seen:
        line = ((facts[1], "found"), (facts[1], 1.04 * most))
        marks += [Ticks(tuple(seen), RUG * most, -8, "ink"), Path(line, wide=1.2, dash=DOTTED)]
    marks += _row("found", "observed", facts, column, along)
    marks += _row("guess", "guess", guesses, column, along)
    for k, x in enumerate(guesses):
        if x is not None:
            fact = f", it was {say(facts[k], column)}" if seen else ""
            marks.append(Says(says=f"Guess of the {NAMES[k]}: {say(x, column)}{fact}"))
    never = f"{len(values) - len(seen):,} of {len(values):,} never"
    source = ((never, "stuck_words"),) if len(seen) < len(values) else ()
    marks += [Says(says=text) for text, _ in source]
    across = replace(numbers(0, most, count=3, size=9, least=1), low=BOTTOM * most, high=TOP * most)
    lanes = [("clients" if is_fleet else "runs", RUNS * most, RUNS * most)]
    lanes += [
        (name, y * most, y * most)
        for name, y in LANES.items()
        if name == "found" or any(x is not None for x in guesses)
    ]
    panel = Panel(along, across, tuple(marks), tuple(lanes))
    what = "connection" if is_fleet else "cut" if column == "delay" else "run"
    title = f"{ends.plural(len(values), what)}: {_finding(column, facts)}"
    if seen and source:
        title += f"; {len(values) - len(seen):,} never"
    return Figure(title, (panel,), source, "Distribution", SIZE, MARGINS)


def _three(guess: Any) -> list[float | None]:
    """A guess as min, mean and max; None for what is not guessed."""
    parts = guess
    if not isinstance(guess, (tuple, list)):
        named = guess if isinstance(guess, dict) else {n: getattr(guess, n, None) for n in NAMES}
        parts = [named.get(name) for name in NAMES]
    if len(parts) != 3:
        raise ValueError(f"a guess has three numbers, min, mean and max; seen {guess!r}")
    return [x if type(x) in (int, float) and math.isfinite(x) else None for x in parts]


def histogram(seen: Sequence[float]) -> tuple[list[int], float, float]:
    """How many values are in each bar, how wide a bar is (a round number), where the first begins.

    What lies on the last edge belongs to the bar before it.
    """
    if not seen:
        return [], 1.0, 0.0
    low, high = min(seen), max(seen)
    bars = min(20.0, max(6.0, len(seen) ** 0.5))
    wide = nice(max(high - low, 0.02 * abs(high), 1e-3) / bars)
    start = math.floor(low / wide + 1e-6) * wide
    counts = [0] * max(1, math.ceil((high - start) / wide - 1e-6))
    for value in seen:
        counts[min(len(counts) - 1, int((value - start) / wide + 1e-6))] += 1
    return counts, wide, start


def _along(seen: list[float], guesses: Sequence[float | None], band: Any, column: str) -> Axis:
    """All values and the band, and a guess if it is not absurdly far away."""
    points = [*seen, *(band or ())] or [0.0, 1.0]
    low, high = min(points), max(points)
    room = max(high - low, 0.1 * abs(high), 1e-3)
    near = 1.5 * room
    points += [x for x in guesses if x is not None and low - near <= x <= high + near]
    low, high = min(points), max(points)
    pad = 0.09 * max(high - low, room)
    name = column.replace("_", " ")
    return numbers(low - pad, high + pad, COLUMNS.get(column, (name,))[0], 6, 10)


def _row(
    lane: str, sign: str, values: Sequence[float | None], column: str, along: Axis
) -> Iterator[Mark]:
    """Min, mean and max as signs with words; those that are alike have one together."""
    alike: dict[float, list[str]] = {}
    reach = NEAR * (along.high - along.low)
    for name, x in zip(NAMES, values):
        if x is not None:
            first = next((other for other in alike if abs(other - x) <= reach), x)
            alike.setdefault(first, []).append(name)
    for x, names in alike.items():
        words = f"{ends.listed(names)} {say(x, column)}"
        shown = min(max(x, along.low + reach), along.high - reach)
        wordings = (words,) if along.shows(x) else (f"{words}, off the axis", words)
        yield Dot(
            shown, lane, sign, wordings=wordings, places=BELOW, otherwise=ABOVE, ink=ends.INKS[sign]
        )


# in words


def _theory(band: tuple[float, float], column: str, experiment: Any) -> tuple[str, ...]:
    """What theory allows, with the timers' names if they are what it says."""
    low, high = band
    if not low <= high:
        raise ValueError(f"a band goes from low to high, seen {band!r}")
    unit = column if column in tables.COUNTS else "s"
    plain = f"theory: from {low:,g} {unit} to {high:,g} {unit}"
    if experiment is not None and column == "delay":
        interval, timeout = experiment.server.ping_interval, experiment.server.ping_timeout
        if interval and timeout and math.dist(band, (timeout, interval + timeout)) < 1e-6:
            named = f"from ping_timeout {low:g} s to ping_interval + ping_timeout {high:g} s"
            return f"theory: {named}", plain
    return (plain,)


def say(value: float, column: str) -> str:
    """A value with its unit: "5.0 s", "1,200 bytes"."""
    if column in tables.COUNTS:
        return f"{value:,.1f}".removesuffix(".0") + f" {column}"
    return f"{value:.1f} s" if abs(value) >= 0.95 or value == 0 else f"{value * 1000:.3g} ms"


def _finding(column: str, facts: list[float]) -> str:
    """ "noticed after 3.0 to 7.0 s, 5.0 s on average"."""
    verb = COLUMNS.get(column, ("", ""))[1]
    if not facts:
        return f"never {verb.rpartition(' ')[0] or 'seen'}"
    low, mean, high = (say(value, column) for value in facts)
    if facts[2] - facts[0] < 1e-6:
        return f"always {verb} {high}".replace("  ", " ")
    number, unit = low.split()
    span = f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"
    return f"{verb} {span}, {mean} on average".strip()


def _inside(band: tuple[float, float], seen: list[float], column: str) -> str:
    """Whether theory holds."""
    out = sum(not band[0] - 1e-6 <= value <= band[1] + 1e-6 for value in seen)
    many = f"{out:,} outside" if out else "all are inside"
    low, high = (say(value, column) for value in band)
    return f"Theory allows {low} to {high}: {many if seen else 'there is none'}"
