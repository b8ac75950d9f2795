"""Which rungs of a ladder are one arrow, which are left out where there are too many, and what is said of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .rungs import Rung

MOST = 60  # rungs of a kind that a ladder has room for


def thin(found: list[Rung]) -> tuple[list[Rung], str]:
    """Pings with their pongs, and messages, as many as can be told apart; and what was left out, in words."""
    kept, said = list(found), []
    for name, kinds, lead in (("pings", ("PING", "PONG"), "PING"), ("messages", ("TEXT", "BINARY", "CONT"), "")):
        some = [rung for rung in kept if rung.kind in kinds and not rung.stuck]
        many = sum(rung.kind == lead or not lead for rung in some)
        step = -(-many // MOST)
        if step > 1:
            drop = set(map(id, _others(some, step, lead)))
            kept = [rung for rung in kept if id(rung) not in drop]
            said.append(f"{many:,} {name}, {-(-many // step)} drawn")
    return kept, "thinned: " + "; ".join(said) if said else ""


def _others(some: list[Rung], step: int, lead: str) -> Iterator[Rung]:
    """All but every ``step``-th, with what follows it."""
    count = 0
    for rung in some:
        count += rung.kind == lead or not lead
        if count % step != 1:
            yield rung


def beats(found: list[Rung], near: float) -> list[list[Rung]]:
    """Rungs that are over within ``near`` (s) of the first's beginning are one arrow; the others are alone."""
    groups: list[list[Rung]] = []
    for rung in found:
        home = next((group for group in reversed(groups[-3:]) if _joins(group, rung, near)), None)
        if home is None:
            groups.append([rung])
        else:
            home.append(rung)
    return groups


def _joins(group: list[Rung], rung: Rung, near: float) -> bool:
    first = group[0]
    if rung.stuck or first.stuck:
        alike = (rung.stuck, rung.sender, rung.is_data) == (first.stuck, first.sender, first.is_data)
        return alike and rung.sent - first.sent <= near
    if "wire" in (first.sender, rung.sender):
        return first.sender == rung.sender and rung.sent == first.sent
    return rung.stop - first.sent <= near and first.is_data == rung.is_data


def beat_words(group: list[Rung]) -> list[str]:
    """The words of one arrow, alike ones counted: ["3 × BINARY, 1,000 bytes"]."""
    many = Counter(rung.words[0] for rung in group)
    return [words if count == 1 else f"{count} × {words}" for words, count in many.items()]
