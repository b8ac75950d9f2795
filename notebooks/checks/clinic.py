"""Notebook 11: five mysteries of which one sees the log only, and two fixes.

A cause is judged by taking it away and running the connection again.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit import Cut, Delay, Experiment, Freeze, Idle, Peer, Send, StopReading, Trace
from labkit.yours.whereabouts import Where

from . import Code, Exercise, Number, OneOf, Question, Trial
from .own_code import GONE, own_code, virtual

NOON = datetime.datetime(2026, 3, 2, 11, 59, 30)
TIMERS: dict[str, Any] = dict(ping_interval=10, ping_timeout=5, close_timeout=2)
TAKEN_AWAY = {"no pong": Cut, "own loop": Freeze, "slow way": Delay, "idle box": Idle}
AGAINST = {  # what in a log speaks against a cause
    "no pong": "Is there a last PING without its PONG, and did this end send the first CLOSE?",
    "own loop": "A blocked loop reads late, then all at once. Which `<` lines share an instant?",
    "slow way": "On a slow way all that comes is late. Compare the times of the last `<` lines.",
    "idle box": "A box that forgets leaves no CLOSE, only EOF, after a long and round silence.",
}


@dataclass(frozen=True)
class Mystery:
    """An experiment with one thing wrong, and the end whose log is shown."""

    end: str
    experiment: Experiment
    mark: str  # the line that gives it away


PINGS = Peer(**TIMERS)
BOX = Idle(at=0, after=60, then="fin")


def wrong(*faults: Any, server: Peer = PINGS, until: float = 90) -> Experiment:
    """A pair on which this happens."""
    return Experiment(server=server, faults=list(faults), latency=0.2, until=until)


MYSTERIES = {
    1: Mystery(
        "server",
        wrong(Freeze(20.1, end="server", thaw=28.5)),
        "the pong had come, and stands in the same instant as the timeout",
    ),
    2: Mystery(
        "client",
        wrong(Delay(23, latency=3)),
        "the last ping came 3 s late and was answered at once; the CLOSE was as late",
    ),
    3: Mystery("server", wrong(Cut(23)), "no PONG below the last PING, and this end sent CLOSE"),
    4: Mystery(
        "server",
        wrong(Send(7, end="client", size=40), BOX, server=Peer(ping_interval=None)),
        "no CLOSE at all, and EOF a minute after the last frame",
    ),
}
SILENT = Experiment(  # the fifth
    server=Peer(**TIMERS, send_every=0.5, send_size=40000, buffer=4096),
    client=Peer(buffer=4096),
    faults=[Cut(23.2)],
    until=90,
)


@functools.cache
def log(number: int) -> tuple[str, ...]:
    """The log of a mystery, as production writes it; 5: its program says something, too."""
    mystery = MYSTERIES.get(number) or Mystery("server", SILENT, "")
    trace = virtual(mystery.experiment)
    lines = ((clock(float(line[:9])), line[10:]) for line in trace.log(mystery.end))
    rows = tuple(
        f"{at} {'DEBUG' if line[0] in '=<>%-x' else 'INFO'} websockets.{mystery.end} {line}"
        for at, line in lines
    )
    fine = (f"{clock(30 + 10 * n)} INFO app statistics: fine" for n in range(6))
    return (*rows, *fine) if number == 5 else rows


def show(number: int, last: int = 12) -> None:
    """The last lines of a mystery's log, with their numbers; messages are cut short."""
    rows = log(number)
    print(f"… {len(rows) - last} lines before")
    for place, row in enumerate(rows[-last:], start=len(rows) - last + 1):
        print(f"{place:4} {row if ' BINARY ' not in row else row[:62] + ' …'}")


def clock(t: float) -> str:
    """The time of day at which a moment (s) was logged."""
    return (NOON + datetime.timedelta(seconds=t)).strftime("%H:%M:%S.%f")[:-3]


def mystery(number: int) -> Exercise:
    """Name the cause: what is named is taken away."""
    here = MYSTERIES[number]

    def cured(cause: str) -> Trace:
        faults = [act for act in here.experiment.faults if not isinstance(act, TAKEN_AWAY[cause])]
        return virtual(here.experiment.but(faults=faults))

    def lives(trace: Trace, cause: str) -> str:
        if closed := trace.closed_at(here.end):
            when = clock(closed)
            return f"{cause!r} taken away, it ends all the same, at {when}. {AGAINST[cause]}"
        return ""

    praise = f"{here.mark}. Run again without it, the connection stays OPEN"
    trial = Trial("the cause", cured, lives, praise)
    return Exercise(f"11 mystery {number}", OneOf(*TAKEN_AWAY), [trial])


def waits(inside: Where) -> str:
    """What keepalive does, as seen from inside."""
    calls = {one.name: one.calls for one in inside.tasks}
    return "drain" if "drain" in calls["keepalive"] else "asleep"


def certain(opinions: dict[str, Any]) -> str:
    """Of which of two reports the first verdict is certain."""
    sure = [number for number, one in opinions.items() if one.verdicts[0].sure == "certain"]
    return "both" if sure[1:] else sure[0]


LIKELY = "A pong can come in the very instant in which its time runs out: the lines look the same."
QUESTIONS = [
    Question("11 of which the doctor is certain", OneOf("1", "3", "both"), certain, {
        "1": f"{LIKELY} And in 3 the lines say themselves that no pong came.",
        "both": LIKELY,
    }),
    Question("11 why no timeout", OneOf("timer", "drain", "asleep"), waits, {
        "timer": "The timer is 5 s. It begins when ping() has returned.",
        "asleep": "The log has its PING. So it woke up, and it is not done with that ping.",
    }),
]  # fmt: skip

# the fix: free the sender of the fifth

HURTS = (23.0, 23.01, 23.1, 23.25, 23.4)  # s; just before a send, just after it, and between
SOON, PAUSE = 15.0, 5.0  # s; from the cut to CLOSED; how long a live peer may not read


Seen = list[tuple[float, Trace]]  # from when on it was hurt (s), and the run
YOURS = SILENT.but(server=Peer(**TIMERS, buffer=4096), client=Peer(buffer=4096, max_queue=1))


def with_yours(act: Callable[[float], list[Any]]) -> Callable[[Any], Seen]:
    """Runs of the learner's handler, with what happens to it from a moment on."""

    def runs(handler: Any) -> Seen:
        pairs = [(t, YOURS.but(faults=act(t))) for t in HURTS]
        return [(t, own_code(pair, handler, "server", GONE)[0]) for t, pair in pairs]

    return runs


def healthy(seen: Seen) -> str:
    """Nothing happens to it: two messages a second arrive."""
    big = sum(one.size > 10_000 for one in seen[0][1].frames("server") if one.arrived_at)
    return "" if big >= 140 else f"{big} large messages arrived in 90 s: it is to send two a second"


def dead(seen: Seen) -> str:
    """Its peer is gone."""
    for hurt, trace in seen:
        closed = trace.closed_at("server")
        if trace.state_at("server", trace.end) == "CLOSING":
            return "it is CLOSING for ever: a CLOSE waits behind the same bytes. What does not?"
        if closed is None:
            return "it is OPEN when the run ends. After how long does your code give up a send()?"
        if closed > hurt + SOON:
            return f"CLOSED {closed - hurt:.1f} s after the cut; {SOON:g} s were asked for"
    return ""


def slow(seen: Seen) -> str:
    """Its peer pauses."""
    for hurt, trace in seen:
        if closed := trace.closed_at("server"):
            return f"it was dropped {closed - hurt:.1f} s into the pause, and the peer was alive"
    return ""


FIX = [
    Trial("a healthy peer", with_yours(lambda t: []), healthy, "it gets them all"),
    Trial("a dead peer", with_yours(lambda t: [Cut(t)]), dead, "it is dropped in time"),
    Trial(
        f"a peer that pauses for {PAUSE:g} s",
        with_yours(lambda t: [StopReading(t, end="client", resume=t + PAUSE)]),
        slow,
        "it is still there",
    ),
]

# mystery 4 for good

MOST, LATE = 60, 25.0  # pings in ten minutes; s by which one ping may be late


def behind_the_box(interval: float, *faults: Any) -> Trace:
    """Ten minutes with pings, and a box that forgets after a minute without a byte."""
    pair = wrong(BOX, *faults, server=Peer(ping_interval=interval), until=600)
    return virtual(pair)


def quiet(trace: Trace, interval: float) -> str:
    """Every ping is in time."""
    pings = len(trace.frames("server", "PING"))
    if closed := trace.closed_at("server"):
        return f"the box forgot it at {closed:.1f} s. How long was it silent before?"
    return "" if pings <= MOST else f"it lives, with {pings} pings; {MOST} were to be enough"


def late(trace: Trace, interval: float) -> str:
    """One ping is late."""
    if trace.closed_at("server") is None:
        return ""
    return f"the silence was {interval + LATE - 1:g} s, and the box forgot. How much room is left?"


EXERCISES = [
    *map(mystery, MYSTERIES),
    Exercise("11 the fix", Code(), FIX),
    Exercise("11 the idle box", Number("s", low=1, high=3600), [
        Trial("ten quiet minutes", behind_the_box, quiet, "it is still OPEN"),
        Trial(
            "the server is busy once, and its ping late",
            lambda i: behind_the_box(i, Freeze(2 * i - 1, end="server", thaw=2 * i - 1 + LATE)),
            late,
            "it is still OPEN",
        ),
    ]),
]  # fmt: skip
