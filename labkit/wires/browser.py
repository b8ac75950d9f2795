"""What Python lacks in a browser, and what stands in for it there: decided here and nowhere else.

In a browser (Pyodide) there are no sockets, threads, processes and certificates:

    wire="loopback"          is wire="virtual", with a sentence
    live()                   goes on in virtual time, as fast as a clock
    asyncio.to_thread()      is called at once, and done when what it slept is over
    sweep, run_each          do one run after the other
    tls, vintages, "kernel"  are refused in a sentence, which names a recorded trace
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

HERE = sys.platform == "emscripten"
NO_SOCKETS = "There are no sockets in a browser, so this runs in virtual time (wire='virtual')."
NO_PROCESSES = "a browser has only its own Python, and starts no processes"
NO_TLS = (
    "a browser has no TLS for Python: recorded('matrix/14.1-asyncio-python3.11-wss_server-quiet') "
    "is a trace with it"
)
_told: set[str] = set()


class Lacking(ValueError):
    """A browser does not have this: why, and what stands in for it, in a sentence."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not in a browser: {self}"]  # in a notebook: the words, and no traceback


def wire(name: str) -> str:
    """The wire that is had where ``name`` is asked for; where that is another, say so once."""
    if not HERE or name != "loopback":
        return name
    if NO_SOCKETS not in _told:
        _told.add(NO_SOCKETS)
        print(NO_SOCKETS)
    return "virtual"


def refuse_tls() -> None:
    """Raise Lacking where there is no TLS."""
    if HERE:
        raise Lacking(NO_TLS)


def threads(count: int) -> Any:
    """An executor with so many threads; or one that does everything at once where it is asked."""
    if HERE:
        return InTurn()
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count)


def beside(do: Callable[[], Any]) -> tuple[float, Any, Exception | None]:
    """Call now what a thread would do meanwhile: the seconds it sleeps, its result, its exception.

    As in a thread no loop runs for it, and ``block()`` and ``time.sleep()`` stop nobody else. What
    it computes takes no virtual time, as everywhere; and all that it does is done at its begin.
    """
    from .clock import set_aside

    pauses: list[float] = []
    with set_aside(), _sleeping(pauses.append):
        try:
            result, problem = do(), None
        except Exception as raised:
            result, problem = None, raised
    return sum(pauses), result, problem


@contextmanager
def _sleeping(pause: Callable[[Any], None]) -> Iterator[None]:
    """Meanwhile ``time.sleep()`` is another."""
    real, time.sleep = time.sleep, pause
    try:
        yield
    finally:
        time.sleep = real


class InTurn:
    """What of an executor can be had without threads: ``map``, one item after the other."""

    def map(self, do: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        return map(do, items)

    def shutdown(self, **_: Any) -> None:
        """There is nothing to end."""

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
