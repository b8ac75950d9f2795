"""The marks of lanes: states as bars, cuts as bands, slits where the axis is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product

from .labels import Room
from .marks import DASHED, DOTTED, Mark
from .palette import BAND, FILLS, Fill
from .shapes import Outline, Point, Shape, Words, rectangle
from .signs import arrow, slit
from .view import Lane, View
from .widths import extent

FULL = 1.0  # line spacing inside a bar
PARTS = (0.5, 0.4, 0.3, 0.6, 0.7, 0.2, 0.8)  # of a bar: where its words may have their middle


@dataclass(frozen=True)
class Bar(Mark):
    """A stretch of a lane, filled; its words stand in it, or beside it where it is too short."""

    begin: float  # s
    end: float  # s
    lane: Lane
    fill: str  # of palette.FILLS
    goes_on: bool = False  # an arrow leaves its end
    sizes: tuple[float, ...] = field(default=(10.0, 9.0, 8.0, 7.0), kw_only=True)

    @property
    def look(self) -> Fill:
        return FILLS[self.fill]

    def box(self, view: View) -> tuple[float, float, float, float]:
        return view.box(self.begin, self.end, *view.lane(self.lane))

    def shapes(self, view: View) -> Iterator[Outline]:
        look, (left, bottom, right, top) = self.look, self.box(view)
        dash, wide = DOTTED if look.dotted else (), 1.4 if look.edge else 0.0
        z = 2.0 + 0.01 * list(FILLS).index(self.fill)
        yield Outline(
            (rectangle(left, bottom, right, top),), look.edge, wide, dash,
            look.face, look.hatch, look.hatched, z=z, ground=True,
        )  # fmt: skip
        if self.goes_on:
            y = (bottom + top) / 2
            yield from arrow([(right, y), (right + 19, y)], look.edge, 2.2, 5.0)

    def anchor(self, view: View) -> Point:
        left, bottom, right, top = self.box(view)
        return (left + right) / 2, (bottom + top) / 2

    def words(self, view: View, room: Room) -> Iterator[Shape]:
        said = room.first(self._inside(view), on_ground=True)
        if said is not None and self.look.hatch:  # on a card of their own
            card = tuple(rectangle(*box) for box in said.boxes())
            yield Outline(card, fill=self.look.face, z=5.9, solid=False)
        said = said or room.first(self._beside(view))
        if said is not None:
            yield said

    def _inside(self, view: View) -> Iterator[Words]:
        """Its words on its own fill, where they fit between its edges."""
        look, (left, bottom, right, top) = self.look, self.box(view)
        for text, size in product(self.wordings, self.sizes):
            wide, high = extent(text, size, look.bold, FULL)
            for part in PARTS:
                x, y = left + part * (right - left), (bottom + top) / 2
                if high <= top - bottom and min(x - left, right - x) >= wide / 2 + 2:
                    yield Words(text, x, y, size, look.words, look.bold, "center", 0.0, FULL)

    def _beside(self, view: View) -> Iterator[Words]:
        """Its longest words above it or below it."""
        (x, _), (_, bottom, _, top) = self.anchor(view), self.box(view)
        for text in self.wordings[:1]:
            off = 2 + extent(text, 8.0)[1] / 2
            for y, align in product((top + off, bottom - off), ("center", "left", "right")):
                yield Words(text, x, y, 8.0, self.ink, False, align)

    def until(self, t: float) -> Mark:
        if self.end <= t:
            return self
        early = replace(self, end=t, goes_on=False, **self.early)
        return early if self.begin < t else replace(early, wordings=())


@dataclass(frozen=True)
class Slit(Mark):
    """A slanted cut through a lane, where the axis along is broken."""

    t: float
    lane: Lane

    def shapes(self, view: View) -> Iterator[Outline]:
        left, bottom, _, top = view.box(self.t, self.t, *view.lane(self.lane))
        yield from slit(left, bottom - 2, top + 2)


@dataclass(frozen=True)
class Band(Mark):
    """A cut: grey over all lanes, a strong line where it begins, a dashed one where it ends."""

    begin: float  # s
    end: float  # s
    begins: bool = True  # whether its beginning is on the axis
    ends: bool = False  # whether it ends (is healed) on the axis

    def shapes(self, view: View) -> Iterator[Outline]:
        across = view.across.low, view.across.high
        box = rectangle(*view.box(self.begin, self.end, *across))
        yield Outline((box,), fill="band", opacity=BAND, z=0.0, solid=False)
        edges = (
            (self.begins, self.begin, 2.4, (), 4.0),
            (self.ends, self.end, 1.3, DASHED, 1.9),
        )
        for is_there, t, wide, dash, z in edges:
            if is_there:
                line = tuple(view.point(t, at) for at in across)
                yield Outline((line,), "ink", wide, dash, z=z)

    def until(self, t: float) -> Mark:
        return replace(self, end=t, ends=False) if self.end > t else self
