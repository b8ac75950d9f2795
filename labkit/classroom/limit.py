"""How often somebody may ask: so many at once, and so many a second."""

from __future__ import annotations

import time
from collections.abc import Callable

KEYS = 10_000  # as many are remembered


class Limit:
    """At most ``burst`` at once and ``rate`` a second, for each key."""

    def __init__(
        self, burst: float, rate: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.burst, self.rate, self.clock = burst, rate, clock
        self.left: dict[str, tuple[float, float]] = {}  # what is left of it, and when that was so

    def allows(self, key: str) -> bool:
        """Whether there is one left for this key, which then is used."""
        if len(self.left) > KEYS:
            self.left.clear()
        now = self.clock()
        left, then = self.left.get(key, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        self.left[key] = max(0.0, left - 1), now
        return left >= 1
