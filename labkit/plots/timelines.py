"""The timeline: who was in which state when, what crossed the wire, what is stuck, and the verdict.

    ←3 s to the next ping→←ping_timeout→←close_timeout→     dimensions
    server   OPEN ━━━━━━━━┃ believes OPEN │ CLOSING │ CLOSED
    wire        ▼△     ▼△ ┃      ✕ PING stuck
    client   OPEN ━━━━━━━━┃ believes OPEN ───────────────→
    verdict               ┃   ★←──→◈ noticed 15.0 s

It turns a story into marks and runs nothing; its words are in findings.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ..trace import Story
from ..values.experiment import Experiment
from ..values.faults import ENDS
from . import crossings, ends, findings
from .axis import SECONDS, Axis, Tick
from .crossings import EDGE, WIDE, WIRE
from .figure import Figure, figure
from .findings import Guess
from .known import Known
from .labels import CENTRE, Place, around, beside
from .layout import Panel
from .marks import Dot, Label, Mark, Path, Rule, Says
from .reading import Reading
from .timers import timers
from .widths import extent, wrap
from .wire import thin

HEIGHT, VERDICT, ARROWS, BANNER = 211.0, 23.0, 168.0, 203.0  # across; at the usual size, points
LANES = (
    ("server", EDGE["server"], 160.0),
    ("wire", WIRE, WIRE),
    ("client", 48.0, EDGE["client"]),
    ("verdict", VERDICT, VERDICT),
)
OVER: tuple[Place, ...] = ((5, 0, "left", "center"), (5, -12, "left", "center"))  # a cut's words
BEFORE: tuple[Place, ...] = ((-5, 0, "right", "center"), (-5, -12, "right", "center"))
FACTS, GUESSES = 36.0, 11.0  # the two rows of the verdict, when there is a guess


@figure
def timeline(
    trace: Story,
    prediction: Story | None = None,
    guess: Any = None,
    *,
    until: float | None = None,
) -> Figure:
    """A trace (or a prediction alone), beside what theory predicts and a guess.

    ``guess`` is when the server notices, in seconds, or a value with ``.seconds`` and ``.label``.
    ``until`` (s) tells the story up to a moment, then "?".
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
    return _figure(trace, prediction, findings.guessed(guess), until)


@figure
def setup(experiment: Experiment, guess: Any = None) -> Figure:
    """An experiment before it is run: what is known up to its first act, then "?"."""
    if not isinstance(experiment, Experiment):
        raise TypeError(
            f"setup() takes an Experiment(…), seen {experiment!r}; a trace is drawn by timeline()"
        )
    known = Known(experiment)
    return _figure(known, None, findings.guessed(guess), known.end)


def _figure(story: Story, theory: Story | None, guess: Guess | None, until: float | None) -> Figure:
    promised = _promised(theory) if until is None else []
    reach = max([0.0, *([guess.seconds] if guess else []), *promised])
    r = Reading(story, until, reach)
    promised = [t for t in promised if t <= r.horizon]
    shown, thinned = thin(r.crossings, lambda data: crossings.apart(r, data))
    row = VERDICT if guess is None else FACTS
    verdict = [
        *_facts(r, promised, row),
        *_theory(r, promised, row),
        *_raised(r, row),
        *_guess(r, guess),
    ]
    marks = (
        *ends.cuts(r, BANNER, OVER, BEFORE),
        *_dimensions(r),
        *(bar for end in ENDS for bar in ends.states(r, end)),
        *crossings.crossed(r, shown),
        *crossings.stuck(r),
        *verdict,
        *_notes(r, theory, row),
        *_question(r),
    )  # fmt: skip
    ticks = [*ends.ticks(r, r.ticks), *(Tick(t, r.neat(t), 1, t) for t in promised)]
    used = {mark.sign for mark in verdict if isinstance(mark, Dot)}
    return Figure(
        findings.finding(r),
        (Panel(Axis(0.0, r.horizon, tuple(ticks), SECONDS), Axis(0.0, HEIGHT), marks, LANES),),
        ends.source(r, used, thinned),
        kind="Timeline",
        asks=findings.question(r),
        known=max((one.t for one in r.moments), default=r.stop),
    )


def _dimensions(r: Reading) -> Iterator[Mark]:
    """The timers that led to the end, as arrows; the last one's words may stand beside it."""
    rows = [row for row in timers(r) if (row[1] - row[0]) / r.horizon > 9 / WIDE]
    for a, b, texts in rows:
        room, last = (b - a) / r.horizon * WIDE, b == rows[-1][1]
        near = tuple(text for text in texts[:-1] if extent(text, 8.5)[0] <= room + 24)
        above: tuple[Place, ...] = ((0, 4, "center", "bottom"),)
        after: tuple[Place, ...] = ((room / 2 + 6, -4, "left", "bottom"),)
        look: dict[str, Any] = {"wordings": (*near, texts[-1]), "places": above}
        if last:
            look = {
                "wordings": near or texts,
                "places": above if near else after,
                "otherwise": after,
            }
        ends_at = ((a, ARROWS), (b, ARROWS))
        yield Path(ends_at, "ink", 1.1, head="both", z=5.0, sizes=(8.5,), known=b, **look)


# the verdict


def _promised(theory: Story | None) -> list[float]:
    """The moments that theory has, of both ends (s)."""
    if theory is None or getattr(theory, "unknown", None):
        return []
    asks = (theory.noticed_at, theory.closed_at, theory.told_at)
    found = {t for end in ENDS for ask in asks if (t := ask(end)) is not None}
    return sorted(t for t in found if 0 <= t < math.inf)


def _facts(r: Reading, promised: list[float], row: float) -> Iterator[Mark]:
    """● what was observed (◇ if the story is theory); moments that coincide stand together."""
    sign, groups = "theory" if r.is_theory else "observed", findings.coinciding(r)
    asked, floor = findings.guess_fact(r), {name: low for name, low, _ in LANES}
    left, right = beside(10)[1:], beside(10)[:1]
    for group, after in zip(groups, [*groups[1:], None]):
        t = group[0].t
        crowded = after is not None and (after[0].t - t) / r.horizon * WIDE < 40
        places = (*left, *around(10), *right) if crowded else (*right, *left, *around(10))
        yield Dot(t, row, sign, wordings=findings.fact_words(r, group), places=places, known=t)
        foot = GUESSES if row == FACTS and r.same(t, asked) else row + 9
        yield Rule(t, foot, floor[group[0].end], known=t)


def _raised(r: Reading, row: float) -> Iterator[Mark]:
    """What is raised in each application; the subject's in a line of its own at the right edge."""
    told = [(t, end) for end in ENDS if (t := r.told(end)) is not None]
    for t, end in sorted(told):
        text, whose = findings.raises(r, end), f"{end}: " if len(told) > 1 else ""
        yield Says(says=f"The {end}'s application: {text} at {r.seconds(t)}", known=t)
        if end == r.subject:
            wordings = (f"{whose}{text}", whose + text.rpartition(" ")[2])
            places = tuple((19.0, dy, "right", "center") for dy in (-14, 14, -26))
            yield Label(r.horizon, row, wordings=wordings, places=places, known=t)


def _theory(r: Reading, promised: list[float], row: float) -> Iterator[Mark]:
    """◇ around the facts; where there is no fact, with its time."""
    for t in promised:
        alone = all(abs(t - one.t) / r.horizon > 8 / WIDE for one in r.moments)
        when = r.seconds(t)
        wordings = (f"theory {when}", f"theory\n{when}") if alone else ()
        look: dict[str, Any] = {"ink": "theory", "places": (*beside(10), *around(10)), "known": t}
        yield Dot(t, row, "theory", wordings=wordings, **look)


def _guess(r: Reading, guess: Guess | None) -> Iterator[Mark]:
    """★ the guess, and an arrow to what it is about."""
    if guess is None:
        return
    fact, x = findings.guess_fact(r), min(guess.seconds, r.horizon)
    known, texts = -math.inf if fact is None else fact, findings.guess_words(r, guess, fact)
    far = guess.seconds > r.horizon
    left, right = beside(10)[1:], beside(10)[:1]
    if fact is not None and guess.seconds > fact:
        left, right = right, ((((fact - x) / r.horizon * WIDE) - 8, 0.0, "right", "center"),)
    yield Dot(x, GUESSES, "guess")
    if fact is not None and abs(fact - x) / r.horizon > 16 / WIDE:
        near = x + math.copysign(8 / WIDE * r.horizon, fact - x)  # beside the star, not under it
        ways = ((min(near, fact), GUESSES), (max(near, fact), GUESSES))
        yield Path(ways, "guess", 1.1, head="both", known=known, z=5.0)
    wordings = tuple(text + " (off the axis)" if far else text for text in texts)
    look: dict[str, Any] = {
        "places": (*left, *right),
        "says": ends.capital(texts[0]),
        "known": known,
    }
    yield Label(x, GUESSES, wordings=wordings, ink="guess", **look)


def _notes(r: Reading, theory: Story | None, row: float) -> Iterator[Mark]:
    """What no mark can say, in the widest stretch where nothing happens."""
    if theory is not None and not r.is_asked and not getattr(theory, "unknown", None):
        yield Says(says=findings.theory_says(r, theory), known=r.stop)
    cuts = [t for cut in r.cuts for t in (cut.at, cut.heal) if t is not None and t < r.horizon]
    edges = sorted({0.0, *cuts, *(one.t for one in r.moments), r.horizon})
    a, b = max(pairwise(edges), key=lambda ab: ab[1] - ab[0])
    places = tuple((6.0, dy, "left", "center") for dy in (0, 14, -14, -2, -18))
    for note, known in findings.notes(r, theory):
        text, says = wrap(note, 8.5, (b - a) / r.horizon * WIDE - 14), ends.capital(note)
        yield Label(a, row, wordings=(text,), places=places, ink="faint", says=says, known=known)


def _question(r: Reading) -> Iterator[Mark]:
    """A large ? where a story goes on that is not told, before the next heal."""
    if r.is_asked:
        heals = (t for t in map(r.heal, r.cuts) if r.stop < t < r.horizon)
        middle = (r.stop + next(heals, r.horizon)) / 2
        size = max(20.0, min(76.0, 2 * (middle - r.stop) / r.horizon * WIDE))
        says = "What follows is not drawn: a question mark"
        look: dict[str, Any] = {"sizes": (size, 20.0), "ink": "faint", "bold": True}
        yield Label(middle, WIRE, wordings=("?",), places=CENTRE, says=says, **look)
