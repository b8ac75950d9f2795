"""The kernel is the referee: a random experiment on the kernel wire and on the virtual wire has to tell one story.

    experiment(seed)      cuts, heals, one-way cuts, traffic, goodbyes, and what the kernels are told; minutes are compressed by retries
    differences(…)        what two traces tell differently; [] if verdict and order are equal, and times as near as they must be
    on_edge(…)            whether a timeout 2.5 % longer or shorter tells another story by itself: nobody can say which is right
    hearing(seed)         one case: "agree", "differ", "set aside", and what is told differently

No heal is drawn near one of TCP's tries, by the ladder that was measured, nor anything sent near the first two; and no cut begins when an
acknowledgement may be under way: a kernel sends it at once or 40 ms later, as it pleases. The model is not asked for that. Whether a
case is set aside is decided on the virtual wire, for every case, whatever the kernel did.

What is compared: what the library logged and the applications met, which frames arrived, and how the run ended. When a frame goes into
the wire is no part of it: behind a stuck byte the kernel keeps what it was given, which a tap on the wire cannot see.

    python tests/referee.py 300     prints the table of 300 cases, from LABKIT_SEED on
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import random
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from agreement import Lane, story
from machine import on_time

from labkit import Cut, Experiment, Goodbye, Peer, Send, Tcp, run
from labkit.trace import Trace
from labkit.values.faults import ENDS

WITHIN, SHARE = 0.060, 0.05  # s, and of the time since the first cut: so near are equal times
APART = 0.100  # s; events of two lanes that are closer than this on one wire have no order
CLEAR, CLEAR_SHARE = 0.100, 0.10  # s, and of the time since the first stuck byte: so far from a try is every heal
MOVED = 0.025  # of TCP's timeouts, by which they are moved
ACKED = 0.05  # s in which an acknowledgement is sent
LATE = 0.02  # s; so late is a real machine
REAL = 0.001  # s; no wire has the latency of 0 that a virtual one can have
SEEN, TRIES = 3, 6  # so often a difference is seen before it counts, of so many tries of one case
TOGETHER = 8  # cases at a time: they mostly sleep
MOST = 0.05  # of all cases may be set aside, or stay undecided
FIRST = int(os.environ.get("LABKIT_SEED", "0"))

# random experiments


def experiment(seed: int) -> Experiment:
    """A random experiment of some seconds."""
    dice = random.Random(f"referee {seed}")
    while True:
        drawn = _draw(dice, seed)
        if drawn is not None and not is_near_a_try(drawn) and not is_a_close_call(drawn):
            return drawn


def _draw(dice: random.Random, seed: int) -> Experiment | None:
    keepers = dice.choice([(), ("server",), ("server",), ("client",), ENDS])
    peers: dict[str, Any] = {end: _peer(dice, end in keepers) for end in ENDS}
    cuts = _cuts(dice)
    acts: list[Any] = [*cuts, *(_talk(dice, end) for end in ENDS if dice.random() < 0.35)]
    if dice.random() < 0.2:
        acts.append(Goodbye(round(_grid(dice, 0.6, 3.0) + 0.085, 3), end=dice.choice(ENDS), code=4000, reason="lunch"))
    until = cuts[-1].start + dice.choice([3.33, 4.33, 5.83])
    if cuts[-1].heal:
        until = max(until, cuts[-1].heal + 1.5)
    latency = dice.choice([0.0, 0.0, 0.02, 0.05])  # more: Linux's timeout depends on how often it has measured the round trip
    try:
        return Experiment(**peers, faults=acts, latency=latency, until=round(until, 3), seed=seed)
    except ValueError:  # an act after the end
        return None


def _peer(dice: random.Random, keeps: bool) -> Peer:
    return Peer(
        ping_interval=round(_grid(dice, 0.4, 1.5) + 0.03, 3) if keeps else None,
        ping_timeout=dice.choice([None, *[round(_grid(dice, 0.3, 2.5) + 0.07, 3)] * 5]),
        close_timeout=round(_grid(dice, 0.2, 1.0) + 0.015, 3),
        tcp=Tcp(
            retries=dice.choice([2, 2, 5, 15]),
            orphan_retries=dice.choice([2, 8]),
            keepalive_idle=dice.choice([None, None, None, None, 1, 2]),
            keepalive_interval=1,
            keepalive_count=dice.choice([1, 2, 3]),
            user_timeout=dice.choice([None, None, None, 0.7, 1.5, 2.6]),
        ),
    )


def _cuts(dice: random.Random) -> list[Cut]:
    """One cut or two, of 0.15 to 5 s or without an end."""
    cuts, at = [], dice.uniform(0.5, 1.5)
    for _ in range(dice.choice([1, 1, 2])):
        length = math.exp(dice.uniform(math.log(0.15), math.log(5)))
        heal = None if dice.random() < 0.3 else round(at + length, 3)
        way = dice.choice(["both", "both", "to_client", "to_server"])
        cuts.append(Cut(round(at, 3), heal=heal, direction=way))
        if heal is None:
            break
        at = heal + dice.uniform(0.5, 1.5)
    return cuts


def _talk(dice: random.Random, end: str) -> Send:
    every, size = dice.choice([None, None, 0.57, 1.1]), dice.choice([10, 200, 3000])
    return Send(round(_grid(dice, 0.1, 1.5) + 0.05, 3), end=end, size=size, every=every)


def _grid(dice: random.Random, low: float, high: float) -> float:
    return round(dice.randint(round(low * 10), round(high * 10)) * 0.1, 3)


def is_near_a_try(drawn: Experiment) -> bool:
    """Whether a heal, or something more that is sent, stands near a try of what was first sent into a cut."""
    for cut in drawn.cuts:
        for end in ENDS:
            stuck = _first_sent(drawn, end, cut.start - drawn.latency)
            if cut.heal and stuck < cut.heal:
                if any(abs(cut.heal - t) < max(CLEAR, CLEAR_SHARE * (t - stuck)) for t in _ladder(stuck, drawn.latency)):
                    return True
            timeout = 0.2 + 2 * drawn.latency
            for tried in (stuck + timeout, stuck + 2 * timeout):
                if _first_sent(drawn, end, tried - 2 * LATE) < tried + 2 * LATE:
                    return True
    return False


def _first_sent(drawn: Experiment, end: str, since: float) -> float:
    """When an end first says something by itself, from ``since`` (s) on; infinity: never."""
    peer, moments = drawn.peer(end), [math.inf]
    beats = [(peer.ping_interval, peer.ping_interval)] if peer.ping_interval else []
    beats += [(act.start, getattr(act, "every", None)) for act in drawn.faults if isinstance(act, (Send, Goodbye)) and act.end == end]
    for first, every in beats:
        times = itertools.count(first, every) if every else iter([first])
        moments.append(next((t for t in times if t >= since), math.inf))
    return min(moments)


def _ladder(stuck: float, latency: float) -> Iterator[float]:
    """When TCP may try again what was stuck at that time (s): one segment, or several at a time."""
    timeout = 0.2 + 2 * latency
    for k in range(6):
        yield stuck + timeout * 2**k
        yield stuck + timeout * (2**k - 1)


def is_a_close_call(drawn: Experiment) -> bool:
    """Whether a cut or a heal meets what an end sends, or a cut the acknowledgement of what it has sent or answered."""
    lead = 3 * drawn.latency + ACKED
    windows = [(cut.start - lead, cut.start + LATE) for cut in drawn.cuts]
    windows += [(cut.heal - LATE, cut.heal + LATE) for cut in drawn.cuts if cut.heal]
    arrivals = ((begin - drawn.latency, end - drawn.latency) for begin, end in windows)
    return any(_first_sent(drawn, who, begin) < end for begin, end in [*windows, *arrivals] for who in ENDS)


# two stories


def told(trace: Trace) -> dict[str, Lane]:
    """What is compared, by lane."""
    return {name: lane for name, lane in story(trace).items() if "into the wire" not in name}


class Pair(NamedTuple):
    """One event on both wires: its times (s), and what it is."""

    virtual: float
    kernel: float
    what: str


def differences(virtual: Trace, kernel: Trace) -> tuple[list[str], list[Pair]]:
    """What is told differently, in words, and the events that are equal."""
    found, pairs = [], list[Pair]()
    one, two = told(virtual), told(kernel)
    last = min(until(trace) for trace in (virtual, kernel))
    for lane in sorted({*one, *two}):
        for left, right in itertools.zip_longest(one.get(lane, []), two.get(lane, [])):
            seen = [row[0] for row in (left, right) if row]
            if left and right and left[1] == right[1] and near(virtual.experiment, *seen):
                pairs.append(Pair(left[0], right[0], f"{lane}: {left[1]}"))
            elif min(seen) <= last:
                found.append(f"{lane}: virtual {_words(left)}, but kernel {_words(right)}")
                break
    return found or list(out_of_order(pairs)), pairs


def until(trace: Trace) -> float:
    """Until when a trace tells everything (s): what comes at the end of its time may come too late."""
    if trace.over == "until":
        return trace.end - tolerance(trace.experiment, trace.end)
    return math.inf if trace.over == "stuck" else trace.end


def tolerance(case: Experiment, t: float) -> float:
    """How far from ``t`` (s) an equal time may be (s)."""
    return max(WITHIN, SHARE * (t - case.cuts[0].start))


def near(case: Experiment, one: float, two: float) -> bool:
    return abs(one - two) <= tolerance(case, max(one, two))


def _words(row: tuple[float, Any] | None) -> str:
    return f"{row[0]:.3f} {row[1]}" if row else "nothing"


def out_of_order(pairs: list[Pair]) -> Iterator[str]:
    """Events of two lanes that are apart on both wires, and not in one order."""
    for a, b in itertools.combinations(pairs, 2):
        before = a.virtual < b.virtual - APART and a.kernel > b.kernel + APART
        after = a.virtual > b.virtual + APART and a.kernel < b.kernel - APART
        if before or after:
            yield f"{a.what} and {b.what} change places"


# the hearing


def on_edge(case: Experiment, virtual: Trace) -> bool:
    """Whether the story changes when TCP's timeouts are shorter or longer by 2.5 %.

    That is tried with and without the latency of a wire that is real, as both move tries.
    """
    moves = itertools.product((-MOVED, MOVED), (0.0, REAL))
    others = (run(moved(case, *move), "virtual", progress=False) for move in moves)
    return any(differences(virtual, other)[0] for other in others)


def moved(case: Experiment, share: float, latency: float) -> Experiment:
    """The same case with other timeouts, and a slower wire."""

    def peer(given: Peer) -> Peer:
        tcp, changes = given.tcp, {"rto_min": 0.2 * (1 + share)}
        for name in ("keepalive_idle", "keepalive_interval", "user_timeout"):
            if (seconds := getattr(tcp, name)) is not None:
                changes[name] = seconds * (1 + max(0.0, share))  # no timer is early
        return dataclasses.replace(given, tcp=dataclasses.replace(tcp, **changes))

    return case.but(server=peer(case.server), client=peer(case.client), latency=case.latency + latency)


class Case(NamedTuple):
    """What was found in one case."""

    seed: int
    verdict: str  # agree, differ, set aside, undecided
    found: list[str]
    worst: Pair | None  # of the equal events, the one whose times differ most


def hearing(seed: int) -> Case:
    """One case; a difference counts when it is SEEN so often while the machine was on time, and never agrees."""
    case = experiment(seed)
    virtual, seen = run(case, "virtual", progress=False), 0
    if on_edge(case, virtual):
        return Case(seed, "set aside", [], None)
    for _ in range(TRIES):
        with on_time() as machine:
            kernel = run(case, "kernel", progress=False)
        found, pairs = differences(virtual, kernel)
        if not found:
            return Case(seed, "agree", [], max(pairs, key=lambda pair: abs(pair.virtual - pair.kernel)))
        seen += machine.worst < WITHIN / 2
        if seen == SEEN:
            break
    return Case(seed, "differ" if seen == SEEN else "undecided", found, None)


def hearings(seeds: Iterable[int]) -> Iterator[Case]:
    """Many cases, some of them at a time, in the order of their seeds; what stays undecided is heard again, alone."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        cases = list(pool.map(hearing, seeds))
    for case in cases:
        yield hearing(case.seed) if case.verdict == "undecided" else case


def table(cases: list[Case]) -> str:
    """How many cases agree, how near, and each that does not."""
    counts = {word: sum(case.verdict == word for case in cases) for word in ("agree", "differ", "set aside", "undecided")}
    lines = [f"{len(cases)} experiments: " + ", ".join(f"{count} {word}" for word, count in counts.items())]
    if pairs := [case.worst for case in cases if case.worst]:
        worst = max(pairs, key=lambda pair: abs(pair.virtual - pair.kernel))
        lines.append(f"the worst of the equal times: virtual {worst.virtual:.3f}, kernel {worst.kernel:.3f} s, {worst.what}")
    for case in cases:
        if case.found:
            lines += [f"seed {case.seed}, {case.verdict}: {experiment(case.seed)!r}", *(f"    {line}" for line in case.found)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(list(hearings(range(FIRST, FIRST + int(sys.argv[1]))))))
