"""My numbers: ``story(20, 20, 10, cut=63)`` says what happens with them, why, and how to go on.

It runs the experiment in virtual time. The words are those of trace/why.py, and theory has its say
where it knows; nothing is narrated here.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

from ..running import run
from ..theory import compare
from ..trace import Trace
from ..trace.why import why
from ..values.experiment import TIMERS, Experiment, Peer
from ..values.faults import ENDS, OTHER, Act, Cut
from ..values.tcp import Tcp

WIDTH = 100  # columns
CODE = """\
from labkit import Cut, Experiment, Peer, plots, predict, run

mine = {experiment}
trace = run(mine, "virtual")  # or "loopback": real TCP, in real time
plots.timeline(trace, predict(mine))"""


@dataclass(frozen=True, repr=False)
class Told:
    """What happens with somebody's numbers, in words; its ``trace`` and ``experiment`` go on."""

    trace: Trace

    @property
    def experiment(self) -> Experiment:
        """The experiment that was run."""
        return self.trace.experiment

    @property
    def code(self) -> str:
        """The experiment as code to paste; run by exec, it leaves ``mine``, equal to this one."""
        return CODE.format(experiment=_spelled(self.experiment))

    def __str__(self) -> str:
        words = textwrap.fill(why(self.trace), WIDTH)
        code = textwrap.indent(self.code, "    ")
        return f"{words}\n\n{_theory(self.trace)}\n\nTo go on with it:\n\n{code}"

    __repr__ = __str__


def story(
    ping_interval: float | None = 20,
    ping_timeout: float | None = 20,
    close_timeout: float | None = 10,
    *,
    cut: float | None = None,
    heal: float | None = None,
    latency: float = 0.0,
    end: str = "server",
) -> Told:
    """Say what happens to a connection with these timers (s; None: off), and why.

    The timers are those of ``end``, "server" or "client"; the other end sends no pings. The cable
    is cut at ``cut`` and mended at ``heal``, in s after the server was OPEN (None: never), and
    everything takes ``latency`` (s) one way. Without a ping_interval or ping_timeout a cut is
    watched for longer than TCP takes to give up. Raises ValueError or TypeError for numbers that
    no experiment can have.
    """
    if end not in ENDS:
        raise ValueError(f"end is {end!r}: expected 'server' or 'client', whose timers these are")
    if heal is not None and cut is None:
        raise ValueError(f"heal is {heal!r}, and nothing is cut: expected cut=…, an earlier time")
    faults: list[Act] = [] if cut is None else [Cut(at=cut, heal=heal)]
    peers = {end: Peer(ping_interval, ping_timeout, close_timeout)}
    peers[OTHER[end]] = Peer(ping_interval=None)
    experiment = Experiment(peers["server"], peers["client"], faults, latency)
    if faults and None in (ping_interval, ping_timeout):
        # a ping may be sent an interval after the cut, and TCP counts from there
        longest = Tcp().retries_at(2 * latency).gives_up + (ping_interval or 0)
        experiment = experiment.but(until=math.ceil(experiment.last_act + longest) + 1)
    return Told(run(experiment, "virtual", progress=False))


def _theory(trace: Trace) -> str:
    """Whether theory says the same of the same numbers."""
    compared = compare(trace)
    if compared.worst <= trace.slack:
        return "Theory, from the numbers alone, says the same."
    return f"Beside theory:\n{compared}"


def _spelled(experiment: Experiment) -> str:
    """The experiment as an expression, each timer of whoever pings written out."""
    parts = [f"{end}={_peer(experiment.peer(end))}" for end in ENDS]
    if experiment.faults:
        parts.append(f"faults={list(experiment.faults)!r}")
    if experiment.latency:
        parts.append(f"latency={experiment.latency!r}")
    if experiment.until is not None:
        parts.append(f"until={experiment.until!r}")
    return "Experiment(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _peer(peer: Peer) -> str:
    if peer == Peer(ping_interval=None):
        return repr(peer)
    return f"Peer({', '.join(f'{name}={getattr(peer, name)!r}' for name in TIMERS)})"
