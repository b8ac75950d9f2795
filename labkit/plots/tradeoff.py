"""The trade-off curve of one parameter: delay against traffic, false alarms beside it, and the knee marked.

delay │ ● 60 s
      │   ● 30 s
      │      ◎ 12 s  the knee: beyond it, more traffic buys little
      │            ●  6 s           ● 3 s, ✕ 20 % false alarms
      └──────────────────────────────── traffic

It takes what sweep(…) gives (a cut in every run), and runs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from . import frame, palette, picture
from .room import FAMILY, Place, Room
from .tale import nice

SIZE = (7.2, 4.2)  # inches
MARGINS = (52.0, 44.0, 18.0, 30.0)  # points at the left, bottom, right, top


@dataclass(frozen=True)
class Setting:
    """One value of the parameter, and what it costs."""

    value: float
    traffic: float  # bytes a minute
    delay: float  # s from the cut until the program is told, at worst
    alarms: float  # the share of runs with a false alarm


def tradeoff(
    sweep: Any,
    parameter: str,
    *,
    yours: float | None = None,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw what each value of a ``parameter`` of a sweep costs, and return the Axes: traffic, delay until told, false alarms.

    The knee is the point farthest below the straight line from the first to the last, both axes scaled to the values that were tried: a
    suggestion, which moves when others are tried. ``yours`` is your own value.
    """
    settings = settings_of(sweep, parameter)
    colours = palette.theme(theme)
    ax = ax if ax is not None else picture.new(size or SIZE, colours, MARGINS)
    Chart(ax, colours, settings).draw(knee(settings), None if yours is ... else yours, parameter)
    ax.alt = alt_text(settings, parameter)  # type: ignore[attr-defined]
    return ax


def settings_of(sweep: Any, parameter: str) -> list[Setting]:
    """What each value of the parameter costs, in order; a value at which nobody was ever told is left out."""
    for name in (parameter, "told", "bytes", "false_alarm", "cut.at"):
        if name not in getattr(sweep, "columns", ()):
            raise KeyError(
                f"tradeoff() takes what sweep(…) over {parameter!r} and 'cut.at' gives; seen no column {name!r}"
            )
    found = []
    for value, rows in sweep.groupby(parameter):
        told = rows[~rows["false_alarm"].astype(bool)]
        delay = (told["told"] - told["cut.at"]).max()
        traffic = (
            60
            * float(rows["bytes"].sum())
            / float(rows["told"].fillna(rows["cut.at"]).sum() or math.nan)
        )
        if not math.isnan(delay) and not math.isnan(traffic):
            found.append(
                Setting(float(value), traffic, float(delay), float(rows["false_alarm"].mean()))
            )
    if not found:
        raise ValueError(
            "a trade-off needs cuts that somebody was told of: seen none in this sweep"
        )
    return found


def knee(settings: list[Setting]) -> Setting | None:
    """The setting farthest below the line from end to end, both axes scaled; None where the curve does not bend."""
    if len(settings) < 3:
        return None
    ordered = sorted(settings, key=lambda one: one.traffic)
    (x0, y0), (x1, y1) = ((one.traffic, one.delay) for one in (ordered[0], ordered[-1]))
    if x1 <= x0 or y0 <= y1:
        return None
    below = {
        one.value: 1 - (one.traffic - x0) / (x1 - x0) - (one.delay - y1) / (y0 - y1)
        for one in ordered
    }
    best = max(ordered, key=lambda one: below[one.value])
    return best if below[best.value] > 0.05 else None


def name_of(parameter: str) -> str:
    """ "server.ping_interval" is "ping_interval"."""
    return parameter.rpartition(".")[2]


def finding(settings: list[Setting], parameter: str) -> str:
    """The title: the knee, and what it costs."""
    if (best := knee(settings)) is None:
        return f"{name_of(parameter)}: no knee among {len(settings)} settings"
    return f"The knee: {name_of(parameter)} {best.value:g} s, told within {best.delay:.3g} s for {best.traffic:.3g} bytes a minute"


def alt_text(settings: list[Setting], parameter: str) -> str:
    """The whole figure in words."""
    rows = [
        f"{one.value:g} s: {one.traffic:.3g} bytes a minute, told within {one.delay:.3g} s{alarm_words(one, ', ')}"
        for one in settings
    ]
    return f"Trade-off. {finding(settings, parameter)}. " + "; ".join(rows) + "."


def alarm_words(one: Setting, before: str = "") -> str:
    """ "12 % false alarms", if there are any."""
    return f"{before}{100 * one.alarms:.2g} % false alarms" if one.alarms else ""


class Chart:
    """The drawing of one curve."""

    def __init__(self, ax: Axes, theme: palette.Theme, settings: list[Setting]) -> None:
        self.ax, self.theme, self.settings = (
            ax,
            theme,
            sorted(settings, key=lambda one: one.traffic),
        )
        self.x = (0.0, 1.12 * max(one.traffic for one in settings))
        self.y = (0.0, 1.14 * max(one.delay for one in settings))
        ax.set_xlim(*self.x)
        ax.set_ylim(*self.y)
        self.room = Room(ax, self.x, self.y)

    def draw(self, best: Setting | None, yours: float | None, parameter: str) -> None:
        """The curve, a mark for each setting, then words where there is room."""
        theme, ax = self.theme, self.ax
        ax.plot(
            [one.traffic for one in self.settings],
            [one.delay for one in self.settings],
            color=theme.rule,
            lw=1.4,
            zorder=2,
        )
        for one, two in zip(self.settings, self.settings[1:]):
            for part in range(1, 12):  # words keep off the curve
                self.room.take(
                    one.traffic + (two.traffic - one.traffic) * part / 12,
                    one.delay + (two.delay - one.delay) * part / 12,
                    4,
                    2,
                )
        for one in self.settings:
            self.mark(one)
        if best is not None:
            ax.plot(
                [best.traffic],
                [best.delay],
                "o",
                ms=17,
                mfc="none",
                mec=theme.theory,
                mew=2.0,
                zorder=5,
            )
            self.room.take(best.traffic, best.delay, 10, 10)
        mine = next((one for one in self.settings if one.value == yours), None)
        if mine is not None:
            ax.plot(
                [mine.traffic],
                [mine.delay],
                "*",
                ms=15,
                mfc=theme.guess,
                mec=theme.paper,
                mew=0.9,
                zorder=7,
            )
            self.room.take(mine.traffic, mine.delay, 8, 8)
        for one in ([best] if best else []) + [one for one in self.settings if one is not best]:
            self.words(one, one is best, one is mine)
        self.axes(parameter)

    def mark(self, one: Setting) -> None:
        """A dot; with false alarms a cross in vermilion, larger the more there are."""
        style: dict[str, Any] = {"zorder": 4, "clip_on": False}
        if one.alarms:
            size = 7 + 7 * min(1.0, one.alarms)
            self.ax.plot(
                [one.traffic],
                [one.delay],
                "X",
                ms=size,
                mfc=self.theme.stuck,
                mec=self.theme.paper,
                mew=0.8,
                **style,
            )
        else:
            self.ax.plot(
                [one.traffic],
                [one.delay],
                "o",
                ms=7,
                mfc=self.theme.ink,
                mec=self.theme.paper,
                mew=0.8,
                **style,
            )
        self.room.take(one.traffic, one.delay, 6, 6)

    def words(self, one: Setting, best: bool, mine: bool) -> None:
        """The value beside its mark, and what is to be said of it."""
        said = [f"{one.value:g} s", "the knee" * best, "yours" * mine, alarm_words(one)]
        texts = [
            ", ".join(filter(None, said)),
            ", ".join(filter(None, [said[0], said[3]])),
            said[0],
        ]
        near = 13 if best or mine else 9
        places: list[Place] = [
            (near, 7, "left", "bottom"),
            (near, 0, "left", "center"),
            (0, near, "center", "bottom"),
        ]
        places += [
            (-near, -6, "right", "top"),
            (0, -near, "center", "top"),
            (-near, 6, "right", "bottom"),
            (near, -7, "left", "top"),
        ]
        ink = self.theme.stuck_words if one.alarms else self.theme.ink
        self.room.put(
            texts, one.traffic, one.delay, places, 9, color=ink, weight="bold" if best else "normal"
        )

    def axes(self, parameter: str) -> None:
        """Round numbers, names and the title."""
        ax, theme = self.ax, self.theme
        for axis, (_, high) in ((ax.set_xticks, self.x), (ax.set_yticks, self.y)):
            step = nice(high / 5)
            ticks = [k * step for k in range(int(high / step) + 1)]
            axis(ticks, [f"{round(tick, 9):,g}" for tick in ticks], fontsize=10, family=FAMILY)
        ax.tick_params(colors=theme.ink, length=4, pad=2)
        frame.lines(ax, theme, ("bottom", "left"))
        ax.set_xlabel(
            "bytes of WebSocket a minute",
            loc="left",
            fontsize=9.5,
            color=theme.ink,
            family=FAMILY,
            labelpad=2,
        )
        ax.set_ylabel(
            "told at worst, s after the cut",
            loc="top",
            fontsize=9.5,
            color=theme.ink,
            family=FAMILY,
            labelpad=2,
        )
        frame.title(ax, theme, finding(self.settings, parameter), self.room.right, pad=6)
