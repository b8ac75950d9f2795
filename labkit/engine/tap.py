"""The tap: bytes on the wire, parsed into frames, with the moment each went in and came out.

The bytes are kept as they came, by connection and sender, and read once the run is over with the
library's own sans-I/O parser. A frame went in when its last byte did, and arrived when its last
byte did, or never.

    Sent: |──── PING ────||─ CLOSE …      Arrived: |──── PING ────|   (the CLOSE is stuck)
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
Progress = tuple[list[int], list[Any]]  # bytes so far, and the moment of each


class Stream:
    """What one sender put into one connection: the bytes, and when they went in and came out."""

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.data: list[bytes] = []
        self.sent: Progress = ([], [])
        self.arrived: Progress = ([], [])
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
            data = {"sender": self.sender, **what}
            yield moment_of(self.sent, end), moment_of(self.arrived, end), data


def moment_of(progress: Progress, end: int) -> Any | None:
    """When so many bytes had passed; None if they never did."""
    index = bisect_left(progress[0], end)
    return progress[1][index] if index < len(progress[1]) else None


class Unpacked:
    """An extension that leaves a compressed frame as it is: the tap shows what is on the wire."""

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
    """A frame as plain data.

    Its opcode, size (bytes), the first bytes of its payload as hex, code and reason of a CLOSE.
    """
    data: dict[str, Any] = {
        "opcode": frame.opcode.name,
        "size": len(frame.data),
        "payload": bytes(frame.data[:SHOWN]).hex(),
    }
    if not frame.fin:
        data["fin"] = False
    if frame.opcode is Opcode.CLOSE:
        close = Close.parse(bytes(frame.data))
        data["code"] = int(close.code) if frame.data else None  # the parser says 1005
        data["reason"] = close.reason
    return data
