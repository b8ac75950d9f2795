"""A figure becomes shapes: axes, marks, then words where there is room. It knows no canvas.

All is counted in points from the lower left corner of the figure's area, which is what an Axes of
matplotlib's takes; ticks, names, title and source stand in the margins around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .axis import Axis, Tick
from .labels import Room
from .marks import At, Lane, Mark
from .shapes import Box, Outline, Point, Shape, Words, rectangle
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


class View:
    """A panel at its size: where its marks are drawn (points)."""

    def __init__(self, panel: Panel, wide: float, high: float) -> None:
        left, bottom, right, top = panel.box
        self.panel, self.lanes = panel, {name: (low, high) for name, low, high in panel.lanes}
        self.left, self.bottom = left * wide, bottom * high
        self.right, self.top = right * wide, top * high
        self.wide, self.high = self.right - self.left, self.top - self.bottom

    def point(self, t: float, at: At) -> Point:
        along, across = self.panel.along.place(t), self.panel.across.place(self.height(at))
        if self.panel.down:
            return self.left + across * self.wide, self.top - along * self.high
        return self.left + along * self.wide, self.bottom + across * self.high

    def height(self, at: At) -> float:
        """A place across: a lane's name is its middle."""
        return sum(self.lanes[at]) / 2 if isinstance(at, str) else at

    def lane(self, lane: Lane) -> tuple[float, float]:
        return self.lanes[lane] if isinstance(lane, str) else lane

    def box(self, begin: float, end: float) -> tuple[Point, ...]:
        """The corners of a stretch across all lanes."""
        (a, b), (c, d) = self.across(begin)[0], self.across(end)[1]
        return rectangle(min(a, c), min(b, d), max(a, c), max(b, d))

    def across(self, t: float) -> tuple[Point, Point]:
        """A line across all lanes."""
        return self.point(t, self.panel.across.low), self.point(t, self.panel.across.high)

    def clipped(self, points: list[Point]) -> list[Point]:
        """A line, cut off where the axis along begins and ends."""
        axis = 1 if self.panel.down else 0
        low, high = (self.bottom, self.top) if axis else (self.left, self.right)
        found: list[Point] = []
        for a, b in zip(points, points[1:]):
            ends = [_within(a, b, axis, low, high), _within(b, a, axis, low, high)]
            if max(a[axis], b[axis]) >= low - 0.01 and min(a[axis], b[axis]) <= high + 0.01:
                found += ends if not found or found[-1] != ends[0] else ends[1:]
        return found


def _within(a: Point, b: Point, axis: int, low: float, high: float) -> Point:
    """The end ``a`` of a line to ``b``, moved along it to where the picture begins or ends."""
    edge = min(max(a[axis], low), high)
    if edge == a[axis] or a[axis] == b[axis]:
        return a
    part = (edge - a[axis]) / (b[axis] - a[axis])
    moved = a[1 - axis] + part * (b[1 - axis] - a[1 - axis])
    return (moved, edge) if axis else (edge, moved)


def shapes(figure: Figure, wide: float, high: float) -> list[Shape]:
    """All that a figure is, for ``wide`` × ``high`` points, in the order in which it is drawn."""
    left, bottom, right, top = figure.margins
    room = Room((-left + 4, -bottom + 2, wide + right - 4, high + top))
    views = [View(panel, wide, high) for panel in figure.panels]
    found: list[Shape] = []
    for view in views:
        found += _axes(view, room)
        for mark in view.panel.marks:
            drawn = list(mark.shapes(view))
            found += drawn
            for one in drawn:
                if one.solid:
                    room.take(one.boxes(), one.ground)
    found += _title(figure, wide + right - 4, high)
    for view in views:
        room.bounds = _bounds(view, left, right, wide)
        for mark in view.panel.marks:
            found += mark.words(view, room)
    for view in views:
        found += [line for mark in view.panel.marks for line in mark.last(view, room)]
    room.bounds = (-left + 4, -bottom + 2, wide + right - 4, high)
    found += _source(figure, room, wide + min(18.0, right - 6))
    return sorted(found, key=lambda shape: shape.z)


def _bounds(view: View, left: float, right: float, wide: float) -> Box:
    """Where a panel's words may stand: beyond its sides if nothing else is there."""
    first = view.left if view.panel.down else -left + 4
    last = wide + right - 4 if view.right > wide - 1 or not view.panel.down else view.right
    return first, view.bottom, last, view.top + (4 if view.panel.down else 0)


def headline(title: str, wide: float) -> tuple[str, float]:
    """The finding and its size; smaller, and then in a few lines of one length, if it is long."""
    fits = (size for size in (12.0, 11.0, 10.0) if width(title, size, True) <= wide * 0.97)
    size = next(fits, 10.0)
    return even(title, size, wide * 0.97, True), size


def headroom(title: str, wide: float) -> float:
    """The margin above an area that a title needs (points)."""
    return 12.0 + extent(*headline(title, wide), True, 1.1)[1]


def _title(figure: Figure, wide: float, high: float) -> Iterator[Words]:
    text, size = headline(figure.title, wide)
    y = high + figure.lead + extent(text, size, True, 1.1)[1] / 2
    yield Words(text, 0.0, y, size, "ink", True, line=1.1)


def _source(figure: Figure, room: Room, x: float) -> Iterator[Words]:
    """The marks that occur, what was left out, and what the story was recorded with."""
    y = -figure.foot
    for text, ink in reversed(figure.source):
        said = room.put(
            [text],
            (x, y),
            [(0, 0, "right", "center"), (0, -12, "right", "center")],
            (8.5, 7.5),
            ink,
        )
        if said is not None:
            yield said
            x -= width(text, said.size) + 11


# axes


def _axes(view: View, room: Room) -> Iterator[Shape]:
    """Lines, ticks and names, with their room taken."""
    panel = view.panel
    for axis, upright in ((panel.along, panel.down), (panel.across, not panel.down)):
        for shape in (*_ticks(view, axis, upright), *_label(view, axis, upright)):
            boxes = shape.boxes()
            room.write(list(boxes)) if isinstance(shape, Words) else room.take(boxes)
            yield shape
    for name, low, high in panel.lanes if panel.named else ():
        (x, y) = view.point(panel.along.low, (low + high) / 2)
        if panel.down:
            said = Words(name, x, y + 11, NAME, "ink", True, "center")
        else:
            said = Words(name, view.left - 6, y, NAME, "ink", align="right")
        room.write(said.boxes())
        yield said


def _ticks(view: View, axis: Axis, upright: bool) -> Iterator[Shape]:
    placed = axis.placed(view.high if upright else view.wide, upright)
    if upright:
        yield from _upright(view, axis, placed)
        return
    if axis.has_line and axis.ticks:
        yield Outline((((view.left, view.bottom), (view.right, view.bottom)),), "ink", 0.8, z=2.5)
    for tick in placed:
        x = view.left + axis.place(tick.at) * view.wide
        yield Outline((((x, view.bottom), (x, view.bottom - 4)),), "ink", 0.8, z=2.5)
        y = view.bottom - 7 - axis.size / 2
        yield Words(tick.text, x, y, axis.size, "ink", align="center")
    for value in axis.slits:
        yield from slit(view.left + axis.place(value) * view.wide, view.bottom - 5, view.bottom + 5)


def _upright(view: View, axis: Axis, placed: list[Tick]) -> Iterator[Shape]:
    for tick in placed:
        part = axis.place(tick.at) * view.high
        y = view.top - part if view.panel.down else view.bottom + part
        yield Outline((((view.left, y), (view.left - 4, y)),), "ink", 0.8, z=2.5)
        yield Words(tick.text, view.left - 6, y, axis.size, "ink", align="right")


def _label(view: View, axis: Axis, upright: bool) -> Iterator[Words]:
    """What an axis counts, in words: below at the left, or turned at the left edge."""
    if not axis.label:
        return
    if upright:
        wide = max((width(tick.text, axis.size) for tick in axis.ticks), default=0.0)
        x, size = view.left - max(12 + wide + 8, 34), 9.0
        yield Words(axis.label, x, view.bottom, size, "ink", angle=1.5707963267948966)
    else:
        yield Words(axis.label, view.left, view.bottom - FOOT - 4, 9.5, "ink")
