"""What a log says beside the debug lines: exceptions' texts, INFO and ERROR lines.

Where there are no debug lines they are a case by themselves; else they add to a connection.

sent 1011 (internal error) keepalive ping timeout; no close frame received      this end's keepalive
received 1011 (internal error) keepalive ping timeout; then sent 1011 …         the peer's
sent 1000 (OK); no close frame received                                         nobody answered
ConnectionClosedError(None, Close(code=1011, reason='keepalive ping …'), None)  the same, as a repr
code = 1006 (connection closed abnormally [internal]), no reason                versions 7 to 9

A chain of causes says more: how TCP ended, or that this end stood still.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from .connection import Connection, Fact
from .demultiplexer import Demultiplexer
from .lines import Line
from .sentences import BY_GROUP, FIND, HINT_BY_GROUP, HOW
from .verdict import KEEPALIVE, Verdict, of_close, whose

CLOSES = re.compile(
    r"(?P<who>sent|received) (?P<code>[1-4]\d{3}) \((?:OK|going away|protocol error|unsupported"
    r"|no status|invalid|policy|message too|extension|mandatory|internal|unexpected|service"
    r"|try again|bad gateway|registered|private|unknown)[^)]*\)(?P<reason>[^;]*)(?P<rest>.*)"
)
CODE = r"Close\(code=\D*(?P<{0}>\d{{4}})>?, reason=(?P<q{0}>['\"])(?P<r{0}>.*?)(?P=q{0})\)"
REPRS = re.compile(
    rf"\((?:None|{CODE.format('got')}), (?:None|{CODE.format('sent')})(?:, (?P<order>\w+))?"
)
OLD = re.compile(r"code = (?P<code>\d{4})\b[^,]*(?:, reason = (?P<reason>[^'\")]*))?")
OPENING = ("probe", "handshake", "unreachable")  # what can happen before OPEN
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
        if line.kind == "said":
            self._said(line)
        elif line.kind == "broken":
            self._exception(line)
        told = False
        for found in FIND.finditer(line.message):
            told = told or self._sentence(line, found)
        if line.kind == "code" and not told:
            self._keep(line, "1006", "unknown", "possible", "1006 in a program's own words")

    def _said(self, line: Line) -> None:
        """A line of the library at INFO or ERROR."""
        if line.message.startswith(("connection open", "connection closed")):
            self.infos += 1
        connection = self.connections.newest(line)
        failed = line.message.startswith(("connection handler", "Error in connection handler"))
        if connection is not None and failed and _can_have_failed(connection):
            connection.failed = Fact(line.number, None, line.message[:60])
            self.failing = connection

    def _exception(self, line: Line) -> None:
        """The last line of a traceback. Of a handler's exception only the type is kept."""
        kind = line.message.partition(":")[0]
        if line.message.startswith("Traceback") or "ConnectionClosed" in kind:
            return
        if self.failing is not None:
            self.failing.mistake = self.failing.mistake or kind.rpartition(".")[2][:60]

    def _sentence(self, line: Line, found: re.Match[str]) -> bool:
        """What a sentence says; whether that is a cause."""
        group = found.lastgroup or ""
        if group in HINT_BY_GROUP:
            self._hint(line, HINT_BY_GROUP[group])
            return False
        if group in BY_GROUP:
            cause, sure, words = BY_GROUP[group]
            status = re.search(r"\d+", found[0])
            words = words.format(status[0] if status else "")
            if cause in OPENING and self._refuse(line, cause, words):
                self.hints = {}
                return True
            self._keep(line, words, cause, sure, words)
            return True
        read = {"close": _of_text, "repr": _of_repr, "old": _of_old}[group]
        told = read(line.message[found.start() :])
        if told is None:
            return False
        cause, sure, words = told
        if sure != "possible" or not self._is_told(line):
            self._keep(line, words, cause, sure, words)
        return True

    def _is_told(self, line: Line) -> bool:
        """Whether another cause stands above, in the same chain."""
        known = self.newest is not None and self.newest.cause not in ("tcp_lost", "unknown")
        return known and line.number <= self.at + NEAR

    def _refuse(self, line: Line, cause: str, words: str) -> bool:
        """Whether this is about a connection whose debug lines are there, and never OPEN."""
        connection = self.connections.newest(line)
        if connection is None or not connection.whole or "OPEN" in connection.states:
            return False
        if connection.refused is None or cause != "probe":
            connection.refused = Fact(line.number, None, words)
            connection.refusal = cause
        return True

    def _hint(self, line: Line, hint: str) -> None:
        if line.number > self.at + NEAR:
            self.hints = {}
        self.at = line.number
        self.hints.setdefault(hint, Fact(line.number, None, hint))
        if hint == "asserts" and "drains" in self.hints:
            words = "AssertionError in drain(): two tasks waited in it at once"
            self._keep(line, words, "legacy_bug", "certain", words)
        connection = self.connections.newest(line)
        if hint in HOW and connection is not None:
            connection.how = connection.how or hint

    def _keep(self, line: Line, key: str, cause: str, sure: str, words: str) -> None:
        if key not in self.texts:
            fact = Fact(line.number, self.connections.time(line), words)
            self.texts[key] = Text(cause, sure, fact)
        self.newest = self.texts[key]
        self.newest.count += 1
        if line.number <= self.at + NEAR:
            self.newest.hints |= self.hints.keys()
        self.hints = {}
        self.at = line.number

    def verdicts(self, known: set[str]) -> list[Verdict]:
        """What only these lines tell; the debug lines told of the ``known`` causes already."""
        self._last_hints()
        found = [_verdict(text) for text in self.texts.values()]
        spare = known - {"alive", "unknown", "probe"}  # if the debug lines say why, 1006 is not
        found = [one for one in found if one.cause not in {"unknown", *known}]
        found = [one for one in found if not (spare and one.sure == "possible")]
        if found and LATE in self.texts:
            note = f"line {self.texts[LATE].first.number}: {NO_CAUSE[LATE]}"
            found[0] = replace(found[0], notes=(note,))
        if found or known:
            return found
        found = [
            Verdict("unknown", "possible", NO_CAUSE[key], (text.first,))
            for key, text in self.texts.items()
        ]
        if not found and self.infos:
            why = f"{self.infos} lines at INFO only, which name no cause"
            found = [Verdict("unknown", "possible", why)]
        return found

    def _last_hints(self) -> None:
        """A traceback without an end: it belongs to the text above it, or stands alone."""
        how = [hint for hint in self.hints if hint in HOW]
        if not how:
            return
        if self.newest is not None and self.newest.cause in ("tcp_lost", "unknown"):
            self.newest.hints |= self.hints.keys()
        elif not self.texts:
            sure = "likely" if "here" in self.hints else "possible"
            self.texts[how[-1]] = Text("tcp_lost", sure, self.hints[how[-1]], 1, set(self.hints))


def _verdict(text: Text) -> Verdict:
    times = "once" if text.count == 1 else f"{text.count} times"
    why = f"{text.first.words} (an exception says so, {times})"
    cause, sure = text.cause, text.sure
    how = next((HOW[hint] for hint in HOW if hint in text.hints), "")
    if cause == "own_timeout" and "reads slowly" in text.hints:
        cause, sure = "slow_reader", "likely"
    elif "1006" in text.first.words and "failed itself" in text.hints and not how:
        cause = "own_timeout"
        why += ": this end failed it itself, most often because its own keepalive gave up"
    elif how and (cause == "tcp_lost" or text.first.words == "sent 1011"):
        why += f": {how}"
        if cause != "tcp_lost" or sure == "possible":
            cause, sure = "tcp_lost", "likely"
    return Verdict(cause, sure, why, (text.first,))


def _of_text(text: str) -> tuple[str, str, str] | None:
    found = CLOSES.match(text)
    if found is None:
        return None
    answered = "no close frame received" not in found["rest"]
    return _told(found["who"] == "sent", int(found["code"]), found["reason"], answered)


def _of_repr(text: str) -> tuple[str, str, str] | None:
    found = REPRS.search(text)
    if found is None:
        return None
    mine = found["got"] is None or (found["sent"] is not None and found["order"] == "False")
    end = "sent" if mine else "got"
    answered = not mine or found["got"] is not None
    return _told(mine, int(found[end]), found[f"r{end}"], answered)


def _of_old(text: str) -> tuple[str, str, str] | None:
    """Up to version 9 the code that was received; 1006: none was."""
    found = OLD.match(text)
    if found is None:
        return None
    code, reason = int(found["code"]), found["reason"] or ""
    if code == 1006:
        words = "1006, as versions up to 9 say when no CLOSE came: TCP ended, or this end failed it"
        return "tcp_lost", "possible", words
    cause, sure, words = _told(False, code, reason, True)
    if cause == "peer_failed":
        return cause, "possible", f"{words}: an error there, or its keepalive, which gave no reason"
    return cause, sure, words


def _told(mine: bool, code: int, reason: str, answered: bool) -> tuple[str, str, str]:
    """What a CLOSE tells: a cause, how sure, and words."""
    reason = reason.strip()
    reason = KEEPALIVE if reason.startswith("keepalive ping") else reason
    words = f"{'sent' if mine else 'received'} {code} {reason}".rstrip() + whose(code, mine)
    cause = of_close(code, reason, mine)
    if cause in ("goodbye", "going_away", "other_code") and not answered:
        return "unanswered_close", "certain", f"{words}, and no CLOSE came back"
    return cause, "likely" if cause == "handler_raised" else "certain", words


def _can_have_failed(connection: Connection) -> bool:
    """Whether a handler's failure can be the cause; not if it failed as the connection was lost."""
    sent, got = connection.sent, connection.got
    if sent is None:
        return got is None and connection.state == "OPEN"
    return sent.code == 1011 and not sent.reason and not (got and got.number < sent.number)
