"""Notebook 03: what a program knows that only sends, and the ways in which it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from labkit import Cut, Experiment, Goodbye, Peer, StopReading, Throttle, Trace
from labkit.values.faults import Act

from . import Code, Exercise, Number, OneOf, Question, Trial
from .own_code import own_code, virtual

SMALL = Peer(ping_interval=None, send_size=1000, send_every=1, buffer=4096, write_limit=4096)
TALK = Experiment(server=SMALL, client=Peer(buffer=4096, max_queue=4), faults=[Cut(at=5)], until=40)
WIDER = TALK.but(server=replace(SMALL, write_limit=8192))


def messages(trace: Trace, end: str, step: str) -> list[float]:
    """When an end's messages were "sent" (their sends returned) or "received" (s)."""
    return [event.t for event in trace.select("message", end, step=step)]


def returned(trace: Trace) -> list[float]:
    """When the server's sends returned since the cut (s)."""
    return [t for t in messages(trace, "server", "sent") if t >= trace.experiment.cuts[0].start]


def raised(trace: Trace) -> int:
    """How many of the server's sends raised."""
    return sum(one.awaiting == "send" for one in trace.raised("server"))


def waits_since(trace: Trace) -> float | None:
    """Since when a send of the server waits (s)."""
    frames = trace.select("sent", "server", "log", opcode="BINARY")
    done = len(messages(trace, "server", "sent")) + raised(trace)
    return frames[-1].t if len(frames) > done else None


def tally(trace: Trace) -> None:
    """Count what became of the server's sends since the cut."""
    cut, waiting = trace.experiment.cuts[0].start, waits_since(trace)
    came = [t for t in messages(trace, "client", "received") if t >= cut]
    print(f"from the cut at {cut:g} s until {trace.end:.4g} s")
    print(f"{len(returned(trace)):6,} send() returned")
    if waiting is not None:
        print(f"     1 send() waits, since {waiting:.1f} s")
    print(f"{raised(trace):6,} send() raised")
    print(
        f"{len(came):6,} messages arrived", *[f"the first at {t:.1f} s" for t in came[:1]], sep=", "
    )


def belief_about_sends(trace: Trace, value: float) -> str:
    """What is behind a wrong number of sends that return."""
    if value <= 1:
        return "A pulled cable raises nothing: send() asks nobody at the other end."
    if value > len(returned(trace)):
        return "It sends once a second, and we watch it for five minutes."
    return (
        "To notice, somebody has to miss an answer. But send() waits for no answer: it waits only"
        " until your own machine has the bytes."
    )


def without_room(trace: Trace) -> str:
    """What the send did for which there was no room."""
    return "raises" if raised(trace) else "waits" if trace.waiting("server")[-1][1] else "returns"


def all_home(trace: Trace) -> str:
    """Whether every message came, in the end."""
    return "arrive" if all(f.arrived_at is not None for f in trace.frames("server")) else "lost"


def never_told(traces: Mapping[str, Trace]) -> str:
    """The program that was never told."""
    return next(name for name in traces if traces[name].told_at("server") is None)


QUESTIONS = [
    Question(
        "03 sends before an error",
        Number("sends", high=10_000),
        lambda trace: len(returned(trace)),
        belief_about_sends,
    ),
    Question(
        "03 without room",
        OneOf("raises", "waits", "returns"),
        without_room,
        {
            "raises": "A full buffer is no error: as far as your machine knows, the peer is slow.",
            "returns": "Then a message would be thrown away, and TCP throws nothing away.",
        },
    ),
    Question(
        "03 after healing",
        OneOf("lost", "arrive"),
        all_home,
        {"lost": "TCP keeps what is not acknowledged, and tries again and again: stuck, not lost."},
    ),
    Question(
        "03 who is never told",
        OneOf("A", "B", "C"),
        never_told,
        {
            "A": "recv() awaits the connection, so it raises when that is CLOSED.",
            "B": "The next send() after CLOSED raises.",
        },
    ),
]

# one reservoir grows

COUNTS = {
    0: "A pulled cable blocks nothing: there is still room on your side of it.",
    1: "Nobody has to take the first message before the second is sent.",
    4: "That is what the wire holds. Then the write buffer begins to fill.",
    8: "That is what the write buffer holds. But the wire has to be full first.",
    11: "Is there no room for one more below the limit?",
    13: "The last of these goes over the limit, and so it waits.",
    16: "That needs 4,096 bytes more: only one of the two reservoirs has doubled.",
}
HOW_MANY = "Which reservoirs lie before the cut, and how much is a message on the wire?"


def miscounted(trace: Trace, answer: float) -> str:
    """What is wrong with a number of sends, without the right one."""
    fact = len(returned(trace))
    if answer == fact:
        return ""
    seen = "the next one returned, too" if answer < fact else "an earlier one did not return"
    return f"send number {answer:g}? But {seen}. {COUNTS.get(int(answer), HOW_MANY)}"


# what was it

ACTS: dict[str, Act] = {
    "unread": StopReading(at=6.5, end="client"),
    "cut": Cut(at=7.5),
    "goodbye": Goodbye(at=8.5, end="client", reason="lunch"),
    "slow": Throttle(at=9.5, rate=400),
}
HIDDEN = tuple(ACTS)


def mystery(number: int) -> Trace:
    """One of four traces, 1 to 4; what was done to the connection is left out."""
    trace = virtual(TALK.but(faults=[ACTS[HIDDEN[number - 1]]]))
    events = [event for event in trace.events if event.what != "act"]
    header = {**trace.header, "ended": trace.header["ended"].partition(":")[0]}
    return Trace(trace.experiment.but(faults=()), events, header)


def mistaken(hidden: str, trace: Trace, said: str) -> str:
    """The mark in a trace that rules out a cause, if it was not that."""
    closed = trace.closed_at("server")
    if said == hidden:
        return ""
    if closed is not None:
        return f"nobody would have told the server then, and it is CLOSED at {closed:g} s."
    taken = messages(trace, "client", "received")
    came = [f.arrived_at for f in trace.frames("server") if f.arrived_at is not None]
    return {
        "goodbye": "after a goodbye both ends are CLOSED. Here both are OPEN to the end.",
        "cut": f"behind a cut nothing arrives. Here a message arrived at {came[-1]:.1f} s,"
        f" and the last one was read at {taken[-1]:.1f} s.",
        "unread": "a peer that does not read has full reservoirs. This one took all that came.",
        "slow": f"over a slow link messages keep coming. The last was read at {taken[-1]:g} s"
        f" of {trace.end:g} s.",
    }[said]


# the ways to be told


async def listens(websocket: Any) -> None:
    """A program that only reads."""
    async for _ in websocket:
        pass


async def talks(websocket: Any, patience: float | None = 6) -> None:
    """A program that sends, and gives each message so many seconds, or all the time."""
    while True:
        async with asyncio.timeout(patience):
            await websocket.send(bytes(1000))
        await asyncio.sleep(1)


async def errs(websocket: Any) -> None:
    """A program with a mistake of its own."""
    raise ZeroDivisionError("a mistake in the program")


Told = tuple[Any, BaseException | None]
Program = Callable[[Any], Coroutine[Any, Any, None]]


def ended(program: Program, peer: Peer, act: Act, ending: Callable[[Any], Any]) -> Told:
    """What a learner's function says of a program's end, or what it lets through."""

    async def handler(websocket: Any) -> Told:
        try:
            return await ending(program(websocket)), None
        except Exception as problem:
            return None, problem

    _, said = own_code(TALK.but(server=peer, faults=[act], until=1200), handler, "server")
    return said[0] if said else ("nothing at all", None)


def misjudged(wanted: str, how: str, told: Told) -> str:
    """What is wrong with what was said of an end."""
    said, problem = told
    if problem:
        return f"{how}. Your function let {problem!r} through."
    return "" if said == wanted else f"{how}. Your function said {said!r}."


def swallowed(told: Told) -> str:
    """Whether a program's own mistake was taken for an end of the connection."""
    hidden = f"the program had a mistake of its own, and your function said {told[0]!r} and hid it."
    return "" if isinstance(told[1], ZeroDivisionError) else hidden


MUTE = replace(SMALL, send_every=None)
ASKS = replace(MUTE, ping_interval=4, ping_timeout=3, close_timeout=2)
GOODBYE, CUT = Goodbye(at=5.5, end="client"), Cut(at=5)
WAYS: list[tuple[str, Program, Peer, Act, str, str]] = [
    ("a loop, a goodbye", listens, MUTE, GOODBYE, "goodbye", "The loop ended, with no exception"),
    ("a loop, a cut", listens, ASKS, CUT, "lost", "The ping timed out, and the loop raised"),
    ("a send, a goodbye", talks, MUTE, GOODBYE, "goodbye", "send() raised ConnectionClosedOK"),
    ("a send, a cut", talks, ASKS, CUT, "lost", "The ping timed out, and send() raised"),
    ("a send, no ping", talks, MUTE, CUT, "silence", "The program's own timeout was over"),
    (
        "a send, TCP",
        partial(talks, patience=None),
        MUTE,
        CUT,
        "lost",
        "TCP gave up, and send() raised",
    ),
]


EXERCISES = [
    Exercise(
        "03 one reservoir grows",
        Number("sends", high=1000),
        [
            Trial(
                "sends that returned",
                lambda _: virtual(WIDER),
                miscounted,
                lambda trace: f"with the next, {trace.waiting('server')[-1][1]:,} bytes wait",
            )
        ],
    ),
    Exercise(
        "03 what was it",
        [OneOf(*sorted(HIDDEN))] * 4,
        [
            Trial(
                f"number {place + 1}",
                lambda _, place=place: mystery(place + 1),
                partial(mistaken, hidden),
                hidden,
                only=place,
            )
            for place, hidden in enumerate(HIDDEN)
        ],
    ),
    Exercise(
        "03 told",
        Code("a function that says how a program ended"),
        [
            *(
                Trial(
                    name,
                    partial(ended, program, peer, act),
                    partial(misjudged, wanted, how),
                    wanted,
                )
                for name, program, peer, act, wanted, how in WAYS
            ),
            Trial("a mistake", partial(ended, errs, MUTE, CUT), swallowed, "let through"),
        ],
    ),
]
