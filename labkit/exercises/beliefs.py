"""Which belief a number comes from: every wrong sum gives another number, so a wrong guess names its belief.

With the fruit fly (interval 4, timeout 3, close 2, cut at 9; noticed at 15, told at 17):

    9 at once · 12 cut + timeout · 13 cut + interval · 14 cut + timeout + close · 16 the worst case · 18 everything added
"""

from __future__ import annotations

from dataclasses import dataclass

from ..theory import predict
from ..values.experiment import Experiment

NEAR = 0.25  # s: as near as this, a number is taken for the belief's


@dataclass(frozen=True)
class Belief:
    """A way to arrive at a number of seconds, and what is wrong (or right) about it."""

    seconds: float
    sum: str  # how the number is made: "cut + ping_timeout"
    answer: str


def beliefs(experiment: Experiment) -> list[Belief]:
    """The beliefs about when the server notices the first cut, the most telling first; the true moment is among them."""
    server, cut, prediction = experiment.server, experiment.cuts[0].start, predict(experiment)
    interval, timeout, close = (
        _number(server.ping_interval),
        _number(server.ping_timeout),
        _number(server.close_timeout),
    )
    noticed, told = _number(prediction.noticed_at("server")), _number(prediction.told_at("server"))
    ping = noticed - timeout
    grid = f"pings stand at {_grid(interval, ping)}"
    rows = [
        (
            noticed,
            f"{ping:g} + {timeout:g}",
            f"the first ping after the cut goes out at {ping:g} s, and waits ping_timeout for a pong",
        ),
        (
            told,
            f"{ping:g} + {timeout:g} + {close:g}",
            "that is when the application is told; the server notices before, when it leaves OPEN",
        ),
        (
            cut,
            "the cut itself",
            "nothing arrives at either end when a cable is cut, so there is nothing to notice yet",
        ),
        (
            cut + timeout,
            "cut + ping_timeout",
            f"but ping_timeout starts with a ping, not with the cut, and {grid}",
        ),
        (
            cut + interval,
            "cut + ping_interval",
            f"but {grid}: the clock did not restart at the cut",
        ),
        (
            ping,
            "the first ping after the cut",
            "the server has only asked by then; it waits ping_timeout for the answer",
        ),
        (
            cut + timeout + close,
            "cut + ping_timeout + close_timeout",
            f"but the waiting starts with the ping at {ping:g} s, and close_timeout comes after noticing",
        ),
        (
            cut + interval + timeout,
            "cut + ping_interval + ping_timeout",
            f"that is the worst case, a cut right after a pong; here the next ping was only {ping - cut:g} s away",
        ),
        (
            cut + interval + timeout + close,
            "everything added",
            f"that is the worst case for being told; {grid}, and noticing needs no close_timeout",
        ),
    ]
    return [Belief(float(seconds), how, why) for seconds, how, why in rows]


def explain(experiment: Experiment, seconds: float) -> Belief | None:
    """The belief that a guess (s) comes from; None if it fits none."""
    return next(
        (belief for belief in beliefs(experiment) if abs(belief.seconds - seconds) <= NEAR), None
    )


def _number(value: float | None) -> float:
    if value is None:
        raise ValueError(
            "beliefs are about a cut that the server notices: expected timers that are not None"
        )
    return value


def _grid(interval: float, ping: float) -> str:
    first = range(1, round(ping / interval) + 1)
    times = [f"{count * interval:g}" for count in first]
    return ", ".join(times if len(times) <= 4 else ["…", *times[-3:]])
