"""What stands between the model and its ends: items, things to do, and what an end may ask."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ..values.experiment import Experiment
from ..values.framing import frame_size

NEVER = math.inf
ACT, ARRIVAL, WAKING, GOODBYE, TIMER, CONSEQUENCE = range(6)  # who goes first at equal times
Do = Callable[[], None]
Test = Callable[[], bool]


class Todo(NamedTuple):
    """Something to do, and whether it still makes sense when its time has come."""

    do: Do
    still: Test


def always() -> bool:
    """What still makes sense whatever happens."""
    return True


@dataclass
class Item:
    """A frame, a FIN or an RST on its way, and when it arrives."""

    sender: str
    opcode: str  # BINARY, PING, PONG, CLOSE, FIN, RST, and NOTIFY (TLS's close_notify)
    sent_at: float  # s
    due: float  # s, as it was foretold when it was sent
    code: int | None = None
    reason: str = ""
    answers: Item | None = None  # the ping that a pong answers
    arrived_at: float | None = None  # s
    length: int = 0  # bytes of payload, of a message

    @property
    def size(self) -> int:
        """Bytes of payload: four random ones in a ping, two and the reason in a CLOSE."""
        if self.opcode == "BINARY":
            return self.length
        return 4 if self.opcode in ("PING", "PONG") else 2 + len(self.reason.encode())

    @property
    def weight(self) -> int:
        """Bytes on the wire, with the frame's header."""
        return 0 if self.opcode in ("FIN", "RST") else frame_size(self.size, self.sender)


class World(Protocol):
    """What an endpoint asks of the model that it lives in."""

    experiment: Experiment
    now: float  # s
    ties: list[str]
    overflow: str | None

    def at(self, when: float, do: Do, rank: int, still: Test, owner: Any) -> None: ...

    def catch_up(self, owner: Any) -> None: ...

    def see(self, where: str, what: str, **data: Any) -> None: ...

    def send(self, sender: str, opcode: str, **more: Any) -> Item: ...

    def reset(self, sender: str) -> None: ...

    def left(self, end: str) -> None: ...
