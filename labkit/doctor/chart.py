"""The chart of one connection: what its log lines have said so far, and where. It keeps facts, in flat memory, and judges nothing.

CONNECTING → OPEN → CLOSING → CLOSED        with the line and the time of each
> PING a1 …  % sent  < PONG a1 …            own pings: which is out, since when, which were answered, how far apart
> CLOSE 1011, < CLOSE 1000                  both goodbyes
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

KEPT = 400  # events of a story, for a figure


class Fact(NamedTuple):
    """Something that stands in the log: the line, its time (s; None: none is written), and what it says, without contents."""

    number: int
    t: float | None
    words: str
    code: int | None = None  # of a CLOSE
    reason: str = ""


@dataclass(eq=False)
class Chart:
    """One connection, as its log tells it."""

    number: int
    who: str = ""  # how the log names it; "": it does not
    side: str = ""  # server, client; "": not known
    whole: bool = False  # whether the log has its beginning
    mixed: bool = False  # whether lines of other connections may be among its own
    state: str = ""
    states: dict[str, Fact] = field(default_factory=dict)
    first: Fact | None = None
    last: Fact | None = None
    sent: Fact | None = None  # the CLOSE that this end sent
    got: Fact | None = None
    ping: Fact | None = None  # this end's ping that is out
    payload: str = ""  # of it
    ping_before: Fact | None = None  # the ping that the newest pong answers
    confirmed: bool = False  # "% sent keepalive ping" followed it
    announced: bool = False  # "% sending keepalive ping" stood before it
    late_pong: Fact | None = None  # the pong of a ping that then timed out
    timed_out: Fact | None = None
    answered: int = 0  # own pings whose pong came
    unanswered: int = 0
    beats: deque[float] = field(
        default_factory=lambda: deque(maxlen=16)
    )  # s between own keepalive pings
    waits: float | None = None  # s from a ping to its timeout: ping_timeout, or more
    beat_at: float | None = None
    asked: Fact | None = None  # the newest ping of the peer
    asked_payload: str = ""
    replied: Fact | None = None  # the pong that this end sent for it
    eof: Fact | None = None
    failed: Fact | None = None  # "connection handler failed", before any goodbye
    mistake: str = ""  # the type of the exception that the handler raised
    refused: Fact | None = None  # the opening handshake failed
    error: Fact | None = None  # "! error while sending data" and the like
    active: Fact | None = None  # the newest frame, either way
    before: Fact | None = None  # the frame before the last one: what went before silence
    version: str = ""  # websockets' own version, if the handshake says so
    clues: set[str] = field(default_factory=set)  # of its version
    frames: int = 0  # messages
    bytes: int = 0
    story: deque[tuple[float | None, str, dict[str, Any]]] = field(
        default_factory=lambda: deque(maxlen=KEPT)
    )

    @property
    def is_over(self) -> bool:
        """Whether it is CLOSED."""
        return self.state == "CLOSED"

    @property
    def interval(self) -> float | None:
        """Seconds between two keepalive pings of this end, as far as the log shows."""
        beats = sorted(self.beats)
        return beats[len(beats) // 2] if beats else None

    def at(self, state: str) -> float | None:
        """When a state began (s), or None."""
        return self.states[state].t if state in self.states else None

    def fold(self, kind: str, data: dict[str, Any], fact: Fact) -> None:
        """Take in one line: what ``dialect`` says of it, and where it stands."""
        self.first, self.last = self.first or fact, fact
        getattr(self, f"_{kind}", self._note)(data, fact)
        if kind != "handshake":
            self.story.append((fact.t, kind, data))

    def pass_data(self, fact: Fact) -> None:
        """A message went by; its contents are nobody's business here."""
        self.frames += 1
        self.first, self.last = self.first or fact, fact
        self._seen(fact)

    def _seen(self, fact: Fact) -> None:
        self.before, self.active = self.active, fact

    def _note(self, data: dict[str, Any], fact: Fact) -> None:
        pass

    def _state(self, data: dict[str, Any], fact: Fact) -> None:
        self.state = data["state"]
        self.states.setdefault(self.state, fact)
        if self.state == "CONNECTING":
            self.whole = True
        if self.state == "OPEN":
            self._seen(fact)

    def _sent(self, data: dict[str, Any], fact: Fact) -> None:
        opcode = data["opcode"]
        if opcode == "CLOSE":
            self.sent = self.sent or fact
        elif opcode == "PING":
            self._ping(data["payload"], fact)
        elif opcode == "PONG" and data["payload"] == self.asked_payload:
            self.replied = fact
        if opcode != "EOF":
            self._seen(fact)

    def _got(self, data: dict[str, Any], fact: Fact) -> None:
        opcode = data["opcode"]
        if opcode == "CLOSE":
            self.got = self.got or fact
        elif opcode == "EOF":
            self.eof = self.eof or fact
        elif opcode == "PING":
            self.asked, self.asked_payload, self.replied = fact, data["payload"], None
        elif opcode == "PONG" and self.ping and data["payload"] == self.payload:
            self._pong(fact)
        if opcode != "EOF":
            self._seen(fact)

    def _ping(self, payload: str, fact: Fact) -> None:
        if self.ping:
            self.unanswered += 1
        self.ping, self.payload, self.late_pong = fact, payload, None
        self.confirmed, before = self.announced, self.announced
        self.announced = False
        if before:
            self._beat(fact)

    def _beat(self, fact: Fact) -> None:
        """A keepalive ping (an application's own ping is none)."""
        if fact.t is not None and self.beat_at is not None:
            self.beats.append(fact.t - self.beat_at)
        self.beat_at = fact.t

    def _pong(self, fact: Fact) -> None:
        self.answered += 1
        self.late_pong, self.ping_before = fact, self.ping
        self.ping = None

    def _keepalive(self, data: dict[str, Any], fact: Fact) -> None:
        if data["step"] == "pong":
            self.late_pong = None  # it was in time
        elif "sending" in data["line"]:
            self.clues.add("sending")
            self.announced = True
        else:
            self.clues.add("sent")
            self.confirmed = True
            self._beat(self.ping or fact)

    def _timeout(self, data: dict[str, Any], fact: Fact) -> None:
        self.clues.add("!" if data["line"].startswith("!") else "-")
        if "keepalive pong" not in data["line"]:
            self.clues.add("legacy" if "TCP close" in data["line"] else "")
            return
        self.timed_out = self.timed_out or fact
        since = self.ping or self.ping_before
        if since and since.t is not None and fact.t is not None:
            self.waits = fact.t - since.t

    def _failing(self, data: dict[str, Any], fact: Fact) -> None:
        self.clues.add("legacy")

    def _error(self, data: dict[str, Any], fact: Fact) -> None:
        self.error = self.error or fact

    def _handshake(self, data: dict[str, Any], fact: Fact) -> None:
        """Which end this is, and its version; nothing else of a handshake is kept."""
        line = data["line"]
        if line[2:5] == "GET" or line[2:8] == "HTTP/1":
            asks = line[2:5] == "GET"
            self.side = self.side or ("client" if (line[0] == ">") == asks else "server")
        elif line.startswith("> ") and "websockets/" in line:
            self.version = line.rpartition("websockets/")[2].partition(" ")[0][:20]
