"""What versions 7 to 9 logged, in the words of today: ``modern`` translates a line.

client - state = OPEN                                   = connection is OPEN
client > Frame(fin=True, opcode=9, data=b'\\x01', …)     > PING b'\\x01' [binary]
client < Frame(fin=True, opcode=8, data=b'\\x03\\xe8')    < CLOSE 1000 [2 bytes]
client ! failing OPEN WebSocket connection with code 1  ! failing connection with code 1
client - event = connection_lost(reset by peer)         x connection lost: reset by peer
"""

from __future__ import annotations

import re

OPCODES = {"0": "CONT", "1": "TEXT", "2": "BINARY", "8": "CLOSE", "9": "PING", "10": "PONG"}
FRAME = re.compile(
    r"(?P<arrow>[<>]) Frame\(fin=\w+, opcode=\D*(?P<opcode>\d+)>?"
    r"(?:, data=(?P<data>b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\"))?"
)
WORDS = [(re.compile(old), new) for old, new in (
    (r"- state = (\w+).*", r"= connection is \1"),
    (r"! timed out waiting for pong.*", "! timed out waiting for keepalive pong"),
    (r"! failing .*?(\d{4}).*", r"! failing connection with code \1"),
    (r"- event = eof_received.*", "< EOF"),
    (r"- event = connection_lost\(None.*", "x connection lost"),
    (r"- event = connection_lost\((.*?)\)?", r"x connection lost: \1"),
    (r"([<>] (?:GET|HTTP).*|x (?:half|clos|abort).*|! timed.*)", r"\1"),
)]  # fmt: skip


def modern(line: str) -> tuple[str, str]:
    """A line in today's words ("" if it has nothing to say today), and the side that wrote it."""
    side, _, rest = line.partition(" ")
    if frame := FRAME.match(rest):
        return _frame(frame), side
    for old, new in WORDS:
        if found := old.fullmatch(rest):
            return found.expand(new), side
    return "", side


def _frame(frame: re.Match[str]) -> str:
    opcode = OPCODES.get(frame["opcode"], "CONT")
    payload = frame["data"] or "b''"
    start = f"{frame['arrow']} {opcode}"
    if opcode in ("PING", "PONG"):
        return f"{start} {payload} [binary]"
    if opcode != "CLOSE":
        return start
    escaped = payload[2:-1].replace(r"\\", "\\").encode("latin-1", "replace")  # some double them
    data = escaped.decode("unicode_escape", "replace").encode("latin-1", "replace")
    if len(data) < 2:
        return f"{start} [0 bytes]"
    reason = data[2:].decode("utf-8", "replace")
    return f"{start} {int.from_bytes(data[:2], 'big')} {reason}".rstrip() + f" [{len(data)} bytes]"
