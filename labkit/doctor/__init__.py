"""The doctor: somebody's debug log of ``websockets`` in, causes out, with evidence by line numbers.

    report = diagnose(open("app.log"))
    print(report)                       the worst first, with what to do

It reads any version's wording (of debug lines in ``dialect`` and older.py, of exceptions in
sentences.py) in any usual format, many connections at a time, in flat memory. It says *certain*
only what one line says by itself; "not enough to say" is a good answer, a wrong verdict is not.

    lines → demultiplexer → connection → causes → report
          → exception_texts ──────────────────↗
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import lines
from .causes import completed, judge
from .connection import Connection
from .demultiplexer import Demultiplexer
from .drawing import draw
from .exception_texts import ExceptionTexts
from .report import Report
from .report_json import to_json
from .storms import Storms
from .verdict import Verdict

__all__ = [
    "Report",
    "Verdict",
    "diagnose",
    "diagnose_files",
    "draw",
    "recipe_text",
    "text",
    "to_json",
]


def diagnose(rows: Iterable[str]) -> Report:
    """Read a log, line by line, and say what became of each connection in it."""
    report, storms, reader = Report(), Storms(), lines.Reader()

    def finished(one: Connection) -> None:
        found = judge(one, connections.end)
        report.add(found if report.is_full(found.cause) else completed(found, one))

    connections = Demultiplexer(finished, storms)
    texts = ExceptionTexts(connections)
    for line in reader.read(rows):
        if line.kind == "text":
            texts.add(line)
        else:
            report.spoken += 1
            connections.add(line)
    connections.finish(reader.envelope())
    for verdict in texts.verdicts(report.causes) + storms.verdicts():
        report.add(verdict)
    report.lines, report.begin, report.end = reader.lines, connections.begin, connections.end
    report.finish()
    return report


def diagnose_files(paths: Iterable[str]) -> Report:
    """Read files as one log, rotated ones oldest first; "-" is standard input.

    FileNotFoundError if one is not there. What gzip compressed is unpacked.
    """
    return diagnose(_rows(paths))


def text(report: Report) -> str:
    """The whole report in words, worst first."""
    return f"{report}\n"


def recipe_text() -> str:
    """Ten lines for a program that has no labkit: where is it blocked?"""
    return (Path(__file__).parent / "recipe.py").read_text(encoding="utf-8")


def _rows(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if path == "-":
            yield from lines.texts(sys.stdin.buffer)
        elif Path(path).is_file():
            with lines.opened(path) as file:
                yield from lines.texts(file)
        else:
            expected = "expected a log, or - for standard input"
            raise FileNotFoundError(f"there is no file {path}: {expected}")
