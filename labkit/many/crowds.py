"""Many clients, and a server that goes away and comes back: who dials when, and who is let in.

    async def client(uri, number):
        async for websocket in connect(uri):
            await websocket.wait_closed()

    seen = crowd(client, clients=200, acts=[Restart(at=20, back=30)], until=60)
    seen.peak()  # (connections in one second, that second)

The clients are programs as they stand in a product: they are given a URI, and dial it as often as
they like. The server is websockets' own, with your handler. What is witnessed: every attempt to
connect, every connection that the handler was given, every exception that ended a client's
program. t = 0 is when the server listens. The frames are not recorded; for them there is ``run``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from websockets.asyncio.server import ServerConnection, serve
from websockets.protocol import OPEN

from ..engine.engine import SILENT, Engine
from ..values.experiment import Experiment, Peer
from ..values.faults import Act, Fault, Freeze
from .restarts import Attempt, Crowd, Opening, Problem, Restart

Client = Callable[[str, int], Awaitable[Any]]  # async def client(uri, number)
Handler = Callable[[Any], Awaitable[Any]]  # async def handler(websocket)
CLIENT: ContextVar[int] = ContextVar("client")  # whose code is running


async def hold(websocket: Any) -> None:
    """The handler of a server that only keeps its connections."""
    await websocket.wait_closed()


def crowd(
    client: Client,
    server: Handler = hold,
    *,
    clients: int = 1,
    apart: float = 0.05,
    acts: Sequence[Act] = (),
    until: float = 60.0,
    latency: float = 0.0,
    wire: str = "virtual",
    seed: int = 0,
    **options: Any,
) -> Crowd:
    """Run a client program so many times against one server; returns a Crowd.

    They are started ``apart`` seconds one after the other. ``acts`` are the faults of a wire,
    Freeze and Restart; ``options`` go to ``serve()``. ``seed`` (an int) is the chance in
    everything that asks Python's ``random``, such as a backoff. The run ends ``until`` (s), or
    when every client's program has ended. On the loopback wire a server cannot restart.
    """
    if isinstance(clients, bool) or not isinstance(clients, int) or clients < 1:
        raise ValueError(f"a crowd has at least one client, seen clients={clients!r}")
    for act in acts:
        if not isinstance(act, (Restart, Fault, Freeze)) or act.at is None:
            raise ValueError(
                "what happens to a crowd is a Restart, a Freeze or a fault of the wire, "
                f"each with its time; seen {act!r}"
            )
        if isinstance(act, Restart) and wire != "virtual":
            raise ValueError(f"a server restarts on the virtual wire only, seen wire={wire!r}")
    silent = Peer(ping_interval=None)  # no end of the crowd's keepalive is an end of the run
    experiment = Experiment(silent, latency=latency, until=until, seed=seed)
    run = Run(experiment, wire, acts, (client, server), clients, apart, options)
    with _surroundings(seed):
        run.run()
    attempts = sorted(run.attempts, key=lambda one: one.t)
    openings, problems = tuple(run.openings), tuple(run.problems)
    return Crowd(clients, run.planned, run.now, tuple(attempts), openings, problems)


class Run(Engine):
    """A crowd that is under way."""

    def __init__(
        self,
        experiment: Experiment,
        wire: str,
        acts: Sequence[Act],
        programs: tuple[Client, Handler],
        clients: int,
        apart: float,
        options: dict[str, Any],
    ) -> None:
        super().__init__(experiment, wire)
        self.planned = tuple(acts)
        self.client, self.handler = programs
        self.apart = apart
        ours = {"compression": None, "logger": SILENT, "create_connection": self.admit}
        self.options = {**ours, **options}
        self.attempts: list[Attempt] = []
        self.openings: list[Opening] = []
        self.problems: list[Problem] = []
        self.server: Any = None
        self.handlers: dict[Any, None] = {}  # the tasks of the present server's handlers
        # of all servers by number, in the order in which they came
        self.connections: WeakValueDictionary[int, ServerConnection] = WeakValueDictionary()
        self.numbers = itertools.count()
        self.transports: WeakSet[Any] = WeakSet()  # of the clients
        self.running = clients  # clients
        self.away = 0  # restarts that are going on: the server is back after the last of them

    @property
    def now(self) -> float:
        return round(super().now, 9)

    def start(self) -> None:
        self.zero = self.wire.now()
        super().start()

    def living(self, end: str) -> int:
        return self.running if end == "client" else 0

    # the server

    async def serve(self, listener: Any) -> None:
        self.server = await serve(self.welcome, sock=listener, **self.options)
        self.schedule(self.planned)
        await asyncio.get_running_loop().create_future()

    def admit(self, *args: Any, **options: Any) -> ServerConnection:
        """What serve() calls to make a connection."""
        connection = ServerConnection(*args, **options)
        self.connections[next(self.numbers)] = connection
        return connection

    async def welcome(self, websocket: Any) -> None:
        """Note a connection, and leave it to the handler."""
        self.openings.append(Opening(self.now, int(websocket.request.path[1:])))
        task = asyncio.current_task()
        self.handlers[task] = None
        try:
            await self.handler(websocket)
        finally:
            self.handlers.pop(task, None)

    def perform(self, act: Restart, step: str) -> None:
        """End the server's process, or begin the next one."""
        loop = asyncio.get_running_loop()
        self.away += 1 if step == "begin" else -1
        if step == "end":
            loop.create_task(self.guarded(self.serve_again)(None))
        elif act.how == "goodbye":
            loop.create_task(self.guarded(self.say_goodbye)(self.server))
        else:
            self.abort("server")

    async def serve_again(self, _: None) -> None:
        """Be the next server, at the same port, unless the server is away once more."""
        if not self.away:
            self.server = await serve(self.welcome, *self.wire.address(), **self.options)

    async def say_goodbye(self, server: Any) -> None:
        """As Server.close(), which says it in the order of a set: another one in every process."""
        server.close(close_connections=False)
        connections = [one for one in self.connections.values() if one.state is OPEN]
        await asyncio.gather(*(one.close(1001) for one in connections))

    def abort(self, end: str) -> None:
        """No more code of the server's runs, and its system closes its sockets; or the clients'."""
        if end == "client":
            transports = list(self.transports)
        else:
            transports = [one.transport for one in self.connections.values()]
            for task in list(self.handlers):
                task.cancel()
            if self.server is not None:
                self.server.server.close()
        for transport in transports:
            transport.abort()

    # the clients

    async def connect(self, _: Any) -> None:
        loop: Any = asyncio.get_running_loop()
        loop.dialled = self.note_attempt
        host, port = self.wire.address()
        uris = [f"ws://{host}:{port}/{number}" for number in range(self.running)]
        await asyncio.gather(*(self.live(uri, number) for number, uri in enumerate(uris)))

    async def live(self, uri: str, number: int) -> None:
        """One client's program, from its start to its end."""
        CLIENT.set(number)
        try:
            await asyncio.sleep(number * self.apart)
            await self.client(uri, number)
        except Exception as problem:
            self.problems.append(Problem(self.now, number, problem))
        finally:
            self.running -= 1

    def note_attempt(self, transport: Any) -> None:
        """A client has dialled; ``transport`` is None if it was refused."""
        self.attempts.append(Attempt(self.now, CLIENT.get(), refused=transport is None))
        if transport is not None:
            self.transports.add(transport)


@contextlib.contextmanager
def _surroundings(seed: int) -> Iterator[None]:
    """What a client's program takes from its process, and has no other way to be given.

    Chance begins at ``seed``: a backoff asks the module ``random``. And no proxy is asked for what
    is on this machine: connect() asks urllib, which reads that in ``no_proxy``.
    """
    chance, before = random.getstate(), os.environ.get("no_proxy")
    random.seed(seed)
    os.environ["no_proxy"] = "localhost,127.0.0.1"
    try:
        yield
    finally:
        random.setstate(chance)
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before
