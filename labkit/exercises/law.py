"""Notebook 04: the guesses about 200 delays, and the learner's law, held against 1,000 runs.

A law is a function of ping_interval, ping_timeout and the moment of the cut (all in s) that gives the moment at which the server
notices. It is judged by runs of websockets in virtual time, never by a formula; the formulas below are wrong ones, each the
law of a belief, so that a wrong function can be told where it comes from. The runs lie on a grid of quarters of a second,
which floats hold exactly, and one in five is cut at the very instant of a ping.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from matplotlib.axes import Axes

from ..engine.progress import Bar
from ..plots import timeline
from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import Cut
from .answers import is_number
from .guess import Ledger

RUNS = 1000
NEAR = 0.02  # of it, and 0.1 s: as near as this, a guess is right; a law has to be exact
NAMES = ("min", "mean", "max")
Law = Callable[[float, float, float], Any]


# the guesses


@dataclass(frozen=True)
class Delays:
    """What a learner expects of many delays (s from the cut): each may be left open (None)."""

    question: str
    min: float | None = None
    mean: float | None = None
    max: float | None = None

    @property
    def made(self) -> dict[str, float]:
        """What was guessed, by name."""
        return {name: value for name in NAMES if (value := getattr(self, name)) is not None}

    def __repr__(self) -> str:
        said = [f"{name} {value:g} s" for name, value in self.made.items()]
        return (
            f"your guess is locked: {', '.join(said)}"
            if said
            else "no guess made (yet): replace the ... above by what you expect"
        )


def guess_delays(question: str, min: Any = ..., mean: Any = ..., max: Any = ...) -> Delays:
    """Lock guesses about the smallest, the mean and the largest delay (s); what is ``...`` is left open."""
    given = dict(zip(NAMES, (min, mean, max)))
    for name, value in given.items():
        if value is not ... and not is_number(value):
            print(
                f"{name}: a guess in seconds is a number, such as 2.5; seen {value!r}, so it is left open"
            )
    made = Delays(
        question, **{name: float(value) for name, value in given.items() if is_number(value)}
    )
    print(made)
    return made


def settle_delays(made: Delays, seen: Any, moment: str = "noticed") -> None:
    """Say what became of the guesses about a sweep, by belief, and keep them in the ledger; ``moment`` is "noticed" or "told"."""
    if not made.made:
        print(
            "no guess made, so there is nothing to settle; guess first, the next run surprises you more"
        )
        return
    delays = list(seen[moment] - seen["cut.at"])
    truths = dict(zip(NAMES, (min(delays), sum(delays) / len(delays), max(delays))))
    for name, value in made.made.items():
        print(
            _verdict(
                name, value, truths[name], _origin(seen.attrs["experiment"].server, value, moment)
            )
        )
        Ledger().keep(f"{made.question}: {name}", value, truths[name])


def band(experiment: Experiment) -> tuple[float, float]:
    """From when to when after a cut the server may notice (s), as theory has it for a quiet connection on a fast wire."""
    interval, timeout = experiment.server.ping_interval, experiment.server.ping_timeout
    if interval is None or timeout is None:
        raise ValueError(
            "there is a band only where a cut is noticed: expected ping_interval and ping_timeout that are not None"
        )
    return float(timeout), float(interval + timeout)


def _verdict(name: str, value: float, truth: float, origin: str) -> str:
    words = " – right" if _near(value, truth) else f". {value:g} is {origin}" if origin else ""
    return f"{name}: you said {value:g} s, and it was {truth:.2f} s{words}"


def _near(value: float, truth: float) -> bool:
    return abs(value - truth) <= 0.1 + NEAR * truth


def _origin(peer: Peer, value: float, moment: str) -> str:
    """Where a wrong number of seconds may come from; "" if it is no known sum."""
    interval, timeout, close = (
        peer.ping_interval or 0.0,
        peer.ping_timeout or 0.0,
        peer.close_timeout or 0.0,
    )
    always = [
        (0.0, "at once; but nothing arrives when a cable is cut, so there is nothing to notice"),
        (
            interval,
            "ping_interval; but the server has only asked by then, and pings stand on a grid that no cut moves",
        ),
        (close, "close_timeout, which starts only when the server has noticed"),
        (
            interval / 2,
            "half of ping_interval, the average wait for the next ping; and that ping waits for its pong",
        ),
        (
            (interval + timeout) / 2,
            "half of ping_interval + ping_timeout; but only the wait for the ping varies, ping_timeout is always spent",
        ),
        (
            interval + timeout,
            "ping_interval + ping_timeout, when the server notices a cut right after a pong",
        ),
        (
            timeout + close,
            "ping_timeout + close_timeout, when the program is told of a cut right before a ping",
        ),
        (
            interval + timeout + close,
            "everything added, when the program is told of a cut right after a pong",
        ),
    ]
    first = {
        "noticed": (
            timeout,
            "ping_timeout; but its clock starts with a ping, and a cut does not wait for one",
        ),
        "told": (
            timeout,
            "ping_timeout; but its clock starts with a ping, and when it ends, the program is told close_timeout later",
        ),
    }
    return next(
        (words for seconds, words in [first[moment], *always] if abs(seconds - value) <= 0.1), ""
    )


# the law


@dataclass(frozen=True)
class Case:
    """One quiet connection that is cut: ping_interval, ping_timeout, and when (s)."""

    interval: float
    timeout: float
    cut: float

    @property
    def experiment(self) -> Experiment:
        """It, ready to run."""
        peer = Peer(ping_interval=self.interval, ping_timeout=self.timeout, close_timeout=1)
        return Experiment(server=peer, faults=[Cut(at=self.cut)])


@dataclass(frozen=True)
class WrongLaw:
    """The law that a belief amounts to, and what to say to it."""

    law: Law
    sum: str
    answer: str


WRONG = [
    WrongLaw(
        lambda i, t, c: (c // i + 1) * i + t,
        "the first ping strictly after the cut",
        "Right, but for a cut at the very instant of a ping: the cut comes first, so that ping is stuck already.",
    ),
    WrongLaw(
        lambda i, t, c: c + t,
        "cut + timeout",
        "But ping_timeout starts with a ping, not with the cut.",
    ),
    WrongLaw(
        lambda i, t, c: c + i,
        "cut + interval",
        "But the clock of the pings does not restart at the cut; and who waits for the pong?",
    ),
    WrongLaw(
        lambda i, t, c: c + i + t,
        "cut + interval + timeout",
        "That is the worst case; most cuts come nearer to the next ping.",
    ),
    WrongLaw(
        lambda i, t, c: c + i / 2 + t,
        "cut + interval/2 + timeout",
        "That is right on average, and so for hardly any single cut.",
    ),
    WrongLaw(
        lambda i, t, c: math.ceil(c / i) * i,
        "the ping that is stuck, without timeout",
        "By then the server has only asked; it waits for the answer before it draws conclusions.",
    ),
    WrongLaw(
        lambda i, t, c: c // i * i + t,
        "the last ping before the cut, + timeout",
        "But that ping was answered while the wire was whole; which is the first that is not?",
    ),
    WrongLaw(
        lambda i, t, c: (math.ceil(c / i) - 1) * i + t,
        "one ping too early",
        "If you count pings from 0: at 0 s there is none, the first goes out at ping_interval.",
    ),
    WrongLaw(
        lambda i, t, c: (math.ceil(c / i) + 1) * i + t,
        "one ping too late",
        "A single ping without a pong is enough.",
    ),
    WrongLaw(
        lambda i, t, c: round(c / i) * i + t,
        "the ping nearest to the cut (round), + timeout",
        "But the nearest ping is often one before the cut, and that one was answered; round up, not to the nearest.",
    ),
    WrongLaw(
        lambda i, t, c: math.ceil(c / i) + t,
        "the number of the ping, + timeout",
        "A number is not a moment yet: when does ping number n go out?",
    ),
    WrongLaw(
        lambda i, t, c: math.ceil(c / i) * i + t - c,
        "the delay",
        "It counts from the cut; asked for is the moment on the axis of the run, counted from its start.",
    ),
    WrongLaw(
        lambda i, t, c: i + t,
        "interval + timeout",
        "That does not depend on the cut; the grid of the pings goes on and on.",
    ),
    WrongLaw(
        lambda i, t, c: i + math.ceil(max(0.0, c - i) / (i + t)) * (i + t) + t,
        "pings every interval + timeout",
        "But the server does not sit out ping_timeout when the pong is there: pings stand ping_interval apart.",
    ),
]


def cases(count: int, seed: int = 4) -> list[Case]:
    """Random quiet connections, the same each time; every fifth is cut at the instant of a ping."""
    dice = random.Random(seed)
    found = []
    for number in range(count):
        interval, timeout = dice.randint(2, 40) / 4, dice.randint(2, 40) / 4
        cut = (
            dice.randint(1, 4) * interval
            if number % 5 == 0
            else dice.randint(1, int(16 * interval)) / 4
        )
        found.append(Case(interval, timeout, cut))
    return found


@cache
def facts(count: int) -> list[float]:
    """When the server noticed (s), in a run of each case; kept, so that a second try is judged at once."""
    found = []
    with Bar(count) as bar:
        for case in cases(count):
            trace = run(case.experiment, "virtual", record=False, progress=False)
            noticed = trace.noticed_at("server")
            assert noticed is not None
            found.append(noticed)
            bar.advance()
    return found


def check_law(noticed_at: Any = ...) -> Axes | None:
    """Exercise 1: hold ``noticed_at(interval, timeout, cut)`` against 1,000 runs; gives the picture of a run that it gets wrong."""
    said = _answers(noticed_at)
    if said is None:
        return None
    tried = list(zip(cases(RUNS), said, facts(RUNS)))
    wrong = [(case, value, truth) for case, value, truth in tried if not abs(value - truth) < 1e-6]
    if not wrong:
        ties = sum(case.cut % case.interval == 0 for case, _, _ in tried)
        print(
            f"✓ {RUNS:,} of {RUNS:,} runs, each to the microsecond; in {ties} of them the cut came at the very instant of a ping"
        )
        return None
    print(f"not yet: right in {RUNS - len(wrong):,} of {RUNS:,} runs.")
    belief = origin(said)
    print(
        f"   Your function is {belief.sum}. {belief.answer}"
        if belief
        else "   Which ping is the first that finds nobody?",
        "\n",
    )
    case, value, _ = min(wrong, key=lambda one: _plain(one[0], one[1] - one[2]))
    trace = run(case.experiment, "virtual", progress=False)
    print(*story(trace, value), sep="\n")
    return timeline(trace, guess=SimpleNamespace(seconds=value, label="your law"))


def origin(said: Sequence[float]) -> WrongLaw | None:
    """The belief whose law gives these numbers in nine cases of ten, and in more than any other."""

    asked = cases(len(said))

    def agreement(wrong: WrongLaw) -> int:
        return sum(
            abs(wrong.law(case.interval, case.timeout, case.cut) - value) < 1e-6
            for case, value in zip(asked, said)
        )

    best = max(WRONG, key=agreement)
    return best if agreement(best) >= 0.9 * len(said) else None


def story(trace: Trace, said: float) -> list[str]:
    """What happened in a run, as sentences, and what the learner's function says of it."""
    server, cut = trace.experiment.server, trace.experiment.cuts[0].start
    pings = [frame for frame in trace.frames("server") if frame.opcode == "PING"]
    answered, stuck = (
        [p.sent_at for p in pings if (p.arrived_at is None) == lost] for lost in (False, True)
    )
    words = [f"{t:g}" for t in answered]
    before = (
        f"answered: the ping{'s' * (len(words) > 1)} of {', '.join(words)} s"
        if words
        else "no ping had been sent yet"
    )
    rows = [
        ("before the cut", before),
        (
            f"at {stuck[0]:g} s",
            "a ping is sent, and is stuck" + (": the cut came first" if stuck[0] == cut else ""),
        ),
        (
            f"at {trace.noticed_at('server'):g} s",
            f"no pong for {server.ping_timeout:g} s: the server notices",
        ),
        ("your function", f"{said:g} s"),
    ]
    asked = f"interval {server.ping_interval:g} s, timeout {server.ping_timeout:g} s, cable cut at {cut:g} s"
    return [
        f"One of those that it gets wrong: {asked}",
        *(f"   {when:16}{what}" for when, what in rows),
    ]


def _answers(noticed_at: Any) -> list[float] | None:
    """What the learner's function says of every case; None (and a word) if it is not finished."""
    if not callable(noticed_at):
        seen = "" if noticed_at is ... else f"; seen {noticed_at!r}"
        print(
            f"your turn – check_law takes your function, without calling it: check_law(noticed_at){seen}"
        )
        return None
    said: list[float] = []
    for case in cases(RUNS):
        call = f"noticed_at({case.interval:g}, {case.timeout:g}, {case.cut:g})"
        try:
            value = noticed_at(case.interval, case.timeout, case.cut)
        except Exception as problem:
            unfinished = isinstance(problem, TypeError) and "ellipsis" in str(problem)
            print(
                "your turn – there is still a ... to replace"
                if unfinished
                else f"{call} raised {type(problem).__name__}: {problem}"
            )
            return None
        if value is ...:
            print("your turn – replace the three ... by the law")
            return None
        if not is_number(value):
            print(
                f"{call} gave {value!r}: expected a number of seconds"
                + ("; does it end with return?" if value is None else "")
            )
            return None
        said.append(float(value))
    return said


def _plain(case: Case, error: float) -> tuple[bool, float]:
    """How hard a run is to look at: two or three pings, times of like size and an error that shows make an easy picture."""
    lengths = (case.interval, case.timeout, 5.0)
    pings = case.cut / case.interval
    crowded = not 2 < pings < 3 or abs(error) < 0.5 or case.interval == case.timeout
    return crowded, max(lengths) / min(lengths) + (
        case.interval % 1 + case.timeout % 1 + case.cut % 1
    )
