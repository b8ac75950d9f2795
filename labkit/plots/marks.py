"""The marks of which every figure is a list: each knows its place, look, words, and what it says.

A mark stands at a time (or another value along its panel's axis), and across it at a height or in
a lane. It has ``wordings``, the longest first, of which the first that finds room is written at one
of its ``places``; ``says``, its clause of the alt text (one that begins with a comma goes on with
the sentence before); and ``known``, the time (s) from which on it may be shown, so that a figure
can stop at any moment. What tells how it ended has other words until it is ``over``.

    Dot     a sign: PING, stuck, observed …       Area    what is stacked over time
    Path    a line, an arrow, words along it      Label   only words
    Rule    a line across the lanes               Says    only a clause
    Ticks   many short strokes                    Bar, Band: states and cuts, in bars.py
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from typing import Any

from .labels import UPRIGHT, Places, Room, around, beside
from .palette import FILLS, SIGNS
from .shapes import Outline, Point, Shape, Words, rectangle
from .signs import arrow, outline
from .view import At, View
from .widths import LINE, extent

DASHED, DOTTED = (4.0, 3.0), (1.1, 1.8)
ALWAYS = -math.inf
SPOKEN = 0.8  # so much of a line that grows is there before it has words
Line = tuple[tuple[float, At], ...]  # (s, across)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What all marks have. ``ink`` is the colour of the words, by name; sizes are in points."""

    wordings: tuple[str, ...] = ()
    places: Places = (*beside(), *around())
    otherwise: Places = ()  # where they may stand if no wording fits at its places
    sizes: tuple[float, ...] = (8.5, 7.5)
    ink: str = "ink"
    bold: bool = False
    line: float = LINE
    says: str = ""
    known: float = ALWAYS  # s
    over: float = ALWAYS  # s
    meanwhile: tuple[str, ...] = ()  # its wordings before it is over, if they are others
    so_far: str = ""  # what it says before it is over, if that is something else

    def shapes(self, view: View) -> Iterable[Outline]:
        """How it looks, in a view of its panel."""
        return ()

    def anchor(self, view: View) -> Point:
        """Where its words belong (points)."""
        raise NotImplementedError

    def tries(self, view: View) -> Iterator[Words]:
        """Its words wherever they may stand, the best first."""
        if not self.wordings:
            return
        x, y = self.anchor(view)
        for places in (self.places, self.otherwise):
            for text, size in product(self.wordings, self.sizes):
                high = extent(text, size, self.bold, self.line)[1]
                for dx, dy, align, upright in places:
                    at = (x + dx, y + dy + UPRIGHT[upright] * high)
                    yield Words(text, *at, size, self.ink, self.bold, align, 0.0, self.line)

    def words(self, view: View, room: Room) -> Iterable[Shape]:
        """Its words, where there is room."""
        said = room.first(self.tries(view))
        return () if said is None else (said,)

    def last(self, view: View, room: Room) -> Iterable[Outline]:
        """What is drawn around words."""
        return ()

    def until(self, t: float) -> Mark:
        """The mark as far as it has come at ``t`` (s)."""
        return self if self.over <= t else replace(self, **self.early)

    @property
    def early(self) -> dict[str, Any]:
        """Its words before it is over."""
        return {
            "wordings": self.meanwhile or self.wordings,
            "says": self.so_far or self.says,
        }


@dataclass(frozen=True)
class Rule(Mark):
    """A line across the lanes at a time; ``around`` leaves out the words on its way."""

    t: float
    low: At
    high: At
    colour: str = "ink"
    wide: float = 1.1
    dash: tuple[float, ...] = DOTTED
    around: bool = True

    def shapes(self, view: View) -> Iterable[Outline]:
        ends = view.point(self.t, self.low), view.point(self.t, self.high)
        return () if self.around else (self._line(*ends),)

    def _line(self, a: Point, b: Point) -> Outline:
        return Outline(((a, b),), self.colour, self.wide, self.dash, z=1.1)

    def anchor(self, view: View) -> Point:
        return view.point(self.t, self.high)

    def last(self, view: View, room: Room) -> Iterator[Outline]:
        (x, low), (_, high) = view.point(self.t, self.low), view.point(self.t, self.high)
        for a, b in room.gaps(x, low, high) if self.around else ():
            yield self._line((x, a), (x, b))


@dataclass(frozen=True)
class Path(Mark):
    """A line through (time, height), with a ``head`` where it ends ("to"), at "both" ends, or none.

    Its words stand along it, above or below. One that is known from some time on grows with it,
    and has its words when most of it is there, at the place where they stay.
    """

    points: Line
    colour: str = "ink"
    wide: float = 1.3
    dash: tuple[float, ...] = ()
    head: str = ""
    above: bool | None = None  # None: its words are put as a Label's are, at its middle
    z: float = 3.0
    fill: str = ""  # of the surface within, a colour; words may stand on it
    drawn: float = math.inf  # s; up to when

    def shapes(self, view: View) -> Iterator[Outline]:
        points = self._points(view, _up_to(self.drawn, self.points))
        if self.fill:
            yield Outline((tuple(points),), fill=self.fill, z=self.z - 0.1, solid=False)
        if len(points) > 1 and self.wide:
            heads = (self.head == "both", bool(self.head))
            yield from arrow(points, self.colour, self.wide, self.z, heads, self.dash)

    @staticmethod
    def _points(view: View, points: Line) -> list[Point]:
        return view.clipped([view.point(*point) for point in points])

    def anchor(self, view: View) -> Point:
        (x0, y0), (x1, y1) = view.point(*self.points[0]), view.point(*self.points[-1])
        return (x0 + x1) / 2, (y0 + y1) / 2

    def tries(self, view: View) -> Iterator[Words]:
        points = self._points(view, self.points)
        if self.above is None:
            yield from super().tries(view)
        elif points:
            a, b = sorted((points[0], points[-1]))
            for text, size in product(self.wordings, self.sizes):
                yield from self._along(a, b, text, size)

    def _along(self, a: Point, b: Point, text: str, size: float) -> Iterator[Words]:
        """Words along a line, turned with it, above it or below."""
        dx, dy = b[0] - a[0], b[1] - a[1]
        angle = math.atan2(dy, dx)
        off = 4.5 + extent(text, size)[1] / 2
        for part in (0.5, 0.4, 0.3, 0.6, 0.7):
            for up in (off, -off) if self.above else (-off, off):
                x = a[0] + part * dx - up * math.sin(angle)
                y = a[1] + part * dy + up * math.cos(angle)
                yield Words(text, x, y, size, self.ink, False, "center", angle)

    def until(self, t: float) -> Mark:
        begin, end = self.points[0][0], self.points[-1][0]
        if self.known == ALWAYS or end <= t:
            return super().until(t)
        early = replace(self, drawn=t, **self.early)
        return early if begin + SPOKEN * (end - begin) <= t else replace(early, wordings=())


def _up_to(t: float, points: Line) -> Line:
    """A line up to ``t`` (s); its points are in the order of time."""
    kept = tuple(point for point in points if point[0] <= t)
    if not kept or len(kept) == len(points):
        return kept or points[:1]
    (begin, low), (end, high) = kept[-1], points[len(kept)]
    if isinstance(low, str) or isinstance(high, str):
        return *kept, (t, low)
    return *kept, (t, low + (t - begin) / (end - begin) * (high - low))


@dataclass(frozen=True)
class Label(Mark):
    """Words at a place; with a ``leader``, a thin line goes to them if they stand away from it."""

    t: float
    at: At
    leader: bool = field(default=False, kw_only=True)

    def words(self, view: View, room: Room) -> Iterator[Shape]:
        said = room.first(self.tries(view))
        if said is None:
            return
        yield said
        x, y = self.anchor(view)
        if self.leader and abs(said.y - y) > extent(said.text, said.size)[1] / 2 + 1:
            way = math.copysign(1, said.x - x)
            yield Outline((((x + way, y), (x + 5 * way, said.y)),), "faint", 0.7, z=1.8)

    def anchor(self, view: View) -> Point:
        return view.point(self.t, self.at)


@dataclass(frozen=True)
class Dot(Label):
    """A sign of the palette's; a triangle points "down", "up", "left" or "right"."""

    sign: str  # of palette.SIGNS
    points: str = "down"

    def shapes(self, view: View) -> Iterator[Outline]:
        look, (x, y) = SIGNS[self.sign], self.anchor(view)
        half = look.size / 2
        path = tuple((x + half * a, y + half * b) for a, b in outline(look.shape, self.points))
        yield Outline((path,), look.edge, look.wide, fill=look.fill, z=5.0)


@dataclass(frozen=True)
class Ticks(Mark):
    """Many short strokes across, from ``at`` on, ``length`` points long (negative: downwards)."""

    times: tuple[float, ...]
    at: At
    length: float
    colour: str = "rule"

    def shapes(self, view: View) -> Iterator[Outline]:
        points = [view.point(t, self.at) for t in self.times]
        yield Outline(
            tuple(((x, y), (x, y + self.length)) for x, y in points), self.colour, 0.9, z=1.2
        )

    def until(self, t: float) -> Mark:
        return replace(self, times=tuple(one for one in self.times if one <= t))


@dataclass(frozen=True)
class Area(Mark):
    """What lies between two lines of steps: (time, low, high) in time, each until the next."""

    steps: tuple[tuple[float, float, float], ...]
    end: float
    fill: str
    solid: bool = True

    def shapes(self, view: View) -> Iterator[Outline]:
        look, ends = FILLS[self.fill], [*self.steps, (self.end, 0.0, 0.0)]
        boxes = [view.box(a, b, low, high) for (a, low, high), (b, _, _) in pairwise(ends)]
        paths = tuple(rectangle(*box) for box in boxes if box[3] > box[1])
        yield Outline(
            paths, fill=look.face, hatch=look.hatch, hatched=look.hatched, z=2.0, solid=self.solid
        )

    def anchor(self, view: View) -> Point:
        _, low, high = self.steps[-1]
        return view.point(self.end, (low + high) / 2)

    def until(self, t: float) -> Mark:
        return replace(self, steps=tuple(s for s in self.steps if s[0] <= t), end=min(t, self.end))


@dataclass(frozen=True)
class Says(Mark):
    """A clause of the alt text that no single mark can say."""
