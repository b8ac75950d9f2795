"""Where words still fit: what is taken, and the first of some words that lies on nothing.

A mark has several wordings, longest first, some sizes and some places to try; what fits first is
written. If nothing fits it is left out, since a word on top of a word helps nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from .shapes import Box, Shape, Words

# dx, dy (points) from the mark; how the text is aligned there
Place = tuple[float, float, str, str]
Places = tuple[Place, ...]
COLUMN = 32.0  # points; the taken boxes are kept by the columns they stand in
UPRIGHT = {"bottom": 0.5, "center": 0.0, "top": -0.5}
CENTRE: Places = ((0, 0, "center", "center"),)


def beside(gap: float = 8.0, rows: Sequence[float] = (0.0,)) -> Places:
    """To the right of a mark, then to its left; each in some rows (points up)."""
    sides = ((gap, "left"), (-gap, "right"))
    return tuple((dx, dy, align, "center") for dx, align in sides for dy in rows)


def around(gap: float = 9.0) -> Places:
    """Below a mark, then above it."""
    return (0, -gap, "center", "top"), (0, gap, "center", "bottom")


class Room:
    """The space of one figure (points): what is taken in it."""

    def __init__(self, bounds: Box) -> None:
        self.bounds = bounds
        self._taken: dict[int, list[tuple[Box, bool]]] = defaultdict(list)
        self._said: list[Box] = []

    def take(self, shape: Shape) -> None:
        """Keep words away from what is drawn, if it is solid; from a ground all but its own."""
        boxes, is_ground = list(shape.boxes()), False
        if isinstance(shape, Words):
            self._said += boxes
        else:
            is_ground = shape.ground
        for box in boxes if shape.solid else ():
            for column in _columns(box):
                self._taken[column].append((box, is_ground))

    def first(self, tries: Iterable[Words], on_ground: bool = False) -> Words | None:
        """The first words that fit, if any; their room is taken."""
        for words in tries:
            if all(self._is_free(box, on_ground) for box in words.boxes()):
                self.take(words)
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
