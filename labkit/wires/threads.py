"""Event loops in threads of their own, and their end: within 2 s, whatever runs in them.

    the run is over:   connections are aborted, tasks cancelled, and again those that swallow that
    after PATIENCE:    tasks that still wait are abandoned; who is in a call is named, its sockets
                       are shut down, and Stopped is raised in it
    after FORCE:       a thread that Python cannot stop is left behind. It is a daemon, named after
                       the line in which it is, and closes its loop and sockets when it comes back

What swallows every exception in a loop that never waits is hit where it does not, sooner or later.
On Python 3.12, which raises them elsewhere, that is hardly ever.

From outside no socket of a thread that lives is closed: its number could be used again.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from . import untold
from .ending import Busy, abandon, break_off, heard, stubborn, uninterrupted
from .places import Place, is_in_learners_code, place_of_thread

PATIENCE = 0.8  # s in which an end is done, after its run is over
FORCE = 0.5  # s more for one that is in a call
MANY = 10.0  # s more for one that is busy with aborting connections, of which a fleet has thousands
FIRST, AGAIN = 0.5, 0.1  # s from the first cancellation of a task to the next, and then to each
LOOK = 0.0005  # s between two attempts to break off a call


class Loop(asyncio.SelectorEventLoop):
    """An event loop in real time: a selector loop on every system."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.asleep = 0.0  # s for which its machine has slept, and its clock stood still
        self.tell: Callable[..., None] = untold  # is called with what is done to this loop
        # is called with each connection made by host and port: its transport; None if refused
        self.dialled: Callable[[Any], None] = untold
        self.ending = threading.Event()
        self.helpers: list[tuple[threading.Thread, Place | None]] = []  # calls beside it, and whose

    def time(self) -> float:
        return super().time() - self.asleep

    def block(self, seconds: float) -> None:
        """Take so long (s) without awaiting: for code that runs in this loop."""
        self.tell("blocked", seconds=seconds)
        if self.ending.wait(seconds):
            raise asyncio.CancelledError("the run is over")

    async def create_connection(self, factory: Any, *place: Any, **options: Any) -> Any:  # type: ignore[override]
        """As asyncio's; ``dialled`` hears of it."""
        try:
            transport, protocol = await super().create_connection(factory, *place, **options)
        except OSError:
            self.dialled(None)
            raise
        self.dialled(transport)
        return transport, protocol

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """As asyncio's, but in a daemon a call: asyncio's own threads keep a process alive."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        carry, name = partial(_carry, future, partial(func, *args)), f"labkit {self.name}, a call"
        helper = threading.Thread(target=carry, name=name, daemon=True)
        calls = [(other, place) for other, place in self.helpers if other.is_alive()]
        self.helpers = [*calls, (helper, place_of_thread(threading.current_thread()))]
        helper.start()
        return asyncio.wrap_future(future, loop=self)

    def transports(self) -> list[Any]:
        """What this loop has open: the lab's connections, and those that a learner has made."""
        register = getattr(self, "_transports", {})  # asyncio's own, in 3.10 to 3.13
        return list(register.values())


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self, name: str) -> None:
        self.name, self.loop = name, Loop(name)
        self.thawed: list[threading.Event] = []  # one for each freeze that is not over
        self.tasks: list[asyncio.Task[Any]] = []
        self.abort: Callable[[], None] = lambda: None
        self.listener: socket.socket | None = None
        self.leaver: asyncio.Task[None] | None = None
        self.until = 0.0  # s on the monotonic clock; from then on a task that waits is abandoned
        self.stubborn: list[Busy] = []  # tasks that swallow their cancellation
        self.failure: BaseException | None = None  # that asyncio lets through, such as SystemExit
        self.gone = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"labkit {name}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        while self.leaver is None or not self.leaver.done():
            try:
                self.loop.run_forever()
            except BaseException as problem:  # SystemExit and KeyboardInterrupt come through
                self.failure = self.failure or problem
        for task in asyncio.all_tasks(self.loop):
            abandon(task)
        self.loop.close()
        self.gone.set()

    def begin(self, coroutine: Any) -> None:
        """Run a coroutine as a task of this thread."""
        self.tasks.append(self.loop.create_task(coroutine))

    def call(self, do: Callable[..., Any], *args: Any) -> None:
        """Do something in this thread, soon; nothing any more once its end has begun."""
        if not self.loop.ending.is_set():
            self.loop.call_soon_threadsafe(do, *args)

    def has_turns(self, count: int, within: float) -> bool:
        """Wait until its loop has had so many turns; False if that takes longer (s)."""
        passed = threading.Event()

        def turn(left: int) -> None:
            if left:
                self.loop.call_soon(turn, left - 1)
            else:
                passed.set()

        self.call(turn, count)
        return passed.wait(within)

    def freeze(self) -> None:
        """Block this thread, soon, until it is thawed."""
        self.thawed.append(thawed := threading.Event())
        self.call(thawed.wait)
        if self.loop.ending.is_set():
            self.thaw()

    def thaw(self) -> None:
        """Let it run again, if it is frozen."""
        for thawed in self.thawed:
            thawed.set()
        self.thawed.clear()

    @uninterrupted
    def ask(self, do: Callable[..., Any], *args: Any) -> Any:
        """What ``do`` gives in this thread; only where no learner's code runs."""

        async def asked() -> Any:
            return do(*args)

        return asyncio.run_coroutine_threadsafe(asked(), self.loop).result()

    # its end

    def leave(self, abort: Callable[[], None] | None = None) -> None:
        """Let it ``abort`` its connections, cancel its tasks, put away what it has, and end."""
        self.until = time.monotonic() + PATIENCE
        self.abort = abort or self.abort
        self.loop.ending.set()
        self.loop.set_exception_handler(heard)
        self.thaw()
        self.loop.call_soon_threadsafe(self._leave_once)

    def _leave_once(self) -> None:
        if self.leaver is None:
            self.leaver = self.loop.create_task(self._leave())
            self.leaver.add_done_callback(lambda _: self.loop.stop())

    async def _leave(self) -> None:
        if self.listener is not None and self.listener.fileno() >= 0:
            self.loop.remove_reader(self.listener)
        await asyncio.sleep(0)  # who has been accepted gets a transport, which closes its socket
        try:
            self.abort()
        except Exception as problem:
            self.failure = problem
        await self._cancel_all()
        for transport in self.loop.transports():
            transport.abort()
        await asyncio.sleep(0)  # for what they close now
        self.stubborn = stubborn(self.name, self._others())
        await asyncio.wait_for(self.loop.shutdown_asyncgens(), FIRST)

    async def _cancel_all(self) -> None:
        """Cancel all tasks, and again those that swallow that."""
        pause, before = FIRST, 0
        while others := self._others():
            if time.monotonic() > self.until and len(others) == before:
                return
            before = len(others)
            for task in others:
                task.cancel()
            done, _ = await asyncio.wait(others, timeout=pause)
            for task in done:
                if not task.cancelled():
                    task.exception()  # it has been seen
            pause = AGAIN

    def _others(self) -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks(self.loop) - {asyncio.current_task(self.loop)}

    def is_stuck(self) -> bool:
        """Whether it has not ended."""
        return not self.gone.is_set()

    def shut_down(self) -> None:
        """End its connections from outside; their sockets stay its own."""
        self.loop.set_exception_handler(lambda *_: None)  # what comes of it is nobody's mistake
        for transport in self.loop.transports():
            with contextlib.suppress(OSError):
                transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def end(threads: list[LoopThread]) -> list[Busy]:
    """Wait for threads that were told to leave; break off what does not end; who was busy."""
    until = time.monotonic() + PATIENCE + FIRST / 2
    for one in threads:
        one.gone.wait(max(0.0, until - time.monotonic()))
        while _is_at_it(one) and time.monotonic() < until + MANY:
            one.gone.wait(AGAIN)
    stuck = [one for one in threads if one.is_stuck()]
    places = {one: place_of_thread(one.thread) for one in stuck}
    for one in stuck:
        one.shut_down()
    _break_off(stuck)
    for one in threads:
        if not one.is_stuck():
            one.thread.join(FORCE)
    busy = [Busy(one.name, places[one], _fate(one, places[one])) for one in stuck]
    for one in threads:
        busy += one.stubborn + _helpers(one.loop)
    return busy


def _is_at_it(one: LoopThread) -> bool:
    """Whether it has not ended, and no handler keeps it from that."""
    return one.is_stuck() and not is_in_learners_code(one.thread)


def _fate(one: LoopThread, place: Place | None) -> str:
    return _left_behind(one.thread, place) if one.is_stuck() else "it was broken off"


def _break_off(stuck: list[LoopThread]) -> None:
    """Raise Stopped in them, often: what swallows it is hit where it does not, in the end."""
    until = time.monotonic() + FORCE
    while (left := [one for one in stuck if one.is_stuck()]) and time.monotonic() < until:
        for one in left:
            if is_in_learners_code(one.thread):
                break_off(one.thread)
        left[0].gone.wait(LOOK)


def _helpers(loop: Loop) -> list[Busy]:
    """The calls that still run beside a loop; each ends as soon as Python can end it."""
    found = []
    for helper, caller in loop.helpers:
        if helper.is_alive():
            place = place_of_thread(helper) if is_in_learners_code(helper) else caller
            break_off(helper)
            found.append(Busy(loop.name, place, _left_behind(helper, place)))
    return found


def _left_behind(thread: threading.Thread, place: Place | None) -> str:
    """Name a thread after where it is, and say what becomes of it."""
    thread.name = f"{thread.name}, left behind at {place.spot}" if place else thread.name
    return f"Python cannot stop its thread {thread.name!r}: it ends when this call returns"


def _carry(future: concurrent.futures.Future[Any], do: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = do()
    except BaseException as problem:
        future.set_exception(problem)
    else:
        future.set_result(result)
