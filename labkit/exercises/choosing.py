"""Notebook 10: three services, a choice of timers for each that is held against runs, and how good the learner's guesses were so far.

A choice goes through four questions: is the program told in time, at every phase of a cut; how many false alarms does the wire cause; how
often does it ping; does it survive a busy event loop. False alarms of a good choice are too rare to be counted, so theory
says how many there are, and runs of some hours say whether theory is to be trusted there.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..many.plans import DAY
from ..many.timers import Timers, alarm_rate
from ..many.trials import experiment_of, false_alarms, worst_told
from ..running import run
from ..values.experiment import Peer
from ..values.faults import Act, Delay, Freeze, Tunnel
from .guess import Ledger

NAMES = ("ping_interval", "ping_timeout", "close_timeout")
MONTH = 30 * DAY  # s


@dataclass(frozen=True)
class Service:
    """What somebody needs of a connection, and the wire that they have."""

    name: str
    within: float  # s after a cut: the program is told
    alarms: float  # false ones that are borne …
    per: float  # … in so many seconds …
    connections: int  # … of so many connections together
    pings: float  # an hour, at most: battery, or traffic
    pause: float  # s for which an event loop may be busy, and still be alive
    wire: tuple[Act, ...]

    @property
    def period(self) -> str:
        """The period of its false alarms, in a word."""
        return {DAY: "day", MONTH: "month"}[self.per]

    def __repr__(self) -> str:
        many = "it" if self.connections == 1 else f"all {self.connections:,} together"
        return "\n".join(
            [
                f"{self.name}",
                f"   told within       {self.within:g} s of a cut",
                f"   false alarms      at most {self.alarms:g} a {self.period}, of {many}",
                f"   pings             at most {self.pings:g} an hour",
                f"   event loops       may be busy for {self.pause:g} s",
                f"   its wire          {', '.join(map(repr, self.wire))}",
            ]
        )


PHONE = Service(
    "a phone app",
    120,
    4,
    DAY,
    1,
    60,
    2,
    (Delay(0, latency=0.1, jitter=0.02, shape="heavy tail"), Tunnel(0, every=300, length=6)),
)
TICKER = Service(
    "a price ticker",
    5,
    1,
    DAY,
    1000,
    1800,
    0.7,
    (Delay(0, latency=0.03, jitter=0.02, shape="normal"),),
)
FACTORY = Service(
    "a factory sensor",
    20,
    1,
    MONTH,
    100,
    900,
    2,
    (Delay(0, latency=0.005, jitter=0.01), Tunnel(0, every=3600, length=1)),
)


SERVICES = (PHONE, TICKER, FACTORY)


def check_choice(
    service: Service, ping_interval: Any = ..., ping_timeout: Any = ..., close_timeout: Any = ...
) -> None:
    """Hold three timers against what a service needs; says what fails, with the belief behind it."""
    timers = _timers(ping_interval, ping_timeout, close_timeout)
    if timers is None:
        return
    for question in (_told, _pings, _busy, _alarms):
        if (problem := question(service, timers)) is not None:
            print(f"not yet: {problem}")
            return
    print(f"✓ {service.name}: a choice that you can defend")


def _told(service: Service, timers: Timers) -> str | None:
    worst, cuts = worst_told(timers, service.wire)
    _say(
        worst <= service.within,
        "told",
        f"within {worst:.2f} s in {cuts} cuts; {service.within:g} s were asked for",
    )
    if worst <= service.within:
        return None
    if timers.ping_interval + timers.ping_timeout <= service.within:
        return "the server has noticed in time, but its program is told close_timeout later."
    if timers.ping_timeout <= service.within:
        return "ping_timeout is not the detection time: after an unlucky cut the next ping is almost ping_interval away."
    return "ping_timeout alone is longer than that."


def _pings(service: Service, timers: Timers) -> str | None:
    count = 3600 / timers.ping_interval
    _say(count <= service.pings, "pings", f"{count:.0f} an hour; {service.pings:g} were asked for")
    return (
        None
        if count <= service.pings
        else "each ping wakes the other end and costs bytes: ask less often."
    )


def _busy(service: Service, timers: Timers) -> str | None:
    """Each end in turn is busy from just before a ping is due; nobody cuts anything."""
    start = 3 * timers.ping_interval - 0.01
    killed = []
    for end in ("server", "client"):
        busy = Freeze(round(start, 6), end=end, thaw=round(start + service.pause, 6))
        one = experiment_of(timers, [act for act in service.wire if isinstance(act, Delay)])
        trace = run(
            one.but(faults=[*one.faults, busy], until=6 * timers.ping_interval + 60),
            "virtual",
            record=False,
            progress=False,
        )
        killed += [end] * (trace.noticed_at("server") is not None)
    _say(
        not killed,
        "busy",
        f"an event loop that is busy for {service.pause:g} s "
        + ("survives" if not killed else f"at the {killed[0]} kills it"),
    )
    return (
        None
        if not killed
        else "a pong that nobody has time for is late like any other: ping_timeout must outlast a busy event loop, too."
    )


def _alarms(service: Service, timers: Timers) -> str | None:
    many = alarm_rate(timers, service.wire) * service.per * service.connections
    hours, seen = false_alarms(timers, service.wire)
    expected = alarm_rate(timers, service.wire) * hours * 3600
    _say(
        many <= service.alarms,
        "false alarms",
        f"{_few(many)} a {service.period}, says theory; {service.alarms:g} were asked for",
    )
    print(f"{'':14}  (runs: {seen} in {hours:.0f} hours, where theory expects {_few(expected)})")
    return (
        None
        if many <= service.alarms
        else "this wire is silent for longer than ping_timeout too often: a longer one, or fewer pings that can meet a silence."
    )


def _few(many: float) -> str:
    """A number of alarms; below a thousandth theory is not exact enough to name one."""
    return f"{many:.2g}" if many >= 0.001 or many == 0 else "less than 0.001"


def _say(well: bool, what: str, words: str) -> None:
    print(f"{what:14}{'✓' if well else '✗'} {words}")


def _timers(*given: Any) -> Timers | None:
    """The learner's timers; None (and a word) if there are none yet."""
    if any(value is ... for value in given):
        print("your turn – replace the three ... by numbers of seconds")
        return None
    try:
        Peer(**dict(zip(NAMES, given)))
    except (TypeError, ValueError) as problem:
        print(problem)
        return None
    if any(value is None for value in given) or not all(0.1 <= value <= 3600 for value in given):
        print("the check takes three timers from 0.1 s to an hour, in seconds")
        return None
    return Timers(*map(float, given))


# the ledger


def calibration(ledger: Ledger | None = None) -> None:
    """Say how good the learner's guesses have been so far, by notebook, and in which direction numbers went wrong."""
    rows = [row for row in (ledger or Ledger()).entries().values() if row.get("fact") is not None]
    if not rows:
        print(
            "no guesses in your ledger yet: they are kept when you make them, in any of the notebooks"
        )
        return
    by_book: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_book.setdefault(str(row["question"]).split(" ")[0].rstrip(":"), []).append(row)
    for book, many in sorted(by_book.items()):
        hits = sum(map(right, many))
        print(
            f"notebook {book:4}{hits:3} of {len(many):2} right  {'●' * hits}{'○' * (len(many) - hits)}"
        )
    print(f"all together {sum(map(right, rows)):3} of {len(rows):2} right")
    _direction(rows, lambda row: row["guess"] / row["fact"])


def right(row: dict[str, Any]) -> bool:
    """Whether a guess was: a word as it is, a number within 0.1 and 2 %."""
    given, fact = row["guess"], row["fact"]
    return (
        given == fact
        if isinstance(given, str) or isinstance(fact, str)
        else abs(given - fact) <= 0.1 + 0.02 * abs(fact)
    )


def _direction(rows: list[dict[str, Any]], ratio: Callable[[dict[str, Any]], float]) -> None:
    """Whether wrong numbers were too small or too large."""
    numbers = [
        row
        for row in rows
        if not isinstance(row["guess"], str) and not isinstance(row["fact"], str)
    ]
    wrong = [ratio(row) for row in numbers if not right(row) and row["fact"]]
    if not wrong:
        return
    small = sum(one < 1 for one in wrong)
    print(
        f"wrong numbers: {small} too small, {len(wrong) - small} too large; the typical one was {statistics.median(wrong):.2g} × the fact"
    )
