"""The rungs of a ladder: all that goes from end to end, each with its words. It draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..trace import OTHER, Event, Frame
from ..values.faults import ENDS
from .ends import every, is_ping, plural, thinned
from .excerpt import Excerpt

COUNT = "no one two three four five six seven eight nine ten eleven twelve".split()
DATA = ("TEXT", "BINARY", "CONT")
MOST = 60  # rungs of a kind that a ladder has room for


@dataclass(frozen=True)
class Rung:
    """Something on its way from ``sender`` ("wire": the middle) to ``receiver``, times in s."""

    opcode: str  # PING, PONG, CLOSE, TEXT, BINARY, CONT, FIN, RST, HTTP
    sender: str
    receiver: str
    sent: float
    arrived: float | None
    words: tuple[str, ...]  # the longest first
    stuck: bool = False

    @property
    def stop(self) -> float:
        return self.sent if self.arrived is None else self.arrived

    @property
    def is_data(self) -> bool:
        return self.opcode in DATA

    @property
    def name(self) -> str:
        return "message" if self.is_data else self.opcode


def rungs(r: Excerpt, handshake: bool = False) -> list[Rung]:
    """Everything between the ends in this part of the story, in time."""
    found = [*_frames(r), *_ends(r, "fin", "FIN"), *_ends(r, "reset", "RST")]
    found += _opening(r) if handshake else []
    edge = r.begin + (1e-9 if r.begin > 0 else -1e-9)
    here = (one for one in found if one.sent <= r.horizon + 1e-9)
    shown = (one for one in here if (one.sent >= r.begin if one.stuck else one.stop > edge))
    return sorted(shown, key=lambda one: one.sent)


def _frames(r: Excerpt) -> Iterator[Rung]:
    stuck = set(map(id, r.stuck))
    asked = {(f.receiver, f.payload) for f in r.frames if f.opcode == "PING" and f.payload}
    close = next((f for f in r.frames if f.opcode == "CLOSE"), None)
    for frame in r.frames:
        arrived, waits = frame.arrived_at, id(frame) in stuck
        if arrived is None and not waits:
            if not r.latency:
                continue
            arrived = frame.sent_at + r.latency
        words = _words(r, frame, (frame.sender, frame.payload) in asked, close)
        yield Rung(frame.opcode, frame.sender, frame.receiver, frame.sent_at, arrived, words, waits)


def _words(r: Excerpt, frame: Frame, is_asked: bool, close: Frame | None) -> tuple[str, ...]:
    """ "PING c8 50 48 88", "PONG, the same four bytes", "CLOSE 1000", "BINARY, 1,000 bytes"."""
    name = frame.opcode
    if name == "PONG" and is_asked:
        many = COUNT[frame.size] if frame.size < len(COUNT) else f"{frame.size}"
        return (f"{name}, the same {many} bytes", name)
    if name in ("PING", "PONG"):
        shown = frame.payload[: min(8, len(frame.payload))]
        pairs = " ".join(shown[k : k + 2] for k in range(0, len(shown), 2))
        return (f"{name} {pairs}{'…' if frame.size > 4 else ''}", name) if pairs else (name,)
    if name == "CLOSE":
        return _close(frame, close)
    size, text = plural(frame.size, "byte"), _text(r, frame)
    said = (f"{name} “{text}”, {size}", f"{name} “{text}”") if text else (f"{name}, {size}",)
    return (*said, name)


def _text(r: Excerpt, frame: Frame) -> str:
    """A short text as it is; nothing if it is compressed, long, or no text."""
    compressed = r.experiment.compression
    if frame.opcode != "TEXT" or frame.size * 2 != len(frame.payload) or compressed:
        return ""
    try:
        text = bytes.fromhex(frame.payload).decode()
    except ValueError:
        return ""
    return text if text.isprintable() and text.isascii() else ""


def _close(frame: Frame, first: Frame | None) -> tuple[str, ...]:
    short = f"CLOSE {frame.code}" if frame.code and frame.code != 1005 else "CLOSE"
    came = first is not None and first.sender != frame.sender and first.arrived_at is not None
    if came and (first.arrived_at or 0.0) <= frame.sent_at + 1e-9:  # type: ignore[union-attr]
        return (f"{short}, the echo", short)
    return (f"{short} “{frame.reason}”", short) if frame.reason else (short,)


# below WebSocket


def _ends(r: Excerpt, what: str, kind: str) -> Iterator[Rung]:
    """FINs or RSTs: of each sender the first; the wire's own go to both ends."""
    events = r.story.select(what)
    mine = [event for event in events if event.data.get("sender") == "wire"]
    sent = {e.data["sender"]: e.t for e in reversed(events) if e.data.get("step") == "sent"}
    hung = sorted((end for end in sent if end in ENDS), key=lambda end: sent[end])
    for end in hung:
        arrived = _arrived(events, end)
        if arrived is None and any(event.t <= sent[end] for event in mine):
            continue  # whoever sits in the middle has hung up already
        cut = any(a <= sent[end] < b for a, b in r.silences(OTHER[end]))
        late = r.stop - sent[end] > r.latency + 1e-6
        stuck = cut if arrived is not None else cut or late
        if not stuck and arrived is None:
            arrived = sent[end] + r.latency
        words = _end_words(kind, end, end == hung[0])
        yield Rung(kind, end, OTHER[end], sent[end], arrived, words, stuck)
    for end in _told(r, len(mine)) if mine else ():
        yield Rung(kind, "wire", end, mine[0].t, mine[0].t, (f"{kind}, from the middle", kind))


def _arrived(events: list[Event], end: str) -> float | None:
    mine = (event for event in events if event.data.get("sender") == end)
    return next((event.t for event in mine if event.data["step"] == "arrived"), None)


def _end_words(kind: str, end: str, is_first: bool) -> tuple[str, ...]:
    if kind == "RST":
        return (f"the {end} resets (RST)", "RST")
    if is_first:
        return (f"the {end} hangs up (FIN)", "hangs up (FIN)", "FIN")
    return (f"the {end} hangs up, too (FIN)", "FIN, too", "FIN")


def _told(r: Excerpt, count: int) -> Iterable[str]:
    """Which ends the wire's own FIN or RST goes to."""
    if count > 1:
        return ENDS
    acts = (event.data for event in r.story.select("act"))
    ways = (
        a.get("direction", "both") for a in acts if a.get("act") in ("HangUp", "Reset", "Limit")
    )
    way = next(ways, "both")
    return [end for end in ENDS if way in ("both", f"to_{end}")][:1]


def _opening(r: Excerpt) -> Iterator[Rung]:
    """The opening handshake, from the library's log."""
    lines = (
        ("GET ", "client", ("GET / Upgrade: websocket", "GET")),
        ("HTTP/1.1 ", "server", ("HTTP 101: now it is a WebSocket", "HTTP 101")),
    )
    for line, sender, words in lines:
        rows = [
            e for e in r.story.select("handshake") if e.data.get("line", "")[2:].startswith(line)
        ]
        sent = [e.t for e in rows if e.where == sender and e.data["line"][0] == ">"]
        got = [e.t for e in rows if e.where != sender and e.data["line"][0] == "<"]
        if sent and got:
            yield Rung("HTTP", sender, OTHER[sender], sent[0], got[0], words)


# which rungs are one arrow, and which are left out


def thin(found: list[Rung]) -> tuple[list[Rung], str]:
    """As many pings with pongs, and messages, as can be told apart; and what is left out."""
    through = [one for one in found if not one.stuck]
    beats = [one for one in through if one.opcode in ("PING", "PONG")]
    data = [one for one in through if one.is_data]
    few, some = every(beats, is_ping, MOST), every(data, lambda one: True, MOST)
    kept = {id(one) for one in (*few, *some)}
    dropped = {id(one) for one in (*beats, *data)} - kept
    pings, drawn = (sum(map(is_ping, row)) for row in (beats, few))
    said = thinned({"pings": (pings, drawn), "messages": (len(data), len(some))})
    return [one for one in found if id(one) not in dropped], said


def beats(found: list[Rung], near: float) -> list[list[Rung]]:
    """Rungs that are over within ``near`` (s) of the first's begin are one arrow."""
    groups: list[list[Rung]] = []
    for one in found:
        home = next((group for group in reversed(groups[-3:]) if _joins(group[0], one, near)), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return groups


def _joins(first: Rung, one: Rung, near: float) -> bool:
    if one.stuck or first.stuck:
        alike = (one.stuck, one.sender, one.is_data) == (first.stuck, first.sender, first.is_data)
        return alike and one.sent - first.sent <= near
    if "wire" in (first.sender, one.sender):
        return first.sender == one.sender and one.sent == first.sent
    return one.stop - first.sent <= near and first.is_data == one.is_data


def counted(group: list[Rung]) -> list[str]:
    """The words of one arrow, alike ones counted: ["3 × BINARY, 1,000 bytes"]."""
    many = Counter(one.words[0] for one in group)
    return [words if count == 1 else f"{count} × {words}" for words, count in many.items()]
