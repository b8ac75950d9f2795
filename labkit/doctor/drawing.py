"""The lab's own timeline, drawn from somebody's log: what one end logged, and nothing else.

The other end's lane is dotted, with a question mark: its state is not in this log. So is a frame
that was sent and not answered: it may be stuck, or it arrived and the answer is. A frame that was
received is drawn at the moment at which it was read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..trace import OTHER, Event, Story
from .report import Report
from .verdict import Verdict

if TYPE_CHECKING:
    from ..plots import Figure
    from ..plots.marks import Mark

ANSWERS = {"PING": "PONG", "CLOSE": "CLOSE"}
NOBODY_KNOWS = ": whether it arrived is not in this log"
BOTH = re.compile(r"[Bb]oth ends stay OPEN")
STUCK = re.compile(r",? (is|are) stuck and never arrives?")


@dataclass
class LogStory(Story):
    """What a log tells of one connection, with t = 0 at its OPEN (or at its first line)."""

    verdict: Verdict
    events: list[Event] = field(init=False)
    end: float = field(init=False)  # s
    header: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        known = [row for row in self.verdict.story if row[0] is not None]
        zero = known[0][0] if self.verdict.opened is None else self.verdict.opened
        self.rows = [(t - zero, kind, data) for t, kind, data in known]
        self.where = self.verdict.side or "server"
        self.events = [event for row in self.rows if (event := self._event(*row))]
        self.end = self.rows[-1][0]
        self.header = {"wire": "a log"}
        if self.verdict.family != "unknown":
            self.header["versions"] = {"websockets": self.verdict.family}

    def _event(self, t: float, kind: str, data: dict[str, Any]) -> Event | None:
        opcode = data.get("opcode", "EOF")
        if kind == "state":
            return Event(t, self.where, "log", "state", {"state": data["state"]})
        if opcode == "EOF":
            return None
        received = kind == "got"
        frame = {
            "sender": OTHER[self.where] if received else self.where,
            "opcode": opcode,
            "arrived_at": t if received or opcode == "PONG" or self._answered(t, data) else None,
            "size": data.get("size", 0),
            "code": data.get("code"),
            "reason": data.get("reason", ""),
        }
        return Event(t, "wire", "tap", "frame", frame)

    def _answered(self, sent_at: float, data: dict[str, Any]) -> bool:
        """Whether a sent PING or CLOSE is known to have arrived: its answer was read."""
        for t, kind, other in self.rows:
            if kind == "got" and other["opcode"] == ANSWERS.get(data["opcode"]):
                if data["opcode"] == "CLOSE":
                    return True
                if other.get("payload") == data.get("payload"):
                    return t >= sent_at
        return False


def draw(report: Report, connection: int | None = None, *, ax: Any = None, **options: Any) -> Any:
    """The timeline of a connection (its number; None: the first that can be drawn).

    It is a Figure, or drawn on ``ax`` of matplotlib. ValueError if the log has no times or states.
    """
    from ..plots import timeline

    can = [one for one in report.verdicts if any(_is_timed_state(row) for row in one.story)]
    for one in can:
        if connection in (None, one.connection):
            drawn = _of_one_end(timeline(LogStory(one), **options), one)
            return drawn if ax is None else drawn.draw(ax)
    there = ", ".join(str(one.connection) for one in can[:10]) or "none"
    raise ValueError(
        f"no connection {connection or ''} to draw: "
        f"with times and states in this log there are: {there}"
    )


def _is_timed_state(row: tuple[float | None, str, dict[str, Any]]) -> bool:
    t, kind, _ = row
    return t is not None and kind == "state"


def _of_one_end(drawn: Figure, one: Verdict) -> Figure:
    """The timeline without what it would say of the other end, which this log does not know."""
    from ..plots.bars import Bar

    side, panel = one.side or "server", drawn.panels[0]
    other = OTHER[side]
    title = drawn.title.replace(f", the {other} never", "")
    title = title.replace("both ends stay OPEN", f"the {side} stays OPEN")
    title = title.removeprefix("Nothing is cut: ")  # who knows?
    zero = "the log began" if one.opened is None else f"the {side} was OPEN"
    unknown = "not in this log"
    note = Bar(
        0.0,
        panel.along.high,
        other,
        unknown,
        wordings=(f"? {unknown}", "?"),
        says=f"The {other}'s state is not in this log",
    )
    along = replace(panel.along, label=f"seconds since {zero}")
    marks = (_unsure(mark, side) for mark in panel.marks)
    panel = replace(panel, along=along, marks=(*marks, note))
    return replace(drawn, title=title, panels=(panel,))


def _unsure(mark: Mark, side: str) -> Mark:
    """What a trace of both ends would know, and this log does not, is in question."""
    from ..plots.marks import DOTTED, Dot, Label, Path

    if isinstance(mark, Path) and mark.colour == "stuck":
        return replace(mark, dash=DOTTED)
    if isinstance(mark, Dot) and mark.sign == "stuck":
        words = tuple(text.replace(" stuck", " ?") for text in mark.wordings)
        look = {name: getattr(mark, name) for name in ("places", "ink", "known")}
        return Label(mark.t, mark.at, wordings=words, **look)
    texts = (STUCK.sub(NOBODY_KNOWS, text) for text in (mark.says, *mark.wordings))
    says, *more = (BOTH.sub(f"the {side} stays OPEN", text) for text in texts)
    return replace(mark, says=says, wordings=tuple(more))
