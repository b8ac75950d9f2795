"""Fresh Python processes as a concurrent.futures Executor that survives the death of a worker.

    with Processes(2) as executor:
        executor.submit(each, function, items)     # a batch: [function(item) for item in items], somewhere else

Each worker is an interpreter of its own, started anew (nothing is forked), that takes pickled jobs on its standard input and answers
item by item. So, when one dies, what it had answered is kept: only the item in its hands is lost, and repeated by a fresh
worker; one that kills a second worker is given up, as a :class:`Died`. It knows nothing of experiments.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

TRIES = 2  # of an item whose worker dies
SIZE = 8  # bytes that say how long a job is
START = "from labkit.many.pool import work; work()"
WARM = (
    "labkit.many.sweeps",
    "labkit.engine.session",
    "labkit.wires.virtual",
)  # what a worker imports while it waits for its first job


class Died(RuntimeError):
    """A worker has died twice of the same item."""


def each(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """A batch: what a function gives for each item. The unit of work for any executor, since a single run is too short for most."""
    return [function(item) for item in items]


@dataclass
class Job:
    """A batch, and the answers so far."""

    future: Future[Any]
    function: Callable[[Any], Any]
    items: list[Any]
    single: bool  # not a batch: its one answer is the result
    answers: list[Any] = field(default_factory=list)
    deaths: int = 0  # of the item that comes next


class Processes(Executor):
    """``count`` fresh processes; started when there is something to do."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or os.cpu_count() or 1
        self.jobs: deque[Job] = deque()
        self.wake = threading.Condition()
        self.closed = False
        self.killed = False
        self.workers: set[subprocess.Popen[bytes]] = set()
        self.threads: list[threading.Thread] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in a worker; with :func:`each`, item by item."""
        batch = fn is each
        function, items = (args[0], list(args[1])) if batch else (_Call(fn, kwargs), [args])
        job = Job(Future(), function, items, not batch)
        with self.wake:
            if self.closed:
                raise RuntimeError("these processes have been shut down: they take no more jobs")
            self.jobs.append(job)
            if len(self.threads) < self.count:
                thread = threading.Thread(
                    target=self._serve, name=f"labkit worker {len(self.threads)}", daemon=True
                )
                self.threads.append(thread)
                thread.start()
            self.wake.notify()
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs; with ``cancel_futures``, end the workers at once, whatever they are doing."""
        with self.wake:
            self.closed = True
            if cancel_futures:
                self.killed = True
                while self.jobs:
                    self.jobs.popleft().future.cancel()
                for worker in list(self.workers):
                    worker.kill()
            self.wake.notify_all()
        if wait:
            for thread in self.threads:
                thread.join()

    def __exit__(self, kind: Any, *exc: object) -> None:
        """Wait for what has been asked for; after an exception or an interrupt, for nothing."""
        self.shutdown(cancel_futures=kind is not None)

    # one thread a worker

    def _serve(self) -> None:
        worker = self._start()
        try:
            while (job := self._next()) is not None:
                if job.future.set_running_or_notify_cancel():
                    worker = self._carry(job, worker)
        finally:
            _end(worker)
            self.workers.discard(worker)

    def _next(self) -> Job | None:
        with self.wake:
            while not self.jobs:
                if self.closed:
                    return None
                self.wake.wait()
            return self.jobs.popleft()

    def _carry(self, job: Job, worker: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """See a job through, with as many workers as that takes; returns the last one."""
        try:
            while len(job.answers) < len(job.items):
                if self._ask(job, worker):
                    continue
                _end(worker)
                self.workers.discard(worker)
                if self.killed:
                    job.future.cancel()
                    raise Died("these processes have been shut down")
                worker = self._start()
                job.deaths += 1
                if job.deaths == TRIES:
                    job.answers.append(
                        Died(f"a worker has died {TRIES} times of {job.items[len(job.answers)]!r}")
                    )
                    job.deaths = 0
        except Exception as problem:
            job.future.set_exception(problem)
            return worker
        if job.single and isinstance(job.answers[0], Died):
            job.future.set_exception(job.answers[0])
        else:
            job.future.set_result(job.answers[0] if job.single else job.answers)
        return worker

    def _ask(self, job: Job, worker: subprocess.Popen[bytes]) -> bool:
        """Have a worker do what is left of a job; False if it died over it. An exception in a job ends the job."""
        assert worker.stdin and worker.stdout
        try:
            data = pickle.dumps((job.function, job.items[len(job.answers) :]))
            worker.stdin.write(len(data).to_bytes(SIZE, "big") + data)
            worker.stdin.flush()
            while len(job.answers) < len(job.items):
                well, answer = pickle.load(worker.stdout)
                if not well:
                    raise answer
                job.answers.append(answer)
                job.deaths = 0
        except (EOFError, BrokenPipeError, ConnectionResetError, pickle.UnpicklingError):
            if worker.poll() is None and not _ended(worker):
                raise
            return False
        return True

    def _start(self) -> subprocess.Popen[bytes]:
        known = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        }
        # a session of its own: Ctrl-C in a terminal is meant for the parent, who then ends its workers
        worker = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=known,
            start_new_session=True,
        )
        with self.wake:
            self.workers.add(worker)
            if self.killed:
                worker.kill()
        return worker


@dataclass(frozen=True)
class _Call:
    """A function as a function of one item, its arguments."""

    fn: Callable[..., Any]
    kwargs: dict[str, Any]

    def __call__(self, args: tuple[Any, ...]) -> Any:
        return self.fn(*args, **self.kwargs)


def _ended(worker: subprocess.Popen[bytes]) -> bool:
    """Whether a worker that says no more has ended, or is about to."""
    try:
        worker.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(worker: subprocess.Popen[bytes]) -> None:
    """A worker without jobs leaves by itself, when its input ends."""
    for pipe in (worker.stdin, worker.stdout):
        if pipe:
            try:
                pipe.close()
            except OSError:
                pass  # what was not flushed had nobody to go to
    if not _ended(worker):
        worker.kill()
        worker.wait()


def work() -> None:
    """Be a worker: take jobs and answer item by item, until the input ends; then end at once.

    So even a busy worker never outlives who has started it, not even one that was killed.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a job prints shall not get among the answers
    for module in WARM:
        __import__(module)
    gc.freeze()
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    while True:
        try:
            function, items = pickle.loads(asked.get())
        except (
            Exception
        ) as problem:  # such as a function out of a notebook's cell, which lives nowhere else
            _answer(answers, False, problem)
            continue
        for item in items:
            try:
                well, answer = True, function(item)
            except Exception as problem:
                well, answer = False, problem
            _answer(answers, well, answer)
            if not well:
                break


def _listen(asked: queue.SimpleQueue[bytes]) -> None:
    """Put each job that comes in into a queue; the end of the input is the end of this process."""
    try:
        while size := sys.stdin.buffer.read(SIZE):
            asked.put(sys.stdin.buffer.read(int.from_bytes(size, "big")))
    finally:
        os._exit(0)


def _answer(file: Any, well: bool, answer: Any) -> None:
    try:
        data = pickle.dumps((well, answer))
    except Exception as problem:
        data = pickle.dumps((False, RuntimeError(f"{answer!r} cannot be sent back: {problem}")))
    file.write(data)
    file.flush()
