"""The distribution of one column of a sweep: a histogram and a rug, beside what theory allows and a guess. It runs nothing.

theory: from ping_timeout 3 s to ping_interval + ping_timeout 7 s      ▒▒▒▒ band
▂▅▇▇▆▅▃    bars: how many runs
╵╵╵╵╵╵╵    rug: every run
● min, mean, max   ★ guess of each
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from . import frame, palette, picture
from .distribution_words import (
    LABELS,
    VERBS,
    Three,
    alt_text,
    band_words,
    facts,
    finding,
    histogram,
    marks_words,
    three,
)
from .room import FAMILY, Place, Room
from .tale import nice

SIZE = (7.2, 4.2)  # inches
MARGINS = (48.0, 44.0, 14.0, 30.0)  # points at the left, bottom, right, top
WORDS, BAND, BARS, BASE = (
    0.95,
    0.90,
    0.86,
    0.40,
)  # heights on an Axes from 0 to 1: what theory allows, and where the bars stand
RUG, FACTS, GUESSES = 0.35, 0.26, 0.11


def distribution(
    sweep: Any,
    column: str = "delay",
    *,
    band: tuple[float, float] | None = None,
    guess: Any = None,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw how the values of a sweep's ``column`` are distributed, and return the Axes; None is counted as "never".

    ``band`` is what theory allows, (low, high) in the column's unit. ``guess`` has a min, a mean and a max: a dict, three numbers,
    or a value with those attributes; what is None, ``...`` or missing draws nothing.
    """
    values = _values(sweep, column)
    colours = palette.theme(theme)
    said, allowed = three(guess), _band(band)
    ax = ax if ax is not None else picture.new(size or SIZE, colours, MARGINS)
    low, high = _reach(values, said, allowed)
    ax.set_xlim(low, high)
    ax.set_ylim(0, 1)
    chart = Chart(ax, colours, column, values, Room(ax, (low, high), (0, 1)))
    chart.draw(
        allowed, said, band_words(getattr(sweep, "attrs", {}).get("experiment"), column, allowed)
    )
    ax.alt = alt_text(column, values, allowed, said)  # type: ignore[attr-defined]
    return ax


def _values(sweep: Any, column: str) -> list[float | None]:
    try:
        rows = [
            None if type(value).__name__ == "NAType" else value for value in sweep[column]
        ]  # of pandas' whole numbers
    except (TypeError, AttributeError):
        raise TypeError(f"distribution() takes what sweep(…) gives, seen {sweep!r}") from None
    except KeyError:
        raise KeyError(
            f"this sweep has no column {column!r}; it has {', '.join(map(str, getattr(sweep, 'columns', ())))}"
        ) from None
    wrong = next(
        (value for value in rows if value is not None and not isinstance(value, Real)), None
    )
    if wrong is not None:
        raise TypeError(
            f"the column {column!r} holds {wrong!r}: expected numbers, or None for never"
        )
    return [None if value is None or not math.isfinite(value) else float(value) for value in rows]


def _band(band: Any) -> tuple[float, float] | None:
    if band is None:
        return None
    low, high = (float(x) for x in band)
    if not low <= high:
        raise ValueError(f"a band goes from low to high, seen {band!r}")
    return low, high


def _reach(
    values: list[float | None], guess: Three, band: tuple[float, float] | None
) -> tuple[float, float]:
    """The axis: all values and the band, and a guess if it is not absurdly far away."""
    points = [v for v in values if v is not None] + list(band or ())
    low, high = (min(points), max(points)) if points else (0.0, 1.0)
    room = max(high - low, 0.1 * abs(high), 1e-3)
    near = [g for g in guess if g is not None and low - 1.5 * room <= g <= high + 1.5 * room]
    low, high = min([low, *near]), max([high, *near])
    pad = 0.09 * max(high - low, room)
    return low - pad, high + pad


class Chart:
    """The drawing of one distribution."""

    def __init__(
        self, ax: Axes, theme: palette.Theme, column: str, values: list[float | None], room: Room
    ) -> None:
        self.ax, self.theme, self.column, self.all, self.room = ax, theme, column, values, room
        self.values = [value for value in values if value is not None]

    def draw(self, band: tuple[float, float] | None, guess: Three, words: list[str]) -> None:
        """Marks first, then words where there is room."""
        self.band(band, words)
        self.bars()
        self.lines(
            [(value, RUG - 0.02, RUG + 0.02) for value in sorted(set(self.values))],
            self.theme.ink,
            0.6,
        )
        found = facts(self.all)
        if found:
            self.lines([(found[1], FACTS, BARS + 0.02)], self.theme.ink, 1.2, (0, (1, 1.6)))
            self.room.take(found[1], (FACTS + BARS) / 2, 1, (BARS - FACTS) / 2 * self.room.dy)
            self.row("found", found, FACTS, "o", 6, self.theme.ink)
        if any(x is not None for x in guess):
            self.row("guess", guess, GUESSES, "*", 13, self.theme.guess)
        self.never()
        self.axis()

    def lines(
        self, rows: list[tuple[float, float, float]], colour: str, wide: float, style: Any = "solid"
    ) -> None:
        """Upright lines, each at x from one height to another."""
        segments: Any = [[(x, low), (x, high)] for x, low, high in rows]
        self.ax.add_collection(
            LineCollection(segments, colors=colour, linewidths=wide, linestyles=[style], zorder=4),
            autolim=False,
        )

    def band(self, band: tuple[float, float] | None, words: list[str]) -> None:
        """What theory allows, shaded, with its edges, its words above."""
        if band is None:
            return
        (low, high), theme = band, self.theme
        self.ax.add_patch(
            Rectangle(
                (low, BASE), high - low, BAND - BASE, fc=theme.theory, alpha=0.13, lw=0, zorder=0
            )
        )
        self.lines([(x, BASE, BAND) for x in band], theme.theory, 1.4, (0, (4, 2)))
        for x in band:
            self.room.take(x, (BASE + BAND) / 2, 1.5, (BAND - BASE) / 2 * self.room.dy)
        places: list[Place] = [(0, 0, "center", "center")]
        left, right = self.ax.get_xlim()
        any(
            self.room.put(words, x, WORDS, places, 8.5, color=theme.theory)
            for x in ((low + high) / 2, (left + right) / 2)
        )

    def bars(self) -> None:
        """The histogram, of bars a round number wide; the axis at the left counts the runs."""
        counts, wide, start = histogram(self.values)
        most = max(counts, default=0)
        scale = (BARS - BASE) / most if most else 0.0
        for k, count in enumerate(counts):
            if count:
                box = (start + k * wide, BASE), wide, count * scale
                self.ax.add_patch(
                    Rectangle(*box, fc=self.theme.belief, ec=self.theme.open, lw=1.1, zorder=2)
                )
                half = count * scale / 2
                self.room.take_span(
                    start + k * wide, start + (k + 1) * wide, BASE + half, half * self.room.dy
                )
        step = max(1, round(nice(most / 3))) if most else 1
        ticks = [k * step for k in range(most // step + 1)] if most else []
        self.ax.set_yticks(
            [BASE + tick * scale for tick in ticks],
            [f"{tick:,}" for tick in ticks],
            fontsize=9,
            family=FAMILY,
        )

    def row(self, name: str, values: Three, y: float, marker: str, size: float, ink: str) -> None:
        """Min, mean and max as marks, each with its words below; what is off the axis says so."""
        low, high = self.ax.get_xlim()
        shown = [(min(max(x, low), high), x) for x in values if x is not None]
        for x, _ in shown:
            self.ax.plot(
                [x],
                [y],
                marker=marker,
                ms=size,
                mfc=ink,
                mec=self.theme.paper,
                mew=0.7,
                zorder=7,
                clip_on=False,
            )
            self.room.take(x, y, 6, 5)
        self.room.put(name, low, y, [(-6, 0, "right", "center")], 9, color=ink)
        places: list[Place] = [
            (0, -8, "center", "top"),
            (9, 0, "left", "center"),
            (-9, 0, "right", "center"),
        ]
        places += [
            (0, dy, ha, va) for ha in ("left", "right") for dy, va in ((-8, "top"), (7, "bottom"))
        ]
        for x, text in marks_words(values, self.column, 5 / self.room.dx):
            texts = [text] if low <= x <= high else [f"{text}, off the axis", text]
            any(
                self.room.put(texts, min(max(x, low), high), y, places, size, color=ink)
                for size in (8.5, 7.5)
            )

    def never(self) -> None:
        """How many have no value, in words."""
        count, (low, high) = len(self.all) - len(self.values), self.ax.get_xlim()
        if count:
            texts = [f"{count:,} of {len(self.all):,} never", f"{count:,} never"]
            style: dict[str, Any] = {"color": self.theme.stuck_words, "weight": "bold"}
            middle: list[Place] = [(0, 0, "center", "center")]
            across = [low + part * (high - low) for part in (0.5, 0.9, 0.1, 0.75, 0.25)]
            places = (
                (x, y, size) for size in (9.5, 8) for y in (0.65, 0.82, WORDS, 0.48) for x in across
            )
            any(self.room.put(texts, x, y, middle, size, **style) for x, y, size in places)

    def axis(self) -> None:
        """A value axis with round numbers, what the bars count, and the title."""
        ax, theme, (low, high) = self.ax, self.theme, self.ax.get_xlim()
        step = nice((high - low) / 6)
        ticks = [
            k * step
            for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        ]
        ax.set_xticks(ticks, [f"{round(tick, 9):g}" for tick in ticks], fontsize=10, family=FAMILY)
        ax.tick_params(colors=theme.ink, length=4, pad=2)
        frame.lines(ax, theme)
        name = self.column.replace("_", " ")
        label = LABELS.get(
            self.column,
            f"{name}, seconds since the server was OPEN" if self.column in VERBS else name,
        )
        ax.set_xlabel(label, loc="left", fontsize=9.5, color=theme.ink, family=FAMILY, labelpad=2)
        ax.set_ylabel("runs", loc="top", fontsize=9.5, color=theme.ink, family=FAMILY, labelpad=2)
        frame.title(ax, theme, finding(self.column, self.all), self.room.right, pad=4)
