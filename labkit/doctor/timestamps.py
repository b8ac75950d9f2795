"""The time that stands before a log line, in any of the usual ways.

    2026-11-23 07:58:26,123   2026-11-23T07:58:26.123456Z   2026/11/23 07:58:26   ISO 8601
    Nov 23 07:58:26.123       23/Nov/2026:07:58:26          syslog (no year), a web server's
    07:58:26.123              a clock alone: after midnight it goes on counting
    1795420706.123            seconds since 1970; with 13 or 16 digits, milli- or microseconds
    12.345                    seconds alone, as the lab writes them
    12345                     milliseconds (logging's relativeCreated)

A time zone counts only if it is written; what matters here are differences. It knows dates and
clocks, and nothing of WebSocket.
"""

from __future__ import annotations

import calendar
import re
from functools import lru_cache

NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
MONTHS = {name: number for number, name in enumerate(NAMES, start=1)}
DAY = 86400.0  # s
TIME = r"(?P<h>[0-2]\d):(?P<m>[0-5]\d):(?P<s>[0-6]\d)(?:[.,](?P<fraction>\d{1,9}))?"
PATTERNS = {
    "iso": r"(?P<year>\d{4})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ]"
    + TIME
    + r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d))?",
    "web": r"(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4}):" + TIME,
    "syslog": r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) " + TIME,
    "clock": r"(?<![\d:])" + TIME,
    "epoch": r"(?<![\w.-])(?P<whole>1\d{9}(?:\d{3}|\d{6})?)"
    r"(?:\.(?P<fraction>\d{1,9}))?(?![\w.-])",
    "seconds": r"^\s*\[?(?P<count>\d{1,9}\.\d{1,9})\]?\s",
    "relative": r"^\s*(?P<count>\d{1,9})\s",
}
KINDS = {kind: re.compile(how) for kind, how in PATTERNS.items()}
ANY = re.compile(
    "|".join(f"(?P<{kind}>{re.sub('[?]P<[a-z]+>', '', how)})" for kind, how in PATTERNS.items())
)
FRACTION = re.compile(r"[.,](\d{1,9})")
EPOCH_UNITS = {10: 1, 13: 1000, 16: 1000000}  # digits: units in a second


class TimestampReader:
    """Reads the times of a log's lines, one after the other."""

    def __init__(self) -> None:
        self.kind = ""  # of the newest time: a key of PATTERNS
        self.turns = 0.0  # s to add, since midnights (or a New Year) went by
        self.last: float | None = None  # s, the newest time of a clock that turns
        # The newest text up to its seconds, and its time (s): the next line often has the same.
        self.second = "\n", 0.0

    def read(self, prefix: str) -> float | None:
        """The time in the text before a message (s), or None if there is none."""
        text, when = self.second
        if prefix.startswith(text):
            digits = FRACTION.match(prefix, len(text))
            return when + _fraction(digits[1]) if digits else when
        found = ANY.search(prefix)
        if found is None:
            return None
        self.kind = found.lastgroup or ""
        parts = KINDS[self.kind].match(prefix, found.start())
        try:
            return self._seconds(parts) if parts else None
        except (ValueError, OverflowError):
            return None

    def _seconds(self, parts: re.Match[str]) -> float:
        if self.kind == "seconds":
            return float(parts["count"])
        if self.kind == "relative":
            return int(parts["count"]) / 1000
        if self.kind == "epoch":
            units = EPOCH_UNITS[len(parts["whole"])]
            return int(parts["whole"]) / units + _fraction(parts["fraction"]) / units
        when = float(_day(parts) + int(parts["h"]) * 3600 + int(parts["m"]) * 60 + int(parts["s"]))
        if self.kind == "iso":
            when -= _offset(parts["zone"])
            self.second = parts.string[: parts.end("s")], when
        when += _fraction(parts["fraction"])
        turn = {"clock": DAY, "syslog": 366 * DAY}.get(self.kind)
        return when if turn is None else self._onward(when, turn)

    def _onward(self, seconds: float, turn: float) -> float:
        """A clock that falls back by more than half a turn went over midnight (or the New Year)."""
        if self.last is not None and seconds + self.turns < self.last - turn / 2:
            self.turns += turn
        self.last = seconds + self.turns
        return self.last


@lru_cache(1000)
def _fraction(digits: str | None) -> float:
    """The digits behind the point (s)."""
    return int(digits) / 10 ** len(digits) if digits else 0.0


def _day(parts: re.Match[str]) -> int:
    """When the day of a date began (s since 1970); 0 where only a clock is written."""
    date = parts.groupdict()
    if "day" not in date:
        return 0
    year, month = date.get("year", 2000), date["month"]
    return calendar.timegm((int(year), MONTHS.get(month) or int(month), int(date["day"]), 0, 0, 0))


def _offset(zone: str | None) -> float:
    """Seconds east of Greenwich."""
    if not zone or zone == "Z":
        return 0.0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60.0
    return -seconds if zone[0] == "-" else seconds
