"""Experiments that several tests use, and the generators of random quiet ones."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from labkit import Cut, Experiment, Freeze, Goodbye, Peer, Send, Tcp
from labkit.values.faults import ENDS, Act
from labkit.values.sender import Sender
from labkit.values.stream import join
from labkit.wires.pipe import Pipe

FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
DEFAULTS = Experiment(server=Peer(), faults=[Cut(at=63)])


def small(**changes) -> Experiment:
    """The fruit fly, twenty times as fast: for real time."""
    base = Experiment(server=Peer(ping_interval=0.2, ping_timeout=0.15, close_timeout=0.1), faults=[Cut(at=0.45)])
    return base.but(**changes)


def quiet(seed: int) -> Experiment:
    """A random quiet experiment: any timers (None too), keepalive on either or both sides, cuts, heals, latency; every fifth is a tie."""
    dice = random.Random(seed)
    server, client = dice.choice([(1, 0), (1, 1), (0, 1)])
    latency = dice.choice([0.0, 0.0, _number(dice, 0.001, 0.9), _number(dice, 0.001, 3)])
    peers = {"server": _peer(dice, server), "client": _peer(dice, client)}
    if seed % 5 == 0:  # the pong arrives at the instant at which its time runs out
        latency = 0.5
        peers = {"server": Peer(ping_interval=2, ping_timeout=1, close_timeout=1), "client": _peer(dice, client)}
    faults, now = [], 2 * latency + 0.001
    for _ in range(dice.choice([0, 1, 1, 1, 2, 3])):
        at = round(now + _number(dice, 0.1, 12), 6)
        heal = dice.choice([None, round(at + _number(dice, 0.1, 15), 6), round(at + _number(dice, 0.1, 15), 6)])
        faults.append(Cut(at, heal=heal, direction=dice.choice(["both", "both", "to_client", "to_server"])))
        if heal is None:
            break
        now = heal
    until = dice.choice([None, None, _number(dice, 90, 120)])
    return Experiment(**peers, faults=faults, latency=latency, until=until)


def overlapping(seed: int) -> Experiment:
    """A random quiet experiment whose cuts lie anyhow, in any directions.

    One is within another, or ends as another begins.
    """
    dice = random.Random(f"overlapping {seed}")
    start = 2 * quiet(seed).latency + 0.001
    faults: list[Act] = []
    for _ in range(dice.choice([2, 2, 3, 4])):
        ends = [fault.heal for fault in faults if isinstance(fault, Cut) and fault.heal is not None]
        at = dice.choice([round(start + _number(dice, 0.1, 9), 6), *ends])
        heal = dice.choice([None, *[round(at + _number(dice, 0.1, 9), 6)] * 5])
        direction = dice.choice(["both", "both", "to_client", "to_server"])
        faults.append(Cut(at, heal=heal, direction=direction))
    return quiet(seed).but(faults=faults)


def talk(seed: int) -> tuple[str, Experiment]:
    """A random end that talks into a cut, and its experiment: any sizes of messages and buffers."""
    dice = random.Random(seed)
    end = dice.choice(["server", "client"])
    size = dice.choice([0, 10, 125, 126, dice.randint(1, 3000), dice.randint(500, 5000), 66_000 if seed % 20 == 0 else 1000])
    most = max(1024, size * dice.randint(1, 30))
    sender = Peer(
        ping_interval=None,
        send_size=size,
        send_every=dice.choice([0.25, 1, 3]),
        buffer=dice.choice([1024, most, dice.randint(1024, most)]),
        write_limit=dice.choice([1, most, dice.randint(1, most)]),
    )
    other = Peer(ping_interval=None, buffer=dice.choice([1024, 4096]))
    peers = {end: sender, "client" if end == "server" else "server": other}
    return end, Experiment(**peers, faults=[Cut(dice.choice([5, 2.3]))])


def _peer(dice: random.Random, keepalive: int) -> Peer:
    return Peer(
        ping_interval=_number(dice, 0.5, 8) if keepalive else None,
        ping_timeout=dice.choice([None, _number(dice, 0.5, 8), _number(dice, 0.5, 8)]),
        close_timeout=dice.choice([None, 0, _number(dice, 0.2, 5), _number(dice, 0.2, 5)]),
    )


def _number(dice: random.Random, low: float, high: float) -> float:
    """A number on one of several grids, so that coincidences happen."""
    return round(dice.uniform(low, high), dice.choice([0, 1, 3, 6])) or 1.0


def goodbyes(seed: int) -> Experiment:
    """A random quiet experiment with one goodbye or two, also at one instant or as the other's CLOSE arrives; half of them with a cut."""
    dice = random.Random(f"goodbye {seed}")
    latency = dice.choice([0.0, 0.0, 0.25, _number(dice, 0.001, 3)])
    server, client = dice.choice([(0, 0), (1, 0), (1, 1), (0, 1)])
    start = 2 * latency + 0.001
    at = dice.choice([round(start + _number(dice, 0.1, 6), 6), _number(dice, 1, 12) + 2 * latency])
    faults: list[Act] = []
    for end in dice.choice([["server"], ["client"], ["server", "client"], ["server", "client"]]):
        when = dice.choice([at, at, at + latency, at + latency, at + 2 * latency, start + 3, start + _number(dice, 0.1, 6)])
        faults.append(Goodbye(round(when, 6), end=end, code=dice.choice([1000, 1001, 1011, 4000]), reason=dice.choice(["", "lunch"])))
    if dice.random() < 0.5:
        cut = round(start + _number(dice, 0.1, 6), 6)
        heal = dice.choice([None, round(cut + _number(dice, 0.1, 8), 6), round(cut + _number(dice, 0.1, 8), 6)])
        faults.append(Cut(cut, heal=heal, direction=dice.choice(["both", "to_client", "to_server"])))
    return Experiment(_peer(dice, server), _peer(dice, client), faults=faults, latency=latency, until=dice.choice([None, 60]))


def frozen(seed: int) -> Experiment:
    """A random quiet experiment in which event loops block, one end's or both, once or more; half of them with a cut or a goodbye too."""
    dice = random.Random(f"frozen {seed}")
    latency = dice.choice([0.0, 0.0, 0.25, _number(dice, 0.001, 1.5)])
    server, client = dice.choice([(1, 0), (1, 0), (1, 1), (0, 1)])
    faults: list[Act] = []
    start = 2 * latency + 0.001
    for _ in range(dice.choice([1, 1, 2, 3])):
        at = dice.choice([round(start + _number(dice, 0.1, 10), 6), float(dice.randint(4, 10))])  # the latter often as a ping is due
        thaw = dice.choice([None, *[round(at + _number(dice, 0.1, 12), 6)] * 5])
        faults.append(Freeze(at, end=dice.choice(["server", "client"]), thaw=thaw))
    if dice.random() < 0.3:
        faults.append(Goodbye(round(start + _number(dice, 0.1, 9), 6), end=dice.choice(["server", "client"]), code=1001))
    if dice.random() < 0.3:
        cut = round(start + _number(dice, 0.1, 9), 6)
        heal = dice.choice([None, round(cut + _number(dice, 0.1, 9), 6)])
        faults.append(Cut(cut, heal=heal, direction=dice.choice(["both", "to_client", "to_server"])))
    return Experiment(_peer(dice, server), _peer(dice, client), faults=faults, latency=latency, until=dice.choice([None, 60]))


def unread(seed: int) -> Experiment:
    """A random talk with an end that, more often than not, never calls recv(): any limits of its queue, pings from either end."""
    dice = random.Random(f"unread {seed}")
    latency = dice.choice([0.0, 0.0, 0.25, _number(dice, 0.001, 1)])
    habits: dict[str, dict] = {"server": {}, "client": {}}
    silent = dice.choice(["server", "client"])
    talker = "client" if silent == "server" else "server"
    habits[silent] = {"reads": dice.random() < 0.2, "max_queue": dice.choice([None, 1, 4, 16, 16])}
    habits[talker] = {"send_every": round(dice.uniform(0.1, 2), 6), "send_size": dice.choice([0, 10, 200, 1000])}
    server, client = dice.choice([(1, 0), (0, 1), (1, 1)])
    peers = {end: dataclasses.replace(_peer(dice, keeps), **habits[end]) for end, keeps in (("server", server), ("client", client))}
    faults: list[Act] = []
    start = 2 * latency + 0.001
    if dice.random() < 0.3:
        faults.append(Send(round(start + dice.uniform(0.1, 20), 6), end=silent, size=50))
    if dice.random() < 0.3:
        faults.append(Goodbye(round(start + dice.uniform(0.1, 20), 6), end=dice.choice([silent, talker]), code=1001))
    if dice.random() < 0.3:
        cut = round(start + dice.uniform(0.1, 20), 6)
        faults.append(Cut(cut, heal=dice.choice([None, round(cut + dice.uniform(0.1, 9), 6)])))
    return Experiment(**peers, faults=faults, latency=latency, until=60)


def impatient(seed: int) -> Experiment:
    """A random experiment with cuts, also one way, over a TCP that gives up soon, or probes; ends talk, or say goodbye, or are quiet."""
    dice = random.Random(f"impatient {seed}")
    latency = dice.choice([0.0, 0.0, 0.05, _number(dice, 0.001, 0.5)])
    peers = {}
    for end in ENDS:
        tcp = Tcp(
            retries=dice.randint(1, 6),
            orphan_retries=dice.randint(1, 6),
            keepalive_idle=dice.choice([None, None, _number(dice, 0.5, 5)]),
            keepalive_interval=_number(dice, 0.5, 3),
            keepalive_count=dice.randint(1, 4),
            user_timeout=dice.choice([None, None, _number(dice, 0.5, 9)]),
        )
        peers[end] = dataclasses.replace(_peer(dice, dice.choice([0, 1])), tcp=tcp)
    start = 2 * latency + 0.001
    faults: list[Act] = []
    for _ in range(dice.choice([1, 1, 2])):
        cut = round(start + _number(dice, 0.1, 9), 6)
        heal = dice.choice([None, *[round(cut + _number(dice, 0.1, 20), 6)] * 3])
        faults.append(Cut(cut, heal=heal, direction=dice.choice(["both", "both", "to_client", "to_server"])))
    for end in dice.choice([[], ["server"], ["client"], ["server", "client"]]):
        faults.append(
            Send(round(start + _number(dice, 0.1, 9), 6), end=end, size=dice.choice([10, 400]), every=dice.choice([None, 0.7, 3]))
        )
    if dice.random() < 0.3:
        faults.append(Goodbye(round(start + _number(dice, 0.1, 15), 6), end=dice.choice(ENDS), code=1001))
    return Experiment(**peers, faults=faults, latency=latency, until=60)


class Line:
    """Two pipes under a clock of their own: what is put into the first comes out of it, to somebody who acknowledges it."""

    def __init__(self, latency: float = 0.0) -> None:
        self.pipes = {"server": Pipe(latency), "client": Pipe(latency)}
        join(self.pipes, dict.fromkeys(ENDS, Tcp()), self, 1)
        self.steps: list[tuple[float, int, Callable, tuple]] = []
        self.now = 0.0
        self.seen: list[tuple[float, object]] = []  # what TCP did: (s, "retransmission" or "gave up")

    def at(self, when: float, do: Callable, *what: object) -> None:
        """Let something happen at a time (s); first come, first served."""
        self.steps.append((when, len(self.steps), do, what))

    def push(self, item: bytes | None, sender: str = "server") -> None:
        self.pipes[sender].push(self.now, item)

    def cut(self, *senders: str) -> None:
        for sender in senders or ENDS:
            self.pipes[sender].cut(self.now, "a cut")

    def heal(self, *senders: str) -> None:
        for sender in senders or ENDS:
            self.pipes[sender].heal(self.now, "a cut")

    def run(self) -> list[tuple[float, bytes | None]]:
        """Everything that comes out at the client, with its time (s)."""
        out = []
        while (then := self.next_time()) is not None:
            self.now = then
            for step in sorted(step for step in self.steps if step[0] <= then):
                self.steps.remove(step)
                step[2](*step[3])
            for sender, pipe in self.pipes.items():
                pipe.sender.ring(then)
                while pipe.ready(then):
                    item = pipe.head()
                    pipe.advance(then, len(item or b""))
                    out += [(then, item)] * (sender == "server")
        return out

    def next_time(self) -> float | None:
        times = [step[0] for step in self.steps]
        for pipe in self.pipes.values():
            times += [when for when in (pipe.due(), pipe.sender.alarm()) if when is not None]
        return max(self.now, min(times)) if times else None

    # a Host of senders

    def gave_up(self, sender: Sender) -> None:
        self.seen.append((self.now, "gave up"))

    def answers(self, sender: Sender, again: bool) -> bool:
        return True

    def tried(self, sender: Sender, when: float, number: int, through: bool) -> None:
        self.seen.append((when, "through" if through else "in vain"))
