"""A program that does not let its event loop run: it calls what takes long without awaiting it.

    async def handler(websocket):
        async for message in websocket:
            block(5)  # a computation, a database call, time.sleep

From outside, the same is the act ``Freeze``.
"""

from __future__ import annotations

import time


def block(seconds: float) -> None:
    """Take ``seconds`` without awaiting anything: all else in this event loop waits, keepalive too.

    It takes them on both clocks; ``time.sleep`` takes real time, and none in virtual time.
    """
    from asyncio import events

    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not seconds >= 0:
        raise ValueError(f"block() takes a number of seconds, 0 or more; seen {seconds!r}")
    loop = events._get_running_loop()
    getattr(loop, "block", time.sleep)(seconds)
