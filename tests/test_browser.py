"""What stands in, in a browser, for what Python lacks there; here, where only a flag says that this is one."""

import asyncio
import subprocess
import sys
import threading

import pytest
from cases import FLY
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from checks.gap import side_by_side
from labkit import Hole, Peer, Trace, Vintage, live, recorded, run, run_each, sweep
from labkit.plots import timeline
from labkit.wires import browser
from labkit.yours.cells import allow_asyncio_run

WHERE = FLY.but(faults=[])


@pytest.fixture(autouse=True)
def in_a_browser(monkeypatch):
    def none(self):
        raise AssertionError("a thread was started")

    monkeypatch.setattr(browser, "HERE", True)
    monkeypatch.setattr(browser, "_told", set())
    monkeypatch.setattr(threading.Thread, "start", none)


def test_the_loopback_wire_is_the_virtual_one_and_says_so_once(capsys):
    first, second = run(FLY, "loopback"), run(FLY)
    assert first.header["wire"] == second.header["wire"] == "virtual"
    assert first.noticed_at("server") == 15
    assert capsys.readouterr().out == f"{browser.NO_SOCKETS}\n"


def test_who_asks_for_virtual_time_is_told_nothing(capsys):
    run(FLY, "virtual")
    assert capsys.readouterr().out == ""


def named(sentence: str) -> list[str]:
    """The recordings that a sentence names."""
    return [part.split("')")[0] for part in sentence.split("recorded('")[1:]]


@pytest.mark.parametrize(
    "ask",
    [lambda: run(FLY.but(tls=True), "virtual"), lambda: run(FLY, "kernel"), lambda: run(FLY, vintage=Vintage("14.1"))],
    ids=["tls", "kernel", "vintage"],
)
def test_what_a_browser_lacks_is_said_in_one_sentence_without_a_traceback(ask):
    with pytest.raises(ValueError) as seen:
        ask()
    (line,) = seen.value._render_traceback_()
    assert "a browser" in line and "\n" not in line
    for name in named(line):
        timeline(recorded(name))


def test_tls_and_the_kernel_wire_name_a_recorded_trace():
    assert named(browser.NO_TLS)
    with pytest.raises(Hole) as seen:
        run(FLY, "kernel")
    assert named(str(seen.value))


def test_vintages_are_holes_of_which_each_says_why():
    holes = run_each(FLY, [Vintage("14.1"), Vintage("14.2")], "virtual")
    assert [(hole.vintage.version, hole.why) for hole in holes] == [("14.1", browser.NO_PROCESSES), ("14.2", browser.NO_PROCESSES)]


def test_the_vintage_that_is_installed_runs_in_place_and_others_come_from_the_record(capsys):
    mine, old = run_each(FLY, [Vintage(), Vintage("14.1")], "virtual")
    assert mine.noticed_at("server") == 15 and isinstance(old, Hole)
    assert run(FLY, "virtual", vintage=Vintage()).header["vintage"] == Vintage().label
    beside = side_by_side("backlog below the mark", "ws", [Vintage("14.1"), Vintage()])
    assert [isinstance(one, Trace) for one in beside.traces] == [True, True]
    said = capsys.readouterr().out.splitlines()[-2:]
    assert "recorded on" in said[0] and browser.NO_PROCESSES in said[0] and said[1].endswith("live")


def test_what_needs_tls_comes_from_the_record_and_says_why(capsys):
    side_by_side("quiet", "wss server", [Vintage("14.1"), Vintage()])
    assert "a browser has no TLS" in capsys.readouterr().out.splitlines()[-1]


def test_a_sweep_needs_no_processes(monkeypatch):
    monkeypatch.setattr("labkit.many.sweeps.carried", None)
    seen = sweep(FLY, over={"cut.at": [8 + n / 100 for n in range(1, 101)]}, progress=False)
    assert len(seen) == 100 and min(seen["delay"]) > 0


def test_asyncio_run_in_a_cell_runs_a_server_and_its_client_in_virtual_time(monkeypatch):
    monkeypatch.setattr(asyncio, "run", asyncio.run)

    async def main():
        async def echo(websocket):
            await asyncio.sleep(100)
            await websocket.send(await websocket.recv())

        async with serve(echo, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            async with connect(f"ws://{host}:{port}", proxy=None) as websocket:
                await websocket.send("ping")
                return await websocket.recv(), asyncio.get_running_loop().time()

    async def cell():
        await allow_asyncio_run()
        return asyncio.run(main())

    assert asyncio.run(cell()) == ("ping", 100)


ABSENT = "_posixshmem multiprocessing.resource_tracker cryptography matplotlib numpy pandas resource trustme"
IMPORTS = """
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys(sys.argv[1].split()))
import checks
from labkit import *
for module in pkgutil.iter_modules(checks.__path__):
    importlib.import_module(f"checks.{module.name}")
"""


def test_all_that_a_notebook_imports_is_there_without_what_a_browser_has_not():
    done = subprocess.run([sys.executable, "-c", IMPORTS, ABSENT], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# live()


async def until(condition):
    """Until it is so; the loop goes on meanwhile."""
    deadline = asyncio.get_running_loop().time() + 30
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


SMALL = WHERE.but(server=Peer(ping_interval=0.4, ping_timeout=0.3, close_timeout=0.2))


def test_live_goes_on_as_fast_as_a_clock_and_a_pulled_cable_is_noticed_to_the_nanosecond():
    async def cell():
        loop = asyncio.get_running_loop()
        begin = loop.time()
        with live(SMALL) as session:
            await until(lambda: session.look and session.look.now > 0.5)
            session.pull()
            await until(lambda: session.look.states["server"] == "CLOSED")
            assert session.look.now <= loop.time() - begin
            session.pull()
            await until(lambda: session.look.states["client"] == "CLOSED")
        return session, loop.time() - begin

    session, took = asyncio.run(cell())
    trace, again = session.trace, session.again()
    assert not session.runner.alive and trace.header["wire"] == "virtual"
    assert 0.5 < trace.experiment.cuts[0].start < trace.noticed_at("server") < trace.closed_at("server") < trace.end <= took
    assert {end: again.states(end) for end in ("server", "client")} == {end: trace.states(end) for end in ("server", "client")}


def test_live_has_its_time_where_nothing_can_happen_any_more():
    async def cell():
        with live(WHERE.but(server=Peer(ping_interval=None))) as session:
            await until(lambda: session.look and session.look.now > 0.3)
            session.press("Reset")
            await until(lambda: session.look.states["server"] == "CLOSED")
            closed = session.look.now
            await until(lambda: session.look.now > closed + 0.3)

    asyncio.run(cell())


def test_a_new_live_and_its_end_leave_no_task_behind():
    async def cell():
        first = live(SMALL)
        with live(SMALL) as second:
            assert not first.runner.alive and second.runner.alive
        await until(lambda: len(asyncio.all_tasks()) == 1)

    asyncio.run(cell())


def test_live_that_is_ended_by_its_button_stops():
    async def cell():
        with live(SMALL) as session:
            session.press("End")
            assert not session.runner.alive and session.look.over

    asyncio.run(cell())
