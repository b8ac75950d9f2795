"""What several tests ask of this process and its machine: what it has, who lives, what happens side by side."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path


def belongings() -> tuple[int, int, int]:
    """Open files, threads, and tasks that were made and not finished."""
    gc.collect()
    files = len(os.listdir("/dev/fd")) if os.path.exists("/dev/fd") else 0
    tasks = sum(isinstance(thing, asyncio.Task) and not thing.done() for thing in gc.get_objects())
    return files, threading.active_count(), tasks


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
