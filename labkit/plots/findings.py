"""What a story of two ends comes to, in words: a timeline's title and clauses. It draws nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..trace import OTHER
from ..values.faults import ENDS
from .ends import capital, cut_words, listed, plural, together
from .reading import Moment, Reading
from .wire import Crossing

ALIKE = 4  # stuck frames of a name that are called one by one


@dataclass(frozen=True)
class Guess:
    """What somebody guessed: seconds, and its name."""

    seconds: float
    label: str


def guessed(guess: Any) -> Guess | None:
    """A guess as it was given, or None if there is nothing to draw."""
    seconds = getattr(guess, "seconds", guess)
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds < math.inf:
        return None
    return Guess(float(seconds), getattr(guess, "label", "") or "your guess")


def finding(r: Reading) -> str:
    """What the story comes to, in a sentence."""
    if r.unknown:
        return "Theory does not know this one"
    if r.is_asked:
        return question(r)
    act = _acts(r)
    if r.noticed(r.subject) is None:
        return f"{act}: {_nobody(r)}" if act else _quiet(r)
    return f"{act}: {_noticed(r)}" if act else capital(_noticed(r))


def question(r: Reading) -> str:
    """What is asked before the outcome is known."""
    heals = bool(r.cuts) and r.cuts[-1].heal is not None
    act = _acts(r) or _goodbye(r) or f"The first {r.neat(r.stop)} seconds"
    ask = "does anybody notice?" if heals else "who notices, and when?"
    return f"{act}: {ask if r.cuts else 'what happens next?'}"


def _acts(r: Reading) -> str:
    """The cuts, in a few words; of many only the last. Empty if there are none."""
    said = [cut_words(r, cut) for cut in r.cuts]
    if len(said) > 2:
        return f"{len(said)} cuts, the last at {said[-1].removeprefix('Cut at ')}"
    return ", ".join([*said[:1], *(f"c{text[1:]}" for text in said[1:])])


def _goodbye(r: Reading) -> str:
    """ "The client says goodbye at 2 s"; empty if nobody does before the telling stops."""
    who = [end for end in ENDS if any(t <= r.stop for t in r.goodbyes(end))]
    said = "Both ends say" if len(who) == 2 else f"The {who[0]} says" if who else ""
    return said and f"{said} goodbye at {r.neat(r.stop)} s"


def _nobody(r: Reading) -> str:
    healed = bool(r.cuts) and r.heal(r.cuts[-1]) <= r.stop
    if healed and any(frame.opcode in ("PING", "PONG") for frame in r.stuck):
        return "the pong arrived in time, the connection lives on"
    if healed:
        return "no ping met the cut, and the connection lives on"
    return f"nobody has noticed by {r.neat(r.stop)} s"


def _quiet(r: Reading) -> str:
    pongs = sum(frame.opcode == "PONG" for frame in r.through)
    home = f"{pongs:,} {'ping has its pong' if pongs == 1 else 'pings have their pongs'}, "
    return f"Nothing is cut: {home if pongs else ''}both ends stay OPEN"


def _noticed(r: Reading) -> str:
    one, other = r.subject, OTHER[r.subject]
    at, verb, told = r.noticed(one) or 0.0, r.why_left(one), r.told(one)
    if r.same(r.noticed(other), at) and r.why_left(other) == verb:
        return f"both ends {verb} at {r.neat(at)} s{_both_told(r)}"
    is_later = told is not None and not r.same(told, at)
    clauses = [f"the {one} {verb} at {r.neat(at)} s"]
    clauses += [f"its program was told at {r.neat(told)} s"] if told and is_later else []
    return ", ".join([*clauses, _other(r, other, is_later)])


def _both_told(r: Reading) -> str:
    told = {end: t for end in ENDS if (t := r.told(end)) is not None}
    if r.same(told.get("server"), told.get("client")):
        when = f" at {r.neat(told['server'])} s"
        is_news = not r.same(told["server"], r.noticed(r.subject))
        return f", their programs were told{when}" if is_news else ""
    rows = [f", the {end}'s program was told at {r.neat(t)} s" for end, t in told.items()]
    return "".join(rows)


def _other(r: Reading, other: str, later: bool) -> str:
    told, noticed = r.told(other), r.noticed(other)
    if told is not None:
        whose = f"the {other}'s" if later else f"the {other} was told"
        return f"{whose} at {r.neat(told)} s"
    verb = r.why_left(other)
    return f"the {other} never" if noticed is None else f"the {other} {verb} at {r.neat(noticed)} s"


# the result


def coinciding(r: Reading) -> list[list[Moment]]:
    """The moments of both ends, those that coincide together."""
    return together(r.moments, lambda first, one: r.same(one.t, first.t))


def fact_words(r: Reading, group: Sequence[Moment]) -> tuple[str, ...]:
    """ "server closed and told 17.0 s", the longest first."""
    when, ends = r.seconds(group[0].t), (r.subject, OTHER[r.subject])
    done = {end: [m.words for m in group if m.end == end] for end in ends}
    whose = [f"{end} {listed(words)}" for end, words in done.items() if words]
    if done["server"] == done["client"]:
        whose = [f"both {listed(done['server'])}"]
    last = [f"{end} {words[-1]}" for end, words in done.items() if words]
    rows = ("; ".join(whose), "; ".join(last), "\n".join(last))
    return tuple(dict.fromkeys(f"{row}{gap}{when}" for row in rows for gap in (" ", "\n")))


def raises(r: Reading, end: str) -> str:
    """ "recv() raises ConnectionClosedError", of the first exception that told ``end``."""
    first = next(iter(r.raised[end]), None)
    return "" if first is None else f"{first.awaiting}() raises {first.type}"


def guess_fact(r: Reading) -> float | None:
    """What a guess is about (s): when the server, or a client alone with keepalive, left OPEN."""
    server = r.noticed("server")
    return r.noticed(r.subject) if server is None and r.subject != "server" else server


def guess_words(r: Reading, guess: Guess, fact: float | None) -> list[str]:
    """The guess and its error, the longest first."""
    said = f"{guess.label} {r.seconds(guess.seconds)}"
    if r.is_asked:
        return [said]
    if fact is None:
        return [f"{said}; it did not happen", said]
    error = guess.seconds - fact
    if abs(error) <= max(0.05, r.tolerance):
        return [f"{said}: right", said]
    how = f"{r.seconds(abs(round(error, 1)))} too {'late' if error > 0 else 'early'}"
    return [f"{said}, {how}", f"{said}\n{how}", how]


def notes(r: Reading, promise: Reading | None) -> list[tuple[str, float]]:
    """What the lane of the result says in words, as no mark can, and from when (s) it is known."""
    found = []
    unknown = r.unknown or (promise and promise.unknown)
    if not r.is_asked and not r.unknown and not r.moments:
        nobody = "nobody noticed anything" if r.cuts else "both ends stay OPEN"
        found.append((f"{nobody} until the end of this trace", r.stop))
    if unknown:
        found.append((f"theory does not know: {unknown}", 0.0))
    elif promise is not None and not r.is_asked:
        says = promise.noticed(r.subject)
        if (r.noticed(r.subject) is None) != (says is None):
            verb = "never notices" if says is None else f"notices at {r.seconds(says)}"
            found.append((f"theory: the {r.subject} {verb}", r.stop))
    ties = getattr(promise.story, "ties", []) if promise else []
    return found + [(f"a tie: {tie}", r.stop) for tie in ties[:1]]


def theory_says(r: Reading, promise: Reading) -> str:
    asks = (
        ("leaves OPEN", promise.noticed),
        ("is closed", promise.closed),
        ("is told", promise.told),
    )
    moments = [(verb, ask(r.subject)) for verb, ask in asks]
    said = [f"{verb} at {r.seconds(t)}" for verb, t in moments if t is not None]
    return f"Theory: the {r.subject} {', '.join(said) or 'never notices'}"


# what is stuck


def stuck_words(r: Reading, rows: list[Crossing], frame: Crossing) -> tuple[str, ...]:
    """ "PING stuck, arrives 20", the longest first; of more than ALIKE how many there are."""
    name = frame.name
    if len(rows) > ALIKE:
        return (f"{len(rows):,} {name}s stuck",)
    if frame.arrived_at is None:
        return (f"{name} stuck",)
    when = r.neat(frame.arrived_at)
    return f"{name} stuck, arrives {when}", f"{name} stuck,\narrives {when}", f"{name} stuck"


def stuck_so_far(r: Reading, rows: list[Crossing]) -> str:
    """Which frames, that are alike, are stuck."""
    one, first = rows[0], r.neat(rows[0].sent_at)
    if len(rows) == 1:
        return f"{capital(one.name)} of the {one.sender}, sent at {first} s, is stuck"
    since = f"sent from {first} to {r.neat(rows[-1].sent_at)} s"
    return f"{plural(len(rows), one.name)} of the {one.sender}, {since}, are stuck"


def arrival(r: Reading, rows: list[Crossing]) -> str:
    """What became of frames that are stuck: " and arrives at 20 s"."""
    arrive, late = "arrives" if len(rows) == 1 else "arrive", rows[-1].arrived_at
    return f" and never {arrive}" if late is None else f" and {arrive} at {r.neat(late)} s"


def hung_up(r: Reading, one: Crossing) -> str:
    """A FIN or RST that came through."""
    whose = "the middle" if one.sender == "wire" else f"the {one.sender}"
    return f"{one.opcode} from {whose} to the {one.receiver} at {r.moment(one.sent_at)}"
