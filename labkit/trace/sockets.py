"""What TCP below an end was in, from when on: as its kernel told, or else as the story implies.

    ESTABLISHED    FIN_WAIT1 (its FIN is not acknowledged)    CLOSE_WAIT (the peer's FIN is here)
    orphan         its program has closed it, and the kernel still tries
    gone           there is no connection any more

On the kernel wire this is what sock_diag(7) said. On the other wires, where no kernel says
anything, it follows from the FINs and RSTs, from CLOSED, and from when TCP gave up.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import OTHER, Story
from .story import Event

Since = tuple[float, str]  # from when on (s), in which state


def socket_states(story: Story, end: str) -> list[Since]:
    """What the socket of ``end`` was, from when on (s), in time."""
    told = [event for event in story.select("socket", end) if event.witness == "kernel"]
    rows = _told(told) if told else _implied(story, end)
    found: list[Since] = []
    for t, state in rows:
        if not found or found[-1][1] != state:
            found.append((t, state))
    return found


def _told(events: list[Event]) -> Iterator[Since]:
    for event in events:
        yield event.t, "orphan" if event.data.get("orphan") else event.data["state"]


def _implied(story: Story, end: str) -> Iterator[Since]:
    state, closed, acknowledged = "ESTABLISHED", False, False
    yield 0.0, state
    for event in story.events:
        said = (event.what, event.data.get("sender"), event.data.get("step"))
        if said == ("fin", end, "sent"):
            state = "LAST_ACK" if state == "CLOSE_WAIT" else "FIN_WAIT1"
        elif said == ("fin", end, "arrived"):
            acknowledged = True
            state = "FIN_WAIT2" if state == "FIN_WAIT1" else "gone"
        elif said == ("fin", OTHER[end], "arrived"):
            state = "CLOSE_WAIT" if state == "ESTABLISHED" else "gone"
        elif event.what == "state" and event.where == end and event.data.get("state") == "CLOSED":
            closed = True
        elif _is_over(event, end):
            state = "gone"
        else:
            continue
        is_orphan = closed and not acknowledged and state == "FIN_WAIT1"
        yield event.t, "orphan" if is_orphan else state
        if state == "gone":
            return


def _is_over(event: Event, end: str) -> bool:
    """Whether its kernel has given up, or has said or heard RST."""
    return event.what == "gave_up" and event.where == end or event.what == "reset"
