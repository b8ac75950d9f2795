"""A shop that blocks its loop, for notebook 07: a client orders, and pings; on real TCP.

Threads know no virtual time, so these runs take some seconds (but not in a browser, where what a
thread would do is called at once).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from labkit import Experiment, Peer, Trace, block, run

from .own_code import Program, mistake

SHORT = Peer(ping_interval=0.5, ping_timeout=0.6, close_timeout=0.3)  # its clients
LONG = 1.3  # s; an order takes at least so long
TRIES = 3  # runs, if the machine is too busy to judge


def work(order: str) -> str:
    """A long computation: nothing else runs in its thread meanwhile."""
    block(LONG + len(order) % 3 / 10)
    return done(order)


def done(order: str) -> str:
    """What the long computation finds."""
    return hashlib.sha256(order.encode()).hexdigest()[:8]


def shop(handler: Program, orders: Sequence[str] = ("tea",), until: float = 2.5) -> Trace:
    """A handler serves a client that orders, one after the other, and pings; on real TCP."""
    return Day(orders).run(handler, until).trace


@dataclass
class Day:
    """What was ordered in the shop, and what was answered."""

    orders: Sequence[str]
    answers: list[str] = field(default_factory=list)

    def run(self, handler: Program, until: float) -> Day:
        """Run it."""
        setup = Experiment(server=Peer(ping_interval=None), client=SHORT, until=until)
        self.answers.clear()
        self.trace = run(setup, server=handler, client=self.client)
        return self

    async def client(self, websocket: Any) -> None:
        """Who orders."""
        for order in self.orders:
            await websocket.send(order)
            self.answers.append(await websocket.recv())
        await websocket.wait_closed()

    @property
    def blocked(self) -> float:
        """For how long the server's loop was blocked by work() (s)."""
        return max((e.data["seconds"] for e in self.trace.select("blocked", "server")), default=0)

    @property
    def gave_up(self) -> float | None:
        """When the client did (s)."""
        return self.trace.noticed_at("client")


def served(handler: Program) -> Day:
    """Two orders that nobody has seen; once more if only the machine was too busy."""
    dice = random.Random()
    day = Day(["".join(dice.choices("abcdefgh", k=dice.randint(3, 9))) for _ in range(2)])
    for _ in range(TRIES):
        day.run(handler, until=3.6)
        if day.gave_up is None or day.blocked:
            break
    return day


def unserved(day: Day) -> str:
    """What is wrong with the handler."""
    if broke := mistake(day.trace):
        return f"your {broke}"
    gave_up = f"the client gave up at {day.gave_up or 0:.1f} s"
    if day.gave_up is not None and day.blocked:
        why = (
            f"your server's loop was blocked for {day.blocked:g} s. An `async def` does not change"
        )
        return f"{gave_up}: {why} that; the work has to leave the thread of the loop"
    if day.gave_up is not None:
        return f"{gave_up}, and not because of work(): what else blocks the loop?"
    wrong = [order for order, answer in zip(day.orders, day.answers) if answer != done(order)]
    if wrong:
        return f"the answer to {wrong[0]!r} is not what work() finds"
    if len(day.answers) < len(day.orders):
        count = f"{len(day.answers)} of {len(day.orders)} orders were answered in time"
        return f"{count}, and nobody gave up. Is each answer sent, and is the sending awaited?"
    return ""


def pongs(day: Day) -> str:
    """Praise."""
    count = len(day.trace.frames("server", "PONG"))
    return f"both are answered, and {count} pings meanwhile"
