"""An exercise: an answer, or code, that trials judge by running experiments.

    Exercise("00 a new cut", Number("s", high=60), [Trial("noticed", new_cut, off, "…")])

Each trial runs the answer and says what is wrong with what was seen; "" is right. What it says
names a belief, never the solution. The words around it ("your turn", "✓", "not yet") stand here,
once.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.engine.progress import Bar

from .answers import Answer, is_empty
from .catalogue import find


@dataclass(frozen=True)
class Trial:
    """One run of the learner's answers, and what it has to show."""

    name: str
    run: Callable[..., Any]  # the answers → what was seen
    wants: Callable[..., str]  # what was seen, the answers but code → what is wrong, or ""
    praise: str | Callable[[Any], str] = ""  # a sentence, or what was seen → a sentence
    picture: Callable[[Any], Any] | None = None  # of what was seen, when it is wrong
    only: int | None = None  # the place of the one answer that it judges; None: it judges all


@dataclass(frozen=True)
class Exercise:
    """Its id begins with the number of its notebook; ``answer`` is one kind, or one each."""

    id: str
    answer: Answer | Sequence[Answer]
    trials: Sequence[Trial] | Callable[[], Sequence[Trial]]  # a function where they are many

    @property
    def kinds(self) -> tuple[Answer, ...]:
        """The kinds of its answers, in order."""
        return tuple(self.answer) if isinstance(self.answer, Sequence) else (self.answer,)


def check(id: str, *given: Any) -> Any:
    """Judge an answer by runs, in words; gives the picture of a run that it gets wrong, if any."""
    exercise = find(id, "EXERCISES")
    name = id.split(" ", 1)[1]
    answers = _read(name, exercise, given)
    if answers is None:
        return None
    trials = exercise.trials() if callable(exercise.trials) else exercise.trials
    try:
        return _gone_through(name, trials, answers)
    except KeyboardInterrupt:
        print(f"stopped – {name}: it is not judged to the end. Run this cell again to go on.")
        return None


def _gone_through(name: str, trials: Sequence[Trial], answers: Sequence[Any]) -> Any:
    """Say what each trial shows, up to the first that shows a mistake; gives its picture."""
    with Bar(len(trials), shown=len(trials) > 1) as bar:
        for trial in trials:
            seen, wrong = _judged(trial, answers)
            if wrong:
                which = f"{name}, {trial.name}" if len(trials) > 1 else name
                print(f"not yet – {which}: {wrong}")
                return trial.picture(seen) if trial.picture and seen is not None else None
            praise = trial.praise(seen) if callable(trial.praise) else trial.praise
            print(f"✓ {trial.name}{': ' if praise else ''}{praise}")
            bar.advance()
    return None


def _read(name: str, exercise: Exercise, given: Sequence[Any]) -> list[Any] | None:
    """What the learner means; None (and a word) if it is not there yet."""
    kinds = exercise.kinds
    values = [*given, *[...] * (len(kinds) - len(given))]
    found = []
    for kind, value in zip(kinds, values):
        if is_empty(value):
            print(f"your turn – {name}: replace the ... by {kind.wanted}")
            return None
        meant = kind.read(value)
        if meant is None:
            print(f"not yet – {name}: expected {kind.wanted}; seen {value!r}")
            return None
        found.append(meant)
    return found


def _judged(trial: Trial, answers: Sequence[Any]) -> tuple[Any, str]:
    """What was seen, and what is wrong with it; a mistake in the learner's code, with its line."""
    mine = answers if trial.only is None else answers[trial.only :][:1]
    try:
        seen = trial.run(*mine)
        return seen, trial.wants(seen, *(a for a in mine if not callable(a)))
    except (Exception, KeyboardInterrupt) as problem:  # of a loop without end
        own = [a for a in answers if callable(a)]
        if not own:
            raise
        calls = traceback.extract_tb(problem.__traceback__)
        files = [code.__code__.co_filename for code in own if hasattr(code, "__code__")]
        inside = [call for call in calls if call.filename in files or not files]
        if isinstance(problem, KeyboardInterrupt) and not inside:
            raise
        place = inside[-1].line or inside[-1].name if inside else "calling your code"
        story = f"{place} raised {type(problem).__name__}: {problem}".removesuffix(": ")
        if inside or not isinstance(problem, TypeError) or "await" not in story:
            return None, story
        return None, f"{story}. Does it begin with async def?"
