"""How a connection ended for one of its ends, in a word: one rule for matrix, line-up, notebook 05.

    bounded   CLOSED, and its program told, about close_timeout after it left OPEN
    late      CLOSED before the cut is healed, but later than that; or told later, or never
    hangs     in CLOSING until the heal, or to the end of the run
    never     OPEN until the heal, or to the end of the run

A connection is over when it is both closed and told: 13.0 tells a wrong exception early, and goes
on hanging.
"""

from __future__ import annotations

import math

from .story import Story

LEGACY = 5  # so many times its close_timeout the legacy implementation may take, by rule
SLACK = 0.02  # s; so early a real clock may be


def fate(story: Story, end: str, heal: float | None = None) -> str:
    """What became of ``end``: bounded, late, hangs, never; ``heal`` (s): when a cut was mended."""
    moments = (story.noticed_at(end), story.closed_at(end), story.told_at(end))
    noticed, closed, told = (math.inf if t is None or math.isnan(t) else t for t in moments)
    mended = math.inf if heal is None else heal - SLACK
    most = limit(story, end)
    if noticed >= mended:
        return "never"
    if closed >= mended and closed - noticed > most:
        return "hangs"
    return "late" if max(closed, told) - noticed > most else "bounded"


def limit(story: Story, end: str) -> float:
    """How long (s) closing may take by its close_timeout, with room for a real clock."""
    experiment = getattr(story, "experiment", None)
    timeout = experiment.peer(end).close_timeout if experiment else None
    header = story.header
    is_legacy = "legacy" in f"{header.get('implementation')} {header.get('vintage')}"
    return 1.25 * (10.0 if timeout is None else timeout) * (LEGACY if is_legacy else 1) + 0.2
