"""In how many segments what has waited is sent: each round trip twice as many.

That is TCP's slow start, without what congestion would do to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stream import Stream

SEGMENT = 1448  # bytes that fit into one, on Ethernet
WINDOW = 10  # segments; of a connection that has lost nothing (RFC 6928)
HELD = 2.0**24  # s; added to when an item would be due, while nobody knows when TCP sends it again
Entry = tuple[float, Any]  # of a stream: when it is due (s), and what


def in_one(out: Stream, entries: Iterable[Entry]) -> int:
    """How many of the oldest entries of ``out`` fit into one segment: the oldest in any case."""
    size = fit = 0
    for _, item in entries:
        size += out.size(item)
        if fit and size > SEGMENT:
            break
        fit += 1
    return fit


def in_windows(
    out: Stream, entries: Iterable[Entry], due: float, window: int
) -> tuple[list[Entry], int]:
    """Entries of ``out``, ``window`` segments from ``due`` (s) on; and the window after them.

    One that is not HELD is on its way, and comes when it was due before.
    """
    room, sent = window * SEGMENT, list[Entry]()
    for before, item in entries:
        room -= out.size(item)
        while room < 0:
            window *= 2
            room += window * SEGMENT
            due = round(due + 2 * out.latency, 9)
        held = before >= HELD
        sent.append((max(due, round(before - HELD, 9)) if held else min(before, due), item))
    return sent, 2 * window
