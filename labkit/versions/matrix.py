"""The matrix of all versions, implementations and Pythons: run as a whole, and its file.

python -m labkit matrix        # runs what this machine can, and writes data/matrix.jsonl
"""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..ends.capabilities import IMPLEMENTATIONS, VIRTUAL, lack, number
from ..engine.progress import Bar
from ..trace import Trace
from ..trace.files import whole
from ..trace.recordings import folders
from . import Hole, Vintage, pythons, shelf
from .matrix_cells import Cell, clock_of, grid, key, measure

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
REAL_TIME = "3.11"  # the Python of implementations that run in real time: one is enough
# versions of asyncio whose cells in plain ws run once more, on the loopback wire: the virtual wire
# must agree with it
CONTROLS = ("14.1", "14.2", None)
TELLING = (  # the cells whose traces are kept, by their keys
    "10.4-legacy-python3.11-ws-ping_before_drain_blocked",
    "13.0.1-asyncio-python3.11-wss_client-quiet",
    "13.1-asyncio-python3.11-ws-backlog_below_the_mark",
    "14.1-asyncio-python3.10-wss_server-quiet",
    "14.1-asyncio-python3.11-ws-backlog_below_the_mark",
    "14.1-asyncio-python3.11-ws-drain_blocked_before_the_ping",
    "14.1-asyncio-python3.11-ws-quiet",
    "14.1-asyncio-python3.11-wss_client-quiet",
    "14.1-asyncio-python3.11-wss_server-quiet",
    "14.2-asyncio-python3.10-wss_server-quiet",
    "14.2-asyncio-python3.11-ws-backlog_below_the_mark",
    "14.2-asyncio-python3.11-ws-drain_blocked_before_the_ping",
    "installed-asyncio-python3.11-ws-drain_blocked_before_the_ping",
    "installed-asyncio-python3.11-ws-ping_before_drain_blocked",
    "installed-threading-python3.11-ws-backlog_below_the_mark",
    "installed-trio-python3.11-ws-backlog_below_the_mark",
)


def vintages() -> Iterator[Vintage]:
    """Every vintage of the recorded matrix that can exist."""
    for python in PYTHONS:
        for implementation in IMPLEMENTATIONS:
            if python != REAL_TIME and implementation not in VIRTUAL:
                continue
            for version in [*shelf.ALL, shelf.installed()]:
                if lack(implementation, version, pythons.number(python)) is None:
                    yield Vintage(version, implementation, python)


def everything(
    chosen: Iterable[Vintage] | None = None, progress: bool = True
) -> Iterator[tuple[Cell, Trace | Hole]]:
    """All cells of the chosen vintages as they are done; or of all vintages, and the controls."""
    todo = [
        (vintage, grid(), clock_of(vintage))
        for vintage in (vintages() if chosen is None else chosen)
    ]
    if chosen is None:
        todo += [(Vintage(version), grid(wires=["ws"]), "loopback") for version in CONTROLS]
    with Bar(len(todo), shown=progress, things="vintages") as bar:
        for vintage, places, clock in todo:
            yield from measure(vintage, places, clock)
            bar.advance()


def record(folder: Path, progress: bool = True) -> str:
    """Run everything; write ``folder``/matrix.jsonl and the traces of TELLING to ``folder``/matrix.

    Returns what was written, in words.
    """
    telling = {name.replace("installed", shelf.installed()) for name in TELLING}
    cells, traces = [], folder / "matrix"
    traces.mkdir(parents=True, exist_ok=True)
    for cell, trace in everything(progress=progress):
        cells.append(cell)
        if key(cell) in telling and isinstance(trace, Trace):
            trace.save(traces / f"{key(cell)}.jsonl")
    save(cells, folder / "matrix.jsonl")
    holes = sum(cell["verdict"] == "hole" for cell in cells)
    return (
        f"{len(cells)} cells ({holes} of them holes), and {len(telling)} traces, "
        f"written to {folder}/matrix.jsonl and {traces}"
    )


def save(cells: list[Cell], path: Path) -> Path:
    """Write the cells as JSON, one a line, after a header: how, with what and when it was made."""
    header = {
        "labkit matrix": 1,
        "command": "python -m labkit matrix",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "system": platform.system(),
        "websockets": sorted({cell["version"] for cell in cells}, key=number),
        "python": sorted({cell["python"] for cell in cells}, key=number),
        "cells": len(cells),
    }
    lines = [json.dumps(row) + "\n" for row in [header, *cells]]
    with whole(path) as draft:
        draft.write_text("".join(lines), encoding="utf-8")
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
    for folder in folders():
        if (folder / "matrix.jsonl").is_file():
            return load(folder / "matrix.jsonl")
    raise FileNotFoundError(
        "no matrix.jsonl in a folder data, beside labkit or above here: "
        "python -m labkit matrix makes it"
    )


def live_or_recorded(situation: str, wire: str, vintage: Vintage) -> tuple[Cell, str]:
    """One cell, run here if the vintage is here, else as it was recorded.

    And which of these: "live", "recorded on …", or "a hole".
    """
    ((cell, trace),) = measure(vintage, [(situation, wire)])
    if isinstance(trace, Trace):
        return cell, "live"
    header, cells = recorded()
    for other in cells:
        if key(other) == key(cell):
            return other, f"recorded on {header['date'][:10]}"
    return cell, "a hole"
