"""The states of an end over time, and what its OPEN is worth.

From the moment a cut silences a direction, OPEN is a belief at the end that hears nothing, and at
the end that is not heard. It is a fact again when the first thing that waited in the cut arrives,
or at the healing if nothing waited.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..trace import OTHER
from .reading import Reading

BELIEF = {  # (hears, is heard): what an end's OPEN is worth
    (True, True): None,
    (True, False): "believes OPEN, is not heard",
    (False, True): "believes OPEN, hears nothing",
    (False, False): "believes OPEN",
}


@dataclass(frozen=True)
class Span:
    """A stretch of time (s) in one state; ``belief`` has words if its OPEN is only believed."""

    begin: float
    stop: float
    state: str
    belief: str | None = None


def spans(r: Reading, end: str) -> list[Span]:
    """The states of ``end`` from 0 (or the axis's begin before it) on.

    An OPEN is split where it becomes a belief, and where it is a fact again.
    """
    last = r.horizon if r.until is None else r.until
    first = min(0.0, r.begin)
    states = [(max(first, t), state) for t, state in r.states[end] if t <= last]
    stops = [*(t for t, _ in states[1:]), last]
    found = []
    for (begin, state), stop in zip(states, stops):
        if stop - begin > r.tolerance / 2:
            is_open = state == "OPEN"
            found += _believed(r, end, begin, stop) if is_open else [Span(begin, stop, state)]
    return found


def _believed(r: Reading, end: str, begin: float, stop: float) -> list[Span]:
    deaf, mute = silent(r, end), silent(r, OTHER[end])
    edges = sorted({begin, stop, *(t for row in deaf + mute for t in row if begin < t < stop)})
    found: list[Span] = []
    for a, b in pairwise(edges):
        hears, heard = (not any(x <= a < y for x, y in row) for row in (deaf, mute))
        words, last = BELIEF[hears, heard], found[-1] if found else None
        is_brief = b - a < (0.03 * r.horizon if last and last.belief and words else r.tolerance)
        if last and (last.belief == words or is_brief):
            found[-1] = Span(last.begin, b, "OPEN", last.belief)
        else:
            found.append(Span(a, b, "OPEN", words))
    return found


def silent(r: Reading, end: str) -> list[tuple[float, float]]:
    """When nothing reaches ``end``: from each cut until the first thing that waited arrives."""
    late = [f.arrived_at for f in r.stuck if f.receiver == end and f.arrived_at is not None]
    rows = []
    for at, heal in r.silences[end]:
        after = [t for t in late if heal <= t + 1e-6]
        rows.append((at, max(heal, min(after, default=heal))))
    return rows
