"""The recorded traces that come with the lab: files in the folder data.

It stands beside labkit, or above where one works. data/README.md says what made each of them.
"""

from __future__ import annotations

from pathlib import Path

from . import Trace

BESIDE = Path(__file__).resolve().parents[2] / "data"


def recorded(name: str) -> Trace:
    """The recorded trace of that name: ``recorded("closing-hang")``."""
    for folder in folders():
        if (path := folder / f"{name}.jsonl").is_file():
            return Trace.load(path)
    there = sorted({path.stem for folder in folders() for path in folder.glob("*.jsonl")})
    known = f"there are {', '.join(there)}"
    if not there:
        known = "the folder data was found neither beside labkit nor above here"
    raise FileNotFoundError(f"no recording is called {name!r}: {known}")


def folders() -> list[Path]:
    """Where recordings may be: beside labkit (a clone), else in a folder data here or above."""
    here = Path.cwd()
    return [BESIDE, *(folder / "data" for folder in (here, *here.parents))]
