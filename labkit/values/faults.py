"""What happens during an experiment: timed acts on the wire or on an end. Values only; nothing here moves a byte.

An act says *when* (``at``, seconds after the server was OPEN; None means "now", for a session that is running),
*what*, and where it makes sense *until when*. Faults hurt the wire, the other acts are done by an application.

Each act is one of its own, also beside another that is equal: what ends it ends it alone. Where
several meet, each holds for as long as it is in force: a line is silent while one cut holds, two
delays add up, an end reads again when nothing keeps it from reading.

    Cut(at=9, heal=14)              silence: what is sent is stuck, and arrives after healing
    Delay(at=5, latency=0.2)        later        Throttle(at=5, rate=1000)   slower
    Tunnel(at=0, every=60)          bursts of silence, as in a lift or a tunnel
    Slice(at=5, size=10, gap=0.1)   in pieces    Limit(at=5, size=5000)      so many bytes, then hung up
    HangUp(at=5)                    FIN          Reset(at=5)                 RST
    Idle(at=0, after=60)            a NAT or load balancer forgets a connection on which nobody speaks
    Goodbye(at=5, end="client")     the client's application calls close()
    Freeze(at=5, thaw=9)           the server's event loop blocks: time passes, and nothing of it runs
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from . import fields

ENDS = ("server", "client")
DIRECTIONS = ("both", "to_client", "to_server")
SHAPES = ("uniform", "normal", "heavy tail")  # of a jitter

Step = tuple[float, str]  # when (s), "begin" or "end"


@dataclass(frozen=True)
class Act:
    """Something that happens at a time: the fields and words that all acts share."""

    at: float | None = None  # s after the server was OPEN; None: now
    finish: ClassVar[str | None] = None  # the name of the field that says when it is over

    def __post_init__(self) -> None:
        fields.seconds(self, "at", none="now, in a running session")
        over = self.over
        if self.finish and over is not None:
            fields.seconds(self, self.finish)
            if self.at is not None and over <= self.at:
                raise fields.refuse(
                    self, self.finish, f"seconds after at = {self.at:g}, or None (never)"
                )

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
        return [(self.start, "begin")] + ([(self.over, "end")] if self.over is not None else [])

    def __repr__(self) -> str:
        return spell(self)


@dataclass(frozen=True, repr=False)
class Fault(Act):
    """Something that is done to the wire: ``direction`` is "both", "to_client" or "to_server"."""

    direction: str = "both"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self, "direction", DIRECTIONS)

    def meets(self, direction: str) -> bool:
        """Whether this fault is one of ``direction`` ("to_client" or "to_server")."""
        return self.direction in ("both", direction)


@dataclass(frozen=True, repr=False)
class Cut(Fault):
    """Silence on the wire, as TCP sees it: what is sent into a cut waits, and arrives after healing.

    Nothing is lost from the stream, FIN waits like any byte; only an RST that meets a cut is gone, since TCP does
    not repeat it.
    """

    heal: float | None = None  # s; None: never
    finish = "heal"

    def holds(self, t: float) -> bool:
        """Whether this cut is in force at time ``t`` (s)."""
        return self.start <= t and (self.heal is None or t < self.heal)


@dataclass(frozen=True, repr=False)
class Delay(Fault):
    """Everything takes ``latency`` seconds longer, and a random ``jitter`` besides (seeded); what is under way keeps its time.

    ``shape`` is how the jitter is spread: "uniform" (from −jitter to +jitter), "normal" (with that standard deviation), or "heavy tail"
    (never early; 1 in 100 is more than 20 × jitter late, 1 in 1,000 more than 99 ×: P(late by x) = (1 + x / jitter)^−1.5).
    """

    latency: float = 0.1  # s
    jitter: float = 0.0  # s
    shape: str = "uniform"
    until: float | None = None  # s; None: to the end of the run
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.seconds(self, "latency")
        fields.seconds(self, "jitter")
        fields.one_of(self, "shape", SHAPES)


@dataclass(frozen=True, repr=False)
class Tunnel(Fault):
    """Bursts of silence, as in a lift or a tunnel: now and then nothing passes, and what is sent arrives when the silence is over.

    On average ``every`` seconds from the end of one silence to the next, and ``length`` seconds a silence; both exponential, seeded, and
    the same in both directions of a connection. What is under way keeps its time; a reset sent into a silence is gone, as in a Cut.
    """

    every: float = 60.0  # s, on average, between two silences
    length: float = 5.0  # s, on average, of a silence
    until: float | None = None  # s
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.seconds(self, "every", above=True)
        fields.seconds(self, "length", above=True)


@dataclass(frozen=True, repr=False)
class Throttle(Fault):
    """The line carries ``rate`` bytes per second, no more; what is under way keeps its time."""

    rate: float = 10_000  # bytes/s
    until: float | None = None  # s
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.number(self, "rate", 1, 1e12, "bytes/s")


@dataclass(frozen=True, repr=False)
class Slice(Fault):
    """Bytes arrive in pieces of ``size`` ± ``variation`` bytes (seeded), ``gap`` seconds apart."""

    size: int = 100  # bytes
    variation: int = 0  # bytes
    gap: float = 0.0  # s
    until: float | None = None  # s
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.whole(self, "size", 1, 2**24, "bytes")
        fields.whole(self, "variation", 0, self.size - 1, "bytes")
        fields.seconds(self, "gap")


@dataclass(frozen=True, repr=False)
class Limit(Fault):
    """``size`` more bytes pass in each direction it meets; then the connection is hung up, and the rest goes nowhere."""

    size: int = 1000  # bytes
    until: float | None = None  # s
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.whole(self, "size", 0, 2**40, "bytes")


@dataclass(frozen=True, repr=False)
class HangUp(Fault):
    """A box in the middle closes the connection: FIN, ``delay`` seconds later; in one direction only, it is a half-close.

    What is on its way arrives before; what a cut holds, and whatever is sent afterwards, goes nowhere. A cut of some seconds
    and then a hang-up is how an overloaded proxy gives up on a connection.
    """

    delay: float = 0.0  # s

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.seconds(self, "delay")


@dataclass(frozen=True, repr=False)
class SlowClose(Fault):
    """An end's own FIN takes ``delay`` seconds longer than its bytes: its closing is slow to be seen."""

    delay: float = 1.0  # s
    until: float | None = None  # s
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.seconds(self, "delay")


@dataclass(frozen=True, repr=False)
class Reset(Fault):
    """A box in the middle resets the connection: RST. What a cut holds goes nowhere."""


@dataclass(frozen=True, repr=False)
class Idle(Fault):
    """A NAT or load balancer forgets a connection on which nothing passes for ``after`` seconds (in ``direction``).

    What happens ``then``: "silence" (nothing passes any more, as behind most NATs), "fin" or "rst" (to both ends).
    """

    after: float = 60.0  # s
    then: str = "silence"
    until: float | None = None  # s
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.seconds(self, "after", above=True)
        fields.one_of(self, "then", ("silence", "fin", "rst"))


@dataclass(frozen=True, repr=False)
class AppAct(Act):
    """Something that one end's application does."""

    end: str = "server"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self, "end", ENDS)


@dataclass(frozen=True, repr=False)
class Goodbye(AppAct):
    """The application of ``end`` calls ``close(code, reason)`` (RFC 6455 §7.1.2)."""

    code: int = 1000
    reason: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.close_code(self, "code")
        fields.reason(self, "reason")


@dataclass(frozen=True, repr=False)
class Send(AppAct):
    """The application of ``end`` sends binary messages of ``size`` bytes (seeded random), once or ``every`` so many seconds."""

    size: int = 1000  # bytes a message
    every: float | None = None  # s between two sends; None: once
    until: float | None = None  # s; None: to the end of the run
    finish = "until"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.whole(self, "size", 0, 2**24, "bytes")
        fields.seconds(self, "every", above=True, none="once")


@dataclass(frozen=True, repr=False)
class StopReading(AppAct):
    """The application of ``end`` stops calling recv(), and takes it up again at ``resume``."""

    resume: float | None = None  # s; None: never
    finish = "resume"


@dataclass(frozen=True, repr=False)
class Freeze(AppAct):
    """The event loop of ``end`` blocks until ``thaw``, as in a long computation or a call that is not awaited.

    Its operating system lives on: what arrives is acknowledged and waits. Whatever else is asked of this end waits, too.
    """

    thaw: float | None = None  # s; None: never
    finish = "thaw"


FAULTS = (Cut, Delay, Tunnel, Throttle, Slice, Limit, HangUp, SlowClose, Reset, Idle)
ACTS: dict[str, type[Act]] = {
    kind.__name__: kind for kind in (*FAULTS, Freeze, Goodbye, Send, StopReading)
}


def order(acts: tuple[Act, ...]) -> list[tuple[float, str, Act]]:
    """Every step of every act in time; what ends at an instant goes before what begins at it."""
    steps = [(when, what, act) for act in acts for when, what in act.steps()]
    return sorted(steps, key=lambda step: (step[0], step[1] == "begin"))


def spell(value: Any) -> str:
    """The shortest expression that makes this value again: fields at their default are left out."""
    parts = []
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if given != field.default:
            parts.append(f"{field.name}={given!r}")
    return f"{type(value).__name__}({', '.join(parts)})"


def to_json(act: Act) -> dict[str, Any]:
    """An act as plain data: {"act": "Cut", "at": 9, …}."""
    return {"act": type(act).__name__, **dataclasses.asdict(act)}


def from_json(data: Any) -> Act:
    """The act that ``to_json`` wrote; refuses unknown acts and unknown fields in a sentence."""
    if not isinstance(data, dict) or "act" not in data:
        raise ValueError(f"an act is an object with the key 'act', seen {data!r}")
    given = dict(data)
    name = given.pop("act")
    if name not in ACTS:
        raise fields.unknown("the lab", str(name), list(ACTS))
    return build(ACTS[name], given)


def build(kind: type[Any], given: dict[str, Any]) -> Any:
    """Make a value from its fields, refusing a field that it does not have."""
    allowed = [field.name for field in dataclasses.fields(kind)]
    for name in given:
        if name not in allowed:
            raise fields.unknown(kind.__name__, name, allowed)
    return kind(**given)
