"""A blocking program in a daemon thread, awaited by a coroutine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable


async def in_thread(body: Callable[[], None], name: str, stop: Callable[[], None]) -> None:
    """Run ``body`` in a daemon thread until it ends; if cancelled, ``stop`` it, and wait for that.

    Raises RuntimeError if it raises.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def run() -> None:
        problem: BaseException | None = None
        try:
            body()
        except BaseException as raised:
            problem = raised
        with contextlib.suppress(RuntimeError):  # the loop has not waited for it
            loop.call_soon_threadsafe(ended.set_result, problem)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        problem = await asyncio.shield(ended)
    except asyncio.CancelledError:
        stop()
        await asyncio.shield(ended)
        raise
    if problem is not None:
        raise RuntimeError(f"{name} ended: {problem!r}")
