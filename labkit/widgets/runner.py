"""A session that is kept running in a thread of its own, with orders from outside. It knows no widgets.

    press ──→ orders ──→ ┌ thread "labkit live" ───────────────┐ ──→ frame(Look), ten times a second
                         │ does them, looks, waits a little    │
    close ─────────────→ └ leaves the session: its trace stands┘ ──→ frame(the last Look)

The session belongs to this thread alone. Whatever ends it (close, an order, ``until``, an error) the session is left, so that nothing
stays behind; and the thread is a daemon, so that a kernel can always be restarted.
"""

from __future__ import annotations

import contextvars
import dataclasses
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..engine.session import Session, open_run
from ..theory import Prediction, predict
from ..trace import Trace
from ..values.experiment import Experiment
from ..values.faults import ENDS, Act
from ..wires.ending import Brisk

PACE = 0.1  # s between two looks
SHARE = 0.25  # of the time that looking may take: on a busy machine looks become rarer, rather than the session late
HOURS = 3600.0  # s; a live run ends by then, whatever happens
Order = Callable[[Session], object]


@dataclass(frozen=True)
class Look:
    """A running session as somebody sees it: states, the acts in force, the story so far and what theory makes of it."""

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
        """``frame`` is given every look, ``lost`` the sentence that says why there will be none; both are called in the thread."""
        self.experiment = experiment.but(until=HOURS) if experiment.until is None else experiment
        self.frame, self.lost, self.pace = frame, lost, pace
        self.orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self.ending = threading.Event()
        self.trace: Trace | None = None
        self.problem = ""
        self.known: tuple[tuple[Act, ...], Prediction] | None = None
        self.thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._live,),
            name="labkit live",
            daemon=True,
        )

    def start(self) -> Runner:
        self.thread.start()
        return self

    def order(self, do: Order) -> None:
        """Have something done to the session, soon."""
        self.orders.put(do)

    def close(self, seconds: float | None = 15) -> None:
        """End the session, and wait until it has left nothing behind."""
        self.ending.set()
        if self.thread.is_alive() and threading.current_thread() is not self.thread:
            self.thread.join(seconds)

    @property
    def alive(self) -> bool:
        return self.thread.is_alive()

    # in the thread

    def _live(self) -> None:
        try:
            session = open_run(self.experiment, "loopback")
            with session, Brisk():
                self._watch(session)
                session.over_at = (
                    None  # the story is told until it was left, also if its run was over before
                )
        except Exception as problem:
            self.problem = f"{type(problem).__name__}: {problem}"
            self.lost(self.problem)
            return
        self.trace = ended(session.trace)
        self.frame(
            Look(
                self.trace.end,
                dict(session.states),
                self.trace,
                predict(self.trace.experiment),
                True,
                self.problem,
            )
        )

    def _watch(self, session: Session) -> None:
        """Do what is asked, look, wait; until it shall end."""
        due = time.monotonic()
        while not self.ending.is_set() and session.now < (session.experiment.limit or HOURS):
            self._obey(session)
            session.wait(0)  # notices a failure, and how many bytes wait
            if time.monotonic() >= due:
                begin = time.monotonic()
                self.frame(self._look(session))
                due = max(
                    due + self.pace, time.monotonic() + (time.monotonic() - begin) * (1 / SHARE - 1)
                )
            self.ending.wait(min(0.02, self.pace))

    def _obey(self, session: Session) -> None:
        while not self.orders.empty():
            try:
                self.orders.get()(session)
                self.problem = ""
            except (TypeError, ValueError) as problem:
                self.problem = f"{problem}"

    def _look(self, session: Session) -> Look:
        trace = session.so_far()
        states = {
            end: (trace.states(end) or [(0.0, "CONNECTING")])[-1][1] for end in ENDS
        }  # lamps and picture show the same instant
        return Look(trace.end, states, trace, self._foresee(session), False, self.problem)

    def _foresee(self, session: Session) -> Prediction:
        """What theory makes of everything that was done so far; asked again only when something was."""
        acts = tuple(session.acts)
        if self.known is None or self.known[0] != acts:
            self.known = acts, predict(session.experiment.but(faults=acts, until=None))
        return self.known[1]


def ended(trace: Trace) -> Trace:
    """A trace whose experiment ends when the telling did: run again, it is the same story."""
    last = max([trace.end, *(when for act in trace.experiment.acts for when, _ in act.steps())])
    until = math.ceil(last * 1000 + 1) / 1000
    return dataclasses.replace(trace, experiment=trace.experiment.but(until=until))
