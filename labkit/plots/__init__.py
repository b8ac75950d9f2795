"""Figures: each takes a trace and returns its Axes, runs nothing, and says itself in words.

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
    plots.save(ax, "fly.svg")                         .png or .svg, with the alt text

What colours, fills and marks mean stands in palette.py.
"""

from .blocked import blocked
from .distribution import distribution
from .ladder import ladder
from .lag import lag
from .landscape import landscape
from .lineup import lineup
from .matrix import matrix
from .picture import save
from .reconnects import reconnects
from .reservoirs import reservoirs
from .timeline import alt_text, setup, timeline
from .tradeoff import tradeoff

__all__ = [
    "alt_text", "blocked", "distribution", "ladder", "lag", "landscape", "lineup", "matrix", "reconnects", "reservoirs", "save",
    "setup", "timeline", "tradeoff",
]  # fmt: skip
