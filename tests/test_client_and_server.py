"""What labkit/patterns/client.py and server.py promise, one promise at a time; tests/test_torture.py does the rest."""

import asyncio
import contextlib
import io
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from textwrap import indent
from types import ModuleType
from unittest import mock

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError

from labkit import Cut, HangUp, Throttle, patterns
from labkit.many.crowds import Restart
from labkit.patterns import client, server
from labkit.patterns.client import keep_connected
from labkit.versions import shelf
from tests import torture
from tests.torture import PATIENCE, PAUSE, Whole, deaf, ordeal, returns, says

TIMERS = {"ping_interval": PAUSE, "close_timeout": PATIENCE}
SPREAD = 2.0
clock = lambda: asyncio.get_running_loop().time()  # noqa: E731


async def listen(websocket):
    async for _ in websocket:
        pass


def kept(talk=listen, stop=None, **settings):
    """A client program for an ordeal that is cancelled at ``stop`` (s)."""

    async def program(uri, number, seen):
        task = asyncio.create_task(keep_connected(uri, talk, **{"spread": SPREAD, **TIMERS, **settings}))
        await asyncio.wait([task], timeout=stop)
        cancelled = clock()
        task.cancel()
        await asyncio.wait([task])
        seen.goodbye = clock() - cancelled
        seen.problem = None if task.cancelled() else task.exception()

    return program


# no drain stays blocked, in whichever state


async def flood(websocket):
    """Fills every buffer, around whatever sends in pieces."""
    while True:
        await websocket.send([bytes(50_000)])


async def flood_and_wait(websocket):
    sending = asyncio.create_task(flood(websocket))
    try:
        await websocket.wait_closed()
    finally:
        sending.cancel()
        await asyncio.wait([sending])


@pytest.mark.parametrize("acts", [[], [Cut(3)], [Cut(3, direction="to_server")], [Cut(3, direction="to_client")]], ids=repr)
@pytest.mark.parametrize("talk", [flood, flood_and_wait])
def test_a_blocked_drain_of_the_client_is_freed(talk, acts):
    seen = ordeal(kept(talk, stop=300), lambda _: deaf, acts, until=300, max_queue=1)
    blocked = seen.lives[0].lost - seen.lives[0].began
    assert blocked <= 3 + 1.2 * PATIENCE + PAUSE and seen.dials() <= 60 / SPREAD


@pytest.mark.parametrize("acts", [[], [Cut(3)], [Cut(3, direction="to_client")]], ids=repr)
def test_a_blocked_drain_of_the_server_is_freed(acts):
    async def never_reads(uri, number, seen):
        async with connect(uri, max_queue=1, ping_interval=None, close_timeout=1):
            await asyncio.sleep(100)

    seen = ordeal(never_reads, lambda _: flood_and_wait, acts, kind=Whole, until=100, **TIMERS)
    (life,) = (one for one in seen.lives if one.end == "server")
    assert life.lost - life.began <= 3 + 1.2 * PATIENCE + PAUSE


@pytest.mark.parametrize("moment", [1.5, 3.0, 5.0, 7.0])
def test_a_goodbye_behind_a_blocked_drain_is_given_up(moment):
    seen = ordeal(kept(flood, stop=moment, spread=0.1), lambda _: deaf, until=100, max_queue=1, ping_interval=None)
    assert seen.goodbye <= PATIENCE + 0.01 and all(one.lost < 100 for one in seen.lives if one.end == "client")


def test_closing_ends_in_time_though_nobody_closes_tcp():
    async def leaves(websocket):
        await asyncio.sleep(3)
        await websocket.close(1001)

    # opened at 0.04 s or later; CLOSE is on its way from 3 to 3.02 s after that, and the FIN does not get through any more
    began = ordeal(kept(stop=60), lambda _: leaves, until=60).openings[0]
    seen = ordeal(kept(stop=60), lambda _: leaves, [Cut(began + 3.03, direction="to_client")], until=60)
    (lost,) = (one.lost for one in seen.lives if one.end == "client" and one.began < began)
    assert 3 + PATIENCE <= lost - began <= 3.1 + 1.1 * PATIENCE


def test_a_program_that_waits_for_something_else_is_cancelled_when_its_connection_is_lost():
    async def elsewhere(websocket):
        began.append(clock())
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(clock())

    began, ended = [], []
    ordeal(kept(elsewhere, stop=60), lambda _: returns, [HangUp(5)], until=60, kind=Whole, **TIMERS)
    assert len(began) > 1 and all(end - begin <= 1.1 * PATIENCE + 0.1 for begin, end in zip(began, ended))


# dialling


def test_two_dials_are_never_closer_than_the_spread():
    for handler in (returns, says(1001), says(4003)):
        seen = ordeal(kept(stop=600, spread=5), lambda _, handler=handler: handler, until=600)
        assert min(two - one for one, two in zip(seen.attempts, seen.attempts[1:])) >= 5
        assert seen.dials() <= 4 and len(seen.attempts) < 20


def test_a_connection_that_lived_is_no_failure():
    async def lives(websocket):
        await asyncio.sleep(40)

    seen = ordeal(kept(stop=600, spread=5), lambda _: lives, until=600)
    pauses = [two - one - 40 for one, two in zip(seen.attempts, seen.attempts[1:])]
    assert len(pauses) > 10 and max(pauses) < 5.2


@pytest.mark.parametrize("spread", [0, 0.01])
def test_no_spread_is_no_hot_loop(spread):
    seen = ordeal(kept(stop=60, spread=spread), lambda _: returns, until=60)
    assert seen.dials() < 12


def test_a_code_of_ones_own_is_final_by_choice():
    again = ordeal(kept(stop=60), lambda _: says(4003), until=60)
    final = ordeal(kept(stop=60, final=(*client.FINAL, 4003)), lambda _: says(4003), until=60)
    assert again.problem is None and len(again.attempts) > 1
    assert isinstance(final.problem, ConnectionClosedError) and len(final.attempts) == 1


def test_a_mistake_of_ones_own_is_raised_and_a_timeout_is_not():
    async def mistaken(websocket):
        raise KeyError("mine")

    async def impatient(websocket):
        raise TimeoutError

    assert isinstance(ordeal(kept(mistaken, stop=60), lambda _: deaf, until=60).problem, KeyError)
    seen = ordeal(kept(impatient, stop=60), lambda _: deaf, until=60)
    assert seen.problem is None and len(seen.attempts) > 1


def test_it_ends_when_the_program_has_said_all():
    async def once(websocket):
        await websocket.send("all")

    seen = ordeal(kept(once, stop=60), lambda _: listen, until=60)
    assert seen.problem is None and len(seen.attempts) == 1 and seen.lives[0].lost < 3


def test_200_clients_come_back_without_running_over_the_server():
    async def program(uri, number, seen):
        await keep_connected(uri, listen, spread=15.0)

    acts = [Restart(60, back=70), Restart(150, back=150.5, how="killed")]
    seen = ordeal(program, lambda _: listen, acts, clients=200, until=250, kind=Whole)
    assert max(sum(int(t) == second for t in seen.attempts) for second in range(250)) <= 30
    assert seen.at_once("server") == 200 and len(seen.openings) == 600
    assert len(seen.attempts) <= 600 + 200 and seen.shutdowns[0] < 1


@pytest.mark.parametrize("moment", [0.3, 0.9, 1.0, 1.02, 1.03, 1.05, 1.3, 2.0, 3.0, 4.5])
@pytest.mark.parametrize("second", [0.0, 0.01, 1.0])
def test_it_can_be_cancelled_at_any_moment_twice(moment, second):
    async def program(uri, number, seen):
        before = asyncio.all_tasks()
        task = asyncio.create_task(keep_connected(uri, flood, spread=0.1, **TIMERS))
        await asyncio.sleep(moment)
        task.cancel()
        await asyncio.sleep(second)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(PATIENCE + 0.1)
        left.append((task.cancelled(), asyncio.all_tasks() - before))

    left = []
    seen = ordeal(program, lambda _: deaf, [Cut(2)], until=60, latency=0.5, max_queue=1)
    assert left == [(True, set())]
    assert all(one.lost < 60 for one in seen.lives if one.end == "client")


# the server


def broadcasting(bound=20, size=5000, count=300, apart=0.05):
    """200 clients, of whom every tenth is slow or deaf, hear a broadcast."""

    class Hub(Whole):
        async def live_as_process(self, *where, **options):
            asyncio.get_running_loop().call_later(15, partial(asyncio.ensure_future, self.speak()))
            await super().live_as_process(*where, **options)

        async def speak(self):
            self.served.bound = bound
            for number in range(count):
                self.served.broadcast(f"{number:06}{clock():12.6f}" + "x" * size)
                self.most = max([getattr(self, "most", 0), *(queue.qsize() for queue in self.served.queues.values())])
                await asyncio.sleep(apart)

    return Hub


def test_a_broadcast_waits_for_nobody_and_drops_who_is_slow():
    heard = {}

    async def program(uri, number, seen):
        async with connect(uri, max_queue=2, ping_interval=None, close_timeout=1) as websocket:
            if number % 10 == 3:
                await asyncio.sleep(100)
            async for text in websocket:
                heard.setdefault(number, []).append(clock() - float(text[6:18]))

    seen = ordeal(program, lambda _: listen, clients=40, until=60, kind=broadcasting(), **TIMERS)
    fast = [number for number in range(40) if number % 10 != 3]
    assert all(len(heard[number]) == 300 for number in fast)
    assert max(max(heard[number]) for number in fast) < 0.1
    dropped = [one for one in seen.lives if one.end == "server" and one.lost < 30]
    assert len(dropped) == 4


@pytest.mark.parametrize(("rate", "pings"), [(100_000, None), (10_000, None), (4_000, 20)])
def test_a_client_behind_a_slow_line_lives(rate, pings):
    """4 kB/s takes 65 s for what the kernel holds: then only a client that pings is known to live."""

    async def tells(websocket):
        await websocket.send(bytes(800_000))
        await websocket.wait_closed()

    async def program(uri, number, seen):
        async with connect(uri, ping_interval=pings, ping_timeout=None) as websocket:
            got.append(len(await websocket.recv()))
            await asyncio.sleep(100)
            await websocket.ping()

    got = []
    seen = ordeal(program, lambda _: tells, [Throttle(0, rate=rate)], until=400, kind=Whole)
    assert got == [800_000] and len(seen.openings) == 1 and min(one.lost for one in seen.lives) > 100 + 800_000 / rate


@pytest.mark.parametrize("end", ["listen", "flood", "elsewhere", "stubborn"])
def test_a_shutdown_is_orderly_and_takes_its_time_at_most(end):
    async def elsewhere(websocket):
        await asyncio.Event().wait()

    async def stubborn(websocket):
        while clock() < 50:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60 - clock())

    async def deaf_client(uri, number, seen):
        async with connect(uri, max_queue=1, ping_interval=None, close_timeout=1):
            await asyncio.sleep(100)

    handler = {"listen": listen, "flood": flood, "elsewhere": elsewhere, "stubborn": stubborn}[end]
    seen = ordeal(deaf_client, lambda _: handler, [Restart(10), Cut(9.9, direction="to_server")], clients=6, until=60, kind=Whole, **TIMERS)
    assert [took <= 2.2 * PATIENCE + 0.01 for took in seen.shutdowns] == [True]
    assert all(one.lost <= 10 + 1.2 * PATIENCE for one in seen.lives if one.end == "server")


def test_a_shutdown_says_1001_to_everybody():
    async def program(uri, number, seen):
        async with connect(uri) as websocket:
            await websocket.wait_closed()
            codes.append(websocket.close_code)
            await asyncio.sleep(30)

    codes = []
    seen = ordeal(program, lambda _: listen, [Restart(10)], clients=20, until=60, kind=Whole, **TIMERS)
    assert codes == [1001] * 20 and seen.shutdowns[0] < 1


def test_a_mistake_in_a_handler_is_1011():
    async def mistaken(websocket):
        raise KeyError("mine")

    seen = ordeal(kept(stop=5, final=(1011,)), lambda _: mistaken, until=20, kind=Whole, **TIMERS)
    assert seen.problem.rcvd.code == 1011


# the log, and where


async def on_loopback(program, talk=listen, **settings):
    """Run ``program(uri, server)`` beside a server on 127.0.0.1."""
    listening, stop, own = asyncio.get_running_loop().create_future(), asyncio.Event(), server.Server(talk)

    async def serving(*args, **options):
        made = await serve(*args, **options)
        listening.set_result(made.sockets[0].getsockname()[1])
        return made

    with mock.patch.object(server, "serve", serving):
        running = asyncio.create_task(own.run(stop, "127.0.0.1", 0, **settings))
        try:
            await program(f"ws://127.0.0.1:{await listening}", own)
        finally:
            stop.set()
            await running


@pytest.fixture
def websockets_log():
    """The logger of websockets, as it was before."""
    logger = logging.getLogger("websockets")
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_the_log_names_each_connection_and_leaves_other_handlers_alone(websockets_log, capsys):
    others = io.StringIO()
    other = logging.StreamHandler(others)
    other.setFormatter(logging.Formatter("%(name)s %(message)s"))
    websockets_log.addHandler(other)
    server.log_connections()

    async def two(uri, own):
        async with connect(uri) as one, connect(uri) as another:
            await one.send("a")
            await another.send("b")
            ids.extend(str(each.id) for each in [one, another, *own.queues])
        logging.getLogger("websockets.server").info("of no connection")

    ids = []
    asyncio.run(on_loopback(two))
    lines = capsys.readouterr().err.splitlines()
    named = {line.split()[2] for line in lines if "[4 bytes]" not in line}
    assert set(ids) | {"-"} == named and len(ids) == 4
    assert all(re.match(r"[-\d]+ [:,\d]+ \S+ websockets\.\w+ [A-Z]+ ", line) for line in lines if line.startswith("20"))
    assert len(others.getvalue().splitlines()) == len(lines) and "Logging error" not in "".join(lines)


def test_a_signal_says_where_every_task_is_blocked(capsys):
    async def stuck(websocket):
        await flood(websocket)

    async def look(uri, own):
        async with connect(uri, max_queue=1, ping_interval=None, close_timeout=0.1):
            while not own.queues or not any(one.transport.get_write_buffer_size() for one in own.queues):
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.sleep(0.05)

    asyncio.run(on_loopback(look, stuck, close_timeout=0.2, compression=None))
    out = capsys.readouterr().out
    assert re.search(r"> stuck > flood > send > .*> drain", out) and re.search(r"OPEN \d+ bytes wait", out)


# each feature can be removed, each fix is shown as it stands


def features(file):
    return sorted(
        set(re.findall(r"  # (\w+)$", Path(file.__file__).read_text(), re.MULTILINE))
        & set(re.findall(r"^    (\w+) ", patterns.__doc__, re.MULTILINE))
    )


def without(file, names):
    """The file's text less the lines that end in these names, each with what is indented below it."""
    kept, depth = [], None
    for line in Path(file.__file__).read_text().splitlines():
        indent = len(line) - len(line.lstrip())
        if depth is not None and (not line.strip() or indent > depth):
            continue
        depth = indent if any(line.endswith(f"  # {name}") for name in names) else None
        if depth is None:
            kept.append(line)
    return "\n".join(kept)


def as_module(text, name):
    module = ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return module


LESS = [(file, [name]) for file in (client, server) for name in features(file)]
LESS += [(file, features(file)) for file in (client, server)]


@pytest.mark.parametrize(("file", "names"), LESS, ids=lambda value: "-".join(value) if isinstance(value, list) else value.__name__)
def test_a_feature_can_be_removed(file, names):
    text = without(file, names)
    assert len(text.splitlines()) < len(Path(file.__file__).read_text().splitlines())
    mine = as_module(text, "mine")
    keep = mine.keep_connected if file is client else keep_connected
    serving = mine if file is server else server

    async def talk(websocket):
        for number in range(100):
            await websocket.send(str(number))
            got.append(await websocket.recv())
            await asyncio.sleep(1)

    async def echo(websocket):
        async for text in websocket:
            await websocket.send(text)

    async def program(uri, number, seen):
        await keep(uri, talk, spread=SPREAD)

    got = []
    with mock.patch.object(patterns, "server", serving), mock.patch.object(torture, "server", serving):
        seen = ordeal(program, lambda _: echo, [HangUp(9.5)], until=300, kind=Whole)
    assert len(seen.openings) == 2 and got[-1] == "99"


def test_the_features_are_those_of_the_docstring():
    assert len(LESS) == 6 + 5 + 2


@pytest.mark.parametrize("name", patterns.FIXES)
def test_a_fix_is_its_files_own_lines(name):
    file, shown = patterns.FIXES[name]
    text = Path(file.__file__).read_text()
    for part in patterns.fix(name).strip().split("\n\n\n"):
        assert part in text or indent(part, "    ", lambda line: line.strip()) in text
    assert len(shown) == len(patterns.fix(name).strip().split("\n\n\n"))


# copied, without labkit, on the oldest version that is promised

STANDALONE = """
import asyncio, sys, unittest.mock
import client, server, websockets
assert "labkit" not in sys.modules and websockets.__version__ == sys.argv[1], websockets.__version__

async def echo(websocket):
    async for text in websocket:
        await websocket.send(text)

async def main():
    async def serving(*args, **options):
        made = await serve(*args, **options)
        port.set_result(made.sockets[0].getsockname()[1])
        return made

    async def talk(websocket):
        await websocket.send("x" * 100_000)
        assert await websocket.recv() == "x" * 100_000
        own.broadcast("all")
        assert await websocket.recv() == "all"

    port, stop, own, serve = asyncio.get_running_loop().create_future(), asyncio.Event(), server.Server(echo), server.serve
    server.serve = serving
    running = asyncio.create_task(own.run(stop, "127.0.0.1", 0, close_timeout=2))
    await client.keep_connected(f"ws://127.0.0.1:{await port}", talk, spread=0.1, close_timeout=2)
    stop.set()
    await running

asyncio.run(main())
print("done")
"""


@pytest.mark.parametrize("version", ["14.2", shelf.installed()])
def test_the_files_can_be_copied_and_run_without_labkit(tmp_path, version):
    place = {} if version == shelf.installed() else {"PYTHONPATH": str(shelf.folder() / version)}
    if place and version not in shelf.here():
        pytest.skip(f"websockets {version} is not on the shelf")
    for file in (client, server):
        shutil.copy(file.__file__, tmp_path)
    (tmp_path / "main.py").write_text(STANDALONE)
    command = [sys.executable, "-W", "error", "main.py", version]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": "", **place}, capture_output=True, text=True, timeout=60)
    assert done.stdout == "done\n", done.stderr
    assert "Traceback" not in done.stderr
