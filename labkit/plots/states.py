"""The bars of a timeline: which state an end is in from when to when, and whether its OPEN is a fact or a belief. Pure.

From the moment a cut silences a direction, OPEN is a belief at the end that hears nothing, and at the end that is not
heard; the words say which. It is a fact again when the first thing that waited in the cut arrives, or at the healing if
nothing waited.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..trace import OTHER
from .tale import Tale

BELIEF = {  # (hears, is heard): what an end's OPEN is worth
    (True, True): None,
    (True, False): "believes OPEN, is not heard",
    (False, True): "believes OPEN, hears nothing",
    (False, False): "believes OPEN",
}


@dataclass(frozen=True)
class Span:
    """A stretch of time (s) in which an end is in one state; ``belief`` has the words if its OPEN is only believed."""

    begin: float
    stop: float
    state: str
    belief: str | None = None


def spans(tale: Tale, end: str) -> list[Span]:
    """The states of ``end`` from 0 to the horizon (or to ``until``), an OPEN split where it becomes a belief and a fact again."""
    last = tale.horizon if tale.until is None else tale.until
    states = [row for row in tale.story.states(end) if row[0] <= last]
    bounds = [max(0.0, t) for t, _ in states[1:]] + [last] * bool(states)
    found = []
    for (t, state), stop in zip(states, bounds, strict=True):
        if stop - max(0.0, t) > tale.tolerance / 2:
            found += _believed(tale, end, max(0.0, t), stop) if state == "OPEN" else [Span(max(0.0, t), stop, state)]
    return found


def _believed(tale: Tale, end: str, begin: float, stop: float) -> list[Span]:
    deaf, mute = silent(tale, end), silent(tale, OTHER[end])
    edges = sorted({begin, stop, *(t for span in deaf + mute for t in span if begin < t < stop)})
    spans: list[Span] = []
    for a, b in pairwise(edges):
        hears, heard = (not any(x <= a < y for x, y in row) for row in (deaf, mute))
        words = BELIEF[hears, heard]
        if spans and (spans[-1].belief == words or (b - a < 0.03 * tale.horizon and words and spans[-1].belief)):
            spans[-1] = Span(spans[-1].begin, b, "OPEN", spans[-1].belief)
        else:
            spans.append(Span(a, b, "OPEN", words))
    return spans


def silent(tale: Tale, end: str) -> list[tuple[float, float]]:
    """When nothing reaches ``end``: from each cut to its heal, and on until the first thing that waited arrives."""
    rows = []
    late = [f.arrived_at for f in tale.stuck if f.receiver == end and f.arrived_at is not None]
    for at, heal in tale.silences(end):
        rows.append((at, max(heal, min((t for t in late if heal <= t + 1e-6), default=heal))))
    return rows
