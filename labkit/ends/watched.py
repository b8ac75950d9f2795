"""Connections of the asyncio implementation that tell their states without a log.

For runs whose number matters more than their story.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection

Tell = Callable[[Any, str], None]  # tell(connection, state)


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


KINDS = {"server": WatchedServer, "client": WatchedClient}


def watched(end: str, tell: Tell) -> Callable[..., Any]:
    """What makes the connections of an ``end`` that tell their states."""
    kind = KINDS[end]

    def create(*args: Any, **settings: Any) -> Any:
        connection = kind(*args, **settings)
        connection.tell, connection.seen = tell, connection.state
        return connection

    return create
