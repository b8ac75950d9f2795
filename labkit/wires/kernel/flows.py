"""One direction of a TCP connection, as somebody sees it who stands between its ends. Pure.

A segment is ``heard`` when it is sent and ``passed`` when it is handed on; a cut hands nothing on.

    12.00  heard   bytes 40 to 46, new
    12.21  heard   bytes 40 to 46 again: the first try
    14.00  healed
    15.35  heard   again: a later try; and passed: 6 bytes have arrived
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..pipe import EOF, RESET
from .packets import FIN, RST, SYN, Segment

AROUND = 2**32  # TCP counts bytes modulo this


@dataclass
class Heard:
    """What a segment brought: what is new (bytes, EOF, RESET), or the how-manieth of its kind."""

    new: list[bytes | None] = field(default_factory=list)
    again: int = 0  # a try: what it has was sent before
    probe: int = 0  # it only asks for an acknowledgement: keepalive, or a closed window


@dataclass
class Flow:
    """Places are counted from 0, the first byte after SYN; FIN takes one."""

    base: int = 0  # TCP's number of place 0
    sent: int = 0  # so far the sender has come
    arrived: int = 0  # so far the receiver has everything
    closed: bool = False  # FIN was sent
    ahead: dict[int, int] = field(default_factory=dict)  # what arrived out of order: from, to
    tries: int = 0  # of sending again what is stuck
    probes: int = 0  # since something was sent

    def heard(self, segment: Segment) -> Heard:
        """A segment was sent."""
        if segment.flags & SYN:
            self.base = segment.number + 1
        if segment.flags & (SYN | RST):
            return Heard([RESET] if segment.flags & RST else [])
        first, last = self.span(segment)
        if first == last:
            probe = last == self.sent - 1
            self.probes += 1 if probe else 0
            return Heard(probe=self.probes if probe else 0)
        self.probes = 0
        if last <= self.sent:
            self.tries += 1
            return Heard(again=self.tries)
        new: list[bytes | None] = []
        if payload := segment.payload[max(0, self.sent - first) :]:
            new.append(payload)
        if segment.flags & FIN:
            self.closed = True
            new.append(EOF)
        if self.sent == self.arrived:  # nothing was stuck
            self.tries = 0
        self.sent = last
        return Heard(new)

    def passed(self, segment: Segment) -> list[tuple[bytes | None, int]]:
        """A segment was handed on; returns what has arrived by that, with its bytes counted."""
        if segment.flags & RST:
            return [(RESET, 0)]
        before, (first, last) = self.arrived, self.span(segment)
        self.ahead[first] = max(last, self.ahead.get(first, 0))
        for begin in sorted(self.ahead):
            if begin <= self.arrived:
                self.arrived = max(self.arrived, self.ahead.pop(begin))
        if self.arrived == before:
            return []
        self.tries = 0
        if not self.closed or self.arrived < self.sent:
            return [(segment.payload, self.arrived - before)]
        count = self.arrived - before - 1
        return [(segment.payload, count), (EOF, 0)] if count else [(EOF, 0)]

    def span(self, segment: Segment) -> tuple[int, int]:
        """The places from which and to which a segment goes."""
        first = (segment.number - self.base + AROUND // 2) % AROUND - AROUND // 2
        last = first + len(segment.payload)
        return first, last + 1 if segment.flags & FIN else last

    @property
    def expected(self) -> int:
        """TCP's number of what the receiver expects next."""
        return (self.base + self.arrived) % AROUND
