"""The rails of a ladder: both ends as bars in the state fills, the cuts across, the timers, the words in the margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.patches import Rectangle

from ..faults import ENDS
from .excerpt import Excerpt
from .ladder_words import notes
from .palette import BAND
from .room import FAMILY, Place, extent, width, wrap
from .sheet import Sheet
from .states import Span, spans
from .timers import dimensions as timers
from .words import band_words

BAR = 5.0  # points, half the width of a bar
RAIL = {"server": 0.285, "client": 0.735}  # where the bars stand, of the width
OUT = {"server": -1.0, "client": 1.0}  # the way to an end's margin
ALIGN = {"server": "right", "client": "left"}


@dataclass(frozen=True)
class Board(Sheet):
    """A sheet on which x counts points from the left and y is time (s), downwards."""

    tale: Excerpt

    @property
    def wide(self) -> float:
        return float(self.ax.get_xlim()[1])

    def rail(self, end: str) -> float:
        """Where the bar of an end stands (points); the wire is between them."""
        return RAIL[end] * self.wide if end in ENDS else sum(RAIL.values()) / 2 * self.wide

    def edge(self, end: str) -> float:
        """The inner edge of an end's bar, where arrows begin and end."""
        return self.rail(end) - OUT[end] * BAR if end in ENDS else self.rail(end)


def cuts(board: Board) -> None:
    """A grey band from each cut to its heal, a strong line where it begins, a dashed one where it ends, and words."""
    tale, ink = board.tale, board.theme.ink
    for cut in tale.cuts:
        at, heal = cut.at or 0.0, tale.horizon if cut.heal is None else min(cut.heal, tale.horizon)
        low = max(at, tale.since)
        if heal <= low:
            continue
        board.ax.add_patch(Rectangle((0, low), board.wide, heal - low, fc=board.theme.band, alpha=BAND, lw=0, zorder=0))
        if tale.shows(at):
            board.lines([[(0, at), (board.wide, at)]], ink, 2.2, 1.9)
            board.room.take(board.wide / 2, at, board.wide, 1.3)
        if cut.heal is not None and tale.shows(cut.heal):
            board.lines([[(0, heal), (board.wide, heal)]], ink, 1.2, 1.9, (0, (4, 3)))
            board.room.take(board.wide / 2, heal, board.wide, 1)


def banners(board: Board) -> None:
    """ "cable cut at 9 s", "healed at 14 s", between the rails."""
    tale, x = board.tale, board.rail("wire")
    places: list[Place] = [(0, -4, "center", "top"), (0, 4, "center", "bottom")]
    for cut in tale.cuts:
        texts = [text for text in band_words(tale, cut) if width(text, 9) < board.edge("client") - board.edge("server") - 6]
        if tale.shows(cut.at):
            board.room.put(texts, x, cut.at or 0.0, places, 9, color=board.theme.faint)
        if cut.heal is not None and tale.shows(cut.heal):
            board.room.put(f"healed at {tale.neat(cut.heal)} s", x, cut.heal, places[::-1], 9, color=board.theme.faint)


def bars(board: Board, handshake: bool) -> None:
    """The states of both ends, and their names above."""
    for end in ENDS:
        x = board.rail(end)
        for span in _shown(board.tale, end, handshake):
            _fill(board, span, x)
        style: dict[str, Any] = {"fontsize": 10.5, "fontweight": "bold", "family": FAMILY, "color": board.theme.ink}
        board.ax.text(x, board.tale.since - 11 / abs(board.room.dy), end, ha="center", va="center", clip_on=False, **style)
        board.room.take(x, (board.tale.since + board.tale.horizon) / 2, BAR + 1, board.room.top / 2)


def _shown(tale: Excerpt, end: str, handshake: bool) -> list[Span]:
    """The spans that this part of the story shows; before 0 an end is CONNECTING."""
    rows = spans(tale, end)
    before = next((t for t, state in tale.story.states(end) if state == "CONNECTING"), 0.0)
    if handshake and before < 0:
        first = rows[0].begin if rows and rows[0].state != "CONNECTING" else rows[0].stop if rows else 0.0
        rows = [Span(before, first, "CONNECTING"), *(row for row in rows if row.state != "CONNECTING")]
    return [
        Span(max(s.begin, tale.since), min(s.stop, tale.horizon), s.state, s.belief)
        for s in rows
        if s.stop > tale.since and s.begin < tale.horizon
    ]


def _fill(board: Board, span: Span, x: float) -> None:
    """The fill of one state, as on the timeline."""
    theme, box = board.theme, ((x - BAR, span.begin), 2 * BAR, span.stop - span.begin)
    if span.state == "OPEN":
        fill, height = (theme.belief, 2.1) if span.belief else (theme.open, 2.0)
        board.ax.add_patch(Rectangle(*box, fc=fill, ec=theme.open, lw=1.4, zorder=height))
    elif span.state == "CLOSING":
        board.ax.add_patch(Rectangle(*box, fc=theme.closing, ec=theme.paper, hatch="//////", lw=0, zorder=2.2))
        board.ax.add_patch(Rectangle(*box, fc="none", ec=theme.closing, lw=1.4, zorder=2.3))
    else:
        style = ":" if span.state == "CONNECTING" else "-"
        board.ax.add_patch(Rectangle(*box, fc=theme.paper, ec=theme.ink, lw=1.2, ls=style, zorder=2.4))


def dimensions(board: Board) -> None:
    """The timers that led to the end, beside the bar of the end whose they are."""
    tale, room = board.tale, board.room
    x = board.rail(tale.hero) - OUT[tale.hero] * 19
    rows = [row for row in timers(tale) if tale.shows(row[0]) and tale.shows(row[1]) and (row[1] - row[0]) * abs(room.dy) > 12]
    for a, b, _ in rows:
        board.lines([[(x, a), (x, b)]], board.theme.ink, 1.1, 5)
        board.points([(x, a + 2 / abs(room.dy))], CARETUP, 4.5, board.theme.ink, board.theme.ink, 5, 0.0)
        board.points([(x, b - 2 / abs(room.dy))], CARETDOWN, 4.5, board.theme.ink, board.theme.ink, 5, 0.0)
        room.take(x, (a + b) / 2, 2, (b - a) / 2 * abs(room.dy) - 1)


def dimension_words(board: Board) -> None:
    """Their names and lengths."""
    tale, away = board.tale, -OUT[board.tale.hero]
    x, ha = board.rail(tale.hero) + away * 19, "left" if away > 0 else "right"
    for a, b, texts in timers(tale):
        if tale.shows(a) and tale.shows(b):
            board.room.put(texts, x, (a + b) / 2, [(away * 5, dy, ha, "center") for dy in (0, 5, -5, 10, -10)], 8, color=board.theme.ink)


def margins(board: Board) -> None:
    """What each end does and knows, beside its bar; moved down a little if it is crowded, with a line to its moment."""
    for end in ENDS:
        for t, text in notes(board.tale, end):
            _note(board, end, t, text)


def _note(board: Board, end: str, t: float, text: str) -> None:
    out, ha, edge = OUT[end], ALIGN[end], board.rail(end) + OUT[end] * BAR
    most = edge - 12 if end == "server" else board.room.right - edge - 9
    faint = text.startswith(("still", "believes"))
    colour = board.theme.on_belief if faint else board.theme.ink
    for size in (8.5, 7.5):
        lines = "\n".join(wrap(line, size, most) for line in text.split("\n"))
        if extent(lines, size)[0] > most + 1:
            continue
        for dy in [0, *(sign * step for step in range(4, 80, 4) for sign in (-1, 1))]:
            place: Place = (out * 7, dy, ha, "center")
            if board.room.put(lines, edge, t, [place], size, color=colour):
                if abs(dy) > extent(lines, size)[1] / 2 + 1:
                    y = t - dy / abs(board.room.dy)
                    board.lines([[(edge + out * 1, t), (edge + out * 5, y)]], board.theme.faint, 0.7, 1.8)
                return
