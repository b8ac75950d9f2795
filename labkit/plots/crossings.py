"""What crosses the wire of a timeline, and what does not. It draws nothing but marks.

    server ───┬──────────┬──      a PING goes down ▼, its PONG comes up △; a message is only a tick
    wire      ▼△         ✕···┐    stuck: half a line, then dotted until it arrives, if it does
    client ───┴──────────────▼

Long stories are thinned to what paper can show, and say so; what is stuck, and every CLOSE, stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..values.faults import ENDS
from . import findings
from .below import KINDS
from .ends import by_name, tries
from .labels import Place, Places
from .marks import DOTTED, Dot, Mark, Path, Says, Ticks
from .reading import Reading
from .wire import Crossing

WIDE = 570.0  # points that the axis along is long at the usual size
WIRE = 104.0  # its height; across a unit is a point
EDGE = {"server": 136.0, "wire": WIRE, "client": 72.0}  # where a frame leaves or enters
SIDE = {"server": 1.0, "client": -1.0}  # on which side of the wire an end is
TO = {"server": "up", "client": "down"}  # where what an end gets is going
ROWS = {"PONG": {"server": 22.5, "client": -7.5}, "PING": {"server": 7.5, "client": -22.5}}
ROWS["CLOSE"] = {"server": 19.0, "client": -19.0}
ROWS["FIN"] = ROWS["RST"] = {"server": 12.0, "client": -12.0}  # of signs, from the wire
LOOK = {"CLOSE": ("ink", "ink"), "FIN": ("faint", "faint"), "RST": ("faint", "faint")}
LABELLED = 8  # frames of a kind that are called by name; of more only the first


def apart(r: Reading, frames: Iterable[Crossing], points: float = 1.0) -> list[Crossing]:
    """At most one frame of a sender and a kind for each ``points`` of the axis."""
    first: dict[tuple[str, bool, int], Crossing] = {}
    for one in frames:
        place = int(one.sent_at / r.horizon * WIDE / points)
        first.setdefault((one.sender, one.opcode in LOOK, place), one)
    return list(first.values())


def crossed(r: Reading, shown: list[Crossing]) -> Iterator[Mark]:
    """The wire and what came through: control frames from end to end, messages as small ticks."""
    control = [one for one in shown if not one.stuck and not one.is_data]
    end = r.stop if r.is_asked else r.horizon
    yield Path(((0.0, WIRE), (end, WIRE)), "rule", 1.2, z=1.0)
    yield from _ticks((one for one in shown if not one.stuck and one.is_data), 2.1, "rule")
    pings = sum(one.opcode == "PING" for one in r.through)
    verb = "PING gets" if pings == 1 else "PINGs get"
    last = max((one.sent_at for one in control), default=0.0)
    yield Says(says=f"{pings:,} {verb} through", known=last)
    kinds = by_name(control, lambda one: (one.sender, one.opcode))
    named = {id(one) for row in kinds for one in (row if len(row) <= LABELLED else row[:1])}
    for one in control:
        if one.opcode in KINDS.values():
            yield Says(says=findings.hung_up(r, one), known=one.sent_at)
        yield from _flight(r, one, (one.name,) if id(one) in named else ())


def _ticks(frames: Iterable[Crossing], length: float, colour: str) -> Iterator[Mark]:
    frames = list(frames)
    for sender in ENDS:
        times = tuple(one.sent_at for one in frames if one.sender == sender)
        yield Ticks(times, WIRE, length * SIDE[sender], colour)


def _flight(r: Reading, one: Crossing, wordings: tuple[str, ...]) -> Iterator[Mark]:
    """A frame's way from edge to edge, as far as it has come, its sign in a row of its own."""
    sent, took, side = one.sent_at, one.stop - one.sent_at, -SIDE[one.receiver]
    start, goal = EDGE[one.sender], EDGE[one.receiver]
    height = WIRE + ROWS[one.opcode][one.receiver if one.sender == "wire" else one.sender]
    part = (r.stop - sent) / took if one.stop > r.stop and took else 1.0
    sign = (start - height) / (start - goal)  # how far along its way
    colour, ink = LOOK.get(one.opcode, ("ping", "ping_words"))
    tip = (sent + part * took, start + part * (goal - start))
    z = 1.4 if one.opcode in KINDS.values() else 1.5  # a FIN under its CLOSE
    yield Path(((sent, start), tip), colour, 1.3, known=sent, z=z)
    if sign <= part:
        rows: Places = ((7, 0, "left", "center"), (7, 6 * side, "left", "center"))
        left: Places = ((-7, 0, "right", "center"), (-7, -6 * side, "right", "center"))
        is_sloped = r.latency / r.horizon > 0.003 and one.opcode == "PING"
        yield Dot(
            sent + sign * took, height, one.opcode, TO[one.receiver], wordings=wordings, ink=ink,
            sizes=(8.0, 7.5), places=left + rows if is_sloped else rows + left,
            known=sent + sign * took,
        )  # fmt: skip


def stuck(r: Reading, shown: list[Crossing]) -> Iterator[Mark]:
    """Half-lines with a ✕, dotted on to where they arrive, if they do; messages as ticks.

    Grey ticks on the sender's side of the wire are TCP's tries to bring over what is stuck.
    """
    found = [one for one in shown if one.stuck]
    alike = by_name(found, lambda one: (one.sender, one.name))
    firsts = {id(rows[0]) for rows in alike}
    crosses = [one for one in found if not one.is_data or id(one) in firsts]
    ticks = [one for one in found if one.is_data and id(one) not in firsts]
    yield from _ticks(apart(r, ticks), 10.0, "stuck")
    drawn = set(map(id, apart(r, crosses, 3)))
    for rows in alike:
        for one in rows:
            if id(one) in drawn:
                is_named = len(rows) <= findings.ALIKE or one is rows[0]
                texts = findings.stuck_words(r, rows, one) if is_named else ()
                yield from _half_line(r, one, texts)
        late, so_far = rows[-1].arrived_at, findings.stuck_so_far(r, rows)
        says = so_far + findings.arrival(r, rows)
        over = r.stop if late is None else late
        yield Says(says=says, so_far=so_far, known=rows[-1].sent_at, over=over)
    for end in ENDS:
        above = 9.5 * SIDE[end]
        places: Places = ((-2, above, "left", "center"), (-10, above, "right", "center"))
        yield from tries(r, end, WIRE + 5 * SIDE[end], "down", 3 * r.horizon / WIDE, places)


def _half_line(r: Reading, one: Crossing, wordings: tuple[str, ...]) -> Iterator[Mark]:
    sent, arrived, start, goal = one.sent_at, one.arrived_at, EDGE[one.sender], EDGE[one.receiver]
    yield Path(((sent, start), (sent, WIRE)), "stuck", 1.6, known=sent, z=2.9)
    if arrived is not None and arrived <= r.horizon:
        way = ((sent, WIRE), (arrived, WIRE), (arrived, goal))
        yield Path(way, "stuck", 1.4, DOTTED, known=arrived, z=2.8)
        tip = goal - 4 * SIDE[one.receiver]
        yield Dot(arrived, tip, "arrives", TO[one.receiver], known=arrived)
    look: dict[str, Any] = {"places": tuple(_beyond(-SIDE[one.sender])), "ink": "stuck_words"}
    if arrived is not None:
        look |= {"meanwhile": wordings[-1:], "over": arrived}
    yield Dot(sent, WIRE, "stuck", wordings=wordings, known=sent, **look)


def _beyond(away: float) -> Iterator[Place]:
    """Places beyond a ✕, seen from its sender: two rows across the wire, two beside its line."""
    across, back = ("top", "bottom") if away < 0 else ("bottom", "top")
    rows = ((3, across), (14, across), (-4, back), (-15, back))
    for dx, align in ((7.0, "left"), (-7.0, "right")):
        yield from ((dx, away * row, align, upright) for row, upright in rows)
    yield from ((0.0, away * row, "center", across) for row in (8, 17))
