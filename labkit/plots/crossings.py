"""What crosses the wire of a timeline, and what does not. It draws nothing but marks.

    server ───┬──────────┬──      a PING goes down ▼, its PONG comes up △; a message is only a tick
    wire      ▼△         ✕···┐    stuck: half a line, then dotted until it arrives, if it does
    client ───┴──────────────▼

Long stories are thinned to what paper can show, and say so; what is stuck, and every CLOSE, stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..values.faults import ENDS
from . import ends, findings
from .labels import Place
from .marks import DOTTED, Dot, Mark, Path, Says, Ticks
from .reading import Reading
from .wire import CONTROL, Crossing

WIDE = 570.0  # points that the axis along is long at the usual size
WIRE = 104.0  # its height; across a unit is a point
EDGE = {"server": 136.0, "client": 72.0}  # where a frame leaves or enters
SIDE = {"server": 1.0, "client": -1.0}  # on which side of the wire an end is
TO = {"server": "down", "client": "up"}  # where what an end sends is going
ROWS = {  # of signs, from the wire
    ("server", "PONG"): 22.5,
    ("server", "PING"): 7.5,
    ("client", "PONG"): -7.5,
    ("client", "PING"): -22.5,
}
MANY, LABELLED, ALIKE = 60, 8, 4  # pings drawn; of a kind with names; stuck frames with names


def shown(r: Reading) -> tuple[list[Crossing], list[Crossing], str]:
    """The control frames and the messages that are drawn, and what was left out, in words."""
    beats = [frame for frame in r.through if frame.opcode in ("PING", "PONG")]
    data = [frame for frame in r.through if frame.opcode not in CONTROL]
    few, seen = ends.every(beats, ends.is_ping, MANY), _apart(data, WIDE / r.horizon)
    pings, drawn = (sum(map(ends.is_ping, row)) for row in (beats, few))
    counts = {"messages": (len(data), len(seen)), "pings": (pings, drawn)}
    control = few + [frame for frame in r.through if frame.opcode == "CLOSE"]
    return sorted(control, key=lambda f: f.sent_at), seen, ends.thinned(counts)


def _apart(frames: list[Crossing], scale: float) -> list[Crossing]:
    """At most one frame of a sender and a kind for each point; ``scale`` is in points a second."""
    first = {(f.sender, f.opcode == "CLOSE", int(f.sent_at * scale)): f for f in reversed(frames)}
    return list(reversed(first.values()))


def crossed(r: Reading, control: list[Crossing], data: list[Crossing]) -> Iterator[Mark]:
    """The wire and what came through: control frames from end to end, messages as small ticks."""
    end = r.stop if r.is_asked else r.horizon
    yield Path(((0.0, WIRE), (end, WIRE)), "rule", 1.2, z=1.0)
    for sender in ENDS:
        times = tuple(f.sent_at for f in data if f.sender == sender)
        yield Ticks(times, WIRE, 2.1 * SIDE[sender])
    pings = sum(frame.opcode == "PING" for frame in r.through)
    verb = "PING gets" if pings == 1 else "PINGs get"
    yield Says(
        says=f"{pings:,} {verb} through", known=max((f.sent_at for f in control), default=0.0)
    )
    kinds = Counter((frame.sender, frame.opcode) for frame in control)
    named: set[tuple[str, str]] = set()
    for frame in control:
        kind, name = (frame.sender, frame.opcode), frame.name
        is_named = kinds[kind] <= LABELLED or kind not in named
        named.add(kind)
        yield from _flight(r, frame, (name,) if is_named else ())


def _flight(r: Reading, frame: Crossing, wordings: tuple[str, ...]) -> Iterator[Mark]:
    """A frame's way from edge to edge, as far as it has come, its sign in a row of its own."""
    closes, start, goal = frame.opcode == "CLOSE", EDGE[frame.sender], EDGE[frame.receiver]
    arrived = frame.sent_at + r.latency if frame.arrived_at is None else frame.arrived_at
    took = arrived - frame.sent_at
    part = (r.stop - frame.sent_at) / took if arrived > r.stop and took else 1.0
    tip = (frame.sent_at + part * took, start + part * (goal - start))
    colour, known = "ink" if closes else "ping", frame.sent_at
    yield Path(((frame.sent_at, start), tip), colour, 1.3, known=known, z=1.5)
    height = WIRE + ROWS.get((frame.sender, frame.opcode), 19.0 * SIDE[frame.sender])
    way = (start - height) / (start - goal)
    if way <= part:
        off = 6 * SIDE[frame.sender]  # off its way, if that is sloped
        right: tuple[Place, ...] = ((7, 0, "left", "center"), (7, off, "left", "center"))
        left: tuple[Place, ...] = ((-7, 0, "right", "center"), (-7, -off, "right", "center"))
        is_sloped = r.latency / r.horizon > 0.003
        yield Dot(
            frame.sent_at + way * took, height, frame.opcode, TO[frame.sender],
            wordings=wordings, ink="ink" if closes else "ping_words", sizes=(8.0, 7.5),
            places=(*left, *right) if is_sloped and frame.opcode == "PING" else (*right, *left),
            known=known,
        )  # fmt: skip


def stuck(r: Reading) -> Iterator[Mark]:
    """Half-lines with a ✕, dotted on to where they arrive, if they do; messages as ticks."""
    alike = findings.alike(r.stuck)
    data = [frame for frame in r.stuck if frame.opcode not in CONTROL]
    firsts = {id(rows[0]) for rows in alike.values()}
    rest = _apart([f for f in data if id(f) not in firsts], WIDE / r.horizon)
    for sender in ENDS:
        times = tuple(f.sent_at for f in rest if f.sender == sender)
        yield Ticks(times, WIRE, 10 * SIDE[sender], "stuck")
    crossed = [f for f in r.stuck if f.opcode in CONTROL or id(f) in firsts]
    drawn = {id(f) for f in _apart(crossed, WIDE / r.horizon / 3)}
    for rows in alike.values():
        for frame in rows:
            if id(frame) in drawn:
                named = len(rows) <= ALIKE or frame is rows[0]
                yield from _half_line(
                    r, frame, findings.stuck_words(r, rows, frame, ALIKE) if named else ()
                )
        yield Says(says=findings.stuck_says(r, rows), known=rows[-1].sent_at)


def _half_line(r: Reading, frame: Crossing, wordings: tuple[str, ...]) -> Iterator[Mark]:
    sent, arrived, away = frame.sent_at, frame.arrived_at, -SIDE[frame.sender]
    yield Path(((sent, EDGE[frame.sender]), (sent, WIRE)), "stuck", 1.6, known=sent, z=2.9)
    if arrived is not None and arrived <= r.horizon:
        goal = EDGE[frame.receiver]
        way = ((sent, WIRE), (arrived, WIRE), (arrived, goal))
        yield Path(way, "stuck", 1.4, DOTTED, known=arrived, z=2.8)
        yield Dot(
            arrived, goal - 4 * SIDE[frame.receiver], "arrives", TO[frame.sender], known=arrived
        )
    yield Dot(
        sent, WIRE, "stuck", wordings=wordings, ink="stuck_words", known=sent,
        places=tuple(place for ha in ("left", "right", "center") for place in _beyond(away, ha)),
    )  # fmt: skip


def _beyond(away: float, align: str) -> Iterator[Place]:
    """Places beyond a ✕, seen from its sender: two rows across the wire, two beside its line."""
    dx = {"left": 7.0, "right": -7.0, "center": 0.0}[align]
    across, back = ("top", "bottom") if away < 0 else ("bottom", "top")
    far = dx == 0.0
    yield from ((dx, away * row, align, across) for row in ((8, 17) if far else (3, 14)))
    if not far:
        yield from ((dx, -away * row, align, back) for row in (4, 15))
