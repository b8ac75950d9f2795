"""Other versions, implementations and Pythons: workers, the shelf they come from, and what cannot be had."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from cases import FLY, small

from labkit import Cut, Experiment, Goodbye, HangUp, Hole, Peer, Reset, Send, Vintage, run, run_each
from labkit.ends.capabilities import IMPLEMENTATIONS, SINCE, VIRTUAL, has, lack, number
from labkit.versions import pythons, shelf
from labkit.versions.worker import Worker, WorkerError

HERE = [version for version in (*shelf.LIVE, shelf.installed()) if shelf.find(version, sys.executable)]
EVERY = [Vintage(v, i) for v in HERE for i in IMPLEMENTATIONS if lack(i, v, sys.version_info[:2]) is None]
needs_shelf = pytest.mark.skipif(len(HERE) < 5, reason=f"the shelf lacks versions, it has {HERE}: python -m labkit vintages fetch")
each = pytest.mark.parametrize("vintage", EVERY, ids=lambda one: f"{one.version}-{one.implementation}")
TIMERS = dict(ping_interval=0.4, ping_timeout=0.3, close_timeout=0.2)


def wire_of(vintage):
    return "virtual" if vintage.implementation in VIRTUAL else "loopback"


def children() -> list[psutil.Process]:
    """The workers that this process has started and that still live."""
    live = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in live if "labkit.versions.child" in one.cmdline()]


# runs


@needs_shelf
@pytest.mark.parametrize("version", HERE)
def test_the_fly_is_the_same_in_every_version(version):
    vintage = Vintage(version, "asyncio" if has("asyncio", "exists", version) else "legacy")
    trace = run(FLY, "virtual", vintage=vintage, progress=False)
    moments = trace.noticed_at("server"), trace.closed_at("server"), trace.told_at("server")
    assert moments == pytest.approx((15, 17, 17), abs=1e-6)
    assert trace.header["versions"]["websockets"] == version
    assert trace.header["vintage"] == vintage.label and version in vintage.label


@each
def test_every_implementation_runs_on_the_loopback_wire_and_notices(vintage):
    if not has(vintage.implementation, "keepalive", vintage.version):
        with pytest.raises(Hole, match="no keepalive"):
            run(small(), "loopback", vintage=vintage, progress=False)
        return
    trace = run(Experiment(server=Peer(**TIMERS), faults=[Cut(at=0.6)]), "loopback", vintage=vintage, progress=False)
    assert 0.6 < trace.noticed_at("server") < trace.told_at("server")
    assert [one.sent for one in trace.raised("server")] == [1011] and not trace.raised("client")


def stories() -> dict[str, Experiment]:
    """Runs that make the library say most of what it can say."""
    base = Experiment(server=Peer(**TIMERS), client=Peer(**TIMERS), until=2)
    cut, tight = Cut(at=0.5, heal=1.2), Peer(**TIMERS, buffer=4096)
    return {
        "healed": base.but(faults=[cut]),
        "goodbye": base.but(faults=[Goodbye(at=0.5, end="client", code=1001, reason="going")]),
        "reset": base.but(faults=[Reset(at=0.5)]),
        "hung up": base.but(faults=[HangUp(at=0.5)]),
        "wss": base.but(tls=True, faults=[cut]),
        "blocked": base.but(server=tight, faults=[cut, Send(at=0.03, size=40_000, every=0.05)]),
        "blocked late": base.but(server=tight, faults=[cut, Send(at=0.82, size=40_000, every=0.05)]),
    }


NOTES = ("connection open", "connection closed", "server listening on", "error while", "keepalive ping failed", "data transfer failed")
NOTES += ("unexpected internal error", "connection handler failed", "opening handshake failed", "closing handshake failed")


@needs_shelf
@each
def test_every_line_of_every_version_is_understood_or_kept_as_a_note(vintage):
    if wire_of(vintage) == "virtual":
        chosen = stories()
    else:  # in real time: one story with most of the words
        chosen = {name: stories()[name] for name in ("healed", "goodbye")}
    kinds, notes = set(), set()
    with Worker(vintage.find()) as worker:
        for experiment in chosen.values():
            trace = worker.run(experiment, wire_of(vintage), progress=False)
            lines = [event for event in trace.events if event.witness == "log"]
            assert [event.data["line"] for event in lines] and all(event.data["line"] for event in lines)
            kinds |= {event.what for event in lines}
            notes |= {event.data["line"] for event in lines if event.what == "note"}
    assert {"state", "sent", "got", "handshake"} <= kinds
    if has(vintage.implementation, "keepalive", vintage.version):
        assert {"keepalive", "timeout"} <= kinds
    assert not [line for line in notes if not line.startswith(NOTES)], "a line with a sigil, or a new kind of message: teach dialect.py"
    assert not [line for line in notes if line[:2] in ("= ", "> ", "< ", "% ", "- ", "! ", "x ")]


# what cannot be had


@pytest.mark.parametrize(
    "vintage, why",
    [
        (Vintage("9.1", "legacy"), "from 10.4 on"),
        (Vintage("10.4"), "no asyncio implementation: it came with 13.0"),
        (Vintage("16.0", "trio"), "no trio implementation: it came with 17.0"),
        (Vintage(shelf.installed(), python="3.5"), "no Python 3.5 here"),
        (Vintage("11.0.99", "legacy"), "python -m labkit vintages fetch 11.0.99"),
        (Vintage("14.1", "threading"), "no keepalive before websockets 15.0"),
    ],
)
def test_a_hole_is_an_answer_in_words(vintage, why):
    (result,) = run_each(FLY, [vintage], "virtual")
    assert isinstance(result, Hole) and why in result.why and result.label == vintage.label
    with pytest.raises(Hole) as caught:
        run(FLY, "virtual", vintage=vintage)
    assert caught.value._render_traceback_() == [f"Hole: {vintage.label}: {result.why}"]


@pytest.mark.parametrize("version, python", [("14.0", (3, 8)), ("16.0", (3, 9)), ("17.0", (3, 10)), ("13.1", (3, 9))])
def test_a_python_that_is_too_old_is_a_hole(version, python):
    assert "or newer, and this is" in lack("asyncio", version, python)
    assert lack("asyncio", version, (3, 11)) is None


def test_the_capabilities_are_those_of_the_installed_version():
    import importlib
    import inspect

    homes = {"asyncio": "websockets.asyncio.client", "threading": "websockets.sync.client", "trio": "websockets.trio.client"}
    for implementation, home in homes.items():
        connect = importlib.import_module(home).connect
        takes = set(inspect.signature(connect).parameters) | set(inspect.signature(getattr(connect, "__init__", connect)).parameters)
        for what in ("write_limit", "max_queue", "proxy"):
            assert has(implementation, what, shelf.installed()) == (what in takes), (implementation, what)


WRONG = [dict(version="new"), dict(version=14.1), dict(implementation="curio"), dict(python="three"), dict(python="3")]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_vintage_refuses_what_is_none(wrong):
    with pytest.raises((ValueError, TypeError), match="seen|expected"):
        Vintage(**wrong)


def test_a_vintage_takes_no_handler_and_is_recorded():
    async def handler(websocket):
        pass

    with pytest.raises(ValueError, match="handlers of your own"):
        run(FLY, "virtual", vintage=Vintage(), server=handler)
    with pytest.raises(ValueError, match="recorded"):
        run(FLY, "virtual", vintage=Vintage(), record=False)


# the worker


def test_what_a_worker_refuses_is_refused_here_in_the_same_words():
    endless = Experiment(server=Peer(ping_interval=None))
    with pytest.raises(ValueError, match="never end on the loopback wire"):
        run(endless, "loopback", vintage=Vintage())
    with pytest.raises(ValueError, match="clock of its own"):
        run(FLY, "virtual", vintage=Vintage(implementation="threading"))


def test_a_worker_does_many_runs_and_agrees_with_a_run_in_this_process():
    with Worker(Vintage().find()) as worker:
        first, second = (worker.run(FLY, "virtual", progress=False) for _ in range(2))
    here = run(FLY, "virtual", progress=False)
    assert [e[:4] for e in first.events] == [e[:4] for e in second.events] == [e[:4] for e in here.events]
    assert not children()


@pytest.mark.parametrize(("stops", "status"), [(False, 0), (True, -signal.SIGKILL)])
def test_a_worker_that_is_left_by_an_exception_ends_or_is_killed(stops, status, monkeypatch):
    monkeypatch.setattr("labkit.versions.worker.BRIEFLY", 0.1 if stops else 10)
    with pytest.raises(ZeroDivisionError), Worker(Vintage().find()) as worker:
        if stops:
            worker.process.send_signal(signal.SIGSTOP)
        raise ZeroDivisionError
    assert worker.process.returncode == status


def test_a_version_has_what_came_with_it():
    assert has("asyncio", "keepalive", "13.0") and not has("asyncio", "keepalive", "12.0")
    assert has("trio", "exists", "17.0") and not has("trio", "exists", "16.0")


@pytest.mark.parametrize("blow", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_kills_its_worker(blow, monkeypatch):
    def tick(self):
        raise blow

    monkeypatch.setattr("labkit.engine.progress.Living.tick", tick)
    with pytest.raises(blow):
        run(Experiment(server=Peer(), until=600), "loopback", vintage=Vintage(), progress=False)
    assert not children()


def test_a_worker_that_dies_says_its_last_words(tmp_path):
    (tmp_path / "websockets").mkdir()
    (tmp_path / "websockets" / "__init__.py").write_text("raise RuntimeError('this is no websockets')")
    with pytest.raises(WorkerError, match="this is no websockets"), Worker(Vintage().find()._replace(folder=tmp_path)) as worker:
        worker.run(FLY, "virtual", progress=False)
    assert not children()


def test_a_worker_that_takes_too_long_is_killed(monkeypatch):
    monkeypatch.setattr("labkit.versions.worker.PATIENCE", 0.5 - 600)  # half a second, for a run of ten minutes
    with pytest.raises(WorkerError, match="took too long"):
        run(Experiment(server=Peer(), until=600), "loopback", vintage=Vintage(), progress=False)


def test_a_worker_does_not_outlive_whoever_started_it():
    code = (
        "import os, sys; from labkit.versions import Vintage; from labkit.versions.worker import Worker\n"
        "worker = Worker(Vintage().find()); print(worker.process.pid, flush=True); os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    pid, deadline = int(done.stdout), time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z":
            return  # gone, and waiting for an init that does not collect
        threading.Event().wait(0.05)
    pytest.fail(f"the worker {pid} still lives")


# the shelf


@pytest.fixture
def shelf_here(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_SHELF", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


def fake(version, draft):
    (draft / "websockets").mkdir(parents=True)
    (draft / "websockets" / "version.py").write_text(f"version = {version!r}")


def test_a_version_is_fetched_once(shelf_here, monkeypatch):
    monkeypatch.setattr(shelf, "_install", fake)
    assert shelf.here() == [] and shelf.fetch("12.0") and not shelf.fetch("12.0")
    assert shelf.here() == ["12.0"] and shelf.find("12.0", "any") == shelf_here / "12.0"


@pytest.mark.parametrize("blow", [KeyboardInterrupt, RuntimeError, OSError])
def test_an_interrupted_download_leaves_the_shelf_whole(shelf_here, monkeypatch, blow):
    def broken(version, draft):
        (draft / "websockets").mkdir(parents=True)
        raise blow

    monkeypatch.setattr(shelf, "_install", broken)
    with pytest.raises(blow):
        shelf.fetch("12.0")
    assert list(shelf_here.iterdir()) == [] and shelf.here() == []


def test_two_may_fetch_at_once(shelf_here, monkeypatch):
    meeting = threading.Barrier(2, timeout=30)

    def both(version, draft):
        meeting.wait()
        fake(version, draft)

    monkeypatch.setattr(shelf, "_install", both)
    monkeypatch.setattr(shelf.os, "getpid", threading.get_ident)  # as two processes
    results = []
    threads = [threading.Thread(target=lambda: results.append(shelf.fetch("12.0"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2 and [path.name for path in shelf_here.iterdir()] == ["12.0"]


def test_a_download_that_fails_says_so_in_a_sentence(shelf_here, monkeypatch):
    monkeypatch.setattr(shelf, "_installer", lambda: [sys.executable, "-c", "import sys; sys.exit('no such thing')"])
    with pytest.raises(RuntimeError, match="could not be fetched .no such thing.: is this machine online"):
        shelf.fetch("12.0")


def test_an_abandoned_draft_is_swept_away(shelf_here, monkeypatch):
    (shelf_here / ".draft-12.0-1").mkdir(parents=True)
    os.utime(shelf_here / ".draft-12.0-1", (0, 0))
    monkeypatch.setattr(shelf, "_install", fake)
    shelf.fetch("13.1")
    assert [path.name for path in shelf_here.iterdir()] == ["13.1"]


def test_the_report_names_versions_and_pythons(shelf_here):
    text = shelf.report()
    assert f"websockets {shelf.installed()}" in text and "installed" in text and pythons.here() in text
    assert all(version in text for version in shelf.ALL) and "trio" in text


def test_this_python_is_the_first_that_is_known():
    assert pythons.known()[0] == pythons.Python(sys.executable, pythons.here())
    assert pythons.find(None) == pythons.known()[0] and pythons.find("3.1") is None
    assert pythons.ask("/no/such/python") is None


def test_every_version_of_the_table_is_a_number():
    assert all(number(since) for row in SINCE.values() for since in row.values())
    assert list(shelf.ALL) == sorted(shelf.ALL, key=number) and set(shelf.LIVE) < set(shelf.ALL)


def test_real_runs_wait_together_in_the_order_that_was_asked_for_and_an_interrupt_ends_them_all(monkeypatch):
    two = [Vintage(implementation="threading"), Vintage("10.4"), Vintage()]
    experiment = Experiment(server=Peer(**TIMERS), faults=[Cut(at=0.6)])
    threading_, hole, asyncio_ = run_each(experiment, two, "loopback", progress=False)
    assert isinstance(hole, Hole)
    assert [one.header["implementation"] for one in (threading_, asyncio_)] == ["threading", "asyncio"]

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("labkit.engine.progress.Bar.advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_each(experiment.but(until=30), [Vintage("10.4"), Vintage(), Vintage()], "loopback", progress=False)
    assert not children()
