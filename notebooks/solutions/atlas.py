"""The map of the lab, notebooks/map.md: every question, belief, word and figure with its cell.

Questions and figures are read off the code of the notebooks, words off the tables that close them.
Which cell shows a belief to be wrong stands here, once, by the cell's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat

ASKED = re.compile(r"\b(guess|check)\(\s*f?\"([^\"]+)\"")  # {…}: several, one after the other
DRAWN = re.compile(r"\bplots\.([a-z]\w*)\(|\b(draw|explore|live)\(")
WORD = re.compile(r"^\| \*([^*|]+)\* \|", re.MULTILINE)
KINDS = {"guess": "a vote", "check": "an exercise"}
BELIEFS = {  # by number: what people get wrong, and the cells in which it is seen
    1: ("the library drops my connections at random", "alarms-11 clinic-08"),
    2: ("1011 means that the other end has failed", "alarms-04 clinic-08"),
    3: ("the peer sent 1006", "goodbye-33"),
    4: ("a pulled cable raises an exception", "start-02-live"),
    5: ("`ping_timeout` is how long it takes to notice", "start-09 law-07"),
    6: ("`send()` returned, so the message has arrived", "silence-06 surviving-31"),
    7: ("my handler will be told", "silence-17"),
    8: ("pings work even if nobody reads", "alarms-15"),
    9: ("CLOSING ends by itself", "gap-08"),
    10: ("`close()` takes `close_timeout` at most", "pressure-09"),
    11: ("`close_timeout` bounds everything", "pressure-05 pressure-09"),
    12: ("a ping overtakes the data", "alarms-19"),
    13: ("data that flows proves that the connection lives", "alarms-19"),
    14: ("timers are in milliseconds, and the interval has to be longer", "law-25 law-33-odd"),
    15: ("the server drops me because I am idle", "clinic-08-fourth clinic-21"),
    16: ("turn pings off, and the trouble is over", "law-33-odd"),
    17: ("unread messages do not matter when you close", "pressure-12-vote"),
    18: ("look whether it is OPEN, and then send", "surviving-07"),
    19: ("1000, 1001, 1005 and 1006 are much the same", "goodbye-33 surviving-06-run"),
    20: ("a browser notices", "below-page-run"),
    21: ("a laptop that wakes up goes on where it was", "surviving-28-sleep"),
    22: ("a heartbeat is a ping of the application", "surviving-26"),
    23: ("a client that was cut off should connect again at once", "surviving-48 surviving-52"),
    24: ("send CLOSE and drop the socket: that is a goodbye", "goodbye-33-gone"),
    25: ("`broadcast()` costs nothing", "pressure-broadcast"),
}


class Place(NamedTuple):
    """A cell of a notebook."""

    file: str
    id: str
    source: str
    code: bool

    def __str__(self) -> str:
        """A link to it, by the notebook's number."""
        number = self.file[:2] if self.file[:2].isdigit() else Path(self.file).stem
        return f"[{number}]({self.file}#cell-id={self.id})"


def cells(folder: Path) -> Iterator[Place]:
    """The cells of all notebooks in a folder, in order."""
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            yield Place(path.name, cell.id, cell.source, cell.cell_type == "code")


def name_of(id: str) -> str:
    """What the map calls a question or an exercise: its id without the notebook's number."""
    return re.sub(r"\{.*?\}", "…", id.split(" ", 1)[1])


def table(head: str, rows: Iterable[tuple[str, Iterable[Place]]]) -> str:
    """A table of links; ``head`` is its first heading."""
    lines = [f"| {head} | where |", "|---|---|"]
    lines += [f"| {name} | {', '.join(map(str, places))} |" for name, places in rows]
    return "\n".join(lines)


def collect(found: Iterable[tuple[str, Place]]) -> dict[str, list[Place]]:
    """Every name with its places, one for each notebook, in the order in which they come."""
    rows: dict[str, list[Place]] = {}
    for name, place in found:
        known = rows.setdefault(name, [])
        if all(place.file != one.file for one in known):
            known.append(place)
    return rows


def draw_map(folder: Path) -> str:
    """The text of the map of the notebooks in a folder."""
    places = list(cells(folder))
    code = [place for place in places if place.code]
    by_id = {place.id: place for place in places}
    asked = collect(
        (f"{name_of(id)} ({KINDS[verb]})", place)
        for place in code
        for verb, id in ASKED.findall(place.source)
    )
    words = collect(
        (word, place) for place in places if not place.code for word in WORD.findall(place.source)
    )
    figures = collect(
        (f"`{''.join(names)}`", place) for place in code for names in DRAWN.findall(place.source)
    )
    beliefs = {
        f"{number} · {text}": [by_id[id] for id in ids.split()]
        for number, (text, ids) in sorted(BELIEFS.items())
    }
    parts = [
        "# The map",
        "Where every question, word and figure of the lab stands, and where you can see that a"
        " common belief is wrong. In JupyterLab a link leads to that cell; if the notebook was not"
        " open before, click it a second time.",
        "## Questions",
        table("question", asked.items()),
        "## What people get wrong",
        "Each of these beliefs is wrong, or only half right, and its cell shows it in seconds. This"
        " list gives some surprises away: read it when you have been there.",
        table("belief", beliefs.items()),
        "## Words",
        table("word", sorted(words.items(), key=lambda row: row[0].lower())),
        "## Figures",
        table("figure", sorted(figures.items())),
    ]
    return "\n\n".join(parts) + "\n"
