"""Timers that fit a budget: proposed by theory, checked by runs, printed as lines to paste.

    plan(detect_within=30, false_alarms_per_day=1, connections=1000,
         wire=[Delay(0, latency=0.05, jitter=0.02, shape="normal")])

The theory of one quiet connection whose server pings, on a wire that is late now and then:

    told at worst   ping_interval + ping_timeout + close_timeout after the cut
    false alarms    one a ping whose round trip takes longer than ping_timeout

So a small ping_timeout allows a large ping_interval, which is little traffic; how small it may
be depends on the false alarms that one accepts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from ..values.faults import Act, Delay, Tunnel
from ..values.framing import frame_size
from .timers import Timers, alarm_rate, losses, round_trip, tidy
from .trials import Check, check_by_runs

DAY = 86_400.0  # s
PING = 4  # bytes of a ping's payload
PACKETS, HEADERS = 3, 52  # a ping, its pong, and TCP's word for that; bytes of IPv4 and TCP in each
RECORD = 22  # bytes that TLS 1.3 adds to a frame (RFC 8446 §5.2)
LATE_BY = 1.2  # times its patience: when the watchdog of labkit/patterns has acted at the latest
RARE = 1e-3  # the share of goodbyes for which close_timeout may be too short
STEPS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)  # s; timers are multiples of one of these


@dataclass(frozen=True)
class Plan:
    """Timers for a budget: what theory promises of them, and what runs have shown."""

    detect_within: float  # s
    false_alarms_per_day: float  # of all connections together
    connections: int
    wire: tuple[Act, ...]
    timers: Timers
    alarms_per_day: float  # promised, of all connections
    bytes_per_second: float  # of all connections, as on the wire: with TCP/IP, and TLS if asked for
    check: Check | None = None  # None: not run

    @property
    def losses(self) -> int:
        """How many packets in a row may be lost before a pong that TCP still brings is too late."""
        return losses(self.timers.ping_timeout, round_trip(self.wire, RARE))

    @property
    def met(self) -> bool:
        """Whether the runs bear the promise out; False without a check."""
        check = self.check
        return check is not None and check.agrees and check.told <= self.detect_within + 1e-6

    def __str__(self) -> str:
        runs = f"{self.check.told:.2f} s in {self.check.cuts:,} cuts" if self.check else "not run"
        asked, promised = f"{self.false_alarms_per_day:g}", f"{self.alarms_per_day:.2g}"
        within, worst = f"{self.detect_within:g} s", f"{self.timers.worst:g} s"
        traffic = f"{self.bytes_per_second:,.0f} bytes/s"
        rows = [
            ("", "asked", "theory", "runs"),
            ("told after a cut, at worst", within, worst, runs),
            ("false alarms a day", asked, promised, ""),
            (f"traffic of {self.connections:,}", "", traffic, ""),
            ("survives lost packets", "", f"{self.losses} in a row", ""),
        ]
        table = [f"{row[0]:<28}{row[1]:>10}{row[2]:>16}{row[3]:>26}".rstrip() for row in rows]
        return "\n".join([*table, *self._alarms(), "", *self._watched(), "", str(self.timers)])

    __repr__ = __str__

    def _watched(self) -> list[str]:
        """The same budget for labkit/patterns, whose watchdog is told in ping_interval + 1.2 P.

        P is their close_timeout. It stands for ping_timeout, too: a pong later than that is a
        false alarm at most.
        """
        timers = self.timers
        rest = timers.ping_timeout + timers.close_timeout
        patience = max(timers.ping_timeout, math.floor(rest / LATE_BY * 1000) / 1000)
        interval = timers.worst - LATE_BY * patience
        if interval <= 0:
            return ["labkit/patterns/client.py and server.py: no timers do that"]
        given = f"ping_interval={interval:.6g}, close_timeout={patience:.6g}"
        return [
            f"keep_connected(uri, talk, {given})  # labkit/patterns/client.py",
            f"Server(handler).run(stop, host, port, {given})  # labkit/patterns/server.py",
        ]

    def _alarms(self) -> list[str]:
        """What the runs say of false alarms."""
        if (check := self.check) is None:
            return []
        lines = [
            f"  in {check.hours:,.0f} hours of one connection: {check.alarms} false alarms, "
            f"theory expects {check.expected:.2g}"
        ]
        if check.short_expected:
            verdict = "as theory says" if check.agrees else "not what theory says: trust the runs"
            lines.append(
                f"  with a ping_timeout of {check.short:.3g} s, too short on purpose: "
                f"{check.short_alarms}, theory expects {check.short_expected:.0f} ({verdict})"
            )
        return lines


def plan(
    *,
    detect_within: float,
    false_alarms_per_day: float = 1.0,
    connections: int = 1,
    wire: Sequence[Act] = (),
    pause: float = 1.0,
    tls: bool = False,
    verify: bool = True,
    executor: Executor | None = None,
) -> Plan:
    """The timers with the least traffic that meet a budget.

    A program is told within ``detect_within`` s of a cut, and all ``connections`` together raise
    at most ``false_alarms_per_day``, on a ``wire`` with these Delay and Tunnel acts. No timer is
    shorter than ``pause``: the seconds for which either program may be busy (its event loop
    blocked) and still be alive, of which theory knows nothing. ``tls`` counts in the traffic. The
    timers come from theory; ``verify`` runs them (a few seconds). Raises ValueError if no timers
    can do it.
    """
    _refuse(detect_within, false_alarms_per_day, connections, wire)
    timers = propose(detect_within, false_alarms_per_day / (connections * DAY), wire, pause)
    frames = frame_size(PING, "server") + frame_size(PING, "client")
    exchange = frames + PACKETS * HEADERS + (2 * RECORD if tls else 0)
    return Plan(
        detect_within,
        false_alarms_per_day,
        connections,
        tuple(wire),
        timers,
        alarms_per_day=alarm_rate(timers, wire) * connections * DAY,
        bytes_per_second=connections * exchange / timers.ping_interval,
        check=check_by_runs(timers, wire, executor) if verify else None,
    )


def _refuse(within: float, alarms: float, connections: int, wire: Sequence[Act]) -> None:
    if not 0.1 <= within <= 1e6:
        raise ValueError(f"detect_within is {within!r}: expected seconds from 0.1")
    if not alarms > 0:
        raise ValueError(
            f"false_alarms_per_day is {alarms!r}: expected more than 0, "
            "since a wire that is late now and then promises no zero"
        )
    if isinstance(connections, bool) or not isinstance(connections, int) or connections < 1:
        raise ValueError(f"connections is {connections!r}: expected a whole number from 1")
    for act in wire:
        if not isinstance(act, (Delay, Tunnel)) or act.direction != "both" or act.over is not None:
            raise ValueError(
                f"theory has no false alarms for {act!r}: "
                "expected Delay and Tunnel, both ways and to the end"
            )


def propose(within: float, rate: float, wire: Sequence[Act], pause: float = 1.0) -> Timers:
    """The timers with the longest ping_interval that are told ``within`` s of a cut.

    They raise false alarms at most at ``rate`` (of one connection, per second). ValueError if
    there are none.
    """
    step = next((step for step in STEPS if within <= 100 * step), STEPS[-1])
    shortest = max(step, min(pause, within / 4))
    goodbye = shortest + round_trip(wire, RARE)
    close = tidy(math.ceil(max(shortest, min(within / 4, goodbye)) / step - 1e-9) * step)
    timeouts = [tidy(n * step) for n in range(1, int(within / step))]
    tried = [
        Timers(tidy(within - close - timeout), timeout, close)
        for timeout in timeouts
        if timeout >= shortest and within - close - timeout >= step
    ]
    for timers in tried:  # the shortest ping_timeout, so the longest ping_interval, first
        if alarm_rate(timers, wire) <= rate:
            return timers
    best = min(tried, key=lambda timers: alarm_rate(timers, wire))
    raise ValueError(
        f"no timers do that on this wire: within {within:g} s, the fewest false alarms are "
        f"{alarm_rate(best, wire) * DAY:.2g} a day for each connection "
        f"(ping_timeout={best.ping_timeout:g}); {rate * DAY:.2g} were asked for. "
        "Expected a longer detect_within, more false alarms, or a better wire"
    )
