"""explore(): a slider on every setting, a run at every move, the picture and the sentence at once.

A move is handled where it arrives, one at a time, and reads where the knobs stand by then: the last
position always wins, whichever thread a kernel calls from. Only the ``value`` of what is on the
page already is set: nothing flickers.
"""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Collection
from typing import Any

import ipywidgets as widgets

from ..values.experiment import Experiment
from .knobs import FLY, WAYS, WHO, Knobs, difference
from .page import fold, mark, row, show, style
from .result import VIEWS, Result, copyable, result, said

STEP = 0.05  # s; an arrow key's
LOOKS: Any = {"style": {"description_width": "10.5em"}}
BESIDE = {"width": "5.5em", "margin": "2px"}
WIDE: Any = {**LOOKS, "layout": {"flex": "1 1 auto", "width": "auto"}}
NONE = {  # knobs that can be None, and what that is called
    "ping_interval": "None",
    "ping_timeout": "None",
    "close_timeout": "None",
    "cut": "no cut",
    "heal": "never",
}


def explore(
    experiment: Experiment = FLY,
    guess: float | None = None,
    view: str = "timeline",
    longest: float | None = None,
    projector: bool = False,
    show: Collection[str] | None = None,
) -> Explorer:
    """Turn the knobs of an experiment: every move runs it anew, in virtual time.

    It shows the picture, and what happened and why. ``guess`` (s) is pinned on the timeline,
    ``view`` is "timeline" or "ladder", ``longest`` (s) is where the sliders end; ``projector``
    makes it large enough for a class. ``show`` names the knobs that are seen at first, such as
    ("cut", "heal"); a button opens the rest. Arrow keys move a slider by 0.05 s, Page keys by 1 s,
    and the number beside it can be typed.
    """
    if not isinstance(experiment, Experiment):
        raise TypeError(f"explore() takes an Experiment(…), seen {experiment!r}")
    if view not in VIEWS:
        raise ValueError(f"a view is 'timeline' or 'ladder', seen {view!r}")
    names = [field.name for field in dataclasses.fields(Knobs)]
    for name in show or ():
        if name not in names:
            raise ValueError(f"show= names knobs ({', '.join(names)}), seen {name!r}")
    return Explorer(experiment, guess, view, longest, projector, show)


class Explorer:
    """The knobs and what they show. ``experiment`` is the setting of the moment, to go on with."""

    def __init__(
        self,
        base: Experiment,
        guess: float | None,
        view: str,
        longest: float | None,
        projector: bool,
        shown: Collection[str] | None,
    ) -> None:
        self.base, self.projector, self.turn = base, projector, threading.RLock()
        self.key = f"lk{uuid.uuid4().hex[:6]}"
        self.rows = _rows(Knobs.of(base), longest)
        self.guess = widgets.FloatText(
            guess or 0.0, description="guess (s)", step=0.5, layout={"width": "14em"}
        )
        self.pinned = widgets.Checkbox(
            guess is not None, description="pinned", indent=False, layout={"width": "6em"}
        )
        self.view = widgets.ToggleButtons(
            options=VIEWS,
            value=view,
            tooltips=["states over time", "frames, time downwards"],
            style={"button_width": "6em"},
        )
        self.hold = widgets.ToggleButton(
            False, description="Hold this", tooltip="keep this setting beside the next ones"
        )
        self.sentence, self.picture, self.code, self.held_words, self.held_picture = (
            widgets.HTML() for _ in range(5)
        )
        self.shown = Result("")
        self.held: tuple[Knobs, Result] | None = None
        self.box = self._layout(shown)
        for knob in self.rows.values():
            knob.observe(self.redraw)
        for widget in (self.guess, self.pinned, self.view):
            widget.observe(self.redraw, "value")
        self.hold.observe(self.keep, "value")
        self.redraw()

    @property
    def knobs(self) -> Knobs:
        """Where the knobs stand."""
        return Knobs(**{name: knob.value for name, knob in self.rows.items()})

    @property
    def experiment(self) -> Experiment:
        """The experiment that the knobs come to."""
        return self.knobs.experiment(self.base)

    def redraw(self, change: Any = None) -> None:
        """Run and show where the knobs stand now."""
        with self.turn:
            knobs = self.knobs
            self.shown = result(
                lambda: knobs.experiment(self.base),
                self.view.value,
                self.guess.value if self.pinned.value else None,
                self.key,
                self.projector,
            )
            self.picture.value = self.shown.picture
            self.sentence.value = said(self.shown.sentence)
            self.code.value = copyable(self.shown.code)
            self._compare()

    def keep(self, change: Any = None) -> None:
        """Hold the present setting, to be compared with the next ones; or let it go."""
        with self.turn:
            self.held = (self.knobs, self.shown) if self.hold.value else None
            self.hold.description = "Let go" if self.held else "Hold this"
            self.held_picture.value = (
                self.shown.picture.replace(self.key, f"{self.key}h") if self.held else ""
            )
            self._compare()

    def _compare(self) -> None:
        self.held_words.value = ""
        if self.held is not None:
            knobs, shown = self.held
            moved = difference(knobs, self.knobs)
            self.held_words.value = said(f"Held. {shown.sentence} Moved since: {moved}.")

    def _layout(self, shown: Collection[str] | None) -> widgets.VBox:
        first = {name: one for name, one in self.rows.items() if shown is None or name in shown}
        later = {name: one for name, one in self.rows.items() if name not in first}
        placed, bar = _placed(first), [self.view, self.guess, self.pinned, self.hold]
        if later:
            more, rest = fold("knobs", *_placed(later), row(self.view, self.hold))
            placed, bar = [*placed, rest], [self.guess, self.pinned, more]
        knobs = widgets.VBox(placed)
        knobs.add_class("labkit-knobs")
        self.code.add_class("labkit-code")
        self.sentence.add_class("labkit-sentence")
        self.sentence.add_class("labkit-says")
        self.picture.add_class("labkit-picture")
        box = widgets.VBox(
            [
                style(self.projector, self.key),
                knobs,
                row(*bar),
                self.sentence,
                self.picture,
                self.code,
                self.held_words,
                self.held_picture,
            ]
        )
        return mark(box, "labkit-explore", self.projector)

    def _ipython_display_(self) -> None:
        show(self.box, self.shown, self.key)

    def __repr__(self) -> str:
        return f"<explore: {self.shown.code}. {self.shown.sentence}>"


class Row:
    """One knob: a slider or a choice, with a box to tick for None where None is possible."""

    def __init__(self, name: str, knob: Any, is_none: bool) -> None:
        self.knob, self.none = knob, None
        knob.add_class(f"labkit-{name}")
        self.is_slider = isinstance(knob, widgets.FloatSlider)
        self.box = widgets.HBox([knob])
        if name not in NONE and self.is_slider:  # ends where the others end
            self.box.children += (widgets.Box(layout=BESIDE),)
        if name in NONE:
            self.none = widgets.Checkbox(
                is_none,
                description=NONE[name],
                indent=False,
                layout=BESIDE,
                tooltip=f"{name} is None",
            )
            widgets.dlink((self.none, "value"), (knob, "disabled"))
            self.box.children += (self.none,)

    @property
    def value(self) -> Any:
        """Where the knob stands."""
        value = self.knob.value
        if self.none is not None and self.none.value:
            return None
        if not isinstance(value, float):
            return value
        value = round(value, 6)  # the page adds steps as floats: 2.9999999999999996
        return int(value) if value.is_integer() else value

    def observe(self, do: Any) -> None:
        """Call ``do`` whenever it is moved."""
        self.knob.observe(do, "value")
        if self.none is not None:
            self.none.observe(do, "value")


def _placed(rows: dict[str, Row]) -> list[Any]:
    """Knobs on a page: each slider in a line of its own, the choices side by side."""
    sliders = [one.box for one in rows.values() if one.is_slider]
    return [*sliders, row(*(one.box for one in rows.values() if not one.is_slider))]


def _rows(start: Knobs, longest: float | None) -> dict[str, Row]:
    """Every knob by its name, where ``start`` says; sliders of timers end at ``longest`` (s)."""
    timers = (start.ping_interval, start.ping_timeout, start.close_timeout)
    longest = longest or max(20.0, *(3 * (seconds or 0.0) for seconds in timers))
    cut = start.cut or longest / 4
    sliders = {  # words, lowest, highest, where it stands if it is None
        "ping_interval": ("ping_interval (s)", 0.5, longest, 20),
        "ping_timeout": ("ping_timeout (s)", 0.5, longest, 20),
        "close_timeout": ("close_timeout (s)", 0, longest, 10),
        "cut": ("cut at (s)", 0.5, 2 * longest, cut),
        "heal": ("healed at (s)", 0.5, 3 * longest, cut + 5),
        "latency": ("latency (s)", 0, 5, 0),
        "jitter": ("jitter (s)", 0, 5, 0),
        "send_every": ("a message every (s)", 0.5, 10, 0),
    }
    choices: dict[str, tuple[str, Any]] = {
        "who_pings": ("who pings", WHO),
        "who_sends": ("who sends", WHO),
        "way": ("which way", WAYS),
    }
    rows = {}
    for name, (words, low, high, default) in sliders.items():
        value = getattr(start, name)
        at = default if value is None else value
        ends = {"min": min(low, at), "max": max(high, at), "step": STEP}
        knob = widgets.FloatSlider(at, description=words, **ends, **WIDE)
        rows[name] = Row(name, knob, value is None)
    for name, (words, options) in choices.items():
        value = getattr(start, name)
        knob = widgets.Dropdown(options=options, value=value, description=words, **LOOKS)
        rows[name] = Row(name, knob, False)
    return rows
