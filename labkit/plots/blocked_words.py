"""The blocked figure in words: the title that is the finding, what stands in each await, the alt text. Pure; draws nothing."""

from __future__ import annotations

from .blocked_tale import TASKS, Await, Blockage, Promise
from .reservoirs_words import many


def finding(story: Blockage) -> str:
    """ "The server believes OPEN for ever: its ping waits in drain(), and the pong timer starts only after that"."""
    noticed, closed = story.trace.noticed_at(story.end), story.closed
    if not story.blocked:
        return f"Nothing is blocked: the {story.end}'s write buffer never kept a task waiting"
    ping = any(one.call == "ping" for one in story.blocked)
    late = [one for one in story.broken if one.what == "close"]
    if closed is not None and late:
        return f"CLOSED at {_s(story, closed)}, {_s(story, closed - late[-1].t)} after it was due: {_who(story)} waited in drain()"
    if closed is not None:
        return f"CLOSED at {_s(story, closed)}, in time, although {_who(story)} waited in drain()"
    for_long = (
        "for ever" if story.is_still else f"until {_s(story, story.trace.end)}, and no end in sight"
    )
    if noticed is not None:
        return f"CLOSING {for_long}: {_closer(story)} waits in drain(), and close_timeout counts only after that"
    if healed := _healed(story):
        return (
            f"{healed}: {'its ping' if ping else _who(story)} waited in drain(), and no timer ran"
        )
    why = (
        "the ping waits in drain(), and its timer starts only after that"
        if ping
        else f"{_who(story)} waits in drain()"
    )
    return f"OPEN {for_long}: {why}"


def _healed(story: Blockage) -> str:
    cuts = [
        cut
        for cut in story.trace.experiment.cuts
        if cut.heal is not None and cut.heal <= story.trace.end
    ]
    return (
        f"Cut for {_s(story, (cuts[-1].heal or 0) - cuts[-1].start)}, and the {story.end} never noticed"
        if cuts
        else ""
    )


def _who(story: Blockage) -> str:
    calls = dict.fromkeys(
        f"{one.call}()" if one.call else "keepalive's CLOSE" for one in story.blocked
    )
    return (
        " and ".join(calls) if len(calls) < 3 else ", ".join([*calls][:-1]) + f" and {[*calls][-1]}"
    )


def _closer(story: Blockage) -> str:
    return "close()" if any(one.call == "close" for one in story.blocked) else "keepalive's CLOSE"


def _s(story: Blockage, t: float) -> str:
    return f"{story.tale.neat(t)} s"


def name(task: str) -> str:
    """A task as a reader knows it: "keepalive", "send()", "close() again"."""
    word, _, number = task.partition(" ")
    return TASKS.get(word, word) + (
        " again" if number == "2" else f" no. {number}" if number else ""
    )


def awaiting(story: Blockage, one: Await) -> list[str]:
    """In which await a task is, the longest wording first."""
    if not one.is_blocked:
        return _asleep(one)
    peer, what = story.trace.experiment.peer(story.end), one.drain.lstrip("_")
    call = f"{one.call}()" if one.call else "CLOSE 1011"
    short, timer = f"{call}: blocked in {what}()", ""
    when = "never starts" if one.stop >= story.last else f"starts at {_s(story, one.stop)}"
    if story.closed is not None and one.stop >= story.closed:
        when = "never started"
    if one.call == "ping" and one.task == "keepalive" and peer.ping_timeout is not None:
        timer = f", so the {peer.ping_timeout:g} s timer {when}"
    elif one.call in ("", "close") and peer.close_timeout is not None:
        timer = f", so close_timeout ({peer.close_timeout:g} s) ends nothing"
    middle = [f"{call}: {what}(){timer}"] if timer else []
    return [
        *([short + timer] if timer else []),
        *middle,
        short,
        f"{call}: {what}()",
        f"{what}()",
        call,
    ]


def _asleep(one: Await) -> list[str]:
    if one.chain[-1] == "sleep":
        return ["asleep"]
    if one.chain == ("keepalive",):
        return ["waits for the pong"]
    return ["waits for close_timeout"] if one.call == "close" else []


def due(story: Blockage, promise: Promise) -> list[str]:
    """ "15 due:\nnotice"."""
    return [f"{story.tale.neat(promise.t)} due:\n{promise.what}"]


def waits_here(opcode: str, count: int) -> list[str]:
    """ "PING waits here, behind 36 kB"."""
    return [f"{opcode} waits here, behind {many(count)}", f"{opcode} behind {many(count)}", opcode]


def alt_text(story: Blockage) -> str:
    """The whole figure in words."""
    parts = [f"Blocked, at the {story.end}. {finding(story)}."]
    parts += [
        f"Cut from {cut.start:g} s{'' if cut.heal is None else f' to {cut.heal:g} s'}."
        for cut in story.trace.experiment.cuts
    ]
    for end in ("server", "client"):
        states = ", ".join(
            f"{state} from {_s(story, max(0.0, t))}" for t, state in story.trace.states(end)[1:]
        )
        parts.append(
            f"The {end}: {states}{'' if story.trace.closed_at(end) is not None else ', to the end'}."
        )
    parts += [
        f"Theory, without traffic: {one.what} due at {_s(story, one.t)}, and it did not happen."
        for one in story.broken
    ]
    most = max(count for _, count in story.waiting)
    parts.append(f"In the write buffer at most {many(most)}, write_limit {many(story.limit)}.")
    parts += [
        f"At {_s(story, t)} {waits_here(opcode, count)[0].replace('here', 'there')}."
        for t, opcode, count in story.behind[:4]
    ]
    for one in story.blocked[:6]:
        until = "to the end" if one.stop >= story.last else f"to {_s(story, one.stop)}"
        parts.append(
            f"{name(one.task)} from {_s(story, one.begin)} {until}: {awaiting(story, one)[0]}."
        )
    return " ".join(parts)
