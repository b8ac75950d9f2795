"""How a run ends, whatever a learner's code does: what every wire needs to take its ends down.

* ``Interrupts``: an interrupt waits while something is set up or taken down, and is raised then;
* ``Busy``: an end that was not done when its run was, and the line of the learner's code;
* what Python offers against code that does not end: ``break_off`` and ``abandon``.

What nothing in the process can stop: a call into C that keeps Python's lock, such as a regular
expression without end.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import linecache
import os
import signal
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, TypeVar

from .awaits import frame_of, steps

SWALLOWS = "it swallows its cancellation: it was abandoned, and never runs again"
HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # of labkit
_uninterrupted: set[CodeType] = set()
Marked = TypeVar("Marked", bound=Callable[..., Any])


def uninterrupted(function: Marked) -> Marked:
    """Mark a function that has to be completed, with what it calls: an interrupt waits meanwhile."""
    _uninterrupted.add(function.__code__)
    return function


class Interrupts:
    """What an interrupt (SIGINT) does while a run is open. Only the main thread is ever interrupted.

    It is raised at once, and inside of a learner's own code, or of what that has called. Only within a
    function that is marked as uninterrupted, and not called back into such code, it waits a moment.
    The handler asks where it is. One that is set when something must not be interrupted could itself
    be interrupted while it is being set. Model: trio's enable_ki_protection.
    """

    before: Any = None

    def __init__(self) -> None:
        self.waiting = False

    def begin(self) -> None:
        """From now on."""
        here = threading.current_thread() is threading.main_thread()
        if here and callable(signal.getsignal(signal.SIGINT)):
            self.before = signal.signal(signal.SIGINT, self.ask)

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Here is one."""
        place = frame
        while place and place.f_code not in _uninterrupted and _is_foreign(place):
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
        """As before, and raise one that has waited."""
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
            self.before = None
        self.let_in()


def heard(loop: Any, context: dict[str, Any]) -> None:
    """An exception handler for a loop: as asyncio's, but an interrupt, which was raised, is not told."""
    if not isinstance(context.get("exception"), (KeyboardInterrupt, SystemExit)):
        loop.default_exception_handler(context)


# who is still busy, and where


class StillBusy(RuntimeWarning):
    """An end was not done when its run was."""


@dataclass(frozen=True)
class Place:
    """A line of code that is being run."""

    file: str
    line: int
    function: str
    own: bool  # a learner's, neither ours nor a library's

    @property
    def spot(self) -> str:
        """The file and the line, as a learner knows them: a notebook's cell by its number."""
        return f"{_shown(self.file)} line {self.line}"

    def __str__(self) -> str:
        code = linecache.getline(self.file, self.line).strip()
        return f"in {self.function}(), {self.spot}" + (f": {code}" if code else "")


@dataclass(frozen=True)
class Busy:
    """An end that was not done when its run was, where it was, and what has become of it."""

    end: str
    place: Place | None
    then: str = ""

    def __str__(self) -> str:
        where = f" {self.place}" if self.place else ""
        return f"the {self.end} was still busy{where}" + (f" ({self.then})" if self.then else "")


def warn(busy: Iterable[Busy]) -> None:
    """Say who was still busy, as a warning that points to the line; each time anew."""
    for one in busy:
        file, line = (one.place.file, one.place.line) if one.place else (__file__, 1)
        warnings.warn_explicit(str(one), StillBusy, file, line)


def place_of_thread(thread: threading.Thread) -> Place | None:
    """Where a thread is; None if it has ended."""
    return _place(_stack(thread))


def place_of_task(task: Any) -> Place | None:
    """In which await a task is."""
    frames = [frame for step in steps(task) if (frame := frame_of(step)) is not None]
    return _place(frames[::-1])


def stubborn(end: str, tasks: Iterable[Any]) -> list[Busy]:
    """Who swallows a cancellation, each line once; who only waits for such a task is not named."""
    places = [place_of_task(task) for task in tasks]
    own = [place for place in places if place and place.own]
    return [Busy(end, place, SWALLOWS) for place in dict.fromkeys(own or places)]


def is_in_learners_code(thread: threading.Thread) -> bool:
    """Whether a thread runs code that is neither ours nor a library's, or has called from there."""
    return not all(map(_is_foreign, _stack(thread)))


def _stack(thread: threading.Thread) -> list[FrameType]:
    """The calls that a thread is in, innermost first."""
    frame, stack = sys._current_frames().get(thread.ident or 0), []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    return stack


def _place(stack: list[FrameType]) -> Place | None:
    """The innermost call of the learner's own code, or if there is none, of any."""
    own = next((frame for frame in stack if not _is_foreign(frame)), None)
    frame = own or next(iter(stack), None)
    if frame is None:
        return None
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, own is not None)


def _is_foreign(frame: FrameType) -> bool:
    """Whether a call is one of our code or of a library's."""
    file = frame.f_code.co_filename
    if file.startswith("<"):  # python -c, or made by a module, such as the methods of a dataclass
        return frame.f_globals.get("__name__") != "__main__"
    websockets = getattr(sys.modules.get("websockets"), "__file__", None)
    folders = (*_folders(), *([os.path.dirname(websockets)] if websockets else []))
    return file.startswith(tuple(folder + os.sep for folder in folders))


@functools.cache
def _folders() -> tuple[str, ...]:
    """Where code lives that no learner has written: ours, Python's own, what is installed."""
    paths = sysconfig.get_paths()
    return HOME, *{paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}


def _shown(file: str) -> str:
    """A file by its name, a notebook's cell by its number."""
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()):
        with contextlib.suppress(AttributeError):
            if label := shell.compile.format_code_name(file):
                return " ".join(label)
    return os.path.basename(file)


# against code that does not end


@contextlib.contextmanager
def brisk() -> Iterator[None]:
    """Let threads give way ten times as often: one that never waits makes the others late.

    A live session was 9 ms late while pictures were drawn, and 5 ms with this.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Stopped(SystemExit):
    """Raised in a thread whose run is over. asyncio lets it through, and a thread may end with it."""


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
