"""Many runs: one experiment, some of its parameters varied, a row for each run.

    phases = sweep(fly, over={"cut.at": [8.01, 8.02, …]})
    phases["delay"]        # noticed − cut, in seconds, one number a run
    sweep(shaky, over={"server.ping_timeout": [2, 4, 8]}, repeats=100)["false_alarm"].mean()

A parameter is named by its place: "latency", "server.ping_interval", "cut.at", "delay.jitter", "tunnel.every" (the first act of that
kind). Runs are unrecorded, in virtual time unless another wire is asked for. Few are done here, many by fresh processes, or by any
executor; an interrupted sweep keeps the rows that are done.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import os
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
from ..values.frames import frame_size
from .batches import carried

SECONDS = ("noticed", "closed", "told", "client_noticed", "client_told", "delay")
COUNTS = ("pings", "bytes", "code")
COLUMNS = (*SECONDS, "pings", "bytes", "false_alarm", "code")
HERE = 256  # runs: so many are done before processes have started

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
    """Run an experiment for every combination of the values in ``over`` (parameter → values); returns a pandas DataFrame, a row a run.

    The columns: the parameters, seed; noticed, closed, told (at the server), client_noticed, client_told (s since the server was OPEN, NaN
    for never); delay (s from the first cut to noticing); pings and bytes on the wire; false_alarm (see :func:`false_alarm`); code (what
    the server's program reads as close_code). ``repeats`` runs each combination with the seeds ``seed``, seed + 1 …, so that
    combinations meet the same luck. ``save`` is a CSV file that grows row by row, ``each_row`` is called with each row as it arrives.
    ``executor`` is any concurrent.futures.Executor, which gets batches of ``batch`` runs.
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
            f'sweep() varies parameters by name, such as over={{"cut.at": [9, 10, 11]}}; seen {over!r}'
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
    """The rows of many runs with their numbers, each as it arrives. The first is done here, so that a mistake shows at once."""
    if not todo:
        return
    do = partial(one_run, experiment, wire, record or experiment.tls)
    yield 0, do(todo[0])
    rest = list(enumerate(todo))[1:]
    if executor is None and (wire != "virtual" or len(todo) <= HERE):
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
    """The experiment with these parameters set, all at once."""
    changes: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        place, _, field = name.rpartition(".")
        changes.setdefault(place, {})[field] = value
    for end in ("server", "client"):  # all in one go: each value is checked when it is made
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
    kinds = sorted({type(act).__name__.lower() for act in experiment.faults} | {"cut"})
    known = ", ".join(["server", "client", *kinds]) + (
        "" if experiment.cuts else " (cut, where there is one)"
    )
    raise ValueError(
        f"a sweep has no {place!r} to vary in {experiment!r}: expected a name that begins with {known}"
    )


def _replace(value: Any, place: str, fields: dict[str, Any]) -> Any:
    allowed = [field.name for field in dataclasses.fields(value)]
    for name in fields:
        if name not in allowed:
            raise ValueError(f"{place} has no {name!r} to vary; it has {', '.join(allowed)}")
    return dataclasses.replace(value, **fields)


# rows


def observe(trace: Trace) -> Row:
    """One run as a row: the moments (s), the delay from the first cut to noticing (s), pings and bytes on the wire, false alarm, code."""
    cuts, noticed, raised = (
        trace.experiment.cuts,
        trace.noticed_at("server"),
        trace.raised("server"),
    )
    late = noticed is not None and cuts and noticed >= cuts[0].start
    return {
        "noticed": noticed,
        "closed": trace.closed_at("server"),
        "told": trace.told_at("server"),
        "client_noticed": trace.noticed_at("client"),
        "client_told": trace.told_at("client"),
        "delay": round(noticed - cuts[0].start, 9) if late and noticed is not None else None,
        **(trace.header.get("counted") or count(trace)),
        "false_alarm": any(false_alarm(trace, one) for one in trace.raised()),
        "code": raised[0].code if raised else None,
    }


def count(trace: Trace) -> dict[str, int]:
    """Pings, and bytes of WebSocket frames with their headers, on the wire of a recorded run."""
    frames = trace.frames()
    return {
        "pings": sum(frame.opcode == "PING" for frame in frames),
        "bytes": sum(frame_size(frame.size, frame.sender) for frame in frames),
    }


def false_alarm(trace: Trace, told: Raised) -> bool:
    """Whether an end's own keepalive has ended a connection that would have lived: no Cut was in force, nothing had forgotten it."""
    if not told.text.startswith(
        "sent 1011 (internal error) keepalive ping timeout"
    ):  # the peer's begins with "received"
        return False
    noticed = trace.noticed_at(told.end)
    forgotten = any(event.t <= told.t for event in trace.select("forgotten"))
    return (
        not forgotten
        and noticed is not None
        and not any(cut.holds(noticed) for cut in trace.experiment.cuts)
    )


def frame(
    experiment: Experiment,
    over: Mapping[str, Sequence[Any]],
    rows: list[Row],
    save: str | os.PathLike[str] | None = None,
) -> Any:
    """The rows as a tidy pandas DataFrame, also written to ``save``; it keeps its experiment in ``attrs``."""
    try:
        import pandas
    except ImportError:
        raise ImportError(
            "a sweep gives a DataFrame of pandas, which is not installed here: pip install pandas"
        ) from None
    seed = ["seed"] if "seed" not in over else []
    problem = ["problem"] if any("problem" in row for row in rows) else []
    table = pandas.DataFrame(rows, columns=[*over, *seed, *COLUMNS, *problem])
    table = table.astype({name: "float64" for name in SECONDS} | {name: "Int64" for name in COUNTS})
    if not problem:
        table = table.astype({"false_alarm": bool})
    table.attrs["experiment"] = experiment
    if save is not None:
        with whole(Path(save)) as draft:
            table.to_csv(draft, index=False)
    return table


class _csv:
    """A CSV file that grows row by row; without a path, nothing."""

    def __init__(self, path: str | os.PathLike[str] | None, columns: list[str]) -> None:
        self.path, self.columns = path, columns
        self.file: Any = None

    def __enter__(self) -> Callable[[Row], None]:
        if self.path is None:
            return lambda row: None
        self.file = open(self.path, "w", newline="", encoding="utf-8")
        writer = csv.DictWriter(self.file, self.columns, extrasaction="ignore")
        writer.writeheader()

        def write(row: Row) -> None:
            writer.writerow(row)
            self.file.flush()

        return write

    def __exit__(self, *exc: object) -> None:
        if self.file:
            self.file.close()
