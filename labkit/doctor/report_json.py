"""The report as JSON, for scripts. The contents of messages are not in it."""

from __future__ import annotations

import json
from typing import Any

from .remedies import FIXES, REMEDIES
from .report import Report
from .verdict import Verdict


def to_json(report: Report) -> str:
    """The report as one JSON object."""
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
        "verdicts": [_verdict(one) for one in report.verdicts],
    }
    return json.dumps(data, ensure_ascii=False, indent=1)


def _verdict(one: Verdict) -> dict[str, Any]:
    remedy = REMEDIES[one.cause]
    return {
        "cause": one.cause,
        "sure": one.sure,
        "title": remedy.title,
        "why": one.why,
        "evidence": [
            {"line": fact.number, "t": fact.t, "words": fact.words} for fact in one.evidence
        ],
        "notes": one.notes,
        "connection": one.connection or None,
        "who": one.who or None,
        "side": one.side or None,
        "websockets": one.family,
        "lines": one.lines,
        "opened": one.opened,
        "closing": one.closing,
        "closed": one.closed,
        "do": remedy.do,
        "fix": FIXES.get(remedy.fix),
        "notebook": remedy.notebook or None,
    }
