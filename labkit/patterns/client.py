"""A client that keeps a connection, in one file to copy: ``await keep_connected(uri, talk)``.

For websockets from 14.2 on. Bounds, while its loop runs and it reads; P is close_timeout (20 s):

    dials      ``spread`` s apart or more (5: 13 a minute at most); while they fail, 1 or 2 a minute
    silence    ends it ping_interval + 1.2 P after the last byte came or left (44 s), in every state
    drain()    is free again 1.2 P after the last byte left (24 s); CLOSING lasts 1.1 P (22 s)
    goodbye    takes P (20 s); ``talk`` is cancelled 1.1 P after its connection was lost (22 s)
    slow line  lives if it carries 2 PIECE in ping_interval + P (0.8 kB/s); more is never under way
"""

import asyncio
import logging
import random
from typing import Any

from websockets import ClientConnection, ConnectionClosed, InvalidHandshake, State, connect

FINAL = (401, 403, 1008)  # statuses and close codes at which it gives up; add yours, as 4001
PIECE = 2**14  # bytes
LOG = logging.getLogger(__name__).info


class Connection(ClientConnection):
    """As websockets' own; but it is watched, and what it sends is sent in pieces."""

    heard = 0.0  # s; when bytes came last  # watchdog
    owed, echo = 0, None  # bytes since the last ping, and its pong  # pieces

    def data_received(self, data: bytes) -> None:  # watchdog
        self.heard = self.loop.time()
        super().data_received(data)

    async def watch(self, limit: asyncio.Timeout) -> None:  # watchdog
        """Abort it when nothing moves, in whichever state; then let ``limit`` end its program."""
        now, patience, waits = self.loop.time, self.close_timeout or 0.1, 0
        left = opened = looked = self.heard = now()
        while self.state is not State.CLOSED:
            await asyncio.sleep(patience * random.uniform(0.05, 0.1))
            late, looked = now() - looked > patience / 2, now()  # late: this program was blocked
            waited, waits = waits, self.transport.get_write_buffer_size()
            left = looked if late or waits < waited or not waits else left
            opened = looked if late or self.state is State.OPEN else opened
            if late or waits < waited or not self.transport.is_reading():  # or nobody takes it
                self.heard = looked
            if looked > min(left, opened, self.heard + (self.ping_interval or 1e9)) + patience:
                self.transport.abort()  # not close(): its CLOSE would wait behind what is stuck
        limit.reschedule(now() + patience)

    async def close(self, code: int = 1000, reason: str = "") -> None:  # goodbye
        stuck = self.loop.call_later(self.close_timeout or 0, self.transport.abort)
        await super().close(code, reason)
        stuck.cancel()

    async def send(self, message: Any, text: bool | None = None) -> None:  # pieces
        size = len(message) if isinstance(message, (str, bytes)) else 0
        await self.room_for(size)
        await super().send(self.pieces(message) if size > PIECE else message, text=text)

    async def pieces(self, message: Any) -> Any:  # pieces
        for start in range(0, len(message), PIECE):
            yield message[start : start + PIECE]
            await self.room_for(PIECE)

    async def room_for(self, size: int) -> None:  # pieces
        """Wait, for P s at most, until a pong says that the peer has read all but one piece."""
        if self.owed >= PIECE:
            before: Any = self.echo or await self.ping()
            self.owed, self.echo = 0, await self.ping()
            await asyncio.wait([before], timeout=self.close_timeout)
        self.owed += size

    async def converse(self, talk: Any) -> None:
        """Talk, and say goodbye; raises ConnectionClosed if the connection ended before talk."""
        async with asyncio.timeout(None) as limit:
            watching = asyncio.create_task(self.watch(limit))  # watchdog
            try:
                await talk(self)
                if self.state is State.OPEN:
                    return
            finally:
                watching.cancel()  # watchdog
                await self.close()
        raise self.protocol.close_exc


def jittered(spread: float = 5.0, most: float = 120.0) -> Any:  # backoff
    """Seconds to wait after a failure: by chance from ``spread`` to twice as much, and doubling."""
    spread = min(max(spread, 0.1), most / 2)  # 0 would dial again and again without a pause
    while True:
        yield random.uniform(spread, 2 * spread)
        spread = min(most / 2, 2 * spread)


async def keep_connected(
    uri: str, talk: Any, spread: float = 5.0, final: Any = FINAL, tell: Any = LOG, **settings: Any
) -> None:
    """Dial, talk, dial again: until cancelled, talk returns while OPEN, or it is ``final``."""
    settings, spread = {"ping_timeout": None, "close_timeout": 20, **settings}, max(spread, 0.1)
    now, lived = asyncio.get_running_loop().time, float("inf")
    pauses, steady = jittered(spread), 2 * spread + settings["close_timeout"]  # backoff
    while True:
        pause, opened = random.uniform(0, spread), float("inf")
        if lived < steady:  # backoff
            pause = next(pauses)
        else:  # backoff
            pauses = jittered(spread)
        await asyncio.sleep(pause)
        try:
            websocket: Any = await connect(uri, create_connection=Connection, **settings)
            opened = now()
            tell("connected: %s", websocket.id)  # metrics
            await websocket.converse(talk)
            return
        except (OSError, InvalidHandshake, ConnectionClosed) as problem:
            lived = now() - opened
            tell("lost, or not connected: %r", problem)  # metrics
            said: Any = getattr(problem, "rcvd", getattr(problem, "response", None))  # final
            if getattr(said, "code", getattr(said, "status_code", None)) in final:  # final
                raise
