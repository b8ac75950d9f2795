"""The wire lane: what came through, from end to end, and what is stuck, half-way. Draws what a Tale says.

    server ───┬──────────┬──      a PING goes down ▼, its PONG comes up △; a message is only a small tick
    wire      ▼△         ✕···┐    stuck: half a line, then dotted along the wire until it arrives, if it does
    client ───┴──────────────▼

Long stories are thinned to what paper can show, and say so; what is stuck, and every CLOSE, stays.
"""

from __future__ import annotations

from ..trace import Frame
from .room import Place
from .sheet import DOTS, EDGE, HEAD, SIDE, WIRE, Sheet
from .words import CONTROL, alike, stuck_name

MANY = 60  # pings above which some are left out
LABELLED = 8  # exchanges above which only the first is called by name
ROWS = {("server", "PING"): 7.0, ("client", "PONG"): -7.0, ("client", "PING"): -20.0, ("server", "PONG"): 20.0}  # of marks, from the wire


def wire(sheet: Sheet) -> str:
    """Draw what crosses the wire and what does not; gives what was left out, in words."""
    tale, theme = sheet.tale, sheet.theme
    sheet.lines([[(0, WIRE), (tale.stop if tale.is_asked else tale.horizon, WIRE)]], theme.rule, 1.2, 1)
    control, data, thinned = shown(sheet)
    messages(sheet, data, 3.5, theme.rule)
    flights(sheet, control)
    stuck(sheet)
    return thinned


def wire_words(sheet: Sheet) -> None:
    """PING, PONG and CLOSE by name, and what is stuck."""
    frame_words(sheet, shown(sheet)[0])
    stuck_words(sheet)


def shown(sheet: Sheet) -> tuple[list[Frame], list[Frame], str]:
    """The control frames and the messages that are drawn, and what was left out, in words."""
    through = sheet.tale.through
    beats = [frame for frame in through if frame.opcode in ("PING", "PONG")]
    data = [frame for frame in through if frame.opcode not in CONTROL]
    few, seen = thin(beats), one_a_point(data, sheet.room.dx)
    said = [f"{len(data):,} messages, {len(seen):,} drawn"] if len(seen) < len(data) else []
    if len(few) < len(beats):
        said.append("{:,} pings, {:,} drawn".format(*(sum(f.opcode == "PING" for f in row) for row in (beats, few))))
    control = few + [frame for frame in through if frame.opcode == "CLOSE"]
    return sorted(control, key=lambda f: f.sent_at), seen, "thinned: " + "; ".join(said) if said else ""


def thin(beats: list[Frame]) -> list[Frame]:
    """All pings and pongs of a short story; of a long one every n-th ping, with what is sent before the next."""
    pings = sum(frame.opcode == "PING" for frame in beats)
    step, kept, count = -(-pings // MANY), [], 0
    for frame in beats:
        count += frame.opcode == "PING"
        if step <= 1 or count % step == 1:
            kept.append(frame)
    return kept


def one_a_point(frames: list[Frame], scale: float) -> list[Frame]:
    """At most one frame of a sender and a kind for each point of paper; ``scale`` is in points a second."""
    first = {(f.sender, f.opcode == "CLOSE", int(f.sent_at * scale)): f for f in reversed(frames)}
    return list(reversed(first.values()))


# what came through


def messages(sheet: Sheet, data: list[Frame], length: float, colour: str) -> None:
    """Messages, as small ticks on their sender's side of the wire."""
    sheet.lines([[(f.sent_at, WIRE), (f.sent_at, WIRE + length * SIDE[f.sender])] for f in data], colour, 0.9, 1.2)
    for f in data:
        sheet.room.take(f.sent_at, WIRE + length / 2 * SIDE[f.sender], 0.5, length / 2 - 0.3)


def flights(sheet: Sheet, control: list[Frame]) -> None:
    """Pings, pongs and CLOSEs from end to end, each with its mark."""
    theme = sheet.theme
    for closes, colour in ((False, theme.ping), (True, theme.ink)):
        sheet.lines([flight(sheet, frame) for frame in control if (frame.opcode == "CLOSE") == closes], colour, 1.3, 1.5)
    for sender, opcode in sorted({(frame.sender, frame.opcode) for frame in control}):
        points = [mark(sheet, frame) for frame in control if (frame.sender, frame.opcode) == (sender, opcode)]
        colour = theme.ink if opcode == "CLOSE" else theme.ping
        there = [point for point in points if point is not None]
        sheet.points(there, HEAD[sender], 7, theme.paper if opcode == "PONG" else colour, colour, 5)
        for x, y in there:
            sheet.room.take(x, y, 5, 5)
    for frame in control:
        _take_flight(sheet, frame)


def flight(sheet: Sheet, frame: Frame) -> list[tuple[float, float]]:
    """A frame's way from its sender's edge to its receiver's; only as far as it has come if the telling stops before."""
    start, goal, stop = EDGE[frame.sender], EDGE[frame.receiver], sheet.tale.stop
    arrived = frame.arrived_at if frame.arrived_at is not None else frame.sent_at + sheet.tale.latency
    part = (stop - frame.sent_at) / (arrived - frame.sent_at) if arrived > stop and arrived > frame.sent_at else 1.0
    return [(frame.sent_at, start), (frame.sent_at + part * (arrived - frame.sent_at), start + part * (goal - start))]


def mark(sheet: Sheet, frame: Frame) -> tuple[float, float] | None:
    """Where on its way a frame has its mark, in a row of its own for each sender and kind; None if it has not come so far."""
    (x0, y0), (x1, y1) = flight(sheet, frame)
    y = WIRE + ROWS.get((frame.sender, frame.opcode), 20.0 * SIDE[frame.sender])
    part = (y0 - y) / (y0 - y1) if y0 != y1 else 2.0
    return (x0 + part * (x1 - x0), y) if part <= 1 else None


def _take_flight(sheet: Sheet, frame: Frame) -> None:
    """Keep words off a frame's line, which may be sloped."""
    (x0, y0), (x1, y1) = flight(sheet, frame)
    pieces = 1 if (x1 - x0) * sheet.room.dx < 2 else 8
    for k in range(pieces):
        part = (k + 0.5) / pieces
        high = abs(y1 - y0) / pieces / 2 * sheet.room.dy - 0.5
        sheet.room.take(x0 + part * (x1 - x0), y0 + part * (y1 - y0), 1, high)


def frame_words(sheet: Sheet, control: list[Frame]) -> None:
    """CLOSE with its code, PING and PONG by name; among many pings only the first exchange."""
    for frame in control:
        point, off = mark(sheet, frame), 6 * SIDE[frame.sender]  # off its way, if that is sloped
        beside: list[Place] = [
            (8, 0, "left", "center"),
            (-8, 0, "right", "center"),
            (7, off, "left", "center"),
            (-7, -off, "right", "center"),
        ]
        if point is not None and frame.opcode == "CLOSE":
            sheet.room.put(stuck_name("CLOSE", frame.code), *point, beside, 8, color=sheet.theme.ink)
    pairs = exchanges([f for f in control if f.opcode != "CLOSE"], 2 * sheet.tale.latency + sheet.tale.tolerance)
    for pair in pairs[:1] if len(pairs) > LABELLED else pairs:
        pair_words(sheet, pair)


def exchanges(frames: list[Frame], gap: float) -> list[list[Frame]]:
    """Pings and pongs that belong together: none begins more than ``gap`` (s) after the first."""
    found: list[list[Frame]] = []
    for frame in frames:
        if found and frame.sent_at - found[-1][0].sent_at <= gap:
            found[-1].append(frame)
        else:
            found.append([frame])
    return found


def pair_words(sheet: Sheet, frames: list[Frame]) -> None:
    """The names of frames that belong together, all on one side of their marks; if their ways slope, to the left of the first."""
    points = [(frame, point) for frame in frames if (point := mark(sheet, frame))]
    right: Place = (7, 0, "left", "center")
    left: Place = (-7, 0, "right", "center")
    sides = [[right] * len(points), [left] * len(points)]
    if sheet.tale.latency * sheet.room.dx > 2:
        sides = [[left if frame is frames[0] else right for frame, _ in points]]
    for places in sides:
        rows = [(frame.opcode, *point, place) for (frame, point), place in zip(points, places, strict=True)]
        if all(sheet.room.fits(*row, 7.5, 0) for row in rows):
            for text, x, y, place in rows:
                sheet.room.put(text, x, y, [place], 7.5, color=sheet.theme.ping_words, pad=0)
            return


# what is stuck


def stuck(sheet: Sheet) -> None:
    """Half-lines from their senders with a ✕, dotted on to the moment they arrive, if they do; of messages, the first, then ticks."""
    data = [frame for frame in sheet.tale.stuck if frame.opcode not in CONTROL]
    firsts = {id(rows[0]) for rows in alike(data).values()}
    crossed = one_a_point([f for f in sheet.tale.stuck if f.opcode in CONTROL or id(f) in firsts], sheet.room.dx / 3)
    messages(sheet, one_a_point([f for f in data if id(f) not in firsts], sheet.room.dx), 10, sheet.theme.stuck)
    late = [(f, f.arrived_at) for f in crossed if f.arrived_at is not None and f.arrived_at <= sheet.tale.horizon]
    theme, room = sheet.theme, sheet.room
    sheet.lines([[(f.sent_at, EDGE[f.sender]), (f.sent_at, WIRE)] for f in crossed], theme.stuck, 1.6, 2)
    sheet.lines([[(f.sent_at, WIRE), (t, WIRE), (t, EDGE[f.receiver])] for f, t in late], theme.stuck, 1.4, 2, DOTS)
    sheet.points([(f.sent_at, WIRE) for f in crossed], "X", 10, theme.stuck, theme.paper, 6)
    for f, t in late:
        sheet.points([(t, EDGE[f.receiver] - 4 * SIDE[f.receiver])], HEAD[f.sender], 6, theme.stuck, theme.stuck, 6)
        room.take(t, (WIRE + EDGE[f.receiver]) / 2, 4, abs(WIRE - EDGE[f.receiver]) / 2 * room.dy)
    for f in crossed:
        room.take(f.sent_at, (WIRE + EDGE[f.sender]) / 2, 1.5, abs(WIRE - EDGE[f.sender]) / 2 * room.dy - 1)
        room.take(f.sent_at, WIRE, 5, 5)


def stuck_words(sheet: Sheet) -> None:
    """ "PING stuck", "CLOSE 1011 stuck, arrives 20"; of more than four alike, the first says how many there are."""
    for (sender, name), rows in alike(sheet.tale.stuck).items():
        for frame in rows[:1] if len(rows) > 4 else rows:
            what = f"{len(rows):,} {name}s" if len(rows) > 4 else name
            texts = [f"{what} stuck"]
            if frame.arrived_at is not None and len(rows) <= 4:
                when = sheet.tale.neat(frame.arrived_at)
                texts = [f"{what} stuck, arrives {when}", f"{what} stuck,\narrives {when}", *texts]
            tries = ((_beside(-SIDE[sender], ha), size) for size in (8.5, 7.5) for ha in ("left", "right", "center"))
            any(sheet.room.put(texts, frame.sent_at, WIRE, places, size, color=sheet.theme.stuck_words) for places, size in tries)


def _beside(away: float, ha: str) -> list[Place]:
    """Places at one side of a ✕, or under it: two rows across the wire from its half-line, then two rows beside that."""
    dx = {"left": 7.0, "right": -7.0, "center": 0.0}[ha]
    across, back = ("top", "bottom") if away < 0 else ("bottom", "top")
    if ha == "center":
        return [(dx, away * row, ha, across) for row in (8, 17)]
    return [(dx, away * row, ha, across) for row in (3, 14)] + [(dx, -away * row, ha, back) for row in (4, 15)]
