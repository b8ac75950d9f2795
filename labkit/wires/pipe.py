"""One direction of a wire, without any I/O: what goes in, when it may come out, and whether.

A pipe decides what becomes of bytes and moves none. The wires put in what an end has sent
(``push``), and take out what has arrived (``head``, ``advance``), always saying what time it is; so
the same pipe serves real sockets in real time and memory in virtual time. The model is TCP behind a
router (values/stream.py): a stream in order, that a cut delays and never damages. Times stand on a
grid of 1 ns.

     9 s     cut                 what is due from now on is lost
    12 s     push(12, ping)      due at 12: lost, and tried again at 12.21, 12.42, 12.84
    13 s     heal                due at 13.68, the next try, + latency
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..values.stream import Stream
from .effects import Effect, shape

EOF = b""  # an item: the sender has closed its half of the connection (FIN)
RESET = None  # an item: the sender's connection is gone (RST); TCP sends it once only


class Pipe(Stream):
    """A stream of items, bytes of which there is room for ``capacity``."""

    __slots__ = (  # a fleet has 20,000 of them
        "capacity", "waiting", "finished", "effects", "touched", "on_push", "on_arrive",
    )  # fmt: skip

    def __init__(self, latency: float = 0.0, capacity: int = 2**18) -> None:
        super().__init__(latency)
        self.capacity = capacity
        self.waiting = 0  # bytes inside
        self.finished = ""  # "fin" or "rst", of a box in the middle: what is sent now goes nowhere
        self.effects: tuple[Effect, ...] = ()  # in the order in which they are met
        self.touched = 0.0  # when something was last put in (s)
        self.on_push: Callable[[float, bytes | None], None] | None = None
        self.on_arrive: Callable[[float, bytes | None, int], None] | None = None

    @property
    def room(self) -> int:
        """How many more bytes it takes now: those that are not acknowledged take room, too."""
        left = self.capacity - self.waiting
        if self.sender is not None:
            left -= self.sender.waiting
        return left if left > 0 else 0

    def push(self, now: float, item: bytes | None) -> None:
        """Put bytes, EOF or RESET in at ``now`` (s)."""
        if item is RESET and self.queue and self.queue[-1][1] is RESET:
            return
        if item is RESET and not self.finished:
            self.drop_held()  # TCP forgets what it could not send
            if self.silent:
                self.forget()  # and nobody repeats an RST
                return
        self.touched = now
        if self.on_push:
            self.on_push(now, item)
        if self.finished or item is not RESET and self.sender is not None and self.sender.gone:
            return
        if not self.effects:
            self._put(now, item)
            return
        for when, piece in shape(self.effects, now, item):
            self._put(when, piece)

    def _put(self, when: float, item: bytes | None) -> None:
        self.put(when, item)
        if item:
            self.waiting += len(item)

    def head(self) -> bytes | None:
        """The next item; ask only when :meth:`ready`."""
        return self.queue[0][1]

    def advance(self, now: float, count: int) -> None:
        """Take ``count`` bytes off the head, or all of it if it is an EOF or RESET."""
        due, item = self.queue[0][0], self.take(now)
        if item:
            self.waiting -= count
            if count < len(item):
                self.queue = deque(((due, item[count:]), *self.queue))
        if self.sender is not None:
            self.sender.arrive(now, count, item)
        if self.on_arrive:
            self.on_arrive(now, item, count)

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
        self.drop_held()
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
        super().forget()
        self.waiting = 0

    def drop_held(self) -> None:
        super().drop_held()
        self.waiting = sum(len(item or EOF) for _, item in self.queue)
