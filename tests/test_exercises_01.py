"""Notebook 01: bytes are read as the library reads them, a real server judges the typed ones, and answers name their belief."""

import asyncio
import socket
import sys
import threading
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from websockets.frames import Frame, Opcode

from labkit import notebook, plots, run
from labkit.exercises import Ledger, frames
from labkit.exercises.anatomy import dissect, overhear, take_apart
from labkit.exercises.expect import expect, settle_one
from labkit.exercises.frames import QUIET, check_frames, check_ping, check_server_lines, guess_pong, settle_pong
from labkit.exercises.raw import talk

BOOK = Path(__file__).parent.parent / "notebooks" / "01_frames_and_states.ipynb"
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def trace():
    return run(QUIET, "virtual")


# expectations


def test_an_expectation_is_locked_settled_and_kept(capsys):
    settle_one(expect("01 x", "one", among=("one", "two")), "two", {"one": "because"})
    settle_one(expect("01 y", 0.81, unit="s"), 0.8)
    settle_one(expect("01 z"), 3)
    out = capsys.readouterr().out
    assert "x: you said one, and it was two. because" in out and "y: you said 0.81 s, and it was 0.8 s – right" in out
    assert "z: no guess made" in out
    assert {q: (row["guess"], row["fact"]) for q, row in Ledger().entries().items()} == {"01 x": ("one", "two"), "01 y": (0.81, 0.8)}


@pytest.mark.parametrize(("given", "among"), [("three", ("one", "two")), (["one"], ("one", "two")), ("soon", ()), (True, ())])
def test_an_expectation_that_cannot_be_meant_is_asked_for_again(given, among, capsys):
    assert expect("q", given, among).value is None
    assert "expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("carries", "latency", "words"),
    [
        ("the ping's bytes", 0.8, "– right"),
        ("nothing", 0.4, "one way"),
        ("the time", 0.8, "No clock is sent"),
        ("bytes of its own", 0.8, "would prove nothing"),
    ],
)
def test_the_guess_about_the_pong_is_settled_by_the_frames_and_the_measured_latency(carries, latency, words, trace, capsys):
    settle_pong(guess_pong(carries, latency), trace)
    out = capsys.readouterr().out
    assert words in out and "it was the ping's bytes" in out and "it was 0.8 s" in out


# bytes


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("size", [0, 1, 5, 125, 126, 300, 65535, 65536])
def test_a_frame_is_taken_apart_as_the_library_packs_it(mask, size):
    payload = bytes(n % 251 for n in range(size))
    data = Frame(Opcode.BINARY, payload).serialize(mask=mask)
    frame = take_apart(data + b"more")
    assert (frame.opcode, frame.masked, frame.length, frame.payload, frame.missing) == ("BINARY", mask, size, payload, 0)
    assert frame.size == len(data) and frame.sender == ("client" if mask else "server")


@pytest.mark.parametrize("mask", [False, True])
def test_a_frame_that_has_not_come_whole_says_how_much_is_missing(mask):
    data = Frame(Opcode.TEXT, b"hello").serialize(mask=mask)
    assert [take_apart(data[:n]).missing for n in range(2, len(data) + 1)] == list(range(len(data) - 2, -1, -1))
    assert [take_apart(data[:n]).missing for n in (0, 1)] == [2, 1]


def test_what_is_overheard_are_the_frames_of_the_tap(trace):
    heard = [take_apart(data) for data in overhear(QUIET)]
    assert [(frame.sender, frame.opcode) for frame in heard] == [(frame.sender, frame.opcode) for frame in trace.frames()]
    assert heard[0].payload == heard[1].payload != heard[2].payload == heard[3].payload
    assert heard[1].masked and not heard[0].masked


def test_dissect_says_every_part(capsys):
    dissect(bytes.fromhex("8a 84 01 02 03 04 60 60 60 60"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("   ")[-1] == "a whole message · opcode a: PONG" and "masked · length 4" in lines[1]
    assert lines[2].startswith("01 02 03 04") and lines[4].endswith("without the mask: 61 62 63 64")


# exercise 1


@pytest.mark.parametrize(
    ("sigil", "words"), [(">", "does not mean 'from the server'"), ("<", "received by whoever writes this log")], ids=["sent", "got"]
)
def test_exercise_1_answers_the_arrow_belief(sigil, words, capsys):
    check_server_lines("".join(key for key, (_, line) in frames.mixed_lines().items() if line[0] == sigil))
    assert words in capsys.readouterr().out


def test_exercise_1_is_judged_by_whose_log_a_line_stands_in(trace, capsys):
    lines = frames.mixed_lines()
    right = "".join(key for key, (end, _) in lines.items() if end == "server")
    check_server_lines(right.lower())
    assert "✓" in capsys.readouterr().out
    for letter in lines:  # one letter too many, or too few
        check_server_lines("".join(sorted(set(right) ^ {letter})))
        out = capsys.readouterr().out
        assert f"Look at {letter}" in out and "✓" not in out


# exercise 2


@pytest.mark.parametrize("seed", range(1, 30))
def test_the_unseen_frames_are_frames_to_the_librarys_own_parser(seed, capsys):
    truth = [frames.parse(data) for data in frames.unseen_frames(seed).values()]
    assert [row[:2] for row in truth] == [("client", "PING"), ("server", "TEXT"), ("server", "BINARY"), ("client", "PONG")]
    check_frames(*(f"{sender} {opcode} {size}" for sender, opcode, size in truth), seed=seed)
    assert capsys.readouterr().out.count("✓") == 4


@pytest.mark.parametrize(
    ("letter", "given", "words"),
    [
        ("a", "server PING 6", "only a client masks"),
        ("a", "client PONG 6", "9 asks and a answers"),
        ("a", "client TEXT 6", "second hex digit of the first byte (89)"),
        ("a", "client PING 134", "take 0x80 off"),
        ("a", "client PING 10", "counts the masking key too; the length is the payload's alone"),
        ("a", "client PING 12", "counts the whole frame"),
        ("b", "server PING 4", "the payload says ping, the opcode does not"),
        ("b", "server BINARY 4", "not by what their bytes look like"),
        ("c", "server TEXT 361", "not by what their bytes look like"),
        ("c", "server BINARY 126", "no length but a signpost"),
        ("c", "server BINARY 106", "256 × the first + the second"),
        ("c", "server BINARY 105", "256 × the first + the second"),
        ("c", "server BINARY 169", "those are hex digits"),
        ("c", f"server BINARY {0x6901}", "the higher byte comes first"),
        ("d", "client PONG 4", "counts the masking key too"),
        ("d", "client PONG 77", "without its first bit"),
    ],
)
def test_exercise_2_answers_by_belief_and_keeps_the_solution(letter, given, words, capsys):
    check_frames(**{letter: given})
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{letter}:"))
    assert "not yet" in line and words in line and "361" not in line


@pytest.mark.parametrize("empty", [..., None, "ping", 5, "client PUNG 3", "nobody PING 3"])
def test_checks_without_a_usable_answer_never_raise(empty, capsys):
    check_frames(empty, empty, empty, empty)
    check_server_lines(... if empty is ... else "XYZ" if isinstance(empty, str) else empty)
    check_ping(... if empty is ... else empty)
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "expected" in out)


# exercise 3


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("89 82 00 00 00 00 68 69", "✓"),
        ("8982 01020304 696b", "✓"),
        ("0x89, 0x82, 0x01, 0x01, 0x01, 0x01, 0x69, 0x68", "✓"),
        ("89 02 68 69", "whatever a client sends has to be masked"),
        ("89 82 68 69", "the next 4 bytes are the key"),
        ("89 86 00 00 00 00 68 69", "counts the masking key too"),
        ("89 85 00 00 00 00 68 69", "your length says 5, and 2 bytes of payload came"),
        ("89", "waits for the second byte"),
        ("89 82 01 02 03 04 68 69", "sent 'hi' unmasked"),
        ("89 82 00 00 00 00 69 68", "the pong carries what your ping carried, b'ih'"),
        ("89 81 00 00 00 00 68 69", "your ping ends after 7 bytes"),
        ("89 80 00 00 00 00", "the pong carries what your ping carried, b''"),
        ("99 82 00 00 00 00 68 69", "three spare bits: 1 000 is an 8"),
        ("09 82 00 00 00 00 68 69", "a ping comes whole"),
        ("83 82 00 00 00 00 68 69", "nothing has the opcode 3"),
        ("81 82 00 00 00 00 68 69", "opcode 1 is a message"),
        ("8a 82 00 00 00 00 68 69", "nobody answers an answer"),
        ("88 80 00 00 00 00", "you said goodbye"),
    ],
)
def test_exercise_3_is_judged_by_a_real_server_and_answered_by_belief(typed, words, capsys, monkeypatch):
    monkeypatch.setattr("labkit.exercises.raw.PATIENCE", 0.4)
    check_ping(typed)
    out = capsys.readouterr().out
    assert words in out and ("✓" in out) == (words == "✓") and ("not yet" in out) == (words != "✓")


def test_talk_shows_the_bytes_of_both_and_the_servers_log():
    seen = talk("89 02 68 69")
    text = repr(seen)
    assert seen.hung_up and [frame.opcode for frame in seen.frames] == ["CLOSE"]
    for words in (
        "you     89 02 68 69",
        "03 ea",
        "CLOSE 1002 'incorrect masking'",
        "its log > CLOSE 1002 (protocol error)",
        "= connection is CLOSING",
    ):
        assert words in text


def test_talk_leaves_nothing_behind_and_stays_on_127_0_0_1(monkeypatch):
    seen = []
    real = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda address, **rest: seen.append(address) or real(address, **rest))
    before = threading.active_count()
    talk("88 80 00 00 00 00")
    assert threading.active_count() == before and [host for host, _ in seen] == ["127.0.0.1"]
    with pytest.raises(OSError):
        real(seen[0], timeout=1)


# the helper for documentation snippets

BOTH = {"nest_asyncio", "nest_asyncio2"}


@pytest.mark.parametrize(
    ("python", "version", "there", "words"),
    [
        ((3, 13), "6.31.0", BOTH, "by nest_asyncio, under ipykernel 6.31.0"),
        ((3, 14), "6.31.0", BOTH, "by nest_asyncio2, under ipykernel 6.31.0"),
        ((3, 13), "6.31.0", {"nest_asyncio2"}, "by nest_asyncio2, under ipykernel 6.31.0"),
        ((3, 13), "7.4.0", BOTH, "by nest_asyncio2, under ipykernel 7.4.0"),
        ((3, 14), "8.0.0", BOTH, "by nest_asyncio2, under ipykernel 8.0.0"),
        # the other one would leave JupyterLab's later cells at [*]
        ((3, 13), "7.4.0", {"nest_asyncio"}, "pip install nest-asyncio2"),
        ((3, 13), "6.31.0", set(), "await main()"),
    ],
)
def test_the_patch_fits_the_kernel(python, version, there, words, monkeypatch, capsys):
    applied = []

    def find(name):
        if name not in there:
            raise ImportError(name)
        return type("Patch", (), {"apply": staticmethod(lambda: applied.append(name))})

    monkeypatch.setattr(notebook, "PYTHON", python)
    monkeypatch.setattr(notebook, "kernel", lambda: (int(version.split(".")[0]), version))
    monkeypatch.setattr(notebook.importlib, "import_module", find)
    turned = []

    async def cell():
        asyncio.get_running_loop().call_soon(turned.append, "the next turn")
        await notebook.allow_asyncio_run()
        return list(turned)

    in_time = asyncio.run(cell())
    out = capsys.readouterr().out
    assert words in out and out.count("\n") == 1
    assert len(applied) == len(in_time) == ("by nest" in words)  # it is patched, and a turn of the patched loop has begun


def test_outside_a_kernel_nothing_is_patched(capsys):
    before = asyncio.run
    asyncio.run(notebook.allow_asyncio_run())
    assert asyncio.run is before and "works as it is" in capsys.readouterr().out


def execute_all_at_once(sources, then, patience=60):
    """The outputs of cells that are queued at once, as JupyterLab's Run All does (nbclient does not), and of one more after them."""
    manager = KernelManager(transport="ipc" if sys.platform != "win32" else "tcp")
    manager.start_kernel()
    client = manager.blocking_client()
    texts: dict[str, str] = {}
    try:
        client.start_channels()
        client.wait_for_ready(timeout=patience)
        asked = [client.execute(source) for source in sources]
        assert all(client.get_shell_msg(timeout=patience)["content"]["status"] == "ok" for _ in asked)
        asked.append(client.execute(then))
        assert client.get_shell_msg(timeout=patience)["content"]["status"] == "ok"
        while True:
            message = client.get_iopub_msg(timeout=patience)
            mine, content = message["parent_header"].get("msg_id"), message["content"]
            texts[mine] = texts.get(mine, "") + content.get("text", "")
            if mine == asked[-1] and content.get("execution_state") == "idle":
                return [texts.get(one, "") for one in asked]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


LOOK = "import psutil\nprint([connection.laddr for connection in psutil.Process().net_connections('inet')])"


def test_the_documentations_snippet_runs_unchanged_in_a_queue_of_cells_and_leaves_nothing():
    cells = [cell.source for cell in nbformat.read(BOOK, as_version=4).cells if cell.cell_type == "code"]
    start = next(n for n, source in enumerate(cells) if "allow_asyncio_run()" in source and "import" not in source)
    after = "import asyncio\nawait asyncio.sleep(0.01)\nprint([task for task in asyncio.all_tasks() if 'websockets' in repr(task)])\n"
    texts = execute_all_at_once([cells[0], LOOK, *cells[start:], "1 + 1"], after + LOOK)
    assert "recv() returns 'ping'" in "".join(texts) and "the handler saw ['ping']" in "".join(texts)
    assert texts[-1] == "[]\n" + texts[1], "a task or a socket is left"


# the notebook's words


def test_what_notebook_01_says_is_what_its_runs_show(trace):
    words = "\n".join(cell.source for cell in nbformat.read(BOOK, as_version=4).cells)
    ping, pong, again, _ = trace.frames()
    unmasked = talk("89 02 68 69")
    near = pytest.approx
    for sentence, truth in (
        ("quiet = Experiment(server=Peer(ping_interval=4), latency=0.4, until=10)", len(trace.frames()) == 4),
        ("Between 0 and 4 s nothing at all passes", ping.sent_at == 4),
        ("It arrives at 4.4 s, and the client answers **at once**", ping.arrived_at == near(4.4) == pong.sent_at),
        ("The PONG is back at 4.8 s", pong.arrived_at == near(4.8)),
        ("the whole round trip, 0.8 s", trace.latencies("server")[0][1] == near(0.8)),
        ("The server slept 3.2 s after the pong, so that its pings stand 4 s apart", again.sent_at - pong.arrived_at == near(3.2)),
        ("`recv()` never returns one", not trace.select("message")),
        ("`> PING` where it was sent, and 0.4 s later `< PING` where it was received", "< PING" in trace.log("client")[-2]),
        ("The server is OPEN as soon as it has agreed", trace.states("server")[-1] == (0, "OPEN")),
        ("needs 0.4 s more to reach the client, which is OPEN only then", trace.states("client")[-1] == (near(0.4), "OPEN")),
        ("It sends CLOSE with the code **1002**", unmasked.frames[0].payload[:2].hex(" ") == "03 ea" and "03 ea in hex" in words),
        ("goes to CLOSING, and hangs up", unmasked.hung_up and "= connection is CLOSING" in unmasked.log),
        ("It does not answer the ping: there is no PONG", [frame.opcode for frame in unmasked.frames] == ["CLOSE"]),
        ("**A client masks every frame, a server none.**", [take_apart(data).masked for data in overhear(QUIET)] == [False, True] * 2),
        ("Here are nine lines", len(frames.mixed_lines()) == 9),
        ('`talk("88 80 00 00 00 00")`', [frame.opcode for frame in talk("88 80 00 00 00 00").frames] == ["CLOSE"]),
    ):
        assert sentence in words and truth, sentence


def test_the_ladders_of_notebook_01_show_what_their_readings_say(trace):
    whole = plots.ladder(trace).alt
    assert "sent at 4 s, arrives at 4.4 s" in whole and "sent at 4.4 s, arrives at 4.8 s" in whole
    opening = plots.ladder(trace, handshake=True, until=1).alt
    assert "Server: OPEN at 0 s. Client: OPEN at 0.4 s" in opening and "Upgrade" in opening
