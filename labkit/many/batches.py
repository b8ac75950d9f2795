"""Runs carried by an executor in batches: any of concurrent.futures, or fresh processes of our own. It knows nothing of what a run is.

What a dead worker takes with it is repeated: run by run in our own processes, where one that dies again harms nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, as_completed
from typing import Any

from .pool import Died, Processes, each

BATCH = 16  # runs: about 15 ms of work, for 0.3 ms of an executor's
Item = tuple[int, Any]  # the number of a run, and its values


def carried(
    do: Callable[[Any], Any],
    items: list[Item],
    executor: Executor | None = None,
    batch: int | None = None,
) -> Iterator[tuple[int, Any]]:
    """What ``do`` gives for each item, with its number, in the order in which it arrives."""
    if executor is not None:
        lost: list[Item] = []
        yield from _carried(do, items, executor, batch, lost)
        if not lost:
            return
        items, batch = lost, 1
    processes = Processes()
    try:
        yield from _carried(do, items, processes, batch, [])
        processes.shutdown()
    finally:
        processes.shutdown(cancel_futures=True)  # an interrupt


def _carried(
    do: Callable[[Any], Any],
    items: list[Item],
    executor: Executor,
    batch: int | None,
    lost: list[Item],
) -> Iterator[tuple[int, Any]]:
    """What an executor gives; what it has failed to give is put into ``lost``."""
    waiting: dict[Future[Any], list[Item]] = {}
    size = batch or BATCH
    try:
        for at in range(0, len(items), size):
            part = items[at : at + size]
            try:
                waiting[executor.submit(each, do, [values for _, values in part])] = part
            except RuntimeError:  # broken since the last batch
                lost += part
        for future in as_completed(list(waiting)):
            part = waiting.pop(future)
            if future.cancelled() or future.exception() is not None:
                lost += part
                continue
            for (number, values), answer in zip(part, future.result()):
                yield (
                    number,
                    answer if not isinstance(answer, Died) else {**values, "problem": str(answer)},
                )
    finally:
        for future in waiting:
            future.cancel()
