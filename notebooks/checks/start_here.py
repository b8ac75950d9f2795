"""Notebook 00: what happens when a cable is cut?"""

from __future__ import annotations

import asyncio
from functools import partial
from operator import ne
from typing import Any

from labkit import Cut, Experiment, Peer, Trace, plots
from labkit.plots import Ask
from labkit.trace.why import why
from labkit.values.faults import ENDS

from . import Code, Exercise, Form, Number, OneOf, Question, Trial
from .answers import NEAR
from .beliefs import sums
from .own_code import own_code, virtual

INTERVAL, TIMEOUT = 4, 3  # s
FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
NEW = Experiment(server=Peer(ping_interval=5, ping_timeout=4, close_timeout=3), faults=[Cut(at=13)])
EXIT = Experiment(
    server=Peer(ping_interval=10, ping_timeout=5, close_timeout=4), faults=[Cut(at=23)]
)  # every belief of beliefs.py gives another number


def who(trace: Trace) -> str:
    """Which end noticed."""
    noticed = [end for end in ENDS if trace.noticed_at(end) is not None]
    return "both" if len(noticed) == 2 else noticed[0] if noticed else "nobody"


def how_soon(trace: Trace) -> str:
    """How long after the first cut anybody noticed, in a word."""
    moments = [t for end in ENDS if (t := trace.noticed_at(end)) is not None]
    if not moments:
        return "never"
    delay = min(moments) - trace.experiment.cuts[0].start
    return "at once" if delay < 1 else "seconds" if delay < 60 else "minutes"


def fate(trace: Trace) -> str:
    """Whether the connection outlived the run."""
    return "live" if trace.closed_at("server") is None else "die"


ASKED = "At which times does the server ping? Which one finds nobody?"
SENDER = "A cable that is cut says nothing to either end."
QUESTIONS = [
    Question(
        "00 who notices",
        OneOf("server", "client", "both", "nobody"),
        who,
        {
            "client": f"{SENDER} Which of the two asks, and is not answered?",
            "both": f"{SENDER} The client never asks, so it misses nothing.",
            "nobody": f"{SENDER} But an end that asks and gets no answer can conclude something.",
        },
    ),
    Question(
        "00 how soon",
        OneOf("at once", "seconds", "minutes", "never"),
        how_soon,
        {
            "at once": f"{SENDER} What is there to notice at once?",
            "minutes": "That is what TCP alone would take. The server has timers of its own.",
            "never": f"{SENDER} That holds for an end that never asks. The server does.",
        },
    ),
    *(
        Question(
            id,
            Number("s", high=600),
            lambda trace: round(trace.noticed_at("server") or 0, 2),
            lambda trace, value: sums(trace.experiment, value) or ASKED,
        )
        for id in ("00 the fruit fly", "00 the exit ticket")
    ),
    *(
        Question(
            id,
            OneOf("live", "die"),
            fate,
            {"live": "The wire is whole from 14 s on. What does the ping still wait for?"},
        )
        for id in ("00 healed at 14 s", "00 healed at 14 s, again")
    ),
    Question(
        "00 two sleeps at once",
        Number("s"),
        lambda seconds: round(seconds, 1),
        {
            3: "That is one after the other. While one of them pauses, the other one runs.",
            1: "The shorter one is done by then. gather() awaits both.",
            None: "Both begin at the same moment. When is the last of the two done?",
        },
    ),
]


def delay(cut: float) -> float:
    """From a cut to noticing (s)."""
    return (virtual(FLY.but(faults=[Cut(cut)])).noticed_at("server") or 0) - cut


def other_than(wanted: float, seen: float, _: float) -> str:
    """What is wrong with a cut that is to be noticed after so many seconds."""
    if abs(seen - wanted) <= NEAR:
        return ""
    return f"noticed {seen:.2f} s after the cut. The server asked {seen - TIMEOUT:.2f} s after it."


def told_by_sum(trace: Trace, answer: float) -> str:
    """Which belief a wrong moment comes from, without the moment that is right."""
    if Number().right(answer, trace.noticed_at("server")):
        return ""
    return [*sums(NEW, answer), ASKED][0]


HEALED = FLY.but(faults=[Cut(at=9, heal=14)], until=24)


def not_saved(trace: Trace, mine: Experiment) -> str:
    """What is wrong with a change that is to save the connection."""
    if len(mine.faults) != 1:
        return "the cut has to stay, with its heal"
    count = sum(map(ne, mine.to_json().split(","), HEALED.to_json().split(",")))
    if count != 1:
        return (
            f"{count} numbers are others than in healed; change one. (A new Peer has the defaults:"
            " write all three of the server's timers.)"
        )
    return "" if fate(trace) == "live" else why(trace)


ASKS = (  # each just before its answer can be seen
    Ask(14, "The wire is whole again. What moves on it now?", ("the ping", "nothing yet")),
    Ask(
        14.9,
        "Soon the server's patience is over. What will it do?",
        ("go on waiting", "say goodbye and hang up", "ping again"),
    ),
    Ask(15.3, "TCP tries again. What arrives?", ("the ping", "everything", "nothing")),
)


def awaited(seconds: float, limit: float, code: Any) -> tuple[Any, ...]:
    """What the learner's code gave, and when (s); and what it had to give, and when."""

    async def client(_: Any) -> tuple[Any, float]:
        now = asyncio.get_running_loop().time
        begun = now()
        answer = asyncio.create_task(asyncio.sleep(seconds, "tea"))
        return await code(answer, limit), round(now() - begun, 3)

    _, found = own_code(FLY.but(faults=[], until=100), client)
    return found, ("tea", seconds) if seconds <= limit else (None, limit)


def not_within(seen: tuple[Any, ...]) -> str:
    """What is wrong with code that awaits something, for so long at most."""
    found, wanted = seen
    if not found:
        return "it never came back. Who ends the waiting?"
    given, took = found[0]
    if took > wanted[1]:
        over = "it was to give up" if wanted[0] is None else "the answer was there"
        return f"it took {took:g} s; after {wanted[1]:g} s {over}."
    if given != wanted[0]:
        return f"it gave {given!r} after {took:g} s; {wanted[0]!r} was wanted."
    return "" if took == wanted[1] else f"it came back after {took:g} s, too soon."


ANSWERS = {
    "an answer at once": (0.1, 1),
    "a slow one": (2, 1),
    "the same, with more patience": (2, 3),
    "none within an hour": (3600, 1),
}
EXERCISES = [
    *(
        Exercise(
            f"00 the {which} cut",
            Number("s", low=8, high=12),
            [Trial(name, delay, partial(other_than, after), praise)],
        )
        for which, name, after, praise in (
            ("luckiest", "soonest", TIMEOUT, "the next ping was about to go"),
            ("unluckiest", "latest", INTERVAL + TIMEOUT, "a pong was just home"),
        )
    ),
    Exercise(
        "00 a new cut",
        Number("s", high=60),
        [
            Trial(
                "when the server notices",
                lambda _: virtual(NEW),
                told_by_sum,
                lambda trace: f"the run says {trace.noticed_at('server'):g} s",
            )
        ],
    ),
    Exercise(
        "00 an answer or nothing",
        Code("a function that awaits"),
        [Trial(name, partial(awaited, *both), not_within) for name, both in ANSWERS.items()],
    ),
    Exercise(
        "00 one number that saves it",
        Form("healed.but(…)", lambda given: given if isinstance(given, Experiment) else None),
        [
            Trial(
                "it lives",
                lambda mine: virtual(mine.but(until=60)),
                not_saved,
                why,
                plots.timeline,
            )
        ],
    ),
]
