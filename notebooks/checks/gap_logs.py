"""Four logs of strangers, ten seconds after they began: notebook 05's last, optional exercise.

An answer is judged by running what it claims, and by comparing the logs: the first line that
differs is what the answer overlooked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from labkit import Hole, Trace, Vintage
from labkit.ends.capabilities import number as as_numbers
from labkit.trace.fate import fate
from labkit.versions import run_in, shelf
from labkit.versions.matrix_cells import CUT, HEAL, WIRES, experiment
from labkit.versions.standins import lane

from . import Exercise, OneOf, Trial
from .gap import log_lines

NOW = 10.0  # s; here the log ends
VERSIONS = {"13": "13.1", "14.0 or 14.1": "14.1", "14.2": "14.2", "15 or newer": None}
ENDED = {"bounded": "close_timeout", "hangs": "healing", "late": "30 s of asyncio"}  # by its fate


@dataclass(frozen=True)
class Mystery:
    """A run whose log is shown until now by ``print``; it is recorded, or runs everywhere."""

    situation: str
    wire: str
    version: str | None = None
    python: str | None = None

    def __str__(self) -> str:
        python = self.python or "3.11 or newer"
        told = f"A {self.end} on Python {python} pings; timers 1, 1 and 1 s; cut at {CUT} s."
        return "\n".join([told, "", *log_lines(self.trace, self.end, stop=NOW)])

    @property
    def end(self) -> str:
        """Who pings, and whose log it is."""
        return WIRES[self.wire][0]

    @cached_property
    def trace(self) -> Trace:
        """The run."""
        trace = lane(self.situation, self.wire, Vintage(self.version, python=self.python))[0]
        if not isinstance(trace, Trace):
            raise ValueError(f"this log is neither recorded, nor can it be run: {trace.why}")
        return trace

    @property
    def truth(self) -> tuple[str, str, str]:
        """Its version, its wire and what ended it, in the words of an answer."""
        found = as_numbers(self.version or shelf.installed())
        family = list(VERSIONS)[sum(found >= bound for bound in ((14,), (14, 2), (15,)))]
        kind = fate(self.trace, self.end, HEAL["virtual"])
        return family, "wss" if WIRES[self.wire][1] else "ws", ENDED[kind]


MYSTERIES = [
    Mystery("quiet", "wss server", "14.1", "3.10"),
    Mystery("ping before drain blocked", "ws"),
    Mystery("backlog below the mark", "ws", "14.2"),
    Mystery("quiet", "wss client", "13.0.1"),
]


def misread(one: Mystery, *answer: str) -> str:
    """What speaks against an answer: a run of its version and its wire, then the end."""
    family, wire, ending = one.truth
    if answer[:2] != (family, wire):
        version = one.version if answer[0] == family else VERSIONS[answer[0]]
        return differs(one, version, answer[1])
    return "" if answer[2] == ending else f"version and wire are right, but {rest(one)}"


def differs(one: Mystery, version: str | None, wire: str) -> str:
    """Where the log of this version and wire is another one."""
    claim = f"websockets {version or shelf.installed()} with {wire}"
    todo = experiment(one.situation, one.wire).but(tls=wire == "wss")
    try:
        vintage = Vintage(version, python=one.python)
        claimed = run_in(vintage, todo, "virtual", progress=False)
    except Hole as hole:
        return f"it is not {claim}, by the record ({hole.why.split(': ')[0]})"
    logs = (log_lines(trace, one.end, stop=NOW) for trace in (one.trace, claimed))
    seen, other = next(pair for pair in zip_longest(*logs, fillvalue="") if pair[0] != pair[1])
    here = f"says “{seen.strip()}”" if seen else "says no more"
    return f"{claim} says “{other.strip()}”, where this log {here}"


def rest(one: Mystery) -> str:
    """The end of the run."""
    closed = one.trace.closed_at(one.end)
    return "it is never CLOSED" if closed is None else f"it is CLOSED at {closed:g} s"


def exercise(number: int, one: Mystery) -> Exercise:
    """The answer to one log."""
    words = [OneOf(*VERSIONS), OneOf("ws", "wss"), OneOf(*ENDED.values())]
    told = Trial("what it is", lambda *_: one, misread, rest)
    return Exercise(f"05 log {number}", words, [told])


EXERCISES = [exercise(number, one) for number, one in enumerate(MYSTERIES, start=1)]
