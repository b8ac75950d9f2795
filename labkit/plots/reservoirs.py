"""What does send() know? The places on the way of what one end sends, as containers that fill, and the same over time. Runs nothing.

    server's          asyncio's          wire: kernels      client's         client's
    application  ──→  write buffer  ──→  and cable    ──→   queue      ──→   application
                       ▒▒▒ limit          ▒▒✕▒▒

    bytes  ▟▓▒░  buffer, wire, queue, received, stacked over time; the cut as a band

What is counted stands in levels.py.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from ..trace import Trace
from . import frame, palette, picture
from . import reservoirs_words as words
from .fills import fill
from .history import history
from .levels import Levels
from .room import FAMILY, Room, extent, wrap

SIZE = (9.0, 5.6)  # inches
MARGINS = (14.0, 14.0, 14.0, 30.0)  # points
BASE, TOP, HALF = 0.60, 0.86, 0.075  # of the containers, as parts of the picture
ACROSS = {"sender": 0.085, "buffer": 0.3, "wire": 0.505, "queue": 0.71, "received": 0.915}


def reservoirs(
    trace: Trace,
    at: float | None = None,
    *,
    sender: str | None = None,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw where the bytes are that an end has sent, at ``at`` (s; None: at the end) and over time; returns the Axes.

    ``sender`` is "server" or "client", or else the end that sent more. Bytes are counted as on the wire; a message whose send() is
    blocked is counted, since the library has taken it.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"reservoirs() takes a trace, seen {trace!r}: theory has no bytes")
    if trace.experiment.compression:
        raise ValueError("reservoirs() counts bytes, and compression=True makes them fewer on the way: run it without")
    colours, levels = palette.theme(theme), Levels(trace, sender or _sender(trace))
    t = levels.end if at is None else min(max(0.0, at), levels.end)
    ax = ax if ax is not None else picture.new(size or SIZE, colours, MARGINS)
    chain = Chain(ax, colours, levels, t)
    chain.draw()
    history(ax, colours, levels, t)
    ax.alt = words.alt_text(levels, t)  # type: ignore[attr-defined]
    return ax


def _sender(trace: Trace) -> str:
    """The end that sent more messages."""
    count = {end: sum(f.size for f in trace.frames(end)) + sum(b for _, b in trace.waiting(end)) for end in ("server", "client")}
    return max(count, key=lambda end: count[end])


class Chain:
    """The containers at one moment."""

    def __init__(self, ax: Axes, theme: palette.Theme, levels: Levels, t: float) -> None:
        self.ax, self.theme, self.levels, self.t, self.now = ax, theme, levels, t, levels.at(t)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        ax.set_axis_off()
        self.room = Room(ax, (0, 1), (0, 1))
        peaks = [max(level.buffer, level.wire, level.queue) for level in levels.history]
        self.scale = (TOP - BASE) / max(1.12 * levels.limit, 1.08 * max(peaks, default=1))

    def draw(self) -> None:
        """Containers, arrows, and words."""
        for place in ("buffer", "wire", "queue"):
            self.container(place)
        self.limit()
        self.applications()
        self.arrows()
        self.cut()
        frame.title(self.ax, self.theme, words.finding(self.levels, self.t), self.room.right)

    def say(self, text: str, x: float, y: float, size: float = 8.5, ink: str = "", **more: Any) -> None:
        """Words centred there, in lines as long as a container is apart from the next; smaller if they must be."""
        most = 0.19 * self.room.dx
        size = next((s for s in (size, size - 1, size - 2) if extent(wrap(text, s, most), s)[0] <= most), size - 2)
        self.room.put(wrap(text, size, most), x, y, [(0, 0, "center", "center")], size, color=ink or self.theme.ink, **more)

    def container(self, place: str) -> None:
        """A cup, what is in it, its name above and its bytes below."""
        x, count = ACROSS[place], getattr(self.now, place)
        high = count * self.scale
        if count:
            fill(self.ax, self.theme, place, x - HALF, BASE, 2 * HALF, high)
        cup = [x - HALF, x - HALF, x + HALF, x + HALF], [TOP, BASE, BASE, TOP]
        self.ax.plot(*cup, color=self.theme.ink, lw=1.8, solid_joinstyle="round", solid_capstyle="round", zorder=4, clip_on=False)
        names = {"buffer": "write buffer", "wire": "wire", "queue": f"the {self.levels.receiver}'s queue"}
        self.say(names[place], x, TOP + 0.085, 10, weight="bold")
        owner = {"buffer": "asyncio's, above TCP", "wire": "both kernels and the cable", "queue": "arrived, not yet read"}
        self.say(owner[place], x, TOP + 0.04, 8, self.theme.faint)
        self.say(words.many(count), x, BASE - 0.04, 9.5, weight="bold")

    def limit(self) -> None:
        """The write limit, dashed across the write buffer."""
        x, y = ACROSS["buffer"], BASE + self.levels.limit * self.scale
        self.ax.plot([x - HALF - 0.012, x + HALF + 0.012], [y, y], color=self.theme.ink, lw=1.3, ls=(0, (4, 2.5)), zorder=5)
        text, high = "write_limit", self.levels.limit * self.scale * self.room.dy
        card = {"facecolor": self.theme.paper, "edgecolor": "none", "pad": 1.2}
        if high > 12:
            self.ax.text(
                x,
                y - 7.5 / self.room.dy,
                text,
                fontsize=8,
                family=FAMILY,
                color=self.theme.ink,
                ha="center",
                va="center",
                bbox=card,
                zorder=6,
            )

    def applications(self) -> None:
        """The two applications, as boxes with what they know."""
        sent, got = words.application(self.levels, self.t), words.sends(self.levels, self.t)[1]
        rows = {"sender": [f"{self.levels.sender}’s application", *sent], "received": [f"{self.levels.receiver}’s application"]}
        rows["received"] += ["recv() gave", f"{got:,} message{'s' * (got != 1)}"]
        for place, lines in rows.items():
            x, wide = ACROSS[place], HALF + 0.005
            look: dict[str, Any] = {
                "boxstyle": "round,pad=0,rounding_size=.012",
                "fc": "none",
                "ec": self.theme.ink,
                "lw": 1.2,
                "zorder": 2,
            }
            self.ax.add_patch(FancyBboxPatch((x - wide, BASE), 2 * wide, TOP - BASE, **look))
            self.say(lines[0].split("’")[0] + "’s", x, TOP + 0.085, 10, weight="bold")
            self.say("application", x, TOP + 0.04, 8, self.theme.faint)
            for k, line in enumerate(lines[1:]):
                alarm = line.startswith("one send") or line == "an error"
                self.say(line, x, TOP - 0.055 - 0.07 * k, 8.5, self.theme.stuck_words if alarm else self.theme.ink)
        self.say(words.many(self.now.received), ACROSS["received"], BASE - 0.04, 9.5, weight="bold")
        handed = words.many(self.now.handed)
        self.say(f"{handed} handed over", ACROSS["sender"], BASE - 0.04, 8.5)

    def arrows(self) -> None:
        """The way from each to the next."""
        places, y = list(ACROSS), BASE + 0.09
        for a, b in zip(places, places[1:]):
            ends = ACROSS[a] + HALF + 0.012, ACROSS[b] - HALF - 0.012
            tip = {"arrowstyle": "-|>", "color": self.theme.faint, "lw": 1.6, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 11}
            self.ax.annotate("", (ends[1], y), (ends[0], y), arrowprops=tip, zorder=3)

    def cut(self) -> None:
        """A ✕ on the way out of the wire, while it is cut."""
        way = ("both", f"to_{self.levels.receiver}")
        if any(cut.holds(self.t) and cut.direction in way for cut in self.levels.trace.experiment.cuts):
            x, y = (ACROSS["wire"] + ACROSS["queue"]) / 2, BASE + 0.09
            self.ax.plot([x], [y], marker="X", ms=11, mfc=self.theme.stuck, mec=self.theme.paper, zorder=6)
            self.say("cut", x, y + 0.06, 8.5, self.theme.stuck_words)
