"""A story as a short table: what ``print(trace)`` shows, and the command line.

 t (s)  where   what
 4.000  server  PING → arrives
 9.000  wire    cut begins, both ways
12.000  server  PING → stuck
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from ..values.faults import ENDS
from . import Event, Story

LINES = 40  # of the table; what is left out in the middle is counted
CONTROL = ("PING", "PONG", "CLOSE")


def table(story: Story) -> str:
    """The story as text: a line of facts about the run, what happened in time, and the three moments of each end."""
    told = [event for event in story.events if event.what in TELL]
    rows = [_row(list(group)) for _, group in groupby(told, key=_run)]
    left_out = len(rows) - LINES
    if left_out > 0:
        half = LINES // 2
        rows = [*rows[:half], ("", "", f"… {left_out} more lines …"), *rows[-half:]]
    lines = [
        f"{'t (s)':>10}  {'where':6}  what",
        *(f"{t:>10}  {where:6}  {what}".rstrip() for t, where, what in rows),
    ]
    return "\n".join([*_head(story), *lines, "", *(_moments(story, end) for end in ENDS)])


def _head(story: Story) -> list[str]:
    header: dict[str, Any] = getattr(story, "header", {})
    if not header:
        return []
    versions = header.get("versions", {})
    return [
        f"websockets {versions.get('websockets', '?')} · {header.get('wire', '?')} wire · {story.end:.3f} s: {header.get('ended', '?')}",
        "",
    ]


def _run(event: Event) -> Any:
    """Data frames of one sender in a row are told together; everything else on its own."""
    data = event.what == "frame" and event.data["opcode"] not in CONTROL
    return event.data["sender"] if data else id(event)


def _row(group: list[Event]) -> tuple[str, str, str]:
    event = group[0]
    where = event.data["sender"] if event.what == "frame" else event.where
    what = TELL[event.what](event) if len(group) == 1 else _frames(group)
    return f"{event.t:.3f}", where, what


def _frame(event: Event) -> str:
    data = event.data
    words = [data["opcode"]]
    if data["opcode"] == "CLOSE":
        words += [str(data.get("code") or "without a code"), data.get("reason") or ""]
    elif data["opcode"] not in CONTROL:
        words.append(f"{data.get('size', 0):,} bytes")
    return f"{' '.join(filter(None, words))} → {_fate(event.t, data.get('arrived_at'))}"


def _fate(sent: float, arrived: float | None) -> str:
    if arrived is None:
        return "stuck"
    return f"arrives at {arrived:.3f}" if arrived - sent > 0.001 else "arrives"


def _frames(group: list[Event]) -> str:
    size = sum(event.data.get("size", 0) for event in group)
    stuck = sum(event.data.get("arrived_at") is None for event in group)
    fate = f", {stuck:,} of them stuck" if stuck else ""
    return f"{len(group):,} data frames, {size:,} bytes, until {group[-1].t:.3f}{fate}"


def _act(event: Event) -> str:
    data = event.data
    what = {"Cut": ("cut begins", "cut is healed")}.get(
        data["act"], (data["act"], f"end of {data['act']}")
    )[data["step"] == "end"]
    direction = data.get("direction")
    ways = {
        "both": ", both ways",
        "to_client": ", to the client only",
        "to_server": ", to the server only",
    }
    return what + ways.get(direction or "", "")


def _fin(event: Event) -> str:
    sender = event.data["sender"]
    return (
        f"the {sender} hangs up (FIN)"
        if event.data["step"] == "sent"
        else f"FIN of the {sender} arrives"
    )


def _close_notify(event: Event) -> str:
    sender = event.data["sender"]
    return (
        f"the {sender} ends TLS (close_notify)"
        if event.data["step"] == "sent"
        else f"close_notify of the {sender} arrives"
    )


def _who_raised(event: Event) -> str:
    return "its handler" if event.data["awaiting"] == "?" else f"{event.data['awaiting']}()"


TELL: dict[
    str, Callable[[Event], str]
] = {  # what is told, and how; everything else stays in the trace
    "state": lambda event: str(event.data["state"]),
    "frame": _frame,
    "act": _act,
    "raised": lambda event: _who_raised(event) + " raises {type}: {text}".format_map(event.data),
    "fin": _fin,
    "close_notify": _close_notify,
    "alert": lambda event: "TLS alert {description} of the {sender} {step}".format_map(event.data),
    "reset": lambda event: "RST of the {sender} {step}".format_map(event.data),
    "limit": lambda event: "the limit is reached: the wire hangs up",
    "forgotten": lambda event: (
        "nothing passed for {after:g} s: the connection is forgotten ({then})".format_map(
            event.data
        )
    ),
    "closing": lambda event: "calls close({code})".format_map(event.data),
    "returned": lambda event: "{call}() returns".format_map(event.data),
}


def _moments(story: Story, end: str) -> str:
    asked = {
        "noticed": story.noticed_at(end),
        "closed": story.closed_at(end),
        "told": story.told_at(end),
    }
    return f"{end}: " + ", ".join(
        f"{name} {'never' if t is None else f'{t:.3f} s'}" for name, t in asked.items()
    )
