"""Panels become shapes: their axes, their marks, then words where there is room.

All is counted in points from the lower left corner of the figure's area, which is what an Axes of
matplotlib's takes; ticks, names, title and source stand in the margins around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .axis import Axis
from .labels import Room
from .marks import Mark
from .shapes import Box, Outline, Point, Shape, Words
from .signs import slit
from .view import View
from .widths import even, extent, width

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

    def view(self, wide: float, high: float) -> View:
        """Its place in an area of ``wide`` × ``high`` points."""
        lanes = {name: (low, high) for name, low, high in self.lanes}
        left, bottom, right, top = self.box
        edges = (left * wide, bottom * high, right * wide, top * high)
        return View(self.along, self.across, lanes, edges, self.down)


def shapes(panels: Sequence[Panel], wide: float, high: float, room: Room) -> list[Shape]:
    """Panels in an area of ``wide`` × ``high`` points; what they cover is taken of the room."""
    placed = [(panel, panel.view(wide, high)) for panel in panels]
    found: list[Shape] = []
    for panel, view in placed:
        found += _axes(panel, view)
        found += [shape for mark in panel.marks for shape in mark.shapes(view)]
    for shape in found:
        room.take(shape)
    sheet = room.bounds
    for panel, view in placed:
        room.bounds = _bounds(view, sheet, wide)
        found += [shape for mark in panel.marks for shape in mark.words(view, room)]
    for panel, view in placed:
        found += [line for mark in panel.marks for line in mark.last(view, room)]
    room.bounds = sheet
    return found


def _bounds(view: View, sheet: Box, wide: float) -> Box:
    """Where a panel's words may stand: beyond its sides if nothing else is there."""
    left, bottom, right, top = view.edges
    if not view.down:
        return sheet[0], bottom, sheet[2], top
    return left, bottom, sheet[2] if right > wide - 1 else right, top + 4


# titles


def headline(title: str, wide: float) -> tuple[str, float]:
    """The finding and its size; smaller, and then in a few lines of one length, if it is long."""
    most = wide * 0.97
    fits = (size for size in (12.0, 11.0, 10.0) if width(title, size, True) <= most)
    size = next(fits, 10.0)
    return even(title, size, most, True), size


def headroom(title: str, wide: float) -> float:
    """The margin above an area that a title needs (points)."""
    return 12.0 + extent(*headline(title, wide), True, 1.1)[1]


# axes


def _axes(panel: Panel, view: View) -> Iterator[Shape]:
    """Lines, ticks and names."""
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
    x, bottom, _, top = view.edges
    ticks = axis.placed(view.high, True)
    for tick in ticks:
        part = axis.place(tick.at) * view.high
        y = top - part if view.down else bottom + part
        yield _stroke((x, y), (x - 4, y))
        yield Words(tick.text, x - 6, y, axis.size, "ink", align="right")
    if axis.label:
        wide = max((width(tick.text, axis.size) for tick in ticks), default=0.0)
        yield Words(axis.label, x - max(20 + wide, 34), bottom, 9.0, "ink", angle=math.pi / 2)


def _level(view: View, axis: Axis) -> Iterator[Shape]:
    """A line with ticks below, its breaks, and the axis in words."""
    left, y, right, _ = view.edges
    if axis.has_line and axis.ticks:
        yield _stroke((left, y), (right, y))
    texts = axis.placed(view.wide)
    for tick in dict.fromkeys([*texts, *axis.moments()]):
        x = left + axis.place(tick.at) * view.wide
        yield _stroke((x, y), (x, y - 4))
        if tick in texts:
            yield Words(tick.text, x, y - 7 - axis.size / 2, axis.size, "ink", align="center")
    for value in axis.slits:
        yield from slit(left + axis.place(value) * view.wide, y - 5, y + 5)
    if axis.label:
        yield Words(axis.label, left, y - FOOT - 4, 9.5, "ink")


def _stroke(a: Point, b: Point) -> Outline:
    return Outline(((a, b),), "ink", 0.8, z=2.5)
