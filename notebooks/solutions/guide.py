"""The teacher's guide, notebooks/TEACHING.md: teaching.md of this folder, and beliefs.

A line ``beliefs: 04`` of it becomes a table: each wrong answer to a question of that notebook for
which the checks know a belief, and what the lab says to it. No belief stands here: only which
wrong numbers are worth a line, and the run with which the checks answer them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from atlas import BELIEFS, Place, cells
from websockets.asyncio.client import connect

from checks import below_tcp, false_alarms, start_here
from checks.answers import Letters
from checks.catalogue import everything
from checks.own_code import virtual
from checks.questions import Question
from labkit import Cut, Experiment, Freeze, Peer, Restart, Send, Throttle, crowd, sweep

TEXT = Path(__file__).parent / "teaching.md"
LINE = re.compile(r"^beliefs: (\d\d)$", re.MULTILINE)


async def loyal(uri: str, _: int) -> None:
    """A client that comes back by the library's own iterator."""
    async for websocket in connect(uri):
        await websocket.wait_closed()


def restarted() -> Any:
    """A server with 200 such clients is restarted."""
    return crowd(loyal, clients=200, acts=[Restart(at=20, back=30)], until=65)


def cut(server: Peer, *moments: float) -> Any:
    """Some cuts, and when each is noticed and told."""
    return sweep(Experiment(server, faults=[Cut(9)]), {"cut.at": moments}, progress=False)


class Wrong(NamedTuple):
    """The run that answers a question, and the wrong numbers that are worth a line."""

    seen: Callable[[], Any]
    values: tuple[float, ...]


TIMERS = Peer(**false_alarms.TIMERS)
TALKS = Peer(ping_interval=None, send_size=10, send_every=1, buffer=4096, write_limit=4096)
TINY = Experiment(TALKS, Peer(buffer=4096), faults=[Cut(at=5)], until=300)
BUSY = Experiment(TIMERS, faults=[Freeze(at=9, end="client", thaw=20)])
SLOW = Throttle(at=1, rate=10_000, direction="to_client")
BIG = partial(virtual, Experiment(TIMERS, faults=[SLOW], until=24), server=false_alarms.in_one)
MENDED = below_tcp.QUIET.but(faults=[Cut(at=9, heal=15), Send(at=10, size=100)], until=24)
FLY, DEFAULTS = partial(cut, TIMERS, 8.01, 12), partial(cut, Peer(), 60.01, 80)
NUMBERS = {  # by id, where the checks know a belief by a function
    "00 the fruit fly": Wrong(partial(virtual, start_here.FLY), (9, 12, 13, 14, 16, 17, 18)),
    "00 the exit ticket": Wrong(partial(virtual, start_here.EXIT), (23, 28, 30, 32, 33, 38, 39)),
    "03 sends before an error": Wrong(partial(virtual, TINY), (0, 3, 900)),
    "04 the fruit fly: min": Wrong(FLY, (0, 4)),
    "04 the fruit fly: mean": Wrong(FLY, (2, 3.5)),
    "04 the fruit fly: max": Wrong(FLY, (3, 9)),
    "04 the defaults, told: min": Wrong(DEFAULTS, (0, 20, 40)),
    "04 the defaults, told: max": Wrong(DEFAULTS, (20, 30, 40)),
    "07 killed at": Wrong(partial(virtual, BUSY), (9, 12, 17, 20)),
    "07 a ping behind data": Wrong(BIG, (8, 11)),
    "08 after the cable is mended": Wrong(partial(virtual, MENDED), (12, 15, 16, 25)),
    "09 the peak of the iterator": Wrong(restarted, (20, 200, 400)),
}


def wrong(question: Question) -> Iterator[tuple[str, str]]:
    """Each wrong answer that has a belief, as it is said, with what the lab says to it."""
    said, beliefs = question.answer.said, question.beliefs
    if isinstance(question.answer, Letters):
        yield from miscounted(question, question.answer.among)
    elif callable(beliefs):
        seen, values = NUMBERS[question.id]
        shown = seen()
        for value in values:
            yield said(value), " *Or:* ".join(question.believed(shown, value))
    else:
        for value, text in beliefs.items():
            yield "another number" if value is None else said(value), text


def miscounted(question: Question, among: str) -> Iterator[tuple[str, str]]:
    """Too many letters, or too few; which are the right ones does not matter."""
    for name, value, fact in (("too many", among, ""), ("too few", "", among)):
        for text in question.believed(SimpleNamespace(hanging=fact), value):
            yield name, text


def rows(number: str) -> Iterator[str]:
    """The lines of a notebook's table, with a question's name at its first line only."""
    for question in everything("QUESTIONS"):
        if question.id[:2] == number and not question.id.endswith(", again"):
            name = question.id[3:]
            for said, text in wrong(question):
                yield f"| {name} | {said} | {text} |"
                name = ""


def disproved(places: Iterable[Place], number: str) -> str:
    """The common beliefs that a notebook shows to be wrong, each with a link to its cell."""
    here = {place.id: place for place in places if place.file.startswith(number)}
    found = []
    for text, ids in BELIEFS.values():
        for id in [id for id in ids.split() if id in here][:1]:
            found.append(f"{text} ([cell]({here[id].file}#cell-id={id}))")
    return f"Seen to be wrong: {' · '.join(found)}." if found else ""


def draw_guide(folder: Path) -> str:
    """The text of the guide to the notebooks in a folder."""
    places = list(cells(folder))

    def table(line: re.Match[str]) -> str:
        head = "| question | who says | the lab answers |\n|---|---|---|"
        lines = "\n".join([head, *rows(line[1])])
        return f"{lines}\n\n{disproved(places, line[1])}".rstrip()

    return LINE.sub(table, TEXT.read_text(encoding="utf-8"))
