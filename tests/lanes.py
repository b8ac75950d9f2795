"""The lanes in which the faults of a wire are seen, and what two of them mean there together.

A *lane* is one direction of one connection. In each, numbered probes are sent at known times, some
lanes close or reset themselves, some are quiet for seconds. What a fault means alone is what it
changes there: when each probe arrives, and when FIN and RST do.

    reach(A)    from A's beginning to its end, and on until all that A alone has changed has arrived;
                without end in a lane that A has killed
    meets       a fault meets the lanes of its direction; Limit and Idle, which hang up both ways, and
                Cut, which takes the other direction's acknowledgements, meet those that they change alone
    apart       A does not meet the lane, or reach(A) ends before B begins

Two that are apart must not change one another. Of two that are not, each must hold as long as it is
in force (nothing comes earlier than with one of them), what is lost with one is lost with both, FIN
and RST of a box are heard, and when one is over, all is as with the other alone.

One thing they share: TCP counts its tries from the oldest byte that a silence takes, and the other act may move that byte, or the
acknowledgement that is lost with it. Where it has, the tries are other ones than each act's alone; what TCP holds meanwhile comes when
they say, and only from then on are times compared.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from functools import cache
from typing import Any

from labkit.values.experiment import order
from labkit.values.faults import (
    FLOW,
    OTHER,
    Act,
    Cut,
    Delay,
    Fault,
    HangUp,
    Idle,
    Limit,
    Reset,
    Slice,
    Throttle,
    Tunnel,
)
from labkit.values.sender import DELAYED
from labkit.wires.pipe import EOF, RESET, Pipe
from labkit.wires.virtual import VirtualWire

LATENCY = 0.05  # s
SIZE = 10  # bytes of a probe
LAST = 24.0  # s; no probe is sent after this
ANSWERED = 2 * LATENCY + DELAYED  # s; so late is all that has come acknowledged
NEVER = math.inf
LANES = [  # of each connection: s between two probes, how it closes itself, and when (s)
    (0.4, None, NEVER), (0.4, EOF, 4.3), (0.4, EOF, 9.1), (0.4, EOF, 15.3), (0.4, RESET, 5.1), (0.4, RESET, 14.3),
    (2.9, None, NEVER), (2.9, EOF, 13.7),
]  # fmt: skip
Lane = tuple[int, str]  # connection, sender


@dataclasses.dataclass(frozen=True)
class Heard:
    """What came out of a lane: when each probe was whole, the first FIN, the first RST (s; NEVER)."""

    probes: tuple[float, ...]
    fin: float
    rst: float
    hung_up: bool = dataclasses.field(compare=False)  # this connection was forgotten, or at a limit
    tries: tuple[float, ...] = dataclasses.field(compare=False)  # when the sender's TCP sent something again (s)

    @property
    def all(self) -> tuple[float, ...]:
        return (*self.probes, self.fin, self.rst)


class Ear:
    """Takes whatever arrives, and keeps when."""

    is_full = dead = False
    told = None

    def __init__(self, wire: VirtualWire, out: Pipe) -> None:
        self.wire, self.out, self.items = wire, out, []

    def wake(self) -> None:
        """Nobody waits."""

    def receive(self, item: bytes | None) -> int:
        self.items.append((self.wire.now(), item))
        return len(item or b"")

    def heard(self, count: int, hung_up: bool, tries: list[float]) -> Heard:
        """As times of probes; what has come must be a beginning of what was sent."""
        stream, probes = b"", []
        for when, item in self.items:
            stream += item or b""
            probes += [when] * (len(stream) // SIZE - len(probes))
        assert b"".join(map(probe, range(count))).startswith(stream)
        firsts = [min((when for when, item in self.items if item == what), default=NEVER) for what in (EOF, RESET)]
        return Heard((*probes, *[NEVER] * (count - len(probes))), *firsts, hung_up, tuple(tries))


class Tap:
    """Keeps when each lane's TCP tried again (s)."""

    def __init__(self) -> None:
        self.tries: dict[Lane, list[float]] = defaultdict(list)

    def sent(self, *_: Any) -> None:
        """The ears know better."""

    arrived = sent

    def tcp(self, when: float, conn: int, end: str, what: str, **_: Any) -> None:
        if what == "retransmission":
            self.tries[conn, end].append(when)


def probe(number: int) -> bytes:
    return b"%0*d" % (SIZE, number)


def sendings(connection: int) -> list[float]:
    """When the probes of a connection are sent (s)."""
    every, _, closes = LANES[connection - 1]
    times = [round(0.2 + every * n + 0.013 * connection, 3) for n in range(int(LAST / every))]
    return [t for t in times if t < min(closes, LAST)]


@cache
def hear(*faults: Fault) -> dict[Lane, Heard]:
    """What comes out of each lane of a wire on which these faults happen."""
    wire = VirtualWire(LATENCY, dict.fromkeys(FLOW))
    ears, hung_up = {}, set()
    wire.tell = lambda what, connection, **_: hung_up.add(connection)
    wire.tap = tap = Tap()
    for number in range(1, len(LANES) + 1):
        _, pipes = wire.lay()
        _, how, closes = LANES[number - 1]
        for sender, pipe in pipes.items():
            ears[number, sender] = wire.sinks[pipe] = Ear(wire, pipes[OTHER[sender]])
            for n, when in enumerate(sendings(number)):
                wire.time.at(when, lambda pipe=pipe, n=n: wire.push(pipe, probe(n)))
            if closes < NEVER:
                wire.time.at(closes, lambda pipe=pipe, how=how: wire.push(pipe, how))
    for when, step, fault in order(faults):
        wire.at(when, lambda fault=fault, step=step: wire.do(fault, step))
    wire.wait(lambda: False, 1000.0)
    wire.close({})
    return {lane: ear.heard(len(sendings(lane[0])), lane[0] in hung_up, tap.tries[lane]) for lane, ear in ears.items()}


def meets(fault: Fault, lane: Lane) -> bool:
    """Whether a fault can be felt in a lane."""
    if isinstance(fault, (Cut, Idle, Limit)):
        alone = hear(fault)[lane]
        return alone.hung_up or alone != hear()[lane] or alone.tries != ()
    return fault.meets(FLOW[lane[1]])


def reach(fault: Fault, lane: Lane) -> float:
    """Until when a fault, alone, is felt in a lane (s)."""
    alone, before = hear(fault)[lane], hear()[lane]
    there = list(zip(alone.all, before.all))
    if any(seen == NEVER != once for seen, once in there):
        return NEVER
    felt = [t for pair in there if pair[0] != pair[1] for t in pair if t < NEVER]
    return max([fault.start, fault.over or fault.start, *felt, *[t + ANSWERED for t in alone.tries]])


def broken(one: Fault, two: Fault) -> str | None:
    """In which lane two faults do not mean what each means alone, in words; None if in none.

    If only one of them is ever over, or one is over earlier, that is ``one``.
    """
    for lane in hear():
        base, a, b, both = (hear(*faults)[lane] for faults in ((), (one,), (two,), (one, two)))
        problem = _unheard(one, two, lane, a, both) or _unheard(two, one, lane, b, both)
        if moves_a_clock(one, two, lane[0]):
            problem = problem or _in_a_cut(one, two, lane, both) or _recovered(one, two, lane, b, both)
        else:
            problem = problem or _afterwards(one, two, lane, b, both)
            if not (_uncounted(one, two, lane) or _uncounted(two, one, lane)):
                problem = problem or _apart(one, two, lane, base, a, b, both) or _apart(two, one, lane, base, b, a, both)
                problem = problem or _earlier(a, b, both)
        if problem:
            return f"{one!r} and {two!r} in {lane}: {problem}"
    return None


def _uncounted(one: Fault, two: Fault, lane: Lane) -> bool:
    """Whether bytes go nowhere before a limit counts them."""
    if not (isinstance(one, (HangUp, Reset)) and isinstance(two, Limit)):
        return False
    return any(one.start <= hear(two)[lane[0], sender].fin for sender in FLOW)


LATER = (Slice, Throttle, Delay, Tunnel)  # let bytes come later: into a tunnel, too


def through_a_tunnel(one: Act, two: Act) -> bool:
    """Whether bytes that come later come into a tunnel."""
    return any(isinstance(this, Tunnel) and isinstance(other, LATER) for this, other in ((one, two), (two, one)))


def moves_a_clock(one: Fault, two: Fault, connection: int) -> bool:
    """Whether TCP counts its tries from another byte than with each fault alone: when it tries, and what waits for that, is its own.

    A fault that touches a silence may move the oldest byte that the silence takes, or the acknowledgement that it takes. Whether it
    has is seen in the tries: otherwise they are those of each alone. (A tunnel's are not told of, and nobody tries an RST again.)
    """
    first, second = sorted((one, two), key=lambda fault: fault.start)
    if max(reach(first, (connection, sender)) for sender in FLOW) < second.start:
        return False
    if through_a_tunnel(one, two):
        return True
    for this, other in ((one, two), (two, one)):
        resets = [hear(other)[connection, sender].rst for sender in FLOW]
        if isinstance(this, Cut) and any(this.start <= t < (this.over or NEVER) for t in resets):
            return True
    for sender in FLOW if any(isinstance(fault, (Cut, Tunnel)) for fault in (one, two)) else ():
        a, b, both = (hear(*faults)[connection, sender].tries for faults in ((one,), (two,), (one, two)))
        if sorted(a + b) != sorted(both):
            return True
    return False


def _in_a_cut(one: Fault, two: Fault, lane: Lane, both: Heard) -> str | None:
    """Whatever else happens, no probe comes while its direction is cut."""
    for fault in (one, two):
        if isinstance(fault, Cut) and fault.meets(FLOW[lane[1]]):
            for number, t in enumerate(both.probes):
                if fault.start <= t < (fault.over or NEVER) and t < NEVER:
                    return f"probe {number} comes at {t:g} s, during {fault!r}"
    return None


def _recovered(one: Fault, two: Fault, lane: Lane, b: Heard, both: Heard) -> str | None:
    """When the first and every silence is over, and all that TCP held is through, all is as with the second alone."""
    if one.over is None or one.over >= (two.over or NEVER):
        return None
    over = two.over or NEVER if isinstance(two, (Cut, Tunnel)) else one.over
    settled = max([one.over, over, *[t + ANSWERED for t in (*b.tries, *both.tries)]])
    held = [max(pair) for when, *pair in zip(sendings(lane[0]), b.probes, both.probes) if when <= settled]
    return _as_alone(lane, b, both, max([settled, *held]) + ANSWERED)


def _apart(one: Fault, two: Fault, lane: Lane, base: Heard, a: Heard, b: Heard, both: Heard) -> str | None:
    """Where the first does not meet the lane, or is over before the second begins."""
    waits = isinstance(one, LATER) and both.tries != ()
    if not meets(one, lane) and not _like(both.all, b.all, waits):
        return f"{type(one).__name__} does not meet it; expected {b}, seen {both}"
    if reach(one, lane) < two.start:
        expected = tuple(x if x != no else y for x, y, no in zip(a.all, b.all, base.all))
        if not _like(both.all, expected, waits):
            return f"{type(one).__name__} was over; expected {expected}, seen {both.all}"
    return None


def _like(seen: tuple[float, ...], expected: tuple[float, ...], waits: bool) -> bool:
    """Whether times are equal; what ``waits`` for an acknowledgement has it with the other end's next bytes, or 40 ms later."""
    within = 1e-6 + (DELAYED if waits else 0)
    return all(x == y or abs(x - y) <= within for x, y in zip(seen, expected, strict=True))


def _earlier(a: Heard, b: Heard, both: Heard) -> str | None:
    """No probe comes earlier than with one of them; what is lost with one is lost with both."""
    for number, (*alone, found) in enumerate(zip(a.probes, b.probes, both.probes)):
        least = max(alone)
        if least < NEVER:
            least -= LATENCY + 1e-9  # what is due after a cut needs no second latency
        if found < least:
            return f"probe {number} comes at {found:g} s, with one of them at {max(alone):g} s"
    return None


def _unheard(one: Fault, two: Fault, lane: Lane, a: Heard, both: Heard) -> str | None:
    """The FIN or RST of a box is heard, unless a silence begins while it is on its way."""
    if not isinstance(one, (HangUp, Reset)) or not one.meets(FLOW[lane[1]]):
        return None
    reset = isinstance(one, Reset)
    came = a.rst if reset else a.fin
    begins = two.start + two.after if isinstance(two, Idle) else two.start
    if isinstance(two, (Cut, Idle)) and one.start <= begins <= came:
        return None
    heard = both.rst if reset else min(both.fin, both.rst)
    return f"nobody hears of {type(one).__name__}" if came < NEVER == heard else None


def _afterwards(one: Fault, two: Fault, lane: Lane, b: Heard, both: Heard) -> str | None:
    """When the first is over, and what was sent before is through, all is as with the second alone."""
    if one.over is None or one.over >= (two.over or NEVER):
        return None
    settled = max(one.over, reach(one, lane))
    under_way = [t for when, t in zip(sendings(lane[0]), both.probes) if when <= settled]
    return _as_alone(lane, b, both, max([settled, *under_way]))


def _as_alone(lane: Lane, b: Heard, both: Heard, later: float) -> str | None:
    """Whether what is sent later than that (s) comes as with the second alone."""
    for number, when in enumerate(sendings(lane[0])):
        seen, alone = both.probes[number], b.probes[number]
        if when > later and not _like((seen,), (alone,), False):
            return f"afterwards probe {number} comes at {seen:.12g} s, not at {alone:.12g} s"
    closes = LANES[lane[0] - 1][2]
    if min(closes, b.fin, b.rst) > later and both.all[-2:] != b.all[-2:]:
        return f"afterwards FIN and RST come at {both.all[-2:]} s, not at {b.all[-2:]} s"
    return None
