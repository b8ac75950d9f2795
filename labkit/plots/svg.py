"""Shapes as SVG, written by ourselves: no other package is needed to see a figure.

Words stay words, and are told how long to be, since a page may lack the font they were measured in.
The picture is an image with a name (role="img", aria-label), so that its alt text reaches a page.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from . import palette
from .shapes import Box, Outline, Point, Shape, Words
from .widths import FAMILY, width

FONT = f"'{FAMILY}',Verdana,sans-serif"
ANCHOR = {"left": "start", "center": "middle", "right": "end"}
HATCHES = {  # in a square of 6 points
    "/": '<path d="M-1 7L7 -1M2.5 9.5L9.5 2.5M-3.5 3.5L3.5 -3.5" stroke="@" stroke-width="1"/>',
    "\\": '<path d="M-1 -1L7 7M-3.5 2.5L3.5 9.5M2.5 -3.5L9.5 3.5" stroke="@" stroke-width="1"/>',
    ".": '<circle cx="1.5" cy="1.5" r="0.9" fill="@"/><circle cx="4.5" cy="4.5" r="0.9" fill="@"/>',
}
Colour = Callable[[str], str]


class Group(NamedTuple):
    """Shapes that are one element, with attributes of its own."""

    attributes: str
    shapes: tuple[Shape, ...]


def picture(
    shapes: Iterable[Shape | Group],
    box: Box,
    alt: str,
    colour: Colour,
    key: str,
    head: str = "",
    thinnest: float = 0.0,
) -> str:
    """An SVG element of the part ``box`` (points; left, bottom, right, top) of a drawing.

    ``colour`` gives a colour's text by its name; ``key`` goes into every id, so that two pictures
    on a page do not clash; ``head`` are more attributes. No line is thinner than ``thinnest``
    points.
    """
    hatches: dict[str, str] = {}

    def drawn(shapes: Iterable[Shape | Group]) -> Iterator[str]:
        for shape in shapes:
            if isinstance(shape, Group):
                yield f"<g {shape.attributes}>{''.join(drawn(shape.shapes))}</g>"
            elif isinstance(shape, Words):
                yield from (_line(shape, *line, colour) for line in shape.lines())
            elif shape.hatch:
                id = f"{key}-{list(HATCHES).index(shape.hatch)}-{shape.hatched}"
                hatches[id] = HATCHES[shape.hatch].replace("@", colour(shape.hatched))
                yield from _outline(shape, colour, id, thinnest)
            else:
                yield from _outline(shape, colour, "", thinnest)

    body = "".join(drawn(shapes))
    square = 'width="6" height="6" patternUnits="userSpaceOnUse"'
    defs = [f'<pattern id="{id}" {square}>{hatch}</pattern>' for id, hatch in hatches.items()]
    left, bottom, right, top = box
    name, part = html.escape(alt, quote=True), (left, -top, right - left, top - bottom)
    look = f'viewBox="{" ".join(map(_n, part))}" font-family="{FONT}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" {look} {head}>'
    return f"{start}<title>{name}</title><defs>{''.join(defs)}</defs>{body}</svg>"


def _outline(shape: Outline, colour: Colour, hatch: str, thinnest: float) -> Iterator[str]:
    """A surface, the hatching on it, and its edge."""
    way = "".join(map(_way, shape.paths))
    if shape.fill:
        opacity = f' fill-opacity="{shape.opacity}"' if shape.opacity < 1 else ""
        yield f'<path d="{way}" fill="{colour(shape.fill)}"{opacity}/>'
    if hatch:
        yield f'<path d="{way}" fill="url(#{hatch})"/>'
    if shape.ink and shape.wide:
        dash = f' stroke-dasharray="{" ".join(map(_n, shape.dash))}"' if shape.dash else ""
        line = f'stroke="{colour(shape.ink)}" stroke-width="{_n(max(shape.wide, thinnest))}"{dash}'
        yield f'<path d="{way}" fill="none" {line}/>'


def _way(path: tuple[Point, ...]) -> str:
    points = [f"{_n(x)} {_n(-y)}" for x, y in path]
    if len(points) > 2 and points[0] == points[-1]:
        return f"M{'L'.join(points[:-1])}Z"
    return f"M{'L'.join(points)}"


def _line(words: Words, x: float, y: float, text: str, colour: Colour) -> str:
    """One line of text."""
    place = f'x="{_n(x)}" y="{_n(-y)}"'
    look = f'font-size="{_n(words.size)}" fill="{colour(words.ink)}"'
    if words.bold:
        look += ' font-weight="bold"'
    if words.align != "left":
        look += f' text-anchor="{ANCHOR[words.align]}"'
    if words.angle:
        look += f' transform="rotate({_n(-math.degrees(words.angle))} {_n(x)} {_n(-y)})"'
    if len(text) > 1:
        long = width(text, words.size, words.bold)
        look += f' textLength="{_n(long)}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {place} {look}>{html.escape(text, quote=False)}</text>"


def _n(value: float) -> str:
    """A number, in hundredths of a point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def literal(theme: palette.Theme) -> Colour:
    """The colours of one theme: for a file."""
    return lambda name: str(getattr(theme, name))


def variable(name: str) -> str:
    """A colour as a CSS variable that a page may set, the light theme's if it does not."""
    return f"var({palette.css(name)}, {getattr(palette.LIGHT, name)})"
