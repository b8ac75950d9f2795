"""Sorts the library's lines to their connections, many at a time.

A log that names its connections is simple. In one that does not, a lone connection owns every line;
among several, a line goes to the one that it fits (see fitting.py), and all of them are ``mixed``:
nothing that depends on whose line it was is certain then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ..engine.dialect import read as meaning
from ..trace import STATES
from .connection import Connection, Data, Fact
from .fitting import fit
from .lines import Line
from .storms import Storms
from .timestamps import TimestampReader

CLOSED_KEPT = 64  # closed connections that may still get a line, such as "x closing TCP connection"
AFTER_CLOSED = ("tcp", "note", "got", "sent", "timeout")  # kinds of such lines


@dataclass
class Group:
    """The connections that share a name in the log: one's own, or that of a process."""

    key: tuple[str, str]  # the name, and the side
    named: bool  # whether the name is one connection's
    live: list[Connection] = field(default_factory=list)
    current: Connection | None = None  # whose line was the newest
    closed: Connection | None = None  # the newest that is CLOSED


class Demultiplexer:
    """Sorts lines; ``finished`` is called with each connection once no more lines can come."""

    def __init__(self, finished: Callable[[Connection], None], storms: Storms) -> None:
        self.finished, self.storms = finished, storms
        self.groups: dict[tuple[str, str], Group] = {}
        self.nameless: list[Group] = []
        self.closed: deque[tuple[Group, Connection]] = deque()
        self.clock = TimestampReader()
        self.count = 0
        self.begin: float | None = None  # s, the first time
        self.end: float | None = None  # s, the newest

    def add(self, line: Line) -> None:
        """Sort one line of the library's debug log."""
        if line.kind == "data":
            self._add_message(line)
            return
        kind, data = _meaning(line)
        words = data["line"] if kind != "handshake" else " ".join(data["line"].split()[:2])
        code, reason = data.get("code"), data.get("reason", "")
        fact = Fact(line.number, self.time(line), words[:100], code, reason)
        group = self._group(line)
        connection = self._choose(group, kind, data, line)
        if connection is None:
            return
        group.current = connection
        connection.add(kind, data, fact)
        if kind == "state" and data["state"] == "OPEN" and fact.t is not None:
            self.storms.opened_at(fact.t, fact.number)
        if connection.is_over and connection in group.live:
            self._close(group, connection)

    def finish(self, envelope: str) -> None:
        """The log ends, with any program's line whose time stands in ``envelope``."""
        kind, end = self.clock.kind, self.clock.read(envelope)
        if kind and kind == self.clock.kind and end is not None and self.end is not None:
            self.end = max(self.end, end)
        for _, connection in self.closed:
            self.finished(connection)
        for group in self.groups.values():
            for connection in group.live:
                self.finished(connection)

    def time(self, line: Line) -> float | None:
        """When a line was written (s)."""
        t = self.clock.read(line.prefix)
        if t is not None:
            self.end = t
            self.begin = t if self.begin is None else self.begin
        return t

    def newest(self, line: Line) -> Connection | None:
        """The connection that a line beside the debug log is most likely about."""
        group = self.groups.get((line.who, line.side))
        return group.current if group else None

    def _add_message(self, line: Line) -> None:
        """A message is counted and timed; its contents are not looked at."""
        group = self._group(line)
        if not group.live:
            connection = self._open(group, line)
        elif group.current in group.live:
            connection = group.current
        else:
            connection = group.live[-1]
        connection.add_message(Fact(line.number, self.time(line), line.message))

    def _group(self, line: Line) -> Group:
        key = (line.who, line.side)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(key, line.named)
            if not line.named:
                self.nameless.append(group)
        return group

    def _choose(self, group: Group, kind: str, data: Data, line: Line) -> Connection | None:
        """The connection of a line: one that is there or was, or a new one; None: nobody's."""
        state = data.get("state")
        if state == "CONNECTING":
            return self._open(group, line)
        if best := _best(group, kind, data):
            return best
        if group.closed is not None and kind in AFTER_CLOSED:
            return group.closed
        if kind == "note" or (state == "CLOSED" and group.closed is not None and group.named):
            return None
        return self._open(group, line)

    def _open(self, group: Group, line: Line) -> Connection:
        """A connection begins, or the log begins in the middle of one."""
        if line.named and (connection := self._take_nameless(line.side)):
            connection.who = line.who
            group.live.append(connection)
            return connection
        self.count += 1
        who = line.who if line.named else ""
        group.live.append(Connection(self.count, who, line.side))
        if len(group.live) > 1:
            for connection in group.live:
                connection.mixed = True
        return group.live[-1]

    def _take_nameless(self, side: str) -> Connection | None:
        """The oldest one that is only CONNECTING: the library logs that without a name."""
        for group in self.nameless:
            for connection in group.live:
                lone = connection.state == "CONNECTING" and connection.first is connection.last
                if lone and side in ("", connection.side):
                    group.live.remove(connection)
                    connection.mixed = False
                    return connection
        return None

    def _close(self, group: Group, connection: Connection) -> None:
        group.live.remove(connection)
        group.closed = connection
        closed = connection.at("CLOSED")
        if closed is not None:
            self.storms.lost_at(closed)
        self.closed.append((group, connection))
        if len(self.closed) > CLOSED_KEPT:
            old, oldest = self.closed.popleft()
            self.finished(oldest)
            if old.named and not old.live and self.groups.get(old.key) is old:
                del self.groups[old.key]


def _meaning(line: Line) -> tuple[str, Data]:
    """What ``dialect`` reads in a line, with the payload of a PING or PONG."""
    message = line.message.rstrip(" \"'}]" if line.kind in ("state", "keepalive") else None)
    kind, data = meaning(message)
    if kind == "state" and data["state"] not in STATES:
        return "note", {"line": data["line"]}  # a line that is cut
    opcode = data.get("opcode")
    if opcode in ("PING", "PONG"):
        data["payload"] = message[7:].rpartition(" [")[0]
    if opcode == "CLOSE":
        data.setdefault("code", 1005)  # an empty CLOSE (RFC 6455 §7.1.5)
    return kind, data


def _best(group: Group, kind: str, data: Data) -> Connection | None:
    """The connection that a line fits best; among equals the current one, or the oldest."""
    if group.named or len(group.live) == 1:
        for connection in reversed(group.live):
            if kind != "state" or _is_later(data["state"], connection.state):
                return connection
        return None
    fits = [(fit(connection, kind, data), connection) for connection in group.live]
    most = max((how for how, _ in fits), default=0)
    best = [connection for how, connection in fits if how == most > 0]
    if group.current in best:
        return group.current
    return best[0] if best else None


def _is_later(new: str, old: str) -> bool:
    """Whether a connection can go from a state to another: they go one way only."""
    return STATES.index(new) > STATES.index(old or "CONNECTING")
