"""Connections of the asyncio implementation that tell their states without a log.

For runs whose number matters more than their story. Such a connection can also begin OPEN, as
websockets' own tests start: no opening handshake, and everything else as in any connection. Who
uses it lets the time pass that a handshake takes:

    0              the client dials
    latency        the server is OPEN: the request would have arrived
    2 × latency    the client is OPEN: the response would have arrived
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection
from websockets.protocol import CLIENT, CONNECTING, OPEN, SERVER, Protocol

Tell = Callable[[Any, str], None]  # tell(connection, state)
TIMERS = ("ping_interval", "ping_timeout", "close_timeout", "max_queue", "write_limit")


class Watched:
    """A connection that tells each state it comes to: all changes show at these two places."""

    tell: Tell
    seen: Any  # the state that was last told

    def look(self) -> None:
        """Tell the state, if it is another one than before."""
        state = self.state  # type: ignore[attr-defined]
        if state is not self.seen:
            self.seen = state
            self.tell(self, state.name)

    def send_data(self) -> None:
        self.look()
        super().send_data()  # type: ignore[misc]

    def connection_lost(self, problem: Exception | None) -> None:
        super().connection_lost(problem)  # type: ignore[misc]
        self.look()


class WatchedServer(Watched, ServerConnection):
    """A server's connection that tells its states."""

    __slots__ = ("tell", "seen")


class WatchedClient(Watched, ClientConnection):
    """A client's connection that tells its states."""

    __slots__ = ("tell", "seen")


class Opened(Watched, Connection):
    """A connection of either end that tells its states, and opens when it is asked to."""

    __slots__ = ("tell", "seen")

    async def open_after(self, seconds: float) -> None:
        """Be CONNECTING so long, then OPEN, with keepalive."""
        await asyncio.sleep(seconds)
        self.protocol.state = OPEN
        self.look()
        self.start_keepalive()


def watched(end: str, tell: Tell) -> Callable[..., Any]:
    """What makes the connections of an ``end`` that tell their states."""
    return partial(_told, WatchedServer if end == "server" else WatchedClient, tell)


def opened(end: str, options: dict[str, Any], tell: Tell) -> Any:
    """A connection of ``end`` with these keyword arguments of serve() or connect()."""
    side = SERVER if end == "server" else CLIENT
    size, logger = options["max_size"], options["logger"]
    protocol = Protocol(side, state=CONNECTING, max_size=size, logger=logger)
    return _told(Opened, tell, protocol, **{name: options[name] for name in TIMERS})


def _told(kind: Any, tell: Tell, *args: Any, **settings: Any) -> Any:
    connection = kind(*args, **settings)
    connection.tell, connection.seen = tell, connection.state
    return connection
