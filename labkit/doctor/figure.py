"""The lab's own timeline, drawn from somebody's log: what one end wrote down, and nothing that it could not know.

The other end's lane is dotted, with a question mark: its state is not in this log. A ping without a pong is drawn as stuck, which is what this end has to
believe; a frame that was received is drawn at the moment at which it was read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..trace import OTHER, Event, Story
from .report import Report
from .verdict import Verdict

if TYPE_CHECKING:
    from ..plots import Figure


@dataclass
class Case(Story):
    """A verdict's log as a story, with t = 0 at its OPEN (or at its first line)."""

    verdict: Verdict
    events: list[Event] = field(init=False)
    end: float = field(init=False)  # s
    header: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        known = [(t, what, data) for t, what, data in self.verdict.story if t is not None]
        zero = self.verdict.opened if self.verdict.opened is not None else known[0][0]
        self.where = self.verdict.side or "server"
        rows = [(t - zero, what, data) for t, what, data in known]
        self.events = [
            event for t, what, data in rows for event in self._events(t, what, data, rows)
        ]
        self.end = rows[-1][0]
        version = (
            {}
            if self.verdict.family == "unknown"
            else {"versions": {"websockets": self.verdict.family}}
        )
        self.header = {"wire": "a log", **version}

    def _events(self, t: float, what: str, data: dict[str, Any], rows: list[Any]) -> list[Event]:
        if what == "state":
            return [Event(t, self.where, "log", "state", {"state": data["state"]})]
        if what not in ("sent", "got") or data.get("opcode") == "EOF":
            return []
        sender = self.where if what == "sent" else OTHER[self.where]
        arrived = t if what == "got" or data["opcode"] == "PONG" else _answer(data, t, rows)
        frame = {
            "sender": sender,
            "opcode": data["opcode"],
            "arrived_at": arrived,
            "size": data.get("size", 0),
        }
        return [
            Event(
                t,
                "wire",
                "tap",
                "frame",
                {**frame, "code": data.get("code"), "reason": data.get("reason", "")},
            )
        ]


def _answer(data: dict[str, Any], sent_at: float, rows: list[Any]) -> float | None:
    """When the answer to a PING or CLOSE was read (s); None if it never was."""
    wanted = {"PING": "PONG", "CLOSE": "CLOSE"}.get(data["opcode"])
    for t, what, other in rows:
        if (
            what == "got"
            and other.get("opcode") == wanted
            and (wanted == "CLOSE" or other.get("payload") == data.get("payload"))
        ):
            return sent_at if t >= sent_at or wanted == "CLOSE" else None
    return None


def draw(report: Report, connection: int | None = None, *, ax: Any = None, **options: Any) -> Any:
    """The timeline of a connection (its number; None: the first that can be drawn), as a Figure; or on ``ax``."""
    from ..plots import timeline

    told = [
        one
        for one in report.verdicts
        if any(t is not None and what == "state" for t, what, _ in one.story)
    ]
    for one in told:
        if connection in (None, one.connection):
            drawn = _honest(timeline(Case(one), **options), one)
            return drawn if ax is None else drawn.draw(ax)
    there = ", ".join(str(one.connection) for one in told[:10]) or "none"
    raise ValueError(
        f"no connection {connection if connection else ''} to draw: with times and states in this log there are: {there}"
    )


def _honest(drawn: Figure, one: Verdict) -> Figure:
    """What the timeline would say of the other end is taken back: this log does not know it."""
    from ..plots.bars import Bar

    side, panel = one.side or "server", drawn.panels[0]
    title = drawn.title.replace(f", the {OTHER[side]} never", "").replace(
        "both ends stay OPEN", f"the {side} stays OPEN"
    )
    label = (
        f"seconds since the {side} was OPEN"
        if one.opened is not None
        else "seconds since the log began"
    )
    says = f"The {OTHER[side]}'s state is not in this log"
    unknown = "not in this log"
    words = (f"? {unknown}", "?")
    there = Bar(0.0, panel.along.high, OTHER[side], unknown, wordings=words, says=says)
    panel = replace(panel, along=replace(panel.along, label=label), marks=(*panel.marks, there))
    return replace(drawn, title=title, panels=(panel,))
