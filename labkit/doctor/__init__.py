"""The doctor: somebody's debug log of ``websockets`` in, causes out, with how sure and on which lines.

    report = diagnose(open("app.log"))
    print(report)                       the worst first, with what to do

It reads any version's wording (that stands in ``dialect``) in any usual format, many connections at a time, in flat memory. It
says *certain* only where the log leaves nothing else; "not enough to say" is a good answer, a wrong verdict is not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import lines
from .chart import Chart
from .hearsay import Hearsay
from .report import Report, Storms
from .verdict import Verdict, judge
from .ward import Ward
from .words import text, to_json

__all__ = ["Report", "Verdict", "diagnose", "diagnose_files", "recipe_text", "text", "to_json"]

DEBUG_LINES = ("state", "data", "frame", "keepalive", "other", "http")


def diagnose(rows: Iterable[str]) -> Report:
    """Read a log, line by line, and say what became of each connection in it."""
    report, storms = Report(), Storms()

    def discharge(chart: Chart) -> None:
        report.add(judge(chart, ward.end))

    ward = Ward(discharge, storms)
    hearsay = Hearsay(ward)
    reader = lines.Reader()
    for line in reader.read(rows):
        if line.kind in DEBUG_LINES:
            report.spoken += 1
            ward.take(line)
        else:
            hearsay.take(line)
    ward.leave(reader.envelope())
    report.lines = reader.lines
    for verdict in [*hearsay.verdicts(report.causes), *filter(None, [storms.verdict()])]:
        report.add(verdict)
    report.begin, report.end = ward.begin, ward.end
    report.settle()
    return report


def diagnose_files(paths: Iterable[str]) -> Report:
    """Read files one after the other, as one log (give rotated ones oldest first); "-" is standard input."""
    return diagnose(_rows(paths))


def recipe_text() -> str:
    """Ten lines for a program that has no labkit: where is it blocked?"""
    return (Path(__file__).parent / "recipe.py").read_text(encoding="utf-8")


def _rows(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if path == "-":
            yield from lines.texts(sys.stdin.buffer)
            continue
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"there is no file {path}: expected a log, or - for standard input"
            )
        with lines.opened(path) as file:
            yield from lines.texts(file)
