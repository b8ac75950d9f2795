"""Logs whose true cause is known, in the formats of everyday life: what the doctor is judged by.

``python tests/doctor_cases.py`` prints the confusion matrix: the lab's own runs, each rendered in every format, whole and cut.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import itertools
import json
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from labkit import Cut, Experiment, Freeze, Goodbye, HangUp, Idle, Peer, Reset, Trace, recorded, run  # noqa: E402
from labkit.doctor import Verdict, diagnose  # noqa: E402

EPOCH = datetime.datetime(2026, 11, 23, 23, 58, tzinfo=datetime.timezone.utc)  # so that logs go over midnight


@dataclass(frozen=True)
class Said:
    """A line that the library logged: when (s), by which end of which connection, at which level, what."""

    t: float
    conn: int
    end: str
    level: str
    line: str


# formats

NAMELESS = ("= connection is CONNECTING",)  # the library says this before the connection has its name


def _iso(t: float, digits: int, mark: str) -> str:
    when = EPOCH + datetime.timedelta(seconds=t)
    return when.strftime("%Y-%m-%d %H:%M:%S") + mark + f"{when.microsecond:06d}"[:digits]


def _id(conn: int) -> str:
    return str(uuid.UUID(int=random.Random(conn).getrandbits(128)))


def _json(said: Said) -> str:
    data = {"timestamp": _iso(said.t, 6, "."), "level": said.level, "logger": f"websockets.{said.end}", "message": said.line}
    return json.dumps(data if said.line in NAMELESS else {**data, "websocket": {"id": _id(said.conn)}})


def _docker(said: Said) -> str:
    data = {
        "log": f"{said.level}:websockets.{said.end}:{said.line}\n",
        "stream": "stderr",
        "time": _iso(said.t, 6, ".").replace(" ", "T") + "Z",
    }
    return json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e")


def _journal(said: Said) -> str:
    when = EPOCH + datetime.timedelta(seconds=said.t)
    return when.strftime("%b %d %H:%M:%S.%f") + f" host app[812]: {said.level} websockets.{said.end} {said.line}"


FORMATS: dict[str, Callable[[Said], str]] = {
    "basicConfig, without times": lambda s: f"{s.level}:websockets.{s.end}:{s.line}",
    "asctime": lambda s: f"{_iso(s.t, 3, ',')} {s.level:<8} websockets.{s.end} {s.line}",
    "docs": lambda s: f"{_iso(s.t, 3, ',')} {s.line}",
    "uvicorn": lambda s: f"{_iso(s.t, 3, ',')} {s.level + ':':<9} {s.line}",
    "colours": lambda s: f"\x1b[32m{_iso(s.t, 3, '.')[11:]}\x1b[0m | \x1b[34m{s.level}\x1b[0m | {s.line}",
    "epoch": lambda s: f"{EPOCH.timestamp() + s.t:.6f} [{s.level}] websockets.{s.end}: {s.line}",
    "adapter with id": lambda s: f"{_iso(s.t, 3, ',')} {s.level} {'-' if s.line in NAMELESS else _id(s.conn)} {s.line}",
    "json": _json,
    "docker": _docker,
    "journal": _journal,
}
NAMED = ("adapter with id", "json")  # they tell connections apart
TIMELESS = "basicConfig, without times"


def render(saids: Iterable[Said], form: str, noise: random.Random | None = None) -> list[str]:
    """The lines of a log, with other programs' lines between them."""
    rows = []
    for said in saids:
        rows.append(FORMATS[form](said))
        if noise and noise.random() < 0.3:
            other = Said(said.t, 0, "server", "INFO", noise.choice(OTHERS))
            rows.append(FORMATS[form](other).replace("websockets.", "app.").replace(_id(0), "-"))
    return rows


OTHERS = [
    "GET /health HTTP/1.1 200",
    "order 1006 took 0.3 s, sent 2 mails",
    "cache miss -> load",
    "x = 4 > PINGUIN",
    "user said: = connection is slow",
    "the connection was closed by peer of the database",
]


# causes


def saids(trace: Trace, end: str, conn: int = 1, shift: float = 0.0) -> list[Said]:
    """What the library logged at an end."""
    rows = [(event.t, event.data["line"]) for event in trace.events if event.where == end and event.witness == "log"]
    return [Said(t + shift, conn, end, _level(line), line) for t, line in rows if not line.startswith("server ")]


def _level(line: str) -> str:
    return "ERROR" if "failed" in line else "INFO" if line[0] not in "=<>%-!x" else "DEBUG"


@dataclass(frozen=True)
class Case:
    """A log and the truth about it: the cause of each connection (by its number)."""

    truth: str
    said: list[Said]
    whose: dict[int, str]


def _timers(dice: random.Random) -> dict[str, float]:
    return dict(ping_interval=dice.uniform(3, 21), ping_timeout=dice.uniform(2, 21), close_timeout=dice.uniform(1, 11))


def _log(experiment: Experiment, end: str, **handlers: object) -> list[Said]:
    return saids(run(experiment, "virtual", progress=False, **handlers), end)


def cut_off(dice: random.Random) -> list[Said]:
    return _log(Experiment(server=Peer(**_timers(dice)), faults=[Cut(dice.uniform(1, 99))], latency=dice.choice([0, 0.1])), "server")


def frozen_peer(dice: random.Random) -> list[Said]:
    server = Peer(**_timers(dice))
    return _log(Experiment(server=server, faults=[Freeze(dice.uniform(1, 50), end="client", thaw=120)], until=200), "server")


def given_up_on(dice: random.Random) -> list[Said]:
    """The client's log of a cut that heals late, though not later than the server hangs up."""
    server = dataclasses.replace(Peer(**_timers(dice)), close_timeout=None)
    at = dice.uniform(1, 50)
    return _log(Experiment(server=server, faults=[Cut(at, heal=at + 60)], until=300), "client")


def blocked_client(dice: random.Random) -> list[Said]:
    server = Peer(**_timers(dice))
    return _log(Experiment(server=server, faults=[Freeze(dice.uniform(1, 50), end="client", thaw=120)], until=200), "client")


def blocked_self(dice: random.Random) -> list[Said]:
    server = Peer(**_timers(dice))
    ping = server.ping_interval * dice.randint(1, 4)
    freeze = Freeze(ping + 0.01, end="server", thaw=ping + server.ping_timeout + dice.uniform(0.1, 9))
    return _log(Experiment(server=server, faults=[freeze], latency=0.1, until=200), "server")


def reset(dice: random.Random) -> list[Said]:
    kind = dice.choice([Reset, HangUp])
    return _log(Experiment(server=Peer(**_timers(dice)), faults=[kind(dice.uniform(1, 99))]), dice.choice(["server", "client"]))


def goodbye(dice: random.Random, codes: tuple[int, ...] = (1000, 3000, 4000)) -> list[Said]:
    act = Goodbye(dice.uniform(1, 50), end=dice.choice(["server", "client"]), code=dice.choice(codes), reason=dice.choice(["", "bye"]))
    return _log(Experiment(server=Peer(**_timers(dice)), faults=[act], latency=dice.choice([0, 0.1])), dice.choice(["server", "client"]))


def handler_fails(dice: random.Random) -> list[Said]:
    import asyncio

    async def handler(websocket: object) -> None:
        await asyncio.sleep(dice.uniform(1, 30))
        raise KeyError("x")

    said = _log(Experiment(server=Peer(**_timers(dice)), until=100), "server", server=handler)
    return [
        *said,
        Said(said[-1].t, 1, "server", "ERROR", "connection handler failed"),
        Said(said[-1].t, 1, "server", "ERROR", "KeyError: 'x'"),
    ]


def healthy(dice: random.Random) -> list[Said]:
    return _log(Experiment(server=Peer(**_timers(dice)), until=100), "server")


def drain(dice: random.Random) -> list[Said]:
    """Big messages into a cut, and the next ping stands behind them."""
    server = Peer(ping_interval=4, ping_timeout=dice.uniform(2, 4), send_every=0.3, send_size=40000, buffer=4096)
    return _log(Experiment(server=server, client=Peer(buffer=4096), faults=[Cut(dice.uniform(9, 11))], until=90), "server")


def gap(dice: random.Random) -> list[Said]:
    """Stuck in CLOSING: the recorded hang, longer or shorter."""
    experiment = recorded("closing-hang").experiment
    return _log(experiment.but(faults=[Cut(9, heal=dice.uniform(50, 300))], until=400), "server")


def idle(dice: random.Random) -> list[Said]:
    box = Idle(at=0, after=dice.choice([30, 60, 100, 350]), then=dice.choice(["fin", "rst"]))
    return _log(Experiment(server=Peer(ping_interval=None), faults=[box], until=400), "server")


CAUSES: dict[str, list[Callable[[random.Random], list[Said]]]] = {
    "own_timeout": [cut_off, frozen_peer],
    "peer_timeout": [given_up_on, blocked_client],
    "own_loop": [blocked_self],
    "closing_gap": [gap],
    "blocked_drain": [drain],
    "tcp_lost": [reset],
    "idle_drop": [idle],
    "goodbye": [goodbye],
    "going_away": [lambda dice: goodbye(dice, (1001, 1012))],
    "refused_data": [lambda dice: goodbye(dice, (1002, 1007, 1009))],
    "handler_raised": [handler_fails],
    "alive": [healthy],
}
RANKS = ["right", "vague", "abstained", "wrong"]
VAGUE = {"idle_drop": {"tcp_lost"}, "closing_gap": {"own_timeout"}}  # true, but not all: without times no gap can be seen


@functools.cache  # it is read in every format and family
def seeded(cause: str, seed: int) -> tuple[Said, ...]:
    """The log of one connection that met this cause."""
    dice = random.Random(f"{cause} {seed}")
    return tuple(dice.choice(CAUSES[cause])(dice))


def lone(cause: str, seed: int) -> Case:
    """One connection, and another program that goes on writing for two minutes."""
    said = seeded(cause, seed)
    after = [Said(said[-1].t + n, 0, "server", "INFO", "server statistics") for n in range(10, 130, 10)] if cause == "blocked_drain" else []
    return Case(cause, [*said, *after], {1: cause})


def crowd(seed: int, size: int = 6) -> Case:
    """Several connections at a time, each with its own fate."""
    dice = random.Random(f"crowd {seed}")
    fates = {conn: dice.choice([cause for cause in CAUSES if cause != "blocked_drain"]) for conn in range(1, size + 1)}
    rows = []
    for conn, cause in fates.items():
        shift = dice.uniform(0, 60)
        rows += [Said(s.t + shift, conn, s.end, s.level, s.line) for s in seeded(cause, seed * 100 + conn)]
    return Case("crowd", sorted(rows, key=lambda said: said.t), fates)


def aged(said: Iterable[Said], family: str) -> list[Said]:
    """The same log in an older wording: 14 or 13 (asyncio), or 12 (legacy), as the library's own source has it."""
    rows: list[Said] = []
    for one in said:
        for line in _older(one.line, family, rows):
            rows.append(Said(one.t, one.conn, one.end, one.level, line))
    return rows


def _older(line: str, family: str, rows: list[Said]) -> list[str]:
    if line == "% sent keepalive ping":
        return ["% sending keepalive ping", rows.pop().line]
    if "websockets/" in line:
        return [line.rpartition("/")[0] + {"14": "/14.1", "13": "/13.1", "12": "/12.0"}[family]]
    if line.startswith("- timed out"):
        line = line if family == "14" else "!" + line[1:]
        return [line, "! failing connection with code 1011"] if family == "12" else [line]
    if family == "12" and line == "= connection is CLOSING":
        return [line, rows.pop().line]
    return [] if family == "12" and line.endswith(" EOF") else [line]


FAMILIES: dict[str, Callable[[Iterable[Said]], Iterable[Said]]] = {
    "15+": lambda said: said,
    "14": lambda said: aged(said, "14"),
    "13": lambda said: aged(said, "13"),
    "12": lambda said: aged(said, "12"),
}


# judging


def verdicts(rows: list[str]) -> list[Verdict]:
    """What the doctor says of each connection."""
    return [one for one in diagnose(rows).verdicts if one.connection]


def right(truth: str, cause: str) -> str:
    """How a verdict stands to the truth: right, vague, abstained or wrong."""
    if cause == truth:
        return "right"
    return "abstained" if cause == "unknown" else "vague" if cause in VAGUE.get(truth, ()) else "wrong"


def matrix(seeds: int = 4, causes: Iterable[str] = CAUSES) -> tuple[Counter[tuple[str, str, str]], list[str]]:
    """(truth, verdict, sure) of every whole log of one connection, in every family and format; and the wrong ones in words."""
    table: Counter[tuple[str, str, str]] = Counter()
    wrong = []
    for cause, seed, form, family in itertools.product(causes, range(seeds), FORMATS, FAMILIES):
        rows = render(FAMILIES[family](lone(cause, seed).said), form, random.Random(seed))
        for one in verdicts(rows):
            table[cause, one.cause, one.sure] += 1
            if right(cause, one.cause) == "wrong":
                wrong.append(f"{cause} seed {seed} in {form}, {family}: {one.sure} {one.cause}: {one.why}")
    return table, wrong


def of_crowd(seed: int, form: str) -> tuple[Counter[str], list[str]]:
    """How the verdicts on a crowd stand to the truth; where the format names no connections, to the truth of any of them."""
    case = crowd(seed)
    left, count, wrong = Counter(case.whose.values()), Counter(), []
    by_id = {_id(conn): cause for conn, cause in case.whose.items()}
    for one in verdicts(render(case.said, form, random.Random(seed))):
        if form in NAMED:
            stands = right(by_id[one.who], one.cause)
        else:
            stands = min((right(cause, one.cause) for cause in left if left[cause] > 0), key=RANKS.index, default="wrong")
            if stands in ("right", "vague"):
                left[next(cause for cause in left if left[cause] > 0 and right(cause, one.cause) == stands)] -= 1
        count[f"{one.sure} {stands}"] += 1
        if stands == "wrong":
            wrong.append(f"crowd {seed} in {form}: {one.sure} {one.cause}: {one.why}; truth {dict(case.whose)}")
    return count, wrong


def printed(table: Counter[tuple[str, str, str]]) -> Iterator[str]:
    """The matrix: a row a truth, a column a verdict, "certain/likely/possible"."""
    said = sorted({verdict for _, verdict, _ in table})
    yield f"{'truth':<15}" + "".join(f"{name:>16}" for name in said)
    for truth in dict.fromkeys(truth for truth, _, _ in table):
        cells = ["/".join(str(table[truth, verdict, sure]) for sure in ("certain", "likely", "possible")) for verdict in said]
        yield f"{truth:<15}" + "".join(f"{'·' if cell == '0/0/0' else cell:>16}" for cell in cells)


if __name__ == "__main__":
    table, wrong = matrix(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
    print("certain/likely/possible, by true cause (rows) and verdict (columns)")
    print(*printed(table), sep="\n")
    print(f"{len(wrong)} wrong", *wrong[:20], sep="\n  ")
    for form in FORMATS:
        counts: Counter[str] = Counter()
        odd: list[str] = []
        for seed in range(int(sys.argv[1]) * 3 if len(sys.argv) > 1 else 12):
            more, wrong = of_crowd(seed, form)
            counts, odd = counts + more, odd + wrong
        print(f"six at a time, {form}: {dict(sorted(counts.items()))}", *[one for one in odd if "certain" in one][:3], sep="\n    ")
