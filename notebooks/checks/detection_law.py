"""Notebook 04: when will keepalive notice?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from labkit import Cut, Experiment, Goodbye, Peer, Trace, plots, sweep
from labkit.many.sweeps import observe

from . import Code, Exercise, Number, OneOf, Question, Trial
from .laws import RUNS, TIE, cases, first_miss, whats_wrong
from .own_code import virtual

# many cuts: the shortest, the mean and the longest delay

SUMS = [  # parts of ping_interval, ping_timeout and close_timeout in a wrong sum, and its belief
    (0, 0, 0, "at once. But nothing arrives when a cable is cut, so there is nothing to notice."),
    (0, 1, 0, "ping_timeout. But its clock starts with a ping, and a cut does not wait for one."),
    (1, 0, 0, "ping_interval. But by then the server has only asked; pings stand on a grid."),
    (0, 0, 1, "close_timeout, which begins only when the server has noticed."),
    (0.5, 0, 0, "half of ping_interval, the mean wait for a ping. That ping waits for its pong."),
    (0.5, 0.5, 0, "half of ping_interval + ping_timeout. But ping_timeout is always spent."),
    (0.5, 1, 0, "ping_interval / 2 + ping_timeout, the mean delay until the server notices."),
    (1, 1, 0, "ping_interval + ping_timeout, until the server notices a cut right after a pong."),
    (0, 1, 1, "ping_timeout + close_timeout, until the program is told of the luckiest cut."),
    (1, 1, 1, "everything added, until the program is told of a cut right after a pong."),
]
PICKS: dict[str, Callable[[Sequence[float]], float]] = {"min": min, "mean": fmean, "max": max}
HOW_LONG = "A cut waits for the next ping, and that ping for its pong. How long may each take?"


def band(experiment: Experiment) -> tuple[float, float]:
    """From when to when after a cut (s) the server may notice it, on a fast wire: theory."""
    server = experiment.server
    assert server.ping_interval is not None and server.ping_timeout is not None
    return server.ping_timeout, server.ping_interval + server.ping_timeout


def about_delays(subject: str, moment: str, name: str) -> Question:
    """A question about a sweep's delays from the cut to a moment, "noticed" or "told" (s)."""

    def fact(seen: Any) -> float:
        return PICKS[name]([t - cut for t, cut in zip(seen[moment], seen["cut.at"])])

    def beliefs(seen: Any, value: float) -> list[str]:
        near, server = Number().right, seen.attrs["experiment"].server
        timers = server.ping_interval, server.ping_timeout, server.close_timeout
        sums = [(sum(map(math.prod, zip(parts, timers))), words) for *parts, words in SUMS]
        return [f"That is {words}" for total, words in sums if near(value, total)] or [HOW_LONG]

    return Question(f"04 {subject}: {name}", Number("s", high=600), fact, beliefs)


# one cut


def law_holds(trace: Trace) -> str:
    """Whether the server noticed when the first stuck ping had waited for ping_timeout."""
    server, cut = trace.experiment.server, trace.experiment.cuts[0].start
    assert server.ping_interval and server.ping_timeout
    law = math.ceil(cut / server.ping_interval) * server.ping_interval + server.ping_timeout
    return "yes" if trace.noticed_at("server") == law else "no"


QUESTIONS = [
    *(about_delays("the fruit fly", "noticed", name) for name in PICKS),
    *(about_delays("the defaults, told", "told", name) for name in ("min", "max")),
    Question(
        "04 does the law hold",
        OneOf("yes", "no"),
        law_holds,
        {"no": "While a ping waits for its pong, no other is sent, so that nothing is confused."},
    ),
    Question(
        "04 a pong in the last instant",
        OneOf("lives", "killed"),
        lambda trace: "lives" if trace.noticed_at("server") is None else "killed",
        {"lives": "Pong and timer came at the same instant, and here the timer was first."},
    ),
]

# eight seconds

BUDGET = 8.0  # s from any cut until the program is told
WAY = 0.2  # s: a round trip takes 0.4 s
ALLOWED = 200  # bytes of WebSocket a minute
MINUTES = 10


def slow(timers: Any, *faults: Any, until: float | None = None) -> Trace:
    """A run on the slow wire."""
    return virtual(Experiment(Peer(*timers), latency=WAY, faults=faults, until=until))


def quiet(*timers: float) -> Trace:
    """Ten minutes in which nothing happens."""
    return slow(timers, until=60.0 * MINUTES)


def one_packet_lost(*timers: float) -> Trace:
    """The packet of one ping is lost on its way, and TCP sends it again."""
    arrives = 2 * timers[0] + WAY
    return slow(timers, Cut(arrives - WAY / 2, heal=arrives + WAY / 2), until=arrives + 60)


def goodbye(*timers: float) -> Trace:
    """The server says goodbye, to a client that is there."""
    return slow(timers, Goodbye(at=10.2, end="server"), until=60)


def cuts(*timers: Any) -> Any:
    """Cuts at 60 phases, and right after a pong, with and without the slow wire: a sweep."""
    interval = timers[0]
    moments = [2 * interval + 1.001 + interval * n / 60 for n in range(60)]
    moments += [3 * interval + 0.001, 3 * interval + 2 * WAY + 0.001]
    over = {"latency": [0.0, WAY], "cut.at": [round(moment, 6) for moment in moments]}
    return sweep(Experiment(Peer(*timers), faults=[Cut(at=9)]), over, progress=False)


def killed(trace: Trace, *timers: float) -> str:
    """What is wrong where a connection was killed that nobody cut."""
    at, timeout = trace.noticed_at("server"), timers[1]
    if at is None:
        return ""
    alarm = f"killed at {at:.4g} s, though nobody cut it: a false alarm."
    tries = trace.select("retransmission")
    if tries:
        late = tries[0].t - (at - timeout) + 2 * WAY
        return f"{alarm} TCP brought the ping and its pong all the same, after {late:.2g} s in all."
    tie = " Exactly as long is a tie, which only luck decides." if timeout == 2 * WAY else ""
    return f"{alarm} A pong takes up to {2 * WAY:g} s, and ping_timeout is {timeout:g} s.{tie}"


def unanswered(trace: Trace, *timers: float) -> str:
    """What is wrong where an ordinary goodbye was not answered in time."""
    if all(one.received == 1000 for one in trace.raised("server")):
        return ""
    return (
        f"the server gave up after {timers[2]:g} s, before the answer came. A goodbye is a"
        f" question, too, and its answer takes up to {2 * WAY:g} s."
    )


def longest(seen: Any) -> float:
    """From the unluckiest cut until the program was told (s)."""
    return max(told - cut for told, cut in zip(seen["told"], seen["cut.at"]))


def too_late(seen: Any, *timers: float) -> str:
    """What is wrong with timers that are too slow, by belief."""
    if longest(seen) <= BUDGET:
        return ""
    interval, timeout, close = timers
    late = f"told up to {longest(seen):.1f} s after the cut, and {BUDGET:g} s are allowed."
    if timeout + close > BUDGET:
        return f"{late} Two of your timers alone take so long, and the wait for a ping comes first."
    if interval + timeout <= BUDGET:
        return f"{late} By {interval + timeout:g} s it has noticed. When is the program told?"
    return f"{late} ping_timeout is not the detection time: its clock starts with a ping."


def a_minute(trace: Trace) -> float:
    """Bytes of WebSocket a minute, pings and pongs."""
    return float(observe(trace)["bytes"]) / MINUTES


def too_many(trace: Trace, *timers: float) -> str:
    """What is wrong with timers that send too much."""
    spent = a_minute(trace)
    if spent <= ALLOWED:
        return ""
    return (
        f"{spent:g} bytes a minute, more than {ALLOWED}. {BUDGET:g} s are shared by three. What the"
        " two timeouts take beyond what they need is safety, and is missing from ping_interval."
    )


SECONDS = Number("s", low=0.1, high=600)
EXERCISES = [
    Exercise(
        "04 the law",
        Code("the law, of your own making"),
        [
            Trial(
                f"{RUNS:,} random connections",
                lambda law: [law(*case) for case in cases()],
                whats_wrong,
                f"right in each of them; in {len(range(0, RUNS, TIE))} the cut and a ping came at"
                " the very same instant",
                first_miss,
            )
        ],
    ),
    Exercise(
        "04 eight seconds",
        [SECONDS, SECONDS, SECONDS],
        [
            Trial("ten quiet minutes", quiet, killed, "every pong came in time", plots.timeline),
            Trial("one lost packet", one_packet_lost, killed, "it lived", plots.timeline),
            Trial("a goodbye", goodbye, unanswered, "answered in time", plots.timeline),
            Trial(
                "124 cuts",
                cuts,
                too_late,
                lambda seen: f"the program is told within {longest(seen):.1f} s",
            ),
            Trial(
                "traffic", quiet, too_many, lambda trace: f"{a_minute(trace):.0f} bytes a minute"
            ),
        ],
    ),
]
