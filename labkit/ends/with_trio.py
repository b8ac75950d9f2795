"""Ends of websockets' trio implementation: coroutines in a trio loop, in a thread of its own.

They live in a worker process only, as trio has no place in asyncio's loop.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from .end import URI, End
from .in_thread import in_thread


class Nursery:
    """The world of an application in trio: a cancel scope for each thing."""

    def __init__(self, websocket: Any, nursery: Any) -> None:
        import trio

        self.trio, self.websocket, self.nursery = trio, websocket, nursery
        self.scopes: dict[Any, Any] = {}
        self.done: list[Any] = []
        self.now = trio.current_time

    async def sleep(self, seconds: float) -> None:
        await self.trio.sleep(max(0.0, seconds))

    def start(self, key: Any, coroutine: Coroutine[Any, Any, None]) -> None:
        self.scopes[key] = scope = self.trio.CancelScope()
        self.done.append(done := self.trio.Event())
        self.nursery.start_soon(self._run, scope, done, coroutine)

    async def _run(self, scope: Any, done: Any, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            with scope:
                await coroutine
        finally:
            done.set()

    def stop(self, key: Any) -> None:
        if scope := self.scopes.pop(key, None):
            scope.cancel()

    async def lost(self) -> None:
        await self.websocket.wait_closed()
        for done in self.done:
            await done.wait()


class Closing:
    """A trio connection, whose close() is called aclose()."""

    def __init__(self, websocket: Any) -> None:
        self.websocket = websocket
        self.close = websocket.aclose

    def __getattr__(self, name: str) -> Any:
        return getattr(self.websocket, name)


class TrioEnd(End):
    """An end in a trio loop."""

    implementation = "trio"
    token: Any = None
    nursery: Any = None

    async def serve(self, listener: Any) -> None:
        await self._in_trio(partial(self._serve, listener))

    async def connect(self, dial: Callable[[], Any]) -> None:
        await self._in_trio(partial(self._connect, dial()))

    async def _in_trio(self, program: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a program in a trio loop of its own, until it or this is cancelled."""
        import trio

        async def main() -> None:
            self.token = trio.lowlevel.current_trio_token()
            async with trio.open_nursery() as self.nursery:
                self.nursery.start_soon(program)
                await trio.sleep_forever()

        await in_thread(partial(trio.run, main), f"labkit {self.name}, trio", self.abort)

    async def _serve(self, listener: Any) -> None:
        import trio
        from websockets.trio.server import serve

        ear = trio.SocketListener(trio.socket.from_stdlib_socket(listener))
        await serve(self.begin, listeners=[ear], **self.options())

    async def _connect(self, sock: Any) -> None:
        import trio
        from websockets.trio.client import connect

        stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
        try:
            dialling = connect(URI[bool(self.context)], stream=stream, **self.options())
            websocket = await dialling.connect(self.nursery)
        except Exception as problem:
            self.refused(problem)
        else:
            await self.begin(websocket)

    async def begin(self, websocket: Any) -> None:
        """There is a connection."""
        await self.live(Closing(websocket), Nursery(websocket, self.nursery))

    def do(self, act: Any, step: str) -> None:
        self.token.run_sync_soon(super().do, act, step)

    def abort(self) -> None:
        import trio

        if self.token is not None:
            with contextlib.suppress(trio.RunFinishedError):
                self.token.run_sync_soon(self.nursery.cancel_scope.cancel)
