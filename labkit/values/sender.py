"""The TCP of one sender: what is not acknowledged, when it is tried again, and when it gives up.

Whoever runs a Sender calls ``ring`` at the time that ``alarm`` says, before anything is taken out
of its stream, and hears of what comes of it as its Host. While the way there is silent nothing
has to be done for a try: it is in vain, and told of afterwards.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .probes import Probes
from .segments import HELD, SEGMENT, WINDOW, Entry, in_one, in_windows
from .tcp import Retries

if TYPE_CHECKING:
    from .stream import Host, Stream

NEVER = math.inf
DELAYED = 0.04  # s that an acknowledgement waits for something to go with (TCP_DELACK_MIN)
TICK = 5e-10  # s; half a step of the grid on which times stand


class Sender:
    """What the TCP of a stream's sender knows, from the first silence of its connection on."""

    __slots__ = (
        "out", "retries", "host", "conn", "end", "far", "head", "since", "number", "hole", "window",
        "burst", "unheard", "answer", "probes", "gone", "silent_at", "healed_at", "closed_at",
        "waiting", "timer",
    )  # fmt: skip

    def __init__(self, out: Stream, retries: Retries, host: Host, conn: int, end: str) -> None:
        self.out, self.retries, self.host = out, retries, host
        self.conn, self.end = conn, end
        self.far: Sender  # the other direction's
        self.silent_at = self.healed_at = -NEVER  # when the last silence began, and ended (s)
        self.closed_at: float | None = None  # when its program closed the connection (s)
        self.gone = False  # it has dropped what was to be sent, so that nothing more can follow
        self.timer: Any = None  # of whoever runs it
        self.probes = None if retries.tcp.keepalive_idle is None else Probes(self)
        self.rest()

    def rest(self) -> None:
        """Nothing is to be acknowledged."""
        self.head = 0.0  # when the oldest byte that is not acknowledged was sent (s)
        self.since: float | None = None  # from when on tries are counted (s); None: all is
        self.number = 0  # of the next try, from 0
        self.hole = False  # whether that byte has not arrived
        self.window = WINDOW  # segments that may be sent at once
        self.burst = 0  # how many items, the oldest included, were sent before it waited for them
        self.unheard = False  # something has arrived, and no acknowledgement of it has come
        self.answer: float | None = None  # when an acknowledgement will be here (s)
        self.waiting = 0  # bytes that have arrived and are not acknowledged

    def start(self, when: float) -> None:
        """What was sent at ``when`` (s) is not acknowledged."""
        self.head = self.since = when

    def follow(self, when: float) -> None:
        """One more segment was sent at ``when`` (s), behind one that is not acknowledged."""
        assert self.since is not None
        trip = 2 * self.out.latency
        self.since, probed = self.retries.followed(self.head, self.since, when, trip)
        if probed is not None and not self.number:
            self.number = 1
            self.host.tried(self, probed, 1, not self.out.silent)

    def due(self, when: float, due: float) -> float:
        """When what is sent at ``when`` (s) comes out, which otherwise would be ``due`` (s).

        From the second try on it is not sent before the oldest byte is acknowledged. Until then it
        is; and if the way is open again, while the oldest byte has not arrived, what comes out of
        order is answered at once (SACK), and lets the oldest be sent again.
        """
        if self.since is None:
            return due
        is_sent = when < self.since + self.retries.waits
        if is_sent:
            self.follow(when)
        if is_sent and not self.hole:
            return due
        self.burst += is_sent and self.hole
        if not is_sent or self.out.silent:
            return HELD + due
        answered = round(when + 2 * self.out.latency, 9)
        if answered < self.tried_at() and not self.far.out.silent:
            self.since = round(answered - self.retries.after(self.number), 9)
            self.aim()
        return max(due, self.comes_at())

    def tried_at(self) -> float:
        """When the next try is made (s)."""
        assert self.since is not None
        return round(self.since + self.retries.after(self.number), 9)

    def comes_at(self) -> float:
        """When the next try arrives, if it does (s)."""
        return round(self.tried_at() + self.out.latency, 9)

    def ends_at(self) -> float:
        """When it gives up (s)."""
        assert self.since is not None
        if self.closed_at is None:
            return round(self.since + self.retries.gives_up, 9)
        return round(self.since + self.retries.orphan_gives_up(self.closed_at - self.since), 9)

    def alarm(self) -> float | None:
        """When it has to be looked at again (s); None: not before something else happens."""
        if self.since is None and self.probes is None and not self.out.queue:
            return self.answer
        times = [] if self.answer is None else [self.answer]
        if self.since is not None:
            times.append(self.ends_at())
            if not self.out.silent:
                times.append(self.comes_at())
        elif self.out.silent and self.out.queue:
            times.append(self.out.queue[0][0])
        if self.probes is not None and (probe := self.probes.alarm()) is not None:
            times.append(probe)
        return min(times, default=None)

    def ring(self, now: float) -> None:
        """Do what is due by ``now`` (s)."""
        if self.out.silent:
            self.lose(now + TICK)
        if self.answer is not None and self.answer <= now:
            self.hear_answer(now)
        while self.since is not None and not self.out.silent and self.comes_at() <= now:
            if self.tried_at() >= self.ends_at():
                break
            self.try_again(now)
        if self.since is not None and self.ends_at() <= now:
            self.fail_until(now)
            self.give_up(reset=False)
        if self.probes is not None and self.probes.ring(now):
            self.give_up(reset=True)

    def give_up(self, reset: bool) -> None:
        """The connection is lost."""
        self.probes = None
        self.out.forget()
        self.host.gave_up(self, reset)

    def postpone(self, seconds: float) -> None:
        """Its clock stood still for so long: what it was to do comes so much later."""
        if self.since is not None:
            self.since = round(self.since + seconds, 9)
        if self.probes is not None:
            self.probes.postpone(seconds)

    # the way there

    def fall_silent(self, now: float) -> None:
        """The stream falls silent; what lies before a closed window is asked for in vain."""
        self.silent_at = now
        self.lose(now)
        self.far.lose_answers(now)
        for probes in (self.probes, self.far.probes):
            if probes is not None:
                probes.fall_silent(now)

    def lose(self, until: float) -> None:
        """What was due before ``until`` (s) is lost, and what comes behind has to wait for it."""
        queue, out = self.out.queue, self.out
        if not queue or queue[0][0] >= until:
            return
        due = queue[0][0]
        if out.is_reset(queue[-1][1]):  # whoever has sent that sends nothing again
            kept = [entry for entry in queue if entry[0] >= until]
        else:
            kept = [(when if when >= HELD else HELD + when, item) for when, item in queue]
            if self.since is None:
                sent = round(due - out.latency, 9)
                self.start(sent if due >= self.silent_at else self.silent_at)
                self.hole = True
                self.burst = self.count(queue)
        out.queue = deque(kept) if kept else ()

    def count(self, queue: Iterable[Entry]) -> int:
        """How many items were sent before this waited, the oldest included."""
        (_, oldest), *others = queue
        assert self.since is not None
        if self.out.size(oldest) > SEGMENT:
            self.follow(self.head)
        burst = 1
        for due, _ in others:
            sent = round(due - self.out.latency, 9)
            if sent < self.since + self.retries.waits:
                self.follow(sent)
                burst += 1
        return burst

    def heal(self, now: float) -> None:
        """The stream is silent no more."""
        self.healed_at = now
        self.lose(now)
        if self.since is not None:
            self.fail_until(now - self.out.latency)
            if self.hole:
                self.aim()

    def aim(self) -> None:
        """The next try will come with the oldest items, as many as fit into one segment."""
        queue = list(self.out.queue)
        fit = in_one(self.out, queue[: self.burst])
        oldest = ((HELD, item) for _, item in queue[:fit])
        self.out.queue = deque([*self.paced(oldest, self.comes_at(), 1), *queue[fit:]])

    def paced(self, entries: Iterable[Entry], due: float, window: int) -> list[Entry]:
        """Entries from ``due`` (s) on, ``window`` segments at first."""
        paced, self.window = in_windows(self.out, entries, due, window)
        return paced

    def fail_until(self, until: float) -> None:
        """The tries that were made before ``until`` (s) were in vain."""
        while self.since is not None and (when := self.tried_at()) < until:
            self.number += 1
            self.host.tried(self, when, self.number, False)

    def try_again(self, now: float) -> None:
        """A try arrives, with the oldest byte or with what is there already."""
        when, fills = self.tried_at(), self.hole
        self.number += 1
        self.host.tried(self, when, self.number, True)
        self.hole = False
        self.far.hear(now)
        if fills:
            self.expect_answer(now)
        elif self.host.answers(self, again=True):  # of what is there already, at once
            self.answer = round(now + self.out.latency, 9)

    # the way back

    def arrive(self, now: float, size: int, item: Any) -> None:
        """An item, or ``size`` bytes of it, has arrived."""
        if self.out.is_reset(item):
            self.rest()
            self.probes = self.far.probes = None
            self.far.out.drop_held()
            return
        if self.host.answers(self, again=False):
            self.far.hear(now)
        if self.since is None:
            if not self.far.out.silent:
                return  # the acknowledgement is on its way
            self.start(round(now - self.out.latency, 9))
            if size > SEGMENT:
                self.follow(self.head)
        self.waiting += size
        self.expect_answer(now)

    def expect_answer(self, arrived: float) -> None:
        """Something has arrived: an acknowledgement will follow, unless one is on its way."""
        self.unheard = True
        if self.answer is None:
            self.answer = round(arrived + DELAYED + self.out.latency, 9)

    def lose_answers(self, now: float) -> None:
        """The way back falls silent, and with it what is on its way, and an open window's word."""
        if self.since is not None:
            return
        out, arrived = self.out, self.out.arrived
        replied = self.far.out.arrived > arrived + out.latency - TICK
        if not replied and arrived - TICK < now < arrived + DELAYED + out.latency + TICK:
            self.start(round(arrived - out.latency, 9))
            self.expect_answer(arrived)
        elif out.queue and out.queue[0][0] < now and not out.silent:
            self.start(now)
            self.unheard = True

    def hear_answer(self, now: float) -> None:
        """The time at which an acknowledgement comes, unless it is lost."""
        self.answer = None
        if not self.far.out.silent and self.host.answers(self, again=False):
            self.acknowledge(now)

    def hear(self, now: float) -> None:
        """A segment from the other end: it acknowledges what has arrived there by then."""
        if self.probes is not None:
            self.probes.hear(now)
        if self.unheard and self.out.arrived + self.out.latency < now + TICK:
            self.acknowledge(now)

    def acknowledge(self, now: float) -> None:
        """All that has arrived is acknowledged, and what has waited is sent."""
        latency, arrived, queue = self.out.latency, self.out.arrived, self.out.queue
        window = self.window
        self.rest()
        if self.probes is not None:
            self.probes.hear(now)
        if arrived + latency > now + TICK:  # more has arrived meanwhile
            self.start(round(arrived - latency, 9))
            self.expect_answer(arrived)
        due = round(now + latency, 9)
        if isinstance(queue, deque) and queue[-1][0] >= HELD:
            self.out.queue = deque(self.paced(queue, due, window))
