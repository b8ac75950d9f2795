"""Alive, yet killed: how long the loops did not run, how long each ping waited, and who is blamed against who did it. Runs nothing.

    seconds   ╱│  ╱│          ramp: the loop has not run for so long;  ▼ a ping waits, △ its pong comes
    of   ----╱-│-✕-│------    ping_timeout
    waiting ╱  │╱  │
    server   OPEN ━━━━━━━│ CLOSING │ CLOSED
    client   OPEN ━▒▒▒▒▒▒▒▒▒━━━━│
    blamed   the client …
    did it   the client: its event loop …

What is found out stands in lag_blame.py, how it is said in lag_words.py.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from ..trace import Trace
from ..values.faults import ENDS
from . import frame, palette, picture
from . import lag_words as words
from .axis import SECONDS as LABEL
from .lag_blame import Blame, Ping
from .palette import BAND
from .room import FAMILY, Room, extent, width

SIZE = (9.0, 4.7)  # inches
MARGINS = (58.0, 44.0, 25.0, 26.0)  # points
HEIGHT = 268.0  # units; at the usual size a unit is a point
FLOOR, CEILING = 112.0, 252.0  # of the seconds of waiting
BARS = {"server": (76.0, 94.0), "client": (48.0, 66.0)}
VERDICT = {"blamed": 28.0, "did it": 9.0}
DASHES: Any = (0, (5, 3))
DOTS: Any = (0, (1, 1.6))


def lag(
    trace: Trace,
    *,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw loop lag, pings and pongs of a trace on one axis, who is blamed, and who did it; returns the Axes.

    Upwards are seconds of waiting: a ramp says for how long an end's loop has not run, a blue line for how long a ping has had no
    answer; where it crosses ping_timeout, its sender gives up.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"lag() takes a trace, seen {trace!r}: theory blames nobody")
    colours, blame = palette.theme(theme), Blame(trace)
    ax = ax if ax is not None else picture.new(size or SIZE, colours, MARGINS)
    Lag(ax, colours, blame).draw()
    ax.alt = words.alt_text(blame)  # type: ignore[attr-defined]
    return ax


class Lag:
    """One figure being drawn."""

    def __init__(self, ax: Axes, theme: palette.Theme, blame: Blame) -> None:
        self.ax, self.theme, self.blame, self.trace = ax, theme, blame, blame.trace
        self.horizon = max(self.trace.end, 1e-3) * 1.06
        ax.set_xlim(0, self.horizon)
        ax.set_ylim(0, HEIGHT)
        self.room = Room(ax, (0, self.horizon), (0, HEIGHT))
        limits = [
            self.trace.experiment.peer(end).ping_timeout
            for end in ENDS
            if self.trace.experiment.peer(end).keepalive
        ]
        self.timeouts = sorted({limit for limit in limits if limit is not None})
        self.top = self._top()

    def _top(self) -> float:
        """The longest waiting that is shown (s): more than five times a ping_timeout is cut off."""
        waits = [block.stop - block.start for block in self.blame.blocks]
        waits += [self._end_of(ping) - ping.sent for ping in self.blame.pings]
        longest = max([*waits, *(1.5 * limit for limit in self.timeouts), 0.1])
        return min(longest, 5 * self.timeouts[-1]) * 1.12 if self.timeouts else longest * 1.12

    def y(self, seconds: float) -> float:
        """The height of so many seconds of waiting."""
        return FLOOR + min(seconds, self.top) / self.top * (CEILING - FLOOR)

    def draw(self) -> None:
        """Marks first, then words where there is room."""
        self.cuts()
        self.ramps()
        self.limits()
        for ping in self.blame.pings:
            self.ping(ping)
        for end in ENDS:
            self.bar(end)
        self.axis()
        self.fatal_words()
        self.limit_words()
        self.ramp_words()
        self.verdict()
        self.title()

    def line(
        self,
        points: list[tuple[float, float]],
        colour: str,
        wide: float,
        z: float,
        style: Any = "-",
    ) -> None:
        self.ax.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=colour,
            lw=wide,
            ls=style,
            zorder=z,
            solid_capstyle="butt",
        )

    def mark(self, x: float, y: float, marker: str, size: float, fill: str, edge: str) -> None:
        self.ax.plot(
            [x],
            [y],
            marker=marker,
            ms=size,
            mfc=fill,
            mec=edge,
            mew=1.2,
            ls="none",
            zorder=6,
            clip_on=False,
        )
        self.room.take(x, y, size / 2 + 1, size / 2 + 1)

    # what is seen

    def cuts(self) -> None:
        """A grey band from each cut to its heal, as everywhere."""
        for cut in self.trace.experiment.cuts:
            stop = self.horizon if cut.heal is None else cut.heal
            self.ax.add_patch(
                Rectangle(
                    (cut.start, 0),
                    stop - cut.start,
                    HEIGHT,
                    fc=self.theme.band,
                    alpha=BAND,
                    lw=0,
                    zorder=0,
                )
            )

    def ramps(self) -> None:
        """For how long a loop has not run: it climbs while the loop is blocked, and falls when it runs."""
        for block in self.blame.blocks:
            points = [*self.climb(block.start, block.stop), (block.stop, FLOOR)]
            look: dict[str, Any] = {
                "fc": self.theme.closing,
                "ec": self.theme.paper,
                "lw": 0,
                "zorder": 1.5,
            }
            self.ax.add_patch(
                Polygon(
                    points,
                    alpha=0.55,
                    hatch="////" if block.end == "server" else "\\\\\\\\",
                    **look,
                )
            )
            self.line(points, self.theme.ink, 1.2, 1.6)
            self.room.take(
                block.stop,
                (FLOOR + points[-2][1]) / 2,
                1,
                (points[-2][1] - FLOOR) / 2 * self.room.dy,
            )

    def climb(self, a: float, b: float) -> list[tuple[float, float]]:
        """The line of a waiting from ``a`` to ``b`` (s): a second up for each second, as far as the picture goes; words keep off it."""
        corner = min(b, a + self.top)
        points = [(a, FLOOR), (corner, self.y(corner - a))] + [(b, self.y(self.top))] * (corner < b)
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            for k in range(12):
                part = (k + 0.5) / 12
                high = abs(y1 - y0) / 24 * self.room.dy + 1
                self.room.take(
                    x0 + part * (x1 - x0),
                    y0 + part * (y1 - y0),
                    abs(x1 - x0) / 24 * self.room.dx,
                    high,
                )
        return points

    def limits(self) -> None:
        """ping_timeout, dashed: what waits longer is given up."""
        self.line([(0, FLOOR), (self.horizon, FLOOR)], self.theme.rule, 1.0, 1)
        for limit in self.timeouts:
            self.line(
                [(0, self.y(limit)), (self.horizon, self.y(limit))], self.theme.ink, 1.2, 2, DASHES
            )
            self.room.take_span(0, self.horizon, self.y(limit), 1)

    def _end_of(self, ping: Ping) -> float:
        """Until when a ping's waiting is drawn (s): its pong, read or not, or else the end of its sender's patience."""
        late = ping.read if ping.read is not None else ping.back
        if late is not None:
            return late
        closed = self.trace.noticed_at(ping.sender)
        return max(ping.sent, min(closed if closed is not None else self.trace.end, self.trace.end))

    def ping(self, ping: Ping) -> None:
        """A ping from its sending on: its line climbs until the answer is read, or its sender gives up."""
        theme, fatal = self.theme, ping is self.blame.fatal
        self.mark(ping.sent, FLOOR - 3.5, "v", 6, theme.ping, theme.ping)
        stop = self.blame.died if fatal else self._end_of(ping)
        if fatal and ping.back is not None and ping.back > stop:
            self.line(self.climb(ping.sent, ping.back), theme.ping, 1.3, 3, DOTS)
        self.line(self.climb(ping.sent, stop), theme.stuck if fatal else theme.ping, 1.8, 4)
        if ping.back is not None and (ping.back <= stop or fatal):
            self._pong(ping, ping.back)
        if fatal:
            self._given_up(ping, stop)

    def _pong(self, ping: Ping, back: float) -> None:
        """Where the pong came to the machine of the ping's sender."""
        self.mark(back, self.y(back - ping.sent) + 1, "^", 6, self.theme.paper, self.theme.ping)

    def _given_up(self, ping: Ping, stop: float) -> None:
        self.mark(stop, self.y(stop - ping.sent), "X", 10, self.theme.stuck, self.theme.paper)

    def bar(self, end: str) -> None:
        """One end's states; where its loop was blocked, hatched in between."""
        low, high = BARS[end]
        self.room.put(
            end, 0, (low + high) / 2, [(-6, 0, "right", "center")], 10.5, color=self.theme.ink
        )
        states = [(max(0.0, t), state) for t, state in self.trace.states(end)]
        for (t, state), (stop, _) in zip(states, [*states[1:], (self.trace.end, "")]):
            if stop > t or state == "CLOSED":
                self._state(state, t, self.horizon if state == "CLOSED" else stop, low, high)
        for block in self.blame.blocks:
            if block.end == end:
                self._strange(
                    block.start,
                    block.stop,
                    low,
                    high,
                    "xx",
                    ["its loop is blocked", "loop blocked", "blocked"],
                )
        since = self.blame.unread_since(end)
        if since is not None:
            stop = self.trace.noticed_at(end) or self.trace.end
            self._strange(
                since, stop, low, high, "..", ["reads no more: queue full", "reads no more", "deaf"]
            )

    def _state(self, state: str, a: float, b: float, low: float, high: float) -> None:
        theme, box = self.theme, ((a, low), b - a, high - low)
        fill, edge, ink, hatch = {
            "OPEN": (theme.open, theme.open, theme.on_open, ""),
            "CLOSING": (theme.closing, theme.paper, theme.on_closing, "////"),
        }.get(state, (theme.paper, theme.ink, theme.ink, ""))
        self.ax.add_patch(
            Rectangle(
                *box, fc=fill, ec=edge, hatch=hatch, lw=1.0 if state == "CLOSED" else 0, zorder=2
            )
        )
        self._word(
            state, a, b, (low + high) / 2, ink, theme.closing if state == "CLOSING" else None
        )

    def _word(
        self, text: str, a: float, b: float, y: float, ink: str, card: str | None = None
    ) -> None:
        """A word inside a bar, if it fits and no other does stand there."""
        blocks = [
            block
            for block in self.blame.blocks
            if BARS[block.end][0] < y < BARS[block.end][1] and a < block.start < b
        ]
        deaf = [
            t
            for end in ENDS
            if BARS[end][0] < y < BARS[end][1]
            and (t := self.blame.unread_since(end)) is not None
            and a < t < b
        ]
        b = min([b, *(block.start for block in blocks), *deaf])
        box = {"facecolor": card, "edgecolor": "none", "pad": 1.2} if card else None
        for size in (9.5, 8.0, 7.0):
            if width(text, size, True) + 4 <= (b - a) * self.room.dx:
                font: dict[str, Any] = {"size": size, "weight": "bold", "family": FAMILY}
                self.ax.text(
                    (a + b) / 2,
                    y,
                    text,
                    color=ink,
                    ha="center",
                    va="center",
                    bbox=box,
                    zorder=5,
                    fontdict=font,
                )
                return

    def _strange(
        self, a: float, b: float, low: float, high: float, hatch: str, texts: list[str]
    ) -> None:
        """The stretch of a bar in which an end was OPEN and did not answer: pale and hatched, with words."""
        self.ax.add_patch(
            Rectangle(
                (a, low),
                b - a,
                high - low,
                fc=self.theme.belief,
                ec=self.theme.ink,
                hatch=hatch,
                lw=1.0,
                zorder=3,
            )
        )
        text = next((t for t in texts if width(t, 8.5, True) + 8 < (b - a) * self.room.dx), "")
        if text:
            box = {"facecolor": self.theme.belief, "edgecolor": "none", "pad": 1.5}
            font: dict[str, Any] = {"size": 8.5, "weight": "bold", "family": FAMILY}
            at = (a + b) / 2, (low + high) / 2
            self.ax.text(
                *at,
                text,
                color=self.theme.on_belief,
                ha="center",
                va="center",
                bbox=box,
                zorder=5,
                fontdict=font,
            )

    def axis(self) -> None:
        """Ticks where something happens: blocks, the fatal ping, the end; then the other pings, where there is room."""
        fatal = self.blame.fatal
        wanted = [t for block in self.blame.blocks[:4] for t in (block.start, block.stop)]
        wanted += [fatal.sent, self.blame.died] if fatal else []
        wanted += [
            t
            for end in ENDS
            for t in (self.trace.noticed_at(end), self.trace.closed_at(end))
            if t is not None
        ]
        wanted += [t for t in ((fatal.back, fatal.read) if fatal else ()) if t is not None]
        placed: list[tuple[float, float]] = []
        for t in [0.0, *wanted, *(ping.sent for ping in self.blame.pings)]:
            half = width(words.at(t), 10) / 2 + 3
            if all(abs(t - other) * self.room.dx > half + reach for other, reach in placed):
                placed.append((t, half))
        ticks = sorted(t for t, _ in placed)
        self.ax.set_xticks(ticks, [words.at(t) for t in ticks], fontsize=10, family=FAMILY)
        heights = [0.0, *self.timeouts]
        self.ax.set_yticks(
            [self.y(value) for value in heights],
            [words.secs(value) for value in heights],
            fontsize=9,
            family=FAMILY,
        )
        self.ax.tick_params(axis="both", colors=self.theme.ink, length=4, pad=2)
        self.ax.tick_params(axis="y", length=0)
        frame.lines(self.ax, self.theme)
        self.ax.set_xlabel(
            LABEL, loc="left", fontsize=9.5, color=self.theme.ink, family=FAMILY, labelpad=2
        )

    # what is said

    def say(
        self, texts: list[str], x: float, y: float, places: Any, ink: str, size: float = 8.5
    ) -> bool:
        """Words on a card of paper, where they lie on no line and no other words."""
        card = {"facecolor": self.theme.paper, "edgecolor": "none", "pad": 1.2, "alpha": 0.85}
        return self.room.put(texts, x, y, places, size, color=ink, bbox=card, zorder=7)

    def fatal_words(self) -> None:
        """Beside the fatal ping: sent, given up; beside its pong: when it came, and when it was read."""
        ping = self.blame.fatal
        if ping is None:
            return
        right: Any = [
            (8, -10, "left", "center"),
            (-8, 5, "right", "bottom"),
            (8, 10, "left", "center"),
            (10, -22, "left", "center"),
        ]
        end = self.y(self.blame.died - ping.sent)
        asked = f"the {ping.sender} gives up: 1011"
        self.say(
            [f"{asked} keepalive ping timeout", asked],
            self.blame.died,
            end,
            right,
            self.theme.stuck_words,
        )
        if ping.back is not None and ping.back != self.blame.died:
            late = "" if ping.back <= self.blame.died else ", too late"
            texts = [f"PONG comes at {words.at(ping.back)} s{late}", f"PONG{late}"]
            if not late and ping.read != ping.back:
                read = f"read at {words.at(ping.read)} s" if ping.read is not None else "never read"
                texts = [f"PONG is there at {words.at(ping.back)} s, {read}", *texts]
            places: Any = [
                (8, -2, "left", "center"),
                (-8, 10, "right", "bottom"),
                (-8, 22, "right", "bottom"),
                (10, 12, "left", "center"),
            ]
            places += [
                (10, -14, "left", "center"),
                (-8, -46, "right", "center"),
                (-14, -34, "right", "center"),
                (-8, -56, "right", "center"),
            ]
            self.say(texts, ping.back, self.y(ping.back - ping.sent), places, self.theme.ping_words)
        self.room.put(
            ["PING"],
            ping.sent,
            FLOOR - 4,
            [(7, 0, "left", "center"), (-7, 0, "right", "center")],
            8,
            color=self.theme.ping_words,
        )

    def limit_words(self) -> None:
        """The name of the dashed line, above it at the left or the right."""
        for limit in self.timeouts:
            places: Any = [(4, 3, "left", "bottom"), (4, -3, "left", "top")]
            ends: Any = [(-4, 3, "right", "bottom"), (-4, -3, "right", "top")]
            if not self.say(["ping_timeout"], 0, self.y(limit), places, self.theme.ink):
                self.say(["ping_timeout"], self.horizon, self.y(limit), ends, self.theme.ink)

    def ramp_words(self) -> None:
        """What a ramp says, at its tip."""
        for block in self.blame.blocks[:3]:
            tip = min(block.stop, block.start + self.top)
            text = f"the {block.end}'s loop has not run for {words.secs(block.stop - block.start)}"
            places: Any = [
                (-10, 0, "right", "center"),
                (6, -4, "left", "center"),
                (6, -14, "left", "center"),
                (-14, 12, "right", "center"),
            ]
            places += [
                (-30, -14, "right", "center"),
                (-50, -28, "right", "center"),
                (-80, -44, "right", "center"),
            ]
            texts = [text, text.replace(" has not run", "\nhas not run")]
            self.say(texts, tip, self.y(tip - block.start), places, self.theme.ink)

    def verdict(self) -> None:
        """Two lines: who is blamed, and who did it."""
        self.ax.plot([0, self.horizon], [40.5, 40.5], color=self.theme.rule, lw=0.8, zorder=1)
        for name, text, ink in (
            ("blamed", words.blamed(self.blame), self.theme.stuck_words),
            ("did it", words.did_it(self.blame), self.theme.ink),
        ):
            y, most = VERDICT[name], self.room.right - 8
            self.room.put(
                name, 0, y, [(-6, 0, "right", "center")], 10.5, color=self.theme.ink, weight="bold"
            )
            size = next(
                (size for size in (9.5, 9.0, 8.5, 8.0) if extent(text, size)[0] <= most), 7.5
            )
            self.ax.text(
                4 / self.room.dx,
                y,
                text,
                fontsize=size,
                family=FAMILY,
                color=ink,
                ha="left",
                va="center",
                zorder=5,
            )

    def title(self) -> None:
        frame.title(self.ax, self.theme, words.finding(self.blame), self.room.right)
