"""What the doctor says of one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .connection import Fact

CAUSES = (
    "storm blocked_drain closing_gap slow_reader own_loop pong_bug own_timeout peer_timeout "
    "idle_drop tcp_lost legacy_bug misuse handler_raised peer_failed refused_data unreachable "
    "handshake unanswered_close other_code going_away goodbye unknown probe alive"
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


OF_CODE = {1000: "goodbye", 1005: "goodbye", 1001: "going_away", 1012: "going_away"} | {
    code: "refused_data" for code in (1002, 1003, 1007, 1008, 1009, 1010)
}
WHOSE = {  # (code, whether this end sent it): whose rule that was
    (1002, True): "the peer broke the protocol, or something on the way meddles",
    (1002, False): "to the peer, what this end sent broke the protocol",
    (1007, True): "the peer's text was no UTF-8",
    (1007, False): "to the peer, this end's text was no UTF-8",
    (1008, True): "this end's rule",
    (1008, False): "the peer's rule: its reason, or its documentation, says which",
    (1009, True): "the limit is this end's max_size",
    (1009, False): "the limit is the peer's, max_size at this end does not matter",
}


def of_close(code: int, reason: str, mine: bool) -> str:
    """The cause that a CLOSE tells, by the end that was first to send it."""
    if code == 1011 and reason.startswith("keepalive ping"):
        return "own_timeout" if mine else "peer_timeout"
    if code == 1011:
        return "handler_raised" if mine else "peer_failed"
    return OF_CODE.get(code, "other_code")


def whose(code: int, mine: bool) -> str:
    """Words to put behind a code: whose rule it was."""
    return f": {WHOSE[code, mine]}" if (code, mine) in WHOSE else ""
