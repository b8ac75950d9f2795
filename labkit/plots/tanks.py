"""What does send() know? The places on the way of what an end sends, as tanks, and over time.

    server's          asyncio's          wire: kernels      client's         client's
    program      ──→  write buffer  ──→  and cable    ──→   queue      ──→   program
                       ▒▒▒ limit          ▒▒✕▒▒

    bytes  ▟▓▒░  buffer, wire, queue, received, stacked over time; the cut as a band

Where all tanks are empty they are not drawn. It turns a trace into marks and runs nothing; what is
counted stands in levels.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from ..trace import Trace
from . import ends
from .axis import SECONDS, Axis, Tick
from .bars import Bar
from .figure import Figure, figure
from .labels import CENTRE, around, beside
from .layout import Panel
from .levels import Level, Levels, byte_axis, many, stairs
from .marks import DASHED, Area, Dot, Label, Mark, Path, Rule, Says
from .reading import Reading
from .widths import wrap

MARGINS = (14.0, 14.0, 14.0, 30.0)  # points
HIGH, LOW = 5.6, 3.2  # inches, with tanks and without
BASE, TOP, HALF, LIP = 0.60, 0.86, 0.075, 0.012  # of the tanks, as parts of the area
ACROSS = {"sender": 0.085, "buffer": 0.3, "wire": 0.505, "queue": 0.71, "receiver": 0.915}
HISTORY = {HIGH: (0.085, 0.075, 0.86, 0.455), LOW: (0.085, 0.15, 0.86, 0.93)}  # the lower panel
LINE = 122.0  # points that a line of words over a tank may be long
LAYERS = {  # from below: what each is called, and the ink of that
    "received": ("received", "on_belief"),
    "queue": ("in the queue", "on_belief"),
    "wire": ("in the wire", "stuck_words"),
    "buffer": ("in the write buffer", "ink"),
}
ERROR = {False: "no error", True: "an error"}  # by whether a program was told
INSIDE = ((-5, -3, "right", "top"), (5, -3, "left", "top"))
NAMED = beside(7, (0, 5, -5, 10, -10, 15, -15))[:7]  # at the right
ABOVE = (*beside(6, (17, 24, 32, 40)), (0, 7, "center", "bottom"))


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
    sides = [Levels(trace, end) for end in ("server", "client") if sender in (None, end)]
    levels, r = max(sides, key=lambda one: one.at(trace.end).handed), Reading(trace)
    r.begin, r.horizon = levels.first, levels.last
    t = levels.end if at is None else min(max(0.0, at), levels.end)
    now = levels.at(t)
    clauses = tuple(Says(says=clause) for clause in _clauses(levels, now))
    is_empty = now.handed == now.received
    high = LOW if is_empty else HIGH
    tanks = () if is_empty else tuple(_tanks(levels, now))
    chain = Panel(Axis(0.0, 1.0), Axis(0.0, 1.0), (*tanks, *clauses))
    where = f"above: at {t:g} s (dotted)"
    if is_empty:
        known = ERROR[_is_told(levels, now)]
        where = f"at {t:g} s nothing is on its way; the {levels.sender} has {known}"
    source = ((where, "faint"), *ends.source(r))
    kind = f"Reservoirs at {t:g} s, of what the {levels.sender} sends"
    return Figure(
        _finding(levels, now), (chain, _history(r, levels, now, HISTORY[high])), source, kind,
        (9.0, high), MARGINS, known=t, foot=1.0,
    )  # fmt: skip


# the tanks


def _tanks(levels: Levels, now: Level) -> Iterator[Mark]:
    """Two programs, with what they know, between them tanks, and the ways."""
    names = {
        "sender": (f"{levels.sender}’s", "program"),
        "buffer": ("write buffer", "asyncio's, above TCP"),
        "wire": ("wire", "both kernels and the cable"),
        "queue": (f"the {levels.receiver}'s queue", "arrived, not yet read"),
        "receiver": (f"{levels.receiver}’s", "program"),
    }
    for place, (name, owner) in names.items():
        yield _said(place, TOP + 0.085, name, 10.0, bold=True)
        yield _said(place, TOP + 0.04, owner, 8.0, ink="faint")
        yield from _tank(levels, now, place) if place in LAYERS else _box(levels, now, place)
    for a, b in pairwise(ACROSS.values()):
        way = tuple((x, BASE + 0.09) for x in (a + HALF + LIP, b - HALF - LIP))
        yield Path(way, "faint", 1.6, head="to")
    cuts = levels.trace.experiment.cuts
    if any(cut.holds(now.t) for cut in cuts if cut.direction != f"to_{levels.sender}"):
        x = (ACROSS["wire"] + ACROSS["queue"]) / 2
        yield Dot(
            x, BASE + 0.09, "stuck", wordings=("cut",), ink="stuck_words", places=around(8)[::-1]
        )


def _said(place: str, y: float, text: str, size: float = 8.5, **look: Any) -> Label:
    """Words in the middle there, smaller if they must be."""
    words, sizes = (wrap(text, size, LINE),), (size, size - 1, size - 2)
    return Label(ACROSS[place], y, wordings=words, sizes=sizes, places=CENTRE, **look)


def _box(levels: Levels, now: Level, place: str) -> Iterator[Mark]:
    """A program, and what it knows; bad news in red."""
    if place == "sender":
        is_blocked, is_told = levels.blocked_since(now.t) is not None, _is_told(levels, now)
        lines = [
            (f"{ends.plural(_count(levels.returned, now.t), 'send')} returned", False),
            (f"{'one' if is_blocked else 'no'} send() is blocked", is_blocked),
            (ERROR[is_told], is_told),
        ]
        below = f"{many(now.handed)} handed over"
    else:
        got = ends.plural(_count(levels.got, now.t), "message")
        lines = [("recv() gave", False), (got, False)]
        below = many(now.received)
    left, right = ACROSS[place] - HALF, ACROSS[place] + HALF
    yield Path(
        ((left, BASE), (right, BASE), (right, TOP), (left, TOP), (left, BASE)), wide=1.2, z=2.0
    )
    for k, (line, is_bad) in enumerate(lines):
        ink = "stuck_words" if is_bad else "ink"
        yield _said(place, TOP - 0.055 - 0.07 * k, line, ink=ink)
    yield _said(place, BASE - 0.04, below, 9.5, bold=place == "receiver")


def _tank(levels: Levels, now: Level, place: str) -> Iterator[Mark]:
    """A cup, full if no more goes in, with its bytes below."""
    x, count, limit = ACROSS[place], getattr(now, place), levels.limit
    peaks = [max(row.buffer, row.wire, row.queue) for row in levels.history]
    scale = (TOP - BASE) / max(1.12 * limit, 1.08 * max(peaks))
    is_blocked = place == "buffer" and levels.blocked_since(now.t) is not None
    is_full = place == "wire" and count > 0 and now.buffer > 0
    if is_blocked:
        is_full = count > limit
    text = f"{many(count)}, full" if is_full else many(count)
    if count:
        yield Bar(x - HALF, x + HALF, (BASE, TOP if is_full else BASE + count * scale), place)
    yield Path(
        ((x - HALF, TOP), (x - HALF, BASE), (x + HALF, BASE), (x + HALF, TOP)), wide=1.8, z=4.0
    )
    if place == "buffer" and not is_full:  # up to where it fills, or down to where send() waits
        y, name = BASE + limit * scale, "write_limit"
        if is_blocked:
            y, name = BASE + levels.low * scale, ""
            text += f": waits until low-water mark, {levels.low:,}"
        yield Path(((x - HALF - LIP, y), (x + HALF + LIP, y)), dash=DASHED, z=5.0)
        yield Label(x, y, wordings=(name,), places=around(3), sizes=(8.0,))
    yield _said(place, BASE - 0.04, text, 9.5, bold=True)


# over time


def _history(r: Reading, levels: Levels, now: Level, box: Any) -> Panel:
    """The bytes in each place, stacked, with the write limit, cuts, and when send() blocks."""
    rows = levels.history
    top, start = max(row.handed for row in rows) or 1, rows[0].received
    low = start - 0.04 * (top - start) if levels.first > 0 else 0.0
    across = byte_axis(low, low + (top - low) * 1.3)
    marks = [*ends.cuts(r, across.high, INSIDE)]
    for t in levels.stops:
        stops = (f"the {levels.receiver} stops reading at {t:g} s", "stops reading")
        marks += [
            Rule(t, across.low, across.high, wide=1.2, dash=DASHED, around=False, known=t),
            Label(t, across.high, wordings=stops, places=INSIDE, ink="faint", known=t),
        ]
    marks += _stack(levels, rows, across)
    marks.append(Rule(now.t, across.low, across.high, wide=1.2, around=False))
    if levels.blocked:
        since, until = levels.blocked[0]
        long = "" if until is None else f", until {until:g} s"
        why = f"{since:g} s: the buffer is above write_limit,\nsend() blocks: drain() waits{long}"
        texts = (why, f"{since:g} s: send() blocks{long}", "send() blocks")
        at = levels.at(since).handed
        look: dict[str, Any] = {"places": ABOVE, "ink": "stuck_words", "known": since}
        marks.append(Dot(since, at, "blocks", wordings=texts, **look))
    cuts = [x for cut in levels.trace.experiment.cuts for x in (cut.at, cut.heal) if x is not None]
    blocked = [t for stop in levels.blocked[:1] for t in stop if t is not None]
    moments = [levels.first, now.t, *blocked, *cuts, levels.end]
    ticks = (Tick(t, f"{round(t, 2):g}", min(k, 3)) for k, t in enumerate(moments))
    along = Axis(levels.first, levels.last, tuple(ticks), SECONDS)
    return Panel(along, across, tuple(marks), box=box)


def _stack(levels: Levels, rows: Sequence[Level], axis: Axis) -> Iterator[Mark]:
    """The layers, each with its name beside its end; and up to where the buffer may fill."""
    floor = [0.0] * len(rows)
    for place, (name, ink) in LAYERS.items():
        ceiling = [low + getattr(row, place) for low, row in zip(floor, rows)]
        spans = zip(rows, floor, ceiling)
        steps = tuple((row.t, max(axis.low, a), max(axis.low, b)) for row, a, b in spans)
        names = (name,) if ceiling[-1] > max(floor[-1], axis.low) else ()
        yield Area(
            steps, levels.last, place, known=levels.first, wordings=names, places=NAMED, ink=ink
        )
        floor = ceiling
    yield Path(stairs([(row.t, row.handed) for row in rows], levels.last))
    filled = next((k for k, row in enumerate(rows) if row.buffer), len(rows))
    limit = [(row.t, row.handed - row.buffer + levels.limit) for row in rows[filled:]]
    if limit and max(high for _, high in limit) <= axis.high:
        yield Path(stairs(limit, levels.last), wide=1.2, dash=DASHED, z=4.0)
        places = ((2, 3, "left", "bottom"), (2, -3, "left", "top"))
        yield Label(*limit[0], wordings=("write_limit",), places=places)


# in words


def _count(rows: Sequence[tuple[float, int]], t: float) -> int:
    """How many of them have happened by ``t`` (s)."""
    return sum(when <= t + 1e-9 for when, _ in rows)


def _is_told(levels: Levels, now: Level) -> bool:
    """Whether the sender's program has been told that something is wrong."""
    told = levels.trace.told_at(levels.sender)
    return told is not None and told <= now.t


def _finding(levels: Levels, now: Level) -> str:
    """ "86 sends returned, 50 messages were received; at 8.6 s a send() blocked"."""
    if not now.handed:
        return f"The {levels.sender} has sent nothing"
    sends, got = _count(levels.returned, now.t), _count(levels.got, now.t)
    came = f"{ends.plural(got, 'message')} {'was' if got == 1 else 'were'} received"
    back = f"{ends.plural(sends, 'send')} returned, {came}"
    if not levels.returned:
        back = f"{many(now.handed)} sent, {many(now.received)} received"
    since = levels.blocked_since(now.t)
    if since is not None:
        return f"{back}; at {since:g} s a send() blocked"
    is_news = sends > got and not levels.trace.raised(levels.sender)
    return f"{back}, and no error" if is_news else back


def _clauses(levels: Levels, now: Level) -> Iterator[str]:
    """The figure in words, after its title."""
    limit = f"{many(now.buffer)} (write_limit {many(levels.limit)}), in the wire {many(now.wire)}"
    rest = f"in the {levels.receiver}'s queue {many(now.queue)}, received {many(now.received)}"
    yield f"In its write buffer {limit}, {rest}"
    for cut in levels.trace.experiment.cuts:
        yield f"Cut from {cut.at:g} s{'' if cut.heal is None else f' to {cut.heal:g} s'}"
    for a, b in levels.blocked[:3]:
        yield f"A send() is blocked from {a:g} s{' on' if b is None else f' to {b:g} s'}"
    if levels.blocked_since(now.t) is not None and now.buffer <= levels.limit:
        low = f"its low-water mark, {many(levels.low)}"
        yield f"The blocked send() goes on when the buffer is down to {low}"
    yield f"Its program has {ERROR[_is_told(levels, now)]}"
    if levels.trace.over == "stuck":
        yield f"From {levels.end:g} s on nothing can happen any more"
    counted = "Counted in bytes on the wire, frame headers too"
    yield f"{counted}; a message whose send() is blocked is counted"
