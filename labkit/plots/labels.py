"""Where words still fit: what is taken, and the first of some words that lies on nothing.

A mark has several wordings, longest first, some sizes and some places to try; what fits first is
written. If nothing fits it is left out, since a word on top of a word helps nobody.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from .shapes import Box, Point, Words
from .widths import extent

# dx, dy (points) from the mark; how the text is aligned there
Place = tuple[float, float, str, str]
COLUMN = 32.0  # points; the taken boxes are kept by the columns they stand in
UPRIGHT = {"bottom": 0.5, "center": 0.0, "top": -0.5}
CENTRE: tuple[Place, ...] = ((0, 0, "center", "center"),)


def beside(gap: float = 8.0, rows: Sequence[float] = (0.0,)) -> tuple[Place, ...]:
    """To the right of a mark, then to its left; each in some rows (points up)."""
    sides = ((gap, "left"), (-gap, "right"))
    return tuple((dx, dy, align, "center") for dx, align in sides for dy in rows)


def around(gap: float = 9.0) -> tuple[Place, ...]:
    """Below a mark, then above it."""
    return (0, -gap, "center", "top"), (0, gap, "center", "bottom")


def along(text: str, a: Point, b: Point, size: float, ink: str, above: bool) -> Iterator[Words]:
    """Words along a line, turned with it, above it or below."""
    if a > b:
        a, b = b, a
    dx, dy = b[0] - a[0], b[1] - a[1]
    angle = math.atan2(dy, dx)
    off = 4.5 + extent(text, size)[1] / 2
    for part in (0.5, 0.4, 0.3, 0.6, 0.7):
        for up in (off, -off) if above else (-off, off):
            x = a[0] + part * dx - up * math.sin(angle)
            y = a[1] + part * dy + up * math.cos(angle)
            yield Words(text, x, y, size, ink, False, "center", angle)


class Room:
    """The space of one figure (points): what is taken in it."""

    def __init__(self, bounds: Box) -> None:
        self.bounds = bounds
        self._taken: dict[int, list[tuple[Box, bool]]] = defaultdict(list)
        self._said: list[Box] = []

    def take(self, boxes: Iterable[Box], ground: bool = False) -> None:
        """Keep words away from these; from a ``ground`` all but its own."""
        for box in boxes:
            for column in _columns(box):
                self._taken[column].append((box, ground))

    def write(self, words: Words) -> None:
        """Keep other words away from these."""
        boxes = words.boxes()
        self._said += boxes
        self.take(boxes)

    def first(self, tries: Iterable[Words], on_ground: bool = False) -> Words | None:
        """The first words that fit, if any; their room is taken."""
        for words in tries:
            if all(self._is_free(box, on_ground) for box in words.boxes()):
                self.write(words)
                return words
        return None

    def _is_free(self, box: Box, on_ground: bool) -> bool:
        left, bottom, right, top = box
        low_x, low_y, high_x, high_y = self.bounds
        if left < low_x or right > high_x or bottom < low_y or top > high_y:
            return False
        for column in _columns(box):
            for (a, b, c, d), ground in self._taken[column]:
                meets = left < c and a < right and bottom < d and b < top
                if meets and not (ground and on_ground):
                    return False
        return True

    def gaps(self, x: float, low: float, high: float) -> list[tuple[float, float]]:
        """The stretches of an upright line at ``x`` that no word covers."""
        free, start = [], low
        for bottom, top in sorted((b, d) for a, b, c, d in self._said if a < x < c):
            if start < bottom < high:
                free.append((start, bottom))
            start = max(start, min(top, high))
        return free + ([(start, high)] if start < high else [])


def _columns(box: Box) -> range:
    return range(int(box[0] // COLUMN), int(box[2] // COLUMN) + 1)
