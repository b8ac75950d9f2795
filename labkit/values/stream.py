"""One direction of a TCP connection over a wire that can fall silent, without any I/O.

A Stream is what is on its way: what goes in comes out a latency later, in order. What is due while
the stream is silent is lost, and its sender's TCP sends it again; a Sender knows when (tcp.py), and
what else follows. The wires (as pipes, of bytes) and theory (of frames) share both:

     9 s     silence begins
    12 s     a ping is sent, and lost: from here on TCP counts
    12.21 …  tried again, in vain (12.42, 12.84)
    13 s     silence ends; nothing happens
    13.68    tried again: it arrives; what waited behind it follows when it is acknowledged

Acknowledgements need the way back. They wait 40 ms for something to go with: any segment from the
other end acknowledges what has arrived there. Where only the way back is silent, what is sent
arrives, and TCP tries it again all the same; from the second try on it sends nothing new.

Simpler than a kernel: no loss but silence, no congestion window before one, and every
acknowledgement of something new is a delayed one. The round trip is twice the wire's latency,
whatever a Delay adds; of more than 0.1 s Linux's timeout also depends on how often it has measured
it. Of what is not acknowledged when the way back falls silent, the last that arrived counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

from .segments import HELD, Entry
from .sender import NEVER, Sender
from .tcp import Tcp


class Stream:
    """A queue of (due time in s, item) in the order in which they were sent."""

    __slots__ = ("latency", "silent", "queue", "arrived", "sender")  # a fleet has 20,000 of them

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.silent: tuple[object, ...] = ()  # what silences it: cuts that hold, and a forgetting
        # a deque, which takes 760 bytes, only while there is something in it
        self.queue: deque[Entry] | tuple[Entry, ...] = ()
        self.arrived = -NEVER  # when something last came out (s)
        self.sender: Sender | None = None  # from the first silence of either direction on

    @staticmethod
    def is_reset(item: Any) -> bool:
        """Whether an item is an RST, which nobody sends again."""
        return item is None

    @staticmethod
    def size(item: Any) -> int:
        """How many bytes an item has."""
        return len(item or b"")

    def put(self, when: float, item: Any) -> None:
        """An item leaves at ``when`` (s), behind everything that came before."""
        due, queue = round(when + self.latency, 9), self.queue
        if self.sender is not None:
            due = self.sender.due(when, due)
            queue = self.queue
        if isinstance(queue, deque):
            queue.append((max(due, queue[-1][0]), item))
        else:
            self.queue = deque(((due, item),))

    def due(self) -> float | None:
        """When the next item may come out (s).

        None if there is none, if the stream is silent, or if nobody knows yet.
        """
        if not self.queue or self.silent or self.queue[0][0] >= HELD:
            return None
        return self.queue[0][0]

    def ready(self, now: float) -> bool:
        """Whether an item has arrived by ``now`` (s)."""
        queue = self.queue
        return len(queue) > 0 and not self.silent and queue[0][0] <= now

    def take(self, now: float) -> Any:
        """Take out the next item, at ``now`` (s); ask only when :meth:`ready`."""
        queue = self.queue
        assert isinstance(queue, deque), "nothing has arrived"
        _, item = queue.popleft()
        if not queue:
            self.queue = ()
        self.arrived = now
        return item

    def cut(self, now: float, by: object) -> None:
        """Begin a silence at ``now`` (s), until whoever silences it heals it; it has a sender."""
        assert self.sender is not None
        if not self.silent:
            self.sender.fall_silent(now)
        self.silent += (by,)

    def heal(self, now: float, by: object) -> None:
        """End its silence at ``now`` (s): if it was the last one, TCP's next try will succeed."""
        if self.silent and self.sender is not None:
            self.silent = tuple(other for other in self.silent if other is not by)
            if not self.silent:
                self.sender.heal(now)

    def drop_held(self) -> None:
        """Drop what is not on its way: TCP sends nothing again any more."""
        if self.sender is not None:
            lost = self.sender.hole
            kept = [] if lost else [entry for entry in self.queue if entry[0] < HELD]
            self.sender.gone = self.sender.gone or len(kept) < len(self.queue)
            self.queue = deque(kept) if kept else ()
            self.sender.rest()

    def forget(self) -> None:
        """Drop everything that waits."""
        self.queue = ()
        if self.sender is not None:
            self.sender.rest()


class Host(Protocol):
    """Who runs a sender, as the sender knows it: a wire, or theory."""

    def gave_up(self, sender: Sender, reset: bool) -> None:
        """Its connection is lost: ETIMEDOUT, if its program has not closed it.

        After probes in vain the other end is told by a ``reset``, as far as it can be.
        """

    def answers(self, sender: Sender, again: bool) -> bool:
        """Whether the other end has a connection and acknowledges what comes.

        Otherwise it resets what comes ``again``.
        """

    def tried(self, sender: Sender, when: float, number: int, through: bool) -> None:
        """A segment was sent again at ``when`` (s), for the so-manieth time (from 1)."""

    def probed(self, sender: Sender, when: float, number: int) -> None:
        """An idle connection was probed at ``when`` (s), for the so-manieth time in vain."""


def join(streams: Mapping[str, Stream], tcp: Mapping[str, Tcp], host: Host, conn: int) -> None:
    """Give senders to both directions of a connection, by the end that sends."""
    senders = []
    for end, stream in streams.items():
        retries = tcp[end].retries_at(2 * stream.latency)
        stream.sender = Sender(stream, retries, host, conn, end)
        senders.append(stream.sender)
    senders[0].far, senders[1].far = senders[1], senders[0]
