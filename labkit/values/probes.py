"""SO_KEEPALIVE: what a sender's TCP asks a silent peer when nothing of its own is under way.

An idle connection is probed ``keepalive_idle`` seconds after something was heard, and while no
answer comes, every ``keepalive_interval``; ``keepalive_count`` probes without an answer end it (or,
with TCP_USER_TIMEOUT, so much silence). With bytes under way TCP tries those again, and probes
nothing. Probes that are answered change nothing, so they are followed from a silence on only.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sender import Sender


class Probes:
    """The probes of one sender whose connection has met a silence."""

    __slots__ = ("sender", "tcp", "heard", "at", "number")

    def __init__(self, sender: Sender) -> None:
        self.sender, self.tcp = sender, sender.retries.tcp
        self.heard = 0.0  # when something last came from the other end (s)
        self.at: float | None = None  # when the next probe is due (s); None: it will be answered
        self.number = 0  # probes without an answer

    def fall_silent(self, now: float) -> None:
        """A silence begins: from now on probes may be lost, or their answers."""
        if self.at is not None:
            return
        latency, arrived = self.sender.out.latency, self.sender.out.arrived
        self.heard = max(0.0, self.sender.far.out.arrived, arrived + latency)
        idle = self.tcp.keepalive_idle or 0.0
        answered = max(0, math.ceil((now - self.heard) / (idle + 2 * latency)) - 1)
        self.heard = round(self.heard + answered * (idle + 2 * latency), 9)
        self.at = round(self.heard + idle, 9)

    def hear(self, now: float) -> None:
        """A segment has come from the other end."""
        if self.at is not None:
            self.heard, self.number = now, 0
            self.at = round(now + (self.tcp.keepalive_idle or 0.0), 9)

    def postpone(self, seconds: float) -> None:
        """Its clock stood still for so long."""
        self.heard = round(self.heard + seconds, 9)
        self.at = None if self.at is None else round(self.at + seconds, 9)

    def alarm(self) -> float | None:
        """When something has to be done (s): when an answer would be here, or there is no more."""
        if self.at is None or self.is_over():
            return self.at
        return round(self.at + 2 * self.sender.out.latency, 9)

    def is_over(self) -> bool:
        """Whether no more probes are sent."""
        assert self.at is not None
        patience = self.tcp.user_timeout
        if patience is not None:
            return self.number > 0 and self.at - self.heard >= patience
        return self.number >= self.tcp.keepalive_count

    def is_answered(self) -> bool:
        """Whether the probe has passed, and its answer, which would be here now."""
        assert self.at is not None
        sender = self.sender
        is_open = not (sender.out.silent or sender.far.out.silent)
        return is_open and sender.healed_at <= self.at + sender.out.latency

    def ring(self, now: float) -> bool:
        """Do what is due by ``now`` (s); returns whether the connection is lost."""
        alarm, sender = self.alarm(), self.sender
        if self.at is None or alarm is None or alarm > now:
            return False
        if sender.since is not None or sender.out.queue:
            self.at = round(self.at + (self.tcp.keepalive_idle or 0.0), 9)
        elif self.is_over():
            return True
        elif self.is_answered():
            self.at, self.number = None, 0
            sender.host.answers(sender, again=True)
        else:
            self.number += 1
            sender.host.probed(sender, self.at, self.number)
            self.at = max(now, round(self.at + self.tcp.keepalive_interval, 9))
        return False
