"""The rungs of a ladder, drawn: arrows sloped by their latency, stuck ones half-way, and words along them."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from .palette import Theme
from .rails import OUT, Board
from .room import FAMILY, LINE, Box, extent, wrap
from .rungs import Rung, beat_words, beats
from .sheet import DOTS

NEAR = 0.01  # of the axis; a round trip below is one arrow
FEW = 12  # of a kind; of more only the first is called by name

Point = tuple[float, float]  # points from the left, s


def arrows(board: Board, shown: list[Rung]) -> list[list[Rung]]:
    """Draw all rungs; gives them as they were drawn, in arrows."""
    groups = beats(shown, NEAR * board.tale.length)
    stuck = [rung for rung in shown if rung.stuck]
    for group in groups:
        if not group[0].stuck:
            _arrow(board, group)
    for rung in stuck:
        _stuck(board, rung, stuck)
    return groups


def colour(theme: Theme, kind: str) -> str:
    """The colour of an arrow, by what it carries."""
    return {"PING": theme.ping, "PONG": theme.ping, "CLOSE": theme.ink, "FIN": theme.ink, "RST": theme.ink}.get(kind, theme.faint)


def ends_of(board: Board, group: list[Rung]) -> tuple[Point, Point]:
    """Where an arrow begins and ends; one for several is level."""
    first = group[0]
    if len(group) > 1:
        t = (first.sent + max(rung.stop for rung in group)) / 2
        return (board.edge(first.sender), t), (board.edge(first.receiver), t)
    return (board.edge(first.sender), first.sent), (board.edge(first.receiver), first.stop)


def _arrow(board: Board, group: list[Rung]) -> None:
    a, b = ends_of(board, group)
    kinds = {rung.kind for rung in group}
    ink = colour(board.theme, "CLOSE" if "CLOSE" in kinds else group[0].kind)
    wide = 1.7 if "CLOSE" in kinds else 1.0 if kinds <= {"FIN", "RST", "HTTP"} or group[0].is_data else 1.4
    heads = "<|-|>" if len({rung.sender for rung in group}) > 1 else "-|>"
    _line(board, a, b, ink, wide, heads)


def _line(board: Board, a: Point, b: Point, ink: str, wide: float, heads: str, style: Any = "-") -> None:
    tip = {"arrowstyle": f"{heads},head_length=.45,head_width=.2", "color": ink, "lw": wide, "ls": style, "shrinkA": 1, "shrinkB": 1}
    board.ax.annotate("", b, a, arrowprops={**tip, "mutation_scale": 11, "joinstyle": "miter"}, zorder=3)
    _keep_off(board, a, b)


def _keep_off(board: Board, a: Point, b: Point) -> None:
    """Keep words off a line."""
    (x0, y0), (x1, y1) = board.room.point(*a), board.room.point(*b)
    pieces = max(1, int(math.hypot(x1 - x0, y1 - y0) / 4))
    for k in range(pieces):
        x, y = x0 + (k + 0.5) / pieces * (x1 - x0), y0 + (k + 0.5) / pieces * (y1 - y0)
        board.room.taken.append((x - 2, y - 0.8, x + 2, y + 0.8))


# what is stuck


def cross(board: Board, rung: Rung, stuck: list[Rung]) -> Point:
    """Where the ✕ of a stuck rung stands: half-way, those that arrive later a little apart, so that their drops are told apart."""
    late = [one for one in stuck if one.arrived is not None and one.sender == rung.sender]
    way = board.edge(rung.receiver) - board.edge(rung.sender)
    apart = -10.0 * OUT[rung.receiver] * late.index(rung) if rung in late[:6] else 0.0
    return board.edge(rung.sender) + way / 2 + apart, min(rung.sent + board.tale.latency / 2, board.tale.horizon)


def _stuck(board: Board, rung: Rung, stuck: list[Rung]) -> None:
    """Dashed to half-way with a ✕; dotted on to where and when it arrives, if it does."""
    theme, (x, y) = board.theme, cross(board, rung, stuck)
    start = (board.edge(rung.sender), rung.sent)
    board.lines([[start, (x, y)]], theme.stuck, 1.5, 3, (0, (4, 2.2)))
    _keep_off(board, start, (x, y))
    if rung.arrived is not None and rung.arrived <= board.tale.horizon:
        drop = (x, max(y, rung.arrived - board.tale.latency / 2))
        board.lines([[(x, y), drop]], theme.stuck, 1.3, 2.9, DOTS)
        _keep_off(board, (x, y), drop)
        _line(board, drop, (board.edge(rung.receiver), rung.arrived), theme.stuck, 1.3, "-|>", (0, (1, 1.6)))
    board.points([(x, y)], "X", 9, theme.stuck, theme.paper, 6)
    board.room.take(x, y, 5, 5)


# words


def arrow_words(board: Board, groups: list[list[Rung]]) -> None:
    """What each arrow carries, along it; of many alike only the first, of those that matter all."""
    stuck = [group[0] for group in groups if group[0].stuck]
    many, seen = Counter(group[0].kind for group in groups), Counter[str]()
    order = sorted(groups, key=lambda group: (not group[0].stuck, group[0].kind not in ("CLOSE", "FIN", "RST"), group[0].sent))
    for group in order:
        kind, is_stuck = group[0].kind, group[0].stuck
        seen[kind + "!" * is_stuck] += 1
        if many[kind] > FEW and seen[kind + "!" * is_stuck] > 1:
            continue
        if is_stuck:
            _stuck_words(board, group[0], stuck)
        elif len(group) == 1:
            _along(board, *ends_of(board, group), list(group[0].words), group[0].kind, group[0].kind in ("PING", "CLOSE", "HTTP"))
        else:
            _group_words(board, group)


def _group_words(board: Board, group: list[Rung]) -> None:
    """The first above its arrow, the rest below."""
    a, b = ends_of(board, group)
    most, said = abs(b[0] - a[0]) - 16, beat_words(group)
    ink = "CLOSE" if any(rung.kind == "CLOSE" for rung in group) else group[0].kind
    below = wrap(", ".join(said[1:]), 8, most)
    _along(board, a, b, [said[0], group[0].kind], ink, True)
    if below:
        _along(board, a, b, [below], ink, False)


def _stuck_words(board: Board, rung: Rung, stuck: list[Rung]) -> None:
    """ "PING stuck", beyond its ✕."""
    x, y = cross(board, rung, stuck)
    away = OUT[rung.receiver]
    name = rung.words[-1] if rung.kind in ("PING", "PONG", "CLOSE", "FIN") else "message"
    when = f"arrives at {board.tale.moment(rung.arrived)}" if rung.arrived is not None else ""
    texts = [f"{name} stuck,\n{when}", f"{name} stuck"] if when else [f"{name} stuck", f"{name}\nstuck"]
    ha = "left" if away > 0 else "right"
    places = [(away * 8, dy, ha, "center") for dy in (0, 7, -7, 12, -12)]
    any(board.room.put(texts, x, y, places, size, color=board.theme.stuck_words) for size in (8.5, 7.5))


def _along(board: Board, a: Point, b: Point, texts: list[str], kind: str, above: bool) -> bool:
    """Words along an arrow, turned with it, where nothing else is; above it, or below."""
    ink = board.theme.ping_words if kind in ("PING", "PONG") else colour(board.theme, kind)
    (x0, y0), (x1, y1) = board.room.point(*a), board.room.point(*b)
    angle = math.atan2((y1 - y0) * math.copysign(1, x1 - x0), abs(x1 - x0))
    for text in texts:
        for size in (8.5, 7.5):
            for part in (0.5, 0.4, 0.3, 0.6, 0.7):
                for side in (above, not above):
                    high = extent(text, size)[1]
                    off = (3.5 + high / 2) * (1 if side else -1)
                    x = x0 + part * (x1 - x0) - off * math.sin(angle)
                    y = y0 + part * (y1 - y0) + off * math.cos(angle)
                    if _turned(board, text, x, y, angle, size, ink):
                        return True
    return False


def _turned(board: Board, text: str, x: float, y: float, angle: float, size: float, ink: str) -> bool:
    boxes = covered(text, x, y, angle, size)
    if not all(board.room.is_free(box) for box in boxes):
        return False
    board.room.taken += boxes
    room = board.room
    place = room.x0 + x / room.dx, room.y0 + y / room.dy
    style: dict[str, Any] = {"rotation": math.degrees(angle), "rotation_mode": "anchor", "linespacing": LINE * 0.93}
    board.ax.text(*place, text, fontsize=size, family=FAMILY, color=ink, ha="center", va="center", clip_on=False, zorder=4, **style)
    return True


def covered(text: str, x: float, y: float, angle: float, size: float) -> list[Box]:
    """What a turned text covers, as small boxes along it."""
    wide, high = extent(text, size)
    if abs(angle) < 0.02:
        return [(x - wide / 2 - 1, y - high / 2, x + wide / 2 + 1, y + high / 2)]
    half, pieces = high * 0.42, max(1, int(wide / 5))
    found = []
    for k in range(pieces + 1):
        along = (k / pieces - 0.5) * wide
        px, py = x + along * math.cos(angle), y + along * math.sin(angle)
        found.append((px - half, py - half, px + half, py + half))
    return found
