"""What does send() know? The places on the way of what an end sends, as tanks, and over time.

    server's          asyncio's          wire: kernels      client's         client's
    application  ──→  write buffer  ──→  and cable    ──→   queue      ──→   application
                       ▒▒▒ limit          ▒▒✕▒▒

    bytes  ▟▓▒░  buffer, wire, queue, received, stacked over time; the cut as a band

It turns a trace into marks and runs nothing. What is counted stands in levels.py, what is said in
reservoirs_words.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..trace import Trace
from . import ends
from . import reservoirs_words as words
from .axis import SECONDS, Axis, Tick, nice
from .bars import Bar
from .figure import Figure, figure
from .labels import CENTRE, Place, around
from .layout import Panel
from .levels import Level, Levels
from .marks import DASHED, DOTTED, Area, Dot, Label, Mark, Path, Rule, Says
from .reading import Reading
from .widths import wrap

SIZE, MARGINS = (9.0, 5.6), (14.0, 14.0, 14.0, 30.0)  # inches; points
BASE, TOP, HALF = 0.60, 0.86, 0.075  # of the tanks, as parts of the area
ACROSS = {"sender": 0.085, "buffer": 0.3, "wire": 0.505, "queue": 0.71, "received": 0.915}
OWNER = {
    "buffer": "asyncio's, above TCP",
    "wire": "both kernels and the cable",
    "queue": "arrived, not yet read",
}
HISTORY = (0.085, 0.075, 0.86, 0.455)  # the lower panel, as part of the area
ORDER = ("received", "queue", "wire", "buffer")  # from below
LAYERS = {
    "received": "received",
    "queue": "in the queue",
    "wire": "in the wire",
    "buffer": "in the write buffer",
}
INKS = {"received": "on_belief", "queue": "on_belief", "wire": "stuck_words", "buffer": "ink"}
LINE = 118.0  # points that a line of words over a tank may be long


@figure
def reservoirs(trace: Trace, at: float | None = None, *, sender: str | None = None) -> Figure:
    """Where the bytes are that an end has sent, at ``at`` (s; None: at the end) and over time.

    ``sender`` is "server" or "client", or else the end that sent more. Bytes are counted as on the
    wire; a message whose send() is blocked is counted, since the library has taken it.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"reservoirs() takes a trace, seen {trace!r}: theory has no bytes")
    if trace.experiment.compression:
        raise ValueError(
            "reservoirs() counts bytes, and compression=True makes them fewer: run it without"
        )
    levels, r = Levels(trace, sender or _sender(trace)), Reading(trace)
    r.begin, r.horizon = levels.first, levels.last
    t = levels.end if at is None else min(max(0.0, at), levels.end)
    rows = levels.history
    chain = Panel(Axis(0.0, 1.0), Axis(0.0, 1.0), tuple(_chain(levels, t)))
    history = Panel(
        Axis(levels.first, levels.last, tuple(_moments(levels, t)), SECONDS),
        _bytes(rows),
        tuple(_history(r, levels, rows, t)),
        box=HISTORY,
    )
    source = ((f"above: at {t:g} s (dotted)", "faint"), *ends.source(r))
    kind = f"Reservoirs at {t:g} s, of what the {levels.sender} sends"
    title = words.finding(levels, t)
    return Figure(title, (chain, history), source, kind, SIZE, MARGINS, known=t, foot=1.0)


def _sender(trace: Trace) -> str:
    """The end that sent more."""
    count = {
        end: sum(f.size for f in trace.frames(end)) + sum(b for _, b in trace.waiting(end))
        for end in ("server", "client")
    }
    return max(count, key=lambda end: count[end])


# the tanks


def _chain(levels: Levels, t: float) -> Iterator[Mark]:
    """Tanks, the two applications, the ways between, and what stands on them."""
    now = levels.at(t)
    yield from (mark for place in OWNER for mark in _tank(levels, now, place))
    yield from _applications(levels, t)
    places, y = list(ACROSS.values()), BASE + 0.09
    for a, b in zip(places, places[1:]):
        ways = ((a + HALF + 0.012, y), (b - HALF - 0.012, y))
        yield Path(ways, "faint", 1.6, head="to")
    ways_in = ("both", f"to_{levels.receiver}")
    cuts = [cut for cut in levels.trace.experiment.cuts if cut.direction in ways_in]
    if any(cut.holds(t) for cut in cuts):
        x = (ACROSS["wire"] + ACROSS["queue"]) / 2
        look: dict[str, Any] = {"ink": "stuck_words", "places": around(8)[::-1]}
        yield Dot(x, y, "stuck", wordings=("cut",), **look)
    yield from (Says(says=clause) for clause in words.clauses(levels, t))


def _tank(levels: Levels, now: Level, place: str) -> Iterator[Mark]:
    """A cup, full if no more goes in, with its name above and its bytes below."""
    x, count = ACROSS[place], getattr(now, place)
    peaks = [max(row.buffer, row.wire, row.queue) for row in levels.history]
    scale = (TOP - BASE) / max(1.12 * levels.limit, 1.08 * max(peaks, default=1))
    full = words.fullness(levels, now, place) if count and words.is_full(levels, now, place) else ""
    high = TOP if full else BASE + count * scale
    if count:
        yield Bar(x - HALF, x + HALF, (BASE, high), place)
    cup = ((x - HALF, TOP), (x - HALF, BASE), (x + HALF, BASE), (x + HALF, TOP))
    yield Path(cup, wide=1.8, z=4.0)
    limit = BASE + levels.limit * scale
    if place == "buffer" and not full:
        yield Path(
            ((x - HALF - 0.012, limit), (x + HALF + 0.012, limit)), wide=1.3, dash=DASHED, z=5.0
        )
        below: tuple[Place, ...] = ((0, -3, "center", "top"), (0, 3, "center", "bottom"))
        yield Label(x, limit, wordings=("write_limit",), places=below, sizes=(8.0,))
    name = place if place == "wire" else f"the {levels.receiver}'s queue"
    yield _said(x, TOP + 0.085, "write buffer" if place == "buffer" else name, 10.0, bold=True)
    yield _said(x, TOP + 0.04, OWNER[place], 8.0, ink="faint")
    yield _said(x, BASE - 0.04, f"{words.many(count)}{full}", 9.5, bold=True)


def _said(x: float, y: float, text: str, size: float = 8.5, **look: Any) -> Label:
    """Words in the middle there, smaller if they must be."""
    sizes = (size, size - 1, size - 2)
    return Label(x, y, wordings=(wrap(text, size, LINE),), sizes=sizes, places=CENTRE, **look)


def _applications(levels: Levels, t: float) -> Iterator[Mark]:
    """The two applications, as boxes with what they know."""
    got = ends.plural(words.sends(levels, t)[1], "message")
    known = {"sender": words.application(levels, t), "received": ["recv() gave", got]}
    below = {"sender": f"{words.many(levels.at(t).handed)} handed over"}
    below["received"] = words.many(levels.at(t).received)
    for place, lines in known.items():
        x, wide = ACROSS[place], HALF + 0.005
        corners = ((x - wide, BASE), (x + wide, BASE), (x + wide, TOP), (x - wide, TOP))
        yield Path((*corners, corners[0]), wide=1.2, z=2.0)
        who = levels.sender if place == "sender" else levels.receiver
        yield _said(x, TOP + 0.085, f"{who}’s", 10.0, bold=True)
        yield _said(x, TOP + 0.04, "application", 8.0, ink="faint")
        for k, line in enumerate(lines):
            alarm = line.startswith("one send") or line == "an error"
            yield _said(x, TOP - 0.055 - 0.07 * k, line, ink="stuck_words" if alarm else "ink")
        yield _said(x, BASE - 0.04, below[place], 9.5, bold=place == "received")


# over time


def _bytes(rows: list[Level]) -> Axis:
    """From 0 bytes, or from what was received before the panel begins."""
    top, start = max(row.handed for row in rows) or 1, rows[0].received
    low = start - 0.04 * (top - start) if rows[0].t > 0 else 0.0
    high = low + (top - low) * 1.3
    step = nice((high - low) / 4)
    values = [k * step for k in range(int(low / step), int(high / step) + 1) if k * step >= low]
    texts = ["0" if not x else words.many(round(x)).replace(".0 ", " ") for x in values]
    ticks = tuple(Tick(x, text) for x, text in zip(values, texts))
    return Axis(low, high, ticks, has_line=False, size=8.5)


def _moments(levels: Levels, t: float) -> Iterator[Tick]:
    """Seconds where something happens."""
    cuts = [x for cut in levels.trace.experiment.cuts for x in (cut.at, cut.heal) if x is not None]
    blocked = [a for a, _ in levels.blocked[:1]]
    for weight, x in enumerate([levels.first, t, *blocked, *cuts, levels.end]):
        yield Tick(x, f"{round(x, 2):g}", min(weight, 3))


def _history(r: Reading, levels: Levels, rows: list[Level], t: float) -> Iterator[Mark]:
    """The bytes in each place, stacked, with the write limit, cuts, and when send() blocks."""
    axis = _bytes(rows)
    inside: tuple[Place, ...] = ((-5, -3, "right", "top"), (5, -3, "left", "top"))
    yield from ends.cuts(r, axis.high, inside)
    for event in levels.trace.select("act", levels.receiver):
        if event.data.get("act") == "StopReading" and event.data.get("step") == "begin":
            texts = (f"the {levels.receiver} stops reading at {event.t:g} s", "stops reading")
            yield Rule(event.t, axis.low, axis.high, wide=1.2, dash=DASHED, around=False)
            yield Label(
                event.t, axis.high, wordings=texts, places=inside, ink="faint", known=event.t
            )
    yield from _stack(levels, rows, axis)
    yield Rule(t, axis.low, axis.high, wide=1.2, dash=DOTTED, around=False)
    if levels.blocked:
        a = levels.blocked[0][0]
        places = tuple(
            (dx, dy, align, "bottom")
            for dy in (7.0, 14.0, 22.0, 30.0)
            for dx, align in ((-6.0, "right"), (6.0, "left"), (0.0, "center"))
        )
        look: dict[str, Any] = {"ink": "stuck_words", "places": places, "known": a}
        yield Dot(
            a, levels.at(a).handed, "blocks", wordings=tuple(words.blocked_words(levels)), **look
        )


def _stack(levels: Levels, rows: list[Level], axis: Axis) -> Iterator[Mark]:
    """The layers, each with its name beside its end; and up to where the buffer may fill."""
    floor = [0.0] * len(rows)
    names: tuple[Place, ...] = tuple(
        (7.0, dy, "left", "center") for dy in (0, 5, -5, 10, -10, 15, -15)
    )
    for place in ORDER:
        ceiling = [low + getattr(row, place) for low, row in zip(floor, rows)]
        clipped = [(max(axis.low, a), max(axis.low, b)) for a, b in zip(floor, ceiling)]
        steps = tuple((row.t, *span) for row, span in zip(rows, clipped))
        name = (LAYERS[place],) if ceiling[-1] > max(floor[-1], axis.low) else ()
        yield Area(steps, levels.last, place, wordings=name, places=names, ink=INKS[place])
        floor = ceiling
    yield Path(_line(rows, [row.handed for row in rows], levels.last), wide=1.3)
    first = next((row.t for row in rows if row.buffer), None)
    if first is not None:
        shown = [row for row in rows if row.t >= first]
        heights = [row.handed - row.buffer + levels.limit for row in shown]
        yield Path(_line(shown, heights, levels.last), wide=1.2, dash=DASHED, z=4.0)
        places: tuple[Place, ...] = ((2, 3, "left", "bottom"), (2, -3, "left", "top"))
        yield Label(shown[0].t, heights[0], wordings=("write_limit",), places=places)


def _line(rows: list[Level], heights: list[int], end: float) -> tuple[tuple[float, float], ...]:
    """A line of steps."""
    stops = [*(row.t for row in rows[1:]), end]
    steps = zip(rows, stops, heights)
    return tuple((t, float(high)) for row, stop, high in steps for t in (row.t, stop))
