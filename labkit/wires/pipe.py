"""One direction of a wire, without any I/O: what goes in, when it may come out, and whether.

A pipe decides what becomes of bytes and moves none. The wires put in what an end has sent
(``push``), and take out what has arrived (``head``, ``advance``), always saying what time it is; so
the same pipe serves real sockets in real time and memory in virtual time. The model is TCP behind a
router: a stream in order, that a cut delays and never damages. Times stand on a grid of 1 ns.

     9 s  cut                 what is due from now on waits
    12 s  push(12, ping)      due at 12: stuck
    14 s  heal                due again at 14 + latency
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from .effects import Effect, shape

EOF = b""  # an item: the sender has closed its half of the connection (FIN)
RESET = None  # an item: the sender's connection is gone (RST); TCP sends it once only

Waiting = tuple[float, "bytes | None"]  # when it is due (s), and what


class Pipe:
    """A queue of (due time in s, item) in the order of the stream, of ``capacity`` bytes."""

    __slots__ = (  # a fleet has 20,000 of them
        "latency", "capacity", "waiting", "silent", "finished", "effects", "queue", "touched",
        "on_push", "on_arrive",
    )  # fmt: skip

    def __init__(self, latency: float = 0.0, capacity: int = 2**18) -> None:
        self.latency = latency
        self.capacity = capacity
        self.waiting = 0  # bytes inside
        self.silent: tuple[object, ...] = ()  # what silences it: cuts that hold, and a forgetting
        self.finished = ""  # "fin" or "rst", of a box in the middle: what is sent now goes nowhere
        self.effects: tuple[Effect, ...] = ()  # in the order in which they are met
        # a deque, which takes 760 bytes, only while there is something in it
        self.queue: deque[Waiting] | tuple[Waiting, ...] = ()
        self.touched = 0.0  # when something was last put in (s)
        self.on_push: Callable[[float, bytes | None], None] | None = None
        self.on_arrive: Callable[[float, bytes | None, int], None] | None = None

    @property
    def room(self) -> int:
        """How many more bytes it takes now."""
        left = self.capacity - self.waiting
        return left if left > 0 else 0

    def push(self, now: float, item: bytes | None) -> None:
        """Put bytes, EOF or RESET in at ``now`` (s)."""
        if item is RESET and self.silent and not self.finished:
            self.forget()  # nobody repeats an RST, and TCP forgets what it could not send
            return
        self.touched = now
        if self.on_push:
            self.on_push(now, item)
        if self.finished:
            return
        if not self.effects:
            self._put(now, item)
            return
        for when, piece in shape(self.effects, now, item):
            self._put(when, piece)

    def _put(self, when: float, item: bytes | None) -> None:
        """Into the queue, behind everything that came before."""
        due, queue = round(when + self.latency, 9), self.queue
        if isinstance(queue, deque):
            queue.append((max(due, queue[-1][0]), item))
        else:
            self.queue = deque(((due, item),))
        if item:
            self.waiting += len(item)

    def due(self) -> float | None:
        """When the next item may come out (s); None if there is none, or if the pipe is silent."""
        return self.queue[0][0] if self.queue and not self.silent else None

    def ready(self, now: float) -> bool:
        """Whether an item has arrived by ``now`` (s)."""
        queue = self.queue
        return len(queue) > 0 and not self.silent and queue[0][0] <= now

    def head(self) -> bytes | None:
        """The next item; ask only when :meth:`ready`."""
        return self.queue[0][1]

    def advance(self, now: float, count: int) -> None:
        """Take ``count`` bytes off the head, or all of it if it is an EOF or RESET."""
        queue = self.queue
        assert isinstance(queue, deque), "nothing has arrived"
        due, item = queue.popleft()
        if item:
            self.waiting -= count
            if count < len(item):
                queue.appendleft((due, item[count:]))
        if not queue:
            self.queue = ()
        if self.on_arrive:
            self.on_arrive(now, item, count)

    def cut(self, by: object) -> None:
        """Begin a silence: what is due from now on waits, until whoever silences it heals it."""
        self.silent += (by,)

    def heal(self, now: float, by: object) -> None:
        """End its silence at ``now`` (s).

        If nothing else silences the pipe, what was due arrives one latency later; an RST does not.
        """
        if not self.silent:
            return
        self.silent = tuple(other for other in self.silent if other is not by)
        if self.silent:
            return
        again = round(now + self.latency, 9)
        kept = [(due, item) for due, item in self.queue if item is not RESET or due >= now]
        latest = again if any(due < now for due, _ in kept) else 0.0
        kept = [(max(due, latest) if due >= now else again, item) for due, item in kept]
        self.queue = deque(kept) if kept else ()

    def finish(self, now: float, item: bytes | None, delay: float = 0.0) -> None:
        """End the stream from the middle, with EOF or RESET.

        What is on its way arrives before, what a cut holds never does. A reset also ends what has
        been hung up. Neither waits for a FIN that would arrive later.
        """
        word = "rst" if item is RESET else "fin"
        if self.finished in (word, "rst"):
            return
        if self.silent:
            self.forget()
            self.silent = ()
        if isinstance(self.queue, deque) and self.queue[-1][1] in (EOF, RESET):
            (due, last), own = self.queue[-1], round(now + delay + self.latency, 9)
            if last is RESET or item == EOF and due <= own:
                return
            if due > own:
                self.queue.pop()
                self.queue = self.queue or ()
        self._put(now + delay, item)
        self.finished = word

    def forget(self) -> None:
        """Drop everything that waits."""
        self.queue = ()
        self.waiting = 0
