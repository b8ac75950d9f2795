"""The ward: whose line is it? One chart a connection, many at a time, and their discharge when they are over.

A log that names its connections is simple. In one that does not, a lone connection owns every line; among several, a line goes
to the one that it fits – a pong to the ping with the same payload, CLOSED to the one that is CLOSING – and all of them are
marked ``mixed``: nothing that rests on whose line it was is certain then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..engine.dialect import read as meaning
from ..trace import STATES
from .chart import Chart, Fact
from .fitting import fit
from .lines import Line
from .report import Storms
from .stamps import Clock

WARM = 64  # charts that are over and may still hear a last word


@dataclass
class Group:
    """The connections that share a name in the log: one, if it names connections; else those of a process."""

    live: list[Chart] = field(default_factory=list)
    current: Chart | None = None
    over: Chart | None = None  # the newest that is CLOSED
    named: bool = False


class Ward:
    """Sorts lines to charts; ``discharge`` is called with each chart once nothing more will come."""

    def __init__(self, discharge: Callable[[Chart], None], storms: Storms) -> None:
        self.discharge, self.storms = discharge, storms
        self.groups: dict[tuple[str, str], Group] = {}
        self.unnamed: list[Group] = []
        self.warm: deque[tuple[tuple[str, str], Chart]] = deque()
        self.clock = Clock()
        self.count = 0
        self.begin: float | None = None  # the first time (s)
        self.end: float | None = None  # the newest

    def take(self, line: Line) -> None:
        """Sort one line of the library's debug log."""
        if line.kind == "data":
            self._data(line)
            return
        kind, data = self._meaning(line)
        fact = self._fact(line, kind, data)
        key = (line.who, line.side)
        group = self._group(line)
        chart = self._pick(group, kind, data, line)
        if chart is not None:
            self._fold(key, group, chart, kind, data, fact)

    def leave(self, envelope: str) -> None:
        """The log ends here, with a line of anybody's whose time is in ``envelope``."""
        kind, end = self.clock.kind, self.clock.read(envelope)
        if kind and kind == self.clock.kind and end is not None and self.end is not None:
            self.end = max(self.end, end)
        for _, chart in self.warm:
            self.discharge(chart)
        for group in self.groups.values():
            for chart in group.live:
                self.discharge(chart)
        self.groups.clear()
        self.warm.clear()

    def time(self, line: Line) -> float | None:
        """When a line was written (s)."""
        t = self.clock.read(line.prefix)
        if t is not None:
            self.end = t
            self.begin = t if self.begin is None else self.begin
        return t

    # reading

    def _meaning(self, line: Line) -> tuple[str, dict[str, Any]]:
        message = (
            line.message.rstrip(" \"'}]")
            if line.kind in ("state", "keepalive")
            else line.message.rstrip()
        )
        kind, data = meaning(message)
        if kind in ("sent", "got") and data.get("opcode") in ("PING", "PONG"):
            data["payload"] = message[7:].rpartition(" [")[0]
        if kind == "state" and data["state"] not in STATES:
            return "note", {"line": data["line"]}  # a line that is cut
        if kind in ("sent", "got") and data.get("opcode") == "CLOSE":
            data.setdefault("code", 1005)  # an empty CLOSE (RFC 6455 §7.1.5)
        return kind, data

    def _fact(self, line: Line, kind: str, data: dict[str, Any]) -> Fact:
        words = data["line"] if kind != "handshake" else " ".join(data["line"].split()[:2])
        return Fact(
            line.number, self.time(line), words[:100], data.get("code"), data.get("reason", "")
        )

    def _data(self, line: Line) -> None:
        """A message: counted and timed; what is in it is not looked at."""
        group = self.groups.get((line.who, line.side))
        if group is None or not group.live:
            group = self._group(line)
            chart = self._admit(group, line)
        else:
            chart = group.current if group.current in group.live else group.live[-1]
        chart.pass_data(Fact(line.number, self.time(line), line.message))

    # sorting

    def _group(self, line: Line) -> Group:
        key = (line.who, line.side)
        if key not in self.groups:
            self.groups[key] = Group(named=line.named)
            if not line.named:
                self.unnamed.append(self.groups[key])
        return self.groups[key]

    def _pick(self, group: Group, kind: str, data: dict[str, Any], line: Line) -> Chart | None:
        """The chart that a line belongs to; a new one if it begins a connection, or if the log begins in the middle of one."""
        if kind == "state" and data["state"] == "CONNECTING":
            return self._admit(group, line)
        if best := self._best(group, kind, data):
            return best
        if group.over is not None and kind in ("tcp", "note", "got", "sent", "timeout"):
            return group.over  # a last word: "x half-closing TCP connection"
        if kind == "note" or (
            kind == "state" and data["state"] == "CLOSED" and group.over is not None and group.named
        ):
            return None
        return self._admit(group, line)

    def _admit(self, group: Group, line: Line) -> Chart:
        if line.named and (chart := self._unborn(line.side)):
            chart.who = line.who
            group.live.append(chart)
            return chart
        self.count += 1
        chart = Chart(self.count, who=line.who if line.named else "", side=line.side)
        group.live.append(chart)
        if len(group.live) > 1:
            for other in group.live:
                other.mixed = True
        return chart

    def _unborn(self, side: str) -> Chart | None:
        """The oldest connection that has only said CONNECTING: the library says that before a connection has its name."""
        for group in self.unnamed:
            for chart in group.live:
                if (
                    chart.state == "CONNECTING"
                    and chart.first is chart.last
                    and side in ("", chart.side)
                ):
                    group.live.remove(chart)
                    chart.mixed = False
                    return chart
        return None

    def _best(self, group: Group, kind: str, data: dict[str, Any]) -> Chart | None:
        """The connection that a line fits best: the one that spoke last, else the oldest, where several do."""
        if group.named or len(group.live) == 1:
            return next(
                (chart for chart in reversed(group.live) if _allowed(chart, kind, data)), None
            )
        fits = [(fit(chart, kind, data), chart) for chart in group.live]
        most = max((how for how, _ in fits), default=0)
        best = [chart for how, chart in fits if how == most > 0]
        return group.current if group.current in best else best[0] if best else None

    def _fold(
        self,
        key: tuple[str, str],
        group: Group,
        chart: Chart,
        kind: str,
        data: dict[str, Any],
        fact: Fact,
    ) -> None:
        group.current = chart
        chart.fold(kind, data, fact)
        if kind == "state" and data["state"] == "OPEN" and fact.t is not None:
            self.storms.open(fact.t, fact.number)
        if chart.is_over and chart in group.live:
            self._over(key, group, chart)

    def _over(self, key: tuple[str, str], group: Group, chart: Chart) -> None:
        group.live.remove(chart)
        group.over = chart
        if (over := chart.at("CLOSED")) is not None:
            self.storms.lost.append(over)
        self.warm.append((key, chart))
        if len(self.warm) > WARM:
            old_key, old = self.warm.popleft()
            self.discharge(old)
            if (other := self.groups.get(old_key)) and other.named and not other.live:
                del self.groups[old_key]

    # what is said beside the debug lines

    def newest(self, line: Line) -> Chart | None:
        """The connection that such a line is most likely about: the newest one that spoke."""
        group = self.groups.get((line.who, line.side))
        if group is None:
            return None
        return group.current


def _allowed(chart: Chart, kind: str, data: dict[str, Any]) -> bool:
    """Whether a lone connection can say this: states go one way only."""
    if kind != "state":
        return True
    return STATES.index(data["state"]) > STATES.index(chart.state or "CONNECTING")
