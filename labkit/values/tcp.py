"""One system's TCP as a value: when it tries again, when it gives up, and who asked it to.

    Tcp()                   Linux as it comes
    Tcp(user_timeout=10)    TCP_USER_TIMEOUT, 10 s
    Tcp(keepalive_idle=1, keepalive_interval=1, keepalive_count=3)      SO_KEEPALIVE

A segment that nobody acknowledges is sent again after one RTO (a tail loss probe), again one RTO
later, and then after gaps that double, up to rto_max. Measured on Linux 6.18:

    round trip < 1 ms   0.207  0.42   0.85  1.68  3.35  6.7  13.5  26.8 s
    round trip 0.1 s    0.331  0.651  1.29  2.54  5.20 s
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from . import fields

LATE = 1.05  # a kernel's timers are rounded up, by an eighth at most
COARSE, LATER = 0.256, 0.008  # s; at 250 Hz so long timers are rounded up further, and by how much
PROMPT = 0.008  # s; how much later than two round trips a probe of several segments comes
VARIANCE = 4 / 3  # 4 · RTTVAR, in round trips: what is left of it after the first few
BASE = 0.2  # s; Linux's TCP_RTO_MIN, from which it derives how long so many retries take


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

    def retries_at(self, round_trip: float) -> Retries:
        """When it tries again, over a wire of this round trip (s)."""
        return _retries(self, round_trip)

    def __repr__(self) -> str:
        return fields.spell(self)


@dataclass(frozen=True)
class Retries:
    """When the oldest byte that is not acknowledged is sent again: s after it was sent."""

    tcp: Tcp
    first: float  # s; the retransmission timeout (RFC 6298)
    doubling: int  # tries until the gaps are rto_max

    @cached_property
    def waits(self) -> float:
        """From when on nothing new is sent before something is acknowledged: the second try."""
        return self.after(1)

    @cached_property
    def gives_up(self) -> float:
        """When it gives up (ETIMEDOUT), unless it is an orphan."""
        return self._give_up(_patience(self.tcp, self.tcp.retries))

    @cached_property
    def _orphan_gives_up(self) -> float:
        return self._give_up(_patience(self.tcp, self.tcp.orphan_retries))

    def after(self, number: int) -> float:
        """When the try of this number is made, counted from 0."""
        late = max(0, number - self.doubling)
        return self.first * 2 ** (number - late) + late * self.tcp.rto_max

    def followed(
        self, head: float, since: float, when: float, trip: float
    ) -> tuple[float, float | None]:
        """From when on tries count (s), if one more segment is sent at ``when`` (s).

        It is sent behind one of ``head`` (s), whose tries count from ``since``, over a round
        ``trip`` (s). The first try is a tail loss probe: it waits one RTO if there is a lone
        segment, and two round trips if there are several. The second, of the oldest byte, comes
        one RTO later. Gives also when the probe was made, if that was before the new segment.

            sent at  0         tried at  .21   .42   .84   1.68
            sent at  0, .1     tried at  .11   .32   .74   1.58
        """
        probe, latest, soon = since + self.first, head + self.first, when + 2 * trip + PROMPT
        if when < probe:
            return round(min(latest, soon) - self.first, 9), None
        if since < head:
            oldest = latest if when < latest else soon
            return round(oldest - 2 * self.first, 9), round(probe, 9)
        return since, None

    def orphan_gives_up(self, closed: float) -> float:
        """When it gives up a connection that its program closed at ``closed``."""
        if closed <= self._orphan_gives_up:
            return self._orphan_gives_up
        return self._give_up(closed - self.waits)

    def _give_up(self, patience: float) -> float:
        """The first try that comes so long after the second one, or TCP_USER_TIMEOUT."""
        if self.tcp.user_timeout is not None:
            return self.waits + self.tcp.user_timeout
        number = 1
        while self.after(number) < self.waits + patience:
            number += 1
        return self.after(number)


@lru_cache
def _retries(tcp: Tcp, round_trip: float) -> Retries:
    timeout = round_trip + max(tcp.rto_min, VARIANCE * round_trip)
    later = LATER if timeout > COARSE else 0.0
    first = min(round(LATE * timeout + later, 6), tcp.rto_max)
    doubling = 1
    while first * 2**doubling <= tcp.rto_max:
        doubling += 1
    return Retries(tcp, first, doubling)


def _patience(tcp: Tcp, retries: int) -> float:
    """How long so many retries take by Linux's tcp_model_timeout, whatever the round trip (s)."""
    doubling = 0
    while BASE * 2 ** (doubling + 1) <= tcp.rto_max:
        doubling += 1
    capped = max(0, retries - doubling)
    return BASE * (2 ** (retries - capped + 1) - 1) + capped * tcp.rto_max
