"""The lanes of a line-up: whose each is, and how it ended, read from its trace alone. Pure; draws nothing.

bounded, late, hangs and never are a fate (fate.py); a hole was not run, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..trace import Story, Trace
from ..trace.fate import SLACK, fate, limit
from ..values.faults import Cut
from .squeeze import Squeeze, squeeze
from .states import Span, spans
from .tale import Tale

LABEL = re.compile(
    r"websockets (?P<version>[\w.]+)(?: (?P<implementation>[a-z]+))?(?:, (?:Python )?(?P<python>[\d.]+))?(?: \((?P<note>\w+)\))?$"
)
TIMERS = 5  # a stretch longer than so many times all timers together may be drawn short
TAIL = 0.12  # of what is drawn: so long CLOSED is seen to last
EDGE = 1.4  # such a run is drawn on until so many times the end of the longest run


@dataclass(frozen=True)
class Lane:
    """One vintage in the line-up: its label, and its trace as a tale of ``end``, or why there is none."""

    label: str
    end: str
    tale: Tale | None = None
    why: str = ""

    @cached_property
    def parts(self) -> dict[str, str]:
        """What the label says: version, implementation, python, a note such as "recorded"; and the wire, ws or wss."""
        found = LABEL.match(self.label)
        said = {key: value for key, value in found.groupdict().items() if value} if found else {}
        return said | (
            {"wire": "wss" if self.tale.experiment.tls else "ws"}
            if self.tale and self.tale.experiment
            else {}
        )

    @property
    def spans(self) -> list[Span]:
        """The states of the end, until its run ended."""
        return spans(self.tale, self.end) if self.tale else []

    @cached_property
    def stop(self) -> float:
        """When the run ended (s)."""
        return self.tale.stop if self.tale else 0.0

    @cached_property
    def cut(self) -> Cut | None:
        """The last cut."""
        return self.tale.cuts[-1] if self.tale and self.tale.cuts else None

    @cached_property
    def heal(self) -> float | None:
        """When the last cut was healed (s), if the run lived to see it."""
        return (
            self.cut.heal
            if self.cut and self.cut.heal is not None and self.cut.heal <= self.stop + 1e-6
            else None
        )

    @cached_property
    def noticed(self) -> float | None:
        return self.tale.noticed(self.end) if self.tale else None

    @cached_property
    def closed(self) -> float | None:
        return self.tale.closed(self.end) if self.tale else None

    @cached_property
    def timeout(self) -> float | None:
        """The close_timeout of the end (s)."""
        return (
            self.tale.experiment.peer(self.end).close_timeout
            if self.tale and self.tale.experiment
            else None
        )

    @cached_property
    def moments(self) -> list[tuple[float, list[str]]]:
        """What happened to this end, and when (s); what coincides together."""
        found: list[tuple[float, list[str]]] = []
        for one in self.tale.moments if self.tale else []:
            if one.end != self.end:
                continue
            if found and self.tale is not None and self.tale.same(found[-1][0], one.t):
                found[-1][1].append(one.words)
            else:
                found.append((one.t, [one.words]))
        return found

    @cached_property
    def kind(self) -> str:
        """How it ended: bounded, late, hangs, never or hole."""
        return fate(self.tale.story, self.end, self.heal) if self.tale else "hole"

    @cached_property
    def told(self) -> float | None:
        return self.tale.told(self.end) if self.tale else None

    @cached_property
    def is_told_late(self) -> bool:
        """Whether it was CLOSED in time, and only its program was not told."""
        if self.kind != "late" or self.tale is None:
            return False
        return (self.closed or 0.0) - (self.noticed or 0.0) <= limit(self.tale.story, self.end)

    def _healed(self, t: float) -> bool:
        """Whether the cut was healed by then."""
        return self.heal is not None and t >= self.heal - SLACK

    @cached_property
    def hung(self) -> tuple[float, float] | None:
        """From when to when (s) it stood in a state for too long: CLOSING, or OPEN from the cut on."""
        if self.kind in ("hangs", "late") and not self.is_told_late:
            return self.noticed or 0.0, self.stop if self.closed is None else self.closed
        if self.kind == "never" and self.cut:
            return self.cut.start, self.stop if self.heal is None else self.heal
        return None

    @property
    def is_for_ever(self) -> bool:
        """Whether the run ended since nothing could happen any more."""
        return self.tale is not None and for_ever(self.tale.story)

    @property
    def is_cured(self) -> bool:
        """Whether it was the heal that ended it."""
        return (
            self.hung is not None
            and self._healed(self.hung[1])
            and not (self.kind == "hangs" and self.closed is None)
        )


def axis(rows: list[Lane]) -> Squeeze:
    """The time axis that all lanes share; a lane that still hangs when its run ends runs to the edge."""
    tales = [lane.tale for lane in rows if lane.tale]
    hung = [lane.stop for lane in rows if lane.tale and lane.closed is None and not lane.is_cured]
    moments = [t for lane in rows for t, _ in happenings(lane)] + hung
    peers = [
        peer
        for tale in tales
        if tale.experiment
        for peer in (tale.experiment.server, tale.experiment.client)
        if peer.keepalive
    ]
    timers = max(
        (sum(t or 0.0 for t in (p.ping_interval, p.ping_timeout, p.close_timeout)) for p in peers),
        default=60.0,
    )
    scale = squeeze(moments or [1.0], TIMERS * timers)
    last, place = scale.knots[-1]
    tail = 0.0 if last in hung else TAIL * place
    return replace(scale, knots=(*scale.knots, (last + tail, place + tail))) if tail else scale


def happenings(lane: Lane) -> list[tuple[float, int]]:
    """When something happens that a line-up shows (s), and how much it matters (0 most)."""
    if lane.tale is None:
        return []
    ends = [
        (t, 0)
        for cut in lane.tale.cuts
        for t in (cut.at, cut.heal)
        if t is not None and t <= lane.stop + 1e-6
    ]
    return [*ends, *((t, 1) for t, _ in lane.moments)]


def lanes(entries: Iterable[Any], end: str) -> list[Lane]:
    """A lane for each trace, and an empty one for each hole: a value that says ``why``."""
    entries = list(entries)
    found, last = [], max((entry.end for entry in entries if isinstance(entry, Story)), default=0.0)
    for entry in entries:
        if isinstance(entry, Story):
            found.append(Lane(label(entry), end, Tale(_longer(entry, EDGE * last))))
        elif isinstance(why := getattr(entry, "why", None), str):
            found.append(
                Lane(
                    str(getattr(entry, "label", None) or getattr(entry, "vintage", "?")),
                    end,
                    None,
                    why,
                )
            )
        else:
            raise TypeError(
                f"lineup() takes traces, and holes that say why there is none; seen {entry!r}"
            )
    if not found:
        raise ValueError("lineup() takes at least one trace, seen none")
    if len({lane.tale.experiment.cuts for lane in found if lane.tale and lane.tale.experiment}) > 1:
        raise ValueError(
            "lineup() shows one experiment on many vintages; seen traces with different cuts: draw one figure of each"
        )
    return found


def for_ever(story: Story) -> bool:
    """Whether the run ended since nothing could happen any more."""
    return story.over == "stuck"


def _longer(story: Story, end: float) -> Story:
    """The story told on until ``end`` (s), if nothing can happen any more."""
    return (
        replace(story, header={**story.header, "end": end})
        if isinstance(story, Trace) and for_ever(story)
        else story
    )


def label(story: Story) -> str:
    """Whose it is: what the header calls the vintage, or else the versions in it."""
    header = getattr(story, "header", None) or {}
    versions = header.get("versions", {})
    if header.get("vintage") or "websockets" not in versions:
        return str(header.get("vintage") or "a prediction")
    python = ".".join(str(versions.get("python", "?")).split(".")[:2])
    return f"websockets {versions['websockets']}, Python {python}"
