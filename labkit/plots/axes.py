"""Shapes on matplotlib's Axes: for those who compose figures, and for PNG and PDF.

The Axes keeps a figure's own scale where one panel fills it: ``ax.axvline(12)`` is at 12 s.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from . import palette
from .shapes import Outline, Point, Words
from .widths import FAMILY

if TYPE_CHECKING:
    from .figure import Figure

DPI = 150  # of a PNG
HATCH = {"/": "/////", "\\": "\\\\\\\\\\", ".": "..."}


def draw(figure: Figure, ax: Any) -> Any:
    """Draw a figure on an Axes, which is returned, with the figure's words as ``ax.alt``."""
    inch = 72 / ax.get_figure(root=True).dpi
    wide, high = ax.bbox.width * inch, ax.bbox.height * inch
    x, y = figure.scales()
    ax.set_xlim(*x)
    ax.set_ylim(*y)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    theme = palette.theme(figure.theme)
    scale = ((x[1] - x[0]) / wide, (y[1] - y[0]) / high)

    def place(point: Point) -> Point:
        return x[0] + point[0] * scale[0], y[0] + point[1] * scale[1]

    for shape in figure.shapes(wide, high):
        if isinstance(shape, Words):
            _words(ax, shape, theme, place)
        elif shape.fill or shape.ink:
            _outline(ax, shape, theme, place)
    ax.alt = figure.alt
    return ax


def _outline(ax: Any, shape: Outline, theme: palette.Theme, place: Any) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points = [place(point) for path in shape.paths for point in path]
    codes = [
        code for path in shape.paths for code in (Path.MOVETO, *(Path.LINETO,) * (len(path) - 1))
    ]
    path = Path(points, codes)
    rest: dict[str, Any] = {"clip_on": False, "zorder": shape.z, "capstyle": "butt"}
    edge = getattr(theme, shape.ink) if shape.ink else "none"
    if shape.fill:
        face, hatched = getattr(theme, shape.fill), getattr(theme, shape.hatched)
        hatch: dict[str, Any] = {"hatch": HATCH[shape.hatch], "ec": hatched} if shape.hatch else {}
        ax.add_patch(PathPatch(path, fc=face, alpha=shape.opacity, lw=0, **hatch, **rest))
    if shape.ink and shape.wide:
        style = (0, shape.dash) if shape.dash else "-"
        ax.add_patch(PathPatch(path, fc="none", ec=edge, lw=shape.wide, ls=style, **rest))


def _words(ax: Any, words: Words, theme: palette.Theme, place: Any) -> None:
    style: dict[str, Any] = {"ha": words.align, "va": "baseline", "rotation_mode": "anchor"}
    style |= {"fontsize": words.size, "family": FAMILY, "color": getattr(theme, words.ink)}
    style |= {"fontweight": "bold" if words.bold else "normal", "zorder": words.z, "clip_on": False}
    for x, y, text in words.lines():
        ax.text(*place((x, y)), text, rotation=math.degrees(words.angle), parse_math=False, **style)


def new(figure: Figure) -> Any:
    """A figure drawn on an Axes of its own, at its own size; pyplot is not asked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet

    (wide, high), (left, bottom, right, top) = figure.points, figure.margins
    paper = palette.theme(figure.theme).paper
    sheet = Sheet(figsize=(wide / 72, high / 72), dpi=100, facecolor=paper)
    FigureCanvasAgg(sheet)
    box = (left / wide, bottom / high, 1 - (left + right) / wide, 1 - (bottom + top) / high)
    ax = sheet.add_axes(box)
    ax.set_facecolor("none")
    return draw(figure, ax)


def file(figure: Figure, kind: str) -> bytes:
    """The figure as the bytes of a "png" or "pdf"."""
    out = io.BytesIO()
    facts = (
        {"Description": figure.alt, "Software": None} if kind == "png" else {"Title": figure.alt}
    )
    new(figure).get_figure(root=True).savefig(out, format=kind, dpi=DPI, metadata=facts)
    return out.getvalue()
