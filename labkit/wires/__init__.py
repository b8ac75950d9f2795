"""Wires carry bytes between two ends and can be hurt. They know nothing of WebSocket.

``Wire`` holds what all of them share: the connections made over it, two pipes each, and what a fault does to pipes. How bytes
get into a pipe and out of it is the business of each wire:

    virtual.py    memory sockets under a clock that jumps
    loopback.py   real TCP on 127.0.0.1, real time, a forwarder in between
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from ..faults import Act, Cut
from ..pipe import Pipe

FLOW = {"server": "to_client", "client": "to_server"}  # who sends into which pipe
CAPACITY = 2**18  # bytes a direction swallows before the sender feels a cut, unless Peer.buffer says otherwise


class Tap(Protocol):
    """Who listens on the wire. Times are those of the wire's clock (s); data is bytes, EOF (b"") or RESET (None)."""

    def sent(self, conn: int, sender: str, now: float, data: bytes | None) -> None: ...

    def arrived(self, conn: int, sender: str, now: float, data: bytes | None, count: int) -> None: ...


Program = Callable[[Any], Coroutine[Any, Any, None]]  # what an end does, given its socket


class Wire:
    """The pipes of every connection, and the faults in force."""

    name = "?"
    clock = "?"
    grace = 0.0  # s for which the end of a run must hold before it is believed

    def __init__(self, latency: float, buffers: dict[str, int | None]) -> None:
        self.latency = latency
        self.buffers = buffers  # bytes, by end
        self.pipes: list[dict[str, Pipe]] = []  # one dict a connection, by sender
        self.silent = {"server": False, "client": False}  # by sender
        self.tap: Tap | None = None

    def now(self) -> float:
        """The time on this wire's clock (s)."""
        raise NotImplementedError

    def lay(self) -> tuple[int, dict[str, Pipe]]:
        """The pipes of one more connection, and its number (from 1); a fault in force holds for it too."""
        pipes = {sender: Pipe(self.latency, self.capacity(sender)) for sender in FLOW}
        self.pipes.append(pipes)
        number = len(self.pipes)
        for sender, pipe in pipes.items():
            pipe.silent = self.silent[sender]
            if self.tap:
                self._listen(pipe, number, sender, self.tap)
        return number, pipes

    def capacity(self, sender: str) -> int:
        """Bytes that may wait between ``sender`` and the other end."""
        return self.buffers[sender] or CAPACITY

    def _listen(self, pipe: Pipe, number: int, sender: str, tap: Tap) -> None:
        pipe.on_push = lambda now, item: tap.sent(number, sender, now, item)
        pipe.on_arrive = lambda now, item, count: tap.arrived(number, sender, now, item, count)

    def do(self, act: Act, step: str) -> None:
        """Begin or end a fault on every connection, now."""
        if not isinstance(act, Cut):
            raise ValueError(f"the {self.name} wire cannot do {act!r}: it can do Cut")
        now = self.now()
        for sender, direction in FLOW.items():
            if not act.silences(direction):
                continue
            self.silent[sender] = step == "begin"
            for pipes in self.pipes:
                pipes[sender].cut(now) if step == "begin" else pipes[sender].heal(now)
        self.moved()

    def moved(self) -> None:
        """Something may arrive earlier or later than it was thought: look again."""
        raise NotImplementedError

    def travelling(self) -> bool:
        """Whether anything is on its way and will arrive."""
        now = self.now()
        return any((due := pipe.due()) is not None and due > now for pipes in self.pipes for pipe in pipes.values())
