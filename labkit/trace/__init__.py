"""What was seen: a Trace, and the file it lives in.

A trace is plain data. One event a line, JSON, after a header that says what was run, on what, when,
and how it ended (a word of story.py's table OVER, and a sentence):

    {"labkit trace": 1, "events": 21, "experiment": {…}, "wire": "virtual", "clock": "virtual",
     "end": 17.0, "over": "keepers ended", "ended": "…", "versions": {…}, …}
    {"t": 12.0, "conn": 1, "where": "server", "witness": "log", "what": "sent", "opcode": "PING", …}

Unknown fields and events are kept, never dropped.

story.py         events, frames, exceptions, and the questions that a trace and a prediction answer
table.py         a story as a short table
why.py           what happened to each end, and why, in sentences
fate.py          how it ended for one end, in a word
recordings.py    the recorded traces that come with the lab
files.py         files that are never half-written
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..values.experiment import Experiment
from ..values.faults import OTHER
from .files import whole
from .story import STATES, Event, Frame, Raised, Story
from .table import table

__all__ = ["OTHER", "STATES", "Event", "Frame", "Raised", "Story", "Trace"]

FORMAT = 1
COLUMNS = ["t", "conn", "where", "witness", "what"]  # of every event


@dataclass
class Trace(Story):
    """What one run left behind: a header that says what was run, and the events in time.

    ``print(trace)`` is a short table; ``trace.log("server")`` the log as production shows it;
    ``trace.save(path)`` and ``Trace.load(path)`` keep it as JSON Lines.
    """

    experiment: Experiment
    events: list[Event]
    header: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> float:  # type: ignore[override]
        """When the run ended (s)."""
        return float(self.header.get("end", self.events[-1].t if self.events else 0.0))

    def log(self, end: str) -> list[str]:
        """The lines that the library logged at ``end``, at DEBUG, each with its time (s)."""
        self._check(end)
        seen = [event for event in self.events if (event.where, event.witness) == (end, "log")]
        return [f"{event.t:9.3f} {event.data['line']}" for event in seen]

    def waiting(self, end: str) -> list[tuple[float, int]]:
        """Bytes in the write buffer of ``end`` as (s, bytes), one entry a change."""
        self._check(end)
        return [(event.t, event.data["bytes"]) for event in self.select("waiting", end)]

    def latencies(self, end: str) -> list[tuple[float, float]]:
        """What keepalive at ``end`` measured: (s, round trip in s), one entry a pong."""
        self._check(end)
        found = [(event.t, event.data.get("latency")) for event in self.select("keepalive", end)]
        return [(t, latency) for t, latency in found if latency is not None]

    def to_pandas(self) -> Any:
        """The events as a pandas DataFrame: COLUMNS, and a column for whatever else they say."""
        try:
            import pandas
        except ImportError:
            raise ImportError(
                "a DataFrame needs pandas, which is not installed here: pip install pandas"
            ) from None
        rows = [event.to_row() for event in self.events]
        return pandas.DataFrame(rows, columns=None if rows else COLUMNS)

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
        """Read a trace that :meth:`save` wrote; ValueError names the line that is damaged."""
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
            expected = f"expected {count} events after the header, seen {len(events)}"
            raise ValueError(f"{name} is cut short: {expected}")
        return cls(experiment, events, header)

    def __str__(self) -> str:
        return table(self)

    def __repr__(self) -> str:
        wire, busy = self.header.get("wire", "?"), self.header.get("busy", [])
        story = "; ".join([f"{len(self.events)} events in {self.end:g} s", *busy])
        return f"<Trace of {self.experiment!r} on the {wire} wire: {story}>"


def _header(line: str, name: str) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or "labkit trace" not in header:
        expected = f"expected a first line with 'labkit trace', seen {line[:40]!r}"
        raise ValueError(f"{name} is not a trace: {expected}")
    version = header.pop("labkit trace")
    if version != FORMAT:
        remedy = f"this labkit reads format {FORMAT}; record it again or update labkit"
        raise ValueError(f"{name} is a trace of format {version!r}: {remedy}")
    if not isinstance(header.get("events"), int):
        problem = "the header does not say how many events follow"
        raise ValueError(f"{name} is damaged in line 1: {problem}")
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
        expected = f"expected an event with t, where, witness and what, seen {line[:40]!r}"
        raise ValueError(f"{name} is damaged in line {number}: {expected}") from None
