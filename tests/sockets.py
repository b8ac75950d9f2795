"""The same calls on the kernel's sockets (TCP on 127.0.0.1) and on ours: random steps, two worlds.

A step is (who, call, argument). Who is the listener, or an end of one of up to three connections;
the listener may be asked to listen, dialled, accepted from and closed at any time. The generator
does not know what a call will answer: who does not exist yet answers "nobody", in both worlds.

What is compared after every step: what the call gave or which error it raised, and what a
selector says of every open socket. Both worlds are settled by then. Virtual time settles by
itself. The kernel takes segments in from loopback in the order in which one CPU has sent them, so
a datagram to oneself, from the same CPU, comes back after them; three of them wait for a segment,
for its answer and for the answer to that. Nothing sleeps. Nor can anything wait for a timer:
Nagle is off, and acknowledgements are asked for. (RPS for lo, off unless somebody has set it,
would break that order.)

Left out: full buffers (a connection carries 30 kB here at most; each kernel decides for itself
when there is room again), a full backlog, urgent data, SO_LINGER with seconds, and calls of a
listener that only a connection should get. And any latency: loopback has none, so the pipes of
ours have none.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import selectors
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

from labkit.wires.virtual import VirtualWire

HOST = "127.0.0.1"
PAIRS = 3  # connections of one sequence, at most
READ_WRITE = selectors.EVENT_READ | selectors.EVENT_WRITE
SHUTDOWN = {
    "shutdown(SHUT_RD)": socket.SHUT_RD,
    "shutdown(SHUT_WR)": socket.SHUT_WR,
    "shutdown(SHUT_RDWR)": socket.SHUT_RDWR,
}
TALK = ["send", "send(b'')", "recv", "recv_into"]
ASK = ["poll", "SO_ERROR", "getpeername"]
END = ["close", "SO_LINGER 0", *SHUTDOWN]
LISTENER = ["listen", "dial", "accept", "listener.poll", "listener.close"]
CALLS = [*TALK, *ASK, *END, *LISTENER]
Step = tuple[str, str, int]  # who, call, argument


# the generator


def steps(seed: str) -> list[Step]:
    """A random sequence: mostly of one connection on which both ends talk, or of many dials."""
    dice = random.Random(seed)
    likes = {call: dice.choice([0.3, 1, 1, 3]) for call in [*TALK, *ASK]}
    likes |= {call: dice.choice([0.3, 0.7, 1.1]) for call in END}  # after them there is less to see
    at_listener = dice.choice([0.05, 0.05, 0.5])
    calls: list[str] = []
    if dice.random() < 0.8:
        calls += ["listen", "dial", "accept"]
    for _ in range(dice.randint(3, 30)):
        if "dial" not in calls or dice.random() < at_listener:
            calls.append(dice.choice(LISTENER))
        else:
            calls += dice.choices(list(likes), list(likes.values()))
    dials = Counter[str]()
    found = []
    for call in calls:
        dials[call] += 1
        found.append((who(dice, call, min(dials["dial"], PAIRS)), call, argument(dice, call)))
    return found


def who(dice: random.Random, call: str, connections: int) -> str:
    """The listener, or an end: mostly of the first connection."""
    if call in LISTENER:
        return "listener"
    number = dice.randrange(connections) if dice.random() < 0.3 else 0
    return f"{dice.choice(['client', 'server'])} {number}"


def argument(dice: random.Random, call: str) -> int:
    """Bytes to send or to ask for, a backlog, or whether SO_LINGER is on."""
    if call == "SO_LINGER 0":
        return dice.choice([0, 1, 1, 1])
    if call == "send":
        return dice.choice([1, 2, 10, dice.randint(1, 1000)])
    return 8 if call == "listen" else dice.choice([0, 1, 2, 10, 500, 4000])


def shares(sequences: list[list[Step]]) -> dict[str, float]:
    """Which part of all calls each one is."""
    count = Counter(call for sequence in sequences for _, call, _ in sequence)
    return {call: count[call] / count.total() for call in CALLS}


# the two worlds


class World:
    """A listener that does not listen yet, and the ends of connections by name."""

    def __init__(self) -> None:
        self.listener: Any
        self.ends: dict[str, Any] = {}
        self.names: list[Any] = []  # of the clients
        self.count = 0  # steps

    def dial(self) -> Any:
        raise NotImplementedError

    def settle(self) -> None:
        """Let arrive what is on its way."""
        raise NotImplementedError

    def ready(self) -> dict[str, int]:
        """What a selector says of each open socket."""
        raise NotImplementedError

    def close(self) -> None:
        """Take everything down."""
        raise NotImplementedError

    def open(self) -> Iterator[tuple[str, Any]]:
        for name, sock in [("listener", self.listener), *self.ends.items()]:
            if sock.fileno() >= 0:
                yield name, sock

    def do(self, step: Step) -> tuple[Any, dict[str, int]]:
        """What a step answers, and what is ready when all has arrived."""
        answer = self.answer(*step)
        self.settle()
        return answer, self.ready()

    def answer(self, who: str, call: str, argument: int) -> Any:
        """What a call gives, or the name of the error that it raises."""
        self.count += 1
        try:
            return self.call(who, call, argument)
        except OSError as problem:
            return errno.errorcode.get(problem.errno or 0, repr(problem))

    def call(self, who: str, call: str, argument: int) -> Any:
        if who == "listener":
            return self.call_listener(call, argument)
        return self.call_end(who, call, argument) if who in self.ends else "nobody"

    def call_listener(self, call: str, argument: int) -> Any:
        if call == "listen":
            return self.listener.listen(argument)
        if call == "dial":
            return self.add_client()
        if call == "accept":
            return self.add_server()
        return self.listener.close() if call == "listener.close" else self.ready().get("listener")

    def add_client(self) -> str:
        if len(self.names) == PAIRS:
            return "enough"
        sock = self.dial()
        self.ends[f"client {len(self.names)}"] = sock
        self.names.append(sock.getsockname())
        return "connected"

    def add_server(self) -> str:
        sock, address = self.listener.accept()
        sock.setblocking(False)
        number = self.names.index(address)
        self.ends[f"server {number}"] = sock
        return f"client {number}"

    def call_end(self, who: str, call: str, argument: int) -> Any:
        sock = self.ends[who]
        if call in SHUTDOWN:
            return sock.shutdown(SHUTDOWN[call])
        if call == "send":
            return sock.send(random.Random(self.count).randbytes(argument))
        if call == "send(b'')":
            return sock.send(b"")
        if call == "recv":
            return sock.recv(argument)
        if call == "recv_into":
            buffer = bytearray(argument)
            return sock.recv_into(buffer), bytes(buffer)
        if call == "SO_LINGER 0":
            linger = struct.pack("ii", argument, 0)
            return sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if call == "SO_ERROR":
            return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if call == "getpeername":
            return sock.getpeername() == self.peer(who)
        return sock.close() if call == "close" else self.ready().get(who)

    def peer(self, who: str) -> Any:
        kind, number = who.split()
        return self.address if kind == "client" else self.names[int(number)]

    address: Any  # of the listener


class Memory(World):
    """Ours: the sockets of a virtual wire."""

    def __init__(self, latency: float = 0.0) -> None:
        super().__init__()
        self.wire = VirtualWire(latency, {"server": None, "client": None})
        self.listener, self.address = self.wire.listener, self.wire.address()
        self.keys: dict[int, Any] = {}  # as a loop's selector: told of all, it asks whether there is
        self.hot: dict[int, None] = {}  # something to read where it has been woken up only
        self.dial = self.wire.dial

    def settle(self) -> None:
        self.wire.wait(lambda: True, float("inf"))

    def ready(self) -> dict[str, int]:
        for _, sock in self.open():
            if sock.selector is None:
                sock.selector = self
                self.keys[sock.fd], self.hot[sock.fd] = sock, None
        for fd in [fd for fd in self.hot if not self.keys[fd].poll() & selectors.EVENT_READ]:
            del self.hot[fd]
        return {name: self.says(sock) for name, sock in self.open()}

    def says(self, sock: Any) -> int:
        read = selectors.EVENT_READ if sock.fd in self.hot else 0
        return read | sock.poll() & selectors.EVENT_WRITE

    def close(self) -> None:
        self.wire.close({})


class Kernel(World):
    """The system's: TCP on loopback, as this Linux does it."""

    def __init__(self, probe: socket.socket) -> None:
        super().__init__()
        self.probe = probe
        self.listener = socket.socket()
        self.listener.bind((HOST, 0))
        self.listener.setblocking(False)
        self.address = self.listener.getsockname()

    def dial(self) -> socket.socket:
        sock = socket.socket()
        try:
            sock.connect(self.address)
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    def settle(self) -> None:
        for name, sock in self.open():
            if name != "listener":
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        for _ in range(3):
            self.probe.send(b"?")
            self.probe.recv(1)

    def ready(self) -> dict[str, int]:
        selector = selectors.PollSelector()
        for name, sock in self.open():
            selector.register(sock, READ_WRITE, name)
        said = {key.data: mask for key, mask in selector.select(0)}
        return {name: said.get(name, 0) for name, _ in self.open()}

    def close(self) -> None:
        for _, sock in self.open():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


@contextlib.contextmanager
def kernel() -> Iterator[socket.socket]:
    """A datagram socket that hears itself, in a thread that stays on one CPU: see above."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            probe.connect(probe.getsockname())
            yield probe
    finally:
        os.sched_setaffinity(0, before)


def difference(sequence: list[Step], theirs: World, ours: World) -> str:
    """The steps up to the first that the two worlds answer differently; "" if there is none."""
    told = []
    with contextlib.closing(theirs), contextlib.closing(ours):
        for step in sequence:
            expected, seen = theirs.do(step), ours.do(step)
            told.append(f"  {step[0]:9} {step[1]:19} {step[2]:4}   {expected}")
            if expected != seen:
                return "\n".join([*told, f"  but ours{' ' * 28}{seen}"])
    return ""
