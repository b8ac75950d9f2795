"""Notebook 08: what the kernel below a WebSocket knows: a grid of guards, ``ss``, and services."""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from labkit import Cut, Experiment, Peer, Send, Tcp, Trace
from labkit.wires.options import OPTIONS, SWITCH, answered

from . import Code, Exercise, Letters, Number, OneOf, Question, Trial
from .own_code import GONE, own_code, virtual

CUT = 9.0  # s
MINUTE, LONG = 60.0, 3600.0  # s
QUIET = Experiment(server=Peer(ping_interval=None), faults=[Cut(at=CUT)], until=LONG)
SILENT = "Nobody has anything to send, so what could stay unanswered?"

# four guards, each of them idle and with bytes under way

LETTERS = "ABCDEFGH"
GUARDS = (  # the server, and what a wrong word overlooks: idle, and with bytes under way
    (Peer(ping_interval=None), SILENT, "A kernel counts its own tries that were in vain."),
    (
        Peer(
            ping_interval=None, tcp=Tcp(keepalive_idle=4, keepalive_interval=1, keepalive_count=3)
        ),
        "This is just what its probes are for.",
        "Its probes are for idle connections only.",
    ),
    (
        Peer(ping_interval=None, tcp=Tcp(user_timeout=7)),
        "Its clock runs only while bytes are not acknowledged.",
        "This is what it is for: bytes that nobody acknowledges.",
    ),
    (
        Peer(4, 3, 2),
        "A ping is something to send, and it waits for its pong.",
        "A few bytes under way do not hold a ping up.",
    ),
)


def overlooked(letter: str) -> str:
    """What a wrong word for a cell of the grid overlooks."""
    guard, busy = divmod(LETTERS.index(letter), 2)
    return str(GUARDS[guard][1 + busy])


@functools.cache
def of_grid(letter: str) -> Trace:
    """The run of one cell of the grid."""
    guard, busy = divmod(LETTERS.index(letter), 2)
    acts = [Cut(at=CUT), Send(at=10, size=100)][: 1 + busy]
    return virtual(QUIET.but(server=GUARDS[guard][0], faults=acts))


def delay(trace: Trace) -> float:
    """How long after the cut the server's program was told (s); infinity if never."""
    told = trace.told_at("server")
    return math.inf if told is None else told - trace.experiment.cuts[0].start


def cells(belongs: Callable[[float], bool]) -> Callable[..., str]:
    """Whether the letters of an answer are those of the runs that belong to it."""

    def wants(delays: dict[str, float], answer: str) -> str:
        for letter, after in delays.items():
            if (letter in answer) != belongs(after):
                return f"{letter} is not as you say. {overlooked(letter)}"
        return ""

    return wants


def all_eight(_: str) -> dict[str, float]:
    """The delay of every cell (s)."""
    return {letter: delay(of_grid(letter)) for letter in LETTERS}


# three services


async def listens(websocket: Any) -> None:
    """Sends nothing."""
    async for _ in websocket:
        pass


async def talks(websocket: Any) -> None:
    """Sends every second."""
    while True:
        await websocket.send(bytes(200))
        await asyncio.sleep(1)


async def talks_rarely(websocket: Any) -> None:
    """Sends every minute."""
    while True:
        await asyncio.sleep(60)
        await websocket.send(bytes(200))


CUTS = (9.0, 22.3, 37.6, 51.9)  # s
Told = tuple[float, Tcp]  # how long after the cut (s), and what the socket was asked
NAMES = (SWITCH, *((level, option) for level, option, _ in OPTIONS.values()))


@dataclass(frozen=True)
class Service:
    """What a server does, and what it needs: to be told in time, and to survive a tunnel."""

    name: str
    program: Callable[[Any], Any]
    soon: float  # s after a cut for ever: told at the latest
    tunnel: float  # s of silence to be survived

    def tried(self, prepare: Any, at: float, tunnel: float | None) -> Told:
        """What one cut shows."""
        asked = Tcp()

        async def handler(websocket: Any) -> None:
            nonlocal asked
            sock = websocket.transport.get_extra_info("socket")
            prepare(sock)
            asked = answered(asked, {name: sock.getsockopt(*name) for name in NAMES})
            await self.program(websocket)

        cut = Cut(at=at, heal=None if tunnel is None else at + tunnel)
        until = at + (2 * self.soon if tunnel is None else tunnel + MINUTE)
        pair = QUIET.but(faults=[cut], until=until)
        trace, _ = own_code(pair, handler, "server", GONE)
        return delay(trace), asked

    def for_ever(self, prepare: Any) -> Told:
        """The latest of several cuts."""
        return max((self.tried(prepare, at, None) for at in CUTS), key=itemgetter(0))

    def in_a_tunnel(self, prepare: Any) -> Told:
        """The soonest end in several tunnels."""
        return min((self.tried(prepare, at, self.tunnel) for at in CUTS), key=itemgetter(0))

    def late(self, seen: Told) -> str:
        """What is wrong with being told then."""
        after, asked = seen
        if after <= self.soon:
            return ""
        told = f"told {after:.1f} s after it"
        if math.isinf(after):
            told = f"not told within {2 * self.soon:g} s"
        return f"{told}, and {self.soon:g} s are asked for. {self.why_late(asked)}"

    def why_late(self, asked: Tcp) -> str:
        """The belief behind options that notice too late."""
        if max(asked.keepalive_idle or 0, asked.user_timeout or 0) > 7200:  # Linux's own idle time
            return "Both functions take seconds."
        if self.program is not listens:
            if asked.user_timeout is not None:
                return (
                    "This clock begins with the next message. TCP looks at it when it tries again."
                )
            probes = asked.keepalive_idle is not None
            return overlooked("D") if probes else "Which clock runs while bytes are under way?"
        if asked.keepalive_idle is not None:
            return "Which clock runs here, from when on, and for how long?"
        if asked.user_timeout is not None:
            return f"{overlooked('E')} Here nobody sends."
        return f"{SILENT} Who asks? An option that is not switched on does nothing."

    def dead(self, seen: Told) -> str:
        """What is wrong with giving up then."""
        after, asked = seen
        if math.isinf(after):
            return ""
        if asked.user_timeout is not None and asked.user_timeout < 1:
            return f"given up after {after:.1f} s: TCP_USER_TIMEOUT counts milliseconds"
        return f"given up after {after:.1f} s of it: who comes out has to find it alive"

    def exercise(self) -> Exercise:
        """Set options of a socket."""
        trials = [
            Trial("cut for ever", self.for_ever, self.late, lambda s: f"told after {s[0]:.1f} s"),
            Trial(f"a tunnel of {self.tunnel:g} s", self.in_a_tunnel, self.dead, "it lives on"),
        ]
        return Exercise(f"08 {self.name}", Code(), trials)


SERVICES = (
    Service("the sensor", listens, soon=60, tunnel=20),
    Service("the ticker", talks, soon=30, tunnel=10),
    Service("the phone", talks_rarely, soon=1200, tunnel=600),
)
EXERCISES = [
    Exercise(
        "08 four guards",
        (Letters(LETTERS), Letters(LETTERS)),
        [
            Trial("told within a minute", all_eight, cells(MINUTE.__gt__), only=0),
            Trial("never told", all_eight, cells(math.isinf), only=1),
        ],
    ),
    *(service.exercise() for service in SERVICES),
]

# votes


def arrival(trace: Trace) -> float | None:
    """When the message arrived (s)."""
    return trace.frames("server", "BINARY")[0].arrived_at


def how_long(trace: Trace) -> str:
    """How long after the cut the program was told, in words."""
    after = delay(trace)
    words = "two minutes" if after < 300 else "a quarter of an hour"
    return "never" if math.isinf(after) else words


def at_60(trace: Trace) -> str:
    """What the server's kernel does at 60 s."""
    return "tries" if trace.select("retransmission", "server")[-1].t > 60 else "nothing"


def no_try(trace: Trace, value: float) -> str:
    """What is behind a moment (s) at which the message did not arrive."""
    arrived, mended = arrival(trace) or math.inf, trace.experiment.cuts[0].over or 0.0
    if value < mended:
        return "The cable is still cut. Whatever TCP tries then is in vain."
    if value < mended + 0.3:
        return "TCP hears of a mended cable as little as of a cut one. It waits for its next try."
    sooner = "The last try was in vain, and" if value < arrived else "There was a try before that:"
    return f"{sooner} each pause is twice as long as the one before, 0.2 s at first."


QUESTIONS = [
    Question("08 after the cable is mended", Number(), arrival, no_try),
    Question("08 a cut for ever", OneOf("never", "two minutes", "a quarter of an hour"), how_long, {
        "never": "If nothing were under way. But the kernel counts its tries, and gives up.",
        "two minutes": "Two minutes is the longest pause between two tries.",
    }),
    Question("08 after CLOSED", OneOf("nothing", "waits", "tries"), at_60, {
        "nothing": "The program is done. Its kernel was given bytes, and they did not arrive.",
        "waits": "Its own CLOSE and FIN have not arrived. Who would answer?",
    }),
]  # fmt: skip

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
        print(f"{moment:7.1f}  {line(last.data, moment - last.t)}".rstrip())


def line(told: dict[str, Any], later: float) -> str:
    """A row of ss, so many seconds after a kernel told this."""
    if told["state"] == "gone":
        return "(no such socket)"
    timer, program = told["timer"], "none" if told["orphan"] else "server"
    queued = told["unacknowledged"] + told["unsent"]
    row = f"{told['state']:12} {told['unread']:6} {queued:6}  {program:8}"
    if not timer:
        return row
    left = max(0.0, told["expires"] - later)
    return f"{row} timer:({TIMERS.get(timer, timer)},{left:.1f}sec,{told['retransmits']})"
