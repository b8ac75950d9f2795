"""What Python lacks in a browser, and what stands in for it there: decided here and nowhere else.

In a browser (Pyodide) there are no sockets, threads, processes and certificates:

    wire="loopback"          is wire="virtual", with a sentence
    live()                   goes on in virtual time, as fast as a clock
    asyncio.to_thread()      is called at once, and done when what it slept is over
    sweep, run_each          do one run after the other
    the kernel's interrupt   a stop button, which comes with the bar of many runs
    tls, vintages, "kernel"  are refused in a sentence, which names a recorded trace
"""

from __future__ import annotations

import asyncio
import secrets
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


class Stop:
    """A button that is heard while Python works, where a kernel cannot be interrupted.

    The interrupt of a kernel in a browser needs memory that it shares with the page, for which the
    web server has to send headers; and what a widget says waits until the cell has ended. So this
    button speaks on a channel of its own, and Python sets itself aside for a moment to hear it.
    That needs JSPI (WebAssembly's promise integration): Chromium has it from 137 on.
    """

    def __init__(self) -> None:
        from js import BroadcastChannel

        self.name = f"labkit-{secrets.token_hex(8)}"  # other tabs hear of this one's, too
        self.channel = BroadcastChannel.new(self.name)
        self.clicked = False
        self.channel.onmessage = self._hear

    @property
    def html(self) -> str:
        """The button."""
        says = f"new BroadcastChannel('{self.name}').postMessage('stop'); this.disabled = true"
        return f'<button type="button" class="labkit-stop" onclick="{says}">stop</button>'

    def look(self) -> None:
        """Let the browser do what waits; KeyboardInterrupt if the button was clicked."""
        from pyodide.ffi import run_sync

        run_sync(asyncio.sleep(0))
        if self.clicked:
            raise KeyboardInterrupt

    def _hear(self, _: Any) -> None:
        self.clicked = True

    def close(self) -> None:
        """Hear no more."""
        self.channel.close()


def stop_button() -> Stop | None:
    """One, where there is a need and a way; else None."""
    if not HERE:
        return None
    from pyodide.ffi import can_run_sync

    return Stop() if can_run_sync() else None


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
