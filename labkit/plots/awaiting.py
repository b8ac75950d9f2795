"""When does the timer never start? States, bytes waiting, and which await each task is in.

                        ◇ 15 due: notice                  what theory promised, and was not kept
                              ◇ 17 due: close
    server      OPEN ━━━┃ believes OPEN ━━━━━━━━━━
    bytes       ▁▁▁▁▁▁▁▁┃▟███████▼ PING waits here        - - - write_limit
    send()      ────────┃▨▨ send(): blocked in drain() ▨▨
    keepalive   ────────┃──▨▨ ping(): blocked in drain(), so the 3 s timer never starts ▨▨

It turns a trace into marks and runs nothing; what is so is found out in blockage.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..trace import OTHER, Trace
from ..values.faults import ENDS
from . import ends
from .axis import SECONDS, Axis, Tick, nice
from .bars import Bar
from .blockage import ASLEEP, TASKS, Await, Blockage
from .ends import capital, listed
from .figure import Figure, figure
from .labels import Place, beside
from .layout import Panel
from .marks import DASHED, Area, Dot, Label, Mark, Path, Rule, Says, Ticks
from .reservoirs_words import many
from .widths import width

WIDE, MARGINS = 9.0, (82.0, 44.0, 27.0, 33.0)  # inches; points
ROW, BAR, STEP = 25.0, 20.0, 14.0  # points: of an await, of a state, of a moment above the states
BYTES, GAP = 104.0, 20.0  # points: the panel of bytes, and between panels
AWAIT = 17.0  # points: how thick a blocked await is
LONG = 72 * WIDE - MARGINS[0] - MARGINS[2]  # points: the axis
RESTS: dict[tuple[str, ...], str] = {ASLEEP: "asleep", ("keepalive",): "waits for the pong"}
OVER: tuple[Place, ...] = (*beside(8, (8, 18)), *beside(14, (28,)))
BESIDE_CUT: tuple[Place, ...] = ((-5, -8, "right", "center"), (5, -8, "left", "center"))
MOST = 6  # so many awaits are told in the alt text, and so many frames in the buffer are shown


@figure
def blocked(trace: Trace, *, end: str | None = None) -> Figure:
    """Who waits for the write buffer of ``end``, and what did not happen meanwhile.

    ``end`` is "server" or "client", or else the one where more bytes wait. ◇ is what theory
    predicts for the same experiment without its traffic, where the fact is not there by then.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"blocked() takes a trace, seen {trace!r}: theory awaits nothing")
    if end not in (None, *ENDS):
        raise ValueError(f"blocked() takes end='server' or end='client', seen {end!r}")
    most = {one: max((count for _, count in trace.waiting(one)), default=0) for one in ENDS}
    story = Blockage(trace, end or max(ENDS, key=lambda one: most[one]))
    r, floor = story.reading, ROW * len(story.rows) + GAP
    roof = floor + BYTES + GAP + 2.5 * BAR
    lanes = [(OTHER[story.end], roof - 2.5 * BAR, roof - 1.5 * BAR), (story.end, roof - BAR, roof)]
    for number, task in enumerate(reversed(story.rows)):
        lanes.append((_name(task), ROW * number + 4, ROW * number + 4 + AWAIT))
    high = roof + STEP * len(_moments(story)) + 22
    marks = (
        *ends.cuts(r, high, BESIDE_CUT),
        *(Says(says=ends.cut_words(r, cut)) for cut in r.cuts),
        *(bar for one in ENDS for bar in ends.states(r, one)),
        *_stairs(story, roof),
        *(_await(story, one) for row in story.rows.values() for one in row),
    )
    along = Axis(0.0, r.horizon, ends.ticks(r, _ticks(story)), SECONDS)
    box = (0.0, floor / high, 1.0, (floor + BYTES) / high)
    panels = Panel(along, Axis(0.0, high), marks, tuple(lanes)), _buffer(story, box)
    promised = (("◇ promised by theory, and not kept", "stuck_words"),) if story.broken else ()
    size = WIDE, (high + MARGINS[1] + MARGINS[3]) / 72
    return Figure(
        finding(story), panels, (*promised, *ends.source(r)), f"Blocked, at the {story.end}",
        size, MARGINS, asks="Which tasks wait, and for what?", known=r.stop,
    )  # fmt: skip


def finding(story: Blockage) -> str:
    """The title: "OPEN for ever: the ping waits in drain(), …"."""
    if not story.blocked:
        return f"Nothing is blocked: the {story.end}'s write buffer never kept a task waiting"
    r, calls = story.reading, {one.call for one in story.blocked}
    names = (f"{one.call}()" if one.call else "keepalive's CLOSE" for one in story.blocked)
    who = listed([*dict.fromkeys(names)])
    if story.closed is not None:
        due = [one.t for one in story.broken if one.what == "close"]
        late = (
            f"{story.at(story.closed - due[-1])} after it was due:" if due else "in time, although"
        )
        return f"CLOSED at {story.at(story.closed)}, {late} {who} waited in drain()"
    open_end = f"until {story.at(story.trace.end)}, and no end in sight"
    how_long = "for ever" if story.is_still else open_end
    if r.noticed(story.end) is not None:
        who = "close()" if "close" in calls else "keepalive's CLOSE"
        return (
            f"CLOSING {how_long}: {who} waits in drain(), and close_timeout counts only after that"
        )
    healed = [cut for cut in r.cuts if r.heal(cut) <= story.trace.end]
    if healed:
        long, who = r.heal(healed[-1]) - healed[-1].start, "its ping" if "ping" in calls else who
        never = f"Cut for {story.at(long)}, and the {story.end} never noticed"
        return f"{never}: {who} waited in drain(), and no timer ran"
    if all(one.stop < r.horizon for one in story.blocked):
        longest = max(one.stop - one.begin for one in story.blocked)
        return f"OPEN: {who} waited in drain(), at most for {story.at(longest)}"
    if "ping" in calls:
        return f"OPEN {how_long}: the ping waits in drain(), and its timer starts only after that"
    return f"OPEN {how_long}: {who} waits in drain()"


# above the states


def _moments(story: Blockage) -> list[tuple[float, str]]:
    """(s, what was due then); when the application called close(), "" in its place."""
    calls = [(t, "") for t in story.reading.goodbyes(story.end)]
    return sorted([*calls, *((one.t, one.what) for one in story.broken)])


def _stairs(story: Blockage, roof: float) -> Iterator[Mark]:
    """◇ and calls of close(), each a step lower than the one before, so that words have room."""
    moments = _moments(story)
    for number, (t, what) in enumerate(moments):
        y, when = roof + STEP * (len(moments) - number), story.reading.neat(t)
        look: dict[str, Any] = {"places": beside(9), "known": t}
        if what:
            says = f"Theory, without traffic: {what} due at {when} s, and it did not happen"
            look |= {"wordings": (f"{when} due: {what}",), "ink": "stuck_words", "says": says}
        else:
            look |= {"wordings": ("close()",), "says": f"close() is called at {when} s"}
        yield Dot(t, y, "not kept" if what else "CLOSE", **look)
        yield Rule(t, roof, y - 6, "stuck" if what else "ink", around=False, known=t)
    yield Ticks(tuple(t for t, _ in moments), 0.0, -4.0, "ink")


def _ticks(story: Blockage) -> Iterator[tuple[float, int]]:
    """(s, weight) of what happens."""
    yield from ((t, 0 if what else 1) for t, what in _moments(story))
    yield from ((one.begin, 2) for one in story.blocked)
    yield from story.reading.ticks


# bytes


def _buffer(story: Blockage, box: tuple[float, float, float, float]) -> Panel:
    """The bytes in the write buffer, its limit, and where PING and CLOSE wait among them."""
    most, last = max(count for _, count in story.waiting), story.reading.horizon
    top = 1.42 * max(story.limit, most)
    step = nice(top / 4)
    sizes = [many(round(k * step)).replace(".0 ", " ") for k in range(int(top / step) + 1)]
    ticks = (Tick(k * step, text if k else "0") for k, text in enumerate(sizes))
    across = Axis(0.0, top, tuple(ticks), f"{story.end}'s write buffer", size=8.5)
    stops = [*(t for t, _ in story.waiting[1:]), last]
    line = [(t, n) for (a, n), b in zip(story.waiting, stops) for t in (a, b)]
    said = f"In the write buffer at most {many(most)}, write_limit {many(story.limit)}"
    marks: list[Mark] = [
        Area(tuple((t, 0, count) for t, count in story.waiting), last, "buffer"),
        Path(((0.0, top), (0.0, 0.0), *line)),
    ]
    if story.waits_under_limit:
        why = f"low-water mark, {story.low:,} bytes: drain() waits until here"
        short = ("low-water mark:\ndrain() waits until here", "low-water mark")
        marks += _level(last, story.low, (why, *short), capital(why))
    size = f"write_limit, {story.limit:,} bytes"
    marks += _level(last, story.limit, (f"{size}: above it drain() waits", size, size[:11]), said)
    marks += [_waits(story, *one, top / BYTES) for one in story.behind[:MOST]]
    return Panel(Axis(0.0, last), across, tuple(marks), box=box)


def _level(last: float, level: int, wordings: tuple[str, ...], says: str) -> Iterator[Mark]:
    """A dashed line, and what it means for drain()."""
    places = ((4.0, 3.0, "left", "bottom"), (4.0, -3.0, "left", "top"))
    yield Path(((0.0, level), (last, level)), wide=1.2, dash=DASHED, z=4.0)
    yield Label(0.0, level, wordings=wordings, places=places, says=says)


def _waits(story: Blockage, t: float, opcode: str, count: int, point: float) -> Mark:
    """Where a PING or a CLOSE got into the buffer; ``point`` is a point of height, in bytes."""
    long = f"{opcode} waits here, behind {many(count)}"
    wordings = (long, long.replace(", ", ",\n"), f"{opcode} behind {many(count)}", opcode)
    says = f"At {story.at(t)} {long.replace('here', 'there')}"
    ink = "ping_words" if opcode == "PING" else "ink"
    look: dict[str, Any] = {"ink": ink, "places": OVER, "says": says, "known": t}
    return Dot(t, count + 5 * point, opcode, wordings=wordings, **look)


# awaits


def _name(task: str) -> str:
    """A task as a reader knows it: "keepalive", "send()", "close() again"."""
    word, _, number = task.partition(" ")
    word = TASKS.get(word, word)
    return f"{word} again" if number == "2" else f"{word} no. {number}" if number else word


def _await(story: Blockage, one: Await) -> Mark:
    """A thin grey line while the task only sleeps, hatched while it is blocked."""
    name, last = _name(one.task), story.reading.horizon
    if not one.drain:
        text = "waits for close_timeout" if one.call == "close" else RESTS.get(one.chain, "")
        fits = width(text, 8) < (one.stop - one.begin) / last * LONG
        look: dict[str, Any] = {"wordings": (text,) if fits else (), "ink": "faint"}
        look |= {"sizes": (8.0,), "places": ((0, 3.5, "center", "bottom"),), "known": one.begin}
        return Path(((one.begin, name), (one.stop, name)), "rule", 4.0, z=2.0, **look)
    texts, says = _blocked(story, one), ""
    if one in story.blocked[:MOST]:
        until = "to the end" if one.stop >= last else f"to {story.at(one.stop)}"
        says = f"{name} from {story.at(one.begin)} {until}: {texts[0]}"
    look = {"wordings": texts, "says": says, "known": one.begin}
    return Bar(one.begin, one.stop, name, "blocked", **look)


def _blocked(story: Blockage, one: Await) -> tuple[str, ...]:
    """In which await a task is, and which timer it keeps from running."""
    peer, what = story.trace.experiment.peer(story.end), f"{one.drain.lstrip('_')}()"
    call, timer = f"{one.call}()" if one.call else "CLOSE 1011", ""
    if one.call == "ping" and one.task == "keepalive" and peer.ping_timeout is not None:
        never = "never starts" if story.closed is None else "never started"
        ended = one.stop >= (story.closed or story.reading.horizon)
        when = never if ended else f"starts at {story.at(one.stop)}"
        timer = f", so the {peer.ping_timeout:g} s timer {when}"
    elif one.call in ("", "close") and peer.close_timeout is not None:
        timer = f", so close_timeout ({peer.close_timeout:g} s) ends nothing"
    short = f"{call}: blocked in {what}"
    return short + timer, f"{call}: {what}{timer}", short, f"{call}: {what}", what, call
