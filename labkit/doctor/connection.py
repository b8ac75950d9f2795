"""One connection: what its log lines have said so far, and where. Facts only; causes.py judges.

CONNECTING → OPEN → CLOSING → CLOSED        with the line and the time of each
> PING a1 …  % sent  < PONG a1 …            its own pings: the open one, the answered ones
> CLOSE 1011, < CLOSE 1000                  both CLOSE frames

Its size does not grow with the log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .sentences import HOW, hints

Data = dict[str, Any]  # what ``dialect`` reads in a line
KEPT = 400  # events that are kept for a figure
KEPT_LATER = 30  # of the connections after the first FIGURES
FIGURES = 50
INTERVALS = 16
NOWHERE = (None, None, None, None)  # of an Index in fitting.py


class Fact(NamedTuple):
    """What stands in one line of the log, without the contents of messages."""

    number: int  # of the line
    t: float | None  # s; None: no time is written
    words: str
    code: int | None = None  # of a CLOSE
    reason: str = ""


@dataclass(eq=False, slots=True)
class Connection:
    """What the log says of one connection."""

    number: int
    who: str = ""  # how the log names it; "": it does not
    side: str = ""  # server, client; "": not known
    whole: bool = False  # whether the log has its beginning
    mixed: bool = False  # whether lines of other connections may be among its own
    log_end: float | None = None  # s, the time of the log's last line; None: no times
    state: str = ""
    states: dict[str, Fact] = field(default_factory=dict)
    first: Fact | None = None
    last: Fact | None = None
    sent: Fact | None = None  # the CLOSE that this end sent
    got: Fact | None = None  # the CLOSE that it received
    ping: Fact | None = None  # this end's newest ping, while it has no pong
    payload: str = ""  # of its newest ping
    ping_before: Fact | None = None  # the ping that the newest pong answers
    announced: bool = False  # "% sending keepalive ping" stood before the next ping
    confirmed: bool = False  # "% sent keepalive ping" followed the newest ping
    late_pong: Fact | None = None  # a pong that keepalive has not noticed yet
    timed_out: Fact | None = None  # keepalive gave up
    answered: int = 0  # own pings whose pong came
    intervals: tuple[float, ...] = ()
    # s between the newest keepalive pings of this end
    newest_keepalive: float | None = None  # s, when the last of them was sent
    waited: float | None = None  # s from a ping to its timeout: ping_timeout, or more
    peer_ping: Fact | None = None  # the newest ping of the peer
    peer_payload: str = ""
    peer_pong: Fact | None = None  # this end's answer to it
    eof: Fact | None = None
    failed: Fact | None = None  # "connection handler failed", before any CLOSE
    mistake: str = ""  # the type of the exception that the handler raised
    refused: Fact | None = None  # the opening handshake failed
    http: str = ""  # "request", then the status of its answer
    status: Fact | None = None  # the line of that answer
    refusal: str = ""  # of which kind: a cause
    failing: int | None = None  # the code with which legacy fails it
    how: str = ""  # TCP ended: a key of sentences.HOW
    ending: bool = False  # whether a line says that it closes
    other_pong: Fact | None = None  # a pong whose bytes are those of no ping of this end
    active: Fact | None = None  # the newest frame, either way
    heard: Fact | None = None  # the newest message that was read
    version: str = ""  # of websockets, if the handshake says so
    clues: frozenset[str] = frozenset()  # of its version: see families.FAMILIES
    keys: tuple[Any, ...] = NOWHERE  # its places in the Index
    story: list[tuple[float | None, str, Data]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether it is CLOSED."""
        return self.state == "CLOSED"

    @property
    def is_opening(self) -> bool:
        """Whether the log has its beginning, and it was not OPEN yet."""
        return self.whole and "OPEN" not in self.states

    @property
    def is_open(self) -> bool:
        """Whether it is OPEN, as far as the log says."""
        return self.state in ("OPEN", "")

    @property
    def interval(self) -> float | None:
        """The median of the seconds between two keepalive pings of this end; None: not known."""
        intervals = sorted(self.intervals)
        return intervals[len(intervals) // 2] if intervals else None

    def at(self, state: str) -> float | None:
        """When a state began (s), or None."""
        return self.states[state].t if state in self.states else None

    def facts(self, *wanted: str | Fact | None) -> tuple[Fact, ...]:
        """Those that are known of the facts and states wanted, in the order of the log."""
        facts = {self.states.get(one) if isinstance(one, str) else one for one in wanted}
        return tuple(sorted(filter(None, facts)))

    def add(self, kind: str, data: Data, fact: Fact) -> None:
        """One more line: its kind and data as ``dialect`` reads them, and where it stands."""
        self.first, self.last = self.first or fact, fact
        if kind in TAKES:
            TAKES[kind](self, data, fact)
        if kind != "handshake":
            self.story.append((fact.t, kind, data))
            kept = KEPT if self.number <= FIGURES else KEPT_LATER
            if len(self.story) > 2 * kept:
                del self.story[:kept]

    def add_message(self, fact: Fact) -> None:
        """One more message, either way."""
        self.first = self.first or fact
        self.last = self.active = fact
        if fact.words.startswith("<"):
            self.heard = fact

    def _on_state(self, data: Data, fact: Fact) -> None:
        self.state = data["state"]
        self.states.setdefault(self.state, fact)
        if self.state == "CONNECTING":
            self.whole = True
        if self.state == "OPEN":
            self.active = fact

    def _on_sent(self, data: Data, fact: Fact) -> None:
        opcode = data["opcode"]
        if opcode == "EOF":
            return
        self.active = fact
        if opcode == "CLOSE":
            self.sent, self.ending = self.sent or fact, True
        elif opcode == "PING":
            self._own_ping(data["payload"], fact)
        elif opcode == "PONG" and data["payload"] == self.peer_payload:
            self.peer_pong = fact

    def _on_got(self, data: Data, fact: Fact) -> None:
        opcode = data["opcode"]
        if opcode == "EOF":
            self.eof = self.eof or fact
            return
        self.active = fact
        if opcode == "CLOSE":
            self.got, self.ending = self.got or fact, True
        elif opcode == "PING":
            self.peer_ping, self.peer_payload, self.peer_pong = fact, data["payload"], None
        elif opcode == "PONG" and self.ping and data["payload"] == self.payload:
            self.answered += 1
            self.late_pong, self.ping_before, self.ping = fact, self.ping, None
        elif opcode == "PONG" and self.ping:
            self.other_pong = fact

    def _own_ping(self, payload: str, fact: Fact) -> None:
        self.ping, self.payload, self.late_pong = fact, payload, None
        self.confirmed, self.announced = self.announced, False
        if self.confirmed:
            self._sent_keepalive(fact)

    def _sent_keepalive(self, ping: Fact) -> None:
        if ping.t is not None and self.newest_keepalive is not None:
            newest = ping.t - self.newest_keepalive
            self.intervals = (*self.intervals[1 - INTERVALS :], newest)
        self.newest_keepalive = ping.t

    def _on_keepalive(self, data: Data, fact: Fact) -> None:
        if data["step"] == "pong":
            self.late_pong = None  # it was in time
        elif "sending" in data["line"]:
            self.clues |= {"sending"}
            self.announced = True
        else:
            self.clues |= {"sent"}
            self.confirmed = True
            self._sent_keepalive(self.ping or fact)

    def _on_timeout(self, data: Data, fact: Fact) -> None:
        self.clues |= {data["line"][0]}
        if "TCP close" in data["line"]:
            self.clues |= {"legacy"}
        self.ending = True
        if "keepalive pong" not in data["line"]:
            return
        self.timed_out = self.timed_out or fact
        ping = self.ping or self.ping_before
        if ping and ping.t is not None and fact.t is not None:
            self.waited = fact.t - ping.t

    def _on_failing(self, data: Data, fact: Fact) -> None:
        self.clues |= {"legacy"}
        self.ending = True
        code = data["line"][-4:]
        self.failing = int(code) if code.isdigit() else None

    def _on_tcp(self, data: Data, fact: Fact) -> None:
        self.ending = True
        self.how = next(filter(HOW.get, hints(data["line"])), self.how)

    def _on_handshake(self, data: Data, fact: Fact) -> None:
        """Which end this is, and its version; nothing else of a handshake is kept."""
        line = data["line"]
        request = line.startswith("GET", 2)
        if request or line.startswith("HTTP/1", 2):
            sent = line.startswith(">")
            self.side = self.side or ("client" if sent == request else "server")
            self.http = "request" if request else line[11:14]
            self.status = None if request else fact._replace(words=line[:14])
        elif line.startswith("> ") and "websockets/" in line:
            self.version = line.rpartition("websockets/")[2].partition(" ")[0][:20]


TAKES = {
    "state": Connection._on_state,
    "sent": Connection._on_sent,
    "got": Connection._on_got,
    "keepalive": Connection._on_keepalive,
    "timeout": Connection._on_timeout,
    "failing": Connection._on_failing,
    "tcp": Connection._on_tcp,
    "handshake": Connection._on_handshake,
}
