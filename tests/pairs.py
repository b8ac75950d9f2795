"""Every pair of faults and acts at seeded times; and what two acts mean together in a whole run, and in real time.

What two faults mean together on a wire is judged in lanes.py.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from lanes import NEVER, through_a_tunnel

from labkit import Experiment, Peer, run
from labkit.values.faults import (
    ACTS,
    FLOW,
    Act,
    Cut,
    Fault,
    Freeze,
    Goodbye,
    Idle,
    Limit,
    Send,
    Suspend,
    Throttle,
    Tunnel,
)
from labkit.values.sender import DELAYED


def lasting(kind: type[Act]) -> bool:
    return kind.finish is not None


def some(kind: type[Act], dice: random.Random, at: float, over: float | None, bulk: int = 1, **more: Any) -> Any:
    """An act of a kind, of ordinary strength, for ``bulk`` times the bytes that probes have."""
    given: dict[str, Any] = {"at": at, **more}
    if lasting(kind):
        given[kind.finish or ""] = over
    strength: dict[str, dict[str, Any]] = {
        "Delay": {"latency": dice.choice([0.2, 0.7])},
        "Tunnel": {"every": 0.6, "length": 0.3},
        "Throttle": {"rate": dice.choice([60, 200]) * bulk},
        "Slice": {"size": dice.choice([3, 4]) * bulk, "gap": dice.choice([0.0, 0.02])},
        "Limit": {"size": dice.choice([25, 60, 10_000]) * bulk},
        "HangUp": {"delay": dice.choice([0.0, 0.0, 0.5])},
        "SlowClose": {"delay": dice.choice([0.5, 1.0])},
        "Idle": {
            "after": dice.choice([1.1, 1.7]),
            "then": dice.choice(["silence", "silence", "fin", "rst"]),
        },
        "Send": {"size": dice.choice([100, 300]), "every": 0.1},
    }
    return kind(**{**given, **strength.get(kind.__name__, {}), **more})


def grid(dice: random.Random, low: float, high: float) -> float:
    """A time (s), never that of a probe."""
    return round(dice.uniform(low, high), 2) + 0.0005


WAYS = ("both", "both", "to_client", "to_server")


def pair_of_faults(one: type[Fault], two: type[Fault], how: str, seed: int) -> tuple[Fault, Fault]:
    """Two faults: one after the other ("apart"), in two directions, or at one time ("together").

    Times are those of the seed, and what a fault is like does not depend on the other one, so that
    each has to be heard alone only once.
    """
    dice = random.Random(f"{how} {seed}")
    at = grid(dice, 2, 4)
    over = grid(dice, at + 0.5, 6)
    if how == "apart":
        start, late = grid(dice, 11, 14), 14.5
    else:
        start, late = dice.choice([at, grid(dice, at, over - 0.1)]), over + 3
    end = dice.choice([None, grid(dice, late, 18)])
    split = dice.choice([("to_client", "to_server"), ("to_server", "to_client")])
    first, second = (
        random.Random(f"{how} {seed} {one.__name__}"),
        random.Random(f"{how} {seed} and {two.__name__}"),
    )
    ways = split if how == "directions" else (first.choice(WAYS), second.choice(WAYS))
    return some(one, first, at, over, direction=ways[0]), some(two, second, start, end, direction=ways[1])


# whole runs: both applications send a message every so often, and read


SILENT = (Cut, Tunnel, Suspend)  # what is sent into them TCP tries again: its clock is shared by whatever is under way
BEAT = 0.2  # s between two messages; what an act does, it does between two of them
ANSWERS = 2 * BEAT + DELAYED  # s; so late is a try acknowledged
TALK = Peer(ping_interval=None, send_every=BEAT, send_size=50)
Row = tuple[Any, ...]


def experiment(end: float) -> Experiment:
    """Two applications that talk until ``end`` (s)."""
    return Experiment(server=TALK, client=TALK, latency=BEAT, until=end)


def pair_of_acts(one: type[Act], two: type[Act], how: str, seed: int, pause: float = 4.0) -> tuple[Act, Act]:
    """Two acts of a run: one after the other ("apart", by ``pause`` s), or at one time ("together")."""

    def more(kind: type[Act], dice: random.Random) -> dict[str, Any]:
        if kind is Idle:
            return {"after": dice.choice([0.75 * BEAT, 1.7])}  # at once, or not at all
        if issubclass(kind, Fault):
            return {"direction": dice.choice(WAYS)}
        return {"end": dice.choice(["server", "client"])} | ({"code": 3000} if kind is Goodbye else {})

    dice = random.Random(f"{how} {seed}")
    at = round(dice.choice([3, 4]) * BEAT + BEAT / 2, 6)
    over = round(at + dice.choice([2.5, 3.5]) * BEAT, 6)  # on the beat: whoever thaws goes on in step
    start = round(over + pause + BEAT / 2, 6) if how == "apart" else dice.choice([at, round(at + BEAT, 6)])
    end = round(start + 3.5 * BEAT if how == "apart" else over + pause, 6)
    first, second = (
        random.Random(f"{how} {seed} {one.__name__}"),
        random.Random(f"{how} {seed} and {two.__name__}"),
    )
    return some(one, first, at, over, 10, **more(one, first)), some(two, second, start, end, 10, **more(two, second))


def rows(trace: Any) -> list[Row]:
    """What was seen of each frame (when sent, arrived, received by an application, s) and end."""
    seen: list[Row] = []
    for sender, other in (("server", "client"), ("client", "server")):
        received = iter([e.t for e in trace.select("message", other) if e.data["step"] == "received"])
        for frame in trace.frames(sender):
            came = next(received, None) if frame.opcode == "BINARY" and frame.arrived_at is not None else None
            times = [None if t is None else round(t, 6) for t in (frame.sent_at, frame.arrived_at, came)]
            seen.append((times[0], sender, frame.opcode, frame.size, frame.code, *times[1:]))
    for end in ("server", "client"):
        seen += [(round(t, 6), end, state) for t, state in trace.states(end)]
        seen += [(round(error.t, 6), end, error.type, error.text, error.code) for error in trace.raised(end)]
    return sorted(seen, key=repr)


@cache
def virtual(end: float, *acts: Act) -> tuple[list[Row], list[Row]]:
    """The rows of a virtual run in which this is done, and when which end's TCP tried again (s)."""
    trace = run(experiment(end).but(faults=acts), "virtual", progress=False)
    return rows(trace), [(round(e.t, 6), e.where) for e in trace.events if e.what == "retransmission"]


def changed(one: Act, two: Act, end: float) -> str | None:
    """What of two acts was not as it is alone, in words; None if all was, "touch" if they touch.

    The first one is over first.
    """
    (base, _), (a, tries), (b, more), (both, tried) = (virtual(end, *acts) for acts in ((), (one,), (two,), (one, two)))
    if apart := two.start > (one.over or one.start):
        later = two.start - 2.5 * BEAT  # what was sent before has arrived when the second one begins
        if _until(both, later) != _until(a, later):
            return f"{one!r} before {two!r}: {_odd(_until(both, later), _until(a, later))}"
    else:
        for this, other in ((one, two), (two, one)):
            if isinstance(this, (Send, Freeze)) and isinstance(other, (Throttle, Limit, Idle)):
                return "touch"  # one counts what the other says
        over = one.over or NEVER
        later = _through(max([over, *[t + ANSWERS for t, _ in tries]]), both)
    if later > end - BEAT or _from(a, later) != _from(base, later):
        return "touch"
    if not apart and (closed := _closed(b)):
        return None if closed <= _closed(both) else f"{two!r} does not close what it closes without {one!r}"
    seen, alone = _from(both, later), _from(b, later)
    if not apart and (sorted(tries + more) != sorted(tried) or through_a_tunnel(one, two)):
        silent = [act.over or NEVER for act in (one, two) if type(act) in SILENT]
        counts = _through(max([later, *silent, *[t + ANSWERS for t, _ in (*more, *tried)]]), [*b, *both])
        seen, alone = ([row if row[0] > counts else timeless(row) for row in found] for found in (seen, alone))
    if seen != alone:
        return f"{two!r} after {one!r}: {_odd(seen, alone)}"
    return None


def _through(last: float, found: list[Row]) -> float:
    """When all is through that was sent until the ``last`` silence was over, or the last try was answered (s)."""
    return max([last, *[t for row in found if row[0] <= last and len(row) == 7 for t in row[5:] if t]])


def timeless(row: Row) -> Row:
    """What happened, not when: TCP has counted its tries from a byte that the other act has moved."""
    return (*row[1:5], *(t is not None for t in row[5:])) if len(row) == 7 else row[1:]


def _closed(found: list[Row]) -> set[str]:
    return {row[1] for row in found if row[2] == "CLOSED"}


def _from(found: list[Row], low: float) -> list[Row]:
    return [row for row in found if row[0] > low]


def _until(found: list[Row], high: float) -> list[Row]:
    return [row for row in found if row[0] <= high]


def _odd(one: list[Row], two: list[Row]) -> str:
    more, less = [row for row in one if row not in two], [row for row in two if row not in one]
    return f"only with both {more[:3]}, only alone {less[:3]}"


def moments(trace: Any) -> dict[tuple[Any, ...], float]:
    """When each thing happened (s), by what it is: the client's third message arrives, …"""
    found: dict[tuple[Any, ...], float] = {}
    for row in rows(trace):
        what = row[1:5] if len(row) == 7 else row[1:]
        number = sum(key[:-2] == what for key in found if key[-1] == "begins")
        found[(*what, number, "begins")] = row[0]
        for word, when in zip(("arrives", "is received"), row[5:] if len(row) == 7 else ()):
            if when is not None:
                found[(*what, number, word)] = when
    return found


def disorder(virtual: Any, real: Any, margin: float) -> str | None:
    """What comes first by more than ``margin`` (s) on the virtual wire, and not on the real one.

    In words; None if nothing.
    """
    first, then = moments(virtual), moments(real)
    changes = [t for end in FLOW for t, _ in virtual.states(end)]

    def tied(found: dict[tuple[Any, ...], float], what: tuple[Any, ...]) -> bool:
        """Whether it begins as an end changes its state, so that it may or may not be."""
        begun = found[(*what[:-1], "begins")]
        return min(abs(begun - t) for t in changes) <= margin

    sure = {what: t for what, t in first.items() if t < virtual.end - margin}
    if missing := [what for what in sure if what not in then and not tied(first, what)]:
        return f"never on {real.header['wire']}: {missing[:3]}"
    sure = {what: t for what, t in sure.items() if what in then}
    extra = [what for what, t in then.items() if what not in first and t < real.end - margin]
    if extra := [what for what in extra if not tied(then, what)]:
        return f"only on {real.header['wire']}: {extra[:3]}"
    in_time = sorted(sure, key=lambda what: sure[what])
    latest, before = -NEVER, 0  # of all that has to come first, what came last
    for what in in_time:
        while sure[in_time[before]] < sure[what] - margin:
            latest = max(latest, then[in_time[before]])
            before += 1
        if then[what] < latest:
            return f"{what} at {then[what]:.3f} s on {real.header['wire']}, {sure[what]:.3f} s on the virtual wire, too early"
    return None


KINDS = tuple(ACTS.values())
