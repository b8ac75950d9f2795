"""Notebook 09: a sensor whose readings have to survive cuts and restarts, and two exercises, judged by experiment.

1. Which messages are to be kept, and which are new? Three seeded runs with cuts and a killed server, and one on the real wire.
2. How far are 200 clients to spread, so that a restarted server can take them, and all are back soon?
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from ..many.crowds import crowd
from ..many.restarts import Crowd, Restart
from ..patterns import Outbox, first_to_end, read_acknowledgements, send_kept
from ..values.faults import Act, Cut
from .answers import is_number

QUICK: dict[str, Any] = {
    "ping_interval": 1,
    "ping_timeout": 1,
    "close_timeout": 1,
}  # s; both ends notice a cut within 2 s
QUICKER: dict[str, Any] = {
    "ping_interval": 0.3,
    "ping_timeout": 0.3,
    "close_timeout": 0.2,
}  # s; the same, for the real wire
LATENCY = 0.05  # s
SEEDS = (1, 2, 3)


class Sensor:
    """Gives readings, numbered texts, one every so many seconds; those that nobody has asked for yet wait in it."""

    def __init__(self, count: int = 200, every: float = 0.1) -> None:
        self.count, self.every = count, every  # readings, s
        self.given = 0
        self.start: float | None = None  # s, on the event loop's clock

    def __aiter__(self) -> Sensor:
        return self

    async def __anext__(self) -> str:
        loop = asyncio.get_running_loop()
        self.start = loop.time() if self.start is None else self.start
        if self.given == self.count:
            await loop.create_future()  # no more, for ever
        await asyncio.sleep(max(0.0, self.start + self.given * self.every - loop.time()))
        self.given += 1
        return f"reading {self.given}"


def trouble(seed: int = 1) -> list[Act]:
    """Three cuts of up to 3 s each that heal, and between them a server that is killed and comes back a second later."""
    dice, t = random.Random(f"surviving {seed}"), 0.0
    acts: list[Act] = []
    for kind in ("cut", "cut", "kill", "cut"):
        start = round(t + dice.uniform(2, 3.5), 2)
        t = round(start + (1 if kind == "kill" else dice.uniform(1.5, 3)), 2)
        acts.append(
            Restart(at=start, back=t, how="killed") if kind == "kill" else Cut(at=start, heal=t)
        )
    return acts


def through_trouble(client: Any, server: Any, seed: int = 1) -> Crowd:
    """Run one client through the cuts and the restart of ``trouble(seed)``, in virtual time."""
    return crowd(client, server, acts=trouble(seed), until=60, latency=LATENCY, seed=seed, **QUICK)


def count(sensor: Sensor, arrived: Sequence[str]) -> tuple[int, int]:
    """How many readings are lost, and how many came once too often."""
    times = Counter(arrived)
    return sensor.given - len(times), len(arrived) - len(times)


def tally(sensor: Sensor, arrived: Sequence[str]) -> None:
    """Say what became of the readings."""
    lost, doubled = count(sensor, arrived)
    numbers = [int(text.split()[-1]) for text in arrived]
    order = "in order" if numbers == sorted(numbers) else "not in order"
    print(
        f"{sensor.given} readings were given, {len(arrived)} messages arrived: {lost} lost, {doubled} doubled, {order}"
    )


# exercise 1


def check_numbers(to_keep: Any = ..., is_new: Any = ..., real: bool = True) -> None:
    """Exercise 1: nothing lost and nothing doubled, with these two decisions, in runs with seeded cuts.

    ``to_keep(numbers, acknowledged)`` gives the numbers that are kept for the next connection, ``is_new(number, last)`` says whether a
    message is taken. ``real`` (default) adds a run of a few seconds on the loopback wire.
    """
    if problem := _unusable(to_keep, is_new):
        print(problem)
        return
    results = []
    for seed in SEEDS:
        sensor, arrived = Sensor(), []  # type: ignore[var-annotated]
        seen = through_trouble(_yours(sensor, to_keep, QUICK), _judge(arrived, is_new), seed)
        results.append(
            _verdict(
                f"seed {seed}, {len(seen.attempts)} attempts to connect", *count(sensor, arrived)
            )
        )
    if real and all(results):
        sensor, arrived = Sensor(60, 0.05), []
        cuts = [Cut(at=0.8, heal=1.9), Cut(at=2.5, heal=3.4)]
        crowd(
            _yours(sensor, to_keep, QUICKER),
            _judge(arrived, is_new),
            acts=cuts,
            until=12,
            latency=0.01,
            wire="loopback",
            **QUICKER,
        )
        results.append(_verdict("the real wire, two cuts", *count(sensor, arrived)))
    if not all(results):
        print(f"   {_belief(to_keep, is_new)}")


def _unusable(to_keep: Any, is_new: Any) -> str | None:
    """Why these cannot be run, in words; None if they can."""
    if to_keep in (..., None) or is_new in (..., None):
        return "your turn – write the two functions, and give both: check_numbers(to_keep, is_new)"
    if not callable(to_keep) or not callable(is_new):
        return f"expected two functions, to_keep and is_new; seen {to_keep!r} and {is_new!r}"
    try:
        kept, new = to_keep([1, 2, 3], 1), is_new(2, 1)
    except Exception as problem:
        return f"one of the functions raised {type(problem).__name__}: {problem}"
    if kept is ... or new is ...:
        return "your turn – replace each ... behind a return"
    if not isinstance(kept, (list, tuple, set, range)) or not set(kept) <= {1, 2, 3}:
        return (
            f"expected to_keep([1, 2, 3], 1) to give a list of some of these numbers; seen {kept!r}"
        )
    return (
        None
        if isinstance(new, bool)
        else f"expected is_new(2, 1) to be True or False; seen {new!r}"
    )


class Yours(Outbox):
    """An outbox that forgets nothing by itself: at each new connection it is told what to keep."""

    answered = 0  # the last number that was acknowledged

    def acknowledged(self, number: int) -> None:
        self.answered = max(self.answered, number)

    def keep(self, numbers: Sequence[int]) -> None:
        self.kept = {number: self.kept[number] for number in sorted(numbers) if number in self.kept}


def _yours(
    sensor: Sensor, to_keep: Callable[[list[int], int], Sequence[int]], settings: dict[str, Any]
) -> Any:
    """A client that sends the readings of a sensor by number, and on each new connection again what ``to_keep`` says."""

    async def yours(uri: str, number: int) -> None:
        outbox = Yours("sensor")
        await first_to_end(
            _feed(sensor, outbox),
            _deliver(uri, outbox, to_keep, settings),
            _all_done(sensor, outbox),
        )

    return yours


async def _feed(sensor: Sensor, outbox: Outbox) -> None:
    async for reading in sensor:
        outbox.put(reading)


async def _deliver(uri: str, outbox: Yours, to_keep: Any, settings: dict[str, Any]) -> None:
    async for websocket in connect(uri, **settings):
        try:
            await first_to_end(
                send_kept(websocket, outbox), read_acknowledgements(websocket, outbox)
            )
        except ConnectionClosed:
            pass
        await asyncio.sleep(random.uniform(0, 0.2))
        outbox.keep(to_keep(sorted(outbox.kept), outbox.answered))


async def _all_done(sensor: Sensor, outbox: Yours) -> None:
    """Until all readings are given, and the last one is acknowledged; and a little longer, for what may come twice."""
    while sensor.given < sensor.count or outbox.answered < outbox.last:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)


def _judge(
    arrived: list[str], is_new: Callable[[int, int], bool]
) -> Callable[[Any], Awaitable[None]]:
    """A handler that takes what ``is_new`` lets it take; it remembers the last number over connections and restarts."""
    last = 0

    async def handler(websocket: Any) -> None:
        nonlocal last
        try:
            async for message in websocket:
                _, number, text = json.loads(message)
                if is_new(number, last):
                    arrived.append(text)
                    last = number
                await websocket.send(str(last))
        except ConnectionClosed:
            pass

    return handler


def _verdict(run: str, lost: int, doubled: int) -> bool:
    right = not lost and not doubled
    print(
        f"{run}: {'✓ nothing lost, nothing doubled' if right else f'not yet: {lost} lost, {doubled} doubled'}"
    )
    return right


def _belief(to_keep: Any, is_new: Any) -> str:
    """Which decision it is, and what it takes for granted."""
    if 2 not in to_keep([1, 2, 3], 1):
        return "A message was sent and not acknowledged, and you did not keep it: who says that it arrived?"
    if 3 not in to_keep([1, 2, 3], 1):
        return "The newest message was not acknowledged, either"
    if is_new(1, 2) or is_new(2, 2):
        return "What was acknowledged, but whose acknowledgement was lost, is sent once more: the receiver took it a second time"
    if not is_new(2, 1):
        return "The message after the last one is new, and the receiver did not take it"
    return "Which number can come after `last`, on a new connection? And which must never be forgotten?"


# exercise 2

CLIENTS, BOUND, SOON = 200, 25, 30.0  # clients; connections a second; s from the server's return
RESTARTS = (Restart(at=20, back=30), Restart(at=20, back=20.5, how="killed"))


def check_spread(spread: Any = ..., client: Any = None) -> Axes | None:
    """Exercise 2: 200 of these clients through two restarts; at most 25 dial in any second, and all are back within 30 s.

    Returns the figure of the worst run, or None if there is nothing to run.
    """
    if spread is ... or spread is None:
        print("your turn – replace the ... by a number of seconds")
        return None
    if not is_number(spread) or not 0 <= spread <= 120:
        print(f"expected a number of seconds, from 0 to 120; seen {spread!r}")
        return None
    if client is None:
        print("give the client, too: check_spread(spread, polite)")
        return None
    runs = [
        (act, crowd(client, clients=CLIENTS, acts=[act], until=65, seed=seed))
        for act in RESTARTS
        for seed in (1, 2)
    ]
    right = [_restart_verdict(act, seen) for act, seen in runs]
    if not all(right):
        print(f"   {_spread_belief(spread, [seen for _, seen in runs])}")
    from ..plots import reconnects

    return reconnects(max((seen for _, seen in runs), key=lambda seen: seen.peak()[0]), bound=BOUND)


def _restart_verdict(act: Restart, seen: Crowd) -> bool:
    peak, back = seen.peak()[0], seen.all_back(act.start)
    late = None if back is None else back - (act.over or 0.0)
    right = peak <= BOUND and late is not None and late <= SOON
    words = f"at most {peak} in a second, " + (
        "not all are back" if late is None else f"all back after {late:.1f} s"
    )
    print(f"away for {(act.over or 0) - act.start:g} s: {'✓' if right else 'not yet:'} {words}")
    return right


def _spread_belief(spread: float, runs: list[Crowd]) -> str:
    mean = CLIENTS / spread if spread else float("inf")
    peak = max(seen.peak()[0] for seen in runs)
    if peak <= BOUND:
        return "The peak is low enough. But a client may wait for twice the spread before its second attempt"
    if mean <= BOUND:
        return f"{CLIENTS} / {spread:g} = {mean:g} is the mean of a second. Chance is not even: some second gets more, here {peak}"
    if spread == 0:
        return "All have lost their connection in the same instant, so all dial in the same instant"
    return f"{CLIENTS} clients in {spread:g} s are {mean:.0f} a second, and that is only the mean"
