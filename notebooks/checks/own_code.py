"""A learner's own code as the program of an end, in virtual time.

``time.sleep()`` in it is a mistake with a name, and no wait of minutes.
"""

from __future__ import annotations

import contextlib
import time
from asyncio import events
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest import mock

from websockets.exceptions import ConnectionClosed

from labkit import Experiment, Trace, run

SLEEP = time.sleep
GONE = (ConnectionClosed, TimeoutError)  # as any handler may end
Program = Callable[[Any], Awaitable[Any]]
Errors = tuple[type[Exception], ...]


class Asleep(Exception):
    """Somebody called ``time.sleep()`` where no real second passes."""

    def __init__(self) -> None:
        super().__init__("time.sleep() stops every task of a program; await asyncio.sleep()")


@contextlib.contextmanager
def no_sleep() -> Iterator[None]:
    """Let ``time.sleep()`` raise in what runs in virtual time."""
    with mock.patch("time.sleep", _sleep):
        yield


def _sleep(seconds: float) -> None:
    if hasattr(events._get_running_loop(), "block"):
        raise Asleep
    SLEEP(seconds)


def mistake(trace: Trace) -> str:
    """The words "handler raised …", if the server's raised what is no end of its connection."""
    for one in trace.raised("server"):
        if not one.type.startswith("ConnectionClosed"):
            return f"handler raised {one.type}: {one.text}".rstrip(": ")
    return ""


def virtual(experiment: Experiment, **how: Any) -> Trace:
    """A run in virtual time, below the bar of a check."""
    return run(experiment, "virtual", progress=False, **how)


def own_code(
    experiment: Experiment, code: Program, end: str = "client", ends: Errors = ()
) -> tuple[Trace, list[Any]]:
    """Run ``async def code(websocket)`` at an end; the trace, and in a list what it returned.

    The list is empty if it was not done when the run was over. What it raised is raised, unless
    it may end so: with one of ``ends``.
    """
    returned: list[Any] = []
    problems: list[Exception] = []

    async def program(websocket: Any) -> None:
        try:
            returned.append(await code(websocket))
        except ends:
            raise
        except Exception as problem:
            problems.append(problem)

    with no_sleep():
        trace = virtual(experiment, **{end: program})
    if problems:
        raise problems[0]
    return trace, returned
