"""A server that goes away and comes back, and what is seen of the clients that dial it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..values import fields
from ..values.faults import Act

KINDS = ("goodbye", "killed")


@dataclass(frozen=True, repr=False)
class Restart(Act):
    """The server's process ends, and from ``back`` on another one listens.

    Meanwhile who dials is refused. "goodbye": it closes every connection with code 1001, as
    ``Server.close()`` does. "killed": its system hangs up, and nobody says a word.
    """

    back: float | None = None  # s; None: never
    how: str = "goodbye"
    finish = "back"
    end = "server"  # whose application does it

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self, "how", KINDS)


@dataclass(frozen=True)
class Attempt:
    """A client dials."""

    t: float  # s
    client: int
    refused: bool  # nobody listens


@dataclass(frozen=True)
class Opening:
    """The server's handler is given a connection."""

    t: float  # s
    client: int


@dataclass(frozen=True)
class Problem:
    """A client's program has ended by an exception that it did not catch."""

    t: float  # s
    client: int
    error: Exception


@dataclass(frozen=True)
class Crowd:
    """What was seen of a number of clients, in the order of time."""

    clients: int
    acts: tuple[Act, ...]
    end: float  # s
    attempts: tuple[Attempt, ...]
    openings: tuple[Opening, ...]
    problems: tuple[Problem, ...]

    @property
    def restarts(self) -> tuple[Restart, ...]:
        return tuple(act for act in self.acts if isinstance(act, Restart))

    def per_second(self, since: float = 0.0) -> dict[int, int]:
        """How many clients dialled in each second; seconds without any are left out."""
        return dict(sorted(Counter(int(one.t) for one in self.attempts if one.t >= since).items()))

    def peak(self, since: float | None = None) -> tuple[int, int]:
        """The most attempts in one second, and that second (s), from the first restart on."""
        first = min((act.start for act in self.restarts), default=0.0) if since is None else since
        counts = self.per_second(first)
        second = max(counts, key=lambda second: counts[second], default=0)
        return counts.get(second, 0), second

    def all_back(self, since: float) -> float | None:
        """When the last client was let in after ``since`` (s); None if not all of them were."""
        first: dict[int, float] = {}
        for one in self.openings:
            if one.t >= since:
                first.setdefault(one.client, one.t)
        return max(first.values()) if len(first) == self.clients else None

    def __repr__(self) -> str:
        refused = sum(one.refused for one in self.attempts)
        most, second = self.peak()
        busiest = f", at most {most:,} in a second, from {second} s" if most else ""
        rest = f"; {len(self.problems):,} ended by an exception" if self.problems else ""
        attempts = f"{len(self.attempts):,} attempts to connect, {refused:,} refused"
        return f"<Crowd of {self.clients:,}: {attempts}{busiest}{rest}>"
