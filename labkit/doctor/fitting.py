"""Which connection a line fits, where lines do not name theirs: an index, so that each is quick.

A connection is in one *phase*, and may wait for an answer with certain bytes, or a code:

    opening → idle → announced → pinged → waiting → ponged → idle …   its keepalive
              any of them → failing → leaving → closing               its end

Lines that a phase has to bring next go there; the others to the connection of the line before.
"""

from __future__ import annotations

from collections import OrderedDict

from .codes import KEEPALIVE
from .connection import Connection, Data

OPEN = "idle waiting ponged pinged announced"
ENDING = "closing leaving failing"
TIERS = {  # what a line is: the phases that it fits, the likely ones first
    line: [tier.split() for tier in tiers.split("|")]
    for line, tiers in {
        "OPEN": "opening",
        "CLOSING": f"leaving failing|{OPEN}",
        "CLOSED": f"closing|leaving|{OPEN}|opening",
        "% sending": f"idle|{OPEN}",
        "> PING": f"announced|idle|{OPEN}",
        "% sent": f"pinged|{OPEN}",
        "< PONG": f"waiting pinged|{OPEN}",
        "% received": f"ponged|{OPEN}",
        "timeout": f"waiting ponged|{OPEN}",
        "failing": f"failing|{OPEN}",
        "> timeout": f"failing|{OPEN}",
        "> CLOSE": f"{OPEN}|failing",
        "< CLOSE": f"{OPEN}|{ENDING}",
        "> EOF": f"{ENDING}|{OPEN}",
        "< EOF": f"closing|{OPEN}|{ENDING}",
        "tcp": f"{ENDING}|{OPEN}",
        "handshake": f"opening|{OPEN}",
        "note": f"{OPEN} {ENDING} opening",
    }.items()
}

Keys = tuple[str, str, str]  # a phase, and what it waits for
NOWHERE = ("", "", "")


class Index:
    """Live connections by their phase, and by the answers that they wait for; the oldest first."""

    def __init__(self) -> None:
        self.places: dict[str, OrderedDict[Connection, None]] = {}
        self.keys: dict[Connection, Keys] = {}

    def update(self, connection: Connection) -> None:
        """It is new, or something has happened to it."""
        keys = _phase(connection), _answer(connection), _pong(connection)
        old = self.keys.get(connection, NOWHERE)
        if keys != old:
            self._move(connection, old, keys)
            self.keys[connection] = keys

    def remove(self, connection: Connection) -> None:
        """It gets no more lines."""
        self._move(connection, self.keys.pop(connection, NOWHERE), NOWHERE)

    def _move(self, connection: Connection, old: Keys, new: Keys) -> None:
        for was, now in zip(old, new, strict=True):
            if was and was != now:
                place = self.places[was]
                del place[connection]
                if not place:
                    del self.places[was]
            if now and was != now:
                if now not in self.places:
                    self.places[now] = OrderedDict()
                self.places[now][connection] = None

    def find(
        self, kind: str, data: Data, current: Connection | None
    ) -> tuple[Connection | None, bool]:
        """Whose line it is (``current`` if it may be), None if nobody's; whether it is a guess."""
        line, answer = _line(kind, data)
        for tier in ([answer], *TIERS.get(line, TIERS["note"])):
            places = [self.places[phase] for phase in tier if phase in self.places]
            if places:
                mine = tier != ["idle"] and any(current in place for place in places)
                best = current if mine else next(iter(places[0]))
                return best, len(places) > 1 or len(places[0]) > 1
        return None, False


def _line(kind: str, data: Data) -> tuple[str, str]:
    """What a line is, and the answer that it gives; "-": none."""
    opcode, arrow = data.get("opcode"), data["line"][0]
    if kind == "state":
        return data["state"], "-"
    if kind == "keepalive":
        return " ".join(data["line"].split()[:2]), "-"
    if kind == "timeout" and "keepalive pong" not in data["line"]:
        return "tcp", "-"
    if opcode == "PONG":
        return f"{arrow} PONG", f"{arrow} PONG {data['payload']}"
    if opcode == "CLOSE" and arrow == ">" and KEEPALIVE in data.get("reason", ""):
        return "> timeout", f"> CLOSE {data['code']}"
    if opcode == "CLOSE":
        return f"{arrow} CLOSE", f"{arrow} CLOSE {data['code']}"
    return f"{arrow} {opcode}" if opcode else kind, "-"


def _phase(one: Connection) -> str:
    if one.state in ("CONNECTING", "CLOSING"):
        return "opening" if one.state == "CONNECTING" else "closing"
    if one.sent or one.got or one.eof:
        return "leaving"
    if one.timed_out:
        return "failing"
    if one.ping:
        return "waiting" if one.confirmed else "pinged"
    return "ponged" if one.late_pong else "announced" if one.announced else "idle"


def _answer(one: Connection) -> str:
    """The answer of the peer, or to it, that has to come."""
    if one.sent and not one.got:
        return f"< CLOSE {one.sent.code}"
    if one.got and not one.sent:
        return f"> CLOSE {one.got.code}"
    return f"< PONG {one.payload}" if one.ping else ""


def _pong(one: Connection) -> str:
    return f"> PONG {one.peer_payload}" if one.peer_ping and not one.peer_pong else ""
