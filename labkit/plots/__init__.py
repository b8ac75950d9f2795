"""Figures: each takes a trace and returns its Axes, runs nothing, and says itself in words.

    plots.timeline(trace, predict(fly), guess=13)     states over time, beside theory and a guess
    plots.ladder(trace, since=4.9)                    what crosses the wire, time downwards: PING →, ← PONG
    plots.distribution(phases, band=(3, 7))           how many runs of a sweep gave what, beside theory and a guess
    plots.landscape(sweep, "server.ping_interval", "server.ping_timeout", budget=8)     two parameters, a colour, a contour
    plots.tradeoff(sweep, "server.ping_interval")     delay, traffic and false alarms, the knee marked
    plots.reservoirs(trace, at=8)                     where the bytes are that send() has taken: buffer, wire, queue
    plots.lineup(traces)                              one experiment on many vintages, a lane each
    plots.matrix(cells)                               which vintage ends how in which situation
    plots.setup(fly)                                  the same lanes before the run, then "?"
    plots.save(ax, "fly.svg")                         .png or .svg, with the alt text

What colours, fills and marks mean stands in palette.py.
"""

from .distribution import distribution
from .ladder import ladder
from .landscape import landscape
from .lineup import lineup
from .matrix import matrix
from .picture import save
from .reservoirs import reservoirs
from .timeline import alt_text, setup, timeline
from .tradeoff import tradeoff

__all__ = ["alt_text", "distribution", "ladder", "landscape", "lineup", "matrix", "reservoirs", "save", "setup", "timeline", "tradeoff"]
