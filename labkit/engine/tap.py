"""The tap: bytes on the wire, parsed into frames after the run, with the moment each went in and came out.

Bytes are facts. They are kept as they came, by connection and sender, and read once the run is over with the library's own
sans-I/O parser; a frame went in when its last byte did, and arrived when its last byte did, or never.

Sent: |──── PING ────||─ CLOSE …          Arrived: |──── PING ────|   (the CLOSE is stuck)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from websockets.exceptions import ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from .counts import after_handshake

SHOWN = 16  # bytes of payload that are kept


class Stream:
    """What one sender put into one connection: the bytes, and how many of them had gone in and come out by when."""

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.data: list[bytes] = []
        self.sent: tuple[list[int], list[Any]] = ([], [])  # bytes so far, the moment
        self.arrived: tuple[list[int], list[Any]] = ([], [])
        self.total = 0
        self.total_arrived = 0

    def add(self, moment: Any, data: bytes) -> None:
        """Bytes went in."""
        self.data.append(data)
        self.total += len(data)
        self.sent[0].append(self.total)
        self.sent[1].append(moment)

    def arrive(self, moment: Any, count: int) -> None:
        """The next ``count`` bytes came out."""
        self.total_arrived += count
        self.arrived[0].append(self.total_arrived)
        self.arrived[1].append(moment)

    def frames(self) -> Iterator[tuple[Any, Any | None, dict[str, Any]]]:
        """Each frame as (moment it went in, moment it arrived or None, what it is)."""
        stream = b"".join(self.data)
        reader = StreamReader()
        reader.feed_data(stream[after_handshake(stream) :])
        while (what := next_frame(reader, mask=self.sender == "client")) is not None:
            end = len(stream) - len(reader.buffer)
            yield (
                moment_of(self.sent, end),
                moment_of(self.arrived, end),
                {"sender": self.sender, **what},
            )


def moment_of(progress: tuple[list[int], list[Any]], end: int) -> Any | None:
    """When so many bytes had passed; None if they never did."""
    index = bisect_left(progress[0], end)
    return progress[1][index] if index < len(progress[1]) else None


class Unpacked:
    """An extension that only takes note that a frame is compressed: the tap shows what is on the wire."""

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        frame.rsv1 = False
        return frame


UNPACKED = [Unpacked()]


def next_frame(reader: StreamReader, mask: bool) -> dict[str, Any] | None:
    """The next whole frame as plain data; None if there is none."""
    parser = Frame.parse(reader.read_exact, mask=mask, extensions=UNPACKED)  # type: ignore[arg-type]
    try:
        next(parser)
    except StopIteration as done:
        return describe(done.value)
    except ProtocolError:
        return None  # not a frame: the rest of the stream cannot be read
    return None


def describe(frame: Frame) -> dict[str, Any]:
    """A frame as plain data: opcode, size (bytes), the first bytes of its payload as hex, code and reason of a CLOSE."""
    data: dict[str, Any] = {
        "opcode": frame.opcode.name,
        "size": len(frame.data),
        "payload": bytes(frame.data[:SHOWN]).hex(),
    }
    if not frame.fin:
        data["fin"] = False
    if frame.opcode is Opcode.CLOSE:
        close = Close.parse(bytes(frame.data))
        data |= {
            "code": int(close.code) if frame.data else None,
            "reason": close.reason,
        }  # of an empty one the parser says 1005
    return data
