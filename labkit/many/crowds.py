"""Many clients, and a server that goes away and comes back: who dials when, and who is let in.

    async def client(uri, number):
        async for websocket in connect(uri):
            await websocket.wait_closed()

    seen = crowd(client, clients=200, acts=[Restart(at=20, back=30)], until=60)
    seen.peak()  # (connections in one second, that second)

The clients are programs as they stand in a product: they are given a URI, and dial it as often as they like. The server is websockets'
own, with your handler. What is witnessed: every attempt to connect, every connection that the handler was given, every exception
that ended a client's program. t = 0 is when the server listens. The frames are not recorded; for them there is ``run``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from ..engine.session import SILENT, make_wire
from ..values import fields
from ..values.experiment import Experiment
from ..values.faults import Act, Fault, Freeze, order
from ..wires.ending import uninterrupted

Client = Callable[[str, int], Awaitable[Any]]  # async def client(uri, number)
Handler = Callable[[Any], Awaitable[Any]]  # async def handler(websocket)
KINDS = ("goodbye", "killed")
CLIENT: ContextVar[int] = ContextVar("client")  # whose code is running


@dataclass(frozen=True, repr=False)
class Restart(Act):
    """The server's process ends, and another one listens from ``back`` on; meanwhile who dials is refused.

    "goodbye": it closes every connection with code 1001, as ``Server.close()`` does. "killed": its system hangs up, and nobody says a word.
    """

    back: float | None = None  # s; None: never
    how: str = "goodbye"
    finish = "back"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self, "how", KINDS)


@dataclass(frozen=True)
class Attempt:
    """A client dials."""

    t: float  # s
    client: int
    refused: bool  # nobody listens


@dataclass(frozen=True)
class Opening:
    """The server's handler is given a connection."""

    t: float  # s
    client: int


@dataclass(frozen=True)
class Problem:
    """A client's program has ended by an exception that it did not catch."""

    t: float  # s
    client: int
    error: Exception


@dataclass(frozen=True)
class Crowd:
    """What was seen of a number of clients, in the order of time."""

    clients: int
    acts: tuple[Act, ...]
    end: float  # s
    attempts: tuple[Attempt, ...]
    openings: tuple[Opening, ...]
    problems: tuple[Problem, ...]

    @property
    def restarts(self) -> tuple[Restart, ...]:
        return tuple(act for act in self.acts if isinstance(act, Restart))

    def per_second(self, since: float = 0.0) -> dict[int, int]:
        """How many clients dialled from each second to the next; seconds without any are left out."""
        return dict(sorted(Counter(int(one.t) for one in self.attempts if one.t >= since).items()))

    def peak(self, since: float | None = None) -> tuple[int, int]:
        """The most attempts in one second, and that second (s); counted from the first restart on, unless told otherwise."""
        first = min((act.start for act in self.restarts), default=0.0) if since is None else since
        counts = self.per_second(first)
        second = max(counts, key=lambda second: counts[second], default=0)
        return counts.get(second, 0), second

    def all_back(self, since: float) -> float | None:
        """When the last client was let in again, of those after ``since`` (s); None if not all of them were."""
        first: dict[int, float] = {}
        for one in self.openings:
            if one.t >= since:
                first.setdefault(one.client, one.t)
        return max(first.values()) if len(first) == self.clients else None

    def __repr__(self) -> str:
        refused = sum(one.refused for one in self.attempts)
        most, second = self.peak()
        busiest = f", at most {most:,} in a second, from {second} s" if most else ""
        rest = f"; {len(self.problems):,} ended by an exception" if self.problems else ""
        return f"<Crowd of {self.clients:,}: {len(self.attempts):,} attempts to connect, {refused:,} refused{busiest}{rest}>"


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
    """Run a client program so many times, started ``apart`` seconds one after the other, against one server; returns a Crowd.

    ``acts`` are the faults of a wire, Freeze and Restart; ``options`` go to ``serve()``. ``seed`` (an int) is the chance in everything that
    asks Python's ``random``, such as a backoff. The run ends ``until`` (s), or when every client's program has ended. On the
    loopback wire a server cannot restart.
    """
    if isinstance(clients, bool) or not isinstance(clients, int) or clients < 1:
        raise ValueError(f"a crowd has at least one client, seen clients={clients!r}")
    for act in acts:
        if not isinstance(act, (Restart, Fault, Freeze)) or act.at is None:
            raise ValueError(
                f"what happens to a crowd is a Restart, a Freeze or a fault of the wire, each with its time; seen {act!r}"
            )
        if isinstance(act, Restart) and wire != "virtual":
            raise ValueError(f"a server restarts on the virtual wire only, seen wire={wire!r}")
    run = Run(
        client,
        server,
        clients,
        apart,
        tuple(acts),
        make_wire(wire, Experiment(latency=latency, until=until, seed=seed)),
        options,
    )
    with _chance(seed), _no_proxy():
        try:
            return run.wait(until)
        finally:
            run.close()


class Numbered(ServerConnection):
    """A connection with a number: Server.close() goes through a *set* of connections, whose order shall be the same in every run."""

    number = -1

    def __hash__(self) -> int:
        return self.number


class Run:
    """A crowd that is under way."""

    def __init__(
        self,
        client: Client,
        server: Handler,
        clients: int,
        apart: float,
        acts: tuple[Act, ...],
        wire: Any,
        options: Any,
    ) -> None:
        self.client, self.handler, self.clients, self.apart, self.acts, self.wire = (
            client,
            server,
            clients,
            apart,
            acts,
            wire,
        )
        self.options = {
            "compression": None,
            "logger": SILENT,
            "create_connection": self.connect,
            **options,
        }
        self.attempts: list[Attempt] = []
        self.openings: list[Opening] = []
        self.problems: list[Problem] = []
        self.server: Any = None
        self.handlers: dict[Any, None] = {}  # the tasks of the present server's handlers
        self.connections: weakref.WeakValueDictionary[int, Numbered] = (
            weakref.WeakValueDictionary()
        )  # of all servers
        self.numbers = itertools.count()
        self.transports: weakref.WeakSet[Any] = weakref.WeakSet()  # of the clients
        self.living = clients
        self.away = 0  # restarts that are going on: the server is back after the last of them
        self.failure: Exception | None = None
        self.zero = wire.now()

    @property
    def now(self) -> float:
        return float(round(self.wire.now() - self.zero, 9))

    # the server

    async def serve(self, listener: Any) -> None:
        """Be the first server, listening at once."""
        self.server = await serve(self.welcome, sock=listener, **self.options)
        await asyncio.get_running_loop().create_future()

    async def serve_again(self) -> None:
        """Be the next server, at the same port."""
        host, port = self.wire.address()
        self.server = await serve(self.welcome, host, port, **self.options)

    def connect(self, *args: Any, **options: Any) -> Numbered:
        """What serve() calls to make a connection: do it, and number it."""
        connection = Numbered(*args, **options)
        connection.number = next(self.numbers)
        self.connections[connection.number] = connection
        return connection

    async def welcome(self, websocket: Any) -> None:
        """Note a connection, and leave it to the handler."""
        self.openings.append(Opening(self.now, int(websocket.request.path[1:])))
        self.handlers[task := asyncio.current_task()] = None
        try:
            await self.handler(websocket)
        finally:
            self.handlers.pop(task, None)

    def go(self, how: str) -> None:
        """End the server's process."""
        if how == "goodbye":
            self.server.close()
        else:
            self.kill()

    def kill(self) -> None:
        """No more of its code runs, and its system closes its sockets."""
        for task in list(self.handlers):
            task.cancel()
        if self.server is not None:
            self.server.server.close()
        for connection in list(self.connections.values()):
            connection.transport.abort()

    def come_back(self) -> None:
        """Begin the next server's process, unless the server is away once more."""
        if not self.away:
            self.wire.loops["server"].create_task(self.guarded(self.serve_again)())

    # the clients

    async def dial(self, _: Any) -> None:
        """Be all clients."""
        loop = asyncio.get_running_loop()
        loop.create_connection = partial(self.attempt, loop.create_connection)  # type: ignore[method-assign]
        host, port = self.wire.address()
        tasks = [
            loop.create_task(self.live(f"ws://{host}:{port}/{number}", number))
            for number in range(self.clients)
        ]
        await asyncio.gather(*tasks)

    async def live(self, uri: str, number: int) -> None:
        """One client's program, from its start to its end."""
        CLIENT.set(number)
        try:
            await asyncio.sleep(number * self.apart)
            await self.client(uri, number)
        except Exception as problem:
            self.problems.append(Problem(self.now, number, problem))
        finally:
            self.living -= 1

    async def attempt(
        self, create_connection: Callable[..., Awaitable[Any]], *args: Any, **options: Any
    ) -> Any:
        """What connect() calls to open a TCP connection: do it, and note it."""
        t = self.now
        try:
            transport, protocol = await create_connection(*args, **options)
        except OSError:
            self.attempts.append(Attempt(t, CLIENT.get(), refused=True))
            raise
        self.attempts.append(Attempt(t, CLIENT.get(), refused=False))
        self.transports.add(transport)
        return transport, protocol

    # how it goes

    def wait(self, until: float) -> Crowd:
        """From the first dial to the end."""
        self.wire.open()
        self.zero = self.wire.now()
        self.wire.start("server", self.guarded(self.serve))
        self.wire.wait(
            lambda: self.server is not None or self.failure is not None, self.zero + until
        )
        self.wire.start("client", self.guarded(self.dial))
        for when, step, act in order(self.acts):
            self.wire.at(self.zero + when, partial(self.step, act, step))
        self.wire.wait(lambda: not self.living or self.failure is not None, self.zero + until)
        if self.failure:
            raise self.failure
        by_time = sorted(self.attempts, key=lambda one: one.t)
        return Crowd(
            self.clients,
            self.acts,
            self.now,
            tuple(by_time),
            tuple(self.openings),
            tuple(self.problems),
        )

    def step(self, act: Act, step: str) -> None:
        if isinstance(act, Freeze):
            self.wire.freeze(act.end) if step == "begin" else self.wire.thaw(act.end)
        elif not isinstance(act, Restart):
            self.wire.do(act, step)
        elif step == "begin":
            self.away += 1
            self.wire.call("server", self.go, act.how)
        else:
            self.away -= 1
            self.wire.call("server", self.come_back)

    def guarded(self, program: Callable[..., Awaitable[None]]) -> Any:
        """What goes wrong in the lab's own code ends the run."""

        async def guarded(*args: Any) -> None:
            try:
                await program(*args)
            except Exception as problem:
                self.failure = problem

        return guarded

    @uninterrupted
    def close(self) -> None:
        """Abort what lives, and take the wire down."""
        self.wire.close({"server": self.kill, "client": self.abort})

    def abort(self) -> None:
        for transport in list(self.transports):
            transport.abort()


@contextlib.contextmanager
def _chance(seed: int) -> Iterator[None]:
    """Python's ``random`` begins at ``seed``, and goes on afterwards as if nothing had been."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@contextlib.contextmanager
def _no_proxy() -> Iterator[None]:
    """A school's http_proxy is not asked for what is on this machine."""
    names = ("no_proxy", "NO_PROXY")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "localhost,127.0.0.1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
