"""What several tests ask of this process and its machine: what it has, who lives, what happens side by side."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LATE = 0.020  # s; a machine that wakes up later than this is not on time
LOOK = 0.005  # s between two looks at that
TRIES = 8  # of what is measured in real time, while the machine is late


def belongings() -> set[tuple[Any, ...]]:
    """Open files, threads, and tasks that were made and not finished, each as itself: what is new is nobody else's."""
    gc.collect()
    found: set[tuple[Any, ...]] = {("thread", one) for one in threading.enumerate()}
    found |= {("task", one) for one in gc.get_objects() if isinstance(one, asyncio.Task) and not one.done()}
    for number in os.listdir("/dev/fd") if os.path.exists("/dev/fd") else ():
        with contextlib.suppress(OSError):  # the file of this very list
            found.add(("file", number, os.readlink(f"/dev/fd/{number}")))
    return found


def side_by_side(*works: Callable[[], object]) -> None:
    """Do each in a thread of its own, all at once, and wait for them."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_until(true: Callable[[], object]) -> None:
    """Wait until something is true; it must be, before long."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it has not come to that"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process has not ended (Linux)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except OSError:
        return False


class Punctuality:
    """How late this machine wakes up while something is measured."""

    worst = 0.0  # s

    @property
    def late(self) -> bool:
        """Whether it was too late for what was measured to say anything."""
        return self.worst >= LATE

    def watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            due = time.monotonic() + LOOK
            time.sleep(LOOK)
            self.worst = max(self.worst, time.monotonic() - due)


@contextlib.contextmanager
def on_time() -> Iterator[Punctuality]:
    """Watch this machine: ``with on_time() as machine: …``, and ``machine.late`` says whether it was."""
    machine, stop = Punctuality(), threading.Event()
    thread = threading.Thread(target=machine.watch, args=(stop,), daemon=True)
    thread.start()
    try:
        yield machine
    finally:
        stop.set()
        thread.join()


def in_real_time(test: Callable[..., None]) -> Callable[..., None]:
    """A test whose failure counts if this machine was on time: a busy one is tried again, and the last of TRIES counts in any case."""

    @functools.wraps(test)
    def tried(*args: Any, **given: Any) -> None:
        for left in reversed(range(TRIES)):
            with on_time() as machine:
                try:
                    return test(*args, **given)
                except (Exception, pytest.fail.Exception):
                    if given.get("wire") == "virtual" or not machine.late or not left:
                        raise

    return tried


def both_wires(test: Callable[..., None]) -> Callable[..., None]:
    """A test of a ``wire``, the virtual one and the loopback one."""
    return pytest.mark.parametrize("wire", ["virtual", "loopback"])(in_real_time(test))
