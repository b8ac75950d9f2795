"""The model behind the theory: two ends and two directions, as the RFC and the documentation of websockets describe them.

It is a pencil, not a simulator of code: nothing is sent, no library is called, and no run is looked at. Each end is in one
of the states of RFC 6455 and knows a dozen rules; things happen in order of time. At equal times: what is done to the
wire, then what arrives, then goodbyes and timers, then what those cause.

    keepalive    ping, wait for the pong, sleep interval − round trip, ping …; no pong within ping_timeout: fail with 1011
    failing      send CLOSE (a server hangs up too: FIN), listen to nothing more, wait close_timeout, drop the connection
    CLOSE comes  answer it (a server hangs up), listen to nothing more; whoever waits for the end waits close_timeout
    FIN comes    CLOSED
    under TLS    hanging up is not half of anything: close_notify, which the other end answers and closes; until then a server
                 bears no more frames (CLOSED at once), and waits no longer than close_timeout, or 30 s where that is None
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .experiment import Experiment
from .faults import ENDS, Act, Cut, Goodbye, order
from .trace import OTHER, Event

NEVER = float("inf")
SHUTDOWN = 30.0  # s; asyncio's ssl_shutdown_timeout, for which a websockets server sets its close_timeout
ACT, ARRIVAL, TIMER, CONSEQUENCE = range(4)  # who goes first at equal times
FLOW = {"server": "to_client", "client": "to_server"}
WORDS = {  # RFC 6455 §7.4.1, and how websockets names them
    1000: "OK", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1007: "invalid frame payload data",
    1008: "policy violation", 1009: "message too big", 1010: "mandatory extension", 1011: "internal error",
    1012: "service restart", 1013: "try again later", 1014: "bad gateway",
}  # fmt: skip


@dataclass
class Item:
    """A frame, a FIN or an RST on its way, and when it arrives (s; NEVER if a cut is not healed)."""

    sender: str
    opcode: str  # PING, PONG, CLOSE, FIN, RST, and NOTIFY (TLS's close_notify)
    sent_at: float
    due: float
    code: int | None = None
    reason: str = ""
    answers: Item | None = None  # the ping that a pong answers
    arrived_at: float | None = None
    forgotten: bool = False

    @property
    def size(self) -> int:
        """Bytes of payload: four random ones in a ping, two and the reason in a CLOSE."""
        return 4 if self.opcode in ("PING", "PONG") else 2 + len(self.reason.encode())


@dataclass
class Model:
    """The experiment, told forward in time; ``events`` is what would be seen, ``ties`` what would be a matter of luck."""

    experiment: Experiment
    now: float = 0.0
    events: list[Event] = field(default_factory=list)
    ties: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.agenda: list[tuple[float, int, int, Callable[[], None], Callable[[], bool]]] = []
        self.count = itertools.count()
        self.items: list[Item] = []
        self.last = dict.fromkeys(ENDS, 0.0)  # when the last item of each sender arrives
        self.ends = {name: EndModel(self, name) for name in ENDS}
        self.pending = 0

    def run(self) -> None:
        """Tell the story to its end."""
        limit = self.experiment.limit
        for when, _, act in order(self.experiment.acts):
            self.pending += 1
            self.at(when, partial(self._act, act), TIMER if isinstance(act, Goodbye) else ACT)
        self.at(0.0, self.ends["server"].open, ARRIVAL)
        self.at(self.experiment.latency, self.ends["client"].open, ARRIVAL)
        while self.agenda and self.agenda[0][0] <= (NEVER if limit is None else limit):
            when, _, _, do, still = heapq.heappop(self.agenda)
            if still():
                self.now = when
                do()
            if self._instant_is_over() and self._over():
                return
        if limit is not None and self.agenda:
            self.now = limit

    def at(self, when: float, do: Callable[[], None], rank: int, still: Callable[[], bool] = lambda: True) -> None:
        """Put something on the agenda, to be done if it ``still`` makes sense then; what an instant causes comes last in it."""
        when = round(when, 9)
        if when < NEVER:
            heapq.heappush(self.agenda, (when, CONSEQUENCE if rank and when <= self.now else rank, next(self.count), do, still))

    def see(self, where: str, what: str, **data: Any) -> None:
        """One more event of the story."""
        self.events.append(Event(self.now, where, "theory", what, data))

    def _instant_is_over(self) -> bool:
        return not self.agenda or self.agenda[0][0] > self.now

    def _over(self) -> bool:
        keepers = [end for end in self.ends.values() if end.peer.keepalive]
        on_its_way = any(item.arrived_at is None and item.due < NEVER and not item.forgotten for item in self.items)
        kept = bool(keepers) and all(end.lost for end in keepers) and not self.pending and not on_its_way
        return kept or all(end.lost for end in self.ends.values())

    def _act(self, act: Act) -> None:
        self.pending -= 1
        if isinstance(act, Goodbye):
            self.ends[act.end].say_goodbye(act)

    # the wire

    def send(self, sender: str, opcode: str, **more: Any) -> Item:
        """Put something into the wire, and foretell when it arrives."""
        item = Item(sender, opcode, self.now, self.arrival(sender), **more)
        self.last[sender] = item.due
        self.items.append(item)
        self.at(item.due, lambda: self._arrive(item), ARRIVAL)
        if opcode not in ("FIN", "RST", "NOTIFY"):
            self.see("wire", "frame", sender=sender, opcode=opcode, size=item.size, code=item.code, reason=item.reason, item=item)
        return item

    def arrival(self, sender: str) -> float:
        """When what is sent now arrives (s): a latency later, or a latency after the healing of the cut that it meets."""
        due = round(self.now + self.experiment.latency, 9)
        for cut in self.cuts(sender):
            if cut.holds(due):
                due = NEVER if cut.heal is None else round(cut.heal + self.experiment.latency, 9)
        return max(due, self.last[sender])

    def cuts(self, sender: str) -> list[Cut]:
        return [cut for cut in self.experiment.cuts if cut.meets(FLOW[sender])]

    def silent(self, sender: str) -> bool:
        """Whether a cut silences ``sender`` now."""
        return any(cut.holds(self.now) for cut in self.cuts(sender))

    def reset(self, sender: str) -> None:
        """TCP answers data for nobody with an RST: sent once, and what was still stuck is forgotten with the connection."""
        if not self.silent(sender):
            due = round(self.now + self.experiment.latency, 9)
            if not any(cut.holds(due) for cut in self.cuts(sender)):
                self.send(sender, "RST")
            return
        for item in self.items:
            item.forgotten |= item.sender == sender and item.arrived_at is None
        self.last[sender] = 0.0

    def _arrive(self, item: Item) -> None:
        if not item.forgotten:
            item.arrived_at = self.now
            self.ends[OTHER[item.sender]].receive(item)


class EndModel:
    """One end: its state, and the rules by which it lives."""

    def __init__(self, model: Model, name: str) -> None:
        self.model, self.name, self.peer, self.tls = model, name, model.experiment.peer(name), model.experiment.tls
        self.state = "CONNECTING"
        self.deaf = False  # it listens to nothing more but FIN (RFC 6455 §7.1.7)
        self.hung_up = False  # it has sent FIN
        self.lost = False  # its connection is gone
        self.deadline: float | None = None  # when whoever waits for the end loses patience (s)
        self.ping: Item | None = None  # waiting for its pong
        self.sent: tuple[int, str] | None = None  # code and reason of its own CLOSE
        self.received: tuple[int, str] | None = None
        self.heard_at: float | None = None  # when it received that (s)
        self.answered = False  # received, then sent

    def enter(self, state: str) -> None:
        if self.state != state:
            self.state = state
            self.model.see(self.name, "state", state=state)

    def open(self) -> None:
        self.enter("OPEN")
        self.ping_in(self.peer.ping_interval)

    # keepalive

    def ping_in(self, pause: float | None) -> None:
        if pause is not None:
            self.model.at(self.model.now + pause, self.send_ping, TIMER, lambda: not self.lost)

    def send_ping(self) -> None:
        """Time for the next ping; in CLOSING, keepalive waits for the end instead."""
        if self.state != "OPEN":
            return self.wait_for_end()
        self.ping = ping = self.model.send(self.name, "PING")
        if self.peer.ping_timeout is None:
            self.ping_in(self.peer.ping_interval)
        else:
            self.model.at(self.model.now + self.peer.ping_timeout, self.lose_patience, TIMER, lambda: self.ping is ping and not self.lost)

    def hear_pong(self, pong: Item) -> None:
        if self.ping is None or pong.answers is not self.ping or self.peer.ping_timeout is None:
            return
        latency = self.model.now - self.ping.sent_at
        if round(latency - self.peer.ping_timeout, 9) >= 0:  # at the same instant: the timer has fired already
            self.model.ties.append(f"at {self.model.now:g} s the pong arrives at the {self.name} as ping_timeout runs out")
            return
        self.ping = None
        self.ping_in(max(0.0, (self.peer.ping_interval or 0.0) - latency))

    def lose_patience(self) -> None:
        """No pong within ping_timeout."""
        if self.state == "OPEN":
            self.close(1011, "keepalive ping timeout")
            self.deaf = True
            if self.name == "server":
                self.hang_up()
        self.wait_for_end()

    # closing

    def say_goodbye(self, act: Goodbye) -> None:
        """The application calls close(), and waits for the end; what the other end has sent at this instant still comes before."""
        if self.received and self.heard_at == self.model.now:
            self.model.ties.append(f"at {self.model.now:g} s the {self.name} calls close() as the other end's CLOSE arrives")
        self.model.at(self.model.now, self.wait_for_end, CONSEQUENCE)
        if self.state == "OPEN":
            self.close(act.code, act.reason)

    def close(self, code: int, reason: str) -> None:
        """Send CLOSE (RFC 6455 §7.1.2)."""
        self.model.send(self.name, "CLOSE", code=code, reason=reason)
        self.sent = (code, reason)
        self.enter("CLOSING")
        self.start_deadline()

    def start_deadline(self) -> None:
        if self.deadline is None and self.peer.close_timeout is not None:
            self.deadline = self.model.now + self.peer.close_timeout

    def wait_for_end(self) -> None:
        """Somebody at this end waits for the closing handshake: at the deadline the connection is dropped."""
        if not self.lost and self.deadline is not None:
            self.model.at(max(self.deadline, self.model.now), self.drop, TIMER, lambda: not self.lost)

    def hang_up(self) -> None:
        """Say that this was all: FIN, or under TLS close_notify, which gives the other end a time to answer it."""
        if self.hung_up:
            return
        self.hung_up = True
        self.model.send(self.name, "NOTIFY" if self.tls else "FIN")
        if self.tls:
            patience = SHUTDOWN if self.name == "client" or self.peer.close_timeout is None else self.peer.close_timeout
            self.model.at(self.model.now + patience, self.drop, TIMER, lambda: not self.lost)

    def drop(self) -> None:
        if not self.lost:
            if self.tls or not self.hung_up:
                self.model.send(self.name, "FIN")
            self.hung_up = True
            self.end()

    def end(self) -> None:
        """The connection is gone: CLOSED, and whoever awaits recv() is told."""
        self.enter("CLOSED")
        self.lost = True
        if self.peer.reads:
            self.model.see(self.name, "raised", **self.exception())

    # what arrives

    def receive(self, item: Item) -> None:
        if self.lost:
            if item.opcode not in ("FIN", "RST"):
                self.model.reset(self.name)
        elif item.opcode == "RST":
            self.hung_up = True
            self.end()
        elif item.opcode in ("FIN", "NOTIFY"):
            if item.opcode == "NOTIFY":
                self.hang_up()
            self.drop()
        elif self.tls and self.hung_up:  # "application data after close notify" is an error of OpenSSL's
            self.model.at(self.model.now, self.drop, ARRIVAL, lambda: not self.lost)
        elif not self.deaf:
            self.hear(item)

    def hear(self, item: Item) -> None:
        if item.opcode == "PING":
            self.model.send(self.name, "PONG", answers=item)
        elif item.opcode == "PONG":
            self.hear_pong(item)
        elif item.code is not None:
            self.hear_close(item.code, item.reason)

    def hear_close(self, code: int, reason: str) -> None:
        """Answer a CLOSE with the same code; the server closes TCP first (RFC 6455 §5.5.1, §7.1.1)."""
        self.received, self.heard_at = (code, reason), self.model.now
        if self.state == "OPEN":
            self.answered = True
            self.close(code, reason)
        self.deaf = True
        if self.name == "server":
            self.hang_up()

    def exception(self) -> dict[str, Any]:
        """What recv() raises, as data (RFC 6455 §7.1.5 for the code)."""
        polite = all(close is not None and close[0] in (1000, 1001) for close in (self.sent, self.received))
        return {
            "type": "ConnectionClosedOK" if polite else "ConnectionClosedError",
            "text": self.sentence(),
            "awaiting": "recv",
            "code": self.received[0] if self.received else 1006,
            "sent": self.sent[0] if self.sent else None,
            "received": self.received[0] if self.received else None,
        }

    def sentence(self) -> str:
        """The exception in websockets' words."""
        sent, received = _words(self.sent), _words(self.received)
        if sent and received:
            return f"received {received}; then sent {sent}" if self.answered else f"sent {sent}; then received {received}"
        if sent:
            return f"sent {sent}; no close frame received"
        return f"received {received}; no close frame sent" if received else "no close frame received or sent"


def _words(close: tuple[int, str] | None) -> str:
    """A close as websockets prints it: "1011 (internal error) keepalive ping timeout"."""
    if close is None:
        return ""
    code, reason = close
    meaning = WORDS.get(code, "registered" if code < 4000 else "private use")
    return f"{code} ({meaning}) {reason}".strip()
