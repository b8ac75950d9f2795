"""Notebook 07: alive, yet killed?"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from labkit import Experiment, Freeze, Peer, Trace, plots
from labkit.plots.blame import Blame

from . import Code, Exercise, Number, OneOf, Question, Trial
from .own_code import virtual
from .shop import pongs, served, unserved

TIMERS: dict[str, Any] = {"ping_interval": 4, "ping_timeout": 3, "close_timeout": 2}

# a big message

BIG, PIECE = 100_000, 5_000  # bytes; ten seconds on a line of 10,000 bytes/s
AT = 5.0  # s; when it is sent


async def in_one(websocket: Any) -> None:
    """At 5 s, send 100,000 bytes as one message of one frame."""
    await asyncio.gather(_say(websocket, bytes(BIG)), _read(websocket))


async def in_fragments(websocket: Any) -> None:
    """At 5 s, send 100,000 bytes as one message of twenty frames (RFC 6455 §5.4)."""
    await asyncio.gather(_say(websocket, [bytes(PIECE)] * (BIG // PIECE)), _read(websocket))


async def _say(websocket: Any, message: Any) -> None:
    await asyncio.sleep(AT)
    await websocket.send(message)


async def _read(websocket: Any) -> None:
    async for _ in websocket:
        pass


def row(name: str, trace: Trace) -> None:
    """Print what became of the server's pings: who gave up, how long ping() and pong took."""
    gone = trace.noticed_at("server")
    slowest = max(p.back - p.sent for p in Blame(trace).pings if p.sender == "server" and p.back)
    written = [e.t for e in trace.select("sent", "server", "log", opcode="PING")]
    begun = [e.t for e in trace.select("keepalive", "server", step="ping")]
    waited = max(b - a for a, b in zip(written, begun))
    verdict = f"killed at {gone:g} s" if gone else "nobody gave up"
    print(f"{name:28} {verdict:16} ping() waited {waited:4.1f} s   slowest pong {slowest:4.1f} s")


# what is asked


def killer(trace: Trace, nobody: str, does: str) -> str:
    """Which end's keepalive gave up, in words."""
    ends = (f"the {end} {does}" for end in ("server", "client") if trace.select("timeout", end))
    return next(ends, nobody)


def arrival(trace: Trace) -> float | None:
    """When the server's last ping came to the client (s)."""
    arrived = trace.frames("server", "PING")[-1].arrived_at
    return arrived and round(arrived, 1)


def behind(_: Trace, value: float) -> str:
    """Which belief gives this moment (s) for when the ping arrives."""
    if value < 9:
        return "TCP delivers everything in order. What was sent before the ping?"
    return "At 10,000 bytes a second, how long do 100,000 bytes need, and since when?"


QUESTIONS = [
    Question(
        "07 a busy client",
        OneOf("nothing", "the server killed it", "the client killed it"),
        partial(killer, nobody="nothing", does="killed it"),
        {
            "nothing": "Nothing is wrong with the wire, and the ping arrives. But who"
            " answers it? The library does, in the loop that is blocked.",
            "the client killed it": "The client asks nothing, and while it is blocked it could"
            " not miss anything either.",
        },
    ),
    Question(
        "07 killed at",
        Number("s"),
        lambda trace: trace.noticed_at("server"),
        {
            9: "Then its loop is blocked. But a ping that nobody has sent yet cannot be late.",
            12: (
                "It is when the server asks. But then it waits 3 s for the answer.",
                "It is 9 + 3 s. But ping_timeout begins with a ping, and not with the block.",
            ),
            17: "Then it is CLOSED. It gave up before that, and waited for the goodbye.",
            20: "Then the client could answer. The server does not wait so long.",
            None: "When does the server ask, and for how long does it wait?",
        },
    ),
    Question(
        "07 nobody reads",
        OneOf("all is well", "the server gives up", "the client gives up"),
        partial(killer, nobody="all is well", does="gives up"),
        {
            "all is well": "The library answers pings by itself, as long as it reads. And when"
            " its queue is full, it stops reading.",
            "the server gives up": "The server waits for nothing. Who asks here, and where is the"
            " answer?",
        },
    ),
    Question("07 a ping behind data", Number("s"), arrival, behind),
    Question(
        "07 data flows",
        OneOf("saved", "killed"),
        lambda trace: "saved" if trace.noticed_at("server") is None else "killed",
        {"saved": "Data did come. But only a pong that matches the ping counts."},
    ),
]

# how long a loop may block


def frozen(end: str, at: float, seconds: float, latency: float = 0.0) -> Trace:
    """A run in which an end's loop is blocked once."""
    freeze = Freeze(at=round(at, 6), end=end, thaw=round(at + seconds, 6))
    until = at + seconds + 8
    setup = Experiment(Peer(**TIMERS), latency=latency, faults=[freeze], until=until)
    return virtual(setup)


MOMENTS = [8.001, *(8 + n / 5 for n in range(1, 20)), 11.999]  # s; of one interval
STEP = 0.05  # s: a little shorter, a little longer
Tried = tuple[dict[float, bool], dict[float, bool]]


def survived(seconds: float) -> dict[float, bool]:
    """By the moment of its begin: whether a client's block of so many seconds is survived."""
    return {at: frozen("client", at, seconds).noticed_at("server") is None for at in MOMENTS}


def tried(seconds: float) -> Tried:
    """What becomes of a block that is a little shorter, and of one that is a little longer."""
    return survived(seconds - STEP), survived(seconds + STEP)


def not_always(seen: Tried, always: float) -> str:
    """What is wrong with the longest block that is survived whenever it begins."""
    shorter, longer = seen
    if killed := [at for at, alive in shorter.items() if not alive]:
        return (
            f"{always - STEP:g} s from {killed[0]:g} s on kill. From when on does the server wait?"
        )
    if all(longer.values()):
        return f"{always + STEP:g} s are survived, too, whenever they begin"
    return ""


def not_lucky(seen: Tried, lucky: float) -> str:
    """What is wrong with the longest block that may be survived."""
    shorter, longer = seen
    if begins := [at for at, alive in longer.items() if alive]:
        return f"{lucky + STEP:g} s are survived, too, if they begin at {begins[0]:g} s"
    if not any(shorter.values()):
        return f"{lucky - STEP:g} s are survived nowhere: a ping comes, and its answer is too late"
    return ""


def waking(thaw: float) -> tuple[Trace, Trace]:
    """A server that wakes up a little before this moment (s), and one that wakes up after it."""
    some, more = (frozen("server", 12.2, thaw - 12.2 + step, 0.5) for step in (-STEP, STEP))
    return some, more


def overslept(seen: tuple[Trace, Trace], thaw: float) -> str:
    """What is wrong with the last moment at which a server may run again."""
    sooner, later = (trace.noticed_at("server") for trace in seen)
    if sooner is not None:
        return (
            f"it runs at {thaw - STEP:g} s, and kills: it finds the pong, and a timer that is over"
        )
    if later is None:
        return f"it may run as late as {thaw + STEP:g} s. Until when is it patient?"
    return ""


BLOCK = Number("s", low=0.2, high=60)
EXERCISES = [
    Exercise(
        "07 a server that wakes up",
        Number("s", low=12.5, high=30),
        [Trial("the last moment", waking, overslept, "the timer of its ping ends there")],
    ),
    Exercise(
        "07 how long is too long",
        [BLOCK, BLOCK],
        [
            Trial("always", tried, not_always, "at each of 21 moments", only=0),
            Trial("lucky", tried, not_lucky, "begun just after a pong", only=1),
        ],
    ),
    Exercise(
        "07 the repaired shop",
        Code("what answers an order"),
        [Trial("two new orders", served, unserved, pongs, lambda day: plots.lag(day.trace))],
    ),
]
