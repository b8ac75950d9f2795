"""Reservoirs in words: the finding, what stands in and under each container, clauses."""

from __future__ import annotations

from .ends import plural
from .levels import Level, Levels


def many(count: int) -> str:
    """Bytes as a reader wants them: "924 bytes", "33.1 kB"."""
    if count < 10_000:
        return plural(count, "byte")
    return f"{count / 1000:,.1f} kB" if count < 1e6 else f"{count / 1e6:,.2f} MB"


def sends(levels: Levels, t: float) -> tuple[int, int]:
    """How many send() have returned, and how many messages recv() has given, by ``t`` (s)."""
    return sum(when <= t + 1e-9 for when, _ in levels.returned), sum(
        when <= t + 1e-9 for when, _ in levels.got
    )


def finding(levels: Levels, t: float) -> str:
    """ "86 sends returned, 50 messages were received: send() knows its own buffer only"."""
    returned, got = sends(levels, t)
    now = levels.at(t)
    if not now.handed:
        return f"The {levels.sender} has sent nothing"
    came = f"{plural(got, 'message')} {'was' if got == 1 else 'were'} received"
    back = f"{plural(returned, 'send')} returned, {came}"
    if not levels.returned:
        back = f"{many(now.handed)} sent, {many(now.received)} received"
    if levels.is_blocked(t):
        start = next(a for a, b in levels.blocked if a <= t and (b is None or t < b))
        return f"{back}; at {start:g} s a send() blocked"
    if returned > got and not levels.trace.raised(levels.sender):
        return f"{back}, and no error"
    return back


def application(levels: Levels, t: float) -> list[str]:
    """What the sending application knows."""
    returned, _ = sends(levels, t)
    state = "one send() is blocked" if levels.is_blocked(t) else "no send() is blocked"
    told = levels.trace.told_at(levels.sender)
    return [
        f"{returned:,} sends returned",
        state,
        "no error" if told is None or told > t else "an error",
    ]


def blocked_words(levels: Levels) -> list[str]:
    """The moment at which send() blocks, the longest first."""
    a, b = levels.blocked[0]
    for_long = f", until {b:g} s" if b is not None else ""
    return [
        f"{a:g} s: the buffer is above write_limit,\nsend() blocks: drain() waits{for_long}",
        f"{a:g} s: send() blocks{for_long}",
        "send() blocks",
    ]


def is_full(levels: Levels, now: Level, place: str) -> bool:
    """Whether no more goes into a place: what comes before it has to wait."""
    if place == "buffer":
        return levels.is_blocked(now.t)
    return place == "wire" and now.buffer > 0


def fullness(levels: Levels, now: Level, place: str) -> str:
    """What stands beside the bytes of a place into which no more goes."""
    waits = place == "buffer" and now.buffer <= levels.limit
    return f", full until {many(levels.limit // 4)}" if waits else ", full"


def clauses(levels: Levels, t: float) -> list[str]:
    """The figure in words, after its title."""
    now, receiver = levels.at(t), levels.receiver
    limit = f"{many(now.buffer)} (write_limit {many(levels.limit)}), in the wire {many(now.wire)}"
    rest = f"in the {receiver}'s queue {many(now.queue)}, received {many(now.received)}"
    said = [f"In its write buffer {limit}, {rest}"]
    for cut in levels.trace.experiment.cuts:
        said.append(f"Cut from {cut.at:g} s{'' if cut.heal is None else f' to {cut.heal:g} s'}")
    for a, b in levels.blocked[:3]:
        said.append(f"A send() is blocked from {a:g} s{' on' if b is None else f' to {b:g} s'}")
    if levels.is_blocked(t) and now.buffer <= levels.limit:
        low = f"its low-water mark, {many(levels.limit // 4)}"
        said.append(f"The blocked send() goes on when the buffer is down to {low}")
    if levels.trace.over == "stuck":
        said.append(f"From {levels.end:g} s on nothing can happen any more")
    counted = "Counted in bytes on the wire, frame headers too"
    return [*said, f"{counted}; a message whose send() is blocked is counted"]
