"""What is set up, and what happens to it: values only. Nothing here runs, and nothing here knows a wire.

    fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])

Seconds are floats (or ints) counted from t = 0, the moment at which the server is OPEN.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import fields
from .faults import Act, Cut, Goodbye, Send, StopReading, build, from_json, spell, to_json

UNSET: Any = (
    ...
)  # a ping_interval that nobody asked for: 20 s at the server, no keepalive at the client


@dataclass(frozen=True)
class Peer:
    """One end of the connection: its timers, its buffers, and what its application does all along.

    The timers are named as in websockets, and None means there what it means here. An application that does
    more than reading (one message after the other) says so: it sends, it closes at a time, or it never reads.
    """

    ping_interval: float | None = UNSET  # s between keepalive pings; None: no keepalive
    ping_timeout: float | None = 20  # s to wait for a pong; None: for ever
    close_timeout: float | None = 10  # s to wait for the closing handshake; None: for ever
    reads: bool = True  # whether the application calls recv()
    send_size: int = 1000  # bytes a message
    send_every: float | None = None  # s between two messages; None: it sends nothing
    close_at: float | None = None  # s; when the application calls close(); None: it does not
    close_code: int = 1000  # the code of that close (RFC 6455 §7.4)
    close_reason: str = ""
    write_limit: int = 2**15  # bytes in asyncio's write buffer above which drain() waits
    max_queue: int | None = 16  # received frames above which reading pauses; None: never
    buffer: int | None = (
        None  # bytes, SO_SNDBUF and SO_RCVBUF of the sockets; None: the system's own
    )

    def __post_init__(self) -> None:
        if self.ping_interval is not UNSET:
            fields.seconds(self, "ping_interval", above=True, none="no keepalive")
        fields.seconds(self, "ping_timeout", above=True, none="wait for ever")
        fields.seconds(self, "close_timeout", none="wait for ever")
        fields.flag(self, "reads")
        fields.whole(self, "send_size", 0, 2**24, "bytes")
        fields.seconds(self, "send_every", above=True, none="it sends nothing")
        fields.seconds(self, "close_at", none="it does not close")
        fields.close_code(self, "close_code")
        fields.reason(self, "close_reason")
        fields.whole(self, "write_limit", 1, 2**30, "bytes")
        fields.whole(self, "max_queue", 1, 2**20, "frames", none="no limit")
        fields.whole(self, "buffer", 1024, 2**26, "bytes", none="the system's own size")

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
            acts.append(
                Goodbye(at=self.close_at, end=end, code=self.close_code, reason=self.close_reason)
            )
        return acts

    def __repr__(self) -> str:
        return spell(self)


@dataclass(frozen=True)
class Experiment:
    """Two peers, the wire between them, and what happens: everything that a run needs to know.

    ``faults`` is a list of acts (Cut, Goodbye, Send, StopReading), each with its time. ``until`` ends the run (s); left
    out, a run ends by itself (see :meth:`limit`). The client's own keepalive is off unless asked for, so that one
    side tells the story; by default websockets turns it on.
    """

    server: Peer = Peer()
    client: Peer = Peer()
    faults: Sequence[Act] = ()
    latency: float = 0.0  # s, one way
    until: float | None = None  # s; None: by itself
    tls: bool = False  # wss://, with a certificate that the client verifies
    compression: bool = False  # permessage-deflate, which websockets has on by default: 40,000 × "x" become 60 bytes
    seed: int = 0  # of the payloads that applications send

    def __post_init__(self) -> None:
        self._settle("server", 20)
        self._settle("client", None)
        fields.seconds(self, "latency")
        fields.seconds(self, "until", above=True, none="the run ends by itself")
        fields.flag(self, "tls")
        fields.flag(self, "compression")
        fields.whole(self, "seed", 0, 2**32 - 1, "counts")
        self._check_faults()
        if self.tls and self.server.close_timeout == 0:
            why = "websockets gives it to asyncio as ssl_shutdown_timeout, which refuses 0, and the server would accept nobody"
            raise fields.refuse(
                self, "tls", f"a server with a close_timeout greater than 0 s: {why}"
            )

    def _settle(self, end: str, interval: float | None) -> None:
        peer = getattr(self, end)
        if not isinstance(peer, Peer):
            raise fields.refuse(self, end, "a Peer(…)", TypeError)
        if peer.ping_interval is UNSET:
            object.__setattr__(self, end, dataclasses.replace(peer, ping_interval=interval))

    def _check_faults(self) -> None:
        if isinstance(self.faults, Act) or not isinstance(self.faults, (list, tuple)):
            raise fields.refuse(self, "faults", "a list of acts, such as [Cut(at=9)]", TypeError)
        object.__setattr__(self, "faults", tuple(self.faults))
        for act in self.faults:
            if not isinstance(act, Act):
                raise TypeError(
                    f"Experiment.faults holds {act!r}: expected acts, such as Cut(at=9)"
                )
            if act.at is None:
                raise ValueError(
                    f"Experiment.faults holds {act!r} without a time: expected at=…, in seconds"
                )
            if self.until is not None and max(when for when, _ in act.steps()) >= self.until:
                raise ValueError(
                    f"{act!r} goes on after the end of the run, until={self.until:g} s: expected earlier times"
                )

    def peer(self, end: str) -> Peer:
        """The peer at ``end``, "server" or "client"."""
        fields_of_ends = {"server": self.server, "client": self.client}
        if end not in fields_of_ends:
            raise ValueError(f"an end is 'server' or 'client', seen {end!r}")
        return fields_of_ends[end]

    @property
    def acts(self) -> tuple[Act, ...]:
        """Everything that happens: the faults, and what both applications do all along."""
        return (
            tuple(self.faults)
            + tuple(self.server.acts("server"))
            + tuple(self.client.acts("client"))
        )

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts among the faults, in time."""
        return tuple(
            sorted((act for act in self.faults if isinstance(act, Cut)), key=lambda cut: cut.start)
        )

    @property
    def last_act(self) -> float:
        """When the last thing is done to the connection (s); 0 if nothing is."""
        return max([0.0] + [when for act in self.acts for when, _ in act.steps()])

    @property
    def limit(self) -> float | None:
        """When a run ends at the latest (s): ``until``, or two worst cases of detection after the last act; None without keepalive."""
        if self.until is not None:
            return self.until
        peers = [peer for peer in (self.server, self.client) if peer.ping_interval is not None]
        if not peers:
            return None
        worst = max(
            (p.ping_interval or 0) + (p.ping_timeout or 0) + (p.close_timeout or 0) for p in peers
        )
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
        """The experiment that :meth:`to_json` wrote; refuses what is not one, in a sentence."""
        try:
            data = json.loads(text)
        except (TypeError, ValueError) as problem:
            raise ValueError(
                f"an experiment is a JSON object, seen {str(text)[:40]!r} ({problem})"
            ) from None
        return cls.from_data(data)

    @classmethod
    def from_data(cls, data: Any) -> Experiment:
        """The experiment that :meth:`to_data` gave."""
        if not isinstance(data, dict):
            raise ValueError(
                f"an experiment is a JSON object with server, client and faults, seen {data!r}"
            )
        given = dict(data)
        for end in ("server", "client"):
            if isinstance(given.get(end), dict):
                given[end] = build(Peer, given[end])
        if isinstance(given.get("faults"), list):
            given["faults"] = [from_json(act) for act in given["faults"]]
        return build(cls, given)

    def __repr__(self) -> str:
        parts = [f"server={self.server!r}"]
        if self.client != Peer(ping_interval=None):
            parts.append(f"client={self.client!r}")
        if self.faults:
            parts.append(f"faults={list(self.faults)!r}")
        for name, default in (
            ("latency", 0.0),
            ("until", None),
            ("tls", False),
            ("compression", False),
            ("seed", 0),
        ):
            if getattr(self, name) != default:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"Experiment({', '.join(parts)})"
