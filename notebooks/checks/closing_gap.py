"""Notebook 05: why did it hang for minutes, and what fixed it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit import Cut, Experiment, Hole, Peer, Trace, Vintage, recorded
from labkit.trace.fate import fate
from labkit.versions import run_in
from labkit.versions.matrix_cells import CUT, HEAL, VERDICTS, experiment

from . import Code, Exercise, Letters, Number, Question, Trial, gap_logs
from .gap import Lanes
from .own_code import virtual

# which of them hang


def which(id: str, among: str, too_many: str, too_few: str) -> Question:
    """Which lanes hang in CLOSING; what to say to a letter too many, and to one too few."""

    def believed(lanes: Lanes, value: str) -> str:
        said, fact = ({*text} & {*among} for text in (value, lanes.hanging))
        return too_many if said - fact else too_few if fact - said else ""

    return Question(id, Letters(among), lambda lanes: lanes.hanging, believed)


QUESTIONS = [
    which(
        "05 a quiet connection",
        "AB",
        "The letter says that 14.1 hangs. But here nobody sends anything: once the ping"
        " has timed out, there is nothing for the goodbye to wait for.",
        "",
    ),
    which(
        "05 a backlog below the mark",
        "ABCD",
        "From 14.2 on, the last step does not wait for the bytes. You will see the line.",
        "Bytes are waiting when it says goodbye. What does an old version do with them?",
    ),
    which(
        "05 drain() blocked",
        "ABC",
        "",
        "The line of 14.2 is the last one of the goodbye. Which wait comes before it?",
    ),
]

# a test for the fix, in code

LETTER = "matrix/14.1-asyncio-python3.11-ws-backlog_below_the_mark"  # the log in the letter
KINDS = {
    "hangs": "close_timeout is 1 s",
    "bounded": "that is its close_timeout, and no more",
    "never": "it does not leave OPEN while the cable is cut, which is another fault",
}


def misjudged(seen: tuple[Trace, Any]) -> str:
    """What is wrong with what the learner's function says of a trace."""
    trace, said = seen
    if said not in (True, False):
        return f"it gave {said!r}; True or False was wanted"
    kind = fate(trace, "server", HEAL["virtual"])
    if said == (kind == "hangs"):
        return ""
    times = trace.noticed_at("server"), trace.closed_at("server")
    left, closed = ("never" if t is None else f"at {t:g} s" for t in times)
    return f"you say {said}, but it is CLOSING {left} and CLOSED {closed}: {KINDS[kind]}"


def traces() -> list[Trial]:
    """Runs with and without a gap: recorded ones of old versions, and some of this one."""
    blocked = experiment("ping before drain blocked", "ws")
    known = {
        "14.1, with a backlog": LETTER,
        "14.2, with a backlog": "matrix/14.2-asyncio-python3.11-ws-backlog_below_the_mark",
        "14.1, quiet": "matrix/14.1-asyncio-python3.11-ws-quiet",
        "14.1, quiet, with TLS": "matrix/14.1-asyncio-python3.10-wss_server-quiet",
    }
    here = {
        "drain() blocked after the ping": blocked,
        "the same, never mended": blocked.but(faults=[Cut(CUT), *blocked.faults[1:]], until=30),
        "drain() blocked before the ping": experiment("drain blocked before the ping", "ws"),
    }
    runs = {name: recorded(key) for name, key in known.items()}
    runs |= {name: virtual(one) for name, one in here.items()}
    return [
        Trial(name, lambda finds, trace=trace: (trace, finds(trace)), misjudged)
        for name, trace in runs.items()
    ]


# the traffic that it takes

HEALED = 300.0  # s
DEFAULTS = Experiment(  # 20/20/10: CLOSING at 100 s
    server=Peer(buffer=4096), client=Peer(buffer=4096), faults=[Cut(at=63, heal=HEALED)]
)
MARK = DEFAULTS.server.write_limit  # bytes


@dataclass(frozen=True)
class Outcome:
    """What became of some traffic on a version: its verdict, and a sentence."""

    trace: Trace
    fate: str
    said: str


def outcome(traffic: Experiment, version: str) -> Outcome:
    """Run it on a version, or judge by what waits in the write buffer of the installed one."""
    how = "run here"
    try:
        trace = run_in(Vintage(version), traffic, "virtual", progress=False)
    except Hole:
        trace, how = virtual(traffic), "not here, judged by the newest"
    kind, waiting = fate(trace, "server", HEALED), waiting_at_goodbye(trace)
    if how != "run here" and kind != "never":
        kind = "hangs" if waiting > (MARK if version == "14.2" else 0) else "bounded"
    said = f"{version} ({how}): {VERDICTS[kind]}"
    if kind != "never":  # there was a goodbye
        said += f", {waiting:,} bytes waiting"
    return Outcome(trace, kind, said)


def waiting_at_goodbye(trace: Trace) -> int:
    """The bytes in the server's write buffer when it left OPEN; at the end if it never did."""
    noticed = trace.noticed_at("server") or trace.end
    return next((count for t, count in reversed(trace.waiting("server")) if t <= noticed), 0)


def both(size: float, every: float) -> list[Outcome]:
    """This traffic on 14.1 and on 14.2."""
    traffic = DEFAULTS.but(server=Peer(buffer=4096, send_size=round(size), send_every=every))
    return [outcome(traffic, version) for version in ("14.1", "14.2")]


def untold(seen: list[Outcome], *_: float) -> str:
    """What is wrong with traffic that does not tell the two apart."""
    old, new = seen
    cut = DEFAULTS.cuts[0].start
    sent = [f for f in new.trace.frames("server", "BINARY") if f.sent_at >= cut]
    if (old.fate, new.fate) == ("hangs", "bounded"):
        return ""
    if new.fate in ("never", "hangs"):
        why = f"Too much: above {MARK:,} bytes drain() waits, and that no version bounds"
    elif not sent:
        why = "No message is sent between the cut at 63 s and the goodbye at 100 s"
    else:
        why = "Too little: all that was sent fits into the network, and no byte has to wait"
    return f"{told(seen)}. {why}"


def told(seen: list[Outcome]) -> str:
    """What became of it on both."""
    return "; ".join(one.said for one in seen)


EXERCISES = [
    Exercise("05 a test for the gap", Code("what gives True or False"), traces),
    Exercise(
        "05 traffic for the test",
        [Number("bytes", low=1, high=100_000), Number("s", low=0.05, high=600)],
        [Trial("14.1 and 14.2", both, untold, told)],
    ),
    *gap_logs.EXERCISES,
]
