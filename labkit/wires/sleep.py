"""A machine that sleeps, as the act Suspend has it: silent, its loop and its clock standing still.

While it sleeps nothing reaches it and nothing leaves it; its own TCP's clock stands still as well.
"""

from __future__ import annotations

from . import Wire


class Sleepers:
    """Which ends of a wire sleep, since when, and who lets them."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.reasons: dict[str, list[object]] = {}
        self.since: dict[str, float] = {}  # s

    def suspend(self, end: str, by: object) -> None:
        """Let the machine of ``end`` sleep, from now on, until whoever asked for it wakes it."""
        wire, reasons = self.wire, self.reasons.setdefault(end, [])
        reasons.append(by)
        if len(reasons) > 1:
            return
        self.since[end] = now = wire.now()
        for number, pipes in enumerate(wire.pipes, start=1):
            for pipe in pipes.values():
                if pipe.sender is not None and pipe.silent:
                    pipe.sender.fail_until(now)  # what it has tried before it sleeps
                wire.cut(number, pipe, reasons)
        wire.freeze(end)
        wire.moved()

    def wake(self, end: str, by: object) -> None:
        """Wake it, unless somebody else lets it sleep; its clock goes on where it stopped."""
        wire, reasons = self.wire, self.reasons[end]
        reasons.remove(by)
        if reasons:
            return
        now = wire.now()
        seconds = now - self.since[end]
        for pipes in wire.pipes:
            if (sender := pipes[end].sender) is not None:
                sender.postpone(seconds)
            for pipe in pipes.values():
                pipe.heal(now, reasons)
        wire.loops[end].asleep += seconds
        wire.thaw(end)
        wire.moved()
