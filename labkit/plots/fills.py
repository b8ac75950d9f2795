"""How the places on the way of a message are filled, in the containers and over time: a colour and a hatching each."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from .palette import Theme


def fill(ax: Axes, theme: Theme, place: str, x: float, y: float, wide: float, high: float) -> None:
    """The fill of a place: amber and hatched, vermilion, pale, green; as in the panel below."""
    face, edge, hatch = style(theme, place)
    ax.add_patch(Rectangle((x, y), wide, high, fc=face, ec=edge, hatch=hatch, lw=0, zorder=2))


def style(theme: Theme, place: str) -> tuple[str, str, str]:
    """Face, colour of the hatching, hatching."""
    return {
        "buffer": (theme.closing, theme.paper, "////"),
        "wire": (theme.stuck, theme.paper, ".."),
        "queue": (theme.belief, theme.open, "\\\\\\\\"),
        "received": (theme.open, theme.open, ""),
    }[place]
