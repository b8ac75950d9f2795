"""Alive, yet killed: how long loops did not run, how long pings waited, who is blamed.

    seconds   ╱│  ╱│          pale: the loop has not run for so long;  ▼ a ping waits, △ its pong
    of   ----╱-│-✕-│------    ping_timeout
    waiting ╱  │╱  │
    server   OPEN ━━━━━━━│ CLOSING │ CLOSED
    wire        ▒▒▒▒▒▒▒▒      the messages that the fatal ping waited behind
    client   OPEN ━▒▒▒▒▒▒▒▒▒━━━━│
    blamed   the client …
    did it   the client: its event loop …

It turns a trace into marks and runs nothing; what is so is found out in blame.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from ..trace import Trace
from ..values.faults import ENDS
from . import ends
from .axis import SECONDS, Axis, Tick
from .bars import Bar
from .blame import Blame, Block, Ping, long
from .figure import Figure, figure
from .labels import beside
from .layout import Panel
from .marks import ALWAYS, DOTTED, Dot, Label, Mark, Path, Says
from .states import spans

SIZE, MARGINS, HIGH = (9.0, 4.9), (58.0, 44.0, 25.0, 26.0), 283.0  # inches; points; points
BAR, ROW, VERDICT = 18.0, 27.0, 42.0  # points: a state, from one to the next; the lowest panel
STRANGE = {  # OPEN, and yet no answer: the longest wording, and shorter ones; the first is a fill
    "its loop is blocked": ("loop blocked", "blocked"),
    "reads no more: queue full": ("reads no more", "deaf"),
}
MOST = 3  # so many blocks are told in words
ABOVE, BELOW = 24.0, 14.0  # points: kept free around the seconds of waiting, for words
TIP = (*beside(8, (-4, -14)), *beside(40, (-22, -44)))  # of a ramp
CROSS, PONG = beside(8, (-10, 9, -22)), beside(8, (-2, 13, 26, -14, -34, -56))
OVER = beside(5, (-8,))[::-1]  # a cut's words


@figure
def lag(trace: Trace) -> Figure:
    """Loop lag, pings and pongs of a trace, who is blamed, and who did it.

    Upwards are seconds of waiting: a ramp says for how long an end's loop has not run, a blue line
    for how long a ping has had no answer; where it crosses ping_timeout, its sender gives up.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"lag() takes a trace, seen {trace!r}: theory blames nobody")
    blame = Blame(trace)
    r, front = blame.reading, _front(blame)
    names = ["client", *(["wire"] if front else []), "server"]
    lanes = [(name, VERDICT + ROW * k, VERDICT + ROW * k + BAR) for k, name in enumerate(names)]
    marks = (
        *ends.cuts(r, HIGH, OVER),
        *(Says(says=ends.cut_words(r, cut)) for cut in r.cuts),
        *(bar for end in ENDS for bar in _states(blame, end)),
        *front,
    )
    seen = (0.0, VERDICT / HIGH, 1.0, 1.0)
    panels = (
        Panel(Axis(0.0, r.horizon), Axis(VERDICT, HIGH), marks, tuple(lanes), box=seen),
        _waiting(blame, VERDICT + ROW * len(names)),
        _verdict(blame),
    )
    return Figure(
        blame.finding, panels, ends.source(r), "Loop lag, pings and pongs", SIZE, MARGINS,
        asks="Does anybody give up, and who did it?", known=blame.died,
    )  # fmt: skip


# the two ends, and between them


def _states(blame: Blame, end: str) -> Iterator[Bar]:
    """The states of an end; where its loop was blocked or it read no more, hatched."""
    r, row, (blocked, deaf) = blame.reading, spans(blame.reading, end), STRANGE
    blocks = (block for block in blame.blocks if block.end == end)
    strange = [(b.start, b.stop if b.over else r.horizon, blocked) for b in blocks]
    since = blame.unread_since(end)
    if since is not None:
        strange.append((since, r.noticed(end) or r.horizon, deaf))
    for begin, stop, words in strange:  # three parts of each span: before, within, after
        pieces = [
            part
            for span in row
            for part in (
                replace(span, stop=min(span.stop, begin)),
                replace(
                    span, begin=max(span.begin, begin), stop=min(span.stop, stop), belief=words
                ),
                replace(span, begin=max(span.begin, stop)),
            )
        ]
        row = [piece for piece in pieces if piece.stop - piece.begin > r.tolerance]
    for bar in ends.states(r, end, row):
        short = STRANGE.get(bar.wordings[0])
        if short:
            bar = replace(bar, wordings=(bar.wordings[0], *short), fill=short[0])
        yield bar


def _front(blame: Blame) -> list[Mark]:
    """The messages that the fatal ping waited behind, if it was the wire that was slow."""
    if blame.culprit != ("wire", "slow"):
        return []
    r, frames = blame.reading, blame.before
    begin = min(frame.sent_at for frame in frames)
    stop = max(frame.arrived_at or r.stop for frame in frames)
    size = f"{blame.size:,} bytes of messages"
    says = f"From {r.neat(begin)} to {r.neat(stop)} s {size} were in the wire"
    wordings = (f"{size}, in front of the ping", size, f"{blame.size:,} bytes")
    return [Bar(begin, stop, "wire", "wire", wordings=wordings, says=says, known=begin)]


# seconds of waiting


def _waiting(blame: Blame, floor: float) -> Panel:
    """Ramps and pings against ping_timeout; of very long waits only the beginning is shown."""
    r, limits = blame.reading, defaultdict(list)  # ping_timeout (s): whose it is
    for end in ENDS:
        peer = blame.trace.experiment.peer(end)
        if peer.keepalive and peer.ping_timeout is not None:
            limits[peer.ping_timeout].append(end)
    waits = [block.stop - block.start for block in blame.blocks]
    waits += [blame.waits_until(ping) - ping.sent for ping in blame.pings]
    longest = max([*waits, *(1.5 * limit for limit in limits), 0.1])
    top = 1.12 * min(longest, 5 * max(limits, default=longest))
    point = top / (HIGH - floor - ABOVE - BELOW)
    marks: list[Mark] = [Path(((0.0, 0.0), (r.horizon, 0.0)), "rule", 1.0, z=1.0)]
    for ping in blame.pings:
        marks += _ping(blame, ping, top, point)
    for limit, owners in sorted(limits.items()):
        said = f"The {ends.listed(owners)}'s ping_timeout is {long(limit)}"
        marks += ends.level(r.horizon, limit, ("ping_timeout",), said)
    for number, block in enumerate(blame.blocks):
        marks += _ramp(blame, block, top, number < MOST)
    ticks = tuple(Tick(value, long(value)) for value in (0.0, *sorted(limits)))
    across = Axis(-BELOW * point, top, ticks, size=9.0)
    box = (0.0, floor / HIGH, 1.0, 1 - ABOVE / HIGH)
    return Panel(Axis(0.0, r.horizon), across, tuple(marks), box=box)


def _climb(a: float, b: float, top: float) -> tuple[tuple[float, float], ...]:
    """A waiting from ``a`` to ``b`` (s): a second up for each second, up to ``top``."""
    return (a, 0.0), (min(b, a + top), min(b - a, top)), (b, min(b - a, top))


def _ramp(blame: Blame, block: Block, top: float, is_told: bool) -> Iterator[Mark]:
    """For how long a loop has not run: it climbs while the loop is blocked."""
    line = _climb(block.start, block.stop, top)
    yield Path((*line, (block.stop, 0.0)), wide=1.2, fill="belief", z=1.6, known=block.stop)
    if is_told:
        text = f"the {block.end}'s loop has not run for {long(block.stop - block.start)}"
        texts = (text, text.replace(" has not", "\nhas not"))
        says = f"The {block.end}'s loop was blocked {blame.span(block)}"
        yield Label(*line[1], wordings=texts, places=TIP, says=says, known=block.stop)


def _ping(blame: Blame, ping: Ping, top: float, point: float) -> Iterator[Mark]:
    """A ping: its line climbs until the answer is read, or its sender gives up."""
    is_fatal = ping is blame.fatal
    stop = blame.died if is_fatal else blame.waits_until(ping)
    line, name = _climb(ping.sent, stop, top), ("PING",) if is_fatal else ()
    yield Dot(
        ping.sent, -5 * point, "PING",
        wordings=name, places=beside(7, (-4,)), ink="ping_words", known=ping.sent,
    )  # fmt: skip
    yield Path(line, "ping", 1.3 if is_fatal else 1.8, z=3.9, known=ping.sent)
    if is_fatal:
        yield Path(line, "stuck", 1.8, z=4.0, known=stop)
        gives_up = f"the {ping.sender} gives up: 1011"
        texts = (f"{gives_up} keepalive ping timeout", gives_up)
        yield Dot(
            *line[-1],
            "stuck",
            says=blame.steps(ping),
            known=stop,
            wordings=texts,
            places=CROSS,
            ink="stuck_words",
        )
    if ping.back is not None:
        late, when = _climb(ping.sent, ping.back, top), blame.pong(ping) if is_fatal else ()
        over = ALWAYS if ping.read is None else ping.read
        if ping.back > stop:
            yield Path(late, "ping", 1.3, DOTTED, known=ping.back)
        yield Dot(
            ping.back,
            late[-1][1] + 5 * point,
            "PONG",
            wordings=when,
            places=PONG,
            points="up",
            known=ping.back,
            over=over,
            meanwhile=when[1:],
            ink="ping_words",
        )


# the verdict, on the axis


def _verdict(blame: Blame) -> Panel:
    """Who is blamed, and who did it."""
    marks, r = [], blame.reading
    rows = ("blamed", blame.blamed, "stuck_words"), ("did it", blame.did_it, "ink")
    for name, text, ink in rows:
        marks.append(
            Label(
                0.0,
                name,
                says=f"{ends.capital(name)}: {text}",
                wordings=(text, text.partition(":")[0]),
                ink=ink,
                places=beside(4)[:1],
                sizes=(9.5, 8.5, 7.5),
                known=blame.died,
            )
        )
    moments = [(t, 1) for block in blame.blocks[:MOST] for t in (block.start, block.stop)]
    if ping := blame.fatal:
        late = [t for t in (ping.back, ping.read) if t is not None]
        moments += [(blame.died, 0), (ping.sent, 1), *((t, 2) for t in late)]
    lanes, box = (("blamed", 26.0, 26.0), ("did it", 9.0, 9.0)), (0.0, 0.0, 1.0, VERDICT / HIGH)
    along = Axis(0.0, r.horizon, ends.ticks(r, [*moments, *r.ticks]), SECONDS)
    return Panel(along, Axis(0.0, VERDICT), tuple(marks), lanes, box=box)
