"""What crosses the wire in an unrecorded run, counted: pings and bytes.

A tap that keeps the bytes and reads the headers of frames only (RFC 6455 §5.2), after the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..values.framing import LONG, MASK

PING = 0x9


class Tally:
    """A tap that keeps the bytes of each sender until they are counted."""

    def __init__(self) -> None:
        self.streams: dict[tuple[int, str], list[bytes]] = {}

    def sent(self, conn: int, sender: str, now: float, data: bytes | None) -> None:
        """Bytes went into the wire."""
        if data:
            self.streams.setdefault((conn, sender), []).append(data)

    def arrived(self, conn: int, sender: str, now: float, data: bytes | None, count: int) -> None:
        """Bytes came out of the wire: not counted."""

    def tcp(self, when: float, conn: int, end: str, what: str, **data: Any) -> None:
        """What TCP did by itself: not counted."""

    def counts(self) -> dict[str, int]:
        """Pings, and bytes of frames with their headers, both ways; frames that went in whole."""
        pings = size = 0
        for (_, sender), chunks in self.streams.items():
            for opcode, length in frames(b"".join(chunks), sender):
                pings += opcode == PING
                size += length
        return {"pings": pings, "bytes": size}


def after_handshake(stream: bytes) -> int:
    """Where the frames of a stream begin: after its opening handshake, if it has one.

    No frame begins with G or H: these opcodes are reserved (§5.2).
    """
    if not stream.startswith((b"GET ", b"HTTP")):
        return 0
    end = stream.find(b"\r\n\r\n")
    return end + 4 if end >= 0 else len(stream)


def frames(stream: bytes, sender: str) -> Iterator[tuple[int, int]]:
    """Each whole frame after the opening handshake as (opcode, bytes with its header)."""
    at = after_handshake(stream)
    while at <= len(stream) - 2:
        length = stream[at + 1] & 0x7F
        more = LONG.get(length, 0)
        if more:
            length = int.from_bytes(stream[at + 2 : at + 2 + more], "big")
        size = 2 + more + MASK[sender] + length
        if at + size > len(stream):
            return
        yield stream[at] & 0x0F, size
        at += size
