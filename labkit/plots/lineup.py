"""The line-up: one experiment, many vintages, a lane each on one time axis. It draws; it runs nothing.

    14.1  OPEN ━━━┃ believes OPEN │ in CLOSING for 57 s, until healed ▨//▨┆ CLOSED
    14.2  OPEN ━━━┃ believes OPEN │ CLOSING │ CLOSED                    //┆
    9.1   ┄┄┄┄┄┄┄ no keepalive in threading before 15 ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄

How a lane ended is decided in lineup_lanes.py and said in lineup_words.py; the fills are the timeline's. Where for long
nothing happens, the axis is broken (squeeze.py), and says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from ..trace import Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS
from . import palette, picture
from .frame import bare, headline, headroom
from .lanes import fill, inside, leaving, outside
from .lineup_lanes import Lane, axis, happenings, lanes
from .lineup_words import alt_text, axis_words, finding, hung_words, names
from .palette import BAND
from .room import FAMILY, Place, Room, extent, width, wrap
from .sheet import Sheet
from .squeeze import Squeeze
from .states import Span
from .tale import Tale
from .words import band_words, listed

WIDE = 9.6  # inches
HEAD, PITCH, BAR = (
    24.0,
    47.0,
    22.0,
)  # points: the row of the cut's words above all lanes, from lane to lane, a bar
BELOW, RIGHT = 36.0, 26.0  # points under and beside the lanes


def lineup(
    traces: Iterable[Any],
    *,
    end: str = "server",
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw traces of one experiment, each run on another vintage, one under the other, and return the Axes.

    A trace is named by its ``header["vintage"]``, or else by its versions. What is not a trace but says ``why`` (a hole) is an empty
    lane with these words. ``end`` is whose states are drawn, "server" or "client"; the other arguments are timeline's.
    """
    if end not in ENDS:
        raise ValueError(f"an end is 'server' or 'client', seen {end!r}")
    rows, colours = lanes(traces, end), palette.theme(theme)
    title, high = finding(rows), HEAD + PITCH * len(rows)
    if ax is None:
        left = 14 + max(
            width(text, points, bold) for lane in rows for text, points, bold in names(lane, rows)
        )
        top = headroom(title, (size[0] if size else WIDE) * 72 - left - 4)
        ax = picture.new(
            size or (WIDE, (top + high + BELOW) / 72), colours, (left, BELOW, RIGHT, top)
        )
    Drawing(ax, colours, rows, axis(rows), high).draw(title)
    ax.alt = alt_text(rows, end)  # type: ignore[attr-defined]
    return ax


class Drawing:
    """The drawing of one line-up; heights are in points, the first lane is at the top."""

    def __init__(
        self, ax: Axes, theme: palette.Theme, rows: list[Lane], scale: Squeeze, high: float
    ) -> None:
        self.ax, self.theme, self.rows, self.scale, self.high = ax, theme, rows, scale, high
        self.wide = scale.knots[-1][1]
        ax.set_xlim(0, self.wide)
        ax.set_ylim(0, high)
        self.room = Room(ax, (0, self.wide), (0, high))
        longest = max(
            (lane.tale for lane in rows if lane.tale), key=lambda tale: tale.stop, default=None
        )
        self.tale = longest or Tale(
            Trace(Experiment(), [])
        )  # the one that has seen the heal, if any has
        self.sheet = Sheet(self.tale, ax, self.room, theme)
        self.breaks = [
            scale.place(b) - 13 / self.room.dx for _, b in scale.breaks
        ]  # near the end, so that words have room before

    def draw(self, title: str) -> None:
        """Marks first, then words where there is room."""
        bare(self.ax, self.theme, ["bottom"])
        self.cuts()
        for k, lane in enumerate(self.rows):
            low = self.high - HEAD - PITCH * k - BAR
            self.name(lane, low + BAR / 2)
            self.hole(lane, low) if lane.tale is None else self.lane(lane, low)
        self.axis()
        headline(self.ax, self.theme, title, self.room.right)

    def cuts(self) -> None:
        """Each cut as a band across all lanes, a strong line where it begins, a dashed one where it is healed."""
        beside: list[Place] = [(5, 0, "left", "center"), (-5, 0, "right", "center")]
        y, ink = self.high - 7, self.theme.ink
        for cut in self.tale.cuts:
            x, healed = (
                self.scale.place(cut.start),
                cut.heal is not None and cut.heal <= self.tale.stop + 1e-6,
            )
            stop = self.scale.place(cut.heal) if cut.heal is not None and healed else self.wide
            self.ax.add_patch(
                Rectangle(
                    (x, 0), stop - x, self.high, fc=self.theme.band, alpha=BAND, lw=0, zorder=0
                )
            )
            self.sheet.lines([[(x, 0), (x, self.high)]], ink, 2.4, 4)
            if healed:
                self.sheet.lines([[(stop, 0), (stop, self.high)]], ink, 1.6, 4, (0, (4, 3)))
                self.room.take(stop, self.high / 2, 1.5, self.high / 2 * self.room.dy)
                self.room.put(
                    [f"healed at {self.tale.neat(cut.heal or 0.0)} s", "healed"],
                    stop,
                    y,
                    beside,
                    9.5,
                    color=ink,
                )
            self.room.take(x, self.high / 2, 1.5, self.high / 2 * self.room.dy)
            self.room.put(band_words(self.tale, cut), x, y, beside, 9.5, color=ink)

    def name(self, lane: Lane, y: float) -> None:
        """Whose lane it is, at its left."""
        lines = names(lane, self.rows)
        for k, (text, points, bold) in enumerate(lines):
            up = (6.5 * (len(lines) - 1) - 13 * k) / self.room.dy
            style: dict[str, Any] = {
                "fontsize": points,
                "weight": "bold" if bold else "normal",
                "color": self.theme.ink,
            }
            self.ax.text(
                -8 / self.room.dx, y + up, text, ha="right", va="center", family=FAMILY, **style
            )

    def lane(self, lane: Lane, low: float) -> None:
        """The states of one vintage, in words too; and its moments below."""
        row, high = self.bars(lane), low + BAR
        for span in row:
            fill(self.sheet, span, low, high)
        self.slits([x for x in self.breaks if x < row[-1].stop], low, high)
        self.room.take_span(0, row[-1].stop, (low + high) / 2, BAR / 2 * self.room.dy)
        if row[-1].state in ("OPEN", "CLOSING"):
            leaving(self.sheet, row[-1], (low + high) / 2)
        self.moments(lane, low)
        for span, when in zip(row, lane.spans):
            held = lane.hung is not None and when.begin <= lane.hung[0] + 1e-6 < when.stop
            self.say(span, low, high, hung_words(lane) if held else [])

    def bars(self, lane: Lane) -> list[Span]:
        """The states of a lane, in places on the axis; CLOSED lasts."""
        spans, place = lane.spans, self.scale.place
        spans[-1] = replace(spans[-1], stop=math.inf if spans[-1].state == "CLOSED" else lane.stop)
        found = [
            replace(span, begin=place(span.begin), stop=min(place(span.stop), self.wide))
            for span in spans
        ]
        return [span for span in found if span.begin < self.wide]

    def say(self, span: Span, low: float, high: float, texts: list[str]) -> None:
        """A state's name in its bar, on the longer side of a break; beside it if there is no room."""
        edges, point = (
            [span.begin, *(x for x in self.breaks if span.begin < x < span.stop), span.stop],
            1 / self.room.dx,
        )
        a, b = max(zip(edges, edges[1:]), key=lambda piece: piece[1] - piece[0])
        piece = replace(
            span,
            begin=a + (6 if a > span.begin else 2) * point,
            stop=b - (6 if b < span.stop else 2) * point,
        )
        if not inside(self.sheet, piece, low, high, texts):
            outside(self.sheet, span, low, high)
        elif texts and extent(texts[0], 9)[0] > (piece.stop - piece.begin) * self.room.dx:
            self.room.put(
                texts[:1],
                span.begin,
                low - 8.5,
                [(7, 0, "left", "center")],
                9,
                color=self.theme.ink,
            )

    def slits(self, places: list[float], low: float, high: float) -> None:
        """A slanted slit wherever the axis is broken."""
        half, slant = 2.2 / self.room.dx, 2.5 / self.room.dx
        for x in places:
            left, right = (
                [(x + side - slant, low - 2), (x + side + slant, high + 2)]
                for side in (-half, half)
            )
            self.ax.add_patch(
                Polygon([*left, *right[::-1]], fc=self.theme.paper, lw=0, zorder=2.6, clip_on=False)
            )
            for line in (left, right):
                self.ax.plot(*zip(*line), color=self.theme.ink, lw=1.0, zorder=2.7, clip_on=False)

    def hole(self, lane: Lane, low: float) -> None:
        """An empty, dashed lane with the reason."""
        style: dict[str, Any] = {
            "fc": self.theme.paper,
            "ec": self.theme.faint,
            "lw": 1.1,
            "ls": (0, (4, 3)),
        }
        self.ax.add_patch(Rectangle((0, low), self.wide, BAR, zorder=4.1, **style))
        words: dict[str, Any] = {"color": self.theme.faint, "style": "italic"}
        text = wrap(f"not run: {lane.why}", 8.5, self.wide * self.room.dx - 16)
        words["fontsize"] = 8.5 if "\n" in text else 9.5
        self.ax.text(
            8 / self.room.dx,
            low + BAR / 2,
            text,
            linespacing=1.0,
            family=FAMILY,
            va="center",
            zorder=4.2,
            **words,
        )

    def moments(self, lane: Lane, low: float) -> None:
        """● when it noticed, closed and told its application, under the bar; those that coincide together."""
        y, ink, groups = low - 8.5, self.theme.ink, lane.moments
        for t, _ in groups:
            self.sheet.points([(self.scale.place(t), y)], "o", 5.5, ink, self.theme.paper, 6, 0.8)
            self.room.take(self.scale.place(t), y, 4, 4)
        for t, words in groups:
            texts = [f"{listed(words)} {(lane.tale or self.tale).seconds(t)}", listed(words)]
            places: list[Place] = [(7, 0, "left", "center"), (-7, 0, "right", "center")]
            any(
                self.room.put(texts, self.scale.place(t), y, places, size, pad=3, color=ink)
                for size in (9, 8)
            )

    def axis(self) -> None:
        """Ticks where something happens, as many as have room; what is broken; what was run."""
        placed: list[tuple[float, float, str]] = []
        for t, _ in sorted(
            {(0.0, 1), *(row for lane in self.rows for row in happenings(lane))},
            key=lambda row: row[::-1],
        ):
            text, x = self.tale.neat(t), self.scale.place(t) * self.room.dx
            if all(abs(x - other) > width(text, 10) / 2 + reach + 3 for other, reach, _ in placed):
                placed.append((x, width(text, 10) / 2 + 3, text))
        placed.sort()
        self.ax.set_xticks(
            [x / self.room.dx for x, _, _ in placed],
            [text for _, _, text in placed],
            fontsize=10,
            family=FAMILY,
        )
        self.ax.tick_params(axis="x", colors=self.theme.ink, length=4, pad=2)
        self.slits(self.breaks, -2, 2)
        label = next(
            text
            for text in axis_words(self.tale, self.scale)
            if extent(text, 9.5)[0] < self.room.right or len(text) < 30
        )
        self.ax.set_xlabel(
            label, loc="left", fontsize=9.5, color=self.theme.ink, family=FAMILY, labelpad=2
        )
        wires = sorted(
            {
                str(lane.tale.header["wire"])
                for lane in self.rows
                if lane.tale and "wire" in lane.tale.header
            }
        )
        text = " · ".join(["● observed", *[f"{listed(wires)} wire"] * bool(wires)])
        if extent(text + label, 9.5)[0] < self.room.right:
            style: dict[str, Any] = {"fontsize": 8.5, "color": self.theme.faint, "family": FAMILY}
            self.ax.text(
                self.wide + 18 / self.room.dx,
                -22 / self.room.dy,
                text,
                ha="right",
                va="center",
                **style,
            )
