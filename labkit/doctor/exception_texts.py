"""What a log says beside the debug lines: exceptions' texts, INFO and ERROR lines.

Where there are no debug lines they are a case by themselves; else they add to a connection. A chain
of causes says more than its end: how TCP ended, or that this end stood still.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .connection import Connection, Fact
from .demultiplexer import Demultiplexer
from .lines import Line
from .sentences import HOW, PAIRS, hints, told
from .verdict import Verdict

OPENING = ("probe", "handshake", "unreachable")  # what can happen before OPEN
INFO = re.compile(r"(?:^|[\s:|\])>-])connection (?:open|closed)$")
FAILED = re.compile(r"(?:connection handler failed|Error in connection handler)$")
BROKEN = re.compile(r"(?:^|[\s:.|])(\w*(?:Error|Exception))(?=:|$)")
LATE = "timed out while closing connection"
NO_CAUSE = {
    LATE: "'timed out while closing connection' is no cause: a closing handshake was not finished"
    " in close_timeout. The exception below it, in the same traceback, says why it closed",
    "1006": "1006 is never sent: it says that no CLOSE came, be it after this end's own keepalive"
    " timeout or because TCP ended. The exception's text tells which",
}
NEAR = 150  # lines, in which a chain of causes ends


@dataclass
class Text:
    """A text that names a cause, or ("unknown") may not; where it stood first, and how often."""

    cause: str
    sure: str
    first: Fact
    count: int = 0
    hints: set[str] = field(default_factory=set)


class ExceptionTexts:
    """Collects such lines, and adds what belongs to a connection to it."""

    def __init__(self, connections: Demultiplexer) -> None:
        self.connections = connections
        self.texts: dict[str, Text] = {}
        self.infos = 0  # lines that say "connection open", and the like
        self.failing: Connection | None = None  # its handler's exception comes next
        self.hints: dict[str, Fact] = {}  # of the traceback that is being read
        self.newest: Text | None = None
        self.at = 0  # the line of the newest text or hint

    def add(self, line: Line) -> None:
        """One more line."""
        row = line.message
        for hint in hints(row):
            self._hint(line, hint)
        found = told(row)
        if found and not (self._is_elsewhere() and "ConnectionClosed" not in row):
            self._told(line, *found)
        elif LATE in row:
            self._keep(line, LATE, "unknown", "possible")
        elif "1006" in row:
            self._keep(line, "1006", "unknown", "possible")
        elif INFO.search(row):
            self.infos += 1
        elif FAILED.search(row):
            self._failed(line)
        elif self.failing is not None and (broken := BROKEN.search(row)):
            self.failing.mistake = self.failing.mistake or broken[1][:60]

    def _is_elsewhere(self) -> bool:
        """Whether this is the traceback of another library."""
        return "elsewhere" in self.hints and "here" not in self.hints

    def _failed(self, line: Line) -> None:
        """A handler raised; of its exception only the type is kept."""
        connection = self.connections.newest(line)
        if connection is not None and _can_have_failed(connection):
            connection.failed = Fact(line.number, None, "connection handler failed")
            self.failing = connection

    def _told(self, line: Line, cause: str, sure: str, words: str) -> None:
        connection = self.connections.newest(line)
        if cause in OPENING and connection is not None and connection.is_opening:
            self.hints = {}
            if connection.refused is None or cause != "probe":
                connection.refused = Fact(line.number, None, words)
                connection.refusal = cause
            return
        above = self.newest is not None and self.newest.cause not in ("tcp_lost", "unknown")
        if sure != "possible" or not above or line.number > self.at + NEAR:
            self._keep(line, words, cause, sure)

    def _hint(self, line: Line, hint: str) -> None:
        if line.number > self.at + NEAR:
            self.hints = {}
        self.at = line.number
        self.hints.setdefault(hint, Fact(line.number, None, hint))
        if hint in PAIRS:
            above, cause, words = PAIRS[hint]
            if above in self.hints:
                self._told(line, cause, "certain", words)
        connection = self.connections.newest(line)
        if hint in HOW and connection is not None:
            connection.how = connection.how or hint

    def _keep(self, line: Line, words: str, cause: str, sure: str) -> None:
        if words not in self.texts:
            fact = Fact(line.number, self.connections.time(line), words)
            self.texts[words] = Text(cause, sure, fact)
        self.newest = self.texts[words]
        self.newest.count += 1
        if line.number <= self.at + NEAR:
            self.newest.hints |= self.hints.keys()
        self.hints = {}
        self.at = line.number

    def verdicts(self, known: set[str]) -> list[Verdict]:
        """What only these lines tell; the debug lines told of the ``known`` causes already."""
        self._last_hints()
        settled = known - {"alive", "unknown", "probe"}
        found = [
            one
            for one in map(_verdict, self.texts.values())
            if one.cause not in {"unknown", *known} and not (settled and one.sure == "possible")
        ]
        if found and LATE in self.texts:
            note = f"line {self.texts[LATE].first.number}: {NO_CAUSE[LATE]}"
            found[0] = found[0]._replace(notes=(note,))
        if found or known:
            return found
        if not self.texts and self.infos:
            why = f"{self.infos} lines at INFO only, which name no cause"
            return [Verdict("unknown", "possible", why)]
        return [
            Verdict("unknown", "possible", NO_CAUSE[words], (text.first,))
            for words, text in self.texts.items()
        ]

    def _last_hints(self) -> None:
        """A traceback without an end: it belongs to the text above it, or stands alone."""
        how = [hint for hint in self.hints if hint in HOW]
        if self._is_elsewhere():
            return
        if how and self.newest is not None and self.newest.cause in ("tcp_lost", "unknown"):
            self.newest.hints |= self.hints.keys()
        elif how and not self.texts:
            sure = "likely" if "here" in self.hints else "possible"
            first = self.hints[how[-1]]._replace(words="TCP ended")
            self.texts[""] = Text("tcp_lost", sure, first, 1, set(self.hints))


def _verdict(text: Text) -> Verdict:
    times = "once" if text.count == 1 else f"{text.count} times"
    why = f"{text.first.words} (an exception says so, {times})"
    cause, sure = text.cause, text.sure
    how = next((HOW[hint] for hint in HOW if hint in text.hints), "")
    if cause == "own_timeout" and "reads slowly" in text.hints:
        cause, sure = "slow_reader", "likely"
    elif cause == "tcp_lost" and sure == "possible" and "failed itself" in text.hints and not how:
        cause = "own_timeout"
        why += ": this end failed it itself, most often because its own keepalive gave up"
    elif how and (cause == "tcp_lost" or text.first.words == "sent 1011"):
        why += f": {how}"
        if not text.first.words.startswith(("no close", "TCP")):
            cause, sure = "tcp_lost", "likely"
    return Verdict(cause, sure, why, (text.first,))


def _can_have_failed(connection: Connection) -> bool:
    """Whether a handler's failure can be the cause; not if it failed as the connection was lost."""
    sent, got = connection.sent, connection.got
    if sent is None:
        return got is None and connection.state == "OPEN"
    return sent.code == 1011 and not sent.reason and not (got and got.number < sent.number)
