"""The state of a room: which poll is open, and who voted what. No network and no clock in it.

    waiting ─open→ first ─hide→ talk ─again→ second ─reveal→ revealed ─next→ the next poll
                     └────────────┴──────────────reveal───────↗

A client is a random word, kept as long as the room is there. What can be saved are counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from checks.workshop import AGAIN, Poll

from .tally import Histogram

ACTIONS = {  # of the teacher: in which phases it can be done, and the phase that it leads to
    "open": (("waiting",), "first"),
    "hide": (("first",), "talk"),
    "again": (("talk",), "second"),
    "reveal": (("first", "talk", "second"), "revealed"),
}
STEPS = {"next": 1, "back": -1}  # from one poll to another; each keeps its phase and its votes
VOTES = {"first": 0, "second": 1}  # the phases in which one can vote
MOST = 500  # clients


class Refused(ValueError):
    """What cannot be done now, in a sentence."""


@dataclass
class Asked:
    """A poll in this room."""

    poll: Poll
    phase: str = "waiting"
    votes: tuple[dict[str, int], dict[str, int]] = field(default_factory=lambda: ({}, {}))

    def histogram(self) -> Histogram:
        """The counts of both votes."""
        cast = [list(votes.values()) for votes in self.votes]
        choices = enumerate(self.poll.choices)
        bars = [(choice, [each.count(place) for each in cast]) for place, choice in choices]
        return Histogram(self.poll.id, bars)

    def rows(self) -> list[dict[str, object]]:
        """The counts as lines of a ledger."""
        return [
            {
                "question": self.poll.id + (AGAIN if vote else ""),
                "guess": choice.value,
                "fact": self.poll.fact,
                "right": choice.right,
                "count": count,
            }
            for choice, counts in self.histogram().bars
            for vote, count in enumerate(counts)
            if count
        ]


class Room:
    """Some polls, one of them shown."""

    def __init__(self, polls: list[Poll]) -> None:
        self.asked = [Asked(poll) for poll in polls]
        self.at = 0
        self.clients: set[str] = set()

    @property
    def now(self) -> Asked:
        """What is shown."""
        return self.asked[self.at]

    @property
    def actions(self) -> list[str]:
        """What the teacher can do now, the usual one first."""
        found = [action for action, (when, _) in ACTIONS.items() if self.now.phase in when]
        steps = [name for name, step in STEPS.items() if 0 <= self.at + step < len(self.asked)]
        return found + steps

    def enter(self, client: str) -> None:
        """A client comes; ``Refused`` if the room is full."""
        if len(self.clients) >= MOST:
            raise Refused("the room is full")
        self.clients.add(client)

    def do(self, action: str) -> None:
        """What the teacher wants."""
        if action not in self.actions:
            raise Refused("this cannot be done now")
        if action in STEPS:
            self.at += STEPS[action]
        else:
            self.now.phase = ACTIONS[action][1]

    def vote(self, client: str, at: int, phase: str, choice: int) -> None:
        """A vote; of those of one client the last one counts. ``Refused`` if it is not open."""
        if phase not in VOTES or (at, phase) != (self.at, self.now.phase):
            raise Refused("this vote is not open")
        if not 0 <= choice < len(self.now.poll.choices):
            raise Refused("there is no such choice")
        self.now.votes[VOTES[phase]][client] = choice

    def mine(self, client: str) -> int | None:
        """What a client has voted in the vote that is open."""
        vote = VOTES.get(self.now.phase)
        return None if vote is None else self.now.votes[vote].get(client)

    def save(self) -> str:
        """All counts, as JSON Lines."""
        return "".join(json.dumps(row) + "\n" for one in self.asked for row in one.rows())
