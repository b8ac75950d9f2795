"""Every fix that the doctor gives is run against the very fault that it is for: without it the fault bites, with it it does not."""

import asyncio
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from labkit import Cut, Experiment, Idle, Peer, Send, recorded, run
from labkit.doctor import diagnose
from labkit.doctor.remedies import FIXES, REMEDIES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORLD = {"asyncio": asyncio, "random": random, "ConnectionClosed": ConnectionClosed, "State": State}
HANG = recorded("closing-hang").experiment
PRESSED = Experiment(
    server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, buffer=4096), client=Peer(buffer=4096), faults=[Cut(9)], until=300
)


def functions(name, **world):
    """The names that a fix defines, executed."""
    names = {**WORLD, **world}
    exec(FIXES[name], names)
    return names


def handler(name, **world):
    """A fix as the body of a handler."""
    names = {**WORLD, **world}
    exec("async def handler(websocket):\n" + textwrap.indent(FIXES[name], "    "), names)
    return names["handler"]


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
            body = handler("reconnect", connect=connect, uri=uri, process=process)
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


def test_patience_frees_a_send_whose_drain_is_blocked():
    async def plain(websocket, message):
        await websocket.send(message)

    assert run(PRESSED, "virtual", server=talking(plain), progress=False).told_at("server") is None
    fixed = run(PRESSED, "virtual", server=talking(functions("patience")["send"]), progress=False)
    assert fixed.told_at("server") == pytest.approx(19, abs=1) and fixed.closed_at("server") == fixed.told_at("server")


def test_the_watchdog_ends_the_hang_in_closing():
    dog = functions("watchdog")["watchdog"]

    async def guarded(websocket):
        watch = asyncio.create_task(dog(websocket, patience=5))
        async for _ in websocket:
            pass
        await watch

    async def unguarded(websocket):
        async for _ in websocket:
            pass

    long = HANG.but(faults=[Cut(9, heal=100)], until=200)
    assert run(long, "virtual", server=unguarded, progress=False).closed_at("server") > 90
    assert run(long, "virtual", server=guarded, progress=False).closed_at("server") < 15 + 1 + 5 + 1


def test_pings_keep_an_idle_connection_open():
    given = {}
    functions("settings", serve=lambda *_, **options: given.update(options), handler=None, host=None, port=None)
    idle = Experiment(server=Peer(ping_interval=None), faults=[Idle(at=0, after=60, then="fin")], until=300)
    assert run(idle, "virtual", progress=False).closed_at("server") == 60
    assert run(idle.but(server=Peer(**given)), "virtual", progress=False).closed_at("server") is None


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

async def main():
    async def handler(websocket):
        await websocket.wait_closed()
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
    assert sorted((one.cause, one.side) for one in found) == [(c, s) for c in ("goodbye", "refused_data") for s in ("client", "server")]
    assert len({one.who for one in found}) == 4 and not any(one.notes for one in found)


def test_every_fix_is_run_here_and_stands_in_the_readme():
    words = Path(__file__).read_text(encoding="utf-8")
    for name, fix in FIXES.items():
        assert f'"{name}"' in words
        assert fix in README, f"the README's fix {name} is not the one that was run"
    assert {one.fix for one in REMEDIES.values() if one.fix} <= set(FIXES)


def test_the_notebooks_that_remedies_point_to_are_in_the_syllabus():
    known = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    planned = {"05_closing_gap", "06_backpressure", "07_false_alarms", "09_surviving", "10_choosing_timers"}
    assert {one.notebook for one in REMEDIES.values() if one.notebook} <= known | planned
