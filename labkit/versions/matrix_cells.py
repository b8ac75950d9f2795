"""One cell of the matrix: a situation × plain or TLS × a vintage; who notices, and who hangs.

    measure(Vintage("14.1"), [("quiet", "ws")])     # [(cell, trace)]

All cells have timers of 1/1/1 s and a cut at 1.5 s. One end keeps the connection alive, the
*keeper*. It is told at 4 s, if all goes as it should; a cell that *hangs* is in CLOSING until the
cable is mended, one that *never* notices is OPEN all the time. Cells of asyncio and legacy run on
the virtual wire, those of threading and trio, which have clocks of their own, on loopback.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ..ends.capabilities import VIRTUAL
from ..trace import Story, Trace
from ..trace.fate import fate
from ..values.experiment import Experiment, Peer
from ..values.faults import ENDS, Act, Cut, Send
from . import Hole, Vintage, check, pythons, shelf
from .worker import Place, hire

CUT = 1.5  # s; between the pings of 1 s and 2 s
HEAL = {  # s
    "virtual": 55.0,  # beyond the 30 s that TLS may add; TCP tries again within a second
    "loopback": 8.0,
}
AFTER = 4.0  # s; how much longer a run goes on

SITUATIONS = {  # what the keeper's application sends
    "quiet": "nothing is sent but pings",
    "backlog below the mark": "1,000 bytes every 50 ms: into a cut they pile up in the write "
    "buffer, but drain() does not wait yet",
    "drain blocked before the ping": "40,000 bytes every 50 ms: drain() waits when the next ping "
    "is due",
    "ping before drain blocked": "the ping is on its way when 40,000 bytes every 50 ms begin, so "
    "drain() waits from then on",
}
WIRES = {  # (the keeper, TLS)
    "ws": ("server", False),
    "wss server": ("server", True),
    "wss client": ("client", True),
}
VERDICTS = {
    "bounded": "told in time",
    "late": "closed or told much later than close_timeout",
    "hangs": "in CLOSING until the cable is mended",
    "never": "OPEN all the time: it never notices",
    "hole": "cannot be run",
}

# version, implementation, python, situation, wire, clock; cut, heal, noticed, closed, told (s);
# raised, verdict, why
Cell = dict[str, Any]


def traffic(situation: str, keeper: str) -> list[Act]:
    """What the keeper's application sends."""
    if situation == "quiet":
        return []
    if situation == "backlog below the mark":
        return [Send(at=0.03, end=keeper, size=1000, every=0.05)]
    begin = 0.03 if situation == "drain blocked before the ping" else 2.2
    return [Send(at=begin, end=keeper, size=40_000, every=0.05)]


def experiment(situation: str, wire: str, clock: str = "virtual") -> Experiment:
    """The experiment of a cell: one of SITUATIONS × one of WIRES; its cut heals by the clock."""
    if situation not in SITUATIONS or wire not in WIRES:
        raise ValueError(
            f"a cell is one of {', '.join(SITUATIONS)} × {', '.join(WIRES)}; "
            f"seen {situation!r} × {wire!r}"
        )
    keeper, tls = WIRES[wire]
    keeping = Peer(ping_interval=1, ping_timeout=1, close_timeout=1, buffer=4096)
    answering = replace(keeping, ping_interval=None)
    return Experiment(
        server=keeping if keeper == "server" else answering,
        client=keeping if keeper == "client" else answering,
        faults=[Cut(at=CUT, heal=HEAL[clock]), *traffic(situation, keeper)],
        tls=tls,
        until=HEAL[clock] + AFTER,
    )


def judge(trace: Story, keeper: str, heal: float) -> Cell:
    """What became of the keeper: three moments (s, or None), what it was told, its verdict."""
    moments = {
        "noticed": trace.noticed_at(keeper),
        "closed": trace.closed_at(keeper),
        "told": trace.told_at(keeper),
    }
    return {
        **{name: moment and round(moment, 6) for name, moment in moments.items()},
        "raised": next((one.type for one in trace.raised(keeper)), None),
        "verdict": fate(trace, keeper, heal),
        "why": None,
    }


def clock_of(vintage: Vintage) -> str:
    """The wire that the cells of a vintage run on."""
    return "virtual" if vintage.implementation in VIRTUAL else "loopback"


def grid(
    situations: Iterable[str] = tuple(SITUATIONS), wires: Iterable[str] = tuple(WIRES)
) -> list[tuple[str, str]]:
    """Every (situation, wire)."""
    return [(situation, wire) for situation in situations for wire in wires]


def measure(
    vintage: Vintage, places: Iterable[tuple[str, str]] = (), clock: str | None = None
) -> list[tuple[Cell, Trace | Hole]]:
    """Run cells of one vintage, all of them unless told which (situation, wire).

    A vintage that cannot be had gives holes.
    """
    clock = clock or clock_of(vintage)
    todo = list(places) or grid()
    empty = [cell_of(vintage, *where, clock) for where in todo]
    try:
        place = vintage.find()
        for where in todo:
            check(vintage, experiment(*where))
    except Hole as hole:
        return [(cell | {"verdict": "hole", "why": hole.why}, hole) for cell in empty]
    return [
        (cell | judge(trace, WIRES[cell["wire"]][0], HEAL[clock]), trace)
        for cell, trace in zip(empty, _run_all(place, todo, clock))
    ]


def _run_all(place: Place, todo: list[tuple[str, str]], clock: str) -> list[Trace]:
    """In virtual time one worker does them in turn; in real time each has its own, together."""
    if clock == "virtual":
        with hire(place) as worker:
            return [worker.run(experiment(*where), clock, progress=False) for where in todo]

    def alone(where: tuple[str, str]) -> Trace:
        with hire(place) as worker:
            trace = worker.run(experiment(*where, clock), clock, progress=False)
            if not all(_was_open(trace, end) for end in ENDS):  # too busy to connect: once more
                trace = worker.run(experiment(*where, clock), clock, progress=False)
            return trace

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(alone, todo))


def _was_open(trace: Trace, end: str) -> bool:
    return any(state == "OPEN" for _, state in trace.states(end))


def cell_of(vintage: Vintage, situation: str, wire: str, clock: str) -> Cell:
    """A cell that has not been run yet: who and where, without moments."""
    return {
        "version": vintage.version or shelf.installed(),
        "implementation": vintage.implementation,
        "python": ".".join((vintage.python or pythons.here()).split(".")[:2]),
        "situation": situation,
        "wire": wire,
        "clock": clock,
        "cut": CUT,
        "heal": HEAL[clock],
        **dict.fromkeys(("noticed", "closed", "told", "raised")),
    }


def key(cell: Cell) -> str:
    """The name of a cell, and of its trace: "14.1-asyncio-python3.11-ws-quiet"."""
    name = (
        f"{cell['version']}-{cell['implementation']}-python{cell['python']}"
        f"-{cell['wire']}-{cell['situation']}"
    )
    if cell["implementation"] in VIRTUAL and cell["clock"] == "loopback":
        name += "-on loopback"
    return name.replace(" ", "_")
