"""Many runs: one experiment, some of its parameters varied, a row for each run.

    phases = sweep(fly, over={"cut.at": [8.01, 8.02, …]})
    phases["delay"]        # noticed − cut, in seconds, one number a run

A parameter is named by its place: "latency", "server.ping_interval", "cut.at", "cut.heal" (the first cut). Runs are serial, in
virtual time unless another wire is asked for; an interrupted sweep keeps the rows that are done.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .experiment import Experiment
from .faults import Cut
from .progress import Bar
from .session import run
from .trace import Trace

COLUMNS = ("noticed", "closed", "told", "client_noticed", "client_told", "delay", "pings", "bytes")


class Sweep(Sequence[dict[str, Any]]):
    """The rows of a sweep, in order: a dict each, the varied parameters first, then what was seen (s, counts, bytes)."""

    def __init__(self, experiment: Experiment, over: Mapping[str, Sequence[Any]], rows: list[dict[str, Any]]) -> None:
        self.experiment, self.over, self.rows = experiment, dict(over), rows

    def __getitem__(self, key: Any) -> Any:
        """A row by its number, or a column by its name, as a list."""
        if isinstance(key, str):
            if key not in (*self.over, *COLUMNS):
                raise KeyError(f"this sweep has no column {key!r}; it has {', '.join((*self.over, *COLUMNS))}")
            return [row[key] for row in self.rows]
        return self.rows[key]

    def __len__(self) -> int:
        return len(self.rows)

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame."""
        try:
            import pandas
        except ImportError:
            raise ImportError("a DataFrame needs pandas, which is not installed here: pip install pandas") from None
        return pandas.DataFrame(self.rows, columns=[*self.over, *COLUMNS])

    def __repr__(self) -> str:
        return f"<Sweep of {self.experiment!r} over {', '.join(self.over)}: {len(self)} runs>"


def sweep(
    experiment: Experiment, over: Mapping[str, Sequence[Any]], wire: str = "virtual", *, record: bool = True, progress: bool = True
) -> Sweep:
    """Run an experiment once for every combination of the values in ``over`` (parameter → values); returns a Sweep."""
    if not isinstance(over, Mapping) or not over:
        raise TypeError(f'sweep() varies parameters by name, such as over={{"cut.at": [9, 10, 11]}}; seen {over!r}')
    todo = [vary(experiment, values) for values in combinations(over)]  # a wrong name is refused before the first run
    rows: list[dict[str, Any]] = []
    with Bar(len(todo), shown=progress) as bar:
        try:
            for values, one in zip(combinations(over), todo):
                rows.append({**values, **observe(run(one, wire, progress=False, record=record))})
                bar.advance()
        except KeyboardInterrupt:
            bar.note("interrupted: what is done is kept")
    return Sweep(experiment, over, rows)


def combinations(over: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of the values, the last parameter varying fastest."""
    return (dict(zip(over, values)) for values in itertools.product(*over.values()))


def vary(experiment: Experiment, values: Mapping[str, Any]) -> Experiment:
    """The experiment with these parameters set, all at once."""
    changes: dict[str, dict[str, Any]] = {"": {}}
    for name, value in values.items():
        place, _, field = name.rpartition(".")
        changes.setdefault(place, {})[field] = value
    made = experiment
    for place, fields in changes.items():
        made = _set(made, place, fields)
    return made


def _set(experiment: Experiment, place: str, fields: dict[str, Any]) -> Experiment:
    if place == "":
        return experiment.but(**fields) if fields else experiment
    if place in ("server", "client"):
        return experiment.but(**{place: _replace(experiment.peer(place), place, fields)})
    if place == "cut" and experiment.cuts:
        first: Cut = experiment.cuts[0]
        cut = _replace(first, place, fields)
        return experiment.but(faults=[cut if act is first else act for act in experiment.faults])
    known = "server, client" + (", cut" if experiment.cuts else " (and cut, where there is one)")
    raise ValueError(f"a sweep has no {place!r} to vary in {experiment!r}: expected a name that begins with {known}")


def _replace(value: Any, place: str, fields: dict[str, Any]) -> Any:
    allowed = [field.name for field in dataclasses.fields(value)]
    for name in fields:
        if name not in allowed:
            raise ValueError(f"{place} has no {name!r} to vary; it has {', '.join(allowed)}")
    return dataclasses.replace(value, **fields)


def observe(trace: Trace) -> dict[str, Any]:
    """One run as a row: the moments (s), the delay from the first cut to noticing (s), pings and bytes on the wire."""
    frames, cuts = trace.frames(), trace.experiment.cuts
    noticed = trace.noticed_at("server")
    return {
        "noticed": noticed,
        "closed": trace.closed_at("server"),
        "told": trace.told_at("server"),
        "client_noticed": trace.noticed_at("client"),
        "client_told": trace.told_at("client"),
        "delay": noticed - cuts[0].start if cuts and noticed is not None else None,
        "pings": sum(frame.opcode == "PING" for frame in frames),
        "bytes": sum(frame.size + (2 if frame.sender == "server" else 6) for frame in frames),
    }
