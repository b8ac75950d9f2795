"""The time that stands before a log line, in any of the usual ways. It knows dates and clocks, and nothing of WebSocket.

    2026-11-23 07:58:26,123   2026-11-23T07:58:26.123456Z   2026/11/23 07:58:26   ISO and its cousins
    Nov 23 07:58:26.123       23/Nov/2026:07:58:26          syslog (no year), a web server's
    07:58:26.123              a clock alone: after midnight it goes on counting
    1795420706.123            seconds since 1970; with 13 or 16 digits, milli- or microseconds
    12.345                    seconds alone, as the lab writes them; 12345 (relativeCreated) are milliseconds

The time zone is believed only if it is written; what matters here are differences.
"""

from __future__ import annotations

import calendar
import re

MONTHS = {
    name: number
    for number, name in enumerate(
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1
    )
}
DAY = 86400.0  # s
TIME = r"(?P<h{0}>[0-2]\d):(?P<m{0}>[0-5]\d):(?P<s{0}>[0-6]\d)(?:[.,](?P<f{0}>\d{{1,9}}))?"
KINDS = [
    (
        "iso",
        r"(?P<Y1>\d{4})[-/](?P<M1>\d\d)[-/](?P<D1>\d\d)[T ]"
        + TIME.format(1)
        + r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d))?",
    ),
    ("web", r"(?P<D2>\d\d)/(?P<M2>[A-Z][a-z]{2})/(?P<Y2>\d{4}):" + TIME.format(2)),
    ("syslog", r"(?P<M3>[A-Z][a-z]{2}) +(?P<D3>\d{1,2}) " + TIME.format(3)),
    ("clock", r"(?<![\d:])" + TIME.format(4)),
    ("epoch", r"(?<![\w.-])(?P<whole>1\d{9}(?:\d{3}|\d{6})?)(?:\.(?P<f5>\d{1,9}))?(?![\w.-])"),
    ("seconds", r"^\s*\[?(?P<count>\d{1,9}\.\d{1,9})\]?\s"),
    ("relative", r"^\s*(?P<ms>\d{1,9})\s"),
]
TEN = [10**digits for digits in range(10)]
FRACTION = re.compile(r"[.,](\d{1,9})")
PATTERN = re.compile("|".join(f"(?P<{kind}>{how})" for kind, how in KINDS))


class Clock:
    """Reads stamps one after the other; ``read`` gives seconds, or None where there is no time."""

    def __init__(self) -> None:
        self.days = 0.0  # s to add, since midnights (or a New Year) went by
        self.kind = ""  # of the newest stamp
        self.last: float | None = None
        self.second: tuple[str, float] = (
            "\n",
            0.0,
        )  # a prefix up to its seconds, and when that is: the next line often has the same

    def read(self, prefix: str) -> float | None:
        """The time in the text before a message (s), or None."""
        text, when = self.second
        if prefix.startswith(text):
            found = FRACTION.match(prefix, len(text))
            return when + int(found[1]) / TEN[found.end() - found.start() - 1] if found else when
        found = PATTERN.search(prefix)
        if found is None or (kind := _kind(found)) is None:
            return None
        self.kind = kind
        try:
            return getattr(self, f"_{kind}")(found)
        except (ValueError, KeyError, OverflowError):
            return None

    def _of_day(self, found: re.Match[str], n: int) -> float:
        return (
            int(found[f"h{n}"]) * 3600
            + int(found[f"m{n}"]) * 60
            + int(found[f"s{n}"])
            + _part(found[f"f{n}"])
        )

    def _iso(self, found: re.Match[str]) -> float:
        day = calendar.timegm((int(found["Y1"]), int(found["M1"]), int(found["D1"]), 0, 0, 0))
        seconds = int(found["h1"]) * 3600 + int(found["m1"]) * 60 + int(found["s1"])
        self.second = (
            found.string[: found.end("s1")],
            float(day + seconds - _offset(found["zone"])),
        )
        return self.second[1] + _part(found["f1"])

    def _web(self, found: re.Match[str]) -> float:
        day = calendar.timegm((int(found["Y2"]), MONTHS[found["M2"]], int(found["D2"]), 0, 0, 0))
        return day + self._of_day(found, 2)

    def _syslog(self, found: re.Match[str]) -> float:
        day = calendar.timegm(
            (2000, MONTHS[found["M3"]], int(found["D3"]), 0, 0, 0)
        )  # the year is not written
        return self._onward(day + self._of_day(found, 3), 366 * DAY)

    def _clock(self, found: re.Match[str]) -> float:
        return self._onward(self._of_day(found, 4), DAY)

    def _epoch(self, found: re.Match[str]) -> float:
        whole, parts = found["whole"], {10: 1, 13: 1000, 16: 1000000}[len(found["whole"])]
        fraction = _part(found["f5"])
        return int(whole) / parts + fraction / parts

    def _seconds(self, found: re.Match[str]) -> float:
        return float(found["count"])

    def _relative(self, found: re.Match[str]) -> float:
        return int(found["ms"]) / 1000

    def _onward(self, seconds: float, turn: float) -> float:
        """A clock that falls back by more than half a turn has gone over midnight (or the New Year)."""
        if self.last is not None and seconds + self.days < self.last - turn / 2:
            self.days += turn
        self.last = seconds + self.days
        return self.last


def _part(fraction: str | None) -> float:
    """The digits behind the point (s)."""
    return int(fraction) / TEN[len(fraction)] if fraction else 0.0


def _kind(found: re.Match[str]) -> str | None:
    return next((kind for kind, _ in KINDS if found[kind] is not None), None)


def _offset(zone: str | None) -> float:
    """Seconds east of Greenwich."""
    if not zone or zone == "Z":
        return 0.0
    sign, digits = -1 if zone[0] == "-" else 1, zone[1:].replace(":", "")
    return float(sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60))
