"""Notebook 08: what the kernel below a WebSocket knows. A grid, a look with ``ss``, and an exercise.

1. {idle, bytes under way} × {nothing, SO_KEEPALIVE, TCP_USER_TIMEOUT, pings}: when is it told?
2. Socket options for three services: each is judged by a cut for ever, and by a tunnel.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import Cut, Send
from ..values.tcp import Tcp
from ..wires.options import OPTIONS, SWITCH, answered
from .answers import one_of

CUT = 9.0  # s
CUTS = (9.0, 22.3, 37.6, 51.9)  # s; of those that an exercise tries
NAMES = (SWITCH, *((level, option) for level, option, _ in OPTIONS.values()))
HOW_SOON = ("seconds", "minutes", "never")
MINUTE, LONG = 60.0, 3600.0  # s
QUIET = Experiment(server=Peer(ping_interval=None), faults=[Cut(at=CUT)], until=LONG)

# the grid

GUARDS = {  # who is asked to notice, and the server that asks for it
    "nothing": Peer(ping_interval=None),
    "SO_KEEPALIVE": Peer(
        ping_interval=None, tcp=Tcp(keepalive_idle=4, keepalive_interval=1, keepalive_count=3)
    ),
    "TCP_USER_TIMEOUT": Peer(ping_interval=None, tcp=Tcp(user_timeout=7)),
    "WebSocket pings": Peer(ping_interval=4, ping_timeout=3, close_timeout=2),
}
WAYS = ("idle", "bytes under way")
WRONG = {  # by who is asked and what is under way: what a wrong word overlooks
    ("nothing", "idle"): "Nobody has anything to send, so what could stay unanswered?",
    ("nothing", "bytes under way"): "A kernel keeps its own count of tries that were in vain.",
    ("SO_KEEPALIVE", "idle"): "An idle connection is just what its probes are for.",
    ("SO_KEEPALIVE", "bytes under way"): (
        "Its probes are for idle connections: while bytes wait, TCP tries those again, and nothing "
        "else."
    ),
    ("TCP_USER_TIMEOUT", "idle"): "Its clock runs only while bytes are not acknowledged.",
    ("TCP_USER_TIMEOUT", "bytes under way"): "This is what it is for: bytes that nobody answers.",
    ("WebSocket pings", "idle"): "A ping is something to send, and it waits for its pong.",
    ("WebSocket pings", "bytes under way"): (
        "A few bytes under way do not hold a ping up; it still waits for its pong."
    ),
}


def check_grid(
    nothing: Any = ..., so_keepalive: Any = ..., user_timeout: Any = ..., pings: Any = ...
) -> None:
    """Hold two words for each guard, idle and with bytes under way, against eight runs.

    A word is "seconds", "minutes" or "never": how long after the cut the server's program is told.
    """
    for name, words in zip(GUARDS, (nothing, so_keepalive, user_timeout, pings)):
        print(f"{name}:")
        if words is ... or words is None:
            print("   your turn – replace the ... by two words")
        elif isinstance(words, str) or not isinstance(words, Iterable) or len(list(words)) != 2:
            print(f"   expected two words, such as 'seconds', 'never'; seen {words!r}")
        else:
            for way, word in zip(WAYS, words):
                print(f"   {way}: {_judge(name, way, word)}")


def _judge(name: str, way: str, given: Any) -> str:
    word = one_of(given, HOW_SOON)
    if word is None:
        return f"expected {', '.join(map(repr, HOW_SOON))}; seen {given!r}"
    told = of_grid(name, way).told_at("server")
    fact = "never" if told is None else "seconds" if told - CUT < MINUTE else "minutes"
    if word != fact:
        return f"not yet: {word} is not what the run shows. {WRONG[name, way]}"
    return "✓ never" if told is None else f"✓ {told - CUT:.1f} s after the cut"


def of_grid(name: str, way: str) -> Trace:
    """The run of one cell of the grid: a guard, and what is under way."""
    acts = [Cut(at=CUT)] if way == "idle" else [Cut(at=CUT), Send(at=10, size=100)]
    return run(QUIET.but(server=GUARDS[name], faults=acts), "virtual")


# what ss would say

TIMERS = {"retransmit": "on", "time wait": "timewait"}  # as ss calls them


def ss(trace: Trace, *moments: float, end: str = "server") -> None:
    """Print what ``ss -tno`` would have said of an end's socket at these moments (s).

    It is taken from what a kernel told while the trace was recorded on the kernel wire.
    """
    told = [event for event in trace.select("socket", end) if event.witness == "kernel"]
    if not told:
        raise ValueError(f"no kernel has told of its sockets here: {trace.header.get('wire')} wire")
    print(f"{'t (s)':>7}  {'State':12} {'Recv-Q':>6} {'Send-Q':>6}  {'program':8}")
    for moment in moments:
        last = next((event for event in reversed(told) if event.t <= moment), told[0])
        print(f"{moment:7.1f}  {_line(last.data, moment - last.t)}".rstrip())


def _line(told: dict[str, Any], later: float) -> str:
    if told["state"] == "gone":
        return "(no such socket)"
    timer, program = told["timer"], "none" if told["orphan"] else "server"
    queued = told["unacknowledged"] + told["unsent"]
    row = f"{told['state']:12} {told['unread']:6} {queued:6}  {program:8}"
    if not timer:
        return row
    left = max(0.0, told["expires"] - later)
    return f"{row} timer:({TIMERS.get(timer, timer)},{left:.1f}sec,{told['retransmits']})"


# the exercise


@dataclass(frozen=True)
class Service:
    """What a server does, and what it needs: to be told in time, and to survive a tunnel."""

    name: str
    program: Callable[[Any], Any]
    soon: float  # s after a cut for ever: told at the latest
    tunnel: float  # s of silence to be survived


async def _listens(websocket: Any) -> None:
    async for _ in websocket:
        pass


async def _talks(websocket: Any) -> None:
    while True:
        await websocket.send(bytes(200))
        await asyncio.sleep(1)


async def _talks_rarely(websocket: Any) -> None:
    while True:
        await asyncio.sleep(60)
        await websocket.send(bytes(200))


SERVICES = (
    Service("sensor", _listens, soon=60, tunnel=20),
    Service("ticker", _talks, soon=30, tunnel=10),
    Service("phone", _talks_rarely, soon=1200, tunnel=600),
)


def check_options(sensor: Any = ..., ticker: Any = ..., phone: Any = ...) -> None:
    """Hold three functions, each of which sets options of a socket, against a cut and a tunnel."""
    for service, prepare in zip(SERVICES, (sensor, ticker, phone)):
        if not callable(prepare):
            print(f"{service.name}: your turn – give a function that takes a socket")
        elif _told_in_time(service, prepare):
            _survives(service, prepare)


@dataclass
class Trial:
    """A service behind one cut: the run, and what its socket was told."""

    trace: Trace
    cut: float  # s
    asked: Tcp = Tcp()
    problem: str = ""  # what the learner's own function raised

    @property
    def after(self) -> float:
        """How long after the cut the program was told (s); infinity if never."""
        told = self.trace.told_at("server")
        return math.inf if told is None else told - self.cut


def _try(
    service: Service, prepare: Callable[[Any], Any], at: float, tunnel: float | None = None
) -> Trial:
    asked, problem = Tcp(), ""

    async def handler(websocket: Any) -> None:
        nonlocal asked, problem
        sock = websocket.transport.get_extra_info("socket")
        try:
            unfinished = prepare(sock) is ...
        except Exception as raised:
            problem = f"not yet: your function raised {type(raised).__name__}: {raised}"
            return
        if unfinished:
            problem = "your turn – set what you want of sock, or nothing (pass)"
            return
        asked = answered(Tcp(), {name: sock.getsockopt(*name) for name in NAMES})
        await service.program(websocket)

    cut = Cut(at=at, heal=None if tunnel is None else at + tunnel)
    until = at + (2 * service.soon if tunnel is None else tunnel + MINUTE)
    trace = run(QUIET.but(faults=[cut], until=until), "virtual", server=handler, progress=False)
    return Trial(trace, at, asked, problem)


def _told_in_time(service: Service, prepare: Callable[[Any], Any]) -> bool:
    """Say when it is told, at the latest of some cuts; False if it cannot be tried."""
    worst = max((_try(service, prepare, at) for at in CUTS), key=lambda one: one.after)
    start = f"{service.name}, cut for ever:"
    if worst.problem:
        print(f"{service.name}: {worst.problem}")
    elif worst.after <= service.soon:
        print(f"{start} ✓ told {worst.after:.1f} s after the cut, at the latest")
    else:
        said = f"not told within {2 * service.soon:g} s"
        when = said if math.isinf(worst.after) else f"told {worst.after:.1f} s after the cut"
        why = _why_late(service, worst.asked)
        print(f"{start} not yet: {when}, and it needs {service.soon:g} s. {why}")
    return not worst.problem


def _survives(service: Service, prepare: Callable[[Any], Any]) -> None:
    """Say whether it lives through a tunnel, wherever that begins."""
    first = min(
        (_try(service, prepare, at, service.tunnel) for at in CUTS), key=lambda one: one.after
    )
    start = f"{service.name}, a tunnel of {service.tunnel:g} s:"
    if math.isinf(first.after):
        print(f"{start} ✓ it lives on")
    else:
        print(
            f"{start} not yet: given up after {first.after:.1f} s of it. {_why_dead(first.asked)}"
        )


def _why_late(service: Service, asked: Tcp) -> str:
    """The belief behind options that notice too late."""
    talks = service.program is not _listens
    if talks and asked.keepalive_idle is not None and asked.user_timeout is None:
        return "Keepalive's probes are for idle connections, and here bytes are under way."
    if not talks and asked.user_timeout is not None and asked.keepalive_idle is None:
        return "TCP_USER_TIMEOUT counts while bytes are not acknowledged, and here nobody sends."
    if not talks and asked.keepalive_idle is None:
        switch = "SO_KEEPALIVE" if asked != Tcp() else "something that asks"
        return (
            f"Nothing is under way, so the kernel waits for nothing: what is missing is {switch}."
        )
    return "Which clock runs here, from when on, and for how long?"


def _why_dead(asked: Tcp) -> str:
    """The belief behind options that give up too soon."""
    if asked.user_timeout is not None and asked.user_timeout < 1:
        return "TCP_USER_TIMEOUT counts milliseconds."
    return "Somebody who comes out of a tunnel has to find the connection alive."
