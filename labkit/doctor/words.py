"""The report in words, and as JSON for scripts. Contents of messages are in neither; reasons and codes of a CLOSE are."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from .chart import Fact
from .remedies import FIXES, REMEDIES
from .report import ORDER, Report
from .verdict import Verdict

SHOWN = 3  # connections of a cause that are told in full
WIDTH = 110


def text(report: Report) -> str:
    """The whole report, worst first."""
    return "\n".join(_text(report)) + "\n"


def _text(report: Report) -> Iterator[str]:
    yield _head(report)
    for cause in ORDER:
        ones = [one for one in report.verdicts if one.cause == cause]
        if ones:
            yield ""
            yield from _cause(
                cause,
                ones,
                sum(n for (which, _), n in report.counts.items() if which == cause),
                report,
            )


def _head(report: Report) -> str:
    if not report.verdicts:
        return f"{report.lines:,} lines, none of them written by websockets at DEBUG. To have it write:\n\n{_indent(FIXES['debug'])}"
    n = sum(n for (cause, _), n in report.counts.items() if cause != "storm")
    span = (
        f", {_span(report.end - report.begin)} long"
        if report.begin is not None and report.end is not None
        else ", without times"
    )
    return f"{n:,} {'case' if n == 1 else 'cases'} in {report.lines:,} lines, {report.spoken:,} of them by websockets{span}"


def _cause(cause: str, ones: list[Verdict], total: int, report: Report) -> Iterator[str]:
    remedy = REMEDIES[cause]
    sures = ", ".join(
        f"{n} {sure}"
        for sure in ("certain", "likely", "possible")
        if (n := report.counts[cause, sure])
    )
    yield f"■ {remedy.title}  ({sures})"
    for one in ones[:SHOWN]:
        yield from _one(one, report)
    if total > SHOWN:
        rest = ", ".join(
            f"{one.connection} (line {one.lines[0]})"
            for one in ones[SHOWN : SHOWN + 10]
            if one.connection
        )
        yield f"  … and {total - SHOWN} more{': connections ' + rest if rest else ''}{' …' if total > SHOWN + 10 else ''}"
    yield from _wrapped("what it is", remedy.means)
    yield from _wrapped("what to do", remedy.do)
    if remedy.fix:
        yield _indent(FIXES[remedy.fix], 15).rstrip()
    if remedy.notebook:
        yield f"  see          notebooks/{remedy.notebook}.ipynb"


def _one(one: Verdict, report: Report) -> Iterator[str]:
    if one.connection:
        who = f" ({one.who})" if one.who else ""
        end = f", {one.side}" if one.side else ""
        version = f", websockets {one.family}" if one.family != "unknown" else ""
        yield f"  connection {one.connection}{who}{end}{version}, lines {one.lines[0]}–{one.lines[1]}"
        if moments := _moments(one):
            yield f"    {moments}"
    yield f"    {one.sure}: {one.why}"
    for fact in one.evidence:
        yield f"      line {fact.number:<7} {_stamp(fact, one)}{fact.words}"
    for note in one.notes:
        yield f"    note: {note}"


def _moments(one: Verdict) -> str:
    """What happened when, from its OPEN on."""
    if one.opened is None:
        return ""
    parts = [
        f"{name} {_span(t - one.opened)}"
        for name, t in (("CLOSING after", one.closing), ("CLOSED after", one.closed))
        if t is not None
    ]
    return ", ".join(["OPEN at 0", *parts])


def _stamp(fact: Fact, one: Verdict) -> str:
    return "" if fact.t is None or one.opened is None else f"{fact.t - one.opened:10.3f} s  "


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _wrapped(name: str, words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent=f"  {name:<13}", subsequent_indent=" " * 15)


def _indent(code: str, by: int = 4) -> str:
    return textwrap.indent(code, " " * by)


def to_json(report: Report) -> str:
    """The report as one JSON object, for scripts."""
    data = {
        "labkit doctor": 1,
        "lines": report.lines,
        "websockets lines": report.spoken,
        "begin": report.begin,
        "end": report.end,
        "counts": [
            {"cause": cause, "sure": sure, "count": n}
            for (cause, sure), n in sorted(report.counts.items())
        ],
        "verdicts": [_data(one) for one in report.verdicts],
    }
    return json.dumps(data, ensure_ascii=False, indent=1)


def _data(one: Verdict) -> dict[str, Any]:
    remedy = REMEDIES[one.cause]
    return {
        "cause": one.cause,
        "sure": one.sure,
        "title": remedy.title,
        "why": one.why,
        "evidence": [
            {"line": fact.number, "t": fact.t, "words": fact.words} for fact in one.evidence
        ],
        "notes": list(one.notes),
        "connection": one.connection or None,
        "who": one.who or None,
        "side": one.side or None,
        "websockets": one.family,
        "lines": list(one.lines),
        "opened": one.opened,
        "closing": one.closing,
        "closed": one.closed,
        "do": remedy.do,
        "fix": FIXES.get(remedy.fix),
        "notebook": remedy.notebook or None,
    }
