"""What figures of two ends share: cuts, states, timers, ticks, the source, as marks and in words.

A figure says where these stand; along is time, whether it goes to the right or down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ..values.faults import Cut
from . import below
from .axis import Tick
from .bars import Band, Bar
from .labels import Places
from .marks import ALWAYS, DASHED, Dot, Label, Mark, Path, Says
from .reading import Reading
from .states import Span, spans
from .view import At

T = TypeVar("T")
TRIES = ("TCP tries again",)  # beside the first
TOLD = 12  # tries that an alt text tells one by one
LEGEND = {"guess": "★ guess", "theory": "◇ theory", "observed": "● observed"}
INKS = {"guess": "guess", "theory": "theory", "observed": "ink"}
BELIEFS = ("believes OPEN", "believes\nOPEN", "OPEN?")


# cuts


def cuts(r: Reading, at: At, here: Places, there: Places = ()) -> Iterator[Mark]:
    """A band for each cut, and words at ``at``: ``here``, or ``there`` if the band is too short."""
    labels: list[tuple[float, tuple[str, ...]]] = []
    for cut in r.cuts:
        begin, heal = cut.start, r.heal(cut)
        if begin <= r.horizon and heal >= r.begin:
            shown = max(begin, r.begin), min(heal, r.horizon)
            yield Band(*shown, r.shows(begin), r.shows(heal), known=begin)
            labels.append((heal, (f"healed at {r.neat(heal)} s", "healed")))
    labels += [(cut.start, tuple(band_words(r, cut))) for cut in r.cuts]
    for t, words in labels:
        if r.shows(t):
            yield Label(
                t, at, wordings=words, places=here, otherwise=there, sizes=(9.0,),
                ink="faint", known=t,
            )  # fmt: skip


def _side(cut: Cut) -> str:
    """ "to the client"; empty if both ways are cut."""
    return "" if cut.direction == "both" else cut.direction.replace("_", " the ")


def cut_words(r: Reading, cut: Cut) -> str:
    """ "Cut at 9 s to the client only, healed at 14 s"."""
    side = f" {_side(cut)} only" if _side(cut) else ""
    heal = "" if cut.heal is None else f", healed at {r.neat(cut.heal)} s"
    return f"Cut at {r.neat(cut.start)} s{side}{heal}"


def band_words(r: Reading, cut: Cut) -> list[str]:
    """What stands over a cut, the longest first."""
    at, side = r.neat(cut.start), _side(cut)
    if side:
        short = f"cut at {at} s, {side} only"
        return [f"{short}: the other way works", short, f"cut {side}"]
    short = f"cable cut at {at} s"
    return [f"{short}: nothing gets through", short, f"cut at {at} s", f"cut {at}"]


def level(
    last: float, value: float, wordings: tuple[str, ...], says: str, so_far: str = ""
) -> Iterator[Mark]:
    """A dashed line at a value from 0 to ``last``, and its words where it begins."""
    yield Path(((0.0, value), (last, value)), wide=1.2, dash=DASHED, z=4.0)
    places = (4, 3, "left", "bottom"), (4, -3, "left", "top")
    over = last if so_far else ALWAYS
    yield Label(0.0, value, wordings=wordings, places=places, says=says, so_far=so_far, over=over)


# states


def states(
    r: Reading, end: str, row: Sequence[Span] | None = None, words: bool = True
) -> Iterator[Bar]:
    """The bars of an end's lane; an arrow goes on if nothing has ended it by the story's end."""
    row = spans(r, end) if row is None else row
    heals = {r.heal(cut) for cut in r.cuts}
    for span in row:
        texts = (span.belief, *BELIEFS) if span.belief else (span.state,)
        goes_on = span.state in ("OPEN", "CLOSING") and not r.is_asked
        lasts = goes_on and span is row[-1] and span.state == "OPEN"
        start = f"{end.capitalize()}: " if span is row[0] else ", "
        when = f"{r.neat(span.begin)} s"
        plain: tuple[str, ...] = ()
        so_far = f"{start}{texts[0]} from {when}"
        says = f"{so_far}{' to the end' if lasts else ''}"
        if span.belief and span.begin in heals:  # whether it hears anything is not known yet
            plain, so_far = BELIEFS, f"{start}still {BELIEFS[0]} at {when}"
        yield Bar(
            span.begin, span.stop, end, "believes OPEN" if span.belief else span.state,
            goes_on=words and goes_on and span is row[-1],
            wordings=tuple(dict.fromkeys(texts)) if words else (),
            meanwhile=plain if words else (),
            says=says if words else "",
            so_far=so_far if words else "",
            known=span.begin,
        )  # fmt: skip


# TCP


def tries(r: Reading, end: str, at: At, turned: str, near: float, places: Places) -> Iterator[Mark]:
    """Where TCP tries a stuck byte again, a tick each; those within ``near`` (s) are one."""
    drawn, start = -math.inf, f"The {end}'s TCP tried again at "
    words: tuple[str, ...] = TRIES
    rows = below.tries(r, end)
    for number, (t, is_through) in enumerate(rows):
        says = f"{start}{r.moment(t)}{' and got through' if is_through else ''}"
        says, start = says if number < TOLD else "", ", "
        if is_through or t - drawn >= near:
            sign = "got through" if is_through else "tried again"
            look: dict[str, Any] = {"wordings": words, "places": places, "ink": "faint"}
            yield Dot(t, at, sign, turned, says=says, sizes=(7.5,), known=t, **look)
            drawn, words = t, ()
        else:
            yield Says(says=says, known=t)
    if len(rows) > TOLD:
        rest = f"{start}and {plural(len(rows) - TOLD, 'more time')}"
        yield Says(says=rest, known=rows[-1][0])


# the axis and the source


def ticks(r: Reading, rows: Iterable[tuple[float, int]]) -> tuple[Tick, ...]:
    """(s, weight) as ticks; a moment that was not planned is known when it has come."""
    planned = {0.0, r.begin, r.horizon, *(t for cut in r.cuts for t in (cut.at, cut.heal))}
    return tuple(Tick(t, r.tick(t), weight, None if t in planned else t) for t, weight in rows)


def source(r: Reading, used: Iterable[str] = (), thinned: str = "") -> tuple[tuple[str, str], ...]:
    """(words, ink): the signs that occur, what was left out, what the story was recorded with."""
    version = r.header.get("versions", {}).get("websockets")
    wire = r.header.get("wire") or (
        "theory, nothing was run" if r.is_theory and not r.is_asked else ""
    )
    said = " · ".join(filter(None, [version and f"websockets {version}", wire]))
    signs = [(LEGEND[sign], INKS[sign]) for sign in LEGEND if sign in used]
    return (*signs, *((text, "faint") for text in (thinned, said) if text))


# many of a kind


def together(rows: Iterable[T], near: Callable[[T, T], bool]) -> list[list[T]]:
    """Rows in groups: each row that is near the first of its group."""
    groups: list[list[T]] = []
    for row in rows:
        if groups and near(groups[-1][0], row):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def by_name(rows: Iterable[T], name: Callable[[T], Any]) -> list[list[T]]:
    """Rows in groups of one name, in the order of their firsts."""
    groups: dict[Any, list[T]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row)
    return list(groups.values())


# words


def noun(count: int, what: str) -> str:
    return what if count == 1 else f"{what}s"


def plural(count: int, what: str) -> str:
    """ "1 ping", "3 pings"."""
    return f"{count:,} {noun(count, what)}"


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if words[1:] else "".join(words)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
