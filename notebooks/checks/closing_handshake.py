"""Notebook 02: who says goodbye, who hangs up, and what each end reports."""

from __future__ import annotations

import random
from functools import partial
from typing import Any, NamedTuple

from labkit import Experiment, Goodbye, Leave, Peer, Trace, plots
from labkit.trace import OTHER, Event
from labkit.values.faults import ENDS

from . import Code, Exercise, Letters, OneOf, Question, Trial
from .own_code import Program, mistake, virtual

SLOW = Experiment(server=Peer(ping_interval=None), latency=0.4)  # so slow that every step is seen

# what was said, and who hung up


def fins(trace: Trace) -> list[Event]:
    """Each end's FIN, when it was sent."""
    return trace.select("fin", step="sent")


def code_in(trace: Trace, what: str, end: str) -> int | None:
    """The code in the CLOSE that an end "sent" or "got"; 1005: it had none; None: no CLOSE."""
    closes = trace.select(what, end, "log", opcode="CLOSE")
    return closes[0].data.get("code", 1005) if closes else None


def close_code(trace: Trace, end: str) -> int | None:
    """What an end's close_code is (RFC 6455 §7.1.5); None: it is not CLOSED."""
    received = code_in(trace, "got", end)
    return None if trace.closed_at(end) is None else 1006 if received is None else received


def reports(trace: Trace) -> str:
    """What both ends report, as a table."""
    lines = [f"{'':8}{'close_code':>10}{'sent':>8}{'received':>10}  its program"]
    for end in ENDS:
        sent, got = code_in(trace, "sent", end), code_in(trace, "got", end)
        codes = (close_code(trace, end) or "–", sent or "–", got or "–")
        raised = [one.type for one in trace.raised(end)]
        program = f"{raised[0]} was raised" if raised else "nothing was raised"
        lines.append("{:8}{:>10}{:>8}{:>10}  {}".format(end, *codes, program))
    return "\n".join(lines)


def hangs_up_when(trace: Trace) -> str:
    """Whether the server hung up with its own CLOSE, or after the client's."""
    answered = trace.frames("client", "CLOSE")[0].arrived_at
    waited = answered is not None and fins(trace)[0].t >= answered - 1e-6
    return "after the answer" if waited else "at once"


QUESTIONS = [
    Question(
        "02 the client says goodbye: who hangs up first?",
        OneOf(*ENDS),
        lambda trace: fins(trace)[0].data["sender"],
        {
            "client": "Saying goodbye is not yet hanging up: the client says CLOSE, and"
            " waits for the server to close TCP."
        },
    ),
    Question(
        "02 the server says goodbye: when does it hang up?",
        OneOf("at once", "after the answer"),
        hangs_up_when,
        {"at once": "A CLOSE asks for an answer. Who hangs up at once can't hear it."},
    ),
    Question(
        "02 both say goodbye at once: how many CLOSE frames?",
        OneOf(2, 3, 4),
        lambda trace: len(trace.frames(opcode="CLOSE")),
        {
            3: "There is no third CLOSE: each end says it once, whether it asks or answers.",
            4: "Each CLOSE wants an answer, but who has already said CLOSE has answered, too.",
        },
    ),
    Question(
        "02 both say goodbye at once: which close_code at the client?",
        OneOf(1000, 1001, 1006),
        lambda trace: close_code(trace, "client"),
        {
            1000: "That is what the client has sent. Its close_code is what it has received.",
            1006: "An end notes 1006 if no CLOSE arrived. Here one did, in both directions.",
        },
    ),
    Question(
        "02 the handler raises: what does the client's loop do?",
        OneOf("ends", "raises"),
        lambda trace: "raises" if trace.raised("client") else "ends",
        {
            "ends": "It ends after 1000, 1001 or no code. After any other code it raises, so that"
            " a failure is not taken for the end."
        },
    ),
]

# a goodbye, shuffled


class Card(NamedTuple):
    """One event of a goodbye: when (s), and of those of one instant, which comes first."""

    t: float
    stage: int
    text: str


CROSSING = SLOW.but(faults=[Goodbye(at=2, end="server"), Goodbye(at=2.3, end="client")])


def cards() -> dict[str, Card]:
    """The events of a run of CROSSING, shuffled, by letter."""
    trace = virtual(CROSSING)
    found = []
    for frame in trace.frames(opcode="CLOSE"):
        if frame.arrived_at is not None:
            found.append(Card(frame.sent_at, 1, f"the {frame.sender} says CLOSE"))
            news = f"the {frame.sender}'s CLOSE arrives at the {OTHER[frame.sender]}"
            found.append(Card(frame.arrived_at, 0, news))
    found += [Card(event.t, 1, f"the {event.data['sender']} hangs up") for event in fins(trace)]
    found += [Card(trace.closed_at(end) or 0.0, 1, f"the {end} is CLOSED") for end in ENDS]
    found.sort()
    random.Random(2).shuffle(found)
    return dict(zip("ABCDEFGH", found))


def shuffled() -> str:
    """The cards to put in order."""
    return "\n".join(f"   {letter}  {card.text}" for letter, card in cards().items())


def misplaced(deck: dict[str, Card], order: str) -> str:
    """What is wrong with the first pair that can't be, by belief."""
    row = [deck[letter] for letter in order]
    for early, late in zip(row, row[1:]):
        if round(early.t, 6) > round(late.t, 6) or early[:2] > late[:2]:
            return f"“{early.text}” before “{late.text}”? {why_not(early.text, late.text)}"
    return ""


def why_not(early: str, late: str) -> str:
    """What is wrong with one event before another, by what they say."""
    if "hangs up" in early and "hangs up" in late:
        return "The server closes TCP first, whoever said goodbye (RFC 6455 §7.1.1)."
    if "CLOSED" in early:
        return "An end is CLOSED when TCP is: both have hung up as far as it knows (§7.1.4)."
    if "hangs up" in early:
        return "The server hangs up when it has said and heard a CLOSE; then the client (§7.1.1)."
    return "Every CLOSE takes 0.4 s to arrive. The server speaks at 2.0 s, the client at 2.3 s."


# a handler of one's own

ORDERS = {
    "an order": "go on",
    "the last order": "done",
    "closing time": "going away",
    "a rude order": "against the rules",
}
MEANING = {  # RFC 6455 §7.4.1
    1000: "“I am done, and all went well”",
    1001: "“I am going away”, as a server that shuts down",
    1005: "nothing: there was no code in the CLOSE",
    1008: "“you have broken my rules”",
    1011: "“something in me failed”",
}


def look_at(order: str) -> str:
    """What a desk has to do now: go on, or say goodbye, and why; a broken order is a KeyError."""
    return ORDERS[order]


LEAVES = "the client leaves"


def served(last: str, handler: Program) -> Trace:
    """A run of a learner's handler; its client sends two orders, and the last one or leaves."""

    async def client(websocket: Any) -> None:
        await websocket.send("an order")
        await websocket.send("an order")
        if last == LEAVES:
            await websocket.recv()
            await websocket.recv()
            await websocket.close()
        else:
            await websocket.send(last)
        await websocket.wait_closed()

    return virtual(SLOW, server=handler, client=client)


def impolite(wanted: int, why: str, trace: Trace) -> str:
    """What is wrong with a goodbye that should have had this code."""
    got, many = code_in(trace, "got", "client"), len(trace.frames("server"))
    broke = mistake(trace)
    broke = f" Your {broke}." if broke else ""
    if trace.closed_at("client") is None:
        return f"{why}, and nobody says goodbye: the client waits, and will wait for ever."
    if got is None:
        return f"{why}. The client was hung up on without a CLOSE: it has to note 1006."
    if many < 3:
        return f"there were two orders to serve before, and your goodbye came too soon.{broke}"
    if got != wanted:
        means = MEANING.get(got, "something that is not in the table")
        return f"{why}. The client was told {got}, which says {means}.{broke}"
    return ""


DESK = {  # the last order: the code that its client has to be told, and why
    "the last order": (1000, "The desk was done"),
    "closing time": (1001, "The desk had to go"),
    "a rude order": (1008, "The client broke the rules"),
    "a broken order": (1011, "The desk itself failed"),
    LEAVES: (1000, "The client had said CLOSE 1000"),
}


async def reads(websocket: Any) -> None:
    """A program that reads until it is told."""
    while True:
        await websocket.recv()


async def vanishes(websocket: Any) -> None:
    """A program that is killed: it says nothing, and its system closes TCP."""
    websocket.transport.abort()


async def like_a_page(websocket: Any) -> None:
    """JavaScript's ``socket.close()``: a CLOSE without a code (RFC 6455 §7.1.5)."""
    async with websocket.send_context():
        websocket.protocol.send_close()


async def refuses(websocket: Any) -> None:
    """A server that throws its client out."""
    await websocket.close(1008)


def wrong_code(asked: str, trace: Trace, said: int) -> str:
    """Why an end does not report what was answered."""
    got = code_in(trace, "got", asked)
    if said == close_code(trace, asked):
        return ""
    if got is None:
        return f"{said} at the {asked}? No CLOSE arrived there. What does an end note then?"
    if got == 1005:
        return f"{said}? A CLOSE arrived, with no code in it. What does an end note then?"
    if said in (1005, 1006):
        return f"{said} is a note of an end that got no code, or no CLOSE. Here it got both."
    return f"{said}? An end reports what it received. Who answers a CLOSE, with which code?"


def ending(number: int, name: str, asked: str, **how: Any) -> Trial:
    """One way to end, and the end that is asked for its close_code."""
    acts = how.pop("faults", [])
    programs = {"server": reads, "client": reads, **how}

    return Trial(
        name,
        lambda _: virtual(SLOW.but(faults=acts), **programs),
        partial(wrong_code, asked),
        lambda trace: f"the {asked} reports {close_code(trace, asked)}",
        only=number,
    )


EXERCISES = [
    Exercise(
        "02 in order",
        Letters("ABCDEFGH", ordered=True),
        [Trial("each in its turn", lambda order: cards(), misplaced, "so it went")],
    ),
    Exercise(
        "02 say goodbye",
        Code("the goodbyes of your handler"),
        [
            Trial(
                last,
                partial(served, last),
                partial(impolite, code, why),
                f"the client was told {code}",
                plots.ladder,
            )
            for last, (code, why) in DESK.items()
        ],
    ),
    Exercise(
        "02 which code",
        [OneOf(1000, 1001, 1005, 1006, 1008, 1011)] * 4,
        [
            ending(0, "killed", "server", client=vanishes),
            ending(1, "page", "server", client=like_a_page),
            ending(2, "refused", "server", server=refuses),
            ending(3, "gone", "client", faults=[Leave(at=2, end="client")]),
        ],
    ),
]
