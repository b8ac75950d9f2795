"""Many connections that open within a second: what only many together can show."""

from __future__ import annotations

from collections import deque

from .connection import Fact
from .verdict import Verdict

MANY = 20  # connections
WITHIN = 1.0  # s
BEFORE = 60.0  # s, in which the lost ones are counted
KEPT = 5000  # connections, newest


class Storms:
    """Counts the connections that open within a second, and those that were lost before."""

    def __init__(self) -> None:
        self.opened: deque[tuple[float, int]] = deque(maxlen=KEPT)  # s, line
        self.lost: deque[float] = deque(maxlen=KEPT)  # s
        self.worst: tuple[bool, int, float, int, int] | None = None
        # after many were lost?, opened, since (s), in line, lost before

    def opened_at(self, t: float, line: int) -> None:
        """One more is OPEN at ``t`` (s), in that line."""
        self.opened.append((t, line))
        while self.opened[0][0] < t - WITHIN:
            self.opened.popleft()
        count, (since, first) = len(self.opened), self.opened[0]
        if count < MANY:
            return
        _forget(self.lost, t)
        lost = len(self.lost)
        storm = (2 * lost >= count, count, since, first, lost)
        if self.worst is None or storm[:2] > self.worst[:2]:
            self.worst = storm

    def lost_at(self, t: float) -> None:
        """One is CLOSED at ``t`` (s)."""
        self.lost.append(t)
        _forget(self.lost, t)

    def verdicts(self) -> list[Verdict]:
        """The worst storm, if there was one."""
        if self.worst is None:
            return []
        after_losses, count, since, line, lost = self.worst
        why = f"{count} connections opened within {WITHIN:g} s"
        if lost:
            why += f", after {lost} were lost in the minute before"
        evidence = (Fact(line, since, "= connection is OPEN"),)
        return [Verdict("storm", "likely" if after_losses else "possible", why, evidence)]


def _forget(lost: deque[float], t: float) -> None:
    """Those that were lost long before ``t`` (s)."""
    while lost and lost[0] < t - BEFORE:
        lost.popleft()
