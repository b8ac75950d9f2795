"""Every fix that the doctor gives is run against the very fault that it is for: without it the fault bites, with it it does not."""

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from websockets.asyncio.server import serve

from labkit import Cut, Experiment, Idle, Peer, Send, recorded, run
from labkit.doctor import diagnose
from labkit.doctor.remedies import FIXES, REMEDIES
from labkit.many.crowds import crowd

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "notebooks" / "symptoms.md").read_text(encoding="utf-8")
STEPS = PAGE.partition("They need `")[2].partition("\n\n")[0]
IMPORTS = re.findall(r"(?:^|`)((?:import|from) [^`]+)`", STEPS)  # all that a fix may need
HANG = recorded("closing-hang").experiment
PRESSED = Experiment(
    server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, buffer=4096), client=Peer(buffer=4096), faults=[Cut(9)], until=300
)


def functions(name, **world):
    """The names that a fix defines, executed."""
    return functions_of(FIXES[name], **world)


def functions_of(code, **world):
    """The names that some code defines, with no other imports than those on the page of symptoms."""
    names = {}
    exec("\n".join(IMPORTS), names)
    names.update(world)
    exec(code, names)
    return names


def handler(name, **world):
    """A fix as the body of a handler."""
    code = "async def handler(websocket):\n" + textwrap.indent(FIXES[name], "    ")
    return functions_of(code, **world)["handler"]


def dials(code, server, until, **world):
    """One client of this code on the virtual wire: who dialled, and how often."""
    names = functions_of("async def body(uri):\n" + textwrap.indent(code, "    "), **world)

    async def client(uri, number):
        await names["body"](uri)

    return crowd(client, server, until=until, latency=0.001)


async def closes_at_once(websocket):
    pass


async def process(message):
    pass


def test_reconnect_does_not_dial_in_a_hot_loop():
    hot = "async for websocket in connect(uri):\n    await websocket.wait_closed()\n"
    assert len(dials(hot, closes_at_once, until=3).attempts) > 100
    seen = dials(FIXES["reconnect"], closes_at_once, until=300, process=process)
    assert seen.problems == () and 3 <= len(seen.attempts) <= 13 * 300 / 60
    assert max(seen.per_second().values()) == 1


def test_reconnect_goes_on_after_the_connection_is_lost():
    times, got = [], []

    async def flaky(websocket):
        times.append(1)
        if len(times) == 1:
            websocket.transport.abort()
            return
        await websocket.send("at last")
        await websocket.wait_closed()

    async def keeps(message):
        got.append(message)

    assert dials(FIXES["reconnect"], flaky, until=100, process=keeps).problems == ()
    assert (len(times), got) == (2, ["at last"])


def test_reconnect_frees_a_send_whose_drain_is_blocked_and_dials_again():
    """The peer reads nothing; a client without a watchdog waits in its first send for as long as it runs."""

    async def deaf(websocket):
        websocket.transport.pause_reading()
        await websocket.send("tell me")
        await asyncio.sleep(1000)

    def openings(code):
        return len(dials(code.replace("process(message)", "websocket.send(bytes(10_000_000))"), deaf, until=200).openings)

    plain = "async with connect(uri) as websocket:\n    async for message in websocket:\n        await process(message)\n"
    assert openings(plain) == 1
    assert openings(FIXES["reconnect"]) >= 200 // (24 + 5 + 10)  # drain() free after 24 s, then a pause


def test_to_thread_keeps_a_busy_server_alive():
    busy = Experiment(
        server=Peer(ping_interval=None),
        client=Peer(ping_interval=0.2, ping_timeout=0.2, close_timeout=0.2),
        faults=[Send(0.1, end="client", size=10)],
        until=1.5,
    )

    async def in_the_loop(websocket):
        async for _ in websocket:
            time.sleep(1.0)

    assert run(busy, "loopback", server=in_the_loop, progress=False).noticed_at("client") is not None
    fixed = handler("to_thread", work=lambda message: time.sleep(1.0))
    assert run(busy, "loopback", server=fixed, progress=False).noticed_at("client") is None


def test_the_watchdog_ends_a_connection_whose_drain_is_blocked():
    """Beside a server of websockets' own, with the same handler and a client that reads as little."""
    ends = {}

    def pressing(name):
        async def handler(websocket):
            began = time.monotonic()
            try:
                while True:
                    await websocket.send(bytes(400_000))
            finally:
                ends.setdefault(name, time.monotonic() - began)

        return handler

    async def deaf(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
        writer.write(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        return writer

    async def main():
        async with serve(pressing("plain"), "127.0.0.1", 0, close_timeout=5) as server:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            body = functions_of(
                "async def body():\n" + textwrap.indent(FIXES["watchdog"], "    "), handler=pressing("fixed"), host="127.0.0.1", port=port
            )["body"]
            guarded = asyncio.create_task(body())
            await asyncio.sleep(0)
            writers = [await deaf(one) for one in (server.sockets[0].getsockname()[1], await listening(port))]
            while "fixed" not in ends:
                await asyncio.sleep(0.1)
            still = "plain" not in ends
            guarded.cancel()
            for writer in writers:
                writer.transport.abort()
        return still

    assert asyncio.run(asyncio.wait_for(main(), 60))


async def listening(port):
    """The port, once somebody listens there."""
    while True:
        with contextlib.suppress(OSError):
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return port
        await asyncio.sleep(0.05)


def test_pings_keep_a_connection_open_that_the_default_ones_do_not():
    given = {}
    names = functions("settings", serve=lambda *_, **o: given.update(o), handler=0, host=0, port=0)
    forgets = Idle(at=0, after=names["idle"], then="fin")
    idle = Experiment(server=Peer(), faults=[forgets], until=300)
    assert run(idle, "virtual", progress=False).closed_at("server") == names["idle"]
    fixed = idle.but(server=Peer(**given))
    assert run(fixed, "virtual", progress=False).closed_at("server") is None


def test_both_codes_are_told_where_1006_tells_nothing(capsys):
    fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(9)])
    run(fly, "virtual", server=handler("both_codes"), progress=False)
    out = capsys.readouterr().out
    assert "sent 1011 (internal error) keepalive ping timeout received None" in out and "TimeoutError" in out


def test_jitter_spreads_a_storm():
    async def stays(websocket):
        await websocket.wait_closed()

    async def talk(websocket):
        await websocket.wait_closed()

    def peak(code):
        names = functions_of("async def body(uri):\n" + textwrap.indent(code, "    "), talk=talk)
        return max(crowd(lambda uri, _: names["body"](uri), stays, clients=60, apart=0.001, until=60, latency=0.001).per_second().values())

    at_once = "async with connect(uri) as websocket:\n    await talk(websocket)\n"
    assert peak(at_once) == 60
    assert peak(FIXES["jitter"]) <= 60 / 30 * 4


TWO = """
import asyncio, logging
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

async def handler(websocket):
    await websocket.wait_closed()

async def main():
    async with serve(handler, "127.0.0.1", 0) as server:
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(uri, proxy=None) as one, connect(uri, proxy=None) as two:
            await one.close(1009)
            await two.close(4000)
"""


def test_debug_turns_on_what_the_doctor_reads_and_names_the_connections():
    code = TWO + FIXES["debug"] + "asyncio.run(main())\n"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stderr
    found = [one for one in diagnose(said.splitlines()).verdicts]
    assert sorted((one.cause, one.side) for one in found) == [(c, s) for c in ("other_code", "refused_data") for s in ("client", "server")]
    assert len({one.who for one in found}) == 4 and not any(one.notes for one in found)


def test_every_fix_is_run_here_and_stands_on_the_page_of_symptoms():
    words = Path(__file__).read_text(encoding="utf-8")
    for name in FIXES:
        assert f'"{name}"' in words
    said = re.findall(r"^### (\w+)\n(?:(?!#|```)[^\n]*\n)*```py\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert dict(said) == FIXES, "the page's fixes are not those that were run"
    assert {one.fix for one in REMEDIES.values() if one.fix} <= set(FIXES)


def test_the_notebooks_that_remedies_point_to_are_in_the_syllabus():
    known = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    planned = {"05_closing_gap", "06_backpressure", "07_false_alarms", "09_surviving", "10_choosing_timers"}
    assert {one.notebook for one in REMEDIES.values() if one.notebook} <= known | planned
