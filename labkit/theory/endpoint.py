"""One end of the model: the states of RFC 6455 and the rules by which websockets lives.

keepalive    ping, wait for the pong, sleep interval − round trip, ping …; no pong within
             ping_timeout: fail with 1011
failing      send CLOSE (a server hangs up too: FIN), listen to nothing more, wait close_timeout,
             drop the connection
CLOSE comes  answer it (a server hangs up), listen to nothing more; whoever waits for the end waits
             close_timeout
FIN comes    CLOSED
under TLS    hanging up is close_notify, which the other end answers and closes; until then a server
             bears no more frames (CLOSED at once), and waits no longer than close_timeout, or 30 s
             where that is None
thaw         a frozen end reads what has come, and in the same turn of its loop the timers fire that
             ran out meanwhile: a pong that is read only after its time has run out comes too late
nobody reads above max_queue frames the library reads no more either, and all that comes later waits
             unread: pings, pongs, CLOSE, FIN; when such an end drops its connection, TCP tells the
             other with RST
"""

from __future__ import annotations

from functools import partial

from ..values.experiment import CAPACITY
from ..values.faults import Goodbye, Send
from .items import ARRIVAL, CONSEQUENCE, GOODBYE, NEVER, TIMER, Do, Item, Test, Todo, World, always
from .words import exception

SHUTDOWN = 30.0  # s; asyncio's ssl_shutdown_timeout, where a server has no close_timeout


class EndModel:
    """One end: its state, and the rules by which it lives."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.peer, self.tls = world.experiment.peer(name), world.experiment.tls
        self.state = "CONNECTING"
        self.deaf = False  # it listens to nothing more but FIN (RFC 6455 §7.1.7)
        self.hung_up = False  # it has sent FIN
        self.lost = False  # its connection is gone
        self.dead = False  # its TCP's is, too: it resets whatever comes
        self.deadline: float | None = None  # when whoever waits for the end loses patience (s)
        self.ping: Item | None = None  # waiting for its pong
        self.sent: tuple[int, str] | None = None  # code and reason of its own CLOSE
        self.received: tuple[int, str] | None = None
        self.heard_at: float | None = None  # when it received that (s)
        self.answered = False  # received, then sent
        self.frozen = 0  # freezes in force: time passes and nothing of this end happens
        self.frozen_at = NEVER  # since when (s)
        self.queue = 0  # frames that have been read, and that the application has not taken
        self.paused_at = NEVER  # since when the library reads no more, for the queue is full (s)
        self.talking: dict[Send, bool] = {}  # what it is sending, and if a send() awaits the end
        self.mail: list[Item] = []  # what has come and has not been read
        self.late: list[tuple[int, float, Todo]] = []  # put off by a freeze: rank, due (s), what
        self.reset = False  # it has been reset and does not know yet: what it sends goes nowhere

    def at(self, when: float, do: Do, rank: int = TIMER, still: Test | None = None) -> None:
        """Put something that this end does on the agenda; by default if it has a connection."""
        self.world.at(when, do, rank, still or (lambda: not self.lost), self)

    def enter(self, state: str) -> None:
        if self.state != state:
            self.state = state
            self.world.see(self.name, "state", state=state)

    def open(self) -> None:
        self.enter("OPEN")
        for act in list(self.talking):
            self.speak(act)
        self.ping_in(self.peer.ping_interval)

    @property
    def ended(self) -> bool:
        """Whether its connection is gone, and its application knows."""
        return self.lost and not self.talking

    def tie(self, t: float, words: str) -> None:
        """At ``t`` (s) the outcome is a matter of luck."""
        self.world.ties.append(f"at {t:g} s the {self.name} {words}")

    # messages

    def talk(self, act: Send) -> None:
        """The application sends a message, or one ``every`` so many seconds until it is told."""
        self.talking[act] = False
        if self.state != "CONNECTING":
            self.speak(act)

    def speak(self, act: Send) -> None:
        if act not in self.talking:
            return
        if self.state == "OPEN":
            self.world.send(self.name, "BINARY", length=act.size)
            if act.every is None:
                del self.talking[act]
            else:
                self.at(self.world.now + act.every, partial(self.speak, act), still=always)
        elif self.lost:
            self.tell_send(act)
        else:
            self.talking[act] = True
            self.wait_for_end()

    def tell_send(self, act: Send) -> None:
        self.tell("send")
        del self.talking[act]

    def take_in(self) -> None:
        """A message has been read from the wire: it waits in the queue if nobody takes it."""
        limit = self.peer.max_queue
        if not self.peer.reads:
            self.queue += 1
            if limit is not None and self.queue > limit and self.paused_at == NEVER:
                self.paused_at = self.world.now

    # a loop that blocks

    def freeze(self) -> None:
        self.frozen += 1
        if self.frozen == 1:
            self.frozen_at = self.world.now

    def put_off(self, rank: int, due: float, todo: Todo) -> None:
        """Something that this end was to do now has to wait until it thaws."""
        if todo.still():
            self.late.append((rank, due, todo))
            self.note_freeze(due)

    def note_freeze(self, when: float) -> None:
        """What falls on the instant at which the loop blocks may just as well come before."""
        if when == self.frozen_at:
            self.tie(when, "freezes, and has something to do at this very instant")

    def thaw(self) -> None:
        """The loop runs again: it reads what has come, and then its timers fire that ran out."""
        self.frozen -= 1
        if self.frozen:
            return
        mail, self.mail = self.mail, []
        self.reset = any(item.opcode == "RST" for item in mail)
        for item in mail:
            self.receive(item)
        self.world.catch_up(self)

    def arrive(self, item: Item) -> None:
        """Something has come to this end's machine: it is read when the loop runs."""
        if self.lost or not self.frozen and not self.is_paused(item):
            return self.receive(item)
        self.mail.append(item)
        self.note_freeze(self.world.now)
        self.reset |= item.opcode == "RST" and not self.frozen
        room = self.peer.buffer or CAPACITY
        if sum(one.weight for one in self.mail) > room and not self.world.overflow:
            waits = f"more than {room:,} bytes wait unread at the {self.name}"
            self.world.overflow = f"{waits}, so that buffers fill"

    def is_paused(self, item: Item) -> bool:
        """Whether the library reads no more; what comes as it pauses is read in the same go."""
        if item.sent_at == self.paused_at:
            self.tie(item.sent_at, "has a full queue, and more is sent at this very instant")
        return self.paused_at < self.world.now or item.sent_at == self.paused_at

    # keepalive

    def ping_in(self, pause: float | None) -> None:
        if pause is not None:
            self.at(self.world.now + pause, self.send_ping)

    def send_ping(self) -> None:
        """Time for the next ping; in CLOSING, keepalive waits for the end instead."""
        if self.state != "OPEN":
            return self.wait_for_end()
        self.ping = ping = self.world.send(self.name, "PING")
        timeout = self.peer.ping_timeout
        if timeout is None:
            return self.ping_in(self.peer.ping_interval)

        def waits() -> bool:
            return self.ping is ping and not self.lost

        self.at(self.world.now + timeout, self.lose_patience, still=waits)

    def hear_pong(self, pong: Item) -> None:
        timeout = self.peer.ping_timeout
        if self.ping is None or pong.answers is not self.ping or timeout is None:
            return
        latency = self.world.now - self.ping.sent_at
        late = round(latency - timeout, 9)
        if late == 0:
            self.tie(self.world.now, "hears the pong as ping_timeout runs out")
        if late >= 0:
            return  # in the same turn of the loop the timer fires, and wins
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
        """The application calls close() when its loop runs, and waits for the end."""
        if self.frozen:
            todo = Todo(partial(self.say_goodbye, act), always)
            return self.put_off(GOODBYE, self.world.now, todo)
        if self.received and self.heard_at == self.world.now:
            self.tie(self.world.now, "calls close() as the other end's CLOSE arrives")
        self.at(self.world.now, self.wait_for_end, CONSEQUENCE)
        if self.state == "OPEN":
            self.close(act.code, act.reason)

    def close(self, code: int, reason: str) -> None:
        """Send CLOSE (RFC 6455 §7.1.2)."""
        self.world.send(self.name, "CLOSE", code=code, reason=reason)
        self.sent = (code, reason)
        self.enter("CLOSING")
        if self.deadline is None and self.peer.close_timeout is not None:
            self.deadline = self.world.now + self.peer.close_timeout

    def wait_for_end(self) -> None:
        """Somebody waits for the closing handshake: at the deadline the connection is dropped."""
        if not self.lost and self.deadline is not None:
            self.at(max(self.deadline, self.world.now), self.drop)

    def hang_up(self) -> None:
        """Send FIN, or under TLS close_notify, which the other end has some time to answer."""
        if self.hung_up:
            return
        self.hung_up = True
        self.world.send(self.name, "NOTIFY" if self.tls else "FIN")
        if self.tls:
            patience = self.peer.close_timeout if self.name == "server" else None
            self.at(self.world.now + (SHUTDOWN if patience is None else patience), self.drop)

    def drop(self) -> None:
        if self.lost:
            return
        if any(item.weight for item in self.mail):  # closed with bytes unread: TCP resets
            self.world.reset(self.name)
        elif self.tls or not self.hung_up:
            self.world.send(self.name, "FIN")
        self.break_off()
        self.world.left(self.name)

    def break_off(self) -> None:
        """The connection is gone: CLOSED, and whoever awaits recv() or send() is told."""
        self.hung_up = True
        self.enter("CLOSED")
        self.lost = True
        if self.peer.reads:
            self.tell("recv")
        for act in [act for act, waits in self.talking.items() if waits]:
            self.tell_send(act)

    def tell(self, call: str) -> None:
        """A call of the application raises."""
        data = exception(self.sent, self.received, self.answered)
        self.world.see(self.name, "raised", awaiting=call, **data)

    # what arrives

    def receive(self, item: Item) -> None:
        if self.lost:
            if item.opcode not in ("FIN", "RST"):
                self.world.reset(self.name)
        elif item.opcode == "RST":
            self.break_off()
        elif item.opcode in ("FIN", "NOTIFY"):
            if item.opcode == "NOTIFY":
                self.hang_up()
            self.drop()
        elif self.tls and self.hung_up:  # OpenSSL: application data after close notify
            self.at(self.world.now, self.drop, ARRIVAL)
        elif self.deaf:
            return
        elif item.opcode == "PING":
            self.world.send(self.name, "PONG", answers=item)
        elif item.opcode == "PONG":
            self.hear_pong(item)
        elif item.opcode == "BINARY":
            self.take_in()
        elif item.code is not None:
            self.hear_close(item.code, item.reason)

    def hear_close(self, code: int, reason: str) -> None:
        """Answer a CLOSE with the same code; the server closes TCP first (RFC 6455 §5.5.1)."""
        self.received, self.heard_at = (code, reason), self.world.now
        if self.state == "OPEN":
            self.answered = True
            self.close(code, reason)
        self.deaf = True
        if self.name == "server":
            self.hang_up()
