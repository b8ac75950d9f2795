"""Sorts the library's lines to their connections, many at a time.

A log that names its connections is simple. In one that does not, a lone connection owns every line;
among several, a line goes to the one of its thread, or to the one that it fits (see fitting.py). A
line that fits several is a guess, and those that lived at that moment are ``mixed``: nothing that
depends on whose line it was is certain then.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from ..engine.dialect import read as meaning
from ..trace import STATES
from .connection import Connection, Data, Fact
from .fitting import Fits, Index, fits
from .lines import Line, owner
from .storms import Storms
from .timestamps import TimestampReader

CLOSED_KEPT = 64  # closed connections that may still get a line, such as "x closing TCP connection"
LIVE_KEPT = 4000  # connections that are not closed; of more, the longest silent are judged
FRESH = 20  # connections without a name yet, among which a name looks for its own
AFTER_CLOSED = ("tcp", "note", "got", "sent", "timeout", "failing")  # kinds of such lines


@dataclass(eq=False)
class Group:
    """The connections that share a name in the log: one's own, or that of a process."""

    key: tuple[str, str]  # the name, and the side
    named: bool  # whether the name is one connection's
    live: dict[Connection, int] = field(default_factory=dict)  # and the guesses when it began
    index: Index = field(default_factory=Index)  # of them, if they are nameless
    current: Connection | None = None  # whose line was the newest
    closed: Connection | None = None  # the newest that is CLOSED
    of_thread: dict[str, Connection | None] = field(default_factory=dict)  # None: of several
    guesses: int = 0


class Demultiplexer:
    """Sorts lines; ``finished`` is called with each connection once no more lines can come."""

    def __init__(self, finished: Callable[[Connection], None], storms: Storms) -> None:
        self.finished, self.storms = finished, storms
        self.groups: dict[tuple[str, str], Group] = {}
        self.live: OrderedDict[Connection, Group] = OrderedDict()  # the longest silent first
        self.fresh: OrderedDict[Connection, Group] = OrderedDict()  # nameless, CONNECTING
        self.closed: deque[tuple[Group, Connection]] = deque()
        self.clock = TimestampReader()
        self.current: Connection | None = None  # whose line was the newest
        self.count = 0
        self.begin: float | None = None  # s, the first time
        self.end: float | None = None  # s, the newest

    def add(self, line: Line) -> None:
        """Sort one line of the library's debug log."""
        if line.kind == "data":
            self._add_message(line)
            return
        said = _meaning(line.message, line.kind)
        t, group = self.time(line), self._group(line)
        connection = self._choose(group, said, line)
        if connection is None:
            return
        lives = self._touch(group, connection)
        connection.add(
            said.kind, said.data, Fact(line.number, t, said.words, said.code, said.reason)
        )
        if said.kind == "state" and connection.state == "OPEN" and t is not None:
            self.storms.opened_at(t, line.number)
        if lives and connection.is_over:
            self._close(group, connection)
        elif lives and not group.named:
            group.index.update(connection)

    def finish(self, envelope: str) -> None:
        """The log ends, with any program's line whose time stands in ``envelope``."""
        kind, end = self.clock.kind, self.clock.read(envelope)
        if kind and kind == self.clock.kind and end is not None and self.end is not None:
            self.end = max(self.end, end)
        for _, connection in self.closed:
            self.finished(connection)
        for connection in sorted(self.live, key=lambda one: one.number):
            self._forget(connection, self.live[connection])
            self.finished(connection)

    def time(self, line: Line) -> float | None:
        """When a line was written (s)."""
        t = self.clock.read(line.prefix)
        if t is not None:
            self.end = t
            if self.begin is None:
                self.begin = t
        return t

    def newest(self, line: Line) -> Connection | None:
        """The connection that a line beside the debug log is most likely about."""
        if not self.groups:
            return None
        whose = line.whose if line.whose.who else owner(line.prefix)
        group = self.groups.get((whose.who, whose.side))
        return group.current if group else self.current

    def _add_message(self, line: Line) -> None:
        """A message is counted and timed; its contents are not looked at."""
        group = self._group(line)
        connection = group.of_thread.get(line.whose.thread) or group.current
        if connection not in group.live:
            connection = next(reversed(group.live), None) or self._open(group, line)
        self._touch(group, connection)
        connection.add_message(Fact(line.number, self.time(line), line.message))

    def _touch(self, group: Group, connection: Connection) -> bool:
        """It gets a line; whether it is among the live ones."""
        group.current = self.current = connection
        try:
            self.live.move_to_end(connection)
        except KeyError:
            return False
        if connection in self.fresh and connection.first is not None:
            del self.fresh[connection]
        return True

    def _group(self, line: Line) -> Group:
        whose = line.whose
        key = (whose.who, whose.side)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(key, whose.named)
        return group

    def _choose(self, group: Group, said: Meaning, line: Line) -> Connection | None:
        """The connection of a line: one that is there or was, or a new one; None: nobody's."""
        kind, state = said.kind, said.data.get("state")
        if state == "CONNECTING":
            if group.named and group.live:  # it is no name of one connection
                group.named = False
                for connection in group.live:
                    group.index.update(connection)
            return self._open(group, line)
        if best := self._best(group, said, line):
            return best
        if group.closed is not None and kind in AFTER_CLOSED:
            return group.closed
        if kind == "note" or (state == "CLOSED" and group.closed is not None and group.named):
            return None
        return self._open(group, line)

    def _best(self, group: Group, said: Meaning, line: Line) -> Connection | None:
        """The live connection that a line fits best."""
        kind, data, thread = said.kind, said.data, line.whose.thread
        if group.named or len(group.live) == 1:
            for connection in reversed(group.live):
                other = thread not in group.of_thread and group.of_thread and connection.ping
                if other and kind == "sent" and data["opcode"] == "PING":
                    return None  # of another task, and this one's ping is not answered yet
                if kind != "state" or _is_later(data["state"], connection.state):
                    group.of_thread.setdefault(thread, connection)
                    return connection
            return None
        mine = group.of_thread.get(thread) if thread else None
        if mine is not None and (mine in group.live or kind in AFTER_CLOSED):
            return mine
        best, guessed = group.index.find(said.fits, group.current)
        group.guesses += guessed
        if thread and best is not None and best is not mine:
            group.of_thread[thread] = best if thread not in group.of_thread else None
        return best

    def _open(self, group: Group, line: Line) -> Connection:
        """A connection begins, or the log begins in the middle of one."""
        whose = line.whose
        connection = self._take_fresh(whose.side) if group.named else None
        if connection is None:
            self.count += 1
            connection = Connection(self.count, "", whose.side)
        connection.who = whose.who if whose.named else ""
        group.live[connection] = group.guesses
        self.groups[group.key] = group
        self.live[connection] = group
        if not group.named:
            self.fresh[connection] = group
            group.index.update(connection)
            if whose.thread:
                mine = group.of_thread.get(whose.thread)
                group.of_thread[whose.thread] = None if mine in group.live else connection
        if len(self.live) > LIVE_KEPT:
            silent, its = next(iter(self.live.items()))
            self._forget(silent, its)
            self._finish(silent, its)
        return connection

    def _take_fresh(self, side: str) -> Connection | None:
        """The oldest that is only CONNECTING: the library logs that without a name."""
        for connection, group in islice(self.fresh.items(), FRESH):
            if connection.state == "CONNECTING" and side in ("", connection.side):
                self._forget(connection, group)
                connection.mixed = False
                return connection
        return None

    def _forget(self, connection: Connection, group: Group) -> None:
        """It is no longer among those that get lines."""
        connection.mixed = group.guesses > group.live.pop(connection)
        del self.live[connection]
        group.index.remove(connection)
        self.fresh.pop(connection, None)

    def _close(self, group: Group, connection: Connection) -> None:
        self._forget(connection, group)
        group.closed = connection
        closed = connection.at("CLOSED")
        if closed is not None:
            self.storms.lost_at(closed)
        self.closed.append((group, connection))
        if len(self.closed) > CLOSED_KEPT:
            old, oldest = self.closed.popleft()
            self._finish(oldest, old)

    def _finish(self, connection: Connection, group: Group) -> None:
        """It gets no more lines, and its name is forgotten if no other has it."""
        self.finished(connection)
        if group.named and not group.live and self.groups.get(group.key) is group:
            del self.groups[group.key]


class Meaning(NamedTuple):
    """What a line's message says."""

    kind: str
    data: Data  # as ``dialect`` reads it, with the payload of a PING or PONG
    fits: Fits
    words: str  # these three as in a Fact
    code: int | None = None
    reason: str = ""


def _meaning(message: str, kind: str) -> Meaning:
    if message[2:7] not in ("PING ", "PONG "):
        return _often(message, kind)
    payload = message[7:].rpartition(" [")[0]
    data = {"opcode": message[2:6], "payload": payload, "line": message}
    kind = "sent" if message[0] == ">" else "got"
    return Meaning(kind, data, fits(kind, data), message[:100])


@lru_cache(1000)
def _often(message: str, kind: str) -> Meaning:
    """A line that stands in a log again and again."""
    if kind in ("state", "keepalive"):
        message = message.replace("%%", "%")  # as 10.0 has it
    found, data = meaning(message.rstrip())
    if found == "state" and data["state"] not in STATES:
        found, data = "note", {"line": data["line"]}  # a line that is cut
    if data.get("opcode") == "CLOSE":
        data.setdefault("code", 1005)  # an empty CLOSE (RFC 6455 §7.1.5)
    data = {"payload": "", **data}  # a line that is cut has none
    words = data["line"] if found != "handshake" else " ".join(data["line"].split()[:2])
    code, reason = data.get("code"), data.get("reason", "")
    return Meaning(found, data, fits(found, data), words[:100], code, reason)


def _is_later(new: str, old: str) -> bool:
    """Whether a connection can go from a state to another: they go one way only."""
    return STATES.index(new) > STATES.index(old or "CONNECTING")
