"""Shapes on matplotlib's Axes: for those who compose figures, and for PNG and PDF.

The Axes keeps a figure's own scale where one panel fills it: ``ax.axvline(12)`` is at 12 s.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from . import palette
from .shapes import Outline, Words
from .widths import FAMILY

if TYPE_CHECKING:
    from .figure import Figure

DPI = 150  # of a PNG
HATCH = {"/": "/////", "\\": "\\\\\\\\\\", ".": "..."}


def draw(figure: Figure, ax: Any) -> Any:
    """Draw a figure on an Axes, which is returned, with the figure's words as ``ax.alt``."""
    from matplotlib.transforms import Affine2D

    inch = 72 / ax.get_figure(root=True).dpi
    wide, high = ax.bbox.width * inch, ax.bbox.height * inch
    x, y = figure.scales()
    ax.set(xlim=x, ylim=y, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    theme = palette.theme(figure.theme)
    points = Affine2D().scale(1 / wide, 1 / high) + ax.transAxes
    for shape in figure.shapes(wide, high):
        if isinstance(shape, Words):
            _words(ax, shape, theme, points)
        else:
            _outline(ax, shape, theme, points)
    ax.alt = figure.alt
    return ax


def _outline(ax: Any, shape: Outline, theme: palette.Theme, points: Any) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not shape.paths:
        return
    path = Path.make_compound_path(*map(Path, shape.paths))
    look: dict[str, Any] = {"clip_on": False, "zorder": shape.z, "transform": points}
    if shape.fill:
        face, lines = getattr(theme, shape.fill), getattr(theme, shape.hatched)
        hatch = HATCH.get(shape.hatch)
        edge = lines if hatch else "none"
        ax.add_patch(
            PathPatch(path, fc=face, ec=edge, hatch=hatch, alpha=shape.opacity, lw=0, **look)
        )
    if shape.ink and shape.wide:
        edge, dash = getattr(theme, shape.ink), (0, shape.dash or None)
        look |= {"lw": shape.wide, "ls": dash, "capstyle": "butt"}
        ax.add_patch(PathPatch(path, fc="none", ec=edge, **look))


def _words(ax: Any, words: Words, theme: palette.Theme, points: Any) -> None:
    look = {
        "ha": words.align,
        "va": "baseline",
        "rotation": math.degrees(words.angle),
        "rotation_mode": "anchor",
        "family": FAMILY,
        "fontsize": words.size,
        "fontweight": "bold" if words.bold else "normal",
        "color": getattr(theme, words.ink),
        "parse_math": False,
        "zorder": words.z,
        "transform": points,
    }
    for x, y, text in words.lines():
        ax.text(x, y, text, **look)


def file(figure: Figure, kind: str) -> bytes:
    """The figure as the bytes of a "png" or "pdf", at its own size; pyplot is not asked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Sheet

    (wide, high), (left, bottom, right, top) = figure.points, figure.margins
    paper = palette.theme(figure.theme).paper
    sheet = Sheet(figsize=figure.size, facecolor=paper)
    FigureCanvasAgg(sheet)
    box = (left / wide, bottom / high, 1 - (left + right) / wide, 1 - (bottom + top) / high)
    draw(figure, sheet.add_axes(box, facecolor="none"))
    facts: dict[str, Any] = {"Title": figure.alt}
    if kind == "png":
        facts = {"Description": figure.alt, "Software": None}
    out = io.BytesIO()
    sheet.savefig(out, format=kind, dpi=DPI, metadata=facts)
    return out.getvalue()
