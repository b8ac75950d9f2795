"""The router between two ends: it carries their packets, later or not at all, and tells the tap.

It lives in the wire's own thread. Whether a packet passes is decided when it would arrive, so a cut
takes what is under way, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from dataclasses import dataclass, field

from ...values.faults import ENDS, OTHER
from .. import Wire
from ..pipe import RESET
from .flows import Flow
from .namespaces import IPV4
from .packets import Segment, read, reset_like

LARGEST = 2**16  # bytes a packet


@dataclass
class Line:
    """What one end sends on one connection."""

    sender: str
    number: int  # of the connection
    flow: Flow = field(default_factory=Flow)
    packet: bytes = b""  # the last one


@dataclass
class Way:
    """The cable to one end, and what is in force for what this end sends."""

    name: str
    mac: bytes
    cable: socket.socket
    silent: int = 0  # cuts that hold
    finished: bool = False  # by a reset from the middle: what is sent now goes nowhere
    under_way: int = 0  # packets
    lines: dict[int, Line] = field(default_factory=dict)  # by the client's port


class Router:
    """Carries the packets of a wire."""

    def __init__(self, wire: Wire, loop: asyncio.AbstractEventLoop, ways: dict[str, Way]) -> None:
        self.wire, self.loop, self.ways = wire, loop, ways
        self.captured: list[tuple[float, bytes]] = []  # s since 1970
        self.epoch = time.time() - time.monotonic()
        for end in ENDS:
            loop.add_reader(ways[end].cable, self.read, end)

    def read(self, sender: str) -> None:
        """A packet has come from an end."""
        way, now = self.ways[sender], time.monotonic()
        try:
            packet = way.cable.recv(LARGEST)
        except OSError:  # nothing after all, or the cable is gone
            return
        self.captured.append((self.epoch + now, packet))
        if (segment := read(packet)) is None:
            return
        near, far = segment.ports
        port, number = near if sender == "client" else far, len(way.lines) + 1
        line = way.lines.setdefault(port, Line(sender, number))
        line.packet = packet
        self.hear(line, segment, now)
        if not way.finished:
            self.send(line, packet, segment)

    def hear(self, line: Line, segment: Segment, now: float) -> None:
        """Tell the tap what an end sends that is new, and everybody what it tries again."""
        heard, sender = line.flow.heard(segment), line.sender
        for item in heard.new:
            if self.wire.tap:
                self.wire.tap.sent(line.number, sender, now, item)
        if heard.again:
            self.wire.note(sender, "tcp", "try", number=line.flow.tries, size=heard.again)
        if heard.probe:
            self.wire.note(sender, "tcp", "probe", number=line.flow.tries)

    def send(self, line: Line, packet: bytes, segment: Segment) -> None:
        """Let a packet be under way."""
        self.ways[line.sender].under_way += 1
        if self.wire.latency:
            self.loop.call_later(self.wire.latency, self.arrive, line, packet, segment)
        else:
            self.arrive(line, packet, segment)

    def arrive(self, line: Line, packet: bytes, segment: Segment) -> None:
        """A packet is due at its receiver: hand it on, unless a cut takes it."""
        way, other = self.ways[line.sender], self.ways[OTHER[line.sender]]
        way.under_way -= 1
        if way.silent and not way.finished:
            return
        now = time.monotonic()
        with contextlib.suppress(OSError):  # the cable is gone
            other.cable.sendto(packet, (other.name, IPV4, 0, 0, other.mac))
        for item, count in line.flow.passed(segment):
            if self.wire.tap:
                sender = "wire" if way.finished and item is RESET else line.sender
                self.wire.tap.arrived(line.number, sender, now, item, count)

    def reset(self, sender: str) -> None:
        """End every connection in one direction by an RST that its receiver believes.

        What a cut holds goes nowhere, and neither does what is sent from now on.
        """
        self.ways[sender].finished = True
        for line in self.ways[sender].lines.values():
            packet = reset_like(line.packet, line.flow.expected)
            segment = read(packet)
            assert segment is not None
            self.send(line, packet, segment)

    def is_busy(self) -> bool:
        """Whether any packet is under way."""
        return any(way.under_way for way in self.ways.values())

    def will_pass(self, sender: str) -> bool:
        """Whether what an end has not brought through yet would pass now."""
        way = self.ways[sender]
        flows = [line.flow for line in way.lines.values()]
        is_open = not way.silent and not way.finished
        return is_open and any(flow.sent > flow.arrived for flow in flows)
