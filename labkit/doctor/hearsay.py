"""What is said beside the debug lines: exception texts, INFO and ERROR lines. Alone they are a case, too; else they confirm one.

sent 1011 (internal error) keepalive ping timeout; no close frame received      this end's keepalive
received 1011 (internal error) keepalive ping timeout; then sent 1011 …         the peer's
no close frame received or sent                                                 TCP ended
timed out while closing connection                                              no cause: what came after it
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .chart import Chart, Fact
from .lines import Line
from .verdict import AWAY, KEEPALIVE, REFUSALS, Verdict
from .ward import Ward

CLOSES = re.compile(
    r"^(?P<who>sent|received) (?P<code>\d{4}) \([^)]*\)(?P<reason>[^;]*)(?:; (?P<then>no close frame|then))?"
)
LATE = "timed out while closing connection"
NONE = "no close frame received or sent"
CODE = "1006"


@dataclass
class Heard:
    """A text that was heard: where first, and how often."""

    cause: str
    sure: str
    first: Fact
    count: int = 1


class Hearsay:
    """Collects what is said, and passes on what belongs to a connection."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        self.heard: dict[str, Heard] = {}
        self.infos = 0  # "connection open", and the like
        self.failing: Chart | None = None  # whose handler failed, until its exception is read

    def take(self, line: Line) -> None:
        """Take in one line."""
        if line.kind == "said":
            self._said(line)
        elif line.kind == "broken":
            self._broken(line)
        elif line.kind == "text":
            self._text(line, line.message)
        else:
            self._keep(CODE, "unknown", "possible", line, "1006 in a program's own words")

    def _said(self, line: Line) -> None:
        self.infos += line.message.startswith(("connection open", "connection closed"))
        chart = self.ward.newest(line)
        if chart is None:
            return
        fact = Fact(line.number, None, line.message[:60])
        if line.message == "connection handler failed" and _can_have_failed(chart):
            chart.failed, self.failing = fact, chart
        elif (
            line.message.startswith(("connection rejected", "opening handshake failed"))
            and chart.state == "CONNECTING"
        ):
            chart.refused = fact

    def _broken(self, line: Line) -> None:
        """The last line of a traceback: the type of the exception; its text may hold contents and is passed over."""
        if line.message.startswith("Traceback"):
            return
        kind, _, rest = line.message.partition(":")
        if self.failing is not None and "ConnectionClosed" not in kind:
            self.failing.mistake = self.failing.mistake or kind.rpartition(".")[2][:60]
        self._text(line, rest.strip())

    def _text(self, line: Line, text: str) -> None:
        if text.startswith(LATE):
            self._keep(LATE, "unknown", "possible", line, LATE)
        elif text.startswith(NONE):
            self._keep(NONE, "tcp_lost", "certain", line, NONE)
        elif found := CLOSES.match(text):
            self._closes(line, found)

    def _closes(self, line: Line, found: re.Match[str]) -> None:
        mine, code = found["who"] == "sent", int(found["code"])
        words = f"{found['who']} {code}{' ' + KEEPALIVE if KEEPALIVE in found['reason'] else ''}"
        cause = "goodbye"
        if code == 1011 and KEEPALIVE in found["reason"]:
            cause = "own_timeout" if mine else "peer_timeout"
        elif code == 1011:
            cause = "handler_raised" if mine else "peer_failed"
        elif code in REFUSALS or code in AWAY:
            cause = "refused_data" if code in REFUSALS else "going_away"
        self._keep(
            words,
            cause,
            "likely" if cause in ("handler_raised", "own_timeout") else "certain",
            line,
            words,
        )

    def _keep(self, key: str, cause: str, sure: str, line: Line, words: str) -> None:
        if key in self.heard:
            self.heard[key].count += 1
        else:
            self.heard[key] = Heard(cause, sure, Fact(line.number, self.ward.time(line), words))

    def verdicts(self, known: set[str]) -> list[Verdict]:
        """The cases that only exception texts tell of; ``known`` causes have been told by the debug log already."""
        cases = [
            one
            for key, one in self.heard.items()
            if one.cause not in known and one.cause != "unknown"
        ]
        found = [
            Verdict(one.cause, one.sure, f"an exception says so, {_times(one.count)}", (one.first,))
            for one in cases
        ]
        if not found and not known:
            found = [
                Verdict("unknown", "possible", _riddle(key), (one.first,))
                for key, one in self.heard.items()
            ]
        if found and LATE in self.heard:
            found[0] = replace(
                found[0], notes=(f"line {self.heard[LATE].first.number}: {_riddle(LATE)}",)
            )
        if not found and not known and self.infos:
            found = [
                Verdict(
                    "unknown", "possible", f"{self.infos} lines at INFO only, which name no cause"
                )
            ]
        return found


def _can_have_failed(chart: Chart) -> bool:
    """A handler that fails *because* the connection was lost is no cause."""
    sent, got = chart.sent, chart.got
    own = (
        sent is not None
        and sent.code == 1011
        and not sent.reason
        and not (got and got.number < sent.number)
    )
    return own or (sent is None and got is None and chart.state == "OPEN")


def _riddle(key: str) -> str:
    if key == LATE:
        return (
            f"'{LATE}' is no cause: a closing handshake was not finished in close_timeout. "
            "The exception below it, in the same traceback, says why it closed"
        )
    return (
        "1006 is never sent: it says that no CLOSE came, be it after this end's own keepalive timeout or because TCP "
        "ended. The exception's text tells which"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
