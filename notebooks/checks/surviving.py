"""Notebook 09: a client that comes back, and a sensor whose readings survive every trouble."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from labkit import Cut, Reset, Restart, crowd, plots
from labkit.many.restarts import Crowd
from labkit.patterns import Outbox, first_to_end, read_acknowledgements, send_kept
from labkit.wires.loop import VirtualTimeError

from . import Code, Exercise, Number, OneOf, Question, Trial
from .own_code import Asleep, no_sleep

QUICK: dict[str, Any] = {"ping_interval": 1, "ping_timeout": 1, "close_timeout": 1}  # s
HURT = 60.0  # s; when a client's trouble begins
NOTICE, BACK = 120.0, 150.0  # s; from a cut to the first dial; from its end to being back
BOUND, ALL_BACK = 40, 45.0  # connections a second; s from the server's return
ATTEMPTS = Number("attempts", near=20)
WRONG = {(1, 1): "both", (1, 0): "lost", (0, 1): "doubled", (0, 0): "neither"}
SENT = "send() returned for every reading between a cut and the moment of being told."


def peak(seen: Crowd, value: float) -> str:
    """What is behind a number of attempts in the worst second that is not the right one."""
    if abs(value - seen.clients) <= 10:
        return "Some were refused, and dialled again within the same second."
    if value < seen.clients:
        return "Its jitter comes after the first failure. The first attempt of all comes at once."
    return "Who was refused waits a little before the third attempt."


QUESTIONS = [
    Question(
        "09 the loop at a restart",
        OneOf("ends", "raises"),
        lambda said: "ends" if said.startswith("the loop") else "raises",
        {"raises": "1000 and 1001 are polite goodbyes: `async for` takes them for the end."},
    ),
    Question("09 the peak of the iterator", ATTEMPTS, lambda seen: seen.peak()[0], peak),
    Question(
        "09 a textbook client",
        OneOf("lost", "doubled", "both", "neither"),
        lambda seen: WRONG[seen[0] > 0, seen[1] > 0],
        {
            "doubled": "This program sends nothing twice.",
            "both": "This program sends nothing twice. But what it sent into a cut is gone.",
            "neither": f"{SENT} It never sent them again.",
        },
    ),
]

# a client that comes back


def busy(times: int) -> Callable[[Any, Any], Any]:
    """A proxy that answers so many handshakes after the first one with 503."""
    numbers = itertools.count()
    return lambda one, _: one.respond(503, "no server") if 0 < next(numbers) <= times else None


Trouble = Callable[[Any], "Crowd | None"]


def trouble_for(*acts: Any, proxy: int = 0, until: float = 500, clients: int = 1) -> Trouble:
    """A run of the learner's client; None if it dials without letting time pass."""

    def run(client: Any) -> Crowd | None:
        with contextlib.suppress(VirtualTimeError), no_sleep():
            asked = busy(proxy)
            return crowd(client, clients=clients, acts=acts, until=until, process_request=asked)
        return None

    return run


RAISED = (
    (Asleep, "time.sleep() stops every task of a program. There is asyncio.sleep()."),
    (ConnectionClosed, "A connection that is lost raises ConnectionClosed, and nobody caught it."),
    (InvalidHandshake, "The proxy said 503. That is InvalidHandshake: neither lost nor refused."),
    (OSError, "Nobody listened, so connecting itself raised an OSError, and nobody caught it."),
)


def ended(seen: Crowd) -> str:
    """Why the program is no longer there, if it is not."""
    for problem in seen.problems:
        error = problem.error
        known = (text for kind, text in RAISED if isinstance(error, kind))
        return next(known, f"{type(error).__name__}: {error}") + " The program ended."
    if seen.end <= HURT + 1:
        return "The program ended without an exception. At 1001 the loop in listen() just ends."
    return ""


def alone(seen: Crowd | None) -> str:
    """What is wrong with one client in a trouble."""
    if seen is None:
        return "it dialled thousands of times in one instant. What waits before the next attempt?"
    if why := ended(seen):
        return why
    if sum(one.t < HURT for one in seen.attempts) > 1:
        return "it dialled again before anything was wrong. Does it await listen(websocket)?"
    dialled = [one.t for one in seen.attempts if HURT <= one.t <= HURT + NOTICE]
    if not dialled and isinstance(seen.acts[0], Cut):
        return "it did not dial meanwhile. Nobody tells of a cut: does your client ask, with pings?"
    if (most := seen.peak(HURT)[0]) > 3:
        return f"it dialled {most} times within one second. What waits before the next attempt?"
    over = max(act.over or act.start for act in seen.acts)
    back = seen.all_back(over)
    if back is None or back > over + BACK:
        return f"it was not back {BACK:g} s later. Does one of your pauses grow too long?"
    return ""


def herd(seen: Crowd) -> str:
    """What is wrong with 200 clients whose server restarts."""
    most, back = seen.peak()[0], seen.all_back(70)
    if most >= 0.75 * seen.clients:
        return f"{most} dialled in one second. All lost it in one instant: how long does each wait?"
    if most > BOUND:
        return f"{most} dialled in one second. That is chance: it needs more seconds for so many."
    if back is None or back > 70 + ALL_BACK:
        return f"not all were back {ALL_BACK:g} s after the server: they wait for too long."
    return ""


TROUBLES: dict[str, Trouble] = {
    "a goodbye with 1001": trouble_for(Restart(HURT, back=61)),
    "two resets": trouble_for(Reset(HURT), Reset(110)),
    "a killed server, away for 30 s": trouble_for(Restart(HURT, back=90, how="killed")),
    "a proxy that says 503": trouble_for(Reset(HURT), proxy=2),
    "a cut of two minutes": trouble_for(Cut(HURT, heal=HURT + NOTICE)),
}
HERD = Trial(
    "200 of them, one restart",
    trouble_for(Restart(HURT, back=70), clients=200, until=150),
    herd,
    lambda seen: f"at most {seen.peak()[0]} in a second",
    lambda seen: plots.reconnects(seen, bound=BOUND),
)

# a sensor in trouble


class Sensor:
    """Readings, numbered texts, one every so many seconds; what nobody asked for waits in it."""

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


def trouble(seed: int = 1) -> list[Any]:
    """Three cuts of up to 3 s that heal, and between them a server is killed for a second."""
    dice, t, acts = random.Random(f"surviving {seed}"), 0.0, list[Any]()
    for killed in (False, False, True, False):
        start = round(t + dice.uniform(2, 3.5), 2)
        t = round(start + (1 if killed else dice.uniform(1.5, 3)), 2)
        acts.append(Restart(start, back=t, how="killed") if killed else Cut(start, heal=t))
    return acts


def through_trouble(client: Any, server: Any, seed: int = 1) -> Crowd:
    """Run one client through ``trouble(seed)``, in virtual time."""
    return crowd(client, server, acts=trouble(seed), until=60, latency=0.05, seed=seed, **QUICK)


def count(sensor: Sensor, arrived: Sequence[str]) -> tuple[int, int]:
    """How many readings are lost, and how many came once too often."""
    times = Counter(arrived)
    return sensor.given - len(times), len(arrived) - len(times)


# what to keep, and what to take


class Keeper(Outbox):
    """An outbox that forgets nothing by itself."""

    def acknowledged(self, number: int) -> None:
        self.taken = max(self.taken, number)


def sender(sensor: Sensor, to_keep: Any, needless: list[int]) -> Any:
    """A client that keeps what ``to_keep`` says; ``needless`` gets what was acknowledged."""
    outbox = Keeper("sensor")

    async def feed() -> None:
        async for reading in sensor:
            outbox.put(reading)

    async def deliver(uri: str) -> None:
        async for websocket in connect(uri, **QUICK):
            sending = send_kept(websocket, outbox)
            with contextlib.suppress(ConnectionClosed):
                await first_to_end(sending, read_acknowledgements(websocket, outbox))
            await asyncio.sleep(random.uniform(0, 0.2))
            numbers = set(to_keep(sorted(outbox.kept), outbox.taken))
            outbox.kept = {n: text for n, text in outbox.kept.items() if n in numbers}
            needless.extend(n for n in outbox.kept if n <= outbox.taken)

    return lambda uri, _: first_to_end(feed(), deliver(uri))


def taker(arrived: list[str], is_new: Any) -> Any:
    """A handler that takes what ``is_new`` lets it take."""
    taken = [0]

    async def handler(websocket: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in websocket:
                _, number, text = json.loads(message)
                if is_new(number, taken[-1]):
                    arrived.append(text)
                    taken.append(number)
                await websocket.send(str(taken[-1]))

    return handler


def delivered(seed: int) -> Trial:
    """One series of troubles for the learner's two decisions."""

    def run(to_keep: Any, is_new: Any) -> tuple[Any, ...]:
        sensor, arrived, needless = Sensor(), list[str](), list[int]()
        seen = through_trouble(sender(sensor, to_keep, needless), taker(arrived, is_new), seed)
        for problem in seen.problems:
            raise problem.error
        lost, doubled = count(sensor, arrived)
        return lost, doubled, len(needless), to_keep([2, 3], 1), is_new(2, 1)

    return Trial(f"troubles {seed}", run, each_once, "200 readings, each of them once")


def each_once(seen: tuple[Any, ...]) -> str:
    """Which decision is wrong, and what it takes for granted."""
    lost, doubled, needless, kept, takes_the_next = seen
    if not (lost or doubled or needless):
        return ""
    if needless:
        again = f"{needless} messages that the receiver had acknowledged were kept and sent again."
        return f"{again} An outbox that keeps everything grows for ever."
    words = f"{lost} lost, {doubled} doubled."
    if 2 not in kept or 3 not in kept:
        return f"{words} Sent and not acknowledged, and you did not keep it: did it arrive?"
    if not takes_the_next:
        return f"{words} The message after the last one is new, and was not taken."
    return f"{words} What is acknowledged comes again if that word was lost. It was taken twice."


EXERCISES = [
    Exercise(
        "09 a client that comes back",
        Code(),
        [*(Trial(name, run, alone, "it is back") for name, run in TROUBLES.items()), HERD],
    ),
    Exercise("09 keep and take", (Code(), Code()), [delivered(seed) for seed in (1, 2, 3)]),
]
