"""Notebook 00: what happens when a cable is cut?"""

from __future__ import annotations

from labkit import Cut, Experiment, Peer, Trace, run
from labkit.values.faults import ENDS

from .answers import Number, OneOf
from .beliefs import sums
from .exercises import Exercise, Trial
from .questions import Question

INTERVAL, TIMEOUT = 4, 3  # s
FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
NEW = Experiment(server=Peer(ping_interval=5, ping_timeout=4, close_timeout=3), faults=[Cut(at=13)])


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


SENDER = "A cable that is cut says nothing to either end."
QUESTIONS = [
    Question(
        "00 who notices",
        OneOf("server", "client", "both", "nobody"),
        who,
        {
            "client": f"{SENDER} Which of the two asks, and is not answered?",
            "both": f"{SENDER} The client never asks, so it misses nothing.",
            "nobody": f"{SENDER} But who asks and hears no answer can draw a conclusion.",
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
    Question(
        "00 the fruit fly",
        Number("s", high=600),
        lambda trace: trace.noticed_at("server"),
        lambda trace, value: sums(trace.experiment, value),
    ),
    Question(
        "00 healed at 14 s",
        OneOf("live", "die"),
        fate,
        {"live": "The wire is whole from 14 s on. What does the ping still wait for?"},
    ),
]


def delay(cut: float) -> tuple[float, float]:
    """From a cut (s) to the next ping, and to noticing (s)."""
    noticed = run(FLY.but(faults=[Cut(at=cut)]), "virtual", progress=False).noticed_at("server")
    assert noticed is not None
    return noticed - TIMEOUT - cut, noticed - cut


def soonest(seen: tuple[float, float], _: float) -> str:
    """What is wrong with a cut that is to be noticed as soon as can be."""
    to_ping, to_notice = seen
    if to_notice <= TIMEOUT + 0.1:
        return ""
    return f"noticed {to_notice:.2f} s after the cut. The server only asked {to_ping:.2f} s later."


def latest(seen: tuple[float, float], _: float) -> str:
    """What is wrong with a cut that is to be noticed as late as can be."""
    to_ping, to_notice = seen
    if to_notice >= INTERVAL + TIMEOUT - 0.1:
        return ""
    return (
        f"noticed {to_notice:.2f} s after the cut. A ping went out already {to_ping:.2f} s later."
    )


def told_by_sum(trace: Trace, answer: float) -> str:
    """Which belief a wrong moment comes from, without the moment that is right."""
    noticed = trace.noticed_at("server")
    if Number().right(answer, noticed):
        return ""
    hints = [text for text in sums(NEW, answer) if f"{noticed:g}" not in text]
    return hints[0] if hints else "At which times does the server ping? Which one finds nobody?"


A_CUT = Number("s", low=8, high=12)
EXERCISES = [
    Exercise(
        "00 the luckiest cut",
        A_CUT,
        [Trial("noticed soonest", delay, soonest, "the next ping was already on its way")],
    ),
    Exercise(
        "00 the unluckiest cut",
        A_CUT,
        [Trial("noticed latest", delay, latest, "a pong had just made it home")],
    ),
    Exercise(
        "00 a new cut",
        Number("s", high=60),
        [
            Trial(
                "when the server notices",
                lambda _: run(NEW, "virtual", progress=False),
                told_by_sum,
                lambda trace: f"the run says {trace.noticed_at('server'):g} s",
            )
        ],
    ),
]
