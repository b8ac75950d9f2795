"""How well a line fits a connection: for logs whose lines do not name their connection.

< PONG a1 …                 the connection whose ping a1 … is open
- timed out … pong          one with an open ping, or whose pong came but was not noticed
> CLOSE, = CLOSING, > EOF   the one whose newest line was the newest, if it is its turn
= CLOSED                    the one that just saw EOF; else one that is CLOSING
"""

from __future__ import annotations

from .connection import Connection, Data

EXPECTED, POSSIBLE, IMPOSSIBLE = 2, 1, 0


def fit(connection: Connection, kind: str, data: Data) -> int:
    """How well a line of this kind fits a connection: EXPECTED, POSSIBLE or IMPOSSIBLE."""
    return FITS[kind](connection, data) if kind in FITS else POSSIBLE


def _state(connection: Connection, data: Data) -> int:
    new, old = data["state"], connection.state
    if new == "CLOSED" and old != "CLOSED":
        return _expected_if(old == "CLOSING" or (connection.eof and old == "OPEN"))
    if new == "CLOSING" and connection.is_open:
        return _expected_if(connection.sent or connection.got or connection.timed_out)
    if new == "OPEN" and old in ("CONNECTING", ""):
        return _expected_if(old)
    return IMPOSSIBLE


def _sent(connection: Connection, data: Data) -> int:
    opcode = data["opcode"]
    if connection.state == "CONNECTING":
        return IMPOSSIBLE
    if opcode == "PONG":
        return _payload(data, connection.peer_payload)
    if opcode == "CLOSE":
        return _sent_close(connection, data)
    if opcode == "EOF":
        return _expected_if(connection.eof or connection.state == "CLOSING")
    if opcode == "PING" and connection.announced:
        return EXPECTED
    return _possible_if(connection.is_open)


def _sent_close(connection: Connection, data: Data) -> int:
    if connection.sent:
        return IMPOSSIBLE
    if "keepalive ping timeout" in data.get("reason", "") and not connection.got:
        return EXPECTED if connection.timed_out else _possible_if(not connection.whole)
    if connection.got and connection.got.code == data.get("code"):
        return EXPECTED
    return _possible_if(connection.is_open and not connection.timed_out)


def _got(connection: Connection, data: Data) -> int:
    opcode, sent = data["opcode"], connection.sent
    if connection.state == "CONNECTING":
        return IMPOSSIBLE
    if opcode == "PONG":
        return _payload(data, connection.payload)
    if opcode == "CLOSE" and not connection.got:
        return _expected_if(sent and sent.code == data.get("code") and not connection.timed_out)
    if opcode == "EOF":
        return _possible_if(not connection.eof)
    return _possible_if(opcode != "CLOSE" and connection.is_open)


def _keepalive(connection: Connection, data: Data) -> int:
    if not connection.is_open:
        return IMPOSSIBLE
    if data["step"] == "pong":
        expected = connection.late_pong is not None
    elif "sending" in data["line"]:
        return _possible_if(not connection.announced)
    else:
        expected = connection.ping is not None and not connection.confirmed
    return EXPECTED if expected else _possible_if(not connection.whole)


def _timeout(connection: Connection, data: Data) -> int:
    if "keepalive pong" not in data["line"]:
        return _tcp(connection, data)
    if connection.timed_out or not connection.is_open:
        return IMPOSSIBLE
    if connection.late_pong or (connection.ping and connection.confirmed):
        return EXPECTED
    return _possible_if(not connection.whole)


def _handshake(connection: Connection, data: Data) -> int:
    return _possible_if(connection.state in ("CONNECTING", ""))


def _failing(connection: Connection, data: Data) -> int:
    return _expected_if(connection.timed_out and connection.state == "OPEN")


def _tcp(connection: Connection, data: Data) -> int:
    return _expected_if(connection.state == "CLOSING")


def _payload(data: Data, ping: str) -> int:
    """A pong belongs to the ping with its payload; "" if no ping is known."""
    return EXPECTED if data["payload"] == ping else _possible_if(not ping)


def _expected_if(condition: object) -> int:
    return EXPECTED if condition else POSSIBLE


def _possible_if(condition: object) -> int:
    return POSSIBLE if condition else IMPOSSIBLE


FITS = {
    "state": _state,
    "sent": _sent,
    "got": _got,
    "keepalive": _keepalive,
    "timeout": _timeout,
    "handshake": _handshake,
    "failing": _failing,
    "tcp": _tcp,
}
