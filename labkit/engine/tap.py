"""The tap: bytes on the wire, parsed into frames, with the moment each went in and came out.

The bytes are kept as they came, by connection and sender, until somebody asks for the frames (RFC
6455 §5.2): usually once the run is over. A frame went in when its last byte did, and arrived when
its last byte did, or never. What is compressed is shown as it is on the wire.

    Sent: |──── PING ────||─ CLOSE …      Arrived: |──── PING ────|   (the CLOSE is stuck)

An unrecorded run only counts them: a ``Tally`` reads no more of a frame than its header.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from websockets.frames import Close, Opcode
from websockets.utils import apply_mask

from ..values.framing import LONG

SHOWN = 16  # bytes of payload that are kept
MASKED = 0x80  # the bit of a frame's second byte that says: four bytes of a mask come before it
COMPRESSED = 0x40  # the bit of a frame's first byte that says so (RSV1, RFC 7692 §6)


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
    """What one sender put into one connection: the bytes, and when they went in and came out.

    Bytes that have been read as frames are not kept.
    """

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.data: list[bytes] = []  # what has not been read
        self.sent, self.arrived = Progress(), Progress()
        self.passed = 0  # bytes that have been read
        self.head = b""  # the opening handshake
        self.found: list[tuple[int, dict[str, Any]]] = []  # where each frame ends, what it is
        self.broken = False  # what follows is no frame

    def add(self, moment: Any, data: bytes) -> None:
        """Bytes went in."""
        self.data.append(data)
        self.sent.add(moment, len(data))

    def arrive(self, moment: Any, count: int) -> None:
        """The next ``count`` bytes came out."""
        self.arrived.add(moment, count)

    def frames(self, since: int = 0) -> Iterator[tuple[Any, Any | None, dict[str, Any]]]:
        """Each frame as (moment it went in, moment it arrived or None, what it is).

        The first ``since`` frames are left out.
        """
        self.read()
        for end, what in self.found[since:]:
            data = {"sender": self.sender, **what}
            yield self.sent.moment_of(end), self.arrived.moment_of(end), data

    def read(self) -> None:
        """Read the frames that are whole by now."""
        count = len(self.data)  # others go on adding
        stream = b"".join(self.data[:count])
        start = 0 if self.passed else after_handshake(stream)
        if start is None:
            return
        self.head = self.head or stream[:start]
        self.broken = self.broken or self.head.startswith(b"HTTP") and b" 101 " not in self.head
        if self.broken:
            del self.data[:count]
            return
        for first, body, end in frames(stream, start):
            payload = stream[body:end]
            if stream[first + 1] & MASKED:
                payload = apply_mask(payload, stream[body - 4 : body])
            try:
                what = describe(stream[first], payload)
            except ValueError:
                self.broken = True
                break
            self.found.append((self.passed + end, what))
            start = end
        self.data[:count] = [stream[start:]]
        self.passed += start


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
        for chunks in self.streams.values():
            stream = b"".join(chunks)
            begin = after_handshake(stream)
            for start, _, end in frames(stream, len(stream) if begin is None else begin):
                pings += stream[start] & 0x0F == Opcode.PING
                size += end - start
        return {"pings": pings, "bytes": size}


def frames(stream: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Each whole frame from ``start`` on: where it, its payload and its end are."""
    while start <= len(stream) - 2:
        length = stream[start + 1] & 0x7F
        body = start + 2
        if length in LONG:
            body += LONG[length]
            length = int.from_bytes(stream[start + 2 : body], "big")
        if stream[start + 1] & MASKED:
            body += 4
        end = body + length
        if end > len(stream):
            return
        yield start, body, end
        start = end


def after_handshake(stream: bytes) -> int | None:
    """Where the frames of a stream begin: after its opening handshake, if it has one.

    None while that is not whole. No frame begins with G or H: these opcodes are reserved (§5.2).
    """
    if not stream.startswith((b"GET ", b"HTTP")):
        return 0
    end = stream.find(b"\r\n\r\n")
    return end + 4 if end >= 0 else None


def describe(first: int, payload: bytes) -> dict[str, Any]:
    """A frame as plain data, from its first byte; ValueError if it is none.

    Its opcode, size (bytes), the first bytes of its payload as hex, code and reason of a CLOSE;
    what is compressed, or goes on in the next frame, says so.
    """
    opcode = Opcode(first & 0x0F)
    data = {"opcode": opcode.name, "size": len(payload), "payload": payload[:SHOWN].hex()}
    if not first & 0x80:
        data["fin"] = False
    if first & COMPRESSED:
        data["compressed"] = True
    if opcode is Opcode.CLOSE:
        close = Close.parse(payload)
        data["code"] = int(close.code) if payload else None  # the parser says 1005
        data["reason"] = close.reason
    return data
