"""What goes from end to end: a frame, a FIN, an RST or the opening handshake. It draws nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..trace import Frame

CONTROL = ("PING", "PONG", "CLOSE")
DATA = ("TEXT", "BINARY", "CONT")
MOST = 60  # pings, or messages, that a figure has room for


@dataclass(frozen=True)
class Crossing(Frame):
    """On its way from ``sender`` ("wire": the middle) to ``receiver``, at last at ``arrived_at``.

    ``opcode`` may be FIN, RST or HTTP too. It is ``stuck`` if it waited in a cut, or for ever.
    """

    stuck: bool = False
    to: str = ""  # where it goes, if it comes from the middle

    @property
    def receiver(self) -> str:
        return self.to or super().receiver

    @property
    def stop(self) -> float:
        """When it is over (s)."""
        return self.sent_at if self.arrived_at is None else self.arrived_at

    @property
    def free(self) -> float:
        """Until when it waits, if it is stuck (s), maybe for ever."""
        return math.inf if self.arrived_at is None else self.arrived_at

    @property
    def is_data(self) -> bool:
        return self.opcode in DATA

    @property
    def name(self) -> str:
        """ "CLOSE 1011", "PING", or "message" for data."""
        if self.opcode == "CLOSE" and self.code not in (None, 1005):  # which is never sent
            return f"CLOSE {self.code}"
        return "message" if self.is_data else self.opcode


def is_ping(one: Frame) -> bool:
    return one.opcode == "PING"


def every(
    rows: list[Crossing], leads: Callable[[Crossing], bool] = lambda one: True
) -> list[Crossing]:
    """Of rows with too many leaders every n-th leader, with what follows it."""
    step = math.ceil(sum(map(leads, rows)) / MOST)
    count, kept = 0, []
    for row in rows:
        count += leads(row)
        if step <= 1 or count % step == 1:
            kept.append(row)
    return kept


def thin(
    rows: list[Crossing], spread: Callable[[list[Crossing]], list[Crossing]] = every
) -> tuple[list[Crossing], str]:
    """What a figure has room for: all that is stuck, some pings with their pongs, every CLOSE.

    Of the messages that came through ``spread`` leaves some. The second is what is left out, in
    words.
    """
    through = [one for one in rows if not one.stuck]
    beats = [one for one in through if one.opcode in ("PING", "PONG")]
    data = [one for one in through if one.is_data]
    few, some = every(beats, is_ping), spread(data)
    dropped = set(map(id, (*beats, *data))) - set(map(id, (*few, *some)))
    counts = {
        "pings": (sum(map(is_ping, beats)), sum(map(is_ping, few))),
        "messages": (len(data), len(some)),
    }
    said = [f"{all:,} {what}, {n:,} drawn" for what, (all, n) in counts.items() if n < all]
    left_out = f"thinned: {'; '.join(said)}" if said else ""
    return [one for one in rows if id(one) not in dropped], left_out
