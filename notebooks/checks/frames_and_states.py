"""Notebook 01: what is on the wire when nothing is said?"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from labkit import Cut, Delay, Experiment, Peer, Trace, plots
from labkit.values.faults import ENDS, Act

from . import Code, Exercise, Form, Letters, Number, OneOf, Question, Trial
from .frame_bytes import Exchange, Parts, shown, take_apart, talk
from .own_code import own_code, virtual

QUIET = Experiment(server=Peer(ping_interval=4), latency=0.4, until=10)
SILENT = Peer(ping_interval=None)


def carried(trace: Trace) -> str:
    """What the pongs carry, each held against the ping that it answers."""
    pings, pongs = ([f.payload for f in trace.frames(opcode=kind)] for kind in ("PING", "PONG"))
    if not any(pongs):
        return "nothing"
    return "the ping's bytes" if pongs == pings else "bytes of its own"


def answered(seen: Exchange) -> str:
    """What a server answered, in a word."""
    came = [frame.opcode for frame in seen.answer]
    return "a pong" if "PONG" in came else "a goodbye" if "CLOSE" in came else "nothing"


QUESTIONS = [
    Question(
        "01 what a pong carries",
        OneOf("nothing", "the time", "the ping's bytes", "bytes of its own"),
        carried,
        {
            "nothing": "An empty pong could belong to any ping. This one names its ping.",
            "the time": "No clock is sent. The server remembers by itself when it asked.",
            "bytes of its own": "Bytes that nobody knows would prove nothing. An echo proves that"
            " this very ping arrived.",
        },
    ),
    Question(
        "01 latency",
        Number("s"),
        lambda trace: round(trace.latencies("server")[0][1], 3),
        {
            0: "Each way takes a while, and the server's clock runs until the pong is back.",
            0.4: "That is one way. The server only learns of it when the pong is back.",
            None: "It is the time of one ping and its pong. Which ways do these two go?",
        },
    ),
    Question(
        "01 the server's answer",
        OneOf("a pong", "a goodbye", "nothing"),
        answered,
        {
            "a pong": "The bytes make a fine ping, of a server. Who speaks here, and what does"
            " such an end do with each frame?",
            "nothing": "A server that is silent would leave you in the dark. What it cannot accept"
            " it refuses in words.",
        },
    ),
    Question(
        "01 how many the handler sees",
        OneOf(0, 1, 2),
        len,
        {
            0: "A message is a message, whatever its text is: the handler gets it.",
            2: "A real PING stays below the handler. The library answers it.",
        },
    ),
]


# whose log?

STARTS = {
    "server": ("< GET", "> HTTP/1.1", "> PING", "< PONG", "% sent"),
    "client": ("> GET", "< HTTP/1.1", "< PING", "> PONG"),
}
ARROWS = {
    ">": "> does not mean 'from the server'. It means: sent by whoever writes this log.",
    "<": "< does not mean 'by the server'. It means: received by whoever writes this log.",
}


@lru_cache(maxsize=1)
def mixed_lines() -> dict[str, tuple[str, str]]:
    """Lines of both logs of a quiet run, shuffled: letter → (end, line)."""
    trace, found = virtual(QUIET), []
    for end in ENDS:
        log = [line[10:] for line in trace.log(end)]
        for start in STARTS[end]:
            found.append((end, next(line for line in log if line.startswith(start))))
    random.Random("01 lines").shuffle(found)
    return dict(zip("ABCDEFGHI", found))


def show(table: Mapping[str, Any]) -> None:
    """Print lines of a log, or frames as hex, each with its letter."""
    for letter, row in table.items():
        print(letter, "  ", shown(row) if isinstance(row, bytes) else row[1])


def in_the_wrong_log(lines: dict[str, tuple[str, str]], letters: str) -> str:
    """Which belief put a line into the wrong log."""
    said = set(letters)
    wrong = sorted(said ^ {letter for letter, (end, _) in lines.items() if end == "server"})
    if not wrong:
        return ""
    for sigil, belief in ARROWS.items():
        if said == {letter for letter, (_, line) in lines.items() if line[0] == sigil}:
            return belief
    return f"{len(wrong)} stand in the wrong log. Which end does what {wrong[0]} says?"


# frames that nobody has seen

UNSEEN = {
    "a": bytes.fromhex("89 86 5b c4 1d 90 31 ee 02 7f 99 c4"),
    "b": bytes.fromhex("81 04 70 69 6e 67"),
    "c": bytes.fromhex("82 7e 01 69") + bytes(range(1, 181)) * 2 + b"!",
    "d": bytes.fromhex("8a 80 27 e1 08 b3"),
}
A_FRAME = r"(server|client) (cont|text|binary|close|ping|pong) (\d+)"


def read_words(given: Any) -> tuple[str, str, int] | None:
    """Who, what and how many bytes, out of a text such as "client PONG 3"."""
    found = re.fullmatch(A_FRAME, " ".join(str(given).lower().split()))
    return (found[1], found[2].upper(), int(found[3])) if found else None


def misread(parts: Parts, said: tuple[str, str, int]) -> str:
    """The belief behind the first of the three that is wrong."""
    sender, opcode, length = said
    if sender != parts.sender:
        return "Who sent it stands in the first bit of the second byte: only a client masks."
    if opcode != parts.opcode:
        if parts.payload == b"ping":
            return "The payload says ping, the opcode does not. These are only letters."
        return (
            "The opcode is the second hex digit of the first byte. The 8 before it is FIN and three"
            " spare bits."
        )
    return "" if length == parts.length else about_length(parts, length)


def about_length(parts: Parts, said: int) -> str:
    """The belief behind a wrong length."""
    second, more = parts.head[1], parts.more
    beliefs = {
        second: "That is the whole second byte. Its first bit is the mask bit: take 0x80 off.",
        len(parts.whole): "That counts the whole frame. The length is the payload's alone.",
        len(parts.whole) - 2: "That is all after two bytes. The length is the payload's alone.",
        parts.length + 4: "That counts the masking key, too. The length is the payload's alone.",
    }
    if more:
        beliefs |= {
            second: "That is no length but a signpost: the next two bytes hold it.",
            int.from_bytes(more, "little"): "In a length the higher byte comes first.",
            sum(more): "The two bytes are one number: 256 × the first + the second.",
            int(more.hex()): "Those are hex digits, each worth up to 15.",
        }
    return beliefs.get(
        said,
        "The length is the second byte without its first bit. If that is 126, the next two bytes.",
    )


WORTH_KNOWING = {
    "b": "a message that says ping is no PING; recv() returns it, and no pong answers it",
    "d": "it answers an empty ping, or none at all, and both are legal",
}


# a ping by hand

WANTED = b"hi"
REASONS = {
    "incorrect masking": "whatever a client sends has to be masked: set the first bit of byte 2",
    "reserved bits must be 0": "the first hex digit is FIN and three spare bits: 1 000 is an 8",
    "fragmented control frame": "FIN is 0, so more of this ping is to come; a ping comes whole",
    "invalid opcode": "nothing has this opcode",
}
OPCODES = {
    "TEXT": "Opcode 1 is a message. The server's handler gets it, and the protocol is silent.",
    "BINARY": "Opcode 2 is a message. The server's handler gets it, and the protocol is silent.",
    "PONG": "Opcode a is a pong: an answer to a question that nobody asked. Nobody answers it.",
    "CLOSE": "Opcode 8 is CLOSE: you said goodbye, and the server said it, too.",
    "CONT": "Opcode 0 goes on with a message that you never began.",
}


def read_hex(given: Any) -> str | None:
    """Bytes as hex, however they are written; None if they are none."""
    digits = re.sub(r"0x|\\x|[\s,]", "", str(given).lower())
    return digits if re.fullmatch(r"([\da-f]{2})+", digits) else None


def about_ping(seen: Exchange, _: str) -> str:
    """What the server's answer says about the bytes that were typed."""
    mine, pongs = take_apart(seen.sent), seen.trace.frames("server", "PONG")
    over = len(seen.sent) - len(mine.whole)
    if not over and [pong.payload for pong in pongs] == [WANTED.hex()]:
        return ""
    if mine.missing and not seen.answer:
        return about_missing(mine)
    if not pongs and (reason := next((frame.reason for frame in seen.answer), "")):
        why = REASONS.get(reason, "the server cannot read on")
        return f"CLOSE 1002 is a protocol error, {reason!r}: {why}."
    if mine.opcode in OPCODES:
        return OPCODES[mine.opcode]
    if over:
        return "Your ping ends before your bytes do, as its length says."
    if mine.body == WANTED:
        return "You announced a key, and then sent 'hi' as it is. The server XORed it all the same."
    return f"The pong carries what your ping carried, {mine.payload!r}, not {WANTED!r}."


def about_missing(mine: Parts) -> str:
    """Why the server still waits for bytes."""
    waits = f"The server waits for {mine.missing} more"
    if len(mine.head) < 2:
        return f"{waits}: a frame has two bytes at least."
    if len(mine.key) == 4 == mine.missing:
        return f"{waits}: your length counts the masking key, too; it is the payload's alone."
    if mine.length == len(WANTED):
        return f"{waits}: masked means that the next 4 bytes are the key, and then comes the rest."
    return f"{waits}: your length says {mine.length}, and {len(mine.body)} bytes of payload came."


# a client that counts pongs

ASKED, PATIENCE = 5, 0.5  # pings, s
Seen = tuple[Trace, list[Any]]


def counted(faults: Sequence[Act], code: Callable[..., Any]) -> Seen:
    """Run the learner's client; the trace, and what it returned, if it did."""
    return own_code(Experiment(SILENT, SILENT, faults=faults, latency=0.05, until=60), code)


def trips(trace: Trace) -> list[float | None]:
    """How long each ping of the client took to be answered (s); None if it never was."""
    home = {pong.payload: pong.arrived_at for pong in trace.frames("server", "PONG")}
    pings = [(ping.sent_at, home.get(ping.payload)) for ping in trace.frames("client", "PING")]
    return [back and back - sent for sent, back in pings]


def miscounted(seen: Seen) -> str:
    """The belief behind a wrong count."""
    trace, found = seen
    took = trips(trace)
    home = [t for t in took if t is not None]
    good = sum(t <= PATIENCE for t in home)
    if len(took) != ASKED and found:
        return f"Your client asked {len(took)} of {ASKED} times."
    if not found:
        return "Your client never came back: it awaits a pong that does not come. Who ends that?"
    if found[0] == good:
        return ""
    said = f"Your client counted {found[0]}, and {good} pongs came within {PATIENCE} s"
    if found[0] == len(home):
        return f"{said}; {len(home)} came at all. Late is not in time."
    if found[0] == len(took):
        return f"{said}. `await websocket.ping()` returns when the ping is sent, not answered."
    return f"{said}. recv() returns no pong: await what `await websocket.ping()` gave you."


WIRES: dict[str, Sequence[Act]] = {
    "a quiet wire": [],
    "a wire that is cut": [Cut(1.5)],
    "a cut that is healed": [Cut(1.8, heal=2.9)],
    "a wire that becomes slow": [Delay(2.5, latency=0.3)],
}
EXERCISES = [
    Exercise(
        "01 the server's lines",
        Letters("ABCDEFGHI"),
        [
            Trial(
                "whose log",
                lambda _: mixed_lines(),
                in_the_wrong_log,
                "the server answers GET, and only it has keepalive here, so it sends the pings",
            )
        ],
    ),
    *(
        Exercise(
            f"01 frame {letter}",
            Form('who, what and how many bytes, such as "client PONG 3"', read_words),
            [
                Trial(
                    f"frame {letter}",
                    lambda _, data=data: take_apart(data),
                    misread,
                    WORTH_KNOWING.get(letter, ""),
                )
            ],
        )
        for letter, data in UNSEEN.items()
    ),
    Exercise(
        "01 a ping by hand",
        Form('bytes as hex, such as "89 0a ff"', read_hex),
        [
            Trial(
                "sent to a real server",
                partial(talk, wire="virtual"),
                about_ping,
                lambda seen: f"it took your bytes for a PING, and sent a PONG\n{seen}",
                lambda seen: seen,
            )
        ],
    ),
    Exercise(
        "01 count the pongs",
        Code("a function that counts pongs"),
        [
            Trial(
                name,
                partial(counted, faults),
                miscounted,
                lambda seen: f"{seen[1][0]} of {ASKED} pongs came in time",
                lambda seen: plots.ladder(seen[0]),
            )
            for name, faults in WIRES.items()
        ],
    ),
]
