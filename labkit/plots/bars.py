"""The marks of lanes: states as bars, cuts as bands, slits where the axis is broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .labels import Room
from .marks import DASHED, DOTTED, Lane, Mark
from .palette import BAND, FILLS, Fill
from .shapes import Outline, Point, Shape, Words, rectangle
from .signs import arrow, slit
from .widths import extent

if TYPE_CHECKING:
    from .layout import View

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
    meanwhile: tuple[str, ...] = ()  # its wordings before it is over, if they are others
    sizes: tuple[float, ...] = field(default=(10.0, 9.0, 8.0, 7.0), kw_only=True)

    def shapes(self, view: View) -> Iterator[Outline]:
        look, (low, high) = FILLS[self.fill], view.lane(self.lane)
        corners = (view.point(t, at) for t, at in ((self.begin, low), (self.end, high)))
        (x0, y0), (x1, y1) = corners
        box = rectangle(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        dash, z = DOTTED if look.dotted else (), 2.0 + 0.01 * list(FILLS).index(self.fill)
        wide = 1.4 if look.edge else 0.0
        yield Outline(
            (box,), look.edge, wide, dash, look.face, look.hatch, look.hatched, z=z, ground=True
        )
        if self.goes_on:
            yield from arrow([(x1, (y0 + y1) / 2), (x1 + 19, (y0 + y1) / 2)], look.edge, 2.2, 5.0)

    def anchor(self, view: View) -> Point:
        low, high = view.lane(self.lane)
        (x0, y0), (x1, y1) = view.point(self.begin, low), view.point(self.end, high)
        return (x0 + x1) / 2, (y0 + y1) / 2  # not the time's middle: the axis may be broken

    def words(self, view: View, room: Room) -> Iterable[Shape]:
        if not self.wordings:
            return
        look, (low, high) = FILLS[self.fill], view.lane(self.lane)
        wide = abs(view.point(self.end, low)[0] - view.point(self.begin, low)[0])
        tall, middle = abs(view.point(0, high)[1] - view.point(0, low)[1]), self.anchor(view)
        for text in self.wordings:
            for size in self.sizes:
                w, h = extent(text, size, look.bold, FULL)
                for part in PARTS if h <= tall else ():
                    x = middle[0] + (part - 0.5) * wide
                    if wide / 2 - abs(x - middle[0]) < w / 2 + 2:
                        continue
                    said = Words(
                        text, x, middle[1], size, look.words, look.bold, "center", 0.0, FULL
                    )
                    if room.stand(said):
                        yield from _carded(said, look)
                        return
        half = tall / 2 + 2
        sides = [(half, "bottom"), (-half, "top")]
        places = [(0.0, dy, ha, va) for dy, va in sides for ha in ("center", "left", "right")]
        ink = "ink" if look.words == "on_open" or look.hatch else look.words
        said_beside = room.put(self.wordings[:1], middle, places, (8.0,), ink)
        if said_beside is not None:
            yield said_beside

    def until(self, t: float) -> Mark:
        if self.end <= t:
            return self
        wordings = self.meanwhile or self.wordings
        return replace(self, end=t, goes_on=False, wordings=wordings)


@dataclass(frozen=True)
class Slit(Mark):
    """A slanted cut through a lane, where the axis along is broken."""

    t: float
    lane: Lane

    def shapes(self, view: View) -> Iterator[Outline]:
        low, high = (view.point(self.t, at) for at in view.lane(self.lane))
        yield from slit(low[0], low[1] - 2, high[1] + 2)


@dataclass(frozen=True)
class Band(Mark):
    """A cut: grey over all lanes, a strong line where it begins, a dashed one where it ends."""

    begin: float  # s
    end: float  # s
    begins: bool = True  # whether its beginning is on the axis
    ends: bool = False  # whether it ends (is healed) on the axis

    def shapes(self, view: View) -> Iterator[Outline]:
        box = view.box(self.begin, self.end)
        yield Outline((box,), fill="band", opacity=BAND, z=0.0, solid=False)
        if self.begins:
            yield Outline((view.across(self.begin),), "ink", 2.4, z=4.0)
        if self.ends:
            yield Outline((view.across(self.end),), "ink", 1.3, DASHED, z=1.9)

    def until(self, t: float) -> Mark:
        return replace(self, end=t, ends=False) if self.end > t else self


def _carded(said: Words, look: Fill) -> Iterator[Shape]:
    """Words on a hatched ground, on a card of their own."""
    if look.hatch:
        yield Outline(
            tuple(rectangle(*box) for box in said.boxes()), fill=look.face, z=5.9, solid=False
        )
    yield said
