"""The ladder: time downwards, both ends as rails, and everything on the wire as rungs between them. It runs nothing.

         server            client
    OPEN   ┃─PING 1f 8e 2a 07─→┃  OPEN
           ┃←PONG, the same────┃
    ━━━━━━━┃━━━━ cable cut ━━━━┃━━━━━━━━━━━━━━━
           ┃- - -✕ PING stuck  ┃  still OPEN:
    CLOSED ▯                   ┃  no ping, no CLOSE, no error

What is drawn is decided in excerpt.py and rungs.py and said in ladder_words.py; rails.py and arrows.py draw it.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from ..trace import Story
from . import frame, ladder_words, palette, picture
from .arrows import arrow_words, arrows
from .beats import thin
from .excerpt import Excerpt
from .rails import Board, banners, bars, cuts, dimension_words, dimensions, margins
from .room import FAMILY, Room, wrap
from .rungs import Rung, rungs

SIZE = (6.4, 7.2)  # inches
MARGINS = (48.0, 26.0, 8.0, 52.0)  # points at the left, bottom, right, top


def ladder(
    trace: Story,
    *,
    since: float | None = None,
    until: float | None = None,
    handshake: bool = False,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw what crosses the wire, time downwards, from a trace or a prediction, and return the Axes.

    ``since`` and ``until`` (s) show a part of the story; a part of less than half a second is told in milliseconds.
    ``handshake`` begins with the opening handshake. ``theme`` is "light" or "dark", ``size`` in inches.
    """
    if not isinstance(trace, Story):
        raise TypeError(f"ladder() takes a trace or a prediction, seen {trace!r}")
    colours = palette.theme(theme)
    tale = Excerpt(trace, since=_begin(trace, since, handshake), last=until)
    if tale.length <= 0:
        raise ValueError(f"a ladder goes from an earlier moment to a later one, seen since={since!r}, until={until!r} (s)")
    ax = ax if ax is not None else picture.new(size or SIZE, colours, MARGINS)
    board = _board(ax, tale, colours)
    found = rungs(tale, handshake)
    shown, thinned = thin(found)
    _draw(board, shown, handshake)
    _axis(board)
    frame.title(board.ax, colours, ladder_words.finding(tale, found), board.room.right, pad=22)  # above the names of the ends
    _footer(board, thinned)
    ax.alt = ladder_words.alt_text(tale, found, thinned)  # type: ignore[attr-defined]
    return ax


def _begin(trace: Story, since: float | None, handshake: bool) -> float:
    """Where the axis begins (s): at 0, or at the opening handshake."""
    if since is not None:
        return since
    opening = [t for end in ("server", "client") for t, state in trace.states(end) if state == "CONNECTING"]
    return min([0.0, *opening]) if handshake else 0.0


def _board(ax: Axes, tale: Excerpt, theme: palette.Theme) -> Board:
    figure = ax.get_figure(root=True)
    assert figure is not None
    wide = ax.bbox.width * 72 / figure.dpi
    ax.set_xlim(0, wide)
    ax.set_ylim(tale.horizon, tale.since)
    room = Room(ax, (0, wide), (tale.horizon, tale.since))
    room.top += 4
    room.taken.append((room.left - 50, -50, 0, room.top + 50))  # the ticks
    return Board(tale, ax, room, theme)


def _draw(board: Board, shown: list[Rung], handshake: bool) -> None:
    """Marks first, then words where there is room."""
    cuts(board)
    bars(board, handshake)
    groups = arrows(board, shown)
    dimensions(board)
    margins(board)
    banners(board)
    arrow_words(board, groups)
    dimension_words(board)
    if board.tale.unknown:
        text = wrap(f"theory does not know: {board.tale.unknown}", 9, 150)
        middle = (board.tale.since + board.tale.horizon) / 2
        board.room.put(text, board.rail("wire"), middle, [(0, 0, "center", "center")], 9, color=board.theme.faint)


def _axis(board: Board) -> None:
    """A time axis, downwards, whose ticks stand where something happens, the weightier first, as many as have room."""
    ax, tale, theme, scale = board.ax, board.tale, board.theme, abs(board.room.dy)
    placed: dict[float, str] = {}
    for t, _ in sorted(set(tale.ticks), key=lambda row: (row[1], row[0])):
        if all(abs(t - other) * scale > 12 for other in placed):
            placed[t] = tale.tick(t)
    ax.set_yticks(list(placed), list(placed.values()), fontsize=9.5, family=FAMILY)
    ax.tick_params(axis="y", colors=theme.ink, length=4, pad=2)
    ax.set_xticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    if isinstance(ax, picture.Picture):
        ax.set_facecolor("none")
    ax.set_ylabel(tale.label, loc="bottom", fontsize=9, color=theme.ink, family=FAMILY, labelpad=3)


def _footer(board: Board, thinned: str) -> None:
    """What was left out, and what the story was recorded with; at the right, below."""
    header = board.tale.header
    version = header.get("versions", {}).get("websockets")
    source = [f"websockets {version}"] if version else []
    source += [header["wire"]] if header.get("wire") else ["theory, nothing was run"] * board.tale.is_theory
    text = "   ".join(filter(None, [thinned, " · ".join(source)]))
    y = board.tale.horizon + 13 / abs(board.room.dy)
    board.ax.text(board.wide, y, text, fontsize=8, family=FAMILY, color=board.theme.faint, ha="right", va="center", clip_on=False)
