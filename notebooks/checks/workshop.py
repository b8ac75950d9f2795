"""The workshop: what a class is asked, in choices, with cards or in a room on the network.

A poll is a question of a notebook, with the run that answers it. Of numbers, the choices are the
fact as that run shows it, and some that have a belief behind them, in an order drawn by the id.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from labkit import Cut, Experiment, Freeze, Peer, plots, predict, sweep

from . import clinic
from .answers import Number, OneOf
from .catalogue import find
from .detection_law import band
from .false_alarms import TIMERS
from .own_code import virtual
from .questions import Question
from .start_here import FLY, HEALED, NEW

TALK = "Talk with your neighbour: how does each of you come to your answer? Then vote again."
AGAIN = ", again"  # ends the id of a second vote


@dataclass(frozen=True)
class Choice:
    """What can be voted for; a wrong one with the beliefs behind it."""

    value: Any
    said: str
    right: bool
    beliefs: tuple[str, ...]


@dataclass(frozen=True)
class Poll:
    """A question as a class is asked it."""

    question: Question
    ask: str
    run: Callable[[], Any]  # gives what the question's fact is read off
    draw: Callable[[Any], plots.Figure]  # what was seen → the figure that shows the answer
    wrong: tuple[float, ...] = ()  # of numbers: what can be chosen besides the fact
    means: Mapping[Any, str] = field(default_factory=dict)  # what a choice means, in words
    talk: str = TALK  # said between the two votes
    given: Callable[[], plots.Figure | str | None] = lambda: None  # shown with the question

    @property
    def id(self) -> str:
        """The name of its votes in a ledger."""
        return self.question.id

    @cached_property
    def seen(self) -> Any:
        """What was seen, by a run in virtual time."""
        return self.run()

    @cached_property
    def figure(self) -> plots.Figure:
        """The answer, drawn."""
        return self.draw(self.seen)

    @cached_property
    def fact(self) -> Any:
        """What is true; a number is rounded as long as it stays right, so as to give no hint."""
        fact, answer = self.question.fact(self.seen), self.question.answer
        whole = round(fact) if isinstance(answer, Number) else fact
        return whole if answer.right(whole, fact) else fact

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """What can be voted for: A, B, C, …"""
        answer = self.question.answer
        if isinstance(answer, OneOf):
            return tuple(map(self.choice, answer.choices))
        values = [self.fact, *self.wrong]
        random.Random(self.id).shuffle(values)
        return tuple(map(self.choice, values))

    def choice(self, value: Any) -> Choice:
        """Any value of the question's answer, judged."""
        answer = self.question.answer
        right = answer.right(value, self.fact)
        beliefs = () if right else tuple(self.question.believed(self.seen, value))
        means = self.means.get(value)
        said = answer.said(value)
        return Choice(value, f"{said}: {means}" if means else said, right, beliefs)


def _delays(server: Peer, cuts: list[float]) -> Any:
    """A sweep of cuts, each between two pings."""
    return sweep(Experiment(server, faults=[Cut(cuts[0])]), {"cut.at": cuts}, progress=False)


def _law(trace: Any) -> plots.Figure:
    return plots.timeline(trace, predict(trace.experiment))


def _worst(seen: Any) -> plots.Figure:
    """The unluckiest cut of a sweep."""
    delays = seen["told"] - seen["cut.at"]
    at = float(seen["cut.at"][delays.idxmax()])
    return _law(virtual(seen.attrs["experiment"].but(faults=[Cut(at)])))


def _causes() -> dict[str, str]:
    """What is wrong with each cause of the first mystery; "" is right."""
    trials = clinic.mystery(1).trials
    assert not callable(trials)
    (trial,) = trials
    return {cause: trial.wants(trial.run(cause), cause) for cause in clinic.TAKEN_AWAY}


def _log() -> str:
    with contextlib.redirect_stdout(io.StringIO()) as lines:
        clinic.show(1)
    return lines.getvalue()


MYSTERY = Question(
    "11 mystery 1",
    OneOf(*clinic.TAKEN_AWAY),
    lambda causes: next(cause for cause, wrong in causes.items() if not wrong),
    lambda causes, cause: causes[cause],
)
WHEN = find("00 the fruit fly", "QUESTIONS")
POLLS = [
    Poll(
        find("00 who notices", "QUESTIONS"),
        "A server and a client are joined by a cable. Each end has a lamp, which is green as long"
        " as it believes that all is well. Somebody pulls the cable. Which end notices?",
        partial(virtual, FLY),
        lambda trace: plots.timeline(trace, timers=False),
    ),
    Poll(
        WHEN,
        "Every 4 s the server asks: still there? It waits 3 s for an answer. If none comes, it says"
        " goodbye, waits 2 s more and gives up. The client only answers. The cable is cut at 9 s."
        " At which second does the first end notice?",
        partial(virtual, FLY),
        _law,
        wrong=(12, 16, 17),
        given=lambda: plots.setup(FLY),
    ),
    Poll(
        find("00 healed at 14 s", "QUESTIONS"),
        "The cable is cut at 9 s. The server asks at 12 s, and waits for the answer until 15 s."
        " Somebody mends the cable at 14 s. Will the connection live or die?",
        partial(virtual, HEALED),
        _law,
        talk="TCP keeps each byte until the other machine has acknowledged it. But nobody tells it"
        " that a cable is mended: it tries again now and then, and each pause is twice as long as"
        " the one before. What has to happen between 14 s and 15 s? Talk, then vote again.",
    ),
    Poll(
        find("04 the fruit fly: max", "QUESTIONS"),
        "The same server: it asks every 4 s, waits 3 s for the answer, and 2 s more. Now the cable"
        " is cut 200 times, each time at another moment between two of its questions. How long"
        " after the cut does the server notice, at worst?",
        lambda: _delays(FLY.server, [8 + n / 50 for n in range(1, 201)]),
        lambda delays: plots.distribution(delays, band=band(FLY)),
        wrong=(3, 4, 9),
    ),
    Poll(
        find("04 the defaults, told: max", "QUESTIONS"),
        "If you set no timers, websockets pings every 20 s, waits 20 s for the pong, and after its"
        " goodbye gives the other end 10 s. Somebody pulls the plug, and your program sits in"
        " recv(). How long after the cut is the program told, at worst?",
        lambda: _delays(Peer(), [60 + n / 10 for n in range(1, 201)]),
        _worst,
        wrong=(20, 30, 40),
    ),
    Poll(
        find("07 a busy client", "QUESTIONS"),
        "Nobody cuts anything now. The server asks every 4 s, and waits 3 s for the answer. From"
        " 9 s to 20 s the client's program computes, and its event loop does nothing else. What"
        " becomes of the connection?",
        lambda: virtual(Experiment(Peer(**TIMERS), faults=[Freeze(9, end="client", thaw=20)])),
        plots.lag,
    ),
    Poll(
        MYSTERY,
        "A log of a server. It pings every 10 s, and waits 5 s for the pong. What was it?",
        _causes,
        lambda _: plots.lag(virtual(clinic.MYSTERIES[1].experiment)),
        means={
            "no pong": "the peer did not answer",
            "own loop": "the event loop that wrote this log was blocked",
            "slow way": "everything arrives, but too late",
            "idle box": "something on the way forgets connections on which nobody speaks",
        },
        given=_log,
    ),
    Poll(
        dataclasses.replace(WHEN, id="00 a new cut"),
        "Another server asks every 5 s. It waits 4 s for an answer, and after its goodbye 3 s more."
        " The cable is cut at 13 s. At which second does the server notice?",
        partial(virtual, NEW),
        _law,
        wrong=(15, 17, 22),
        given=lambda: plots.setup(NEW),
    ),
]
