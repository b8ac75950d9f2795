"""The matrix: four situations × plain and TLS × versions, implementations and Pythons – who notices, and who hangs until healed.

    python -m labkit matrix        # runs every cell that this machine can, and writes data/matrix.jsonl

All cells have timers of 1/1/1 s and a cut at 1.5 s. One end keeps the connection alive: the *keeper*. It is told at 4 s, if all
goes as it should; a cell that *hangs* is in CLOSING until the cable is mended, one that *never* notices is OPEN all the time.
Cells of asyncio and legacy run on the virtual wire, those of threading and trio, which have clocks of their own, on loopback.
"""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..ends.capabilities import IMPLEMENTATIONS, VIRTUAL, lack, number
from ..engine.progress import Bar
from ..trace import Story, Trace
from ..trace.fate import fate
from ..trace.files import whole
from ..trace.recordings import folders
from ..values.experiment import Experiment, Peer
from ..values.faults import Act, Cut, Send
from . import Hole, Vintage, check, pythons, shelf
from .worker import Place, Worker

CUT = 1.5  # s; between the pings of 1 s and 2 s
HEAL = {
    "virtual": 60.0,
    "loopback": 8.0,
}  # s; beyond the 30 s that TLS may add, where minutes cost nothing
AFTER = 4.0  # s; how much longer a run goes on

SITUATIONS = {  # what the keeper's application sends, of which acts
    "quiet": "nothing is sent but pings",
    "backlog below the mark": "1,000 bytes every 50 ms: into a cut they pile up in the write buffer, but drain() does not wait yet",
    "drain blocked before the ping": "40,000 bytes every 50 ms: drain() waits when the next ping is due",
    "ping before drain blocked": "the ping is on its way when 40,000 bytes every 50 ms begin, so drain() waits from then on",
}
WIRES = {
    "ws": ("server", False),
    "wss server": ("server", True),
    "wss client": ("client", True),
}  # (the keeper, TLS)
VERDICTS = {
    "bounded": "told in time",
    "late": "closed or told much later than close_timeout",
    "hangs": "in CLOSING until the cable is mended",
    "never": "OPEN all the time: it never notices",
    "hole": "cannot be run",
}

Cell = dict[
    str, Any
]  # version, implementation, python, situation, wire, clock; cut, heal, noticed, closed, told (s); raised, verdict, why


def traffic(situation: str, keeper: str) -> list[Act]:
    """What the keeper's application sends."""
    if situation == "quiet":
        return []
    if situation == "backlog below the mark":
        return [Send(at=0.03, end=keeper, size=1000, every=0.05)]
    return [
        Send(
            at=0.03 if "before the ping" in situation else 2.2, end=keeper, size=40_000, every=0.05
        )
    ]


def experiment(situation: str, wire: str, clock: str = "virtual") -> Experiment:
    """The experiment of a cell: "quiet" … × "ws", "wss server", "wss client"; ``clock`` says when it is healed."""
    if situation not in SITUATIONS or wire not in WIRES:
        raise ValueError(
            f"a cell is one of {', '.join(SITUATIONS)} × {', '.join(WIRES)}; seen {situation!r} × {wire!r}"
        )
    keeper, tls = WIRES[wire]
    timers, heal = Peer(ping_interval=1, ping_timeout=1, close_timeout=1, buffer=4096), HEAL[clock]
    ends: dict[str, Any] = {
        "server": replace(timers, ping_interval=None),
        "client": replace(timers, ping_interval=None),
        keeper: timers,
    }
    faults = [Cut(at=CUT, heal=heal), *traffic(situation, keeper)]
    return Experiment(**ends, faults=faults, tls=tls, until=heal + AFTER)


def judge(trace: Story, keeper: str, heal: float) -> Cell:
    """What became of the keeper: three moments (s, or None), what it was told, its fate."""
    noticed, closed, told = (
        _rounded(moment(keeper)) for moment in (trace.noticed_at, trace.closed_at, trace.told_at)
    )
    raised = next((one.type for one in trace.raised(keeper)), None)
    seen = {"noticed": noticed, "closed": closed, "told": told, "raised": raised}
    return {**seen, "verdict": fate(trace, keeper, heal), "why": None}


def _rounded(moment: float | None) -> float | None:
    return None if moment is None else round(moment, 6)


def clock_of(vintage: Vintage) -> str:
    """The wire that the cells of a vintage run on."""
    return "virtual" if vintage.implementation in VIRTUAL else "loopback"


def grid(
    situations: Iterable[str] = tuple(SITUATIONS), wires: Iterable[str] = tuple(WIRES)
) -> list[tuple[str, str]]:
    """Every (situation, wire)."""
    return [(situation, wire) for situation in situations for wire in wires]


def measure(
    vintage: Vintage, places: Iterable[tuple[str, str]] = (), clock: str | None = None
) -> list[tuple[Cell, Trace | Hole]]:
    """Run the cells of one vintage, all of them unless told which; a vintage that cannot be had gives holes."""
    clock = clock or clock_of(vintage)
    todo = list(places) or grid()
    try:
        place = vintage.find()
        check(vintage, experiment("quiet", "ws"))
    except Hole as hole:
        return [
            (cell_of(vintage, *where, clock) | {"verdict": "hole", "why": hole.why}, hole)
            for where in todo
        ]
    return [
        (_seen(vintage, where, clock, trace), trace)
        for where, trace in zip(todo, _run_all(place, todo, clock))
    ]


def _run_all(place: Place, todo: list[tuple[str, str]], clock: str) -> list[Trace]:
    """In virtual time one worker does one cell after the other; in real time each has its own, and they wait together."""
    if clock == "virtual":
        with Worker(place) as worker:
            return [worker.run(experiment(*where), clock, progress=False) for where in todo]

    def alone(where: tuple[str, str]) -> Trace:
        with Worker(place) as worker:
            trace = worker.run(experiment(*where, clock), clock, progress=False)
            if (
                not trace.states("server") or trace.states("server")[-1][1] == "CONNECTING"
            ):  # too busy to connect: once more
                trace = worker.run(experiment(*where, clock), clock, progress=False)
            return trace

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(alone, todo))


def cell_of(vintage: Vintage, situation: str, wire: str, clock: str) -> Cell:
    """A cell that has not been run yet: who and where, without moments."""
    python = ".".join((vintage.python or pythons.here()).split(".")[:2])
    named = {
        "version": vintage.version or shelf.installed(),
        "implementation": vintage.implementation,
        "python": python,
    }
    moments: Cell = {"noticed": None, "closed": None, "told": None, "raised": None}
    return {
        **named,
        "situation": situation,
        "wire": wire,
        "clock": clock,
        "cut": CUT,
        "heal": HEAL[clock],
        **moments,
    }


def _seen(vintage: Vintage, where: tuple[str, str], clock: str, trace: Trace) -> Cell:
    return cell_of(vintage, *where, clock) | judge(trace, WIRES[where[1]][0], HEAL[clock])


# the whole of it


def vintages() -> Iterator[Vintage]:
    """Every vintage of the recorded matrix, but for those that the capabilities rule out beforehand."""
    for python in PYTHONS:
        for implementation in IMPLEMENTATIONS:
            if (
                python == PYTHONS[1] or implementation in VIRTUAL
            ):  # real time is dear: one Python is enough
                for version in [*shelf.ALL, shelf.installed()]:
                    if lack(implementation, version, pythons.number(python)) is None:
                        yield Vintage(version, implementation, python)


PYTHONS = ("3.10", "3.11", "3.12", "3.13")
CONTROLS = (
    "14.1",
    "14.2",
    None,
)  # asyncio, in plain ws, once more on the loopback wire: the virtual wire must agree


def everything(
    chosen: Iterable[Vintage] | None = None, progress: bool = True
) -> Iterator[tuple[Cell, Trace | Hole]]:
    """All cells of all vintages, and the controls, as they are done."""
    todo = [
        (vintage, grid(), clock_of(vintage))
        for vintage in (chosen if chosen is not None else vintages())
    ]
    if chosen is None:
        todo += [(Vintage(version), grid(wires=["ws"]), "loopback") for version in CONTROLS]
    with Bar(len(todo), shown=progress, things="vintages") as bar:
        for vintage, places, clock in todo:
            yield from measure(vintage, places, clock)
            bar.advance()


TELLING = [  # the cells whose traces are kept: (situation, wire, vintage)
    ("quiet", "ws", Vintage("14.1", python="3.11")),
    ("backlog below the mark", "ws", Vintage("13.1", python="3.11")),
    ("backlog below the mark", "ws", Vintage("14.1", python="3.11")),
    ("backlog below the mark", "ws", Vintage("14.2", python="3.11")),
    ("quiet", "wss server", Vintage("14.1", python="3.10")),
    ("quiet", "wss server", Vintage("14.2", python="3.10")),
    ("quiet", "wss server", Vintage("14.1", python="3.11")),
    ("quiet", "wss client", Vintage("14.1", python="3.11")),
    ("quiet", "wss client", Vintage("13.0.1", python="3.11")),
    ("ping before drain blocked", "ws", Vintage("10.4", "legacy", "3.11")),
    ("ping before drain blocked", "ws", Vintage(python="3.11")),
    ("drain blocked before the ping", "ws", Vintage("14.1", python="3.11")),
    ("drain blocked before the ping", "ws", Vintage("14.2", python="3.11")),
    ("drain blocked before the ping", "ws", Vintage(python="3.11")),
    ("backlog below the mark", "ws", Vintage(implementation="threading", python="3.11")),
    ("backlog below the mark", "ws", Vintage(implementation="trio", python="3.11")),
]


def key(cell: Cell) -> str:
    """The name of a cell, and of its trace: "14.1-asyncio-python3.11-ws-quiet"."""
    words = [
        cell["version"],
        cell["implementation"],
        f"python{cell['python']}",
        cell["wire"],
        cell["situation"],
    ]
    words += (
        ["on loopback"] if cell["implementation"] in VIRTUAL and cell["clock"] == "loopback" else []
    )
    return "-".join(words).replace(" ", "_")


def record(folder: Path, progress: bool = True) -> str:
    """Run everything; write ``folder``/matrix.jsonl, and the telling traces beside it in the folder matrix. Returns what was written."""
    telling = {
        key(cell_of(vintage, situation, wire, clock_of(vintage)))
        for situation, wire, vintage in TELLING
    }
    cells, traces = [], folder / "matrix"
    traces.mkdir(parents=True, exist_ok=True)
    for cell, trace in everything(progress=progress):
        cells.append(cell)
        if key(cell) in telling and isinstance(trace, Trace):
            trace.save(traces / f"{key(cell)}.jsonl")
    save(cells, folder / "matrix.jsonl")
    holes = sum(cell["verdict"] == "hole" for cell in cells)
    return f"{len(cells)} cells ({holes} of them holes), and {len(telling)} traces, written to {folder}/matrix.jsonl and {traces}"


def save(cells: list[Cell], path: Path) -> Path:
    """Write the cells as JSON, one a line, after how, with what and when they were made."""
    header = {
        "labkit matrix": 1,
        "command": "python -m labkit matrix",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "system": platform.system(),
        "websockets": sorted({cell["version"] for cell in cells}, key=number),
        "python": sorted({cell["python"] for cell in cells}, key=number),
        "cells": len(cells),
    }
    with whole(path) as draft:
        draft.write_text(
            "".join(json.dumps(row) + "\n" for row in [header, *cells]), encoding="utf-8"
        )
    return path


def load(path: Path) -> tuple[dict[str, Any], list[Cell]]:
    """The header and the cells that :func:`save` wrote."""
    header, *cells = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    if header.get("labkit matrix") != 1 or header.get("cells") != len(cells):
        raise ValueError(
            f"{path} is not a whole matrix: make it again with python -m labkit matrix"
        )
    return header, cells


def recorded() -> tuple[dict[str, Any], list[Cell]]:
    """The matrix that comes with the lab, in data/matrix.jsonl: its header, and its cells."""
    path = next((path for folder in folders() if (path := folder / "matrix.jsonl").is_file()), None)
    if path is None:
        raise FileNotFoundError(
            "no matrix.jsonl in a folder data, beside labkit or above here: python -m labkit matrix makes it"
        )
    return load(path)


def live_or_recorded(situation: str, wire: str, vintage: Vintage) -> tuple[Cell, str]:
    """One cell, run here if the vintage is here, else as it was recorded; and which of the two: "live", or "recorded on …"."""
    ((cell, trace),) = measure(vintage, [(situation, wire)])
    if isinstance(trace, Trace):
        return cell, "live"
    header, cells = recorded()
    found = next((other for other in cells if key(other) == key(cell)), None)
    return (found, f"recorded on {header['date'][:10]}") if found else (cell, "a hole")
