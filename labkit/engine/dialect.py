"""What the library's log lines mean: one table, for every version that the lab can run.

The sigils: ``=`` state, ``>`` sent, ``<`` received, ``%`` keepalive, ``-`` or ``!`` timeout or
error, ``x`` TCP. A line that the table does not know is kept as a note, never dropped: the words of
a log change from version to version.
"""

from __future__ import annotations

import re
from typing import Any

TABLE: list[tuple[str, str]] = [  # what the line means, and how it reads
    ("state", r"= connection is (?P<state>\w+)"),
    ("sent", r"> (?P<opcode_sent>CONT|TEXT|BINARY|CLOSE|PING|PONG)\b(?P<rest_sent>.*)"),
    ("got", r"< (?P<opcode_got>CONT|TEXT|BINARY|CLOSE|PING|PONG)\b(?P<rest_got>.*)"),
    ("sent_eof", r"> EOF"),
    ("got_eof", r"< EOF"),
    ("keepalive", r"% (?P<keepalive>sent|sending|received) keepalive p[io]ng"),  # sending: until 14
    ("timeout", r"[-!] timed out waiting for (?P<timeout>keepalive pong|.*)"),
    ("timeout", r"- timed out.*"),
    ("tcp", r"x (?P<tcp>.*)"),
    ("handshake", r"[<>] .*"),  # request and status lines, headers, bodies
    ("failing", r"! failing connection.*"),  # legacy
    ("error", r"! .*"),
]
PATTERN = re.compile(
    "|".join(
        f"(?P<k{n}>{how})".replace("P<timeout>", f"P<timeout{n}>")
        for n, (_, how) in enumerate(TABLE)
    ),
    re.S,
)
KINDS = {f"k{n}": what for n, (what, _) in enumerate(TABLE)}
CLOSE = re.compile(  # with an explanation of the code from version 10, as far as the line goes
    r"\s(?P<code>\d{4})(?: \([^)]*\))?(?: (?P<reason>.*?))??(?: \[\d+ bytes?.*|$)"
)
SIZE = re.compile(r"\[(?:\w+, )?(?P<size>\d+) bytes?")


def read(line: str) -> tuple[str, dict[str, Any]]:
    """What one log line says: a kind, and its data (the line itself is always among it)."""
    found = PATTERN.fullmatch(line)
    if found is None:
        return "note", {"line": line}
    kind = KINDS[found.lastgroup or ""]  # the outermost group closes last
    data: dict[str, Any] = {}
    if kind == "state":
        data["state"] = found["state"]
    elif kind in ("sent", "got"):
        data = _frame(found[f"opcode_{kind}"], found[f"rest_{kind}"])
    elif kind == "keepalive":
        data["step"] = "pong" if found["keepalive"] == "received" else "ping"
    elif kind in ("sent_eof", "got_eof"):
        kind, data = kind[:-4], {"opcode": "EOF"}
    data["line"] = line
    return kind, data


def _frame(opcode: str, rest: str) -> dict[str, Any]:
    """A frame as the log prints it: opcode, size of payload (bytes), code and reason of a CLOSE."""
    data: dict[str, Any] = {"opcode": opcode}
    if size := SIZE.search(rest):
        data["size"] = int(size["size"])
    if opcode == "CLOSE" and (close := CLOSE.match(rest)):
        data |= {"code": int(close["code"]), "reason": close["reason"] or ""}
    return data
