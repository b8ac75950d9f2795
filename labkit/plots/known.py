"""What is sure about an experiment before it is run, as a story that a timeline can draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..trace import OTHER, Event, Story
from ..values.experiment import Experiment
from ..values.faults import ENDS


@dataclass
class Known(Story):
    """OPEN on both sides, and pings with their pongs, until the first act."""

    experiment: Experiment
    events: list[Event] = field(init=False)
    end: float = field(init=False)  # s

    def __post_init__(self) -> None:
        it = self.experiment
        acts = [act.at for act in it.faults if act.at is not None]
        longest = max((peer.ping_interval or 0.0 for peer in (it.server, it.client)), default=0.0)
        self.end = float(min(acts)) if acts else 2.5 * longest or 10.0
        late = {"server": 0.0, "client": it.latency}
        opened = [Event(t, end, "theory", "state", {"state": "OPEN"}) for end, t in late.items()]
        pings = [event for end in ENDS for event in self._pings(end, late[end], it.latency)]
        known = (event for event in opened + pings if event.t < self.end)
        self.events = sorted(known, key=lambda event: event.t)

    def _pings(self, end: str, start: float, way: float) -> Iterator[Event]:
        interval = self.experiment.peer(end).ping_interval
        count = min(10_000, (self.end - start) / interval if interval else 0)
        for k in range(1, int(count) + 1):
            t = start + k * (interval or 0.0)
            if t < self.end:
                yield _frame(t, end, "PING", way)
                yield _frame(t + way, OTHER[end], "PONG", way)


def _frame(t: float, sender: str, opcode: str, way: float) -> Event:
    return Event(
        t, "wire", "theory", "frame", {"sender": sender, "opcode": opcode, "arrived_at": t + way}
    )
