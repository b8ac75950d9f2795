"""Notebook 09: what a client that comes back must live through, what an outbox keeps, and what the notebook says."""

import asyncio
import random
import time
from functools import partial
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.protocol import State

from checks import check, guess, settle
from checks.surviving import QUICK, TROUBLES, WRONG, Sensor, count, through_trouble, trouble
from labkit import Cut, Experiment, Goodbye, Peer, Reset, Suspend, run
from labkit.many.crowds import Restart, crowd
from labkit.patterns import jittered, keep_connected

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "09_surviving.ipynb"
PINGS = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
LOST = (OSError, ConnectionClosed, InvalidHandshake)


async def listen(websocket):
    async for _ in websocket:
        pass


def again(caught=LOST, pause=lambda: random.uniform(0, 15), **settings):
    """A client that dials again, with everything that can be wrong in it."""

    async def client(uri, number):
        while True:
            try:
                async with connect(uri, **settings) as websocket:
                    await listen(websocket)
            except caught:
                pass
            await asyncio.sleep(pause())

    return client


async def once(uri, number):
    async with connect(uri) as websocket:
        await listen(websocket)


async def hangs_up(uri, number):
    while True:
        async with connect(uri):
            pass
        await asyncio.sleep(random.uniform(0, 15))


async def until_the_loop_ends(uri, number):
    async for websocket in connect(uri):
        try:
            await listen(websocket)
            return
        except ConnectionClosed:
            await asyncio.sleep(random.uniform(0, 15))


async def with_the_iterator(uri, number):
    async for websocket in connect(uri, reconnect_delays=partial(jittered, 15)):
        try:
            await listen(websocket)
        except ConnectionClosed:
            pass
        await asyncio.sleep(random.uniform(0, 15))


async def the_iterator_alone(uri, number):
    async for websocket in connect(uri):
        try:
            await listen(websocket)
        except ConnectionClosed:
            pass


async def kept(uri, number):
    await keep_connected(uri, listen, spread=12)


async def unfinished(uri, number): ...


@pytest.mark.parametrize("client", [again(), with_the_iterator, kept], ids=["a loop", "the iterator", "keep_connected"])
def test_clients_of_three_kinds_come_back(client, capsys):
    assert check("09 a client that comes back", client) is None
    assert capsys.readouterr().out.count("✓") == len(TROUBLES) + 1


@pytest.mark.parametrize(
    ("client", "belief"),
    [
        (unfinished, "your turn"),
        (once, "At 1001 the loop in listen() just ends"),
        (until_the_loop_ends, "At 1001 the loop in listen() just ends"),
        (again(pause=lambda: time.sleep(1)), "There is asyncio.sleep()"),
        (again(pause=lambda: 0), "thousands of times in one instant"),
        (again(pause=lambda: 0.1), "within one second"),
        (again((OSError, InvalidHandshake)), "lost raises ConnectionClosed"),
        (again((ConnectionClosed, InvalidHandshake), lambda: 3), "itself raised an OSError"),
        (again((ConnectionClosed, OSError)), "InvalidHandshake: neither"),
        (hangs_up, "Does it await listen(websocket)?"),
        (again(ping_interval=None), "Nobody tells of a cut"),
        (again(pause=lambda: 3), "200 dialled in one second. All lost it in one instant"),
        (the_iterator_alone, "All lost it in one instant"),
        (again(pause=lambda: random.uniform(0, 8)), "That is chance"),
        (again(pause=lambda: random.uniform(40, 65)), "they wait for too long"),
        (again(pause=lambda: random.uniform(250, 260)), "grow too long"),
    ],
)
def test_a_client_that_does_not_is_told_its_belief(client, belief, capsys):
    figure = check("09 a client that comes back", client)
    out = capsys.readouterr().out
    assert belief in out and out.count("✓") <= len(TROUBLES)
    assert (figure is not None) == ("200 of them" in out)


# what to keep, and what to take


def after(numbers, acknowledged):
    return [number for number in numbers if number > acknowledged]


def next_one(number, last):
    return number == last + 1


@pytest.mark.parametrize(
    ("to_keep", "is_new"),
    [(after, next_one), (lambda numbers, last: numbers[sum(n <= last for n in numbers) :], lambda number, last: number > last)],
)
def test_numbers_lose_nothing_and_double_nothing(to_keep, is_new, capsys):
    check("09 keep and take", to_keep, is_new)
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("to_keep", "is_new", "belief"),
    [
        (lambda numbers, last: numbers, next_one, "keeps everything grows for ever"),
        (lambda numbers, last: [], lambda number, last: True, "did it arrive?"),
        (lambda numbers, last: [n for n in numbers if n > last + 1], next_one, "did it arrive?"),
        (lambda numbers, last: [n for n in numbers if n > last][:1], next_one, "did it arrive?"),
        (lambda numbers, last: numbers[last:], next_one, "did it arrive?"),
        (after, lambda number, last: True, "taken twice"),
        (after, lambda number, last: number >= last, "taken twice"),
        (after, lambda number, last: number > last + 1, "was not taken"),
        (lambda *_: 7, next_one, "TypeError"),
        (lambda *_: ..., next_one, "your turn"),
        (after, ..., "your turn"),
    ],
)
def test_a_wrong_decision_is_told_its_belief(to_keep, is_new, belief, capsys):
    check("09 keep and take", to_keep, is_new)
    out = capsys.readouterr().out
    assert belief in out and "✓" not in out


# the trouble


@pytest.mark.parametrize("seed", range(1, 9))
def test_trouble_is_three_cuts_and_a_killed_server_while_the_sensor_speaks(seed):
    acts = trouble(seed)
    assert acts == trouble(seed) != trouble(seed + 1)
    assert sorted(type(act).__name__ for act in acts) == ["Cut", "Cut", "Cut", "Restart"]
    assert all(one.over < two.start for one, two in zip(acts, acts[1:])) and acts[-1].start < 20


def test_a_sensor_loses_no_reading_when_whoever_waits_for_it_is_cancelled():
    async def main():
        sensor, got = Sensor(3, 0.02), []
        for _ in range(40):
            try:
                async with asyncio.timeout(0.005):
                    got.append(await anext(sensor))
            except TimeoutError:
                pass
        return got

    assert asyncio.run(main()) == ["reading 1", "reading 2", "reading 3"]


# what the notebook asks and says


@pytest.mark.parametrize(
    ("id", "said", "seen", "belief"),
    [
        ("09 the loop at a restart", "raises", "the loop ended", "polite goodbyes"),
        ("09 a textbook client", "both", (30, 0), "sends nothing twice"),
        ("09 a textbook client", "neither", (30, 0), "send() returned"),
    ],
)
def test_a_wrong_vote_is_answered(id, said, seen, belief, capsys):
    settle(guess(id, said), seen)
    assert belief in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "belief"), [(200, "refused, and dialled again"), (20, "of all comes at once"), (400, "waits a little"), (230, "– right\n")]
)
def test_a_wrong_peak_is_answered(value, belief, capsys):
    settle(guess("09 the peak of the iterator", value), crowd(loyal, clients=200, acts=[Restart(at=20, back=30)], until=40))
    assert belief in capsys.readouterr().out


async def loyal(uri, number):
    async for websocket in connect(uri):
        await websocket.wait_closed()


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (Goodbye(at=5, end="server"), "ends"),
        (Goodbye(at=5, end="server", code=1001), "ends"),
        (Goodbye(at=5, end="server", code=1011), "raises"),
        (Reset(at=5), "raises"),
        (Cut(at=9), "raises"),
    ],
)
def test_a_loop_over_messages_ends_at_a_polite_goodbye_only_and_recv_raises_always(act, said, words):
    seen = []

    async def reads(websocket):
        try:
            await listen(websocket)
            seen.append("ends")
        except ConnectionClosed:
            seen.append("raises")

    pair = Experiment(Peer(ping_interval=None), PINGS, [act])
    run(pair, "virtual", client=reads)
    assert seen == [said] and run(pair, "virtual").told_at("client") is not None
    assert "A plain `recv()` raises in all five cases" in words


def test_a_careful_program_sends_six_readings_into_the_cut(words):
    async def careful(websocket):
        await asyncio.sleep(0.5)
        while websocket.state is State.OPEN:
            await websocket.send("a reading")
            await asyncio.sleep(1)

    trace = run(Experiment(PINGS, faults=[Cut(at=9)]), "virtual", server=careful)
    stuck = [f.sent_at for f in trace.frames("server") if f.opcode == "TEXT" and f.arrived_at is None]
    assert stuck == [9.5, 10.5, 11.5, 12.5, 13.5, 14.5] and "sent six readings that nobody got" in words


@pytest.mark.parametrize(("laptop", "told"), [(PINGS, 72), (Peer(ping_interval=None), None)])
def test_a_laptop_that_slept_is_told_only_if_it_asks(laptop, told, words):
    trace = run(Experiment(PINGS, laptop, [Suspend(9, end="client", wake=69)], until=200), "virtual")
    assert (trace.told_at("server"), trace.told_at("client")) == (17, told)
    assert "The server gave up at 17 s. A laptop that pings is told 3 s after it wakes up" in words


def test_a_textbook_client_loses_and_a_stubborn_one_doubles():
    results = {}
    for name in ("forgetful", "stubborn"):
        sensor, arrived, recent = Sensor(), [], []

        async def client(uri, number, sensor=sensor, recent=recent, again=name == "stubborn"):
            async for websocket in connect(uri, **QUICK):
                try:
                    for reading in recent if again else ():
                        await websocket.send(reading)
                    async for reading in sensor:
                        recent[:] = [*recent, reading][-30:]
                        await websocket.send(reading)
                except ConnectionClosed:
                    pass

        async def keep(websocket, arrived=arrived):
            async for reading in websocket:
                arrived.append(reading)

        assert through_trouble(client, keep).problems == ()
        results[name] = count(sensor, arrived)
    assert results["forgetful"][0] > 20 and results["forgetful"][1] == 0 and WRONG[1, 0] == "lost"
    assert results["stubborn"][1] > 20


def test_what_stands_below_the_histogram_is_true(words):
    library = crowd(loyal, clients=200, acts=[Restart(at=20, back=30)], until=65)
    assert sum(a.t == 20 for a in library.attempts) == 200 and library.peak() == (233, 20)
    refused = [number for second, number in library.per_second(21).items() if second < 30]
    assert (min(refused), max(refused)) == (30, 87) and "30 to 90 in each second" in words
