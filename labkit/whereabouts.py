"""Where a connection is blocked, which no log shows: in which await each of its tasks is, and how many bytes wait.

    print(where(websocket))

    OPEN, 65,624 bytes wait in the write buffer (drain() blocks above 32,768)
    keepalive      keepalive → ping → send_context → drain    blocked: the peer takes no bytes, and no timer runs
    Task-7         handler → send → send_context → drain      blocked: the peer takes no bytes, and no timer runs

It takes a connection of asyncio or legacy, of threading (its threads' calls), or a task. It looks, and changes nothing.
Call it in the program that has the connection: from the event loop's own thread, a debugger, a signal handler.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

from .wires.awaits import chain, frame_of, steps

MEANINGS = {  # the innermost call that is known, and what it means
    "drain": "blocked: the peer takes no bytes, and no timer runs",
    "_drain_helper": "blocked: the peer takes no bytes, and no timer runs",
    "sendall": "blocked: the peer takes no bytes",
    "sleep": "asleep",
    "recv": "waits for a message",
    "get": "waits for a message",
    "wait_closed": "waits until the connection is closed",
    "wait_for_connection_lost": "waits until TCP is closed",
    "close_transport": "waits until TCP is closed",
    "ping": "waits for a ping to be sent",
    "send_context": "waits until the connection is closed",
    "keepalive": "waits for the pong",
    "keepalive_ping": "waits for the pong",
    "close": "waits for the closing handshake",
    "recv_into": "waits for bytes",
}
DRAINS = ("drain", "_drain_helper", "sendall")


@dataclass(frozen=True)
class Blocked:
    """One task or thread: its name, the calls it is in (outermost first), and what that means."""

    name: str
    calls: tuple[str, ...]
    means: str

    def __str__(self) -> str:
        return f"{self.name:<14} {' → '.join(self.calls) or 'no call'}    {self.means}"


@dataclass(frozen=True)
class Where:
    """Where a connection's tasks are, and the bytes that wait."""

    state: str | None  # OPEN, …; None: not known
    waiting: int | None  # bytes in the write buffer of the event loop; None: there is none
    limit: int | None  # bytes above which drain() blocks
    sendq: (
        int | None
    )  # bytes that the kernel holds and the peer has not acknowledged (Linux); None: not known
    tasks: tuple[Blocked, ...]

    @property
    def drained(self) -> bool:
        """Whether nothing of it is blocked in drain()."""
        return not any(one.means.startswith("blocked") for one in self.tasks)

    def __str__(self) -> str:
        parts = [self.state or "state unknown"]
        if self.waiting is not None:
            parts.append(
                f"{self.waiting:,} bytes wait in the write buffer"
                + (f" (drain() blocks above {self.limit:,})" if self.limit else "")
            )
        if self.sendq is not None:
            parts.append(f"{self.sendq:,} in the kernel's Send-Q")
        return "\n".join([", ".join(parts), *map(str, self.tasks)])

    __repr__ = __str__


def where(subject: Any) -> Where:
    """Where a connection (asyncio, legacy, threading) or a task is blocked."""
    if isinstance(subject, asyncio.Task):
        return Where(None, None, None, None, (_of_task(subject),))
    loop = getattr(subject, "loop", None)
    if isinstance(loop, asyncio.AbstractEventLoop):
        return _of_loop(subject, loop)
    if hasattr(subject, "recv_events_thread") or hasattr(subject, "socket"):
        return _of_threads(subject)
    raise TypeError(
        f"where() takes a connection of websockets, or an asyncio task, seen {type(subject).__name__}"
    )


def _of_loop(connection: Any, loop: asyncio.AbstractEventLoop) -> Where:
    transport = getattr(connection, "transport", None)
    tasks = [task for task in asyncio.all_tasks(loop) if _holds(task, connection)]
    waiting = transport.get_write_buffer_size() if transport is not None else None
    limit = transport.get_write_buffer_limits()[1] if transport is not None else None
    sock = transport.get_extra_info("socket") if transport is not None else None
    return Where(
        _state(connection),
        waiting,
        limit,
        _sendq(sock),
        tuple(sorted(map(_of_task, tasks), key=lambda one: one.name)),
    )


def _holds(task: asyncio.Task[Any], connection: Any) -> bool:
    """Whether a call that the task is in has this connection among its variables."""
    return any(
        value is connection
        for step in steps(task)
        if (frame := frame_of(step))
        for value in frame.f_locals.values()
    )


def _of_task(task: asyncio.Task[Any]) -> Blocked:
    calls = chain(task)
    name = (
        calls[0]
        if calls and calls[0].startswith(("keepalive", "close_connection", "transfer_data"))
        else task.get_name()
    )
    return Blocked(name, tuple(calls), _meaning(calls))


def _of_threads(connection: Any) -> Where:
    import threading

    names = {thread.ident: thread.name for thread in threading.enumerate()}
    blocked = []
    for ident, frame in sys._current_frames().items():
        calls = _calls(frame, connection)
        if calls and "where" not in calls:
            blocked.append(Blocked(names.get(ident, str(ident)), tuple(calls), _meaning(calls)))
    return Where(
        _state(connection),
        None,
        None,
        _sendq(getattr(connection, "socket", None)),
        tuple(sorted(blocked, key=lambda one: one.name)),
    )


def _calls(frame: FrameType | None, connection: Any) -> list[str]:
    """The calls of a thread from the first one that knows the connection, outermost first; none if none does."""
    stack = []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    stack.reverse()
    first = next(
        (
            n
            for n, one in enumerate(stack)
            if any(value is connection for value in one.f_locals.values())
        ),
        None,
    )
    return [] if first is None else [one.f_code.co_name for one in stack[first:]]


def _meaning(calls: list[str]) -> str:
    if any(name in DRAINS for name in calls):
        return MEANINGS["drain"]
    return next((MEANINGS[name] for name in reversed(calls) if name in MEANINGS), "")


def _state(connection: Any) -> str | None:
    state = getattr(connection, "state", None)
    return getattr(state, "name", None)


def _sendq(sock: Any) -> int | None:
    """What ss calls Send-Q: bytes written and not yet acknowledged (Linux only)."""
    if sock is None or not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(OSError, ImportError, ValueError, AttributeError, TypeError):
        import fcntl
        import termios

        return int(struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0])
    return None
