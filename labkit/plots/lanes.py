"""The lanes of an end, on matplotlib's Axes, for the figures that have not moved to marks yet."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.patches import Rectangle

from .room import FAMILY, Place, extent
from .sheet import Sheet
from .states import Span


def fill(sheet: Sheet, span: Span, low: float, high: float) -> None:
    """The fill of one state; see the palette for what it means."""
    theme, ax, box = sheet.theme, sheet.ax, ((span.begin, low), span.stop - span.begin, high - low)
    if span.state == "OPEN":
        face, height = (theme.belief, 2.1) if span.belief else (theme.open, 2.0)
        ax.add_patch(Rectangle(*box, fc=face, ec=theme.open, lw=1.4, zorder=height))
    elif span.state == "CLOSING":
        ax.add_patch(
            Rectangle(*box, fc=theme.closing, ec=theme.paper, hatch="////", lw=0, zorder=2.2)
        )
        ax.add_patch(Rectangle(*box, fc="none", ec=theme.closing, lw=1.4, zorder=2.3))
    else:
        ax.add_patch(
            Rectangle(
                *box,
                fc=theme.paper,
                ec=theme.ink,
                lw=1.2,
                ls=":" if span.state == "CONNECTING" else "-",
                zorder=2.4,
            )
        )


def leaving(sheet: Sheet, span: Span, y: float) -> None:
    """An arrow onwards from the end of a bar."""
    colour = sheet.theme.open if span.state == "OPEN" else sheet.theme.closing
    tip = {
        "arrowstyle": "-|>",
        "color": colour,
        "lw": 2.2,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 11,
    }
    sheet.ax.annotate(
        "",
        (span.stop + 19 / sheet.room.dx, y),
        (span.stop, y),
        arrowprops=tip,
        annotation_clip=False,
        zorder=5,
    )
    sheet.room.take(span.stop + 9 / sheet.room.dx, y, 10, 6)


def inside(sheet: Sheet, span: Span, low: float, high: float, texts: Sequence[str] = ()) -> bool:
    """The state's name in its part of a bar, or the first of ``texts`` that fits there; False if nothing does."""
    theme, wide, room = sheet.theme, (span.stop - span.begin) * sheet.room.dx, sheet.room
    colour = {
        "OPEN": theme.on_belief if span.belief else theme.on_open,
        "CLOSING": theme.on_closing,
    }.get(span.state, theme.ink)
    card = (
        {"facecolor": theme.closing, "edgecolor": "none", "pad": 1.5}
        if span.state == "CLOSING"
        else None
    )
    weight = "normal" if span.belief else "bold"
    for text in [
        *texts,
        *(
            [span.belief, "believes OPEN", "believes\nOPEN", "OPEN?"]
            if span.belief
            else [span.state]
        ),
    ]:
        for size in (10, 9, 8.5) if text in texts else (10, 9, 8, 7):
            w, h = extent(text, size, not span.belief)
            if w + 4 <= wide and h <= (high - low) * room.dy:
                at, font = (
                    ((span.begin + span.stop) / 2, (low + high) / 2),
                    {"size": size, "weight": weight, "family": FAMILY},
                )
                sheet.ax.text(
                    *at,
                    text,
                    color=colour,
                    ha="center",
                    va="center",
                    bbox=card,
                    zorder=3,
                    linespacing=1.0,
                    fontdict=font,
                )
                return True
    return False


def outside(sheet: Sheet, span: Span, low: float, high: float) -> None:
    """The state's name above or below its part of a bar."""
    half = (high - low) / 2 * sheet.room.dy + 2
    places: list[Place] = [(0, half, ha, "bottom") for ha in ("center", "left", "right")]
    places += [(0, -half, ha, "top") for ha in ("center", "left", "right")]
    colour = sheet.theme.on_belief if span.belief else sheet.theme.ink
    sheet.room.put(
        span.belief or span.state,
        (span.begin + span.stop) / 2,
        (low + high) / 2,
        places,
        8,
        color=colour,
    )
