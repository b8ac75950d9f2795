"""What is sure about an experiment before it is run, as a story that a timeline can draw."""

from __future__ import annotations

from collections.abc import Iterator

from ..trace import OTHER, Event, Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS

MOST = 10_000  # pings that are told


def known(experiment: Experiment) -> Trace:
    """OPEN on both sides, and pings with their pongs, until the first act."""
    acts = [act.at for act in experiment.faults if act.at is not None]
    longest = max(experiment.peer(end).ping_interval or 0.0 for end in ENDS)
    end = float(min(acts)) if acts else 2.5 * longest or 10.0
    told = [event for one in ENDS for event in _quiet(experiment, one, end) if event.t < end]
    return Trace(experiment, sorted(told, key=lambda event: event.t), {"end": end})


def _quiet(experiment: Experiment, end: str, until: float) -> Iterator[Event]:
    """An end that is OPEN, its pings, and their pongs."""
    way, interval = experiment.latency, experiment.peer(end).ping_interval
    start = way if end == "client" else 0.0
    yield Event(start, end, "theory", "state", {"state": "OPEN"})
    if interval is None:
        return
    for k in range(1, min(MOST, int((until - start) / interval)) + 1):
        t = start + k * interval
        yield _frame(t, end, "PING", way)
        yield _frame(t + way, OTHER[end], "PONG", way)


def _frame(t: float, sender: str, opcode: str, way: float) -> Event:
    data = {"sender": sender, "opcode": opcode, "arrived_at": t + way}
    return Event(t, "wire", "theory", "frame", data)
