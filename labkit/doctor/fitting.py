"""Which connection a line fits, where lines do not name theirs: an index, so that each is quick.

A connection *waits for* what has to come next, and *allows* what may; both are keys of the index,
made from the few facts that matter.

< PONG a1 …                 the connection whose ping a1 … is open
- timed out … pong          one with an open ping, or whose pong came but was not noticed
> CLOSE, = CLOSING, > EOF   one whose turn it is
= CLOSED                    one that is CLOSING, or saw EOF
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Any

from .codes import KEEPALIVE
from .connection import Connection, Data

Key = tuple[str, object]  # what a line is; a code, or the bytes of a ping or pong
Facts = tuple[Any, Key, Key]


class Index:
    """Live connections by what they wait for, and by what they allow; the oldest first."""

    def __init__(self) -> None:
        self.places: dict[Key, OrderedDict[Connection, None]] = {}
        self.facts: dict[Connection, Facts] = {}

    def update(self, connection: Connection) -> None:
        """It is new, or something has happened to it."""
        new, old = _facts(connection), self.facts.get(connection)
        if new != old:
            self.facts[connection] = new
            self._move(connection, old, new)

    def remove(self, connection: Connection) -> None:
        """It gets no more lines."""
        self._move(connection, self.facts.pop(connection, None), None)

    def _move(self, connection: Connection, old: Facts | None, new: Facts | None) -> None:
        gone, more = _changes(old and old[0], new and new[0])
        was, now = old[1:] if old else (), new[1:] if new else ()
        for key in gone if was == now else (*gone, *was):
            place = self.places[key]
            del place[connection]
            if not place:
                del self.places[key]
        for key in more if was == now else (*more, *now):
            if key not in self.places:
                self.places[key] = OrderedDict()
            self.places[key][connection] = None

    def find(
        self, kind: str, data: Data, current: Connection | None
    ) -> tuple[Connection | None, bool]:
        """Whose line it is (``current`` if it may be), None if nobody's; whether it is a guess."""
        for key in keys_of(kind, data):
            place = self.places.get(key)
            if place:
                waits = key[1] != "due" and current in place
                return current if waits else next(iter(place)), len(place) > 1
        return None, False

    def allows(self, connection: Connection | None, kind: str, data: Data) -> bool:
        """Whether a line may be this connection's."""
        return any(connection in self.places.get(key, ()) for key in keys_of(kind, data))


def keys_of(kind: str, data: Data) -> tuple[Key, ...]:
    """What waits for such a line, then what allows it."""
    if kind == "state":
        return ("=", data["state"]), ("may be", data["state"])
    if kind in ("sent", "got"):
        return _of_frame(">" if kind == "sent" else "<", data)
    if kind == "keepalive":
        step = "pong" if data["step"] == "pong" else data["line"][2:6]
        due = ("may > PING", "due") if step == "send" else ("%", step)
        return due, ("may %", step)
    if kind == "timeout" and "keepalive pong" in data["line"]:
        return ("timeout", 0), ("may %", "pong")
    if kind in ("timeout", "tcp", "failing"):
        return (kind if kind == "failing" else "tcp", 0), ("any", 0)
    return ("any", 0), ("handshake", 0) if kind == "handshake" else ("any", 0)


def _of_frame(arrow: str, data: Data) -> tuple[Key, ...]:
    opcode = data["opcode"]
    if opcode == "PONG":
        return (f"{arrow} PONG", data["payload"]), (f"may {arrow} PONG", 0)
    if opcode == "PING" and arrow == ">":
        return ("> PING", 0), ("may > PING", "due"), ("may > PING", 0)
    if opcode != "CLOSE":
        return (f"{arrow} {opcode}", 0), (f"may {arrow} {opcode}", 0)
    if arrow == ">" and KEEPALIVE in data.get("reason", ""):
        return ("> timeout", 0), ("may > timeout", 0)
    return (f"{arrow} CLOSE", data["code"]), (f"may {arrow} CLOSE", 0), ("no CLOSE", arrow)


def _facts(one: Connection) -> Facts:
    """What its keys are made of: a few facts, and the bytes that it waits for."""
    ping = one.ping is not None
    facts = (
        one.state,
        one.sent.code if one.sent else None,
        one.got.code if one.got else None,
        one.timed_out is not None,
        one.eof is not None,
        one.announced,
        ping and not one.confirmed,
        one.late_pong is not None,
        ping,
        one.whole,
        bool(one.payload),
        bool(one.peer_payload),
    )
    answer = one.peer_ping is not None and one.peer_pong is None
    pong: Key = ("< PONG", one.payload if ping else one.number)
    return facts, pong, ("> PONG", one.peer_payload if answer else one.number)


@lru_cache(4096)
def _changes(old: Any, new: Any) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """The keys that a connection loses and gets, when some facts become others."""
    was, now = _common(*old) if old else frozenset(), _common(*new) if new else frozenset()
    return tuple(was - now), tuple(now - was)


def _common(
    state: str, sent: int | None, got: int | None, timed_out: bool, eof: bool,
    announced: bool, unconfirmed: bool, late_pong: bool, pinged: bool,
    whole: bool, has_ping: bool, has_peer_ping: bool,
) -> frozenset[Key]:  # fmt: skip
    """The keys that depend on a few facts only."""
    if state == "CONNECTING":
        return frozenset({("=", "OPEN"), ("may be", "CLOSED"), ("handshake", 0), ("any", 0)})
    is_open, ends = state in ("OPEN", ""), state == "CLOSING"
    closed = sent is not None or got is not None
    when: dict[Key, object] = {
        ("any", 0): True,
        ("handshake", 0): not state,
        ("may be", "OPEN"): not state,
        ("=", "CLOSING"): is_open and (closed or timed_out),
        ("may be", "CLOSING"): is_open,
        ("=", "CLOSED"): ends or (eof and is_open),
        ("may be", "CLOSED"): True,
        ("tcp", 0): ends,
        ("failing", 0): timed_out and is_open,
        ("%", "pong"): late_pong,
        ("%", "sent"): unconfirmed,
        ("may %", "pong"): is_open and not whole and not timed_out,
        ("may %", "sent"): is_open and not whole,
        ("may %", "send"): is_open and not announced,
        ("timeout", 0): is_open and not timed_out and (late_pong or (pinged and not unconfirmed)),
        ("> PING", 0): announced,
        ("may > PING", "due"): is_open and not pinged and not closed,
        ("may > PING", 0): is_open,
        ("may < PING", 0): is_open,
        ("may < PONG", 0): not has_ping and is_open,
        ("may > PONG", 0): not has_peer_ping and is_open,
        ("> EOF", 0): eof or ends,
        ("may > EOF", 0): True,
        ("may < EOF", 0): not eof,
        ("> timeout", 0): timed_out and sent is None,
        ("may > timeout", 0): not whole and sent is None and got is None,
        ("may > CLOSE", 0): is_open and not closed and not timed_out,
        ("may < CLOSE", 0): is_open and not closed and not timed_out,
        ("no CLOSE", "<"): got is None,
        ("no CLOSE", ">"): sent is None,
        ("> CLOSE", got): got is not None and sent is None,
        ("< CLOSE", sent): sent is not None and got is None and not timed_out,
    }
    return frozenset(key for key, how in when.items() if how)
