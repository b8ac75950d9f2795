"""The lanes of a timeline: cuts, dimensions, the bars of both ends, and the wire between them. Draws what a Tale says.

Heights are in units of which the Axes hold HEIGHT; at the usual size a unit is a point. Marks come first, words later
(``Lanes.draw`` keeps the order), so that no word lands on a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.markers import CARETLEFT, CARETRIGHT
from matplotlib.patches import Rectangle

from ..faults import ENDS
from ..trace import OTHER, Frame
from . import palette
from .room import FAMILY, Place, Room, extent
from .tale import Span, Tale
from .words import alike, band_words, stuck_name

HEIGHT = 211.0
BAR = {"server": (136.0, 160.0), "client": (48.0, 72.0)}  # bottom and top
EDGE = {"server": 136.0, "client": 72.0}  # where a frame leaves or enters
WIRE, VERDICT = 104.0, 23.0
ARROWS, BANNER = 168.0, 203.0  # the dimensions, and the words over a cut
DOWN = {"server": 1.0, "client": -1.0}  # on which side of the wire an end is
HEAD = {"server": "v", "client": "^"}  # where what an end sends is going
MANY = 60  # pings of one end above which some are left out
LABELLED = 8  # pings above which only the first is called by name

RIGHT: Place = (8, 0, "left", "center")
LEFT: Place = (-8, 0, "right", "center")


@dataclass
class Lanes:
    """The drawing of one tale's lanes on an Axes."""

    tale: Tale
    ax: Axes
    room: Room
    theme: palette.Theme
    thinned: str = ""  # what was left out, in words

    def draw(self) -> None:
        """Everything above the verdict."""
        self.cuts()
        self.names()
        spans = {end: self.bar(end) for end in ENDS}
        through, data = self.split()
        self.wire(through, data)
        self.stuck()
        self.banners()
        self.dimensions()
        for end in ENDS:
            for span in spans[end]:
                self.span_word(span, end)
        self.frame_words(through)
        self.stuck_words()

    # the cut

    def cuts(self) -> None:
        """A grey band from each cut to its heal, a strong line where it begins, a dashed one where it ends."""
        last = self.tale.horizon
        for cut in self.tale.cuts:
            at, heal = cut.at or 0.0, last if cut.heal is None else min(cut.heal, last)
            self.ax.axvspan(at, heal, color=self.theme.band, alpha=palette.BAND, lw=0, zorder=0)
            self.ax.vlines(at, 0, HEIGHT, color=self.theme.ink, lw=2.4, zorder=4)
            self.room.take(at, HEIGHT / 2, 1.5, HEIGHT / 2 * self.room.dy)
            if cut.heal is not None and cut.heal <= last:
                self.ax.vlines(heal, 0, HEIGHT, color=self.theme.ink, lw=1.3, ls=(0, (4, 3)), zorder=1.9)
                self.room.take(heal, HEIGHT / 2, 1.0, HEIGHT / 2 * self.room.dy)

    def banners(self) -> None:
        """"cable cut at 9 s: nothing gets through", "healed at 14 s"."""
        place: Place
        for cut in self.tale.cuts:
            if cut.heal is not None and cut.heal <= self.tale.horizon:
                heal = f"healed at {self.tale.neat(cut.heal)} s"
                self.room.put([heal, "healed"], cut.heal, BANNER, [(5, 0, "left", "center"), (5, -12, "left", "center")], 9, color=self.theme.faint)
        for cut in self.tale.cuts:
            wide = ((cut.heal or self.tale.horizon) - (cut.at or 0.0)) * self.room.dx
            inside = [text for text in band_words(self.tale, cut) if cut.heal is None or extent(text, 9)[0] < wide - 8]
            place = (5, 0, "left", "center")
            if not inside or not self.room.put(inside, cut.at or 0.0, BANNER, [place], 9, color=self.theme.faint):
                texts = band_words(self.tale, cut)
                self.room.put(texts, cut.at or 0.0, BANNER, [(-5, 0, "right", "center"), place], 9, color=self.theme.faint)

    # the ends

    def names(self) -> None:
        """What each lane is, at its left."""
        for name, y in (("server", 148.0), ("wire", WIRE), ("client", 60.0), ("verdict", VERDICT)):
            self.room.put(name, 0, y, [(-6, 0, "right", "center")], 10.5, color=self.theme.ink)

    def bar(self, end: str) -> list[Span]:
        """One end's states, and an arrow leaving the edge if it is never told."""
        low, high = BAR[end]
        spans = self.tale.spans(end)
        if not spans:
            return []
        self.room.take_span(spans[0].begin, spans[-1].stop, (low + high) / 2, (high - low) / 2 * self.room.dy)
        for span in spans:
            self.span(span, low, high)
        last = spans[-1]
        if last.state in ("OPEN", "CLOSING") and last.stop >= self.tale.horizon and not self.tale.is_asked:
            colour = self.theme.open if last.state == "OPEN" else self.theme.closing
            tip = {"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 11}
            y = (low + high) / 2
            self.ax.annotate("", (last.stop + 19 / self.room.dx, y), (last.stop, y), arrowprops=tip, annotation_clip=False, zorder=5)
            self.room.take(last.stop + 9 / self.room.dx, y, 10, 6)
        return spans

    def span(self, span: Span, low: float, high: float) -> None:
        """The fill of one state; see the palette for what it means."""
        theme, box = self.theme, ((span.begin, low), span.stop - span.begin, high - low)
        if span.state == "OPEN" and span.belief is None:
            self.ax.add_patch(Rectangle(*box, fc=theme.open, ec=theme.open, lw=1.4, zorder=2))
        elif span.state == "OPEN":
            self.ax.add_patch(Rectangle(*box, fc=theme.belief, ec=theme.open, lw=1.4, zorder=2.1))
        elif span.state == "CLOSING":
            self.ax.add_patch(Rectangle(*box, fc=theme.closing, ec=theme.paper, hatch="////", lw=0, zorder=2.2))
            self.ax.add_patch(Rectangle(*box, fc="none", ec=theme.closing, lw=1.4, zorder=2.3))
        else:
            dotted = span.state == "CONNECTING"
            self.ax.add_patch(Rectangle(*box, fc=theme.paper, ec=theme.ink, lw=1.2, ls=":" if dotted else "-", zorder=2.4))

    def span_word(self, span: Span, end: str) -> None:
        """The state's name in its bar, or beside it if the bar is too short."""
        (low, high), theme, wide = BAR[end], self.theme, (span.stop - span.begin) * self.room.dx
        middle, y = (span.begin + span.stop) / 2, (low + high) / 2
        colour = {"OPEN": theme.on_belief if span.belief else theme.on_open, "CLOSING": theme.on_closing}.get(span.state, theme.ink)
        bold = "normal" if span.belief else "bold"
        for text in [span.belief, "believes OPEN", "believes\nOPEN", "OPEN"] if span.belief else [span.state]:
            for size in (10, 9, 8, 7):
                if extent(text or "", size, bold == "bold")[0] + 4 <= wide and extent(text or "", size)[1] <= (high - low) * self.room.dy:
                    box = {"facecolor": theme.closing, "edgecolor": "none", "pad": 1.5} if span.state == "CLOSING" else None
                    self.ax.text(middle, y, text, size=size, weight=bold, color=colour, ha="center", va="center", family=FAMILY,
                                 bbox=box, zorder=3, linespacing=1.0)  # fmt: skip
                    return
        half = (high - low) / 2 * self.room.dy + 2
        places: list[Place] = [(0, side * half, ha, "top" if side < 0 else "bottom") for side in (1, -1) for ha in ("center", "left", "right")]
        self.room.put(span.belief or span.state, middle, y, places, 8, color=theme.on_belief if span.belief else theme.ink)

    # the wire

    def split(self) -> tuple[list[Frame], list[Frame]]:
        """What came through: control frames, and data; both thinned to what can be seen, saying so."""
        control = [frame for frame in self.tale.through if frame.opcode in ("PING", "PONG", "CLOSE")]
        data = [frame for frame in self.tale.through if frame.opcode not in ("PING", "PONG", "CLOSE")]
        pings = sum(frame.opcode == "PING" for frame in control)
        kept, seen = thin([f for f in control if f.opcode != "CLOSE"], 2 * MANY, self.tale.horizon), one_a_point(data, self.room.dx)
        said = []
        if len(seen) < len(data):
            said.append(f"{len(data):,} messages, {len(seen):,} drawn")
        if len(kept) < len(control) - sum(frame.opcode == "CLOSE" for frame in control):
            said.append(f"{pings:,} pings, {sum(frame.opcode == 'PING' for frame in kept):,} drawn")
        self.thinned = "thinned: " + "; ".join(said) if said else ""
        return sorted(kept + [f for f in control if f.opcode == "CLOSE"], key=lambda f: f.sent_at), seen

    def wire(self, control: list[Frame], data: list[Frame]) -> None:
        """The wire, messages as small ticks on their sender's side, pings, pongs and CLOSEs from end to end."""
        theme = self.theme
        self.ax.hlines(WIRE, 0, self.tale.stop if self.tale.is_asked else self.tale.horizon, color=theme.rule, lw=1.2, zorder=1)
        ticks = [[(f.sent_at, WIRE), (f.sent_at, WIRE + 3.5 * DOWN[f.sender])] for f in data]
        self.ax.add_collection(LineCollection(ticks, colors=theme.rule, linewidths=0.8, zorder=1.2), autolim=False)
        for colour, rows in ((theme.ping, [f for f in control if f.opcode != "CLOSE"]), (theme.ink, [f for f in control if f.opcode == "CLOSE"])):
            lines = [self.flight(frame) for frame in rows]
            self.ax.add_collection(LineCollection(lines, colors=colour, linewidths=1.3, zorder=1.5), autolim=False)
        for (sender, opcode), rows in _grouped(control):
            points = [self.at_mark(frame) for frame in rows]
            colour = theme.ink if opcode == "CLOSE" else theme.ping
            points = [point for point in points if point is not None]
            if points:
                fill = theme.paper if opcode == "PONG" else colour
                self.points(*zip(*points), HEAD[sender], 7, fill, colour, 5)
            for x, y in points:
                self.room.take(x, y, 5, 5)
        for frame in control:
            (x0, y0), (x1, y1) = self.flight(frame)
            pieces = 1 if (x1 - x0) * self.room.dx < 2 else 8
            for k in range(pieces):
                part = (k + 0.5) / pieces
                self.room.take(x0 + part * (x1 - x0), y0 + part * (y1 - y0), 1, abs(y1 - y0) / pieces / 2 * self.room.dy - 0.5)
        for f in data:
            self.room.take(f.sent_at, WIRE + 1.5 * DOWN[f.sender], 0.5, 1.5)

    def flight(self, frame: Frame) -> list[tuple[float, float]]:
        """A frame's way, from its sender's edge to its receiver's; only as far as it has come if the telling stops before."""
        start, goal = EDGE[frame.sender], EDGE[frame.receiver]
        arrived = frame.arrived_at if frame.arrived_at is not None else frame.sent_at + self.tale.latency
        part = 1.0
        if arrived > self.tale.stop and arrived > frame.sent_at:
            part = (self.tale.stop - frame.sent_at) / (arrived - frame.sent_at)
        return [(frame.sent_at, start), (frame.sent_at + part * (arrived - frame.sent_at), start + part * (goal - start))]

    def at_mark(self, frame: Frame) -> tuple[float, float] | None:
        """Where on its way a frame has its mark, in a row of its own for each sender and kind; None if it has not come so far."""
        (x0, y0), (x1, y1) = self.flight(frame)
        near = {("server", "PING"): 7.0, ("client", "PONG"): -7.0, ("client", "PING"): -20.0, ("server", "PONG"): 20.0}
        y = WIRE + near.get((frame.sender, frame.opcode), 20.0 * DOWN[frame.sender])
        part = (y0 - y) / (y0 - y1) if y0 != y1 else 2.0
        return (x0 + part * (x1 - x0), y) if part <= 1 else None

    def frame_words(self, control: list[Frame]) -> None:
        """PING, PONG and CLOSE by name; among many pings only the first exchange."""
        for frame in control:
            point = self.at_mark(frame)
            if point is not None and frame.opcode == "CLOSE":
                self.room.put(stuck_name("CLOSE", frame.code), *point, [RIGHT, LEFT], 8, color=self.theme.ink)
        pairs = exchanges([f for f in control if f.opcode != "CLOSE"], 2 * self.tale.latency + self.tale.tolerance)
        for pair in pairs[:1] if len(pairs) > LABELLED else pairs:
            self.pair_words(pair)

    def pair_words(self, frames: list[Frame]) -> None:
        """The names of frames that belong together, all on one side of their marks; if they are sloped, outside of the slopes."""
        points = [(frame, point) for frame in frames if (point := self.at_mark(frame))]
        right: Place = (7, 0, "left", "center")
        left: Place = (-7, 0, "right", "center")
        first = frames[0].sender
        if self.tale.latency * self.room.dx > 2:
            chosen = {(f.sender, f.opcode): left if (f.opcode == "PING") == (f.sender == first) and f.sender == first else right for f in frames}
            sides = [[chosen[f.sender, f.opcode] for f, _ in points]]
        else:
            sides = [[side] * len(points) for side in (right, left)]
        for places in sides:
            if all(self.room.fits(f.opcode, *point, place, 7.5, 0) for (f, point), place in zip(points, places)):
                for (f, point), place in zip(points, places):
                    self.room.put(f.opcode, *point, [place], 7.5, color=self.theme.ping, pad=0)
                return

    # what is stuck

    def stuck(self) -> None:
        """Half-lines from their senders with a ✕, dotted on to the moment they arrive, if they do; messages are only ticks."""
        theme = self.theme
        data = [f for f in self.tale.stuck if f.opcode not in ("PING", "PONG", "CLOSE")]
        ticks = [[(f.sent_at, WIRE), (f.sent_at, WIRE + 10 * DOWN[f.sender])] for f in one_a_point(data, self.room.dx)]
        self.ax.add_collection(LineCollection(ticks, colors=theme.stuck, linewidths=1.0, zorder=1.9), autolim=False)
        firsts = {id(rows[0]) for rows in alike(data).values()}
        control = [f for f in self.tale.stuck if f.opcode in ("PING", "PONG", "CLOSE") or id(f) in firsts]
        shown = one_a_point(control, self.room.dx / 3)
        lines = [[(f.sent_at, EDGE[f.sender]), (f.sent_at, WIRE)] for f in shown]
        self.ax.add_collection(LineCollection(lines, colors=theme.stuck, linewidths=1.6, zorder=2), autolim=False)
        late = [f for f in shown if f.arrived_at is not None and f.arrived_at <= self.tale.horizon]
        ways = [[(f.sent_at, WIRE), (f.arrived_at, WIRE), (f.arrived_at, EDGE[f.receiver])] for f in late]
        self.ax.add_collection(LineCollection(ways, colors=theme.stuck, linewidths=1.4, linestyles=(0, (1, 1.6)), zorder=2), autolim=False)  # type: ignore[arg-type]
        if shown:
            self.points([f.sent_at for f in shown], [WIRE] * len(shown), "X", 10, theme.stuck, theme.paper, 6)
        for f in late:
            self.points([f.arrived_at or 0.0], [EDGE[f.receiver] - 4 * DOWN[f.receiver]], HEAD[f.sender], 6, theme.stuck, theme.stuck, 6)
        for f in shown:
            middle, half = (WIRE + EDGE[f.sender]) / 2, abs(WIRE - EDGE[f.sender]) / 2
            self.room.take(f.sent_at, middle, 1.5, half * self.room.dy - 1)
            self.room.take(f.sent_at, WIRE, 5, 5)
        for f in late:
            self.room.take(f.arrived_at or 0.0, (WIRE + EDGE[f.receiver]) / 2, 4, abs(WIRE - EDGE[f.receiver]) / 2 * self.room.dy)
        for f in one_a_point(data, self.room.dx):
            self.room.take(f.sent_at, WIRE + 5 * DOWN[f.sender], 0.5, 5)

    def stuck_words(self) -> None:
        """"PING stuck", "CLOSE 1011 stuck, arrives 20"; of more than four alike, the first says how many there are."""
        for (sender, name), rows in alike(self.tale.stuck).items():
            many = len(rows) > 4
            for frame in rows[:1] if many else rows:
                what = f"{len(rows):,} {name}s" if many else name
                arrives = "" if frame.arrived_at is None else self.tale.neat(frame.arrived_at)
                texts = [f"{what} stuck, arrives {arrives}", f"{what} stuck,\narrives {arrives}"] if arrives and not many else []
                away = -DOWN[sender]  # words go to the side that the half-line does not come from
                tries = ((_beside(away, ha), size) for size in (8.5, 7.5) for ha in ("left", "right", "center"))
                for places, size in tries:
                    if self.room.put([*texts, f"{what} stuck"], frame.sent_at, WIRE, places, size, color=self.theme.stuck_words):
                        break

    # the dimensions

    def dimensions(self) -> None:
        """The timers as arrows with their lengths."""
        rows = [row for row in self.tale.dimensions if (row[1] - row[0]) * self.room.dx > 9]
        self.arrows([(a, b) for a, b, _ in rows], ARROWS, self.theme.ink)
        for a, b, _ in rows:
            self.room.take_span(a, b, ARROWS, 1)
        for a, b, texts in rows:
            near = [text for text in texts if extent(text, 8.5)[0] <= (b - a) * self.room.dx + 24]
            above: list[Place] = [(0, 4, "center", "bottom")]
            if not self.room.put(near[:-1], (a + b) / 2, ARROWS, above, 8.5, pad=1, color=self.theme.ink):
                if b != rows[-1][1] or not self.room.put(texts, b, ARROWS, [(6, -4, "left", "bottom")], 8.5, color=self.theme.ink):
                    self.room.put(texts[-1:], (a + b) / 2, ARROWS, above, 8.5, pad=1, color=self.theme.ink)


    def arrows(self, rows: list[tuple[float, float]], y: float, colour: str) -> None:
        """Arrows with a head at both ends, each from ``a`` to ``b`` (s): lines and markers, far quicker than matplotlib's own."""
        if rows:
            lines = [[(a, y), (b, y)] for a, b in rows]
            self.ax.add_collection(LineCollection(lines, colors=colour, linewidths=1.1, zorder=5), autolim=False)
            for column, head in (([a for a, _ in rows], CARETLEFT), ([b for _, b in rows], CARETRIGHT)):
                self.points(column, [y] * len(rows), head, 4.5, colour, colour, 5, 0.0)

    def points(self, x: Sequence[float], y: Sequence[float], marker: Any, size: float, fill: str, edge: str, z: float, wide: float = 1.2) -> None:
        """Marks of one kind."""
        line = Line2D(x, y, ls="none", marker=marker, ms=size, mfc=fill, mec=edge, mew=wide, zorder=z, clip_on=False)
        self.ax.add_line(line)


def thin(frames: list[Frame], most: int, horizon: float) -> list[Frame]:
    """Every n-th ping of a long story, with the pongs sent before the next one: about ``most`` frames; all of a short one."""
    if len(frames) <= most:
        return frames
    step, kept, count, keep = -(-len(frames) // most), [], 0, True
    for frame in frames:
        if frame.opcode == "PING":
            keep = count % step == 0
            count += 1
        if keep:
            kept.append(frame)
    return kept


def one_a_point(frames: list[Frame], scale: float) -> list[Frame]:
    """At most one data frame of a sender for each point of paper; ``scale`` is in points a second. A CLOSE always stays."""
    seen, kept = set(), []
    for frame in frames:
        key = (frame.sender, int(frame.sent_at * scale))
        if frame.opcode == "CLOSE" or key not in seen:
            seen.add(key)
            kept.append(frame)
    return kept


def _grouped(frames: list[Frame]) -> Iterable[tuple[tuple[str, str], list[Frame]]]:
    found: dict[tuple[str, str], list[Frame]] = {}
    for frame in frames:
        found.setdefault((frame.sender, frame.opcode), []).append(frame)
    return found.items()


def exchanges(frames: list[Frame], gap: float) -> list[list[Frame]]:
    """Pings and pongs that belong together: none begins more than ``gap`` (s) after the first."""
    found: list[list[Frame]] = []
    for frame in frames:
        if found and frame.sent_at - found[-1][0].sent_at <= gap:
            found[-1].append(frame)
        else:
            found.append([frame])
    return found


def _beside(away: float, ha: str) -> list[Place]:
    """Places at one side of a ✕, or under it: two rows across the wire from its half-line, then two rows beside that."""
    dx, across, back = {"left": 7, "right": -7, "center": 0}[ha], ("top" if away < 0 else "bottom"), ("bottom" if away < 0 else "top")
    if ha == "center":
        return [(dx, away * row, ha, across) for row in (8, 17)]
    return [(dx, away * row, ha, across) for row in (3, 14)] + [(dx, -away * row, ha, back) for row in (4, 15)]
