"""Notebook 01: bytes are read as the library reads them, real runs judge what is typed and written, and answers name their belief."""

import asyncio
from pathlib import Path

import nbformat
import pytest
from websockets.frames import Frame, Opcode

from checks import check, guess, settle
from checks.frame_bytes import dissect, overhear, take_apart, talk
from checks.frames_and_states import QUIET, UNSEEN, mixed_lines
from labkit import plots, run

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "solutions" / "01_frames_and_states.ipynb"
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def trace():
    return run(QUIET, "virtual")


def refused(id, *given, capsys):
    """What a check says of a wrong answer."""
    check(id, *given)
    out = capsys.readouterr().out
    assert "not yet" in out
    return out


# the guesses


@pytest.mark.parametrize(
    ("id", "given", "words"),
    [
        ("01 what a pong carries", "the ping's bytes", "– right"),
        ("01 what a pong carries", "nothing", "This one names its ping"),
        ("01 latency", 0.8, "– right"),
        ("01 latency", 0.4, "That is one way"),
        ("01 latency", 4.8, "Which ways do these two go?"),
    ],
)
def test_the_guess_about_the_pong_is_settled_by_frames_and_the_measured_latency(id, given, words, trace, capsys):
    settle(guess(id, given), trace)
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "word"), [("89 02 68 69", "a goodbye"), ("89 82 00 00 00 00 68 69", "a pong"), ("81 82 00 00 00 00 68 69", "nothing")]
)
def test_what_the_server_answers_is_read_off_its_frames(typed, word, capsys):
    settle(guess("01 the server's answer", "nothing"), talk(typed, "virtual"))
    assert f"it was {word}" in capsys.readouterr().out


# bytes


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_a_frame_is_taken_apart_as_the_library_packs_it(mask, size):
    payload = bytes(n % 251 for n in range(size))
    data = Frame(Opcode.BINARY, payload).serialize(mask=mask)
    parts = take_apart(data + b"more")
    assert (parts.opcode, parts.sender, parts.length) == ("BINARY", "client" if mask else "server", size)
    assert (parts.payload, parts.whole, parts.missing) == (payload, data, 0)


@pytest.mark.parametrize("mask", [False, True])
def test_a_frame_that_has_not_come_whole_says_how_much_is_missing(mask):
    data = Frame(Opcode.TEXT, b"hello").serialize(mask=mask)
    assert [take_apart(data[:n]).missing for n in range(2, len(data) + 1)] == list(range(len(data) - 2, -1, -1))


def test_what_is_overheard_are_the_frames_of_the_tap(trace):
    heard = [take_apart(data) for data in overhear(QUIET)]
    assert [(parts.sender, parts.opcode) for parts in heard] == [(frame.sender, frame.opcode) for frame in trace.frames()]
    assert heard[0].payload == heard[1].payload != heard[2].payload == heard[3].payload


def test_dissect_says_every_part(capsys):
    dissect(bytes.fromhex("8a 84 01 02 03 04 60 60 60 60"))
    lines = capsys.readouterr().out.splitlines()
    assert "a whole message · opcode a: PONG" in lines[0] and "masked · length 4" in lines[1] and lines[2].startswith("01 02 03 04")


# whose log, and which frame


def test_the_servers_lines_are_those_of_its_log_and_the_arrows_have_a_belief(capsys):
    lines = mixed_lines()
    right = "".join(letter for letter, (end, _) in lines.items() if end == "server")
    check("01 the server's lines", right.lower())
    assert "✓" in capsys.readouterr().out
    for sigil, words in ((">", "not mean 'from the server'"), ("<", "received by whoever writes this log")):
        arrows = "".join(letter for letter, (_, line) in lines.items() if line[0] == sigil)
        assert words in refused("01 the server's lines", arrows, capsys=capsys)
    for letter in lines:
        one_off = "".join(sorted(set(right) ^ {letter}))
        assert f"Which end does what {letter} says?" in refused("01 the server's lines", one_off, capsys=capsys)


@pytest.mark.parametrize("letter", UNSEEN)
def test_an_unseen_frame_is_whole_and_its_reading_is_accepted(letter, capsys):
    parts = take_apart(UNSEEN[letter])
    assert not parts.missing and parts.whole == UNSEEN[letter]
    check(f"01 frame {letter}", f"{parts.sender} {parts.opcode.lower()} {parts.length}")
    assert f"✓ frame {letter}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("letter", "given", "words"),
    [
        ("a", "server PING 6", "only a client masks"),
        ("a", "client TEXT 6", "second hex digit of the first byte"),
        ("a", "client PING 134", "take 0x80 off"),
        ("a", "client PING 10", "counts the masking key"),
        ("a", "client PING 12", "counts the whole frame"),
        ("b", "server PING 4", "The payload says ping"),
        ("c", "server BINARY 126", "no length but a signpost"),
        ("c", "server BINARY 106", "256 × the first + the second"),
        ("c", "server BINARY 169", "those are hex digits"),
        ("c", f"server BINARY {0x6901}", "the higher byte comes first"),
        ("d", "client PONG 4", "counts the masking key"),
        ("d", "client PONG 77", "without its first bit"),
        ("d", "pong", "such as"),
    ],
)
def test_a_misread_frame_is_answered_by_its_belief(letter, given, words, capsys):
    assert words.lower() in refused(f"01 frame {letter}", given, capsys=capsys).lower()


# a ping by hand


@pytest.mark.parametrize("typed", ["89 82 00 00 00 00 68 69", "8982 01020304 696b", "0x89, 0x82, 0x01, 0x01, 0x01, 0x01, 0x69, 0x68"])
def test_a_ping_by_hand_is_taken_by_a_real_server(typed, capsys):
    check("01 a ping by hand", typed)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("89 02 68 69", "has to be masked"),
        ("89 82 68 69", "the next 4 bytes are the key"),
        ("89 86 00 00 00 00 68 69", "counts the masking key, too"),
        ("89 85 00 00 00 00 68 69", "your length says 5, and 2 bytes of payload came"),
        ("89", "two bytes at least"),
        ("89 82 01 02 03 04 68 69", "sent 'hi' as it is"),
        ("89 82 00 00 00 00 69 68", "what your ping carried, b'ih'"),
        ("89 81 00 00 00 00 68 69", "ends before your bytes do"),
        ("99 82 00 00 00 00 68 69", "1 000 is an 8"),
        ("09 82 00 00 00 00 68 69", "a ping comes whole"),
        ("83 82 00 00 00 00 68 69", "nothing has this opcode"),
        ("81 82 00 00 00 00 68 69", "Opcode 1 is a message"),
        ("8a 82 00 00 00 00 68 69", "Nobody answers it"),
        ("88 80 00 00 00 00", "you said goodbye"),
        ("ping", "expected bytes as hex"),
    ],
)
def test_other_bytes_are_answered_by_their_belief(typed, words, capsys):
    assert words in refused("01 a ping by hand", typed, capsys=capsys)


# a client that counts pongs


def cell(notebook, start):
    """The code of a notebook's cell, made ready to be called: what it defines, by name."""
    source = next(one.source for one in nbformat.read(notebook, as_version=4).cells if one.source.startswith(start))
    made = {"asyncio": asyncio}
    exec(source.rpartition("\n\n\n")[0], made)
    return made


async def at_once(websocket):
    """Asks without waiting for the answer of the question before; built otherwise than the solution."""

    async def ask():
        done, _ = await asyncio.wait([await websocket.ping()], timeout=0.5)
        return len(done)

    asked = []
    for _ in range(5):
        asked.append(asyncio.create_task(ask()))
        await asyncio.sleep(1)
    return sum(await asyncio.gather(*asked))


async def counts_pings(websocket):
    for _ in range(5):
        await websocket.ping()
        await asyncio.sleep(1)
    return 5


async def waits_for_ever(websocket):
    for _ in range(5):
        await (await websocket.ping())
        await asyncio.sleep(1)
    return 5


async def counts_late_ones(websocket):
    pongs = []
    for _ in range(5):
        pongs.append(await websocket.ping())
        await asyncio.sleep(1)
    return sum(pong.done() for pong in pongs)


async def waits_for_messages(websocket):
    count = 0
    for _ in range(5):
        await websocket.ping()
        try:
            await asyncio.wait_for(websocket.recv(), 0.5)
            count += 1
        except asyncio.TimeoutError:
            await asyncio.sleep(0.5)
    return count


async def asks_nothing(websocket):
    return 0


@pytest.mark.parametrize("code", [cell(NOTEBOOK, "async def count_pongs")["count_pongs"], at_once], ids=["the solution", "at once"])
def test_a_client_that_counts_pongs_passes_whichever_way_it_is_built(code, capsys):
    check("01 count the pongs", code)
    out = capsys.readouterr().out
    assert out.count("✓") == 4 and "not yet" not in out


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (counts_pings, "returns when the ping is sent, not answered"),
        (waits_for_ever, "awaits a pong that does not come"),
        (counts_late_ones, "Late is not in time"),
        (waits_for_messages, "recv() returns no pong"),
        (asks_nothing, "asked 0 of 5 times"),
        (lambda websocket: 5, "Does it begin with async def?"),
    ],
)
def test_a_client_that_counts_something_else_is_answered_by_its_belief(code, words, capsys):
    assert words in refused("01 count the pongs", code, capsys=capsys)


def test_the_learners_own_mistake_is_named_and_a_blank_is_their_turn(capsys):
    async def broken(websocket):
        return 1 / 0

    assert "return 1 / 0 raised ZeroDivisionError" in refused("01 count the pongs", broken, capsys=capsys)

    async def blank(websocket): ...  # ask

    check("01 count the pongs", blank)
    assert "your turn" in capsys.readouterr().out


# the notebook's words


def test_what_notebook_01_says_is_what_its_runs_show(trace, words):
    ping, pong, again, _ = trace.frames()
    unmasked = talk("89 02 68 69", "virtual")
    near = pytest.approx
    for sentence, truth in (
        ("quiet = Experiment(server=Peer(ping_interval=4), latency=0.4, until=10)", len(trace.frames()) == 4),
        ("Until 4 s nothing at all passes", ping.sent_at == 4),
        ("The PING arrives at 4.4 s, and the client answers **at once**", ping.arrived_at == near(4.4) == pong.sent_at),
        ("The PONG is back at 4.8 s", pong.arrived_at == near(4.8)),
        ("The server slept 3.2 s after the pong, so that its pings stand 4 s apart", again.sent_at - pong.arrived_at == near(3.2)),
        ("`> PING` where it was sent, and 0.4 s later `< PING` where it was received", "< PING" in trace.log("client")[-2]),
        ("The server is OPEN as soon as it has agreed", trace.states("server")[-1] == (0, "OPEN")),
        ("needs 0.4 s more to reach the client, which is OPEN only then", trace.states("client")[-1] == (near(0.4), "OPEN")),
        ("CLOSE with the code **1002**, *protocol error* (03 ea in hex)", unmasked.answer[0].payload.startswith("03ea")),
        (
            "goes to CLOSING, and hangs up. The ping gets no PONG.",
            "= connection is CLOSING" in repr(unmasked) and len(unmasked.answer) == 1,
        ),
        (
            "**A client masks every frame, a server none.**",
            [take_apart(data).sender for data in overhear(QUIET)] == ["server", "client"] * 2,
        ),
        ("Here are nine lines", len(mixed_lines()) == 9),
    ):
        assert sentence in words and truth, sentence


def test_the_ladders_of_notebook_01_show_what_their_readings_say(trace):
    whole = plots.ladder(trace).alt
    assert "sent at 4 s, arrives at 4.4 s" in whole and "sent at 4.4 s, arrives at 4.8 s" in whole
    opening = plots.ladder(trace, handshake=True, until=1).alt
    assert "Server: OPEN at 0 s. Client: OPEN at 0.4 s" in opening and "Upgrade" in opening
