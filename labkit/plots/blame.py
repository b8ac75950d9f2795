"""Who was blamed, and who did it: the pings, the loops that blocked, the end that gave up.

    sent ──────→ came ─────→ heard ──────→ answered ──────→ back ──────→ read
          wire        queue         app's loop       wire         queue        (s; None: never)

The end that sends 1011 names nobody, but says that no pong came; everybody reads: the other one is
gone. The step at which the fatal ping, or its pong, was when time ran out tells who did it. Nothing
is drawn here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..trace import OTHER, Frame, Trace
from ..values.faults import ENDS
from .reading import NEVER, Reading
from .wire import CONTROL

REASONS = {  # by how it was done, and whether the end that gave up did it itself
    ("blocked", True): ": its own loop was blocked while the pong lay there",
    ("unread", True): ": its own program does not read, the pong waits in line",
    ("blocked", False): ": the {} was alive, only its loop was blocked",
    ("unread", False): ": the {} was alive, but did not read",
    ("slow", False): ": the ping was on its way, behind a message",
    ("late", False): ": the ping was on its way",
    ("cut", False): ", and the wire was cut: no false alarm",
}


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


class Blame:
    """A trace, asked who was blamed and who did it."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.reading = trace, Reading(trace)
        pings = (ping for end in ENDS for ping in self._pings(end))
        self.pings = sorted(pings, key=lambda ping: ping.sent)

    @cached_property
    def blocks(self) -> list[Block]:
        """When a loop blocked: by the act Freeze, or by its own program's block()."""
        found = [(e.where, e.t, e.t + e.data["seconds"]) for e in self.trace.select("blocked")]
        for e in self.trace.select("act", act="Freeze", step="begin"):
            thaws = self.trace.select("act", e.where, act="Freeze", step="end")
            ends = (thaw.t for thaw in thaws if thaw.t >= e.t)
            found.append((e.where, e.t, min(ends, default=NEVER)))
        last = self.trace.end
        rows = (Block(end, t, min(to, last), to <= last) for end, t, to in found)
        return sorted(rows, key=lambda block: (block.start, block.end))

    def _pings(self, end: str) -> Iterator[Ping]:
        pongs = {frame.payload: frame for frame in self._frames(OTHER[end], "PONG")}
        heard, read = self._got(end, "PING"), self._got(OTHER[end], "PONG")
        for ping in self._frames(end, "PING"):
            pong = pongs.get(ping.payload)
            answered, back = (pong.sent_at, pong.arrived_at) if pong else (None, None)
            came, taken = ping.arrived_at, read.get(ping.payload)
            yield Ping(end, ping.sent_at, came, heard.get(ping.payload), answered, back, taken)

    def _frames(self, sender: str, opcode: str) -> list[Frame]:
        return [f for f in self.reading.frames if (f.sender, f.opcode) == (sender, opcode)]

    def _got(self, sender: str, opcode: str) -> dict[str, float]:
        """When the other end's library read each: the n-th that came is the n-th in its log."""
        came = [f.payload for f in self._frames(sender, opcode) if f.arrived_at is not None]
        logged = self.trace.select("got", OTHER[sender], "log")
        return dict(zip(came, [e.t for e in logged if e.data.get("opcode") == opcode]))

    def unread_since(self, end: str) -> float | None:
        """Since when ``end``, alive and OPEN, reads no more (s): from the last frame it read."""
        frames = (f for f in self.reading.frames if f.sender != end)
        came = sorted(f.arrived_at for f in frames if f.arrived_at is not None)
        logged = self.trace.select("got", end, "log")
        read = sum(event.data["opcode"] != "EOF" for event in logged)
        if read >= len(came):
            return None
        since, gone = came[read], self.reading.noticed(end)
        blocked = [b for b in self.blocks if b.end == end and b.start <= since <= b.stop]
        return None if blocked or (gone or NEVER) <= since else came[max(read - 1, 0)]

    @cached_property
    def killer(self) -> str | None:
        """The end that gave up first, as its keepalive waited for a pong in vain; maybe nobody."""
        for event in self.trace.select("timeout"):
            gone = self.reading.noticed(event.where)
            if "keepalive pong" in event.data["line"] and gone is not None and gone >= event.t:
                return event.where
        return None

    @cached_property
    def died(self) -> float:
        """When the killer gave up (s), or else the end of the trace."""
        return (self.killer and self.reading.noticed(self.killer)) or self.trace.end

    @cached_property
    def fatal(self) -> Ping | None:
        """The ping whose answer was too late for the killer."""
        rows = [p for p in self.pings if p.sender == self.killer and p.sent <= self.died]
        return rows[-1] if rows else None

    @cached_property
    def before(self) -> list[Frame]:
        """The messages that were on the way in front of the fatal ping."""
        if self.fatal is None:
            return []
        end, t = self.fatal.sender, self.fatal.sent
        sent = (f for f in self.reading.frames if f.sender == end and f.opcode not in CONTROL)
        return [f for f in sent if f.sent_at <= t < (f.arrived_at or NEVER)]

    @property
    def size(self) -> int:
        """The bytes of these messages."""
        return sum(frame.size for frame in self.before)

    @cached_property
    def culprit(self) -> tuple[str, str] | None:
        """Who did it, "server", "client" or "wire", and how: "blocked", "unread", or of the wire
        "cut", "slow" (the ping was behind messages), "late" (it was not)."""
        ping, died = self.fatal, self.died
        if ping is None:
            return None
        if (ping.back or NEVER) <= died:
            return ping.sender, self._deaf(ping.sender, ping.back or 0.0)
        if (ping.came or NEVER) <= died < (ping.answered or NEVER):
            return OTHER[ping.sender], self._deaf(OTHER[ping.sender], ping.came or 0.0)
        cuts = [c for c in self.reading.cuts if c.start <= died and (c.heal or died) >= ping.sent]
        return "wire", "cut" if cuts else "slow" if self.before else "late"

    def _deaf(self, end: str, since: float) -> str:
        """Why an end did not take in what had come to it."""
        block = self.block_of(end)
        return "blocked" if block and block.stop >= since else "unread"

    def block_of(self, end: str) -> Block | None:
        """The last block at ``end`` before the killer gave up."""
        rows = [block for block in self.blocks if block.end == end and block.start <= self.died]
        return rows[-1] if rows else None

    def waits_until(self, ping: Ping) -> float:
        """Until when (s) a ping waits: for its pong, read or not, or as long as its sender."""
        late = ping.back if ping.read is None else ping.read
        if late is not None:
            return late
        gone = self.reading.noticed(ping.sender)
        return max(ping.sent, min(gone or NEVER, self.trace.end))

    # in words

    def at(self, t: float) -> str:
        """A moment: "12.5 s"."""
        return f"{self.reading.neat(t)} s"

    def span(self, block: Block) -> str:
        """From when to when a loop was blocked."""
        begin = self.reading.neat(block.start)
        return f"from {begin} to {self.at(block.stop)}" if block.over else f"from {begin} s on"

    @property
    def finding(self) -> str:
        """ "The server gave up at 15 s: the client was alive, only its loop was blocked"."""
        if self.culprit is not None:
            who, how = self.culprit
            why = REASONS[how, who == self.killer].format(who)
            return f"The {self.killer} gave up at {self.at(self.died)}{why}"
        answers = [ping.read - ping.sent for ping in self.pings if ping.read is not None]
        longest = f"the longest answer took {long(max(answers, default=0.0))}"
        if not self.blocks:
            return f"Nobody gave up: {longest}"
        block = max(self.blocks, key=lambda one: one.stop - one.start)
        took = long(block.stop - block.start)
        return f"Nobody gave up: the {block.end}'s loop was blocked for {took}, {longest}"

    @property
    def blamed(self) -> str:
        """What everybody reads in the logs."""
        if self.killer is None:
            return "nobody"
        logs = f"the {self.killer} logs “sent 1011 keepalive ping timeout”, as if nobody were there"
        return f"the {OTHER[self.killer]}: {logs}"

    @property
    def did_it(self) -> str:
        """What was so."""
        if self.culprit is None or self.fatal is None:
            return "nobody"
        (who, how), block = self.culprit, self.block_of(self.culprit[0])
        itself, came = f"the {who}", ""
        if who == self.killer:
            itself = f"the {who} itself"
            came = f"; the pong came at {self.at(self.fatal.back or 0.0)}"
        span = self.span(block) if block else ""
        return {
            "cut": "the wire: it was cut",
            "slow": f"the wire: {self.size:,} bytes of messages went before the ping",
            "late": "the wire: it takes longer than ping_timeout",
            "unread": f"{itself}: nobody calls recv(), so the library stopped reading{came}",
            "blocked": f"{itself}: its event loop, blocked {span}{came}",
        }[how]

    def steps(self, ping: Ping) -> str:
        """How far a ping and its pong came, and when."""
        steps = {
            "came": ping.came, "was heard": ping.heard, "was answered": ping.answered,
            "its pong was back": ping.back, "and was read": ping.read,
        }  # fmt: skip
        said = [f", {words} at {self.at(t)}" for words, t in steps.items() if t is not None]
        return f"The last ping was sent at {self.at(ping.sent)}{''.join(said)}"

    def pong(self, ping: Ping) -> tuple[str, ...]:
        """When the fatal ping's pong came, if it did not come just then; the longest first."""
        if ping.back is None or ping.back == self.died:
            return ()
        when = self.at(ping.back)
        if ping.back > self.died:
            return f"PONG comes at {when}, too late", "PONG, too late"
        read = "never read" if ping.read is None else f"read at {self.at(ping.read)}"
        return f"PONG is there at {when}, {read}", f"PONG comes at {when}", "PONG"


def long(seconds: float) -> str:
    """A length as a reader wants it: "11 s", "2.5 s", "4 ms"."""
    if 0 < seconds < 0.05:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0005 else "no time"
    return f"{round(seconds, 1):g} s"
