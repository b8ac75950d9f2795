"""Log lines of any format: where the library's words begin, when, and whose they are. It reads, and judges nothing.

A line of somebody's log is an envelope (time, host, level, logger, an id …) and in it a message. What the message means
stands in ``dialect``; here it is only found. Most lines of most logs are other programs': a cheap look passes over them.

    DEBUG:websockets.server:> PING 1f 2e 3d 4c [binary, 4 bytes]
    Nov 23 07:58:26 host app[123]: 2026-11-23 07:58:26,123 DEBUG = connection is OPEN
    {"log": "> PING 1f 2e 3d 4c [binary, 4 bytes]\\n", "time": "2026-11-23T07:58:26.123Z"}
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

CHUNK = 2**20  # bytes read at a time
HEAD, CLOCKS = 23, "0123456789-:.,T/ Z+"  # characters, and those of which times consist
LONGEST = 2**16  # characters of a line that are looked at

START = re.compile(  # what can begin a message of the library, after something that is no part of a word
    r"(?:^|(?<=[\s:|\])\"'=>-]))(?:"
    r"(?P<state>= connection is [A-Z]+)"
    r"|(?P<data>[<>] (?:TEXT|BINARY|CONT)\b)"
    r"|(?P<frame>[<>] (?:PING|PONG|CLOSE|EOF)\b.*)"
    r"|(?P<keepalive>% (?:sent|sending|received) keepalive p[io]ng)"
    r"|(?P<other>[-!] timed out.*|! failing.*|! error.*|x (?:half-)?closing TCP.*|x aborting TCP.*)"
    r"|(?P<http>[<>] (?:GET |HTTP/1|User-Agent: |Server: ).*)"
    r"|(?P<said>connection open|connection closed|connection rejected[^\"]*|connection handler failed|keepalive ping failed"
    r"|data transfer failed|parser failed|opening handshake failed|server (?:listening|closing|closed)\b)"
    r"|(?P<text>(?:sent|received) \d{4} \(.*|no close frame received or sent|timed out while closing connection)"
    r"|(?P<broken>Traceback \(most recent|[\w.]*(?:Error|Exception)\b(?=:|$).*)"
    r"|(?P<code>\b1006\b)"
    r")"
)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NAMED = re.compile(r"\b(?:websocket|ws|conn|connection)(?:[._-]?id)?[=:# ] ?\"?([\w.-]+)")
PROCESS = re.compile(r"[\w./-]+\[(\d+)\]:")
END = re.compile(r"websockets\.(server|client)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
TIMES = (
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "asctime",
    "datetime",
    "created",
    "date",
    "t",
    "__REALTIME_TIMESTAMP",
)
WORDS = ("message", "msg", "MESSAGE", "event", "log", "text", "line")
WHO = re.compile(r"^(?:websocket|ws|conn|connection)(?:[._-]?(?:id|uuid))?$", re.I)


class Line(NamedTuple):
    """One line that says something: its number, the text before the message (the time is in it), who, what."""

    number: int
    prefix: str
    who: str  # the connection, if the line names it; else the process, or ""
    named: bool  # whether ``who`` names one connection
    side: str  # server, client or ""
    kind: str  # state, data, frame, keepalive, other, http, said, text, broken, code
    message: str


def texts(file: IO[bytes]) -> Iterator[str]:
    """The lines of an open file, of any size, in flat memory; bytes that are no UTF-8 do no harm."""
    rest = b""
    while chunk := file.read(CHUNK):
        whole, _, rest = (
            (rest + chunk).rpartition(b"\n")
            if b"\n" in chunk
            else (b"", b"", (rest + chunk)[: 4 * LONGEST])
        )
        if whole:
            yield from whole.decode("utf-8", "replace").split("\n")
    if rest:
        yield rest.decode("utf-8", "replace")


def opened(path: str) -> IO[bytes]:
    """A log file, open; a rotated one may be compressed with gzip."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")  # type: ignore[return-value]


class Reader:
    """Finds what the library said in a log. It remembers where the newest message began, since the next one mostly begins there, too."""

    def __init__(self) -> None:
        self.start = 0  # characters before the newest message
        self.names: dict[
            str, tuple[str, bool, str]
        ] = {}  # what prefixes say, by what stands behind their time
        self.lines = 0  # how many were read
        self.last = ""  # the newest of them

    def read(self, rows: Iterable[str]) -> Iterator[Line]:
        """The lines that say something."""
        for self.lines, row in enumerate(rows, start=1):
            if "> " in row or "< " in row or _hints(row):
                line = self.one(self.lines, row)
                if line is not None:
                    yield line
            if row:
                self.last = row

    def envelope(self) -> str:
        """Where the time of the newest line stands, whoever wrote it."""
        row = ANSI.sub("", self.last[:LONGEST])
        if row.lstrip()[:1] != "{":
            return row[:100]
        try:
            data = json.loads(row)
        except (ValueError, RecursionError):
            return ""
        return _when(data) if isinstance(data, dict) else ""

    def one(self, number: int, row: str) -> Line | None:
        """One line, or None if it is no business of the library's."""
        if not row:
            return None
        row = row if len(row) < LONGEST else row[:LONGEST]
        if "\x1b" in row:
            row = ANSI.sub("", row)
        if row[0] in "{ \t" and row.lstrip()[:1] == "{":
            return _unwrapped(self, number, row)
        found = self._found(row)
        if found is None:
            return None
        prefix = row[: found.start()]
        who, named, end = self._whose(prefix)
        return Line(number, prefix, who, named, end, found.lastgroup or "", found[0])

    def _whose(self, prefix: str) -> tuple[str, bool, str]:
        """The connection that a line names, and the end; behind a time the same words mean the same."""
        if prefix[:HEAD].strip(CLOCKS):
            return self._read_whose(prefix)
        tail = prefix[HEAD:]
        known = self.names.get(tail)
        if known is None:
            if len(self.names) > 5000:
                self.names.clear()
            known = self.names[tail] = self._read_whose(prefix)
        return known

    def _read_whose(self, prefix: str) -> tuple[str, bool, str]:
        who, named = self._who(prefix)
        end = END.search(prefix) if "websockets." in prefix else None
        return who, named, end[1] if end else ""

    def _found(self, row: str) -> re.Match[str] | None:
        """Where a message begins: where the newest one did, unless something before that could be one already; else, look for it."""
        head = row[: self.start]
        found = None if "> " in head or "< " in head else START.match(row, self.start)
        found = found or START.search(row)
        self.start = found.start() if found else self.start
        return found

    def _who(self, prefix: str) -> tuple[str, bool]:
        if prefix.count("-") > 3 and (found := UUID.search(prefix)):
            return found[0], True
        if any(word in prefix for word in ("conn", "ws", "websocket")) and (
            found := NAMED.search(prefix)
        ):
            return found[1], any(letter.isdigit() for letter in found[1])
        if "]:" in prefix and (found := PROCESS.search(prefix)):
            return found[1], False
        return "", False


def _hints(row: str) -> bool:
    """A cheap look: whether a line may be one of the library's at all."""
    return (
        "connection" in row
        or "keepalive" in row
        or "timed out" in row
        or "u003" in row  # "<" and ">" as some JSON writes them
        or "Error" in row
        or "x aborting" in row
        or "! " in row
        or "1006" in row
        or "Exception" in row
        or "websocket" in row
        or "sent " in row
        or "received " in row
        or "failed" in row
        or "server " in row
    )


def _unwrapped(reader: Reader, number: int, row: str, depth: int = 0) -> Line | None:
    """A line that is JSON: its message, with what stands beside it as the envelope."""
    try:
        data = json.loads(row)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    words = next((data[key] for key in WORDS if isinstance(data.get(key), str)), None)
    if words is None:
        return None
    deeper = words.startswith("{") and depth < 3
    inner = (
        _unwrapped(reader, number, words, depth + 1)
        if deeper
        else None
        if words.startswith("{")
        else reader.one(number, words.split("\n")[0])
    )
    inner = inner if inner is not None else _in_traceback(reader, number, data)
    return None if inner is None else _beside(inner, data)


def _in_traceback(reader: Reader, number: int, data: dict[str, Any]) -> Line | None:
    """The last line of a traceback that stands in a field of its own."""
    for key in ("exc_info", "exception", "exc_text", "stack_info", "traceback"):
        if isinstance(data.get(key), str) and (last := data[key].strip().rpartition("\n")[2]):
            return reader.one(number, last) if not last.startswith("{") else None
    return None


def _beside(line: Line, data: dict[str, Any]) -> Line:
    when = _when(data)
    end = END.search(str(data.get("logger") or data.get("name") or data.get("logger_name") or ""))
    who, named = next(
        (
            (_identity(value), True)
            for key, value in data.items()
            if WHO.match(key) and _identity(value)
        ),
        (line.who, line.named),
    )
    if not named and data.get("_PID"):
        who = str(data["_PID"])
    return line._replace(
        prefix=f"{line.prefix} {when}" if line.prefix.strip() else when,
        who=who,
        named=named,
        side=end[1] if end else line.side,
    )


def _when(data: dict[str, Any]) -> str:
    return next(
        (str(data[key]) for key in TIMES if isinstance(data.get(key), (str, int, float))), ""
    )


def _identity(value: Any) -> str:
    return (
        str(value.get("id") or "")
        if isinstance(value, dict)
        else str(value)
        if isinstance(value, (str, int))
        else ""
    )
