"""A fleet: one server, many clients, one experiment for all of them, in one run.

    rows = fleet(fly, clients=10_000)           # all opened together, all cut at once
    rows["noticed"]                             # a column: s since the first was OPEN, or None
    fleet(fly, clients=500, wire="loopback")    # real sockets, four for each client

Each client is the client of the experiment, with an application of its own; faults meet every connection, each with dice
of its own. Nothing is recorded but states and what applications are told: a row for each client. A connection takes 35 KB and a
millisecond or two: half a million of them 17 GB and a quarter of an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any

from websockets.asyncio.server import serve

from ..ends.end import settings
from ..ends.watched import WatchedServer, watched
from ..ends.with_asyncio import AsyncioEnd
from ..engine.session import HORIZON, OPENING, SILENT, guarded, make_wire
from ..values.experiment import Experiment
from ..values.faults import ENDS, Act, AppAct, Fault, Freeze, order
from ..wires.ending import uninterrupted

COLUMNS = ("client", "opened", "noticed", "closed", "told", "client_noticed", "client_told")
FILES = 4  # sockets that a connection on the loopback wire takes: two ends, and the forwarder's two


class Fleet(Sequence[dict[str, Any]]):
    """A row for each client: when (s since the first was OPEN) its server opened, noticed, closed and told, and the client itself."""

    def __init__(self, experiment: Experiment, rows: list[dict[str, Any]], ended: str) -> None:
        self.experiment, self.rows, self.ended = experiment, rows, ended

    def __getitem__(self, key: Any) -> Any:
        """A row by its number, or a column by its name, as a list."""
        if not isinstance(key, str):
            return self.rows[key]
        if key not in COLUMNS:
            raise KeyError(f"a fleet has no column {key!r}; it has {', '.join(COLUMNS)}")
        return [row[key] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame(self.rows, columns=list(COLUMNS))

    def __repr__(self) -> str:
        told = sum(told is not None for told in self["told"])
        return (
            f"<Fleet of {len(self):,} clients of {self.experiment!r}: {told:,} told; {self.ended}>"
        )


def fleet(
    experiment: Experiment, clients: int = 1000, apart: float = 0.0, wire: str = "virtual"
) -> Fleet:
    """Run so many clients of an experiment against one server, opened ``apart`` seconds one after the other; returns their rows.

    t = 0 is when the first is OPEN at the server, and what happens happens to all at once. A client that comes too late (into a cut) has a
    row of None. Refuses TLS: a fleet has none (yet).
    """
    if not isinstance(experiment, Experiment):
        raise TypeError(f"fleet() takes an Experiment(…), seen {experiment!r}")
    if experiment.tls:
        raise ValueError("a fleet is without TLS: expected Experiment(tls=False)")
    if isinstance(clients, bool) or not isinstance(clients, int) or clients < 1:
        raise ValueError(f"a fleet has at least one client, seen clients={clients!r}")
    if not apart >= 0:
        raise ValueError(f"clients open 0 s or more apart, seen apart={apart!r}")
    if wire == "loopback":
        _allow_files(FILES * clients + 64)
    with _uncollected():
        run = Run(experiment, clients, apart, wire)
        try:
            run.wait()
        finally:
            run.close()
        return Fleet(experiment, run.rows(), run.ended)


class Run:
    """A fleet that is under way."""

    def __init__(self, experiment: Experiment, clients: int, apart: float, wire: str) -> None:
        self.experiment, self.clients, self.apart = experiment, clients, apart
        self.wire: Any = make_wire(wire, experiment)
        self.seen: list[dict[str, float]] = [
            {} for _ in range(clients)
        ]  # "server OPEN", "client told" …: s on the wire's clock
        self.members: dict[str, list[Member]] = {end: [] for end in ENDS}
        self.steps: list[
            tuple[AppAct, str]
        ] = []  # done by applications so far: who comes later begins with them
        self.alive = dict.fromkeys(ENDS, 0)
        self.come = 0  # clients whose opening is over, well or not
        self.pending: set[object] = set()  # one for each step of an act that is still to come
        self.zero: float | None = None  # t = 0 on the wire's clock
        self.failure: BaseException | None = None
        self.server: Any = None
        self.ended = "it was left"
        self.on = True  # teardown is not noted

    # the ends

    async def serve(self, listener: Any) -> None:
        """Be the one server, until cancelled."""
        options = settings(self.experiment.server, SILENT, self.experiment.compression, None)
        options["create_connection"] = watched("server", self.tell)
        self.server = await serve(self.welcome, sock=listener, **options)
        await asyncio.get_running_loop().create_future()

    def welcome(self, websocket: Any) -> Awaitable[None]:
        """One more connection at the server: await its life."""
        return Member(self, "server", websocket.request.path[1:]).begin(websocket)

    async def open(self, dial: Callable[[], Any]) -> None:
        """Be the clients: open one after the other, on a grid."""
        loop = asyncio.get_running_loop()
        start, tasks = loop.time(), []
        for number in range(self.clients):
            if self.apart:
                await asyncio.sleep(start + number * self.apart - loop.time())
            tasks.append(loop.create_task(self.client(number, dial)))
        await asyncio.gather(*tasks)

    async def client(self, number: int, dial: Callable[[], Any]) -> None:
        """One client's life."""
        member = Member(self, "client", str(number))
        await member.connect(dial)
        if not member.opened:
            self.come += 1

    def tell(self, connection: Any, state: str) -> None:
        """A connection has come to a state."""
        end = "server" if isinstance(connection, WatchedServer) else "client"
        if connection.request is None:
            return  # nobody has said whose it is
        connection.number = connection.request.path[1:]
        self.note(end, connection.number, state)
        if end == "server" and state == "OPEN" and self.zero is None:
            self.zero = self.wire.now()
            self.schedule()

    def note(self, end: str, number: str, what: str) -> None:
        """Keep when something was first seen of a client's connection at an end."""
        if self.on:
            self.seen[int(number)].setdefault(
                sys.intern(f"{end} {what}"), self.wire.now()
            )  # one word for all

    # what happens

    def schedule(self) -> None:
        assert self.zero is not None
        for when, step, act in order(self.experiment.acts):
            self.pending.add(ticket := object())
            self.wire.at(self.zero + when, partial(self.step, act, step, ticket))

    def step(self, act: Act, step: str, ticket: object) -> None:
        """One step of an act, to every connection at once."""
        self.pending.discard(ticket)
        if isinstance(act, Fault):
            self.wire.do(act, step)
        elif isinstance(act, Freeze):
            self.wire.freeze(act.end) if step == "begin" else self.wire.thaw(act.end)
        elif isinstance(act, AppAct):
            self.steps.append((act, step))
            self.wire.call(act.end, self.do, act, step)

    def do(self, act: AppAct, step: str) -> None:
        for member in self.members[act.end]:
            if not member.ended:
                member.do(act, step)

    # how it goes

    def wait(self) -> None:
        """From the first connection to the end."""
        self.wire.open()
        self.wire.start("server", guarded(self, self.serve))
        self.wire.start("client", guarded(self, self.open))
        self.wire.wait(
            lambda: bool(self.failure or self.zero is not None or self.come),
            self.wire.now() + OPENING,
        )
        limit = self.experiment.limit
        last = (
            (self.zero or 0.0)
            + (self.experiment.last_act + HORIZON if limit is None else limit)
            + self.clients * self.apart
        )
        alive = self.zero is None or self.wire.wait(
            lambda: bool(self.failure) or self.over(), round(last, 9)
        )
        if self.failure:
            raise self.failure
        self.ended = (
            "nothing can happen any more"
            if not alive
            else "it is over"
            if self.over()
            else "its time was up"
        )

    def over(self) -> bool:
        """Whether all have come, and all have ended; or all that have keepalive, when nothing else is to come."""
        if self.come < self.clients:
            return False
        keepers = [end for end in ENDS if self.experiment.peer(end).keepalive]
        if not any(self.alive.values()):
            return True
        return (
            bool(keepers)
            and not any(self.alive[end] for end in keepers)
            and not self.pending
            and not self.wire.travelling()
        )

    @uninterrupted
    def close(self) -> None:
        """Abort what lives, and take the wire down."""
        self.on = False
        self.wire.close({end: partial(self.abort, end) for end in ENDS})

    def abort(self, end: str) -> None:
        for member in self.members[end]:
            if not member.ended:
                member.abort()
        if end == "server" and self.server is not None:
            self.server.server.close()

    def rows(self) -> list[dict[str, Any]]:
        """What was seen of each client, in seconds since the first was OPEN at the server."""

        def row(number: int, seen: dict[str, float]) -> dict[str, Any]:
            at = {what: round(when - (self.zero or 0.0), 9) for what, when in seen.items()}
            left = {
                end: at.get(f"{end} CLOSING", at.get(f"{end} CLOSED")) for end in ENDS
            }  # it is never CLOSING after CLOSED
            first = {
                "client": number,
                "opened": at.get("server OPEN"),
                "noticed": left["server"],
                "closed": at.get("server CLOSED"),
            }
            return {
                **first,
                "told": at.get("server told"),
                "client_noticed": left["client"],
                "client_told": at.get("client told"),
            }

        return [row(number, seen) for number, seen in enumerate(self.seen)]


class Member(AsyncioEnd):
    """One end of one client's connection; the run hears what its application is told, and when it has ended."""

    def __init__(self, run: Run, name: str, number: str) -> None:
        super().__init__(name, run.experiment, SILENT, self.hear, None)
        self.run, self.path, self.watched = run, number, True

    def hear(self, what: str, **data: Any) -> None:
        """Of all that its application tells, only that it was told matters here."""
        if what == "raised":
            self.run.note(self.name, self.path, "told")

    def tell(self, connection: Any, state: str) -> None:
        self.run.tell(connection, state)

    async def live(self, websocket: Any, world: Any) -> None:
        self.run.members[self.name].append(self)
        self.run.alive[self.name] += 1
        self.run.come += self.name == "client"
        self.early += [(act, step) for act, step in self.run.steps if act.end == self.name]
        for said in (websocket.request, websocket.response):
            said.headers.clear()  # 7 KB that nobody asks for any more
        try:
            await super().live(websocket, world)
        finally:
            self.run.alive[self.name] -= 1


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """The garbage collector would walk through all that lives, again and again, and find nothing to collect."""
    was_on = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()


def _allow_files(count: int) -> None:
    """Let this process open so many files, as far as the system allows; refuses in words what it does not."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise ValueError(
            f"so many clients need {count:,} open files on the loopback wire, and this system allows {hard:,}: "
            f"try at most {max(1, (hard - 64) // FILES):,} clients, or wire='virtual'"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
