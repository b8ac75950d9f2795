"""Sockets in memory, with a pipe for each direction: what asyncio's own transports need to believe in TCP.

Where they are like Linux: buffers are bounded, so a cut builds backpressure; closing with unread bytes, or with SO_LINGER 0, resets
the peer; the first send after the peer has closed brings a reset back, the next one fails with EPIPE; bytes that arrived
before a reset can still be read. Where they are not: there are no packets, no retransmissions and no acknowledgements, so
healing takes effect at once; and connect() succeeds at once.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
from collections import deque
from typing import Any, Protocol

from ..pipe import EOF, RESET, Pipe


class Mover(Protocol):
    """The wire, as its sockets know it."""

    def push(self, pipe: Pipe, item: bytes | None) -> None: ...

    def deliver(self, pipe: Pipe) -> None: ...

    def refuse(self, pipe: Pipe) -> None: ...


class MemorySocket:
    """One end of a connection in memory: ``out`` is the pipe it sends into; the wire calls ``receive`` with what arrives ``into`` it."""

    __slots__ = (  # a fleet has 20,000 of them
        "fd", "name", "peer", "out", "into", "wire", "capacity", "inbox", "ended", "error", "broken", "closed", "linger", "selector", "far",
    )  # fmt: skip
    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(self, fd: int, name: tuple[str, int], peer: tuple[str, int], out: Pipe, into: Pipe, wire: Mover, capacity: int) -> None:
        self.fd, self.name, self.peer = fd, name, peer
        self.out, self.into = out, into
        self.wire = wire  # moves what is sent, and what there is room for again
        self.capacity = capacity  # bytes
        self.inbox = bytearray()
        self.ended = False  # FIN has arrived
        self.error: int | None = None  # to be raised by the next call
        self.broken = False  # no more sending: EPIPE
        self.closed = False
        self.linger = False
        self.selector: Any = None
        self.far: MemorySocket  # the other end's socket, set by the wire

    # what arrives

    @property
    def room(self) -> int:
        left = self.capacity - len(self.inbox)
        return left if left > 0 else 0

    def receive(self, item: bytes | None) -> int:
        """Take in what has arrived; returns how many bytes of it."""
        if self.closed:
            if item:
                self.wire.refuse(self.out)  # TCP answers data for nobody with a reset
            return len(item or b"")
        if item is RESET:
            self.error, self.broken = (errno.EPIPE if self.ended else errno.ECONNRESET), True
        elif item == EOF:
            self.ended = True
        else:
            assert item is not None
            item = item[: self.room]
            self.inbox += item
        self.wake()
        return len(item or b"")

    def poll(self) -> int:
        """What a selector would say: readable, writable."""
        read = selectors.EVENT_READ if self.inbox or self.ended or self.error else 0
        write = selectors.EVENT_WRITE if self.broken or self.out.room else 0
        return read | write

    def wake(self) -> None:
        """Something has changed: the selector that watches this socket, if any, has to ask again."""
        if self.selector is not None and self.fd in self.selector.keys:
            self.selector.hot[self.fd] = None

    # what asyncio calls

    def send(self, data: Any) -> int:
        if self.error is not None:
            self._raise()
        if self.broken:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        room = self.out.room
        if not room:
            raise BlockingIOError
        chunk = bytes(data if len(data) <= room else memoryview(data)[:room])
        self.wire.push(self.out, chunk)
        return len(chunk)

    def sendmsg(self, buffers: Any) -> int:
        return self.send(b"".join(buffers))

    def recv(self, size: int) -> bytes:
        if not self.inbox:
            if self.ended:
                return b""
            self._raise()
            raise BlockingIOError
        full = not self.room
        data = bytes(self.inbox[:size])
        del self.inbox[:size]
        if full:
            self.wire.deliver(self.into)  # there may be more
        return data

    def recv_into(self, buffer: Any) -> int:
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def shutdown(self, how: int) -> None:
        if not self.broken:
            self.broken = True
            self.wire.push(self.out, EOF)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self.inbox or self.linger:
            self.wire.push(self.out, RESET)
        elif not self.broken:
            self.wire.push(self.out, EOF)
        self.broken = True
        self.inbox.clear()

    def setsockopt(self, level: int, option: int, value: Any, *rest: Any) -> None:
        if (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER):
            on, seconds = struct.unpack("ii", value)
            self.linger = bool(on) and seconds == 0

    def getsockopt(self, level: int, option: int, *rest: Any) -> int:
        return 0

    def getsockname(self) -> tuple[str, int]:
        return self.name

    def getpeername(self) -> tuple[str, int]:
        return self.peer

    def fileno(self) -> int:
        return self.fd

    def setblocking(self, flag: bool) -> None:
        pass

    def gettimeout(self) -> float:
        return 0.0

    def _raise(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise OSError(error, os.strerror(error))


class MemoryListener:
    """A listening socket in memory: connections that were dialled wait here for accept()."""

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(self, fd: int, name: tuple[str, int]) -> None:
        self.fd, self.name = fd, name
        self.pending: deque[MemorySocket] = deque()
        self.selector: Any = None
        self.open = self.closed = False  # is listened at; is not any more

    def add(self, sock: MemorySocket) -> None:
        """Somebody has dialled."""
        self.pending.append(sock)
        if self.selector is not None and self.fd in self.selector.keys:
            self.selector.hot[self.fd] = None

    def poll(self) -> int:
        return selectors.EVENT_READ if self.pending else 0

    def accept(self) -> tuple[MemorySocket, tuple[str, int]]:
        if not self.pending:
            raise BlockingIOError
        sock = self.pending.popleft()
        return sock, sock.peer

    def listen(self, backlog: int) -> None:
        self.open = True

    def getsockname(self) -> tuple[str, int]:
        return self.name

    def fileno(self) -> int:
        return self.fd

    def setblocking(self, flag: bool) -> None:
        pass

    def close(self) -> None:
        self.open, self.closed = False, True
        while self.pending:  # nobody will accept them
            self.pending.popleft().close()
