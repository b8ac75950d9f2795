"""What goes from end to end: a frame, a FIN, an RST or the opening handshake. It draws nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ..trace import Frame

CONTROL = ("PING", "PONG", "CLOSE")
DATA = ("TEXT", "BINARY", "CONT")


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
    def is_data(self) -> bool:
        return self.opcode in DATA

    @property
    def name(self) -> str:
        """ "CLOSE 1011", "PING", or "message" for data."""
        if self.opcode == "CLOSE" and self.code not in (None, 1005):  # which is never sent
            return f"CLOSE {self.code}"
        return "message" if self.is_data else self.opcode
