"""Notebook 09: its exercises with their beliefs, and the claims that stand below its figures and counts."""

import asyncio
import random
from functools import partial
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from labkit import Cut, Experiment, Goodbye, Peer, Reset, run
from labkit.exercises import surviving as lab
from labkit.exercises.surviving import QUICK, Sensor, check_numbers, check_spread, count, tally, through_trouble, trouble
from labkit.many.crowds import Restart, crowd
from labkit.patterns import jittered

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "09_surviving.ipynb"
PINGS = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)


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


def test_the_tally_counts_what_is_lost_and_what_is_doubled(capsys):
    sensor = Sensor()
    sensor.given = 5
    tally(sensor, ["reading 1", "reading 3", "reading 2", "reading 3", "reading 3"])
    assert capsys.readouterr().out == "5 readings were given, 5 messages arrived: 2 lost, 2 doubled, not in order\n"


# exercise 1


def after(numbers, acknowledged):
    return [number for number in numbers if number > acknowledged]


def next_one(number, last):
    return number == last + 1


@pytest.mark.parametrize("is_new", [next_one, lambda number, last: number > last])
def test_exercise_1_is_passed_by_numbers(is_new, capsys):
    check_numbers(after, is_new, real=False)
    assert capsys.readouterr().out.count("✓") == 3


def test_exercise_1_is_passed_on_the_real_wire_too(capsys):
    check_numbers(after, next_one)
    assert "the real wire, two cuts: ✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("to_keep", "is_new", "verdict", "belief"),
    [
        (lambda numbers, last: [], lambda number, last: True, " lost, 0 doubled", "who says that it arrived"),
        (lambda numbers, last: [n for n in numbers if n > last + 1], next_one, "lost", "who says that it arrived"),
        (lambda numbers, last: [n for n in numbers if n > last][:1], next_one, "lost", "newest message"),
        (after, lambda number, last: True, "not yet: 0 lost", "took it a second time"),
        (after, lambda number, last: number >= last, "not yet: 0 lost", "took it a second time"),
        (lambda numbers, last: numbers, lambda number, last: True, "not yet: 0 lost", "took it a second time"),
        (after, lambda number, last: number > last + 1, "lost", "the receiver did not take it"),
    ],
)
def test_exercise_1_answers_by_belief(to_keep, is_new, verdict, belief, capsys):
    check_numbers(to_keep, is_new)
    out = capsys.readouterr().out
    assert verdict in out and belief in out and out.count("not yet") == 3 and "real wire" not in out


@pytest.mark.parametrize(
    ("to_keep", "is_new", "words"),
    [
        (..., ..., "your turn"),
        (after, None, "your turn"),
        (lambda *_: ..., next_one, "your turn"),
        (after, lambda *_: ..., "your turn"),
        (3, next_one, "two functions"),
        (lambda *_: 7, next_one, "a list of some"),
        (lambda *_: [9], next_one, "a list of some"),
        (after, lambda *_: 1, "True or False"),
        (lambda: [], next_one, "raised TypeError"),
    ],
)
def test_exercise_1_without_a_usable_answer_never_raises(to_keep, is_new, words, capsys):
    check_numbers(to_keep, is_new)
    assert words in capsys.readouterr().out


# exercise 2


def polite(spread):
    async def client(uri, number):
        async for websocket in connect(uri, reconnect_delays=partial(jittered, max(spread, 0.1))):
            await websocket.wait_closed()
            await asyncio.sleep(random.uniform(0, spread))

    return client


@pytest.mark.parametrize(
    ("spread", "passed", "words"),
    [
        (14, 4, "all back after"),
        (5, 0, "40 a second, and that is only the mean"),
        (8, 0, "Chance is not even"),
        (20, 0, "twice the spread"),
    ],
)
def test_exercise_2_answers_by_belief(spread, passed, words, capsys):
    ax = check_spread(spread, polite(spread))
    out = capsys.readouterr().out
    assert out.count("✓") == passed and words in out and "a second" in ax.alt


def test_exercise_2_knows_the_herd(capsys):
    check_spread(0, polite(0))
    assert "all dial in the same instant" in capsys.readouterr().out


@pytest.mark.parametrize("empty", [..., None, "soon", True, -3, float("nan"), float("inf")])
def test_exercise_2_without_a_usable_answer_never_raises(empty, capsys):
    assert check_spread(empty, polite(5)) is None and check_spread(5) is None
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "expected" in out) and "give the client" in out


# what the notebook claims


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

    async def listen(websocket):
        try:
            async for _ in websocket:
                pass
            seen.append("ends")
        except ConnectionClosed:
            seen.append("raises")

    pair = Experiment(Peer(ping_interval=None), PINGS, [act])
    run(pair, "virtual", client=listen)
    assert seen == [said] and run(pair, "virtual").told_at("client") is not None
    assert "A plain `recv()` raises in every one of the five cases" in words


def test_a_careful_program_sends_six_readings_into_the_cut(words):
    async def careful(websocket):
        await asyncio.sleep(0.5)
        while websocket.state is State.OPEN:
            await websocket.send("a reading")
            await asyncio.sleep(1)

    trace = run(Experiment(PINGS, faults=[Cut(at=9)]), "virtual", server=careful)
    stuck = [f.sent_at for f in trace.frames("server") if f.opcode == "TEXT" and f.arrived_at is None]
    assert stuck == [9.5, 10.5, 11.5, 12.5, 13.5, 14.5] and "sent six readings that nobody got" in words


def test_a_send_that_timed_out_arrives_and_a_recv_that_timed_out_has_taken_nothing(words):
    got, times = [], []

    async def insist(websocket):
        for number in range(1, 21):
            while True:
                try:
                    async with asyncio.timeout(3):
                        await websocket.send(f"{number:1000}")
                    break
                except TimeoutError:
                    times.append(number)
            await asyncio.sleep(1)

    async def note(websocket):
        while True:
            try:
                async with asyncio.timeout(0.3):
                    got.append(int(await websocket.recv()))
            except TimeoutError:
                pass

    small = dict(ping_interval=None, buffer=4096, write_limit=4096)
    run(Experiment(Peer(**small), Peer(buffer=4096), [Cut(at=5, heal=30)], until=60), "virtual", server=insist, client=note)
    assert times == [14] * 6 and got.count(14) == 7 and [got.count(n) for n in range(1, 21) if n != 14] == [1] * 19
    assert "a `recv()` that was cancelled has taken nothing" in words


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
    assert results["forgetful"][0] > 20 and results["forgetful"][1] == 0
    assert results["stubborn"][1] > 20


def test_what_stands_below_the_histogram_is_true(words):
    async def loyal(uri, number):
        async for websocket in connect(uri):
            await websocket.wait_closed()

    library, spread = (crowd(client, clients=200, acts=[Restart(at=20, back=30)], until=65) for client in (loyal, polite(15)))
    assert sum(a.t == 20 for a in library.attempts) == 200 and library.peak() == (233, 20)
    refused = [number for second, number in library.per_second(21).items() if second < 30]
    assert (min(refused), max(refused)) == (30, 87) and "30 to 90 in each second" in words
    assert spread.peak()[0] <= lab.BOUND
    assert spread.all_back(20) - 30 == pytest.approx(29, abs=0.5) and "some 29 s after the server" in words
