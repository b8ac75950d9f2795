"""What a log says beside the debug lines: exceptions' texts, INFO and ERROR lines.

Where there are no debug lines they are a case by themselves; else they add to a connection.

sent 1011 (internal error) keepalive ping timeout; no close frame received      this end's keepalive
received 1011 (internal error) keepalive ping timeout; then sent 1011 …         the peer's
no close frame received or sent                                                 TCP ended
timed out while closing connection                                              no cause by itself
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .connection import Connection, Fact
from .demultiplexer import Demultiplexer
from .lines import Line
from .verdict import KEEPALIVE, Verdict, of_close

CLOSES = re.compile(r"(?P<who>sent|received) (?P<code>\d{4}) \([^)]*\)(?P<reason>[^;]*)")
LATE = "timed out while closing connection"
NO_CLOSE = "no close frame received or sent"
NO_CAUSE = {
    LATE: "'timed out while closing connection' is no cause: a closing handshake was not finished"
    " in close_timeout. The exception below it, in the same traceback, says why it closed",
    "1006": "1006 is never sent: it says that no CLOSE came, be it after this end's own keepalive"
    " timeout or because TCP ended. The exception's text tells which",
}


@dataclass
class Text:
    """A text that names a cause, or ("unknown") may not; where it stood first, and how often."""

    cause: str
    sure: str
    first: Fact
    count: int = 0


class ExceptionTexts:
    """Collects such lines, and adds what belongs to a connection to it."""

    def __init__(self, connections: Demultiplexer) -> None:
        self.connections = connections
        self.texts: dict[str, Text] = {}
        self.infos = 0  # lines that say "connection open", and the like
        self.failing: Connection | None = None  # its handler's exception comes next

    def add(self, line: Line) -> None:
        """One more line."""
        if line.kind == "said":
            self._said(line)
        elif line.kind == "broken":
            self._exception(line)
        elif line.kind == "text":
            self._text(line, line.message)
        else:
            self._keep(line, "1006", "unknown", "possible", "1006 in a program's own words")

    def _said(self, line: Line) -> None:
        """A line of the library at INFO or ERROR."""
        if line.message.startswith(("connection open", "connection closed")):
            self.infos += 1
        connection = self.connections.newest(line)
        if connection is None:
            return
        fact = Fact(line.number, None, line.message[:60])
        if line.message == "connection handler failed" and _can_have_failed(connection):
            connection.failed, self.failing = fact, connection
        refused = line.message.startswith(("connection rejected", "opening handshake failed"))
        if refused and connection.state == "CONNECTING":
            connection.refused = fact

    def _exception(self, line: Line) -> None:
        """The last line of a traceback. Of a handler's exception only the type is kept."""
        if line.message.startswith("Traceback"):
            return
        kind, _, text = line.message.partition(":")
        if self.failing is not None and "ConnectionClosed" not in kind:
            self.failing.mistake = self.failing.mistake or kind.rpartition(".")[2][:60]
        self._text(line, text.strip())

    def _text(self, line: Line, text: str) -> None:
        if text.startswith(LATE):
            self._keep(line, LATE, "unknown", "possible", LATE)
        elif text.startswith(NO_CLOSE):
            self._keep(line, NO_CLOSE, "tcp_lost", "certain", NO_CLOSE)
        elif found := CLOSES.match(text):
            who, code, reason = found.groups()
            words = f"{who} {code} {KEEPALIVE}" if KEEPALIVE in reason else f"{who} {code}"
            cause = of_close(int(code), reason, who == "sent")
            sure = "likely" if cause in ("handler_raised", "own_timeout") else "certain"
            self._keep(line, words, cause, sure, words)

    def _keep(self, line: Line, key: str, cause: str, sure: str, words: str) -> None:
        if key not in self.texts:
            fact = Fact(line.number, self.connections.time(line), words)
            self.texts[key] = Text(cause, sure, fact)
        self.texts[key].count += 1

    def verdicts(self, known: set[str]) -> list[Verdict]:
        """What only these lines tell; the debug lines told of the ``known`` causes already."""
        texts = self.texts.values()
        found = [_verdict(text) for text in texts if text.cause not in {"unknown", *known}]
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


def _verdict(text: Text) -> Verdict:
    times = "once" if text.count == 1 else f"{text.count} times"
    return Verdict(text.cause, text.sure, f"an exception says so, {times}", (text.first,))


def _can_have_failed(connection: Connection) -> bool:
    """Whether a handler's failure can be the cause; not if it failed as the connection was lost."""
    sent, got = connection.sent, connection.got
    if sent is None:
        return got is None and connection.state == "OPEN"
    return sent.code == 1011 and not sent.reason and not (got and got.number < sent.number)
