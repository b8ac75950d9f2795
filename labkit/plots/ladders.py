"""The ladder: time downwards, both ends as rails, and everything on the wire as rungs between them.

         server            client
    OPEN   ┃─PING 1f 8e 2a 07─→┃  OPEN
           ┃←PONG, the same────┃
    ━━━━━━━┃━━━━ cable cut ━━━━┃━━━━━━━━━━━━━━━
           ┃- - -✕ PING stuck  ┃  still OPEN:
    CLOSED ▯                   ┃  no ping, no CLOSE, no error

It turns a story into marks and runs nothing; its words are in ladder_words.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..trace import Story
from ..values.faults import ENDS
from . import ends
from . import ladder_words as words
from .arrows import BAR, EDGE, HIGH, OUT, RAIL, WIDE, WIRE, Arrows
from .axis import Axis
from .excerpt import Excerpt
from .figure import Figure, figure
from .labels import CENTRE, Places
from .layout import Panel
from .marks import Label, Mark, Path, Says
from .states import spans
from .timers import timers
from .widths import wrap
from .wire import thin

SIZE = (6.4, 7.2)  # inches
MARGINS = (48.0, 26.0, 8.0, 52.0)  # points at the left, bottom, right, top
LANES = tuple((end, RAIL[end] - BAR, RAIL[end] + BAR) for end in ENDS)
CUT: Places = tuple(  # where the words of a cut may stand, from the middle of the wire
    (x, y, "center", upright) for x in (0, 40, -40) for y, upright in ((-4, "top"), (4, "bottom"))
)


@figure
def ladder(
    trace: Story, *, since: float | None = None, until: float | None = None, handshake: bool = False
) -> Figure:
    """What crosses the wire, time downwards, from a trace or a prediction.

    ``since`` and ``until`` (s) show a part of the story; less than half a second is told in
    milliseconds. ``handshake`` begins with the opening handshake.
    """
    if not isinstance(trace, Story):
        raise TypeError(f"ladder() takes a trace or a prediction, seen {trace!r}")
    r = Excerpt(trace, begin=_begin(trace, since, handshake), last=until)
    if r.length <= 0:
        asked = f"seen since={since!r}, until={until!r} (s)"
        raise ValueError(f"a ladder goes from an earlier moment to a later one, {asked}")
    found = r.part(handshake)
    shown, thinned = thin(found)
    notes = {end: words.notes(r, end) for end in ENDS}
    marks = (
        *_rails(r),
        *_timers(r),
        *(mark for end in ENDS for mark in _notes(end, notes[end])),
        *ends.cuts(r, WIRE, CUT),
        *_unknown(r),
        *Arrows(r, shown).marks(),
        *(Says(says=says, known=t) for says, t in words.clauses(r, found, notes, thinned)),
        *_tries(r),
    )
    along = Axis(r.begin, r.horizon, ends.ticks(r, r.ticks), r.label, size=9.5)
    return Figure(
        words.finding(r, found),
        (Panel(along, Axis(0.0, WIDE), marks, LANES, down=True),),
        ends.source(r, (), thinned),
        kind=f"Ladder, time downwards, from {r.moment(r.begin)} to {r.moment(r.horizon)}",
        size=SIZE,
        margins=MARGINS,
        asks="What crosses the wire?",
        known=r.stop,
        lead=24.0,
        foot=13.0,
    )


def _begin(trace: Story, since: float | None, handshake: bool) -> float:
    """Where the axis begins (s): at 0, or at the opening handshake."""
    if since is not None or not handshake:
        return since or 0.0
    states = (row for end in ENDS for row in trace.states(end))
    return min([0.0, *(t for t, state in states if state == "CONNECTING")])


def _rails(r: Excerpt) -> Iterator[Mark]:
    """The states of both ends in this part of the story."""
    for end in ENDS:
        shown = (row for row in spans(r, end) if row.stop > r.begin and row.begin < r.horizon)
        parts = [
            replace(row, begin=max(row.begin, r.begin), stop=min(row.stop, r.horizon))
            for row in shown
        ]
        yield from ends.states(r, end, parts, words=False)


def _timers(r: Excerpt) -> Iterator[Mark]:
    """The timers that led to the end, beside the bar of the end whose they are."""
    away = -OUT[r.subject]
    x, align = RAIL[r.subject] + away * 19, "left" if away > 0 else "right"
    places = tuple((away * 5, dy, align, "center") for dy in (0.0, 5.0, -5.0, 10.0, -10.0))
    for a, b, texts in timers(r):
        if r.shows(a) and r.shows(b):
            yield Path(
                ((a, x), (b, x)), wide=1.1 if b - a > 12 * r.length / HIGH else 0.0, head="both",
                z=5.0, wordings=texts, places=places, sizes=(8.0,), known=b,
            )  # fmt: skip


def _notes(end: str, notes: list[tuple[float, str]]) -> Iterator[Mark]:
    """What an end does and knows, beside its bar, or near with a line to its moment."""
    out, edge = OUT[end], RAIL[end] + OUT[end] * BAR
    most = edge - 12 if end == "server" else WIDE - 5 - edge
    steps = [0.0, *(sign * step for step in range(4, 80, 4) for sign in (-1, 1))]
    places = tuple((out * 7, dy, "right" if out < 0 else "left", "center") for dy in steps)
    for t, text in notes:
        said = "\n".join(wrap(line, 8.5, most) for line in text.split("\n"))
        ink = "on_belief" if text.startswith(("still", "believes")) else "ink"
        yield Label(t, edge, leader=True, wordings=(said,), places=places, ink=ink, known=t)


def _tries(r: Excerpt) -> Iterator[Mark]:
    for end in ENDS:
        into, align = -OUT[end], "left" if end == "server" else "right"
        places: Places = ((into * 7, 0, align, "center"), (into * 7, -5, align, "center"))
        yield from ends.tries(r, end, EDGE[end] + 5 * into, "right", 3 * r.length / HIGH, places)


def _unknown(r: Excerpt) -> Iterator[Mark]:
    if r.unknown:
        text, middle = f"theory does not know: {r.unknown}", (r.begin + r.horizon) / 2
        words = (wrap(text, 9, 150),)
        says = ends.capital(text)
        yield Label(
            middle, WIRE, wordings=words, sizes=(9.0,), ink="faint", places=CENTRE, says=says
        )
