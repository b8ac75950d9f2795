"""A slate: an Axes in name, on which the lab's own figures are drawn thirty times as fast. What is drawn, the figures decide.

matplotlib needs 0.1 to 0.2 s from a trace to an SVG, most of it for what such a picture never uses; a hand on a slider wants ten
a second. So timeline and ladder are given this as their ``ax``. It takes the few kinds of marks that they use, and writes
each at once as an SVG element. It is not a general Axes: what it does not know, it refuses (AttributeError).

Words stay words (matplotlib's SVG has outlines), and are told how long to be, since a page may lack the font they were measured in.
"""

from __future__ import annotations

import html
import math
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from matplotlib.colors import to_hex, to_rgba
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from . import palette
from .picture import MARGINS
from .room import FAMILY, LINE, width

Z = {"patch": 1.0, "line": 2.0, "text": 3.0}  # as in matplotlib
FONT = f"'{FAMILY}',Verdana,sans-serif"
TURN = {"left": "start", "center": "middle", "right": "end"}
BOLD = ' font-weight="bold"'


class Spine:
    """An edge of the Axes: there or not, in a colour."""

    visible, colour = True, "#000000"

    def set_visible(self, visible: bool) -> None:
        self.visible = visible

    def set_color(self, colour: str) -> None:
        self.colour = colour


class Slate:
    """What timeline and ladder take as ``ax``; ``inline()`` is the picture."""

    alt = ""

    def __init__(
        self, size: tuple[float, float], margins: tuple[float, float, float, float] = MARGINS, scale: float = 1.0, thinnest: float = 0.0
    ) -> None:
        """``size`` in inches and ``margins`` in points, shown ``scale`` times as large; no line is thinner than ``thinnest`` px."""
        self.scale, self.thin = scale, thinnest * 0.75 / scale
        self.wide, self.high = size[0] * 72, size[1] * 72
        left, bottom, right, top = margins
        self.bbox = SimpleNamespace(x0=left, y0=bottom, width=self.wide - left - right, height=self.high - bottom - top)
        self.x, self.y = (0.0, 1.0), (0.0, 1.0)
        self.spines = {side: Spine() for side in ("left", "bottom", "right", "top")}
        self.marks: list[tuple[float, int, str]] = []
        self.hatches: set[tuple[str, str]] = set()
        self.ticks: dict[str, dict[str, Any]] = {"x": {}, "y": {}}

    # what a figure asks of its Axes

    def get_figure(self, root: bool = False) -> Any:
        return SimpleNamespace(dpi=72, bbox=SimpleNamespace(width=self.wide, height=self.high))

    def set_xlim(self, low: float, high: float) -> None:
        self.x = (low, high)

    def set_ylim(self, low: float, high: float) -> None:
        self.y = (low, high)

    def get_xlim(self) -> tuple[float, float]:
        return self.x

    def get_ylim(self) -> tuple[float, float]:
        return self.y

    def set_facecolor(self, colour: str) -> None:
        """A slate has none."""

    def tick_params(self, axis: str, colors: str, length: float, pad: float) -> None:
        self.ticks[axis] |= {"colour": colors, "length": length, "pad": pad}

    def set_xticks(self, at: list[float], labels: list[str] | None = None, **style: Any) -> None:
        self.ticks["x"] |= {"at": list(zip(at, labels or [])), **style}

    def set_yticks(self, at: list[float], labels: list[str] | None = None, **style: Any) -> None:
        self.ticks["y"] |= {"at": list(zip(at, labels or [])), **style}

    def set_title(self, text: str, loc: str, y: float, pad: float, **style: Any) -> None:
        self._words(self.bbox.x0, self.high - self.bbox.y0 - self.bbox.height - pad, text, **style, ha="left", va="bottom")

    def set_xlabel(self, text: str, loc: str, labelpad: float, fontsize: float, **style: Any) -> None:
        y = self.high - self.bbox.y0 + 4 + 2 + 12 + labelpad + fontsize
        self._words(self.bbox.x0, y, text, **style, fontsize=fontsize, ha="left", va="bottom")

    def set_ylabel(self, text: str, loc: str, labelpad: float, fontsize: float, **style: Any) -> None:
        x, y = fontsize * 1.2, self.high - self.bbox.y0
        self._words(x, y, text, **style, fontsize=fontsize, ha="left", va="baseline", turn=True)

    def add_patch(self, patch: Any) -> None:
        (x, y), wide, high = patch.get_xy(), patch.get_width(), patch.get_height()
        (left, low), (right, top) = self._at(x, y), self._at(x + wide, y + high)
        box = f'x="{_n(min(left, right))}" y="{_n(min(low, top))}" width="{_n(abs(right - left))}" height="{_n(abs(top - low))}"'
        face, edge, dash = patch.get_facecolor(), to_hex(patch.get_edgecolor()), patch.get_linestyle()
        dashed = ' stroke-dasharray="1 1.6"' if dash in (":", "dotted") else ""
        stroke = f' stroke="{edge}" stroke-width="{self._line(patch.get_linewidth())}"{dashed}' if patch.get_linewidth() else ""
        opacity = f' fill-opacity="{_n(face[3])}"' if 0 < face[3] < 1 else ""
        fill = to_hex(face) if face[3] else "none"
        z = patch.get_zorder()
        self._mark(z, f'<rect {box} fill="{fill}"{opacity}{stroke} clip-path="url(#KEY-clip)"/>')
        if patch.get_hatch():
            self.hatches.add((edge, patch.get_hatch()[0]))
            self._mark(z, f'<rect {box} fill="url(#KEY-hatch{edge[1:]})"/>')

    def add_line(self, line: Any) -> None:
        """Marks of one kind."""
        size, fill, edge, wide = line.get_markersize(), line.get_markerfacecolor(), line.get_markeredgecolor(), line.get_markeredgewidth()
        shape = _marker(line.get_marker(), float(size))
        style = f'fill="{_colour(fill)}" stroke="{_colour(edge)}" stroke-width="{_n(wide)}"'
        for x, y in zip(line.get_xdata(), line.get_ydata()):
            px, py = self._at(x, y)
            self._mark(line.get_zorder(), f'<path transform="translate({_n(px)} {_n(py)})" d="{shape}" {style}/>')

    def add_collection(self, lines: Any, autolim: bool = False) -> None:
        colour, wide, dash = to_hex(lines.get_colors()[0]), float(lines.get_linewidths()[0]), lines.get_linestyles()[0][1]
        dashed = f' stroke-dasharray="{" ".join(map(_n, dash))}"' if dash is not None else ""
        ways = "".join(self._way(path) for path in lines.get_segments())
        style = f'fill="none" stroke="{colour}" stroke-width="{self._line(wide)}"{dashed}'
        self._mark(lines.get_zorder(), f'<path d="{ways}" {style} clip-path="url(#KEY-clip)"/>')

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        px, py = self._at(x, y)
        self._words(px, py, text, **style)

    def annotate(self, text: str, xy: tuple[float, float], xytext: tuple[float, float], arrowprops: dict[str, Any], **style: Any) -> None:
        """An arrow."""
        colour, wide, heads = to_hex(arrowprops["color"]), arrowprops["lw"], arrowprops["arrowstyle"].split(",")[0]
        (ax, ay), (bx, by) = self._at(*xytext), self._at(*xy)
        dash = ' stroke-dasharray="4 3"' if arrowprops.get("ls", "-") != "-" else ""
        line = f'<path d="M{_n(ax)} {_n(ay)}L{_n(bx)} {_n(by)}" stroke="{colour}" stroke-width="{self._line(wide)}"{dash}/>'
        tips = _tip(ax, ay, bx, by, colour) * heads.endswith("|>") + _tip(bx, by, ax, ay, colour) * heads.startswith("<|")
        self._mark(style.get("zorder", Z["text"]), line + tips)

    # how it becomes a picture

    def inline(self, key: str = "slate", label: str = "") -> str:
        """The picture as an SVG element in the page's own colours (light and dark); ``key`` keeps two on a page apart."""
        names = palette.variables()
        body = "".join(mark for _, _, mark in sorted([*self.marks, *self._frame()]))
        for colour, name in names.items():
            body = body.replace(f'"{colour}"', f'"{name}"')
        defs = f'<clipPath id="KEY-clip"><rect {self._box()}/></clipPath>' + "".join(_hatch(*one, names) for one in sorted(self.hatches))
        alt = html.escape(label or self.alt, quote=True)
        head = f'class="labkit-figure" role="img" aria-label="{alt}" viewBox="0 0 {_n(self.wide)} {_n(self.high)}"'
        most = "max-width:100%;height:auto" if self.scale == 1 else ""
        size = f'width="{_n(self.wide * self.scale)}pt" height="{_n(self.high * self.scale)}pt" style="{most}"'
        picture = f"<svg {head} {size}><title>{alt}</title><defs>{defs}</defs>{body}</svg>"
        return f"<style>{palette.dark_rules('.labkit-figure')}</style>{picture}".replace("KEY-", f"{key}-")

    def _frame(self) -> list[tuple[float, int, str]]:
        """The edges that are there, and the ticks."""
        kept, self.marks = self.marks, []
        left, low, box = self.bbox.x0, self.high - self.bbox.y0, self.bbox
        ends = {"left": (left, low, left, low - box.height), "bottom": (left, low, left + box.width, low)}
        for side, (a, b, c, d) in ends.items():
            if self.spines[side].visible:
                self._mark(
                    2.5,
                    f'<path d="M{_n(a)} {_n(b)}L{_n(c)} {_n(d)}" stroke="{self.spines[side].colour}" stroke-width="{self._line(0.8)}"/>',
                )
        self._x_ticks(**self.ticks["x"])
        self._y_ticks(**self.ticks["y"])
        frame, self.marks = self.marks, kept
        return frame

    def _x_ticks(self, at: Any = (), colour: str = "", length: float = 0, pad: float = 0, **style: Any) -> None:
        for t, text in at:
            x, y = self._at(t, 0)[0], self.high - self.bbox.y0
            self._mark(2.01, f'<path d="M{_n(x)} {_n(y)}v{_n(length)}" stroke="{colour}" stroke-width="{self._line(0.8)}"/>')
            self._words(x, y + length + pad + style["fontsize"] * 0.8, text, **style, color=colour, ha="center", va="baseline")

    def _y_ticks(self, at: Any = (), colour: str = "", length: float = 0, pad: float = 0, **style: Any) -> None:
        for t, text in at:
            x, y = self.bbox.x0, self._at(0, t)[1]
            self._mark(2.01, f'<path d="M{_n(x)} {_n(y)}h{_n(-length)}" stroke="{colour}" stroke-width="{self._line(0.8)}"/>')
            self._words(x - length - pad, y, text, **style, color=colour, ha="right", va="center")

    def _box(self) -> str:
        top = self.high - self.bbox.y0 - self.bbox.height
        return f'x="{_n(self.bbox.x0)}" y="{_n(top)}" width="{_n(self.bbox.width)}" height="{_n(self.bbox.height)}"'

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """Data coordinates in points from the upper left corner."""
        across, up = (x - self.x[0]) / (self.x[1] - self.x[0]), (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.bbox.x0 + across * self.bbox.width, self.high - self.bbox.y0 - up * self.bbox.height

    def _way(self, path: Any) -> str:
        return "M" + "L".join(f"{_n(px)} {_n(py)}" for px, py in (self._at(x, y) for x, y in path))

    def _line(self, wide: float) -> str:
        return _n(max(wide, self.thin))

    def _mark(self, z: float, element: str) -> None:
        self.marks.append((z, len(self.marks), element))

    def _words(self, x: float, y: float, text: str, **style: Any) -> None:
        """Text of one line or more, at points; on a card of its own if ``bbox`` asks for one."""
        given = {**style, **style.get("fontdict", {})}
        size = float(given.get("fontsize", given.get("size", 10)))
        bold = given.get("fontweight", given.get("weight", "normal")) == "bold"
        ha, va = given.get("ha", "left"), given.get("va", "baseline")
        colour = _colour(given.get("color", "#000000"))
        lines, step = text.split("\n"), size * LINE * given.get("linespacing", 1.0)
        first = y + {"center": size * 0.36 - step * (len(lines) - 1) / 2, "top": size * 0.85}.get(va, 0.0)
        first -= (step * (len(lines) - 1) + size * 0.2) if va == "bottom" else 0.0
        z = given.get("zorder", Z["text"])
        if card := given.get("bbox"):
            wide = max(width(line, size, bold) for line in lines) + 2 * card["pad"]
            high = size + 2 * card["pad"]
            box = f'x="{_n(x - wide / 2)}" y="{_n(y - high / 2)}" width="{_n(wide)}" height="{_n(high)}"'
            self._mark(z, f'<rect {box} fill="{_colour(card["facecolor"])}"/>')
        for number, line in enumerate(lines):
            long = f' textLength="{_n(width(line, size, bold))}" lengthAdjust="spacingAndGlyphs"' if len(line) > 1 else ""
            turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if given.get("turn") else ""
            font = f'font-family="{FONT}" font-size="{_n(size)}"{BOLD if bold else ""} text-anchor="{TURN[ha]}"{long}{turn}'
            place = f'x="{_n(x)}" y="{_n(first + number * step)}" fill="{colour}"'
            self._mark(z, f"<text {place} {font}>{html.escape(line)}</text>")


def _n(value: float) -> str:
    """A number, in hundredths of a point."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


@lru_cache(maxsize=256)
def _colour(colour: Any) -> str:
    return "none" if to_rgba(colour)[3] == 0 else to_hex(colour)


@lru_cache(maxsize=64)
def _marker(marker: Any, size: float) -> str:
    """The outline of a marker, as an SVG path around its point."""
    style = MarkerStyle(marker)
    path = style.get_path().transformed(style.get_transform() + Affine2D().scale(size, -size))
    words = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
    steps = path.iter_segments(simplify=False)
    return "".join(words[code] + ("" if code == Path.CLOSEPOLY else " ".join(_n(v) for v in points)) for points, code in steps)


def _hatch(edge: str, kind: str, names: dict[str, str]) -> str:
    """Hatching as in matplotlib's "////": thin lines that lean."""
    lines = '<path d="M-1 9L9 -1M3 13L13 3" stroke="@" stroke-width="1"/>'.replace("@", names.get(edge, edge))
    return f'<pattern id="KEY-hatch{edge[1:]}" width="8" height="8" patternUnits="userSpaceOnUse">{lines}</pattern>'


def _tip(ax: float, ay: float, bx: float, by: float, colour: str) -> str:
    """The head of an arrow at b that comes from a."""
    turn = math.degrees(math.atan2(by - ay, bx - ax))
    return f'<path transform="translate({_n(bx)} {_n(by)}) rotate({_n(turn)})" d="M0 0L-5.5 -2.4L-5.5 2.4Z" fill="{colour}"/>'
