"""A learner's own code as the program of an end, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from labkit import Experiment, Trace, run


def virtual(experiment: Experiment, **how: Any) -> Trace:
    """A run in virtual time, below the bar of a check."""
    return run(experiment, "virtual", progress=False, **how)


def own_code(
    experiment: Experiment, code: Callable[[Any], Awaitable[Any]], end: str = "client"
) -> tuple[Trace, list[Any]]:
    """Run ``async def code(websocket)`` at an end; the trace, and in a list what it returned.

    The list is empty if it was not done when the run was over. What it raised is raised.
    """
    returned: list[Any] = []
    problems: list[Exception] = []

    async def program(websocket: Any) -> None:
        try:
            returned.append(await code(websocket))
        except Exception as problem:
            problems.append(problem)

    trace = virtual(experiment, **{end: program})
    if problems:
        raise problems[0]
    return trace, returned
