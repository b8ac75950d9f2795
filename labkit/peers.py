"""The two ends: a websockets server and client with an Experiment's settings, and the application that lives at each.

They know nothing of wires (they are given a socket) and nothing of being watched: they take a logger, as any program of
websockets may, and their application reports what it does to an ``observe`` function.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from .experiment import Experiment, Peer
from .faults import Act, Goodbye, Send, StopReading

Observe = Callable[..., None]  # observe(what, **data)
Tell = Callable[[Any, str], None]  # tell(connection, state)
Handler = Callable[[Any], Awaitable[Any]]  # what a learner writes: async def handler(websocket)


def settings(peer: Peer, logger: Any, compression: bool, context: Any) -> dict[str, Any]:
    """The keyword arguments of serve() and connect() for a peer; ``context`` is its ssl.SSLContext, or None."""
    return {
        "ping_interval": peer.ping_interval,
        "ping_timeout": peer.ping_timeout,
        "close_timeout": peer.close_timeout,
        "write_limit": peer.write_limit,
        "max_queue": peer.max_queue,
        "max_size": None,
        "compression": "deflate" if compression else None,
        "logger": logger,
        "ssl": context,
    }


class Watched:
    """A connection that tells each state it comes to, without a log: all changes show at these two places."""

    tell: Tell
    seen: Any  # the state that was last told
    number: str  # whose it is, where there are many

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

    __slots__ = ("tell", "seen", "number")


class WatchedClient(Watched, ClientConnection):
    """A client's connection that tells its states."""

    __slots__ = ("tell", "seen", "number")


def watched(kind: Any, tell: Tell) -> Callable[..., Any]:
    """What makes connections of that ``kind``, for serve() and connect(), which tell their states."""

    def create(*args: Any, **settings: Any) -> Any:
        connection = kind(*args, **settings)
        connection.tell, connection.seen = tell, connection.state
        return connection

    return create


class End:
    """One end: the application of each of its connections, and the acts that were asked of it."""

    def __init__(
        self, name: str, experiment: Experiment, logger: Any, observe: Observe, handler: Handler | None, context: Any = None
    ) -> None:
        self.name, self.experiment, self.logger, self.observe, self.handler = name, experiment, logger, observe, handler
        self.context = context  # ssl.SSLContext; None: no TLS
        self.path = ""  # that a client asks for
        self.watched = False  # whether states are told by the connection, where no log tells them
        self.application: Application | None = None
        self.opened = False
        self.ended = False  # its connection is lost, and its application has been told, or never will be
        self.connection: Any = None
        self.server: Any = None
        self.early: list[tuple[Act, str]] = []  # asked for before there was a connection

    async def serve(self, listener: Any) -> None:
        """Be the server, until cancelled."""
        options = settings(self.experiment.server, self.logger, self.experiment.compression, self.context) | self.watching(WatchedServer)
        self.server = await serve(self.live, sock=listener, **options)
        await asyncio.get_running_loop().create_future()

    async def connect(self, dial: Callable[[], Any]) -> None:
        """Be the client: open one connection, and live."""
        options = settings(self.experiment.client, self.logger, self.experiment.compression, self.context) | self.watching(WatchedClient)
        try:
            websocket = await connect(("wss" if self.context else "ws") + "://localhost/" + self.path, sock=dial(), proxy=None, **options)
        except Exception as problem:
            self.report(problem, "connect")
            self.ended = True
        else:
            await self.live(websocket)

    def watching(self, kind: Any) -> dict[str, Any]:
        """The option of serve() and connect() that has states told."""
        return {"create_connection": watched(kind, self.tell)} if self.watched else {}

    def tell(self, connection: Any, state: str) -> None:
        """The connection has come to a state."""
        self.observe("state", state=state)

    async def live(self, websocket: Any) -> None:
        """What happens at this end from OPEN on: its application, until the connection is lost."""
        self.opened, self.connection = True, websocket
        self.application = Application(self, websocket)
        self.observe("opened")
        for act, step in self.early:
            self.application.do(act, step)
        try:
            await self.application.run()
        finally:
            self.ended = True

    def do(self, act: Act, step: str) -> None:
        """Let the application do an act, at the earliest when it has a connection."""
        if self.application:
            self.application.do(act, step)
        else:
            self.early.append((act, step))

    def report(self, problem: BaseException, awaiting: str) -> None:
        """An exception has reached the application."""
        self.observe("raised", **describe(problem, awaiting, self.connection))

    def waiting(self) -> int:
        """Bytes in the write buffer of the connection."""
        transport = getattr(self.connection, "transport", None)
        return transport.get_write_buffer_size() if transport is not None else 0

    def abort(self) -> None:
        """Drop the connection and the listening socket at once."""
        if self.connection is not None:
            self.connection.transport.abort()
        if self.server is not None:
            self.server.server.close()


class Application:
    """What an end's application does with one connection: it reads, and does the acts that are asked of it."""

    def __init__(self, end: End, websocket: Any) -> None:
        self.end, self.websocket = end, websocket
        self.tasks: dict[Any, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """The default application, or the learner's own."""
        if self.end.handler is None:
            if self.end.experiment.peer(self.end.name).reads:
                self.start("read", self.read())
        else:
            self.start("read", self.own(self.end.handler))
        await self.websocket.wait_closed()
        if unfinished := [task for task in self.tasks.values() if not task.done()]:
            await asyncio.wait(unfinished)

    @functools.cached_property
    def random(self) -> Any:
        """Where payloads come from: the same in every run of the same experiment."""
        return random.Random(f"{self.end.experiment.seed} {self.end.name}")

    def start(self, key: Any, coroutine: Any) -> None:
        self.tasks[key] = asyncio.create_task(coroutine)

    def do(self, act: Act, step: str) -> None:
        """One step of an act of this application."""
        if isinstance(act, Goodbye):
            self.start(act, self.say_goodbye(act))
        elif isinstance(act, Send) and step == "begin":
            self.start(act, self.send(act))
        elif isinstance(act, StopReading) and step == "end":
            self.start("read", self.read())
        else:  # the end of sending, the beginning of not reading
            task = self.tasks.pop("read" if isinstance(act, StopReading) else act, None)
            if task:
                task.cancel()

    async def read(self) -> None:
        """Await recv(), for ever."""
        with self.told("recv"):
            while True:
                message = await self.websocket.recv()
                self.end.observe("message", step="received", size=len(message))

    async def send(self, act: Send) -> None:
        """Send one message, or one every so many seconds, on a grid; a send that was blocked delays the next ones."""
        now = asyncio.get_running_loop().time
        due = now()
        with self.told("send"):
            while True:
                await self.websocket.send(self.random.randbytes(act.size))
                self.end.observe("message", step="sent", size=act.size)
                if act.every is None:
                    return
                due = max(due + act.every, now())
                await asyncio.sleep(due - now())

    async def say_goodbye(self, act: Goodbye) -> None:
        """Call close(), and note when it returns."""
        with self.told("close"):
            self.end.observe("closing", code=act.code, reason=act.reason)
            await self.websocket.close(act.code, act.reason)
            self.end.observe("returned", call="close")

    async def own(self, handler: Handler) -> None:
        """The learner's handler, left to itself; what it does not catch is reported."""
        try:
            await handler(self.websocket)
            self.end.observe("returned", call=getattr(handler, "__name__", "handler"))
            await self.websocket.close()
        except Exception as problem:
            self.end.report(problem, awaited_in(problem))
            await self.websocket.close(1011)

    def told(self, awaiting: str) -> contextlib.AbstractContextManager[None]:
        """A block in which the library may raise ConnectionClosed: the application is told."""
        return _Told(self.end, awaiting)


class _Told(contextlib.AbstractContextManager[None]):
    def __init__(self, end: End, awaiting: str) -> None:
        self.end, self.awaiting = end, awaiting

    def __exit__(self, kind: Any, problem: BaseException | None, traceback: Any) -> bool:
        if not isinstance(problem, ConnectionClosed):
            return False
        self.end.report(problem, self.awaiting)
        return True


def awaited_in(problem: BaseException) -> str:
    """The call of websockets in which an exception, or its cause, was raised (``async for`` calls recv()); "?" if there is none."""
    step = problem.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_name
        if "websockets" in step.tb_frame.f_globals.get("__name__", "") and not name.startswith("__"):
            return name
        step = step.tb_next
    return awaited_in(problem.__cause__) if problem.__cause__ else "?"  # asyncio.timeout raises outside of what it cancelled


def describe(problem: BaseException, awaiting: str, connection: Any) -> dict[str, Any]:
    """An exception as plain data: type, text and cause, and the codes of both closes."""
    sent, received, cause = getattr(problem, "sent", None), getattr(problem, "rcvd", None), problem.__cause__
    data = {
        "type": type(problem).__name__,
        "text": str(problem),
        "awaiting": awaiting,
        "cause": f"{type(cause).__name__}: {cause}" if cause is not None else None,
        "sent": sent and int(sent.code),
        "received": received and int(received.code),
    }
    if isinstance(problem, ConnectionClosed) and connection is not None:
        data |= {"code": connection.close_code, "reason": connection.close_reason}
        data["code"] = data["code"] and int(data["code"])
    return data
