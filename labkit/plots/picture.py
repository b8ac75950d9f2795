"""A figure that is a picture with words: how it shows in a notebook, how it is saved, and how its alt text reaches the page.

In a notebook the picture is an inline SVG (role="img", aria-label). Its colours are CSS variables, so that it follows
JupyterLab's light and dark theme by itself, whenever that changes; the kernel is never asked. pyplot is not used:
nothing is registered anywhere, nothing leaks.
"""

from __future__ import annotations

import html
import io
import os
import re
import uuid
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..trace.files import whole
from . import palette

DPI = 150  # of a saved PNG
MARGINS = (
    53,
    44,
    25,
    26,
)  # points at the left, bottom, right, top; fixed, since a layout engine doubles the drawing time


class Picture(Axes):
    """An Axes that can say itself in words (``alt``) and shows itself in a notebook."""

    alt: str = ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": inline(self), "text/plain": self.alt}


def new(
    size: tuple[float, float],
    theme: palette.Theme,
    margins: tuple[float, float, float, float] = MARGINS,
) -> Picture:
    """An empty picture of ``size`` (inches), on a figure of its own, with ``margins`` in points."""
    figure = Figure(figsize=size, dpi=100, facecolor=theme.paper)
    FigureCanvasAgg(figure)
    (wide, high), (left, bottom, right, top) = size, (margin / 72 for margin in margins)
    rect = (left / wide, bottom / high, 1 - (left + right) / wide, 1 - (bottom + top) / high)
    ax = figure.add_axes(rect, axes_class=Picture)
    assert isinstance(ax, Picture)
    return ax


def alt_of(ax: Axes) -> str:
    """The alt text of a drawn Axes, or its title."""
    return str(getattr(ax, "alt", "") or ax.get_title(loc="left"))


def svg(ax: Axes, key: str = "labkit") -> str:
    """The picture as an SVG element; ``key`` goes into every id, so that two pictures on a page do not clash."""
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": key, "svg.fonttype": "path"}):
        _figure(ax).savefig(
            file,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = file.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, count=1, flags=re.S)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{key}-", text)
    alt = html.escape(alt_of(ax), quote=True)
    return re.sub(
        r"<svg([^>]*)>",
        rf'<svg role="img" aria-label="{_literal(alt)}"\1>\n <title>{_literal(alt)}</title>',
        text,
        count=1,
    )


def inline(ax: Axes) -> str:
    """The picture as HTML for a notebook: its colours are the page's."""
    text = svg(ax, f"lk{uuid.uuid4().hex[:8]}")
    names = palette.variables()
    text = re.sub("|".join(map(re.escape, names)), lambda found: names[found.group()], text)
    text = text.replace(
        "<svg ", '<svg class="labkit-figure" style="max-width:100%;height:auto" ', 1
    )
    return f"<style>{palette.dark_rules('.labkit-figure')}</style>\n{text}"


def save(ax: Axes, path: str | os.PathLike[str]) -> Path:
    """Write a drawn timeline as .png (150 dpi) or .svg, all of it or nothing, the alt text within; returns the path."""
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise ValueError(
            f"a figure is saved by its suffix: expected .png or .svg, seen {path.suffix or path.name!r}"
        )
    data = svg_file(ax) if kind == ".svg" else _png(ax)
    with whole(path) as draft:
        draft.write_bytes(data)
    return path


def svg_file(ax: Axes) -> bytes:
    """The picture as an SVG file, the same bytes for the same picture."""
    return f'<?xml version="1.0" encoding="utf-8" standalone="no"?>\n{svg(ax)}\n'.encode()


def _png(ax: Axes) -> bytes:
    file = io.BytesIO()
    _figure(ax).savefig(
        file, format="png", dpi=DPI, metadata={"Description": alt_of(ax), "Software": None}
    )
    return file.getvalue()


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def _literal(text: str) -> str:
    """Text that a regular expression puts in as it is."""
    return text.replace("\\", r"\\")
