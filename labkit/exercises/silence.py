"""Notebook 03: what a program knows that only sends. A guess, a count, and three exercises, judged by experiment.

1. The write buffer takes twice as much: how many sends return now before one waits?
2. Four traces without the acts: a cut, a peer that does not read, a slow link, a goodbye.
3. A timeout around send(): told soon enough after a cut, and not by a cut that is mended.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import Act, Cut, Goodbye, StopReading, Throttle
from .answers import is_number, is_seconds, one_of
from .guess import Ledger

SMALL = Peer(ping_interval=None, send_size=1000, send_every=1, buffer=4096, write_limit=4096)
TALK = Experiment(server=SMALL, client=Peer(buffer=4096, max_queue=4), faults=[Cut(at=5)], until=40)
WIDER = TALK.but(
    server=Peer(ping_interval=None, send_size=1000, send_every=1, buffer=4096, write_limit=8192)
)
FRAME = 1004  # bytes: 1,000 and the header
AT_ONCE = 0.1  # s


# the guess, and the count


@dataclass(frozen=True)
class SendsGuess:
    """How many sends a learner expects to return before one raises: infinitely many if none will, None if left open."""

    question: str
    sends: float | None = None

    def __repr__(self) -> str:
        if self.sends is None:
            return "no guess made (yet): replace the ... above by what you expect"
        after = (
            "never raises"
            if self.sends == math.inf
            else f"raises after {self.sends:g} that returned"
        )
        return f"your guess is locked: send() {after}"


def guess_sends(question: str, sends: Any = ...) -> SendsGuess:
    """Lock a guess about the sends that return after a cut and before one raises: a number, or "never"."""
    known = (
        math.inf
        if one_of(sends, ("never",))
        else float(sends)
        if is_number(sends) and sends >= 0
        else None
    )
    if known is None and sends is not ... and sends is not None:
        print(f"""expected a number of sends, or "never"; seen {sends!r}, so it is left open""")
    made = SendsGuess(question, known)
    print(made)
    return made


def settle_sends(made: SendsGuess, trace: Trace) -> None:
    """Say what became of a guess of :func:`guess_sends`, by belief."""
    if made.sends is None:
        print(
            "no guess made, so there is nothing to settle; guess first, the next run surprises you more"
        )
        return
    fact = f"{len(_returned(trace)):,} sends returned after the cut, and {len(_raised(trace)) or 'none'} raised"
    if made.sends == math.inf:
        print(f"you said never: {fact} – right")
    else:
        print(f"you said that send() raises after {made.sends:g}: {fact}. {_why_not(made.sends)}")
        Ledger().keep(made.question, made.sends, None)


def _why_not(sends: float) -> str:
    """The belief behind a finite number of sends."""
    if sends <= 1:
        return "A pulled cable raises nothing: it is news to nobody, and send() asks nobody at the other end"
    if sends >= 600:
        return "We watched for five minutes. TCP goes on trying for some sixteen, and only then does send() raise"
    return "Somebody would have to miss an answer, and send() waits for none: it returns as soon as your own machine has the bytes"


def tally(trace: Trace) -> None:
    """Count what became of the server's sends since the cut: returned, waiting, raised, arrived."""
    start, got = (
        _since(trace),
        [
            event.t
            for event in trace.select("message", "client")
            if event.data["step"] == "received"
        ],
    )
    got = [t for t in got if t >= start]
    waits = _waiting_since(trace)
    rows = [f"{len(_returned(trace)):6,} send() returned"]
    rows += [f"{1:6,} send() waits, since {waits:.1f} s"] if waits is not None else []
    rows += [f"{len(_raised(trace)):6,} send() raised", f"{len(got):6,} messages arrived"]
    if any(cut.heal is not None for cut in trace.experiment.cuts) and got:
        first = sum(t <= got[0] + AT_ONCE for t in got)
        rows[-1] += f", {first:,} of them at {got[0]:.1f} s, when TCP tried again"
    stop = (
        "for ever: nothing can happen any more"
        if trace.over == "stuck"
        else f"until {trace.end:g} s"
    )
    print(f"from the cut at {start:g} s {stop}", *rows, sep="\n")


def _since(trace: Trace) -> float:
    return trace.experiment.cuts[0].start if trace.experiment.cuts else 0.0


def _returned(trace: Trace) -> list[float]:
    """When the server's sends returned since the cut (s)."""
    sent = [event.t for event in trace.select("message", "server") if event.data["step"] == "sent"]
    return [t for t in sent if t >= _since(trace)]


def _raised(trace: Trace) -> list[float]:
    return [one.t for one in trace.raised("server") if one.awaiting == "send"]


def _waiting_since(trace: Trace) -> float | None:
    """Since when a send of the server has not returned (s); None if none waits."""
    written = [
        event.t
        for event in trace.select("sent", "server", "log")
        if event.data.get("opcode") in ("BINARY", "TEXT")
    ]
    returned = [
        event for event in trace.select("message", "server") if event.data["step"] == "sent"
    ]
    return written[-1] if len(written) > len(returned) + len(_raised(trace)) else None


# exercise 1


def check_sends(answer: Any = ...) -> None:
    """Exercise 1: with write_limit=8192, how many sends of 1,000 bytes return after the cut?"""
    if answer is ... or answer is None:
        print("your turn – replace the ... by a number of sends")
        return
    if not is_number(answer) or answer < 0:
        print(f"expected a number of sends, such as 5; seen {answer!r}")
        return
    trace = run(WIDER, "virtual")
    returned = _returned(trace)
    if abs(answer - len(returned)) <= 1:
        close = "" if answer == len(returned) else f"close enough, you said {answer:g}: "
        print(
            f"✓ {close}{len(returned)} returned, the last at {returned[-1]:g} s. The next one did not: {_level(trace)}"
        )
        return
    print(f"not yet: {_at_that_send(answer, returned, trace)}")
    print(f"   {_sends_belief(answer)}")


def _level(trace: Trace) -> str:
    return f"{trace.waiting('server')[-1][1]:,} bytes wait in the write buffer, and its limit is {trace.experiment.server.write_limit:,}"


def _at_that_send(answer: float, returned: list[float], trace: Trace) -> str:
    """What the run shows at the learner's last send, without saying which was the last."""
    if answer > len(returned):
        return f"the run never came to send number {answer:g}: an earlier one did not return"
    if answer < 1:
        return "the first send after the cut returned, and so did the second"
    when = returned[int(answer) - 1]
    held = [count for t, count in trace.waiting("server") if t <= when]
    level = f"{held[-1] if held else 0:,} bytes in the write buffer"
    return f"send number {answer:g} returned at {when:g} s, with {level}, and so did the next one"


def _sends_belief(answer: float) -> str:
    wire, limit = WIDER.server.buffer or 0, WIDER.server.write_limit
    rows = {
        0: "A pulled cable raises nothing and blocks nothing: there is still room on your side of it",
        1: "Nobody has to take the first message before the second is sent: there is still room on your side of the cut",
        wire
        // FRAME: "That is what the wire holds. When it is full, the write buffer only begins to fill",
        limit
        // FRAME: "That is what the write buffer holds. But the wire has to be full before anything stays in it",
        (2 * wire + limit)
        // FRAME: "That needs 4,096 bytes more: only one of the two reservoirs has doubled, and nothing gets to the client's",
    }
    return rows.get(
        int(answer),
        "Which reservoirs lie before the cut, how much does each hold, and how much is a message on the wire?",
    )


# exercise 2

CAUSES = {  # what a learner writes → what it means
    "cut": "the wire was cut",
    "unread": "the peer does not read",
    "slow": "the link is slow",
    "goodbye": "the peer said goodbye",
}
HIDDEN = ("unread", "cut", "goodbye", "slow")


def mystery(number: int) -> Trace:
    """One of four traces, 1 to 4, from which is left out what was done to the connection."""
    if number not in range(1, len(HIDDEN) + 1):
        raise ValueError(f"there are the mysteries 1 to {len(HIDDEN)}, seen {number!r}")
    experiment = _of(HIDDEN[number - 1], random.Random(f"silence {number}"))
    trace = run(experiment, "virtual")
    events = [event for event in trace.events if event.what != "act"]
    return Trace(
        experiment.but(faults=()),
        events,
        {**trace.header, "ended": trace.header["ended"].partition(":")[0]},
    )


def _of(cause: str, dice: random.Random) -> Experiment:
    """A talking server, and one thing that happens, at some time."""
    at = dice.randint(6, 10) + 0.5
    acts: dict[str, Act] = {
        "cut": Cut(at=at),
        "unread": StopReading(at=at, end="client"),
        "slow": Throttle(at=at, rate=dice.choice([300, 400, 500])),
        "goodbye": Goodbye(at=at, end="client", reason="lunch"),
    }
    return TALK.but(faults=[acts[cause]], seed=dice.randint(0, 999))


def check_mysteries(
    first: Any = ..., second: Any = ..., third: Any = ..., fourth: Any = ...
) -> None:
    """Exercise 2: the cause of each of the four, in one word."""
    for number, answer in enumerate((first, second, third, fourth), start=1):
        print(f"{number}: {_judge(number, answer)}")


def _judge(number: int, answer: Any) -> str:
    if answer is ... or answer is None:
        return "your turn – replace the ... by one word"
    if (cause := one_of(answer, CAUSES)) is None:
        return f"expected {', '.join(map(repr, CAUSES))}; seen {answer!r}"
    marks = Marks(mystery(number))
    if cause == HIDDEN[number - 1]:
        return f"✓ {CAUSES[cause]}: {marks.speaks_for(cause)}"
    return f"not yet: {marks.speaks_against(cause)}"


class Marks:
    """What can be seen in one of the four traces, as sentences."""

    def __init__(self, trace: Trace) -> None:
        self.closed = trace.closed_at("server")
        self.taken = [
            event.t
            for event in trace.select("message", "client")
            if event.data["step"] == "received"
        ]
        self.came = [
            frame.arrived_at
            for frame in trace.frames("server")
            if frame.arrived_at is not None and frame.opcode == "BINARY"
        ]
        self.end = trace.end

    @property
    def unread(self) -> int:
        """Messages that came to the client's machine, and that its program never took."""
        return len(self.came) - len(self.taken)

    def speaks_for(self, cause: str) -> str:
        """The mark that belongs to this cause alone."""
        return {
            "cut": f"the last message came at {self.came[-1]:g} s, and everything that came was taken; the rest is on the near side",
            "unread": f"{self.unread} messages came to the client's machine, and its program never took them",
            "slow": f"messages keep coming to the end, the last at {self.came[-1]:.1f} s, but fewer than one a second",
            "goodbye": "nothing waits anywhere: the server is CLOSED, and its next send() raised",
        }[cause]

    def speaks_against(self, cause: str) -> str:
        """The mark that rules out a cause which it was not."""
        tests: dict[str, Callable[[], str | None]] = {
            "cut": self._not_cut,
            "unread": self._not_unread,
            "slow": self._not_slow,
            "goodbye": lambda: (
                "after a goodbye both ends are CLOSED and the program is told; here both are OPEN to the end"
            ),
        }
        told = f"then nobody would have told the server, and here it is CLOSED at {self.closed or 0:g} s"
        return tests[cause]() or (
            told if self.closed is not None else "look at what lies on the far side of the wire"
        )

    def _not_cut(self) -> str | None:
        if self.closed is None and self.unread:
            return f"behind a cut nothing can arrive, and here {self.unread} messages lie on the client's machine"
        return (
            None
            if self.closed is not None
            else f"behind a cut nothing can arrive, and here messages arrive until {self.came[-1]:.1f} s"
        )

    def _not_unread(self) -> str | None:
        return (
            None
            if self.closed is not None
            else "a peer that does not read has full reservoirs; here the client took all that came"
        )

    def _not_slow(self) -> str | None:
        if self.closed is not None:
            return None
        return f"over a slow link messages keep coming; here the client took its last one at {self.taken[-1]:g} s, of {self.end:g} s"


# exercise 3

SOON = 16.0  # s from the cut to being told, at most
MENDED = 9.5  # s; a cut of this length has to be survived, and TCP's next try comes after 13.44 s


def check_patience(patience: Any = ..., handler: Callable[[Any], Any] | None = None) -> None:
    """Exercise 3: a handler that is told within 16 s of a cut, and that survives a cut of 9.5 s."""
    if not is_seconds(patience, 60):
        return
    if handler is None:
        print("give the handler, too: check_patience(patience, impatient)")
    else:
        _told_in_time(handler)
        _survives(handler)


def _told_in_time(handler: Callable[[Any], Any]) -> None:
    trace = run(_quiet(Cut(at=5)), "virtual", server=handler)
    told, blocked = trace.told_at("server"), _full_at(trace)
    if told is None:
        print(
            "never mended: not yet: the program is not told. Is there a timeout around each send()?"
        )
    elif told - 5 <= SOON:
        print(
            f"never mended: ✓ told at {told:g} s, {told - 5:g} s after the cut, by {trace.raised('server')[0].type}"
        )
    else:
        print(
            f"never mended: not yet: told at {told:g} s, {told - 5:g} s after the cut. Your clock did not start at the cut: {blocked}"
        )


def _survives(handler: Callable[[Any], Any]) -> None:
    trace = run(_quiet(Cut(at=5, heal=5 + MENDED)), "virtual", server=handler)
    told, blocked = trace.told_at("server"), _full_at(trace)
    got = [event for event in trace.select("message", "client") if event.data["step"] == "received"]
    if not got:
        print(f"mended after {MENDED:g} s: not yet: {blocked}, since the handler sends nothing")
    elif told is None:
        print(
            f"mended after {MENDED:g} s: ✓ the program never heard of it, and its {len(got)} messages arrived"
        )
    else:
        print(
            f"mended after {MENDED:g} s: not yet: it gave up at {told:g} s, {_too_soon(told)}; {blocked}"
        )


def _too_soon(told: float) -> str:
    """How a program that gave up at ``told`` (s) stands to the heal."""
    early = 5 + MENDED - told
    if early > 0:
        return f"{early:g} s before the cut was mended"
    return f"{-early:g} s after the cut was mended, but TCP had not tried again by then"


def _quiet(cut: Cut) -> Experiment:
    """The same reservoirs, for a handler that does its own sending."""
    return TALK.but(server=Peer(ping_interval=None, buffer=4096, write_limit=4096), faults=[cut])


def _full_at(trace: Trace) -> str:
    """When the write buffer was first above its limit, in words."""
    limit = trace.experiment.server.write_limit
    full = next((t for t, count in trace.waiting("server") if count > limit), None)
    return (
        "no send ever waited" if full is None else f"until {full:g} s every send returned at once"
    )
