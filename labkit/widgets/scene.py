"""Two lamps and a wire, as they are at one moment of a trace: nothing of what came later.

    ● ━━━━━━━━━ ●      ● ━━━━   ━━━━ ●      ◆ ━━━━   ━━━━ ●      □ ━━━━   ━━━━ ●
    OPEN     OPEN      OPEN   cut  OPEN     CLOSING     OPEN     CLOSED      OPEN

A lamp has a colour, a shape and a word; each of them alone says its state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..plots.axis import Axis
from ..plots.figure import Figure
from ..plots.labels import CENTRE
from ..plots.layout import Panel
from ..plots.marks import Label, Mark, Path
from ..plots.palette import FILLS
from ..plots.shapes import Outline
from ..plots.signs import outline
from ..plots.view import View
from ..trace import Trace
from ..values.faults import ENDS

SHAPES = {"CONNECTING": "circle", "OPEN": "circle", "CLOSING": "diamond", "CLOSED": "square"}
SIZE, RADIUS = (9.0, 1.15), 17.0  # inches, points
PLACES = {"server": 10.0, "client": 90.0}  # of the lamps, along the wire, from 0 to 100
HEIGHT, NAMES, STATES = 55.0, 23.0, 8.0  # points: of the wire, the names, what is so
MIDDLE, GAP = 50.0, 7.0  # where a cut wire is broken, and how wide
WAYS = {"both": "cut", "to_client": "cut to the client", "to_server": "cut to the server"}


def scene(trace: Trace, t: float) -> Figure:
    """The lamps and the wire at ``t`` (s) of a trace."""
    marks: list[Mark] = []
    for end in ENDS:
        state = trace.state_at(end, t) or "CONNECTING"
        marks.append(Lamp(PLACES[end], HEIGHT, state, says=f"The {end} is {state}"))
        marks += _words(PLACES[end], end, state)
    marks += _wire([cut.direction for cut in trace.experiment.cuts if cut.holds(t)])
    high = SIZE[1] * 72 - 8
    panel = Panel(Axis(0.0, 100.0), Axis(0.0, high), tuple(marks))
    return Figure("", (panel,), kind="Two lamps and a wire", size=SIZE, margins=(4, 4, 4, 4))


@dataclass(frozen=True)
class Lamp(Label):
    """The lamp of an end in a state."""

    state: str

    def shapes(self, view: View) -> Iterator[Outline]:
        look, (x, y) = FILLS[self.state], self.anchor(view)
        unit = outline(SHAPES[self.state], "down")
        path = tuple((x + RADIUS * a, y + RADIUS * b) for a, b in unit)
        dash = (3.0, 3.0) if look.dotted else ()
        yield Outline((path,), look.edge, 2.4, dash, look.face, look.hatch, look.hatched, z=5.0)


def _wire(cuts: list[str]) -> Iterator[Mark]:
    """A line from lamp to lamp; while it is cut, both ways or one, in two parts."""
    left, right = PLACES["server"] + 6, PLACES["client"] - 6
    state = WAYS[cuts[-1]] if cuts else "whole"
    colour, broken = ("stuck", GAP) if cuts else ("ink", 0.0)
    for begin, end in ((left, MIDDLE - broken), (MIDDLE + broken, right)):
        yield Path(((begin, HEIGHT), (end, HEIGHT)), colour, 4.0)
    yield Label(MIDDLE, HEIGHT, says=f"The wire is {state}")
    yield from _words(MIDDLE, "wire", state)


def _words(x: float, name: str, state: str) -> Iterator[Mark]:
    """A name, and below it what is so, in bold."""
    yield Label(x, NAMES, wordings=(name,), places=CENTRE, sizes=(11.0,))
    yield Label(x, STATES, wordings=(state,), places=CENTRE, sizes=(11.0,), bold=True)
