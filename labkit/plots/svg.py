"""Shapes as SVG, written by ourselves: no other package is needed to see a figure.

Words stay words, and are told how long to be, since a page may lack the font they were measured in.
The picture is an image with a name (role="img", aria-label), so that its alt text reaches a page.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable

from . import palette
from .shapes import Point, Shape, Words
from .widths import FAMILY, width

FONT = f"'{FAMILY}',Verdana,sans-serif"
ANCHOR = {"left": "start", "center": "middle", "right": "end"}
HATCHES = {  # in a square of 6 points
    "/": '<path d="M-1 7L7 -1M2.5 9.5L9.5 2.5M-3.5 3.5L3.5 -3.5" stroke="@" stroke-width="1"/>',
    "\\": '<path d="M-1 -1L7 7M-3.5 2.5L3.5 9.5M2.5 -3.5L9.5 3.5" stroke="@" stroke-width="1"/>',
    ".": '<circle cx="1.5" cy="1.5" r="0.9" fill="@"/><circle cx="4.5" cy="4.5" r="0.9" fill="@"/>',
}
Colour = Callable[[str], str]


def picture(
    shapes: Iterable[Shape],
    size: tuple[float, float],
    origin: Point,
    alt: str,
    colour: Colour,
    key: str,
    head: str = "",
    thinnest: float = 0.0,
) -> str:
    """An SVG element of ``size`` points; ``origin`` is where the area's lower left corner is.

    ``colour`` gives a colour's text by its name; ``key`` goes into every id, so that two pictures
    on a page do not clash; ``head`` are more attributes. No line is thinner than ``thinnest``
    points.
    """
    hatches: dict[tuple[str, str], None] = {}
    body = "".join(
        _shape(shape, size[1], origin, colour, key, hatches, thinnest) for shape in shapes
    )
    defs = "".join(_pattern(hatch, ink, colour, key) for hatch, ink in hatches)
    name = html.escape(alt, quote=True)
    box = f'viewBox="0 0 {_n(size[0])} {_n(size[1])}" font-family="{FONT}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{name}" {box} {head}>'
    return f"{start}<title>{name}</title><defs>{defs}</defs>{body}</svg>"


def _shape(
    shape: Shape,
    high: float,
    origin: Point,
    colour: Colour,
    key: str,
    hatches: dict[tuple[str, str], None],
    thinnest: float,
) -> str:
    x0, y0 = origin[0], high - origin[1]
    if isinstance(shape, Words):
        return "".join(_line(shape, x0 + x, y0 - y, text, colour) for x, y, text in shape.lines())
    if not (shape.fill or shape.ink):
        return ""
    way = "".join(_way(path, x0, y0) for path in shape.paths)
    fill = colour(shape.fill) if shape.fill else "none"
    look = f'fill="{fill}"'
    if shape.opacity < 1:
        look += f' fill-opacity="{shape.opacity}"'
    if shape.ink and shape.wide:
        look += f' stroke="{colour(shape.ink)}" stroke-width="{_n(max(shape.wide, thinnest))}"'
    if shape.dash:
        look += f' stroke-dasharray="{" ".join(map(_n, shape.dash))}"'
    if not shape.hatch:
        return f'<path d="{way}" {look}/>'
    hatches[shape.hatch, shape.hatched] = None
    id = _id(shape.hatch, shape.hatched, key)
    return f'<path d="{way}" fill="{fill}"/><path d="{way}" fill="url(#{id})"/>' + (
        f'<path d="{way}" {look.replace(fill, "none", 1)}/>' if shape.ink else ""
    )


def _way(path: tuple[Point, ...], x0: float, y0: float) -> str:
    points = [f"{_n(x0 + x)} {_n(y0 - y)}" for x, y in path]
    if len(points) > 2 and points[0] == points[-1]:
        return f"M{'L'.join(points[:-1])}Z"
    return f"M{'L'.join(points)}"


def _line(words: Words, x: float, y: float, text: str, colour: Colour) -> str:
    """One line of text."""
    size, bold = words.size, ' font-weight="bold"' if words.bold else ""
    long = f' textLength="{_n(width(text, size, words.bold))}" lengthAdjust="spacingAndGlyphs"'
    place = f'x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{colour(words.ink)}"{bold}'
    place += f' text-anchor="{ANCHOR[words.align]}"' if words.align != "left" else ""
    if words.angle:
        place += f' transform="rotate({_n(-math.degrees(words.angle))} {_n(x)} {_n(y)})"'
    return f"<text {place}{long if len(text) > 1 else ''}>{html.escape(text, quote=False)}</text>"


def _pattern(hatch: str, ink: str, colour: Colour, key: str) -> str:
    body = HATCHES[hatch].replace("@", colour(ink))
    square = 'width="6" height="6" patternUnits="userSpaceOnUse"'
    return f'<pattern id="{_id(hatch, ink, key)}" {square}>{body}</pattern>'


def _id(hatch: str, ink: str, key: str) -> str:
    return f"{key}-{list(HATCHES).index(hatch)}-{ink}"


def _n(value: float) -> str:
    """A number, in hundredths of a point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def literal(theme: palette.Theme) -> Colour:
    """The colours of one theme: for a file."""
    return lambda name: str(getattr(theme, name))


def variable(name: str) -> str:
    """A colour as a CSS variable that a page may set, the light theme's if it does not."""
    return f"var({palette.css(name)}, {getattr(palette.LIGHT, name)})"
