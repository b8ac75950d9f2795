"""Notebook 06: when does the timer never start?"""

from __future__ import annotations

from functools import partial
from typing import Any

from labkit import Cut, Experiment, Peer, Trace, plots

from . import Code, Exercise, Number, OneOf, Question, Trial
from .own_code import virtual
from .watchdog import BIG, TIMERS, trials


def talk(size: int, every: float, cut: float) -> Experiment:
    """A server that sends into a cut; small buffers, so that little fits into the network."""
    server = Peer(**TIMERS, send_size=size, send_every=every, buffer=4096)
    return Experiment(server=server, client=Peer(buffer=4096), faults=[Cut(at=cut)], until=60)


# what is asked


def noticed(trace: Trace) -> str:
    """When the server noticed, in words."""
    when = trace.noticed_at("server")
    if when is None:
        return "never"
    late = when - trace.experiment.cuts[0].start
    return "much later" if late > 60 else "at 15 s" if when == 15 else "within a minute"


def returned(trace: Trace) -> str:
    """When the server's close() returned, in words; up to a second late is not much later."""
    called = trace.select("closing", "server")[0].t
    for event in trace.select("returned", "server", call="close"):
        waited = event.t - called
        soon = waited <= (trace.experiment.server.close_timeout or 0.0) + 1
        return ("after close_timeout" if waited else "at once") if soon else "much later"
    return "never"


NO_TIMER = "No timer of websockets ends this, that is true. Something below it does."
RETURNS = OneOf("at once", "after close_timeout", "much later", "never")
QUESTIONS = [
    Question(
        "06 a talking server",
        OneOf("at 15 s", "within a minute", "much later", "never"),
        noticed,
        {
            "at 15 s": "That is the law of a quiet connection: a ping at 12 s, and 3 s more."
            " But here the ping has to get past the data, and its 3 s start only after that.",
            "within a minute": "That would need a timer of websockets, and none of them runs here."
            " Something else ends it, with a slow clock of its own.",
            "never": NO_TIMER,
        },
    ),
    Question(
        "06 does close() return",
        RETURNS,
        returned,
        {
            "at once": "close() has to write its CLOSE, and many bytes wait before it.",
            "after close_timeout": "close_timeout has begun. But nobody looks at it before"
            " drain() has returned.",
            "never": NO_TIMER,
        },
    ),
    Question(
        "06 close() and unread messages",
        RETURNS,
        returned,
        {
            "at once": "The CLOSE waits in line, behind messages that nobody takes.",
            "much later": "That would be so if drain() were blocked. How much is in the buffer?",
            "never": "No answer comes, that is true. But drain() is not blocked here, so that"
            " close_timeout is looked at.",
        },
    ),
]

# a cut that is noticed, and the largest message


def too_early(trace: Trace, _: float) -> str:
    """What kept keepalive from noticing."""
    if trace.noticed_at("server") is not None:
        return ""
    ping = trace.select("sent", "server", "log", opcode="PING")[-1].t
    before = [count for t, count in trace.waiting("server") if t < ping][-1]
    waited = f"At {ping:g} s, when the ping was due, {before:,} bytes were waiting"
    return f"OPEN to the end. {waited}, more than write_limit. When is there still room for a ping?"


MORE = 1.15  # an answer is right if so many times the size is too much


def two_sizes(size: float) -> tuple[Trace, Trace]:
    """A run with messages of this size, and one with larger ones."""
    some, more = (virtual(talk(round(each), 0.5, 9)) for each in (size, size * MORE))
    return some, more


def off_the_largest(seen: tuple[Trace, Trace], _: float) -> str:
    """How far keepalive came, if the size is not the largest one."""
    some, more = seen
    if some.closed_at("server") is None and some.noticed_at("server") is None:
        return "still OPEN: the ping of 12 s waits in drain(). Is there not a stricter bound, too?"
    if some.closed_at("server") is None:
        return "still CLOSING: the ping of 12 s left. But its CLOSE has to get past drain(), too"
    if more.closed_at("server") is not None:
        return "CLOSED, and with 15 % more it still is. Which frame is the last to pass drain()?"
    return ""


# three logs

STUCK = "CLOSE was written, and no `= connection is CLOSED` came after it"
SIGNS = {
    "before": "the last `> PING` has no `% sent keepalive ping`, which comes after drain()",
    "after": STUCK,
    "not": "CLOSING is followed by CLOSED, after close_timeout",
}
FATES = {"OPEN": "before", "CLOSING": "after", "CLOSED": "not"}
LOGS = {1: (BIG, 1, 11.5), 2: (1000, 1, 13), 3: (BIG, 0.5, 17)}  # size, every, cut


def mystery(number: int, *_: str) -> Trace:
    """One of three runs, 1 to 3."""
    return virtual(talk(*LOGS[number]))


def last_lines(trace: Any, count: int = 8) -> list[str]:
    """The end of the server's log, without its messages; of a Hole, why it is one."""
    if not isinstance(trace, Trace):
        return [str(trace)]
    return [line for line in trace.log("server") if "> BINARY" not in line][-count:]


def sign(trace: Trace) -> str:
    """Where drain() blocked: "before" the ping, "after" it, or "not"."""
    return FATES[trace.state_at("server", trace.end) or ""]


def misread(trace: Trace, answer: str) -> str:
    """What the log says against an answer."""
    return "" if answer == sign(trace) else SIGNS[sign(trace)]


SECONDS = Number("s", low=0.01, high=60)
PLACE = OneOf("before", "after", "not")
EXERCISES = [
    Exercise(
        "06 a cut that is noticed",
        Number("s", low=9, high=13),
        [
            Trial(
                "the server leaves OPEN",
                lambda cut: virtual(talk(BIG, 1, cut)),
                too_early,
                lambda trace: f"at {trace.noticed_at('server'):g} s",
                plots.blocked,
            )
        ],
    ),
    Exercise(
        "06 the largest message",
        Number("bytes", low=1, high=500_000),
        [Trial("CLOSED at 17 s", two_sizes, off_the_largest, "with 15 % more it is stuck")],
    ),
    Exercise(
        "06 three logs",
        [PLACE, PLACE, PLACE],
        [
            Trial(
                f"log {number}",
                partial(mystery, number),
                misread,
                lambda trace: SIGNS[sign(trace)],
                only=number - 1,
            )
            for number in LOGS
        ],
    ),
    Exercise("06 a watchdog", [Code("a watchdog"), SECONDS, SECONDS], trials),
]
