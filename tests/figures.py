"""What tests ask of a figure: its words, its ticks, what lies on what, and how well each word can be read."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from labkit.plots import palette
from labkit.plots.shapes import Box, Outline, Words
from labkit.plots.widths import width

Shape = list[tuple[float, float]]
SVG = "{http://www.w3.org/2000/svg}"


def texts(figure: Any) -> list[str]:
    """All that is written on it but its title."""
    return [text for text in figure.words if text != figure.title]


def marks(figure: Any, kind: type) -> list[Any]:
    """The marks of a kind in all its panels."""
    return [mark for panel in figure.panels for mark in panel.marks if isinstance(mark, kind)]


def ticks(figure: Any) -> list[str]:
    """The texts of the axis along, in its direction."""
    panel, (left, bottom, right, top) = figure.panels[0], figure.margins
    wide, high = figure.points[0] - left - right, figure.points[1] - bottom - top
    return [tick.text for tick in panel.along.placed(high if panel.down else wide, panel.down)]


def tight(words: Words) -> list[Box]:
    """What the letters cover, line by line, if they are level; a turned text as small boxes."""
    if words.angle:
        return words.boxes()
    shift = {"left": 0.0, "center": 0.5, "right": 1.0}[words.align]
    rows = [(y, width(text, words.size, words.bold), x) for x, y, text in words.lines() if text]
    return [(x - shift * w, y - 0.1 * words.size, x + (1 - shift) * w, y + 0.74 * words.size) for y, w, x in rows]


def outside(figure: Any) -> list[str]:
    """Words that do not stay on the figure."""
    left, bottom, right, top = figure.margins
    wide, high = figure.points
    said = [(one.text, box) for one in figure.shapes() if isinstance(one, Words) for box in tight(one)]
    return [text for text, (a, b, c, d) in said if a < -left or b < -bottom or c > wide - left or d > high - bottom]


def _meet(one: list[Box], two: list[Box]) -> bool:
    return any(a < g and e < c and b < h and f < d for a, b, c, d in one for e, f, g, h in two)


def overlaps(figure: Any) -> list[tuple[str, str]]:
    """Words that lie on words, or on a mark that they do not belong to."""
    shapes = figure.shapes()
    said = [(shape.text, tight(shape)) for shape in shapes if isinstance(shape, Words)]
    found = [(a, b) for i, (a, one) in enumerate(said) for b, two in said[:i] if _meet(one, two)]
    for shape in shapes:
        if isinstance(shape, Outline) and shape.solid:
            boxes = list(shape.boxes())
            found += [(text, f"{shape.ink} {shape.fill}") for text, box in said if _meet(box, boxes) and not _within(box, boxes)]
    return found


def _within(words: list[Box], boxes: list[Box]) -> bool:
    """Whether words stand in a bar: on its fill, as they should."""
    return any(all(e <= a and c <= g and f <= b and d <= h for a, b, c, d in words) for e, f, g, h in boxes)


def faint(figure: Any, least: float = 4.5) -> list[tuple[str, float]]:
    """The words of the figure's SVG whose contrast with what lies under them is less."""
    root, surfaces, found = ElementTree.fromstring(figure.svg()), [], []
    paper = palette.theme(figure.theme).paper
    for element in root:
        if element.tag == f"{SVG}path" and element.get("fill", "none").startswith("#"):
            look = element.get("fill"), float(element.get("fill-opacity", 1))
            surfaces += [(shape, *look) for shape in _shapes(element.get("d"))]
        if element.tag == f"{SVG}text":
            x, y, size = (float(element.get(name)) for name in ("x", "y", "font-size"))
            long, shift = float(element.get("textLength", size)), {"middle": 0.5, "end": 1.0}.get(element.get("text-anchor"), 0.0)
            spots = [(x + (part - shift) * long, y - 0.36 * size) for part in (0.1, 0.5, 0.9)]
            spots = [(x, y)] if element.get("transform") else spots
            ratios = [contrast(element.get("fill"), under(surfaces, spot, paper)) for spot in spots]
            found += [(element.text, min(ratios))] if min(ratios) < least else []
    return found


def _shapes(way: str) -> list[Shape]:
    return [[tuple(map(float, point.split())) for point in path.split("L")] for path in re.findall(r"M([^MZ]+)Z", way)]


def _holds(shape: Shape, x: float, y: float) -> bool:
    """Whether a point is in a polygon: a ray from it crosses the edge an odd number of times."""
    edges = zip(shape, [*shape[1:], shape[0]])
    return sum((b > y) != (d > y) and x < a + (y - b) * (c - a) / (d - b) for (a, b), (c, d) in edges) % 2 == 1


def under(surfaces: list[Any], spot: tuple[float, float], paper: str) -> str:
    """The colour at a spot."""
    colour = paper
    for shape, fill, opacity in surfaces:
        if _holds(shape, *spot):
            colour = blend(fill, colour, opacity)
    return colour


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """The contrast of two colours as WCAG 2 has it: 1 to 21."""
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def blend(over: str, under: str, alpha: float) -> str:
    return "#" + "".join(f"{round(alpha * int(over[k : k + 2], 16) + (1 - alpha) * int(under[k : k + 2], 16)):02x}" for k in (1, 3, 5))


def sheet(size: tuple[float, float] = (9, 3.9)) -> Any:
    """An Axes of matplotlib's, on a sheet of its own."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    return FigureCanvasAgg(Figure(figsize=size)).figure.subplots()
