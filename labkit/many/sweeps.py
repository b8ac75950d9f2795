"""Many runs: one experiment, some of its parameters varied, a row for each run.

    phases = sweep(fly, over={"cut.at": [8.01, 8.02, …]})
    phases["delay"]        # noticed − cut, in seconds, one number a run
    sweep(shaky, over={"server.ping_timeout": [2, 4, 8]}, repeats=100)["false_alarm"].mean()

A parameter is named by its place: "latency", "server.ping_interval", "cut.at", "delay.jitter",
"tunnel.every" (the first act of that kind). Few runs are done here, many by worker processes.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

from ..engine.progress import Bar
from ..running import run
from ..trace import Raised, Trace
from ..trace.files import whole
from ..values.experiment import Experiment
from ..values.framing import frame_size
from ..wires import browser
from .pool import carried

SECONDS = ("noticed", "closed", "told", "client_noticed", "client_told", "delay")
COUNTS = ("pings", "bytes", "code")
COLUMNS = (*SECONDS, "pings", "bytes", "false_alarm", "code")
HERE = 256  # runs: so many are done before processes have started
if sys.platform == "emscripten":  # a browser has none
    HERE = sys.maxsize
OWN_KEEPALIVE = "sent 1011 (internal error) keepalive ping timeout"  # the peer's: "received …"

Row = dict[str, Any]


def sweep(
    experiment: Experiment,
    over: Mapping[str, Sequence[Any]],
    wire: str = "virtual",
    *,
    repeats: int = 1,
    seed: int | None = None,
    executor: Executor | None = None,
    batch: int | None = None,
    save: str | os.PathLike[str] | None = None,
    each_row: Callable[[Row], None] | None = None,
    record: bool = False,
    progress: bool = True,
) -> Any:
    """Run an experiment for every combination of the values in ``over`` (parameter → values).

    Returns a pandas DataFrame, a row a run: the parameters and seed; noticed, closed, told (at
    the server), client_noticed, client_told (s since the server was OPEN, NaN for never); delay
    (s from the first cut to noticing); pings and bytes on the wire; false_alarm (see
    :func:`false_alarm`); code (what the server's program reads as close_code).

    ``repeats`` runs each combination with the seeds ``seed``, seed + 1 …, so that combinations
    meet the same luck. ``save`` is a CSV file that grows row by row, ``each_row`` is called with
    each row as it arrives. ``executor`` is any concurrent.futures.Executor, which gets batches of
    ``batch`` runs. An interrupted sweep returns the rows that are done.
    """
    todo = plan_runs(experiment, over, repeats, seed)
    rows: dict[int, Row] = {}
    with Bar(len(todo), shown=progress) as bar, _csv(save, [*over, "seed", *COLUMNS]) as write:
        try:
            for number, row in arriving(
                experiment, todo, wire, executor=executor, batch=batch, record=record
            ):
                rows[number] = row
                write(row)
                if each_row:
                    each_row(row)
                bar.advance()
        except KeyboardInterrupt:
            if bar.around:
                raise  # whoever asked for these runs, such as a check, needs them all
            bar.note("interrupted: what is done is kept")
    return frame(experiment, over, [rows[number] for number in sorted(rows)], save)


def plan_runs(
    experiment: Experiment,
    over: Mapping[str, Sequence[Any]],
    repeats: int = 1,
    seed: int | None = None,
) -> list[Row]:
    """The values of every run to be done; a wrong name or value is refused before the first run."""
    if not isinstance(over, Mapping) or not over:
        raise TypeError(
            'sweep() varies parameters by name, such as over={"cut.at": [9, 10, 11]}; '
            f"seen {over!r}"
        )
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise ValueError(f"a sweep repeats each combination once or more, seen repeats={repeats!r}")
    combined = [dict(zip(over, values)) for values in itertools.product(*over.values())]
    for values in combined:
        vary(experiment, values)
    first = experiment.seed if seed is None else seed
    if "seed" in over:
        return combined
    return [{**values, "seed": first + n} for values in combined for n in range(repeats)]


def arriving(
    experiment: Experiment,
    todo: Sequence[Row],
    wire: str = "virtual",
    *,
    executor: Executor | None = None,
    batch: int | None = None,
    record: bool = False,
) -> Iterator[tuple[int, Row]]:
    """The rows of many runs with their numbers, each as it arrives.

    The first is done here, so that a mistake shows at once.
    """
    if not todo:
        return
    do = partial(one_run, experiment, wire, record or experiment.tls)
    yield 0, do(todo[0])
    rest = list(enumerate(todo))[1:]
    few = wire != "virtual" or len(todo) <= HERE or browser.HERE
    if executor is None and few:
        for number, values in rest:
            yield number, guarded(do, values)
    else:
        yield from carried(partial(guarded, do), rest, executor, batch)


def one_run(experiment: Experiment, wire: str, record: bool, values: Row) -> Row:
    """Run an experiment with these values, and give its row."""
    return {**values, **observe(run(vary(experiment, values), wire, progress=False, record=record))}


def guarded(do: Callable[[Row], Row], values: Row) -> Row:
    """The row of a run, even if it fails: then its problem, in words."""
    try:
        return do(values)
    except Exception as problem:
        return {**values, "problem": f"{type(problem).__name__}: {problem}"}


# parameters


def vary(experiment: Experiment, values: Mapping[str, Any]) -> Experiment:
    """The experiment with these parameters set, all at once: each value is checked when made."""
    changes: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        place, _, field = name.rpartition(".")
        changes.setdefault(place, {})[field] = value
    for end in ("server", "client"):
        if end in changes:
            changes.setdefault("", {})[end] = _replace(experiment.peer(end), end, changes.pop(end))
    faults = list(experiment.faults)
    for place in [place for place in changes if place]:
        index = _first(experiment, place)
        faults[index] = _replace(faults[index], place, changes[place])
    return experiment.but(faults=faults, **changes.get("", {}))


def _first(experiment: Experiment, place: str) -> int:
    """Where the first act of a kind stands among the faults: "cut" is the first Cut in time."""
    found = [
        (act.start, n)
        for n, act in enumerate(experiment.faults)
        if type(act).__name__.lower() == place.lower()
    ]
    if found:
        return min(found)[1]
    kinds = sorted({type(act).__name__.lower() for act in experiment.faults})
    known = ", ".join(["server", "client", *kinds])
    raise ValueError(
        f"a sweep has no {place!r} to vary in {experiment!r}: "
        f"expected a name that begins with {known}"
    )


def _replace(value: Any, place: str, fields: dict[str, Any]) -> Any:
    allowed = [field.name for field in dataclasses.fields(value)]
    for name in fields:
        if name not in allowed:
            raise ValueError(f"{place} has no {name!r} to vary; it has {', '.join(allowed)}")
    return dataclasses.replace(value, **fields)


# rows


def observe(trace: Trace) -> Row:
    """One run as a row: all that :func:`sweep` tells of it but its parameters."""
    cuts, noticed = trace.experiment.cuts, trace.noticed_at("server")
    delay = None
    if cuts and noticed is not None and noticed >= cuts[0].start:
        delay = round(noticed - cuts[0].start, 9)
    return {
        "noticed": noticed,
        "closed": trace.closed_at("server"),
        "told": trace.told_at("server"),
        "client_noticed": trace.noticed_at("client"),
        "client_told": trace.told_at("client"),
        "delay": delay,
        **(trace.header.get("counted") or count(trace)),
        "false_alarm": any(false_alarm(trace, told) for told in trace.raised()),
        "code": next((told.code for told in trace.raised("server")), None),
    }


def count(trace: Trace) -> dict[str, int]:
    """Pings, and bytes of WebSocket frames with their headers, on the wire of a recorded run."""
    frames = trace.frames()
    return {
        "pings": sum(frame.opcode == "PING" for frame in frames),
        "bytes": sum(frame_size(frame.size, frame.sender) for frame in frames),
    }


def false_alarm(trace: Trace, told: Raised) -> bool:
    """Whether an end's own keepalive has ended a connection that would have lived.

    That is, no Cut was in force, and nothing on the way had forgotten the connection.
    """
    noticed = trace.noticed_at(told.end)
    if noticed is None or not told.text.startswith(OWN_KEEPALIVE):
        return False
    forgotten = any(event.t <= told.t for event in trace.select("forgotten"))
    return not forgotten and not any(cut.holds(noticed) for cut in trace.experiment.cuts)


def frame(
    experiment: Experiment,
    over: Mapping[str, Sequence[Any]],
    rows: list[Row],
    save: str | os.PathLike[str] | None = None,
) -> Any:
    """The rows as a tidy pandas DataFrame, its experiment in ``attrs``; also written to ``save``.

    Where pandas is not installed it is a Table, and ``save`` has the rows as they arrived.
    """
    seed = ["seed"] if "seed" not in over else []
    problem = ["problem"] if any("problem" in row for row in rows) else []
    columns = [*over, *seed, *COLUMNS, *problem]
    try:
        import pandas
    except ImportError:
        return Table(experiment, columns, rows)
    table = pandas.DataFrame(rows, columns=columns)
    table = table.astype({name: "float64" for name in SECONDS} | {name: "Int64" for name in COUNTS})
    if not problem:
        table = table.astype({"false_alarm": bool})
    table.attrs["experiment"] = experiment
    if save is not None:
        with whole(Path(save)) as draft:
            table.to_csv(draft, index=False)
    return table


class Table(list[Row]):
    """What a sweep gives where there is no pandas: its rows, and by name a column (None: never).

    A slice is one, too, and ``to_dict("records")`` gives its rows, as a DataFrame does.
    """

    def __init__(self, experiment: Experiment, columns: Sequence[str], rows: list[Row]) -> None:
        super().__init__({name: row.get(name) for name in columns} for row in rows)
        self.columns, self.attrs = list(columns), {"experiment": experiment}

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return [row[key] for row in self]
        found = super().__getitem__(key)
        return Table(self.attrs["experiment"], self.columns, found) if type(key) is slice else found

    def to_dict(self, orient: str) -> list[Row]:
        """Its rows; ``orient`` is "records"."""
        if orient != "records":
            raise ValueError(f"without pandas there are only 'records', seen {orient!r}")
        return list(self)


@contextlib.contextmanager
def _csv(
    path: str | os.PathLike[str] | None, columns: list[str]
) -> Iterator[Callable[[Row], object]]:
    """Give a function that writes a row to a CSV file at once; without a path, to nowhere."""
    if path is None:
        yield lambda row: None
        return
    with open(path, "w", buffering=1, newline="", encoding="utf-8") as file:  # line by line
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        yield writer.writerow
