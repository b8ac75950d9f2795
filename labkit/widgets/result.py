"""From an Experiment to what is shown of it: the picture, the sentence, and the line of code.

Nothing that a learner can set raises here: a sentence says what cannot be run, in place of the
picture. It knows no widgets; where a page has none, it shows itself as pictures that stand still.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..plots import Figure, ladder, timeline
from ..running import run
from ..theory import covers, predict
from ..trace import Story
from ..trace.why import why
from ..values.experiment import Experiment

VIEWS = ("timeline", "ladder")
# For a class the smallest words (7.5 pt) become 16 pt, and no line is thinner than 3 px.
LARGER, NARROWER, THICK = 16 / 7.5, 0.68, 3.0
COPY = "navigator.clipboard.writeText(this.dataset.code); this.textContent='copied'"
SAID = '<p style="max-width:62em;line-height:1.4;margin:0">'


class Still(NamedTuple):
    """A picture that stands still, and the words above it."""

    words: str
    figure: Figure


@dataclass(frozen=True)
class Result:
    """What one position of the knobs comes to. ``picture`` is SVG, empty if there is none."""

    sentence: str
    picture: str = ""
    code: str = ""
    raised: bool = False  # whether the sentence says why there is nothing to see
    stills: tuple[Still, ...] = ()  # for a page without a kernel

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """HTML that an untrusted notebook may show, too."""
        images = "".join(map(_image, self.stills))
        code = f"<p><code>{html.escape(self.code)}</code></p>" if self.code else ""
        return {
            "text/html": f"<div>{images}<p>{html.escape(self.sentence)}</p>{code}</div>",
            "text/plain": f"{self.sentence}\n{self.code}".strip(),
        }


def _image(still: Still) -> str:
    """A figure as an image in HTML: of what a page does not trust it takes out SVG elements."""
    words = f"<p>{html.escape(still.words)}</p>" if still.words else ""
    return f"{words}{still.figure.image}"


def result(
    make: Callable[[], Experiment],
    view: str = "timeline",
    guess: float | None = None,
    key: str = "bench",
    projector: bool = False,
) -> Result:
    """Make the experiment, run it in virtual time, draw it and say why; else a sentence."""
    try:
        experiment = make()
    except (TypeError, ValueError) as problem:
        return Result(f"This cannot be set up: {problem}.", raised=True)
    code = repr(experiment)
    try:
        trace = run(experiment, "virtual", progress=False)
        sentence = why(trace)
        if unknown := covers(experiment):
            sentence += f" (Theory has no say here: {unknown}.)"
        drawn = draw(trace, predict(experiment), view, guess)
        return Result(sentence, inline(drawn, key, projector), code, stills=(Still("", drawn),))
    except Exception as problem:  # in no code of the learner's: a traceback would not help
        sentence = f"This could not be run: {type(problem).__name__}: {problem}."
        return Result(sentence, code=code, raised=True)


def draw(
    trace: Story, prediction: Story, view: str = "timeline", guess: float | None = None
) -> Figure:
    """A trace as a figure."""
    drawn: Figure = timeline(trace, prediction, guess) if view == "timeline" else ladder(trace)
    return drawn


def inline(drawn: Figure, key: str = "bench", projector: bool = False) -> str:
    """A figure as SVG, in the page's colours."""
    if not projector:
        return drawn.inline(key)
    narrow = replace(drawn, size=(drawn.size[0] * NARROWER, drawn.size[1]))
    return narrow.inline(key, LARGER, THICK)


def said(sentence: str) -> str:
    """A sentence as HTML; page.py makes its place one that a screen reader says when it changes."""
    return f"{SAID}{html.escape(sentence)}</p>"


def copyable(code: str) -> str:
    """A line of code, and a button that copies it."""
    if not code:
        return ""
    shown = html.escape(code, quote=True)
    button = f'<button class="jupyter-button labkit-copy" data-code="{shown}" onclick="{COPY}">'
    return f'{button}Copy as code</button> <code style="white-space:pre-wrap">{shown}</code>'
