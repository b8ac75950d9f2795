"""A fleet: one server, many clients, one experiment for all of them, in one run.

    rows = fleet(fly, clients=10_000)           # all opened together, all cut at once
    rows["noticed"]                             # a column: s since the first was OPEN, or None
    fleet(fly, clients=500, wire="loopback")    # real sockets, four for each client

Each client is the client of the experiment, with an application of its own; faults meet every
connection, each with dice of its own. Nothing is recorded but states and what applications are
told: a row for each client. Where an opening handshake makes no difference there is none. A
connection takes 31 to 35 KB and a millisecond or two: half a million of them 17 GB and a quarter
of an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from ..ends.with_asyncio import AsyncioEnd
from ..engine.engine import SILENT, Engine, needs_handshake
from ..values.experiment import Experiment
from ..values.faults import ENDS, AppAct
from ..wires.ending import uninterrupted

COLUMNS = ("client", "opened", "noticed", "closed", "told", "client_noticed", "client_told")
FILES = 4  # sockets of a connection on the loopback wire: two ends, and the forwarder's two


class Fleet(Sequence[dict[str, Any]]):
    """A row for each client, in seconds since the first was OPEN.

    When its server opened, noticed, closed and told, and when the client itself noticed and told.
    """

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
    """Run so many clients of an experiment against one server; returns their rows.

    They are opened ``apart`` seconds one after the other. t = 0 is when the first is OPEN at the
    server, and what happens happens to all at once. A client that comes too late (into a cut) has
    a row of None. Refuses TLS: a fleet has none (yet).
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
        run.run()
        return Fleet(experiment, [row(*item) for item in enumerate(run.times())], run.ended)


class Run(Engine):
    """A fleet that is under way."""

    def __init__(self, experiment: Experiment, clients: int, apart: float, wire: str) -> None:
        super().__init__(experiment, wire)
        self.until += clients * apart
        self.clients, self.apart = clients, apart
        # "server OPEN", "client told" … as first seen of each client: s on the wire's clock
        self.first: list[dict[str, float]] = [{} for _ in range(clients)]
        self.members: dict[str, list[Member]] = {end: [] for end in ENDS}
        self.steps: list[tuple[AppAct, str]] = []  # for applications that come later
        self.alive = dict.fromkeys(ENDS, 0)
        self.to_come = clients  # whose opening is not over
        self.handshake = wire != "virtual" or needs_handshake(experiment, (clients - 1) * apart)
        self.numbers = itertools.count()  # of connections that begin OPEN
        self.host = Host(self, "server", "")
        self.on = True  # teardown is not noted

    # the ends

    async def serve(self, listener: Any) -> None:
        await self.host.serve(listener)

    async def connect(self, dial: Callable[[], Any]) -> None:
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
        if member.application is None:
            self.to_come -= 1

    def living(self, end: str) -> int:
        return self.to_come + self.alive[end]

    def perform(self, act: AppAct, step: str) -> None:
        """Let every application of an end do an act."""
        self.steps.append((act, step))
        for member in self.members[act.end]:
            if not member.ended:
                member.do(act, step)

    def abort(self, end: str) -> None:
        for member in self.members[end]:
            if not member.ended:
                member.abort()
        if end == "server":
            self.host.abort()

    @uninterrupted
    def close(self) -> None:
        self.on = False
        super().close()

    # what is seen

    def tell_state(self, end: str, number: str, state: str) -> None:
        """A client's connection has come to a state at an end."""
        self.note(end, number, state)
        if end == "server" and state == "OPEN":
            self.begin()

    def note(self, end: str, number: str, what: str) -> None:
        """Keep when something was first seen of a client's connection at an end."""
        if self.on:
            name = sys.intern(f"{end} {what}")  # one word for all
            self.first[int(number)].setdefault(name, self.wire.now())

    def times(self) -> list[dict[str, float]]:
        """What was first seen of each client, in seconds from t = 0."""
        zero = self.zero or 0.0
        return [{what: round(t - zero, 9) for what, t in seen.items()} for seen in self.first]


def row(number: int, at: dict[str, float]) -> dict[str, Any]:
    """The row of a client, from what was first seen of it (s)."""
    # what is CLOSED at once was never CLOSING
    left = {end: at.get(f"{end} CLOSING", at.get(f"{end} CLOSED")) for end in ENDS}
    return {
        "client": number,
        "opened": at.get("server OPEN"),
        "noticed": left["server"],
        "closed": at.get("server CLOSED"),
        "told": at.get("server told"),
        "client_noticed": left["client"],
        "client_told": at.get("client told"),
    }


class Member(AsyncioEnd):
    """One end of one client's connection; its run hears what it is told, and when it has ended."""

    def __init__(self, run: Run, name: str, number: str) -> None:
        super().__init__(name, run.experiment, SILENT, self.hear, None)
        self.run, self.path, self.watched, self.handshake = run, number, True, run.handshake

    def hear(self, what: str, **data: Any) -> None:
        """Of all that its application tells, only that it was told matters here."""
        if what == "raised":
            self.run.note(self.name, self.path, "told")

    def tell(self, connection: Any, state: str) -> None:
        self.run.tell_state(self.name, self.path, state)

    async def live(self, websocket: Any, world: Any) -> None:
        run = self.run
        run.members[self.name].append(self)
        run.alive[self.name] += 1
        if self.name == "client":
            run.to_come -= 1
        self.early += [(act, step) for act, step in run.steps if act.end == self.name]
        for said in filter(None, (websocket.request, websocket.response)):
            said.headers.clear()  # 7 KB that nobody asks for any more
        try:
            await super().live(websocket, world)
        finally:
            run.alive[self.name] -= 1


class Host(Member):
    """The server of a fleet: each connection to it is that of another member."""

    async def accept(self, sock: Any) -> None:
        await Member(self.run, "server", str(next(self.run.numbers))).accept(sock)

    def begin(self, websocket: Any) -> Awaitable[None]:
        return Member(self.run, "server", websocket.request.path[1:]).begin(websocket)

    def tell(self, connection: Any, state: str) -> None:
        if connection.request is not None:  # it has said whose it is
            self.run.tell_state("server", connection.request.path[1:], state)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking through all that lives, again and again."""
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
    """Let this process open so many files; refuses in words what the system does not allow."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise ValueError(
            f"so many clients need {count:,} open files on the loopback wire, and this system "
            f"allows {hard:,}: try at most {max(1, (hard - 64) // FILES):,} clients, "
            "or wire='virtual'"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
