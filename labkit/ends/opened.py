"""Connections that begin OPEN: no opening handshake, and everything else as in any connection.

websockets' own tests start like this. Who uses it lets the time pass that a handshake takes:

    0              the client dials
    latency        the server is OPEN: the request would have arrived
    2 × latency    the client is OPEN: the response would have arrived
"""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.connection import Connection
from websockets.protocol import CLIENT, CONNECTING, OPEN, SERVER, Protocol

from .watched import Tell, Watched

TIMERS = ("ping_interval", "ping_timeout", "close_timeout", "max_queue", "write_limit")


class Opened(Watched, Connection):
    """A connection of either end that tells its states, and opens when it is asked to."""

    __slots__ = ("tell", "seen")

    async def open_after(self, seconds: float) -> None:
        """Be CONNECTING so long, then OPEN, with keepalive."""
        await asyncio.sleep(seconds)
        self.protocol.state = OPEN
        self.look()
        self.start_keepalive()


def opened(end: str, options: dict[str, Any], tell: Tell) -> Opened:
    """A connection of ``end`` with these keyword arguments of serve() or connect()."""
    side = SERVER if end == "server" else CLIENT
    size, logger = options["max_size"], options["logger"]
    protocol = Protocol(side, state=CONNECTING, max_size=size, logger=logger)
    connection = Opened(protocol, **{name: options[name] for name in TIMERS})
    connection.tell, connection.seen = tell, connection.state
    return connection
