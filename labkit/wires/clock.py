"""Virtual time: a clock that jumps when everybody sleeps. Nobody ever waits.

Each end has a loop of its own (loop.py), one clock steps them all:

    instant t:  acts (a cut begins) → what arrives now → every loop, until all of them are idle
                → resets that answer what came for nobody → every loop again
    then:       jump to the next act, arrival or timer

Time stands on a grid of 1 ns. What is due at exactly the same time is first in, first out; of
timers within one step of the grid, which run at one instant, the smaller float is first, as in
asyncio.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import sys
from asyncio import events, tasks
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .loop import GRID, VirtualLoop, VirtualTimeError

TURNS = 10_000  # turns of one loop in one instant: more is a `while True: await sleep(0)`


class Clock:
    """One time for several loops, and a list of things to do at a time."""

    def __init__(self) -> None:
        self.now = 0.0  # s
        self.loops: list[VirtualLoop] = []
        self.agenda: list[tuple[float, int, int, Callable[[], None]]] = []  # a heap
        self.cancelled: set[int] = set()  # the numbers of what is not to be done after all
        self.answers: list[Callable[[], None]] = []  # for the end of this instant
        self.count = itertools.count()
        self.horizon = math.inf  # s; where the present run() ends
        self.running = False

    def at(self, when: float, do: Callable[[], None], *, act: bool = False) -> int:
        """Do something at ``when`` (s), an act before anything else of that instant.

        Returns its number, by which it can be ``cancelled`` until then.
        """
        when, rank, number = max(round(when, 9), self.now), 0 if act else 1, next(self.count)
        heapq.heappush(self.agenda, (when, rank, number, do))
        return number

    def run(self, over: Callable[[], bool], horizon: float = math.inf) -> bool:
        """Let time pass until ``over()``, asked whenever everybody is idle, or ``horizon`` (s).

        Returns False if nothing can happen any more. The thread's own running loop and task, if
        any, are set aside meanwhile, so this works inside a notebook cell and in a coroutine; but
        not in one of these loops: that is a VirtualTimeError.
        """
        if self.running:
            raise VirtualTimeError("this run is under way: what runs in it awaits asyncio.sleep()")
        self.horizon, self.running = horizon, True
        try:
            with set_aside():
                while True:
                    settled = self.settle()
                    if over():
                        return True
                    if not settled:
                        continue
                    if (then := self.next_time()) == math.inf:
                        return False
                    if then > horizon:
                        self.now = horizon
                        return True
                    self.now = then
        finally:
            self.running = False

    def pass_without(self, loop: VirtualLoop, seconds: float) -> None:
        """Let so much time pass for everybody but ``loop``, whose own code asks for it.

        At the horizon that code is cancelled.
        """
        then, end = round(self.now + seconds, 9), self.horizon
        loop.frozen += 1
        try:
            with set_aside():
                self.rest()
                while (upcoming := self.next_time()) < min(then, end):
                    self.now = upcoming
                    self.rest()
            if self.now > then:
                raise VirtualTimeError(
                    "both ends block() at the same time, one within the other: freeze one of them, "
                    "or use the loopback wire"
                )
            self.now = min(then, end)
        finally:
            loop.frozen -= 1
        if then > end:
            raise asyncio.CancelledError("the run is over")

    def rest(self) -> None:
        """Settle, and again if a block() has let time go by meanwhile."""
        while not self.settle():
            pass

    def settle(self) -> bool:
        """Step the loops until all of them are idle at this instant.

        False if a block() has let it go by: there is more to do.
        """
        instant, agenda, loops = self.now, self.agenda, self.loops
        soon = instant + GRID
        for _ in range(TURNS):
            busy = bool(agenda) and agenda[0][0] <= instant
            if busy:
                self.do_agenda()
            for loop in loops:
                if (
                    loop._ready
                    or loop.ready.hot
                    or ((timers := loop.timers) and timers[0][0] < soon - loop.asleep)
                ):
                    busy = loop.turn() or busy
            if self.now > instant:
                return False
            if not busy:
                if not self.answers:
                    return True
                answers, self.answers = self.answers, []
                for answer in answers:
                    answer()
        raise VirtualTimeError(
            f"{TURNS:,} turns at one instant and still busy: somebody loops without letting time "
            "pass, such as `while True: await asyncio.sleep(0)`; sleep for more than 0 s, or use "
            "the loopback wire"
        )

    def next_time(self) -> float:
        """The next instant at which anything happens (s); infinity if there is none."""
        while self.agenda and self.agenda[0][2] in self.cancelled:
            self.cancelled.discard(heapq.heappop(self.agenda)[2])
        then = self.agenda[0][0] if self.agenda else math.inf
        for loop in self.loops:
            if not loop.frozen:
                then = min(then, loop.next_timer())
        if then == math.inf:
            return then
        return max(self.now, then if then > 1e6 else round(then, 9))

    def do_agenda(self) -> None:
        """Do what is due now; what that causes at this instant comes after the loops' turn."""
        agenda, latest = self.agenda, next(self.count)
        while agenda and agenda[0][0] <= self.now and agenda[0][2] < latest:
            _, _, number, do = heapq.heappop(agenda)
            if number in self.cancelled:
                self.cancelled.discard(number)
            else:
                do()

    def sleepers(self) -> list[asyncio.Task[Any]]:
        """The tasks that are still waiting for something."""
        return [task for loop in self.loops for task in loop.tasks if not task.done()]


@contextmanager
def set_aside() -> Iterator[None]:
    """Meanwhile this thread runs no loop and no task, for asyncio; afterwards those of before.

    Up to Python 3.13 each loop has a current task, since 3.14 each thread has one. The task is that
    of the running loop: it leaves before its loop does, and comes back after it.
    """
    loop, hooks = events._get_running_loop(), sys.get_asyncgen_hooks()
    task = asyncio.current_task(loop) if loop else None
    if loop and task:
        tasks._leave_task(loop, task)
    events._set_running_loop(None)
    sys.set_asyncgen_hooks(None, None)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*hooks)
        events._set_running_loop(loop)
        if loop and task:
            tasks._enter_task(loop, task)
