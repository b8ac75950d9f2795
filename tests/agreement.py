"""One random experiment on both wires: what is compared, and when a comparison counts.

    experiment(seed)        all faults and acts, TLS on and off, keepalive at either end or both
    differences(one, two)   what two traces tell differently; [] if they tell the same story
    on_edge(experiment)     whether times moved by 12 ms tell another story by themselves: such an
                            experiment asks more of real time than real time can give
    on_both_wires(…)        the verdict: "agree", "differ", "set aside", or "undecided"

A story is what the library logged at each end, what its application met, and which frames went in
and came out, each in its order and with its time, and how the run ended. Buffers are no part of it:
no experiment sends so much that it matters whose buffers are larger.

Of an exception its text and codes are compared, not its cause: whether the last write of a goodbye
met a reset that came right behind the bytes before it is a matter of microseconds in real time.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from typing import Any

from machine import TRIES, on_time

from labkit import Experiment, Peer, run
from labkit.trace import Trace
from labkit.values.faults import (
    ENDS,
    FAULTS,
    Act,
    Cut,
    Delay,
    Freeze,
    Goodbye,
    HangUp,
    Idle,
    Limit,
    Reset,
    Send,
    Slice,
    SlowClose,
    StopReading,
    Throttle,
    Tunnel,
)

WITHIN = 0.060  # s, between the same event on both wires
MOVED = 0.012  # s, by which times are moved to see whether an experiment is on edge
REAL = 0.002  # s; no real wire has the latency of 0 that a virtual one can have
MOVES = 12  # how often they are moved
APART = 0.030  # s; events of two lanes that are closer than this have no order
GRID = 0.1  # s; on it are pings and round trips
BESIDE = {"fault": 0.025, "message": 0.05, "patience": 0.075}  # s; so chance makes few ties
KINDS = (*FAULTS, Freeze, StopReading, Goodbye, Send)

# random experiments


def experiment(seed: int) -> Experiment:
    """A random experiment of a second or three; its first act goes through all kinds in turn."""
    dice = random.Random(f"agree {seed}")
    while True:
        keepers = dice.choice([("server",), ("client",), ("server", "client")])
        peers = {end: _peer(dice, end in keepers) for end in ("server", "client")}
        others = [dice.choice(KINDS) for _ in range(dice.choice([0, 1, 1, 2, 3]))]
        kinds = [KINDS[seed % len(KINDS)], *others]
        begins = dice.sample(range(1, 13), len(kinds))
        acts = [_act(dice, kind, begin * GRID) for kind, begin in zip(kinds, begins)]
        talkers = {act.end for act in acts if isinstance(act, Send)}
        acts += [_talk(dice, end) for end in ENDS if dice.random() < 0.4 and end not in talkers]
        try:
            return Experiment(
                **peers,
                faults=acts,
                latency=dice.choice([0.0, 0.0, 0.05]),
                until=dice.choice([None, 2.31, 2.71]),
                tls=dice.random() < 0.5,
                seed=seed,
            )
        except ValueError:  # cuts that overlap, TLS with a close_timeout of 0, an act after the end
            pass


def _peer(dice: random.Random, keeps: bool) -> Peer:
    return Peer(
        ping_interval=_grid(dice, 0.2, 0.6) if keeps else None,
        ping_timeout=dice.choice([None, *[_grid(dice, 0.1, 0.4, "patience")] * 5]),
        close_timeout=dice.choice([0, *[_grid(dice, 0.1, 0.5)] * 5]),
        reads=dice.random() < 0.9,
        max_queue=dice.choice([1, 16, None]),
    )


def _talk(dice: random.Random, end: str) -> Send:
    at = _grid(dice, 0.1, 0.5, "message")
    size = dice.choice([0, 10, 200, 3000])
    return Send(at, end=end, size=size, every=dice.choice([0.1, 0.2, 0.3]))


def _act(dice: random.Random, kind: type[Act], begin: float) -> Act:
    at = round(begin + BESIDE["message" if kind is Send else "fault"], 3)
    over = dice.choice([None, round(at + _grid(dice, 0.1, 1.0), 3)])
    way = {"direction": dice.choice(["both", "both", "to_client", "to_server"])}
    end = {"end": dice.choice(["server", "client"])}
    made: dict[type[Act], Any] = {
        Cut: lambda: Cut(at, heal=over, **way),
        Delay: lambda: Delay(
            at,
            latency=_grid(dice, 0.1, 0.5),
            jitter=dice.choice([0.0, 0.0, 0.02]),
            until=over,
            **way,
        ),
        Tunnel: lambda: Tunnel(at, every=0.4, length=0.2, until=over, **way),
        Throttle: lambda: Throttle(at, rate=dice.choice([50, 400, 5000]), until=over, **way),
        Slice: lambda: Slice(at, size=dice.choice([1, 7, 100]), gap=0.02, until=over, **way),
        Limit: lambda: Limit(at, size=dice.choice([0, 5, 100, 900]), until=over, **way),
        HangUp: lambda: HangUp(at, delay=dice.choice([0.0, 0.2]), **way),
        SlowClose: lambda: SlowClose(at, delay=_grid(dice, 0.1, 0.6), until=over, **way),
        Reset: lambda: Reset(at, **way),
        Idle: lambda: Idle(
            at,
            after=_grid(dice, 0.1, 0.5, "message"),
            then=dice.choice(["silence", "fin", "rst"]),
            until=over,
            **way,
        ),
        Freeze: lambda: Freeze(at, thaw=over, **end),
        StopReading: lambda: StopReading(at, resume=over, **end),
        Goodbye: lambda: Goodbye(at, code=dice.choice([1000, 1001, 4000]), reason="lunch", **end),
        Send: lambda: Send(
            at,
            size=dice.choice([0, 10, 3000]),
            every=dice.choice([None, 0.1, 0.2]),
            until=over,
            **end,
        ),
    }
    return made[kind]()


def _grid(dice: random.Random, low: float, high: float, what: str = "") -> float:
    """A time on the grid, or beside it (s)."""
    steps = dice.randint(round(low / GRID), round(high / GRID))
    return round(steps * GRID + BESIDE.get(what, 0), 3)


# stories

Telling = tuple[Any, ...]  # what is told, without its time
Lane = list[tuple[float, Telling]]


def story(trace: Trace) -> dict[str, Lane]:
    """What a trace tells, by lane: one for each kind of thing that an end or the wire tells."""
    lanes: dict[str, Lane] = {}
    if trace.over in ("both ended", "keepers ended"):
        lanes["run"] = [(trace.end, (trace.header["ended"],))]

    def tell(lane: str, t: float | None, *told: Any) -> None:
        if t is not None and told != (("state", "CONNECTING"),):  # t = 0 is the server's OPEN
            lanes.setdefault(lane, []).append((t, told))

    for event in trace.events:
        if event.where in ENDS and event.what in TOLD:
            names, keys = TOLD[event.what]
            words = [str(event.data.get(name)) for name in names]
            lane = " ".join([event.where, event.what, *words])
            tell(lane, event.t, *((key, event.data.get(key)) for key in keys))
    for frame in trace.frames():
        told = frame.size, frame.code, frame.reason
        tell(f"{frame.opcode}s into the wire from the {frame.sender}", frame.sent_at, *told)
        tell(f"{frame.opcode}s out of the wire from the {frame.sender}", frame.arrived_at, *told)
    return lanes


TOLD = {  # what is part of the story: which of its data name the lane, and which are told
    "state": ((), ("state",)),
    "sent": (("opcode",), ("size", "code", "reason")),
    "got": (("opcode",), ("size", "code", "reason")),
    "keepalive": (("step",), ()),
    "message": (("step",), ("size",)),
    "opened": ((), ()),
    "closing": ((), ("code", "reason")),
    "returned": (("call",), ()),
    "raised": (
        ("awaiting",),
        ("type", "text", "code", "reason", "sent", "received"),
    ),
}


def differences(one: Trace, two: Trace) -> list[str]:
    """What two traces tell differently, in words."""
    found, a, b = [], story(one), story(two)
    stopped = [trace.end for trace in (one, two) if trace.over == "until"]
    edge = min(stopped, default=math.inf) - WITHIN  # s; later events may have come too late
    pairs: list[tuple[float, float, str]] = []
    for lane in sorted({*a, *b}):
        rows = itertools.zip_longest(a.get(lane, []), b.get(lane, []))
        for left, right in rows:
            if left and right and left[1] == right[1] and abs(left[0] - right[0]) <= WITHIN:
                pairs.append((left[0], right[0], f"{lane}: {_words(left)}"))
            elif min(row[0] for row in (left, right) if row) < edge:
                found.append(f"{lane}: {_words(left)}, but {_words(right)}")
                break
    return found or _out_of_order(pairs)


def _words(told: tuple[float, Telling] | None) -> str:
    return f"{told[0]:.3f} {told[1]}" if told else "nothing"


def _out_of_order(pairs: list[tuple[float, float, str]]) -> list[str]:
    """Events of several lanes that come in another order, though they are well apart."""
    found, latest = [], (0.0, 0.0, "")
    for t, u, what in sorted(pairs, key=lambda pair: pair[1]):
        if t < latest[0] - APART:
            found.append(f"{what} comes before {latest[2]}, but after it")
        latest = max(latest, (t, u, what))
    return found


def worst(one: Trace, two: Trace) -> float:
    """The largest difference of times between two traces that tell the same (s)."""
    a, b = story(one), story(two)
    return max(abs(t - u) for lane in a for (t, _), (u, _) in zip(a[lane], b[lane]))


# on edge


def on_edge(experiment: Experiment, trace: Trace) -> bool:
    """Whether the story changes, on the virtual wire, when all times are moved by 12 ms."""
    dice = random.Random(experiment.seed)
    for _ in range(MOVES):
        if differences(trace, run(moved(experiment, dice), "virtual", progress=False)):
            return True
    return False


def moved(experiment: Experiment, dice: random.Random) -> Experiment:
    """The same experiment with every time up to 12 ms earlier or later; of pings, that of the last.

    Latency moves less: what takes no time in virtual time takes a millisecond or two. A delay's
    does, too: what it held and what comes after it may otherwise stay due at one instant.
    """

    def move(thing: Any, name: str, scale: float = 1.0) -> dict[str, float]:
        given = getattr(thing, name)
        if given is None:
            return {}
        return {name: max(0.0, given + dice.uniform(-MOVED, MOVED) * scale)}

    def peer(given: Peer) -> Peer:
        changes: dict[str, Any] = {**move(given, "ping_timeout"), **move(given, "close_timeout")}
        if given.ping_interval:
            changes |= move(given, "ping_interval", given.ping_interval / (experiment.limit or 1.0))
        return dataclasses.replace(given, **changes)

    def act(given: Act) -> Act:
        if isinstance(given, Tunnel) or getattr(given, "jitter", 0):
            return given  # one that began at another time would have other dice
        times = ["at", *([given.finish] if given.finish else [])]
        times += [n for n in ("delay", "after") if hasattr(given, n)]
        changes = {name: t for one in times for name, t in move(given, one).items()}
        if hasattr(given, "latency"):
            changes |= move(given, "latency", REAL / MOVED)
        return dataclasses.replace(given, **changes)

    return experiment.but(
        until=experiment.limit,
        latency=experiment.latency + dice.uniform(0, REAL),
        server=peer(experiment.server),
        client=peer(experiment.client),
        faults=[act(given) for given in experiment.faults],
    )


# the comparison


def on_both_wires(experiment: Experiment) -> tuple[str, list[str]]:
    """The verdict, "agree", "differ" or "set aside", and what is told differently.

    A difference counts when it is seen twice while the machine was not late: what a busy machine
    did says nothing about the wire. "undecided" if it was late too often.
    """
    virtual = run(experiment, "virtual", progress=False)
    seen = 0
    for _ in range(TRIES):
        with on_time() as machine:
            real = run(experiment, "loopback", progress=False)
        found = differences(virtual, real)
        if not found:
            return "agree", []
        seen += not machine.late
        if seen == 2:
            break
    if on_edge(experiment, virtual):
        return "set aside", found
    return ("differ" if seen == 2 else "undecided"), found
