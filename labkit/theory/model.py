"""The model behind the theory: an agenda, two directions of a wire, and two ends (endpoint.py).

Nothing is sent, nothing of websockets runs, and no run is looked at. Things happen in order of
time. At equal times: what is done to the wire, then what arrives, then the thaw of a frozen end,
goodbyes, timers, and then what all those cause.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..trace import Event
from ..values.experiment import CAPACITY, Experiment, order
from ..values.faults import ENDS, FLOW, OTHER, Act, Cut, Freeze, Goodbye, Send
from ..values.sender import Sender
from ..values.stream import Stream, join
from .endpoint import EndModel
from .items import ACT, ARRIVAL, CONSEQUENCE, GOODBYE, NEVER, WAKING, Do, Item, Test, Todo, always

SEALED = 22  # bytes that TLS adds to each record
RANKS = {(Freeze, "end"): WAKING, (Goodbye, "begin"): GOODBYE, (Send, "begin"): GOODBYE}
Entry = tuple[float, int, float, int, Todo, EndModel | None]  # when, rank, due, count, what, whose


class Way(Stream):
    """One direction of theory's wire: a stream of items."""

    __slots__ = ()

    @staticmethod
    def is_reset(item: Item) -> bool:
        return item.opcode == "RST"

    @staticmethod
    def size(item: Item) -> int:
        return item.weight


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
        self.ways = {sender: Way(self.experiment.latency) for sender in ENDS}
        self.ways["server"].arrived = self.experiment.latency  # its answer to the opening handshake
        self.awaited: dict[str, set[float]] = {end: set() for end in ENDS}  # by sender (s)
        self.resets: list[Item] = []
        self.stuck = dict.fromkeys(ENDS, 0)  # bytes on their way from each sender
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
        return any(way.due() is not None for way in self.ways.values())

    def _act(self, act: Act, step: str) -> None:
        self.pending -= 1
        if isinstance(act, Cut):
            self.cut(act, step)
        elif isinstance(act, Goodbye):
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
        item = Item(sender, opcode, self.now, NEVER, **more)
        end = self.ends[sender]
        if end.reset or self.meets_reset(sender):  # the first write after a reset fails
            end.at(self.now, end.break_off, CONSEQUENCE)
            return item
        way = self.ways[sender]
        if opcode == "RST":
            way.drop_held()  # TCP forgets what it could not send
            if way.silent:
                way.forget()  # and nobody repeats an RST
                return item
            self.resets.append(item)
        self.fill(sender, item)
        way.put(self.now, item)
        item.due = way.queue[-1][0]
        self.await_arrival(sender)
        if opcode not in ("FIN", "RST", "NOTIFY"):
            said = {"size": item.size, "code": item.code, "reason": item.reason, "item": item}
            self.see("wire", "frame", sender=sender, opcode=opcode, **said)
        return item

    def meets_reset(self, end: str) -> bool:
        """Whether an RST comes to this end just now, with what it is answering."""
        return any(
            item.sender != end and item.sent_at < item.due == self.now
            for item in self.resets
            if not self.ways[item.sender].silent
        )

    def fill(self, sender: str, item: Item) -> None:
        """One more item is on its way; theory does not know writers that wait for room."""
        room = self.experiment.peer(sender).buffer or CAPACITY
        self.stuck[sender] += self.bytes_of(item)
        tcp = self.ways[sender].sender
        if self.stuck[sender] + (tcp.waiting if tcp else 0) > room and not self.overflow:
            stuck = f"more than {room:,} bytes of the {sender} are stuck"
            self.overflow = f"{stuck}, so that its buffers fill"

    def bytes_of(self, item: Item) -> int:
        """Bytes on the wire, sealed under TLS."""
        return item.weight + (SEALED if self.experiment.tls else 0)

    def cut(self, cut: Cut, step: str) -> None:
        """A silence begins or ends."""
        for sender, way in self.ways.items():
            if way.sender is None:
                tcp = {end: self.experiment.peer(end).tcp for end in ENDS}
                join(self.ways, tcp, self, 1)
            if cut.meets(FLOW[sender]):
                way.cut(self.now, cut) if step == "begin" else way.heal(self.now, cut)
        for sender in ENDS:
            self.await_arrival(sender)

    def await_arrival(self, sender: str) -> None:
        """Look at what is on its way from an end when there is something to see."""
        way, awaited = self.ways[sender], self.awaited[sender]
        for when in (way.due(), way.sender.alarm() if way.sender else None):
            if when is not None and when not in awaited:
                awaited.add(when)
                still = partial(self._is_due, sender, when)
                self.at(when, partial(self.deliver, sender), ARRIVAL, still)

    def _is_due(self, sender: str, when: float) -> bool:
        self.awaited[sender].discard(when)
        way = self.ways[sender]
        alarm = way.sender.alarm() if way.sender else None
        return way.ready(when) or alarm is not None and alarm <= when

    def deliver(self, sender: str) -> None:
        """What is due from an end arrives, and its TCP does what is due."""
        way, end = self.ways[sender], self.ends[OTHER[sender]]
        if way.sender:
            way.sender.ring(self.now)
        arrived = []
        while way.ready(self.now):
            item = way.take(self.now)
            item.arrived_at = self.now
            arrived.append(item)
            self.stuck[sender] -= self.bytes_of(item)
            end.dead |= item.opcode == "RST" or end.lost and item.weight > 0
            if way.sender:
                way.sender.arrive(self.now, self.bytes_of(item), item)
        for item in arrived:
            end.arrive(item)
        for one in ENDS:
            self.await_arrival(one)

    def reset(self, sender: str) -> None:
        """TCP answers data for a closed connection with RST."""
        self.ends[sender].dead = True
        self.send(sender, "RST")

    def left(self, end: str) -> None:
        """An end has closed its connection; its TCP goes on for a while."""
        if tcp := self.ways[end].sender:
            tcp.closed_at = self.now
            self.await_arrival(end)

    # what TCP does, as a Host of senders

    def gave_up(self, sender: Sender, reset: bool) -> None:
        end = self.ends[sender.end]
        if reset:
            self.send(sender.end, "RST")
        if not end.lost:
            end.arrive(Item(OTHER[sender.end], "RST", self.now, self.now))
        end.dead = True

    def answers(self, sender: Sender, again: bool) -> bool:
        end = self.ends[OTHER[sender.end]]
        if again and end.dead:
            self.reset(end.name)
        return not end.dead

    def tried(self, sender: Sender, when: float, number: int, through: bool) -> None:
        """A segment was sent again: theory shows what comes of it."""

    def probed(self, sender: Sender, when: float, number: int) -> None:
        """An idle connection was probed: theory shows what comes of it."""
