"""A loop in virtual time: asyncio's own selector loop, which asks a clock and memory sockets.

Only what it asks the outside world is answered here: what time it is, which sockets are ready, and
what a host and a port are. The clock (clock.py) steps it, turn by turn.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
import socket
import sys
from asyncio import events
from asyncio.selector_events import BaseSelectorEventLoop
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol
from weakref import WeakSet

from . import browser, untold

GRID = 1e-9  # s
ENTRANCES = "asyncio.events", "asyncio.tasks"  # where a callback is called, and a task's coroutine

# What asyncio keeps for itself and virtual time needs, with the Pythons in which it was seen to
# work. tests/test_layers.py holds this table against the code, and the Python it runs on.
SEEN = "3.10 3.11 3.12 3.13 3.14"
PRIVATES = {
    "selector_events.BaseSelectorEventLoop": SEEN,  # a loop on any selector, on any system
    "selector_events.BaseSelectorEventLoop._make_self_pipe": SEEN,  # a pair of sockets: none here
    "selector_events.BaseSelectorEventLoop._close_self_pipe": SEEN,
    "selector_events.BaseSelectorEventLoop._process_events": SEEN,  # what is ready, to callbacks
    "selector_events.BaseSelectorEventLoop()._ready": SEEN,  # the callbacks of this turn: a deque
    "events.Handle._run": SEEN,  # one callback, its exception to call_exception_handler()
    "events._get_running_loop": SEEN,
    "events._set_running_loop": SEEN,
    "tasks._enter_task": SEEN,  # documented, for authors of tasks ("Extending asyncio")
    "tasks._leave_task": SEEN,
}


class VirtualTimeError(RuntimeError):
    """Virtual time cannot go on, or cannot do what was asked of it."""


class Ready(selectors.BaseSelector):
    """A selector that asks memory sockets instead of the system.

    Its work grows with what is ready, not with what exists.
    """

    def __init__(self, sockets: dict[int, Any]) -> None:
        self.sockets = sockets
        self.keys: dict[int, selectors.SelectorKey] = {}
        self.hot: dict[int, None] = {}  # may be ready: to be asked at the next turn

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self.sockets[fileobj].selector = self
        self.keys[fileobj] = key = selectors.SelectorKey(fileobj, fileobj, events, data)
        self.hot[fileobj] = None
        return key

    modify = register

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        self.hot.pop(fileobj, None)
        return self.keys.pop(fileobj)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self.keys[fileobj]

    def get_map(self) -> Any:
        return self.keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Refused: asyncio.run() would wait here, and no time would pass."""
        raise VirtualTimeError(
            "a virtual loop is run by its clock: await, instead of asyncio.run()"
        )

    def found(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        found = []
        for fd in list(self.hot):
            key = self.keys[fd]
            if mask := key.events & self.sockets[fd].poll():
                found.append((key, mask))
            else:
                del self.hot[fd]
        return found


class Time(Protocol):
    """The clock, as its loops know it."""

    now: float  # s
    running: bool
    count: itertools.count[int]

    def pass_without(self, loop: Any, seconds: float) -> None: ...


class VirtualLoop(BaseSelectorEventLoop):
    """asyncio's selector loop, under a clock that steps it (clock.py)."""

    _ready: deque[asyncio.Handle]
    _process_events: Callable[[Any], None]

    def __init__(self, clock: Time, sockets: dict[int, Any]) -> None:
        self.clock = clock
        self.ready = Ready(sockets)
        super().__init__(self.ready)
        self.shut = False
        self.generators: WeakSet[AsyncGenerator[Any, Any]] = WeakSet()  # begun in this loop
        self.timers: list[tuple[float, int, asyncio.TimerHandle]] = []  # a heap
        self.asleep = 0.0  # s for which its machine has slept, and its clock stood still
        self.frozen = 0  # while it is not 0, time passes and this loop does not run
        self.tell: Callable[..., None] = untold  # is called with what is done to this loop
        # is called with each connection made by host and port: its transport; None if refused
        self.dialled: Callable[[Any], None] = untold
        self.network: Any = None  # where connect() and serve() find dial(port) and listen(port)
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()  # all_tasks() has earlier runs', too

    def time(self) -> float:
        return self.clock.now - self.asleep

    def is_running(self) -> bool:
        return self.clock.running

    def create_task(self, coro: Any, **options: Any) -> Any:
        """As asyncio's; who still waits is asked of this loop's own tasks."""
        task = super().create_task(coro, **options)
        self.tasks.add(task)
        return task

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        """As asyncio's, without its debug mode: a run of milliseconds is mostly this."""
        if self.shut:
            raise RuntimeError("Event loop is closed")
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # nobody has to be woken up

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """As asyncio's; at exactly equal times it is first in, first out."""
        if self.shut:
            raise RuntimeError("Event loop is closed")
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self.timers, (when, next(self.clock.count), timer))
        return timer

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """As asyncio's; but VirtualTimeError ends the run if a callback could not be entered.

        Its task would wait for ever, and whoever waits for that task. So it keeps its place.
        """
        problem, handle = context.get("exception"), context.get("handle")
        if handle and isinstance(problem, RuntimeError) and _raised_at(problem) in ENTRANCES:
            self._ready.appendleft(handle)
            raise VirtualTimeError(f"{handle!r} cannot be entered: {problem}") from problem
        super().call_exception_handler(context)

    def close(self) -> None:
        super().close()
        self.shut = True
        self.timers.clear()

    def next_timer(self) -> float:
        """When the next timer is due (s on the clock); infinity if there is none."""
        timers = self.timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        return timers[0][0] + self.asleep if timers else float("inf")

    def turn(self) -> bool:
        """Run what is ready at this instant, if anything is.

        Model: asyncio.base_events.BaseEventLoop._run_once.
        """
        ready, timers = self._ready, self.timers
        if self.frozen:
            return False
        if self.ready.hot:
            self._process_events(self.ready.found())
        if timers:
            soon = self.clock.now - self.asleep + GRID
            while timers and timers[0][0] < soon:
                ready.append(heapq.heappop(timers)[2])
        if not ready:
            return False
        events._set_running_loop(self)
        sys.set_asyncgen_hooks(self.generators.add, self._finalize)  # the clock undoes it
        try:
            for _ in range(len(ready)):  # what they make ready has to wait for the next turn
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            events._set_running_loop(None)
        return True

    def _finalize(self, generator: AsyncGenerator[Any, Any]) -> None:
        """A generator was left half-way: its ``finally`` has to run."""
        if not self.shut:
            self.call_soon(self.create_task, generator.aclose())

    def block(self, seconds: float) -> None:
        """Take so long (s) without awaiting: for code that runs in this loop."""
        self.tell("blocked", seconds=seconds)
        self.clock.pass_without(self, seconds)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Refused where there is a wire with threads; in a browser see ``browser.beside``."""
        if not browser.HERE:
            raise VirtualTimeError(
                "virtual time has no threads, so nothing can run in an executor: "
                "run this on the loopback wire"
            )
        future = self.create_future()
        seconds, result, problem = browser.beside(lambda: func(*args))
        self.call_later(seconds, _settle, future, result, problem)
        return future

    async def create_connection(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, *, sock: Any = None, **options: Any
    ) -> Any:
        """As asyncio's; a host and a port are dialled on the wire: connect("ws://localhost:8765")."""
        if sock is not None or (host is None and port is None):
            return await super().create_connection(factory, host, port, sock=sock, **options)
        [(*_, address)] = await self.getaddrinfo(host, port)
        try:
            sock = self._on_the_wire().dial(address[1])
        except ConnectionRefusedError:
            self.dialled(None)
            await asyncio.sleep(0)  # who dials again at once, for ever, is noticed (clock.TURNS)
            raise
        if options.get("ssl"):
            options.setdefault("server_hostname", host)
        transport, protocol = await super().create_connection(factory, sock=sock, **options)
        self.dialled(transport)
        return transport, protocol

    async def create_server(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, *, sock: Any = None, **options: Any
    ) -> Any:
        """As asyncio's; a host and a port are listened at on the wire."""
        if sock is None and (host is not None or port is not None):
            [(*_, address)] = await self.getaddrinfo(host, port)
            sock = self._on_the_wire().listen(address[1])
            host = port = None
        return await super().create_server(factory, host, port, sock=sock, **options)

    def _on_the_wire(self) -> Any:
        if self.network is None:
            raise VirtualTimeError(
                "this virtual loop is on no wire: give connect() and serve() a socket, sock=…"
            )
        return self.network

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        if host not in ("localhost", "127.0.0.1", None):
            known = "no host but localhost (127.0.0.1)"
            raise socket.gaierror(f"virtual time knows {known}, asked for {host!r}")
        tcp = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, ""
        return [(*tcp, ("127.0.0.1", port or 0))]

    def _make_self_pipe(self) -> None:  # nobody has to be woken up
        pass

    def _close_self_pipe(self) -> None:
        pass


def _settle(future: asyncio.Future[Any], result: Any, problem: Exception | None) -> None:
    """Give a future what came of a call; it may be cancelled by then."""
    if not future.done():
        future.set_exception(problem) if problem else future.set_result(result)


def _raised_at(problem: BaseException) -> str:
    """The module whose code raised an exception."""
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals["__name__"]) if trace else ""
