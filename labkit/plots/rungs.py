"""The rungs of a ladder: all that goes from one end to the other, each with its words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..faults import ENDS
from ..trace import OTHER, Frame
from .excerpt import Excerpt

COUNT = "no one two three four five six seven eight nine ten eleven twelve".split()


@dataclass(frozen=True)
class Rung:
    """Something on its way: from ``sender`` ("wire": from the middle) to ``receiver``, times in s."""

    kind: str  # PING, PONG, CLOSE, TEXT, BINARY, CONT, FIN, RST, HTTP
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
        return self.kind in ("TEXT", "BINARY", "CONT")


def rungs(tale: Excerpt, handshake: bool = False) -> list[Rung]:
    """Everything between the ends in this part of the story, in time."""
    found = [*_frames(tale), *_ends(tale, "fin", "FIN"), *_ends(tale, "reset", "RST"), *(_opening(tale) if handshake else [])]
    here = [
        rung
        for rung in found
        if rung.sent <= tale.horizon + 1e-9 and (rung.stuck or rung.stop > tale.since + (1e-9 if tale.since > 0 else -1e-9))
    ]
    return sorted((rung for rung in here if not rung.stuck or rung.sent >= tale.since), key=lambda rung: rung.sent)


def _frames(tale: Excerpt) -> Iterator[Rung]:
    stuck = set(map(id, tale.stuck))
    for frame in tale.frames:
        arrived = frame.arrived_at
        if arrived is None and id(frame) not in stuck:
            if not tale.latency:
                continue
            arrived = frame.sent_at + tale.latency
        yield Rung(frame.opcode, frame.sender, frame.receiver, frame.sent_at, arrived, frame_words(tale, frame), id(frame) in stuck)


def frame_words(tale: Excerpt, frame: Frame) -> tuple[str, ...]:
    """What stands on a frame's arrow: "PING c8 50 48 88", "PONG, the same four bytes", "CLOSE 1000", "BINARY, 1,000 bytes"."""
    name = frame.opcode
    if name == "PONG" and frame.payload and (frame.receiver, frame.payload) in tale.asked:
        many = COUNT[frame.size] if frame.size < len(COUNT) else f"{frame.size}"
        return (f"{name}, the same {many} bytes", name)
    if name in ("PING", "PONG"):
        return (f"{name} {_hex(frame)}", name) if frame.payload else (name,)
    if name == "CLOSE":
        return _close(tale, frame)
    size = f"{name}, {frame.size:,} byte{'s' * (frame.size != 1)}"
    text = _text(tale, frame)
    return (f"{name} “{text}”, {size.partition(', ')[2]}", f"{name} “{text}”", size, name) if text else (size, name)


def _hex(frame: Frame) -> str:
    return " ".join(frame.payload[k : k + 2] for k in range(0, min(8, len(frame.payload)), 2)) + ("…" if frame.size > 4 else "")


def _text(tale: Excerpt, frame: Frame) -> str:
    """A short text as it is; nothing if it is compressed, long, or no text."""
    if frame.opcode != "TEXT" or frame.size * 2 != len(frame.payload) or (tale.experiment and tale.experiment.compression):
        return ""
    try:
        text = bytes.fromhex(frame.payload).decode()
    except ValueError:
        return ""
    return text if text.isprintable() and text.isascii() and "$" not in text else ""


def _close(tale: Excerpt, frame: Frame) -> tuple[str, ...]:
    short = f"CLOSE {frame.code}" if frame.code and frame.code != 1005 else "CLOSE"
    first = next(f for f in tale.frames if f.opcode == "CLOSE")
    reason = f" “{frame.reason}”" if frame.reason and "$" not in frame.reason else ""
    is_echo = first.sender != frame.sender and first.arrived_at is not None and first.arrived_at <= frame.sent_at + 1e-9
    if is_echo:
        return (f"{short}, the echo", short)
    return (short + reason, short)


# below WebSocket


def _ends(tale: Excerpt, what: str, kind: str) -> Iterator[Rung]:
    """FINs or RSTs: of each sender the first; the wire's own go to both ends."""
    events = tale.story.select(what)
    hung = [end for event in events if (end := event.data.get("sender")) in ENDS and event.data.get("step") == "sent"]
    for end in dict.fromkeys(hung):
        of_it = [event for event in events if event.data.get("sender") == end]
        sent = next(event.t for event in of_it if event.data["step"] == "sent")
        arrived = next((event.t for event in of_it if event.data["step"] == "arrived"), None)
        if arrived is None and any(event.data.get("sender") == "wire" and event.t <= sent for event in events):
            continue  # whoever sits in the middle has hung up already
        cut = any(a <= sent < b for a, b in tale.silences(OTHER[end]))
        stuck = (arrived is None and (cut or tale.stop - sent > tale.latency + 1e-6)) or (arrived is not None and cut)
        if not stuck and arrived is None:
            arrived = sent + tale.latency
        yield Rung(kind, end, OTHER[end], sent, arrived, _ends_words(kind, end, end == hung[0]), stuck)
    mine = [event for event in events if event.data.get("sender") == "wire"]
    if mine:
        yield from (Rung(kind, "wire", end, mine[0].t, mine[0].t, (f"{kind}, from the middle", kind)) for end in _told(tale, len(mine)))


def _ends_words(kind: str, end: str, is_first: bool) -> tuple[str, ...]:
    if kind == "RST":
        return (f"the {end} resets (RST)", "RST")
    return (f"the {end} hangs up (FIN)", "hangs up (FIN)", "FIN") if is_first else (f"the {end} hangs up, too (FIN)", "FIN, too", "FIN")


def _told(tale: Excerpt, count: int) -> Iterable[str]:
    """Which ends the wire's own FIN or RST goes to."""
    if count > 1:
        return ENDS
    way = next(
        (e.data.get("direction", "both") for e in tale.story.select("act") if e.data.get("act") in ("HangUp", "Reset", "Limit")), "both"
    )
    return [end for end in ENDS if way in ("both", f"to_{end}")][:1]


def _opening(tale: Excerpt) -> Iterator[Rung]:
    """The opening handshake, from the library's log."""
    for line, sender, words in (("GET ", "client", "GET / Upgrade: websocket"), ("HTTP/1.1 ", "server", "HTTP 101: now it is a WebSocket")):
        rows = [event for event in tale.story.select("handshake") if event.data.get("line", "")[2:].startswith(line)]
        sent = [event.t for event in rows if event.where == sender and event.data["line"][0] == ">"]
        got = [event.t for event in rows if event.where != sender and event.data["line"][0] == "<"]
        if sent and got:
            yield Rung("HTTP", sender, OTHER[sender], sent[0], got[0], (words, words.split("/")[0].split(":")[0].strip()))
