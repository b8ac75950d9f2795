"""The line-up: one experiment, many vintages, a lane each on one time axis.

    14.1  OPEN ━━━┃ believes OPEN │ in CLOSING for 57 s, until healed ▨//▨┆ CLOSED
    14.2  OPEN ━━━┃ believes OPEN │ CLOSING │ CLOSED                    //┆
    9.1   ┄┄┄┄┄┄┄ not run: no keepalive in threading before 15 ┄┄┄┄┄┄┄┄┄┄┄┄

It turns traces into marks and runs nothing. How a lane ended, and the title, stand in
lineup_lanes.py. Where for long nothing happens, the axis is broken, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..values.faults import ENDS
from . import ends
from .axis import SECONDS, Axis, broken
from .bars import Bar, Slit
from .figure import Figure, figure
from .findings import coinciding
from .labels import beside
from .layout import Panel, headroom
from .lineup_lanes import Lane, finding, hung_words, lanes
from .marks import Dot, Label, Mark, Says
from .reading import NEVER, Reading
from .states import spans
from .widths import width, wrap

WIDE = 9.6  # inches
HEAD, PITCH, BAR = 24.0, 47.0, 22.0  # points: the row of the cut's words, a lane, the bar in it
BELOW, RIGHT = 36.0, 26.0  # points under and beside the lanes
BIG, SMALL = 10.5, 9.0  # points; of a lane's names
TIMERS = 5  # what is longer than so many times all timers together may be drawn short
TAIL = 0.16  # of what is drawn at its length: so long CLOSED is seen to last


@figure
def lineup(traces: Iterable[Any], *, end: str = "server") -> Figure:
    """Traces of one experiment, each run on another vintage, one under the other.

    A trace is named by its ``header["vintage"]``, or else by its versions. What is not a trace but
    says ``why`` (a hole) is an empty lane with these words. ``end`` is whose states are drawn,
    "server" or "client".
    """
    if end not in ENDS:
        raise ValueError(f"an end is 'server' or 'client', seen {end!r}")
    rows = lanes(traces, end)
    title, high = finding(rows), HEAD + PITCH * len(rows)
    names = [lane.names(rows) for lane in rows]
    left = 14 + max(max(width(big, BIG, True), width(small, SMALL)) for big, small in names)
    top = headroom(title, WIDE * 72 - left - 4)
    r, along = _axis([lane for lane in rows if not lane.hole] or rows)
    wires = {lane.r.header["wire"] for lane in rows if "wire" in lane.r.header}
    marks = [*ends.cuts(r, high - 7, beside(5))]
    marks += [Says(says=ends.cut_words(r, cut)) for cut in r.cuts]
    for number, lane in enumerate(rows):
        low = high - HEAD - PITCH * number - BAR
        marks += _names(*names[number], low + BAR / 2)
        if lane.hole:
            marks.append(_hole(lane, along.high, low))
        else:
            marks += [*_states(lane, along, low), *_moments(lane, low - 8.5)]
    return Figure(
        title,
        (Panel(along, Axis(0.0, high), tuple(marks)),),
        ((ends.LEGEND["observed"], "ink"), *((f"{wire} wire", "faint") for wire in sorted(wires))),
        f"Line-up of {len(rows)} vintages, the states of the {end}",
        (WIDE, (top + high + BELOW) / 72),
        (left, BELOW, RIGHT, top),
        asks="Which of these notice, and when?",
        known=r.stop,
    )


# the axis


def _axis(rows: Sequence[Lane]) -> tuple[Reading, Axis]:
    """The longest story, and the axis that all share; what still hangs when it ends runs to it."""
    longest = max((lane.r for lane in rows), key=lambda r: r.stop)
    moments = [(0.0, 1), *((t, 1) for lane in rows for t in lane.times if t < NEVER)]
    for r in (lane.r for lane in rows):
        edges = (t for cut in r.cuts for t in (cut.at, cut.heal) if t is not None)
        moments += [(t, 0) for t in edges if t <= r.stop + 1e-6]
    hung = [one.r.stop for one in rows if one.times[1] == NEVER and one.until != "heal"]
    times = [t for t, _ in moments] + hung
    last, peer = max(times) or 1.0, longest.peer
    timers = sum(t or 0.0 for t in (peer.ping_interval, peer.ping_timeout, peer.close_timeout))
    axis, label = broken(Axis(0.0, last), times, TIMERS * timers), SECONDS
    saved = sum(b - a for a, b in axis.breaks)
    if saved:
        label = f"{SECONDS}; at // the axis leaves out {longest.neat(saved)} s without a change"
    high = last if last in hung else last + TAIL * (last - saved)
    for lane in rows:
        lane.r.horizon = high
    return longest, replace(axis, high=high, label=label, ticks=ends.ticks(longest, moments))


# the lanes


def _names(big: str, small: str, y: float) -> Iterator[Mark]:
    """Whose lane it is, at its left."""
    up = 6.5 if small else 0.0
    for text, size, dy in ((big, BIG, up), (small, SMALL, -up)):
        places = ((-8, dy, "right", "center"),)
        words = (text,) if text else ()
        yield Label(0.0, y, wordings=words, places=places, sizes=(size,), bold=size == BIG)


def _states(lane: Lane, along: Axis, low: float) -> Iterator[Mark]:
    """The states as bars, cut where the axis is broken; what hung says for how long."""
    r, row, place = lane.r, spans(lane.r, lane.end), (low, low + BAR)
    if row[-1].state != "CLOSED":
        row[-1] = replace(row[-1], stop=min(row[-1].stop, r.stop))
    texts, hung = hung_words(lane), lane.hung or (NEVER, NEVER)
    for span, bar in zip(row, ends.states(r, lane.end, row)):
        says = bar.says.replace(f"{lane.end.capitalize()}:", f"{lane.label}:")
        bar = replace(bar, lane=place, says=says)
        if span.begin <= hung[0] + 1e-6 < span.stop:
            plain, wordings = bar.wordings, (*texts, *bar.wordings)
            bar = replace(bar, wordings=wordings, meanwhile=plain, sizes=(10.0, 9.0, 8.0))
        yield bar
    yield from (Says(says=f", {text}", known=hung[1]) for text in texts[:1])
    yield from (Slit(t, place, known=t) for t in along.slits if t < row[-1].stop)


def _moments(lane: Lane, y: float) -> Iterator[Mark]:
    """● what happened, and when; moments that coincide together."""
    r, told = lane.r, lane.r.told(lane.end)
    for group in coinciding(r):
        words = ends.listed([one.words for one in group if one.end == lane.end])
        if words:
            t = group[0].t
            texts = (f"{words} {r.seconds(t)}", words)
            yield Dot(t, y, "observed", wordings=texts, places=beside(7), sizes=(9.0, 8.0), known=t)
    when = "never told" if told is None else f"told at {r.seconds(told)}"
    yield Says(says=f", its program is {when}", known=r.stop if told is None else told)


def _hole(lane: Lane, end: float, low: float) -> Mark:
    """An empty lane with the reason, where no line of a cut is in its way."""
    texts = tuple(wrap(lane.hole, 10.0, wide) for wide in (WIDE * 72, 240.0, 160.0))
    says = f"{lane.label}: {lane.hole.replace(': ', ', ', 1)}"
    sizes = (9.5, 8.5, 7.5)
    return Bar(
        0.0, end, (low, low + BAR), "not in this log", wordings=texts, says=says, sizes=sizes
    )
