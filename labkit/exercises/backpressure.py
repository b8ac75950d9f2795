"""Notebook 06: the timer that never starts. Three exercises, judged by experiment.

1. How large may a message be, so that keepalive still notices a cut, and still gets away?
2. Three logs: where did drain() block, before the ping, after it, or not at all?
3. A watchdog: it frees a dead connection within a bound, and never kills a healthy slow one. On both clocks.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from websockets.exceptions import ConnectionClosed

from .. import plots
from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import Cut, Delay, Throttle
from .answers import is_number, one_of

TIMERS: dict[str, Any] = {"ping_interval": 4, "ping_timeout": 3, "close_timeout": 2}


def talk(size: int, every: float, cut: float) -> Experiment:
    """A server with the fruit fly's timers that sends into a cut; its client's buffers are small, so that little fits into the wire."""
    server = Peer(**TIMERS, send_size=size, send_every=every, buffer=4096)
    return Experiment(server=server, client=Peer(buffer=4096), faults=[Cut(at=cut)], until=60)


def close_returned(trace: Trace) -> str:
    """When the server's close() returned, in words; at most a second late is not much later."""
    times = [e.t for e in trace.select("returned", "server") if e.data["call"] == "close"]
    if not times:
        return "never"
    waited = times[0] - trace.select("closing", "server")[0].t
    if waited > (trace.experiment.server.close_timeout or 0.0) + 1:
        return "much later"
    return "after close_timeout" if waited > 0 else "at once"


# exercise 1

CLOSE_TO = 0.15  # as near as this to the largest size, an answer is right


def check_size(answer: Any = ...) -> None:
    """Exercise 1: the largest message (bytes), two a second, with which a server that is cut at 9 s is still CLOSED at 17 s."""
    if answer is ... or answer is None:
        print("your turn – replace the ... by a number of bytes")
    elif not is_number(answer) or not 1 <= answer <= 1e6:
        print(f"expected a number of bytes, from 1 to a million; seen {answer!r}")
    else:
        _judge_size(round(answer))


def _judge_size(size: int) -> None:
    trace, larger = (
        run(talk(one, 0.5, 9), "virtual") for one in (size, round(size * (1 + CLOSE_TO)))
    )
    if trace.closed_at("server") is None:
        print(f"not yet: with {size:,} bytes the server is {_stuck(trace)}")
        print(f"   {_too_large(trace)}")
    elif larger.closed_at("server") is not None:
        print(
            f"not yet: with {size:,} bytes the server is CLOSED at {trace.closed_at('server'):g} s, and with 15 % more it still is"
        )
        print(
            "   Which is the last of the library's own frames that has to get past drain(), and when is it written?"
        )
    else:
        print(
            f"✓ with {size:,} bytes the server is CLOSED at {trace.closed_at('server'):g} s; with 15 % more it is {_stuck(larger)}"
        )


def _stuck(trace: Trace) -> str:
    state = trace.state_at("server", trace.end)
    return f"still {state} at {trace.end:g} s: {trace.waiting('server')[-1][1]:,} bytes are in its write buffer"


def _too_large(trace: Trace) -> str:
    """How far keepalive came."""
    if trace.noticed_at("server") is None:
        return "The buffer was above write_limit before the ping was due at 12 s. That is one bound; is there a stricter one?"
    return "The ping got away at 12 s, and the server noticed at 15 s. But its CLOSE has to get past drain(), too"


# exercise 2

PLACES = {
    "before": "drain() blocked before the ping",
    "after": "drain() blocked after the ping",
    "not": "drain() did not block",
}
HIDDEN = ("after", "not", "before")


def mystery(number: int) -> Trace:
    """One of three runs, 1 to 3."""
    if number not in range(1, len(HIDDEN) + 1):
        raise ValueError(f"there are the mysteries 1 to {len(HIDDEN)}, seen {number!r}")
    dice = random.Random(f"backpressure {number}")
    cut = dice.choice([9, 13, 17])
    size, every, later = {
        "before": (20_000, 0.5, 0.0),
        "after": (20_000, 1.0, 2.5),
        "not": (1000, 1.0, 0.0),
    }[HIDDEN[number - 1]]
    return run(talk(size, every, cut + later), "virtual")


def last_lines(trace: Any, count: int = 8) -> list[str]:
    """The end of the server's log, as production shows it at DEBUG, without the messages; of a vintage that is not here, why not."""
    if not isinstance(trace, Trace):
        return [str(trace)]
    return [line for line in trace.log("server") if "> BINARY" not in line][-count:]


def check_mysteries(first: Any = ..., second: Any = ..., third: Any = ...) -> None:
    """Exercise 2: where drain() blocked in each of the three, in one word."""
    for number, answer in enumerate((first, second, third), start=1):
        print(f"{number}: {_judge_place(number, answer)}")


def _judge_place(number: int, answer: Any) -> str:
    if answer is ... or answer is None:
        return "your turn – replace the ... by one word"
    if (place := one_of(answer, PLACES)) is None:
        return f"expected {', '.join(map(repr, PLACES))}; seen {answer!r}"
    log = [line.split(None, 1)[1] for line in mystery(number).log("server")]
    sign = _sign(log)
    return f"✓ {PLACES[place]}: {sign}" if place == HIDDEN[number - 1] else f"not yet: {sign}"


def _sign(log: list[str]) -> str:
    """What in a log tells where drain() blocked."""
    pings, sent = (
        sum(line.startswith(mark) for line in log) for mark in ("> PING", "% sent keepalive ping")
    )
    if pings > sent:
        return "the last `> PING` has no line `% sent keepalive ping`, which comes after drain()"
    closing = any("CLOSING" in line for line in log)
    if closing and not any("CLOSED" in line for line in log):
        return "the pong's time ran out, CLOSE was written, and no `= connection is CLOSED` came after it"
    return "CLOSING was followed by CLOSED after close_timeout"


# exercise 3

BOUND = 15.0  # s from a cut to CLOSED, at most
SLOWEST = 8.0  # s that ping and pong may take on a healthy line
FASTER = 10.0  # the real clock runs the same program with every time divided by this

Watchdog = Callable[[Any, float, float], Awaitable[Any]]


@dataclass(frozen=True)
class Trial:
    """One hidden run of a watchdog; times in s, to be divided by ``pace``."""

    name: str
    wire: str
    experiment: Experiment
    sizes: tuple[int, int]  # bytes a message, from and to; (0, 0): it sends nothing
    pauses: tuple[float, float] = (0.5, 0.5)  # s from one message to the next, from and to
    pace: float = 1.0
    after_pong: bool = (
        False  # cut at the worst moment for this watchdog, instead of that of the experiment
    )

    @property
    def cut(self) -> float | None:
        return self.experiment.cuts[0].start if self.experiment.cuts else None


def trials(seed: int = 0) -> list[Trial]:
    """The hidden runs: cuts before and after a ping and just after a pong, healthy lines that are slow or long; then two in real time."""
    dice = random.Random(f"watchdog {seed}")
    cuts = [
        dice.uniform(8.2, 11.0),
        dice.uniform(11.4, 11.9),
        dice.uniform(9, 13),
        dice.uniform(0.8, 1.1),
    ]
    big, slow = (20_000, 20_000), (40_000, 48_000)
    return [
        Trial("cut, drain() blocked before the ping", "virtual", _dead(cuts[0]), big),
        Trial("cut, drain() blocked after the ping", "virtual", _dead(cuts[1]), big),
        Trial(
            "cut just after a pong",
            "virtual",
            _dead(cuts[2], ping_interval=None),
            (0, 0),
            after_pong=True,
        ),
        Trial(
            "slow and healthy", "virtual", _slow(dice.uniform(7650, 7850), 150), slow, (0.5, 2.0)
        ),
        Trial("long and healthy", "virtual", _long(), (0, 0)),
        Trial("cut, on real TCP", "loopback", _dead(cuts[3], FASTER), big, pace=FASTER),
        Trial(
            "slow and healthy, on real TCP",
            "loopback",
            _slow(FASTER * dice.uniform(13_000, 14_000), 50, FASTER),
            slow,
            (0.5, 2.0),
            FASTER,
        ),
    ]


def _dead(cut: float, pace: float = 1.0, **more: Any) -> Experiment:
    server = Peer(**{**{name: t / pace for name, t in TIMERS.items()}, "buffer": 4096, **more})
    return Experiment(
        server=server,
        client=Peer(buffer=4096),
        faults=[Cut(at=round(cut, 3))],
        until=cut + 2 * BOUND / pace,
    )


def _slow(rate: float, until: float, pace: float = 1.0) -> Experiment:
    """A line of ``rate`` bytes/s, and no keepalive of the library's own, so that only the watchdog can be blamed for a kill.

    Each of its messages has to wait until the buffer is down to 8,192 bytes. So at most 8,192 + 48,000 bytes in the write buffer and
    4,096 in the wire are before a ping: at 7,650 bytes/s, 7.9 s.
    """
    return _dead(0.0, pace, ping_interval=None).but(
        faults=[Throttle(at=0.2, rate=round(rate))], until=until / pace
    )


def _long() -> Experiment:
    """A line on which every pong takes 7.9 s, whenever the ping was sent."""
    return _dead(0.0, ping_interval=None).but(
        faults=[Delay(at=0.1, latency=(SLOWEST - 0.1) / 2)], until=60
    )


def check_watchdog(
    watchdog: Watchdog | None = None, interval: Any = ..., patience: Any = ..., seed: int = 0
) -> None:
    """Exercise 3: CLOSED at most 15 s after a cut, and healthy slow lines survive; judged by hidden runs on both clocks."""
    if watchdog is None or any(value is ... or value is None for value in (interval, patience)):
        print("your turn – replace the ... in the cell above")
    elif not all(is_number(value) and 0 < value <= 60 for value in (interval, patience)):
        print(
            f"expected seconds, above 0 and up to 60; seen interval={interval!r} and patience={patience!r}"
        )
    else:
        for trial in trials(seed):
            print(f"{trial.name}: {judge(trial, watchdog, float(interval), float(patience))}")


def at_work(
    watchdog: Watchdog | None = None, interval: Any = ..., patience: Any = ...
) -> plots.Figure | None:
    """The learner's watchdog on the first experiment of the notebook, as a figure."""
    if watchdog is None or not all(map(is_number, (interval, patience))):
        print("your turn – the watchdog above")
        return None
    trial = Trial("the first experiment", "virtual", _dead(9), (20_000, 20_000))
    return plots.blocked(
        run(
            trial.experiment,
            "virtual",
            server=Kennel(trial, watchdog, interval, patience).handler,
            progress=False,
        )
    )


def judge(trial: Trial, watchdog: Watchdog, interval: float, patience: float) -> str:
    """What became of one hidden run, in a sentence."""
    if trial.after_pong:
        trial = _just_after_a_pong(trial, watchdog, interval, patience)
    kennel = Kennel(trial, watchdog, interval, patience)
    trace = run(trial.experiment, trial.wire, server=kennel.handler, progress=False)
    closed = trace.closed_at("server")
    if kennel.problem:
        return f"not yet: your watchdog raised {kennel.problem}"
    if trial.cut is None:
        return _survived(kennel, closed, trace)
    after = None if closed is None else (closed - trial.cut) * trial.pace
    real = (
        f" ({after / trial.pace:.2f} s of real time, × {trial.pace:g})"
        if after is not None and trial.pace > 1
        else ""
    )
    if after is None:
        return f"not yet: {trace.state_at('server', trace.end)} to the end. {_why_not_freed(kennel, trace)}"
    if after > BOUND * (1.02 if trial.pace > 1 else 1):  # real time is a little late
        return f"not yet: CLOSED {after:.1f} s after the cut{real}, and {BOUND:g} s were allowed: interval and patience add up"
    return f"✓ CLOSED {after:.1f} s after the cut{real}"


def _just_after_a_pong(trial: Trial, watchdog: Watchdog, interval: float, patience: float) -> Trial:
    """The same trial, cut a millisecond after a pong, as a run without the cut shows it; unchanged if there never is a pong."""
    kennel, at = Kennel(trial, watchdog, interval, patience), trial.cut or 0.0
    run(
        trial.experiment.but(faults=[], until=at + BOUND),
        trial.wire,
        server=kennel.handler,
        progress=False,
    )
    pong = next((t for t in kennel.pongs if t >= at), None)
    if pong is None:
        return trial
    cut = round(pong + 0.001, 6)
    return replace(
        trial, experiment=trial.experiment.but(faults=[Cut(at=cut)], until=cut + 2 * BOUND)
    )


def _survived(kennel: Kennel, closed: float | None, trace: Trace) -> str:
    came = sum(e.data["step"] == "received" for e in trace.select("message", "client"))
    if closed is None:
        return f"✓ alive, {came} messages arrived, the slowest pong took {kennel.slowest:.1f} s"
    return f"not yet: it was healthy, and killed at {closed * kennel.trial.pace:.1f} s. Here a pong may take {SLOWEST:g} s"


def _why_not_freed(kennel: Kennel, trace: Trace) -> str:
    last = [
        e.data["chain"]
        for e in trace.select("awaiting", "server")
        if e.data["task"].startswith("dog") and e.data["chain"]
    ]
    if kennel.done:
        return "Your watchdog had ended by then, and the connection had not: what did it do last?"
    if last and last[-1][-1] == "drain":
        return f"Your watchdog itself is blocked: {'() → '.join(last[-1][1:])}()"
    return "Your watchdog went on asking. Does it wait for the pong, too?"


class Kennel:
    """A program that sends and has a watchdog; what the watchdog did is kept."""

    def __init__(self, trial: Trial, watchdog: Watchdog, interval: float, patience: float) -> None:
        self.trial, self.watchdog = trial, watchdog
        self.interval, self.patience = interval / trial.pace, patience / trial.pace
        self.problem, self.done, self.slowest = "", False, 0.0
        self.pongs: list[float] = []  # s since the handler began
        self.dice = random.Random(trial.name)

    async def handler(self, websocket: Any) -> None:
        self.began = asyncio.get_running_loop().time()
        dog = asyncio.create_task(self.dog(websocket))
        with contextlib.suppress(ConnectionClosed):
            await self.talk(websocket)
        dog.cancel()
        await asyncio.wait([dog])

    async def talk(self, websocket: Any) -> None:
        while any(self.trial.sizes):
            await websocket.send(self.dice.randbytes(self.dice.randint(*self.trial.sizes)))
            await asyncio.sleep(self.dice.uniform(*self.trial.pauses) / self.trial.pace)
        await websocket.wait_closed()

    async def dog(self, websocket: Any) -> None:
        try:
            await self.watchdog(Watched(websocket, self), self.interval, self.patience)
        except ConnectionClosed:
            pass
        except Exception as problem:
            self.problem = f"{type(problem).__name__}: {problem}"
        self.done = True


class Watched:
    """The connection as the watchdog has it: the same, but that its pings are timed."""

    def __init__(self, websocket: Any, kennel: Kennel) -> None:
        self._websocket, self._kennel = websocket, kennel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._websocket, name)

    async def ping(self, *args: Any) -> Any:
        """websocket.ping(), which also notes how long ping and pong took together."""
        clock, kennel = asyncio.get_running_loop().time, self._kennel
        start = clock()
        waiter = await self._websocket.ping(*args)

        def answered(future: Any) -> None:
            if not future.cancelled() and future.exception() is None:
                kennel.slowest = max(kennel.slowest, (clock() - start) * kennel.trial.pace)
                kennel.pongs.append(clock() - kennel.began)

        waiter.add_done_callback(answered)
        return waiter
