"""What is around a picture: its title, an axis with nothing on it, a line of small print. It knows no WebSocket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes

from .palette import Theme
from .picture import Picture
from .room import FAMILY, extent, wrap

HINTED = 0.95  # of the room that is there: letters on whole pixels are wider than they measure, at 90 dpi by 4 %


def title(ax: Axes, theme: Theme, text: str, wide: float, pad: float = 5) -> None:
    """The finding, above, in at most ``wide`` points; smaller and then in a few lines of one length if it is long."""
    size = next(
        (size for size in (12.0, 11.0, 10.0) if extent(text, size, True)[0] <= wide * HINTED), 10.0
    )
    style: dict[str, Any] = {
        "fontsize": size,
        "fontweight": "bold",
        "color": theme.ink,
        "family": FAMILY,
        "linespacing": 1.1,
    }
    ax.set_title(_even(text, size, wide), loc="left", y=1.0, pad=pad, **style)


def headline(ax: Axes, theme: Theme, text: str, wide: float) -> None:
    """The finding, above, in at most ``wide`` points; smaller and then in lines of one length if it is long."""
    size, text = _set(text, wide)
    style: dict[str, Any] = {
        "fontsize": size,
        "fontweight": "bold",
        "color": theme.ink,
        "family": FAMILY,
        "linespacing": 1.1,
    }
    ax.set_title(text, loc="left", y=1.0, pad=6, **style)


def headroom(text: str, wide: float) -> float:
    """How much room (points) :func:`headline` takes above a picture."""
    size, text = _set(text, wide)
    return extent(text, size, True)[1] + 14


def _set(text: str, wide: float) -> tuple[float, str]:
    """The size of a title, and its lines: a clause on each, if these are few and fit."""
    most = wide * HINTED
    size = next((size for size in (12.0, 11.0) if extent(text, size, True)[0] <= most), 11.0)
    clauses = text.replace("; ", ";\n")
    if (
        size == 11.0
        and extent(text, size, True)[0] > most
        and clauses.count("\n") < 3
        and extent(clauses, size, True)[0] <= most
    ):
        return size, clauses
    return size, _even(text, size, wide)


def _even(text: str, size: float, wide: float) -> str:
    """In as few lines as there have to be, and these about as long as each other."""
    lines = [
        wrap(text, size, part * wide * HINTED, True)
        for part in (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
    ]
    return [one for one in lines if one.count("\n") == lines[0].count("\n")][-1]


def bare(ax: Axes, theme: Theme, sides: Iterable[str] = ()) -> None:
    """No ticks, and no lines but on these sides."""
    ax.set_xticks([])
    ax.set_yticks([])
    lines(ax, theme, sides)


def lines(ax: Axes, theme: Theme, sides: Iterable[str] = ("bottom",)) -> None:
    """Lines on these sides only; and if the picture is ours, no paper of its own."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in sides)
        spine.set_color(theme.ink)
    if isinstance(ax, Picture):
        ax.set_facecolor("none")
