"""A ladder in words: its title, what stands in its margins, and its alt text. Pure; draws nothing."""

from __future__ import annotations

from ..faults import ENDS
from ..trace import OTHER
from . import words
from .excerpt import Excerpt
from .rungs import COUNT, Rung
from .states import silent, spans


def finding(tale: Excerpt, found: list[Rung]) -> str:
    """What this part of the story comes to, in a sentence."""
    if tale.unknown:
        return "Theory does not know this one"
    goodbye, pings = _goodbye(found), _pings(tale, found)
    if any(rung.kind == "RST" and rung.sender == "wire" for rung in found):
        return _joined("The connection is reset: RST, no CLOSE", pings)
    if any(rung.kind == "FIN" and rung.sender == "wire" for rung in found):
        return "Somebody in the middle hangs up: FIN, no CLOSE"
    if found and all(rung.kind == "HTTP" for rung in found):
        return "The client asks in HTTP, the server agrees: OPEN"
    if goodbye:
        return goodbye
    if pings:
        return pings
    return _messages(found) or "Nothing is on the wire" if not found or all(r.is_data for r in found) else words.finding(tale)


def _joined(one: str, other: str) -> str:
    return f"{one}; {other[:1].lower() + other[1:]}" if other else one


def _goodbye(found: list[Rung]) -> str:
    closes = [rung for rung in found if rung.kind == "CLOSE"]
    if not closes or any(rung.stuck for rung in closes) or "1011" in closes[0].words[-1]:
        return ""
    fin = next((rung.sender for rung in found if rung.kind == "FIN"), None)
    first, code = closes[0].sender, closes[0].words[-1]
    hangs = f"the {fin} hangs up" if fin else ""
    if len(closes) == 1:
        return f"The {first} says goodbye with {code}" + (f", {hangs}" if hangs else ", and no answer is seen")
    if "echo" not in closes[1].words[0]:
        return "Both say goodbye at once: the CLOSEs cross" + (f", {hangs}" if hangs else "")
    who = "answers and hangs up" if fin == closes[1].sender else f"answers, {hangs}" if hangs else "answers"
    return f"The {first} says goodbye, the {closes[1].sender} {who}"


def _pings(tale: Excerpt, found: list[Rung]) -> str:
    pings = [rung for rung in found if rung.kind == "PING"]
    if not pings:
        return ""
    home, pongs = sum(not rung.stuck for rung in pings), [rung for rung in found if rung.kind == "PONG"]
    lost = [rung for rung in pings if rung.stuck]
    if not lost:
        if mute := [k for k, rung in enumerate(pongs) if rung.stuck]:
            return f"{_count(home, 'ping')} arrived, the {_ordinal(mute[0] + 1)} pong {'waited' if pongs[mute[0]].arrived else 'got stuck'}"
        same = ": the same bytes come back" if pongs and all("same" in rung.words[0] for rung in pongs) else ""
        return f"{_count(home, 'ping')}, {_count(len(pongs), 'pong')}{same}"
    late = [rung.arrived for rung in lost if rung.arrived is not None]
    went = f"{_count(home, 'ping')} came home" if home else "No ping came home"
    if len(lost) > 1:
        return f"{went}, {_number(len(lost))} {'waited in the cut' if late else 'got stuck'}"
    the = _ordinal(pings.index(lost[0]) + 1)
    if late:
        gone = tale.noticed(tale.hero)
        if gone is not None and tale.why_left(tale.hero) == "noticed" and gone < late[0] and lost[0].sender == tale.hero:
            return f"The {the} ping waited {tale.span(late[0] - lost[0].sent)} in the cut: too long, the {tale.hero} had given up"
        rest = f", the other{'s' * (home > 1)} came home at once" if home else ""
        return f"The {the} ping waited {tale.span(late[0] - lost[0].sent)} in the cut{rest}"
    return f"{went}, the {the} did not" if home else "The only ping got stuck"


def _messages(found: list[Rung]) -> str:
    data = [rung for rung in found if rung.is_data]
    stuck = sum(rung.stuck for rung in data)
    if not data:
        return ""
    rest = f", {stuck:,} of them stuck" if stuck else ": no answer, WebSocket has none"
    return _count(len(data), "message") + " on the wire" + rest


def _number(n: int) -> str:
    return COUNT[n] if 0 < n < len(COUNT) else f"{n:,}"


def _ordinal(n: int) -> str:
    names = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
    return names[n - 1] if n <= len(names) else f"{n:,}th"


def _count(n: int, what: str) -> str:
    text = f"{_number(n)} {what}{'s' * (n != 1)}"
    return text[:1].upper() + text[1:] if what in ("ping", "message") else text


# the margins


def notes(tale: Excerpt, end: str) -> list[tuple[float, str]]:
    """What an end does and knows: (s, words), in time; of one moment all that happens."""
    rows = [(span.begin, span.belief or "OPEN") for span in spans(tale, end) if span.state == "OPEN"]
    rows += [(t, _state(tale, end, state)) for t, state in tale.story.states(end) if state in ("CLOSING", "CLOSED")]
    rows += [(one.t, f"{one.awaiting}() raises {one.type}") for one in tale.story.raised(end)]
    rows += [(e.t, f"{e.data.get('call')}() returns") for e in tale.story.select("returned", end)]
    rows += [*survivor(tale, end), *sends(tale, end)]
    rows = [(t, text) for t, text in sorted(rows, key=lambda row: row[0]) if tale.shows(t)]
    merged: list[tuple[float, list[str]]] = []
    for t, text in rows:
        if merged and t - merged[-1][0] <= tale.tolerance:
            merged[-1][1].append(text)
        else:
            merged.append((t, [text]))
    return [(t, "\n".join(dict.fromkeys(texts)).replace("CLOSING\nCLOSED", "CLOSING, CLOSED")) for t, texts in merged]


def _state(tale: Excerpt, end: str, state: str) -> str:
    left = tale.story.noticed_at(end)
    if state == "CLOSED":
        return "CLOSED"
    why = tale.why_left(end)
    at = next(t for t, name in tale.story.states(end) if name == "CLOSING")
    if at != left or why == "noticed":
        return "notices: CLOSING" if at == left else "CLOSING"
    return "calls close(): CLOSING" if why == "said goodbye" else "gets the CLOSE: CLOSING"


def sends(tale: Excerpt, end: str) -> list[tuple[float, str]]:
    """How many messages an end sends in this part, where there are many."""
    sizes = [(f.sent_at, f.size) for f in tale.frames if f.sender == end and f.opcode not in words.CONTROL and tale.shows(f.sent_at)]
    if len(sizes) < 5:
        return []
    each = f",\n{sizes[0][1]:,} bytes each" if len({size for _, size in sizes}) == 1 else ""
    return [(sizes[0][0], f"sends {len(sizes):,} messages{each}")]


def survivor(tale: Excerpt, end: str) -> list[tuple[float, str]]:
    """What an end that stays OPEN in a cut has not got, at a moment when the other has left OPEN."""
    deaf = [(a, b) for a, b in silent(tale, end) if b > tale.stop]
    other = tale.story.noticed_at(OTHER[end])
    if not deaf or other is None or tale.story.noticed_at(end) is not None:
        return []
    since = deaf[0][0]
    heard = {frame.opcode for frame in tale.frames if frame.receiver == end and (frame.arrived_at or -1) > since}
    pings = tale.experiment is not None and tale.experiment.peer(OTHER[end]).keepalive
    missing = [text for text, there in (("no ping", pings and "PING" not in heard), ("no CLOSE", "CLOSE" not in heard)) if there]
    missing += [] if tale.story.raised(end) else ["no error"]
    return [(max(other, tale.since), _lines(missing))]


def _lines(missing: list[str]) -> str:
    """ "still OPEN: no ping, no CLOSE, no error", in lines."""
    return "still OPEN:\n" + ", ".join(missing[:2]) + "".join(f",\n{text}" for text in missing[2:])


# alt text


def alt_text(tale: Excerpt, found: list[Rung], thinned: str) -> str:
    """The whole figure in words."""
    parts = [f"Ladder, time downwards, from {tale.moment(tale.since)} to {tale.moment(tale.horizon)}. {finding(tale, found)}."]
    if tale.unknown:
        parts.append(f"Theory does not know: {tale.unknown}.")
    for cut in tale.cuts:
        if tale.shows(cut.at):
            parts.append(f"{words.cut_words(tale, cut)}.")
    parts += [_rung(tale, rung) for rung in found[:40]]
    if len(found) > 40:
        parts.append(f"And {len(found) - 40:,} more arrows.")
    for end in ENDS:
        said = "; ".join(f"{_one_line(text)} at {tale.moment(t)}" for t, text in notes(tale, end))
        parts += [f"{end.capitalize()}: {said}."] if said else []
    return " ".join([*parts, *([f"{thinned[:1].upper()}{thinned[1:]}."] if thinned else [])])


def _one_line(text: str) -> str:
    return text.replace(",\n", ", ").replace(":\n", ": ").replace("\n", ", ")


def _rung(tale: Excerpt, rung: Rung) -> str:
    way = f"from the {rung.sender} to the {rung.receiver}" if rung.sender != "wire" else f"to the {rung.receiver}"
    text = f"{rung.words[0]}, {way}, sent at {tale.moment(rung.sent)}"
    if rung.stuck:
        return f"{text}, stuck, {'never arrives' if rung.arrived is None else 'arrives at ' + tale.moment(rung.arrived)}."
    return f"{text}, arrives at {tale.moment(rung.stop)}." if rung.stop - rung.sent > tale.tolerance else f"{text}."
