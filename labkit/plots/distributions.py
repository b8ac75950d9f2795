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

from ..values.experiment import Experiment
from . import ends, tables
from .axis import Axis, nice, numbers
from .bars import Bar
from .figure import Figure, figure
from .labels import Place
from .layout import Panel
from .marks import DOTTED, Dot, Label, Mark, Path, Says, Ticks

SIZE, MARGINS = (7.2, 4.2), (48.0, 44.0, 14.0, 30.0)  # inches; points
BOTTOM, RUG, BAND, TOP = -1.0, -0.1, 1.1, 1.28  # heights, in highest bars
LANES = {"runs": 1.19, "found": -0.37, "guess": -0.7}
NEAR = 0.011  # of the axis: what is nearer is one sign
NAMES = ("min", "mean", "max")
VERBS = {
    "delay": "noticed after",
    "noticed": "noticed at",
    "closed": "closed at",
    "told": "told at",
    "client_noticed": "client noticed at",
    "client_told": "client told at",
}
LEVEL: tuple[Place, ...] = tuple((0, 0, align, "center") for align in ("center", "left", "right"))
BELOW: tuple[Place, ...] = tuple((0, -8, align, "top") for align in ("center", "left", "right"))
ABOVE: tuple[Place, ...] = tuple((0, 7, align, "bottom") for align in ("left", "right"))
Values = Sequence[float | None]


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
    values, guesses = tables.column(sweep, column, "distribution"), three(guess)
    seen = [value for value in values if value is not None]
    along, (counts, wide, start) = _along(seen, guesses, band, column), histogram(seen)
    most = max(counts, default=1)
    marks: list[Mark] = []
    if band is not None:
        experiment = getattr(sweep, "attrs", {}).get("experiment")
        marks.append(Bar(*band, (0, BAND * most), "theory", says=_inside(band, seen, column)))
        marks.append(_theory(band, column, experiment))
    for k, count in enumerate(counts):
        marks.append(Bar(start + k * wide, start + (k + 1) * wide, (0, count), "runs"))
    if seen:
        marks += _found(seen, most, column, along)
    marks += _row("guess", "guess", guesses, column, along)
    marks += _errors(guesses, facts(seen), column)
    never = f"{len(values) - len(seen):,} of {len(values):,} never"
    source = ((never, "stuck_words"),) if len(seen) < len(values) else ()
    marks += [Says(says=words) for words, _ in source]
    panel = Panel(along, _across(most), tuple(marks), _lanes(most, guesses))
    return Figure(finding(column, values), (panel,), source, "Distribution", SIZE, MARGINS)


def three(guess: Any) -> list[float | None]:
    """A guess as min, mean and max; None for what is not guessed."""
    parts = guess
    if isinstance(guess, dict):
        parts = [guess.get(name) for name in NAMES]
    elif not isinstance(guess, (tuple, list)):
        parts = [getattr(guess, name, None) for name in NAMES]
    if len(parts) != 3:
        raise ValueError(f"a guess has three numbers, min, mean and max; seen {guess!r}")
    return [_number(part) for part in parts]


def _number(x: Any) -> float | None:
    is_number = isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)
    return float(x) if is_number else None


def facts(seen: list[float]) -> list[float]:
    """Min, mean and max; nothing if there is none."""
    return [min(seen), fmean(seen), max(seen)] if seen else []


def histogram(seen: list[float]) -> tuple[list[int], float, float]:
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


def _along(seen: list[float], guesses: Values, band: Any, column: str) -> Axis:
    """All values and the band, and a guess if it is not absurdly far away."""
    points = [*seen, *(band or ())] or [0.0, 1.0]
    low, high = min(points), max(points)
    room = max(high - low, 0.1 * abs(high), 1e-3)
    reach = (low - 1.5 * room, high + 1.5 * room)
    points += [guess for guess in guesses if guess is not None and reach[0] <= guess <= reach[1]]
    low, high = min(points), max(points)
    pad = 0.09 * max(high - low, room)
    name = column.replace("_", " ")
    if column in VERBS:
        name += ", seconds since the server was OPEN"
    return numbers(low - pad, high + pad, tables.LABELS.get(column, name), 6, 10)


def _across(most: int) -> Axis:
    """Counts of runs, and room for what stands above and below the bars."""
    return replace(numbers(0, most, count=3, size=9, least=1), low=BOTTOM * most, high=TOP * most)


def _lanes(most: int, guesses: Values) -> tuple[tuple[str, float, float], ...]:
    """The names at the left, with their heights."""
    is_guessed = any(guess is not None for guess in guesses)
    names = [name for name in LANES if name != "guess" or is_guessed]
    return tuple((name, LANES[name] * most, LANES[name] * most) for name in names)


def _found(seen: list[float], most: int, column: str, along: Axis) -> Iterator[Mark]:
    """Every run, and min, mean and max, with a line from the mean through the bars."""
    yield Ticks(tuple(seen), RUG * most, -8, "ink")
    mean = fmean(seen)
    yield Path(((mean, "found"), (mean, 1.04 * most)), wide=1.2, dash=DOTTED)
    yield from _row("found", "observed", facts(seen), column, along)


def _row(lane: str, sign: str, values: Values, column: str, along: Axis) -> Iterator[Mark]:
    """Min, mean and max as signs with words; those that are alike have one together."""
    alike: dict[float, list[str]] = {}
    for name, x in zip(NAMES, values):
        if x is not None:
            reach = NEAR * (along.high - along.low)
            first = next((other for other in alike if abs(other - x) <= reach), x)
            alike.setdefault(first, []).append(name)
    for x, names in alike.items():
        words = f"{ends.listed(names)} {say(x, column)}"
        shown = min(max(x, along.low), along.high)
        wordings = (words,) if shown == x else (f"{words}, off the axis", words)
        look: dict[str, Any] = {"places": BELOW, "otherwise": ABOVE, "ink": ends.INKS[sign]}
        yield Dot(shown, lane, sign, wordings=wordings, **look)


def _theory(band: Any, column: str, experiment: Experiment | None) -> Label:
    """What theory allows, with the timers' names if they are what it says."""
    low, high = band
    if not low <= high:
        raise ValueError(f"a band goes from low to high, seen {band!r}")
    unit = column if column in ("pings", "bytes") else "s"
    wordings = [f"theory: from {low:,g} {unit} to {high:,g} {unit}"]
    if experiment is not None and column == "delay":
        interval, timeout = experiment.server.ping_interval, experiment.server.ping_timeout
        if interval and timeout and math.dist(band, (timeout, interval + timeout)) < 1e-6:
            named = f"from ping_timeout {low:g} s to ping_interval + ping_timeout {high:g} s"
            wordings.insert(0, f"theory: {named}")
    return Label((low + high) / 2, "runs", wordings=tuple(wordings), places=LEVEL, ink="theory")


# in words


def say(value: float, column: str) -> str:
    """A value with its unit: "5.0 s", "1,200 bytes"."""
    if column in ("pings", "bytes"):
        return f"{value:,.1f}".removesuffix(".0") + f" {column}"
    return f"{value:.1f} s" if abs(value) >= 0.95 or value == 0 else f"{value * 1000:.3g} ms"


def finding(column: str, values: Values) -> str:
    """ "200 cuts: noticed after 3.0 to 7.0 s, 5.0 s on average; 2 never"."""
    seen = [value for value in values if value is not None]
    count = ends.plural(len(values), "cut" if column == "delay" else "run")
    verb = VERBS.get(column, "")
    if not seen:
        return f"{count}: never {verb.rpartition(' ')[0] or 'seen'}"
    low, mean, high = (say(value, column) for value in facts(seen))
    number, unit = low.split()
    span = f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"
    said = f"{verb} {span}, {mean} on average"
    if max(seen) - min(seen) < 1e-6:
        said = f"always {verb} {high}"
    never = len(values) - len(seen)
    return " ".join(f"{count}: {said}".split()) + (f"; {never:,} never" if never else "")


def _inside(band: tuple[float, float], seen: list[float], column: str) -> str:
    """Whether theory holds."""
    out = sum(not band[0] - 1e-6 <= value <= band[1] + 1e-6 for value in seen)
    many = f"{out:,} outside" if out else "all are inside"
    low, high = (say(value, column) for value in band)
    return f"Theory allows {low} to {high}: {many if seen else 'there is none'}"


def _errors(guesses: Values, found: list[float], column: str) -> Iterator[Mark]:
    """Each guess, and what it was."""
    for k, guess in enumerate(guesses):
        if guess is not None:
            fact = f", it was {say(found[k], column)}" if found else ""
            yield Says(says=f"Guess of the {NAMES[k]}: {say(guess, column)}{fact}")
