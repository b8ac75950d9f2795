"""A panel's place on a figure: where a value along and a lane across are drawn (points)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .axis import Axis
from .shapes import Box, Point

At = float | str  # across a panel: a value of its axis, or a lane by name (its middle)
Lane = str | tuple[float, float]  # a lane by name, or from where to where across the panel


@dataclass(frozen=True)
class View:
    """Two axes in a box of the figure's area; ``down``: along is downwards, across to the right."""

    along: Axis
    across: Axis
    lanes: dict[str, tuple[float, float]]
    edges: Box
    down: bool = False

    @property
    def wide(self) -> float:
        return self.edges[2] - self.edges[0]

    @property
    def high(self) -> float:
        return self.edges[3] - self.edges[1]

    def lane(self, lane: Lane) -> tuple[float, float]:
        """From where to where across a lane goes."""
        return self.lanes[lane] if isinstance(lane, str) else lane

    def point(self, t: float, at: At) -> Point:
        """A place; a lane's name is its middle."""
        height = sum(self.lanes[at]) / 2 if isinstance(at, str) else at
        x, y = self.along.place(t), self.across.place(height)
        if self.down:
            x, y = y, 1 - x
        return self.edges[0] + x * self.wide, self.edges[1] + y * self.high

    def box(self, begin: float, end: float, low: float, high: float) -> Box:
        """A stretch of time, from one place across to another."""
        (a, b), (c, d) = self.point(begin, low), self.point(end, high)
        return min(a, c), min(b, d), max(a, c), max(b, d)

    def clipped(self, points: list[Point]) -> list[Point]:
        """A line, cut off where the axis along begins and ends."""
        axis = int(self.down)
        low, high = self.edges[axis::2]
        found = points[:1]
        for a, b in pairwise(points):
            long = b[axis] - a[axis]
            parts = sorted((edge - a[axis]) / long for edge in (low, high)) if long else []
            inner = [part for part in parts if 0 < part < 1]
            found += [(a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1])) for s in (*inner, 1)]
        return [point for point in found if low - 0.01 <= point[axis] <= high + 0.01]
