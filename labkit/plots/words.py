"""A timeline in words: the title that is its finding, the notes on it, and the alt text. Pure; draws nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..faults import ENDS, Cut
from ..trace import OTHER, Frame, Story
from .states import spans
from .tale import Tale

CONTROL = ("PING", "PONG", "CLOSE")


def finding(tale: Tale) -> str:
    """What the story comes to, in a sentence."""
    if tale.unknown:
        return "Theory does not know this one"
    if tale.until is not None:
        return question(tale)
    act = acts_words(tale)
    if tale.noticed(tale.hero) is None:
        return f"{act}: {_nobody(tale)}" if act else _quiet(tale)
    return f"{act}: {_noticed(tale)}" if act else _capital(_noticed(tale))


def question(tale: Tale) -> str:
    """What is asked before the run."""
    heals = bool(tale.cuts) and tale.cuts[-1].heal is not None
    act = acts_words(tale) or goodbye_words(tale) or f"The first {tale.neat(tale.stop)} seconds"
    ask = "what happens next?" if not tale.cuts else "does anybody notice?" if heals else "who notices, and when?"
    return f"{act}: {ask}"


def acts_words(tale: Tale) -> str:
    """The cuts, in a few words; of many only the last. Empty if there are none."""
    said = [cut_words(tale, cut) for cut in tale.cuts]
    if len(said) > 2:
        return f"{len(said)} cuts, the last at {said[-1].removeprefix('Cut at ')}"
    return ", ".join([*said[:1], *(f"c{text[1:]}" for text in said[1:])])


def goodbye_words(tale: Tale) -> str:
    """ "The client says goodbye at 2 s"; empty if nobody does before the telling stops."""
    who = [end for end in ENDS if any(t <= tale.stop for t in tale.goodbyes(end))]
    said = "Both ends say" if len(who) == 2 else f"The {who[0]} says" if who else ""
    return said and f"{said} goodbye at {tale.neat(tale.stop)} s"


def cut_words(tale: Tale, cut: Cut) -> str:
    """ "Cut at 9 s to the client only, healed at 14 s"."""
    side = "" if cut.direction == "both" else f" {cut.direction.replace('_', ' the ')} only"
    heal = "" if cut.heal is None else f", healed at {tale.neat(cut.heal)} s"
    return f"Cut at {tale.neat(cut.at or 0.0)} s{side}{heal}"


def band_words(tale: Tale, cut: Cut) -> list[str]:
    """What stands over a cut, the longest first."""
    at = tale.neat(cut.at or 0.0)
    if cut.direction == "both":
        return [f"cable cut at {at} s: nothing gets through", f"cable cut at {at} s", f"cut at {at} s", f"cut {at}"]
    side = cut.direction.replace("_", " the ")
    return [f"cut at {at} s, {side} only: the other way works", f"cut at {at} s, {side} only", f"cut {side}"]


def _nobody(tale: Tale) -> str:
    pings = [frame for frame in tale.stuck if frame.opcode in ("PING", "PONG")]
    healed = bool(tale.cuts) and tale.cuts[-1].heal is not None and tale.cuts[-1].heal <= tale.stop
    if healed and pings:
        return "the pong arrived in time, the connection lives on"
    if healed:
        return "no ping met the cut, and the connection lives on"
    return f"nobody has noticed by {tale.neat(tale.stop)} s"


def _quiet(tale: Tale) -> str:
    pongs = sum(frame.opcode == "PONG" for frame in tale.through)
    home = f"{pongs:,} {'ping has its pong' if pongs == 1 else 'pings have their pongs'}"
    return f"Nothing is cut: {home}, both ends stay OPEN" if pongs else "Nothing is cut: both ends stay OPEN"


def _noticed(tale: Tale) -> str:
    hero, other = tale.hero, OTHER[tale.hero]
    when = {end: tale.noticed(end) for end in ENDS}
    at, told = when[hero] or 0.0, tale.told(hero)
    both = tale.same(when[other], at) and tale.why_left(other) == tale.why_left(hero)
    clauses = [f"{'both ends' if both else 'the ' + hero} {tale.why_left(hero)} at {tale.neat(at)} s"]
    later = told is not None and not tale.same(told, at)
    if both:
        return clauses[0] + _both_told(tale)
    if later:
        clauses.append(f"its application was told at {tale.neat(told or 0.0)} s")
    return ", ".join([*clauses, _other(tale, other, later)])


def _both_told(tale: Tale) -> str:
    told = {end: tale.told(end) for end in ENDS}
    if tale.same(told["server"], told["client"]):
        same = tale.same(told["server"], tale.noticed(tale.hero))
        return "" if same else f", their applications were told at {tale.neat(told['server'] or 0.0)} s"
    return "".join(f", the {end}'s application was told at {tale.neat(t)} s" for end, t in told.items() if t is not None)


def _other(tale: Tale, other: str, later: bool) -> str:
    told, noticed = tale.told(other), tale.noticed(other)
    if told is not None:
        return f"the {other}'s at {tale.neat(told)} s" if later else f"the {other} was told at {tale.neat(told)} s"
    return f"the {other} never" if noticed is None else f"the {other} {tale.why_left(other)} at {tale.neat(noticed)} s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def merged(tale: Tale, moments: list[tuple[float, str, str]]) -> str:
    """The words of moments that coincide: "closed and told"; the other end by name, in one word."""
    hero, other = ([word for _, who, word in moments if who == end] for end in (tale.hero, OTHER[tale.hero]))
    if hero == other:
        return f"both {listed(hero)}"
    return "; ".join([listed(hero)] * bool(hero) + [f"{OTHER[tale.hero]} {word}" for word in other[-1:]])


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if words[1:] else "".join(words)


def raises(tale: Tale, end: str) -> str:
    """ "recv() raises ConnectionClosedError", of the first exception that told ``end``."""
    first = next(iter(tale.story.raised(end)), None)
    return "" if first is None else f"{first.awaiting}() raises {first.type}"


def guess_words(tale: Tale, seconds: float, fact: float | None, label: str = "your guess") -> list[str]:
    """The guess and its error, the longest first."""
    said = f"{label} {tale.seconds(seconds)}"
    if tale.until is not None:
        return [said]
    if fact is None:
        return [f"{said}; it did not happen", said]
    error = round(seconds - fact, 2 if abs(seconds - fact) < 0.05 else 1)
    if abs(seconds - fact) <= max(0.05, tale.tolerance):
        return [f"{said}: right", said]
    how = f"{tale.seconds(abs(error))} too {'late' if error > 0 else 'early'}"
    return [f"{said}, {how}", f"{said}\n{how}", how]


def notes(tale: Tale, prediction: Story | None) -> list[str]:
    """What the verdict lane says in words because no mark can."""
    found = []
    unknown = tale.unknown or getattr(prediction, "unknown", None)
    if tale.until is None and not tale.unknown and not tale.moments:
        found.append(f"{'nobody noticed anything' if tale.cuts else 'both ends stay OPEN'} until the end of this trace")
    if unknown:
        found.append(f"theory does not know: {unknown}")
    elif prediction is not None and tale.until is None:
        fact, theory = tale.noticed(tale.hero), prediction.noticed_at(tale.hero)
        if (fact is None) != (theory is None):
            found.append(f"theory: the {tale.hero} " + ("never notices" if theory is None else f"notices at {tale.seconds(theory)}"))
    found += [f"a tie: {tie}" for tie in getattr(prediction, "ties", [])[:1]]
    return found


def alt_text(tale: Tale, prediction: Story | None = None, guess: tuple[float, str] | None = None) -> str:
    """The whole figure in words: the finding, the states, what is stuck, the guess and theory; times in seconds."""
    parts = [f"Timeline. {finding(tale)}."]
    parts += [f"{_capital(end)}: {_states(tale, end)}." for end in ENDS if spans(tale, end)]
    parts += [_frames(tale)]
    told = [(end, tale.told(end)) for end in ENDS]
    parts += [f"The {end}'s application: {raises(tale, end)} at {tale.seconds(t)}." for end, t in told if t is not None]
    if guess is not None:
        fact = guess_fact(tale)
        parts.append(f"{_capital(guess_words(tale, guess[0], fact, guess[1])[0])}.")
    if prediction is not None and not getattr(prediction, "unknown", None) and tale.until is None:
        parts.append(_theory(tale, prediction))
    parts += [f"{_capital(note)}." for note in notes(tale, prediction)]
    if tale.until is not None:
        parts.append("What follows is not drawn: a question mark.")
    return " ".join(part for part in parts if part)


def guess_fact(tale: Tale) -> float | None:
    """What a guess is about: when the server left OPEN, or the client if only it has keepalive (s)."""
    server = tale.noticed("server")
    return server if server is not None or tale.hero == "server" else tale.noticed(tale.hero)


def _states(tale: Tale, end: str) -> str:
    row = spans(tale, end)
    said = [f"{span.belief or span.state} from {tale.neat(span.begin)} s" for span in row]
    return ", ".join(said) + (" to the end" if row[-1].state == "OPEN" and not tale.is_asked else "")


def _frames(tale: Tale) -> str:
    pings = sum(frame.opcode == "PING" for frame in tale.through)
    parts = [f"{pings:,} {'PING gets' if pings == 1 else 'PINGs get'} through."]
    for (sender, name), rows in alike(tale.stuck).items():
        first, last = tale.neat(rows[0].sent_at), tale.neat(rows[-1].sent_at)
        arrives = "" if rows[-1].arrived_at is None else f" at {tale.neat(rows[-1].arrived_at)} s"
        if len(rows) == 1:
            fate = "arrives" if arrives else "never arrives"
            parts.append(f"{_capital(name)} of the {sender}, sent at {first} s, is stuck and {fate}{arrives}.")
        else:
            fate = "arrive" if arrives else "never arrive"
            parts.append(f"{len(rows):,} {name}s of the {sender}, sent from {first} to {last} s, are stuck and {fate}{arrives}.")
    return " ".join(parts)


def alike(frames: list[Frame]) -> dict[tuple[str, str], list[Frame]]:
    """Frames by their sender and name."""
    found: dict[tuple[str, str], list[Frame]] = {}
    for frame in frames:
        found.setdefault((frame.sender, stuck_name(frame.opcode, frame.code)), []).append(frame)
    return found


def stuck_name(opcode: str, code: int | None) -> str:
    """A frame by name: "CLOSE 1011", "PING", or "message" for data."""
    if opcode == "CLOSE" and code:
        return f"CLOSE {code}"
    return opcode if opcode in CONTROL else "message"


def _theory(tale: Tale, prediction: Story) -> str:
    asks = {"leaves OPEN": prediction.noticed_at, "is closed": prediction.closed_at, "is told": prediction.told_at}
    moments = [(verb, ask(tale.hero)) for verb, ask in asks.items()]
    said = [f"{verb} at {tale.seconds(t)}" for verb, t in moments if t is not None and math.isfinite(t)]
    return f"Theory: the {tale.hero} {', '.join(said)}." if said else f"Theory: the {tale.hero} never notices."
