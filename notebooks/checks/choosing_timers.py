"""Notebook 10: which timers are right for me? A law of talking servers, and three services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from labkit import Cut, Delay, Experiment, Freeze, Peer, Send, Trace, Tunnel, plots
from labkit.many.plans import DAY
from labkit.many.timers import Timers, alarm_rate, tidy
from labkit.many.trials import false_alarms
from labkit.values.experiment import CAPACITY
from labkit.values.faults import ENDS, Act

from . import Code, Exercise, Number, OneOf, Question, Trial
from .answers import is_number
from .own_code import virtual

LIMIT, BUFFER = (
    Peer().write_limit,
    CAPACITY,
)  # bytes that wait in the server's program, and below it
EVERY = 0.02  # s between two messages
PHASES = 30  # of a cut


def how_many(share: float) -> str:
    """A share of connections, in a word."""
    few = "a few" if share < 0.35 else "about half" if share < 0.65 else "most"
    return few if share else "none"


QUESTIONS = [
    Question(
        "10 what the last ping buys",
        Number("s"),
        lambda worst: round(float(worst[2] - worst[1]), 1),
        {
            16: "That was the first step. The worst case holds one ping_interval, no more.",
            0: "At worst a cut comes just after a ping, and the next one is ping_interval away.",
        },
    ),
    Question(
        "10 killed within an hour",
        OneOf("none", "a few", "about half", "most"),
        how_many,
        {
            "none": "A silence of 6 s is longer than 5 s, and an hour has twelve of them.",
            "a few": "That is what one silence does. An hour has twelve of them.",
            "about half": "A silence need not last 5 s: TCP's last try comes a second before.",
        },
    ),
    Question(
        "10 a thousand noticed",
        OneOf("at once", "spread"),
        lambda rows: "spread" if max(rows["noticed"]) - min(rows["noticed"]) > 10 else "at once",
        {"at once": "Each connection has a grid of pings that begins when it was opened."},
    ),
]


# a server that talks


def cut(timers: Any, at: float, rate: float, wire: Sequence[Act] = (), seed: int = 0) -> Trace:
    """A cut at ``at`` (s), while the server sends so many bytes a second; 0: none."""
    talk = Send(tidy(max(at - 0.5, 0)), end="server", size=round(rate * EVERY), every=EVERY)
    faults = [*wire, Cut(at), *([talk] if rate else [])]
    return virtual(Experiment(Peer(*timers), faults=faults, seed=seed), record=not wire)


def around(ping_interval: float, rate: float, law: Callable[..., Any]) -> tuple[Any, ...]:
    """What the learner's law says, and a run with a twentieth less, and one with more."""
    longest = law(ping_interval, rate)
    if not is_number(longest):
        return longest, None, None
    tried = min(max(longest, 0.1), 60.0)  # s
    unlucky = 2 * ping_interval + 0.001  # just after a pong
    both = (cut((ping_interval, tidy(tried * share), 1), unlucky, rate) for share in (0.95, 1.05))
    return longest, *both


def against(seen: tuple[Any, ...]) -> str:
    """What is wrong with a law for the longest ping_timeout."""
    longest, less, more = seen
    if less is None:
        return f"it gave {longest!r}; a number of seconds was wanted."
    if less.told_at("server") is None:
        return (
            f"with {longest:.3g} s, and even a little less, the server is told nothing: its buffers"
            " are full before it can hang up. How long after the cut does the next ping go out?"
        )
    if more.told_at("server") is not None:
        return f"more than {longest:.3g} s is told in time, too. Where else can bytes wait?"
    return ""


# services


@dataclass(frozen=True)
class Service:
    """What somebody needs of a connection, and the wire that they have."""

    name: str
    within: float  # s after a cut: the program is told
    alarms: float  # false ones a day that are borne, of all connections together
    connections: int
    pings: float  # an hour, at most: battery, or traffic
    pause: float  # s for which an event loop may be busy, and still be alive
    wire: tuple[Act, ...]
    rate: float = 0  # bytes a second that the server sends

    def __repr__(self) -> str:
        often = f"{self.alarms:g} a day" if self.alarms >= 1 else f"1 in {1 / self.alarms:g} days"
        return f"""{self.name}
   told within       {self.within:g} s of a cut
   connections       {self.connections:,}
   false alarms      {often} at most, of all of them together
   pings             {self.pings:g} an hour at most
   event loops       may be busy for {self.pause:g} s
   its server sends  {self.rate:,g} bytes a second
   its wire          {", ".join(map(repr, self.wire))}"""

    def cuts(self, *timers: float) -> list[float | None]:
        """After how long a program was told, at PHASES of the pings (s); None: not at all."""
        waits = []
        for n in range(PHASES):
            at = tidy(timers[0] * (2 + (n + 0.5) / PHASES))
            trace = cut(timers, at, self.rate, self.wire, seed=n)
            noticed, told = trace.noticed_at("server"), trace.told_at("server")
            if noticed is None or noticed > at:  # no false alarm before
                waits.append(None if told is None else told - at)
        return waits

    def late(self, seen: list[float | None], interval: float, timeout: float, _: float) -> str:
        """Why a program is told too late, or never."""
        if never := seen.count(None):
            return (
                f"in {never} of {len(seen)} cuts the program was told nothing. The server went on"
                " sending, and its buffers were full before it could hang up."
            )
        worst = max(wait for wait in seen if wait is not None)
        if worst <= self.within:
            return ""
        why = "ping_timeout alone is longer than that."
        if timeout <= self.within:
            why = "ping_timeout is not the detection time: the next ping is ping_interval away."
        if interval + timeout <= self.within:
            why = "The server has noticed in time, but its program is told close_timeout later."
        return f"{worst:.2f} s at worst. {why}"

    def often(self, seen: float, *_: float) -> str:
        """Whether it pings too often."""
        if seen <= self.pings:
            return ""
        return f"{seen:.0f} an hour. Each ping wakes the other end and costs bytes: ask less often."

    def busy(self, *timers: Any) -> dict[str, Trace]:
        """Each end in turn is busy from just before a ping is due; nobody cuts anything."""
        start = tidy(3 * timers[0] - 0.01)
        quiet = [act for act in self.wire if isinstance(act, Delay)]
        runs = {}
        for end in ENDS:
            faults = [*quiet, Freeze(start, end=end, thaw=tidy(start + self.pause))]
            until = 6 * timers[0] + 60
            runs[end] = virtual(Experiment(Peer(*timers), faults=faults, until=until))
        return runs

    def alarmed(self, *timers: float) -> tuple[float, str]:
        """False alarms a day by theory, of all connections; and the runs that were counted."""
        a_day = alarm_rate(Timers(*timers), self.wire) * DAY * self.connections
        hours, alarms = false_alarms(Timers(*timers), self.wire)
        return a_day, f"{round(a_day, 9):.2g} a day, says theory; {alarms} in {hours:.0f} hours"

    def too_many(self, seen: tuple[float, str], *_: float) -> str:
        """Whether there are too many false alarms."""
        if seen[0] <= self.alarms:
            return ""
        why = "This wire is silent for longer than ping_timeout too often."
        return f"{seen[1]} of one connection. {why}"

    def trials(self) -> list[Trial]:
        """What a choice of timers has to show."""
        return [
            Trial(
                "told in time",
                self.cuts,
                self.late,
                lambda seen: f"within {max(seen):.2f} s, in {len(seen)} cuts",
            ),
            Trial("pings", lambda i, *_: 3600 / i, self.often, lambda seen: f"{seen:.0f} an hour"),
            Trial("a busy event loop", self.busy, killed, "both ends survive it"),
            Trial("false alarms", self.alarmed, self.too_many, lambda seen: seen[1]),
        ]


def killed(seen: dict[str, Trace], *_: float) -> str:
    """Whether a busy event loop killed it."""
    for end, trace in seen.items():
        if trace.noticed_at("server") is not None:
            return (
                f"a busy event loop at the {end} kills it. A pong that nobody has time for is late"
                " like any other."
            )
    return ""


LATE = Delay(0, latency=0.1, jitter=0.02, shape="heavy tail")
TICKING = (Delay(0, latency=0.03, jitter=0.02, shape="normal"),)
SENSING = (Delay(0, latency=0.005, jitter=0.01), Tunnel(0, every=3600, length=1))
PHONE = Service("a phone app", 120, 4, 1, 60, 2, (LATE, Tunnel(0, every=300, length=6)))
TICKER = Service("a price ticker", 5, 1, 1000, 1800, 0.7, TICKING, rate=80_000)
FACTORY = Service("a factory sensor", 20, 1 / 30, 100, 900, 2, SENSING)


TALKS = {"a ticker": (2, 80_000), "twice as much": (1, 160_000), "a slow one": (5, 20_000)}
EXERCISES = [
    Exercise(
        "10 the longest ping_timeout",
        Code("a function of ping_interval and bytes a second"),
        [
            Trial(
                name,
                partial(around, *values),
                against,
                lambda seen: f"{seen[0]:.3g} s, and no more",
                lambda seen: plots.blocked(seen[1]) if seen[1] else None,
            )
            for name, values in TALKS.items()
        ],
    ),
    *(
        Exercise(f"10 {service.name}", [Number("s", 0.1, 3600)] * 3, service.trials)
        for service in (PHONE, TICKER, FACTORY)
    ),
]
