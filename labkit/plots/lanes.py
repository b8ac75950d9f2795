"""The lanes of both ends, the cuts across all lanes, and the dimension arrows. Draws what a Tale says; words come after marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.patches import Rectangle

from ..faults import Cut
from .palette import BAND
from .room import FAMILY, Place, extent
from .sheet import ARROWS, BANNER, BAR, HEIGHT, VERDICT, WIRE, Sheet
from .states import Span, spans
from .timers import dimensions as timers
from .words import band_words


def cuts(sheet: Sheet) -> None:
    """A grey band from each cut to its heal, a strong line where it begins, a dashed one where it ends."""
    ax, room, ink, last = sheet.ax, sheet.room, sheet.theme.ink, sheet.tale.horizon
    for cut in sheet.tale.cuts:
        at, heal = cut.at or 0.0, last if cut.heal is None else min(cut.heal, last)
        ax.add_patch(Rectangle((at, 0), heal - at, HEIGHT, fc=sheet.theme.band, alpha=BAND, lw=0, zorder=0))
        sheet.lines([[(at, 0), (at, HEIGHT)]], ink, 2.4, 4)
        room.take(at, HEIGHT / 2, 1.5, HEIGHT / 2 * room.dy)
        if cut.heal is not None and cut.heal <= last:
            sheet.lines([[(heal, 0), (heal, HEIGHT)]], ink, 1.3, 1.9, (0, (4, 3)))
            room.take(heal, HEIGHT / 2, 1.0, HEIGHT / 2 * room.dy)


def banners(sheet: Sheet) -> None:
    """ "cable cut at 9 s: nothing gets through", "healed at 14 s"."""
    tale, room = sheet.tale, sheet.room
    style: dict[str, Any] = {"color": sheet.theme.faint}
    inside: list[Place] = [(5, 0, "left", "center"), (5, -12, "left", "center")]
    before: list[Place] = [(-5, 0, "right", "center"), (-5, -12, "right", "center")]
    for cut in tale.cuts:
        if cut.heal is not None and cut.heal <= tale.horizon:
            room.put([f"healed at {tale.neat(cut.heal)} s", "healed"], cut.heal, BANNER, inside, 9, **style)
    for cut in tale.cuts:
        at, texts = cut.at or 0.0, band_words(tale, cut)
        tries = ((_that_fit(sheet, cut, texts), inside), (texts, before + inside))
        any(room.put(some, at, BANNER, places, 9, **style) for some, places in tries)


def _that_fit(sheet: Sheet, cut: Cut, texts: list[str]) -> list[str]:
    """The words that end before the heal."""
    wide = ((cut.heal or sheet.tale.horizon) - (cut.at or 0.0)) * sheet.room.dx
    return [text for text in texts if cut.heal is None or extent(text, 9)[0] < wide - 8]


def names(sheet: Sheet) -> None:
    """What each lane is, at its left."""
    for name, y in (("server", 148.0), ("wire", WIRE), ("client", 60.0), ("verdict", VERDICT)):
        sheet.room.put(name, 0, y, [(-6, 0, "right", "center")], 10.5, color=sheet.theme.ink)


def bar(sheet: Sheet, end: str) -> None:
    """One end's states; an arrow leaves the edge if nothing has ended it by then."""
    low, high = BAR[end]
    row = spans(sheet.tale, end)
    if not row:
        return
    sheet.room.take_span(row[0].begin, row[-1].stop, (low + high) / 2, (high - low) / 2 * sheet.room.dy)
    for span in row:
        fill(sheet, span, low, high)
    if row[-1].state in ("OPEN", "CLOSING") and not sheet.tale.is_asked:
        leaving(sheet, row[-1], (low + high) / 2)


def fill(sheet: Sheet, span: Span, low: float, high: float) -> None:
    """The fill of one state; see the palette for what it means."""
    theme, ax, box = sheet.theme, sheet.ax, ((span.begin, low), span.stop - span.begin, high - low)
    if span.state == "OPEN":
        face, height = (theme.belief, 2.1) if span.belief else (theme.open, 2.0)
        ax.add_patch(Rectangle(*box, fc=face, ec=theme.open, lw=1.4, zorder=height))
    elif span.state == "CLOSING":
        ax.add_patch(Rectangle(*box, fc=theme.closing, ec=theme.paper, hatch="////", lw=0, zorder=2.2))
        ax.add_patch(Rectangle(*box, fc="none", ec=theme.closing, lw=1.4, zorder=2.3))
    else:
        ax.add_patch(Rectangle(*box, fc=theme.paper, ec=theme.ink, lw=1.2, ls=":" if span.state == "CONNECTING" else "-", zorder=2.4))


def leaving(sheet: Sheet, span: Span, y: float) -> None:
    """An arrow onwards from the end of a bar."""
    colour = sheet.theme.open if span.state == "OPEN" else sheet.theme.closing
    tip = {"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 11}
    sheet.ax.annotate("", (span.stop + 19 / sheet.room.dx, y), (span.stop, y), arrowprops=tip, annotation_clip=False, zorder=5)
    sheet.room.take(span.stop + 9 / sheet.room.dx, y, 10, 6)


def bar_words(sheet: Sheet, end: str) -> None:
    """Each state's name in its part of the bar, or beside it where that is too short."""
    for span in spans(sheet.tale, end):
        if not inside(sheet, span, *BAR[end]):
            outside(sheet, span, *BAR[end])


def inside(sheet: Sheet, span: Span, low: float, high: float, texts: Sequence[str] = ()) -> bool:
    """The state's name in its part of a bar, or the first of ``texts`` that fits there; False if nothing does."""
    theme, wide, room = sheet.theme, (span.stop - span.begin) * sheet.room.dx, sheet.room
    colour = {"OPEN": theme.on_belief if span.belief else theme.on_open, "CLOSING": theme.on_closing}.get(span.state, theme.ink)
    card = {"facecolor": theme.closing, "edgecolor": "none", "pad": 1.5} if span.state == "CLOSING" else None
    weight = "normal" if span.belief else "bold"
    for text in [*texts, *([span.belief, "believes OPEN", "believes\nOPEN", "OPEN?"] if span.belief else [span.state])]:
        for size in (10, 9, 8.5) if text in texts else (10, 9, 8, 7):
            w, h = extent(text, size, not span.belief)
            if w + 4 <= wide and h <= (high - low) * room.dy:
                at, font = ((span.begin + span.stop) / 2, (low + high) / 2), {"size": size, "weight": weight, "family": FAMILY}
                sheet.ax.text(*at, text, color=colour, ha="center", va="center", bbox=card, zorder=3, linespacing=1.0, fontdict=font)
                return True
    return False


def outside(sheet: Sheet, span: Span, low: float, high: float) -> None:
    """The state's name above or below its part of a bar."""
    half = (high - low) / 2 * sheet.room.dy + 2
    places: list[Place] = [(0, half, ha, "bottom") for ha in ("center", "left", "right")]
    places += [(0, -half, ha, "top") for ha in ("center", "left", "right")]
    colour = sheet.theme.on_belief if span.belief else sheet.theme.ink
    sheet.room.put(span.belief or span.state, (span.begin + span.stop) / 2, (low + high) / 2, places, 8, color=colour)


def dimensions(sheet: Sheet) -> None:
    """The timers that led to the end, as arrows with their lengths; the last one's words may stand beside it."""
    room = sheet.room
    style: dict[str, Any] = {"color": sheet.theme.ink}
    rows = [row for row in timers(sheet.tale) if (row[1] - row[0]) * room.dx > 9]
    sheet.arrows([(a, b) for a, b, _ in rows], ARROWS, sheet.theme.ink)
    for a, b, _ in rows:
        room.take_span(a, b, ARROWS, 1)
    above: list[Place] = [(0, 4, "center", "bottom")]
    beside: list[Place] = [(6, -4, "left", "bottom")]
    for a, b, texts in rows:
        middle, near = (a + b) / 2, [text for text in texts[:-1] if extent(text, 8.5)[0] <= (b - a) * room.dx + 24]
        if room.put(near, middle, ARROWS, above, 8.5, pad=1, **style):
            continue
        if b != rows[-1][1] or not room.put(texts, b, ARROWS, beside, 8.5, **style):
            room.put(texts[-1:], middle, ARROWS, above, 8.5, pad=1, **style)
