"""What the doctor says of one connection."""

from __future__ import annotations

from typing import Any, NamedTuple

from .connection import Fact

CAUSES = (
    "storm blocked_drain closing_gap slow_reader own_loop pong_bug own_timeout peer_timeout "
    "idle_drop tcp_lost legacy_bug misuse handler_raised peer_failed refused_data unreachable "
    "handshake unanswered_close other_code going_away goodbye unknown probe alive"
).split()  # worst first
SURE = ("certain", "likely", "possible")


class Verdict(NamedTuple):
    """One connection's cause, how sure that is, why, and the lines of the log that show it.

    *certain*: one line says so by itself (the text of a CLOSE, an exception's sentence).
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
    story: tuple[Any, ...] = ()
