"""Where the knobs of explore() stand, as a value. It knows no widgets and runs nothing.

Knobs.of(fly)                 how the knobs stand for an experiment
Knobs(...).experiment(fly)    the experiment with these settings; what has no knob stays as it was
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..values.experiment import Experiment, Peer
from ..values.faults import ENDS, Act, Cut, Delay

FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
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
        pingers = [end for end in ENDS if experiment.peer(end).keepalive]
        senders = [end for end in ENDS if experiment.peer(end).send_every is not None]
        peer = experiment.peer(pingers[0] if pingers else "server")
        every = experiment.peer(senders[0]).send_every if senders else None
        cut = experiment.cuts[0] if experiment.cuts else Cut()
        jitter = max((_jitter(act) for act in experiment.faults), default=0.0)
        return cls(
            _who(pingers),
            peer.ping_interval,
            peer.ping_timeout,
            peer.close_timeout,
            cut.at,
            cut.heal,
            cut.direction,
            experiment.latency,
            jitter,
            _who(senders),
            every or 1.0,
        )

    def experiment(self, base: Experiment) -> Experiment:
        """``base`` with these settings; ValueError if they contradict each other."""
        others = [act for act in base.faults if act not in base.cuts[:1] and not _jitter(act)]
        acts: list[Act] = []
        if self.cut is not None:
            acts.append(Cut(at=self.cut, heal=self.heal, direction=self.way))
        if self.jitter:
            acts.append(Delay(at=0, latency=self.jitter / 2, jitter=self.jitter / 2))
        moved = base.but(
            server=self._peer(base.server, "server"),
            client=self._peer(base.client, "client"),
            faults=[*acts, *others],
            latency=self.latency,
        )
        return moved if moved.limit is not None else moved.but(until=moved.last_act + PATIENCE)

    def _peer(self, peer: Peer, end: str) -> Peer:
        """One end: it pings and sends if the knobs say so; the timers are those of who pings."""
        pings, sends = self.who_pings in (end, "both"), self.who_sends in (end, "both")
        peer = dataclasses.replace(
            peer,
            ping_interval=self.ping_interval if pings else None,
            send_every=self.send_every if sends else None,
        )
        if not pings and (self.who_pings != "nobody" or end == "client"):
            return peer
        return dataclasses.replace(
            peer, ping_timeout=self.ping_timeout, close_timeout=self.close_timeout
        )


def difference(one: Knobs, two: Knobs) -> str:
    """What was moved between two positions: "ping_interval 20 → 5", or "nothing"."""
    before, after = dataclasses.asdict(one), dataclasses.asdict(two)
    moved = [
        f"{name} {_said(before[name])} → {_said(after[name])}"
        for name in before
        if before[name] != after[name]
    ]
    return ", ".join(moved) or "nothing"


def _jitter(act: Act) -> float:
    """The position of the jitter knob (s), if an act is what it makes; else 0."""
    if not isinstance(act, Delay) or act.latency != act.jitter:
        return 0.0
    alone = act.at == 0 and act.until is None and act.direction == "both"
    return 2 * act.jitter if alone else 0.0


def _who(ends: list[str]) -> str:
    return "both" if len(ends) == 2 else ends[0] if ends else "nobody"


def _said(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
