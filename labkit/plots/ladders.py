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

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..trace import Story
from ..values.faults import ENDS
from . import ends
from . import ladder_words as words
from .axis import Axis
from .excerpt import Excerpt
from .figure import Figure, figure
from .labels import CENTRE, Place
from .layout import Panel
from .marks import DASHED, DOTTED, Dot, Label, Mark, Path, Says
from .rungs import Rung, beats, counted, rungs, thin
from .states import spans
from .widths import wrap

SIZE, MARGINS = (
    (6.4, 7.2),
    (48.0, 26.0, 8.0, 52.0),
)  # inches; points at the left, bottom, right, top
WIDE, HIGH = 404.8, 440.4  # points of the area at the usual size; the axis across counts these
RAIL = {"server": 0.285 * WIDE, "client": 0.735 * WIDE}
BAR = 5.0  # half the width of a bar
LANES = tuple((end, RAIL[end] - BAR, RAIL[end] + BAR) for end in ENDS)
OUT = {"server": -1.0, "client": 1.0}  # the way to an end's margin
EDGE = {end: RAIL[end] - OUT[end] * BAR for end in ENDS} | {
    "wire": sum(RAIL.values()) / 2
}  # inner edges
CUT: tuple[Place, ...] = tuple(  # where the words of a cut may stand, from the middle of the wire
    (x, y, "center", upright) for x in (0, 40, -40) for y, upright in ((-4, "top"), (4, "bottom"))
)
NEAR = 0.01  # of the axis; a round trip below is one arrow
FEW = 12  # of a kind; of more only the first is called by name
LOOK = {  # an arrow's colour, its words', and how wide it is; else faint and thin
    "PING": ("ping", "ping_words", 1.4),
    "PONG": ("ping", "ping_words", 1.4),
    "CLOSE": ("ink", "ink", 1.7),
    "FIN": ("ink", "ink", 1.0),
    "RST": ("ink", "ink", 1.0),
}


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
    found = rungs(r, handshake)
    shown, thinned = thin(found)
    marks = [
        *_rails(r),
        *_timers(r),
        *_notes(r),
        *ends.cuts(r, EDGE["wire"], CUT),
        *_unknown(r),
        *Arrows(r, shown).marks(),
        *_says(r, found, thinned),
    ]
    return Figure(
        words.finding(r, found),
        (Panel(_axis(r), Axis(0.0, WIDE), tuple(marks), LANES, down=True),),
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


def _axis(r: Excerpt) -> Axis:
    return Axis(r.begin, r.horizon, ends.ticks(r, r.ticks), r.label, size=9.5)


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
    for a, b, texts in ends.timers(r):
        if r.shows(a) and r.shows(b):
            long = (b - a) / r.length * HIGH > 12
            look: dict[str, Any] = {
                "wordings": texts,
                "places": places,
                "sizes": (8.0,),
                "known": b,
            }
            yield Path(((a, x), (b, x)), wide=1.1 if long else 0.0, head="both", z=5.0, **look)


def _notes(r: Excerpt) -> Iterator[Mark]:
    """What each end does and knows, beside its bar, or near with a line to its moment."""
    for end in ENDS:
        out, edge = OUT[end], RAIL[end] + OUT[end] * BAR
        most = edge - 12 if end == "server" else WIDE + 4 - edge - 9
        steps = [0.0, *(sign * step for step in range(4, 80, 4) for sign in (-1, 1))]
        places = tuple((out * 7, dy, "right" if out < 0 else "left", "center") for dy in steps)
        for t, text in words.notes(r, end):
            said = "\n".join(wrap(line, 8.5, most) for line in text.split("\n"))
            ink = "on_belief" if text.startswith(("still", "believes")) else "ink"
            yield Label(t, edge, leader=True, wordings=(said,), places=places, ink=ink, known=t)


def _unknown(r: Excerpt) -> Iterator[Mark]:
    if r.unknown:
        text = f"theory does not know: {r.unknown}"
        look: dict[str, Any] = {"sizes": (9.0,), "ink": "faint", "places": CENTRE}
        yield Label((r.begin + r.horizon) / 2, EDGE["wire"], wordings=(wrap(text, 9, 150),), **look)


def _says(r: Excerpt, found: list[Rung], thinned: str) -> Iterator[Mark]:
    """The clauses: cuts, rungs in time, what each end does and knows."""
    if r.unknown:
        yield Says(says=f"Theory does not know: {r.unknown}")
    for cut in r.cuts:
        if r.shows(cut.at):
            yield Says(says=ends.cut_words(r, cut), known=cut.at or 0.0)
    for one in found[:40]:
        yield Says(says=words.rung(r, one), known=one.stop)
    if len(found) > 40:
        yield Says(says=f"And {len(found) - 40:,} more arrows", known=r.stop)
    for end in ENDS:
        for number, (t, text) in enumerate(words.notes(r, end)):
            start = ", then " if number else f"{end.capitalize()}: "
            yield Says(says=f"{start}{words.one_line(text)} at {r.moment(t)}", known=t)
    if thinned:
        yield Says(says=ends.capital(thinned), known=r.stop)


class Arrows:
    """The rungs as arrows: sloped by their latency, stuck ones half-way, with words along them."""

    def __init__(self, r: Excerpt, shown: list[Rung]) -> None:
        self.r, self.scale = r, HIGH / r.length  # points a second
        self.groups = beats(shown, NEAR * r.length)
        self.many = Counter(map(_alike, self.groups))
        self.stops = sorted(g[0].stop for g in self.groups if not g[0].stuck)
        late = [
            g for g in self.groups if g[0].stuck and g[0].arrived is not None and not g[0].is_data
        ]
        rows = {end: [id(g) for g in late if g[0].sender == end] for end in ENDS}
        self.late = {key: k for row in rows.values() for k, key in enumerate(row[:6])}

    def marks(self) -> Iterator[Mark]:
        """What matters first: its words are the first to find room."""
        seen: Counter[Any] = Counter()
        last = dict.fromkeys(ENDS, -math.inf)  # when the last stuck message that is drawn was sent
        for group in sorted(self.groups, key=_weight):
            first, kind = group[0], _alike(group)
            seen[kind] += 1
            many = self.many[kind] > FEW or (first.stuck and first.is_data)
            named = seen[kind] == 1 or not many
            if not first.stuck:
                yield from self._arrow(group, named)
            elif not first.is_data or (first.sent - last[first.sender]) * self.scale >= 9:
                last[first.sender] = first.sent if first.is_data else last[first.sender]
                yield from self._stuck(group, named)

    def _arrow(self, group: list[Rung], named: bool) -> Iterator[Mark]:
        first, known = group[0], max(one.stop for one in group)
        main = "CLOSE" if any(one.opcode == "CLOSE" for one in group) else first.opcode
        colour, ink, wide = LOOK.get(main, ("faint", "faint", 1.0))
        look: dict[str, Any] = {"colour": colour, "ink": ink, "known": known}
        start, goal, said = EDGE[first.sender], EDGE[first.receiver], counted(group)
        if first.sender == "wire":
            for one in group:
                way = ((one.sent, start), (one.sent, EDGE[one.receiver]))
                yield Path(way, wide=wide, head="to", **look)
            across = tuple((first.sent, EDGE[end]) for end in ENDS)
            yield Path(across, wide=0, wordings=first.words, above=True, **look)
        elif len(group) == 1:
            above, texts = main in ("PING", "CLOSE", "HTTP"), first.words if named else ()
            way = ((first.sent, start), (first.stop, goal))
            yield Path(way, wide=wide, head="to", wordings=texts, above=above, **look)
        else:  # one level arrow for all of them
            middle, senders = (first.sent + known) / 2, {one.sender for one in group}
            way, head = ((middle, start), (middle, goal)), "both" if len(senders) > 1 else "to"
            texts = (said[0], main) if named else ()
            yield Path(way, wide=wide, head=head, wordings=texts, above=True, **look)
            if named and said[1:]:
                below = wrap("; ".join(said[1:]), 8, abs(goal - start) - 16)
                yield Path(way, wide=0, wordings=(below,), above=False, **look)

    def _stuck(self, group: list[Rung], named: bool) -> Iterator[Mark]:
        """Dashed to half-way with a ✕; dotted on to where and when it arrives, if it does."""
        r, first, half = self.r, group[0], self.r.latency / 2
        (y, x), away = self._cross(group), OUT[first.receiver]
        yield Path(((y - half, EDGE[first.sender]), (y, x)), "stuck", 1.5, DASHED, known=first.sent)
        if first.arrived is not None and first.arrived <= r.horizon and not first.is_data:
            drop = max(y, first.arrived - half)
            look: dict[str, Any] = {"dash": DOTTED, "known": first.arrived, "z": 2.9}
            yield Path(((y, x), (drop, x)), "stuck", 1.3, **look)
            yield Path(
                ((drop, x), (first.arrived, EDGE[first.receiver])), "stuck", 1.3, head="to", **look
            )
        rows: tuple[float, ...] = (0, 7, -7, 12, -12, 20, -20)
        align = "left" if away > 0 else "right"
        places: tuple[Place, ...] = tuple((away * 8, dy, align, "center") for dy in rows)
        texts = words.stuck(r, group, self.many[_alike(group)]) if named else ()
        yield Dot(y, x, "stuck", wordings=texts, places=places, ink="stuck_words", known=first.sent)

    def _cross(self, group: list[Rung]) -> tuple[float, float]:
        """Where a ✕ stands: half-way; messages sooner; what arrives later a little apart."""
        first, r = group[0], self.r
        start, goal = EDGE[first.sender], EDGE[first.receiver]
        near = bisect_left(self.stops, first.sent - 4 / self.scale)
        met = near < len(self.stops) and self.stops[near] < first.sent + 4 / self.scale
        t = first.sent + r.latency / 2 + (5 / self.scale if met else 0.0)
        apart = 10.0 * OUT[first.receiver] * self.late.get(id(group), 0)
        return min(t, r.horizon), start + (goal - start) * (0.3 if first.is_data else 0.5) + apart


def _alike(group: list[Rung]) -> tuple[bool, str, str]:
    """What arrows have in common that need their words only once."""
    return group[0].stuck, group[0].sender, group[0].name


def _weight(group: list[Rung]) -> tuple[bool, bool, float]:
    first = group[0]
    return not first.stuck, first.opcode not in ("CLOSE", "FIN", "RST"), first.sent
