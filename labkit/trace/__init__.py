"""What was seen: events with their time, place and witness, the questions everybody asks of them, and the file they live in.

A trace is plain data. One event a line, JSON, after a header that says what was run, on what, when, and how it ended:

    {"labkit trace": 1, "experiment": {…}, "wire": "virtual", "clock": "virtual", "versions": {…}, "ended": "…", "end": 17.0, …}
    {"t": 12.0, "conn": 1, "where": "server", "witness": "log", "what": "sent", "opcode": "PING", …}

Who saw it is part of every event. *log*: the library's own DEBUG lines. *tap*: bytes on the wire, parsed into frames.
*app*: what the application awaited and caught. *wire*: what was done to the wire. A prediction has events too, of
the witness *theory*, and answers the same questions. Unknown fields and events are kept, never dropped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..values.experiment import Experiment
from ..values.faults import ENDS, OTHER
from .files import whole

__all__ = ["OTHER", "Event", "Frame", "Raised", "Story", "Trace"]

FORMAT = 1
STATES = ("CONNECTING", "OPEN", "CLOSING", "CLOSED")


class Event(NamedTuple):
    """One thing that somebody saw: when (s since the server was OPEN), where, who saw it, what, and the rest."""

    t: float
    where: str  # server, client, wire, kernel
    witness: str  # log, tap, app, wire, kernel, theory
    what: str  # state, sent, got, keepalive, frame, raised, waiting, act, note, …
    data: dict[str, Any]
    conn: int = 1

    def to_json(self) -> str:
        """The event as a line of JSON."""
        known = {
            "t": round(self.t, 9),
            "conn": self.conn,
            "where": self.where,
            "witness": self.witness,
            "what": self.what,
        }
        return json.dumps({**known, **self.data}, ensure_ascii=False)


@dataclass(frozen=True)
class Frame:
    """A frame on the wire: who sent it, when it went in, and when it came out (None: it never did, it is stuck)."""

    sender: str
    opcode: str  # TEXT, BINARY, CONT, PING, PONG, CLOSE
    sent_at: float  # s
    arrived_at: float | None  # s
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
    """An exception as an application met it: where, when, in which await, and what it says about both closes."""

    end: str
    t: float  # s
    awaiting: str  # recv, send, close, ping …; "?" if no call of websockets raised it: a handler's own mistake
    type: str
    text: str
    cause: str | None = None  # the type and text of __cause__
    code: int | None = None  # ws.close_code: 1006 if no CLOSE arrived (RFC 6455 §7.1.5)
    reason: str | None = None
    sent: int | None = None  # the code in the CLOSE that this end sent
    received: int | None = None  # the code in the CLOSE that this end received
    conn: int = 1


class Story:
    """A sequence of events, observed or predicted, and the questions everybody asks of it."""

    events: list[Event]
    end: float  # s; when the telling stops

    def select(
        self, what: str, where: str | None = None, witness: str | None = None
    ) -> list[Event]:
        """The events of one kind, in time."""
        return [
            event
            for event in self.events
            if event.what == what
            and where in (None, event.where)
            and witness in (None, event.witness)
        ]

    def states(self, end: str) -> list[tuple[float, str]]:
        """The states of ``end`` with the time (s) each began: [(-0.001, "CONNECTING"), (0.0, "OPEN"), …]."""
        self._check(end)
        return [(event.t, event.data["state"]) for event in self.select("state", end)]

    def state_at(self, end: str, t: float) -> str | None:
        """The state of ``end`` at time ``t`` (s); None before there was any."""
        past = [state for when, state in self.states(end) if when <= t]
        return past[-1] if past else None

    def noticed_at(self, end: str) -> float | None:
        """When ``end`` left OPEN (s), or None if it never did."""
        return next((t for t, state in self.states(end) if STATES.index(state) > 1), None)

    def closed_at(self, end: str) -> float | None:
        """When ``end`` was CLOSED (s), or None if it never was."""
        return next((t for t, state in self.states(end) if state == "CLOSED"), None)

    def told_at(self, end: str) -> float | None:
        """When the exception reached the application's code at ``end`` (s): maybe later than CLOSED, maybe never (None).

        A handler's own mistake tells it nothing of the connection: exceptions that no call of websockets raised do not count.
        """
        return next((one.t for one in self.raised(end) if one.awaiting != "?"), None)

    def frames(self, sender: str | None = None) -> list[Frame]:
        """The frames that went into the wire, in time, with the moment each arrived."""
        names = Frame.__dataclass_fields__
        seen = [
            Frame(
                sent_at=event.t,
                conn=event.conn,
                **{k: v for k, v in event.data.items() if k in names},
            )
            for event in self.select("frame")
        ]
        return [frame for frame in seen if sender in (None, frame.sender)]

    def raised(self, end: str | None = None) -> list[Raised]:
        """The exceptions that the applications met, in time."""
        names = Raised.__dataclass_fields__
        return [
            Raised(
                end=event.where,
                t=event.t,
                conn=event.conn,
                **{k: v for k, v in event.data.items() if k in names},
            )
            for event in self.select("raised", end)
        ]

    def _check(self, end: str) -> None:
        if end not in ENDS:
            raise ValueError(f"an end is 'server' or 'client', seen {end!r}")


@dataclass
class Trace(Story):
    """What one run left behind: a header that says what was run, and the events in time.

    ``print(trace)`` is a short table; ``trace.log("server")`` the log as production shows it; ``trace.save(path)`` and
    ``Trace.load(path)`` keep it as JSON Lines.
    """

    experiment: Experiment
    events: list[Event]
    header: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> float:  # type: ignore[override]
        """When the run ended (s)."""
        return float(self.header.get("end", self.events[-1].t if self.events else 0.0))

    def log(self, end: str) -> list[str]:
        """The lines that the library logged at ``end``, at DEBUG, each with its time."""
        self._check(end)
        lines = [
            (event.t, event.data["line"])
            for event in self.events
            if event.where == end and event.witness == "log"
        ]
        return [f"{t:9.3f} {line}" for t, line in lines]

    def waiting(self, end: str) -> list[tuple[float, int]]:
        """Bytes in the write buffer of ``end`` as (s, bytes), one entry a change."""
        self._check(end)
        return [(event.t, event.data["bytes"]) for event in self.select("waiting", end)]

    def latencies(self, end: str) -> list[tuple[float, float]]:
        """What keepalive at ``end`` measured: (s, round trip in s), one entry a pong."""
        self._check(end)
        found = self.select("keepalive", end)
        return [
            (event.t, event.data["latency"])
            for event in found
            if event.data.get("latency") is not None
        ]

    def to_pandas(self) -> Any:
        """The events as a pandas DataFrame, one row an event: t (s), conn, where, witness, what, and the rest as columns."""
        try:
            import pandas
        except ImportError:
            raise ImportError(
                "a DataFrame needs pandas, which is not installed here: pip install pandas"
            ) from None
        known = ["t", "conn", "where", "witness", "what"]
        rows = [
            {**dict(zip(known, (e.t, e.conn, e.where, e.witness, e.what))), **e.data}
            for e in self.events
        ]
        return pandas.DataFrame(rows, columns=None if rows else known)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the trace as JSON Lines, all of it or nothing; returns the path."""
        with whole(path) as draft, open(draft, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self.to_lines())
        return Path(path)

    def to_lines(self) -> Iterator[str]:
        """The lines of the file: the header, then one event each."""
        known = {
            "labkit trace": FORMAT,
            "events": len(self.events),
            "experiment": self.experiment.to_data(),
        }
        yield json.dumps({**known, **self.header}, ensure_ascii=False)
        for event in self.events:
            yield event.to_json()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace that :meth:`save` wrote; a damaged file is refused with the line that is."""
        try:
            with open(path, encoding="utf-8") as file:
                return cls.from_lines(file, str(path))
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not a trace: it is not text") from None

    @classmethod
    def from_lines(cls, lines: Iterable[str], name: str = "the trace") -> Trace:
        """Read a trace from its lines."""
        rows = iter(lines)
        header = _header(next(rows, ""), name)
        count = header.pop("events")
        experiment = _experiment(header, name)
        events = [_event(line, number, name) for number, line in enumerate(rows, start=2)]
        if len(events) != count:
            raise ValueError(
                f"{name} is cut short: expected {count} events after the header, seen {len(events)}"
            )
        return cls(experiment, events, header)

    def __str__(self) -> str:
        from .table import table

        return table(self)

    def __repr__(self) -> str:
        wire, many, busy = (
            self.header.get("wire", "?"),
            len(self.events),
            self.header.get("busy", []),
        )
        story = "; ".join([f"{many} events in {self.end:g} s", *busy])
        return f"<Trace of {self.experiment!r} on the {wire} wire: {story}>"


def _header(line: str, name: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or "labkit trace" not in header:
        raise ValueError(
            f"{name} is not a trace: expected a first line with 'labkit trace', seen {line[:40]!r}"
        )
    version = header.pop("labkit trace")
    if version != FORMAT:
        raise ValueError(
            f"{name} is a trace of format {version!r}: this labkit reads format {FORMAT}; record it again or update labkit"
        )
    if not isinstance(header.get("events"), int):
        raise ValueError(
            f"{name} is damaged in line 1: the header does not say how many events follow"
        )
    return header


def _experiment(header: dict[str, Any], name: str) -> Experiment:
    try:
        return Experiment.from_data(header.pop("experiment", None))
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name} is damaged in line 1: {problem}") from None


def _event(line: str, number: int, name: str) -> Event:
    try:
        data = json.loads(line)
        t, where, witness, what = (data.pop(key) for key in ("t", "where", "witness", "what"))
        return Event(float(t), where, witness, what, data, data.pop("conn", 1))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(
            f"{name} is damaged in line {number}: expected an event with t, where, witness and what, seen {line[:40]!r}"
        ) from None
