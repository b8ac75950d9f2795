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
from .story import Event, Story

LINES = 40  # of the table; what is left out in the middle is counted
CONTROL = ("PING", "PONG", "CLOSE")
CUT = {"begin": "cut begins", "end": "cut is healed"}
WAYS = {
    "both": ", both ways",
    "to_client": ", to the client only",
    "to_server": ", to the server only",
}


def table(story: Story) -> str:
    """The story as text: the run, what happened in time, and the three moments of each end."""
    told = [event for event in story.events if event.what in TELL]
    rows = [_row(list(group)) for _, group in groupby(told, key=_run)]
    left_out = len(rows) - LINES
    if left_out > 0:
        half = LINES // 2
        rows = [*rows[:half], ("", "", f"… {left_out} more lines …"), *rows[-half:]]
    lines = [f"{t:>10}  {where:6}  {what}".rstrip() for t, where, what in rows]
    title = f"{'t (s)':>10}  {'where':6}  what"
    return "\n".join([*_head(story), title, *lines, "", *(_moments(story, end) for end in ENDS)])


def _head(story: Story) -> list[str]:
    header = story.header
    if not header:
        return []
    version = header.get("versions", {}).get("websockets")
    program = f"websockets {version}" if version else "your programs"
    ended = f"{story.end:.3f} s: {header.get('ended', '?')}"
    return [f"{program} · {header.get('wire', '?')} wire · {ended}", ""]


def _run(event: Event) -> Any:
    """A key: data frames of one sender in a row are told together, everything else alone."""
    is_data = event.what == "frame" and event.data["opcode"] not in CONTROL
    return event.data["sender"] if is_data else id(event)


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
    return f"{' '.join(filter(None, words))} → {_arrival(event.t, data.get('arrived_at'))}"


def _arrival(sent: float, arrived: float | None) -> str:
    if arrived is None:
        return "stuck"
    return f"arrives at {arrived:.3f}" if arrived - sent > 0.001 else "arrives"


def _frames(group: list[Event]) -> str:
    size = sum(event.data.get("size", 0) for event in group)
    stuck = sum(event.data.get("arrived_at") is None for event in group)
    rest = f", {stuck:,} of them stuck" if stuck else ""
    return f"{len(group):,} data frames, {size:,} bytes, until {group[-1].t:.3f}{rest}"


def _act(event: Event) -> str:
    act, step = event.data["act"], event.data["step"]
    if act == "Cut":
        what = CUT[step]
    else:
        what = act if step == "begin" else f"end of {act}"
    return what + WAYS.get(event.data.get("direction", ""), "")


def _fin(event: Event) -> str:
    return {
        "sent": "the {sender} hangs up (FIN)",
        "arrived": "FIN of the {sender} arrives",
    }[event.data["step"]].format_map(event.data)


def _close_notify(event: Event) -> str:
    return {
        "sent": "the {sender} ends TLS (close_notify)",
        "arrived": "close_notify of the {sender} arrives",
    }[event.data["step"]].format_map(event.data)


def _raised(event: Event) -> str:
    call = event.data["awaiting"]
    if call == "onclose":  # a page's: nothing is raised there
        return "onclose is called: {text}".format_map(event.data)
    who = "its handler" if call == "?" else f"{call}()"
    return who + " raises {type}: {text}".format_map(event.data)


def _retransmission(event: Event) -> str:
    then = "arrives" if event.data["through"] else "in vain"
    return f"TCP tries again ({event.data['number']}): {then}"


def _filled(words: str) -> Callable[[Event], str]:
    """A sentence with places for the data of an event."""
    return lambda event: words.format_map(event.data)


TELL: dict[str, Callable[[Event], str]] = {  # everything else stays in the trace
    "state": _filled("{state}"),
    "frame": _frame,
    "act": _act,
    "raised": _raised,
    "fin": _fin,
    "close_notify": _close_notify,
    "alert": _filled("TLS alert {description} of the {sender} {step}"),
    "reset": _filled("RST of the {sender} {step}"),
    "retransmission": _retransmission,
    "gave_up": _filled("TCP gives up"),
    "probe": _filled("TCP asks whether anybody is there ({number}): no answer"),
    "limit": _filled("the limit is reached: the wire hangs up"),
    "forgotten": _filled("nothing passed for {after:g} s: the connection is forgotten ({then})"),
    "closing": _filled("calls close({code})"),
    "returned": _filled("{call}() returns"),
}


def _moments(story: Story, end: str) -> str:
    moments = {
        "noticed": story.noticed_at(end),
        "closed": story.closed_at(end),
        "told": story.told_at(end),
    }
    if story.header.get("programs") == "unseen":
        del moments["told"]
    said = [f"{name} {'never' if t is None else f'{t:.3f} s'}" for name, t in moments.items()]
    return f"{end}: {', '.join(said)}"
