"""A raw socket, and at its other end a real websockets server: send any bytes, and see what comes back.

    talk("89 82 00 00 00 00 68 69")        a server is started on 127.0.0.1, and the opening handshake is done for you;
                                           then exactly these bytes are sent, and the answer is awaited for a second

The server lives in a thread of its own, since a running cell blocks the kernel's loop; leaving takes all of it down.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import serve

from .anatomy import SHOWN, Anatomy, shown, take_apart

HOST = "127.0.0.1"
PATIENCE = 1.0  # s without an answer, and the server is taken to be silent
PAUSE = 0.1  # s after an answer, in which another one may come
OPENING = 5.0  # s for the handshake
OF_FRAMES = re.compile(
    r"[<>] [A-Z]+ .*\[|= .*CLOSING"
).match  # log lines that belong to the answer; the rest is taking down


@dataclass(frozen=True)
class Exchange:
    """What was sent on the raw socket, and what the server made of it."""

    sent: bytes
    answer: bytes
    hung_up: bool  # the server has closed the connection
    log: list[str] = field(default_factory=list)  # the server's, at DEBUG, from OPEN on

    @property
    def frames(self) -> list[Anatomy]:
        """The answer, frame by frame."""
        return list(split(self.answer))

    def __repr__(self) -> str:
        rows = [("you", frame) for frame in split(self.sent)] + [
            ("server", frame) for frame in self.frames
        ]
        lines = [f"{who:<8}{raw(frame):<38}{say(frame)}" for who, frame in rows]
        if not self.answer:
            lines.append(
                f"{'server':<8}{'(hangs up)' if self.hung_up else f'(says nothing for {PATIENCE:g} s)'}"
            )
        lines += [
            f"{'its log' if number == 0 else '':<8}{line}" for number, line in enumerate(self.log)
        ]
        return "\n".join(lines)


def talk(text: str) -> Exchange:
    """Send bytes, given as hex, to a real server on a raw socket; wait for its answer."""
    return send(bytes.fromhex(text))


def send(data: bytes) -> Exchange:
    """Send ``data`` after an opening handshake; collect what comes back until the server is silent or hangs up."""
    with server() as (port, log), socket.create_connection((HOST, port), timeout=OPENING) as sock:
        shake_hands(sock)
        sock.sendall(data)
        answer, hung_up = listen(sock)
        said = log[log.index("= connection is OPEN") + 1 :]
    return Exchange(data, answer, hung_up, [line for line in said if OF_FRAMES(line)])


def shake_hands(sock: socket.socket) -> None:
    """The opening handshake, as a client types it (RFC 6455 §4.1)."""
    key = base64.b64encode(b"sixteen bytes ok").decode()
    lines = ["GET / HTTP/1.1", f"Host: {HOST}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    sock.sendall("\r\n".join(lines).encode())
    reply = b""
    while not reply.endswith(b"\r\n\r\n"):  # the server says nothing after it before it is asked
        more = sock.recv(4096)
        if not more:
            raise ConnectionError(
                f"the server closed the connection in the opening handshake; it said {reply[:80]!r}"
            )
        reply += more


def listen(sock: socket.socket) -> tuple[bytes, bool]:
    """Everything that comes until a silence: (bytes, whether the server has hung up)."""
    answer = b""
    sock.settimeout(PATIENCE)
    try:
        while more := sock.recv(4096):
            answer += more
            if not any(frame.missing for frame in split(answer)):
                sock.settimeout(PAUSE)
    except TimeoutError:
        return answer, False
    except ConnectionError:
        pass
    return answer, True


@contextmanager
def server() -> Iterator[tuple[int, list[str]]]:
    """A websockets server on a free port of 127.0.0.1, whose handler reads and says nothing: (port, its log so far)."""
    log = Log()
    port: Future[int] = Future()
    stop: Future[None] = Future()

    async def read(websocket: Any) -> None:
        async for _ in websocket:
            pass

    async def live() -> None:
        options: dict[str, Any] = {"ping_interval": None, "close_timeout": PATIENCE, "logger": log}
        async with serve(read, HOST, 0, **options) as running:
            port.set_result(next(iter(running.sockets)).getsockname()[1])
            await asyncio.wrap_future(stop)

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(live())
        except BaseException as problem:
            if not port.done():
                port.set_exception(problem)

    thread = threading.Thread(target=run, name="labkit raw server", daemon=True)
    thread.start()
    try:
        yield port.result(timeout=OPENING), log.lines
    finally:
        stop.set_result(None)
        thread.join(timeout=OPENING)


class Log(logging.Logger):
    """A logger that keeps its lines."""

    def __init__(self) -> None:
        super().__init__("websockets.server", logging.DEBUG)
        self.lines: list[str] = []

    def handle(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def split(data: bytes) -> Iterator[Anatomy]:
    """The frames in ``data``; the last one may be incomplete."""
    while data:
        frame = take_apart(data)
        yield frame
        data = data[frame.size :]


def raw(frame: Anatomy) -> str:
    """The bytes of a frame as hex."""
    return shown(b"".join((frame.head, frame.more, frame.key, frame.body)))


def say(frame: Anatomy) -> str:
    """A frame in words: PING 'hi', masked."""
    text = f"{frame.opcode} {payload(frame)}"
    if frame.masked:
        text += ", masked"
    return text + (
        f", {frame.missing} {'byte' if frame.missing == 1 else 'bytes'} missing"
        if frame.missing
        else ""
    )


def payload(frame: Anatomy) -> str:
    """What a frame carries, in words."""
    data = frame.payload
    if frame.opcode == "CLOSE" and len(data) > 1:
        return f"{int.from_bytes(data[:2], 'big')} {data[2:].decode(errors='replace')!r}"
    return repr(data.decode()) if data.isascii() and len(data) <= SHOWN else shown(data)
