"""A session that runs in a thread of its own, with orders from outside. It knows no widgets.

    press ──→ orders ──→ ┌ thread "labkit live" ──────────────┐ ──→ frame(Look), ten times a second
                         │ does them, looks, waits a little   │
    close ─────────────→ └ leaves the session: its trace stays┘ ──→ frame(the last Look)

Where there are no threads, as in a browser, a task of the caller's loop does the same; then time is
virtual, and goes on as fast as a clock.

The session belongs to this thread alone. Whatever ends it (close, an order, ``until``, an error)
the session is left, so that nothing stays behind; and the thread is a daemon, so that a kernel can
always be restarted.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import inspect
import math
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from ..engine.session import Session, open_run
from ..theory import Prediction, predict
from ..trace import Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS, Act
from ..wires import browser
from ..wires.ending import Brisk

PACE = 0.1  # s between two looks
SHARE = 0.25  # of the time, at most, for looking: on a busy machine there are fewer looks
HOURS = 3600.0  # s; a live run ends by then, whatever happens
Order = Callable[[Session], object]


@dataclass(frozen=True)
class Look:
    """A running session as somebody sees it: states, its trace so far and theory's prediction."""

    now: float  # s
    states: dict[str, str]
    trace: Trace
    prediction: Prediction
    over: bool = False
    problem: str = ""  # what could not be done, in a sentence


class Runner:
    """One session, from start() to close()."""

    def __init__(
        self,
        experiment: Experiment,
        frame: Callable[[Look], None],
        lost: Callable[[str], None] = print,
        pace: float = PACE,
    ) -> None:
        """``frame`` gets every look, ``lost`` why there will be none; both called in the thread."""
        self.experiment = experiment.but(until=HOURS) if experiment.until is None else experiment
        self.frame, self.lost, self.pace = frame, lost, pace
        self.orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self.ending = threading.Event()
        self.trace: Trace | None = None
        self.problem = ""
        self.known: tuple[tuple[Act, ...], Prediction] | None = None
        self.steps = self._live()
        self.task: asyncio.Task[None] | None = None  # where there are no threads
        self.thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._in_thread,),
            name="labkit live",
            daemon=True,
        )

    def start(self) -> Runner:
        if browser.HERE:
            pause = next(self.steps, 0.0)  # what it prints belongs to the cell that starts it
            self.task = asyncio.ensure_future(self._in_task(pause))
        else:
            self.thread.start()
        return self

    def order(self, do: Order) -> None:
        """Have something done to the session, soon."""
        self.orders.put(do)

    def close(self, seconds: float | None = 15) -> None:
        """End the session, and wait until it has left nothing behind."""
        self.ending.set()
        if self.task and inspect.getgeneratorstate(self.steps) != inspect.GEN_RUNNING:
            for _ in self.steps:
                pass
        if self.thread.is_alive() and threading.current_thread() is not self.thread:
            self.thread.join(seconds)

    @property
    def alive(self) -> bool:
        return inspect.getgeneratorstate(self.steps) != inspect.GEN_CLOSED

    # in the thread, or in the task

    def _in_thread(self) -> None:
        for pause in self.steps:
            self.ending.wait(pause)

    async def _in_task(self, pause: float) -> None:
        await asyncio.sleep(pause)
        for pause in self.steps:
            await asyncio.sleep(pause)

    def _live(self) -> Generator[float, None, None]:
        """All of it; yields how long to wait (s) before it goes on."""
        try:
            session = open_run(self.experiment, "loopback")
            with session, Brisk():
                yield from self._watch(session)
                session.over_at = None  # the trace goes on until now, even if its run was over
        except Exception as problem:
            self.problem = f"{type(problem).__name__}: {problem}"
            self.lost(self.problem)
            return
        self.trace = ended(session.trace)
        theory = predict(self.trace.experiment)
        states = dict(session.states)
        self.frame(Look(self.trace.end, states, self.trace, theory, True, self.problem))

    def _watch(self, session: Session) -> Iterator[float]:
        """Do what is asked, look, wait; until it shall end."""
        due = opened = time.monotonic()
        while not self.ending.is_set() and session.now < (session.experiment.limit or HOURS):
            if session.wire.clock == "virtual":
                keep_up(session, time.monotonic() - opened)
            self._obey(session)
            session.wait(0)  # notices a failure, and how many bytes wait
            begin = time.monotonic()
            if begin >= due:
                self.frame(self._look(session))
                end = time.monotonic()
                due = max(due + self.pace, end + (end - begin) * (1 / SHARE - 1))
            yield min(0.02, self.pace)

    def _obey(self, session: Session) -> None:
        while not self.orders.empty():
            try:
                self.orders.get()(session)
                self.problem = ""
            except (TypeError, ValueError) as problem:
                self.problem = str(problem)

    def _look(self, session: Session) -> Look:
        trace = session.so_far()
        # The lamps show the same instant as the picture.
        states = {end: trace.state_at(end, trace.end) or "CONNECTING" for end in ENDS}
        return Look(trace.end, states, trace, self._predict(session), False, self.problem)

    def _predict(self, session: Session) -> Prediction:
        """Theory's prediction for all that was done so far; made anew only when something was."""
        acts = tuple(session.acts)
        if self.known is None or self.known[0] != acts:
            self.known = acts, predict(session.experiment.but(faults=acts, until=None))
        return self.known[1]


def keep_up(session: Session, seconds: float) -> None:
    """Let virtual time go on until so many seconds of the session, even if nothing happens."""
    wire, behind = session.wire, seconds - session.now
    if behind > 0:
        then = round(wire.now() + behind, 9)
        wire.at(then, lambda: None)
        wire.wait(lambda: wire.now() >= then, then)


def ended(trace: Trace) -> Trace:
    """A trace whose experiment ends when it does: run again, it gives the same trace."""
    last = max([trace.end, *(when for act in trace.experiment.acts for when, _ in act.steps())])
    until = math.ceil(last * 1000 + 1) / 1000
    return dataclasses.replace(trace, experiment=trace.experiment.but(until=until))
