"""Ends of websockets' threading implementation: blocking calls, a thread for each thing that goes on.

They live in a worker process only: a thread that is blocked in a call cannot be cancelled, but a process can be ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from websockets.version import version

from ..capabilities import SSL_CONTEXT, number
from .end import URI, End

LOOK = 0.1  # s between two looks at whether a thread that reads has been told to stop


class Stopped(BaseException):
    """Raised in a thread that was told to stop."""


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in this thread: whatever it awaits has already happened when it is awaited."""
    with contextlib.suppress(StopIteration, Stopped):
        coroutine.send(None)
        raise RuntimeError("an application in a thread awaited something that is not there yet")


class Calls:
    """A connection whose blocking calls can be awaited."""

    def __init__(self, websocket: Any, stopped: Callable[[], bool]) -> None:
        self.websocket, self.stopped = websocket, stopped

    async def recv(self) -> Any:
        while True:
            with contextlib.suppress(TimeoutError):
                return self.websocket.recv(timeout=LOOK)
            if self.stopped():
                raise Stopped

    async def send(self, message: Any) -> None:
        self.websocket.send(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.websocket.close(code, reason)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.websocket, name)


class Threads:
    """The world of an application in threads: a thread for each thing."""

    def __init__(self, websocket: Any) -> None:
        self.calls = Calls(websocket, self.stopped)
        self.threads: dict[Any, threading.Thread] = {}
        self.halted: set[threading.Thread] = set()
        self.now = time.monotonic

    def stopped(self) -> bool:
        return threading.current_thread() in self.halted

    async def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))
        if self.stopped():
            raise Stopped

    def start(self, key: Any, coroutine: Coroutine[Any, Any, None]) -> None:
        self.threads[key] = thread = threading.Thread(target=drive, args=(coroutine,), daemon=True)
        thread.start()

    def stop(self, key: Any) -> None:
        if thread := self.threads.pop(key, None):
            self.halted.add(thread)

    async def lost(self) -> None:
        reader = getattr(self.calls.websocket, "recv_events_thread", None)
        if reader is not None:
            reader.join()  # what wait_closed() does, in the versions that have it
        for thread in list(self.threads.values()):
            thread.join()


class ThreadingEnd(End):
    """An end whose calls block, each in a thread of its own."""

    implementation = "threading"
    server: Any = None

    def options(self) -> dict[str, Any]:
        given = super().options()
        if number(version) < number(SSL_CONTEXT):
            given["ssl_context"] = given.pop("ssl")
        return given

    async def serve(self, listener: Any) -> None:
        from websockets.sync.server import serve

        listener.setblocking(True)
        self.server = serve(self.begin, sock=listener, **self.options())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        await asyncio.get_running_loop().create_future()

    async def connect(self, dial: Callable[[], Any]) -> None:
        threading.Thread(target=self.open, args=(dial(),), daemon=True).start()
        await asyncio.get_running_loop().create_future()

    def open(self, sock: socket.socket) -> None:
        """Be the client."""
        from websockets.sync.client import connect

        sock.setblocking(True)
        try:
            websocket = connect(URI[bool(self.context)], sock=sock, **self.options())
        except Exception as problem:
            self.refused(problem)
        else:
            self.begin(websocket)

    def begin(self, websocket: Any) -> None:
        """There is a connection."""
        world = Threads(websocket)
        drive(self.live(world.calls, world))

    def do(self, act: Any, step: str) -> None:
        threading.Thread(target=partial(super().do, act, step), daemon=True).start()  # whoever asks does not wait

    def abort(self) -> None:
        if self.connection is not None:
            with contextlib.suppress(OSError):
                self.connection.socket.shutdown(socket.SHUT_RDWR)
