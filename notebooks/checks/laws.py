"""Notebook 04's law, held against 1,000 runs.

A law is a function of ping_interval, ping_timeout and the moment of a cut (s) that gives the
moment at which the server notices. Runs of websockets judge it, never a formula; the formulas
below are wrong ones, each the law of a belief.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from labkit import Cut, Experiment, Peer, Trace, plots
from labkit.engine.progress import Bar

from .answers import is_number
from .own_code import virtual

RUNS = 1000
TIE = 33  # one run in so many is cut at the very instant of a ping


class Case(NamedTuple):
    """One quiet connection that is cut (s)."""

    interval: float
    timeout: float
    cut: float


def wrong_laws(interval: float, timeout: float, cut: float) -> dict[str, float]:
    """When the server would notice (s) if a belief were right, by the belief."""
    number = math.ceil(cut / interval)
    stuck, before, nearest = (
        n * interval for n in (number, cut // interval, round(cut / interval))
    )
    return {
        "It takes the first ping after the cut. But of a cut and a ping at the very same instant,"
        " the cut comes first here.": before + interval + timeout,
        "It is cut + timeout. But the waiting starts with a ping.": cut + timeout,
        "It is cut + interval. But no cut moves the grid of the pings.": cut + interval,
        "It is cut + interval + timeout, which is the worst case.": cut + interval + timeout,
        "It is the moment of the ping that is stuck. By then the server has only asked.": stuck,
        "It takes the last ping before the cut. But that one was answered.": before + timeout,
        "It takes the ping nearest to the cut, which is often one before it:"
        " that was answered.": nearest + timeout,
        "It takes a ping's number for its moment. When does ping number n go out?": number
        + timeout,
        "It is the delay, from the cut on."
        " Asked for is the moment, from the start of the run.": stuck + timeout - cut,
    }


@cache
def cases() -> list[Case]:
    """Random quiet connections, in eighths of a second, which floats hold exactly."""
    dice = random.Random(4)
    found = []
    for number in range(RUNS):
        interval, timeout = dice.randint(2, 40) / 4, dice.randint(2, 40) / 4
        cut = dice.randrange(1, int(32 * interval), 2) / 8  # an odd eighth: never with a ping
        if number % TIE == 0:
            cut = dice.randint(1, 4) * interval
        found.append(Case(interval, timeout, cut))
    return found


def trace_of(case: Case, record: bool = True) -> Trace:
    """A run of it."""
    peer = Peer(ping_interval=case.interval, ping_timeout=case.timeout, close_timeout=1)
    experiment = Experiment(server=peer, faults=[Cut(at=case.cut)])
    return virtual(experiment, record=record)


@cache
def facts() -> list[float]:
    """When the server noticed in each case (s); kept, so that a second try is judged at once."""
    found = []
    with Bar(RUNS) as bar:
        for case in cases():
            noticed = trace_of(case, record=False).noticed_at("server")
            assert noticed is not None
            found.append(noticed)
            bar.advance()
    return found


def differs(value: Any, fact: float) -> bool:
    """Whether a law is wrong, or gives no number at all."""
    return not is_number(value) or abs(value - fact) >= 1e-6


def misses(said: Sequence[float]) -> list[tuple[Case, float]]:
    """The cases that a law gets wrong, and what it says; those that are plain to see first."""
    tried = zip(cases(), said, facts())
    wrong = [(case, value) for case, value, fact in tried if differs(value, fact)]
    return sorted(wrong, key=lambda row: crowded(row[0]))


def crowded(case: Case) -> tuple[bool, float]:
    """How hard its picture is to read: best are two or three pings, and times of like size."""
    return not 1.5 < case.cut / case.interval <= 3, max(case) / min(case)


def whats_wrong(said: Sequence[Any]) -> str:
    """What is wrong with a law: its belief, and the story of a run that it gets wrong."""
    odd = [(case, value) for case, value in zip(cases(), said) if not is_number(value)]
    if odd:
        call = ", ".join(f"{value:g}" for value in odd[0][0])
        ends = "; does it end with return?" if odd[0][1] is None else ""
        return f"({call}) gave {odd[0][1]!r}, and that is no number of seconds{ends}"
    wrong = misses(said)
    if not wrong:
        return ""
    right = RUNS - len(wrong)
    return "\n   ".join([f"right in {right:,} of {RUNS:,} runs. {belief(said)}", *story(*wrong[0])])


def belief(said: Sequence[float]) -> str:
    """What is behind a law: the wrong one that it agrees with most, and in nine of ten cases."""
    agree = Counter(
        words
        for case, value in zip(cases(), said)
        for words, moment in wrong_laws(*case).items()
        if abs(moment - value) < 1e-6
    )
    found = [words for words, count in agree.most_common(1) if count >= 0.9 * RUNS]
    return found[0] if found else "Which ping is the first that finds nobody?"


def story(case: Case, said: float) -> list[str]:
    """What happened in a run, and what a law says of it."""
    trace = trace_of(case)
    pings = trace.frames("server", "PING")
    answered = [f"{ping.sent_at:g}" for ping in pings if ping.arrived_at is not None]
    stuck = pings[len(answered)].sent_at
    return [
        f"One of the others: interval {case.interval:g} s, timeout {case.timeout:g} s,"
        f" cut at {case.cut:g} s. Your function says {said:g} s.",
        f"Pings that were answered: {', '.join(answered) or 'none yet'}",
        f"{stuck:g} s: a ping is stuck{': the cut came first' if stuck == case.cut else ''}",
        f"{trace.noticed_at('server'):g} s: the server notices",
    ]


def first_miss(said: Sequence[float]) -> Any:
    """The picture of a run that a law gets wrong."""
    case, value = misses(said)[0]
    if not is_number(value):
        return None
    return plots.timeline(trace_of(case), guess=SimpleNamespace(seconds=value, label="your law"))
