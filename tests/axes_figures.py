"""What a figure says, and which of its words lie on each other, measured without drawing it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

Corners = list[tuple[float, float]]  # pixels


def title(ax: Any) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def texts(ax: Any) -> list[str]:
    """The words in a figure and in the panels within it; without titles, and without those of the axes."""
    said = [text for panel in (ax, *ax.child_axes) for text in panel.texts]
    return [text.get_text().replace("\n", " ") for text in said if text.get_text()]


def lay_out(ax: Any) -> Any:
    """Let everything find its place, as drawing does; returns the Axes."""
    ax.get_figure(root=True).draw_without_rendering()
    return ax


def overlaps(ax: Any, *more: Any) -> list[tuple[str, str]]:
    """The pairs of words, those of ``more`` texts too, that lie on each other, by what the renderer measures."""
    lay_out(ax)
    written = [(text.get_text(), corners(text)) for text in (*_words(ax), *more) if text.get_text()]
    pairs = [(a, b) for n, a in enumerate(written) for b in written[:n]]
    return [(a, b) for (a, one), (b, two) in pairs if not apart(one, two)]


def _words(ax: Any) -> Iterator[Any]:
    for panel in (ax, *ax.child_axes):
        yield from panel.texts
        for axis in (panel.xaxis, panel.yaxis) if panel.axison else ():
            yield from (*axis.get_ticklabels(), axis.label)


def corners(text: Any) -> Corners:
    """The corners of a text as it lies, turned or not."""
    angle, (x, y) = text.get_rotation(), text.get_transform().transform(text.get_position())
    text.set_rotation(0)
    box = text.get_window_extent()
    text.set_rotation(angle)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return [
        (x + cos * (a - x) - sin * (b - y), y + sin * (a - x) + cos * (b - y))
        for a, b in ((box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1))
    ]


def apart(one: Corners, two: Corners) -> bool:
    """Whether a line can be drawn between two rectangles (along a side of one of them)."""
    for shape in (one, two):
        for (ax, ay), (bx, by) in zip(shape, shape[1:]):
            along = [[(bx - ax) * x + (by - ay) * y for x, y in points] for points in (one, two)]
            if max(along[0]) <= min(along[1]) or max(along[1]) <= min(along[0]):
                return True
    return False
