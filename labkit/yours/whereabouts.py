"""Where a connection is blocked, which no log shows: the await of each task, the bytes that wait.

    print(where(websocket))

    OPEN, 65,624 bytes wait in the write buffer (drain() blocks above 32,768)
    keepalive      keepalive → ping → send_context → drain    blocked: the peer takes no bytes, …
    Task-7         handler → send → send_context → drain      blocked: the peer takes no bytes, …

It takes a connection of asyncio or legacy, of threading (its threads' calls), or a task. It looks,
and changes nothing. Call it in the program that has the connection: from the event loop's own
thread, a debugger, a signal handler.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ..wires.awaits import chain, frame_of, steps

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
LIBRARYS = ("keepalive", "close_connection", "transfer_data")  # tasks that have no name
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
    sendq: int | None  # bytes in the kernel, not yet acknowledged (Linux); None: not known
    tasks: tuple[Blocked, ...]

    @property
    def drained(self) -> bool:
        """Whether nothing of it is blocked in drain()."""
        return not any(one.means.startswith("blocked") for one in self.tasks)

    def __str__(self) -> str:
        parts = [self.state or "state unknown"]
        if self.waiting is not None:
            limit = f" (drain() blocks above {self.limit:,})" if self.limit else ""
            parts.append(f"{self.waiting:,} bytes wait in the write buffer{limit}")
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
    seen = type(subject).__name__
    raise TypeError(f"where() takes a connection of websockets, or an asyncio task, seen {seen}")


def _of_loop(connection: Any, loop: asyncio.AbstractEventLoop) -> Where:
    state, transport = _state(connection), getattr(connection, "transport", None)
    tasks = [_of_task(task) for task in asyncio.all_tasks(loop) if _holds(task, connection)]
    tasks.sort(key=lambda one: one.name)
    if transport is None:
        return Where(state, None, None, None, tuple(tasks))
    waiting, (_, limit) = transport.get_write_buffer_size(), transport.get_write_buffer_limits()
    sendq = _sendq(transport.get_extra_info("socket"))
    return Where(state, waiting, limit, sendq, tuple(tasks))


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
    name = task.get_name()
    if calls and calls[0].startswith(LIBRARYS):
        name = calls[0]
    return Blocked(name, tuple(calls), _meaning(calls))


def _of_threads(connection: Any) -> Where:
    import threading

    names = {thread.ident: thread.name for thread in threading.enumerate()}
    blocked = []
    for ident, frame in sys._current_frames().items():
        calls = _calls(frame, connection)
        if calls and "where" not in calls:
            blocked.append(Blocked(names.get(ident, str(ident)), tuple(calls), _meaning(calls)))
    blocked.sort(key=lambda one: one.name)
    sendq = _sendq(getattr(connection, "socket", None))
    return Where(_state(connection), None, None, sendq, tuple(blocked))


def _calls(frame: FrameType | None, connection: Any) -> list[str]:
    """A thread's calls from the first that knows the connection on, outermost first."""
    names: list[str] = []
    calls: list[str] = []
    while frame is not None:
        names.insert(0, frame.f_code.co_name)
        if any(value is connection for value in frame.f_locals.values()):
            calls = names.copy()
        frame = frame.f_back
    return calls


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
