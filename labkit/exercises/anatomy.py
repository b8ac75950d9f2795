"""The parts of a frame, byte by byte (RFC 6455 §5.2): for reading frames by hand. A run's own tap uses the library's parser.

byte 1      FIN, three spare bits, opcode       89 = 1 000 1001: the whole message, PING
byte 2      MASK, length of the payload         85 = 1 0000101: masked, 5 bytes; 126 and 127 say: see the next 2 or 8 bytes
4 bytes     masking key, only if MASK is 1
the rest    payload; if masked, each byte XOR the next byte of the key, round and round
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

from websockets.frames import Opcode

from ..engine.session import open_run
from ..values.experiment import Experiment

LONG = {126: 2, 127: 8}  # a length that is a signpost: so many bytes after it hold the real one
SHOWN = 12  # bytes of a payload that are printed


@dataclass(frozen=True)
class Anatomy:
    """The parts of one frame, as far as its bytes are there."""

    head: bytes  # the first two bytes
    more: bytes  # the long length, if there is one
    key: bytes  # the masking key, if there is one
    body: bytes  # the payload, as it stands on the wire
    length: int  # bytes of payload that were announced
    missing: int  # bytes that have not come

    @property
    def opcode(self) -> str:
        """Its name, or "?" if nothing has that number."""
        number = self.head[0] & 0x0F if self.head else None
        return Opcode(number).name if number in list(Opcode) else "?"

    @property
    def masked(self) -> bool:
        return len(self.head) > 1 and self.head[1] >= 0x80

    @property
    def sender(self) -> str:
        """Who sent it: a client masks, a server does not (§5.1)."""
        return "client" if self.masked else "server"

    @property
    def payload(self) -> bytes:
        """The payload as it was meant."""
        return unmask(self.body, self.key) if self.key else self.body

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, (self.head, self.more, self.key, self.body)))


def take_apart(data: bytes) -> Anatomy:
    """The parts of the first frame in ``data``; parts that have not come are empty, and counted as missing."""
    head = data[:2]
    if len(head) < 2:
        return Anatomy(head, b"", b"", b"", 0, 2 - len(head))
    length = head[1] & 0x7F
    wide = LONG.get(length, 0)
    more, at = data[2 : 2 + wide], 2 + wide
    if wide:
        length = int.from_bytes(more, "big")
    key_size = 4 if head[1] >= 0x80 else 0
    key, at = data[at : at + key_size], at + key_size
    return Anatomy(head, more, key, data[at : at + length], length, max(0, at + length - len(data)))


def unmask(body: bytes, key: bytes) -> bytes:
    """Each byte XOR the next byte of the key, round and round; masking is the same."""
    return bytes(byte ^ lock for byte, lock in zip(body, cycle(key)))


def dissect(data: bytes) -> None:
    """Print the parts of a frame: its bytes, their bits where bits matter, and what they say."""
    rows = _rows(take_apart(data))
    wide = max((len(part) for part, *_ in rows), default=0)
    for part, bits, says in rows:
        print(f"{part:<{wide}}   {bits:<10}   {says}")


def _rows(frame: Anatomy) -> list[tuple[str, str, str]]:
    rows = []
    if frame.head:
        first = f"{frame.head[0]:08b}"
        fin = "a whole message" if first[0] == "1" else "not the last part of its message"
        rows.append(
            (
                f"{frame.head[0]:02x}",
                f"{first[0]} {first[1:4]} {first[4:]}",
                f"{fin} · opcode {frame.head[0] & 15:x}: {frame.opcode}",
            )
        )
    if len(frame.head) > 1:
        second = f"{frame.head[1]:08b}"
        short = f"length {frame.head[1] & 0x7F}" + (": see the next bytes" if frame.more else "")
        rows.append(
            (
                f"{frame.head[1]:02x}",
                f"{second[0]} {second[1:]}",
                f"{'masked' if frame.masked else 'not masked'} · {short}",
            )
        )
    if frame.more:
        rows.append((frame.more.hex(" "), "", f"length {frame.length}"))
    if frame.key:
        rows.append((frame.key.hex(" "), "", "masking key"))
    if frame.body:
        rows.append((shown(frame.body), "", "payload" + (", masked" if frame.key else "")))
    if frame.key and frame.body:
        rows.append(("", "", f"without the mask: {shown(frame.payload)}"))
    if frame.missing:
        rows.append(("", "", f"{frame.missing} more to come"))
    return rows


def shown(data: bytes, most: int = SHOWN) -> str:
    """Bytes as hex; of many only the first."""
    return data[:most].hex(" ") + (" …" if len(data) > most else "")


def overhear(experiment: Experiment) -> list[bytes]:
    """Run an experiment in virtual time; return the bytes of each frame as they went into the wire, in the order of time."""
    with open_run(experiment, wire="virtual") as session:
        session.wait()
        streams = list(session.recorder.streams.values())
    found: list[tuple[tuple[float, int], bytes]] = []
    for stream in streams:
        data = b"".join(stream.data)
        moments = [moment for moment, *_ in stream.frames()]
        at = data.find(b"\r\n\r\n") + 4  # after the opening handshake
        for moment in moments:
            size = take_apart(data[at:]).size
            found.append((moment, data[at : at + size]))
            at += size
    return [frame for _, frame in sorted(found)]
