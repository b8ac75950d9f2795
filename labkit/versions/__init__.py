"""Experiments in another version or implementation of websockets, or on another Python.

    run(fly, wire="virtual", vintage=Vintage("14.1"))
    run_each(fly, [Vintage("14.1"), Vintage(implementation="trio")], wire="loopback")

A *vintage* is run in a worker process (worker.py here, child.py there): an experiment goes in as
JSON, a trace comes back as JSON Lines; nothing else is shared. Old versions come from a shelf that
``python -m labkit vintages fetch`` fills once (shelf.py), other Pythons are those of this machine
(pythons.py). What cannot be had – no such version on the shelf, no such Python, no keepalive in
that implementation – is a Hole: an answer in words. All of them together are the matrix
(matrix_cells.py, matrix.py).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..ends.capabilities import IMPLEMENTATIONS, lack, no_keepalive, number
from ..engine.progress import Bar
from ..trace import Trace
from ..values import fields
from ..values.experiment import Experiment, Peer
from ..wires import Unavailable, browser
from . import pythons, shelf
from .worker import InPlace, Place, Worker, hire

BRIEF = Experiment(server=Peer(close_at=0), until=5)  # opened and closed: does it work?
TOGETHER = 4  # workers that wait at the same time


@dataclass(frozen=True)
class Vintage:
    """A version of websockets, one of its implementations, and a Python; None: those run here."""

    version: str | None = None  # such as "14.1"; None: the installed one
    implementation: str = "asyncio"  # asyncio, legacy, threading or trio
    python: str | None = None  # such as "3.10"; None: this Python

    def __post_init__(self) -> None:
        if self.version is not None:
            number(self.version)
        fields.one_of(self, "implementation", IMPLEMENTATIONS)
        if self.python is not None:
            pythons.number(self.python)

    @property
    def label(self) -> str:
        """How figures call it: "websockets 14.1 asyncio, Python 3.11"."""
        version = self.version or shelf.installed()
        python = ".".join((self.python or pythons.here()).split(".")[:2])
        return f"websockets {version} {self.implementation}, Python {python}"

    def find(self) -> Place:
        """Where it is on this machine; raises Hole if it is nowhere."""
        version = self.version or shelf.installed()
        if browser.HERE:
            if self not in (Vintage(), Vintage(version=shelf.installed())):
                raise Hole(self, browser.NO_PROCESSES)
            return Place(sys.executable, Path("."), self.implementation, self.label)
        python = pythons.find(self.python)
        if python is None:
            raise Hole(self, f"no Python {self.python} here: looked at {pythons.PLACES}")
        if why := lack(self.implementation, version, pythons.number(python.version)):
            raise Hole(self, why)
        folder = shelf.find(version, python.path)
        if folder is None:
            raise Hole(
                self,
                f"websockets {version} is not here: python -m labkit vintages fetch {version} "
                "(or see data/matrix.jsonl)",
            )
        if self.implementation == "trio" and not pythons.imports(python.path, "trio"):
            raise Hole(
                self,
                f"the trio implementation needs trio, which Python {python.version} has not: "
                "pip install trio",
            )
        return Place(python.path, folder, self.implementation, self.label)


class Hole(ValueError):
    """There is no such vintage here, or it cannot do the experiment: ``why``, in a sentence."""

    def __init__(self, vintage: Vintage, why: str) -> None:
        super().__init__(f"{vintage.label}: {why}")
        self.vintage, self.label, self.why = vintage, vintage.label, why

    def _render_traceback_(self) -> list[str]:
        return [f"Hole: {self}"]  # in a notebook: the words, and no traceback


def run_in(
    vintage: Vintage,
    experiment: Experiment,
    wire: str = "loopback",
    *,
    guess: float | None = None,
    progress: bool = True,
    pcap: str | None = None,
) -> Trace:
    """Run an experiment in a worker process of that vintage; raises Hole if that cannot be."""
    if browser.HERE and wire == "kernel":
        raise Hole(vintage, no_kernel(Unavailable(browser.NO_PROCESSES)))
    place = vintage.find()
    check(vintage, experiment)
    try:
        with hire(place, wire) as worker:
            return worker.run(experiment, wire, guess=guess, progress=progress, pcap=pcap)
    except Unavailable as problem:
        raise Hole(vintage, no_kernel(problem)) from None


def no_kernel(problem: Unavailable) -> str:
    """Why the kernel wire cannot be had, and what stands in for it."""
    return (
        f"the kernel wire does not work here: {problem}; recorded('kernel-healed-at-14') and "
        "recorded('kernel-orphan') are traces of it, and wire='virtual' has a model of TCP"
    )


def why_no_kernel() -> str | None:
    """Why the kernel wire does not work here, in a sentence; None if it does."""
    try:
        run_in(Vintage(), BRIEF, "kernel", progress=False)
    except Hole as hole:
        return hole.why
    return None


def run_each(
    experiment: Experiment,
    vintages: Iterable[Vintage],
    wire: str = "loopback",
    *,
    progress: bool = True,
) -> list[Trace | Hole]:
    """Run one experiment in many vintages; a vintage that cannot be had is a Hole in the list.

    Virtual runs keep a processor busy and take turns; runs in real time mostly wait, and a few of
    them do so together.
    """
    workers: list[Worker | InPlace] = []

    def alone(vintage: Vintage) -> Trace | Hole:
        try:
            place = vintage.find()
            check(vintage, experiment)
        except Hole as hole:
            return hole
        try:
            with hire(place, wire) as worker:
                workers.append(worker)
                if interrupted.is_set():  # after the others were told
                    worker.hang_up()
                return worker.run(experiment, wire, progress=False)
        except Unavailable as problem:
            return Hole(vintage, no_kernel(problem))

    interrupted = threading.Event()
    chosen, results = list(vintages), list[Trace | Hole]()
    with (
        browser.threads(1 if wire == "virtual" else TOGETHER) as pool,
        Bar(len(chosen), progress, "vintages") as bar,
    ):
        try:
            for result in pool.map(alone, chosen):
                results.append(result)
                bar.advance()
            return results
        except BaseException:
            interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in list(workers):
                worker.hang_up()
            raise


def check(vintage: Vintage, experiment: Experiment) -> None:
    """Raise Hole if this vintage cannot do what the experiment asks for."""
    if experiment.tls and browser.HERE:
        raise Hole(vintage, browser.NO_TLS)
    if experiment.server.keepalive or experiment.client.keepalive:
        if why := no_keepalive(vintage.implementation, vintage.version or shelf.installed()):
            raise Hole(vintage, why)
