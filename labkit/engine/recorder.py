"""The recorder: three witnesses note what they see, and their notes become the events of a Trace.

* the library's log: a logger that keeps each call as it is;
* the tap: bytes as they go into the wire and come out of it;
* the application, and what is done to the wire: what they tell.

During the run a note costs a tuple; reading the log lines (dialect) and the bytes (tap) is left for
afterwards. Each note has the time of the run's own clock. Nothing here touches the library or the
wire.
"""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

from ..trace import Event
from . import dialect
from .tap import Stream

Moment = tuple[float, int]  # time on the wire's clock (s), number of the note


class Recorder:
    """The notes of one run.

    ``clock`` gives the time (s); ``on_state(end, state)`` is called at each change of a state.
    """

    def __init__(self, clock: Callable[[], float], on_state: Callable[[str, str], None]) -> None:
        self.clock, self.on_state = clock, on_state
        self.on = True
        self.logged: list[tuple[float, int, str, str, tuple[Any, ...], Any, float | None]] = []
        self.told: list[tuple[float, int, str, str, str, dict[str, Any], int]] = []
        self.streams: dict[tuple[int, str], Stream] = {}
        self.keys: str | None = None  # the key log of the run, if it was one with TLS
        self.unread: str | None = None  # why frames could not be read, in words
        self.numbers = itertools.count(1)  # of the notes; taken by three threads, so never by += 1
        self.written: dict[str, int] = {}  # bytes in each end's write buffer, as last noted
        self.awaited: dict[str, dict[str, list[str]]] = {}  # by end and task: the calls it is in

    def moment(self) -> Moment:
        """Now, and the number of the next note."""
        return self.clock(), next(self.numbers)

    def seen(self) -> tuple[int, int, int]:
        """How much has been noted until now: lines of the log, what was told, bytes."""
        passed = sum(one.sent.total + one.arrived.total for one in list(self.streams.values()))
        return len(self.logged), len(self.told), passed

    # the application and the wire

    def note(self, where: str, witness: str, what: str, **data: Any) -> None:
        """Keep what somebody tells."""
        if self.on:
            self.told.append((*self.moment(), where, witness, what, data, 1))

    def tcp(self, when: float, conn: int, end: str, what: str, **data: Any) -> None:
        """Keep what TCP did below an end at ``when`` (s on the wire's clock)."""
        if self.on:
            self.told.append((when, next(self.numbers), end, "tcp", what, data, conn))

    def waiting(self, end: str, count: int, awaits: Callable[[], dict[str, list[str]]]) -> None:
        """Keep how many bytes wait in an end's write buffer, if that has changed.

        And, while there are any, in which await each task of the end is; [] once it has ended.
        """
        if count != self.written.get(end, 0):
            self.written[end] = count
            self.note(end, "app", "waiting", bytes=count)
        before = self.awaited.pop(end, {})
        now = awaits() if count or before else {}
        for task in {**now, **before}:
            if now.get(task) != before.get(task):
                self.note(end, "app", "awaiting", task=task, chain=now.get(task, []))
        if count:
            self.awaited[end] = now

    # the log

    def logger(self, end: str) -> logging.Logger:
        """A logger for the library at ``end``."""
        return Scribe(self, end)

    # the tap

    def sent(self, conn: int, sender: str, now: float, data: bytes | None) -> None:
        """Bytes, EOF or RESET went into the wire."""
        if not self.on:
            return
        if data:
            stream = self.streams.get((conn, sender))
            if stream is None:
                stream = self.streams[conn, sender] = Stream(sender)
            stream.add((now, next(self.numbers)), data)
        else:
            self._note_end(conn, data, sender, "sent")

    def arrived(self, conn: int, sender: str, now: float, data: bytes | None, count: int) -> None:
        """Bytes, EOF or RESET came out of the wire."""
        if not self.on:
            return
        if data:
            self.streams[conn, sender].arrive((now, next(self.numbers)), count)
        else:
            self._note_end(conn, data, sender, "arrived")

    def _note_end(self, conn: int, data: bytes | None, sender: str, step: str) -> None:
        what, said = "reset" if data is None else "fin", {"sender": sender, "step": step}
        self.told.append((*self.moment(), "wire", "tap", what, said, conn))

    # afterwards

    def events(self, zero: float) -> list[Event]:
        """Everything that was noted, in time; ``zero`` (s on the wire's clock) becomes t = 0."""
        found = self.so_far(zero)
        self.logged, self.told, self.streams = [], [], {}  # handed over
        return found

    def so_far(self, zero: float) -> list[Event]:
        """What has been noted until now, while the others go on noting; the notes stay."""
        rows = [*self._from_log(zero), *self._from_tap(zero)]
        for when, number, where, witness, what, data, conn in list(self.told):
            rows.append((when, number, Event(when - zero, where, witness, what, data, conn)))
        rows.sort(key=itemgetter(0, 1))
        return [row[2] for row in rows]

    def _from_log(self, zero: float) -> list[tuple[float, int, Event]]:
        rows = []
        for when, number, end, message, args, problem, latency in self.logged:
            what, data = dialect.read(message % args if args else message)
            if problem is not None:
                data["problem"] = problem
            if latency is not None and what == "keepalive" and data["step"] == "pong":
                data["latency"] = round(latency, 9)
            rows.append((when, number, Event(when - zero, end, "log", what, data)))
        return rows

    def _from_tap(self, zero: float) -> list[tuple[float, int, Event]]:
        rows = []
        for conn, stream, alerts in self._plain():
            for sent, arrived, data in stream.frames():
                data["arrived_at"] = None if arrived is None else round(arrived[0] - zero, 9)
                rows.append((*sent, Event(sent[0] - zero, "wire", "tap", "frame", data, conn)))
            for sent, arrived, description in alerts:
                for step, when in (("sent", sent), ("arrived", arrived)):
                    if when is not None:
                        what, data = _alert(stream.sender, step, description)
                        event = Event(when[0] - zero, "wire", "tap", what, data, conn)
                        rows.append((*when, event))
        return rows

    def _plain(self) -> Iterator[tuple[int, Stream, list[Any]]]:
        """What each sender said on each connection, and its TLS alerts; TLS records are opened."""
        if self.keys is None:
            for (conn, _), stream in list(self.streams.items()):
                yield conn, stream, []
            return
        try:
            from .tls_records import unwrap
        except ImportError:
            self.unread = "opening TLS records needs cryptography, which is not installed here"
            return
        for number in sorted({conn for conn, _ in self.streams}):
            streams = {who: one for (conn, who), one in self.streams.items() if conn == number}
            for said in unwrap(streams, self.keys):
                self.unread = self.unread or said.problem
                yield number, said.stream, said.alerts


class Scribe(logging.Logger):
    """A logger that keeps each call as it is; formatting is left for afterwards."""

    def __init__(self, recorder: Recorder, end: str) -> None:
        super().__init__(f"websockets.{end}", logging.DEBUG)
        self.recorder, self.end = recorder, end

    def isEnabledFor(self, level: int) -> bool:
        return True

    def _log(
        self,
        level: int,
        msg: Any,
        args: Any,
        exc_info: Any = None,
        extra: Any = None,
        *rest: Any,
        **more: Any,
    ) -> None:
        recorder = self.recorder
        if not recorder.on:
            return
        pong = msg.startswith("% received keepalive pong") and extra
        latency = getattr(extra["websocket"], "latency", None) if pong else None
        recorder.logged.append(
            (*recorder.moment(), self.end, msg, args, describe(exc_info), latency)
        )
        if msg.startswith("= connection is "):  # legacy says "… is OPEN", the others "… is %s"
            recorder.on_state(self.end, args[0] if args else msg.split()[-1])


def _alert(sender: str, step: str, description: int) -> tuple[str, dict[str, Any]]:
    """An alert of TLS as a kind of event, and its data; 0 is close_notify (RFC 8446 §6.1)."""
    data: dict[str, Any] = {"sender": sender, "step": step}
    if description == 0:
        return "close_notify", data
    return "alert", {**data, "description": description}


def describe(exc_info: Any) -> str | None:
    """The exception of a log call as "Type: text"; None if there is none."""
    if not exc_info:
        return None
    if exc_info is True:
        exc_info = sys.exc_info()
    problem = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    return None if problem is None else f"{type(problem).__name__}: {problem}"
