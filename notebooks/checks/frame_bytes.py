"""Notebook 01's tools: frames byte by byte (RFC 6455 §5.2), and a real server that takes any bytes.

byte 1         FIN, three spare bits, opcode      89 = 1 000 1001: a whole message, PING
byte 2         MASK, length of the payload        85 = 1 0000101: masked, 5 bytes
2 or 8 bytes   the length, if that said 126 or 127
4 bytes        the masking key, if MASK is 1
the rest       the payload; if masked, each byte XOR the next byte of the key, round and round
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from typing import Any

from websockets.frames import Opcode

from labkit import Experiment, Frame, Peer, Trace, run
from labkit.engine.session import open_run
from labkit.engine.tap import Tally, frames
from labkit.values.framing import LONG

SHOWN = 12  # bytes of a part that are printed
SECOND = 1.0  # s that a server is given to answer


@dataclass(frozen=True)
class Parts:
    """The parts of one frame, as far as its bytes are there."""

    head: bytes  # the first two
    more: bytes  # a long length
    key: bytes
    body: bytes  # the payload, as it stands on the wire
    length: int  # bytes of payload that were announced
    missing: int  # bytes that have not come

    @property
    def opcode(self) -> str:
        """Its name; "?" if nothing has that number."""
        number = self.head[0] & 0x0F
        return Opcode(number).name if number in list(Opcode) else "?"

    @property
    def sender(self) -> str:
        """Who may send it: a client masks, a server does not (§5.1)."""
        return "client" if self.head[1:] >= b"\x80" else "server"

    @property
    def payload(self) -> bytes:
        """The payload as it was meant."""
        return bytes(a ^ b for a, b in zip(self.body, cycle(self.key or b"\0")))

    @property
    def whole(self) -> bytes:
        """All of its bytes."""
        return self.head + self.more + self.key + self.body


def shown(data: bytes) -> str:
    """Bytes as hex; of many only the first."""
    return data[:SHOWN].hex(" ") + (" …" if len(data) > SHOWN else "")


def take_apart(data: bytes) -> Parts:
    """The first frame in ``data``."""
    rest = BytesIO(data)
    head = rest.read(2)
    second = head[1] if len(head) > 1 else 0
    length, wide, masked = second & 0x7F, LONG.get(second & 0x7F, 0), 4 if second & 0x80 else 0
    more = rest.read(wide)
    if more:
        length = int.from_bytes(more, "big")
    missing = max(0, 2 + wide + masked + length - len(data))
    return Parts(head, more, rest.read(masked), rest.read(length), length, missing)


def dissect(data: bytes) -> None:
    """Print the parts of a frame: its bytes, the bits of the first two, and what they say."""
    parts = take_apart(data)
    first, second = parts.head
    fin = "a whole message" if first & 0x80 else "more of it follows"
    masked = "masked" if second & 0x80 else "not masked"
    kind = f"{first >> 7} {first >> 4 & 7:03b} {first & 15:04b}"
    rows = [
        (parts.head[:1], kind, f"{fin} · opcode {first & 15:x}: {parts.opcode}"),
        (parts.head[1:], f"{second >> 7} {second & 127:07b}", f"{masked} · length {second & 127}"),
        (parts.more, "", f"length {parts.length}"),
        (parts.key, "", "masking key"),
        (parts.body, "", "payload, masked" if parts.key else "payload"),
    ]
    for part, bits, says in rows:
        if part:
            print(f"{shown(part):<14} {bits:<12} {says}")


class Ear(Tally):
    """Hears every frame as it goes into the wire, in time; what ends say before is no frame."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[bytes] = []

    def sent(self, conn: int, sender: str, now: float, data: bytes | None) -> None:
        """Bytes went into the wire: whole frames, as websockets writes them."""
        if data and not data.startswith((b"GET ", b"HTTP/")):
            self.heard += [data[start:end] for start, _, end in frames(data, 0)]


def overhear(experiment: Experiment) -> list[bytes]:
    """Run it in virtual time; the bytes of each frame as they went into the wire, in time."""
    session = open_run(experiment, wire="virtual", record=False)
    session.tally = ear = Ear()
    with session:
        session.wait()
    return ear.heard


@dataclass(frozen=True)
class Exchange:
    """What was typed at a client's end, and what the server made of it."""

    sent: bytes
    trace: Trace

    @property
    def answer(self) -> list[Frame]:
        """The frames that came back."""
        return self.trace.frames("server")

    def __repr__(self) -> str:
        rows = [f"you typed  {shown(self.sent)}"]
        for frame in self.answer:
            rows.append(f"server     {frame.opcode} {shown(bytes.fromhex(frame.payload))}")
        log = [line[10:] for line in self.trace.log("server")]
        opened = log.index("= connection is OPEN") + 1
        rows += [f"its log    {line}" for line in log[opened:] if line[0] in "<>="]
        return "\n".join(rows)


def talk(text: str, wire: str = "loopback") -> Exchange:
    """Send bytes, given as hex, on an open connection to a real server; wait a second."""
    sent = bytes.fromhex(text)

    async def client(websocket: Any) -> None:
        websocket.transport.write(sent)  # TCP's own end: nothing adds a header
        await websocket.wait_closed()

    silent = Peer(ping_interval=None)
    return Exchange(sent, run(Experiment(silent, silent, until=SECOND), wire, client=client))
