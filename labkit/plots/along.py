"""Words along an arrow of a ladder, turned with it, where nothing else is."""

from __future__ import annotations

import math
from typing import Any

from .palette import Theme
from .rails import Board
from .room import FAMILY, LINE, Box, extent

Point = tuple[float, float]  # points from the left, s


def colour(theme: Theme, kind: str) -> str:
    """The colour of an arrow, by what it carries."""
    return {"PING": theme.ping, "PONG": theme.ping, "CLOSE": theme.ink, "FIN": theme.ink, "RST": theme.ink}.get(kind, theme.faint)


def along(board: Board, a: Point, b: Point, texts: list[str], kind: str, above: bool) -> bool:
    """Words along an arrow, turned with it, where nothing else is; above it, or below."""
    ink = board.theme.ping_words if kind in ("PING", "PONG") else colour(board.theme, kind)
    (x0, y0), (x1, y1) = board.room.point(*a), board.room.point(*b)
    angle = math.atan2((y1 - y0) * math.copysign(1, x1 - x0), abs(x1 - x0))
    for text in texts:
        for size in (8.5, 7.5):
            for part in (0.5, 0.4, 0.3, 0.6, 0.7):
                for side in (above, not above):
                    high = extent(text, size)[1]
                    off = (5 + high / 2) * (1 if side else -1)
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
        return [(x - wide / 2 - 1, y - high / 2 - 1.5, x + wide / 2 + 1, y + high / 2 + 1.5)]
    half, pieces = high * 0.56, max(1, int(wide / 5))
    found = []
    for k in range(pieces + 1):
        along = (k / pieces - 0.5) * wide
        px, py = x + along * math.cos(angle), y + along * math.sin(angle)
        found.append((px - half, py - half, px + half, py + half))
    return found
