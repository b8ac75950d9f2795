"""explore() and live() where there is no ipywidgets: the same, as pictures that stand still."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..plots import timeline
from ..theory import predict
from ..trace import Trace
from ..values.experiment import Experiment
from .knobs import FLY
from .pulled import NO_BUTTON, NOBODY, moments, pulled_at, sentence, stand_in, story
from .result import Result, Still, result
from .scene import scene


def explore(experiment: Experiment = FLY, guess: float | None = None, **more: Any) -> Result:
    """The picture of an experiment, and the sentence: it has no knobs."""
    return result(lambda: experiment, more.get("view", "timeline"), guess)


def live(experiment: Experiment | None = None, **more: Any) -> Stills:
    """A cable that is pulled at a moment that the pictures say."""
    quiet = FLY.but(faults=[]) if experiment is None else experiment
    return Stills(quiet, more.get("timers", True))


class Stills:
    """What live() would have shown; ``trace`` is of a run in virtual time that stands in."""

    def __init__(self, experiment: Experiment, timers: bool = True) -> None:
        self.experiment, self.timers = experiment, timers

    @cached_property
    def trace(self) -> Trace:
        """A run with the cut that nobody made, see pulled.py."""
        return stand_in(self.experiment)

    @property
    def pulled(self) -> float | None:
        """When the cable is cut in it (s); None: never."""
        return pulled_at(self.trace)

    @property
    def story(self) -> str:
        """When the cable is cut and who notices when, in words; and that nobody pulled it."""
        return f"{NOBODY} {story(self.trace, by_hand=False)}"

    @cached_property
    def shown(self) -> Result:
        """The lamps whenever they changed, then the timeline."""
        trace = self.trace
        first = Still(f"{NO_BUTTON} {sentence(trace, 0.0)}", scene(trace, 0.0))
        lamps = [Still(sentence(trace, t), scene(trace, t)) for t, _ in moments(trace)]
        return Result(
            story(trace, by_hand=False),
            code=repr(self.experiment) if self.timers else "",
            stills=(first, *lamps, Still("", picture(trace, self.timers))),
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.shown._repr_mimebundle_()

    def __repr__(self) -> str:
        return f"<live, without buttons: {self.story}>"


def picture(trace: Trace, timers: bool) -> Any:
    """The timeline of a cable that was pulled, with theory beside it unless timers are secret."""
    theory = predict(trace.experiment) if timers else None
    return timeline(trace, theory, timers=timers)
