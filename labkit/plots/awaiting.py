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
from .axis import SECONDS, Axis
from .bars import Bar
from .blockage import ASLEEP, TASKS, Await, Blockage
from .figure import Figure, figure
from .labels import beside
from .layout import Panel
from .levels import byte_axis, many, stairs
from .marks import Area, Dot, Mark, Path, Rule, Says, Ticks
from .widths import width

WIDE, MARGINS = 9.0, (82.0, 44.0, 27.0, 33.0)  # inches; points
ROW, BAR, STEP = 25.0, 20.0, 14.0  # points: of an await, of a state, of a moment above the states
BYTES, GAP = 104.0, 20.0  # points: the panel of bytes, and between panels
AWAIT = 17.0  # points: how thick a blocked await is
LONG = 72 * WIDE - MARGINS[0] - MARGINS[2]  # points: the axis
RESTS: dict[tuple[str, ...], str] = {ASLEEP: "asleep", ("keepalive",): "waits for the pong"}
OVER = (*beside(8, (8, 18)), *beside(14, (28,)))
BESIDE_CUT = beside(5, (-8,))[::-1]
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
    sides = [Blockage(trace, one) for one in ENDS if end in (None, one)]
    story = max(sides, key=lambda one: max(count for _, count in one.waiting))
    r, floor = story.reading, ROW * len(story.rows) + GAP
    roof = floor + BYTES + GAP + 2.5 * BAR
    lanes = [(OTHER[story.end], roof - 2.5 * BAR, roof - 1.5 * BAR), (story.end, roof - BAR, roof)]
    for number, task in enumerate(reversed(story.rows)):
        lanes.append((_name(task), ROW * number + 4, ROW * number + 4 + AWAIT))
    moments = [*story.broken, *((t, "") for t in r.goodbyes(story.end))]  # "": close() is called
    high = roof + STEP * len(moments) + 22
    marks = (
        *ends.cuts(r, high, BESIDE_CUT),
        *(Says(says=ends.cut_words(r, cut)) for cut in r.cuts),
        *(bar for one in ENDS for bar in ends.states(r, one)),
        *_stairs(r.neat, sorted(moments), roof),
        *(_await(story, one) for row in story.rows.values() for one in row),
    )
    rows = [(t, 0 if what else 1) for t, what in moments]
    rows += [*((one.begin, 2) for one in story.blocked), *r.ticks]
    along = Axis(0.0, r.horizon, ends.ticks(r, rows), SECONDS)
    box = (0.0, floor / high, 1.0, (floor + BYTES) / high)
    panels = Panel(along, Axis(0.0, high), marks, tuple(lanes)), _buffer(story, box)
    broken = (("◇ promised by theory, and not kept", "stuck_words"),) if story.broken else ()
    size = WIDE, (high + MARGINS[1] + MARGINS[3]) / 72
    return Figure(
        finding(story), panels, ends.source(r), f"Blocked, at the {story.end}",
        size, MARGINS, asks="Which tasks wait, and for what?", known=r.stop, late=broken,
    )  # fmt: skip


def finding(story: Blockage) -> str:
    """The title: "OPEN for ever: the ping waits in drain(), …"."""
    if not story.blocked:
        return f"Nothing is blocked: the {story.end}'s write buffer never kept a task waiting"
    r, calls = story.reading, [one.call for one in story.blocked]
    names = (f"{call}()" if call else "keepalive's CLOSE" for call in calls)
    who = ends.listed([*dict.fromkeys(names)])
    if story.closed is not None:
        due = [t for t, what in story.broken if what == "close"]
        late = "in time, although"
        if due:
            late = f"{story.at(story.closed - due[-1])} after it was due:"
        return f"CLOSED at {story.at(story.closed)}, {late} {who} waited in drain()"
    how_long = " for ever" if story.is_still else f", still at {story.at(story.trace.end)}"
    if r.noticed(story.end) is not None:
        close = "close()" if "close" in calls else "keepalive's CLOSE"
        after = "and close_timeout is looked at only after that"
        return f"CLOSING{how_long}: {close} waits in drain(), {after}"
    healed = [cut for cut in r.cuts if r.heal(cut) <= story.trace.end]
    if healed:
        never = f"Cut for {story.at(r.heal(healed[-1]) - healed[-1].start)}, and the {story.end}"
        whose = "its ping" if "ping" in calls else who
        return f"{never} never noticed: {whose} waited in drain(), and no timer ran"
    if all(one.stop < r.horizon for one in story.blocked):
        longest = max(one.stop - one.begin for one in story.blocked)
        return f"OPEN: {who} waited in drain(), at most for {story.at(longest)}"
    if "ping" in calls:
        return f"OPEN{how_long}: the ping waits in drain(), and its timer starts only after that"
    return f"OPEN{how_long}: {who} waits in drain()"


def _stairs(neat: Any, moments: list[tuple[float, str]], roof: float) -> Iterator[Mark]:
    """◇ and calls of close(), each a step lower than the one before, so that words have room."""
    for number, (t, what) in enumerate(moments):
        y, when = roof + STEP * (len(moments) - number), neat(t)
        sign, ink, text, says = "CLOSE", "ink", "close()", f"close() is called at {when} s"
        if what:
            sign, ink, text = "not kept", "stuck_words", f"{when} due: {what}"
            says = f"Theory, without traffic: {what} due at {when} s, and it did not happen"
        yield Dot(t, y, sign, places=beside(9), known=t, wordings=(text,), ink=ink, says=says)
        yield Rule(t, roof, y - 6, ink.removesuffix("_words"), around=False, known=t)
    yield Ticks(tuple(t for t, _ in moments), 0.0, -4.0, "ink")


# bytes


def _buffer(story: Blockage, box: tuple[float, float, float, float]) -> Panel:
    """The bytes in the write buffer, its limit, and where PING and CLOSE wait among them."""
    most, last = max(count for _, count in story.waiting), story.reading.horizon
    top = 1.42 * max(story.limit, most)
    marks: list[Mark] = [
        Area(tuple((t, 0, count) for t, count in story.waiting), last, "buffer"),
        Path(((0.0, top), *stairs(story.waiting, last)), known=0.0),
    ]
    if story.waits_under_limit:
        why = f"low-water mark, {story.low:,} bytes: drain() waits until here"
        short = ("low-water mark:\ndrain() waits until here", "low-water mark")
        marks += ends.level(last, story.low, (why, *short), ends.capital(why))
    size = f"write_limit, {story.limit:,} bytes"
    texts = (f"{size}: above it drain() waits", size, "write_limit")
    limit = f"write_limit {many(story.limit)}"
    said = f"In the write buffer at most {many(most)}, {limit}"
    marks += ends.level(last, story.limit, texts, said, so_far=ends.capital(limit))
    for t, opcode, count in story.behind[:MOST]:
        long = f"{opcode} waits here, behind {many(count)}"
        wordings = (long, long.replace(", ", ",\n"), long.replace(" waits here,", ""), opcode)
        says = f"At {story.at(t)} {long.replace('here', 'there')}"
        y = count + 5 * top / BYTES
        marks.append(
            Dot(
                t,
                y,
                opcode,
                wordings=wordings,
                places=OVER,
                says=says,
                ink="ping_words" if opcode == "PING" else "ink",
                known=t,
            )
        )
    across = byte_axis(0.0, top, f"{story.end}'s write buffer")
    return Panel(Axis(0.0, last), across, tuple(marks), box=box)


# awaits


def _name(task: str) -> str:
    """A task as a reader knows it: "keepalive", "send()", "close() again"."""
    word, _, number = task.partition(" ")
    number = "again" if number == "2" else number
    return f"{TASKS.get(word, word)} {number}".strip()


def _await(story: Blockage, one: Await) -> Mark:
    """A thin grey line while the task only sleeps, hatched while it is blocked."""
    name, last = _name(one.task), story.reading.horizon
    if not one.drain:
        text = "waits for close_timeout" if one.call == "close" else RESTS.get(one.chain, "")
        fits = width(text, 8) < (one.stop - one.begin) / last * LONG
        return Path(
            ((one.begin, name), (one.stop, name)),
            "rule",
            4.0,
            z=2.0,
            wordings=(text,) if fits else (),
            ink="faint",
            sizes=(8.0,),
            places=((0, 3.5, "center", "bottom"),),
            known=one.begin,
        )
    texts, plain = _blocked(story, one)
    look: dict[str, Any] = {"known": one.begin}
    if one in story.blocked[:MOST]:
        until = "to the end" if one.stop >= last else f"to {story.at(one.stop)}"
        begins = f"{name} from {story.at(one.begin)}"
        look |= {"says": f"{begins} {until}: {texts[0]}", "so_far": f"{begins}: {plain[0]}"}
    return Bar(one.begin, one.stop, name, "blocked", wordings=texts, meanwhile=plain, **look)


def _blocked(story: Blockage, one: Await) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """In which await a task is: with the timer that it keeps from running, and without."""
    peer, what = story.trace.experiment.peer(story.end), f"{one.drain.lstrip('_')}()"
    call, timer = f"{one.call}()" if one.call else "CLOSE 1011", ""
    if one.call == "ping" and one.task == "keepalive" and peer.ping_timeout is not None:
        when = "never starts" if story.closed is None else "never started"
        if one.stop < (story.closed or story.reading.horizon):
            when = f"starts at {story.at(one.stop)}"
        timer = f", so the {peer.ping_timeout:g} s timer {when}"
    elif one.call in ("", "close") and peer.close_timeout is not None:
        timer = f", so close_timeout ({peer.close_timeout:g} s) ends nothing"
    plain = f"{call}: blocked in {what}", f"{call}: {what}", what, call
    return (plain[0] + timer, plain[1] + timer, *plain), plain
