"""Who was blamed, and who did it: each ping with the moments of its round trip, the loops that blocked, the verdict. Pure; draws nothing.

    sent ──────→ came ─────→ heard ──────→ answered ──────→ back ──────→ read
          wire        queue         app's loop       wire         queue        (s; None: never)

The end that sends 1011 names nobody, but says that no pong came; everybody reads: the other one is gone. The step at which the fatal
ping, or its pong, was when time ran out tells who did it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..trace import OTHER, Frame, Trace
from ..values.faults import ENDS


@dataclass(frozen=True)
class Block:
    """The event loop of ``end`` did not run."""

    end: str
    start: float  # s
    stop: float  # s
    over: bool = True  # whether the end of it was seen


@dataclass(frozen=True)
class Ping:
    """One keepalive ping and how far it and its pong had come by when (s; None: never)."""

    sender: str
    sent: float
    came: float | None  # at the peer's machine
    heard: float | None  # by the peer's library
    answered: float | None
    back: float | None  # at the sender's machine
    read: float | None  # by the sender's library

    def lasted(self, limit: float) -> float:
        """How long its sender had no answer (s), counted to ``limit`` at most."""
        return min(self.read if self.read is not None else limit, limit) - self.sent


class Blame:
    """A trace, asked who was blamed and who did it."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @cached_property
    def blocks(self) -> list[Block]:
        """When a loop blocked: by the act Freeze, or by its own program's block()."""
        rows, end = [], self.trace.end
        acts = [event for event in self.trace.select("act") if event.data.get("act") == "Freeze"]
        for event in acts:
            if event.data["step"] == "begin":
                over = [
                    e.t
                    for e in acts
                    if e.data["step"] == "end" and e.where == event.where and e.t >= event.t
                ]
                rows.append(Block(event.where, event.t, min([*over, end]), bool(over)))
        for event in self.trace.select("blocked"):
            stop = event.t + event.data["seconds"]
            rows.append(Block(event.where, event.t, min(stop, end), stop <= end))
        return sorted(rows, key=lambda block: (block.start, block.end))

    @cached_property
    def pings(self) -> list[Ping]:
        """Every ping, in time."""
        return sorted(
            (ping for end in ENDS for ping in self._pings(end)), key=lambda ping: ping.sent
        )

    def _pings(self, end: str) -> Iterator[Ping]:
        pongs = {frame.payload: frame for frame in self._frames(OTHER[end], "PONG")}
        heard, read = self._got(end, "PING"), self._got(OTHER[end], "PONG")
        for frame in self._frames(end, "PING"):
            pong = pongs.get(frame.payload)
            answer = (
                (pong.sent_at, pong.arrived_at, read.get(frame.payload))
                if pong
                else (None, None, None)
            )
            yield Ping(end, frame.sent_at, frame.arrived_at, heard.get(frame.payload), *answer)

    def _frames(self, sender: str, opcode: str) -> list[Frame]:
        return [frame for frame in self.trace.frames(sender) if frame.opcode == opcode]

    def _got(self, sender: str, opcode: str) -> dict[str, float]:
        """When the library at the other end read each of these frames: the n-th that came is the n-th that its log has."""
        came = [
            frame.payload for frame in self._frames(sender, opcode) if frame.arrived_at is not None
        ]
        logged = [
            event.t
            for event in self.trace.select("got", OTHER[sender], "log")
            if event.data.get("opcode") == opcode
        ]
        return dict(zip(came, logged))

    def unread_since(self, end: str) -> float | None:
        """Since when ``end`` reads no more, though its loop runs and it has not given up (s): from the last frame that it read."""
        came = sorted(
            f.arrived_at for f in self.trace.frames(OTHER[end]) if f.arrived_at is not None
        )
        read = len(
            [
                event
                for event in self.trace.select("got", end, "log")
                if event.data["opcode"] != "EOF"
            ]
        )
        since = came[read] if read < len(came) else None
        gone = self.trace.noticed_at(end)
        if (
            since is None
            or (gone is not None and gone <= since)
            or any(b.end == end and b.start <= since <= b.stop for b in self.blocks)
        ):
            return None
        return came[max(read - 1, 0)]

    @cached_property
    def killer(self) -> str | None:
        """The end that gave up first, because its keepalive waited for a pong in vain; None if nobody did."""
        for event in self.trace.select("timeout"):
            noticed = self.trace.noticed_at(event.where)
            if (
                "keepalive pong" in event.data["line"]
                and noticed is not None
                and noticed >= event.t
            ):
                return event.where
        return None

    @cached_property
    def died(self) -> float:
        """When the killer gave up (s), or else the end of the trace."""
        return (self.trace.noticed_at(self.killer) if self.killer else None) or self.trace.end

    @cached_property
    def fatal(self) -> Ping | None:
        """The ping whose answer was too late for the killer."""
        rows = [
            ping for ping in self.pings if ping.sender == self.killer and ping.sent <= self.died
        ]
        return rows[-1] if rows else None

    @cached_property
    def culprit(self) -> tuple[str, str] | None:
        """Who did it, "server", "client" or "wire", and how: "blocked", "unread", "cut", "slow"; None if nobody was killed."""
        ping = self.fatal
        if ping is None:
            return None
        if ping.back is not None and ping.back <= self.died:
            return ping.sender, self._deaf(ping.sender, ping.back)
        if (
            ping.came is not None
            and ping.came <= self.died
            and not (ping.answered is not None and ping.answered <= self.died)
        ):
            return OTHER[ping.sender], self._deaf(OTHER[ping.sender], ping.came)
        cuts = self.trace.experiment.cuts
        return "wire", "cut" if any(
            cut.start <= self.died and (cut.heal or self.died) >= ping.sent for cut in cuts
        ) else "slow"

    def _deaf(self, end: str, since: float) -> str:
        """Why an end did not take in what had come to it."""
        blocked = any(
            block.end == end and block.start <= self.died and block.stop >= since
            for block in self.blocks
        )
        return "blocked" if blocked else "unread"

    def block_of(self, end: str) -> Block | None:
        """The block that did it, at ``end``."""
        rows = [block for block in self.blocks if block.end == end and block.start <= self.died]
        return rows[-1] if rows else None

    def before(self, ping: Ping) -> int:
        """Bytes of messages that were on the way in front of a ping."""
        rows = [
            f
            for f in self.trace.frames(ping.sender)
            if f.opcode in ("TEXT", "BINARY", "CONT") and f.sent_at <= ping.sent
        ]
        return sum(f.size for f in rows if f.arrived_at is None or f.arrived_at > ping.sent)
