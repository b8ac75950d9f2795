"""The outlines of signs and arrows, which marks are drawn with."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .shapes import Outline, Point


def arrow(
    points: list[Point],
    colour: str,
    wide: float,
    z: float,
    heads: tuple[bool, bool] = (False, True),
    dash: tuple[float, ...] = (),
) -> Iterator[Outline]:
    """A line with heads at its beginning, at its end."""
    yield Outline((tuple(points),), colour, wide, dash, z=z)
    ends = ((points[1], points[0]), (points[-2], points[-1]))
    tips = tuple(_tip(a, b) for (a, b), is_there in zip(ends, heads) if is_there)
    if tips:
        yield Outline(tips, fill=colour, z=z + 0.01)


def _tip(a: Point, b: Point, long: float = 5.5, half: float = 2.4) -> tuple[Point, ...]:
    """The head of an arrow at ``b`` that comes from ``a``."""
    length = math.dist(a, b) or 1.0
    dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    x, y = b[0] - long * dx, b[1] - long * dy
    return b, (x - half * dy, y + half * dx), (x + half * dy, y - half * dx), b


def slit(x: float, low: float, high: float) -> Iterator[Outline]:
    """Two strokes with paper between them: here a long stretch is drawn short."""
    left, right = (((x + side - 2.5, low), (x + side + 2.5, high)) for side in (-2.2, 2.2))
    yield Outline(((*left, *right[::-1], left[0]),), fill="paper", z=3.8, solid=False)
    yield Outline((left, right), "ink", 1.0, z=3.9)


def _round(radii: tuple[float, ...], count: int) -> tuple[Point, ...]:
    """A closed outline around the middle, its corners at these radii in turn."""
    angles = [2 * math.pi * k / count for k in range(count)]
    corners = [(r * math.sin(a), r * math.cos(a)) for r, a in zip(radii * count, angles)]
    return (*corners, corners[0])


UNIT = {  # half their size is 1
    "triangle": ((-1, 1), (1, 1), (0, -1), (-1, 1)),
    "diamond": _round((1,), 4),
    "circle": _round((1,), 24),
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85), (-0.85, -0.85)),
    "tick": ((-0.3, -1), (0.3, -1), (0.3, 1), (-0.3, 1), (-0.3, -1)),
    "star": _round((1, 0.382), 10),
    "cross": (
        (0, 0.5), (0.5, 1), (1, 0.5), (0.5, 0), (1, -0.5), (0.5, -1), (0, -0.5),
        (-0.5, -1), (-1, -0.5), (-0.5, 0), (-1, 0.5), (-0.5, 1), (0, 0.5),
    ),
}  # fmt: skip
TURNS = {"down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1)}


def outline(shape: str, points: str) -> Iterator[Point]:
    """A sign's outline, turned to where it points."""
    cos, sin = TURNS[points]
    return ((x * cos - y * sin, x * sin + y * cos) for x, y in UNIT[shape])
