"""How a run ends, whatever a learner's code does: what every wire needs to take its ends down.

* ``Interrupts``: an interrupt waits while something is set up or taken down, and is raised then;
* ``Busy``: an end that was not done when its run was, and the line of the learner's code
  (places.py);
* what Python offers against code that does not end: ``break_off`` and ``abandon``.

What nothing in the process can stop: a call into C that keeps Python's lock, such as a regular
expression without end.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, TypeVar

from .places import Place, is_foreign, place_of_task

SWALLOWS = "it swallows its cancellation: it was abandoned, and never runs again"
_uninterrupted: set[CodeType] = set()
Marked = TypeVar("Marked", bound=Callable[..., Any])


def uninterrupted(function: Marked) -> Marked:
    """Mark a function that has to be completed, with what it calls: interrupts wait meanwhile."""
    _uninterrupted.add(function.__code__)
    return function


class Interrupts:
    """What an interrupt (SIGINT) does while a run is open; only the main thread gets any.

    It is raised at once, in a learner's own code, or in what that has called. Within a function
    that is marked as uninterrupted, and has not called back into such code, it waits a moment. The
    handler asks where it is, since setting another handler could itself be interrupted. Model:
    trio's enable_ki_protection.
    """

    before: Any = None

    def __init__(self) -> None:
        self.waiting = False

    def begin(self) -> None:
        """Handle interrupts from now on."""
        here = threading.current_thread() is threading.main_thread()
        if here and callable(signal.getsignal(signal.SIGINT)):
            self.before = signal.signal(signal.SIGINT, self.ask)

    def ask(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signal."""
        place = frame
        while place and place.f_code not in _uninterrupted and is_foreign(place):
            place = place.f_back
        if place and place.f_code in _uninterrupted:
            self.waiting = True
        else:
            self.before(number, frame)

    def let_in(self) -> None:
        """Raise one that has waited."""
        if self.waiting:
            self.waiting = False
            signal.raise_signal(signal.SIGINT)

    def end(self) -> None:
        """Handle interrupts as before, and raise one that has waited."""
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
            self.before = None
        self.let_in()


def heard(loop: Any, context: dict[str, Any]) -> None:
    """An exception handler for a loop: asyncio's, but for interrupts, which have been raised."""
    if not isinstance(context.get("exception"), (KeyboardInterrupt, SystemExit)):
        loop.default_exception_handler(context)


# who is still busy, and where


class StillBusy(RuntimeWarning):
    """An end was not done when its run was."""


@dataclass(frozen=True)
class Busy:
    """An end that was not done when its run was, where it was, and what has become of it."""

    end: str
    place: Place | None
    then: str = ""

    def __str__(self) -> str:
        where = f" {self.place}" if self.place else ""
        then = f" ({self.then})" if self.then else ""
        return f"the {self.end} was still busy{where}{then}"


def warn(busy: Iterable[Busy]) -> None:
    """Say who was still busy, as a warning that points to the line; each time anew."""
    for one in busy:
        file, line = (one.place.file, one.place.line) if one.place else (__file__, 1)
        warnings.warn_explicit(str(one), StillBusy, file, line)


def stubborn(end: str, tasks: Iterable[Any]) -> list[Busy]:
    """Who swallows a cancellation, each line once; who only waits for such a task is not named."""
    places = [place_of_task(task) for task in tasks]
    own = [place for place in places if place and place.own]
    return [Busy(end, place, SWALLOWS) for place in dict.fromkeys(own or places)]


# against code that does not end


class Brisk:
    """Let threads give way ten times as often: one that never waits makes the others late.

    A live session was 9 ms late while pictures were drawn, and 5 ms with this. The interval is the
    whole process's: of several blocks at a time, in several threads, the last gives it back.
    """

    lock = threading.Lock()
    blocks = 0
    before = 0.0  # s

    def __enter__(self) -> None:
        with self.lock:
            if not Brisk.blocks:
                Brisk.before = sys.getswitchinterval()
                sys.setswitchinterval(Brisk.before / 10)
            Brisk.blocks += 1

    def __exit__(self, *exc: object) -> None:
        with self.lock:
            Brisk.blocks -= 1
            if not Brisk.blocks:
                sys.setswitchinterval(Brisk.before)


class Stopped(SystemExit):
    """Raised in a thread whose run is over: asyncio lets it through, a thread may end with it."""


def break_off(thread: threading.Thread) -> None:
    """Raise Stopped in a thread, as soon as it runs Python code again."""
    with contextlib.suppress(ImportError, AttributeError):  # of CPython only
        import ctypes

        ident, kind = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, kind)


def abandon(task: Any) -> None:
    """End a task that swallows its cancellation, in a loop that turns no more: it never runs again.

    When its coroutine is collected, Python throws GeneratorExit into it. It would swallow that as
    well, and go on, for ever, inside of the garbage collector. So it is never collected.
    """
    with contextlib.suppress(ImportError, AttributeError):
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(task.get_coro()))
    task.cancel()  # what it waits for forgets it
    asyncio.Future.cancel(task)  # and so is whoever waits for it told
