"""The guesses and exercises of notebook 01, judged by experiment.

1. Log lines of both ends, mixed: which did the server write?
2. Frames that you have not seen, as hex: who sent them, what are they, how many bytes do they carry?
3. A ping, typed as hex and sent to a real server: does its pong come?
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from ..running import run
from ..trace import Trace
from ..values.experiment import Experiment, Peer
from .anatomy import Anatomy, shown, take_apart
from .expect import Expectation, expect, settle_one
from .raw import Exchange, send, split

QUIET = Experiment(server=Peer(ping_interval=4), latency=0.4, until=10)
CARRIES = ("nothing", "the time", "the ping's bytes", "bytes of its own")
WANTED = b"hi"  # what the ping of exercise 3 carries

# The guess: what a pong carries, and what keepalive measures


def guess_pong(carries: Any = ..., latency: Any = ...) -> tuple[Expectation, Expectation]:
    """Lock what a pong carries (a word), and what keepalive will call the latency (s)."""
    return expect("01 what a pong carries", carries, CARRIES), expect(
        "01 latency", latency, unit="s"
    )


def settle_pong(made: tuple[Expectation, Expectation], trace: Trace) -> None:
    """Say what became of both guesses, from the frames on the wire and from what keepalive measured."""
    way = trace.experiment.latency
    why: dict[str | float, str] = {
        "nothing": "An empty pong could belong to any ping; this one names the ping that it answers",
        "the time": "No clock is sent: the server remembers by itself when it sent the ping",
        "bytes of its own": "Bytes that nobody knows would prove nothing; an echo proves that this very ping arrived",
    }
    settle_one(made[0], pong_carries(trace), why)
    measured = trace.latencies("server")[0][1]
    settle_one(
        made[1],
        round(measured, 3),
        {way: "That is one way; the server only learns of it when the pong is back"},
    )


def pong_carries(trace: Trace) -> str:
    """What the pongs of a trace carry, one of CARRIES: each is held against the ping that arrived before it."""
    pings = [frame for frame in trace.frames() if frame.opcode == "PING"]
    pongs = [frame for frame in trace.frames() if frame.opcode == "PONG"]
    if not any(pong.size for pong in pongs):
        return "nothing"
    return (
        "the ping's bytes"
        if all(pong.payload == ping.payload for ping, pong in zip(pings, pongs))
        else "bytes of its own"
    )


# Exercise 1: whose log?

LINES = (
    "> GET ",
    "< HTTP/1.1 101",
    "< GET ",
    "> HTTP/1.1 101",
    "> PING",
    "< PING",
    "> PONG",
    "< PONG",
    "% sent",
)


@lru_cache(maxsize=1)
def mixed_lines() -> dict[str, tuple[str, str]]:
    """Lines of both logs of a quiet run, shuffled: letter -> (end, line)."""
    trace = run(QUIET, "virtual", progress=False)
    rows = {(end, line[10:]) for end in ("server", "client") for line in trace.log(end)}
    first = {
        (end, start): line
        for start in LINES
        for end, line in sorted(rows)
        if line.startswith(start)
    }
    found = [(end, line) for (end, _), line in first.items()]
    random.Random("01 lines").shuffle(found)
    return dict(zip("ABCDEFGHI", found))


def show_lines() -> None:
    """Print the lines, each with its letter."""
    for letter, (_, line) in mixed_lines().items():
        print(letter, "  ", line)


def check_server_lines(letters: Any = ...) -> None:
    """Exercise 1: the letters of the lines that the server wrote."""
    lines = mixed_lines()
    if letters is ... or letters is None:
        print("the server's lines: your turn – replace the ... by letters, such as 'AC'")
        return
    if not isinstance(letters, str) or not letters or set(letters.upper()) - set(lines) - set(" ,"):
        print(
            f"the server's lines: expected some of the letters {''.join(lines)}, such as 'AC'; seen {letters!r}"
        )
        return
    said = set(letters.upper()) & set(lines)
    wrong = [
        letter
        for letter in sorted(said ^ {key for key, (end, _) in lines.items() if end == "server"})
    ]
    if not wrong:
        print(
            f"✓ {', '.join(sorted(said))} come from the server's log: it answers GET, and only it has keepalive here, so it sends the pings"
        )
    else:
        print(
            f"not yet: {len(wrong)} of {len(lines)} stand in the wrong log. {_log_belief(said, wrong, lines)}"
        )


def _log_belief(said: set[str], wrong: list[str], lines: dict[str, tuple[str, str]]) -> str:
    if said == {key for key, (_, line) in lines.items() if line[0] == ">"}:
        return "> does not mean 'from the server': it means 'sent by whoever writes this log'"
    if said == {key for key, (_, line) in lines.items() if line[0] == "<"}:
        return "< does not mean 'to the server' or 'by the server': it means 'received by whoever writes this log'"
    sigil, rest = lines[wrong[0]][1].split(" ", 1)
    if sigil == "%":
        return f"Look at {wrong[0]}: the end that asks writes it. Which one asks here?"
    did, does = {">": ("sent", "sends"), "<": ("received", "receives")}[sigil]
    return f"Look at {wrong[0]}: its writer has {did} it. Which end {does} the {rest.split()[0]} line here?"


# Exercise 2: frames that you have not seen


@lru_cache(maxsize=8)
def unseen_frames(seed: int = 1) -> dict[str, bytes]:
    """Four frames by letter: masked and not, short and long, and one whose payload is not what it looks like."""
    dice = random.Random(f"01 frames {seed}")
    return {
        "a": _pack("PING", dice.randbytes(5 + int(5 * dice.random())), dice.randbytes(4)),
        "b": _pack("TEXT", b"ping", b""),
        "c": _pack("BINARY", dice.randbytes(140 + int(600 * dice.random())), b""),
        "d": _pack("PONG", b"", dice.randbytes(4)),
    }


def _pack(opcode: str, payload: bytes, key: bytes) -> bytes:
    """A frame as bytes: the library's, but for a masking key that is the same every time."""
    plain = Frame(Opcode[opcode], payload).serialize(mask=False)
    head = len(plain) - len(payload)
    if not key:
        return plain
    locked = bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))
    return plain[:1] + bytes([plain[1] | 0x80]) + plain[2:head] + key + locked


def show_frames(seed: int = 1) -> None:
    """Print the frames as hex; of a long one only the beginning. Another ``seed`` gives other frames."""
    for letter, data in unseen_frames(seed).items():
        print(letter, "  ", shown(data, 14))


def check_frames(a: Any = ..., b: Any = ..., c: Any = ..., d: Any = ..., seed: int = 1) -> None:
    """Exercise 2: each frame in three words, such as "client PING 5"; the library's own parser says what it is."""
    for (letter, data), given in zip(unseen_frames(seed).items(), (a, b, c, d)):
        print(f"{letter}: {_read_frame(data, given)}")


def parse(data: bytes) -> tuple[str, str, int]:
    """A frame as the library's parser reads it: who sent it, its opcode, and its size (bytes of payload)."""
    for sender in ("client", "server"):
        reader = StreamReader()
        reader.feed_data(data)
        try:
            next(Frame.parse(reader.read_exact, mask=sender == "client"))
        except StopIteration as done:
            return sender, done.value.opcode.name, len(done.value.data)
        except ProtocolError:  # masked the other way
            continue
    raise ValueError(f"expected one whole frame, seen {shown(data)}")


def _read_frame(data: bytes, given: Any) -> str:
    if given is ... or given is None:
        return "your turn – replace the ... by who sent it, what, and how many bytes, such as 'client PONG 3'"
    found = (
        re.fullmatch(r"\s*(server|client)\s+([a-z]+)\s+(\d+)\s*", given, re.I)
        if isinstance(given, str)
        else None
    )
    if not found or found[2].upper() not in Opcode.__members__:
        return f"expected server or client, an opcode, and a number of bytes, such as 'client PONG 3'; seen {given!r}"
    said, truth = (found[1].lower(), found[2].upper(), int(found[3])), parse(data)
    if said == truth:
        return f"✓ {truth[0]} {truth[1]}, {truth[2]} bytes of payload{_worth_knowing(data)}"
    frame = take_apart(data)
    tests = ((0, _sender_belief), (1, _opcode_belief), (2, _size_belief))
    return "not yet: " + "; ".join(
        belief(frame, said[n]) for n, belief in tests if said[n] != truth[n]
    )


def _worth_knowing(data: bytes) -> str:
    frame = take_apart(data)
    if frame.opcode == "TEXT" and frame.payload == b"ping":
        return (
            ": a message that says 'ping' is not a PING. recv() returns it, and no pong answers it"
        )
    if frame.opcode == "PONG" and not frame.length:
        return ": it answers an empty ping, or none at all, and both are legal"
    return ""


def _sender_belief(frame: Anatomy, said: Any) -> str:
    return f"who sent it stands in the first bit of the second byte ({frame.head[1]:02x}): only a client masks"


def _opcode_belief(frame: Anatomy, said: Any) -> str:
    if frame.payload == b"ping" and said in ("PING", "PONG"):
        return "the payload says ping, the opcode does not: it is the second hex digit of the first byte, and these are only letters"
    if {said, frame.opcode} == {"TEXT", "BINARY"}:
        return "TEXT and BINARY differ by their opcode, 1 and 2, not by what their bytes look like"
    if {said, frame.opcode} == {"PING", "PONG"}:
        return "9 asks and a answers: look at the second hex digit of the first byte once more"
    return f"the opcode is the second hex digit of the first byte ({frame.head[0]:02x}); the 8 before it is FIN and three spare bits"


def _size_belief(frame: Anatomy, said: Any) -> str:
    second, key = frame.head[1], len(frame.key)
    beliefs: list[tuple[int, str]] = [
        (
            second if key else -1,
            f"{second} is the whole second byte: its first bit is the mask bit, take 0x80 off",
        ),
        (
            frame.length + key if key else -1,
            "that counts the masking key too; the length is the payload's alone",
        ),
        (frame.size, "that counts the whole frame; the length is the payload's alone"),
        (
            frame.size - 2,
            "that is all that follows the two header bytes; the length is the payload's alone",
        ),
        (
            second & 0x7F if frame.more else -1,
            f"{second & 0x7F} is no length but a signpost: the next two bytes hold it, the higher one first",
        ),
        (
            int.from_bytes(frame.more, "little") if frame.more else -1,
            "in a length the higher byte comes first",
        ),
        (
            sum(frame.more) if frame.more else -1,
            "the two bytes are one number: 256 × the first + the second",
        ),
        (
            frame.more[-1] if frame.more else -1,
            "the two bytes are one number: 256 × the first + the second",
        ),
        (
            int(frame.more.hex()) if frame.more.hex().isdecimal() else -1,
            "those are hex digits, each worth up to 15",
        ),
    ]
    default = "the size is the second byte without its first bit" + (
        "; 126 there says: see the next two bytes" if frame.more else ""
    )
    return next((text for number, text in beliefs if number == said), default)


# Exercise 3: a ping by hand


def check_ping(typed: Any = ...) -> None:
    """Exercise 3: a masked ping that carries "hi", typed as hex; a real server is the judge."""
    data = _hex(typed)
    if data is None:
        return
    seen = send(data)
    print(seen)
    print(_verdict(data, seen))


def _hex(typed: Any) -> bytes | None:
    if typed is ... or typed is None:
        print(
            "your ping: your turn – replace the ... by its bytes, as hex in quotes, such as '81 82 …'"
        )
        return None
    try:
        data = bytes.fromhex(re.sub(r"0x|\\x|,", " ", typed))
    except (TypeError, ValueError):
        print(
            f"your ping: expected bytes as pairs of hex digits, such as '89 0a ff'; seen {typed!r}"
        )
        return None
    if not data:
        print("your ping: expected some bytes, seen none")
    return data or None


def _verdict(data: bytes, seen: Exchange) -> str:
    """What the server's answer says about the bytes."""
    mine, *rest = split(data)
    pongs = [frame.payload for frame in seen.frames if frame.opcode == "PONG"]
    if pongs == [WANTED] and not rest:
        return "✓ you have spoken WebSocket: the server took your bytes for a PING, and its PONG carries the same payload, unmasked"
    tests: list[Callable[[Anatomy, Exchange], str]] = [
        _about_missing,
        _about_1002,
        _about_opcode,
        _about_rest,
        _about_payload,
    ]
    return "not yet: " + next(filter(None, (test(mine, seen) for test in tests)))


def _about_missing(mine: Anatomy, seen: Exchange) -> str:
    if not mine.missing or seen.answer:
        return ""
    if len(mine.head) == 2 and mine.masked and mine.length == len(mine.body) + 4:
        return f"the server waits for 4 more bytes: your length, {mine.length}, counts the masking key too; it is the payload's alone"
    if len(mine.head) < 2:
        return "the server waits for the second byte: a frame has at least two"
    if mine.masked and len(mine.key + mine.body) < 4 + mine.length == 4 + len(WANTED):
        return f"the server waits for {mine.missing} more: masked means that the next 4 bytes are the key, and only then comes the payload"
    came = f"your length says {mine.length}, and {len(mine.body)} bytes of payload came"
    return f"the server waits for {mine.missing} more: {came}. It will wait for ever"


def _about_1002(mine: Anatomy, seen: Exchange) -> str:
    reasons = [
        frame.payload[2:].decode(errors="replace")
        for frame in seen.frames
        if frame.payload[:2] == (1002).to_bytes(2, "big")
    ]
    if not reasons or _answered(seen):
        return ""
    why = {
        "incorrect masking": "whatever a client sends has to be masked; set the first bit of the second byte",
        "reserved bits must be 0": "the first hex digit is FIN and three spare bits: 1 000 is an 8",
        "fragmented control frame": "FIN is 0: the first hex digit says that more of this ping is to come, and a ping comes whole",
        "invalid opcode": f"nothing has the opcode {mine.head[0] & 15:x}",
        "control frame too long": "a ping carries at most 125 bytes",
    }
    return f"CLOSE with 1002 is a protocol error, {reasons[0]!r}: {why.get(reasons[0], 'the server cannot read on')}"


def _about_opcode(mine: Anatomy, seen: Exchange) -> str:
    about = {
        "TEXT": "opcode 1 is a message: the server's handler gets it, and the protocol answers nothing, whatever it says",
        "BINARY": "opcode 2 is a message: the server's handler gets it, and the protocol answers nothing, whatever it says",
        "PONG": "opcode a is a pong: an answer to a question that nobody asked, which is legal, and nobody answers an answer",
        "CLOSE": "opcode 8 is CLOSE: you said goodbye, and the server said it, too",
        "CONT": "opcode 0 goes on with a message that you never began",
    }
    return about.get(mine.opcode, "")


def _about_rest(mine: Anatomy, seen: Exchange) -> str:
    if mine.size == len(seen.sent):
        return ""
    over = len(seen.sent) - mine.size
    return f"your ping ends after {mine.size} bytes, as its length ({mine.length}) says; the server takes the other {over} for the next frame"


def _about_payload(mine: Anatomy, seen: Exchange) -> str:
    if mine.body == WANTED:
        return "you announced a key, and then sent 'hi' unmasked: the server XORed it all the same. Do it before, or choose another key"
    return (
        f"the pong carries what your ping carried, {mine.payload!r}, and that was to be {WANTED!r}"
    )


def _answered(seen: Exchange) -> bool:
    return any(frame.opcode == "PONG" for frame in seen.frames)
