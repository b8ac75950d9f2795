"""What the ends of all implementations share: an application, its acts, and what it reports.

The application is written once, in coroutines. What differs – sleeping, starting something beside,
waiting for the end of the connection – is asked of a *world*: that of asyncio, of trio, or of
threads, where whatever is awaited has happened.
"""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from websockets.version import version

from ..values.experiment import Experiment, Peer
from ..values.faults import Act, Goodbye, Leave, Send, StopReading
from .capabilities import has
from .raised import awaited_in, describe

Observe = Callable[..., None]  # observe(what, **data)
Handler = Callable[[Any], Awaitable[Any]]  # what a learner writes: async def handler(websocket)
URI = {False: "ws://localhost/", True: "wss://localhost/"}


class World(Protocol):
    """What an application asks of the implementation that it lives in."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def start(self, key: Any, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something beside."""

    def stop(self, key: Any) -> None:
        """Cancel what was started under this key, if it still runs."""

    async def lost(self) -> None:
        """Wait until the connection is lost, and then for what still runs."""


class End:
    """One end: the application of its connection, and the acts that were asked of it."""

    implementation = "asyncio"
    watched = False  # whether the connection tells its states, where no log does
    handshake = True  # False, at both ends of asyncio's: connections begin OPEN
    path = ""  # that a client asks for

    def __init__(
        self,
        name: str,
        experiment: Experiment,
        logger: Any,
        observe: Observe,
        handler: Handler | None,
        context: Any = None,
    ) -> None:
        self.name, self.experiment, self.logger = name, experiment, logger
        self.observe, self.handler = observe, handler
        self.context = context  # ssl.SSLContext; None: no TLS
        self.application: Application | None = None
        self.opened = False
        self.ended = False  # the connection is lost; its application is told, or never will be
        self.connection: Any = None
        self.early: list[tuple[Act, str]] = []  # asked for before there was a connection

    # what each implementation does in its own way

    async def serve(self, listener: Any) -> None:
        """Be the server, until cancelled."""
        raise NotImplementedError

    async def connect(self, dial: Callable[[], Any]) -> None:
        """Be the client: open one connection, and live."""
        raise NotImplementedError

    def waiting(self) -> int:
        """Bytes in the write buffer of the connection; 0 where there is none but the kernel's."""
        return 0

    def abort(self) -> None:
        """Drop the connection and the listening socket at once."""
        raise NotImplementedError

    # what all of them do

    def options(self) -> dict[str, Any]:
        """The keyword arguments of serve() or connect() that this version has, for the peer."""
        peer = self.experiment.peer(self.name)
        given = settings(peer, self.logger, self.experiment.compression, self.context)
        if self.name == "client":
            given["proxy"] = None  # a school's http_proxy breaks 127.0.0.1
            if self.context:  # 10.4 does not know it of itself when it is given a socket
                given["server_hostname"] = "localhost"
        if not self.has("keepalive"):
            del given["ping_interval"], given["ping_timeout"]
        return {
            name: value
            for name, value in given.items()
            if name not in ("write_limit", "max_queue", "proxy") or self.has(name)
        }

    def has(self, what: str) -> bool:
        """Whether the installed version has something in this implementation."""
        return has(self.implementation, what, version)

    async def live(self, websocket: Any, world: World) -> None:
        """What happens at this end from OPEN on: its application, until the connection is lost."""
        self.opened, self.connection = True, websocket
        self.application = Application(self, websocket, world)
        self.observe("opened")
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

    def refused(self, problem: BaseException) -> None:
        """There will be no connection."""
        self.report(problem, "connect")
        self.ended = True

    def report(self, problem: BaseException, awaiting: str) -> None:
        """An exception has reached the application."""
        self.observe("raised", **describe(problem, awaiting, self.connection))


class Application:
    """What an end's application does with one connection: it reads, and does what acts ask."""

    def __init__(self, end: End, websocket: Any, world: World) -> None:
        self.end, self.websocket, self.world = end, websocket, world
        self.stops = 0  # acts that keep it from reading

    async def run(self) -> None:
        """The default application, or the learner's own."""
        if self.end.handler is None:
            if self.end.experiment.peer(self.end.name).reads:
                self.world.start("read", self.read())
        else:
            self.world.start("read", self.own(self.end.handler))
        for act, step in self.end.early:
            self.do(act, step)
        await self.world.lost()

    @functools.cached_property
    def random(self) -> Any:
        """Where payloads come from: the same in every run of the same experiment."""
        return random.Random(f"{self.end.experiment.seed} {self.end.name}")

    def do(self, act: Act, step: str) -> None:
        """One step of an act of this application."""
        if isinstance(act, StopReading):
            self.stop_reading(1 if step == "begin" else -1)
        elif step == "end":
            self.world.stop(id(act))  # not an equal one
        elif isinstance(act, Goodbye):
            self.world.start(id(act), self.say_goodbye(act))
        elif isinstance(act, Leave):
            self.world.start(id(act), self.leave(act))
        elif isinstance(act, Send):
            self.world.start(id(act), self.send(act))

    def stop_reading(self, more: int) -> None:
        """So many more acts keep it from reading, or one less: it reads again when nobody does."""
        before, self.stops = self.stops, self.stops + more
        if not before:
            self.world.stop("read")
        elif not self.stops:
            self.world.start("read", self.read())

    async def read(self) -> None:
        """Await recv(), for ever."""
        with self.told("recv"):
            while True:
                message = await self.websocket.recv()
                self.end.observe("message", step="received", size=len(message))

    async def send(self, act: Send) -> None:
        """Send one message, or one every so many seconds; a blocked send delays the next ones."""
        due = self.world.now()
        with self.told("send"):
            while True:
                await self.websocket.send(self.random.randbytes(act.size))
                self.end.observe("message", step="sent", size=act.size)
                if act.every is None:
                    return
                due = max(due + act.every, self.world.now())
                await self.world.sleep(due - self.world.now())

    async def say_goodbye(self, act: Goodbye) -> None:
        """Call close(), and note when it returns."""
        with self.told("close"):
            self.end.observe("closing", code=act.code, reason=act.reason)
            await self.websocket.close(act.code, act.reason)
            self.end.observe("returned", call="close")

    async def leave(self, act: Leave) -> None:
        """Call close(), and drop the socket when its CLOSE has been sent."""
        goodbye = Goodbye(act.at, act.end, act.code, act.reason)
        self.world.start(id(goodbye), self.say_goodbye(goodbye))
        await self.world.sleep(0)  # it sends before it waits for anything
        self.websocket.transport.abort()

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
        """A block in which the library may raise: that is reported, and goes no further."""
        return _Told(self.end, awaiting)


class _Told(contextlib.AbstractContextManager[None]):
    def __init__(self, end: End, awaiting: str) -> None:
        self.end, self.awaiting = end, awaiting

    def __exit__(self, kind: Any, problem: BaseException | None, traceback: Any) -> bool:
        if not isinstance(problem, Exception):
            return False
        self.end.report(problem, self.awaiting)
        return True


def settings(peer: Peer, logger: Any, compression: bool, context: Any) -> dict[str, Any]:
    """The keyword arguments of serve() and connect(); ``context``: an ssl.SSLContext, or None."""
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
