"""What happens during an experiment: timed acts on the wire or on an end. Values only; nothing here moves a byte.

An act says *when* (``at``, seconds after the server was OPEN; None means "now", for a session that is running),
*what*, and where it makes sense *until when*. Faults hurt the wire, the other acts are done by an application.

    Cut(at=9, heal=14)            9 s: silence …… 14 s: what was stuck arrives
    Goodbye(at=5, end="client")   5 s: the client's application calls close()
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from . import fields

ENDS = ("server", "client")
DIRECTIONS = ("both", "to_client", "to_server")

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
                raise fields.refuse(self, self.finish, f"seconds after at = {self.at:g}, or None (never)")

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
class Cut(Act):
    """Silence on the wire, as TCP sees it: what is sent into a cut waits, and arrives after healing.

    ``direction`` is "both", "to_client" or "to_server". Nothing is lost from the stream, FIN waits like any byte;
    only an RST that meets a cut is gone, since TCP does not repeat it.
    """

    heal: float | None = None  # s; None: never
    direction: str = "both"
    finish = "heal"

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self, "direction", DIRECTIONS)

    def silences(self, direction: str) -> bool:
        """Whether this cut is one of ``direction`` ("to_client" or "to_server")."""
        return self.direction in ("both", direction)

    def holds(self, t: float) -> bool:
        """Whether this cut is in force at time ``t`` (s)."""
        return self.start <= t and (self.heal is None or t < self.heal)


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


ACTS: dict[str, type[Act]] = {kind.__name__: kind for kind in (Cut, Goodbye, Send, StopReading)}


def order(acts: tuple[Act, ...]) -> list[tuple[float, str, Act]]:
    """Every step of every act in time; what ends at an instant goes before what begins at it."""
    steps = [(when, what, act) for act in acts for when, what in act.steps()]
    return sorted(steps, key=lambda step: (step[0], step[1] == "begin"))


def contradictions(acts: tuple[Act, ...]) -> str | None:
    """What is impossible about a list of acts taken together, in words; None if nothing is."""
    cuts = [act for act in acts if isinstance(act, Cut) and act.at is not None]
    for direction in DIRECTIONS[1:]:
        row = sorted((cut for cut in cuts if cut.silences(direction)), key=lambda cut: cut.start)
        for one, two in zip(row, row[1:]):
            if one.heal is None or two.start < one.heal:
                return f"{one!r} and {two!r} overlap {direction.replace('_', ' the ')}: heal the first one before the second begins"
    return None


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
