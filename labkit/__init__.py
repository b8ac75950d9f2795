"""labkit: how WebSocket connections stay alive, die and say goodbye, by experiment.

An ``Experiment`` is ``run`` on a wire and leaves a ``Trace``, which plots draw beside what theory ``predict``s:

    from labkit import Cut, Experiment, Peer, plots, predict, run

    fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
    trace = run(fly, wire="virtual")
    trace.noticed_at("server"), trace.closed_at("server"), trace.told_at("server")  # 15.0, 17.0, 17.0
    plots.timeline(trace, predict(fly))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import doctor, exercises, patterns, plots
    from .bench import explore, live
    from .blocking import block
    from .experiment import Experiment, Peer
    from .faults import Cut, Delay, Freeze, Goodbye, HangUp, Idle, Limit, Reset, Send, Slice, SlowClose, StopReading, Throttle, Tunnel
    from .fleets import fleet
    from .plans import Plan, Timers, plan
    from .recordings import recorded
    from .restart import Restart, crowd
    from .session import open_run, run
    from .sweeps import sweep
    from .theory import Prediction, compare, covers, predict
    from .trace import Event, Frame, Raised, Trace
    from .vintages import Hole, Vintage, run_each
    from .whereabouts import where

HOME = {  # where each name lives; a room is entered only when somebody asks for what is in it
    "experiment": ["Experiment", "Peer"],
    "blocking": ["block"],
    "faults": [
        "Cut", "Delay", "Freeze", "Goodbye", "HangUp", "Idle", "Limit", "Reset", "Send", "Slice", "SlowClose", "StopReading", "Throttle",
        "Tunnel",
    ],
    "session": ["run", "open_run"],
    "theory": ["predict", "compare", "covers", "Prediction"],
    "trace": ["Trace", "Event", "Frame", "Raised"],
    "recordings": ["recorded"],
    "vintages": ["Vintage", "Hole", "run_each"],
    "plots": ["plots"],
    "sweeps": ["sweep"],
    "doctor": ["doctor"],
    "whereabouts": ["where"],
    "restart": ["crowd", "Restart"],
    "patterns": ["patterns"],
    "fleets": ["fleet"],
    "plans": ["plan", "Plan", "Timers"],
    "exercises": ["exercises"],
    "bench": ["explore", "live"],
}  # fmt: skip
ROOMS = {name: room for room, names in HOME.items() for name in names}
__all__ = [
    "Cut", "Delay", "Event", "Experiment", "Frame", "Freeze", "Goodbye", "HangUp", "Hole", "Idle", "Limit", "Peer", "Plan",
    "Prediction", "Raised", "Reset", "Restart", "Send", "Slice", "SlowClose", "StopReading", "Throttle", "Timers", "Trace", "Tunnel",
    "Vintage",
    "block", "compare", "covers", "crowd", "doctor", "exercises", "explore", "fleet", "live", "open_run", "patterns", "plan", "plots",
    "predict", "recorded", "run", "run_each", "sweep", "where",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in ROOMS:
        raise AttributeError(f"labkit has no {name!r}; it has {', '.join(__all__)}")
    room = import_module(f".{ROOMS[name]}", __name__)
    return room if name == ROOMS[name] else getattr(room, name)


def __dir__() -> list[str]:
    return __all__
