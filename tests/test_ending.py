"""Every run ends, and leaves nothing: nasty handlers (nasty.py) × the ways in which a run is left, on both wires."""

import inspect
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nasty
import pytest
from cases import small
from jupyter_client.manager import KernelManager
from machine import alive, belongings, side_by_side, wait_until
from websockets import connect

from labkit import Send, crowd, fleet, open_run, run
from labkit.engine.recorder import Recorder
from labkit.engine.session import Session
from labkit.wires.ending import Interrupts, StillBusy, uninterrupted

TESTS = Path(__file__).parent
CALLS = ["sleeps", "sleeps both", "spins", "spins both"]  # those that never come back to their event loop
LAST = ["sleeps_at_last", "spins_at_last"]  # and those that begin when they are cancelled
AWAITS = ["swallows", "swallows both", "fails_at_last", "sleeps_beside", "awaits_at_last", "dials_another", "blocks"]
FREE = ["fails_at_last", "awaits_at_last", "dials_another", "blocks"]  # who ends in time is not spoken of
LEFT = ["sleeps", "sleeps both", "sleeps_at_last", "sleeps_beside"]  # in a call that Python cannot break off
LUCK = ["swallows_and_spins"]  # Python has to hit it where nothing is swallowed

# What is promised. On the virtual wire a handler has the caller's own thread: nothing but an interrupt breaks off its calls, and
# one that swallows it, too, goes on. A run of that wire whose handlers only await is over before an interrupt can come.
TABLE = {
    ("loopback", "end"): [*CALLS, *AWAITS, *LAST, "swallows_and_spins"],
    ("loopback", "exception"): [*CALLS, *AWAITS, *LAST, "swallows_and_spins"],
    ("loopback", "interrupt"): [*CALLS, *AWAITS[:-1], *LAST, "swallows_and_spins"],
    ("virtual", "end"): ["swallows", "swallows both", "fails_at_last", "awaits_at_last", "blocks"],
    ("virtual", "exception"): ["swallows", "swallows both", "fails_at_last", "awaits_at_last", "blocks"],
    ("virtual", "interrupt"): ["sleeps", "spins", "spins both", "sleeps_at_last", "spins_at_last"],
}
RAISED = {"end": None, "exception": "Mistake", "interrupt": "KeyboardInterrupt"}
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is open is read from /proc")


def lines_of(name: str) -> set[int]:
    """The lines in which a handler may be found."""
    source, first = inspect.getsourcelines(getattr(nasty, name.split()[0]))
    return {first + n for n, line in enumerate(source) if line.rstrip().endswith("# here")}


def expected_busy(wire: str, name: str) -> int:
    """How many ends come to their worst; in virtual time one in a call keeps the other from running."""
    return 2 if name.endswith("both") and wire == "loopback" else 1


def rows(wire: str, way: str, names: list[str]) -> tuple[list[dict], float]:
    """What the program says of each handler; "asked" is when its run was asked to end (s). And how long it took to end itself."""
    found, command = [], [sys.executable, nasty.__file__, wire, way, *names]
    known = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=known) as process:
        asked, busy = 0.0, 0
        for line in process.stdout:
            if line == "busy\n":
                busy += 1
                if way == "interrupt" and busy == expected_busy(wire, names[len(found)]):
                    asked = time.monotonic()
                    process.send_signal(signal.SIGINT)
                continue
            row = json.loads(line)
            if "finished" in row:
                process.wait(60)
                return found, time.monotonic() - row["finished"]
            found.append({**row, "asked": asked or row["end"]})
            asked, busy = 0.0, 0
    raise AssertionError(f"it ended with {process.returncode} after {names[: len(found)]}")


@linux
@pytest.mark.parametrize("wire, way", TABLE)
def test_every_run_ends_and_leaves_nothing(wire, way):
    names = TABLE[wire, way]
    found, last = rows(wire, way, names)
    for name, row in zip(names, found, strict=True):
        print(f"{wire:9} {way:10} {name:20} {row['left'] - row['asked']:6.3f} s  {'; '.join(row['said'])}")
        assert row["left"] - row["asked"] < nasty.BLOCKS / 4, f"{name}: it took 2 s at most, where nobody else needs this machine"
        assert (row["raised"] or "").split(" ")[0] == (RAISED[way] or ""), name
        assert (row["threads"], row["tasks"], row["connections"]) == (0, 0, 0), (name, row)
        assert row["files"] == 0 or wire == "loopback" and name in LEFT + LUCK, (name, row)
        if wire == "loopback":
            check_sentence(name, row)
    assert last < nasty.BLOCKS / 4, "the process was kept by a thread that was left behind"


def check_sentence(name: str, row: dict) -> None:
    """Who is busy is named with its line: as a warning, in the trace, and, if it stays, in the name of its thread."""
    said = row["said"]
    if name in FREE:
        assert not said and not row["named"], (name, said)
        return
    ends = ["server", "client"] if name.endswith("both") else ["server"]
    assert [one.split()[1] for one in said] == ends, (name, said)
    assert row["ended"] is None or all(one in row["ended"] for one in said)
    for one in said:
        assert f"in {name.split()[0]}(), nasty.py line " in one
        assert int(re.search(r"nasty.py line (\d+)", one)[1]) in lines_of(name), (name, one)
    if name in LEFT:
        assert len(row["named"]) == len(ends) and all(any(repr(thread) in one for one in said) for thread in row["named"]), row
    else:
        assert not row["named"] or name in LUCK, row


# a kernel that is restarted while a cell runs: it is interrupted, asked to end, and killed in the end

CELLS = {
    "loopback spins": 'run(nothing, "loopback", server=nasty.spins, progress=False)',
    "loopback sleeps": 'run(nothing, "loopback", server=nasty.sleeps, progress=False)',
    "loopback swallows": 'run(nothing, "loopback", server=nasty.swallows_and_spins, progress=False)',
    "virtual spins": 'run(nothing, "virtual", server=nasty.spins)',
    "virtual swallows": 'run(nothing, "virtual", server=nasty.spins_for_ever)',
    "a vintage": 'nasty.ready(); run(nothing, "loopback", vintage=Vintage(implementation="threading"), progress=False)',
    "many processes": "nasty.ready(); Processes(1).submit(time.sleep, 600).result()",
}
FIRST = """
import sys, time
sys.path.insert(0, {tests!r})
import nasty
from labkit import *
from labkit.many.pool import Processes
nasty.SIGN, nothing = {sign!r}, Experiment(server=Peer(ping_interval=None), until=600)
"""


@linux
@pytest.mark.parametrize("cell", CELLS)
def test_a_restarted_kernel_leaves_nothing(cell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where its sockets are
    sign = tmp_path / "busy"
    manager = KernelManager(kernel_name="python3", transport="ipc")
    manager.shutdown_wait_time = 2.0  # s, of 5, until it is killed
    manager.start_kernel()
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        client.execute(FIRST.format(tests=str(TESTS), sign=str(sign)) + CELLS[cell])
        wait_until(sign.exists)
        kernel = manager.provisioner.pid
        if cell in ("a vintage", "many processes"):
            wait_until(lambda: children(kernel))
        own, started = sockets(kernel), children(kernel)
        asked = time.monotonic()
        manager.restart_kernel()
        print(f"{cell:20} {time.monotonic() - asked:.1f} s until there is another kernel")
        wait_until(lambda: not any(map(alive, [kernel, *started])))
        assert not own & listening()
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive("from labkit import *; run(Experiment(until=0.1), 'loopback', progress=False)", timeout=60)
        assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(one) for one in listed if alive(int(one))]


def listening() -> set[str]:
    """The inodes of all TCP sockets of this machine that have not ended."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] not in ("06", "07")}


def sockets(pid: int) -> set[str]:
    """The local addresses of the TCP sockets that a process has."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd)[8:-1])
        except OSError:
            pass  # it has just been closed
    return {row.split()[1] for row in Path("/proc/net/tcp").read_text().splitlines()[1:] if row.split()[9] in inodes}


@pytest.mark.usefixtures("nothing_stays")
def test_a_thread_that_was_left_behind_puts_away_what_it_has_when_it_comes_back():
    """A lock instead of time.sleep(40): so this test says when."""
    lock = threading.Lock()

    async def waits(websocket):
        with lock:
            pass

    with lock, pytest.warns(StillBusy, match="Python cannot stop its thread 'labkit server, left behind at test_ending.py line"):
        run(small(faults=[], until=0.1), "loopback", server=waits)
    wait_until(lambda: not nasty.left_behind())


@pytest.mark.parametrize("implementation", ["legacy", "threading", "trio"])
def test_the_threads_of_every_implementation_end_with_their_run(implementation):
    def once():
        with Session(small(faults=[], until=0.1), "loopback", {"server": None, "client": None}, True, implementation) as session:
            session.wait()
        return session.trace

    assert once().states("server")
    before = belongings()
    for _ in range(3):
        once()
    assert not belongings() - before


@pytest.mark.parametrize("wire", ["virtual", "loopback"])
@pytest.mark.usefixtures("nothing_stays")
def test_a_handler_that_exits_ends_the_run_on_both_wires(wire):
    async def exits(websocket):
        sys.exit("enough")

    with pytest.raises(SystemExit, match="enough"):
        run(small(faults=[], until=20), wire, server=exits)


def interrupt_until(done):
    """Interrupt this process, and again: Python loses one that meets a finalizer or a weak reference's callback."""
    pause = 0.3
    while not done.wait(pause):
        os.kill(os.getpid(), signal.SIGINT)
        pause = 8


@pytest.mark.usefixtures("nothing_stays")
def test_a_crowd_and_a_fleet_end_the_same_way(monkeypatch):
    async def calm(uri, number):
        async with connect(uri) as websocket:
            await websocket.wait_closed()

    async def swallows(uri, number):
        async with connect(uri) as websocket:
            await nasty.swallows(websocket)

    with pytest.warns(StillBusy, match=r"the client was still busy in swallows\(\)"):
        crowd(swallows, clients=3, until=0.2)
    with pytest.warns(StillBusy, match=r"the server was still busy in spins\(\)"):
        crowd(calm, nasty.spins, until=0.2, wire="loopback")
    told = sys.unraisablehook  # not of an interrupt that Python loses, as interrupt_until() knows
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: None if lost.exc_type is KeyboardInterrupt else told(lost))
    done = threading.Event()
    interrupt = threading.Thread(target=interrupt_until, args=(done,))
    with pytest.raises(KeyboardInterrupt):
        interrupt.start()
        fleet(small(until=600, faults=[]), clients=3, wire="loopback")
    done.set()
    interrupt.join()


@pytest.mark.parametrize("wire", ["virtual", "loopback"])
def test_a_task_that_swallows_its_cancellation_is_abandoned_without_a_word(wire, caplog):
    with pytest.warns(StillBusy, match="swallows"):
        run(small(faults=[], until=0.1), wire, server=nasty.swallows)
    belongings()  # collects garbage
    assert caplog.text == ""


# what a trace says


def test_a_trace_says_who_was_still_busy():
    with pytest.warns(StillBusy, match=r"the client was still busy in swallows\(\), nasty.py line"):
        trace = run(small(faults=[], until=0.1), "virtual", client=nasty.swallows)
    (line,) = lines_of("swallows")
    said = f"the client was still busy in swallows(), nasty.py line {line}: await asyncio.sleep(1)  # here (it swallows its cancellation"
    assert said in trace.header["ended"] and said in str(trace) and said in repr(trace) and said in trace.header["busy"][0]


def test_acts_from_several_threads_are_all_waited_for_and_no_longer():
    """The steps that are still to come are added in one thread and taken away in another."""
    with open_run(small(faults=[], until=20), "loopback") as session:
        side_by_side(*[lambda: [session.do(Send(at=0.2 + n / 1000)) for n in range(40)]] * 4)
        assert len(session.acts) == 160 and session.pending
        session.wait(0.4)
        wait_until(lambda: not session.pending)


def test_no_two_notes_have_the_same_number():
    recorder = Recorder(lambda: time.sleep(0) or 0.0, lambda *_: None)
    side_by_side(*[lambda: [recorder.note("server", "app", "x") for _ in range(500)]] * 4)
    assert len({number for _, number, *_ in recorder.told}) == len(recorder.told) == 2000


# interrupts, at every moment


def shaken(wire: str, number: int) -> int:
    """A run that is interrupted as it makes its so-manieth call in this thread, and again soon after; how many it makes."""
    seen = 0

    def call(frame, event, argument):
        nonlocal seen
        ask = signal.getsignal(signal.SIGINT)
        if event == "call" and ask is not signal.default_int_handler:  # from the first step of the set-up to the last of the teardown
            seen += 1
            if seen in (number, number + 40):
                ask(signal.SIGINT, frame)

    session = open_run(small(faults=[], until=0.02), wire)
    try:
        sys.setprofile(call)
        with session:
            session.wait()
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("wire", ["virtual", "loopback"])
def test_an_interrupt_at_any_moment_ends_the_run_and_leaves_nothing(wire, part):
    calls = shaken(wire, -100)
    before = belongings()
    interrupted = 0
    for number in range(1, calls, calls // 40)[part::4]:
        try:
            shaken(wire, number)
        except KeyboardInterrupt:
            interrupted += 1
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, number
        assert not belongings() - before, number
    assert interrupted >= 7  # of ten; in real time a run makes more calls or fewer, and may be over before


def test_an_interrupt_waits_while_what_must_be_completed_runs_and_not_in_a_learners_code():
    interrupts, done = Interrupts(), []
    library = {"__name__": "somewhere", "raise_signal": signal.raise_signal, "done": done}
    exec("def step(then):\n    raise_signal(2)\n    done.append(1)\n    then()", library)  # code that no learner has written
    interrupts.begin()
    try:
        with pytest.raises(KeyboardInterrupt):
            library["step"](print)
        step = uninterrupted(library["step"])
        step(lambda: done.append(2))
        assert done == [1, 2] and interrupts.waiting
        with pytest.raises(KeyboardInterrupt):
            interrupts.let_in()
        with pytest.raises(KeyboardInterrupt):
            step(lambda: signal.raise_signal(signal.SIGINT))  # what it calls back is a learner's
        assert done == [1, 2, 1] and interrupts.waiting
    finally:
        interrupts.waiting = False
        interrupts.end()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
