"""Which timers? Proposed from theory, held against runs, and printed as lines to paste.

    plan(detect_within=30, false_alarms_per_day=1, connections=1000, wire=[Delay(0, latency=0.05, jitter=0.02, shape="normal")])

The theory of one quiet connection whose server pings, on a wire that is late now and then:

    told at worst   ping_interval + ping_timeout + close_timeout after the cut
    false alarms    one a ping whose round trip takes longer than ping_timeout

So a small ping_timeout buys a large ping_interval (little traffic), and is bounded below by the false alarms that one bears.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from ..values.experiment import Experiment, Peer
from ..values.faults import Act, Cut, Delay, Tunnel
from ..values.frames import frame_size
from ..wires.effects import TAIL
from .sweeps import sweep

DAY = 86_400.0  # s
PING, RARE = (
    4,
    1e-3,
)  # bytes of a ping's payload; how often close_timeout may be too short for a goodbye
PHASES, SEEDS, PINGS = (
    50,
    20,
    8_000,
)  # of the check: cuts, wires, and how many pings to wait for false alarms
ENOUGH = 20.0  # false alarms that theory has to promise, for their number to say something


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
        rows = (
            (name, getattr(self, name))
            for name in ("ping_interval", "ping_timeout", "close_timeout")
        )
        return "\n".join(
            [
                "serve(",
                "    handler, host, port,",
                *(f"    {name}={value:g}," for name, value in rows),
                ")",
            ]
        )


@dataclass(frozen=True)
class Check:
    """What runs in virtual time have shown of timers."""

    cuts: int
    told: float  # s after the cut, at worst
    hours: float  # of one connection, without a cut
    alarms: int  # false ones, in those hours
    expected: float  # by theory, in those hours
    short: float  # s: a ping_timeout that is too short on purpose, so that theory promises alarms enough to count
    short_alarms: int
    short_expected: float

    @property
    def agrees(self) -> bool:
        """Whether the counted alarms are within what chance allows (three standard deviations) of theory."""
        pairs = ((self.alarms, self.expected), (self.short_alarms, self.short_expected))
        return all(
            abs(seen - wanted) <= 3 * math.sqrt(max(wanted, 1.0)) + 0.2 * wanted
            for seen, wanted in pairs
        )


@dataclass(frozen=True)
class Plan:
    """Timers for a budget: what theory promises of them, and what runs have shown (None: not checked)."""

    detect_within: float  # s
    false_alarms_per_day: float  # of all connections together
    connections: int
    wire: tuple[Act, ...]
    timers: Timers
    alarms_per_day: float  # promised, of all connections
    bytes_per_second: float  # of all connections, WebSocket only: TCP's headers come on top
    check: Check | None = None

    @property
    def met(self) -> bool:
        """Whether the runs bear the promise out; False without a check."""
        return (
            self.check is not None
            and self.check.agrees
            and self.check.told <= self.detect_within + 1e-6
        )

    def __str__(self) -> str:
        rows = [
            ("", "asked", "theory", "runs"),
            (
                "told after a cut, at worst",
                f"{self.detect_within:g} s",
                f"{self.timers.worst:g} s",
                self._told(),
            ),
            (
                "false alarms a day",
                f"{self.false_alarms_per_day:g}",
                f"{self.alarms_per_day:.2g}",
                "",
            ),
            (f"traffic of {self.connections:,}", "", f"{self.bytes_per_second:,.0f} bytes/s", ""),
        ]
        table = [
            f"{what:<28}{asked:>10}{theory:>16}{runs:>26}".rstrip()
            for what, asked, theory, runs in rows
        ]
        return "\n".join([*table, *self._alarms(), "", str(self.timers)])

    __repr__ = __str__

    def _told(self) -> str:
        return f"{self.check.told:.2f} s in {self.check.cuts:,} cuts" if self.check else "not run"

    def _alarms(self) -> list[str]:
        """What the runs say of false alarms, and what they cannot say."""
        if (check := self.check) is None:
            return []
        lines = [
            f"  in {check.hours:,.0f} hours of one connection: {check.alarms} false alarms, theory expects {check.expected:.2g}"
        ]
        if check.short_expected:
            close = "as theory says" if check.agrees else "not what theory says: trust the runs"
            lines.append(
                f"  with a ping_timeout of {check.short:.3g} s, too short on purpose: {check.short_alarms}, theory expects "
                f"{check.short_expected:.0f} ({close})"
            )
        return lines


def plan(
    *,
    detect_within: float,
    false_alarms_per_day: float = 1.0,
    connections: int = 1,
    wire: Sequence[Act] = (),
    pause: float = 1.0,
    verify: bool = True,
    executor: Executor | None = None,
) -> Plan:
    """The timers with the least traffic for which a program is told within ``detect_within`` s of a cut, and which raise at most
    ``false_alarms_per_day`` on all ``connections`` together, on a ``wire`` with these Delay and Tunnel acts.

    No timer is shorter than ``pause``, the seconds for which either program may be busy (its event loop blocked) and still be
    alive: of that theory knows nothing. The timers come from theory; ``verify`` runs them (a few seconds). Raises ValueError, in
    words, if no timers can do it.
    """
    _refuse(detect_within, false_alarms_per_day, connections, wire)
    timers = propose(detect_within, false_alarms_per_day / (connections * DAY), wire, pause)
    promised = alarm_rate(timers, wire) * connections * DAY
    traffic = (
        connections
        * (frame_size(PING, "server") + frame_size(PING, "client"))
        / timers.ping_interval
    )
    check = check_by_runs(timers, wire, executor) if verify else None
    return Plan(
        detect_within,
        false_alarms_per_day,
        connections,
        tuple(wire),
        timers,
        promised,
        traffic,
        check,
    )


def propose(within: float, rate: float, wire: Sequence[Act], pause: float = 1.0) -> Timers:
    """The timers with the longest ping_interval that meet both: told ``within`` s, and false alarms at most at ``rate``.

    The rate is that of one connection, per second.
    """
    step = _step(within)
    floor = max(step, min(pause, within / 4))
    close = _up(max(floor, min(within / 4, floor + _quantile(wire, RARE))), step)
    tried = [
        Timers(_tidy(within - close - timeout), timeout, close)
        for timeout in (_tidy(n * step) for n in range(1, int(within / step)))
        if timeout >= floor and within - close - timeout >= step
    ]
    fitting = next((timers for timers in tried if alarm_rate(timers, wire) <= rate), None)
    if fitting is None:
        best = min(tried, key=lambda timers: alarm_rate(timers, wire))
        raise ValueError(
            f"no timers do that on this wire: within {within:g} s, the fewest false alarms are "
            f"{alarm_rate(best, wire) * DAY:.2g} a day for each connection (ping_timeout={best.ping_timeout:g}); "
            f"{rate * DAY:.2g} were asked for. Expected a longer detect_within, more false alarms, or a better wire"
        )
    return fitting


# theory


def alarm_rate(timers: Timers, wire: Sequence[Act]) -> float:
    """False alarms per second of one connection: pings per second × how often a round trip takes longer, and silences that last longer."""
    late = late_share(timers.ping_timeout, wire) / timers.ping_interval
    return late + sum(_silences(timers, act) for act in wire if isinstance(act, Tunnel))


def late_share(timeout: float, wire: Sequence[Act]) -> float:
    """The share of round trips that take longer than ``timeout`` s; silences aside.

    Each Delay is met twice, by the ping and by the pong. A heavy tail is late by a single jump: the larger of two late ones is
    all that counts. Where several acts jitter, the worst is taken, and the others count with their latency.
    """
    delays = [act for act in wire if isinstance(act, Delay)]
    spare = timeout - sum(2 * act.latency for act in delays)
    if spare < 0:
        return 1.0
    return min(
        1.0, max((LATE[act.shape](spare, act.jitter) for act in delays if act.jitter), default=0.0)
    )


def _two_uniform(spare: float, jitter: float) -> float:
    """Two that are uniform within ± jitter: their sum is spread as a triangle."""
    left = max(0.0, 2 * jitter - spare)
    return left * left / (8 * jitter * jitter)


def _two_normal(spare: float, jitter: float) -> float:
    return 0.5 * math.erfc(spare / (2 * jitter))


def _two_heavy(spare: float, jitter: float) -> float:
    """One of two is later than that, the other one as late as usual: half the time its median."""
    usual = jitter * (2 ** (1 / TAIL) - 1)
    return 2 * (1 + max(0.0, spare - usual) / jitter) ** -TAIL


LATE: dict[str, Callable[[float, float], float]] = {
    "uniform": _two_uniform,
    "normal": _two_normal,
    "heavy tail": _two_heavy,
}


def _silences(timers: Timers, act: Tunnel) -> float:
    """Alarms per second by silences: the first ping into one comes within ping_interval of its start, and then ping_timeout has to pass."""
    interval, length = timers.ping_interval, act.length
    met = (length / interval) * -math.expm1(-interval / length)
    return met * math.exp(-timers.ping_timeout / length) / (act.every + length)


def _quantile(wire: Sequence[Act], share: float) -> float:
    """The round trip (s) that this share of them exceeds, silences aside."""
    low, high = 0.0, 1.0
    while late_share(high, wire) > share and high < 1e6:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if late_share(middle, wire) > share else (low, middle)
    return high


# runs


def check_by_runs(timers: Timers, wire: Sequence[Act], executor: Executor | None = None) -> Check:
    """Cuts at every phase, hours without a cut, and hours with a ping_timeout that is too short on purpose."""
    told, cuts = worst_told(timers, wire, executor)
    hours, alarms = false_alarms(timers, wire, executor)
    short = _short(timers, wire)
    short_hours, short_alarms = false_alarms(short, wire, executor) if short else (0.0, 0)
    short_expected = alarm_rate(short, wire) * short_hours * 3600 if short else 0.0
    return Check(
        cuts=cuts,
        told=told,
        hours=hours,
        alarms=alarms,
        expected=alarm_rate(timers, wire) * hours * 3600,
        short=short.ping_timeout if short else 0.0,
        short_alarms=short_alarms,
        short_expected=short_expected,
    )


def experiment_of(timers: Timers, wire: Sequence[Act]) -> Experiment:
    """A quiet connection with these timers, on that wire."""
    peer = Peer(
        ping_interval=timers.ping_interval,
        ping_timeout=timers.ping_timeout,
        close_timeout=timers.close_timeout,
    )
    return Experiment(server=peer, faults=list(wire))


def worst_told(
    timers: Timers, wire: Sequence[Act], executor: Executor | None = None
) -> tuple[float, int]:
    """How long after a cut the program was told at worst (s), and of how many cuts; those that a false alarm came before do not count."""
    base, interval = experiment_of(timers, wire), timers.ping_interval
    phases = [round(2 * interval + interval * (n + 0.5) / PHASES, 6) for n in range(PHASES)]
    base = base.but(faults=[*base.faults, Cut(phases[0])])
    seen = sweep(
        base, over={"cut.at": phases}, repeats=2 if wire else 1, executor=executor, progress=False
    )
    delays = (seen["told"] - seen["cut.at"])[~seen["false_alarm"]]
    return float(delays.max()), len(delays)


def false_alarms(
    timers: Timers, wire: Sequence[Act], executor: Executor | None = None
) -> tuple[float, int]:
    """How many hours connections lived without a cut, and how many of them ended by a false alarm."""
    until = round(timers.ping_interval * (PINGS if _late(wire) else PINGS / 20) / SEEDS, 6)
    seeds: dict[str, Any] = {"seed": range(SEEDS)}
    if alarm_rate(timers, wire) * until > 1:  # they die young: take more of them
        seeds = {"seed": range(SEEDS * 10)}
        until = round(until / 10, 6)
    seen = sweep(
        experiment_of(timers, wire).but(until=until), over=seeds, executor=executor, progress=False
    )
    return float(seen["noticed"].fillna(until).sum()) / 3600, int(seen["false_alarm"].sum())


def _short(timers: Timers, wire: Sequence[Act]) -> Timers | None:
    """The same timers but for a ping_timeout with which theory promises alarms enough to count; None on a wire that is never late."""
    wanted = ENOUGH / (timers.ping_interval * PINGS)
    low, high = 0.0, timers.ping_timeout
    if alarm_rate(timers, wire) >= wanted or not _late(wire):
        return None
    for _ in range(40):
        middle = (low + high) / 2
        enough = (
            alarm_rate(Timers(timers.ping_interval, middle, timers.close_timeout), wire) >= wanted
        )
        low, high = (middle, high) if enough else (low, middle)
    return Timers(timers.ping_interval, round(low, 6), timers.close_timeout) if low > 1e-6 else None


def _late(wire: Sequence[Act]) -> bool:
    """Whether anything on this wire is late by chance."""
    return any(isinstance(act, Tunnel) or (isinstance(act, Delay) and act.jitter) for act in wire)


# numbers that a person would write


def _step(within: float) -> float:
    """Timers are multiples of this (s)."""
    return next(
        step
        for step in (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
        if within <= 100 * step or step == 10.0
    )


def _up(value: float, step: float) -> float:
    return _tidy(math.ceil(value / step - 1e-9) * step)


def _tidy(value: float) -> float:
    return round(value, 6)


def _refuse(within: float, alarms: float, connections: int, wire: Sequence[Act]) -> None:
    if not 0.1 <= within <= 1e6:
        raise ValueError(f"detect_within is {within!r}: expected seconds from 0.1")
    if not alarms > 0:
        raise ValueError(
            f"false_alarms_per_day is {alarms!r}: expected more than 0; a wire that is late now and then promises no zero"
        )
    if isinstance(connections, bool) or not isinstance(connections, int) or connections < 1:
        raise ValueError(f"connections is {connections!r}: expected a whole number from 1")
    for act in wire:
        if not isinstance(act, (Delay, Tunnel)) or act.direction != "both" or act.over is not None:
            raise ValueError(
                f"theory has no false alarms for {act!r}: expected Delay and Tunnel, both ways and to the end"
            )
