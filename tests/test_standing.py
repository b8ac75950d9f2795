"""My program: a wire in a process of its own, before a real server; what it prints, does, saves and leaves."""

import asyncio
import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from labkit import Cut, Delay, Trace, plots
from labkit.__main__ import main
from labkit.engine.tap import Stream
from labkit.trace.why import why
from labkit.yours.watching import said

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
LONG = 30  # s; what takes longer has failed
BRIEF = {"ping_interval": 0.3, "ping_timeout": 0.2, "close_timeout": 0.2}
QUIET = {"ping_interval": None, "close_timeout": 0.5}


def free_port():
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


class Wire:
    """`python -m labkit wire` between two free ports, what it prints, and a pen to write to it."""

    def __init__(self, *options, source=subprocess.PIPE, port=None):
        self.port, self.server = port or free_port(), free_port()
        command = [sys.executable, "-m", "labkit", "wire", f"{self.port}", f"{self.server}", *map(str, options)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=source, stdout=subprocess.PIPE, text=True)
        self.printed, self.more = [], threading.Condition()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.more:
                self.printed.append(line)
                self.more.notify_all()

    def __enter__(self):
        self.waits_for("since")
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        if self.process.stdin:
            self.process.stdin.close()

    @property
    def text(self):
        return "".join(self.printed)

    def waits_for(self, words):
        with self.more:
            assert self.more.wait_for(lambda: words in self.text, LONG), f"{words!r} was not printed:\n{self.text}"

    async def do(self, line, until):
        """Write a line, and wait until its effect is printed."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        await self.sees(until)

    async def sees(self, words):
        await asyncio.to_thread(self.waits_for, words)

    def ends(self):
        assert self.process.wait(LONG) == 0, self.text
        self.reader.join()
        with socket.socket() as sock:  # nobody listens there any more
            assert sock.connect_ex((HOST, self.port)) != 0
        return self.text

    def quits(self):
        self.process.stdin.write("quit\n")
        self.process.stdin.flush()
        return self.ends()

    @contextlib.asynccontextmanager
    async def talk(self, handler=None, client=QUIET, **server):
        """A server of websockets behind it that echoes, and a client that dials it."""
        async with serve(handler or echo, HOST, self.server, **{**QUIET, **server}):
            async with connect(f"ws://{HOST}:{self.port}/chat", compression=None, **client) as websocket:
                yield websocket


async def echo(websocket):
    with contextlib.suppress(ConnectionClosed):
        async for message in websocket:
            await websocket.send(message)


async def within(awaitable):
    return await asyncio.wait_for(awaitable, LONG)


def rows(text, conn):
    """What was printed of a connection: (who, what), in time."""
    found = re.findall(r"^ *(\d+\.\d+) +(\d+)  (\w+) → \w+ +(.*)$", text, re.MULTILINE)
    assert [float(t) for t, *_ in found] == sorted(float(t) for t, *_ in found)
    return [(who, what) for _, number, who, what in found if number == f"{conn}"]


def test_it_says_what_crosses_and_keeps_connections_apart(tmp_path):
    async def story(wire):
        async with wire.talk() as one, connect(f"ws://{HOST}:{wire.port}", **QUIET) as two:
            await two.send("x" * 20_000)
            await within(two.recv())
            await one.send("hello")
            await within(one.recv())
            await (await one.ping(b"abcd"))

    with Wire("--trace", tmp_path / "x.jsonl") as wire:
        asyncio.run(story(wire))
        text = wire.quits()
    assert "not a cut cable" in text and text.count("saved ") == 2
    one, two = rows(text, 1), rows(text, 2)
    assert one[:6] == [
        ("client", "GET /chat HTTP/1.1: WebSocket"),
        ("server", "HTTP/1.1 101 Switching Protocols: WebSocket"),
        ("client", "TEXT 'hello' [5 bytes]"),
        ("server", "TEXT 'hello' [5 bytes]"),
        ("client", "PING 61 62 63 64 [4 bytes]"),
        ("server", "PONG 61 62 63 64 [4 bytes]"),
    ]
    assert ("client", "CLOSE 1000 [2 bytes]") in one and ("server", "the server hangs up (FIN)") in one
    assert re.fullmatch(r"TEXT .* … \[\d\d bytes, compressed\]", two[2][1])
    assert [Trace.load(tmp_path / name).experiment.compression for name in ("x.jsonl", "x-2.jsonl")] == [False, True]


@pytest.mark.parametrize("way", ["", " to_client"])
def test_a_cut_is_noticed_by_the_servers_own_keepalive_and_healed(way, tmp_path):
    noticed = asyncio.Event()

    async def handler(websocket):
        with contextlib.suppress(ConnectionClosed):
            await websocket.wait_closed()
        noticed.set()

    async def story(wire):
        async with wire.talk(handler, **BRIEF) as client:
            await wire.do(f"cut{way}", "cut begins")
            await within(noticed.wait())
            assert client.state.name == "OPEN"
            await wire.do("heal", "cut is healed")
            with pytest.raises(ConnectionClosed) as raised:
                await within(client.recv())
            assert raised.value.rcvd.code == 1011

    path = tmp_path / "cut.jsonl"
    with Wire("--trace", path) as wire:
        asyncio.run(story(wire))
        text = wire.quits()
    assert "under way" in text and "[24 bytes] arrives after" in text
    trace = Trace.load(path)
    (cut,) = trace.experiment.faults
    assert isinstance(cut, Cut) and cut.direction == (way.strip() or "both")
    assert cut.at < trace.noticed_at("server") < cut.heal < trace.noticed_at("client")
    said = why(trace)
    assert said in text and "The server said goodbye (1011)" in said and "it got the server's CLOSE (1011)" in said and "told" not in said
    assert "told" not in str(trace) and main(["show", str(path)]) == 0
    timeline, ladder = plots.timeline(trace), plots.ladder(trace, handshake=True)
    assert "CLOSE 1011 of the server" in timeline.alt and "is stuck and arrives" in timeline.alt
    assert "believes OPEN" in timeline.alt and "GET / Upgrade: websocket" in ladder.alt
    assert plots.save(timeline, tmp_path / "x.svg").exists()


def test_one_way_is_cut_and_the_other_works():
    async def story(wire):
        got = asyncio.Queue()

        async def handler(websocket):
            async for message in websocket:
                await got.put(message)
                await websocket.send(message)

        async with wire.talk(handler) as client:
            await wire.do("cut to_client", "cut begins, to the client only")
            await client.send("hello")
            assert await within(got.get()) == "hello"
            await wire.sees("TEXT 'hello' [5 bytes], under way")
            await wire.do("heal", "cut is healed, to the client only")
            assert await within(client.recv()) == "hello"

    with Wire() as wire:
        asyncio.run(story(wire))
        wire.quits()


def test_a_delay_is_added_each_way_and_a_reset_tears(tmp_path):
    async def round_trip(client):
        before = asyncio.get_running_loop().time()
        await within(await client.ping())
        return asyncio.get_running_loop().time() - before

    async def story(wire):
        async with wire.talk() as client:
            await wire.do("delay 0.3", "delay of 0.3 s begins")
            assert await round_trip(client) >= 0.6
            await wire.do("delay 0", "delay of 0.3 s ends")
            await wire.do("reset", "reset, both ways")
            with pytest.raises(ConnectionClosed) as raised:
                await within(client.recv())
            assert raised.value.rcvd is None
            for line, answer in [("dance", "seen 'dance'"), ("delay long", "seen 'long'"), ("heal", "nothing to heal")]:
                await wire.do(line, answer)

    with Wire("--trace", tmp_path / "x.jsonl") as wire:
        asyncio.run(story(wire))
        text = wire.quits()
    assert "arrives after 0.3" in text
    trace = Trace.load(tmp_path / "x.jsonl")
    delay, _ = trace.experiment.faults
    assert isinstance(delay, Delay) and delay.until is not None and "its connection was reset (RST)" in why(trace)
    assert trace.closed_at("client") == trace.closed_at("server") == trace.end


def test_an_interrupt_ends_it_and_leaves_nothing(tmp_path):
    async def story(wire):
        async with wire.talk() as client:
            await client.send("hello")
            await wire.sees("TEXT 'hello'")
            wire.process.send_signal(signal.SIGINT)
            await asyncio.to_thread(wire.ends)

    with Wire("--trace", tmp_path / "x.jsonl") as wire:
        asyncio.run(story(wire))
        assert "interrupted" not in wire.text
    with Wire(port=wire.port) as again:  # whose port has connections that only wait to be forgotten
        again.quits()
    assert [frame.opcode for frame in Trace.load(tmp_path / "x.jsonl").frames()][:1] == ["TEXT"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]


def test_in_a_terminal_keys_are_enough_and_it_is_left_as_it_was():
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    try:
        with Wire(source=theirs) as wire:
            for key, words in [("c", "cut begins, both ways"), ("h", "cut is healed"), (">", "to the server only"), ("3", "0.3 s begins")]:
                os.write(ours, key.encode())
                wire.waits_for(words)
            os.write(ours, b"q")
            assert "Keys: c cut" in wire.ends()
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)


def test_connections_that_have_ended_leave_no_sockets():
    async def story(wire):
        def open_files():
            return len(os.listdir(f"/proc/{wire.process.pid}/fd"))

        async with wire.talk():
            await wire.sees(" 101 ")
            before = open_files()
            for number in range(2, 12):
                async with connect(f"ws://{HOST}:{wire.port}", **QUIET):
                    pass
                await wire.sees(f" {number}  client → server  the client hangs up")
            await wire.do("cut", "cut begins")  # a look later
            assert open_files() == before

    with Wire() as wire:
        asyncio.run(story(wire))
        wire.quits()


def test_a_server_that_is_not_there_is_missed_in_words_and_found_when_it_is():
    async def story(wire):
        with pytest.raises(Exception, match="valid HTTP response|reset"):
            async with connect(f"ws://{HOST}:{wire.port}"):
                pass
        await wire.sees(f"nobody listens at {HOST}:{wire.server}")
        async with wire.talk() as client:
            await client.send("hello")
            assert await within(client.recv()) == "hello"

    with Wire() as wire:
        asyncio.run(story(wire))
        wire.quits()


@pytest.mark.parametrize(
    ("asked", "answer", "words"),
    [
        (b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x03\x00\x02ok", ["10 bytes of TLS", "7 bytes of TLS"]),
        (b"GET /x HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n" + b"\x81\x00" * 50, ["GET /x HTTP/1.1", "HTTP/1.1 200 OK", "100 bytes"]),
        (b"POST /x HTTP/1.1\r\n\r\n" + b"\x81\x00" * 50, b"\x81\x00", ["120 bytes", "2 bytes"]),
    ],
    ids=["TLS", "HTTP", "anything"],
)
def test_what_is_no_websocket_is_counted_and_passes(asked, answer, words, tmp_path):
    text = exchanged(asked, answer, tmp_path / "x.jsonl")
    assert [what for _, what in rows(text, 1) if "FIN" not in what] == words
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_frame_any_more_is_counted_from_there_on(tmp_path):
    text = exchanged(b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 101 Fine\r\n\r\n\x81\x02hi\x83\x00rubbish", tmp_path / "x.jsonl")
    said = [what for who, what in rows(text, 1) if who == "server" and "FIN" not in what]
    assert said[0] == "HTTP/1.1 101 Fine: WebSocket" and sorted(said[1:]) == ["9 bytes", "TEXT 'hi' [2 bytes]"]
    assert [frame.size for frame in Trace.load(tmp_path / "x.jsonl").frames()] == [2]


def exchanged(asked, answer, path):
    """What is printed when a client says something to a server that answers something."""
    with Wire("--trace", path) as wire, socket.create_server((HOST, wire.server)) as listener:
        listener.settimeout(LONG)
        with socket.create_connection((HOST, wire.port), LONG) as client, listener.accept()[0] as server:
            server.settimeout(LONG)
            client.sendall(asked)
            assert server.recv(1000) == asked
            server.sendall(answer)
            assert client.recv(1000) == answer
            wire.waits_for("server → client")
        return wire.quits()


FRAMES = [
    (b"\x81\x02hi", "TEXT 'hi' [2 bytes]"),
    (b"\x01\x02hi", "TEXT 'hi' [2 bytes, continued]"),
    (b"\xc1\x02hi", "TEXT 68 69 [2 bytes, compressed]"),
    (b"\x82\x11" + bytes(17), f"BINARY {bytes(16).hex(' ')} … [17 bytes]"),
    (b"\x88\x00", "CLOSE [0 bytes]"),
    (b"\x88\x05\x03\xe8bye", "CLOSE 1000 bye [5 bytes]"),
    (b"\x89\x00", "PING [0 bytes]"),
    (b"\x81\x82\x01\x02\x03\x04" + bytes([ord("h") ^ 1, ord("i") ^ 2]), "TEXT 'hi' [2 bytes]"),
]


@pytest.mark.parametrize(("data", "words"), FRAMES, ids=[words for _, words in FRAMES])
def test_a_frame_is_said_as_the_log_prints_it(data, words):
    stream = Stream("client")
    stream.add(0, data)
    ((_, _, frame),) = stream.frames()
    assert said(frame) == words


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["0.0.0.0:9000", "8000"], "a wire stands on this machine only"),
        (["9000", "example.com:80"], "a wire stands on this machine only"),
        (["9000", "70000"], "a port from 1 to 65535"),
        (["nine", "8000"], "seen 'nine'"),
        (["9000"], "server"),
        (["9000", "8000", "--trace", "no/such/folder/x"], "no/such/folder"),
    ],
)
def test_what_it_cannot_do_is_answered_in_a_sentence(words, hint, capsys):
    try:
        status = main(["wire", *words])
    except SystemExit as exit:
        status = exit.code
    err = capsys.readouterr().err
    assert status == 2 and hint in err and err.count("\n") == 1, err


def test_a_port_that_is_taken_is_named():
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "labkit", "wire", f"localhost:{port}", "8000"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONG,
        )
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert f"expected a port of 127.0.0.1 that is free, seen {port}" in done.stderr
