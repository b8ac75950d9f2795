"""The verdict lane: ★ the guess, ◇ theory around ● what was observed, each with its words. Draws what a Tale says.

Facts stand in one row, and dotted lines lead up from them to their end's bar; a guess has a row of its own below, so that
it may be anywhere.
"""

from __future__ import annotations

import math
from itertools import pairwise

from ..faults import ENDS
from ..trace import OTHER, Story
from . import words
from .room import Place, wrap
from .sheet import BAR, DOTS, VERDICT, Sheet

FACTS, GUESSES = 36.0, 11.0  # the two rows, when there is a guess

Group = tuple[float, list[tuple[float, str, str]]]  # when, and (when, end, words) of all that happened then
RIGHT: list[Place] = [(10, 0, "left", "center")]
LEFT: list[Place] = [(-10, 0, "right", "center")]
AROUND: list[Place] = [(0, -9, "center", "top"), (0, 9, "center", "bottom")]


def verdict(sheet: Sheet, prediction: Story | None, guess: tuple[float, str] | None) -> set[str]:
    """Draw the lane; gives the kinds of marks that were used: guess, theory, observed."""
    row = VERDICT if guess is None else FACTS
    groups, theory = facts(sheet), promised(sheet, prediction)
    used = marks(sheet, groups, theory, row)
    if guess is not None:
        used.add("guess")
        star(sheet, guess)
    left_over = [fact_words(sheet, group, row) for group in groups]
    theory_words(sheet, groups, theory, row)
    raised_words(sheet, next(filter(None, left_over), ""), row)
    notes(sheet, prediction, groups, row)
    asked = words.guess_fact(sheet.tale) if guess is not None else None
    dotted(sheet, [(t, rows[0][1], GUESSES if sheet.tale.same(t, asked) else row) for t, rows in groups])
    return used


def facts(sheet: Sheet) -> list[Group]:
    """The moments of both ends, those that coincide together."""
    groups: list[Group] = []
    for one in sheet.tale.moments:
        item = (one.t, one.end, one.words)
        if groups and sheet.tale.same(one.t, groups[-1][0]):
            groups[-1][1].append(item)
        else:
            groups.append((one.t, [item]))
    return groups


def promised(sheet: Sheet, prediction: Story | None) -> list[float]:
    """The moments that theory has, of both ends (s)."""
    if prediction is None or getattr(prediction, "unknown", None) or sheet.tale.is_asked:
        return []
    found = [ask(end) for end in ENDS for ask in (prediction.noticed_at, prediction.closed_at, prediction.told_at)]
    return sorted({t for t in found if t is not None and math.isfinite(t) and 0 <= t <= sheet.tale.horizon})


def marks(sheet: Sheet, groups: list[Group], theory: list[float], row: float) -> set[str]:
    """Diamonds around dots; a story that is itself theory has diamonds only."""
    theme, times = sheet.theme, [t for t, _ in groups]
    diamonds = sorted({*theory, *(times if sheet.tale.is_theory else [])})
    dots = [] if sheet.tale.is_theory else times
    sheet.points([(t, row) for t in diamonds], "D", 11, "none", theme.theory, 6, 1.8)
    sheet.points([(t, row) for t in dots], "o", 6, theme.ink, theme.ink, 7)
    for t in {*diamonds, *times}:
        sheet.room.take(t, row, 8, 8)
    return {kind for kind, drawn in (("theory", diamonds), ("observed", dots)) if drawn}


def star(sheet: Sheet, guess: tuple[float, str]) -> None:
    """The guess, and an arrow to what it is about."""
    tale, theme, room, (seconds, label) = sheet.tale, sheet.theme, sheet.room, guess
    fact, x = words.guess_fact(tale), min(seconds, tale.horizon)
    sheet.points([(x, GUESSES)], "*", 14, theme.guess, theme.paper, 8, 0.8)
    room.take(x, GUESSES, 8, 7)
    if fact is not None and abs(fact - x) * room.dx > 16:
        near = x + math.copysign(8 / room.dx, fact - x)  # beside the star, not under it
        sheet.arrows([(min(near, fact), max(near, fact))], GUESSES, theme.guess)
        room.take_span(x, fact, GUESSES, 3)
    texts = words.guess_words(tale, seconds, fact, label)
    if seconds > tale.horizon:
        texts = [text + " (off the axis)" for text in texts]
    beyond: list[Place] = [((fact - x) * room.dx - 8, 0, "right", "center")] if fact is not None else []  # left of the fact
    places = LEFT + RIGHT if fact is None or seconds <= fact else RIGHT + beyond
    any(room.put(some, x, GUESSES, places, size, color=theme.guess) for some, size in ((texts[:2], 8.5), (texts, 7.5)))


def fact_words(sheet: Sheet, group: Group, row: float) -> str:
    """ "noticed 15.0 s", with what is raised if the application was told then; gives back what is raised if that did not fit."""
    t, rows = group
    tale, when, what = sheet.tale, sheet.tale.seconds(t), words.merged(sheet.tale, rows)
    told = next((end for end in (tale.hero, OTHER[tale.hero]) if any(who == end and word == "told" for _, who, word in rows)), None)
    raised = words.raises(tale, told) if told else ""
    call, _, kind = raised.rpartition(" ")
    long = [f"{what} {when}:\n{raised}", f"{what}\n{when}: {call}\n{kind}", f"{what} {when}:\n{call}\n{kind}"] if raised else []
    line, stack = [f"{what} {when}"], [f"{what}\n{when}", f"{what.replace('; ', chr(10))}\n{when}"]
    tries = [(long, RIGHT, 8.5), (line, RIGHT, 8.5), (line, LEFT, 8.5), (stack, RIGHT + LEFT, 8.5)]
    tries += [(line + stack, AROUND, 8.5), (line + stack, RIGHT + LEFT, 7.5)]
    put = (texts for texts, places, size in tries if sheet.room.put(texts, t, row, places, size, color=sheet.theme.ink))
    return "" if next(put, None) is long else raised


def raised_words(sheet: Sheet, raised: str, row: float) -> None:
    """What is raised, in a line of its own below or above the marks, at the right edge of the picture."""
    if raised:
        places: list[Place] = [(-2, dy, "right", "center") for dy in (-14, 14, -26)]
        edge = sheet.room.right / sheet.room.dx
        sheet.room.put([raised, raised.rpartition(" ")[2]], edge, row, places, 8.5, color=sheet.theme.ink)


def theory_words(sheet: Sheet, groups: list[Group], theory: list[float], row: float) -> None:
    """The time of a diamond that has no dot in it."""
    for t in theory:
        if all(abs(t - when) * sheet.room.dx > 8 for when, _ in groups):
            when = sheet.tale.seconds(t)
            sheet.room.put([f"theory {when}", f"theory\n{when}"], t, row, RIGHT + LEFT + AROUND, 8.5, color=sheet.theme.theory)


def notes(sheet: Sheet, prediction: Story | None, groups: list[Group], row: float) -> None:
    """What no mark can say, in the widest stretch where nothing happens."""
    tale, room = sheet.tale, sheet.room
    cuts = [t for cut in tale.cuts for t in (cut.at, cut.heal) if t is not None and t < tale.horizon]
    edges = sorted({0.0, *cuts, *(t for t, _ in groups), tale.horizon})
    stretches = sorted(pairwise(edges), key=lambda ab: ab[0] - ab[1])
    said = words.notes(tale, prediction)
    heights = (14, -2, -18) if len(said) > 1 else (0,)
    for note in said:
        tries = ((wrap(note, 8.5, (b - a) * room.dx - 14), a, dy) for a, b in stretches for dy in heights)
        any(room.put(text, a, row, [(6, dy, "left", "center")], 8.5, color=sheet.theme.faint) for text, a, dy in tries)


def dotted(sheet: Sheet, rows: list[tuple[float, str, float]]) -> None:
    """From each fact (s, end, height of its foot) up to its end's bar, around the words on the way."""
    gaps = [(t, low, high) for t, end, foot in rows for low, high in sheet.room.gaps(t, foot, BAR[end][0])]
    sheet.lines([[(t, low), (t, high)] for t, low, high in gaps], sheet.theme.ink, 1.1, 1.1, DOTS)
