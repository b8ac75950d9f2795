"""Notebook 05: one situation on many vintages, live where they are, else as recorded; and traffic that tells 14.1 from 14.2.

Situations, wires and verdicts are those of the matrix. Whatever is not run here and now says so.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Any

from ..trace import Trace
from ..trace.fate import fate
from ..trace.recordings import recorded
from ..values.experiment import Experiment, Peer
from ..values.faults import Cut
from ..versions import Hole, Vintage, matrix, matrix_cells, run_in
from ..versions.matrix_cells import Cell

RECORD = "3.11"  # the Python of most recorded traces
MOMENTS = ("noticed", "closed", "told", "raised")  # runs that have them in common went alike
SEND = (
    "asyncio/connection.py",
    "Connection.send_context",
)  # what writes a frame, and what ends a connection after it
IN_WORDS = {  # what these lines say, for whoever has not got them
    "14.1": (
        "In words: send_context() writes the frame, then awaits drain(). Only then it looks at close_timeout, which has begun before. When that is over, "
        "close_transport() calls transport.close(), which lets the write buffer drain first; "
        "and then connection_lost_waiter is awaited, with no limit."
    ),
    "14.2": (
        "In words: one line is another. Instead of close_transport(), which waits for the write buffer, "
        "it is transport.abort(), which does not."
    ),
}


def vintage(given: str | Vintage) -> Vintage:
    """ "14.1", "newest" (the installed one), or a Vintage as it is."""
    return given if isinstance(given, Vintage) else Vintage(None if given == "newest" else given)


# one situation, many vintages


@dataclass(frozen=True)
class Lanes:
    """One situation on some vintages, A, B, C …: a trace or a hole of each, its cell of the matrix, and where it is from."""

    traces: list[Trace | Hole]
    cells: list[Cell]
    sources: list[str]

    @property
    def hanging(self) -> str:
        """The letters of those that hang in CLOSING until the cable is mended: "AB", or "none"."""
        return (
            "".join(
                letter
                for letter, cell in zip(ascii_uppercase, self.cells)
                if cell["verdict"] == "hangs"
            )
            or "none"
        )

    def closing(self, letter: str) -> float:
        """How long one of them was CLOSING (s)."""
        cell = self.cells[ascii_uppercase.index(letter)]
        return math.inf if cell["closed"] is None else float(cell["closed"] - cell["noticed"])


def side_by_side(situation: str, wire: str, vintages: Sequence[str | Vintage]) -> Lanes:
    """Run a situation on each vintage in virtual time, or take it from the record; prints which of the two."""
    with ThreadPoolExecutor(2) as pool:  # most of it is the start of a process
        rows = list(pool.map(lambda one: _lane(situation, wire, vintage(one)), vintages))
    for letter, (_, cell, source) in zip(ascii_uppercase, rows):
        print(f"{letter}  {cell['version']:5} on Python {cell['python']}: {source}")
    return Lanes(*map(list, zip(*rows)))


def _lane(situation: str, wire: str, one: Vintage) -> tuple[Trace | Hole, Cell, str]:
    ((cell, trace),) = matrix_cells.measure(one, [(situation, wire)])
    if isinstance(trace, Trace):
        return trace, cell, "live"
    cell, date = recorded_cell(cell)
    stored = recorded_trace(cell)
    why = trace.why.split(": ")[0]  # what to do about it stands in the notebook, once
    return (
        stored
        or Hole(one, f"{why}; the recorded matrix says: {matrix_cells.VERDICTS[cell['verdict']]}"),
        cell,
        f"recorded on {date} ({why})",
    )


def recorded_cell(cell: Cell) -> tuple[Cell, str]:
    """The recorded cell that stands for one which cannot be run here, on a Python of the record; and when it was recorded."""
    header, cells = matrix.recorded()
    known = {matrix_cells.key(one): one for one in cells}
    found = next(
        (
            known[key]
            for python in (cell["python"], RECORD)
            if (key := matrix_cells.key({**cell, "python": python})) in known
        ),
        cell,
    )
    return found, header["date"][:10]


def recorded_trace(cell: Cell) -> Trace | None:
    """The recorded trace of a cell, or of the same on another Python that went alike; its label says so. None if no such is kept."""
    known = {matrix_cells.key(one): one for one in matrix.recorded()[1]}
    for key in (
        matrix_cells.key({**cell, "python": python}) for python in (cell["python"], RECORD)
    ):
        alike = key == matrix_cells.key(cell) or (
            key in known and all(known[key][what] == cell[what] for what in MOMENTS)
        )
        with contextlib.suppress(FileNotFoundError):
            if alike:
                trace = recorded(f"matrix/{key}")
                return replace(
                    trace,
                    header={**trace.header, "vintage": f"{trace.header['vintage']} (recorded)"},
                )
    return None


def letters(count: int) -> tuple[str, ...]:
    """Every answer to "which of them?": "none", "A", "B", "AB" …"""
    some = ascii_uppercase[:count]
    return (
        "none",
        *(
            "".join(group)
            for size in range(1, count + 1)
            for group in itertools.combinations(some, size)
        ),
    )


# the matrix, for reference


def everything() -> list[Cell]:
    """The whole recorded matrix, but for the controls on the loopback wire."""
    cells = matrix.recorded()[1]
    return [
        cell
        for cell in cells
        if cell["clock"] == matrix_cells.clock_of(Vintage(cell["version"], cell["implementation"]))
    ]


def selection() -> list[Cell]:
    """What the report is about: asyncio around 14.2 on two Pythons, and the other implementations in the newest version."""
    newest = matrix.recorded()[0]["websockets"][-1]
    wanted = {
        ("asyncio", version, python)
        for version in ("13.1", "14.1", "14.2", newest)
        for python in ("3.10", RECORD)
    }
    wanted |= {
        (implementation, newest, RECORD) for implementation in ("legacy", "threading", "trio")
    }
    return [
        cell
        for cell in everything()
        if (cell["implementation"], cell["version"], cell["python"]) in wanted
    ]


# the log


def log_lines(
    trace: Trace, end: str = "server", begin: float = 0.0, stop: float = math.inf, data: bool = True
) -> list[str]:
    """The log of an end from ``begin`` to ``stop`` (s), after the handshake; messages of one kind in a row make one line, or none."""
    lines: list[str] = []
    for (_, text), group in itertools.groupby(
        _lines(trace, end, begin, stop), key=lambda line: (None if line[2] else line[0], line[1])
    ):
        rows = list(group)
        if not rows[0][2]:
            lines += [f"{rows[0][0]:9.3f} {text}"] * len(rows)
        elif data:
            times = f", {len(rows)} times, until {rows[-1][0]:.3f}" if len(rows) > 1 else ""
            lines.append(f"{rows[0][0]:9.3f} {text}{times}")
    return lines


def _lines(trace: Trace, end: str, begin: float, stop: float) -> Iterable[tuple[float, str, bool]]:
    """(s, what the line says without a payload, whether it is a message)."""
    opened = next(k for k, line in enumerate(trace.log(end)) if "= connection is OPEN" in line)
    for line in trace.log(end)[opened:]:
        time, text = (
            float(line[:9]),
            re.sub(r"(?<=[<>] )(PING|PONG|BINARY) .*\[(\w+, )?", r"\1 [", line[10:]),
        )
        if begin <= time <= stop and text != "connection open":
            yield time, text, "BINARY" in text


def show_log(
    trace: Trace, end: str = "server", begin: float = 0.0, stop: float = math.inf, data: bool = True
) -> None:
    """Print what :func:`log_lines` gives."""
    print(*log_lines(trace, end, begin, stop, data), sep="\n")


# exercise 2: traffic that makes 14.1 hang, and 14.2 not

HEALED = 300.0  # s
DEFAULTS = Experiment(
    server=Peer(buffer=4096), client=Peer(buffer=4096), faults=[Cut(at=63, heal=HEALED)]
)  # 20/20/10: CLOSING at 100 s
MARK = 32 * 1024  # bytes; websockets' own write_limit


def check_traffic(size: Any = ..., every: Any = ...) -> None:
    """Exercise 2: so many bytes, every so many seconds, that 14.1 hangs until it is healed and 14.2 does not."""
    if ... in (size, every) or None in (size, every):
        print("your turn – replace each ... by a number")
        return
    try:
        experiment = DEFAULTS.but(server=Peer(buffer=4096, send_size=size, send_every=every))
        if every < 0.05 or size > 100_000:
            raise ValueError(
                f"at most 100,000 bytes, at most every 0.05 s; seen {size:,} and {every:g}"
            )
    except (TypeError, ValueError) as problem:
        print(f"expected a size in whole bytes, and seconds: {problem}")
        return
    _judge(*(_outcome(experiment, version) for version in ("14.1", "14.2")))


FATES = {
    "never": "never notices",
    "hangs": "hangs in CLOSING until it is healed, at least",
    "late": "is closed or told late",
    "bounded": "is told in time",
}


@dataclass(frozen=True)
class Outcome:
    """What became of this traffic on a version: a verdict of the matrix, and how it is known."""

    version: str
    verdict: str
    live: bool
    waiting: int  # bytes in the write buffer at the goodbye, if there was one
    sent: int  # messages from the cut to the goodbye

    def __str__(self) -> str:
        bytes_ = (
            ""
            if self.verdict == "never"
            else f": {self.waiting:,} bytes wait in its write buffer at the goodbye"
        )
        how = "run here" if self.live else f"{self.version} is not here: judged by the newest"
        return f"{self.version} {FATES[self.verdict]}{bytes_} ({how})"


def _outcome(experiment: Experiment, version: str) -> Outcome:
    """Run it on a version, or else judge by what waits in the write buffer of the installed one."""
    try:
        trace, live = run_in(Vintage(version), experiment, "virtual", progress=False), True
    except Hole:
        trace, live = run_in(Vintage(), experiment, "virtual", progress=False), False
    found, waiting = fate(trace, "server", HEALED), waiting_at_goodbye(trace)
    cut = trace.experiment.cuts[0].start
    sent = sum(
        frame.opcode == "BINARY" and frame.sent_at >= cut for frame in trace.frames("server")
    )
    if not live and found != "never":
        found = "hangs" if waiting > (MARK if version == "14.2" else 0) else "bounded"
    return Outcome(version, found, live, waiting, sent)


def waiting_at_goodbye(trace: Trace) -> int:
    """The bytes in the server's write buffer when it left OPEN, its CLOSE among them; those at the end if it never did."""
    noticed = trace.noticed_at("server")
    return next(
        (
            count
            for t, count in reversed(trace.waiting("server"))
            if noticed is None or t <= noticed
        ),
        0,
    )


def _judge(old: Outcome, new: Outcome) -> None:
    print(old, new, sep="\n")
    if (old.verdict, new.verdict) == ("hangs", "bounded"):
        print("✓ this traffic tells 14.1 from 14.2")
    elif new.verdict in ("never", "hangs"):
        print(f"not yet: too much. Above {MARK:,} bytes drain() waits, and that no version bounds")
    elif not new.sent:
        print("not yet: no message is sent between the cut at 63 s and the goodbye at 100 s")
    else:
        print(
            "not yet: too little. All that was sent fits into the network, and no byte is left to wait for"
        )
