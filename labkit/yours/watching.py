"""What crosses a connection of a standing wire: lines while it lives, and a trace afterwards.

The bytes are kept by a recorder (engine/recorder.py). Each connection becomes a trace of its own,
whose t = 0 is the moment at which its server was OPEN. What each end must be in is read off its
bytes (RFC 6455 §4, §7.1); its program may know better: one that has dropped its socket looks
CLOSING from here.

    OPEN       the server from its 101 on, the client when that has arrived
    CLOSING    from a CLOSE or a FIN on, sent or received
    CLOSED     from a reset on, or when both FINs have passed this end

What never becomes a WebSocket, as under TLS, is only counted. All of it happens in the wire's own
thread.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..engine.recorder import Recorder
from ..engine.tap import Stream
from ..trace import Event, Trace
from ..trace.story import OVER
from ..values.experiment import Experiment, Peer
from ..values.faults import FLOW, OTHER, Fault
from ..values.faults import to_json as act_to_data
from .wire import StandingWire

UNKNOWN = Peer(ping_interval=None)  # what is known of somebody else's program
TLS = b"\x16\x03"  # how a record begins that begins a handshake (RFC 8446 §5.1)
Line = tuple[float, str, str]  # when (s on the wire's clock), who, what


@dataclass
class Done:
    """A fault as it was done: from when until when (s on the wire's clock)."""

    fault: Fault
    begun: float
    ended: float | None = None

    def act(self, zero: float) -> Fault:
        """It as an act of a trace with this t = 0 (s on the wire's clock)."""
        times: dict[str, Any] = {"at": max(0.0, round(self.begun - zero, 6))}
        if self.ended is not None and self.fault.finish:
            times[self.fault.finish] = round(self.ended - zero, 6)
        return replace(self.fault, **times)


class Connection:
    """What a recorder has noted of one connection, and how much of that has been told."""

    def __init__(self, number: int, recorder: Recorder) -> None:
        self.number, self.recorder = number, recorder
        self.is_tls = False
        self.frames = dict.fromkeys(FLOW, 0)  # that have been told, of each sender
        self.bytes = dict.fromkeys(FLOW, 0)  # that have been told otherwise
        self.late: list[tuple[Stream, int, str]] = []  # frames that were told before they arrived

    def stream(self, sender: str) -> Stream:
        """What a sender has put into this connection."""
        return self.recorder.streams.get((self.number, sender)) or Stream(sender)

    @property
    def is_websocket(self) -> bool:
        """Whether the server has agreed to that."""
        return self.stream("server").head.startswith(b"HTTP/1.1 101 ")

    # while it lives

    def news(self) -> Iterator[Line]:
        """What has happened since this was asked last, not in time."""
        streams = [self.stream(sender) for sender in FLOW]
        for stream in streams:
            self.is_tls = self.is_tls or b"".join(stream.data[:1]).startswith(TLS)
            stream.read()
        yield from self._arrivals()
        for stream in streams:
            yield from self._bytes(stream)
            if self.is_websocket:
                yield from self._frames(stream)

    def _bytes(self, stream: Stream) -> Iterator[Line]:
        """The opening handshake by its first line, and how much more there was that is no frame."""
        sender, head, total = stream.sender, len(stream.head), stream.sent.total
        if head and not self.bytes[sender]:
            self.bytes[sender] = head
            asks = b"upgrade: websocket" in stream.head.lower()
            is_upgrade = self.is_websocket if sender == "server" else asks
            words = first_line(stream) + (": WebSocket" if is_upgrade else "")
            yield went(stream, head), sender, words
        starts = not head and bool(stream.data) and stream.data[0].startswith((b"GET ", b"HTTP"))
        told = max(self.bytes[sender], stream.passed if self.is_websocket else 0)
        if total > told and (stream.broken or not self.is_websocket and not starts):
            self.bytes[sender] = total
            words = f"{total - told:,} bytes{' of TLS' if self.is_tls else ''}"
            yield went(stream, total), sender, words

    def _frames(self, stream: Stream) -> Iterator[Line]:
        for sent, arrived, frame in stream.frames(self.frames[stream.sender]):
            words = said(frame)
            if arrived is None:
                self.late.append((stream, self.frames[stream.sender], words))
                words += ", under way"
            self.frames[stream.sender] += 1
            yield sent[0], stream.sender, words

    def _arrivals(self) -> Iterator[Line]:
        """Of the frames that were told before they arrived."""
        late, self.late = self.late, []
        for stream, number, words in late:
            end = stream.found[number][0]
            arrived = stream.arrived.moment_of(end)
            if arrived is None:
                self.late.append((stream, number, words))
            else:
                waited = arrived[0] - went(stream, end)
                yield arrived[0], stream.sender, f"{words} arrives after {waited:.3f} s"

    # afterwards

    def trace(self, done: list[Done], wire: StandingWire) -> Trace:
        """Its trace until now, with what was done to the wire meanwhile."""
        server = self.stream("server")
        zero = went(server, len(server.head))
        header = {
            "wire": wire.name,
            "clock": wire.clock,
            "over": "left",
            "ended": OVER["left"],
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "programs": "unseen",
        }
        events = [one for one in self.recorder.so_far(zero) if one.conn == self.number]
        trace = Trace(Experiment(UNKNOWN, UNKNOWN), events, header)
        trace.events += _handshake(self, zero)
        trace.events += [event for end in FLOW for event in _leaves(trace, end)]
        over = [event.t for event in trace.select("state") if event.data["state"] == "CLOSED"]
        end = max(over) if len(over) == len(FLOW) else wire.now() - zero
        while_open = (one for one in done if one.begun - zero < end)
        acts = [one.act(zero) for one in while_open if one.ended is None or one.ended > zero]
        trace.events += [step for act in acts for step in _steps(act)]
        trace.events.sort(key=lambda event: event.t)
        trace.header["end"] = round(end, 9)
        compressed = any(event.data.get("compressed") for event in trace.events)
        trace.experiment = trace.experiment.but(faults=acts, compression=compressed)
        return trace


def said(frame: dict[str, Any]) -> str:
    """A frame as the library's log prints it: "PING 1f 8e 2a 07 [4 bytes]"."""
    payload, is_compressed = bytes.fromhex(frame["payload"]), "compressed" in frame
    if frame["opcode"] == "CLOSE":
        shown = [str(frame["code"] or ""), frame["reason"]]
    elif frame["opcode"] == "TEXT" and not is_compressed:
        shown = [repr(payload.decode(errors="replace"))]
    else:
        shown = [payload.hex(" ")]
    if frame["opcode"] != "CLOSE" and frame["size"] > len(payload):
        shown.append("…")
    size = f"{frame['size']:,} bytes"
    notes = ", compressed" if is_compressed else ""
    notes += ", continued" if "fin" in frame else ""
    return " ".join(filter(None, [frame["opcode"], *shown, f"[{size}{notes}]"]))


def first_line(stream: Stream) -> str:
    """What a sender's part of the opening handshake begins with."""
    return stream.head.split(b"\r\n")[0].decode(errors="replace")


def went(stream: Stream, end: int) -> float:
    """When so many bytes had gone in (s on the wire's clock)."""
    moment = stream.sent.moment_of(end)
    assert moment is not None
    return float(moment[0])


def _event(t: float, where: str, what: str, **data: Any) -> Event:
    return Event(t, where, "tap", what, data)


def _steps(act: Fault) -> Iterator[Event]:
    """An act as the events of a trace."""
    for when, step in act.steps():
        yield Event(when, "wire", "wire", "act", {"step": step, **act_to_data(act)})


def _handshake(one: Connection, zero: float) -> Iterator[Event]:
    """The opening handshake, as the logs of both ends would have it, and what it makes of them."""
    for sender, state in (("client", "CONNECTING"), ("server", "OPEN")):
        stream = one.stream(sender)
        for passed, end, sign in ((stream.sent, sender, ">"), (stream.arrived, OTHER[sender], "<")):
            if moment := passed.moment_of(len(stream.head)):
                t = moment[0] - zero
                yield _event(t, end, "handshake", line=f"{sign} {first_line(stream)}")
                yield _event(t, end, "state", state=state)
                if state == "OPEN":
                    yield _event(t, end, "opened")


def _leaves(trace: Trace, end: str) -> Iterator[Event]:
    """How an end leaves OPEN, and is CLOSED."""
    closes = trace.frames(opcode="CLOSE")
    says = {one.sent_at: one.code for one in closes if one.sender == end}
    came = [one for one in closes if one.receiver == end]
    gets = {one.arrived_at: one.code for one in came if one.arrived_at is not None}
    fins, resets = _passed(trace, "fin", end), _passed(trace, "reset", end)
    closed = (resets or fins[1:])[:1]
    left = min([*says, *gets, *fins, *closed], default=math.inf)
    if left < min(closed, default=math.inf):
        yield _event(left, end, "state", state="CLOSING")
    for t in closed:
        yield _event(t, end, "state", state="CLOSED")
    if left in says:
        yield _event(left, end, "closing", code=says[left])
    elif left in gets:
        yield _event(left, end, "got", opcode="CLOSE", code=gets[left])
    elif left in fins:
        yield _event(left, end, "got", opcode="EOF")


def _passed(trace: Trace, what: str, end: str) -> list[float]:
    """When each FIN or RST was sent by an end, or arrived there (s)."""
    passes = (end, "sent"), (OTHER[end], "arrived"), ("wire", "arrived")
    events = trace.select(what)
    return [event.t for event in events if (event.data["sender"], event.data["step"]) in passes]
