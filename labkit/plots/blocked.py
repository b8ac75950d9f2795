"""When does the timer never start? States, bytes waiting, and which await each task is in, on one time axis. Runs nothing.

    states      server OPEN ━━━┃ believes OPEN   ◇ 15 due: notice   ◇ 17 due: close
    bytes       ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁┃▟███████████ PING waits here, behind 35.9 kB     - - - write_limit
    awaits      send()    ─────┃▨▨ send(): blocked in drain() ▨▨▨▨▨▨▨▨▨▨▨▨
                keepalive ─────┃───▨▨ ping(): blocked in drain(), so the 3 s timer never starts ▨▨

What is drawn is decided in blocked_tale.py and said in blocked_words.py.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ..trace import OTHER, Trace
from ..values.faults import ENDS
from . import blocked_words as words
from . import frame, lanes, palette, picture
from .blocked_tale import Await, Blockage
from .fills import style
from .reservoirs_words import many
from .room import FAMILY, Place, Room, extent, width
from .sheet import Sheet
from .states import spans
from .tale import nice

WIDE = 9.0  # inches
MARGINS = (82.0, 34.0, 27.0, 30.0)  # points at the left, bottom, right, top
ROW, THICK = 25.0, 17.0  # points from one await to the next, and of its bar
HIGH, GAP = 96.0, 20.0  # of the panel of bytes, and between panels
SIDE = {1: "left", -1: "right"}
BAR, MARKS = 20.0, 52.0  # of a state, and of the room above for diamonds and the cut's words


def blocked(
    trace: Trace,
    *,
    end: str | None = None,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw who waits for the write buffer of ``end`` (the one where more waits, unless given), and what did not happen; returns the Axes.

    The hollow ◇ is what theory predicts for the same experiment without its traffic, where the fact is not there by then.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"blocked() takes a trace, seen {trace!r}: theory awaits nothing")
    if end not in (None, *ENDS):
        raise ValueError(f"blocked() takes end='server' or end='client', seen {end!r}")
    colours, story = palette.theme(theme), Blockage(trace, end or _busier(trace))
    high = (Board.top(len(story.tasks)) + MARGINS[1] + MARGINS[3]) / 72
    ax = ax if ax is not None else picture.new(size or (WIDE, high), colours, MARGINS)
    Board(ax, colours, story).draw()
    ax.alt = words.alt_text(story)  # type: ignore[attr-defined]
    return ax


def _busier(trace: Trace) -> str:
    """The end where more bytes waited."""
    return max(ENDS, key=lambda end: max((count for _, count in trace.waiting(end)), default=0))


class Board:
    """The three panels on one Axes, whose height is counted in points."""

    def __init__(self, ax: Axes, theme: palette.Theme, story: Blockage) -> None:
        self.ax, self.theme, self.story = ax, theme, story
        self.rows = len(story.tasks)
        self.floor = self.rows * ROW + GAP  # of the panel of bytes
        self.bars = {
            OTHER[story.end]: self.floor + HIGH + GAP,
            story.end: self.floor + HIGH + GAP + 1.5 * BAR,
        }
        x, y = (0.0, story.last), (0.0, self.top(self.rows))
        ax.set_xlim(x)
        ax.set_ylim(y)
        self.room = Room(ax, x, y)
        self.sheet = Sheet(story.tale, ax, self.room, theme)
        most = max(story.limit, *(count for _, count in story.waiting))
        self.scale = HIGH / (1.42 * most)  # points a byte; room above for words

    @staticmethod
    def top(rows: int) -> float:
        """The height of everything (points)."""
        return rows * ROW + 2 * GAP + HIGH + 2.5 * BAR + MARKS

    def draw(self) -> None:
        """Marks first, then the words that are left room."""
        self.cuts()
        self.states()
        self.bytes()
        for number, task in enumerate(self.story.tasks):
            y = (self.rows - 1 - number) * ROW + ROW / 2
            self.say(words.name(task), 0, y, [(-7, 0, "right", "center")], 9.5)
            for one in self.story.awaits(task):
                self.bar(one, y)
        self.axis()
        self.title()

    def say(
        self,
        texts: str | list[str],
        x: float,
        y: float,
        places: list[Place],
        size: float = 8.5,
        ink: str = "",
    ) -> bool:
        return self.room.put(texts, x, y, places, size, color=ink or self.theme.ink)

    # the upper panel

    def cuts(self) -> None:
        """The cuts, as a band behind all panels."""
        top, last = self.top(self.rows), self.story.last
        for cut in self.story.trace.experiment.cuts:
            heal = last if cut.heal is None else min(cut.heal, last)
            self.ax.add_patch(
                Rectangle(
                    (cut.start, 0),
                    heal - cut.start,
                    top,
                    fc=self.theme.band,
                    alpha=palette.BAND,
                    lw=0,
                    zorder=0,
                )
            )
            self.sheet.lines([[(cut.start, 0), (cut.start, top)]], self.theme.ink, 2.2, 4)
            self.room.take(cut.start, top / 2, 1.5, top / 2)
            if heal < last:
                self.sheet.lines([[(heal, 0), (heal, top)]], self.theme.ink, 1.3, 1.9, (0, (4, 3)))
                self.room.take(heal, top / 2, 1.0, top / 2)
                self.say(
                    f"healed at {self.story.tale.neat(heal)} s",
                    heal,
                    top,
                    [(5, -2, "left", "top"), (-5, -2, "right", "top")],
                    9,
                )
            self.say(
                f"cable cut at {self.story.tale.neat(cut.start)} s",
                cut.start,
                top,
                [(-5, -2, "right", "top"), (5, -2, "left", "top")],
                9,
            )

    def states(self) -> None:
        """Both ends' states; above the one that it is about, what was due and did not happen."""
        for end, low in self.bars.items():
            row = spans(self.story.tale, end)
            for span in row:
                lanes.fill(self.sheet, span, low, low + BAR)
                lanes.inside(self.sheet, span, low, low + BAR)
            if row and row[-1].state in ("OPEN", "CLOSING"):
                lanes.leaving(self.sheet, row[-1], low + BAR / 2)
            self.say(end, 0, low + BAR / 2, [(-7, 0, "right", "center")], 10.5)
            self.room.take_span(0, self.story.last, low + BAR / 2, BAR / 2)
        roof = self.bars[self.story.end] + BAR
        self.sheet.points(
            [(one.t, roof + 1) for one in self.story.broken],
            "D",
            9,
            self.theme.paper,
            self.theme.stuck,
            6,
            1.9,
        )
        for one in self.story.broken:
            self.room.take(one.t, roof + 1, 7, 7)
        places: list[Place] = [
            (0, 9, "center", "bottom"),
            (9, 9, "right", "bottom"),
            (-9, 9, "left", "bottom"),
            (0, 30, "center", "bottom"),
        ]
        for one, after in zip_longest(self.story.broken, self.story.broken[1:]):
            near = after is not None and (after.t - one.t) * self.room.dx < 40
            self.say(
                words.due(self.story, one),
                one.t,
                roof + 1,
                places[1:] if near else places,
                8.5,
                self.theme.stuck_words,
            )
        self.goodbyes(roof)

    def goodbyes(self, roof: float) -> None:
        """When the application calls close()."""
        for t in self.story.tale.goodbyes(self.story.end):
            self.sheet.points([(t, roof + 4)], "v", 7, self.theme.ink, self.theme.paper, 6, 0.8)
            self.room.take(t, roof + 4, 5, 6)
            places: list[Place] = [
                (0, 8, "center", "bottom"),
                (-6, 2, "right", "bottom"),
                (4, 8, "right", "bottom"),
            ]
            self.say(
                "close()", t, roof + 4, [*places, *((0, dy, "center", "bottom") for dy in (20, 33))]
            )

    # the middle one

    def bytes(self) -> None:
        """What waits in the write buffer, its limit dashed, and what of the library's own waits there, too."""
        rows, floor = self.story.waiting, self.floor
        times, heights = [t for t, _ in rows], [floor + count * self.scale for _, count in rows]
        face, edge, hatch = style(self.theme, "buffer")
        self.ax.fill_between(
            times, floor, heights, step="post", fc=face, ec=edge, hatch=hatch, lw=0, zorder=2
        )
        self.ax.step(times, heights, where="post", color=self.theme.ink, lw=1.3, zorder=3)
        for a, b, high in zip(times, times[1:], heights):
            self.room.take_span(a, b, (floor + high) / 2, (high - floor) / 2 + 1)
        line, (low, right) = floor + self.story.limit * self.scale, (0.0, self.story.last)
        self.sheet.lines([[(low, line), (right, line)]], self.theme.ink, 1.2, 4, (0, (4, 2.5)))
        text = [
            f"write_limit, {self.story.limit:,} bytes: above it drain() waits",
            f"write_limit, {self.story.limit:,} bytes",
            "write_limit",
        ]
        self.say(text, 0, line, [(4, 3, "left", "bottom"), (4, -3, "left", "top")])
        self.behind()
        self.scale_of_bytes()

    def behind(self) -> None:
        """Arrows to where a PING or a CLOSE got into the queue."""
        limit, marks = self.floor + self.story.limit * self.scale, []
        for t, opcode, count in self.story.behind[:3]:
            y = self.floor + count * self.scale
            above = 14 if count > self.story.limit else limit - y + 12
            marks.append((t, opcode, count, y, above))
            self.room.take(
                t + 2 / self.room.dx, y + above / 2, 3, above / 2
            )  # no words across an arrow
        for t, opcode, count, y, above in marks:
            ink = self.theme.ping_words if opcode == "PING" else self.theme.ink
            tip = {
                "arrowstyle": "-|>",
                "color": ink,
                "lw": 1.2,
                "shrinkA": 0,
                "shrinkB": 1,
                "mutation_scale": 9,
            }
            for dy, side in ((0, 1), (0, -1), (12, 1), (12, -1)):
                if self.say(
                    words.waits_here(opcode, count),
                    t,
                    y,
                    [(8 * side, above + dy, SIDE[side], "bottom")],
                    8.5,
                    ink,
                ):
                    self.ax.annotate(
                        "",
                        (t, y),
                        (t + 7 * side / self.room.dx, y + above),
                        arrowprops=tip,
                        zorder=5,
                    )
                    break

    def scale_of_bytes(self) -> None:
        """Round numbers at the left."""
        most = HIGH / self.scale
        step = nice(most / 4)
        for k in range(int(most / step) + 1):
            y = self.floor + k * step * self.scale
            self.sheet.lines([[(0, y), (4 / self.room.dx, y)]], self.theme.ink, 1.0, 3)
            text = "0" if not k else many(round(k * step)).replace(".0 ", " ")
            self.ax.text(
                -7 / self.room.dx,
                y,
                text,
                fontsize=8.5,
                family=FAMILY,
                color=self.theme.ink,
                ha="right",
                va="center",
            )
        self.sheet.lines([[(0, self.floor), (self.story.last, self.floor)]], self.theme.ink, 1.0, 3)
        self.sheet.lines([[(0, self.floor), (0, self.floor + HIGH)]], self.theme.ink, 1.0, 3)
        at = -62 / self.room.dx, self.floor + HIGH / 2
        self.ax.text(
            *at,
            f"{self.story.end}'s\nwrite buffer",
            fontsize=9.5,
            family=FAMILY,
            color=self.theme.ink,
            ha="center",
            va="center",
            rotation=90,
        )

    # the lower one

    def bar(self, one: Await, y: float) -> None:
        """One await: thin and grey while the task only sleeps, hatched while it is blocked."""
        wide, (begin, stop) = (one.stop - one.begin) * self.room.dx, (one.begin, one.stop)
        if not one.is_blocked:
            self.sheet.lines([[(begin, y), (stop, y)]], self.theme.rule, 4.0, 2)
            text = next(
                (text for text in words.awaiting(self.story, one) if width(text, 8) < wide - 4), ""
            )
            middle = (begin + stop) / 2
            self.say(text, middle, y, [(0, 3.5, "center", "bottom")], 8, self.theme.faint)
            return
        self.ax.add_patch(
            Rectangle(
                (begin, y - THICK / 2),
                stop - begin,
                THICK,
                fc=self.theme.paper,
                ec=self.theme.stuck,
                hatch="////",
                lw=0,
                zorder=2.1,
            )
        )
        self.ax.add_patch(
            Rectangle(
                (begin, y - THICK / 2),
                stop - begin,
                THICK,
                fc="none",
                ec=self.theme.stuck,
                lw=1.4,
                zorder=2.2,
            )
        )
        card: dict[str, Any] = {"facecolor": self.theme.paper, "edgecolor": "none", "pad": 1.2}
        text = next(
            (text for text in words.awaiting(self.story, one) if extent(text, 8.5)[0] < wide - 8),
            "",
        )
        x = begin + 6 / self.room.dx
        self.ax.text(
            x,
            y,
            text,
            fontsize=8.5,
            family=FAMILY,
            color=self.theme.ink,
            ha="left",
            va="center",
            bbox=card,
            zorder=5,
        )

    # around

    def axis(self) -> None:
        """Seconds where something happens."""
        story = self.story
        cuts = [
            t for cut in story.trace.experiment.cuts for t in (cut.at, cut.heal) if t is not None
        ]
        marks = [t for t in (story.trace.noticed_at(story.end), story.closed) if t is not None]
        first = [one.begin for one in story.blocked]
        placed: list[float] = []
        for t in [
            0.0,
            *cuts,
            *marks,
            *(one.t for one in story.broken),
            *story.tale.goodbyes(story.end),
            *first,
            *self._pings(),
            *([story.last] if story.last == story.trace.end else []),
        ]:
            if 0 <= t <= story.last and all(abs(t - other) * self.room.dx > 21 for other in placed):
                placed.append(t)
        self.ax.set_xticks(placed, [story.tale.neat(t) for t in placed], fontsize=10, family=FAMILY)
        self.ax.tick_params(axis="x", colors=self.theme.ink, length=4, pad=2)
        self.ax.set_yticks([])
        frame.lines(self.ax, self.theme)
        self.ax.set_xlabel(
            "seconds since the server was OPEN",
            loc="left",
            fontsize=9.5,
            color=self.theme.ink,
            family=FAMILY,
            labelpad=2,
        )

    def _pings(self) -> list[float]:
        return [
            frame.sent_at
            for frame in self.story.trace.frames(self.story.end)
            if frame.opcode == "PING"
        ]

    def title(self) -> None:
        """The finding above; below, the marks that occur, and what the story was recorded with."""
        frame.title(self.ax, self.theme, words.finding(self.story), self.room.right)
        header = self.story.trace.header
        source = [
            f"websockets {header.get('versions', {}).get('websockets', '?')}",
            str(header.get("wire", "?")),
        ]
        mark = "◇ promised by theory, and not kept     " if self.story.broken else ""
        x = self.story.last + 18 / self.room.dx
        style_of = {
            "fontsize": 8.5,
            "family": FAMILY,
            "ha": "right",
            "va": "center",
            "clip_on": False,
        }
        small: dict[str, Any] = style_of
        self.ax.text(x, -25, " · ".join(source), color=self.theme.faint, **small)
        self.ax.text(
            x - (width(" · ".join(source), 8.5) + 3) / self.room.dx,
            -25,
            mark,
            color=self.theme.stuck_words,
            **small,
        )
