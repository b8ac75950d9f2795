"""A figure is a value: a title that is its finding, panels of marks, and a line about its source.

It shows itself in a notebook (an SVG that follows the page's light or dark theme), is saved by its
suffix, says itself in words (``alt``), and can stop at any moment (``until``). ``@figure`` gives a
function that returns one the arguments that all figures share: ``ax``, ``theme`` and ``size``.
"""

from __future__ import annotations

import base64
import functools
import html
import inspect
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from ..trace.files import whole
from . import axes, layout, palette, svg
from .labels import Room
from .layout import Panel
from .play import Ask, Play
from .shapes import Box, Shape, Words
from .widths import extent, width

SUFFIXES = (".svg", ".png", ".pdf")
WIDE: tuple[float, float, float, float] = (53, 44, 25, 26)  # points: margins of a figure with lanes


@dataclass(frozen=True)
class Figure:
    """What is seen. ``size`` is in inches, ``margins`` in points: left, bottom, right, top."""

    title: str
    panels: tuple[Panel, ...]
    source: tuple[tuple[str, str], ...] = ()  # (words, ink): the signs that occur, who recorded it
    kind: str = "Figure"  # what the alt text calls it
    size: tuple[float, float] = (9.0, 3.9)
    margins: tuple[float, float, float, float] = WIDE
    theme: str = "light"
    asks: str = ""  # the title before the outcome is known
    known: float = 0.0  # s; from when on the title may be shown
    lead: float = 6.0  # points between the area and the title
    foot: float = layout.FOOT + 4  # points below the area: where the source stands
    late: tuple[tuple[str, str], ...] = ()  # before the source: signs that give the title away

    @cached_property
    def alt(self) -> str:
        """The figure in words: its title, and what its marks say."""
        text = f"{self.kind}. {self.title}{'' if self.title.endswith('?') else '.'}"
        return text + "".join(f" {sentence}." for sentence in self.sentences)

    @cached_property
    def sentences(self) -> list[str]:
        """What its marks say."""
        found: list[str] = []
        for clause in [mark.says for panel in self.panels for mark in panel.marks if mark.says]:
            if clause[0] == ",":
                found[-1] += clause
            else:
                found.append(clause)
        return found

    @property
    def points(self) -> tuple[float, float]:
        """Its size in points."""
        return self.size[0] * 72, self.size[1] * 72

    def until(self, t: float) -> Figure:
        """The figure as it may be shown at ``t`` (s): nothing that is not known yet."""
        panels = tuple(panel.until(t) for panel in self.panels)
        if self.known <= t:
            return replace(self, panels=panels)
        return replace(self, panels=panels, title=self.asks, late=())

    @property
    def area(self) -> tuple[float, float]:
        """The size within its margins (points)."""
        (wide, high), (left, bottom, right, top) = self.points, self.margins
        return wide - left - right, high - bottom - top

    def shapes(self, wide: float = 0.0, high: float = 0.0) -> list[Shape]:
        """What a canvas draws, in an area of ``wide`` × ``high`` points (0: its own)."""
        wide, high = wide or self.area[0], high or self.area[1]
        left, bottom, right, top = self.margins
        room = Room((-left + 4, -bottom + 2, wide + right - 4, high + top))
        drawn: list[Shape] = [self._title(wide + right - 4, high)]
        drawn += layout.shapes(self.panels, wide, high, room)
        drawn += self._sources(room, wide + min(18.0, right - 6))
        return sorted(drawn, key=lambda shape: shape.z)

    def _title(self, wide: float, high: float) -> Words:
        text, size = layout.headline(self.title, wide)
        y = high + self.lead + extent(text, size, True, 1.1)[1] / 2
        return Words(text, 0.0, y, size, "ink", True, line=1.1)

    def _sources(self, room: Room, x: float) -> Iterator[Words]:
        """The source line, from the right at ``x`` (points), what has room of it."""
        for text, ink in reversed((*self.late, *self.source)):
            places = product((8.5, 7.5), (0, 12))
            tries = (Words(text, x, -self.foot - y, size, ink, align="right") for size, y in places)
            said = room.first(tries)
            if said is not None:
                yield said
                x -= width(text, said.size) + 11

    @property
    def words(self) -> list[str]:
        """All that is written on it, as it is drawn, a line break as a space."""
        return [one.text.replace("\n", " ") for one in self.shapes() if isinstance(one, Words)]

    # how it is seen

    def svg(self, key: str = "labkit") -> str:
        """The figure as an SVG in its theme's colours, the same text for the same figure."""
        theme, (wide, high) = palette.theme(self.theme), self.points
        head = f'width="{wide:g}pt" height="{high:g}pt" style="background:{theme.paper}"'
        return svg.picture(self.shapes(), self.box, self.alt, svg.literal(theme), key, head)

    def inline(self, key: str = "", scale: float = 1.0, thinnest: float = 0.0) -> str:
        """The figure as HTML for a notebook, in the page's colours, ``scale`` times as large."""
        (wide, high), fit = self.points, "max-width:100%;height:auto" if scale == 1 else ""
        size = f'width="{wide * scale:g}pt" height="{high * scale:g}pt" style="{fit}"'
        head, key = f'class="labkit-figure" {size}', key or f"lk{uuid.uuid4().hex[:8]}"
        look = (svg.variable, key, head, thinnest / scale)
        picture = svg.picture(self.shapes(), self.box, self.alt, *look)
        return f"<style>{palette.dark_rules('.labkit-figure')}</style>{picture}"

    @property
    def image(self) -> str:
        """It as an image in HTML: of what a page does not trust it takes out SVG elements."""
        data = base64.b64encode(self.svg().encode()).decode()
        alt = html.escape(self.alt, quote=True)
        return f'<img alt="{alt}" src="data:image/svg+xml;base64,{data}">'

    def play(self, *asks: Ask) -> Play:
        """The figure with a handle that moves "now"; it stops at each of ``asks``."""
        return Play(self, asks)

    @property
    def box(self) -> Box:
        """Its edges, from the lower left corner of the area (points)."""
        (wide, high), (left, bottom, _, _) = self.points, self.margins
        return -left, -bottom, wide - left, high - bottom

    def draw(self, ax: Any) -> Any:
        """The figure on matplotlib's Axes, which is returned, with the figure's words as ``alt``.

        Where one panel fills it the Axes has its scale: ``ax.axvline(12)`` is at 12 s.
        """
        x, y = self._limits
        ax.set(xlim=x, ylim=y)
        axes.draw(ax, self.shapes(*axes.area(ax)), palette.theme(self.theme))
        ax.alt = self.alt
        return ax

    @property
    def _limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Of an Axes: its first panel's, if this fills it and is plain, else 0 to 1."""
        panel = self.panels[0]
        if panel.box != (0.0, 0.0, 1.0, 1.0):
            return (0.0, 1.0), (0.0, 1.0)
        along, across = panel.along.limits, panel.across.limits
        return (across, along[::-1]) if panel.down else (along, across)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .svg, .png (150 dpi) or .pdf, all of it or nothing, the alt text within."""
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in SUFFIXES:
            seen = path.suffix or path.name
            raise ValueError(
                f"a figure is saved by its suffix: expected .svg, .png or .pdf, seen {seen!r}"
            )
        data = f"{self.svg()}\n".encode() if kind == ".svg" else self._printed(kind[1:])
        with whole(path) as draft:
            draft.write_bytes(data)
        return path

    def _printed(self, kind: str) -> bytes:
        (wide, high), (left, bottom, _, _), (long, up) = self.points, self.margins, self.area
        box = (left / wide, bottom / high, long / wide, up / high)
        sheet = axes.sheet(self.size, box, palette.theme(self.theme).paper)
        return axes.data(self.draw(sheet), kind, self.alt)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.inline(), "text/plain": self.alt}

    def __repr__(self) -> str:
        return f"<{self.kind}: {self.title}>"


def figure(make: Callable[..., Figure]) -> Callable[..., Any]:
    """Give a function that returns a Figure the arguments ``ax``, ``theme`` and ``size``.

    It returns the Figure; with ``ax=`` it is drawn there, and the Axes is returned.
    """

    @functools.wraps(make)
    def drawn(
        *args: Any, ax: Any = None, theme: str = "light", size: Any = None, **more: Any
    ) -> Any:
        palette.theme(theme)
        made = make(*args, **more)
        made = replace(made, theme=theme, size=size or made.size)
        return made if ax is None else made.draw(ax)

    shared = inspect.signature(drawn, follow_wrapped=False).parameters
    own = inspect.signature(make)
    names = [*own.parameters.values(), *(shared[name] for name in ("ax", "theme", "size"))]
    signature = own.replace(parameters=names, return_annotation="Figure")
    drawn.__signature__ = signature  # type: ignore[attr-defined]
    return drawn
