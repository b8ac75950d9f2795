"""Where words still fit: what is taken, and labels where nothing is. It knows no marks.

A label has several wordings, longest first, some sizes and some places to try; what fits first
is written. If nothing fits it is left out, since a word on top of a word helps nobody.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from .shapes import Box, Point, Words
from .widths import LINE, extent

Place = tuple[
    float, float, str, str
]  # dx, dy (points) from the mark; how the text is aligned there
COLUMN = 32.0  # points; the taken boxes are kept by the columns they stand in
SHIFT = {"bottom": 0.5, "center": 0.0, "top": -0.5}


def beside(gap: float = 8.0, rows: Sequence[float] = (0.0,)) -> tuple[Place, ...]:
    """To the right of a mark, then to its left; each in some rows (points up)."""
    return (
        *((gap, dy, "left", "center") for dy in rows),
        *((-gap, dy, "right", "center") for dy in rows),
    )


def around(gap: float = 9.0) -> tuple[Place, ...]:
    """Below a mark, then above it."""
    return (0, -gap, "center", "top"), (0, gap, "center", "bottom")


CENTRE: tuple[Place, ...] = ((0, 0, "center", "center"),)


class Room:
    """The space of one figure (points): what is taken in it, and where a label may stand."""

    def __init__(self, bounds: Box) -> None:
        self.bounds = bounds
        self._taken: dict[int, list[Box]] = defaultdict(list)
        self._ground: dict[int, list[Box]] = defaultdict(list)
        self._said: list[Box] = []

    def take(self, boxes: Iterable[Box], ground: bool = False) -> None:
        """Keep words away from these; from a ``ground`` all but its own."""
        kept = self._ground if ground else self._taken
        for box in boxes:
            for column in range(int(box[0] // COLUMN), int(box[2] // COLUMN) + 1):
                kept[column].append(box)

    def is_free(self, box: Box) -> bool:
        left, bottom, right, top = box
        low_x, low_y, high_x, high_y = self.bounds
        if left < low_x or right > high_x or bottom < low_y or top > high_y:
            return False
        return _misses(box, self._taken) and _misses(box, self._ground)

    def stand(self, said: Words) -> bool:
        """Whether words can stand on their own ground, no line through them."""
        boxes = said.boxes()
        if not all(_misses(box, self._taken) for box in boxes):
            return False
        self.write(boxes)
        return True

    def put(
        self, wordings: Sequence[str], at: Point, places: Sequence[Place], sizes: Sequence[float],
        ink: str, bold: bool = False, line: float = LINE,
    ) -> Words | None:  # fmt: skip
        """The first wording that fits, at the first place where it does; its room is taken."""
        for text in wordings:
            for size in sizes:
                high = extent(text, size, bold, line)[1]
                for dx, dy, align, upright in places:
                    y = at[1] + dy + SHIFT[upright] * high
                    said = Words(text, at[0] + dx, y, size, ink, bold, align, 0.0, line)
                    if self._has(said):
                        return said
        return None

    def put_along(
        self,
        wordings: Sequence[str],
        a: Point,
        b: Point,
        sizes: Sequence[float],
        ink: str,
        above: bool,
    ) -> Words | None:  # fmt: skip
        """Words along a line, turned with it, above it or below, where nothing else is."""
        (x0, y0), (x1, y1) = a, b
        angle = math.atan2((y1 - y0) * math.copysign(1, x1 - x0), abs(x1 - x0))
        tries = [
            (text, size, part, side)
            for text in wordings
            for size in sizes
            for part in (0.5, 0.4, 0.3, 0.6, 0.7)
            for side in (above, not above)
        ]
        for text, size, part, side in tries:
            off = (4.5 + extent(text, size)[1] / 2) * (1 if side else -1)
            x = x0 + part * (x1 - x0) - off * math.sin(angle)
            y = y0 + part * (y1 - y0) + off * math.cos(angle)
            said = Words(text, x, y, size, ink, False, "center", angle)
            if self._has(said):
                return said
        return None

    def _has(self, said: Words) -> bool:
        boxes = said.boxes()
        if not all(self.is_free(box) for box in boxes):
            return False
        self.write(boxes)
        return True

    def write(self, boxes: list[Box]) -> None:
        """Keep words away from these words."""
        self._said += boxes
        self.take(boxes)

    def gaps(self, x: float, low: float, high: float) -> list[tuple[float, float]]:
        """The stretches of an upright line at ``x`` that no word covers."""
        covers = sorted((b, d) for a, b, c, d in self._said if a < x < c)
        free, start = [], low
        for bottom, top in covers:
            if start < bottom < high:
                free.append((start, bottom))
            start = max(start, min(top, high))
        return free + ([(start, high)] if start < high else [])


def _misses(box: Box, taken: dict[int, list[Box]]) -> bool:
    left, bottom, right, top = box
    for column in range(int(left // COLUMN), int(right // COLUMN) + 1):
        for a, b, c, d in taken[column]:
            if left < c and a < right and bottom < d and b < top:
                return False
    return True
