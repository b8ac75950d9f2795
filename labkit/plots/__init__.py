"""Figures: each turns a trace (or a sweep) into marks, runs nothing, and says itself in words.

    timeline(trace, theory, guess=13)     states over time, beside theory and a guess
    setup(fly)                            the same lanes before the run, then "?"
    ladder(trace, since=4.9)              what crosses the wire, time downwards: PING →, ← PONG
    reservoirs(trace, at=8)               where the bytes are that send() has taken
    blocked(trace)                        in which await each task is, behind which bytes
    lag(trace)                            loops that block, pings that wait: who is blamed
    lineup(traces)                        one experiment on many vintages, a lane each
    matrix(cells)                         which vintage ends how in which situation
    distribution(phases, band=(3, 7))     how many runs of a sweep gave what, beside theory
    landscape(sweep, one, two, budget=8)  two parameters, a colour, a contour
    tradeoff(sweep, parameter)            delay, traffic and false alarms, the knee marked
    reconnects({"library": seen})         who dials when, after the server was gone
    tcp(trace)                            WebSocket, the kernel's TCP, its tries, the bytes
    save(figure, "fly.svg")               .svg, .png or .pdf, with the alt text
    timeline(trace).play(Ask(14, "…?"))   a handle moves "now", and it stops to ask

A figure (figure.py) is a list of marks (marks.py, bars.py) on axes (axis.py). layout.py places them
in a view (view.py) and finds room for their words (labels.py); svg.py and axes.py draw them. What
colours, fills and signs mean stands in palette.py.

Timeline and ladder read one story: who, when and what waited (reading.py, states.py, timers.py),
what crossed (wire.py), and what happened below WebSocket (below.py). Each has its own layout.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .attempts import reconnects
from .awaiting import blocked
from .distributions import distribution
from .figure import Figure
from .grids import matrix
from .kernels import tcp
from .ladders import ladder
from .lags import lag
from .landscapes import landscape
from .lineups import lineup
from .play import Ask
from .tanks import reservoirs
from .timelines import setup, timeline
from .tradeoffs import tradeoff

__all__ = [
    "Ask", "Figure", "alt_text", "blocked", "distribution", "ladder", "lag", "landscape", "lineup",
    "matrix", "reconnects", "reservoirs", "save", "setup", "tcp", "timeline",
    "tradeoff",
]  # fmt: skip


def alt_text(*args: Any, **more: Any) -> str:
    """The timeline of a trace in words; the arguments are timeline's."""
    return str(timeline(*args, **more).alt)


def save(drawn: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure by its suffix, all of it or nothing, the alt text within; returns the path.

    What was drawn on an Axes of your own is saved as that is: ``ax.figure.savefig(path)``.
    """
    return drawn.save(path)
