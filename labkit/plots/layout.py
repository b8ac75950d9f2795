"""A figure becomes shapes: axes, marks, then words where there is room. It knows no canvas.

All is counted in points from the lower left corner of the figure's area, which is what an Axes of
matplotlib's takes; ticks, names, title and source stand in the margins around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from .axis import Axis
from .labels import Room
from .marks import At, Lane, Mark
from .shapes import Box, Outline, Point, Shape, Words
from .signs import slit
from .widths import even, extent, width

if TYPE_CHECKING:
    from .figure import Figure

NAME = 10.5  # points; of lanes
FOOT = 24.0  # points below the area: the axis in words, at the right the source


@dataclass(frozen=True)
class Panel:
    """Marks on two axes: time (or a value) ``along``, and ``across`` it lanes or a value.

    ``lanes`` are named stretches of the axis across. ``box`` is its part of the area, (left,
    bottom, right, top) from 0 to 1. ``down``: along is downwards, and across from left to right.
    """

    along: Axis
    across: Axis
    marks: tuple[Mark, ...]
    lanes: tuple[tuple[str, float, float], ...] = ()
    named: bool = True  # whether the lanes' names are written
    box: Box = (0.0, 0.0, 1.0, 1.0)
    down: bool = False

    def until(self, t: float) -> Panel:
        """The panel as it may be shown at ``t`` (s)."""
        marks = tuple(mark.until(t) for mark in self.marks if mark.known <= t)
        return replace(self, marks=marks, along=self.along.until(t))


class View:
    """A panel at its size: where its marks are drawn (points)."""

    def __init__(self, panel: Panel, wide: float, high: float) -> None:
        left, bottom, right, top = panel.box
        self.panel, self.lanes = panel, {name: (low, high) for name, low, high in panel.lanes}
        self.left, self.bottom = left * wide, bottom * high
        self.right, self.top = right * wide, top * high
        self.wide, self.high = self.right - self.left, self.top - self.bottom

    def point(self, t: float, at: At) -> Point:
        """A place; a lane's name is its middle."""
        height = sum(self.lanes[at]) / 2 if isinstance(at, str) else at
        x, y = self.panel.along.place(t), self.panel.across.place(height)
        if self.panel.down:
            x, y = y, 1 - x
        return self.left + x * self.wide, self.bottom + y * self.high

    def lane(self, lane: Lane) -> tuple[float, float]:
        """From where to where across a lane goes."""
        return self.lanes[lane] if isinstance(lane, str) else lane

    def box(self, begin: float, end: float, low: float, high: float) -> Box:
        """A stretch of time, from one place across to another."""
        (a, b), (c, d) = self.point(begin, low), self.point(end, high)
        return min(a, c), min(b, d), max(a, c), max(b, d)

    def clipped(self, points: list[Point]) -> list[Point]:
        """A line, cut off where the axis along begins and ends."""
        axis, low, high = 0, self.left, self.right
        if self.panel.down:
            axis, low, high = 1, self.bottom, self.top
        found = points[:1]
        for a, b in pairwise(points):
            long = b[axis] - a[axis]
            edges = sorted((edge - a[axis]) / long for edge in (low, high)) if long else []
            parts = [part for part in edges if 0 < part < 1]
            found += [(a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1])) for s in (*parts, 1)]
        return [point for point in found if low - 0.01 <= point[axis] <= high + 0.01]


def shapes(figure: Figure, wide: float, high: float) -> list[Shape]:
    """All that a figure is, for ``wide`` × ``high`` points, in the order in which it is drawn."""
    left, bottom, right, top = figure.margins
    sheet = (-left + 4, -bottom + 2, wide + right - 4, high + top)
    room, views = Room(sheet), [View(panel, wide, high) for panel in figure.panels]
    found: list[Shape] = []
    for view in views:
        drawn = [*_axes(view), *(one for mark in view.panel.marks for one in mark.shapes(view))]
        for one in drawn:
            if isinstance(one, Words):
                room.write(one)
            elif one.solid:
                room.take(one.boxes(), one.ground)
        found += drawn
    found.append(_title(figure, sheet[2], high))
    for view in views:
        room.bounds = _bounds(view, sheet, wide)
        found += [one for mark in view.panel.marks for one in mark.words(view, room)]
    for view in views:
        found += [line for mark in view.panel.marks for line in mark.last(view, room)]
    room.bounds = sheet
    found += _source(figure, room, wide + min(18.0, right - 6))
    return sorted(found, key=lambda shape: shape.z)


def _bounds(view: View, sheet: Box, wide: float) -> Box:
    """Where a panel's words may stand: beyond its sides if nothing else is there."""
    if view.panel.down:
        return (
            view.left,
            view.bottom,
            sheet[2] if view.right > wide - 1 else view.right,
            view.top + 4,
        )
    return sheet[0], view.bottom, sheet[2], view.top


def headline(title: str, wide: float) -> tuple[str, float]:
    """The finding and its size; smaller, and then in a few lines of one length, if it is long."""
    most = wide * 0.97
    fits = (size for size in (12.0, 11.0, 10.0) if width(title, size, True) <= most)
    size = next(fits, 10.0)
    return even(title, size, most, True), size


def headroom(title: str, wide: float) -> float:
    """The margin above an area that a title needs (points)."""
    return 12.0 + extent(*headline(title, wide), True, 1.1)[1]


def _title(figure: Figure, wide: float, high: float) -> Words:
    text, size = headline(figure.title, wide)
    y = high + figure.lead + extent(text, size, True, 1.1)[1] / 2
    return Words(text, 0.0, y, size, "ink", True, line=1.1)


def _source(figure: Figure, room: Room, x: float) -> Iterator[Words]:
    """The marks that occur, what was left out, and what the story was recorded with."""
    y = -figure.foot
    for text, ink in reversed(figure.source):
        rows = [(size, down) for size in (8.5, 7.5) for down in (0, 12)]
        said = room.first(Words(text, x, y - down, size, ink, align="right") for size, down in rows)
        if said is not None:
            yield said
            x -= width(text, said.size) + 11


# axes


def _axes(view: View) -> Iterator[Shape]:
    """Lines, ticks and names."""
    panel = view.panel
    upright, level = (panel.along, panel.across) if panel.down else (panel.across, panel.along)
    yield from _upright(view, upright)
    yield from _level(view, level)
    for name, low, high in panel.lanes if panel.named else ():
        x, y = view.point(panel.along.low, (low + high) / 2)
        if panel.down:
            yield Words(name, x, y + 11, NAME, "ink", True, "center")
        else:
            yield Words(name, x - 6, y, NAME, "ink", align="right")


def _upright(view: View, axis: Axis) -> Iterator[Shape]:
    """Ticks at the left, and the axis in words, turned."""
    wide, x = 0.0, view.left
    for tick in axis.placed(view.high, True):
        part = axis.place(tick.at) * view.high
        y = view.top - part if view.panel.down else view.bottom + part
        yield _stroke((x, y), (x - 4, y))
        yield Words(tick.text, x - 6, y, axis.size, "ink", align="right")
        wide = max(wide, width(tick.text, axis.size))
    if axis.label:
        x -= max(20 + wide, 34)
        yield Words(axis.label, x, view.bottom, 9.0, "ink", angle=math.pi / 2)


def _level(view: View, axis: Axis) -> Iterator[Shape]:
    """A line with ticks below, its breaks, and the axis in words."""
    y = view.bottom
    if axis.has_line and axis.ticks:
        yield _stroke((view.left, y), (view.right, y))
    texts = axis.placed(view.wide)
    for tick in dict.fromkeys([*texts, *axis.moments()]):
        x = view.left + axis.place(tick.at) * view.wide
        yield _stroke((x, y), (x, y - 4))
        if tick in texts:
            yield Words(tick.text, x, y - 7 - axis.size / 2, axis.size, "ink", align="center")
    for value in axis.slits:
        yield from slit(view.left + axis.place(value) * view.wide, y - 5, y + 5)
    if axis.label:
        yield Words(axis.label, view.left, y - FOOT - 4, 9.5, "ink")


def _stroke(a: Point, b: Point) -> Outline:
    return Outline(((a, b),), "ink", 0.8, z=2.5)
