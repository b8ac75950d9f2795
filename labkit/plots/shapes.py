"""What a canvas draws: outlines and words, in points from the lower left corner of the area.

Marks and axes become shapes in layout.py; svg.py and axes.py draw shapes and know no marks. Colours
are names of the palette's, so that one drawing serves every theme.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from .widths import LINE, extent, width

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top


class Outline(NamedTuple):
    """Lines or, if it is filled, surfaces; ``solid`` if no word may lie on it."""

    paths: tuple[tuple[Point, ...], ...]
    ink: str = ""
    wide: float = 1.0
    dash: tuple[float, ...] = ()  # points on, off
    fill: str = ""
    hatch: str = ""  # "/", "\\", "."
    hatched: str = "paper"
    opacity: float = 1.0
    z: float = 3.0
    solid: bool = True
    ground: bool = False  # a bar: its own words stand on it

    def boxes(self) -> Iterator[Box]:
        """What it covers: a surface its box, a line small boxes along it."""
        for path in self.paths:
            if self.fill or (path[0] == path[-1] and not self.ink):
                xs, ys = [x for x, _ in path], [y for _, y in path]
                yield min(xs), min(ys), max(xs), max(ys)
            else:
                for a, b in zip(path, path[1:]):
                    yield from _along(a, b, max(0.8, self.wide / 2))


def _along(a: Point, b: Point, half: float) -> Iterator[Box]:
    """A line as boxes: one if it is upright or level, else one for each two points."""
    (x0, y0), (x1, y1) = a, b
    level = abs(x1 - x0) < 1 or abs(y1 - y0) < 1
    pieces = 1 if level else max(1, int(math.hypot(x1 - x0, y1 - y0) / 2))
    half = half if level else 0.5
    dx, dy = (x1 - x0) / pieces, (y1 - y0) / pieces
    for k in range(pieces):
        x, y = x0 + k * dx, y0 + k * dy
        low, high = min(y, y + dy), max(y, y + dy)
        yield min(x, x + dx) - half, low - half, max(x, x + dx) + half, high + half


def rectangle(left: float, bottom: float, right: float, top: float) -> tuple[Point, ...]:
    return (left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)


class Words(NamedTuple):
    """A text of one or more lines; ``x``, ``y`` is the middle of its height, at its ``align``."""

    text: str
    x: float
    y: float
    size: float
    ink: str
    bold: bool = False
    align: str = "left"  # or "center", "right"
    angle: float = 0.0  # radians, anticlockwise
    line: float = LINE
    z: float = 6.0

    def lines(self) -> Iterator[tuple[float, float, str]]:
        """Where each line's baseline begins, or has its middle or end."""
        rows = self.text.split("\n")
        for number, row in enumerate(rows):
            if not row:
                continue
            down = self.size * (self.line * (number - (len(rows) - 1) / 2) + 0.36)
            yield (
                self.x + down * math.sin(self.angle),
                self.y - down * math.cos(self.angle),
                row,
            )

    def boxes(self) -> list[Box]:
        """What it covers, line by line, with a little room; if turned, small boxes along it."""
        wide, high = extent(self.text, self.size, self.bold, self.line)
        shift = {"left": 0.0, "center": 0.5, "right": 1.0}[self.align]
        if abs(self.angle) < 0.02:
            rows = [(y + 0.36 * self.size, row) for _, y, row in self.lines()]
            half = self.size / 2 + 0.75
            spans = [(y, width(row, self.size, self.bold)) for y, row in rows]
            return [
                (self.x - shift * w - 1.5, y - half, self.x + (1 - shift) * w + 1.5, y + half)
                for y, w in spans
            ]
        left = self.x - shift * wide
        half, pieces = high * 0.56, max(1, int(wide / 5))
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        places = [left - self.x + k / pieces * wide for k in range(pieces + 1)]
        middles = [(self.x + s * cos, self.y + s * sin) for s in places]
        return [(x - half, y - half, x + half, y + half) for x, y in middles]


Shape = Outline | Words
