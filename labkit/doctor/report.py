"""The report: every verdict counted, up to 200 of a cause kept, and all of it in words.

The contents of messages are not in it; codes and reasons of a CLOSE are.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from .connection import Fact
from .remedies import FIXES, REMEDIES
from .verdict import CAUSES, SURE, Verdict

KEPT = 200  # verdicts of a cause; the rest is counted
SAME = 1.0  # s; idle times as near as this are the same
SHOWN = 3  # connections of a cause that are told in full
LISTED = 10  # more of them, by number and line
WIDTH = 110  # columns


@dataclass
class Report:
    """What the doctor found in a log."""

    lines: int = 0  # in the log
    spoken: int = 0  # of them, the library's at DEBUG
    begin: float | None = None  # s
    end: float | None = None  # s
    verdicts: list[Verdict] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    # (cause, sure): how many verdicts, kept or not
    totals: Counter[str] = field(default_factory=Counter)  # the same by cause alone

    @property
    def causes(self) -> set[str]:
        """Every cause that was found."""
        return set(self.totals)

    def count(self, cause: str) -> int:
        """How many verdicts name this cause."""
        return self.totals[cause]

    def is_full(self, cause: str) -> bool:
        """Whether enough verdicts of a cause are kept: more are only counted."""
        return self.count(cause) >= KEPT

    def add(self, verdict: Verdict) -> None:
        """One more verdict."""
        if not self.is_full(verdict.cause):
            self.verdicts.append(verdict)
        self.counts[verdict.cause, verdict.sure] += 1
        self.totals[verdict.cause] += 1

    def finish(self) -> None:
        """Compare the connections with each other, and put the worst first."""
        drops = [one for one in self.verdicts if one.cause == "idle_drop"]
        for number, one in enumerate(self.verdicts):
            like = [two for two in drops if one.cause == "idle_drop" and _same_idle_time(one, two)]
            if like:
                why = f"{one.why}; {len(like)} more did the same at other moments"
                self.verdicts[number] = one._replace(sure="likely", why=why)
                self.counts[one.cause, one.sure] -= 1
                self.counts[one.cause, "likely"] += 1
        self.counts = +self.counts  # drops what is 0
        self.verdicts.sort(
            key=lambda one: (CAUSES.index(one.cause), one.sure != "certain", one.connection)
        )

    def __str__(self) -> str:
        return "\n".join(_report(self))


def _same_idle_time(one: Verdict, two: Verdict) -> bool:
    """Whether two connections ended after the same idle time, at different moments."""
    if one.idle is None or two.idle is None or one.closed is None or two.closed is None:
        return False
    return abs(two.idle - one.idle) <= SAME and abs(two.closed - one.closed) > 2 * SAME


def _report(report: Report) -> Iterator[str]:
    if not report.verdicts:
        yield (
            f"{report.lines:,} lines, none of them written by websockets at DEBUG."
            " To have it write:\n"
        )
        yield _indented(FIXES["debug"], 4).rstrip()
        return
    cases = report.counts.total() - report.count("storm")
    span = ", without times"
    if report.begin is not None and report.end is not None:
        span = f", {_span(report.end - report.begin)} long"
    yield (
        f"{cases:,} {'case' if cases == 1 else 'cases'} in {report.lines:,} lines, "
        f"{report.spoken:,} of them by websockets{span}"
    )
    for cause in CAUSES:
        if report.count(cause):
            yield ""
            yield from _cause(cause, report)


def _cause(cause: str, report: Report) -> Iterator[str]:
    remedy = REMEDIES[cause]
    counts = {sure: report.counts[cause, sure] for sure in SURE}
    yield f"■ {remedy.title}  ({', '.join(f'{n} {sure}' for sure, n in counts.items() if n)})"
    verdicts = [one for one in report.verdicts if one.cause == cause]
    for one in verdicts[:SHOWN]:
        yield from _verdict(one)
    more = report.count(cause) - SHOWN
    if more > 0:
        listed = [one for one in verdicts[SHOWN:][:LISTED] if one.connection]
        rest = ", ".join(f"{one.connection} (line {one.lines[0]})" for one in listed)
        connections = f": connections {rest}" if rest else ""
        yield f"  … and {more} more{connections}{' …' if more > LISTED else ''}"
    yield _titled("what it is", remedy.means)
    yield _titled("what to do", remedy.do)
    if remedy.fix:
        yield _indented(FIXES[remedy.fix], 15).rstrip()
    if remedy.notebook:
        yield _titled("see", f"notebooks/{remedy.notebook}.ipynb")


def _verdict(one: Verdict) -> Iterator[str]:
    if one.connection:
        who = f" ({one.who})" if one.who else ""
        side = f", {one.side}" if one.side else ""
        version = f", websockets {one.family}" if one.family != "unknown" else ""
        first, last = one.lines
        yield f"  connection {one.connection}{who}{side}{version}, lines {first}–{last}"
    if one.connection and one.opened is not None:
        moments = "    OPEN at 0"
        for state, t in (("CLOSING", one.closing), ("CLOSED", one.closed)):
            if t is not None:
                moments += f", {state} after {_span(t - one.opened)}"
        yield moments
    yield f"    {one.sure}: {one.why}"
    for fact in one.evidence:
        yield f"      line {fact.number:<7} {_time(fact, one)}{fact.words}"
    for note in one.notes:
        yield f"    note: {note}"


def _time(fact: Fact, one: Verdict) -> str:
    if fact.t is None or one.opened is None:
        return ""
    return f"{fact.t - one.opened:10.3f} s  "


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _titled(title: str, words: str) -> str:
    first, others = f"  {title:<13}", " " * 15
    return textwrap.fill(words, WIDTH, initial_indent=first, subsequent_indent=others)


def _indented(code: str, columns: int) -> str:
    return textwrap.indent(code, " " * columns)
