"""One direction of a wire, without any I/O: what goes in, when it may come out, and whether it may at all.

A pipe decides the fate of bytes and moves none. The wires put in what an end has sent (``push``), and take out what
has arrived (``head``, ``advance``), always saying what time it is; so the same pipe serves real sockets in real time and
memory under a clock that jumps. It knows nothing of WebSocket. The model is TCP behind a router: a stream in order, that
a cut delays and never damages. Times stand on a grid of 1 ns.

     9 s  cut                 what is due from now on waits
    12 s  push(12, ping)      due at 12: stuck
    14 s  heal                due again at 14 + latency
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

EOF = b""  # an item: the sender has closed its half of the connection (FIN)
RESET = None  # an item: the sender's connection is gone (RST); TCP sends it once only


class Pipe:
    """A queue of (due time in s, item) in the order of the stream; ``capacity`` (bytes) bounds what waits in it."""

    def __init__(self, latency: float = 0.0, capacity: int = 2**18) -> None:
        self.latency = latency
        self.capacity = capacity
        self.waiting = 0  # bytes inside
        self.silent = False
        self.queue: deque[tuple[float, bytes | None]] = deque()
        self.on_push: Callable[[float, bytes | None], None] | None = None
        self.on_arrive: Callable[[float, bytes | None, int], None] | None = None

    @property
    def room(self) -> int:
        """How many more bytes it takes now."""
        return max(0, self.capacity - self.waiting)

    def push(self, now: float, item: bytes | None) -> None:
        """Put bytes, EOF or RESET in at ``now`` (s)."""
        if item is RESET and self.silent:
            self.queue.clear()  # TCP forgets what it could not send, and nobody repeats an RST:
            self.waiting = 0  # the peer learns at its next send
            return
        if self.on_push:
            self.on_push(now, item)
        self.queue.append((round(now + self.latency, 9), item))
        if item:
            self.waiting += len(item)

    def due(self) -> float | None:
        """When the next item may come out (s); None if there is none, or if the pipe is silent."""
        return self.queue[0][0] if self.queue and not self.silent else None

    def ready(self, now: float) -> bool:
        """Whether an item has arrived by ``now`` (s)."""
        return bool(self.queue) and not self.silent and self.queue[0][0] <= now

    def head(self) -> bytes | None:
        """The next item; ask only when :meth:`ready`."""
        return self.queue[0][1]

    def advance(self, now: float, count: int) -> None:
        """Take ``count`` bytes off the head, or all of it if it is an EOF or RESET."""
        due, item = self.queue.popleft()
        if item:
            self.waiting -= count
            if count < len(item):
                self.queue.appendleft((due, item[count:]))
        if self.on_arrive:
            self.on_arrive(now, item, count)

    def cut(self, now: float) -> None:
        """Begin a silence at ``now`` (s): what is due from now on waits."""
        self.silent = True

    def heal(self, now: float) -> None:
        """End the silence at ``now`` (s): what was due in it arrives one latency later, an RST not at all."""
        self.silent = False
        again = round(now + self.latency, 9)
        kept = [(due, item) for due, item in self.queue if item is not RESET or due >= now]
        latest = again if any(due < now for due, _ in kept) else 0.0
        self.queue = deque((max(due, latest) if due >= now else again, item) for due, item in kept)
