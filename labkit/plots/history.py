"""The lower panel of reservoirs: the bytes in each place over time, stacked, with the write limit, the cut, and when send() blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from . import reservoirs_words as words
from .fills import style
from .levels import Level, Levels
from .palette import BAND, Theme
from .room import FAMILY, Place, Room
from .tale import nice

ORDER = ("received", "queue", "wire", "buffer")  # from below
BOX = (0.085, 0.075, 0.775, 0.38)  # of the panel, in parts of the picture


def history(ax: Axes, theme: Theme, levels: Levels, t: float) -> None:
    """Draw the panel into the lower half of ``ax``."""
    panel, rows = ax.inset_axes(BOX), levels.history
    x, y = (levels.first, levels.last), reach(rows)
    panel.set_xlim(x)
    panel.set_ylim(y)
    room = Room(panel, x, y)
    room.left = 2  # beyond are the ticks
    _stack(panel, theme, rows, room)
    line = _limit(panel, theme, levels, rows, room)
    _marks(panel, theme, levels, room)
    panel.plot([t, t], y, color=theme.ink, lw=1.2, ls=(0, (1, 1.6)), zorder=5)
    room.take(t, sum(y) / 2, 1, room.top / 2)
    _axis(panel, theme, levels, room, t)
    _names(theme, levels, room, y)
    _blocked(panel, theme, levels, room)
    if line:
        room.put("write_limit", *line, [(2, 3, "left", "bottom"), (2, -3, "left", "top")], 8.5, color=theme.ink)


def reach(rows: list[Level]) -> tuple[float, float]:
    """The bytes that the panel shows: from 0, or from what was received before it begins."""
    top, start = max(row.handed for row in rows) or 1, rows[0].received
    low = start - 0.04 * (top - start) if rows[0].t > 0 else 0.0
    return low, low + (top - low) * 1.3


def _stack(panel: Axes, theme: Theme, rows: list[Level], room: Room) -> None:
    times, floor = [row.t for row in rows], [0] * len(rows)
    for place in ORDER:
        ceiling = [below + getattr(row, place) for below, row in zip(floor, rows)]
        face, edge, hatch = style(theme, place)
        panel.fill_between(times, floor, ceiling, step="post", fc=face, ec=edge, hatch=hatch, lw=0, zorder=2)
        floor = ceiling
    panel.step(times, floor, where="post", color=theme.ink, lw=1.3, zorder=3)
    _keep_off(room, times, [row.handed for row in rows], room.y0)


def _keep_off(room: Room, times: list[float], heights: Sequence[float], floor: float | None = None) -> None:
    """Keep words off what lies under a line of steps, or off the line alone."""
    for a, b, high in zip(times, times[1:], heights):
        low = high if floor is None else floor
        (left, bottom), (right, top) = room.point(a, min(low, high)), room.point(b, high)
        room.taken.append((left, bottom - 1, right, top + 1))


def _limit(panel: Axes, theme: Theme, levels: Levels, rows: list[Level], room: Room) -> tuple[float, float] | None:
    """Up to where the write buffer may fill, dashed, while there is something in it; gives where the line begins."""
    first = next((row.t for row in rows if row.buffer), None)
    if first is None:
        return None
    shown = [row for row in rows if row.t >= first]
    times, line = [row.t for row in shown], [row.handed - row.buffer + levels.limit for row in shown]
    panel.step(times, line, where="post", color=theme.ink, lw=1.2, ls=(0, (4, 2.5)), zorder=4)
    _keep_off(room, times, line)
    return first, line[0]


def _marks(panel: Axes, theme: Theme, levels: Levels, room: Room) -> None:
    """The cuts as bands, and when the peer stops reading, with words."""
    rows = [(cut.start, [f"cable cut at {cut.start:g} s", f"cut at {cut.start:g} s"], True) for cut in levels.trace.experiment.cuts]
    for event in levels.trace.select("act", levels.receiver):
        if event.data.get("act") == "StopReading" and event.data.get("step") == "begin":
            rows.append((event.t, [f"the {levels.receiver} stops reading at {event.t:g} s", "stops reading"], False))
    for cut in levels.trace.experiment.cuts:
        panel.axvspan(cut.start, min(levels.last, cut.heal or levels.last), color=theme.band, alpha=BAND, lw=0, zorder=1)
    (low, top), places = panel.get_ylim(), [(-5.0, -3.0, "right", "top"), (5.0, -3.0, "left", "top")]
    for t, texts, is_cut in rows:
        panel.plot([t, t], [low, top], color=theme.ink, lw=2.2 if is_cut else 1.2, ls="-" if is_cut else (0, (4, 2)), zorder=4)
        room.take(t, (low + top) / 2, 1.5, room.top / 2)
        room.put(texts, t, top, places, 8.5, color=theme.faint)


def _names(theme: Theme, levels: Levels, room: Room, y: tuple[float, float]) -> None:
    """What each layer is, at the right edge, beside its end."""
    last, below = levels.at(levels.end), 0
    ink = {"received": theme.on_belief, "queue": theme.on_belief, "wire": theme.stuck_words, "buffer": theme.ink}
    names = {"received": "received", "queue": "in the queue", "wire": "in the wire", "buffer": "in the write buffer"}
    for place in ORDER:
        count = getattr(last, place)
        bottom, below = max(y[0], below), below + count
        if count and below > y[0]:
            places: list[Place] = [(7, dy, "left", "center") for dy in (0, 5, -5, 10, -10, 15, -15)]
            room.put(names[place], levels.last, (bottom + below) / 2, places, 8.5, color=ink[place])


def _blocked(panel: Axes, theme: Theme, levels: Levels, room: Room) -> None:
    """The moment at which send() blocks, with its words."""
    if not levels.blocked:
        return
    t = levels.blocked[0][0]
    y = levels.at(t).handed
    panel.plot([t], [y], marker="o", ms=7, mfc=theme.paper, mec=theme.stuck, mew=2, zorder=7, clip_on=False)
    room.take(t, y, 5, 5)
    places: list[Place] = [(dx, dy, ha, "bottom") for dy in (7, 14, 22, 30) for dx, ha in ((-6, "right"), (6, "left"), (0, "center"))]
    for text in words.blocked_words(levels):
        if room.put(text, t, y, places, 8.5, color=theme.stuck_words):
            return


def _axis(panel: Axes, theme: Theme, levels: Levels, room: Room, t: float) -> None:
    """Seconds where something happens, bytes in round numbers."""
    cuts = [x for cut in levels.trace.experiment.cuts for x in (cut.at, cut.heal) if x is not None]
    placed: list[float] = []
    for x in [levels.first, t, *(a for a, _ in levels.blocked[:1]), *cuts, levels.end]:
        if levels.first <= x <= levels.last and all(abs(x - other) * room.dx > 26 for other in placed):
            placed.append(x)
    panel.set_xticks(placed, [f"{round(x, 2):g}" for x in placed], fontsize=9.5, family=FAMILY)
    low, high = panel.get_ylim()
    step = nice((high - low) / 4)
    ticks = [k * step for k in range(int(low / step), int(high / step) + 1) if k * step >= low]
    panel.set_yticks(ticks, ["0" if not x else words.many(round(x)).replace(".0 ", " ") for x in ticks], fontsize=8.5, family=FAMILY)
    panel.tick_params(colors=theme.ink, length=4, pad=2)
    for side, spine in panel.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.ink)
    panel.set_facecolor("none")
    style: dict[str, Any] = {"fontsize": 9, "color": theme.ink, "family": FAMILY, "labelpad": 2}
    panel.set_xlabel("seconds since the server was OPEN", loc="left", **style)
    version = levels.trace.header.get("versions", {}).get("websockets")
    source = " · ".join(filter(None, [f"websockets {version}" if version else "", levels.trace.header.get("wire", "")]))
    source = f"above: at {t:g} s (dotted)   {source}"
    panel.text(
        levels.first + room.right / room.dx,
        low - 25 / room.dy,
        source,
        fontsize=8,
        family=FAMILY,
        color=theme.faint,
        ha="right",
        va="center",
    )
