"""The rungs of a ladder, drawn: arrows sloped by their latency, stuck ones half-way, and words along them."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from ..faults import ENDS
from .along import Point, along, colour
from .beats import beat_words, beats
from .rails import OUT, Board
from .room import Place, wrap
from .rungs import Rung
from .sheet import DOTS

NEAR = 0.01  # of the axis; a round trip below is one arrow
FEW = 12  # of a kind; of more only the first is called by name


def arrows(board: Board, shown: list[Rung]) -> list[list[Rung]]:
    """Draw all rungs; gives them as they were drawn, in arrows."""
    groups = beats(shown, NEAR * board.tale.length)
    for group in groups:
        if not group[0].stuck:
            _arrow(board, group)
    for group in few(board, groups):
        _stuck(board, group, groups)
    return groups


def few(board: Board, groups: list[list[Rung]]) -> list[list[Rung]]:
    """What is stuck, of messages only as many as can be told apart."""
    kept: list[list[Rung]] = []
    last = -math.inf
    for group in groups:
        if group[0].stuck and (not group[0].is_data or (group[0].sent - last) * abs(board.room.dy) >= 9):
            kept.append(group)
            last = group[0].sent if group[0].is_data else last
    return kept


def ends_of(board: Board, group: list[Rung]) -> tuple[Point, Point]:
    """Where an arrow begins and ends; one for several is level."""
    first = group[0]
    if len(group) > 1 and first.sender != "wire":
        t = (first.sent + max(rung.stop for rung in group)) / 2
        return (board.edge(first.sender), t), (board.edge(first.receiver), t)
    return (board.edge(first.sender), first.sent), (board.edge(first.receiver), first.stop)


def _arrow(board: Board, group: list[Rung]) -> None:
    if group[0].sender == "wire":
        for rung in group:
            _line(board, *ends_of(board, [rung]), colour(board.theme, rung.kind), 1.0, "-|>")
        return
    a, b = ends_of(board, group)
    kinds = {rung.kind for rung in group}
    ink = colour(board.theme, "CLOSE" if "CLOSE" in kinds else group[0].kind)
    wide = 1.7 if "CLOSE" in kinds else 1.0 if kinds <= {"FIN", "RST", "HTTP"} or group[0].is_data else 1.4
    heads = "<|-|>" if len({rung.sender for rung in group}) > 1 else "-|>"
    _line(board, a, b, ink, wide, heads)


def _line(board: Board, a: Point, b: Point, ink: str, wide: float, heads: str, style: Any = "-") -> None:
    tip = {"arrowstyle": f"{heads},head_length=.45,head_width=.2", "color": ink, "lw": wide, "ls": style, "shrinkA": 1, "shrinkB": 1}
    low, high = sorted(board.ax.get_ylim())
    a, b = _within(a, b, low, high), _within(b, a, low, high)
    board.ax.annotate("", b, a, arrowprops={**tip, "mutation_scale": 11, "joinstyle": "miter"}, zorder=3)
    _keep_off(board, a, b)


def _within(a: Point, b: Point, low: float, high: float) -> Point:
    """The end ``a`` of a line to ``b``, moved along it to where the picture begins or ends, if it lies beyond."""
    (xa, ya), (xb, yb) = a, b
    edge = min(max(ya, low), high)
    return a if edge == ya or ya == yb else (xa + (xb - xa) * (edge - ya) / (yb - ya), edge)


def _keep_off(board: Board, a: Point, b: Point) -> None:
    """Keep words off a line."""
    (x0, y0), (x1, y1) = board.room.point(*a), board.room.point(*b)
    pieces = max(1, int(math.hypot(x1 - x0, y1 - y0) / 4))
    for k in range(pieces):
        x, y = x0 + (k + 0.5) / pieces * (x1 - x0), y0 + (k + 0.5) / pieces * (y1 - y0)
        board.room.taken.append((x - 2, y - 0.8, x + 2, y + 0.8))


# what is stuck


def cross(board: Board, group: list[Rung], groups: list[list[Rung]]) -> Point:
    """Where the ✕ of what is stuck stands: half-way; messages sooner; what arrives later a little apart, so that drops are told apart."""
    first, scale = group[0], abs(board.room.dy)
    late = [one for one in groups if one[0].stuck and one[0].arrived is not None and one[0].sender == first.sender and not one[0].is_data]
    way = board.edge(first.receiver) - board.edge(first.sender)
    apart = 10.0 * OUT[first.receiver] * late.index(group) if group in late[:6] else 0.0
    met = any(not one[0].stuck and abs(one[0].stop - first.sent) * scale < 4 for one in groups)
    y = first.sent + board.tale.latency / 2 + (5 / scale if met else 0.0)
    return board.edge(first.sender) + way * (0.3 if first.is_data else 0.5) + apart, min(y, board.tale.horizon)


def _stuck(board: Board, group: list[Rung], groups: list[list[Rung]]) -> None:
    """Dashed to half-way with a ✕; dotted on to where and when it arrives, if it does."""
    rung, theme, (x, y) = group[0], board.theme, cross(board, group, groups)
    start = (board.edge(rung.sender), y - board.tale.latency / 2)
    board.lines([[start, (x, y)]], theme.stuck, 1.5, 3, (0, (4, 2.2)))
    _keep_off(board, start, (x, y))
    if rung.arrived is not None and rung.arrived <= board.tale.horizon and not rung.is_data:
        drop = (x, max(y, rung.arrived - board.tale.latency / 2))
        board.lines([[(x, y), drop]], theme.stuck, 1.3, 2.9, DOTS)
        _keep_off(board, (x, y), drop)
        _line(board, drop, (board.edge(rung.receiver), rung.arrived), theme.stuck, 1.3, "-|>", (0, (1, 1.6)))
    board.points([(x, y)], "X", 9, theme.stuck, theme.paper, 6)
    board.room.take(x, y, 5, 5)


# words


def arrow_words(board: Board, groups: list[list[Rung]]) -> None:
    """What each arrow carries, along it; of many alike only the first, of those that matter all."""
    many, seen = Counter(map(_alike, groups)), Counter[Any]()
    for group in sorted(groups, key=lambda group: (not group[0].stuck, group[0].kind not in ("CLOSE", "FIN", "RST"), group[0].sent)):
        kind = _alike(group)
        seen[kind] += 1
        if seen[kind] > 1 and (many[kind] > FEW or (kind[0] and group[0].is_data)):
            continue
        if group[0].stuck:
            seen[kind] -= not _stuck_words(board, group, groups)
        elif group[0].sender == "wire":
            left, right = ((board.edge(end), group[0].sent) for end in ENDS)
            along(board, left, right, list(group[0].words), group[0].kind, True)
        elif len(group) == 1:
            along(board, *ends_of(board, group), list(group[0].words), group[0].kind, group[0].kind in ("PING", "CLOSE", "HTTP"))
        else:
            _group_words(board, group)


def _alike(group: list[Rung]) -> tuple[bool, str, str]:
    """What arrows have in common that need their words only once."""
    return group[0].stuck, group[0].sender, "message" if group[0].is_data else group[0].kind


def _group_words(board: Board, group: list[Rung]) -> None:
    """The first above its arrow, the rest below."""
    a, b = ends_of(board, group)
    most, said = abs(b[0] - a[0]) - 16, beat_words(group)
    ink = "CLOSE" if any(rung.kind == "CLOSE" for rung in group) else group[0].kind
    below = wrap("; ".join(said[1:]), 8, most)
    along(board, a, b, [said[0], group[0].kind], ink, True)
    if below:
        along(board, a, b, [below], ink, False)


def _stuck_words(board: Board, group: list[Rung], groups: list[list[Rung]]) -> bool:
    """ "PING stuck", "CLOSE 1011 and FIN stuck", "17 messages stuck", beyond its ✕."""
    (x, y), away = cross(board, group, groups), OUT[group[0].receiver]
    names = [rung.words[-1] for rung in group]
    if group[0].is_data:
        count = sum(len(one) for one in groups if _alike(one) == _alike(group))
        names = [f"{count:,} message{'s' * (count != 1)}"]
    what, when = " and ".join(dict.fromkeys(names)), board.tale.moment(group[0].arrived) if group[0].arrived is not None else ""
    texts = [f"{what} stuck,\narrive{'s' * (len(names) == 1)} at {when}"] if when and not group[0].is_data else []
    texts += [f"{what} stuck", f"{what}\nstuck", f"{names[0]} stuck", f"{names[0]}\nstuck"]
    texts[-3:-3] = [f"{names[0]}\nand {names[1]} stuck"] if len(names) == 2 else []
    places: list[Place] = [(away * 8, dy, "left" if away > 0 else "right", "center") for dy in (0, 7, -7, 12, -12)]
    return any(board.room.put(texts, x, y, places, size, color=board.theme.stuck_words) for size in (8.5, 7.5))
