"""Notebook 11: mysteries of which one sees the log only; a look with where(); fixes that a re-run judges; and one's own log.

Each mystery is an experiment with one thing wrong. A cause is judged by taking that thing away and running it again.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..doctor import Report, diagnose, diagnose_files
from ..engine.session import open_run
from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import Cut, Delay, Freeze, Idle, Send, StopReading
from ..whereabouts import Where, where
from .answers import is_seconds, one_of

CAUSES = ("no pong", "own loop", "peer gave up", "idle box")
NOON = datetime.datetime(2026, 3, 2, 11, 59, 30)
TIMERS: dict[str, Any] = dict(ping_interval=10, ping_timeout=5, close_timeout=2)


@dataclass(frozen=True)
class Mystery:
    """An experiment with one thing wrong, and the end whose log is shown."""

    end: str
    cause: str
    experiment: Experiment
    mark: str  # the line that gives it away, in words

    @property
    def cured(self) -> Experiment:
        """The same without what is wrong."""
        return self.experiment.but(
            faults=[act for act in self.experiment.faults if isinstance(act, Send)]
        )


MYSTERIES = {
    1: Mystery(
        "server",
        "own loop",
        Experiment(
            server=Peer(**TIMERS),
            faults=[Freeze(20.1, end="server", thaw=28.5)],
            latency=0.2,
            until=60,
        ),
        "the pong stands **above** the timeout, in the same instant: it had come, and this end had not read it",
    ),
    2: Mystery(
        "client",
        "peer gave up",
        Experiment(server=Peer(**TIMERS), faults=[Delay(23, latency=3)], latency=0.2, until=60),
        "`< CLOSE 1011 … keepalive ping timeout`: it was *received*, so the timer that ran out was the other end's",
    ),
    3: Mystery(
        "server",
        "no pong",
        Experiment(server=Peer(**TIMERS), faults=[Cut(23)], latency=0.2, until=60),
        "below the last `> PING` there is no `< PONG` at all, and this end *sent* CLOSE 1011",
    ),
    4: Mystery(
        "server",
        "idle box",
        Experiment(
            server=Peer(ping_interval=None),
            faults=[Send(7, end="client", size=40), Idle(at=0, after=60, then="fin")],
            latency=0.2,
            until=90,
        ),
        "no CLOSE at all, and `< EOF` exactly a minute after the last frame",
    ),
}
SILENT = Experiment(
    server=Peer(**TIMERS, send_every=0.5, send_size=40000, buffer=4096),
    client=Peer(buffer=4096),
    faults=[Cut(23.2)],
    until=90,
)
AGAINST = {  # (truth, answer): what in the log speaks against the answer
    "no pong": "is there really no `< PONG` below the last `> PING`? And which end *sent* the CLOSE?",
    "own loop": "a blocked loop of this end reads late: look for a pong just above the timeout that it should have prevented",
    "peer gave up": "then the CLOSE would be one that this end *received*: which way does its arrow point?",
    "idle box": "then there is no CLOSE at all, only EOF, after a long and round silence",
}


@functools.cache
def _trace(number: int) -> Trace:
    mystery = MYSTERIES[_known(number)]
    return run(mystery.experiment, "virtual", progress=False)


def _known(number: Any) -> int:
    if number not in MYSTERIES:
        raise ValueError(f"there are mysteries 1 to {len(MYSTERIES)}, seen {number!r}")
    return int(number)


def log(number: int) -> list[str]:
    """The log of a mystery, as production writes it."""
    return _production(_trace(number), MYSTERIES[number].end)


def silent_log() -> list[str]:
    """The log of the fifth connection, which says nothing any more; other parts of the program go on for a minute."""
    said = _production(run(SILENT, "virtual", progress=False), "server")
    return [*said, *(f"{_clock(30 + 10 * n)} INFO app statistics: fine" for n in range(6))]


def show(rows: list[str], last: int = 12) -> None:
    """The last lines of a log, with their numbers; messages are cut short."""
    print(f"… {len(rows) - last} lines before")
    for number, row in list(enumerate(rows, start=1))[-last:]:
        print(f"{number:4} {row if ' BINARY ' not in row else row[:62] + ' …'}")


def _production(trace: Trace, end: str) -> list[str]:
    lines = [
        (event.t, event.data["line"])
        for event in trace.events
        if event.where == end and event.witness == "log"
    ]
    return [
        f"{_clock(t)} {'DEBUG' if line[0] in '=<>%-x' else 'INFO'} websockets.{end} {line}"
        for t, line in lines
    ]


def _clock(t: float) -> str:
    return (NOON + datetime.timedelta(seconds=t)).strftime("%H:%M:%S.%f")[:-3]


# exercise 1: name the cause


def check_causes(*answers: Any) -> None:
    """Exercise 1: the cause of each mystery; a right one is taken away, and the run repeated."""
    for number, answer in enumerate(answers, start=1):
        if answer is ... or answer is None:
            print(f"mystery {number}: your turn – replace the ... by one of {', '.join(CAUSES)}")
        elif (cause := one_of(answer, CAUSES)) is None:
            print(f"mystery {number}: expected {', '.join(map(repr, CAUSES))}; seen {answer!r}")
        else:
            print(f"mystery {number}: {_judged(number, cause)}")


def _judged(number: int, answer: str) -> str:
    mystery = MYSTERIES[number]
    if answer != mystery.cause:
        return f"not yet. {answer!r}: {AGAINST[answer]}"
    cured = run(mystery.cured, "virtual", progress=False)
    return f"✓ {mystery.mark}. Run again without it, the connection stays {cured.state_at(mystery.end, cured.end)}"


# the fifth: where is it blocked?


def look(seconds: float = 60) -> Where:
    """The fifth connection, so many seconds after its OPEN, seen from inside its program."""
    with open_run(SILENT, "virtual") as session:
        session.wait(seconds)
        return where(session.ends["server"].connection)


# exercise 2: free it

HURTS = (
    23.0,
    23.01,
    23.1,
    23.25,
    23.4,
)  # s: when the cut, or the pause, begins: just before a send, just after it, and between
SOON = 15.0  # s from the cut to the end of the connection
PAUSE = 5.0  # s; a peer that does not read for so long must not be dropped


def check_patience(patience: Any = ..., handler: Callable[[Any], Any] | None = None) -> None:
    """Exercise 2: the sender gives up on a dead peer within 15 s, and bears with a slow one for 5 s."""
    if not is_seconds(patience, 60):
        return
    if handler is None:
        print("give the handler, too: check_patience(patience, careful)")
    else:
        _dead(handler)
        _slow(handler, patience)


def _own(*faults: Any) -> Experiment:
    server = Peer(**TIMERS, buffer=4096)
    return SILENT.but(server=server, client=Peer(buffer=4096, max_queue=1), faults=list(faults))


def _dead(handler: Callable[[Any], Any]) -> None:
    delays = []
    for hurt in HURTS:
        closed = run(_own(Cut(hurt)), "virtual", server=handler, progress=False).closed_at("server")
        if closed is None:
            print(
                "a dead peer: not yet: the connection is still OPEN when the run ends. Is there a timeout around send(), and abort() after it?"
            )
            return
        if closed < hurt:
            print(
                f"a dead peer: not yet: it was dropped at {closed:.1f} s, before the cut. Does the sender go on for ever?"
            )
            return
        delays.append(closed - hurt)
    worst = f"CLOSED {max(delays):.1f} s after the cut, in the worst of {len(HURTS)} runs"
    print(
        f"a dead peer: ✓ {worst}"
        if max(delays) <= SOON
        else f"a dead peer: not yet: {worst}, and {SOON:g} s were asked for"
    )


def _slow(handler: Callable[[Any], Any], patience: float) -> None:
    peer = f"a peer that pauses for {PAUSE:g} s"
    for hurt in HURTS:
        pause = StopReading(hurt, end="client", resume=hurt + PAUSE)
        closed = run(_own(pause), "virtual", server=handler, progress=False).closed_at("server")
        if closed is not None:
            into = "before its pause" if closed < hurt else f"{closed - hurt:.1f} s into its pause"
            print(f"{peer}: not yet: it was dropped at {closed:.1f} s, {into}")
            return
    less = (
        f"; less than {PAUSE:g} s will do, for the buffers take what is sent at first"
        if patience < PAUSE
        else ""
    )
    print(f"{peer}: ✓ it is still there at 90 s, whenever the pause began{less}")


# exercise 3: mystery 4 for good

MOST = 20  # pings in the ten minutes of the check: two a minute
LONGEST = 50.0  # s between two pings; with more, a slow round trip may be too much for the box


def check_interval(interval: Any = ...) -> None:
    """Exercise 3: a ping_interval that keeps the box from forgetting, with at most two pings a minute."""
    if not is_seconds(interval, 3600):
        return
    box = Idle(at=0, after=60, then="fin")
    trace = run(
        Experiment(server=Peer(ping_interval=interval), faults=[box], latency=0.2, until=600),
        "virtual",
        progress=False,
    )
    closed, pings = (
        trace.closed_at("server"),
        [frame for frame in trace.frames("server") if frame.opcode == "PING"],
    )
    if closed is not None:
        print(
            f"not yet: at {closed:.1f} s the box forgot the connection. How long was it silent before?"
        )
    elif len(pings) > MOST:
        print(
            f"not yet: it lives, with {len(pings)} pings in ten minutes; two a minute, 20, would do"
        )
    else:
        close = interval > LONGEST
        word = f". It was silent for up to {interval:g} of its 60 s: less is safer" if close else ""
        print(f"✓ after ten minutes it is still OPEN, with {len(pings)} pings{word}")


# one's own log


def write_log(name: str = "fly.log") -> None:
    """Write a log to practise on."""
    Path(name).write_text("\n".join(log(3)) + "\n", encoding="utf-8")
    print(f"written: {name}")


def own_log(path: Any = ...) -> Report | None:
    """The doctor on a file of one's own."""
    if path is ... or path is None:
        print("your turn – replace the ... by the name of a log file, in quotes")
        return None
    try:
        return diagnose_files([str(path)])
    except OSError as problem:
        print(problem)
        return None


__all__ = [
    "CAUSES", "check_causes", "check_interval", "check_patience", "diagnose", "log", "look", "own_log", "show", "silent_log", "write_log",
]  # fmt: skip
