"""The model behind the theory: an agenda, two directions of a wire, and two ends (endpoint.py).

Nothing is sent, nothing of websockets runs, and no run is looked at. Things happen in order of
time. At equal times: what is done to the wire, then what arrives, then the thaw of a frozen end,
goodbyes, timers, and then what all those cause.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..trace import Event
from ..values.experiment import CAPACITY, Experiment
from ..values.faults import ENDS, FLOW, OTHER, Act, Cut, Freeze, Goodbye, Send, order
from .endpoint import EndModel
from .items import ACT, ARRIVAL, CONSEQUENCE, GOODBYE, NEVER, WAKING, Do, Item, Test, Todo, always

SEALED = 22  # bytes that TLS adds to each record
RANKS = {(Freeze, "end"): WAKING, (Goodbye, "begin"): GOODBYE, (Send, "begin"): GOODBYE}
Entry = tuple[float, int, float, int, Todo, EndModel | None]  # when, rank, due, count, what, whose


@dataclass
class Model:
    """The experiment, told forward in time."""

    experiment: Experiment
    now: float = 0.0  # s
    events: list[Event] = field(default_factory=list)  # what would be seen
    ties: list[str] = field(default_factory=list)  # what would be a matter of luck
    overflow: str | None = None  # the first buffer that fills: beyond that, theory does not know

    def __post_init__(self) -> None:
        self.agenda: list[Entry] = []
        self.count = itertools.count()
        self.items: list[Item] = []
        self.resets: list[Item] = []  # the RSTs among them
        self.stuck = dict.fromkeys(ENDS, 0)  # bytes on their way from each sender
        self.last = dict.fromkeys(ENDS, 0.0)  # when the last item of each sender arrives (s)
        self.ends = {name: EndModel(self, name) for name in ENDS}
        self.pending = 0  # steps of acts that are to come

    def run(self) -> None:
        """Tell the story to its end."""
        limit = None if self.experiment.limit is None else round(self.experiment.limit, 9)
        for when, step, act in order(self.experiment.acts):
            self.pending += 1
            self.at(when, partial(self._act, act, step), RANKS.get((type(act), step), ACT))
        self.at(0.0, self.ends["server"].open, ARRIVAL)
        self.at(self.experiment.latency, self.ends["client"].open, ARRIVAL)
        while self.agenda and self.agenda[0][0] <= (NEVER if limit is None else limit):
            self._next()
            if self._instant_is_over() and self._is_over():
                return
        if limit is not None and self.agenda:
            self.now = limit

    def _next(self) -> None:
        when, rank, due, _, todo, owner = heapq.heappop(self.agenda)
        if owner and owner.frozen:
            owner.put_off(rank, due, todo)
        elif todo.still():
            self.now = when
            todo.do()

    def at(
        self,
        when: float,
        do: Do,
        rank: int,
        still: Test = always,
        owner: EndModel | None = None,
    ) -> None:
        """Put something on the agenda, to be done if it ``still`` makes sense then.

        What an instant causes comes last in it. What an end (its ``owner``) does has to wait while
        that end is frozen.
        """
        when = round(when, 9)
        if when < NEVER:
            rank = CONSEQUENCE if rank and when <= self.now else rank
            self._enter(when, rank, when, Todo(do, still), owner)

    def catch_up(self, owner: EndModel) -> None:
        """What an end could not do while it was frozen, it does now, the oldest first."""
        for rank, due, todo in owner.late:
            self._enter(self.now, rank, due, todo, owner)
        owner.late.clear()

    def _enter(
        self, when: float, rank: int, due: float, todo: Todo, owner: EndModel | None
    ) -> None:
        heapq.heappush(self.agenda, (when, rank, due, next(self.count), todo, owner))

    def see(self, where: str, what: str, **data: Any) -> None:
        """One more event of the story."""
        self.events.append(Event(self.now, where, "theory", what, data))

    def _instant_is_over(self) -> bool:
        return not self.agenda or self.agenda[0][0] > self.now

    def _is_over(self) -> bool:
        """Whether both ends have ended, or all with keepalive and nothing else is to come."""
        ended = [end for end in self.ends.values() if end.ended]
        if len(ended) == len(ENDS):
            return True
        keepers = [end for end in self.ends.values() if end.peer.keepalive]
        return bool(ended) and ended == keepers and not self.pending and not self._is_on_its_way()

    def _is_on_its_way(self) -> bool:
        return any(
            item.arrived_at is None and item.due < NEVER and not item.forgotten
            for item in self.items
        )

    def _act(self, act: Act, step: str) -> None:
        self.pending -= 1
        if isinstance(act, Goodbye):
            self.ends[act.end].say_goodbye(act)
        elif isinstance(act, Send) and step == "begin":
            self.ends[act.end].talk(act)
        elif isinstance(act, Send):
            self.ends[act.end].talking.pop(act, None)
        elif isinstance(act, Freeze) and step == "begin":
            self.ends[act.end].freeze()
        elif isinstance(act, Freeze):
            self.ends[act.end].thaw()

    # the wire

    def send(self, sender: str, opcode: str, **more: Any) -> Item:
        """Put something into the wire, and foretell when it arrives."""
        item = Item(sender, opcode, self.now, self.arrival(sender), **more)
        end = self.ends[sender]
        if end.reset or self.meets_reset(sender):  # the first write after a reset fails
            end.at(self.now, end.break_off, CONSEQUENCE)
            return item
        self.last[sender] = item.due
        self.items.append(item)
        if opcode == "RST":
            self.resets.append(item)
        self.fill(sender, item)
        self.at(item.due, partial(self._arrive, item), ARRIVAL)
        if opcode not in ("FIN", "RST", "NOTIFY"):
            said = {"size": item.size, "code": item.code, "reason": item.reason, "item": item}
            self.see("wire", "frame", sender=sender, opcode=opcode, **said)
        return item

    def meets_reset(self, end: str) -> bool:
        """Whether an RST comes to this end just now, with what it is answering."""
        return any(
            item.sender != end and item.sent_at < item.due == self.now for item in self.resets
        )

    def fill(self, sender: str, item: Item) -> None:
        """One more item is on its way; theory does not know writers that wait for room."""
        room = self.experiment.peer(sender).buffer or CAPACITY
        self.stuck[sender] += self.bytes_of(item)
        if self.stuck[sender] > room and not self.overflow:
            stuck = f"more than {room:,} bytes of the {sender} are stuck"
            self.overflow = f"{stuck}, so that its buffers fill"

    def bytes_of(self, item: Item) -> int:
        """Bytes on the wire, sealed under TLS."""
        return item.weight + (SEALED if self.experiment.tls else 0)

    def arrival(self, sender: str) -> float:
        """When what is sent now arrives (s): a latency later, or after the cut that it meets."""
        latency = self.experiment.latency
        due, healed = round(self.now + latency, 9), None
        for cut in self.cuts(sender):
            if cut.holds(due) and due != healed:  # without latency, what is freed is there at once
                healed = cut.heal
                due = NEVER if healed is None else round(healed + latency, 9)
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

    def is_silent(self, sender: str, t: float) -> bool:
        """Whether a cut silences ``sender`` at time ``t`` (s)."""
        return any(cut.holds(t) for cut in self.cuts(sender))

    def reset(self, sender: str) -> None:
        """TCP answers data for a closed connection with one RST, and forgets what was stuck."""
        if not self.is_silent(sender, self.now):
            if not self.is_silent(sender, round(self.now + self.experiment.latency, 9)):
                self.send(sender, "RST")
            return
        for item in self.items:
            item.forgotten |= item.sender == sender and item.arrived_at is None
        self.last[sender] = 0.0
        self.stuck[sender] = 0

    def _arrive(self, item: Item) -> None:
        if not item.forgotten:
            item.arrived_at = self.now
            self.stuck[item.sender] -= self.bytes_of(item)
            self.ends[OTHER[item.sender]].arrive(item)
