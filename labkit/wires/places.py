"""Where code is that runs, and whose it is: a learner's, or the lab's and its libraries'."""

from __future__ import annotations

import contextlib
import functools
import linecache
import os
import sys
import sysconfig
import threading
from dataclasses import dataclass
from types import FrameType
from typing import Any

from .awaits import frame_of, steps

LABKIT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


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
        where = f"in {self.function}(), {self.spot}"
        return f"{where}: {code}" if code else where


def place_of_thread(thread: threading.Thread) -> Place | None:
    """Where a thread is; None if it has ended."""
    return _place(_stack(thread))


def place_of_task(task: Any) -> Place | None:
    """In which await a task is."""
    frames = [frame for step in steps(task) if (frame := frame_of(step)) is not None]
    return _place(frames[::-1])


def is_in_learners_code(thread: threading.Thread) -> bool:
    """Whether a thread runs code that is neither ours nor a library's, or has called from there."""
    return not all(map(is_foreign, _stack(thread)))


def _stack(thread: threading.Thread) -> list[FrameType]:
    """The calls that a thread is in, innermost first."""
    frame, stack = sys._current_frames().get(thread.ident or 0), []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    return stack


def _place(stack: list[FrameType]) -> Place | None:
    """The innermost call of the learner's own code, or if there is none, of any."""
    own = next((frame for frame in stack if not is_foreign(frame)), None)
    frame = own or next(iter(stack), None)
    if frame is None:
        return None
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, own is not None)


def is_foreign(frame: FrameType) -> bool:
    """Whether a call is one of labkit's code or of a library's."""
    file = frame.f_code.co_filename
    if file.startswith("<"):  # python -c, or made by a module, such as the methods of a dataclass
        return frame.f_globals.get("__name__") != "__main__"
    folders = list(_folders())
    if websockets := getattr(sys.modules.get("websockets"), "__file__", None):
        folders.append(os.path.dirname(websockets))
    return file.startswith(tuple(folder + os.sep for folder in folders))


@functools.cache
def _folders() -> tuple[str, ...]:
    """Where code lives that no learner has written: labkit, Python's own, what is installed."""
    paths = sysconfig.get_paths()
    return LABKIT, *{paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}


def _shown(file: str) -> str:
    """A file by its name, a notebook's cell by its number."""
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()):
        with contextlib.suppress(AttributeError):
            if label := shell.compile.format_code_name(file):
                return " ".join(label)
    return os.path.basename(file)
