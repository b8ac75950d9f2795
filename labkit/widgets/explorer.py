"""explore(): a slider on every setting, a run at every move, the picture and the sentence at once.

A move is handled where it arrives, one at a time; whoever comes later reads where the knobs stand by then, so that the last
position always wins, whichever thread a kernel calls from. Only ``value`` of what is on the page already is set: nothing flickers.
"""

from __future__ import annotations

import threading
import uuid
from typing import Any

import ipywidgets as widgets

from ..values.experiment import Experiment, Peer
from ..values.faults import Cut
from .knobs import WAYS, WHO, Knobs, difference
from .result import VIEWS, Result, copyable, result, said
from .static import mark, show, style

FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
WIDE = {"description_width": "10.5em"}
LONG = {"width": "24.5em"}
OPTIONAL = (
    "ping_interval",
    "ping_timeout",
    "close_timeout",
    "cut",
    "heal",
)  # knobs that can be None
NONE = {"cut": "no cut", "heal": "never"}  # what None is called; elsewhere None


def explore(
    experiment: Experiment = FLY,
    guess: float | None = None,
    view: str = "timeline",
    longest: float | None = None,
    projector: bool = False,
) -> Explorer:
    """Turn the knobs of an experiment: every move runs it anew in virtual time and shows the picture and what happened, and why.

    ``guess`` (s) is pinned on the timeline, ``view`` is "timeline" or "ladder", ``longest`` (s) is where the sliders end; ``projector``
    makes it large enough for a class.
    """
    if not isinstance(experiment, Experiment):
        raise TypeError(f"explore() takes an Experiment(…), seen {experiment!r}")
    if view not in VIEWS:
        raise ValueError(f"a view is 'timeline' or 'ladder', seen {view!r}")
    return Explorer(experiment, guess, view, longest, projector)


class Explorer:
    """The knobs and what they show. ``experiment`` is the setting of the moment, to go on with."""

    def __init__(
        self,
        base: Experiment,
        guess: float | None,
        view: str,
        longest: float | None,
        projector: bool,
    ) -> None:
        self.base, self.projector, self.turn = base, projector, threading.RLock()
        self.key = f"lk{uuid.uuid4().hex[:6]}"
        start = Knobs.of(base)
        self.rows = _rows(start, longest or _longest(start))
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
        self.sentence, self.picture, self.code = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.held_words, self.held_picture = widgets.HTML(), widgets.HTML()
        self.held: Knobs | None = None
        self.shown = Result("")
        self.box = self._layout()
        self._listen()
        self.redraw()

    @property
    def knobs(self) -> Knobs:
        """Where the knobs stand."""
        return Knobs(**{name: row.value for name, row in self.rows.items()})

    @property
    def experiment(self) -> Experiment:
        """The experiment that the knobs come to."""
        return self.knobs.experiment(self.base)

    def redraw(self, change: Any = None) -> None:
        """Run and show where the knobs stand now."""
        with self.turn:
            knobs = self.knobs
            guess = self.guess.value if self.pinned.value else None
            self.shown = result(
                lambda: knobs.experiment(self.base),
                self.view.value,
                guess,
                self.key,
                self.projector,
            )
            self.picture.value = self.shown.picture
            self.sentence.value = said(self.shown.sentence)
            self.code.value = copyable(self.shown.code)
            if self.held is not None:
                self.held_words.value = said(self._held_sentence(self.held))

    def keep(self, change: Any = None) -> None:
        """Hold the present setting, to be compared with the next ones; or let it go."""
        with self.turn:
            self.held = self.knobs if self.hold.value else None
            self.hold.description = "Let go" if self.hold.value else "Hold this"
            self.held_picture.value = (
                self.shown.picture.replace(self.key, f"{self.key}h") if self.held else ""
            )
            self.kept_sentence = self.shown.sentence
            self.held_words.value = said(self._held_sentence(self.held)) if self.held else ""

    def _held_sentence(self, held: Knobs) -> str:
        return f"Held. {self.kept_sentence} Moved since: {difference(held, self.knobs)}."

    def _listen(self) -> None:
        for row in self.rows.values():
            row.observe(self.redraw)
        for widget in (self.guess, self.pinned, self.view):
            widget.observe(self.redraw, "value")
        self.hold.observe(self.keep, "value")

    def _layout(self) -> widgets.VBox:
        timers, wire = (widgets.VBox([self.rows[name].box for name in names]) for names in COLUMNS)
        buttons = widgets.HBox(
            [self.view, self.guess, self.pinned, self.hold], layout={"flex_flow": "row wrap"}
        )
        knobs = widgets.HBox([timers, wire], layout={"flex_flow": "row wrap"})
        self.code.add_class("labkit-code")
        self.sentence.add_class("labkit-sentence")
        self.picture.add_class("labkit-picture")
        box = widgets.VBox(
            [
                style(self.projector, self.key),
                knobs,
                buttons,
                self.sentence,
                self.picture,
                self.code,
                self.held_words,
                self.held_picture,
            ]
        )
        box.add_class("labkit-explore")
        mark(box, self.projector)
        return box

    def _ipython_display_(self) -> None:
        show(self.box, self.shown, self.key)

    def __repr__(self) -> str:
        return f"<explore: {self.shown.code}. {self.shown.sentence}>"


class Row:
    """One knob: a slider or a choice, with a box to tick for None where None is possible."""

    def __init__(self, name: str, knob: Any, value: Any) -> None:
        self.knob = knob
        self.knob.add_class(f"labkit-{name}")
        self.none = None
        if name in OPTIONAL:
            self.none = widgets.Checkbox(
                value is None,
                description=NONE.get(name, "None"),
                indent=False,
                layout={"width": "5.5em"},
                tooltip=f"{name} is None",
            )
            self.knob.disabled = value is None
        self.box = widgets.HBox([self.knob, self.none] if self.none else [self.knob])

    @property
    def value(self) -> Any:
        if self.none is not None and self.none.value:
            return None
        value = self.knob.value
        if not isinstance(value, float):
            return value
        value = round(value, 6)  # the page adds steps as floats: 2.9999999999999996
        return int(value) if value.is_integer() else value

    def observe(self, do: Any) -> None:
        self.knob.observe(do, "value")
        if self.none is not None:
            self.none.observe(self._disable, "value")
            self.none.observe(do, "value")

    def _disable(self, change: Any) -> None:
        self.knob.disabled = change["new"]


COLUMNS = (
    ("who_pings", "ping_interval", "ping_timeout", "close_timeout", "who_sends", "send_every"),
    ("cut", "heal", "way", "latency", "jitter"),
)


def _rows(start: Knobs, longest: float) -> dict[str, Row]:
    """Every knob by its name, standing where ``start`` says."""

    def slider(
        name: str, words: str, low: float, high: float, step: float, default: float = 0.0
    ) -> Row:
        value = getattr(start, name)
        at = default if value is None else value
        knob = widgets.FloatSlider(
            at,
            min=min(low, at),
            max=max(high, at),
            step=step,
            description=words,
            style=WIDE,
            layout=LONG,
        )
        return Row(name, knob, value)

    def choice(name: str, words: str, options: Any) -> Row:
        knob = widgets.Dropdown(
            options=options, value=getattr(start, name), description=words, style=WIDE, layout=LONG
        )
        return Row(name, knob, getattr(start, name))

    first = start.cut or longest / 4
    return {
        "who_pings": choice("who_pings", "who pings", WHO),
        "ping_interval": slider("ping_interval", "ping_interval (s)", 0.5, longest, 0.5, 20),
        "ping_timeout": slider("ping_timeout", "ping_timeout (s)", 0.5, longest, 0.5, 20),
        "close_timeout": slider("close_timeout", "close_timeout (s)", 0, longest, 0.5, 10),
        "who_sends": choice("who_sends", "who sends", WHO),
        "send_every": slider("send_every", "a message every (s)", 0.5, 10, 0.5),
        "cut": slider("cut", "cut at (s)", 0.5, 2 * longest, 0.5, first),
        "heal": slider("heal", "healed at (s)", 0.5, 3 * longest, 0.5, first + 5),
        "way": choice("way", "which way", WAYS),
        "latency": slider("latency", "latency (s)", 0, 5, 0.05),
        "jitter": slider("jitter", "jitter (s)", 0, 5, 0.05),
    }


def _longest(start: Knobs) -> float:
    """Where the sliders end (s): well beyond what they begin with."""
    return max(
        20.0,
        *(
            3 * (value or 0.0)
            for value in (start.ping_interval, start.ping_timeout, start.close_timeout)
        ),
    )
