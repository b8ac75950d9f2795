"""live(): a running connection, in real time: two lamps and a wire, a cable to pull, a timeline.

There is one at a time: a new one closes the one before, as a cell that is run again does. A page
that is closed stops beating (it presses a hidden button every second, see page.py), and a session
that has no page any more ends by itself.
"""

from __future__ import annotations

import html
import threading
import time
import uuid
from functools import partial
from typing import Any

import ipywidgets as widgets

from ..engine.session import Session
from ..plots import Figure
from ..running import run
from ..theory import MOMENTS, Comparison, Difference, ask
from ..trace import Trace
from ..trace.why import why
from ..values.experiment import Experiment
from ..values.faults import ENDS, Act
from .buttons import BACK, BUTTONS, CUTS, act_of
from .knobs import FLY
from .page import fold, mark, row, show, style
from .pulled import pulled_at, sentence, story
from .result import Result, Still, copyable, draw, inline, said
from .scene import scene
from .session_thread import Look, Runner, ended
from .stills import Stills, picture

# s without a beat, after which there is no page; one in the background beats once a minute
DEAF = 90.0
WIRE = "wire"
FITTING = {"description_width": "initial"}
_latest: list[Live] = []


def live(
    experiment: Experiment | None = None, projector: bool = False, timers: bool = True
) -> Live:
    """Start a server and a client on the loopback wire, with a cable to pull.

    In a browser, which has no sockets, they run in virtual time, as fast as a clock.

    Two lamps and a wire show how they are. Without faults of its own nothing happens until a button
    is pressed. ``close()``, running the cell again, a restarted kernel or a closed page end it;
    ``trace`` is a Trace like any other. ``projector`` makes it large enough for a class.

    ``timers=False`` gives none of the experiment's numbers away: there is no theory, and the
    timeline shows once an end is CLOSED, without the names of timers.
    """
    experiment = FLY.but(faults=[]) if experiment is None else experiment
    if not isinstance(experiment, Experiment):
        raise TypeError(f"live() takes an Experiment(…), seen {experiment!r}")
    for old in _latest:
        old.close()
    _latest[:] = [Live(experiment, projector, timers)]
    return _latest[0]


class Live:
    """The buttons, and the session behind them; ``traces`` are those of connections now over."""

    def __init__(
        self, experiment: Experiment, projector: bool = False, timers: bool = True
    ) -> None:
        self.experiment, self.projector, self.timers = experiment, projector, timers
        self.key = f"lk{uuid.uuid4().hex[:6]}"
        self.traces: list[Trace] = []
        self.stills = Stills(experiment, timers)
        self.look: Look | None = None  # the last one
        self.seen: tuple[Any, ...] = ()  # what the lamps and the wire show
        self.held: dict[str, Act] = {}  # acts in force, by button and end; the cut is at WIRE
        self.beat = 0.0  # when the page last beat (s, monotonic); 0: not yet
        self.turn = threading.RLock()
        self._make_widgets()
        self.runner = Runner(experiment, self._frame, self._lost).start()

    # what a program asks

    @property
    def trace(self) -> Trace:
        """The trace of the last connection that was hurt, until now if it lives; or a stand-in.

        A run in virtual time stands in as long as nothing was done to any, see ``story``.
        """
        return self._own() or self.stills.trace

    @property
    def pulled(self) -> float | None:
        """When the cable was pulled in ``trace`` (s), the last time; None: never."""
        return pulled_at(self.trace)

    @property
    def story(self) -> str:
        """When the cable was pulled in ``trace`` and who noticed when, in words."""
        trace = self._own()
        if trace is None:
            return self.stills.story
        return story(trace, trace.experiment.faults != self.experiment.faults)

    @property
    def shown(self) -> Result:
        """What a page without a kernel shows."""
        trace = self._own()
        if trace is None:
            return self.stills.shown
        code = repr(trace.experiment) if self.timers else ""
        return Result(self.story, code=code, stills=(Still("", picture(trace, self.timers)),))

    def _own(self) -> Trace | None:
        """The trace of the last connection to which anything was done."""
        look = self.look
        traces = [*self.traces, *([ended(look.trace)] if look and not look.over else [])]
        return next((trace for trace in reversed(traces) if trace.experiment.faults), None)

    def close(self) -> None:
        """End the session; its trace stands."""
        self.runner.close()

    def again(self) -> Trace:
        """The same presses at the same moments, in virtual time."""
        return run(self.trace.experiment, "virtual", progress=False)

    def compare(self) -> Comparison:
        """The moments of the real run beside those of the same presses in virtual time."""
        both = self.again(), self.trace
        rows = [
            Difference(end, moment, *(ask(trace, moment, end) for trace in both))
            for end in ENDS
            for moment in MOMENTS
        ]
        return Comparison(rows, names=("virtual", "real"))

    def press(self, name: str) -> None:
        """Press a button by its name: "Cut", "Heal", "Reset" …"""
        self.buttons[name].click()

    def pull(self) -> None:
        """Pull the cable; mend it if it is pulled."""
        self._pressed("Heal" if WIRE in self.held else "Cut")

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # what the buttons do

    def _pressed(self, name: str) -> None:
        if name == "End":
            self.runner.close(None)
        elif name == "Reconnect":
            self.reconnect()
        else:
            self.runner.order(partial(self._do, name, self.end.value, self.code.value))

    def _do(self, name: str, end: str, code: int, session: Session) -> None:
        """In the session's own thread: begin what a button is for, or end it if it has begun."""
        place = WIRE if name in (*CUTS, "Heal") else f"{name} {end}"
        if place in self.held:
            if name not in CUTS:
                session.finish(self.held.pop(place))
        elif name != "Heal":
            act = session.do(act_of(name, end, code))
            if act.finish:
                self.held[place] = act

    def reconnect(self) -> None:
        """End this connection, keep its trace, and open another."""
        self.runner.close()
        self.held = {}
        self.runner = Runner(self.experiment, self._frame, self._lost).start()

    # what is seen

    def _frame(self, look: Look) -> None:
        """Show a look; called in the session's thread. Only what differs is sent to the page."""
        if look.over:
            self.traces.append(look.trace)
        self.look = look
        self._light(look)
        problem = f" · not done: {html.escape(look.problem)}" if look.problem else ""
        self.clock.value = f"{look.now:.1f} s{problem}"
        if self.timers or look.over or "CLOSED" in look.states.values():
            self.picture.value = inline(self._drawn(look), self.key, self.projector)
        self._label(look)
        if look.over:
            self._last(look)
        elif self.beat and time.monotonic() - self.beat > DEAF:
            self.runner.close()

    def _light(self, look: Look) -> None:
        """Show the lamps, the wire and the sentence, if they have changed."""
        words = sentence(look.trace, look.now)
        seen = words, tuple(look.states.items())
        if seen != self.seen:
            self.seen = seen
            self.lamps.value = inline(scene(look.trace, look.now), f"{self.key}l", self.projector)
            self.status.value = said(words)

    def _drawn(self, look: Look) -> Figure:
        return draw(look.trace, look.prediction) if self.timers else picture(look.trace, False)

    def _lost(self, problem: str) -> None:
        """The session could not go on: say so, and leave nothing to press but Reconnect."""
        sentence = f"This connection could not go on: {problem}. Reconnect opens another."
        self.sentence.value = said(sentence)

    def _last(self, look: Look) -> None:
        """The end of a connection: why, and how to have it again."""
        self.sentence.value = said(why(look.trace) if self.timers else story(look.trace))
        self.copy.value = copyable(repr(look.trace.experiment)) if self.timers else ""

    def _label(self, look: Look) -> None:
        """What each button would do now, and whether it can."""
        cut = WIRE in self.held
        useless = {"Heal": not cut, **dict.fromkeys(CUTS, cut)}
        for name, button in self.buttons.items():
            button.disabled = useless.get(name, False) or look.over and name != "Reconnect"
        for name, finish in BACK.items():
            held = f"{name} {self.end.value}" in self.held
            self.buttons[name].description = finish if held else name
        self.cable.description = "Mend the cable" if cut else "Pull the cable"
        self.cable.disabled = look.over

    def _make_widgets(self) -> None:
        self.buttons = {name: _button(name, words) for name, words in BUTTONS.items()}
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: self._pressed(name))
        self.end = widgets.Dropdown(
            options=ENDS, description="which end", style=FITTING, layout={"width": "14em"}
        )
        self.code = widgets.IntText(
            1000, description="code", style=FITTING, layout={"width": "9em"}
        )
        self.cable = _button("Pull the cable", "cut the wire, both ways; or mend it")
        self.cable.add_class("labkit-pull")
        self.cable.on_click(lambda _: self.pull())
        self.status, self.lamps, self.clock, self.picture, self.sentence, self.copy = (
            widgets.HTML() for _ in range(6)
        )
        self.lamps.add_class("labkit-lamps")
        self.status.add_class("labkit-status")
        self.status.add_class("labkit-says")
        self.picture.add_class("labkit-picture")
        self.sentence.add_class("labkit-sentence")
        self.sentence.add_class("labkit-says")
        self.pulse = widgets.Button(layout={"display": "none"})
        self.pulse.add_class("labkit-beat")
        self.pulse.on_click(self._beat)
        wire, ends = (*CUTS, "Heal", "Reset", "Hang up"), (*BACK, "Goodbye")
        more, rest = fold(
            "buttons",
            row(*(self.buttons[name] for name in wire)),
            row(self.end, *(self.buttons[name] for name in ends), self.code),
        )
        last = self.buttons["Reconnect"], self.buttons["End"]
        box = widgets.VBox(
            [
                style(self.projector, self.key),
                self.status,
                self.lamps,
                row(self.cable, *last, more, self.clock),
                rest,
                self.picture,
                self.sentence,
                self.copy,
                self.pulse,
            ]
        )
        self.box = mark(box, "labkit-live", self.projector)

    def _beat(self, button: Any) -> None:
        self.beat = time.monotonic()

    def _ipython_display_(self) -> None:
        show(self.box, self.shown, self.key)

    def __repr__(self) -> str:
        state = "running" if self.runner.alive else f"over, {len(self.traces)} of its traces kept"
        return f"<live, {state}: {self.experiment if self.timers else self.story}>"


def _button(name: str, words: str) -> widgets.Button:
    button = widgets.Button(description=name, tooltip=words, layout={"width": "auto"})
    button.add_class("labkit-" + name.lower().replace(" ", "-"))
    return button
