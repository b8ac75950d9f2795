"""A ladder in words: its title, its arrows, what stands in its margins. It draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..trace import OTHER
from . import findings
from .ends import capital, cut_words, noun, plural, together
from .excerpt import Excerpt
from .states import silent, spans
from .wire import CONTROL, Crossing

MOST = 40  # arrows that the alt text tells one by one
COUNT = "no one two three four five six seven eight nine ten eleven twelve".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
CALLED = {  # what is no frame, the longest first
    "FIN": ("the {} hangs up (FIN)", "hangs up (FIN)", "FIN"),
    "second FIN": ("the {} hangs up, too (FIN)", "FIN, too", "FIN"),
    "RST": ("the {} resets (RST)", "RST"),
    "HTTP of the client": ("GET / Upgrade: websocket", "GET"),
    "HTTP of the server": ("HTTP 101: now it is a WebSocket", "HTTP 101"),
}
WHY = {"said goodbye": "calls close()", "got the CLOSE": "gets the CLOSE", "noticed": "notices"}


def finding(r: Excerpt, found: list[Crossing]) -> str:
    """What this part of the story comes to, in a sentence."""
    if r.unknown:
        return "Theory does not know this one"
    pings, middle = _pings(r, found), {one.opcode for one in found if one.sender == "wire"}
    if "RST" in middle:
        also = f"; {pings[:1].lower()}{pings[1:]}" if pings else ""
        return f"The connection is reset: RST, no CLOSE{also}"
    if "FIN" in middle:
        return "Somebody in the middle hangs up: FIN, no CLOSE"
    if found and all(one.opcode == "HTTP" for one in found):
        return "The client asks in HTTP, the server agrees: OPEN"
    if said := _goodbye(r, found) or pings:
        return said
    if any(not one.is_data for one in found):
        return findings.finding(r)
    return _messages(found) or "Nothing is on the wire"


def _goodbye(r: Excerpt, found: list[Crossing]) -> str:
    closes = [one for one in found if one.opcode == "CLOSE"]
    if not closes or any(one.stuck for one in closes) or closes[0].code == 1011:
        return ""
    fin = next((one.sender for one in found if one.opcode == "FIN"), None)
    first, hangs = closes[0].sender, f", the {fin} hangs up" if fin else ""
    if len(closes) == 1:
        after = hangs or ", and no answer is seen"
        return f"The {first} says goodbye with {closes[0].name}{after}"
    if not r.is_echo(closes[1]):
        return f"Both say goodbye at once: the CLOSEs cross{hangs}"
    hangs = " and hangs up" if fin == closes[1].sender else hangs
    return f"The {first} says goodbye, the {closes[1].sender} answers{hangs}"


def _pings(r: Excerpt, found: list[Crossing]) -> str:
    pings, pongs = ([one for one in found if one.opcode == name] for name in ("PING", "PONG"))
    lost = [one for one in pings if one.stuck]
    home = len(pings) - len(lost)
    if not lost:
        return _pongs(r, pings, pongs)
    late = [one.arrived_at for one in lost if one.arrived_at is not None]
    went = f"{_count(home, 'ping')} came home" if home else "No ping came home"
    if len(lost) > 1:
        return f"{went}, {_number(len(lost))} {'waited in the cut' if late else 'got stuck'}"
    the, other = _ordinal(pings.index(lost[0]) + 1), "others" if home > 1 else "other"
    if not late:
        return f"{went}, the {the} did not" if home else "The only ping got stuck"
    waited = f"The {the} ping waited {r.span(late[0] - lost[0].sent_at)} in the cut"
    gone, mine = r.noticed(r.subject), lost[0].sender == r.subject
    if mine and gone is not None and gone < late[0] and r.why_left(r.subject) == "noticed":
        return f"{waited}: too long, the {r.subject} had given up"
    return f"{waited}, the {other} came home at once" if home else waited


def _pongs(r: Excerpt, pings: list[Crossing], pongs: list[Crossing]) -> str:
    """Of pings that all arrived."""
    if not pings:
        return ""
    mute = next((k for k, one in enumerate(pongs) if one.stuck), None)
    if mute is not None:
        fate = "waited" if pongs[mute].arrived_at else "got stuck"
        return f"{_count(len(pings), 'ping')} arrived, the {_ordinal(mute + 1)} pong {fate}"
    same = pongs and all(map(r.is_answer, pongs))
    count = f"{_count(len(pings), 'ping')}, {_count(len(pongs), 'pong').lower()}"
    return f"{count}{': the same bytes come back' if same else ''}"


def _messages(found: list[Crossing]) -> str:
    stuck = sum(one.stuck for one in found)
    rest = f", {stuck:,} of them stuck" if stuck else ": no answer, WebSocket has none"
    return f"{_count(len(found), 'message')} on the wire{rest}" if found else ""


def _number(n: int) -> str:
    return COUNT[n] if 0 < n < len(COUNT) else f"{n:,}"


def _ordinal(n: int) -> str:
    return ORDINALS[n - 1] if n <= len(ORDINALS) else f"{n:,}th"


def _count(n: int, what: str) -> str:
    return capital(f"{_number(n)} {noun(n, what)}")


# the arrows


def called(r: Excerpt, one: Crossing) -> tuple[str, ...]:
    """ "PONG, the same four bytes", "BINARY, 9 bytes", "CLOSE 1000, the echo": longest first."""
    if one.sender == "wire":
        return f"{one.opcode}, from the middle", one.opcode
    if one.is_data:
        size, text = plural(one.size, "byte"), _text(r, one)
        said = (f"{one.opcode} “{text}”, {size}", f"{one.opcode} “{text}”")
        return (*(said if text else [f"{one.opcode}, {size}"]), one.opcode)
    if one.opcode in CONTROL:
        return tuple(dict.fromkeys((f"{one.name}{_carried(r, one)}", one.name)))
    kind = f"HTTP of the {one.sender}" if one.opcode == "HTTP" else one.opcode
    kind = "second FIN" if kind == "FIN" and one.sender != r.hung_up else kind
    return tuple(text.format(one.sender) for text in CALLED[kind])


def _carried(r: Excerpt, one: Crossing) -> str:
    """What a control frame carries."""
    if one.opcode == "CLOSE":
        return ", the echo" if r.is_echo(one) else f" “{one.reason}”" if one.reason else ""
    if r.is_answer(one):
        return f", the same {COUNT[one.size] if one.size < len(COUNT) else one.size} bytes"
    pairs = bytes.fromhex(one.payload[:8]).hex(" ")
    return f" {pairs}{'…' if one.size > 4 else ''}" if pairs else ""


def _text(r: Excerpt, one: Crossing) -> str:
    """A short text as it is; nothing if it is compressed, long, or no text."""
    is_whole = one.opcode == "TEXT" and one.size * 2 == len(one.payload)
    if not is_whole or r.experiment.compression:
        return ""
    text = bytes.fromhex(one.payload).decode(errors="replace")
    return text if text.isprintable() and text.isascii() else ""


def stuck(r: Excerpt, group: list[Crossing], count: int) -> tuple[str, ...]:
    """ "CLOSE 1011 and FIN stuck, arrive at 20 s", "17 messages stuck", the longest first."""
    first, names = group[0], list(dict.fromkeys(called(r, one)[-1] for one in group))
    what = plural(count, "message") if first.is_data else " and ".join(names)
    if first.is_data:
        return f"{what} stuck", f"{what}\nstuck"
    texts = []
    if first.arrived_at is not None:
        arrive = "arrives" if len(names) == 1 else "arrive"
        texts = [f"{what} stuck,\n{arrive} at {r.moment(first.arrived_at)}"]
    texts.append(f"{what} stuck")
    texts += [f"{names[0]}\nand {names[1]} stuck"] if len(names) == 2 else []
    return (*texts, f"{what}\nstuck", f"{names[0]} stuck", f"{names[0]}\nstuck")


def counted(r: Excerpt, group: list[Crossing]) -> list[str]:
    """The words of one arrow, alike ones counted: ["3 × BINARY, 1,000 bytes"]."""
    many = Counter(called(r, one)[0] for one in group)
    return [text if count == 1 else f"{count} × {text}" for text, count in many.items()]


def clause(r: Excerpt, one: Crossing) -> str:
    """One arrow as a clause of the alt text."""
    whose = "" if one.sender == "wire" else f"from the {one.sender} "
    text = f"{called(r, one)[0]}, {whose}to the {one.receiver}, sent at {r.moment(one.sent_at)}"
    fate = "never arrives" if one.arrived_at is None else f"arrives at {r.moment(one.arrived_at)}"
    if one.stuck:
        return f"{text}, stuck, {fate}"
    return f"{text}, {fate}" if one.stop - one.sent_at > r.tolerance else text


# the margins


def notes(r: Excerpt, end: str) -> list[tuple[float, str]]:
    """What an end does and knows: (s, words), in time; of one moment all that happens."""
    rows = [(span.begin, span.belief or "OPEN") for span in spans(r, end) if span.state == "OPEN"]
    rows += [(t, _state(r, end, s)) for t, s in r.states[end] if s in ("CLOSING", "CLOSED")]
    rows += [(one.t, f"{one.awaiting}() raises {one.type}") for one in r.raised[end]]
    rows += [(e.t, f"{e.data.get('call')}() returns") for e in r.story.select("returned", end)]
    rows += [*_survivor(r, end), *_sends(r, end)]
    found = sorted((row for row in rows if r.shows(row[0])), key=lambda row: row[0])
    groups = together(found, lambda first, row: row[0] - first[0] <= r.tolerance)
    joined = (
        (group[0][0], "\n".join(dict.fromkeys(text for _, text in group))) for group in groups
    )
    return [(t, text.replace("CLOSING\nCLOSED", "CLOSING, CLOSED")) for t, text in joined]


def _state(r: Excerpt, end: str, state: str) -> str:
    closing = next((t for t, name in r.states[end] if name == "CLOSING"), None)
    if state == "CLOSED" or closing != r.noticed(end):
        return state
    return f"{WHY[r.why_left(end)]}: CLOSING"


def _sends(r: Excerpt, end: str) -> list[tuple[float, str]]:
    """How many messages an end sends in this part, where there are many."""
    mine = [
        f for f in r.frames if f.sender == end and f.opcode not in CONTROL and r.shows(f.sent_at)
    ]
    if len(mine) < 5:
        return []
    each = f",\n{mine[0].size:,} bytes each" if len({f.size for f in mine}) == 1 else ""
    return [(mine[0].sent_at, f"sends {len(mine):,} messages{each}")]


def _survivor(r: Excerpt, end: str) -> list[tuple[float, str]]:
    """What an end that stays OPEN in a cut has not got when the other has left OPEN."""
    deaf = [a for a, b in silent(r, end) if b > r.stop]
    other = r.noticed(OTHER[end])
    if not deaf or other is None or r.noticed(end) is not None:
        return []
    late = (f for f in r.frames if f.receiver == end and (f.arrived_at or -1) > deaf[0])
    heard = {frame.opcode for frame in late}
    pings = r.experiment.peer(OTHER[end]).keepalive
    missing = ["no ping"] if pings and "PING" not in heard else []
    missing += ["no CLOSE"] if "CLOSE" not in heard else []
    missing += [] if r.raised[end] else ["no error"]
    lines = [", ".join(missing[:2]), *missing[2:]]
    return [(max(other, r.begin), "still OPEN:\n" + ",\n".join(lines))]


def clauses(
    r: Excerpt, found: list[Crossing], notes: dict[str, list[tuple[float, str]]], thinned: str
) -> Iterator[tuple[str, float]]:
    """The alt text, clause by clause, with the time (s) from which on each is known."""
    for cut in r.cuts:
        if r.shows(cut.at):
            yield cut_words(r, cut), cut.start
    for one in found[:MOST]:
        yield clause(r, one), one.stop
    if len(found) > MOST:
        yield f"And {len(found) - MOST:,} more arrows", r.stop
    for end, rows in notes.items():
        start = f"{end.capitalize()}: "
        for t, text in rows:
            line = text.replace(",\n", ", ").replace(":\n", ": ").replace("\n", ", ")
            yield f"{start}{line} at {r.moment(t)}", t
            start = ", then "
    if thinned:
        yield capital(thinned), r.stop
