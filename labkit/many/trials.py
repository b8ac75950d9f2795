"""What runs in virtual time show of a plan's timers: cuts at every phase, and hours without one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from ..engine.progress import Bar
from ..values.experiment import Experiment, Peer
from ..values.faults import Act, Cut, Delay, Tunnel
from .sweeps import Row, arriving, plan_runs
from .timers import Timers, alarm_rate, last, tidy

CUTS = 50  # phases of a cut
SEEDS = 20  # connections without a cut
PINGS = 8_000  # of these connections together
ENOUGH = 20.0  # false alarms that theory must promise for their number to say something


@dataclass(frozen=True)
class Check:
    """What runs in virtual time have shown of timers."""

    cuts: int
    told: float  # s after the cut, at worst
    hours: float  # of one connection, without a cut
    alarms: int  # false ones, in those hours
    expected: float  # by theory, in those hours
    short: float  # s: a ping_timeout too short on purpose, so that there are alarms to count
    short_alarms: int
    short_expected: float

    @property
    def agrees(self) -> bool:
        """Whether the alarms are within three standard deviations and a fifth of theory."""
        return _near(self.alarms, self.expected) and _near(self.short_alarms, self.short_expected)


def _near(seen: int, expected: float) -> bool:
    return abs(seen - expected) <= 3 * math.sqrt(max(expected, 1.0)) + 0.2 * expected


def check_by_runs(timers: Timers, wire: Sequence[Act], executor: Executor | None = None) -> Check:
    """Cuts at every phase, hours without a cut, and hours with a ping_timeout that is too short."""
    told, cuts = worst_told(timers, wire, executor)
    hours, alarms = false_alarms(timers, wire, executor)
    expected = alarm_rate(timers, wire) * hours * 3600
    short = _short(timers, wire)
    if short is None:
        return Check(cuts, told, hours, alarms, expected, 0.0, 0, 0.0)
    short_hours, short_alarms = false_alarms(short, wire, executor)
    short_expected = alarm_rate(short, wire) * short_hours * 3600
    return Check(
        cuts, told, hours, alarms, expected, short.ping_timeout, short_alarms, short_expected
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
    """How long after a cut the program was told at worst (s), and of how many cuts.

    Cuts that a false alarm came before do not count.
    """
    interval = timers.ping_interval
    phases = [tidy(interval * (2 + (n + 0.5) / CUTS)) for n in range(CUTS)]
    cut = experiment_of(timers, [*wire, Cut(phases[0])])
    repeats = 2 if wire else 1
    seen = rows(cut, {"cut.at": phases}, executor, repeats)
    delays = [row["told"] - row["cut.at"] for row in seen if not row["false_alarm"]]
    return max(delays), len(delays)


def false_alarms(
    timers: Timers, wire: Sequence[Act], executor: Executor | None = None
) -> tuple[float, int]:
    """How many hours connections lived without a cut, and how many ended by a false alarm."""
    seeds, pings = SEEDS, PINGS if _late(wire) else PINGS / 20
    until = timers.ping_interval * pings / SEEDS
    if alarm_rate(timers, wire) * until > 1:  # they die young: take more of them
        seeds, until = seeds * 10, until / 10
    alive = experiment_of(timers, wire).but(until=tidy(until))
    seen = rows(alive, {"seed": range(seeds)}, executor)
    ends = [tidy(until) if row["noticed"] is None else row["noticed"] for row in seen]
    return sum(ends) / 3600, sum(row["false_alarm"] for row in seen)


def rows(
    experiment: Experiment,
    over: Mapping[str, Sequence[Any]],
    executor: Executor | None,
    repeats: int = 1,
) -> list[Row]:
    """The rows of a sweep, all of them, with or without pandas."""
    todo = plan_runs(experiment, over, repeats)
    found: dict[int, Row] = {}
    with Bar(len(todo)) as bar:
        for number, row in arriving(experiment, todo, executor=executor):
            found[number] = row
            bar.advance()
    return [found[number] for number in sorted(found)]


def _short(timers: Timers, wire: Sequence[Act]) -> Timers | None:
    """The same timers with the longest ping_timeout for which theory promises ENOUGH alarms.

    None where the timers themselves have as many, and on a wire that is never late.
    """
    wanted = ENOUGH / (timers.ping_interval * PINGS)

    def with_timeout(timeout: float) -> Timers:
        return Timers(timers.ping_interval, timeout, timers.close_timeout)

    if alarm_rate(timers, wire) >= wanted or not _late(wire):
        return None
    enough = last(
        lambda timeout: alarm_rate(with_timeout(timeout), wire) >= wanted, timers.ping_timeout
    )
    return with_timeout(tidy(enough)) if enough > 1e-6 else None


def _late(wire: Sequence[Act]) -> bool:
    """Whether anything on this wire is late by chance."""
    return any(isinstance(act, Tunnel) or (isinstance(act, Delay) and act.jitter) for act in wire)
