"""labkit: how WebSocket connections stay alive, die and say goodbye, by experiment.

An ``Experiment`` is ``run`` on a wire and leaves a ``Trace``, which plots draw beside what theory
``predict``s:

    from labkit import Cut, Experiment, Peer, plots, predict, run

    server = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
    fly = Experiment(server=server, faults=[Cut(at=9)])
    trace = run(fly, wire="virtual")
    trace.noticed_at("server"), trace.told_at("server")  # 15.0, 17.0: after 6 s, after 8 s
    plots.timeline(trace, predict(fly))

The house, in the order in which it is read:

    values/         what is set up, and what happens to it: Experiment, Peer, Cut and the other acts
    wires/          what carries bytes and can be hurt: pipes, a clock, three wires
    ends/           the application at each end, and how asyncio, threads and trio carry it
    engine/         what runs an experiment and watches it: session, recorder, tap
    trace/          what was seen, and why
    theory/         what ought to happen, from parameters alone
    versions/       other versions and implementations of websockets, each in a worker process
    running.py      run: an experiment, waited for
    many/           sweep, fleet, crowd, plan: many runs, many clients
    plots/          the figures
    widgets/        explore and live: knobs and buttons in a notebook; the page itself as the client
    doctor/         somebody's own log, explained
    yours/          your own numbers, in words; a wire before your own program; where it is blocked;
                    asyncio.run() in a cell, as in the documentation
    patterns/       a client and a server to copy, which survive what the lab shows
    classroom/      for teachers: a class votes, hands in and is graded
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .theory import Prediction, compare, covers, predict
from .trace import Event, Frame, Raised, Trace
from .trace.recordings import recorded
from .values.experiment import Experiment, Peer
from .values.faults import (
    Cut,
    Delay,
    Freeze,
    Goodbye,
    HangUp,
    Idle,
    Leave,
    Limit,
    Reset,
    Send,
    Slice,
    SlowClose,
    StopReading,
    Suspend,
    Throttle,
    Tunnel,
)  # fmt: skip
from .values.tcp import Tcp

__all__ = [  # what is quick to import is imported
    "Cut", "Delay", "Event", "Experiment", "Frame", "Freeze", "Goodbye", "HangUp", "Idle", "Leave",
    "Limit", "Peer", "Prediction", "Raised", "Reset", "Send", "Slice", "SlowClose", "StopReading",
    "Suspend", "Tcp", "Throttle", "Trace", "Tunnel", "compare", "covers", "predict", "recorded",
]  # fmt: skip
LATER = {  # what takes longer to import is imported when it is asked for
    "block": "ends.blocking", "run": "running", "open_run": "engine.session",
    "story": "yours.numbers",
    "sweep": "many.sweeps", "fleet": "many.fleets",
    "crowd": "many.crowds", "Restart": "many.restarts",
    "plan": "many.plans", "Plan": "many.plans", "Timers": "many.timers",
    "run_with_page": "widgets.page_client",
    "Vintage": "versions", "Hole": "versions", "run_each": "versions",
    "explore": "widgets", "live": "widgets", "where": "yours.whereabouts",
    "doctor": "", "patterns": "", "plots": "",  # modules themselves
}  # fmt: skip
__all__ += LATER


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"labkit has no {name!r}; it has {', '.join(__all__)}")
    if not LATER[name]:
        return import_module(f".{name}", __name__)
    return getattr(import_module(f".{LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
