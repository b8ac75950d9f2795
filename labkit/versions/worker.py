"""A worker process, seen from here: experiments go in, traces come out, one line of JSON each.

The other side is labkit/versions/child.py. A worker ends when its standard input does, so it does
not outlive whoever started it; one that takes longer than its experiment can take, or than BRIEFLY
to end after an interrupt, is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ..engine.progress import Living
from ..engine.session import open_run
from ..trace import Trace
from ..values.experiment import Experiment
from ..wires import Unavailable, browser

PATIENCE = 60.0  # s of real time that a worker may take besides the time of its run
PATIENTLY, BRIEFLY = 5.0, 2.0  # s in which a worker ends by itself
# labkit alone, from where it is: what else lies beside it is for another Python
START = """
import sys, importlib.util
home = sys.argv[1]
spec = importlib.util.spec_from_file_location(
    "labkit", home + "/__init__.py", submodule_search_locations=[home]
)
sys.modules["labkit"] = labkit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(labkit)
from labkit.versions.child import main
main(sys.argv[2])
"""


class Place(NamedTuple):
    """Where a vintage is on this machine."""

    python: str  # the interpreter
    folder: Path  # to import websockets from; "." if the interpreter has it by itself
    implementation: str
    label: str


class WorkerError(RuntimeError):
    """A worker process has failed; says what it said last."""


class Worker:
    """A process of one vintage; use it in a ``with`` statement, for as many runs as you like.

    All of them are on the kernel wire, or none is.
    """

    def __init__(self, place: Place, wire: str = "") -> None:
        self.place = place
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        if place.folder != Path("."):
            env["PYTHONPATH"] = str(place.folder)
        labkit = Path(__file__).resolve().parent.parent
        self.process = subprocess.Popen(
            [place.python, "-W", "ignore", "-c", START, str(labkit), wire],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
            env=env,
            cwd=tempfile.gettempdir(),
            start_new_session=True,  # an interrupt is for us, not for it
        )

    def __enter__(self) -> Worker:
        return self

    def run(
        self,
        experiment: Experiment,
        wire: str,
        *,
        guess: float | None = None,
        progress: bool = True,
        pcap: str | None = None,
    ) -> Trace:
        """Run one experiment; the kernel wire writes its packets to the file ``pcap``.

        ValueError if it is refused over there, Unavailable if the wire cannot be had on this
        system, WorkerError if the worker fails.
        """
        request: dict[str, Any] = {
            "experiment": experiment.to_data(),
            "wire": wire,
            "implementation": self.place.implementation,
        }
        if experiment.tls:
            from ..engine.tls import identity

            request["identity"] = identity()
        if pcap is not None:
            request["pcap"] = os.path.abspath(pcap)
        allowed = PATIENCE
        if wire != "virtual" and experiment.limit is not None:
            allowed += experiment.limit
        timer = threading.Timer(allowed, self.process.kill)
        timer.daemon = True
        timer.start()
        try:
            return self._ask(request, Reported(experiment), guess, progress)
        except BaseException:
            self._end(BRIEFLY)
            raise
        finally:
            timer.cancel()

    def _ask(
        self, request: dict[str, Any], reported: Reported, guess: float | None, progress: bool
    ) -> Trace:
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except OSError:
            raise self._failure() from None
        with Living(reported, guess if progress else None, shown=progress) as living:
            reply = self._reply()
            while "now" in reply:
                reported.seen = reply
                living.tick()
                reply = self._reply()
            if "refused" in reply:
                raise ValueError(reply["refused"])
            if "unavailable" in reply:
                raise Unavailable(reply["unavailable"])
            if "failed" in reply:
                raise WorkerError(f"{self.place.label} failed: {reply['failed']}")
            trace = self._trace(reply["lines"])
            reported.ended = trace.header["ended"]
            return trace

    def _trace(self, count: int) -> Trace:
        assert self.process.stdout
        lines = islice(self.process.stdout, count)
        trace = Trace.from_lines(lines, f"the trace of {self.place.label}")
        trace.header["vintage"] = self.place.label
        return trace

    def _reply(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise self._failure()
        return dict(json.loads(line))

    def _failure(self) -> WorkerError:
        self.process.wait(timeout=10)
        self.errors.seek(0)
        last = self.errors.read().strip()[-500:]
        nothing = "it said nothing; perhaps it took too long, and was killed"
        return WorkerError(f"the worker of {self.place.label} has ended: {last or nothing}")

    def hang_up(self) -> None:
        """End its input, and so its run; from any thread."""
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _end(self, patience: float) -> None:
        """End it by ending its input, as it leaves nothing behind then; kill what does not end."""
        try:
            self.hang_up()
            self.process.wait(patience)
        except BaseException as problem:  # it takes too long, or this is interrupted, too
            self.process.kill()
            self.process.wait()
            if not isinstance(problem, subprocess.TimeoutExpired):
                raise

    def __exit__(self, kind: Any, *exc: object) -> None:
        """End it: soon after an exception or an interrupt."""
        assert self.process.stdout
        try:
            self._end(PATIENTLY if kind is None else BRIEFLY)
        finally:
            self.process.stdout.close()
            self.errors.close()


class InPlace:
    """What a worker is where there are no processes: runs of this very vintage, here."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def __enter__(self) -> InPlace:
        return self

    def run(self, experiment: Experiment, wire: str, **_: Any) -> Trace:
        """Run one experiment."""
        session = open_run(experiment, wire)
        with session:
            session.wait()
        session.trace.header["vintage"] = self.place.label
        return session.trace

    def hang_up(self) -> None:
        """There is nothing to end."""

    def __exit__(self, *exc: object) -> None:
        self.hang_up()


def hire(place: Place, wire: str = "") -> Worker | InPlace:
    """A worker for that place, to be used in a ``with`` statement."""
    return InPlace(place) if browser.HERE else Worker(place, wire)


class Reported:
    """What a worker has reported of its session, for the living sentence."""

    def __init__(self, experiment: Experiment) -> None:
        self.acts = experiment.faults
        self.seen: dict[str, Any] = {"now": 0.0}
        self.ended = ""

    @property
    def now(self) -> float:
        """Seconds since the server was OPEN."""
        return float(self.seen["now"])

    def state(self, end: str) -> str:
        """The state of an end, as last reported."""
        return str(self.seen.get(end, "CONNECTING"))
