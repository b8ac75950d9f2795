"""The guesses and exercises of notebook 02, judged by experiment: who says goodbye, who hangs up, what each end reports.

1. Put the shuffled events of a goodbye in order. Of two sides of one thing (CLOSING and the CLOSE, CLOSED and the FIN), either
   may come first; what must come before what is read off a run: an end's own time, and what travels (RFC 6455 §5.5.1, §7.1).
2. Which close_code and which exception will an end report, in situations not seen before?

A wrong answer is told which belief it comes from: "the peer sent 1006", "who says goodbye hangs up", "no code is 1000" …
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..running import run
from ..trace import OTHER, Event, Trace
from ..values.experiment import Experiment, Peer
from ..values.faults import ENDS, Reset
from .answers import one_of
from .expect import Expectation, expect, settle_one

SLOW = Experiment(
    server=Peer(ping_interval=None), latency=0.4
)  # a wire so slow that every step can be seen
INSTANT = 1e-6  # s: nearer than this is the same instant
Handler = Callable[[Any], Awaitable[Any]]


# guesses among a few answers


@dataclass(frozen=True)
class Question:
    """A question with a few possible answers, how a trace answers it, and what is wrong with each wrong one."""

    text: str
    among: tuple[Any, ...]
    fact: Callable[[Trace], Any]
    beliefs: dict[Any, str]


def choose(name: str, given: Any = ...) -> Expectation:
    """Lock a guess among the few answers to one of QUESTIONS, by its name."""
    question = QUESTIONS[name]
    return expect(question.text, given, question.among)


def reveal(made: Expectation, trace: Trace) -> None:
    """Say what a trace answers, and which belief a wrong guess comes from; and keep it in the ledger."""
    question = next((one for one in QUESTIONS.values() if one.text == made.question), None)
    if question is None:
        raise ValueError(
            f"expected a guess that choose() has made, about one of {', '.join(map(repr, QUESTIONS))}; seen {made!r}"
        )
    fact = question.fact(trace)
    settle_one(made, fact, {} if made.value == fact else question.beliefs)


def first_to_hang_up(trace: Trace) -> str:
    """The end whose FIN went into the wire first."""
    return str(_fins(trace)[0].data["sender"])


def _fins(trace: Trace) -> list[Event]:
    return [event for event in trace.select("fin") if event.data["step"] == "sent"]


def _hangs_up_when(trace: Trace) -> str:
    arrived = [frame.arrived_at for frame in trace.frames("client") if frame.opcode == "CLOSE"]
    waited = bool(arrived) and arrived[0] is not None and _fins(trace)[0].t >= arrived[0] - INSTANT
    return "after the answer" if waited else "at once"


def _closes(trace: Trace) -> int:
    return sum(frame.opcode == "CLOSE" for frame in trace.frames())


def _end_of_loop(trace: Trace) -> str:
    return "raises" if trace.raised("client") else "ends"


QUESTIONS = {
    "who hangs up first": Question(
        "02 the client says goodbye: who hangs up first?",
        ENDS,
        first_to_hang_up,
        {
            "client": "Saying goodbye is one thing, hanging up another: the client only says CLOSE, and waits for the server to close TCP"
        },
    ),
    "when does it hang up": Question(
        "02 the server says goodbye: when does it hang up?",
        ("at once", "after the answer"),
        _hangs_up_when,
        {
            "at once": "A CLOSE asks for an answer, and whoever hangs up at once can't hear it: the goodbye would not be clean"
        },
    ),
    "how many CLOSEs": Question(
        "02 both say goodbye at once: how many CLOSE frames?",
        (2, 3, 4),
        _closes,
        {
            3: "There is no third word: each end says CLOSE once, whether it asks or answers",
            4: "Each CLOSE wants an answer, but who has already said CLOSE has answered, too",
        },
    ),
    "which code": Question(
        "02 both say goodbye at once: which close_code at the client?",
        (1000, 1001, 1006),
        lambda trace: report(trace, "client").code,
        {
            1000: "That is what the client itself has sent: an end's close_code is the code that it has received",
            1006: "An end writes down 1006 if no CLOSE arrived, and here one did, in both directions",
        },
    ),
    "what does the loop do": Question(
        "02 the handler raises: what does the client's loop do?",
        ("ends", "raises"),
        _end_of_loop,
        {
            "ends": "It just ends after 1000, 1001 or no code; after any other code it raises, so that a failure is not taken for the end"
        },
    ),
}


# what each end reports


@dataclass(frozen=True)
class Report:
    """What one end knows after a goodbye: its close_code, the codes of both CLOSEs, and what its program met."""

    end: str
    code: int | None  # close_code (RFC 6455 §7.1.5); None: not CLOSED yet
    sent: int | None  # None: no CLOSE sent
    received: int | None
    exception: str | None

    @property
    def kind(self) -> str | None:
        """The exception in short, "OK" or "Error"; None if there was none."""
        return self.exception.removeprefix("ConnectionClosed") if self.exception else None


def report(trace: Trace, end: str) -> Report:
    """What ``end`` reports, from its own log and its application."""
    sent, received = _code(trace, "sent", end), _code(trace, "got", end)
    code = None if trace.closed_at(end) is None else 1006 if received is None else received
    told = [one.type for one in trace.raised(end) if one.type.startswith("ConnectionClosed")]
    return Report(end, code, sent, received, told[0] if told else None)


def _code(trace: Trace, what: str, end: str) -> int | None:
    """The code of the first CLOSE that ``end`` sent or got; 1005 if that CLOSE had none, None if there was no CLOSE."""
    closes = [
        event.data for event in trace.select(what, end, "log") if event.data["opcode"] == "CLOSE"
    ]
    return closes[0].get("code", 1005) if closes else None


def reports(trace: Trace) -> str:
    """What both ends report, as a table."""
    lines = [f"{'':8}{'close_code':>10}{'sent':>8}{'received':>10}  its program"]
    for one in (report(trace, end) for end in ENDS):
        cells = [
            "–" if number is None else str(number) for number in (one.code, one.sent, one.received)
        ]
        lines.append(
            f"{one.end:8}{cells[0]:>10}{cells[1]:>8}{cells[2]:>10}  {_program(trace, one)}"
        )
    return "\n".join(lines)


def _program(trace: Trace, one: Report) -> str:
    own = [
        raised.type
        for raised in trace.raised(one.end)
        if not raised.type.startswith("ConnectionClosed")
    ]
    returned = [
        event.data["call"]
        for event in trace.select("returned", one.end)
        if event.data["call"] != "close"
    ]
    if own:
        return f"its handler raised {own[0]}"
    if one.exception:
        return one.exception
    return f"{returned[0]}() returned" if returned else "was told nothing"


# exercise 1: a goodbye, shuffled


@dataclass(frozen=True)
class Card:
    """One event of a goodbye: at which end and when (s), and when it arrives at the other end, if it travels."""

    text: str
    end: str
    kind: str  # close, closing, fin, closed
    t: float
    arrives: float | None = None


@dataclass(frozen=True)
class Cards:
    """The events of one goodbye run, shuffled; ``print`` shows them with their letters."""

    begins: str
    cards: tuple[Card, ...]  # in the order of their letters
    trace: Trace

    @property
    def letters(self) -> str:
        """One letter a card, from A."""
        return "".join(chr(ord("A") + n) for n in range(len(self.cards)))

    def __str__(self) -> str:
        head = f"The {self.begins} says goodbye, with code 1000:"
        return "\n".join(
            [head, *(f"   {letter}  {card.text}" for letter, card in zip(self.letters, self.cards))]
        )

    __repr__ = __str__


def shuffled(seed: int = 2) -> Cards:
    """A real goodbye, its events shuffled: another seed is another shuffle, and sometimes the other end begins."""
    dice = random.Random(f"goodbye {seed}")
    begins = dice.choice(ENDS)
    trace = run(
        SLOW.but(**{begins: Peer(ping_interval=None, close_at=2)}), "virtual", progress=False
    )
    cards = sorted(_cards(trace, begins), key=lambda card: card.text)
    dice.shuffle(cards)
    return Cards(begins, tuple(cards), trace)


def _cards(trace: Trace, begins: str) -> list[Card]:
    other = OTHER[begins]
    closes = [frame for frame in trace.frames() if frame.opcode == "CLOSE"]
    found = [
        Card(f"the {f.sender} sends CLOSE 1000", f.sender, "close", f.sent_at, f.arrived_at)
        for f in closes
    ]
    arrived = {
        event.data["sender"]: event.t
        for event in trace.select("fin")
        if event.data["step"] == "arrived"
    }
    for event in _fins(trace):
        sender = event.data["sender"]
        found.append(
            Card(f"the {sender} hangs up (FIN)", sender, "fin", event.t, arrived.get(sender))
        )
    states = [(other, "closing", trace.noticed_at(other))] + [
        (end, "closed", trace.closed_at(end)) for end in ENDS
    ]
    return found + [_state(found, end, kind, t or 0.0) for end, kind, t in states]


def _state(found: list[Card], end: str, kind: str, t: float) -> Card:
    """A change of state; what the end sends at the same instant is the other side of it, and carries the news."""
    news = [
        card.arrives
        for card in found
        if card.end == end and abs(card.t - t) <= INSTANT and STAGE[card.kind] == STAGE[kind]
    ]
    return Card(f"the {end} is {kind.upper()}", end, kind, t, news[0] if news else None)


STAGE = {
    "closing": 0,
    "close": 0,
    "fin": 1,
    "closed": 1,
}  # of what one end does at one instant; equal ones are two sides of one thing


def must_precede(one: Card, two: Card) -> bool:
    """Whether ``one`` is at once the cause of ``two``, or before it in its end's own time."""
    if one.end == two.end:
        return one.t < two.t - INSTANT or (
            one.t < two.t + INSTANT and STAGE[one.kind] < STAGE[two.kind]
        )
    return one.arrives is not None and one.arrives <= two.t + INSTANT


def precedes(cards: tuple[Card, ...], one: Card, two: Card) -> bool:
    """Whether ``one`` has to come before ``two``, perhaps by way of others."""
    return must_precede(one, two) or any(
        must_precede(one, other) and precedes(cards, other, two)
        for other in cards
        if other is not one
    )


def check_order(order: Any, cards: Cards) -> None:
    """Exercise 1: the letters in an order that the run allows; a wrong pair is answered by its belief."""
    row = _row(order, cards)
    if row is None:
        return
    wrong = [
        (one, two)
        for n, one in enumerate(row)
        for two in row[n + 1 :]
        if precedes(cards.cards, two, one)
    ]
    if wrong:
        early, late = wrong[0]
        print(
            f"not yet: you have “{early.text}” before “{late.text}”.\n   {why_not(early, late, cards.begins)}"
        )
        return
    for card in row:
        print(f"   {card.t:4.1f} s  {card.text}")
    print("✓ this order is possible")


def _row(order: Any, cards: Cards) -> list[Card] | None:
    """The cards in the learner's order; None (and a word) if there is none yet."""
    if order is ... or order is None:
        print(
            f'order: your turn – replace the ... by the {len(cards.cards)} letters, such as "{cards.letters}"'
        )
        return None
    given = (
        "".join(order)
        if isinstance(order, (list, tuple)) and all(isinstance(one, str) for one in order)
        else order
    )
    if not isinstance(given, str):
        print(f"order: expected letters such as {cards.letters!r}, seen {order!r}")
        return None
    letters = [letter for letter in given.upper() if letter.isalpha()]
    if sorted(letters) != list(cards.letters):
        print(f"order: expected each of {cards.letters} once, seen {given!r}")
        return None
    return [cards.cards[cards.letters.index(letter)] for letter in letters]


def why_not(early: Card, late: Card, begins: str) -> str:
    """What is wrong with ``early`` before ``late``, by belief."""
    if early.kind == "fin" and late.kind == "fin":
        return "The server closes TCP first, whoever said goodbye; the client waits for it, and follows (RFC 6455 §7.1.1)."
    if early.kind == "closed" and late.kind == "closed":
        return "The client is CLOSED when the server has hung up; the server only when the client has, one trip later (RFC 6455 §7.1.1)."
    if late.kind == "closing":
        return "An end is CLOSING as soon as it has sent or received a CLOSE, whichever comes first (RFC 6455 §7.1.3)."
    if early.kind == "fin":
        return "Nobody hangs up before the goodbye is said and answered: after a FIN, no CLOSE could follow (RFC 6455 §5.5.1)."
    if early.kind == "closed":
        return "An end is CLOSED when TCP is closed, not when the CLOSEs are exchanged: the hanging up comes before (RFC 6455 §7.1.4)."
    return f"The {begins} begins: the {OTHER[begins]} still believes that all is well, until a CLOSE arrives."


# exercise 2: which codes


async def returns(websocket: Any) -> None:
    """A handler that has nothing to say."""


async def raises(websocket: Any) -> None:
    """A handler with a mistake."""
    raise KeyError("a mistake")


async def vanishes(websocket: Any) -> None:
    """A program that is killed: it says nothing, and its system closes TCP."""
    websocket.transport.abort()
    await websocket.wait_closed()


async def like_a_browser(websocket: Any) -> None:
    """JavaScript's ``socket.close()``: it sends a CLOSE without a code (RFC 6455 §7.1.5)."""
    async with websocket.send_context():
        websocket.protocol.send_close()


async def reads(websocket: Any) -> None:
    """A program that reads until it is told."""
    while True:
        await websocket.recv()


@dataclass(frozen=True)
class Situation:
    """How a connection ends, in words and as an experiment, and the end that is asked."""

    words: str
    asked: str
    experiment: Experiment = SLOW
    server: Handler = reads
    client: Handler = reads

    def run(self) -> Trace:
        """Let it happen, in virtual time."""
        return run(
            self.experiment, "virtual", server=self.server, client=self.client, progress=False
        )


SITUATIONS = {
    "returned": Situation("the server's handler returns", "client", server=returns),
    "raised": Situation("the server's handler raises KeyError", "client", server=raises),
    "killed": Situation("the client's process is killed", "server", client=vanishes),
    "reset": Situation("a box in the middle resets TCP", "client", SLOW.but(faults=[Reset(at=2)])),
    "browser": Situation(
        "a browser calls socket.close() without a code", "server", client=like_a_browser
    ),
}
MEANING = {  # RFC 6455 §7.4.1
    1000: "1000 is a normal end, said by an end that has done what it wanted",
    1001: "1001 is said by an end that goes away: a server that shuts down, a page that is left",
    1002: "1002 is said by an end that has seen a violation of the protocol",
    1005: "1005 is noted by an end that received a CLOSE without a code",
    1006: "1006 is noted by an end that received no CLOSE at all",
    1011: "1011 is said by an end that met a failure of its own and can't go on",
}


def check_codes(**answers: Any) -> None:
    """Exercise 2: for each situation the close_code and "OK" or "Error" at the end that is asked; each is run."""
    for name, given in answers.items():
        if name not in SITUATIONS:
            print(f"{name}: there is no such situation; there are {', '.join(SITUATIONS)}")
        elif (answer := _answer(name, given)) is not None:
            _judge(SITUATIONS[name], name, *answer)


def _answer(name: str, given: Any) -> tuple[int, str] | None:
    """A learner's (close_code, kind); None (and a word) if there is none yet."""
    if given is ... or given is None:
        print(
            f'{name}: your turn – replace the ... by a code and "OK" or "Error", such as 1002, "Error"'
        )
        return None
    pair = given if isinstance(given, (tuple, list)) and len(given) == 2 else (None, None)
    code, kind = pair[0], one_of(pair[1], ("OK", "Error"))
    if isinstance(code, bool) or not isinstance(code, int) or kind is None:
        print(f'{name}: expected a code and "OK" or "Error", such as 1002, "Error"; seen {given!r}')
        return None
    return code, kind


def _judge(situation: Situation, name: str, code: int, kind: str) -> None:
    trace = situation.run()
    fact = report(trace, situation.asked)
    closes = ", ".join(
        f"the {f.sender} sends CLOSE {f.code or 'without a code'}"
        for f in trace.frames()
        if f.opcode == "CLOSE"
    )
    right = (code, kind) == (fact.code, fact.kind)
    print(
        f"{name}: {situation.words}"
        + (f" · on the wire: {closes or 'no CLOSE at all'}" if right else "")
    )
    if right:
        print(f"   ✓ the {situation.asked} reports {fact.code}, and recv() raises {fact.exception}")
    elif code != fact.code:
        print(f"   not yet: {code} at the {situation.asked}? {code_belief(code, fact.received)}")
    else:
        print(f"   not yet: the code is right, but {kind}? {KIND[fact.kind == 'OK']}")


KIND = {
    True: "ConnectionClosedOK is raised when both CLOSEs had 1000, 1001 or no code.",
    False: "ConnectionClosedOK is for a goodbye with 1000, 1001 or no code, said and answered; everything else is ConnectionClosedError.",
}


def code_belief(code: int, received: int | None) -> str:
    """Why an end that received a CLOSE with this code (1005: without one; None: no CLOSE) does not report ``code``."""
    if code == 1006:
        return "1006 is never sent: an end notes it for itself when no CLOSE arrived, and here one did."
    if received is None:
        note = (
            "1005 is for a CLOSE without a code"
            if code == 1005
            else f"Somebody would have had to send a CLOSE with {code}"
        )
        return f"{note}, and here no CLOSE arrived. What does an end note for itself then?"
    if received == 1005:
        return f"Nobody puts {code} into a CLOSE that came without a code. What does an end note for itself then?"
    if code == 1005:
        return "1005 is never sent: an end notes it for itself when a CLOSE came without a code, and this one had one."
    return f"{MEANING.get(code, f'{code} is another code')}. Who said what here, and why?"
