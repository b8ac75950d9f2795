"""Where a question or an exercise stands: the first two digits of its id name the file."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

FILES = (
    "start_here", "frames_and_states", "closing_handshake", "silence", "detection_law",
    "closing_gap", "backpressure", "false_alarms", "below_tcp", "surviving", "choosing_timers",
    "clinic",
)  # fmt: skip


def find(id: str, kind: str) -> Any:
    """The one with this id out of its file's QUESTIONS or EXERCISES; ValueError lists them."""
    number = id[:2]
    if not number.isdigit() or int(number) >= len(FILES):
        raise ValueError(f"expected an id that begins with a notebook's number; seen {id!r}")
    file = import_module(f"checks.{FILES[int(number)]}")
    known = {one.id: one for one in getattr(file, kind)}
    if id not in known:
        raise ValueError(f"there is no {id!r}; notebook {number} has {', '.join(known)}")
    return known[id]


def everything(kind: str) -> Iterator[Any]:
    """All QUESTIONS, or all EXERCISES, in the order of the notebooks."""
    for name in FILES:
        yield from getattr(import_module(f"checks.{name}"), kind)
