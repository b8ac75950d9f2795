"""How often one quiet connection ends by a false alarm: theory.

    alarm_rate(Timers(20, 5, 2), [Tunnel(0, every=600, length=8)])     # a second

A ping whose pong takes longer than ping_timeout is one, whether its round trip is late by jitter
(Delay) or falls into a silence (Tunnel) and is tried again too late.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..values.faults import Act, Delay, Tunnel
from ..values.tcp import Tcp
from ..wires.effects import TAIL


@dataclass(frozen=True)
class Timers:
    """What serve() is given (s)."""

    ping_interval: float
    ping_timeout: float
    close_timeout: float

    @property
    def worst(self) -> float:
        """When a program is told, at worst (s after the cut)."""
        return self.ping_interval + self.ping_timeout + self.close_timeout

    def __str__(self) -> str:
        return (
            "serve(\n"
            "    handler, host, port,\n"
            f"    ping_interval={self.ping_interval:g},\n"
            f"    ping_timeout={self.ping_timeout:g},\n"
            f"    close_timeout={self.close_timeout:g},\n"
            ")"
        )


def alarm_rate(timers: Timers, wire: Sequence[Act]) -> float:
    """False alarms per second of one connection: by late round trips, and by silences."""
    late = late_share(timers.ping_timeout, wire) / timers.ping_interval
    return late + sum(_silences(timers, act, wire) for act in wire if isinstance(act, Tunnel))


def _silences(timers: Timers, act: Tunnel, wire: Sequence[Act]) -> float:
    """Alarms per second by the silences of a tunnel, of which the mean length is known.

    The first ping into one comes within ping_interval of its start.
    """
    interval, length = timers.ping_interval, act.length
    met = (length / interval) * -math.expm1(-interval / length)
    return met * _unanswered(timers.ping_timeout, length, wire) / (act.every + length)


def _unanswered(timeout: float, length: float, wire: Sequence[Act]) -> float:
    """The share of pings sent into a silence that are not answered within ``timeout`` (s).

    TCP tries again until the silence is over, of mean ``length`` (s); then the ping and its pong
    still have their way to go.
    """
    retries, number, late, silent = Tcp().retries_at(0.0), 0, 0.0, 1.0
    while (tried := retries.after(number)) < timeout:
        still = math.exp(-tried / length)
        late += (silent - still) * late_share(timeout - tried, wire)
        silent, number = still, number + 1
    return late + silent


def losses(timeout: float, trip: float) -> int:
    """How many packets of a ping may be lost in a row, over a round trip of ``trip`` (s).

    TCP sends it again; the pong of the try that gets through has to come within ``timeout`` (s).
    """
    retries, count = Tcp().retries_at(trip), 0
    while trip + retries.after(count) < timeout:
        count += 1
    return count


def late_share(timeout: float, wire: Sequence[Act]) -> float:
    """The share of round trips that take longer than ``timeout`` s; silences aside.

    Each Delay is met twice, by the ping and by the pong. Where several acts jitter, the worst is
    taken, and the others count with their latency.
    """
    delays = [act for act in wire if isinstance(act, Delay)]
    spare = timeout - sum(2 * act.latency for act in delays)
    if spare < 0:
        return 1.0
    shares = [LATE[act.shape](spare, act.jitter) for act in delays if act.jitter]
    return min(1.0, max(shares, default=0.0))


def _two_uniform(spare: float, jitter: float) -> float:
    """Two that are uniform within ± jitter: their sum is spread as a triangle."""
    left = max(0.0, 2 * jitter - spare)
    return left * left / (8 * jitter * jitter)


def _two_normal(spare: float, jitter: float) -> float:
    return 0.5 * math.erfc(spare / (2 * jitter))


def _two_heavy(spare: float, jitter: float) -> float:
    """A single jump makes the sum late: either of two jumps, the other being at its median."""
    usual = jitter * (2 ** (1 / TAIL) - 1)
    return 2 * (1 + max(0.0, spare - usual) / jitter) ** -TAIL


LATE: dict[str, Callable[[float, float], float]] = {
    "uniform": _two_uniform,
    "normal": _two_normal,
    "heavy tail": _two_heavy,
}


def round_trip(wire: Sequence[Act], share: float) -> float:
    """The round trip (s) that this share of them exceeds, silences aside."""
    high = 1.0
    while late_share(high, wire) > share and high < 1e6:
        high *= 2
    return last(lambda trip: late_share(trip, wire) > share, high)


def last(holds: Callable[[float], bool], high: float) -> float:
    """The last value from 0 to ``high`` for which something holds that ends to hold once."""
    low = 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def tidy(value: float) -> float:
    """A number of seconds without what floats add to it."""
    return round(value, 6)
