"""Below WebSocket: what WebSocket believes, what the kernel has, when it tries, and what it holds.

WebSocket  OPEN ━━━━━━━━━━━━━━━━┃ believes OPEN │ CLOSING │ CLOSED
TCP        ESTABLISHED ━━━━━━━━━━━━━━━━━━━━━━━━━│ FIN_WAIT1 ▨ orphan ▨▨▨▨▨▨▨▨ gone
tries                              ▯ ▯ ▯  ▯     ▯        ▯
bytes                              ▁▁▁▁▁▁▁▁▁▁▁▁▟▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ..trace import Trace
from ..trace.sockets import socket_states
from . import ends
from .axis import SECONDS, Axis, Tick
from .bars import Bar
from .below import tries
from .figure import Figure, figure
from .labels import Places
from .layout import Panel
from .levels import Levels
from .marks import Area, Label, Mark
from .reading import Reading

SIZE, MARGINS = (9.0, 3.3), (76.0, 44.0, 25.0, 26.0)  # inches; points
HEIGHT, BANNER = 170.0, 162.0  # across, points
TRIES = 66.0
BYTES = (10.0, 46.0)
LANES = (
    ("WebSocket", 122.0, 150.0),
    ("TCP", 82.0, 110.0),
    ("tries", TRIES, TRIES),
    ("bytes", *BYTES),
)
OVER: Places = ((5, 0, "left", "center"), (-5, 0, "right", "center"))
FIRST: Places = ((4, 0, "left", "center"), (-6, 0, "right", "center"))
BESIDE: Places = ((-6, 0, "right", "center"), (6, 0, "left", "center"))
FILLS = {"ESTABLISHED": "OPEN", "orphan": "blocked", "gone": "CLOSED"}  # the others: CLOSING


@figure
def tcp(trace: Trace, end: str = "server") -> Figure:
    """What WebSocket, its kernel's TCP and its buffers are at ``end``, over time.

    Of a trace of any wire: on the kernel wire the kernel itself has told, on the others a model.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"tcp() takes a trace, seen {trace!r}: theory has no kernel")
    if end not in ("server", "client"):
        raise ValueError(f"an end is 'server' or 'client', seen {end!r}")
    r = Reading(trace)
    sockets = socket_states(trace, end)
    marks = (
        *ends.cuts(r, BANNER, OVER),
        *_websocket(r, end),
        *_sockets(r, sockets),
        *ends.tries(r, end, TRIES, "down", 0.004 * r.horizon, FIRST),
        *_bytes(trace, end, next((t for t, state in sockets if state == "gone"), r.horizon)),
    )
    moments = (*((t, 0) for t, _ in sockets), *((t, 1) for t, _ in r.states[end]))
    edges = ((t, 2) for cut in r.cuts for t in (cut.at, cut.heal) if t is not None)
    ticks = ends.ticks(r, [(0.0, 0), *edges, *moments, (r.horizon, 3)])
    tried = tuple(Tick(t, r.tick(t), 4, t) for t, _ in tries(r, end))
    axis = Axis(0.0, r.horizon, (*ticks, *tried), SECONDS)
    panel = Panel(axis, Axis(0.0, HEIGHT), marks, LANES)
    title = _finding(r, end, sockets)
    return Figure(title, (panel,), ends.source(r), "Below WebSocket", SIZE, MARGINS)


def _websocket(r: Reading, end: str) -> Iterator[Mark]:
    for bar in ends.states(r, end):
        yield Bar(
            bar.begin, bar.end, "WebSocket", bar.fill, bar.goes_on,
            wordings=bar.wordings, says=bar.says, known=bar.known,
        )  # fmt: skip


def _sockets(r: Reading, rows: list[tuple[float, str]]) -> Iterator[Mark]:
    """What the kernel has, as bars."""
    start = "Its socket: "
    for (begin, state), (stop, _) in pairwise([*rows, (r.horizon, "")]):
        if begin < r.horizon:
            fill = FILLS.get(state, "CLOSING")
            says = f"{start}{state} from {r.neat(max(0.0, begin))} s"
            goes_on = stop == r.horizon and state != "gone"
            words = ("orphan: closed, and tried on", "orphan") if state == "orphan" else (state,)
            yield Bar(
                max(0.0, begin), stop, "TCP", fill, goes_on, wordings=words, says=says, known=begin
            )
            start = ", "


def _bytes(trace: Trace, end: str, stop: float) -> Iterator[Mark]:
    """What the kernel and the write buffer hold that has not arrived, until ``stop`` (s)."""
    rows = [row for row in Levels(trace, end).history if row.t < stop]
    most = max((row.wire + row.buffer for row in rows), default=0)
    if not most:
        return
    low, high = BYTES
    scale = (high - low) / most
    kernel = tuple((row.t, low, low + row.wire * scale) for row in rows)
    yield Area(kernel, stop, "wire")
    buffer = tuple((row.t, top, top + row.buffer * scale) for row, (_, _, top) in zip(rows, kernel))
    yield Area(buffer, stop, "buffer")
    first = next(row.t for row in rows if row.wire + row.buffer)
    many = f"{most:,} bytes"
    says = f"It holds up to {many} that have not arrived"
    look: dict[str, Any] = {"ink": "faint", "sizes": (7.5,), "known": first}
    yield Label(first, (low + high) / 2, wordings=(many,), places=BESIDE, says=says, **look)


def _finding(r: Reading, end: str, sockets: list[tuple[float, str]]) -> str:
    """ "The server is CLOSED at 17 s; its kernel tries on until 119.5 s"."""
    closed, tried = r.closed(end), tries(r, end)
    gone = next((t for t, state in sockets if state == "gone"), None)
    if closed is None:
        how = f"tries again, {ends.plural(len(tried), 'time')}" if tried else "has nothing to try"
        return f"The {end} is OPEN to the end, and its kernel {how}"
    if gone is None:
        return f"The {end} is CLOSED at {r.neat(closed)} s, and its kernel goes on trying"
    if gone > closed + r.tolerance:
        return f"The {end} is CLOSED at {r.neat(closed)} s, its kernel gives up at {r.neat(gone)} s"
    if r.story.select("gave_up", end):
        return f"The {end} is OPEN until its kernel gives up, at {r.neat(gone)} s"
    return f"The {end}'s kernel and its WebSocket end together, at {r.neat(closed)} s"
