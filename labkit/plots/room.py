"""Where words still fit: labels on an Axes that never overlap each other or a mark. It measures text; it knows no WebSocket.

Everything is counted in points from the Axes' lower left corner. A label has several places to try and several
wordings, the longest first; if nothing fits it is left out, since a word on top of a word helps nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

Box = tuple[float, float, float, float]  # left, bottom, right, top; points
Place = tuple[
    float, float, str, str
]  # dx, dy (points) from the mark, and how the text is aligned there

FAMILY = "DejaVu Sans"  # comes with matplotlib, so that widths are known
LINE = 1.25  # of the font size, from one line to the next


@lru_cache(maxsize=4096)
def width(text: str, size: float, bold: bool = False) -> float:
    """The width of one line of text (points)."""
    font = FontProperties(family=FAMILY, size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def extent(text: str, size: float, bold: bool = False) -> tuple[float, float]:
    """The width and height of a text of one or more lines (points)."""
    lines = text.split("\n")
    return max(width(line, size, bold) for line in lines), size * (1.0 + LINE * (len(lines) - 1))


def wrap(text: str, size: float, most: float, bold: bool = False) -> str:
    """The text in lines of at most ``most`` points, broken between words, but not between a number and its unit."""
    lines = [""]
    for word in re.split(r"(?<!\d)\s+|(?<=\d)\s+(?!(?:m?s|min|[kKM]?i?B|bytes)\b)", text.strip()):
        longer = f"{lines[-1]} {word}".strip()
        lines[-1:] = (
            [longer] if not lines[-1] or width(longer, size, bold) <= most else [lines[-1], word]
        )
    return "\n".join(lines)


class Room:
    """The space of one Axes: what is taken, and labels put where nothing is."""

    def __init__(self, ax: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
        figure = ax.get_figure(root=True)
        assert figure is not None
        inch = 72 / figure.dpi
        self.ax, self.x0, self.y0 = ax, x[0], y[0]
        self.dx = ax.bbox.width * inch / (x[1] - x[0])  # points a second
        self.dy = ax.bbox.height * inch / (y[1] - y[0])
        self.left = -ax.bbox.x0 * inch + 4
        self.right = (figure.bbox.width - ax.bbox.x0) * inch - 4
        self.top = ax.bbox.height * inch
        self.taken: list[Box] = []

    def take(self, x: float, y: float, half_width: float, half_height: float) -> None:
        """Keep words away from a mark at data (x, y), with its half sizes in points."""
        px, py = self.point(x, y)
        self.taken.append((px - half_width, py - half_height, px + half_width, py + half_height))

    def take_span(self, a: float, b: float, y: float, half_height: float) -> None:
        """Keep words away from what lies between ``a`` and ``b`` (data) at height ``y``."""
        (left, py), (right, _) = self.point(min(a, b), y), self.point(max(a, b), y)
        self.taken.append((left, py - half_height, right, py + half_height))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Data coordinates in points."""
        return (x - self.x0) * self.dx, (y - self.y0) * self.dy

    def is_free(self, box: Box) -> bool:
        left, bottom, right, top = box
        if left < self.left or right > self.right or bottom < 0 or top > self.top:
            return False
        return not any(
            left < r and a < right and bottom < t and b < top for a, b, r, t in self.taken
        )

    def fits(
        self, text: str, x: float, y: float, place: Place, size: float = 8.5, pad: float = 1.5
    ) -> bool:
        """Whether a text could be put there."""
        return self.is_free(self._box(text, x, y, place, size, pad, False)[0])

    def _box(
        self, text: str, x: float, y: float, place: Place, size: float, pad: float, bold: bool
    ) -> tuple[Box, float]:
        """The box of a text with its margin, and the x (points) of the point it is aligned to."""
        (px, py), (dx, dy, ha, va) = self.point(x, y), place
        wide, high = extent(text, size, bold)
        left = px + dx - {"left": 0.0, "center": wide / 2, "right": wide}[ha]
        bottom = py + dy - {"bottom": 0.0, "center": high / 2, "top": high}[va]
        return (left - pad, bottom - pad / 2, left + wide + pad, bottom + high + pad / 2), px + dx

    def put(
        self,
        texts: str | Iterable[str],
        x: float,
        y: float,
        places: Iterable[Place],
        size: float = 8.5,
        *,
        pad: float = 1.5,
        **style: Any,
    ) -> bool:
        """Write the first wording that fits at the first place where it does; False if none does."""
        for text in [texts] if isinstance(texts, str) else texts:
            for place in places:
                box, anchor = self._box(text, x, y, place, size, pad, style.get("weight") == "bold")
                if self.is_free(box):
                    self.taken.append(box)
                    self._write(text, anchor, (box[1] + box[3]) / 2, size, place[2], style)
                    return True
        return False

    def _write(
        self, text: str, px: float, py: float, size: float, ha: str, style: dict[str, Any]
    ) -> None:
        """Write at a point; the vertical centre is ours, so that one line and two sit where their box is."""
        x, y = self.x0 + px / self.dx, self.y0 + py / self.dy
        self.ax.text(
            x,
            y,
            text,
            fontsize=size,
            family=FAMILY,
            ha=ha,
            va="center",
            linespacing=LINE * 0.93,
            clip_on=False,
            **style,
        )

    def gaps(self, x: float, low: float, high: float) -> list[tuple[float, float]]:
        """The stretches of a vertical line at ``x`` from ``low`` to ``high`` (data) that no word covers."""
        px = self.point(x, 0)[0]
        covers = sorted(
            (b / self.dy + self.y0, t / self.dy + self.y0)
            for a, b, r, t in self.taken
            if a < px < r
        )
        free, start = [], low
        for bottom, top in covers:
            if start < bottom < high:
                free.append((start, bottom))
            start = max(start, min(top, high))
        return free + ([(start, high)] if start < high else [])
