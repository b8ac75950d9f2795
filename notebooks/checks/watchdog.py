"""A watchdog of the learner's, beside a server that sends: notebook 06's last exercise.

It is run against cuts, where it has to free the connection in time, and on healthy lines, which
have to survive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from websockets.exceptions import ConnectionClosed

from labkit import Cut, Delay, Experiment, Peer, Throttle, plots, run

from . import Trial
from .answers import is_empty
from .own_code import no_sleep

BIG = 20_000  # bytes of a message: two of them are more than the write buffer may hold
TIMERS: dict[str, Any] = {"ping_interval": 4, "ping_timeout": 3, "close_timeout": 2}
CALM = {**TIMERS, "ping_interval": None}  # nobody but the watchdog asks
BOUND = 15.0  # s from a cut to CLOSED, at most
SLOWEST = 8.0  # s that ping and pong may take on a healthy line
OFTEN = 20  # questions a minute, at most
FASTER = 10.0  # the real clock runs the same program with every time divided by this
Watchdog = Callable[[Any, float, float], Awaitable[Any]]


@dataclass(frozen=True)
class Case:
    """A run beside which a watchdog sits: what is sent (bytes; 0: nothing), and how often (s)."""

    experiment: Experiment
    sizes: tuple[int, int] = (BIG, BIG)
    pauses: tuple[float, float] = (0.5, 0.5)
    wire: str = "virtual"
    pace: float = 1.0  # every time is divided by it


def dead(cut: float, pace: float = 1.0, timers: dict[str, Any] = TIMERS) -> Experiment:
    """A server whose client is cut off (s)."""
    quick = {name: t and t / pace for name, t in timers.items()}
    end = (cut + 2 * BOUND) / pace
    cuts = [Cut(at=round(cut / pace, 6))]
    return Experiment(Peer(**quick, buffer=4096), Peer(buffer=4096), faults=cuts, until=end)


CALL = Experiment(Peer(**CALM, buffer=4096), Peer(buffer=4096), until=60)
QUIET = Case(CALL, (0, 0))
LONG = Case(CALL.but(faults=[Delay(at=0.1, latency=(SLOWEST - 0.1) / 2)]), (0, 0))


def slow(rate: float) -> Case:
    """A line of ``rate`` bytes/s on which a ping comes behind 60,288 bytes at most: 7.9 s."""
    line = CALL.but(faults=[Throttle(at=0.2, rate=round(rate))], until=150)
    return Case(line, (40_000, 48_000), (0.5, 2.0))


class Kennel:
    """A run of a program that sends, with a watchdog beside it, whose mistakes are raised."""

    def __init__(self, case: Case, watchdog: Watchdog, *times: float) -> None:
        self.case, self.dog = case, watchdog
        self.times = [t / case.pace for t in times]
        self.dice = random.Random(0)
        self.problem: Exception | None = None
        self.over = False  # whether the watchdog has ended
        with no_sleep():
            self.trace = run(case.experiment, case.wire, server=self.handler, progress=False)
        if self.problem:
            raise self.problem

    async def handler(self, websocket: Any) -> None:
        """The server's program."""
        dog = asyncio.create_task(self.watchdog(websocket))
        with contextlib.suppress(ConnectionClosed):
            while any(self.case.sizes):
                await websocket.send(bytes(self.dice.randint(*self.case.sizes)))
                await asyncio.sleep(self.dice.uniform(*self.case.pauses) / self.case.pace)
            await websocket.wait_closed()
        dog.cancel()
        await asyncio.wait([dog])

    async def watchdog(self, websocket: Any) -> None:
        """The learner's."""
        try:
            await self.dog(websocket, *self.times)
        except (ConnectionClosed, TimeoutError):
            pass  # as any task may end
        except Exception as problem:
            self.problem = problem
        self.over = True

    def pings(self) -> list[float]:
        """When the server asked (s)."""
        return [frame.sent_at for frame in self.trace.frames("server") if frame.opcode == "PING"]

    def freed(self) -> float | None:
        """How long after the cut it was CLOSED (s, before it was made faster)."""
        closed = self.trace.closed_at("server")
        cut = self.trace.experiment.cuts[0].start
        return None if closed is None else (closed - cut) * self.case.pace


def at_the_worst(*answers: Any) -> Kennel:
    """Its client is cut off just after a pong, as a run without the cut shows it."""
    pongs = [t for t in Kennel(QUIET, *answers).pings() if t >= 9]
    cut = dead(min(pongs, default=9) + 0.001, timers=CALM)
    return Kennel(Case(cut, (0, 0)), *answers)


def not_freed(kennel: Kennel, *_: Any) -> str:
    """What is wrong if the client is gone."""
    after, trace = kennel.freed(), kennel.trace
    if after is None:
        return f"{trace.state_at('server', trace.end)} to the end. {held(kennel)}"
    if after < 0:
        return killed(kennel)
    if after > BOUND * (1 if trace.is_virtual else 1.02):  # a real clock is a little late
        why = f"and {BOUND:g} s were allowed: interval and patience add up"
        return f"CLOSED {after:.1f} s after the cut, {why}"
    return ""


def held(kennel: Kennel) -> str:
    """What the watchdog was doing."""
    seen = [e.data for e in kennel.trace.select("awaiting", "server")]
    chains = [one["chain"] for one in seen if one["task"].startswith("watchdog") and one["chain"]]
    if kennel.over:
        return "Your watchdog had ended, and the connection had not: what did it do last?"
    if chains and chains[-1][-1] == "drain":
        return f"Your watchdog itself is blocked: {'() → '.join(chains[-1][1:])}()"
    return "Your watchdog went on asking. Does it wait for the pong, too?"


def killed(kennel: Kennel, *_: Any) -> str:
    """What is wrong if the client is alive."""
    closed = kennel.trace.closed_at("server")
    if closed is None:
        return ""
    return f"it was healthy, and killed at {closed:g} s. Here a pong may take {SLOWEST:g} s"


def too_often(kennel: Kennel, *answers: Any) -> str:
    """What is wrong if a healthy client is asked again and again."""
    asked = len(kennel.pings())
    if asked <= OFTEN:
        return killed(kennel, *answers)
    why = "However often you ask, noticing takes patience; and each question wakes a phone"
    return f"{asked} questions in a minute, and {OFTEN} were allowed. {why}"


def trials(seed: int = 0) -> list[Trial]:
    """The hidden runs: three cuts, three healthy lines, and a cut on real TCP."""
    dice = random.Random(f"watchdog {seed}")
    early, late = dice.uniform(8.2, 11), dice.uniform(11.4, 11.9)
    real = Case(dead(9, FASTER), wire="loopback", pace=FASTER)
    return [
        gone("cut, drain() blocked before the ping", partial(Kennel, Case(dead(early)))),
        gone("cut, drain() blocked after the ping", partial(Kennel, Case(dead(late)))),
        gone("cut just after a pong", at_the_worst),
        alive("healthy and quiet", QUIET, too_often),
        alive("healthy and slow", slow(dice.uniform(7650, 7850)), killed),
        alive("healthy and far away", LONG, killed),
        gone("cut, on real TCP", partial(Kennel, real)),
    ]


def gone(name: str, runs: Callable[..., Kennel]) -> Trial:
    """A run in which the client is cut off."""
    return Trial(
        name, runs, not_freed, lambda one: f"CLOSED {one.freed():.1f} s after the cut", drawn
    )


def alive(name: str, case: Case, wants: Callable[..., str]) -> Trial:
    """A run in which the client is well."""
    return Trial(name, partial(Kennel, case), wants, "alive")


def drawn(kennel: Kennel) -> Any:
    """Its figure."""
    return plots.blocked(kennel.trace)


def at_work(watchdog: Watchdog, interval: Any, patience: Any) -> Any:
    """A watchdog on the first experiment of the notebook, as a figure; None if there is none."""
    if any(map(is_empty, (watchdog, interval, patience))):
        return None
    return drawn(Kennel(Case(dead(9)), watchdog, interval, patience))
