"""The timeline: who was in which state when, what crossed the wire, what is stuck, and the result.

    ←3 s to the next ping→←ping_timeout→←close_timeout→     dimensions
    server   OPEN ━━━━━━━━┃ believes OPEN │ CLOSING │ CLOSED
    wire        ▼△     ▼△ ┃      ✕ PING stuck
    client   OPEN ━━━━━━━━┃ believes OPEN ───────────────→
    result                ┃   ★←──→◈ noticed 15.0 s

It turns a story into marks and runs nothing; its words are in findings.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import Any

from ..trace import Story
from ..values.experiment import Experiment
from ..values.faults import ENDS
from . import crossings, ends, findings
from .axis import SECONDS, Axis, Tick
from .below import endings
from .crossings import EDGE, WIDE, WIRE
from .figure import Figure, figure
from .findings import Guess
from .known import known
from .labels import CENTRE, Places, around, beside
from .layout import Panel
from .marks import ALWAYS, Dot, Label, Mark, Path, Rule, Says
from .reading import Reading
from .timers import timers
from .widths import extent, wrap
from .wire import thin

HEIGHT, RESULT, ARROWS, BANNER = 211.0, 23.0, 168.0, 203.0  # across; at the usual size, points
LANES = (
    ("server", EDGE["server"], 160.0),
    ("wire", WIRE, WIRE),
    ("client", 48.0, EDGE["client"]),
    ("result", RESULT, RESULT),
)
FLOOR = {name: low for name, low, _ in LANES}
OVER: Places = ((5, 0, "left", "center"), (5, -12, "left", "center"))  # a cut's words
BEFORE: Places = ((-5, 0, "right", "center"), (-5, -12, "right", "center"))
RIGHT, LEFT = beside(10)[:1], beside(10)[1:]
FACTS, GUESSES = 36.0, 11.0  # the two rows of the result, when there is a guess


@figure
def timeline(
    trace: Story,
    prediction: Story | None = None,
    guess: Any = None,
    *,
    until: float | None = None,
    timers: bool = True,
) -> Figure:
    """A trace (or a prediction alone), beside what theory predicts and a guess.

    ``guess`` is when the server notices, in seconds, or a value with ``.seconds`` and ``.label``.
    ``until`` (s) tells the story up to a moment, then "?". ``timers=False`` draws no timer's name
    and length.
    """
    if not isinstance(trace, Story):
        raise TypeError(
            f"timeline() takes a trace or a prediction, seen {trace!r}; "
            "for an Experiment there is setup()"
        )
    if prediction is not None and not isinstance(prediction, Story):
        raise TypeError(
            f"timeline() takes a prediction beside the trace, seen {prediction!r}; "
            "a guess is given as guess=…"
        )
    return _figure(trace, prediction, findings.guessed(guess), until, timers)


@figure
def setup(experiment: Experiment, guess: Any = None) -> Figure:
    """An experiment before it is run: what is known up to its first act, then "?"."""
    if not isinstance(experiment, Experiment):
        raise TypeError(
            f"setup() takes an Experiment(…), seen {experiment!r}; a trace is drawn by timeline()"
        )
    story = known(experiment)
    return _figure(story, None, findings.guessed(guess), story.end)


def _figure(
    story: Story,
    theory: Story | None,
    guess: Guess | None,
    until: float | None,
    named: bool = True,
) -> Figure:
    promise = None if theory is None else Reading(theory)
    promised = _promised(promise) if until is None else []
    r = Reading(story, until, max([0.0, *([guess.seconds] if guess else []), *promised]))
    promised = [t for t in promised if t <= r.horizon]
    shown, thinned = thin([*r.crossings, *endings(r)], lambda data: crossings.apart(r, data))
    row = RESULT if guess is None else FACTS
    result = [
        *_facts(r, row),
        *_theory(r, promised, row),
        *_raised(r, row),
        *(_guess(r, guess) if guess else ()),
    ]
    marks = (
        *ends.cuts(r, BANNER, OVER, BEFORE),
        *(_dimensions(r) if named else ()),
        *(bar for end in ENDS for bar in ends.states(r, end)),
        *crossings.crossed(r, shown),
        *crossings.stuck(r, shown),
        *result,
        *_notes(r, promise, row),
        *_question(r),
    )  # fmt: skip
    ticks = (*ends.ticks(r, r.ticks), *(Tick(t, r.neat(t), 1, t) for t in promised))
    used = {mark.sign for mark in result if isinstance(mark, Dot)}
    return Figure(
        findings.finding(r),
        (Panel(Axis(0.0, r.horizon, ticks, SECONDS), Axis(0.0, HEIGHT), marks, LANES),),
        ends.source(r, used, thinned),
        kind="Timeline",
        asks=findings.question(r),
        known=max((one.t for one in r.moments), default=r.stop),
    )


def _points(r: Reading, seconds: float) -> float:
    """How long a stretch of time is drawn."""
    return seconds / r.horizon * WIDE


def _dimensions(r: Reading) -> Iterator[Mark]:
    """The timers that led to the end, as arrows; the last one's words may stand beside it."""
    rows = [row for row in timers(r) if _points(r, row[1] - row[0]) > 9]
    for a, b, texts in rows:
        room, is_last = _points(r, b - a), b == rows[-1][1]
        near = tuple(text for text in texts[:-1] if extent(text, 8.5)[0] <= room + 24)
        above: Places = ((0, 4, "center", "bottom"),)
        after: Places = ((room / 2 + 6, -4, "left", "bottom"),) if is_last else ()
        yield Path(
            ((a, ARROWS), (b, ARROWS)), "ink", 1.1, head="both", z=5.0, known=b, sizes=(8.5,),
            wordings=(near or texts) if is_last else (*near, texts[-1]),
            places=above if near or not is_last else after, otherwise=after,
        )  # fmt: skip


# the result


def _promised(promise: Reading | None) -> list[float]:
    """The moments that theory has, of both ends (s)."""
    if promise is None or promise.unknown:
        return []
    return sorted({one.t for one in promise.moments if one.t >= 0})


def _facts(r: Reading, row: float) -> Iterator[Mark]:
    """● what was observed (◇ if the story is theory); moments that coincide stand together."""
    sign, groups = "theory" if r.is_theory else "observed", findings.coinciding(r)
    for group, after in zip_longest(groups, groups[1:]):
        t = group[0].t
        is_crowded = after is not None and _points(r, after[0].t - t) < 40
        places = (*LEFT, *around(10), *RIGHT) if is_crowded else (*RIGHT, *LEFT, *around(10))
        yield Dot(t, row, sign, wordings=findings.fact_words(r, group), places=places, known=t)
        is_guessed = row == FACTS and r.same(t, findings.guess_fact(r))
        yield Rule(t, GUESSES if is_guessed else row + 9, FLOOR[group[0].end], known=t)


def _raised(r: Reading, row: float) -> Iterator[Mark]:
    """What is raised in each program; the subject's in a line of its own at the right edge."""
    told = [(t, end) for end in ENDS if (t := r.told(end)) is not None]
    for t, end in sorted(told):
        text, whose = findings.raises(r, end), f"{end}: " if len(told) > 1 else ""
        yield Says(says=f"The {end}'s program: {text} at {r.seconds(t)}", known=t)
        if end == r.subject:
            wordings = (f"{whose}{text}", whose + text.rpartition(" ")[2])
            places = tuple((19.0, dy, "right", "center") for dy in (-14, 14, -26))
            yield Label(r.horizon, row, wordings=wordings, places=places, known=t)


def _theory(r: Reading, promised: list[float], row: float) -> Iterator[Mark]:
    """◇ around the facts; where there is no fact, with its time."""
    for t in promised:
        when, places = r.seconds(t), (*RIGHT, *LEFT, *around(10))
        is_alone = all(abs(_points(r, t - one.t)) > 8 for one in r.moments)
        words = (f"theory {when}", f"theory\n{when}") if is_alone else ()
        yield Dot(t, row, "theory", wordings=words, places=places, ink="theory", known=t)


def _guess(r: Reading, guess: Guess) -> Iterator[Mark]:
    """★ the guess, and an arrow to what it is about."""
    fact, x = findings.guess_fact(r), min(guess.seconds, r.horizon)
    known, texts = ALWAYS if fact is None else fact, findings.guess_words(r, guess, fact)
    yield Dot(x, GUESSES, "guess")
    places = (*LEFT, *RIGHT)
    if fact is not None:
        apart = _points(r, fact - x)
        if guess.seconds > fact:
            places = (*RIGHT, (apart - 8, 0.0, "right", "center"))
        if abs(apart) > 16:
            near = x + math.copysign(8 / WIDE * r.horizon, apart)  # beside the star, not under it
            ways = tuple((t, GUESSES) for t in sorted((near, fact)))
            yield Path(ways, "guess", 1.1, head="both", known=known, z=5.0)
    far = " (off the axis)" if guess.seconds > r.horizon else ""
    words, says = tuple(text + far for text in texts), ends.capital(texts[0])
    yield Label(x, GUESSES, wordings=words, places=places, ink="guess", says=says, known=known)


def _notes(r: Reading, promise: Reading | None, row: float) -> Iterator[Mark]:
    """What no mark can say, in the widest stretch where nothing happens."""
    if promise is not None and not r.is_asked and not promise.unknown:
        yield Says(says=findings.theory_says(r, promise), known=r.stop)
    cuts = [t for cut in r.cuts for t in (cut.at, cut.heal) if t is not None and t < r.horizon]
    edges = sorted({0.0, *cuts, *(one.t for one in r.moments), r.horizon})
    a, b = max(pairwise(edges), key=lambda ab: ab[1] - ab[0])
    places = tuple((6.0, dy, "left", "center") for dy in (0, 14, -14, -2, -18))
    for note, t in findings.notes(r, promise):
        words, says = (wrap(note, 8.5, _points(r, b - a) - 14),), ends.capital(note)
        yield Label(a, row, wordings=words, places=places, ink="faint", says=says, known=t)


def _question(r: Reading) -> Iterator[Mark]:
    """A large ? where a story goes on that is not told, before the next heal."""
    if r.is_asked:
        heals = (t for t in map(r.heal, r.cuts) if r.stop < t < r.horizon)
        middle = (r.stop + next(heals, r.horizon)) / 2
        size = max(20.0, min(76.0, _points(r, 2 * (middle - r.stop))))
        yield Label(
            middle, WIRE, wordings=("?",), places=CENTRE, sizes=(size, 20.0), ink="faint",
            bold=True, says="What follows is not drawn: a question mark",
        )  # fmt: skip
