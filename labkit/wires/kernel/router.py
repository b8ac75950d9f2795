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
from .flows import Flow, Heard
from .namespaces import IPV4
from .packets import RST, Segment, read, reset_like

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
    resets: int = 0  # that are under way
    lines: dict[int, Line] = field(default_factory=dict)  # by the client's port


@dataclass
class Packet:
    """A packet that is under way."""

    line: Line
    data: bytes
    segment: Segment
    heard: Heard = field(default_factory=Heard)
    sent: float = field(default_factory=time.monotonic)  # s

    @property
    def is_reset(self) -> bool:
        return bool(self.segment.flags & RST)


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
        way = self.ways[sender]
        try:
            data = way.cable.recv(LARGEST)
        except OSError:  # nothing after all, or the cable is gone
            return
        self.captured.append((self.epoch + time.monotonic(), data))
        if (segment := read(data)) is None:
            return
        near, far = segment.ports
        port, number = near if sender == "client" else far, len(way.lines) + 1
        line = way.lines.setdefault(port, Line(sender, number))
        line.packet = data
        packet = Packet(line, data, segment)
        self.hear(packet)
        if way.finished:
            self.tell_try(packet, False)
        else:
            self.send(packet)

    def hear(self, packet: Packet) -> None:
        """Tell the tap what is new in a packet."""
        line = packet.line
        packet.heard = line.flow.heard(packet.segment)
        for item in packet.heard.new:
            if self.wire.tap:
                self.wire.tap.sent(line.number, line.sender, packet.sent, item)

    def send(self, packet: Packet) -> None:
        """Let a packet be under way."""
        self.ways[packet.line.sender].resets += packet.is_reset
        if self.wire.latency:
            self.loop.call_later(self.wire.latency, self.arrive, packet)
        else:
            self.arrive(packet)

    def arrive(self, packet: Packet) -> None:
        """A packet is due at its receiver: hand it on, unless a cut takes it."""
        line = packet.line
        way, other = self.ways[line.sender], self.ways[OTHER[line.sender]]
        way.resets -= packet.is_reset
        passes = not way.silent or way.finished and packet.is_reset
        self.tell_try(packet, passes)
        if not passes:
            return
        now = time.monotonic()
        with contextlib.suppress(OSError):  # the cable is gone
            other.cable.sendto(packet.data, (other.name, IPV4, 0, 0, other.mac))
        for item, count in line.flow.passed(packet.segment):
            if self.wire.tap:
                sender = "wire" if way.finished and item is RESET else line.sender
                self.wire.tap.arrived(line.number, sender, now, item, count)

    def tell_try(self, packet: Packet, passes: bool) -> None:
        """Tell of a packet that says nothing new, and whether it came through."""
        line, heard = packet.line, packet.heard
        for what, number in (("retransmission", heard.again), ("probe", heard.probe)):
            if number and self.wire.tap:
                told = {"number": number, "through": passes}
                self.wire.tap.tcp(packet.sent, line.number, line.sender, what, **told)

    def reset(self, sender: str) -> None:
        """End every connection in one direction by an RST that its receiver believes.

        What a cut holds goes nowhere, and neither does what is sent from now on.
        """
        self.ways[sender].finished = True
        for line in self.ways[sender].lines.values():
            data = reset_like(line.packet, line.flow.expected)
            segment = read(data)
            assert segment is not None
            self.send(Packet(line, data, segment))

    def will_pass(self, sender: str, held: bool) -> bool:
        """Whether a reset is under way, or what is ``held`` by the kernel would pass now."""
        way = self.ways[sender]
        if way.silent and not way.finished:
            return False
        flows = [line.flow for line in way.lines.values()]
        held = held and not way.finished
        return way.resets > 0 or held and any(flow.sent > flow.arrived for flow in flows)
