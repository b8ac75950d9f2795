"""What crosses the wire in an unrecorded run, counted: pings and bytes, and nothing kept of what they say.

A tap for runs whose number matters more than their story. It reads the headers of frames only (RFC 6455 §5.2), after the run.
"""

from __future__ import annotations

from collections.abc import Iterator

PING = 0x9
MASK = {"server": 0, "client": 4}  # bytes: a client masks what it sends (§5.3)


class Tally:
    """A tap that keeps the bytes of each sender until they are counted."""

    def __init__(self) -> None:
        self.streams: dict[tuple[int, str], list[bytes]] = {}

    def sent(self, conn: int, sender: str, now: float, data: bytes | None) -> None:
        """Bytes went into the wire."""
        if data:
            self.streams.setdefault((conn, sender), []).append(data)

    def arrived(self, conn: int, sender: str, now: float, data: bytes | None, count: int) -> None:
        """Where they came out does not matter here."""

    def counts(self) -> dict[str, int]:
        """Pings, and bytes of WebSocket frames with their headers, both ways; only frames that went in whole."""
        rows = [
            row
            for (_, sender), chunks in self.streams.items()
            for row in frames(b"".join(chunks), sender)
        ]
        return {
            "pings": sum(opcode == PING for opcode, _ in rows),
            "bytes": sum(size for _, size in rows),
        }


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
        size = header_size(length := stream[at + 1] & 0x7F, sender)
        if length > 125:
            length = int.from_bytes(stream[at + 2 : at + size - MASK[sender]], "big")
        if at + size + length > len(stream):
            return
        yield stream[at] & 0x0F, size + length
        at += size + length


def header_size(length: int, sender: str) -> int:
    """Bytes of a header, from the seven bits that say how long the payload is (126: two more bytes, 127: eight)."""
    return 2 + {126: 2, 127: 8}.get(length, 0) + MASK[sender]


def frame_size(payload: int, sender: str) -> int:
    """Bytes of a frame with so many bytes of payload."""
    return (
        header_size(payload if payload < 126 else 126 if payload < 2**16 else 127, sender) + payload
    )
