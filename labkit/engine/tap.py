"""The tap: bytes on the wire, parsed into frames, with the moment each went in and came out.

The bytes are kept as they came, by connection and sender, and read once the run is over (RFC 6455
§5.2). A frame went in when its last byte did, and arrived when its last byte did, or never. What
is compressed is shown as it is on the wire.

    Sent: |──── PING ────||─ CLOSE …      Arrived: |──── PING ────|   (the CLOSE is stuck)

An unrecorded run only counts them: a ``Tally`` reads no more of a frame than its header.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from websockets.frames import Close, Opcode
from websockets.utils import apply_mask

from ..values.framing import LONG, MASK

SHOWN = 16  # bytes of payload that are kept


class Progress:
    """How many bytes have passed, and the moment of each part."""

    def __init__(self) -> None:
        self.total = 0
        self.counts: list[int] = []
        self.moments: list[Any] = []

    def add(self, moment: Any, count: int) -> None:
        """So many bytes more."""
        self.total += count
        self.counts.append(self.total)
        self.moments.append(moment)

    def moment_of(self, end: int) -> Any | None:
        """When so many bytes had passed; None if they never did."""
        index = bisect_left(self.counts, end)
        return self.moments[index] if index < len(self.moments) else None


class Stream:
    """What one sender put into one connection: the bytes, and when they went in and came out."""

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.data: list[bytes] = []
        self.sent, self.arrived = Progress(), Progress()

    def add(self, moment: Any, data: bytes) -> None:
        """Bytes went in."""
        self.data.append(data)
        self.sent.add(moment, len(data))

    def arrive(self, moment: Any, count: int) -> None:
        """The next ``count`` bytes came out."""
        self.arrived.add(moment, count)

    def frames(self) -> Iterator[tuple[Any, Any | None, dict[str, Any]]]:
        """Each frame as (moment it went in, moment it arrived or None, what it is)."""
        stream = b"".join(self.data)
        for start, body, end in frames(stream, self.sender):
            payload = stream[body:end]
            if MASK[self.sender]:
                payload = apply_mask(payload, stream[body - 4 : body])
            try:
                data = {"sender": self.sender, **describe(stream[start], payload)}
            except ValueError:
                return  # not a frame: the rest of the stream cannot be read
            yield self.sent.moment_of(end), self.arrived.moment_of(end), data


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
            stream = b"".join(chunks)
            for start, _, end in frames(stream, sender):
                pings += stream[start] & 0x0F == Opcode.PING
                size += end - start
        return {"pings": pings, "bytes": size}


def frames(stream: bytes, sender: str) -> Iterator[tuple[int, int, int]]:
    """Each whole frame after the opening handshake: where it, its payload and its end are."""
    start = after_handshake(stream)
    while start <= len(stream) - 2:
        length = stream[start + 1] & 0x7F
        body = start + 2
        if length in LONG:
            body += LONG[length]
            length = int.from_bytes(stream[start + 2 : body], "big")
        body += MASK[sender]
        end = body + length
        if end > len(stream):
            return
        yield start, body, end
        start = end


def after_handshake(stream: bytes) -> int:
    """Where the frames of a stream begin: after its opening handshake, if it has one.

    No frame begins with G or H: these opcodes are reserved (§5.2).
    """
    if not stream.startswith((b"GET ", b"HTTP")):
        return 0
    end = stream.find(b"\r\n\r\n")
    return end + 4 if end >= 0 else len(stream)


def describe(first: int, payload: bytes) -> dict[str, Any]:
    """A frame as plain data, from its first byte; ValueError if it is none.

    Its opcode, size (bytes), the first bytes of its payload as hex, code and reason of a CLOSE.
    """
    opcode = Opcode(first & 0x0F)
    data = {"opcode": opcode.name, "size": len(payload), "payload": payload[:SHOWN].hex()}
    if not first & 0x80:
        data["fin"] = False
    if opcode is Opcode.CLOSE:
        close = Close.parse(payload)
        data["code"] = int(close.code) if payload else None  # the parser says 1005
        data["reason"] = close.reason
    return data
