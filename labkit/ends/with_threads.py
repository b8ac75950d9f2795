"""Ends of websockets' threading implementation: blocking calls, a thread for each of them.

They live in a worker process only: a thread that is blocked in a call cannot be cancelled, but a
process can be ended.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from websockets.version import version

from .capabilities import SSL_CONTEXT, number
from .end import URI, End
from .in_thread import in_thread

LOOK = 0.1  # s between two looks at whether a thread that reads has been told to stop


class Stopped(BaseException):
    """Raised in a thread that was told to stop."""


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in this thread: whatever it awaits has happened when it is awaited."""
    with contextlib.suppress(StopIteration, Stopped):
        coroutine.send(None)
        raise RuntimeError("an application in a thread awaited something that is not there yet")


@dataclass
class Calls:
    """A connection whose blocking calls can be awaited."""

    websocket: Any
    stopped: Callable[[], bool]

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

    def __init__(self, websocket: Any, ending: threading.Event) -> None:
        self.calls, self.ending = Calls(websocket, self.stopped), ending
        self.threads: dict[Any, threading.Thread] = {}
        self.halted: set[threading.Thread] = set()
        self.now = time.monotonic

    def stopped(self) -> bool:
        return threading.current_thread() in self.halted

    async def sleep(self, seconds: float) -> None:
        if self.ending.wait(max(0.0, seconds)) or self.stopped():
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

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ending = threading.Event()  # the run is over

    def options(self) -> dict[str, Any]:
        given = super().options()
        if number(version) < number(SSL_CONTEXT):
            given["ssl_context"] = given.pop("ssl")
        return given

    async def serve(self, listener: Any) -> None:
        from websockets.sync.server import serve

        listener.setblocking(True)
        self.server = serve(self.begin, sock=listener, **self.options())
        await in_thread(self.listen, "labkit server, threading", self.abort)

    def listen(self) -> None:
        """Serve until the listener is shut down, then close what the server has for itself."""
        self.server.serve_forever()
        with contextlib.suppress(OSError):  # some versions tell serve_forever() to end, again
            self.server.shutdown()

    async def connect(self, dial: Callable[[], Any]) -> None:
        await in_thread(partial(self.open, dial()), "labkit client, threading", self.abort)

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
        world = Threads(websocket, self.ending)
        drive(self.live(world.calls, world))

    def do(self, act: Any, step: str) -> None:
        do = partial(super().do, act, step)
        threading.Thread(target=do, daemon=True).start()  # whoever asks does not wait

    def abort(self) -> None:
        self.ending.set()
        sockets = [one.socket for one in (self.connection, self.server) if one is not None]
        for sock in sockets:
            with contextlib.suppress(OSError):  # closed; not every system shuts down a listener
                sock.shutdown(socket.SHUT_RDWR)
