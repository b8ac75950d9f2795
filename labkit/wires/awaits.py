"""In which await a task is: the chain of calls from its own coroutine down to the future that it waits for.

A coroutine names what it awaits (``cr_await``). An asynccontextmanager hides it in its generator: there the chain goes on
through the frame's ``self.gen`` and the generator's ``ag_await``. So keepalive() → ping() → send_context() → drain() shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any


def chain(task: asyncio.Task[Any]) -> list[str]:
    """The names of the calls that a task is in, outermost first: ["keepalive", "ping", "send_context", "drain"]."""
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
        step = _next(step)


def chains(loop: asyncio.AbstractEventLoop) -> dict[str, list[str]]:
    """Each task of a loop with the calls that it is in, the oldest first: {"keepalive": ["keepalive", "ping", …], "send": …}."""
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
    return (
        getattr(step, "cr_frame", None)
        or getattr(step, "ag_frame", None)
        or getattr(step, "gi_frame", None)
    )


def _next(step: Any) -> Any:
    for attribute in ("cr_await", "ag_await", "gi_yieldfrom"):
        following = getattr(step, attribute, None)
        if following is not None:
            return following
    return None


def sentence(end: str, loop: asyncio.AbstractEventLoop) -> str:
    """Who waits for what at one end: "client: read → recv → get"."""
    chains = sorted({" → ".join(chain(task)[:4]) for task in asyncio.all_tasks(loop)})
    return f"{end}: {', '.join(chains) if chains else 'no task'}"
