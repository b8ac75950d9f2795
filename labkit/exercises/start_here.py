"""The exercises of notebook 00, judged by experiment.

1. At which moments does a cut stay unnoticed for the shortest, and for the longest time?
2. A connection that you have not seen: when will it be noticed, within 0.1 s?
"""

from __future__ import annotations

from typing import Any

from ..running import run
from ..values.experiment import Experiment, Peer
from ..values.faults import Cut
from .answers import is_number
from .beliefs import explain

INTERVAL, TIMEOUT = 4, 3  # s
FLY = Experiment(
    server=Peer(ping_interval=INTERVAL, ping_timeout=TIMEOUT, close_timeout=2), faults=[Cut(at=9)]
)
NEW = Experiment(server=Peer(ping_interval=5, ping_timeout=4, close_timeout=3), faults=[Cut(at=13)])
WINDOW = (8, 12)  # s: from one ping to the next
CLOSE_ENOUGH = 0.1  # s


def check_soonest_and_latest(soonest: Any = ..., latest: Any = ...) -> None:
    """Exercise 1: a cut between 8 s and 12 s that is noticed after the shortest time, and one after the longest."""
    _one_end(
        "soonest",
        soonest,
        TIMEOUT,
        "a cut is noticed soonest when the next ping is already on its heels",
    )
    _one_end(
        "latest",
        latest,
        INTERVAL + TIMEOUT,
        "a cut stays unnoticed longest when a pong has just made it home",
    )


def _one_end(name: str, at: Any, limit: float, why: str) -> None:
    """Run the learner's cut, tell what happened, and hold the delay (s) against the one that no cut can beat."""
    cut = _seconds(name, at, *WINDOW)
    if cut is None:
        return
    noticed = run(FLY.but(faults=[Cut(at=cut)]), "virtual").noticed_at("server")
    assert noticed is not None
    ping, delay = noticed - TIMEOUT, noticed - cut
    print(
        f"{name}: cable cut at {cut:g} s · the next ping goes out at {ping:g} s · no pong for {TIMEOUT:g} s · noticed at {noticed:g} s"
    )
    if abs(delay - limit) <= CLOSE_ENOUGH:
        print(f"   ✓ {delay:.2f} s after the cut: {why}")
    else:
        print(f"   not yet: noticed {delay:.2f} s after the cut. {_nudge(name, cut, ping)}")


def _nudge(name: str, cut: float, ping: float) -> str:
    if name == "soonest":
        return f"The server only asked {ping - cut:.2f} s later: move the cut closer to the ping that will miss its pong"
    return f"The next ping came already {ping - cut:.2f} s later: let the cut begin earlier, but after the pong of 8 s is home"


def check_new_cut(seconds: Any = ...) -> None:
    """Exercise 2: interval 5, timeout 4, close 3, cut at 13: when does the server notice?"""
    answer = _seconds("your answer", seconds, 0, 60)
    if answer is None:
        return
    noticed = run(NEW, "virtual").noticed_at("server")
    assert noticed is not None
    if abs(answer - noticed) <= CLOSE_ENOUGH:
        print(
            f"✓ the run says {noticed:g} s: the ping of {noticed - 4:g} s found nobody, and ping_timeout is 4 s"
        )
        return
    belief = explain(NEW, answer)
    print(f"not yet: {answer:g} s is not when the server notices.")
    print(
        f"   {answer:g} is {belief.sum}: {_without(belief.answer, noticed)}"
        if belief
        else "   At which times does the server ping? Which ping is the first to find nobody?"
    )


def _without(text: str, noticed: float) -> str:
    """The answer to a belief, unless it would give the solution away."""
    return (
        text
        if f"{noticed:g}" not in text
        else "write down the times of the pings, and go on from the first that is stuck"
    )


def _seconds(name: str, given: Any, low: float, high: float) -> float | None:
    """A learner's number of seconds; None (and a word) if there is none yet."""
    if given is ... or given is None:
        print(f"{name}: your turn – replace the ... by a number of seconds")
    elif not is_number(given):
        print(f"{name}: expected a number of seconds, seen {given!r}")
    elif not low <= given <= high:
        print(f"{name}: expected a number from {low} to {high} s, seen {given:g}")
    else:
        return float(given)
    return None
