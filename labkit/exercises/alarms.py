"""Notebook 07: ends that are alive and get no pong through. Two applications, a table of four runs, two exercises.

1. How long may a loop block: never punished, and perhaps not punished.
2. A shop that blocks its loop: repaired, it has to survive a run that it has not seen, on real TCP, since threads know no virtual time.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ..ends.blocking import block
from ..plots import Figure, lag
from ..plots.blame import Blame
from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import Freeze
from .answers import is_number

TIMERS: dict[str, float] = {"ping_interval": 4, "ping_timeout": 3, "close_timeout": 2}
BIG = 100_000  # bytes; ten seconds on a line of 10,000 bytes/s
PIECE = 5_000  # bytes of a fragment
AT = 5.0  # s; when the big message is sent
Handler = Callable[[Any], Awaitable[None]]


# the big message


async def in_one(websocket: Any) -> None:
    """At 5 s, send 100,000 bytes as one message of one frame."""
    await asyncio.gather(_say(websocket, bytes(BIG)), _read(websocket))


async def in_fragments(websocket: Any) -> None:
    """At 5 s, send 100,000 bytes as one message of twenty frames (RFC 6455 §5.4): websockets makes a frame of each piece."""
    await asyncio.gather(_say(websocket, [bytes(PIECE)] * (BIG // PIECE)), _read(websocket))


async def _say(websocket: Any, message: Any) -> None:
    await asyncio.sleep(AT)
    await websocket.send(message)


async def _read(websocket: Any) -> None:
    async for _ in websocket:
        pass


def row(name: str, trace: Trace) -> None:
    """Print what became of the server's pings in one run: who gave up, how long ping() waited, how long the slowest answer took."""
    gone = trace.noticed_at("server")
    answers = [latency for _, latency in trace.latencies("server")]  # those that were in time
    answers += [
        ping.back - ping.sent
        for ping in Blame(trace).pings
        if ping.sender == "server" and ping.back is not None
    ]
    verdict = "nobody gave up " if gone is None else f"killed at {gone:g} s"
    print(
        f"{name:28} {verdict:16} ping() waited {_waited(trace):4.1f} s   slowest answer {max(answers, default=0):4.1f} s"
    )


def _waited(trace: Trace) -> float:
    """How long the slowest ping() of the server waited before its clock started (s): from its frame to "sent keepalive ping"."""
    begun = [
        event.t for event in trace.select("sent", "server", "log") if event.data["opcode"] == "PING"
    ]
    done = [
        event.t for event in trace.select("keepalive", "server") if event.data["step"] == "ping"
    ]
    return max((b - a for a, b in zip(begun, done)), default=0.0)


# exercise 1


def check_blocks(always: Any = ..., lucky: Any = ...) -> Figure | None:
    """Exercise 1: the longest block that never kills, and the longest that may be survived; run at many phases of the pings."""
    if any(value is ... or value is None for value in (always, lucky)):
        print("your turn – replace both ... by numbers of seconds")
        return None
    if not all(is_number(value) and 0.1 < value < 60 for value in (always, lucky)):
        print(
            f"expected two numbers of seconds, above 0.1 and below 60; seen {always!r} and {lucky!r}"
        )
        return None
    shown = _always(float(always))
    return _lucky(float(lucky)) or shown


def _always(always: float) -> Figure | None:
    killed, survived = blocks(always - 0.05)
    if killed:
        print(
            f"always: not yet: a block of {always - 0.05:g} s at {killed[0]:g} s kills. From when to when does the server wait?"
        )
        return lag(_frozen(killed[0], always - 0.05))
    if not blocks(always + 0.05)[0]:
        print(
            f"always: not yet: {always + 0.05:g} s are survived, too, at every one of {len(survived)} moments"
        )
        return None
    print(
        f"always: ✓ a shorter block is survived at every one of {len(survived)} moments; the unluckiest begins just before a ping"
    )
    return None


def _lucky(lucky: float) -> Figure | None:
    killed, survived = blocks(lucky + 0.05)
    if survived:
        print(
            f"lucky: not yet: {lucky + 0.05:g} s are survived, too, if they begin at {survived[0]:g} s"
        )
        return lag(_frozen(survived[0], lucky + 0.05))
    if not blocks(lucky - 0.05)[1]:
        print(
            f"lucky: not yet: {lucky - 0.05:g} s are survived nowhere: a ping comes, and its answer takes too long"
        )
        return lag(_frozen(killed[0], lucky - 0.05))
    print(
        "lucky: ✓ a block that begins just after a pong has the rest of the interval, and then ping_timeout"
    )
    return None


def blocks(seconds: float) -> tuple[list[float], list[float]]:
    """The moments at which a block of so many seconds kills, and at which it is survived, over one interval of the pings (s)."""
    moments = [8.001, *(8 + n / 5 for n in range(1, 20)), 11.999]
    dead = {at: _frozen(at, seconds).noticed_at("server") is not None for at in moments}
    return [at for at in moments if dead[at]], [at for at in moments if not dead[at]]


def _frozen(at: float, seconds: float) -> Trace:
    freeze = Freeze(at=round(at, 6), end="client", thaw=round(at + seconds, 6))
    server = Peer(**TIMERS)  # type: ignore[arg-type]
    return run(Experiment(server=server, faults=[freeze], until=at + seconds + 8), "virtual")


# exercise 2

SHORT = Peer(ping_interval=0.5, ping_timeout=0.6, close_timeout=0.3)  # of the clients of a shop
LONG = 1.6  # s; an order takes at least so long
TRIES = 3  # runs, if the machine is too busy to judge


def work(order: str) -> str:
    """A long computation: it takes some two seconds, and nothing else runs in its thread meanwhile."""
    block(LONG + len(order) % 5 / 10)
    return done(order)


def done(order: str) -> str:
    """What the long computation finds."""
    return hashlib.sha256(order.encode()).hexdigest()[:8]


def shop(
    handler: Handler,
    orders: Iterable[str] = ("tea",),
    answers: list[str] | None = None,
    until: float = 3.0,
) -> Trace:
    """Run a handler as the server of a client that orders, one after the other, and pings; on real TCP. ``answers`` is filled."""
    experiment = Experiment(server=Peer(ping_interval=None), client=SHORT, until=until)
    kept = [] if answers is None else answers
    return run(experiment, server=handler, client=_client(orders, kept), progress=False)


def _client(orders: Iterable[str], answers: list[str]) -> Handler:
    async def client(websocket: Any) -> None:
        for order in orders:
            await websocket.send(order)
            answers.append(await websocket.recv())
        await websocket.wait_closed()

    return client


def check_repair(answer: Callable[[str], Awaitable[str]] | None = None) -> Figure | None:
    """Exercise 2: two orders that nobody has seen, on the loopback wire; the shop has to answer both, and to stay alive."""
    if answer is None or ... in getattr(answer, "__code__", check_blocks.__code__).co_consts:
        print("your turn – replace the ... by the work, done in such a way that the loop goes on")
        return None
    if not inspect.iscoroutinefunction(answer):
        print("expected an `async def` that takes an order and returns what work() finds")
        return None
    dice, answers = random.Random(), list[str]()
    orders = ["".join(dice.choices("abcdefgh", k=dice.randint(3, 9))) for _ in range(2)]
    trace = _judged(answer, orders, answers)
    problem = _problem(trace, orders, answers)
    print(
        f"not yet: {problem}"
        if problem
        else f"✓ two orders, two answers, and {_pongs(trace)} pings answered meanwhile"
    )
    return lag(trace)


def _judged(
    answer: Callable[[str], Awaitable[str]], orders: list[str], answers: list[str]
) -> Trace:
    """A run of the shop; once more if the client gave up though no work was in the loop: a busy machine can do that, too."""
    for _ in range(TRIES):
        answers.clear()
        trace = shop(_repaired(answer), orders, answers, until=5.5)
        if trace.noticed_at("client") is None or trace.select("blocked", "server"):
            break
    return trace


def _repaired(answer: Callable[[str], Awaitable[str]]) -> Handler:
    async def repaired(websocket: Any) -> None:
        async for order in websocket:
            await websocket.send(await answer(order))

    return repaired


def _pongs(trace: Trace) -> int:
    return sum(frame.opcode == "PONG" for frame in trace.frames("server"))


def _problem(trace: Trace, orders: list[str], answers: list[str]) -> str | None:
    """What is wrong with a run of the shop, in words; None if nothing is."""
    mistakes = [
        one for one in trace.raised("server") if not one.type.startswith("ConnectionClosed")
    ]
    if mistakes:
        return f"your function, or the send() of what it returned, raised {mistakes[0].type}: {mistakes[0].text}"
    if trace.noticed_at("client") is not None:
        return _given_up(trace)
    if len(answers) < len(orders):
        return f"{len(answers)} of {len(orders)} orders were answered in time: is it the work that takes so long, and only that?"
    wrong = [order for order, answer in zip(orders, answers) if answer != done(order)]
    return f"the answer to {wrong[0]!r} is not what work() finds" if wrong else None


def _given_up(trace: Trace) -> str:
    when, blocked = trace.noticed_at("client"), trace.select("blocked", "server")
    if not blocked:
        why = f"in each of {TRIES} runs, and work() was not in the loop: this machine is too busy, or something else blocked"
        return f"the client gave up at {when:.1f} s, {why}"
    seconds = max(event.data["seconds"] for event in blocked)
    why = f"your server's loop was blocked for {seconds:g} s. The work has to leave the thread of the loop"
    return f"the client gave up at {when:.1f} s: {why}"
