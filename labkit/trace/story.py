"""A story: events with their time, place and witness, and the questions everybody asks of them.

A story is observed (a Trace) or predicted. Who saw an event is part of it: *log* is the library's
own DEBUG lines, *tap* bytes on the wire, parsed into frames, *app* what the application awaited and
caught, *wire* what was done to the wire, and *theory* what a prediction says.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..values.faults import ENDS, OTHER

STATES = ("CONNECTING", "OPEN", "CLOSING", "CLOSED")
OVER = {  # why a run was over: the word in header["over"], and what header["ended"] says of it
    "both ended": "both ends have ended",
    "keepers ended": "nobody else has keepalive",
    "stuck": "nothing can happen any more",
    "until": "its time was up",
    "left": "it was left",
    "never open": "the server was never OPEN",
    "going on": "it goes on",
}
REAL = 0.05  # s; what a real clock may be late


class Event(NamedTuple):
    """One thing that somebody saw."""

    t: float  # s since the server was OPEN
    where: str  # server, client, wire, kernel
    witness: str  # log, tap, app, wire, kernel, theory
    what: str  # state, sent, got, keepalive, frame, raised, waiting, act, note, …
    data: dict[str, Any]
    conn: int = 1

    def to_row(self) -> dict[str, Any]:
        """The event as a flat row: t (s), conn, where, witness, what, and the rest."""
        known = {"t": self.t, "conn": self.conn, "where": self.where}
        return {**known, "witness": self.witness, "what": self.what, **self.data}

    def to_json(self) -> str:
        """The event as a line of JSON."""
        return json.dumps({**self.to_row(), "t": round(self.t, 9)}, ensure_ascii=False)


@dataclass(frozen=True)
class Frame:
    """A frame on the wire: who sent it, when it went in, and when it came out."""

    sender: str
    opcode: str  # TEXT, BINARY, CONT, PING, PONG, CLOSE
    sent_at: float  # s
    arrived_at: float | None  # s; None: it never did, it is stuck
    size: int = 0  # bytes of payload
    payload: str = ""  # the first bytes, as hex
    code: int | None = None  # of a CLOSE
    reason: str = ""
    conn: int = 1

    @property
    def receiver(self) -> str:
        """The end that it is meant for."""
        return OTHER[self.sender]


@dataclass(frozen=True)
class Raised:
    """An exception as an application met it, and what it says about both closes."""

    end: str
    t: float  # s
    awaiting: str  # recv, send, close, ping …; "?": no call of websockets, a handler's own mistake
    type: str
    text: str
    cause: str | None = None  # the type and text of __cause__
    code: int | None = None  # ws.close_code: 1006 if no CLOSE arrived (RFC 6455 §7.1.5)
    reason: str | None = None
    sent: int | None = None  # the code in the CLOSE that this end sent
    received: int | None = None  # the code in the CLOSE that this end received
    conn: int = 1


FIELDS = {kind: {field.name for field in dataclasses.fields(kind)} for kind in (Frame, Raised)}


class Story:
    """A sequence of events, observed or predicted, and the questions everybody asks of it."""

    events: list[Event]
    end: float  # s; when the telling stops
    header: Mapping[str, Any] = {}  # what a Trace knows of its run

    @property
    def over(self) -> str | None:
        """Why the run was over, a word of OVER; None for what is no run.

        Traces recorded before this word was written have the sentence only.
        """
        said = str(self.header.get("ended", ""))
        words = (word for word, sentence in OVER.items() if sentence in said)
        return self.header.get("over") or next(words, None)

    @property
    def is_virtual(self) -> bool:
        """Whether its times are exact: a prediction's, or those of a run in virtual time."""
        return bool(self.header.get("clock", "virtual") == "virtual")

    @property
    def slack(self) -> float:
        """How far apart two times of one moment may be (s)."""
        return 1e-6 if self.is_virtual else REAL

    def select(
        self, what: str, where: str | None = None, witness: str | None = None, **data: Any
    ) -> list[Event]:
        """The events of one kind, in time; with ``opcode="PING"``, those whose data say so."""
        return [
            event
            for event in self.events
            if event.what == what
            and where in (None, event.where)
            and witness in (None, event.witness)
            and data.items() <= event.data.items()
        ]

    def states(self, end: str) -> list[tuple[float, str]]:
        """The states of ``end`` as (s, name): [(-0.001, "CONNECTING"), (0.0, "OPEN"), …]."""
        self._check(end)
        return [(event.t, event.data["state"]) for event in self.select("state", end)]

    def state_at(self, end: str, t: float) -> str | None:
        """The state of ``end`` at time ``t`` (s); None before there was any."""
        past = [state for when, state in self.states(end) if when <= t]
        return past[-1] if past else None

    def noticed_at(self, end: str) -> float | None:
        """When ``end`` left OPEN (s), or None if it never did."""
        return next((t for t, state in self.states(end) if state in ("CLOSING", "CLOSED")), None)

    def closed_at(self, end: str) -> float | None:
        """When ``end`` was CLOSED (s), or None if it never was."""
        return next((t for t, state in self.states(end) if state == "CLOSED"), None)

    def told_at(self, end: str) -> float | None:
        """When the exception reached the application at ``end`` (s); None: never.

        It may be later than CLOSED. Only exceptions that a call of websockets raised count: a
        handler's own mistake says nothing of the connection.
        """
        return next((one.t for one in self.raised(end) if one.awaiting != "?"), None)

    def frames(self, sender: str | None = None, opcode: str | None = None) -> list[Frame]:
        """The frames that went into the wire, in time, with the moment each arrived."""
        found = [
            Frame(sent_at=event.t, conn=event.conn, **_known(Frame, event))
            for event in self.select("frame")
        ]
        return [
            frame
            for frame in found
            if sender in (None, frame.sender) and opcode in (None, frame.opcode)
        ]

    def raised(self, end: str | None = None) -> list[Raised]:
        """The exceptions that the applications met, in time."""
        return [
            Raised(end=event.where, t=event.t, conn=event.conn, **_known(Raised, event))
            for event in self.select("raised", end)
        ]

    def _check(self, end: str) -> None:
        if end not in ENDS:
            raise ValueError(f"an end is 'server' or 'client', seen {end!r}")


def _known(kind: type[Any], event: Event) -> dict[str, Any]:
    """The data of an event that are fields of ``kind``; unknown ones are left out."""
    return {name: value for name, value in event.data.items() if name in FIELDS[kind]}
