"""One end of the model, and what it sends: the states of RFC 6455 and the dozen rules by which websockets lives.

keepalive    ping, wait for the pong, sleep interval − round trip, ping …; no pong within ping_timeout: fail with 1011
failing      send CLOSE (a server hangs up too: FIN), listen to nothing more, wait close_timeout, drop the connection
CLOSE comes  answer it (a server hangs up), listen to nothing more; whoever waits for the end waits close_timeout
FIN comes    CLOSED
under TLS    hanging up is not half of anything: close_notify, which the other end answers and closes; until then a server
             bears no more frames (CLOSED at once), and waits no longer than close_timeout, or 30 s where that is None
thaw         a frozen end reads what has come, and in the same turn of its loop the timers fire that ran out meanwhile: so a
             pong that is read only after its time has run out comes too late
nobody reads above max_queue frames the library reads no more either, and all that comes later waits unread: pings, pongs, CLOSE,
             FIN; when such an end drops its connection, TCP tells the other with RST
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..values.experiment import CAPACITY
from ..values.faults import Goodbye, Send
from ..values.frames import frame_size

if TYPE_CHECKING:
    from .model import Model

NEVER = float("inf")
SHUTDOWN = (
    30.0  # s; asyncio's ssl_shutdown_timeout, for which a websockets server sets its close_timeout
)
ACT, ARRIVAL, WAKING, GOODBYE, TIMER, CONSEQUENCE = range(6)  # who goes first at equal times
Todo = tuple[Callable[[], None], Callable[[], bool]]  # what to do, and whether it still makes sense
WORDS = {  # RFC 6455 §7.4.1, and how websockets names them
    1000: "OK", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1007: "invalid frame payload data",
    1008: "policy violation", 1009: "message too big", 1010: "mandatory extension", 1011: "internal error",
    1012: "service restart", 1013: "try again later", 1014: "bad gateway",
}  # fmt: skip


@dataclass
class Item:
    """A frame, a FIN or an RST on its way, and when it arrives (s; NEVER if a cut is not healed)."""

    sender: str
    opcode: str  # BINARY, PING, PONG, CLOSE, FIN, RST, and NOTIFY (TLS's close_notify)
    sent_at: float
    due: float
    code: int | None = None
    reason: str = ""
    answers: Item | None = None  # the ping that a pong answers
    arrived_at: float | None = None
    forgotten: bool = False
    length: int = 0  # bytes of payload, of a message

    @property
    def size(self) -> int:
        """Bytes of payload: four random ones in a ping, two and the reason in a CLOSE."""
        if self.opcode == "BINARY":
            return self.length
        return 4 if self.opcode in ("PING", "PONG") else 2 + len(self.reason.encode())

    @property
    def weight(self) -> int:
        """Bytes on the wire: the header, a client's mask, the payload (RFC 6455 §5.2)."""
        return 0 if self.opcode in ("FIN", "RST") else frame_size(self.size, self.sender)


class EndModel:
    """One end: its state, and the rules by which it lives."""

    def __init__(self, model: Model, name: str) -> None:
        self.model, self.name, self.peer, self.tls = (
            model,
            name,
            model.experiment.peer(name),
            model.experiment.tls,
        )
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
        self.frozen = 0  # while it is not 0, time passes and nothing of this end happens
        self.frozen_at = NEVER  # since when (s)
        self.queue = 0  # frames that have been read, and that the application has not taken
        self.paused_at = NEVER  # since when the library reads no more, for the queue is full (s)
        self.talking: dict[
            Send, bool
        ] = {}  # what its application is sending, and whether a send() waits for the end
        self.mail: list[Item] = []  # what has come and has not been read
        self.late: list[
            tuple[int, float, Todo]
        ] = []  # what it should have done meanwhile: rank, since when (s), what
        self.reset = False  # it has been reset and does not know yet: what it sends goes nowhere

    def enter(self, state: str) -> None:
        if self.state != state:
            self.state = state
            self.model.see(self.name, "state", state=state)

    def open(self) -> None:
        self.enter("OPEN")
        for act in list(self.talking):
            self.speak(act)
        self.ping_in(self.peer.ping_interval)

    def at(
        self,
        when: float,
        do: Callable[[], None],
        rank: int = TIMER,
        still: Callable[[], bool] | None = None,
    ) -> None:
        """Put something that this end does on the agenda, for as long as it has a connection."""
        self.model.at(when, do, rank, still or (lambda: not self.lost), self)

    @property
    def ended(self) -> bool:
        """Its connection is gone, and its application knows."""
        return self.lost and not self.talking

    # messages

    def talk(self, act: Send) -> None:
        """The application sends a message, and the next one ``every`` so many seconds, unless the library tells it that it is over."""
        self.talking[act] = False
        if self.state != "CONNECTING":
            self.speak(act)

    def speak(self, act: Send) -> None:
        if act not in self.talking:
            return
        if self.state == "OPEN":
            self.model.send(self.name, "BINARY", length=act.size)
            if act.every is None:
                del self.talking[act]
            else:
                self.at(self.model.now + act.every, partial(self.speak, act), still=lambda: True)
        elif self.lost:
            self.told_by_send(act)
        else:
            self.talking[act] = True
            self.wait_for_end()

    def told_by_send(self, act: Send) -> None:
        self.model.see(self.name, "raised", **{**self.exception(), "awaiting": "send"})
        del self.talking[act]

    def take_in(self, item: Item) -> None:
        """A message has been read from the wire: does anybody take it?"""
        limit = self.peer.max_queue
        if not self.peer.reads:
            self.queue += 1
            if limit is not None and self.queue > limit and self.paused_at == NEVER:
                self.paused_at = self.model.now

    # a loop that blocks

    def freeze(self) -> None:
        self.frozen += 1
        if self.frozen == 1:
            self.frozen_at = self.model.now

    def put_off(self, rank: int, due: float, todo: Todo) -> None:
        """Something that this end was to do now has to wait until it thaws."""
        if todo[1]():
            self.late.append((rank, due, todo))
            self.tie(due)

    def tie(self, when: float) -> None:
        """What falls on the instant at which the loop blocks may just as well come before."""
        if when == self.frozen_at:
            self.model.ties.append(
                f"at {when:g} s the {self.name} freezes, and has something to do at this very instant"
            )

    def thaw(self) -> None:
        """The loop runs again: it reads what has come, and then its timers fire that ran out meanwhile."""
        self.frozen -= 1
        if self.frozen:
            return
        mail, self.mail = self.mail, []
        self.reset = any(item.opcode == "RST" for item in mail)
        for item in mail:
            self.receive(item)
        self.model.catch_up(self)

    def arrive(self, item: Item) -> None:
        """Something has come to this end's machine: it is read when the loop runs."""
        if self.lost or not self.frozen and not self.is_paused(item):
            return self.receive(item)
        self.mail.append(item)
        self.tie(self.model.now)
        self.reset |= item.opcode == "RST" and not self.frozen
        room = self.peer.buffer or CAPACITY
        if sum(one.weight for one in self.mail) > room:
            self.model.overflow = (
                self.model.overflow
                or f"more than {room:,} bytes wait unread at the {self.name}, so that buffers fill"
            )

    def is_paused(self, item: Item) -> bool:
        """Whether the library has stopped reading; what was sent earlier and comes at that very instant is read in the same go."""
        if item.sent_at == self.paused_at:
            self.model.ties.append(
                f"at {item.sent_at:g} s the {self.name}'s queue is full, and more is sent at this very instant"
            )
        return self.paused_at < self.model.now or item.sent_at == self.paused_at

    def is_asked(self, act: Goodbye) -> None:
        """Its application is asked to say goodbye: it does when the loop runs."""
        if self.frozen:
            self.put_off(GOODBYE, self.model.now, (partial(self.say_goodbye, act), lambda: True))
        else:
            self.say_goodbye(act)

    # keepalive

    def ping_in(self, pause: float | None) -> None:
        if pause is not None:
            self.at(self.model.now + pause, self.send_ping)

    def send_ping(self) -> None:
        """Time for the next ping; in CLOSING, keepalive waits for the end instead."""
        if self.state != "OPEN":
            return self.wait_for_end()
        self.ping = ping = self.model.send(self.name, "PING")
        if self.peer.ping_timeout is None:
            self.ping_in(self.peer.ping_interval)
        else:
            self.at(
                self.model.now + self.peer.ping_timeout,
                self.lose_patience,
                still=lambda: self.ping is ping and not self.lost,
            )

    def hear_pong(self, pong: Item) -> None:
        if self.ping is None or pong.answers is not self.ping or self.peer.ping_timeout is None:
            return
        latency = self.model.now - self.ping.sent_at
        if (
            late := round(latency - self.peer.ping_timeout, 9)
        ) >= 0:  # in the same turn of the loop the timer fires, and wins
            if not late:
                self.model.ties.append(
                    f"at {self.model.now:g} s the pong arrives at the {self.name} as ping_timeout runs out"
                )
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
            self.model.ties.append(
                f"at {self.model.now:g} s the {self.name} calls close() as the other end's CLOSE arrives"
            )
        self.at(self.model.now, self.wait_for_end, CONSEQUENCE)
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
            self.at(max(self.deadline, self.model.now), self.drop)

    def hang_up(self) -> None:
        """Say that this was all: FIN, or under TLS close_notify, which gives the other end a time to answer it."""
        if self.hung_up:
            return
        self.hung_up = True
        self.model.send(self.name, "NOTIFY" if self.tls else "FIN")
        if self.tls:
            patience = (
                SHUTDOWN
                if self.name == "client" or self.peer.close_timeout is None
                else self.peer.close_timeout
            )
            self.at(self.model.now + patience, self.drop)

    def drop(self) -> None:
        if not self.lost:
            if any(item.weight for item in self.mail):  # closed with bytes unread: TCP resets
                self.model.reset(self.name)
            elif self.tls or not self.hung_up:
                self.model.send(self.name, "FIN")
            self.hung_up = True
            self.end()

    def break_off(self) -> None:
        """The connection has been reset."""
        self.hung_up = True
        self.end()

    def end(self) -> None:
        """The connection is gone: CLOSED, and whoever awaits recv() is told."""
        self.enter("CLOSED")
        self.lost = True
        if self.peer.reads:
            self.model.see(self.name, "raised", **self.exception())
        for act in [act for act, waits in self.talking.items() if waits]:
            self.told_by_send(act)

    # what arrives

    def receive(self, item: Item) -> None:
        if self.lost:
            if item.opcode not in ("FIN", "RST"):
                self.model.reset(self.name)
        elif item.opcode == "RST":
            self.break_off()
        elif item.opcode in ("FIN", "NOTIFY"):
            if item.opcode == "NOTIFY":
                self.hang_up()
            self.drop()
        elif (
            self.tls and self.hung_up
        ):  # "application data after close notify" is an error of OpenSSL's
            self.at(self.model.now, self.drop, ARRIVAL)
        elif not self.deaf:
            self.hear(item)

    def hear(self, item: Item) -> None:
        if item.opcode == "PING":
            self.model.send(self.name, "PONG", answers=item)
        elif item.opcode == "PONG":
            self.hear_pong(item)
        elif item.opcode == "BINARY":
            self.take_in(item)
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
        polite = all(
            close is not None and close[0] in (1000, 1001) for close in (self.sent, self.received)
        )
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
            return (
                f"received {received}; then sent {sent}"
                if self.answered
                else f"sent {sent}; then received {received}"
            )
        if sent:
            return f"sent {sent}; no close frame received"
        return (
            f"received {received}; no close frame sent"
            if received
            else "no close frame received or sent"
        )


def _words(close: tuple[int, str] | None) -> str:
    """A close as websockets prints it: "1011 (internal error) keepalive ping timeout"."""
    if close is None:
        return ""
    code, reason = close
    meaning = WORDS.get(code, "registered" if code < 4000 else "private use")
    return f"{code} ({meaning}) {reason}".strip()
