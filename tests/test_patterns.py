"""The patterns of labkit.patterns: each promise by experiment, and nothing that a product could not paste."""

import ast
import asyncio
import contextlib
import json
import random
import sys
from inspect import getsource
from itertools import islice
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from checks.surviving import QUICK, Sensor, count, through_trouble
from labkit import Cut, Experiment, Freeze, Peer, patterns, run
from labkit.many.crowds import Restart, crowd
from labkit.patterns import Outbox, deliver, first_to_end, heartbeat, jittered, receiver

MUTE = Peer(ping_interval=None)


FILES = [patterns.client, patterns.server, patterns.delivery]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.__name__.split(".")[-1])
def test_a_file_can_be_copied(file):
    tree = ast.parse(Path(file.__file__).read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {"." * node.level + node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in modules if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign <= ({"websockets"} if file is not patterns.delivery else {"websockets.exceptions", ".client"})


@pytest.mark.parametrize("file", [patterns.client, patterns.server])
def test_what_is_to_be_copied_is_short(file):
    assert len(Path(file.__file__).read_text().splitlines()) <= 120


def test_both_files_have_the_same_watchdog():
    for name in ("watch", "data_received", "close"):
        assert getsource(getattr(patterns.client.Connection, name)) == getsource(getattr(patterns.server.Connection, name))


# first_to_end


def test_when_one_ends_the_others_are_cancelled_and_have_cleaned_up():
    ended = []

    async def patient():
        try:
            await asyncio.sleep(99)
        finally:
            await asyncio.sleep(0)
            ended.append("patient")

    async def quick():
        await asyncio.sleep(0)
        ended.append("quick")

    asyncio.run(first_to_end(patient(), quick()))
    assert ended == ["quick", "patient"]


def test_what_one_raises_is_raised():
    async def broken():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(first_to_end(asyncio.sleep(99), broken()))


def test_of_two_that_end_in_one_instant_the_first_in_order_counts():
    async def fails(problem):
        raise problem

    for _ in range(20):
        with pytest.raises(KeyError):
            asyncio.run(first_to_end(asyncio.sleep(99), fails(KeyError()), fails(ValueError())))


def test_a_cancelled_first_to_end_leaves_no_task_behind():
    async def main():
        task = asyncio.create_task(first_to_end(asyncio.sleep(99), asyncio.sleep(98)))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() and asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_program_that_waits_for_something_else_is_told_if_a_task_beside_it_awaits_the_connection():
    async def together(websocket):
        await first_to_end(asyncio.Queue().get(), websocket.recv())

    async def alone(websocket):
        await asyncio.Queue().get()

    fly = Experiment(Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(9)])
    assert run(fly, "virtual", server=together).told_at("server") == 17
    assert run(fly, "virtual", server=alone).told_at("server") is None


# heartbeat


async def asking(websocket):
    async def read():
        async for _ in websocket:
            heard.set()

    heard = asyncio.Event()
    await first_to_end(read(), heartbeat(websocket, heard, every=4, patience=3))


async def answers(websocket):
    async for _ in websocket:
        await websocket.send("yes")


async def hangs(websocket):
    for _ in range(3):
        await websocket.recv()
        await websocket.send("yes")
    await asyncio.Event().wait()


@pytest.mark.parametrize(("server", "faults"), [(answers, [Cut(9)]), (answers, [Freeze(9)]), (hangs, [])], ids=["cut", "blocked", "hangs"])
def test_a_heartbeat_notices_a_cut_a_blocked_loop_and_a_handler_that_hangs(server, faults):
    trace = run(Experiment(MUTE, MUTE, faults, until=60), "virtual", server=server, client=asking)
    assert [(one.t, one.type) for one in trace.raised("client")] == [(15, "TimeoutError")]  # asked at 0, 4, 8 and 12


def test_pings_never_notice_a_handler_that_hangs():
    pings = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
    trace = run(Experiment(MUTE, pings, until=600), "virtual", server=hangs)
    assert trace.noticed_at("client") is None and trace.end == 600


def test_a_heartbeat_leaves_the_healthy_alone():
    trace = run(Experiment(MUTE, MUTE, until=600, latency=1), "virtual", server=answers, client=asking)
    assert trace.raised() == [] and trace.noticed_at("client") is None


# the outbox


def test_an_outbox_keeps_what_is_not_acknowledged_in_order():
    outbox = Outbox("me")
    for text in "abcd":
        outbox.put(text)
    outbox.acknowledged(2)
    assert outbox.kept == {3: "c", 4: "d"}
    outbox.acknowledged(2)  # an answer to a question
    outbox.acknowledged(4)
    assert outbox.kept == {} and outbox.last == 4


@pytest.mark.parametrize("number", [1, 5])
def test_an_acknowledgement_that_cannot_be_is_no_loss_in_silence(number):
    outbox = Outbox("me")
    for text in "abcd":
        outbox.put(text)
    outbox.acknowledged(2)
    with pytest.raises(ValueError, match=f"from 2 to 4 .*seen {number}"):
        outbox.acknowledged(number)
    assert outbox.kept == {3: "c", 4: "d"}


def test_an_outbox_is_bounded():
    outbox = Outbox("me", most=2)
    outbox.put("a")
    outbox.put("b")
    with pytest.raises(asyncio.QueueFull):
        outbox.put("c")
    outbox.acknowledged(1)
    outbox.put("c")
    assert outbox.kept == {2: "b", 3: "c"}


class Line:
    """A websocket that is only written to, or only read from."""

    def __init__(self, *messages):
        self.sent, self.messages = [], iter(messages)

    async def send(self, text):
        await asyncio.sleep(0)
        self.sent.append(text)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return next(self.messages)
        except StopIteration:
            raise StopAsyncIteration from None


def test_what_is_put_in_while_a_send_waits_is_sent_too():
    async def main():
        outbox, line = Outbox("me"), Line()
        outbox.put("a")
        task = asyncio.create_task(patterns.send_kept(line, outbox))
        await asyncio.sleep(0)  # it is in send()
        outbox.put("b")
        await asyncio.sleep(0.01)
        outbox.put("c")
        await asyncio.sleep(0.01)
        task.cancel()
        return [json.loads(text)[1:] for text in line.sent]

    assert asyncio.run(main()) == [[1, "a"], [2, "b"], [3, "c"]]


def test_a_receiver_takes_each_number_once_and_in_order_and_a_question_not_at_all():
    taken, last = [], {}
    handler = receiver(lambda name, text: taken.append((name, text)), last)
    rows = [("x", 0, ""), ("x", 1, "a"), ("x", 1, "a"), ("x", 3, "c"), ("y", 1, "A"), ("x", 2, "b"), ("x", 1, "a"), ("x", 3, "c")]
    line = Line(*[json.dumps(row) for row in rows])
    asyncio.run(handler(line))
    assert taken == [("x", "a"), ("y", "A"), ("x", "b"), ("x", "c")] and last == {"x": 3, "y": 1}
    assert line.sent == ["0", "1", "1", "1", "1", "2", "2", "3"]


# deliver


def sender(sensor, **settings):
    async def client(uri, number):
        async def feed():
            async for reading in sensor:
                outbox.put(reading)

        outbox = Outbox(f"sensor {number}")
        await first_to_end(feed(), deliver(uri, outbox, spread=1, every=1, patience=1, **settings))

    return client


@pytest.mark.parametrize("seed", range(1, 21))
def test_nothing_is_lost_and_nothing_doubled_whatever_is_cut(seed):
    sensor, arrived = Sensor(), []
    seen = through_trouble(sender(sensor, **QUICK), receiver(lambda _, text: arrived.append(text), {}), seed)
    assert len(seen.openings) > 3 and seen.problems == ()
    assert arrived == [f"reading {number}" for number in range(1, 201)]


def test_a_name_that_was_used_before_is_refused_and_loses_nothing_in_silence():
    async def anew(uri, number):
        outbox = Outbox("sensor")
        outbox.put("never taken")
        await deliver(uri, outbox)

    seen = crowd(anew, receiver(lambda *_: None, {"sensor": 7}), until=60)
    assert [str(one.error).split(",")[0] for one in seen.problems] == ["expected a number from 0 to 1 to be acknowledged to 'sensor'"]


def test_deliver_says_goodbye_when_it_is_cancelled():
    async def stops(uri, number):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await deliver(uri, Outbox("me"))

    async def handler(websocket):
        await receiver(lambda *_: None, {})(websocket)
        codes.append(websocket.close_code)

    codes = []
    crowd(stops, handler, until=30)
    assert codes == [1000]


def test_a_goodbye_that_waits_behind_what_is_stuck_is_given_up():
    async def stuck(websocket):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while True:
                    await websocket.send(bytes(1000))
                    await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await patterns.goodbye(websocket, 3)
        took.append(asyncio.get_running_loop().time() - began)

    took = []
    small = Peer(ping_interval=None, buffer=4096, write_limit=4096)
    run(Experiment(small, small, [Cut(1)], until=60), "virtual", client=stuck)
    assert took == [pytest.approx(3)]


def test_a_server_that_forgets_the_last_numbers_would_take_nothing_more():
    sensor, arrived = Sensor(), []
    take = lambda _, text: arrived.append(text)  # noqa: E731

    async def forgets(websocket):
        await receiver(take, {})(websocket)

    seen = through_trouble(sender(sensor, **QUICK), forgets, 1)
    assert count(sensor, arrived)[0] > 0 and "seen 0" in str(seen.problems[0].error)  # and the sender is told


def test_on_the_real_wire_nothing_is_lost_and_nothing_doubled_over_two_cuts():
    sensor, arrived = Sensor(60, 0.05), []
    settings = dict(ping_interval=0.3, ping_timeout=0.3, close_timeout=0.2)
    cuts = [Cut(at=0.8, heal=1.9), Cut(at=2.5, heal=3.4)]

    async def until_done(uri, number):
        async def done():
            while len(arrived) < 60:
                await asyncio.sleep(0.05)

        outbox = Outbox("sensor")

        async def feed():
            async for reading in sensor:
                outbox.put(reading)

        await first_to_end(feed(), done(), deliver(uri, outbox, spread=0.2, every=0.5, patience=2, **settings))

    handler = receiver(lambda _, text: arrived.append(text), {})
    seen = crowd(until_done, handler, acts=cuts, until=20, wire="loopback", **settings)
    assert arrived == [f"reading {number}" for number in range(1, 61)] and len(seen.openings) > 1


def test_who_is_slower_than_our_patience_is_given_more_of_it():
    async def slow(websocket):
        async for message in websocket:
            name, number, text = json.loads(message)
            await asyncio.sleep(6)
            if number == last.get(name, 0) + 1:
                arrived.append(text)
                last[name] = number
            await websocket.send(str(last.get(name, 0)))

    async def client(uri, number):
        outbox = Outbox("me")
        for text in "abcde":
            outbox.put(text)
        await deliver(uri, outbox, spread=1, every=5, patience=2)

    arrived, last = [], {}
    seen = crowd(client, slow, until=300)
    assert arrived == [*"abcde"] and len(seen.attempts) < 8


def test_a_client_that_delivers_spreads_its_first_attempt():
    async def client(uri, number):
        await deliver(uri, Outbox(str(number)), spread=10)

    seen = crowd(client, receiver(lambda *_: None, {}), clients=50, acts=[Restart(at=60, back=60.5)], until=95)
    dialled = [one.t for one in seen.attempts if one.t >= 60]
    assert min(dialled) > 60 and 69 < max(dialled[:50]) < 70.5 and seen.peak()[0] < 15 and seen.all_back(60) < 81


# jittered


@pytest.mark.parametrize("spread", [0.5, 5, 40])
def test_jitter_doubles_within_its_bounds_and_stops_growing(spread):
    random.seed(1)
    delays = list(islice(jittered(spread, most=120), 12))
    low = spread
    for delay in delays:
        assert low <= delay <= 2 * low
        low = min(60, 2 * low)
    assert max(delays) <= 120 and delays[-1] >= 60


def test_jitter_is_never_without_a_pause_and_never_above_most():
    random.seed(1)
    assert all(0.1 <= delay for delay in islice(jittered(0), 5))
    assert all(60 <= delay <= 120 for delay in islice(jittered(500, most=120), 5))


def test_no_second_attempt_falls_on_a_first_one():
    async def polite(uri, number):
        async for websocket in connect(uri, reconnect_delays=lambda: jittered(15)):
            await websocket.wait_closed()
            await asyncio.sleep(random.uniform(0, 15))

    seen = crowd(polite, clients=100, acts=[Restart(at=20, back=34.9)], until=60)
    first: dict[int, float] = {}
    again = [one.t for one in seen.attempts if one.t >= 20 and first.setdefault(one.client, one.t) != one.t]
    assert max(first.values()) < 35 < min(again)
