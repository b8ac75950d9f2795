"""Who dials when, after a server was gone: connections in each second, a row for each way of reconnecting, all on one scale. Runs nothing.

every 3 s         █      █      █      ● 200 in one second
┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ what the server can take
with jitter     ▂▃▂▃▂▃▂▂▁▂▁
                ▒▒▒▒▒▒▒▒                 nobody listens: attempts there are refused (vermilion, hatched)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from . import frame, palette, picture
from .room import FAMILY, Place, Room
from .tale import nice

WIDE, ROW = 9.0, 1.45  # inches, and inches a row
MARGINS = (46.0, 44.0, 14.0, 30.0)  # points at the left, bottom, right, top
BASE, TOP, NAME, DOWN = (
    0.10,
    0.64,
    0.92,
    0.74,
)  # heights within a row of 1: bars stand, the highest ends, words
BEFORE, AFTER = 3, 2  # seconds shown before the server goes, and after the last attempt


def reconnects(
    crowds: Any,
    *,
    bound: float | None = None,
    since: float | None = None,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw the attempts to connect in each second, of one crowd or of several by name, and return the Axes.

    ``bound`` is what the server can take (connections a second). ``since`` (s) is where peaks are counted from: the first
    restart, unless told otherwise.
    """
    rows = dict(crowds) if isinstance(crowds, Mapping) else {"": crowds}
    if not rows or not all(hasattr(one, "attempts") for one in rows.values()):
        raise TypeError(
            f"reconnects() takes what crowd(…) gives, or several of them by name; seen {crowds!r}"
        )
    if bound is not None and not bound > 0:
        raise ValueError(
            f"a bound is a number of connections a second above 0, seen bound={bound!r}"
        )
    colours = palette.theme(theme)
    story = Story(rows, bound, since)
    ax = (
        ax
        if ax is not None
        else picture.new(size or (WIDE, 1.05 + ROW * len(rows)), colours, MARGINS)
    )
    Chart(ax, colours, story).draw()
    ax.alt = story.alt()  # type: ignore[attr-defined]
    return ax


class Story:
    """What the figure says, in numbers and words."""

    def __init__(self, rows: dict[str, Any], bound: float | None, since: float | None) -> None:
        self.rows, self.bound = rows, bound
        downs = [act for one in rows.values() for act in one.restarts]
        self.since = since if since is not None else min((act.at for act in downs), default=0.0)
        self.peaks = {name: one.peak(self.since) for name, one in rows.items()}
        last = max(
            (a.t for one in rows.values() for a in one.attempts if a.t >= self.since),
            default=self.since,
        )
        backs = [act.back for act in downs if act.back is not None]
        self.low, self.high = (
            max(0.0, self.since - BEFORE),
            float(int(max([last, *backs])) + 1 + AFTER),
        )

    def counts(self, name: str, refused: bool) -> Counter[int]:
        """Attempts by the second they fall in; those that were refused, or those that were not."""
        return Counter(
            int(a.t) for a in self.rows[name].attempts if a.refused is refused and a.t >= self.low
        )

    def most(self) -> int:
        every = [self.counts(name, True) + self.counts(name, False) for name in self.rows]
        return max((count for counts in every for count in counts.values()), default=1)

    def title(self) -> str:
        """ "200 clients after a restart: at most 233, 200 and 21 dial in one second"."""
        clients = max(one.clients for one in self.rows.values())
        numbers = [f"{count:,}" for count, _ in self.peaks.values()]
        said = " and ".join(filter(None, [", ".join(numbers[:-1]), numbers[-1]]))
        after = " after a restart" if any(one.restarts for one in self.rows.values()) else ""
        return f"{clients:,} client{'s' * (clients != 1)}{after}: at most {said} dial in one second"

    def peak_words(self, name: str) -> str:
        count, _ = self.peaks[name]
        if self.bound is None:
            return f"{count:,} in one second"
        return f"{count:,} in one second, " + (
            "within the bound" if count <= self.bound else f"{count / self.bound:.1f} × the bound"
        )

    def alt(self) -> str:
        """The whole figure in words."""
        parts = [f"Connections per second. {self.title()}."]
        if self.bound is not None:
            parts.append(f"The server can take {self.bound:g} a second.")
        downs = sorted(
            {(act.at, act.back) for one in self.rows.values() for act in one.restarts},
            key=lambda down: down[0],
        )
        for at, back in downs:
            parts.append(
                f"Nobody listens from {at:g} s"
                + (f" to {back:g} s." if back is not None else " on.")
            )
        for name, one in self.rows.items():
            (_, second), refused = self.peaks[name], sum(a.refused for a in one.attempts)
            parts.append(
                f"{name or 'The crowd'}: peak of {self.peak_words(name)}, at {second} s; {refused:,} attempts were refused."
            )
        return " ".join(parts)


class Chart:
    """The drawing."""

    def __init__(self, ax: Axes, theme: palette.Theme, story: Story) -> None:
        self.ax, self.theme, self.story = ax, theme, story
        ax.set_xlim(story.low, story.high)
        ax.set_ylim(0, len(story.rows))
        self.room = Room(ax, (story.low, story.high), (0, len(story.rows)))
        self.scale = (TOP - BASE) / max(story.most(), 1.15 * (story.bound or 0))

    def draw(self) -> None:
        for number, name in enumerate(reversed(list(self.story.rows))):
            self.row(name, float(number))
        self.axis()

    def row(self, name: str, y: float) -> None:
        """One crowd: the time without a server, bars, the bound, the peak, and their words."""
        base, theme = y + BASE, self.theme
        self.line(base, theme.rule, 0.8)
        self.room.put(
            name,
            self.story.low,
            y + NAME,
            [(0, 0, "left", "center")],
            10,
            color=theme.ink,
            weight="bold",
        )
        self.down(name, y)
        accepted, refused = self.story.counts(name, False), self.story.counts(name, True)
        for second in sorted(accepted | refused):
            self.bar(second, base, accepted[second], theme.belief, theme.open, "")
            self.bar(
                second,
                base + accepted[second] * self.scale,
                refused[second],
                theme.paper,
                theme.stuck,
                "////",
            )
            self.room.take_span(
                second,
                second + 1,
                base,
                (accepted[second] + refused[second]) * self.scale * self.room.dy,
            )
        self.peak(name, base)
        self.bound(base)

    def bar(self, second: int, base: float, count: int, face: str, edge: str, hatch: str) -> None:
        if count:
            box = (second + 0.04, base), 0.92, count * self.scale
            self.ax.add_patch(Rectangle(*box, fc=face, ec=edge, hatch=hatch, lw=0.9, zorder=2))

    def down(self, name: str, y: float) -> None:
        """The time in which nobody listens."""
        for act in self.story.rows[name].restarts:
            back = min(act.back if act.back is not None else self.story.high, self.story.high)
            self.ax.add_patch(
                Rectangle(
                    (act.at, y + BASE),
                    back - act.at,
                    TOP - BASE,
                    fc=self.theme.band,
                    alpha=palette.BAND,
                    lw=0,
                    zorder=0,
                )
            )
            self.ax.add_line(
                Line2D([act.at] * 2, [y + BASE, y + TOP], color=self.theme.ink, lw=1.6, zorder=1)
            )
            texts = [f"no server from {act.at:g} to {back:g} s", "no server"]
            self.room.put(
                texts, act.at, y + DOWN, [(0, 0, "left", "center")], 8.5, color=self.theme.faint
            )

    def peak(self, name: str, base: float) -> None:
        """The highest bar, marked, with its words."""
        count, second = self.story.peaks[name]
        if not count:
            return
        top, x = base + count * self.scale, second + 0.5
        self.ax.plot(
            [x],
            [top],
            marker="o",
            ms=6,
            mfc=self.theme.ink,
            mec=self.theme.paper,
            mew=0.7,
            zorder=7,
            clip_on=False,
        )
        self.room.take(x, top, 5, 5)
        words = [f"● {self.story.peak_words(name)}", f"● {count:,} in one second"]
        right = self.story.high
        self.room.put(
            words,
            right,
            round(base - BASE) + NAME,
            [(0, 0, "right", "center")],
            9,
            color=self.theme.ink,
        )

    def bound(self, base: float) -> None:
        """What the server can take."""
        if self.story.bound is None:
            return
        y, ink = base + self.story.bound * self.scale, self.theme.theory
        self.line(y, ink, 1.3, (0, (4, 2)))
        places: list[Place] = [(-2, 3, "right", "bottom")]
        texts = [f"bound: {self.story.bound:g} a second", f"{self.story.bound:g} a second"]
        self.room.put(texts, self.story.high, y, places, 8.5, color=ink)

    def line(self, y: float, colour: str, wide: float, style: Any = "solid") -> None:
        self.ax.add_line(
            Line2D(
                [self.story.low, self.story.high], [y, y], color=colour, lw=wide, ls=style, zorder=3
            )
        )

    def axis(self) -> None:
        """Seconds below, connections at the left of each row, and the title."""
        ax, theme, story = self.ax, self.theme, self.story
        step = max(1, round(nice((story.high - story.low) / 10)))
        ticks = [tick for tick in range(0, int(story.high) + 1, step) if tick >= story.low]
        ax.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=10, family=FAMILY)
        most = (TOP - BASE) / self.scale
        step = max(1, round(nice(most / 2)))
        levels = range(0, int(most) + 1, step)
        marks = [
            (y + BASE + level * self.scale, level)
            for y in range(len(story.rows))
            for level in levels
        ]
        ax.set_yticks(
            [y for y, _ in marks], [f"{count:,}" for _, count in marks], fontsize=8.5, family=FAMILY
        )
        ax.tick_params(colors=theme.ink, length=4, pad=2)
        frame.lines(ax, theme)
        label = "seconds since the server was up; a bar: attempts to connect in one second (green: let in, hatched: refused)"
        ax.set_xlabel(label, loc="left", fontsize=9, color=theme.ink, family=FAMILY, labelpad=2)
        frame.title(ax, theme, story.title(), self.room.right, pad=4)
