"""What happens during an experiment: timed acts on the wire or on an end.

An act says when it happens (``at``, seconds after the server was OPEN; None means "now", in a
session that is running), what happens, and until when where that makes sense. A fault is an act on
the wire; the other acts are done by an application, or to its event loop.

Each act is one of its own, also beside another that is equal: what ends it ends it alone. Where
several meet, each holds for as long as it is in force: a line is silent while one cut holds, two
delays add up, an end reads again when nothing keeps it from reading.

    Cut(at=9, heal=13)              silence: what is sent is stuck, until TCP tries again
    Delay(at=5, latency=0.2)        later        Throttle(at=5, rate=1000)   slower
    Tunnel(at=0, every=60)          bursts of silence, as in a lift or a tunnel
    Slice(at=5, size=10, gap=0.1)   in pieces    Limit(at=5, size=5000)      so many bytes, then FIN
    HangUp(at=5)                    FIN          Reset(at=5)                 RST
    Idle(at=0, after=60)            a NAT or load balancer forgets a connection that is not used
    Goodbye(at=5, end="client")     the client's application calls close()
    Leave(at=5, end="client")       it sends CLOSE, and drops its socket at once
    Freeze(at=5, thaw=9)            the server's event loop blocks
    Suspend(at=5, end="client", wake=600)       a laptop sleeps
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from . import fields

ENDS = ("server", "client")
OTHER = {"server": "client", "client": "server"}
FLOW = {"server": "to_client", "client": "to_server"}  # the direction in which an end sends
DIRECTIONS = ("both", "to_client", "to_server")
SHAPES = ("uniform", "normal", "heavy tail")  # of a jitter

Step = tuple[float, str]  # when (s), "begin" or "end"


@dataclass(frozen=True)
class Act:
    """Something that happens at a time."""

    at: float | None = fields.seconds(none="now, in a running session")  # s after server OPEN
    finish: ClassVar[str | None] = None  # the name of the field that says when it is over

    def __post_init__(self) -> None:
        fields.check(self)
        over = self.over
        if self.finish and self.at is not None and over is not None and over <= self.at:
            expected = f"seconds after at = {self.at:g}, or None (never)"
            raise fields.refuse(self, self.finish, expected)

    @property
    def over(self) -> float | None:
        """When the act is over (s), or None if it never is or if it is done at once."""
        return getattr(self, self.finish) if self.finish else None

    @property
    def start(self) -> float:
        """When it begins (s); an act of an Experiment always has a time."""
        assert self.at is not None, f"{self!r} has no time yet"
        return self.at

    def steps(self) -> list[Step]:
        """The one or two moments at which something is done."""
        begin = (self.start, "begin")
        return [begin] if self.over is None else [begin, (self.over, "end")]

    def __repr__(self) -> str:
        return fields.spell(self)


# faults: what is done to the wire


@dataclass(frozen=True, repr=False)
class Fault(Act):
    """Something that is done to the wire, in both directions or in one."""

    direction: str = fields.word("both", DIRECTIONS)

    def meets(self, direction: str) -> bool:
        """Whether this fault is one of ``direction`` ("to_client" or "to_server")."""
        return self.direction in ("both", direction)


@dataclass(frozen=True, repr=False)
class Cut(Fault):
    """Silence on the wire, as TCP sees it: what is sent into a cut arrives late, or never.

    TCP tries again, less and less often (:class:`Tcp`): what a cut held, FIN included, arrives at
    the first try after healing, if TCP has not given up before. An RST is never tried again.
    """

    heal: float | None = fields.seconds()  # s; None: never
    finish = "heal"

    def holds(self, t: float) -> bool:
        """Whether this cut is in force at time ``t`` (s)."""
        return self.start <= t and (self.heal is None or t < self.heal)


@dataclass(frozen=True, repr=False)
class Delay(Fault):
    """Everything takes ``latency`` longer, and a random ``jitter`` besides (seeded).

    What is under way keeps its time. ``shape`` is how the jitter is spread: "uniform" (from −jitter
    to +jitter), "normal" (with that standard deviation), or "heavy tail": never early, and
    P(late by x) = (1 + x / jitter)^−1.5, so 1 in 100 is more than 20 × jitter late.
    """

    latency: float = fields.seconds(0.1)  # s
    jitter: float = fields.seconds(0.0)  # s
    shape: str = fields.word("uniform", SHAPES)
    until: float | None = fields.seconds()  # s; None: to the end of the run
    finish = "until"


@dataclass(frozen=True, repr=False)
class Tunnel(Fault):
    """Bursts of silence, as in a lift or a tunnel: what is sent arrives when TCP tries again.

    On average ``every`` seconds from the end of one silence to the next, and ``length`` seconds a
    silence; both exponential, seeded, and the same in both directions of a connection. What is
    under way keeps its time; a reset sent into a silence is gone, as in a Cut.
    """

    every: float = fields.seconds(60.0, above=True)  # s, on average, between two silences
    length: float = fields.seconds(5.0, above=True)  # s, on average, of a silence
    until: float | None = fields.seconds()  # s
    finish = "until"


@dataclass(frozen=True, repr=False)
class Throttle(Fault):
    """The line carries ``rate`` bytes per second, no more; what is under way keeps its time."""

    rate: float = fields.number(10_000, 1, 1e12, "bytes/s")
    until: float | None = fields.seconds()  # s
    finish = "until"


@dataclass(frozen=True, repr=False)
class Slice(Fault):
    """Bytes arrive in pieces of ``size`` ± ``variation`` bytes (seeded), ``gap`` seconds apart."""

    size: int = fields.whole(100, 1, 2**24, "bytes")
    variation: int = fields.whole(0, 0, 2**24, "bytes")  # smaller than size
    gap: float = fields.seconds(0.0)  # s
    until: float | None = fields.seconds()  # s
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variation >= self.size:
            raise fields.refuse(self, "variation", f"fewer bytes than size = {self.size:,}")


@dataclass(frozen=True, repr=False)
class Limit(Fault):
    """``size`` more bytes pass in each direction; then the connection is hung up, both ways."""

    size: int = fields.whole(1000, 0, 2**40, "bytes")
    until: float | None = fields.seconds()  # s
    finish = "until"


@dataclass(frozen=True, repr=False)
class HangUp(Fault):
    """A box in the middle closes the connection with FIN; in one direction, it is a half-close.

    What is on its way arrives before; what a cut holds, and whatever is sent afterwards, goes
    nowhere. A cut and then a hang-up is how an overloaded proxy gives up on a connection.
    """

    delay: float = fields.seconds(0.0)  # s until the FIN arrives


@dataclass(frozen=True, repr=False)
class SlowClose(Fault):
    """An end's own FIN takes ``delay`` seconds longer than its bytes."""

    delay: float = fields.seconds(1.0)  # s
    until: float | None = fields.seconds()  # s
    finish = "until"


@dataclass(frozen=True, repr=False)
class Reset(Fault):
    """A box in the middle resets the connection: RST. What a cut holds goes nowhere."""


@dataclass(frozen=True, repr=False)
class Idle(Fault):
    """A NAT or load balancer forgets a connection on which nothing passes for ``after`` seconds.

    What happens ``then``: "silence" (nothing passes any more, as behind most NATs), "fin" or "rst"
    (to both ends).
    """

    after: float = fields.seconds(60.0, above=True)  # s
    then: str = fields.word("silence", ("silence", "fin", "rst"))
    until: float | None = fields.seconds()  # s
    finish = "until"


# what an application does, or its event loop


@dataclass(frozen=True, repr=False)
class AppAct(Act):
    """Something that happens at one end."""

    end: str = fields.word("server", ENDS)


@dataclass(frozen=True, repr=False)
class Goodbye(AppAct):
    """The application of ``end`` calls ``close(code, reason)`` (RFC 6455 §7.1.2)."""

    code: int = fields.close_code()
    reason: str = fields.reason()


@dataclass(frozen=True, repr=False)
class Send(AppAct):
    """The application of ``end`` sends binary messages (seeded random bytes), one or many."""

    size: int = fields.whole(1000, 0, 2**24, "bytes")  # of a message
    every: float | None = fields.seconds(above=True, none="once")  # s between two; None: one
    until: float | None = fields.seconds()  # s; None: to the end of the run
    finish = "until"


@dataclass(frozen=True, repr=False)
class StopReading(AppAct):
    """The application of ``end`` stops calling recv(), and takes it up again at ``resume``."""

    resume: float | None = fields.seconds()  # s; None: never
    finish = "resume"


@dataclass(frozen=True, repr=False)
class Freeze(AppAct):
    """The event loop of ``end`` blocks until ``thaw``, as in a long call that is not awaited.

    Its operating system lives on: what arrives is acknowledged and waits. Whatever else is asked of
    this end waits, too.
    """

    thaw: float | None = fields.seconds()  # s; None: never
    finish = "thaw"


@dataclass(frozen=True, repr=False)
class Suspend(AppAct):
    """The machine of ``end`` sleeps, as a closed laptop does, until it is woken at ``wake``.

    Its event loop and its clock stop: a timer with 5 s left has 5 s left when it wakes. Its kernel
    is silent: what is on its way is lost, and tried again as after a cut. An end of asyncio only.
    """

    wake: float | None = fields.seconds()  # s; None: never
    finish = "wake"


@dataclass(frozen=True, repr=False)
class Leave(AppAct):
    """The program of ``end`` sends CLOSE and drops its socket, without waiting for the answer.

    RFC 6455 §7.1.1 asks it to wait. An end of asyncio only.
    """

    code: int = fields.close_code()
    reason: str = fields.reason()


FAULTS = (Cut, Delay, Tunnel, Throttle, Slice, Limit, HangUp, SlowClose, Reset, Idle)
APP_ACTS = (Freeze, Goodbye, Leave, Send, StopReading, Suspend)
ACTS = {kind.__name__: kind for kind in (*FAULTS, *APP_ACTS)}


def to_json(act: Act) -> dict[str, Any]:
    """An act as plain data: {"act": "Cut", "at": 9, …}."""
    return {"act": type(act).__name__, **dataclasses.asdict(act)}


def from_json(data: Any) -> Act:
    """The act that ``to_json`` wrote; raises ValueError for unknown acts and fields."""
    if not isinstance(data, dict) or "act" not in data:
        raise ValueError(f"an act is an object with the key 'act', seen {data!r}")
    given = dict(data)
    name = given.pop("act")
    if name not in ACTS:
        raise fields.unknown("the lab", str(name), list(ACTS))
    return fields.build(ACTS[name], given)
