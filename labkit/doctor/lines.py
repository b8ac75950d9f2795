"""Log lines of any format: where the library's words begin, when, and whose they are.

A line of somebody's log is an envelope (time, host, level, logger, an id …) and in it a message.
What the message means stands in ``dialect``; here it is only found. Most lines of most logs are
other programs': a quick look passes over them.

    DEBUG:websockets.server:> PING 1f 2e 3d 4c [binary, 4 bytes]
    Nov 23 07:58:26 host app[123]: 2026-11-23 07:58:26,123 DEBUG = connection is OPEN
    {"log": "> PING 1f 2e 3d 4c [binary, 4 bytes]\\n", "time": "2026-11-23T07:58:26.123Z"}
"""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

from .older import modern

DATA = ("TEXT", "BINARY", "CONT")
CHUNK = 2**20  # bytes read at a time
LONGEST = 2**16  # characters of a line that are looked at
DEEPEST = 3  # JSON in JSON in JSON
STAMP = 80  # characters of a line in which its time and its names stand, if it is a text
TIME_LENGTH = 23  # characters of an ISO time
BOX = " \t|│┃>E"  # around a row that a formatter has wrapped
TIME_LETTERS = "0123456789-:.,T/ Z+"
NAMES_KEPT = 1000

# What can begin a debug line's message, after something that is no part of a word.
START = re.compile(
    r"""(?:^|(?<=[\s:|\])"'=>：，`*_-]))(?:
    (?P<state>=\ connection\ is\ [A-Z]+)
    |(?P<data>[<>]\ (?:TEXT|BINARY|CONT)\b)
    |(?P<frame>[<>]\ (?:PING|PONG|CLOSE|EOF)\b.*)
    |(?P<keepalive>%%?\ (?:sent|sending|received)\ keepalive\ p[io]ng)
    |(?P<other>[-!]\ timed\ out.*|!\ failing.*|!\ error.*
        |x\ (?:half-)?closing\ TCP.*|x\ aborting\ TCP.*)
    |(?P<http>[<>]\ (?:GET\ |HTTP/1|User-Agent:\ |Server:\ ).*)
    |(?P<older>(?:client|server)\ (?:[<>]\ (?:Frame\(|GET\ |HTTP/1)|-\ (?:state|event)\ =
        |!\ (?:failing|timed)|x\ (?:code\ =|half-|closing|aborting)).*)
    )""",
    re.VERBOSE,
)
WRAPPED = re.compile(r"(?:sent|received) \d{4}(?: \([^;]*)?;?[^;]*$|no close frame.{0,9}$")
WHOLE = re.compile(
    r"(?:sent|received) \d{4} \(.*; (?:no close frame (?:sent|received)|then \w+ \d{4} \(.*\))"
    r"|no close frame received or sent"
)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NAMED = re.compile(
    r"\b(?:websocket|ws|conn|connection)(?:[._-]?id)?[=:# ] ?\"?([\w.-]+)"
    r"|\b(?:c|cid|client|session|sid|peer)[=#] ?\"?([\w.-]+)"
    r"|(?<![\w.-])((?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,32})(?![\w.-])"
)
PROCESS = re.compile(  # app[71]:   [71]   [pod/hub-7xk2p/hub]   feed-1  |
    r"[\w./-]+\[(\d+)\]:|(?<=\s)\[(\d{1,7})\](?=\s)|\[pod/([\w.-]+)/|^([\w.-]+-\d+) +\|"
)
LOGGER = re.compile(r"websockets\.(server|client)")
AFTER = re.compile(r"\s\[websockets\.(server|client)\]\s*$")  # as structlog has it
THREAD = re.compile(r"\b((?:Thread|Task)-\d+|140\d{12}|(?:tid|thread|task)[=: ]#?\d+)\b")
ANSI = re.compile(r"\x1b\[[0-9;]*m")

# Fields of a line that is JSON
TIMES = "timestamp @timestamp time ts asctime datetime created date t __REALTIME_TIMESTAMP".split()
LOGGERS = "logger name logger_name".split()
SIGILS = ("= con", "> ", "< ", "% ", "- ", "! ", "x ")  # one of them begins each debug line
SIGNS = (  # one of these stands in every line that matters; "u003": "<" as some JSON writes it
    "onnection", "keepalive", "timed out", "u003", "rror", "xception", " frame", "ebsocket",
    "ebSocket", "Invalid", "sent ", "received ", "failed", " valid HTTP", "code = ", "Frame(",
    "- state =", "- event =", "! ", "1006", "Errno", "open_timeout", "_waiter", "_drain",
    "already running", "x aborting",
)  # fmt: skip
CONNECTION = re.compile(r"(?:websocket|ws|conn|connection)(?:[._-]?(?:id|uuid))?$", re.I)


class Whose(NamedTuple):
    """Whose a line is."""

    who: str  # the connection, if the line names it; else the process, or ""
    named: bool  # whether ``who`` names one connection
    side: str  # server, client or ""
    thread: str  # or task, of those that name a thread; ""


NOBODY = Whose("", False, "", "")


class Line(NamedTuple):
    """A line that says something."""

    number: int
    prefix: str  # the text before the message; the time is in it
    whose: Whose
    kind: str  # a group of START
    message: str


def texts(file: IO[bytes]) -> Iterator[str]:
    """The lines of an open file, of any size, in flat memory; bytes may be no UTF-8."""
    rest = b""
    while chunk := file.read(CHUNK):
        whole, newline, rest = (rest + chunk).rpartition(b"\n")
        if newline:
            yield from whole.decode("utf-8", "replace").split("\n")
        else:
            rest = rest[: 4 * LONGEST]
    if rest:
        yield rest.decode("utf-8", "replace")


def opened(path: str) -> IO[bytes]:
    """A log file, open; a rotated one may be compressed with gzip."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")  # type: ignore[return-value]


class Reader:
    """Finds what the library said in a log."""

    def __init__(self) -> None:
        self.start = 0  # characters before the newest message: the next often begins there, too
        self.names: dict[str, Whose] = {}  # by what stands behind the time
        self.lines = 0  # how many were read
        self.last = ""  # the newest of them

    def read(self, rows: Iterable[str]) -> Iterator[Line]:
        """The lines that say something."""
        wrapped: Line | None = None  # its sentence goes on in the next row
        for self.lines, row in enumerate(rows, start=1):
            if wrapped is not None:
                joined = f"{wrapped.message} {row.strip(BOX)}"
                whole = WHOLE.search(joined)
                yield wrapped._replace(message=whole[0] if whole else wrapped.message)
                wrapped = None
                if whole:
                    continue
            if again := self._again(row):
                yield again
            elif "> " in row or "< " in row or _may_matter(row):
                for line in self._lines(row, 0):
                    if line.kind == "text" and WRAPPED.search(line.message):
                        wrapped = line._replace(message=line.message.rstrip(BOX))
                    else:
                        yield line
            if row:
                self.last = row
        if wrapped is not None:
            yield wrapped

    def envelope(self) -> str:
        """Where the time of the newest line stands, whoever wrote it."""
        row = ANSI.sub("", self.last[:LONGEST])
        return _time(_decoded(row)) if row.lstrip().startswith("{") else row[:100]

    def _again(self, row: str) -> Line | None:
        """A row that begins as the newest did but for its time, as most do; None: it may not."""
        whose = self.names.get(row[TIME_LENGTH : self.start])
        if whose is None or not whose.side or row[:TIME_LENGTH].strip(TIME_LETTERS):
            return None
        found = START.match(row, self.start)
        if found is None or "&" in row or "\x1b" in row or row[-1] == "}" or len(row) > LONGEST:
            return None
        kind = found.lastgroup or ""
        return (
            None if kind == "older" else Line(self.lines, row[: self.start], whose, kind, found[0])
        )

    def _lines(self, row: str, depth: int, before: str = "") -> Iterable[Line]:
        """What a row says, which may be nothing; in JSON, ``depth`` deep and after its envelope."""
        row = row if len(row) < LONGEST else row[:LONGEST]
        if "\x1b" in row:
            row = ANSI.sub("", row)
        if "&" in row:
            row = html.unescape(row)
        begins = row.lstrip().startswith("{")
        if begins or row.endswith("}"):
            data = _decoded(row[row.find("{") :]) if depth <= DEEPEST else {}
            if begins or data:
                return self._of_json(data, depth, before)
        found = self._found(row)
        if found is None:
            start = 0 if row[:TIME_LENGTH].strip(TIME_LETTERS) else TIME_LENGTH
            prefix, message = before + row[:STAMP], row[start:]  # the same text has other times
            text = Line(self.lines, prefix, NOBODY, "text", message)
            return (text,) if _may_matter(row) else ()
        kind, message, prefix = found.lastgroup or "", found[0], before + row[: found.start()]
        whose = self._whose(prefix)
        if not whose.side and "[websockets." in row and (after := AFTER.search(row)):
            whose = whose._replace(side=after[1])
            message = message.partition(" [websockets.")[0].rstrip()
        if kind == "older":
            message, side = modern(message)
            whose = whose._replace(side=side)
            kind = "data" if message[2:] in DATA else "other"
            if not message:
                return ()
        return (Line(self.lines, prefix, whose, kind, message),)

    def _found(self, row: str) -> re.Match[str] | None:
        """Where a message begins: where the newest one did, unless one may begin before that."""
        head = row[: self.start]
        found = None if "> " in head or "< " in head else START.match(row, self.start)
        if found is None and any(map(row.__contains__, SIGILS)):
            found = START.search(row)
        self.start = found.start() if found else self.start
        return found

    def _whose(self, prefix: str) -> Whose:
        if prefix[:TIME_LENGTH].strip(TIME_LETTERS):
            return owner(prefix)
        tail = prefix[TIME_LENGTH:]
        known = self.names.get(tail)
        if known is None:
            if len(self.names) > NAMES_KEPT:
                self.names.clear()
            known = self.names[tail] = owner(prefix)
        return known

    def _of_json(self, data: dict[str, Any], depth: int, before: str) -> Iterator[Line]:
        """A row that is JSON: its message and its traceback, in what stands beside them."""
        envelope = before + _envelope(data)
        for words in dict.fromkeys(_strings(data)):
            for row in [words] if words.startswith("{") else words.split("\n"):
                yield from self._lines(row, depth + 1, envelope)


def _may_matter(row: str) -> bool:
    """A quick look: whether a line may be one of the library's at all."""
    return any(map(row.__contains__, SIGNS))


def owner(prefix: str) -> Whose:
    """Whose a line is, by what stands before its message."""
    found = LOGGER.search(prefix)
    side = found[1] if found else ""
    thread = found[1] if (found := THREAD.search(prefix)) else ""
    if found := UUID.search(prefix):
        return Whose(found[0], True, side, thread)
    if found := NAMED.search(prefix):
        name = found[found.lastindex or 1]
        return Whose(name, any(letter.isdigit() for letter in name), side, thread)
    found = PROCESS.search(prefix)
    return Whose(found[found.lastindex or 0] if found else "", False, side, thread)


def _decoded(row: str) -> dict[str, Any]:
    """A line that looks like a JSON object, as one; empty if it is none."""
    try:
        return dict(json.loads(row))
    except (ValueError, RecursionError):
        return {}


def _strings(data: dict[str, Any]) -> Iterator[str]:
    """What a JSON object says in words, and what those in it say."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _strings(value)
        elif isinstance(value, str) and key not in TIMES:
            yield value


def _envelope(data: dict[str, Any]) -> str:
    """What stands beside a message in JSON, as it would stand before it in a line."""
    names = [f"conn={_name(value)}" for key, value in data.items() if CONNECTION.match(key)]
    loggers = [str(data[key]) for key in LOGGERS if key in data]
    process = [f"app[{data['_PID']}]:"] if "_PID" in data else []
    return " ".join([_time(data), *loggers, *names, *process, ""])


def _time(data: dict[str, Any]) -> str:
    times = (data[key] for key in TIMES if isinstance(data.get(key), (str, int, float)))
    return str(next(times, ""))


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("id") or ""
    return str(value) if isinstance(value, (str, int)) else ""
