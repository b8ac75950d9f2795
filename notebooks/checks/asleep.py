"""``time.sleep()`` in a learner's coroutine: a mistake with a name, and no wait of minutes."""

from __future__ import annotations

import contextlib
import time
from asyncio import events
from collections.abc import Iterator
from unittest import mock

SLEEP = time.sleep


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
