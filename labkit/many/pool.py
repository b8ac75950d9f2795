"""Many runs in worker processes: concurrent.futures' own, started fresh (spawn), fed in batches.

    for number, row in carried(do, [(1, values), (2, values), …]): ...

What a worker that dies takes with it is repeated, in the end run by run; a run that two workers
in a row die of is given up: its row says so. This module does not know what a run is.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from importlib.machinery import ModuleSpec
from multiprocessing import context, parent_process
from typing import Any

BATCH = 16  # runs: about 15 ms of work, for 0.3 ms of an executor's
YOUNG = 50_000  # objects between two collections of a worker: a run leaves 255, of a few KB
NEEDED = ("labkit.many.sweeps", "labkit.engine.session", "labkit.wires.virtual")  # by a run
STARTING = threading.Lock()  # held while the main module has another name

Values = dict[str, Any]
Item = tuple[int, Values]  # the number of a run, and its values
Do = Callable[[Values], Any]
Arriving = Generator[tuple[int, Any], None, list[Item]]  # rows by number; returns what was lost


# the processes


class Process(context.SpawnProcess):
    """A worker process that does not import the script that starts it, and hears no interrupt."""

    def start(self) -> None:
        """Start it with the main module under a name that multiprocessing.spawn leaves alone.

        It would otherwise run the script once more in each worker, which is why scripts that
        start processes need `if __name__ == "__main__"`. Nothing of a sweep lives in the script.
        """
        main = sys.modules["__main__"]
        with STARTING, _interrupts_held():
            spec, main.__spec__ = main.__spec__, ModuleSpec("__main__", None)
            try:
                super().start()
            finally:
                main.__spec__ = spec


@contextlib.contextmanager
def _interrupts_held() -> Generator[None, None, None]:
    """Ctrl-C waits; a process started meanwhile inherits that for its life, from its first line.

    Else one that is still importing would die of it aloud. multiprocessing starts its tracker in
    the same way, but then forgets what was held before: so the tracker is started first.
    """
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows: only what is ready ignores it
        yield
        return
    from multiprocessing import resource_tracker  # not in a browser

    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Fresh(context.SpawnContext):
    """multiprocessing's spawn context with such processes; it remembers those it has made."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: list[Process] = []

    def Process(self, *args: Any, **settings: Any) -> Process:  # type: ignore[override]
        """What an executor calls for each of its workers."""
        self.workers.append(Process(*args, **settings))
        return self.workers[-1]


class Processes(ProcessPoolExecutor):
    """Fresh worker processes, as many as cores unless told; they end with whoever started them."""

    def __init__(self, count: int | None = None) -> None:
        self.fresh = Fresh()
        super().__init__(count, mp_context=self.fresh, initializer=_prepare)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in a worker.

        Pickled here: a worker unpickles it as part of the call, so what it cannot find, such as
        a class of a notebook's cell, is an exception of this call and not the worker's end.
        """
        return super().submit(_call, pickle.dumps((fn, args, kwargs)))

    def __exit__(self, kind: Any, *exc: object) -> None:
        """Wait for what was asked for; after an exception or an interrupt, end all at once."""
        if kind is not None:
            for worker in self.fresh.workers:
                if worker.is_alive():
                    worker.kill()
        self.shutdown(cancel_futures=kind is not None)


def _prepare() -> None:
    """Make a worker ready: an interrupt is its parent's matter, and it ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for module in NEEDED:
        importlib.import_module(module)
    gc.freeze()
    gc.set_threshold(YOUNG)


def _end_with_parent() -> None:
    """An executor's worker that is busy, or waits for work, would not notice by itself."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(pickled: bytes) -> Any:
    fn, args, kwargs = pickle.loads(pickled)
    return fn(*args, **kwargs)


# the batches


def each(do: Do, batch: list[Values]) -> list[Any]:
    """What ``do`` gives for each of a batch: one run alone is too short for an executor."""
    return [do(values) for values in batch]


def carried(
    do: Do, items: list[Item], executor: Executor | None = None, size: int | None = None
) -> Generator[tuple[int, Any], None, None]:
    """What ``do`` gives for each item, with its number, in the order in which it arrives.

    By an executor of the caller's in batches of ``size``, or else by fresh processes; these also
    repeat what an executor has failed to give. An exception of ``do`` in such a process is raised.
    """
    size = size or BATCH
    if executor is not None:
        items = yield from _in_batches(executor, do, items, size, Exception)
        size = 1
    while items:
        with Processes() as processes:
            lost = yield from _in_batches(processes, do, items, size)
        suspects = size * (os.cpu_count() or 1)  # batches begin in order, one a worker
        yield from _one_by_one(do, lost[:suspects])
        items = lost[suspects:]


def _one_by_one(do: Do, items: list[Item]) -> Generator[tuple[int, Any], None, None]:
    """By one worker, so that when it dies it has died of the first item that is missing."""
    suspect = None
    while items:
        with Processes(1) as process:
            lost = yield from _in_batches(process, do, items, 1)
        if lost and lost[0][0] == suspect:
            number, values = lost.pop(0)
            yield number, {**values, "problem": f"two workers have died of {values}"}
        suspect = lost[0][0] if lost else None
        items = lost


def _in_batches(
    executor: Executor,
    do: Do,
    items: list[Item],
    size: int,
    failure: type[Exception] = BrokenExecutor,
) -> Arriving:
    """What an executor gives for each item; returns in order the items lost by a ``failure``."""
    waiting: dict[Future[Any], list[Item]] = {}
    lost: list[Item] = []
    try:
        for at in range(0, len(items), size):
            part = items[at : at + size]
            try:
                future = executor.submit(each, do, [values for _, values in part])
            except RuntimeError:  # broken since the last batch
                lost += part
            else:
                waiting[future] = part
        for future in as_completed(list(waiting)):
            part = waiting.pop(future)
            try:
                answers = future.result()
            except failure:
                lost += part
                continue
            for (number, _), answer in zip(part, answers):
                yield number, answer
    finally:
        if not isinstance(executor, Processes):  # these end with their workers
            for future in waiting:
                future.cancel()
    return sorted(lost, key=lambda item: item[0])
