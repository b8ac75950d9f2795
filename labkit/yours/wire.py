"""The loopback wire's forwarder, alone: between a port and a server that somebody else has started.

Both ends are other people's processes, so this wire has one thread only, its own. A connection
that has ended both ways is put away at once: a wire may stand for hours.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from ..values.faults import FLOW
from ..wires.loopback import HOST, LoopbackWire


class StandingWire(LoopbackWire):
    """Whoever dials ``port`` is joined with the server at the port ``server``, on 127.0.0.1."""

    name = "standing"

    def __init__(self, port: int, server: int) -> None:
        super().__init__(0.0, dict.fromkeys(FLOW))
        self.port = port
        self.names["server"] = (HOST, server)

    def _open(self) -> None:
        try:
            self._forward(self.port)
        except OSError as problem:
            seen = f"expected a port of {HOST} that is free, seen {self.port}: {problem.strerror}"
            raise OSError(f"{seen}; stop what listens there, or choose another") from None

    def _connect(self, name: str, size: int | None) -> socket.socket:
        try:
            return super()._connect(name, size)
        except OSError:
            host, port = self.names[name]
            self.tell(
                f"nobody listens at {host}:{port}, so a client was hung up on: start it there"
            )
            raise

    def ask(self, do: Callable[..., Any], *args: Any) -> Any:
        """What ``do`` gives in the wire's own thread."""
        return self.threads["wire"].ask(do, *args)

    def put_away(self) -> None:
        """Close the sockets of connections that have ended both ways; in the wire's thread."""
        for number in {number for number, _ in self.ends}:
            both = [self.ends[number, end] for end in FLOW]
            if all(half.ended and not half.pipe.queue for half in both):
                for half in both:
                    half.close()
                    self.halves.remove(half)
                for end in FLOW:
                    del self.ends[number, end]
                self.pipes[number - 1] = {}  # no fault meets it any more
