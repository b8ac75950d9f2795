"""What is set up: an Experiment has two Peers, a wire between them, and what happens.

    fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(9)])

Seconds are floats (or ints) counted from t = 0, the moment at which the server is OPEN.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import fields
from .faults import ENDS, Act, Cut, Goodbye, Send, StopReading, from_json, to_json
from .tcp import Tcp

UNSET: Any = ...  # a ping_interval nobody asked for: 20 s at the server, none at the client
TIMERS = ("ping_interval", "ping_timeout", "close_timeout")
CAPACITY = 2**18  # bytes that wait in one direction of the wire, unless Peer.buffer says otherwise


@dataclass(frozen=True)
class Peer:
    """One end of the connection: its timers, its buffers, and what its application does all along.

    The timers are named as in websockets, and None means there what it means here. An application
    that does more than reading says so: it sends, it closes at a time, or it never reads.
    """

    ping_interval: float | None = fields.seconds(UNSET, above=True, none="no keepalive")  # s
    ping_timeout: float | None = fields.seconds(20, above=True, none="wait for ever")  # s
    close_timeout: float | None = fields.seconds(10, none="wait for ever")  # s
    reads: bool = fields.flag(True)  # whether the application calls recv()
    send_size: int = fields.whole(1000, 0, 2**24, "bytes")  # of a message
    send_every: float | None = fields.seconds(above=True, none="it sends nothing")  # s
    close_at: float | None = fields.seconds(none="it does not close")  # s; when it calls close()
    close_code: int = fields.close_code()
    close_reason: str = fields.reason()
    write_limit: int = fields.whole(2**15, 1, 2**30, "bytes")  # asyncio's: above it drain() waits
    max_queue: int | None = fields.whole(16, 1, 2**20, "frames", none="no limit")  # until paused
    buffer: int | None = fields.whole(  # SO_SNDBUF and SO_RCVBUF of the sockets
        None, 1024, 2**26, "bytes", none="the system's own size"
    )
    tcp: Tcp = Tcp()  # its kernel's: when it tries again, when it gives up

    def __post_init__(self) -> None:
        if isinstance(self.tcp, dict):  # as it stands in JSON
            object.__setattr__(self, "tcp", fields.build(Tcp, self.tcp))
        if not isinstance(self.tcp, Tcp):
            raise fields.refuse(self, "tcp", "a Tcp(…)", TypeError)
        fields.check(self)
        for name in TIMERS:
            self._doubt(name)

    def _doubt(self, name: str) -> None:
        """Warn of a timer that looks like milliseconds, where the Peer is made."""
        given = getattr(self, name)
        if given in (None, UNSET) or given < 1000 or given <= 7200 and given % 60 == 0:
            return
        hours = f"{given:,g} s, which is {given / 3600:.1f} hours"
        advice = f"if milliseconds were meant, write {given / 1000:g}"
        warnings.warn(f"Peer.{name} is {hours}: {advice}", stacklevel=4)

    @property
    def keepalive(self) -> bool:
        """Whether this end sends keepalive pings."""
        return self.ping_interval is not None

    def acts(self, end: str) -> list[Act]:
        """What this application does all along, as acts of ``end``."""
        acts: list[Act] = []
        if not self.reads:
            acts.append(StopReading(at=0, end=end))
        if self.send_every is not None:
            acts.append(Send(at=0, end=end, size=self.send_size, every=self.send_every))
        if self.close_at is not None:
            acts.append(Goodbye(self.close_at, end, self.close_code, self.close_reason))
        return acts

    def __repr__(self) -> str:
        return fields.spell(self)


@dataclass(frozen=True)
class Experiment:
    """Two peers, the wire between them, and what happens: everything that a run needs to know.

    ``faults`` is a list of acts (Cut, Goodbye, Send …), each with its time. ``until`` ends the run;
    left out, a run ends by itself (see :attr:`limit`). The client's own keepalive is off unless
    asked for, so that one side tells the story; by default websockets turns it on. So it does with
    ``compression`` (permessage-deflate), which makes 60 bytes of 40,000 times "x".
    """

    server: Peer = Peer()
    client: Peer = Peer(ping_interval=None)
    faults: Sequence[Act] = ()
    latency: float = fields.seconds(0.0)  # s, one way
    until: float | None = fields.seconds(above=True, none="the run ends by itself")  # s
    tls: bool = fields.flag(False)  # wss://, with a certificate that the client verifies
    compression: bool = fields.flag(False)
    seed: int = fields.whole(0, 0, 2**32 - 1, "counts")  # of the payloads that applications send

    def __post_init__(self) -> None:
        self._complete("server", 20)
        self._complete("client", None)
        fields.check(self)
        self._check_faults()
        if self.tls and self.server.close_timeout == 0:
            expected = (
                "a server with a close_timeout greater than 0 s: websockets gives it to asyncio "
                "as ssl_shutdown_timeout, which refuses 0, and the server would accept nobody"
            )
            raise fields.refuse(self, "tls", expected)

    def _complete(self, end: str, interval: float | None) -> None:
        peer = getattr(self, end)
        if not isinstance(peer, Peer):
            raise fields.refuse(self, end, "a Peer(…)", TypeError)
        if peer.ping_interval is UNSET:
            peer = copy.copy(peer)  # without being checked, and warned of, again
            object.__setattr__(peer, "ping_interval", interval)
            object.__setattr__(self, end, peer)

    def _check_faults(self) -> None:
        if not isinstance(self.faults, (list, tuple)):
            raise fields.refuse(self, "faults", "a list of acts, such as [Cut(at=9)]", TypeError)
        object.__setattr__(self, "faults", tuple(self.faults))
        for act in self.faults:
            held = f"Experiment.faults holds {act!r}"
            if not isinstance(act, Act):
                raise TypeError(f"{held}: expected acts, such as Cut(at=9)")
            if act.at is None:
                raise ValueError(f"{held} without a time: expected at=…, in seconds")
            if self.until is not None and act.steps()[-1][0] >= self.until:
                end = f"the end of the run, until={self.until:g} s"
                raise ValueError(f"{act!r} goes on after {end}: expected earlier times")

    def peer(self, end: str) -> Peer:
        """The peer at ``end``, "server" or "client"."""
        if end not in ENDS:
            raise ValueError(f"an end is 'server' or 'client', seen {end!r}")
        return self.server if end == "server" else self.client

    @property
    def acts(self) -> tuple[Act, ...]:
        """Everything that happens: the faults, and what both applications do all along."""
        return (*self.faults, *self.server.acts("server"), *self.client.acts("client"))

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts among the faults, in time."""
        cuts = (act for act in self.faults if isinstance(act, Cut))
        return tuple(sorted(cuts, key=lambda cut: cut.start))

    @property
    def last_act(self) -> float:
        """When the last thing is done to the connection (s); 0 if nothing is."""
        return max((act.steps()[-1][0] for act in self.acts), default=0.0)

    @property
    def limit(self) -> float | None:
        """When a run ends at the latest (s); None without keepalive.

        It is ``until``, or two worst cases of detection after the last act. That is meant for
        keepalive: nobody waits for TCP to give up, after 16 minutes on Linux (ask ``until=1000``).
        """
        if self.until is not None:
            return self.until
        keepers = [peer for peer in (self.server, self.client) if peer.keepalive]
        if not keepers:
            return None
        timers = ((p.ping_interval, p.ping_timeout, p.close_timeout) for p in keepers)
        worst = max(sum(timer or 0 for timer in three) for three in timers)
        return self.last_act + 2 * worst + 4 * self.latency

    def but(self, **changes: Any) -> Experiment:
        """The same experiment, but for these fields: ``fly.but(faults=[Cut(9, heal=14)])``."""
        allowed = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in allowed:
                raise fields.unknown("Experiment", name, allowed)
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """The experiment as one line of JSON."""
        return json.dumps(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """The experiment as plain data."""
        return {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "server": dataclasses.asdict(self.server),
            "client": dataclasses.asdict(self.client),
            "faults": [to_json(act) for act in self.faults],
        }

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """The experiment that :meth:`to_json` wrote; raises ValueError for anything else."""
        try:
            data = json.loads(text)
        except (TypeError, ValueError) as problem:
            seen = f"{str(text)[:40]!r} ({problem})"
            raise ValueError(f"an experiment is a JSON object, seen {seen}") from None
        return cls.from_data(data)

    @classmethod
    def from_data(cls, data: Any) -> Experiment:
        """The experiment that :meth:`to_data` gave."""
        if not isinstance(data, dict):
            expected = "a JSON object with server, client and faults"
            raise ValueError(f"an experiment is {expected}, seen {data!r}")
        given = dict(data)
        for end in ENDS:
            if isinstance(given.get(end), dict):
                given[end] = fields.build(Peer, given[end])
        if isinstance(given.get("faults"), list):
            given["faults"] = [from_json(act) for act in given["faults"]]
        return fields.build(cls, given)

    def __repr__(self) -> str:
        return fields.spell(self)


def order(acts: tuple[Act, ...]) -> list[tuple[float, str, Act]]:
    """Every step of every act in time; at one instant, what ends goes before what begins."""
    steps = [(when, what, act) for act in acts for when, what in act.steps()]
    return sorted(steps, key=lambda step: (step[0], step[1] == "begin"))
