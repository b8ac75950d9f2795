"""What a fault does to bytes on their way: a small class for each fault that shapes a stream.

An effect takes a piece of a stream with the time (s) at which it leaves, and gives pieces back,
later or smaller, in order. It moves no byte and loses none (Limit, which ends the stream, calls
``hang_up``; a reset is no byte).

    Limit → Slice → Throttle → Delay → Tunnel → SlowClose

That is the order in which effects are met, whenever they began.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ..values.faults import Act, Delay, Limit, Slice, SlowClose, Throttle, Tunnel
from ..values.tcp import Tcp

Piece = tuple[float, "bytes | None"]  # when it leaves (s), and bytes, EOF or RESET
GRAIN = 0.02  # s: a throttled line lets so many seconds' worth of bytes through at a time
TAIL = 1.5  # of a heavy tail: finite mean, infinite variance, as in mobile networks


class Limited:
    """Lets ``size`` bytes pass; then the connection is hung up, and the rest goes nowhere."""

    def __init__(self, act: Limit, dice: random.Random, hang_up: Callable[[], None]) -> None:
        self.act, self.left, self.hang_up = act, act.size, hang_up

    def __call__(self, when: float, item: bytes | None) -> list[Piece]:
        if not item:
            return [(when, item)]
        passed, self.left = item[: self.left], self.left - len(item)
        if self.left <= 0:
            self.hang_up()
        return [(when, passed)] if passed else []


class Sliced:
    """Cuts what comes into pieces of ``size`` ± ``variation`` bytes, ``gap`` s apart."""

    def __init__(self, act: Slice, dice: random.Random, hang_up: Callable[[], None]) -> None:
        self.act, self.dice, self.free = act, dice, 0.0

    def __call__(self, when: float, item: bytes | None) -> list[Piece]:
        if not item:
            return [(when, item)]
        pieces: list[Piece] = []
        while item:
            size = self.act.size + self.dice.randint(-self.act.variation, self.act.variation)
            pieces.append((max(when, self.free), item[:size]))
            self.free = max(when, self.free) + self.act.gap
            item = item[size:]
        return pieces


class Throttled:
    """A line of ``rate`` bytes/s: whoever comes waits until what came before is through."""

    def __init__(self, act: Throttle, dice: random.Random, hang_up: Callable[[], None]) -> None:
        self.act, self.rate, self.free = act, act.rate, 0.0
        self.grain = max(1, int(act.rate * GRAIN))

    def __call__(self, when: float, item: bytes | None) -> list[Piece]:
        self.free = max(self.free, when)
        if not item:
            return [(self.free, item)]
        pieces: list[Piece] = []
        for start in range(0, len(item), self.grain):
            piece = item[start : start + self.grain]
            self.free += len(piece) / self.rate
            pieces.append((self.free, piece))
        return pieces


class Delayed:
    """Adds ``latency`` and jitter (s); bytes never overtake each other."""

    def __init__(self, act: Delay, dice: random.Random, hang_up: Callable[[], None]) -> None:
        self.act, self.jitter = act, JITTERS[act.shape]
        self.dice = dice

    def __call__(self, when: float, item: bytes | None) -> list[Piece]:
        late = self.jitter(self.dice, self.act.jitter) if self.act.jitter else 0.0
        return [(when + max(0.0, self.act.latency + late), item)]


JITTERS: dict[str, Callable[[random.Random, float], float]] = {  # how far from the latency (s)
    "uniform": lambda dice, jitter: dice.uniform(-jitter, jitter),
    "normal": lambda dice, jitter: dice.gauss(0.0, jitter),
    "heavy tail": lambda dice, jitter: jitter * (dice.paretovariate(TAIL) - 1),
}


class Tunneled:
    """Holds what comes during a silence until TCP tries it again after the silence is over.

    Silences are drawn as time goes on, so that both directions draw the same.
    """

    retries = Tcp().retries_at(0.0)  # of whoever sends

    def __init__(self, act: Tunnel, dice: random.Random, hang_up: Callable[[], None]) -> None:
        self.act, self.dice = act, dice
        self.begin: float | None = None  # s, of the silence that is going on or comes next
        self.end = 0.0
        self.free = 0.0  # s, when what is held is tried again in vain no more

    def __call__(self, when: float, item: bytes | None) -> list[Piece]:
        number = 0
        if when >= self.free:
            self.free = when
            while self.is_silent(self.free):
                self.free = when + self.retries.after(number)
                number += 1
        if item is None and self.free > when:
            return []  # nobody repeats an RST
        return [(self.free, item)]

    def is_silent(self, when: float) -> bool:
        """Draw silences until one ends after ``when`` (s): whether that has begun."""
        while self.begin is None or self.end <= when:
            self.begin = self.end + self.dice.expovariate(1 / self.act.every)
            self.end = self.begin + self.dice.expovariate(1 / self.act.length)
        return self.begin <= when


class SlowlyClosed:
    """Lets an end's own FIN pass ``delay`` s later."""

    def __init__(self, act: SlowClose, dice: random.Random, hang_up: Callable[[], None]) -> None:
        self.act = act

    def __call__(self, when: float, item: bytes | None) -> list[Piece]:
        return [(when + self.act.delay if item == b"" else when, item)]


Effect = Limited | Sliced | Throttled | Delayed | Tunneled | SlowlyClosed
EFFECTS: dict[type[Act], type[Effect]] = {
    Limit: Limited,
    Slice: Sliced,
    Throttle: Throttled,
    Delay: Delayed,
    Tunnel: Tunneled,
    SlowClose: SlowlyClosed,
}
ORDER = list(EFFECTS)


def in_order(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """The effects, sorted by the order in which they are met."""
    return tuple(sorted(effects, key=lambda effect: ORDER.index(type(effect.act))))


def shape(effects: tuple[Effect, ...], now: float, item: bytes | None) -> list[Piece]:
    """The pieces of an item that enters at ``now`` (s), each with the time it leaves."""
    pieces: list[Piece] = [(now, item)]
    for effect in effects:
        pieces = [later for when, piece in pieces for later in effect(when, piece)]
    return pieces
