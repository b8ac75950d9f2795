"""Which version of websockets wrote a log, as far as its wording tells."""

from __future__ import annotations

import re

from .connection import Connection

# the wording: its versions if the line of a timeout begins with "!", with "-", or is missing
FAMILIES = {
    "legacy": ("13.1 or older (legacy)", "14.0 or later (legacy)", "legacy"),
    "sending": ("13.1 or older", "14.x, or legacy from 14.0", "14.x or older, or legacy"),
    "neither": ("13.1 or older", "14.0 or later", "unknown"),
}


def family(connection: Connection) -> str:
    """The version that the handshake names, or else those that have this wording."""
    clues = connection.clues
    if connection.version:
        return connection.version
    if "sent" in clues:
        return "15.0 or later"
    wording = next((clue for clue in ("legacy", "sending") if clue in clues), "neither")
    with_bang, with_dash, without = FAMILIES[wording]
    return with_bang if "!" in clues else with_dash if "-" in clues else without


def number(version: str) -> tuple[int, int] | None:
    """A version's first two numbers; None if it is not known."""
    found = re.match(r"(\d+)\.(\d+)(\.|$)", version)
    return (int(found[1]), int(found[2])) if found else None
