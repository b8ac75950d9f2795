"""The verdict lane: ★ the guess, ◇ theory around ● what was observed, each with its words. Draws what a Tale says.

Facts stand in one row and dotted lines lead up from them to their end's bar; a guess has a row of its own below, so that
it may be anywhere.
"""

from __future__ import annotations

import math
from typing import Any

from matplotlib.collections import LineCollection

from ..faults import ENDS
from ..trace import OTHER, Story
from . import words
from .lanes import BAR, VERDICT, Lanes
from .room import Place, wrap

FACTS, GUESSES = 36.0, 11.0  # the two rows, when there is a guess

Group = tuple[float, list[tuple[float, str, str]]]  # when, and (when, end, words) of all that happened then


def verdict(lanes: Lanes, prediction: Story | None, guess: tuple[float, str] | None) -> set[str]:
    """Draw the lane; gives the kinds of marks that were used: guess, theory, observed."""
    row = VERDICT if guess is None else FACTS
    groups, theory = facts(lanes), promised(lanes, prediction)
    used = marks(lanes, groups, theory, row)
    if guess is not None:
        used.add("guess")
        star(lanes, guess)
    left_over = [fact_words(lanes, group, row) for group in groups]
    loose(lanes, next(filter(None, left_over), ""), row)
    theory_words(lanes, groups, theory, row)
    notes(lanes, prediction, groups, row)
    asked = words.guess_fact(lanes.tale) if guess is not None else None
    dotted(lanes, [(t, rows[0][1], GUESSES if lanes.tale.same(t, asked) else row) for t, rows in groups])
    return used


def facts(lanes: Lanes) -> list[Group]:
    """The moments of both ends, those that coincide together."""
    groups: list[Group] = []
    for one in lanes.tale.moments:
        item = (one.t, one.end, one.words)
        if groups and lanes.tale.same(one.t, groups[-1][0]):
            groups[-1][1].append(item)
        else:
            groups.append((one.t, [item]))
    return groups


def promised(lanes: Lanes, prediction: Story | None) -> list[float]:
    """The moments that theory has, of the ends that it says something about (s)."""
    if prediction is None or getattr(prediction, "unknown", None) or lanes.tale.is_asked:
        return []
    found = [ask(end) for end in ENDS for ask in (prediction.noticed_at, prediction.closed_at, prediction.told_at)]
    return sorted({t for t in found if t is not None and math.isfinite(t) and 0 <= t <= lanes.tale.horizon})


def marks(lanes: Lanes, groups: list[Group], theory: list[float], row: float) -> set[str]:
    """Diamonds around dots; a story that is itself theory has diamonds only."""
    theme = lanes.theme
    times = [t for t, _ in groups]
    used = set()
    diamonds = sorted({*theory, *(times if lanes.tale.is_theory else [])})
    if diamonds:
        used.add("theory")
        lanes.points(diamonds, [row] * len(diamonds), "D", 11, "none", theme.theory, 6, 1.8)
    if times and not lanes.tale.is_theory:
        used.add("observed")
        lanes.points(times, [row] * len(times), "o", 6, theme.ink, theme.ink, 7)
    for t in {*diamonds, *times}:
        lanes.room.take(t, row, 8, 8)
    return used


def star(lanes: Lanes, guess: tuple[float, str]) -> None:
    """The guess, and an arrow to what it is about."""
    tale, theme = lanes.tale, lanes.theme
    seconds, fact = guess[0], words.guess_fact(tale)
    x = min(seconds, tale.horizon)
    lanes.points([x], [GUESSES], "*", 14, theme.guess, theme.paper, 8, 0.8)
    lanes.room.take(x, GUESSES, 8, 7)
    if fact is not None and abs(fact - x) * lanes.room.dx > 16:
        near = x + math.copysign(8 / lanes.room.dx, fact - x)  # beside the star, not under it
        lanes.arrows([(min(near, fact), max(near, fact))], GUESSES, theme.guess)
        lanes.room.take_span(x, fact, GUESSES, 3)
    beyond = " (off the axis)" if seconds > tale.horizon else ""
    right: Place = (10, 0, "left", "center")
    left: Place = (-10, 0, "right", "center")
    texts = [text + beyond for text in words.guess_words(tale, seconds, fact, guess[1])]
    across: Place = (-10 if fact is None else (fact - x) * lanes.room.dx - 8, 0, "right", "center")  # beyond the fact
    places = [left, right] if fact is None or seconds <= fact else [right, across]
    lanes.room.put(texts[:-1] or texts, x, GUESSES, places, 8.5, color=theme.guess) or lanes.room.put(texts, x, GUESSES, places, 7.5, color=theme.guess)


def fact_words(lanes: Lanes, group: Group, row: float) -> str:
    """ "noticed 15.0 s", with what is raised if the application was told then; gives back what is raised if that did not fit."""
    t, rows = group
    tale, when = lanes.tale, lanes.tale.seconds(group[0])
    what = words.merged(tale, rows)
    told = next((end for end in (tale.hero, OTHER[tale.hero]) if any(who == end and word == "told" for _, who, word in rows)), None)
    raised = words.raises(tale, told) if told else ""
    call, _, kind = raised.rpartition(" ")
    long = [f"{what} {when}:\n{raised}", f"{what}\n{when}: {call}\n{kind}", f"{what} {when}:\n{call}\n{kind}"] if raised else []
    short = [f"{what} {when}", f"{what}\n{when}", *([f"{what.replace('; ', chr(10))}\n{when}"] if "; " in what else [])]
    right: list[Place] = [(10, 0, "left", "center")]
    left: list[Place] = [(-10, 0, "right", "center")]
    around: list[Place] = [(0, -9, "center", "top"), (0, 9, "center", "bottom")]
    tries = ((long, right, 8.5), (short[:1], right, 8.5), (short[:1], left, 8.5), (short[1:], right + left, 8.5), (short, around, 8.5), (short, right + left, 7.5))
    placed = next((texts for texts, places, size in tries if texts and lanes.room.put(texts, t, row, places, size, color=lanes.theme.ink)), None)
    return "" if placed is long else raised


def loose(lanes: Lanes, raised: str, row: float) -> None:
    """What is raised, in a line of its own below or above the marks, at the right edge of the picture."""
    if raised:
        edge = lanes.room.right / lanes.room.dx
        lanes.room.put([raised, raised.rpartition(" ")[2]], edge, row, [(-2, dy, "right", "center") for dy in (-14, 14, -26)], 8.5, color=lanes.theme.ink)


def theory_words(lanes: Lanes, groups: list[Group], theory: list[float], row: float) -> None:
    """The time of a diamond that has no dot in it."""
    for t in theory:
        if all(abs(t - when) > 3 * lanes.tale.tolerance for when, _ in groups):
            texts = [f"theory {lanes.tale.seconds(t)}", f"theory\n{lanes.tale.seconds(t)}"]
            places: list[Place] = [(10, 0, "left", "center"), (-10, 0, "right", "center"), (0, -9, "center", "top")]
            lanes.room.put(texts, t, row, places, 8.5, color=lanes.theme.theory)


def notes(lanes: Lanes, prediction: Story | None, groups: list[Group], row: float) -> None:
    """What no mark can say, at the left, where nothing has happened yet."""
    cuts = [t for cut in lanes.tale.cuts for t in (cut.at, cut.heal) if t is not None and t < lanes.tale.horizon]
    edges = sorted({0.0, *cuts, *(t for t, _ in groups), lanes.tale.horizon})
    stretches = sorted(zip(edges, edges[1:]), key=lambda ab: ab[0] - ab[1])  # the widest first
    said = words.notes(lanes.tale, prediction)
    rows = (14, -2, -18) if len(said) > 1 else (0,)
    for note in said:
        tries = ((wrap(note, 8.5, (b - a) * lanes.room.dx - 14), a, dy) for a, b in stretches for dy in rows)
        next((True for text, a, dy in tries if lanes.room.put(text, a, row, [(6, dy, "left", "center")], 8.5, color=lanes.theme.faint)), False)


def dotted(lanes: Lanes, rows: list[tuple[float, str, float]]) -> None:
    """From each fact (s, end, height of its foot) up to its end's bar, around the words on the way."""
    lines = [
        [(t, low), (t, high)]
        for t, end, foot in rows
        for low, high in lanes.room.gaps(t, foot, BAR[end][0])
    ]  # fmt: skip
    dots: Any = (0, (1, 1.6))
    lanes.ax.add_collection(LineCollection(lines, colors=lanes.theme.ink, linewidths=1.1, linestyles=[dots], zorder=1.1), autolim=False)
