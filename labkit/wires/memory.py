"""Sockets in memory, with a pipe for each direction, as asyncio's transports know them of TCP.

Every call answers as Linux does, and tests/test_memory.py compares. The rules, by what has
happened:

    reset         what came before can be read, then ECONNRESET once (EPIPE if FIN came first)
    closed        FIN, and RST for what comes later; with bytes unread or SO_LINGER 0, RST at once
    shut down     after SHUT_RDWR what comes later resets both ends; after SHUT_RD it can be read
    gone          reset, or FIN both ways: send() is EPIPE, shutdown() and getpeername() ENOTCONN
    not accepted  reset, as the listener is closed

Where they are not like Linux: there are no packets, what TCP tries again after a silence is a model
(values/sender.py), and an end knows at once that its FIN has arrived. Buffers are
bounded by bytes alone, so a cut builds backpressure; there is room again with the first byte, and
an RST waits behind bytes that there is no room for. A backlog is endless, connect() succeeds at
once, a listener can only be dialled, accepted from and closed, and of all options only SO_ERROR
and SO_LINGER 0 mean anything.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
from collections import deque
from typing import Any, NoReturn, Protocol

from .pipe import EOF, RESET, Pipe


class Mover(Protocol):
    """The wire, as its sockets know it."""

    def push(self, pipe: Pipe, item: bytes | None) -> None: ...

    def deliver(self, pipe: Pipe) -> None: ...

    def refuse(self, pipe: Pipe) -> None: ...

    def left(self, pipe: Pipe) -> None: ...


def fail(code: int) -> NoReturn:
    """Raise the OSError of this errno."""
    raise OSError(code, os.strerror(code))


class Descriptor:
    """An open file of the network: its number, its name, and the selector that watches it."""

    __slots__ = ("fd", "name", "selector", "closed")
    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(self, fd: int, name: tuple[str, int]) -> None:
        self.fd, self.name = fd, name
        self.selector: Any = None
        self.closed = False

    def wake(self) -> None:
        """Something has changed: the selector that watches this, if any, has to ask again."""
        if self.selector is not None and self.fd in self.selector.keys:
            self.selector.hot[self.fd] = None

    def check(self) -> None:
        if self.closed:
            fail(errno.EBADF)

    def fileno(self) -> int:
        return -1 if self.closed else self.fd

    def getsockname(self) -> tuple[str, int]:
        self.check()
        return self.name

    def setblocking(self, flag: bool) -> None:
        pass

    def gettimeout(self) -> float:
        return 0.0


class MemorySocket(Descriptor):
    """One end of a connection in memory: it sends into the pipe ``out``.

    The wire calls ``receive`` with what arrives through the pipe ``into``.
    """

    __slots__ = (  # a fleet has 20,000 of them
        "peer", "out", "into", "wire", "capacity", "inbox", "ended", "done", "deaf", "dead",
        "error", "linger", "far",
    )  # fmt: skip

    def __init__(
        self,
        fd: int,
        name: tuple[str, int],
        peer: tuple[str, int],
        out: Pipe,
        into: Pipe,
        wire: Mover,
        capacity: int,
    ) -> None:
        super().__init__(fd, name)
        self.peer = peer
        self.out, self.into = out, into
        self.wire = wire  # moves what is sent, and what there is room for again
        self.capacity = capacity  # bytes
        self.inbox = bytearray()
        self.ended = False  # FIN has arrived
        self.done = False  # FIN has been sent
        self.deaf = False  # shutdown(SHUT_RD), or closed
        self.dead = False  # RST has been sent or has arrived
        self.error = 0  # an errno, to be told once
        self.linger = False
        self.far: MemorySocket  # the other end's socket, set by the wire

    @property
    def gone(self) -> bool:
        """Whether TCP has no connection any more (CLOSED, TIME-WAIT)."""
        return self.dead or (self.ended and self.done and self.far.ended)

    # what arrives

    @property
    def room(self) -> int:
        left = self.capacity - len(self.inbox)
        return left if left > 0 else 0

    @property
    def is_full(self) -> bool:
        """Whether it takes no bytes now; one that is dead or closed resets them."""
        return not self.room and not (self.dead or self.done and self.deaf)

    def receive(self, item: bytes | None) -> int:
        """Take in what has arrived; returns how many bytes of it."""
        if item is RESET:
            self._die(errno.EPIPE if self.ended and not self.done else errno.ECONNRESET)
        elif self.dead or (item and self.done and self.deaf):  # for nobody: TCP resets
            self.wire.refuse(self.out)
            self._die(errno.ECONNRESET)
        elif item == EOF:
            self.ended = True
        else:
            item = item[: self.room]
            self.inbox += item
        self.wake()
        return len(item or b"")

    def _die(self, error: int) -> None:
        if not self.gone:
            self.dead, self.error = True, error

    def give_up(self) -> None:
        """Its own TCP has tried again for long enough, in vain."""
        self._die(errno.ETIMEDOUT)
        self.wake()

    def poll(self) -> int:
        """What a selector would say: readable, writable."""
        if self.closed:
            return 0
        read = selectors.EVENT_READ if self.inbox or self.ended or self.deaf or self.dead else 0
        write = selectors.EVENT_WRITE if self.done or self.dead or self.out.room else 0
        return read | write

    # what asyncio calls

    def send(self, data: Any) -> int:
        self.check()
        self._tell()
        if self.done or self.dead:
            fail(errno.EPIPE)
        if not data:
            return 0
        room = self.out.room
        if not room:
            fail(errno.EAGAIN)
        chunk = bytes(data if len(data) <= room else memoryview(data)[:room])
        self.wire.push(self.out, chunk)
        return len(chunk)

    def sendmsg(self, buffers: Any) -> int:
        return self.send(b"".join(buffers))

    def recv(self, size: int) -> bytes:
        if not size:  # Python asks no kernel then
            return b""
        self.check()
        if not self.inbox:
            if not self.ended:
                self._tell()
                if not (self.deaf or self.dead):
                    fail(errno.EAGAIN)
            return b""
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
        self.check()
        if self.gone:
            fail(errno.ENOTCONN)
        self.deaf = self.deaf or how != socket.SHUT_WR
        if how != socket.SHUT_RD and not self.done:
            self.done = True
            self.wire.push(self.out, EOF)
        self.wake()

    def close(self) -> None:
        if self.closed:
            return
        if not self.gone:
            if self.inbox or self.linger:
                self.dead = True
                self.wire.push(self.out, RESET)
            elif not self.done:
                self.wire.push(self.out, EOF)
        self.closed = self.done = self.deaf = True
        self.inbox.clear()
        self.wire.left(self.out)

    def setsockopt(self, level: int, option: int, value: Any, *rest: Any) -> None:
        self.check()
        if (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER):
            on, seconds = struct.unpack("ii", value)
            self.linger = bool(on) and seconds == 0

    def getsockopt(self, level: int, option: int, *rest: Any) -> int:
        self.check()
        if (level, option) != (socket.SOL_SOCKET, socket.SO_ERROR):
            return 0
        error, self.error = self.error, 0
        return error

    def getpeername(self) -> tuple[str, int]:
        self.check()
        if self.gone:
            fail(errno.ENOTCONN)
        return self.peer

    def _tell(self) -> None:
        if self.error:
            error, self.error = self.error, 0
            fail(error)


class MemoryListener(Descriptor):
    """A listening socket in memory: connections that were dialled wait here for accept()."""

    def __init__(self, fd: int, name: tuple[str, int]) -> None:
        super().__init__(fd, name)
        self.pending: deque[MemorySocket] = deque()
        self.open = False  # can be dialled

    def add(self, sock: MemorySocket) -> None:
        """Somebody has dialled."""
        self.pending.append(sock)
        self.wake()

    def poll(self) -> int:
        """What a selector would say: of a socket that is not connected, until it listens."""
        if not self.open:
            return 0 if self.closed else selectors.EVENT_READ | selectors.EVENT_WRITE
        return selectors.EVENT_READ if self.pending else 0

    def accept(self) -> tuple[MemorySocket, tuple[str, int]]:
        if not self.open:
            fail(errno.EBADF if self.closed else errno.EINVAL)
        if not self.pending:
            fail(errno.EAGAIN)
        sock = self.pending.popleft()
        return sock, sock.peer

    def listen(self, backlog: int) -> None:
        self.check()
        self.open = True

    def close(self) -> None:
        self.open, self.closed = False, True
        while self.pending:  # nobody will accept them
            sock = self.pending.popleft()
            sock.linger = True
            sock.close()
