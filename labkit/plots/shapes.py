"""What a canvas draws: outlines and words, in points from the lower left corner of the area.

Marks and axes become shapes in layout.py; svg.py and axes.py draw shapes and know no marks. Colours
are names of the palette's, so that one drawing serves every theme.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from .widths import LINE, width

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top
SHIFT = {"left": 0.0, "center": 0.5, "right": 1.0}  # how much of a text is left of its place
BASE = 0.36  # of the font size: from the middle of a line down to its baseline


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
            if self.fill or self.ground:
                xs, ys = zip(*path)
                yield min(xs), min(ys), max(xs), max(ys)
            else:
                for a, b in pairwise(path):
                    yield from _along(a, b, max(0.8, self.wide / 2))


def _along(a: Point, b: Point, half: float) -> Iterator[Box]:
    """A line as boxes: one if it is upright or level, else one for each two points."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    is_level = min(abs(dx), abs(dy)) < 1
    pieces = 1 if is_level else math.ceil(math.hypot(dx, dy) / 2)
    half = half if is_level else 0.5
    places = [(a[0] + k / pieces * dx, a[1] + k / pieces * dy) for k in range(pieces + 1)]
    for (x0, y0), (x1, y1) in pairwise(places):
        yield min(x0, x1) - half, min(y0, y1) - half, max(x0, x1) + half, max(y0, y1) + half


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
    solid: bool = True

    def lines(self) -> Iterator[tuple[float, float, str]]:
        """Where each line's baseline begins, or has its middle or end."""
        rows = self.text.split("\n")
        for number, row in enumerate(rows):
            if row:
                down = self.size * (self.line * (number - (len(rows) - 1) / 2) + BASE)
                x, y = down * math.sin(self.angle), down * math.cos(self.angle)
                yield self.x + x, self.y - y, row

    def boxes(self) -> list[Box]:
        """What it covers, line by line, with a little room; if turned, small boxes along it."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        half, found = self.size / 2 + 0.75, []
        for x, y, row in self.lines():
            wide = width(row, self.size, self.bold)
            x, y = x - BASE * self.size * sin, y + BASE * self.size * cos
            start = -SHIFT[self.align] * wide
            if not self.angle:
                found.append((x + start - 1.5, y - half, x + start + wide + 1.5, y + half))
                continue
            pieces = max(1, int(wide / 5))
            for k in range(pieces + 1):
                part = start + k / pieces * wide
                at_x, at_y = x + part * cos, y + part * sin
                found.append((at_x - half, at_y - half, at_x + half, at_y + half))
        return found


Shape = Outline | Words
