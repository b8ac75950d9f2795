"""The torture of labkit.patterns: seeded cases of every fault, and what is witnessed of a client and a server in them.

A client delivers what is put into its outbox while the wire, the server or the client itself is hurt; at ``STOP`` it is cancelled.
Witnessed, without a word of the program's own: when each TCP connection of either end began and was lost, every dial, what the
server took, and how long the client's goodbye took. The witnesses know nothing of how the program works.
"""

import asyncio
import contextlib
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from unittest import mock

from websockets.asyncio.server import ServerConnection, serve

from labkit import Cut, Delay, Freeze, HangUp, Idle, Limit, Reset, Slice, SlowClose, Suspend, Throttle, Tunnel
from labkit.many.crowds import Run, _surroundings
from labkit.many.restarts import Restart
from labkit.patterns import Outbox, deliver, receiver, server
from labkit.values.experiment import Experiment, Peer

MESSAGES, EVERY = 150, 0.2  # s from one message to the next
STOP, END = 240.0, 320.0  # s; when the client is cancelled at the latest, by its own clock, and when the run ends
QUIET = 100.0  # s; every fault is over or for ever: who has delivered all by then is cancelled then
SPREAD, PAUSE, PATIENCE = 2.0, 4.0, 4.0  # s; what the programs under torture are given
MUTE = Peer(ping_interval=None)


def some(dice, low, high):
    return round(dice.uniform(low, high), 2)


def spell(kind, longest, **options):
    """A fault that begins while messages are sent, and is over after up to ``longest`` s, by the name of the field that says so."""
    over = kind.finish if kind.finish != "finish" else None

    def acts(dice):
        start = some(dice, 3, 25)
        rest = {name: value(dice) if callable(value) else value for name, value in options.items()}
        ending = {over: round(start + some(dice, 0.5, longest), 2)} if over and longest else {}
        return [kind(start, **ending, **rest)]

    return acts


def several(*makers):
    return lambda dice: [act for maker in makers for act in maker(dice)]


FAULTS = {  # by name: acts(dice)
    "nothing": lambda dice: [],
    "cut": spell(Cut, 0),
    "cut, healed": several(*[spell(Cut, 60)] * 3),
    "cut to the server": spell(Cut, 0, direction="to_server"),
    "cut to the client": spell(Cut, 0, direction="to_client"),
    "cut one way, healed": several(spell(Cut, 40, direction="to_client"), spell(Cut, 40, direction="to_server")),
    "delay": spell(Delay, 60, latency=lambda dice: some(dice, 0.1, 1), jitter=lambda dice: some(dice, 0, 0.1)),
    "heavy tail": spell(Delay, 60, latency=0.05, jitter=lambda dice: some(dice, 0.01, 0.1), shape="heavy tail"),
    "throttle": spell(Throttle, 0, rate=lambda dice: some(dice, 40_000, 400_000)),
    "slice": spell(Slice, 30, size=lambda dice: dice.randint(20, 2000), gap=lambda dice: some(dice, 0, 0.05)),
    "limit": spell(Limit, 30, size=lambda dice: dice.randint(0, 100_000)),
    "hang-up": several(*[spell(HangUp, 0, delay=lambda dice: some(dice, 0, 2))] * 3),
    "half hang-up to the client": spell(HangUp, 0, direction="to_client"),
    "half hang-up to the server": spell(HangUp, 0, direction="to_server"),
    "cut, then hang-up": several(lambda dice: [Cut(6, heal=9), HangUp(8)], spell(Cut, 0)),
    "reset": several(*[spell(Reset, 0)] * 3),
    "idle: silence": spell(Idle, 60, after=lambda dice: some(dice, 0.1, 5)),
    "idle: fin": spell(Idle, 60, after=lambda dice: some(dice, 0.1, 5), then="fin"),
    "idle: rst": spell(Idle, 60, after=lambda dice: some(dice, 0.1, 5), then="rst"),
    "slow close": several(spell(SlowClose, 0, delay=lambda dice: some(dice, 1, 60)), spell(HangUp, 0, direction="to_client")),
    "tunnel": spell(Tunnel, 0, every=20, length=lambda dice: some(dice, 1, 6)),
    "server frozen": spell(Freeze, 0),
    "server frozen, thawed": spell(Freeze, 60),
    "client frozen, thawed": spell(Freeze, 60, end="client"),
    "client asleep": spell(Suspend, 60, end="client"),
    "server asleep": spell(Suspend, 60),
    "restart": several(*[spell(Restart, 30)] * 2),
    "killed": several(*[spell(Restart, 30, how="killed")] * 2),
    "everything": several(
        spell(Cut, 20), spell(Restart, 9, how="killed"), spell(Delay, 0, latency=0.2), spell(Reset, 0), spell(Tunnel, 60)
    ),
}
DEAD = ("cut", "cut, then hang-up", "cut to the server", "cut to the client", "server frozen")  # nothing can be delivered any more


def acts_of(name, seed):
    """The acts of a case."""
    return FAULTS[name](random.Random(f"{name} {seed}"))


SLOW = {"100 kB/s": 100_000, "10 kB/s": 10_000, "4 kB/s": 4_000}  # bytes/s


def messages(seed, count=MESSAGES):
    """Texts by number: small ones, and now and then one that fills buffers."""
    dice = random.Random(f"messages {seed}")
    return [f"{number:06}" + "x" * dice.choice([0] * 9 + [60_000]) for number in range(1, count + 1)]


@dataclass
class Life:
    """A TCP connection as one end has it."""

    end: str
    began: float  # s
    lost: float = float("inf")  # s


@dataclass
class Seen:
    """What was witnessed of one run."""

    given: set[str] = field(default_factory=set)  # texts
    acknowledged: set[str] = field(default_factory=set)  # of those, what the client thinks that the server has
    taken: list[str] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    attempts: list[float] = field(default_factory=list)  # s; of one client
    openings: list[float] = field(default_factory=list)  # s
    goodbye: float = float("inf")  # s from the cancellation to the end of the client's program
    shutdowns: list[float] = field(default_factory=list)  # s from stop to the end of the server's program
    problem: BaseException | None = None

    @property
    def lost(self):
        """How many were acknowledged, and the server has not taken them."""
        return len(self.acknowledged - set(self.taken))

    @property
    def missing(self):
        """How many were given, and the server has not taken them."""
        return len(self.given - set(self.taken))

    @property
    def doubled(self):
        return len(self.taken) - len(set(self.taken))

    def dials(self, window=60.0):
        """The most attempts to connect in any so many seconds."""
        return max((bisect_right(self.attempts, t + window - 1e-9) - n for n, t in enumerate(self.attempts)), default=0)

    def told(self, end, since):
        """How long after ``since`` the last connection was lost that an end had then (s); 0 if it had none."""
        return max((one.lost - since for one in self.lives if one.end == end and one.began <= since < one.lost), default=0.0)

    def at_once(self, end):
        """The most connections that an end had at the same time."""
        steps = sorted([(one.began, 1) for one in self.lives if one.end == end] + [(one.lost, -1) for one in self.lives if one.end == end])
        most = now = 0
        for _, step in steps:
            now += step
            most = max(most, now)
        return most


class Ordeal(Run):
    """One client, or many, and a server on the virtual wire, with witnesses."""

    accepted = ServerConnection

    def __init__(self, client, handler, acts, seed, clients=1, until=END, wire="virtual", latency=0.02, **options):
        self.witnessed, self.closing = Seen(), False
        experiment = Experiment(MUTE, MUTE, latency=latency, until=until, seed=seed)
        super().__init__(experiment, wire, acts, (client, handler), clients, 0.05, options)

    def watch(self, end, protocol):
        """Note when this connection began, and when it is lost."""
        life, lost = Life(end, self.now), protocol.connection_lost
        self.witnessed.lives.append(life)

        def connection_lost(problem):
            if not self.closing:
                life.lost = self.now
            lost(problem)

        protocol.connection_lost = connection_lost

    def close(self):
        self.closing = True  # what is lost from here on is nobody's merit
        super().close()

    def note_attempt(self, transport):
        super().note_attempt(transport)
        self.witnessed.attempts.append(self.now)
        if transport is not None:
            self.watch("client", transport.get_protocol())

    def admit(self, *args, **options):
        connection = self.accepted(*args, **options)
        self.connections[next(self.numbers)] = connection
        made = connection.connection_made

        def connection_made(transport):
            made(transport)
            self.watch("server", connection)

        connection.connection_made = connection_made
        return connection

    async def welcome(self, websocket):
        self.witnessed.openings.append(self.now)
        await super().welcome(websocket)


class Whole(Ordeal):
    """The same with the server of labkit.patterns, as a program of its own that is told to stop, or killed."""

    accepted = server.Connection

    async def serve(self, listener):
        self.schedule(self.planned)
        await self.live_as_process(sock=listener)

    async def live_as_process(self, *where, **options):
        self.stop = asyncio.Event()
        self.program = asyncio.current_task()
        self.served = server.Server(self.welcome)
        options = {**self.options, **options}
        del options["create_connection"]
        with (
            mock.patch.multiple(server, Connection=self.admit, serve=self.begin_serving),
            contextlib.suppress(asyncio.CancelledError, TimeoutError),
        ):
            await self.served.run(self.stop, *where, **options)

    async def begin_serving(self, *args, **options):
        self.server = await serve(*args, **options)
        return self.server

    async def serve_again(self, _):
        if not self.away:
            await self.live_as_process(*self.wire.address())

    async def say_goodbye(self, _):
        began = self.now
        self.stop.set()
        await asyncio.wait([self.program])
        self.witnessed.shutdowns.append(self.now - began)

    def abort(self, end):
        super().abort(end)
        if end == "server":
            self.program.cancel()


def ordeal(client, serving, acts=(), seed=0, **options):
    """Run it; returns what was Seen. ``client(uri, number, seen)`` and ``serving(seen)``, which gives a handler."""
    pair = SimpleNamespace()

    async def program(uri, number):
        await client(uri, number, pair.run.witnessed)

    async def handler(websocket):
        await pair.handler(websocket)

    kind = options.pop("kind", Ordeal)
    pair.run = kind(program, handler, acts, seed, **options)
    pair.handler = serving(pair.run.witnessed)
    with _surroundings(seed):
        pair.run.run()
    return pair.run.witnessed


def delivering(deliver, outbox, texts, apart=EVERY, stop=STOP, **settings):
    """A client that delivers these texts and is cancelled at ``stop`` (s)."""

    async def client(uri, number, seen):
        loop = asyncio.get_running_loop()
        mine, began = outbox(f"client {number}"), loop.time()
        seen.given |= set(texts)
        task = asyncio.create_task(deliver(uri, mine, **settings))
        for text in texts:
            mine.put(text)
            await asyncio.sleep(apart)
        while not task.done() and loop.time() < began + (stop if mine.kept else min(stop, QUIET)):
            await asyncio.wait([task], timeout=1)
        cancelled = loop.time()
        task.cancel()
        await asyncio.wait([task])
        seen.goodbye = loop.time() - cancelled
        seen.acknowledged |= set(texts[: mine.taken])
        seen.problem = None if task.cancelled() else task.exception()

    return client


def taking(receiver, last=None):
    """A server that takes messages."""
    kept = {} if last is None else last
    return lambda seen: receiver(lambda _, text: seen.taken.append(text), kept)


# servers that are no good


async def returns(websocket):
    pass


async def crashes(websocket):
    await websocket.recv()
    raise ValueError("a mistake in the handler")


async def hangs(websocket):
    for _ in range(5):
        await websocket.recv()
    await asyncio.Event().wait()


async def deaf(websocket):
    await asyncio.Event().wait()


def says(code):
    async def handler(websocket):
        await websocket.close(code)

    return handler


def lives(seconds):
    """A server that closes each connection after so many seconds, with whatever it has taken."""

    def of(receiver, seen):
        last = {}
        take = receiver(lambda _, text: seen.taken.append(text), last)

        async def handler(websocket):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await take(websocket)

        return handler

    return of


def forgets(receiver, seen):
    """A server whose every process begins without memory: what was taken stays, the numbers go."""

    async def handler(websocket):
        await receiver(lambda _, text: seen.taken.append(text), {})(websocket)

    return handler


def poisoned(receiver, seen):
    """A server that cannot take one of the messages."""

    def take(name, text):
        if text.startswith("000050"):
            raise ValueError("poison")
        seen.taken.append(text)

    return receiver(take, {})


def always(handler):
    return lambda receiver, seen: handler


def answers(status):
    return {"process_request": lambda connection, request: connection.respond(status, "no")}


SERVERS = {  # by name: what gives a handler of (receiver, seen), the acts, and options of serve()
    "nobody listens": (always(returns), [Restart(0.01)], {}),
    "returns at once": (always(returns), [], {}),
    "says 1001 at once": (always(says(1001)), [], {}),
    "says 1008": (always(says(1008)), [], {}),
    "says 1013": (always(says(1013)), [], {}),
    "says 4003": (always(says(4003)), [], {}),
    "answers 403": (always(returns), [], answers(403)),
    "answers 503": (always(returns), [], answers(503)),
    "crashes": (always(crashes), [], {}),
    "hangs": (always(hangs), [], {}),
    "deaf": (always(deaf), [], {"max_queue": 1}),
    "lives for 3 s": (lives(3.0), [], {}),
    "without memory": (forgets, [Restart(10, back=11)], {}),
    "poison": (poisoned, [], {}),
}


# the table


TIMERS = {"ping_interval": PAUSE, "close_timeout": PATIENCE}


def case(name, seed=0, kind=Whole):
    """One case of the table, for the client and the server of labkit.patterns; ``kind=Ordeal``: a plain server."""
    options = {"kind": kind, **(TIMERS if kind is Whole else {})}
    if name in SLOW:
        client = delivering(deliver, Outbox, [f"{1:06}" + "x" * 800_000])  # with its own timers
        return ordeal(client, taking(receiver), [Throttle(0, rate=SLOW[name])], seed, kind=kind)
    client = delivering(deliver, Outbox, messages(seed), spread=SPREAD, every=PAUSE, patience=PATIENCE)
    if name in FAULTS:
        return ordeal(client, taking(receiver), acts_of(name, seed), seed, **options)
    bad, acts, more = SERVERS[name]
    return ordeal(client, partial(bad, receiver), acts, seed, **options, **more)


def table(rows=(*FAULTS, *SERVERS, *SLOW), seeds=range(20), run=case):
    """The torture table: for each case the worst of all seeds, a line at a time."""
    heads = ("told c", "told s", "goodbye", "shutdown", "dials", "lost", "missing", "doubled", "open")
    yield f"{'case':<28}" + "".join(f"{head:>9}" for head in heads) + "  ended by"
    for name in rows:
        worst, problems = [0.0] * len(heads), set()
        for seed in seeds:
            seen, acts = run(name, seed), acts_of(name, seed) if name in FAULTS else []
            since = max((act.start for act in acts), default=0.0)
            told = [seen.told(end, since) if name in DEAD else 0.0 for end in ("client", "server")]
            found = [
                *told,
                seen.goodbye,
                max(seen.shutdowns, default=0.0),
                seen.dials(),
                seen.lost,
                seen.missing,
                seen.doubled,
                seen.at_once("server"),
            ]
            worst = [max(pair) for pair in zip(worst, found)]
            problems.add(type(seen.problem).__name__ if seen.problem else "")
        yield f"{name:<28}" + "".join(f"{value:>9.4g}" for value in worst) + "  " + ", ".join(sorted(problems - {""}))


if __name__ == "__main__":
    for line in table():
        print(line, flush=True)
