"""The timeline: who was in which state when, what crossed the wire, what got stuck, and the verdict. It runs nothing.

    ←3 s to the next ping→←ping_timeout→←close_timeout→     dimensions
    server   OPEN ━━━━━━━━┃ believes OPEN │ CLOSING │ CLOSED
    wire        ▼△     ▼△ ┃      ✕ PING stuck
    client   OPEN ━━━━━━━━┃ believes OPEN ───────────────→
    verdict               ┃   ★←──→◈ noticed 15.0 s

What is drawn is decided in tale.py and said in words.py; lanes.py, wire.py and verdict.py draw it on a sheet; room.py keeps
words apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes

from ..experiment import Experiment
from ..faults import ENDS
from ..trace import OTHER, Event, Story
from . import frame, palette, picture, words
from .lanes import banners, bar, bar_words, cuts, dimensions, names
from .room import FAMILY, Room, width
from .sheet import HEIGHT, WIRE, Sheet
from .tale import Tale
from .verdict import verdict
from .wire import wire, wire_words

SIZE = (9.0, 3.9)  # inches
LABEL = "seconds since the server was OPEN"


def timeline(
    trace: Story,
    prediction: Story | None = None,
    guess: Any = None,
    *,
    until: float | None = None,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw a trace (or a prediction alone), beside what theory predicts and a guess, and return the Axes.

    ``guess`` is when the server notices, in seconds, or a value with ``.seconds`` and ``.label``. ``until`` (s) draws the story
    up to a moment, then "?". ``theme`` is "light" or "dark", ``size`` in inches. As a cell's last value the Axes shows itself,
    with its alt text; drawn into an ``ax`` of your own, showing is yours.
    """
    if not isinstance(trace, Story):
        raise TypeError(f"timeline() takes a trace or a prediction, seen {trace!r}; for an Experiment there is setup()")
    if prediction is not None and not isinstance(prediction, Story):
        raise TypeError(f"timeline() takes a prediction beside the trace, seen {prediction!r}; a guess is given as guess=…")
    return _draw(trace, prediction, _guess(guess), until, ax, theme, size)


def setup(
    experiment: Experiment,
    guess: Any = None,
    *,
    ax: Axes | None = None,
    theme: str = "light",
    size: tuple[float, float] | None = None,
) -> Axes:
    """Draw an experiment before it is run: what is known up to its first act, then "?". The other arguments are timeline's."""
    if not isinstance(experiment, Experiment):
        raise TypeError(f"setup() takes an Experiment(…), seen {experiment!r}; a trace is drawn by timeline()")
    known = Known(experiment)
    return _draw(known, None, _guess(guess), known.end, ax, theme, size)


def alt_text(trace: Story, prediction: Story | None = None, guess: Any = None, until: float | None = None) -> str:
    """The timeline of a trace in words."""
    said = _guess(guess)
    return words.alt_text(Tale(trace, until, said[0] if said else 0.0), prediction, said)


@dataclass
class Known(Story):
    """What is sure about an experiment before it is run: OPEN on both sides, and pings with their pongs until the first act."""

    experiment: Experiment
    events: list[Event] = field(init=False)
    end: float = field(init=False)  # s

    def __post_init__(self) -> None:
        acts = [act.at for act in self.experiment.faults if act.at is not None]
        longest = max((p.ping_interval or 0.0 for p in (self.experiment.server, self.experiment.client)), default=0.0)
        self.end = float(min(acts)) if acts else 2.5 * longest or 10.0
        self.events = sorted([*self._states(), *self._pings()], key=lambda event: event.t)

    def _states(self) -> list[Event]:
        late = {"server": 0.0, "client": self.experiment.latency}
        return [Event(t, end, "theory", "state", {"state": "OPEN"}) for end, t in late.items()]

    def _pings(self) -> list[Event]:
        found, way = [], self.experiment.latency
        for end, start in (("server", 0.0), ("client", way)):
            interval = self.experiment.peer(end).ping_interval
            for k in range(1, int(min(10_000, (self.end - start) / interval if interval else 0)) + 1):
                t = start + k * (interval or 0.0)
                if t < self.end:
                    found += [_frame(t, end, "PING", way), _frame(t + way, OTHER[end], "PONG", way)]
        return [event for event in found if event.t < self.end]


def _frame(t: float, sender: str, opcode: str, way: float) -> Event:
    return Event(t, "wire", "theory", "frame", {"sender": sender, "opcode": opcode, "arrived_at": t + way})


def _guess(guess: Any) -> tuple[float, str] | None:
    """A guess as (seconds, its name), or None if there is nothing to draw."""
    seconds = getattr(guess, "seconds", guess)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < math.inf:
        return None
    return float(seconds), str(getattr(guess, "label", "") or "your guess")


def _draw(
    story: Story,
    prediction: Story | None,
    guess: tuple[float, str] | None,
    until: float | None,
    ax: Axes | None,
    theme_name: str,
    size: tuple[float, float] | None,
) -> Axes:
    theme = palette.theme(theme_name)
    reach = [guess[0] if guess else 0.0]
    if prediction is not None and until is None and not getattr(prediction, "unknown", None):
        reach += [t for end in ("server", "client") if (t := prediction.told_at(end)) is not None and math.isfinite(t)]
    tale = Tale(story, until, max(reach))
    ax = ax if ax is not None else picture.new(size or SIZE, theme)
    ax.set_xlim(0, tale.horizon)
    ax.set_ylim(0, HEIGHT)
    sheet = Sheet(tale, ax, Room(ax, (0, tale.horizon), (0, HEIGHT)), theme)
    _axis(sheet)
    thinned = _lanes(sheet)
    used = verdict(sheet, prediction, guess)
    if tale.is_asked:
        _question_mark(sheet)
    frame.title(ax, theme, words.finding(tale), sheet.room.right)
    _footer(sheet, used, thinned)
    ax.alt = words.alt_text(tale, prediction, guess)  # type: ignore[attr-defined]
    return ax


def _lanes(sheet: Sheet) -> str:
    """Everything above the verdict: marks first, then words where there is room. Gives what was left out, in words."""
    cuts(sheet)
    names(sheet)
    for end in ENDS:
        bar(sheet, end)
    thinned = wire(sheet)
    banners(sheet)
    dimensions(sheet)
    for end in ENDS:
        bar_words(sheet, end)
    wire_words(sheet)
    return thinned


def _axis(sheet: Sheet) -> None:
    """A time axis whose ticks stand where something happens, the weightier first, as many as have room."""
    ax, tale, theme = sheet.ax, sheet.tale, sheet.theme
    placed: list[tuple[float, float, str]] = []
    for t, _ in sorted(set(_regular(tale, sheet.room.dx)), key=lambda row: (row[1], row[0])):
        text = tale.neat(t)
        x, half = t * sheet.room.dx, width(text, 10) / 2 + 3
        if 0 <= t <= tale.horizon and all(abs(x - other) > half + reach for other, reach, _ in placed):
            placed.append((x, half, text))
    placed.sort()
    ax.set_xticks([x / sheet.room.dx for x, _, _ in placed], [text for _, _, text in placed], fontsize=10, family=FAMILY)
    ax.tick_params(axis="x", colors=theme.ink, length=4, pad=2)
    ax.set_yticks([])
    frame.lines(ax, theme)
    ax.set_xlabel(LABEL, loc="left", fontsize=9.5, color=theme.ink, family=FAMILY, labelpad=2)


def _regular(tale: Tale, scale: float) -> list[tuple[float, int]]:
    """The ticks, of too many pings only every n-th, so that they stand at equal distances; ``scale`` is in points a second."""
    pings = sorted({t for t, weight in tale.ticks if weight >= 4})
    crowd = (len(pings) - 1) * 26 / max(1.0, (pings[-1] - pings[0]) * scale) if len(pings) > 1 else 0.0
    step = next((k * ten for ten in (1, 10, 100, 1000, 10**4) for k in (1, 2, 5) if k * ten >= crowd), 10**5)
    keep = set(pings[step - 1 :: step])
    return [(t, weight) for t, weight in tale.ticks if weight < 4 or t in keep]


def _footer(sheet: Sheet, used: set[str], thinned: str) -> None:
    """The marks that occur, what was left out, and what the story was recorded with; at the right, under the axis."""
    header, theme = sheet.tale.header, sheet.theme
    version = header.get("versions", {}).get("websockets")
    source = [f"websockets {version}"] if version else []
    if header.get("wire"):
        source.append(header["wire"])
    elif sheet.tale.is_theory and not sheet.tale.is_asked:
        source.append("nothing was run")
    colours = {"guess": theme.guess, "theory": theme.theory, "observed": theme.ink}
    parts = [(f"{glyph} {kind}", colours[kind]) for kind, glyph in palette.MARKS.items() if kind in used]
    parts += [(text, theme.faint) for text in (thinned, " · ".join(source)) if text]
    x = sheet.tale.horizon + min(18.0, sheet.room.right - sheet.tale.horizon * sheet.room.dx) / sheet.room.dx
    for text, colour in reversed(parts):
        sheet.ax.text(x, -22 / sheet.room.dy, text, fontsize=8.5, family=FAMILY, color=colour, ha="right", va="center", clip_on=False)
        x -= (width(text, 8.5) + 11) / sheet.room.dx


def _question_mark(sheet: Sheet) -> None:
    """A big friendly "?" where the story is not told yet."""
    tale = sheet.tale
    heal = next((cut.heal for cut in tale.cuts if cut.heal is not None and tale.stop < cut.heal < tale.horizon), tale.horizon)
    x, size = (tale.stop + heal) / 2, min(76 * sheet.room.dy, (heal - tale.stop) * sheet.room.dx)
    style: dict[str, Any] = {"weight": "bold", "family": FAMILY, "color": sheet.theme.faint}
    sheet.ax.text(x, WIRE, "?", fontsize=max(size, 20), ha="center", va="center", **style)
