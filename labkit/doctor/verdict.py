"""What the doctor says of one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .connection import Fact

CAUSES = (
    "storm blocked_drain closing_gap own_loop own_timeout peer_timeout idle_drop tcp_lost "
    "handler_raised peer_failed refused_data handshake going_away goodbye unknown alive"
).split()  # worst first
SURE = ("certain", "likely", "possible")
KEEPALIVE = "keepalive ping timeout"  # the reason of its CLOSE 1011


@dataclass(frozen=True)
class Verdict:
    """One connection's cause, how sure that is, why, and the lines of the log that show it.

    *certain*: the log says so (the text of a CLOSE), or nothing else can have written these lines.
    *likely*: it fits and nothing speaks against it, but a setting or a missing line could matter.
    *possible*: one reading among several.
    """

    cause: str  # one of CAUSES
    sure: str  # one of SURE
    why: str
    evidence: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    connection: int = 0  # its number in this log; 0: it is about none
    who: str = ""  # how the log names it
    side: str = ""  # server, client; "": not known
    family: str = "unknown"  # of websockets' versions
    lines: tuple[int, int] = (0, 0)  # its first and its last
    opened: float | None = None  # s, on the log's clock
    closing: float | None = None
    closed: float | None = None
    idle: float | None = None  # s without a frame before the end
    story: tuple[Any, ...] = field(default=(), repr=False, compare=False)


def of_close(code: int, reason: str, mine: bool) -> str:
    """The cause that a CLOSE tells, by the end that was first to send it."""
    if code == 1011 and KEEPALIVE in reason:
        return "own_timeout" if mine else "peer_timeout"
    if code == 1011:
        return "handler_raised" if mine else "peer_failed"
    if code in (1002, 1003, 1007, 1008, 1009, 1010):
        return "refused_data"
    return "going_away" if code in (1001, 1012, 1013) else "goodbye"
