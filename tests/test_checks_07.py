"""Notebook 07: its exercises judge by runs, its applications do what they say, and what it says of its figures is true."""

import asyncio
import time

import pytest

from checks import check, shop
from checks.false_alarms import BIG, TIMERS, in_fragments, in_one, row
from checks.shop import work
from labkit import Experiment, Freeze, Peer, Throttle, run


def said(capsys, id, *answers):
    picture = check(id, *answers)
    return capsys.readouterr().out, picture


# exercises


async def threaded(websocket):
    async for order in websocket:
        await websocket.send(await asyncio.to_thread(work, order))


async def reads_on(websocket):
    """Each order has a task, and the work a thread of the loop's executor."""

    async def answer(order):
        await websocket.send(await asyncio.get_running_loop().run_in_executor(None, work, order))

    async with asyncio.TaskGroup() as group:
        async for order in websocket:
            group.create_task(answer(order))


async def naive(websocket):
    async for order in websocket:
        await websocket.send(work(order))


async def sleeps_first(websocket):
    """Gives the loop a turn, and then blocks it all the same."""
    async for order in websocket:
        await asyncio.sleep(0)
        await websocket.send(work(order))


async def parrot(websocket):
    async for order in websocket:
        await websocket.send(order)


async def once(websocket):
    await websocket.send(await asyncio.to_thread(work, await websocket.recv()))
    await websocket.wait_closed()


async def misspelt(websocket):
    async for _ in websocket:
        await websocket.send(await asyncio.to_thread(work))


async def deleted(websocket):
    async for _ in websocket:
        pass


async def blank(websocket):
    async for _ in websocket:
        ...  # send what work(order) finds


@pytest.mark.parametrize("handler", [threaded, reads_on])
def test_a_repaired_shop_answers_two_orders_that_nobody_has_seen(handler, capsys):
    assert "✓ two new orders: both are answered" in said(capsys, "07 the repaired shop", handler)[0]


@pytest.mark.parametrize(
    ("handler", "belief"),
    [
        (naive, "the work has to leave the thread of the loop"),
        (sleeps_first, "the work has to leave the thread of the loop"),
        (parrot, "is not what work() finds"),
        (once, "1 of 2 orders were answered"),
        (misspelt, "your handler raised TypeError"),
        (deleted, "0 of 2 orders were answered"),
        (blank, "your turn"),
    ],
)
def test_each_wrong_shop_hears_its_belief(handler, belief, capsys):
    out, picture = said(capsys, "07 the repaired shop", handler)
    assert belief in out and "✓" not in out and (picture is None) == (handler is blank)


def test_a_machine_that_was_too_busy_once_is_not_the_learners_fault(monkeypatch, capsys):
    real, runs = shop.Day.run, []

    async def stalls(websocket):
        await websocket.recv()
        time.sleep(1.5)

    def stalled(day, handler, until):
        runs.append(real(day, handler if runs else stalls, until).gave_up)

    monkeypatch.setattr(shop.Day, "run", stalled)
    assert "✓" in said(capsys, "07 the repaired shop", threaded)[0] and runs[0] is not None


@pytest.mark.parametrize(
    ("always", "lucky", "words"),
    [
        (3, 7, ["✓ always", "✓ lucky"]),
        (4, 7, ["always: 3.95 s from 11.2 s on kill"]),
        (2, 7, ["always: 2.05 s are survived"]),
        (3, 4, ["✓ always", "if they begin at 8.001 s"]),
        (3, 9, ["✓ always", "survived nowhere"]),
        (3, 1e9, ["expected a number of seconds"]),
    ],
)
def test_blocks_are_tried_at_every_phase(always, lucky, words, capsys):
    out, _ = said(capsys, "07 how long is too long", always, lucky)
    assert all(word in out for word in words) and ("not yet" in out) == (len(words) < 2 or "✓" not in words[1])


@pytest.mark.parametrize(
    ("latest", "words"), [(15, "✓"), (13, "it may run as late as 13.05 s"), (20, "it finds the pong, and a timer that is over")]
)
def test_a_server_has_to_wake_up_before_its_own_timer_ends(latest, words, capsys):
    assert words in said(capsys, "07 a server that wakes up", latest)[0]


# what stands below the figures


def test_one_frame_and_twenty():
    for app, pieces in ((in_one, 1), (in_fragments, 21)):  # and an empty last one
        trace = run(Experiment(server=Peer(ping_interval=None), until=10), "virtual", server=app)
        frames = [frame for frame in trace.frames("server") if frame.opcode in ("BINARY", "CONT")]
        assert len(frames) == pieces and sum(frame.size for frame in frames) == BIG


def test_the_four_lines_of_section_4(capsys):
    slow = Throttle(at=1, rate=10_000, direction="to_client")
    for some in ({}, dict(buffer=4096, write_limit=4096)):
        experiment = Experiment(server=Peer(**TIMERS, **some), client=Peer(buffer=some.get("buffer")), faults=[slow], until=24)
        for app in (in_one, in_fragments):
            row(app.__name__, run(experiment, "virtual", server=app))
    lines = capsys.readouterr().out.splitlines()
    assert ["killed at 11 s" in line for line in lines] == [True, True, False, False]
    assert [line.split("slowest pong")[1].strip() for line in lines] == ["7.0 s", "7.0 s", "0.4 s", "0.4 s"]
    assert [line.split("waited")[1].split()[0] for line in lines] == ["0.0", "0.0", "6.5", "0.0"]


def test_the_numbers_of_sections_1_to_3():
    busy = run(Experiment(server=Peer(**TIMERS), faults=[Freeze(at=9, end="client", thaw=20)]), "virtual")
    assert (busy.noticed_at("server"), busy.closed_at("server"), busy.told_at("client")) == (15, 17, 20)
    assert [(one.sent, one.received) for one in busy.raised()] == [(1011, None), (1011, 1011)]
    talk = Peer(ping_interval=None, send_every=0.45, send_size=100)
    unread = run(Experiment(server=talk, client=Peer(**TIMERS, reads=False), until=40), "virtual")
    assert unread.noticed_at("client") == 11 and unread.raised("server")[0].received == 1011
    other = run(Experiment(server=Peer(**TIMERS, send_every=0.45, send_size=100), client=Peer(reads=False), until=40), "virtual")
    assert other.noticed_at("server") == 11  # "And if the server pings?"
