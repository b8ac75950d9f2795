"""A program that does not let its event loop run: the mistake of calling what takes long without awaiting it.

    async def handler(websocket):
        async for message in websocket:
            block(5)  # a computation, a database call, time.sleep

From outside, the same is the act ``Freeze``.
"""

from __future__ import annotations

import time


def block(seconds: float) -> None:
    """Take ``seconds`` without awaiting anything: everything else in this event loop has to wait, its keepalive too.

    Honest on both clocks. (``time.sleep`` costs real time, and in virtual time none at all.)
    """
    from asyncio import events

    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not seconds >= 0:
        raise ValueError(f"block() takes a number of seconds, 0 or more; seen {seconds!r}")
    loop = events._get_running_loop()
    getattr(loop, "block", time.sleep)(seconds)
