"""What explore's knobs say, as a value, and the Experiment that it comes to. It knows no widgets and runs nothing.

Knobs.of(fly)                             how the knobs stand for an experiment
Knobs(...).experiment(fly)                the experiment with these settings; what has no knob stays as it was
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..values.experiment import Experiment, Peer
from ..values.faults import Act, Cut, Delay

WHO = ("server", "client", "both", "nobody")
WAYS = {"both ways": "both", "to the client only": "to_client", "to the server only": "to_server"}
PATIENCE = 60.0  # s; how long a run that nothing else ends is watched after the last act


@dataclass(frozen=True)
class Knobs:
    """The position of every knob; None means what it means in a Peer or a Cut."""

    who_pings: str = "server"
    ping_interval: float | None = 20.0  # s
    ping_timeout: float | None = 20.0  # s
    close_timeout: float | None = 10.0  # s
    cut: float | None = None  # s; None: no cut
    heal: float | None = None  # s; None: never
    way: str = "both"
    latency: float = 0.0  # s, one way
    jitter: float = 0.0  # s; so much longer at most, by chance
    who_sends: str = "nobody"
    send_every: float = 1.0  # s

    @classmethod
    def of(cls, experiment: Experiment) -> Knobs:
        """How the knobs stand for an experiment; of several cuts the first has knobs."""
        keepers = [end for end in ("server", "client") if experiment.peer(end).keepalive]
        senders = [
            end for end in ("server", "client") if experiment.peer(end).send_every is not None
        ]
        peer = experiment.peer((keepers or ["server"])[0])
        cut = experiment.cuts[0] if experiment.cuts else Cut()
        jitters = [act for act in experiment.faults if _is_jitter(act)]
        return cls(
            _who(keepers),
            peer.ping_interval,
            peer.ping_timeout,
            peer.close_timeout,
            cut.at,
            cut.heal,
            cut.direction,
            experiment.latency,
            2 * jitters[0].jitter if jitters else 0.0,  # type: ignore[attr-defined]
            _who(senders),
            experiment.peer(senders[0]).send_every or 1.0 if senders else 1.0,
        )

    def experiment(self, base: Experiment) -> Experiment:
        """``base`` with these settings; raises ValueError, in a sentence, if they contradict each other."""
        others = [act for act in base.faults if act not in base.cuts[:1] and not _is_jitter(act)]
        moved = base.but(
            server=self._peer(base.server, "server"),
            client=self._peer(base.client, "client"),
            faults=[*self._cut(), *self._jitter(), *others],
            latency=self.latency,
        )
        return moved if moved.limit is not None else moved.but(until=moved.last_act + PATIENCE)

    def _peer(self, peer: Peer, end: str) -> Peer:
        """One end: it pings and sends if the knobs say so; the timers are those of who pings."""
        changes: dict[str, float | None] = {
            "send_every": self.send_every if self.who_sends in (end, "both") else None
        }
        if self.who_pings in (end, "both"):
            changes |= {"ping_interval": self.ping_interval}
        else:
            changes |= {"ping_interval": None}
        if self.who_pings in (end, "both") or (self.who_pings == "nobody" and end == "server"):
            changes |= {"ping_timeout": self.ping_timeout, "close_timeout": self.close_timeout}
        return dataclasses.replace(peer, **changes)  # type: ignore[arg-type]

    def _cut(self) -> list[Act]:
        return [] if self.cut is None else [Cut(at=self.cut, heal=self.heal, direction=self.way)]

    def _jitter(self) -> list[Act]:
        return [Delay(at=0, latency=self.jitter / 2, jitter=self.jitter / 2)] if self.jitter else []


def difference(one: Knobs, two: Knobs) -> str:
    """What has been moved between two positions: "ping_interval 20 → 5"; "nothing" if they are the same."""
    rows = [
        (field.name, getattr(one, field.name), getattr(two, field.name))
        for field in dataclasses.fields(Knobs)
    ]
    return (
        ", ".join(
            f"{name} {_said(before)} → {_said(after)}"
            for name, before, after in rows
            if before != after
        )
        or "nothing"
    )


def _is_jitter(act: Act) -> bool:
    """Whether an act is what the jitter knob makes."""
    return (
        isinstance(act, Delay)
        and act.at == 0
        and act.latency == act.jitter
        and act.until is None
        and act.direction == "both"
    )


def _who(ends: list[str]) -> str:
    return "both" if len(ends) == 2 else ends[0] if ends else "nobody"


def _said(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
