"""What figures of two ends share: cuts, states, timers, ticks, the source, as marks and in words.

A figure says where these stand; along is time, whether it goes to the right or down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ..trace import Frame
from ..values.faults import ENDS, Cut
from .axis import Tick
from .bars import Band, Bar
from .labels import Place
from .marks import DASHED, At, Label, Mark, Path
from .reading import Reading
from .states import Span, spans

T = TypeVar("T")
LEGEND = {"guess": "★ guess", "theory": "◇ theory", "observed": "● observed"}
INKS = {"guess": "guess", "theory": "theory", "observed": "ink"}
BELIEFS = ("believes OPEN", "believes\nOPEN", "OPEN?")
CONTROL = ("PING", "PONG", "CLOSE")


# cuts


def cuts(r: Reading, at: At, here: Sequence[Place], there: Sequence[Place] = ()) -> Iterator[Mark]:
    """A band for each cut, and words at ``at``: ``here``, or ``there`` if the band is too short."""
    look: dict[str, Any] = {"ink": "faint", "sizes": (9.0,)}
    look |= {"places": tuple(here), "otherwise": tuple(there)}
    for cut in r.cuts:
        begin, heal = cut.at or 0.0, r.heal(cut)
        if heal < r.begin or begin > r.horizon:
            continue
        shown = max(begin, r.begin), min(heal, r.horizon)
        yield Band(*shown, r.shows(begin), r.shows(heal), known=begin)
        if r.shows(heal):
            healed = (f"healed at {r.neat(heal)} s", "healed")
            yield Label(heal, at, wordings=healed, known=heal, **look)
    for cut in r.cuts:
        if cut.at is not None and r.shows(cut.at):
            words = tuple(band_words(r, cut))
            yield Label(cut.at, at, wordings=words, known=cut.at, **look)


def cut_words(r: Reading, cut: Cut) -> str:
    """ "Cut at 9 s to the client only, healed at 14 s"."""
    side = "" if cut.direction == "both" else f" {cut.direction.replace('_', ' the ')} only"
    heal = "" if cut.heal is None else f", healed at {r.neat(cut.heal)} s"
    return f"Cut at {r.neat(cut.at or 0.0)} s{side}{heal}"


def band_words(r: Reading, cut: Cut) -> list[str]:
    """What stands over a cut, the longest first."""
    at = r.neat(cut.at or 0.0)
    if cut.direction == "both":
        short = [f"cable cut at {at} s", f"cut at {at} s", f"cut {at}"]
        return [f"cable cut at {at} s: nothing gets through", *short]
    side = cut.direction.replace("_", " the ")
    short = [f"cut at {at} s, {side} only", f"cut {side}"]
    return [f"cut at {at} s, {side} only: the other way works", *short]


def level(last: float, value: float, wordings: tuple[str, ...], says: str) -> Iterator[Mark]:
    """A dashed line at a value from 0 to ``last``, and its words where it begins."""
    yield Path(((0.0, value), (last, value)), wide=1.2, dash=DASHED, z=4.0)
    places = (4, 3, "left", "bottom"), (4, -3, "left", "top")
    yield Label(0.0, value, wordings=wordings, places=places, says=says)


# states


def states(
    r: Reading, end: str, row: Sequence[Span] | None = None, words: bool = True
) -> Iterator[Bar]:
    """The bars of an end's lane; an arrow goes on if nothing has ended it by the story's end."""
    row = spans(r, end) if row is None else row
    for span in row:
        texts = (span.belief, *BELIEFS) if span.belief else (span.state,)
        goes_on = span.state in ("OPEN", "CLOSING") and not r.is_asked
        lasts = goes_on and span is row[-1] and span.state == "OPEN"
        start = f"{end.capitalize()}: " if span is row[0] else ", "
        says = f"{start}{texts[0]} from {r.neat(span.begin)} s{' to the end' if lasts else ''}"
        yield Bar(
            span.begin, span.stop, end, "believes OPEN" if span.belief else span.state,
            goes_on=words and goes_on and span is row[-1],
            wordings=tuple(dict.fromkeys(texts)) if words else (),
            says=says if words else "",
            known=span.begin,
        )  # fmt: skip


# timers


def timers(r: Reading) -> list[tuple[float, float, tuple[str, ...]]]:
    """From, to (s), and words, the longest first, of the timers that led to the subject's end."""
    if r.until is not None or not r.peer.keepalive:
        return []
    if r.noticed(r.subject) is not None and r.why_left(r.subject) != "noticed":
        return []
    ping = fatal_ping(r)
    return (
        [] if ping is None else [row for row in _timers(r, ping) if row[1] - row[0] > r.tolerance]
    )


def fatal_ping(r: Reading) -> Frame | None:
    """The ping whose pong did not come in time; if nobody noticed, the first one that got stuck."""
    noticed, timeout = r.noticed(r.subject), r.peer.ping_timeout
    if noticed is None:
        mine = (f for f in r.stuck if f.sender == r.subject and f.opcode == "PING")
        return next(mine, None)
    if timeout is None:
        return None
    near = max(0.05, 0.01 * timeout)
    pings = (f for f in reversed(r.frames) if f.sender == r.subject and f.opcode == "PING")
    return next((f for f in pings if abs(f.sent_at + timeout - noticed) <= near), None)


def _timers(r: Reading, ping: Frame) -> Iterable[tuple[float, float, tuple[str, ...]]]:
    whose, sent = "" if r.subject == "server" else "client's ", ping.sent_at
    noticed, closed, timeout = r.noticed(r.subject), r.closed(r.subject), r.peer.ping_timeout
    before = [at for way in ENDS for at, heal in r.silences(way) if at <= sent < heal]
    if before:
        gap = f"{r.neat(sent - min(before))} s"
        yield min(before), sent, (f"{gap} to the next ping", f"{gap} to the\nnext ping", gap)
    if noticed is not None and timeout is not None:
        yield sent, noticed, _timer(f"{whose}ping_timeout", f"{timeout:g} s")
        limit = r.peer.close_timeout
        if closed is not None:
            full = limit is not None and abs(closed - noticed - limit) <= max(0.05, 0.01 * limit)
            name = f"{whose}close_timeout" if full else "closing"
            yield noticed, closed, _timer(name, f"{r.neat(closed - noticed)} s")
    elif ping.arrived_at is not None and timeout is not None:
        pongs = (f for f in r.frames if f.receiver == r.subject and f.opcode == "PONG")
        late = (f.arrived_at for f in pongs if f.sent_at >= (ping.arrived_at or 0.0))
        pong = next(late, None)
        if pong is not None:
            took, most = f"{r.neat(pong - sent)} s", f"{timeout:g} s"
            long = f"pong after {took}, under ping_timeout {most}"
            yield sent, pong, (long, f"pong after {took}\n(limit {most})", took)


def _timer(name: str, length: str) -> tuple[str, ...]:
    return f"{name} {length}", f"{name}\n{length}", length


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


def every(rows: list[T], leads: Callable[[T], bool], most: int) -> list[T]:
    """Of rows with too many leaders every n-th leader, with what follows it."""
    step = math.ceil(sum(map(leads, rows)) / most)
    count, kept = 0, []
    for row in rows:
        count += leads(row)
        if step <= 1 or count % step == 1:
            kept.append(row)
    return kept


def together(rows: Iterable[T], near: Callable[[T, T], bool]) -> list[list[T]]:
    """Rows in groups: each row that is near the first of its group."""
    groups: list[list[T]] = []
    for row in rows:
        if groups and near(groups[-1][0], row):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def thinned(counts: dict[str, tuple[int, int]]) -> str:
    """What was left out, from how many there are, and how many are drawn."""
    said = [
        f"{many:,} {name}, {drawn:,} drawn"
        for name, (many, drawn) in counts.items()
        if drawn < many
    ]
    return f"thinned: {'; '.join(said)}" if said else ""


def is_ping(row: Any) -> bool:
    return bool(row.opcode == "PING")


# words


def frame_name(opcode: str, code: int | None) -> str:
    """A frame by name: "CLOSE 1011", "PING", or "message" for data."""
    if opcode == "CLOSE" and code:
        return f"CLOSE {code}"
    return opcode if opcode in CONTROL else "message"


def plural(count: int, what: str) -> str:
    """ "1 ping", "3 pings"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if words[1:] else "".join(words)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
