"""Which connection a line fits, where lines do not name theirs: an index, so that each is quick.

A connection is in one *phase*, and may wait for an answer with certain bytes, or a code:

    opening → idle → announced → pinged → waiting → ponged → idle …   its keepalive
              any of them → failing → leaving → saying → closing      its end

Lines that a phase has to bring next go there; the others to the connection of the line before.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import Any

from .codes import KEEPALIVE
from .connection import NOWHERE, Connection, Data

OPEN = "idle waiting ponged pinged announced"
ENDING = "closing saying leaving failing"
TIERS = {  # what a line is: the phases that it fits, the likely ones first
    line: [tier.split() for tier in tiers.split("|")]
    for line, tiers in {
        "OPEN": "opening",
        "CLOSING": f"leaving failing|{OPEN}",
        "CLOSED": f"closing saying|leaving|{OPEN}|opening",
        "% sending": f"idle|{OPEN}",
        "> PING": f"announced|idle|{OPEN}",
        "% sent": f"pinged|{OPEN}",
        "< PONG": f"waiting pinged|{OPEN}",
        "% received": f"ponged|{OPEN}",
        "timeout": f"waiting ponged|{OPEN}",
        "failing": f"failing|{OPEN}",
        "> timeout": f"saying failing|{OPEN}",
        "> CLOSE": f"saying|{OPEN}|failing",
        "< CLOSE": f"{OPEN}|{ENDING}",
        "> EOF": f"{ENDING}|{OPEN}",
        "< EOF": f"closing|{OPEN}|{ENDING}",
        "tcp": f"{ENDING}|{OPEN}",
        "handshake": f"opening|{OPEN}",
        "note": f"{OPEN} {ENDING} opening",
    }.items()
}

Fits = tuple[str, int, object]  # a line's place in TIERS; which key it answers, and that key
Keys = tuple[Any, ...]  # a phase; the bytes of a ping, of the peer's ping, a code: unanswered
PHASE, PING, PEER_PING, CLOSE = range(4)


class Index:
    """Live connections by their keys; the oldest first."""

    def __init__(self) -> None:
        self.places: list[defaultdict[Any, OrderedDict[Connection, None]]]
        self.places = [defaultdict(OrderedDict) for _ in NOWHERE]

    def update(self, connection: Connection) -> None:
        """It is new, or something has happened to it."""
        self._move(connection, _keys(connection))

    def remove(self, connection: Connection) -> None:
        """It gets no more lines."""
        self._move(connection, NOWHERE)

    def _move(self, connection: Connection, keys: Keys) -> None:
        for places, was, now in zip(self.places, connection.keys, keys, strict=True):
            if was == now:
                continue
            if was is not None:
                place = places[was]
                del place[connection]
                if not place:
                    del places[was]
            if now is not None:
                places[now][connection] = None
        connection.keys = keys

    def find(self, line: Fits, current: Connection | None) -> tuple[Connection | None, bool]:
        """Whose line it is (``current`` if it may be), None if nobody's; whether it is a guess."""
        name, answers, key = line
        place = self.places[answers].get(key)
        if place:
            return current if current in place else next(iter(place)), len(place) > 1
        phases = self.places[PHASE]
        its = current.keys[PHASE] if current else None
        for tier in TIERS.get(name, TIERS["note"]):
            places = [phases[phase] for phase in tier if phase in phases]
            if places:
                mine = its in tier and tier != ["idle"]  # the longest idle is due
                best = current if mine else next(iter(places[0]))
                return best, len(places) > 1 or len(places[0]) > 1
        return None, False


def fits(kind: str, data: Data) -> Fits:
    """What a line is, and what it answers."""
    opcode, arrow = data.get("opcode"), data["line"][0]
    if kind == "state":
        return data["state"], PHASE, ""
    if kind == "keepalive":
        return " ".join(data["line"].split()[:2]), PHASE, ""
    if kind == "timeout" and "keepalive pong" not in data["line"]:
        return "tcp", PHASE, ""
    if opcode == "PONG":
        return f"{arrow} PONG", PING if arrow == "<" else PEER_PING, data["payload"]
    if opcode == "CLOSE":
        told = arrow == ">" and KEEPALIVE in data.get("reason", "")
        code = data["code"] if arrow == "<" else -data["code"]
        return "> timeout" if told else f"{arrow} CLOSE", CLOSE, code
    return f"{arrow} {opcode}" if opcode else kind, PHASE, ""


def _keys(one: Connection) -> Keys:
    sent, got = one.sent, one.got
    code = None
    if sent and not got:
        code = sent.code
    elif got and not sent:
        code = -(got.code or 0)
    ping = one.payload if one.ping else None
    peer_ping = one.peer_payload if one.peer_ping and not one.peer_pong else None
    return _phase(one), ping, peer_ping, code


def _phase(one: Connection) -> str:
    if one.state == "CONNECTING":
        return "opening"
    if one.state == "CLOSING":
        return "closing" if one.sent else "saying"  # legacy says CLOSE then
    if one.sent or one.got or one.eof:
        return "leaving"
    if one.timed_out:
        return "failing"
    if one.ping:
        return "waiting" if one.confirmed else "pinged"
    return "ponged" if one.late_pong else "announced" if one.announced else "idle"
