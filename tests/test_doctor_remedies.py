"""Every fix that the doctor gives is run against the very fault that it is for: without it the fault bites, with it it does not."""

import asyncio
import random
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from websockets.asyncio.server import serve

from labkit import Cut, Experiment, Idle, Peer, Send, recorded, run
from labkit.doctor import diagnose
from labkit.doctor.remedies import FIXES, REMEDIES
from labkit.many.crowds import crowd

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
STEPS = README.partition("They need `")[2].partition("\n\n")[0]
IMPORTS = re.findall(r"(?:^|`)((?:import|from) [^`]+)`", STEPS)  # all that a fix may need
HANG = recorded("closing-hang").experiment
PRESSED = Experiment(
    server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, buffer=4096), client=Peer(buffer=4096), faults=[Cut(9)], until=300
)


def functions(name, **world):
    """The names that a fix defines, executed."""
    return functions_of(FIXES[name], **world)


def functions_of(code, **world):
    """The names that some code defines, with no other imports than those in the README."""
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
    assert seen.problems == () and 300 / 5 - 5 < len(seen.attempts) < 300 / 2
    assert max(seen.per_second().values()) <= 2


def test_reconnect_goes_on_after_the_connection_is_lost():
    async def main():
        times, got = [], []

        async def flaky(websocket):
            times.append(1)
            if len(times) == 1:
                websocket.transport.abort()
                return
            await websocket.send("at last")
            await websocket.wait_closed()

        async def process(message):
            got.append(message)
            raise EOFError  # enough

        async with serve(flaky, "127.0.0.1", 0) as server:
            uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            body = handler("reconnect", uri=uri, process=process)
            with pytest.raises(EOFError):
                await asyncio.wait_for(body(None), 20)
        return len(times), got

    assert asyncio.run(main()) == (2, ["at last"])


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


def talking(send):
    async def handler(websocket):
        while True:
            await send(websocket, bytes(40000))
            await asyncio.sleep(0.3)

    return handler


async def plain(websocket, message):
    await websocket.send(message)


def test_patience_frees_a_send_whose_drain_is_blocked():
    assert run(PRESSED, "virtual", server=talking(plain), progress=False).told_at("server") is None
    fixed = run(PRESSED, "virtual", server=talking(functions("patience")["send"]), progress=False)
    (raised,) = fixed.raised("server")
    assert raised.type == "ConnectionClosedError" and raised.t == pytest.approx(19, abs=1)
    assert fixed.closed_at("server") == raised.t


def test_patience_within_reconnect_dials_again():
    """The peer reads nothing; each time that a send has waited for 10 s, the client dials anew."""
    busy = FIXES["reconnect"].replace("process(message)", "send(websocket, bytes(10_000_000))")

    async def deaf(websocket):
        websocket.transport.pause_reading()
        await websocket.send("tell me")
        await asyncio.sleep(1000)

    seen = dials(busy, deaf, until=100, send=functions("patience")["send"])
    assert seen.problems == () and len(seen.openings) == pytest.approx(100 / (10 + 3), abs=3)


def guarded(talk, **options):
    """A handler with the fix *watchdog* beside it."""
    dog = functions("watchdog")["watchdog"]

    async def handler(websocket):
        watch = asyncio.create_task(dog(websocket, **options))
        try:
            await talk(websocket)
        finally:
            watch.cancel()

    return handler


async def reading(websocket):
    async for _ in websocket:
        pass


def test_the_watchdog_frees_a_drain_that_is_blocked_while_open():
    free = run(PRESSED, "virtual", server=guarded(talking(plain)), progress=False)
    assert free.states("server")[-2][1] == "OPEN" and free.closed_at("server") <= 9 + 10 + 20
    assert free.told_at("server") <= free.closed_at("server") + 0.3  # by its next send()


def test_the_watchdog_ends_the_hang_in_closing():
    long = HANG.but(faults=[Cut(9, heal=100)], until=200)
    assert run(long, "virtual", server=reading, progress=False).closed_at("server") > 90
    fixed = run(long, "virtual", server=guarded(reading, every=1, patience=8), progress=False)
    assert fixed.noticed_at("server") == 15 < fixed.closed_at("server") <= 9 + 1 + 8


def test_the_watchdog_leaves_a_live_connection_alone():
    alive = Experiment(server=Peer(send_size=1000, send_every=0.1), latency=2.0, until=300)
    trace = run(alive, "virtual", server=guarded(reading), progress=False)
    assert trace.noticed_at("server") is None


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
    async def main():
        moments = []

        async def arrive(uri):
            moments.append(asyncio.get_running_loop().time())

        later = functions("jitter", connect=arrive)["connect_later"]
        random.seed(1)
        await asyncio.gather(*(later("ws://…", spread=0.4) for _ in range(50)))
        return moments

    moments = asyncio.run(main())
    assert max(moments) - min(moments) > 0.2
    assert max(sum(t <= other < t + 0.02 for other in moments) for t in moments) < 25


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


def test_every_fix_is_run_here_and_stands_in_the_readme():
    words = Path(__file__).read_text(encoding="utf-8")
    for name in FIXES:
        assert f'"{name}"' in words
    said = re.findall(r"^\*\*(\w+)\*\*\n\n```py\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert dict(said) == FIXES, "the README's fixes are not those that were run"
    assert {one.fix for one in REMEDIES.values() if one.fix} <= set(FIXES)


def test_the_notebooks_that_remedies_point_to_are_in_the_syllabus():
    known = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    planned = {"05_closing_gap", "06_backpressure", "07_false_alarms", "09_surviving", "10_choosing_timers"}
    assert {one.notebook for one in REMEDIES.values() if one.notebook} <= known | planned
