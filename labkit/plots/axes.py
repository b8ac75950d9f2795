"""Shapes on matplotlib's Axes: for those who compose figures, and for PNG and PDF."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from typing import Any

from .palette import Theme
from .shapes import Box, Outline, Shape, Words
from .widths import FAMILY

DPI = 150  # of a PNG
HATCH = {"/": "/////", "\\": "\\\\\\\\\\", ".": "..."}


def area(ax: Any) -> tuple[float, float]:
    """The size of an Axes (points)."""
    inch = 72 / ax.get_figure(root=True).dpi
    return ax.bbox.width * inch, ax.bbox.height * inch


def draw(ax: Any, shapes: Iterable[Shape], theme: Theme) -> None:
    """Draw shapes on an Axes without ticks and frame of its own."""
    from matplotlib.transforms import Affine2D

    wide, high = area(ax)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    points = Affine2D().scale(1 / wide, 1 / high) + ax.transAxes
    for shape in shapes:
        look = {"transform": points, "zorder": shape.z}
        if isinstance(shape, Words):
            _words(ax, shape, theme, look)
        elif shape.paths:
            _outline(ax, shape, theme, look)


def _outline(ax: Any, shape: Outline, theme: Theme, look: dict[str, Any]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    path = Path.make_compound_path(*map(Path, shape.paths))
    look |= {"clip_on": False}
    if shape.fill:
        hatch = HATCH.get(shape.hatch)
        edge = getattr(theme, shape.hatched) if hatch else "none"
        face = {"fc": getattr(theme, shape.fill), "alpha": shape.opacity, "lw": 0}
        ax.add_patch(PathPatch(path, ec=edge, hatch=hatch, **face, **look))
    if shape.ink and shape.wide:
        edge = getattr(theme, shape.ink)
        line = {"lw": shape.wide, "ls": (0, shape.dash or None), "capstyle": "butt"}
        ax.add_patch(PathPatch(path, fc="none", ec=edge, **line, **look))


def _words(ax: Any, words: Words, theme: Theme, look: dict[str, Any]) -> None:
    look |= {
        "ha": words.align,
        "va": "baseline",
        "rotation": math.degrees(words.angle),
        "rotation_mode": "anchor",
        "family": FAMILY,
        "fontsize": words.size,
        "fontweight": "bold" if words.bold else "normal",
        "color": getattr(theme, words.ink),
        "parse_math": False,
    }
    for x, y, text in words.lines():
        ax.text(x, y, text, **look)


def sheet(size: tuple[float, float], box: Box, paper: str) -> Any:
    """An Axes in a ``box`` (left, bottom, width, height; 0 to 1) of a sheet of ``size`` inches.

    pyplot is not asked, so that nothing is shown by itself.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure(figsize=size, facecolor=paper))
    return canvas.figure.add_axes(box, facecolor="none")


def data(ax: Any, kind: str, alt: str) -> bytes:
    """The sheet of an Axes as the bytes of a "png" or "pdf"."""
    facts = {"Title": alt} if kind == "pdf" else {"Description": alt, "Software": None}
    out = io.BytesIO()
    ax.figure.savefig(out, format=kind, dpi=DPI, metadata=facts)
    return out.getvalue()
