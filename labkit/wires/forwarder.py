"""What stands between the ends on the loopback wire: socket, pipe, socket.

A connection has two halves, one for each direction, in the loop of the wire's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time

from .pipe import EOF, RESET, Pipe

CHUNK = 2**16  # bytes a read
ANSWER = 0.005  # s; a reset is not back before its asker is done with what it does at once
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


class Half:
    """One direction of one connection: from ``source`` into the pipe, and out of it to ``sink``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pipe: Pipe,
        source: socket.socket,
        sink: socket.socket,
    ) -> None:
        self.loop, self.pipe = loop, pipe
        self.source, self.sink = source, sink
        self.back: Half  # the other direction
        self.reading = self.writing = False
        self.ended = False  # the source has said its last
        self.broken = False  # the sink takes nothing any more: what comes for it goes nowhere
        self.timer: asyncio.TimerHandle | None = None

    def readable(self) -> None:
        """The source has sent bytes, EOF or RESET."""
        item: bytes | None
        try:
            item = self.source.recv(min(CHUNK, self.pipe.room))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            item = RESET
        self.ended = not item
        self.pipe.push(time.monotonic(), item)
        self.flow()

    def flow(self) -> None:
        """Write what has arrived; come back when more is due, or when there is room again."""
        now, stopped = time.monotonic(), False
        if self.pipe.sender is not None:
            self.pipe.sender.ring(now)
        while self.pipe.ready(now) and not stopped:
            item = self.pipe.head()
            count = self.write(item)
            stopped = count < len(item or b"")
            if count or not item:
                self.pipe.advance(now, count)
        self.watch_source(not self.ended and self.pipe.room > 0)
        self.watch_sink(stopped)
        self.come_back(now)
        if self.pipe.sender is not None:
            self.back.watch_source(not self.back.ended and self.back.pipe.room > 0)
            self.back.come_back(now)

    def write(self, item: bytes | None) -> int:
        """Give the sink one item; returns how many bytes of it are done with."""
        if self.broken:
            if item:
                self.refused()
            return len(item or b"")
        if item is RESET:
            self.reset()
        elif item == EOF:
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)
        else:
            try:
                count = self.sink.send(item)
            except (BlockingIOError, InterruptedError):
                return 0
            except OSError:
                self.refused()
                return len(item or b"")
            if self.back.ended and self.sink.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.refused()  # the sink had closed already, and its kernel answered with a reset
            return count
        return 0

    def refused(self) -> None:
        """The sink is gone, and answers what comes with a reset, which goes back to the source."""
        self.broken = True
        if self.back.ended:
            self.back.pipe.push(time.monotonic() + ANSWER, RESET)
            self.loop.call_soon(self.back.flow)

    def reset(self) -> None:
        """Close the sink with a reset; the other direction has lost its source."""
        self.broken = self.back.ended = True
        self.watch_sink(False)
        self.back.watch_source(False)
        self.back.watch_sink(False)
        self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.sink.close()

    def watch_source(self, wanted: bool) -> None:
        if wanted != self.reading:
            self.reading = wanted
            if wanted:
                self.loop.add_reader(self.source, self.readable)
            else:
                self.loop.remove_reader(self.source)

    def watch_sink(self, wanted: bool) -> None:
        if wanted != self.writing:
            self.writing = wanted
            if wanted:
                self.loop.add_writer(self.sink, self.flow)
            else:
                self.loop.remove_writer(self.sink)

    def come_back(self, now: float) -> None:
        """Set the timer to the next arrival."""
        if self.timer:
            self.timer.cancel()
        due = self.pipe.due()
        if due is not None and due <= now and self.writing:
            due = None  # the sink says when it can take more
        if self.pipe.sender is not None and (alarm := self.pipe.sender.alarm()) is not None:
            due = alarm if due is None else min(due, alarm)
        self.timer = None if due is None else self.loop.call_at(due, self.flow)

    def close(self) -> None:
        """Stop, and close the source; the other direction closes the sink."""
        self.watch_source(False)
        self.watch_sink(False)
        if self.timer:
            self.timer.cancel()
        self.source.close()
