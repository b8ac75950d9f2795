"""In which await a task is: the calls from its own coroutine down to the future it waits for.

A coroutine names what it awaits (``cr_await``). An asynccontextmanager hides it in its generator:
there the chain goes on through the frame's ``self.gen`` and the generator's ``ag_await``. So
keepalive() → ping() → send_context() → drain() shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any


def chain(task: asyncio.Task[Any]) -> list[str]:
    """The calls that a task is in, outermost first: ["keepalive", "ping", "send_context", …]."""
    return [name for step in steps(task) if (name := getattr(step, "__name__", None))]


def steps(task: asyncio.Task[Any]) -> Iterator[Any]:
    """The coroutines and generators that a task is in, outermost first, at most 50 of them."""
    step: Any = task.get_coro()
    for _ in range(50):
        if getattr(step, "__name__", None) == "__aexit__":
            step = getattr(frame_of(step).f_locals.get("self"), "gen", None) or step
        if step is None:
            return
        yield step
        step = _first(step, "cr_await", "ag_await", "gi_yieldfrom")


def chains(loop: asyncio.AbstractEventLoop) -> dict[str, list[str]]:
    """Each task of a loop with its calls, the oldest first: {"keepalive": ["keepalive", …], …}."""
    found: dict[str, list[str]] = {}
    for task in sorted(asyncio.all_tasks(loop), key=_age):
        names = chain(task)
        if names:
            number = 1 + sum(other.split()[0] == names[0] for other in found)
            found[names[0] if number == 1 else f"{names[0]} {number}"] = names
    return found


def _age(task: asyncio.Task[Any]) -> tuple[int, str]:
    """In the order in which tasks were made: asyncio calls them Task-1, Task-2, …"""
    name = task.get_name()
    return len(name), name


def frame_of(step: Any) -> Any:
    """The frame of a coroutine or generator; None if it has ended."""
    return _first(step, "cr_frame", "ag_frame", "gi_frame")


def _first(step: Any, *names: str) -> Any:
    """The first of these attributes that is there, and not None."""
    for name in names:  # no generator: an interrupt that meets its end would be lost
        value = getattr(step, name, None)
        if value is not None:
            return value
    return None


def sentence(end: str, loop: asyncio.AbstractEventLoop) -> str:
    """Who waits for what at one end: "client: read → recv → get"."""
    chains = sorted({" → ".join(chain(task)[:4]) for task in asyncio.all_tasks(loop)})
    return f"{end}: {', '.join(chains) if chains else 'no task'}"
