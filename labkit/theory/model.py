"""The model behind the theory: an agenda, two directions of a wire, and two ends (party.py) that live by it.

It is a pencil, not a simulator of code: nothing is sent, no library is called, and no run is looked at. Things happen in order of
time. At equal times: what is done to the wire, then what arrives, then the thaw of a frozen end, goodbyes, timers, and
then what all those cause.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..trace import OTHER, Event
from ..values.experiment import CAPACITY, Experiment
from ..values.faults import ENDS, FLOW, Act, Cut, Freeze, Goodbye, Send, order
from .endpoint import (
    ACT,
    ARRIVAL,
    CONSEQUENCE,
    GOODBYE,
    NEVER,
    WAKING,
    EndModel,
    Item,
    Todo,
)

SEALED = 22  # bytes that TLS adds to each record
RANKS = {
    (Freeze, "end"): WAKING,
    (Goodbye, "begin"): GOODBYE,
    (Send, "begin"): GOODBYE,
}  # of the acts that do not come first


@dataclass
class Model:
    """The experiment, told forward in time; ``events`` is what would be seen, ``ties`` what would be a matter of luck."""

    experiment: Experiment
    now: float = 0.0
    events: list[Event] = field(default_factory=list)
    ties: list[str] = field(default_factory=list)
    overflow: str | None = None  # the first buffer that fills: beyond that, theory does not know

    def __post_init__(self) -> None:
        self.agenda: list[
            tuple[float, int, float, int, Todo, EndModel | None]
        ] = []  # when, rank, since when it is due, count, …
        self.count = itertools.count()
        self.items: list[Item] = []
        self.rsts: list[Item] = []
        self.stuck = dict.fromkeys(ENDS, 0)  # bytes on their way from each sender
        self.last = dict.fromkeys(ENDS, 0.0)  # when the last item of each sender arrives
        self.ends = {name: EndModel(self, name) for name in ENDS}
        self.pending = 0

    def run(self) -> None:
        """Tell the story to its end."""
        limit = None if self.experiment.limit is None else round(self.experiment.limit, 9)
        for when, step, act in order(self.experiment.acts):
            self.pending += 1
            self.at(when, partial(self._act, act, step), RANKS.get((type(act), step), ACT))
        self.at(0.0, self.ends["server"].open, ARRIVAL)
        self.at(self.experiment.latency, self.ends["client"].open, ARRIVAL)
        while self.agenda and self.agenda[0][0] <= (NEVER if limit is None else limit):
            when, rank, due, _, todo, owner = heapq.heappop(self.agenda)
            if owner and owner.frozen:
                owner.put_off(rank, due, todo)
            elif todo[1]():
                self.now = when
                todo[0]()
            if self._instant_is_over() and self._over():
                return
        if limit is not None and self.agenda:
            self.now = limit

    def at(
        self,
        when: float,
        do: Callable[[], None],
        rank: int,
        still: Callable[[], bool] = lambda: True,
        owner: EndModel | None = None,
    ) -> None:
        """Put something on the agenda, to be done if it ``still`` makes sense then; what an instant causes comes last in it.

        What an end (its ``owner``) does has to wait while that end is frozen.
        """
        when = round(when, 9)
        if when < NEVER:
            rank = CONSEQUENCE if rank and when <= self.now else rank
            heapq.heappush(self.agenda, (when, rank, when, next(self.count), (do, still), owner))

    def catch_up(self, owner: EndModel) -> None:
        """What an end could not do while it was frozen, it does now: goodbyes, then timers, the oldest first."""
        for rank, due, todo in owner.late:
            heapq.heappush(self.agenda, (self.now, rank, due, next(self.count), todo, owner))
        owner.late.clear()

    def see(self, where: str, what: str, **data: Any) -> None:
        """One more event of the story."""
        self.events.append(Event(self.now, where, "theory", what, data))

    def _instant_is_over(self) -> bool:
        return not self.agenda or self.agenda[0][0] > self.now

    def _over(self) -> bool:
        keepers = [end for end in self.ends.values() if end.peer.keepalive]
        kept = (
            bool(keepers)
            and all(end.ended for end in keepers)
            and not self.pending
            and not self._on_its_way()
        )
        if kept and any(end.ended for end in self.ends.values() if end not in keepers):
            kept = False
        return kept or all(end.ended for end in self.ends.values())

    def _on_its_way(self) -> bool:
        return any(
            item.arrived_at is None and item.due < NEVER and not item.forgotten
            for item in self.items
        )

    def _act(self, act: Act, step: str) -> None:
        self.pending -= 1
        if isinstance(act, Goodbye):
            self.ends[act.end].is_asked(act)
        elif isinstance(act, Send):
            self.ends[act.end].talk(act) if step == "begin" else self.ends[act.end].talking.pop(
                act, None
            )
        elif isinstance(act, Freeze):
            self.ends[act.end].freeze() if step == "begin" else self.ends[act.end].thaw()

    # the wire

    def send(self, sender: str, opcode: str, **more: Any) -> Item:
        """Put something into the wire, and foretell when it arrives."""
        item = Item(sender, opcode, self.now, self.arrival(sender), **more)
        if self.ends[sender].reset or self.resets(
            sender
        ):  # what nobody has read yet, is met by the first write: it fails
            self.ends[sender].at(self.now, self.ends[sender].break_off, CONSEQUENCE)
            return item
        self.last[sender] = item.due
        self.items.append(item)
        self.rsts += [item] * (opcode == "RST")
        self.fill(sender, item)
        self.at(item.due, lambda: self._arrive(item), ARRIVAL)
        if opcode not in ("FIN", "RST", "NOTIFY"):
            self.see(
                "wire",
                "frame",
                sender=sender,
                opcode=opcode,
                size=item.size,
                code=item.code,
                reason=item.reason,
                item=item,
            )
        return item

    def resets(self, end: str) -> bool:
        """Whether an RST comes to this end just now, with what it is answering."""
        return any(item.sender != end and item.sent_at < item.due == self.now for item in self.rsts)

    def fill(self, sender: str, item: Item) -> None:
        """A frame more is on its way: if it does not fit into the wire, a writer has to wait, and theory does not know."""
        room = self.experiment.peer(sender).buffer or CAPACITY
        self.stuck[sender] += item.weight + SEALED * self.experiment.tls
        if self.stuck[sender] > room:
            self.overflow = (
                self.overflow
                or f"more than {room:,} bytes of the {sender} are stuck, so that its buffers fill"
            )

    def arrival(self, sender: str) -> float:
        """When what is sent now arrives (s): a latency later, or a latency after the healing of the cut that it meets."""
        due, healed = round(self.now + self.experiment.latency, 9), None
        for cut in self.cuts(sender):
            if cut.holds(due) and due != healed:  # without latency, what is freed is there at once
                healed = cut.heal
                due = NEVER if healed is None else round(healed + self.experiment.latency, 9)
        return max(due, self.last[sender])

    def cuts(self, sender: str) -> list[Cut]:
        """The silences of ``sender``: cuts that overlap are one."""
        whole: list[Cut] = []
        for cut in self.experiment.cuts:
            if not cut.meets(FLOW[sender]):
                continue
            if whole and (whole[-1].heal is None or cut.start < whole[-1].heal):
                before, after = whole[-1].heal, cut.heal
                heal = None if before is None or after is None else max(before, after)
                whole[-1] = dataclasses.replace(whole[-1], heal=heal)
            else:
                whole.append(cut)
        return whole

    def silent(self, sender: str) -> bool:
        """Whether a cut silences ``sender`` now."""
        return any(cut.holds(self.now) for cut in self.cuts(sender))

    def reset(self, sender: str) -> None:
        """TCP answers data for nobody with an RST: sent once, and what was still stuck is forgotten with the connection."""
        if not self.silent(sender):
            due = round(self.now + self.experiment.latency, 9)
            if not any(cut.holds(due) for cut in self.cuts(sender)):
                self.send(sender, "RST")
            return
        for item in self.items:
            item.forgotten |= item.sender == sender and item.arrived_at is None
        self.last[sender] = 0.0
        self.stuck[sender] = 0

    def _arrive(self, item: Item) -> None:
        if not item.forgotten:
            item.arrived_at = self.now
            self.stuck[item.sender] -= item.weight + SEALED * self.experiment.tls
            self.ends[OTHER[item.sender]].arrive(item)
