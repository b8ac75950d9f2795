"""Notebook 05, exercise 1: the log of a run, ten seconds after it began. Which version, TLS or not, and what will end it?

The run is made live if its vintage is here, else it is a recorded one. An answer is judged by running what it claims, and by
comparing the logs: the first line that differs is what the answer overlooked.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..ends.capabilities import number as as_numbers
from ..trace import Trace
from ..trace.fate import fate
from ..versions import Hole, Vintage, run_in, shelf
from ..versions.matrix_cells import CUT, HEAL, WIRES, cell_of, experiment
from .answers import one_of
from .gap import RECORD, log_lines, recorded_trace

NOW = 10.0  # s; here the log ends
VERSIONS = {
    "13": "13.1",
    "14.0 or 14.1": "14.1",
    "14.2": "14.2",
    "15 or newer": None,
}  # what can be answered, and what is run for it
ENDED = {"bounded": "close_timeout", "hangs": "healing", "late": "30 s of asyncio"}  # by its fate
ENDINGS = tuple(ENDED.values())
POOL = [  # (situation, wire, version, Python): each can be told from its log, and is recorded or runs everywhere
    ("backlog below the mark", "ws", "14.1", "3.11"),
    ("backlog below the mark", "ws", "14.2", "3.11"),
    ("backlog below the mark", "ws", None, "3.11"),
    ("quiet", "wss server", "14.1", "3.10"),
    ("quiet", "wss server", "14.2", "3.10"),
    ("quiet", "wss server", None, "3.11"),
    ("quiet", "wss client", "14.1", "3.11"),
    ("quiet", "wss client", "13.0.1", "3.11"),
    ("ping before drain blocked", "ws", None, "3.11"),
]
ORDER = random.Random(228).sample(POOL, len(POOL))


@dataclass(frozen=True)
class Mystery:
    """A run whose log is shown; ``print`` shows it, until now."""

    number: int
    situation: str
    wire: str
    version: str | None
    python: str
    trace: Trace
    source: str  # "run here", or "recorded"

    @property
    def end(self) -> str:
        return WIRES[self.wire][0]

    @property
    def tls(self) -> bool:
        return WIRES[self.wire][1]

    @property
    def log(self) -> list[str]:
        return log_lines(self.trace, self.end, stop=NOW)

    @property
    def family(self) -> str:
        """Its version, in the words of an answer."""
        found = as_numbers(self.version or shelf.installed())
        return (
            "13"
            if found < (14,)
            else "14.0 or 14.1"
            if found < (14, 2)
            else "14.2"
            if found < (15,)
            else "15 or newer"
        )

    @property
    def ending(self) -> str:
        """What ended it, in the words of an answer."""
        return ENDED[fate(self.trace, self.end, HEAL["virtual"])]

    def __str__(self) -> str:
        python = "3.10" if self.python == "3.10" else "3.11 or newer"
        told = f"Log {self.number}: a {self.end} on Python {python}; it pings, timers 1, 1 and 1 s; cut at {CUT} s; now it is {NOW:g} s."
        return "\n".join([told, "", *self.log])


def mystery(number: int) -> Mystery:
    """One of nine logs, 1 to 9; always the same."""
    if number not in range(1, len(POOL) + 1):
        raise ValueError(f"there are logs 1 to {len(POOL)}, seen {number!r}")
    return _made(number, shelf.folder())


@functools.cache
def _made(number: int, _: Path) -> Mystery:
    situation, wire, version, python = ORDER[number - 1]
    trace, source = _run(situation, wire, WIRES[wire][1], version, python)
    if trace is None:
        raise ValueError(f"log {number} can neither be run nor is it recorded: {source}")
    return Mystery(number, situation, wire, version, python, trace, source)


def _run(
    situation: str, wire: str, tls: bool, version: str | None, python: str
) -> tuple[Trace | None, str]:
    """What a vintage does, "run here" or "recorded"; or None, and why it is neither. Python 3.11 may be any newer one."""
    why = ""
    for one in [Vintage(version, python=python), *([Vintage(version)] if python != "3.10" else [])]:
        try:
            return run_in(
                one, experiment(situation, wire).but(tls=tls), "virtual", progress=False
            ), "run here"
        except Hole as hole:
            why = hole.why
    known = recorded_trace(
        cell_of(Vintage(version, python=python or RECORD), situation, wire, "virtual")
    )
    return (known, "recorded") if known and known.experiment.tls == tls else (None, why)


# judging


def check_logs(*answers: Any) -> None:
    """Exercise 1: what the first logs are, each as (version, "ws" or "wss", what will end it)."""
    for number, answer in enumerate(answers, start=1):
        check_log(number, answer)


def check_log(number: int, answer: Any = ...) -> None:
    """What one log is, such as ("13", "ws", "healing")."""
    print(f"{number}: {_judge(number, answer)}")


def _judge(number: int, answer: Any) -> str:
    if answer is ... or answer is None:
        return "your turn – replace the ... by three words"
    among = (tuple(VERSIONS), ("ws", "wss"), ENDINGS)
    if not isinstance(answer, tuple) or len(answer) != 3:
        return f"""expected three words, such as "13", "ws", "healing"; seen {answer!r}"""
    for given, words in zip(answer, among):
        if one_of(given, words) is None:
            return f"expected one of {', '.join(map(repr, words))}; seen {given!r}"
    family, wire, ending = (str(one_of(given, words)) for given, words in zip(answer, among))
    one = mystery(number)
    return _who(one, family, wire == "wss") or _what_ends_it(one, (family, wire, ending))


def _who(one: Mystery, family: str, tls: bool) -> str | None:
    """What speaks against this version and wire, by running them; None if they are those of the log."""
    if (family, tls) == (one.family, one.tls):
        return None
    version = one.version if family == one.family else VERSIONS[family]
    claimed, source = _run(one.situation, one.wire, tls, version, one.python)
    name = f"websockets {version or shelf.installed()} with {'wss' if tls else 'ws'}"
    if claimed is None:
        return f"not yet: it is not {name}, by the record ({source.split(': ')[0]})"
    for seen, other in zip_longest(one.log, log_lines(claimed, one.end, stop=NOW)):
        if seen != other:
            return f"not yet: {name} ({source}) {_says(other)}, where this log {_says(seen)}"
    return f"not yet: {name} leaves the same log, but it was another"


def _says(line: str | None) -> str:
    return "is silent" if line is None else f"says “{' '.join(line.split())}”"


def _what_ends_it(one: Mystery, answer: tuple[str, str, str]) -> str:
    """The rest of the run against what was said would end it."""
    closed, raised = one.trace.closed_at(one.end), one.trace.raised(one.end)
    when = f"CLOSED at {closed:g} s" if closed is not None else "never CLOSED"
    rest = f"the {'rest of the run' if one.source == 'run here' else 'record'}: {when}"
    if answer[2] != one.ending:
        return f"not yet: version and wire are right, but here is {rest}"
    odd = next(
        (
            f", and its program was told {r.type} at {r.t:g} s"
            for r in raised
            if not r.type.startswith("ConnectionClosed")
        ),
        "",
    )
    return f"✓ {', '.join(answer)} ({one.source}). Here is {rest}{odd}"
