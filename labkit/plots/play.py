"""A figure that plays in a page: a handle moves "now", and what is not known yet is not drawn.

    healed = plots.timeline(trace, predict(fly))
    healed.play(plots.Ask(14, "The wire is whole again. What moves?", ("the ping", "nothing")))

At each of its stops it shows what Figure.until gives; shapes that some stops share are written once
(a bar that grows, once a stop). The page's part, which needs no kernel, is play.html. Where no
script may run, as in a notebook that is not trusted, and on paper, stands the whole figure, as an
image with its words.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import palette, svg
from .axis import Axis, nice, short
from .shapes import Outline, Shape

if TYPE_CHECKING:
    from .figure import Figure

PAGE = Path(__file__).with_name("play.html")
STEPS = 120  # at most so many even ones, and one for each moment at which something becomes known
FINE = 20  # moments are told apart to about this part of a step


@dataclass(frozen=True)
class Ask:
    """A question that stops a figure at ``at`` (s), just before its answer can be seen.

    After a guess, or *skip*, the figure goes on to ``then`` (s; None: to the next question, or to
    the end) and stops there. Nobody judges the guess: the picture answers.
    """

    at: float
    question: str
    choices: tuple[str, ...] = ()
    then: float | None = None


@dataclass(frozen=True)
class Play:
    """A figure with its questions, as HTML that needs nothing else."""

    figure: Figure
    asks: tuple[Ask, ...] = ()

    def __post_init__(self) -> None:
        if not self._known:
            raise ValueError(
                f"play() shows what becomes known in time, and in {self.figure!r} nothing does"
            )
        for ask in self.asks:
            if not self._axis.low <= ask.at < self._axis.high:
                stretch = f"from {self._axis.low:g} to {self._axis.high:g} s"
                raise ValueError(f"Ask(at={ask.at:g}) is not on the axis, which goes {stretch}")
            if ask.then is not None and ask.then <= ask.at:
                raise ValueError(f"Ask(at={ask.at:g}) goes on to a later moment, seen {ask.then:g}")

    # when it stops

    @property
    def _axis(self) -> Axis:
        return self.figure.panels[0].along

    @property
    def _known(self) -> set[float]:
        """When something becomes known (s)."""
        marks = [mark for panel in self.figure.panels for mark in panel.marks]
        ticks = [tick for panel in self.figure.panels for tick in panel.along.ticks]
        found = {t for mark in marks for t in (mark.known, mark.over)}
        found |= {tick.known for tick in ticks if tick.known is not None}
        return {t for t in found if self._axis.low <= t <= self._axis.high}

    @cached_property
    def stops(self) -> tuple[float, ...]:
        """The moments that are shown (s): when something becomes known, and even steps between.

        A moment of a real clock is rounded up, so that what is known by then is shown.
        """
        axis = self._axis
        least = (axis.high - axis.low) / STEPS
        step = next(one for one in map(nice, (least, 2 * least)) if one > least - 1e-9)
        fine = nice(step / FINE)
        asked = (t for ask in self.asks for t in (ask.at, ask.then) if t is not None)
        rounded = {t: round(math.ceil(t / fine - 1e-6) * fine, 9) for t in self._known}
        last = {up: max(up, t) for t, up in sorted(rounded.items())}
        moments = {axis.low, axis.high, *last.values()}
        moments |= {t for t in asked if t not in last}
        even = (axis.low + k * step for k in range(math.ceil((axis.high - axis.low) / step)))
        between = {t for t in even if all(abs(t - moment) > step / 2 for moment in moments)}
        return tuple(sorted(t for t in moments | between if t <= axis.high))

    def _stop(self, t: float) -> int:
        """The number of the stop at a moment (s)."""
        return min(range(len(self.stops)), key=lambda number: abs(self.stops[number] - t))

    @cached_property
    def states(self) -> list[Figure]:
        """The figure at each stop; at the last one it is whole."""
        return [*(self.figure.until(t) for t in self.stops[:-1]), self.figure]

    # what is drawn

    def _shapes(self) -> list[tuple[Shape, int, int]]:
        """Each shape with the stops from and to which it is shown, in the order of drawing."""
        found: list[tuple[Shape, int, int]] = []
        begun: dict[Shape, int] = {}
        for number, state in enumerate(self.states):
            now = [] if state is self.figure else [_now(state, self.stops[number])]
            shown = dict.fromkeys([*state.shapes(), *now])
            over = [shape for shape in begun if shape not in shown]
            found += [(shape, begun.pop(shape), number - 1) for shape in over]
            begun |= {shape: number for shape in shown if shape not in begun}
        found += [(shape, start, len(self.stops) - 1) for shape, start in begun.items()]
        return sorted(found, key=lambda row: (row[0].z, *row[1:]))

    def _picture(self, key: str) -> str:
        """All states in one SVG; a group says at which stops it is shown: from, to."""
        groups = [
            svg.Group(f'data-known="{start} {stop}"', tuple(shape for shape, *_ in rows))
            for (start, stop), rows in groupby(self._shapes(), key=lambda row: row[1:])
        ]
        names: dict[str, str] = {}  # colours are written often, so that their names are short here

        def colour(name: str) -> str:
            return f"var({names.setdefault(name, f'--{len(names)}')})"

        head = f'class="labkit-figure" width="{self.figure.points[0]:g}pt" style="COLOURS"'
        picture = svg.picture(groups, self.figure.box, "", colour, key, head)
        colours = ";".join(f"{short}:{svg.variable(name)}" for name, short in names.items())
        return picture.replace("COLOURS", colours, 1)

    def _told(self) -> Iterator[tuple[int, str, str]]:
        """(stop, the figure in words from then on, what is new in it)."""
        before: Figure | None = None
        for number, state in enumerate(self.states):
            if before is None or state.alt != before.alt:
                yield number, state.alt, "" if before is None else _news(before, state)
            before = state

    def _asked(self) -> Iterator[dict[str, Any]]:
        """The questions, with stops for moments, in time."""
        rows = sorted(self.asks, key=lambda ask: ask.at)
        nexts = [*(ask.at for ask in rows[1:]), self.stops[-1]]
        for ask, following in zip(rows, nexts):
            then = following if ask.then is None else ask.then
            yield {
                "at": self._stop(ask.at),
                "then": self._stop(then),
                "question": ask.question,
                "choices": list(ask.choices),
            }

    # how it is seen

    def html(self, key: str = "") -> str:
        """The still image and the script; ``key`` goes into every id (default: a new one)."""
        key = key or f"lk{uuid.uuid4().hex[:8]}"
        data = {
            "when": [f"{short(t, 1e-6, 2)} s" for t in self.stops],
            "told": list(self._told()),
            "asks": list(self._asked()),
        }
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        fields = {
            "KEY": key,
            "STILL": self.figure.image,
            "DARK": palette.dark_rules(".labkit-figure"),
            "PICTURE": self._picture(key).replace("`", "&#96;").replace("$", "&#36;"),
            "DATA": text.replace("<", "\\u003c"),  # else it might end the script
        }
        page = PAGE.read_text(encoding="utf-8")
        return re.sub("@([A-Z]+)@", lambda found: fields[found[1]], page)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.figure.alt}

    def __repr__(self) -> str:
        return f"<a figure that plays, with {len(self.asks)} questions: {self.figure.title}>"


def _news(before: Figure, after: Figure) -> str:
    """What a figure says that it did not say before; its title alone, if that is new."""
    if after.title != before.title:
        return f"{after.title}."
    fresh = (one for one in after.sentences if one not in before.sentences)
    return " ".join(f"{_new_in(one, before.sentences)}." for one in fresh)


def _new_in(sentence: str, before: Sequence[str]) -> str:
    """Of "Server: OPEN from 0 s, CLOSING from 15 s" what was not said: "Server: CLOSING …"."""
    subject = sentence.partition(": ")[0]
    said = {part for one in before if one.startswith(f"{subject}: ") for part in one.split(", ")}
    first, *rest = sentence.split(", ")
    new = ", ".join(part for part in rest if part not in said)
    return f"{subject}: {new}" if first in said else sentence


def _now(state: Figure, t: float) -> Outline:
    """A line across the panels at ``t`` (s)."""
    wide, high = state.area
    paths = []
    for panel in state.panels:
        view = panel.view(wide, high)
        paths.append(tuple(view.point(t, at) for at in (panel.across.low, panel.across.high)))
    return Outline(tuple(paths), "guess", 1.4, z=4.5)
