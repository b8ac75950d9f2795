"""Ends of websockets' asyncio implementation, and of the legacy one that it replaced.

The same calls, from two packages.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from .end import URI, End


class Tasks:
    """The world of an application in asyncio: a task for each thing."""

    __slots__ = ("websocket", "tasks", "now", "sleep")  # a fleet has 20,000 of them

    def __init__(self, websocket: Any) -> None:
        self.websocket = websocket
        self.tasks: dict[Any, asyncio.Task[None]] = {}
        self.now = asyncio.get_running_loop().time
        self.sleep = asyncio.sleep

    def start(self, key: Any, coroutine: Coroutine[Any, Any, None]) -> None:
        self.tasks[key] = asyncio.create_task(coroutine)

    def stop(self, key: Any) -> None:
        if task := self.tasks.pop(key, None):
            task.cancel()

    async def lost(self) -> None:
        await self.websocket.wait_closed()
        if unfinished := [task for task in self.tasks.values() if not task.done()]:
            await asyncio.wait(unfinished)


class AsyncioEnd(End):
    """An end in the loop that the wire gives it."""

    package = "websockets.asyncio"
    server: Any = None  # asyncio's

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        role = "server" if self.name == "server" else "client"
        # needed soon; importing takes time that virtual time does not see
        self.library = importlib.import_module(f"{self.package}.{role}")

    async def serve(self, listener: Any) -> None:
        loop = asyncio.get_running_loop()
        if self.handshake:
            server = await self.library.serve(self.begin, sock=listener, **self.options())
            self.server = server.server
            await loop.create_future()
        while True:
            sock, _ = await loop.sock_accept(listener)
            loop.create_task(self.accept(sock))

    async def accept(self, sock: Any) -> None:
        """A client has dialled, by a connection that begins OPEN."""
        await self.open(sock, self.experiment.latency)

    async def connect(self, dial: Callable[[], Any]) -> None:
        if not self.handshake:
            await self.open(dial(), 2 * self.experiment.latency)
            return
        uri = URI[bool(self.context)] + self.path
        try:
            websocket = await self.library.connect(uri, sock=dial(), **self.options())
        except Exception as problem:
            self.refused(problem)
        else:
            await self.begin(websocket)

    async def open(self, sock: Any, after: float) -> None:
        """A connection that is OPEN ``after`` so many seconds, without a handshake, and lives."""
        from .watched import opened

        make = partial(opened, self.name, self.options(), self.tell)
        _, connection = await asyncio.get_running_loop().create_connection(make, sock=sock)
        await connection.open_after(after)
        await self.begin(connection)

    def options(self) -> dict[str, Any]:
        if not self.watched or self.implementation != "asyncio":
            return super().options()
        from .watched import watched

        return {**super().options(), "create_connection": watched(self.name, self.tell)}

    def tell(self, connection: Any, state: str) -> None:
        """The connection has come to a state; where there is a log, that tells it."""
        if self.watched:
            self.observe("state", state=state)

    def begin(self, websocket: Any) -> Awaitable[None]:
        """There is a connection: await its life."""
        return self.live(websocket, Tasks(websocket))

    def waiting(self) -> int:
        transport = getattr(self.connection, "transport", None)
        try:
            return transport.get_write_buffer_size() if transport is not None else 0
        except AttributeError:  # asyncio has let go of its TLS already
            return 0

    def abort(self) -> None:
        if self.connection is not None:
            with contextlib.suppress(AttributeError):  # asyncio has let go of it already
                self.connection.transport.abort()
        if self.server is not None:
            self.server.close()


class LegacyEnd(AsyncioEnd):
    """An end of the implementation that was the only one until 10, and is deprecated since 14."""

    implementation, package = "legacy", "websockets.legacy"
