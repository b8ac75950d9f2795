"""Figures: each turns a trace (or a sweep) into marks, runs nothing, and says itself in words.

    plots.timeline(trace, predict(fly), guess=13)     states over time, beside theory and a guess
    plots.ladder(trace, since=4.9)                    what crosses the wire, time downwards: PING →, ← PONG
    plots.distribution(phases, band=(3, 7))           how many runs of a sweep gave what, beside theory and a guess
    plots.reconnects({"library": seen}, bound=25)     who dials when, after the server was gone
    plots.landscape(sweep, "server.ping_interval", "server.ping_timeout", budget=8)     two parameters, a colour, a contour
    plots.tradeoff(sweep, "server.ping_interval")     delay, traffic and false alarms, the knee marked
    plots.reservoirs(trace, at=8)                     where the bytes are that send() has taken: buffer, wire, queue
    plots.lineup(traces)                              one experiment on many vintages, a lane each
    plots.matrix(cells)                               which vintage ends how in which situation
    plots.blocked(trace)                              which await each task is in, behind which bytes, and what did not happen
    plots.lag(trace)                                  loops that block, pings that wait: who is blamed, and who did it
    plots.setup(fly)                                  the same lanes before the run, then "?"
    plots.save(figure, "fly.svg")                     .svg, .png or .pdf, with the alt text

A figure (figure.py) is a list of marks (marks.py) on axes (axis.py); layout.py places them and finds room for their words
(labels.py); svg.py and axes.py draw them. What colours, fills and signs mean stands in palette.py.
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
from .ladders import ladder
from .lags import lag
from .landscapes import landscape
from .lineups import lineup
from .tanks import reservoirs
from .timelines import setup, timeline
from .tradeoffs import tradeoff

__all__ = [
    "Figure", "alt_text", "blocked", "distribution", "ladder", "lag", "landscape", "lineup", "matrix", "reconnects", "reservoirs",
    "save", "setup", "timeline", "tradeoff",
]  # fmt: skip


def alt_text(*args: Any, **more: Any) -> str:
    """The timeline of a trace in words; the arguments are timeline's."""
    return str(timeline(*args, **more).alt)


def save(drawn: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure by its suffix, all of it or nothing, the alt text within; returns the path.

    What was drawn on an Axes of your own is saved as that is: ``ax.figure.savefig(path)``.
    """
    return drawn.save(path)
