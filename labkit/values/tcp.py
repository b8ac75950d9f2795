"""One system's TCP as a value: when it tries again, when it gives up, and who asked it to.

Tcp()                                         Linux as it comes
Tcp(user_timeout=10)                          TCP_USER_TIMEOUT, 10 s
Tcp(keepalive_idle=1, keepalive_interval=1, keepalive_count=3)      SO_KEEPALIVE
"""

from __future__ import annotations

from dataclasses import dataclass

from . import fields


@dataclass(frozen=True)
class Tcp:
    """What the kernel below one end does with bytes that nobody acknowledges. Linux's defaults."""

    rto_min: float = fields.seconds(0.2, above=True)  # s; what the first timeout adds to the RTT
    rto_max: float = fields.seconds(120.0, above=True)  # s; the longest pause between two tries
    retries: int = fields.whole(15, 1, 100, "retries")  # net.ipv4.tcp_retries2
    orphan_retries: int = fields.whole(8, 1, 100, "retries")  # after close(); tcp_orphan_retries
    keepalive_idle: float | None = fields.seconds(above=True, none="no SO_KEEPALIVE")  # s
    keepalive_interval: float = fields.seconds(75.0, above=True)  # s, between two probes
    keepalive_count: int = fields.whole(9, 1, 127, "probes")  # that stay unanswered
    user_timeout: float | None = fields.seconds(above=True, none="no TCP_USER_TIMEOUT")  # s

    def __post_init__(self) -> None:
        fields.check(self)

    def __repr__(self) -> str:
        return fields.spell(self)
