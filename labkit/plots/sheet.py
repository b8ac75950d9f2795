"""The sheet that a timeline is drawn on: the heights of its lanes, and the few kinds of marks that all lanes share.

Heights are in units of which the Axes hold HEIGHT; at the usual size a unit is a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.markers import CARETLEFT, CARETRIGHT

from .palette import Theme
from .room import Room
from .tale import Tale

HEIGHT = 211.0
BAR = {"server": (136.0, 160.0), "client": (48.0, 72.0)}  # bottom and top
EDGE = {"server": 136.0, "client": 72.0}  # where a frame leaves or enters
WIRE, VERDICT = 104.0, 23.0
ARROWS, BANNER = 168.0, 203.0  # the dimensions, and the words over a cut
SIDE = {"server": 1.0, "client": -1.0}  # on which side of the wire an end is
HEAD = {"server": "v", "client": "^"}  # where what an end sends is going
DOTS: Any = (0, (1, 1.6))


@dataclass(frozen=True)
class Sheet:
    """One tale, the Axes it is drawn on, the room that is left there, and the colours."""

    tale: Tale
    ax: Axes
    room: Room
    theme: Theme

    def points(
        self,
        at: Sequence[tuple[float, float]],
        marker: Any,
        size: float,
        fill: str,
        edge: str,
        z: float,
        wide: float = 1.2,
    ) -> None:
        """Marks of one kind, at (s, height)."""
        if at:
            x, y = [x for x, _ in at], [y for _, y in at]
            line = Line2D(
                x,
                y,
                ls="none",
                marker=marker,
                ms=size,
                mfc=fill,
                mec=edge,
                mew=wide,
                zorder=z,
                clip_on=False,
            )
            self.ax.add_line(line)

    def lines(
        self,
        paths: Sequence[Sequence[tuple[float, float]]],
        colour: str,
        wide: float,
        z: float,
        style: Any = "solid",
    ) -> None:
        """Lines of one kind, each through points (s, height)."""
        if paths:
            segments: Any = paths
            lines = LineCollection(
                segments, colors=colour, linewidths=wide, linestyles=[style], zorder=z
            )
            self.ax.add_collection(lines, autolim=False)

    def arrows(self, rows: Sequence[tuple[float, float]], y: float, colour: str) -> None:
        """Arrows with a head at both ends, each from ``a`` to ``b`` (s); lines and carets, far quicker than annotations."""
        self.lines([[(a, y), (b, y)] for a, b in rows], colour, 1.1, 5)
        self.points([(a, y) for a, _ in rows], CARETLEFT, 4.5, colour, colour, 5, 0.0)
        self.points([(b, y) for _, b in rows], CARETRIGHT, 4.5, colour, colour, 5, 0.0)
