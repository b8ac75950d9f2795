"""The client and the server of labkit.patterns under torture; and that the torture's witnesses see a program that is no good."""

import asyncio
from functools import partial

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from labkit.patterns import keep_connected
from tests import torture
from tests.torture import PATIENCE, PAUSE, SLOW, SPREAD, Whole, case, ordeal

AT_MOST = 60 / SPREAD + 1  # dials a minute


# a program that is no good is seen


async def eager(uri, number, seen, again=0):
    """Dials again at once, sends the last few texts again, and thinks that the server has what it sent."""
    texts, sent = torture.messages(0), 0
    seen.given |= set(texts)
    async for websocket in connect(uri, ping_interval=None):
        sent = max(0, sent - again)
        try:
            while sent < len(texts):
                await websocket.send(texts[sent])
                seen.acknowledged.add(texts[sent])
                sent += 1
                await asyncio.sleep(0.2)
        except ConnectionClosed:
            await asyncio.sleep(0.01)


def plain(seen):
    async def handler(websocket):
        async for text in websocket:
            seen.taken.append(text)

    return handler


def test_a_hot_loop_is_seen():
    seen = ordeal(eager, lambda _: torture.returns, until=60)
    assert seen.dials() > 500


def test_what_is_lost_or_doubled_is_seen():
    acts = [torture.Cut(9, heal=12), torture.HangUp(11)]
    assert (seen := ordeal(eager, plain, acts, until=60)).lost > 0 == seen.doubled
    assert (seen := ordeal(partial(eager, again=30), plain, acts, until=60)).doubled > 0 == seen.lost


def test_a_connection_that_is_never_told_is_seen():
    seen = ordeal(eager, plain, [torture.Cut(9)], until=100, ping_interval=None)
    assert seen.told("client", 9) > 90 < seen.told("server", 9)


# labkit's own


def worst(name, seeds=range(20)):
    """What all seeds of a case keep to, whatever it is: no hot loop, no heap of connections, nothing lost, an end in time."""
    for seed in seeds:
        seen = case(name, seed)
        assert seen.dials() <= AT_MOST and seen.at_once("server") <= 2, (name, seed)
        assert seen.lost == 0 == seen.doubled, (name, seed)
        assert seen.goodbye <= PATIENCE + 0.01, (name, seed)
        assert all(took <= 2.2 * PATIENCE for took in seen.shutdowns), (name, seed)
        yield seed, seen


@pytest.mark.parametrize("name", [name for name in torture.FAULTS if name not in torture.DEAD])
def test_what_heals_costs_nothing(name):
    for seed, seen in worst(name):
        assert seen.missing == 0 and seen.problem is None, (name, seed)


@pytest.mark.parametrize("name", torture.DEAD)
def test_what_is_dead_is_told_in_time(name):
    for seed, seen in worst(name):
        since = max(act.start for act in torture.acts_of(name, seed))
        silences = 2 if "to the" in name else 1  # one end still hears the other, until that gives up
        ends = ("client",) if name == "server frozen" else ("client", "server")
        for end in ends:
            assert seen.told(end, since) <= silences * (PAUSE + 1.2 * PATIENCE), (name, seed, end)


@pytest.mark.parametrize("name", torture.SERVERS)
def test_a_server_that_is_no_good_is_not_run_over(name):
    final = {"says 1008": ConnectionClosed, "answers 403": InvalidStatus, "without memory": ValueError}
    for seed, seen in worst(name, range(5)):
        assert isinstance(seen.problem, final.get(name, type(None))), (name, seed)
        assert seen.missing == 0 or name != "lives for 3 s", seed


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("kind", [Whole, torture.Ordeal], ids=["own server", "plain server"])
def test_a_slow_line_lives(name, kind):
    seen = case(name, kind=kind)
    assert seen.missing == 0 and seen.dials() == 1 == len(seen.openings)


# on the real wire, in real time, with short timers

QUICK = {"ping_interval": 0.5, "close_timeout": 0.5}


def on_loopback(talk, handler, acts=(), until=6.0, spread=0.2, **options):
    """What was seen of ``keep_connected(uri, talk)`` on the real wire; its exception, too."""

    async def client(uri, number, seen):
        try:
            await keep_connected(uri, talk, spread=spread, **QUICK)
        except Exception as problem:
            seen.problem = problem

    return ordeal(client, lambda _: handler, acts, wire="loopback", until=until, **options)


async def flood(websocket):
    while True:
        await websocket.send(bytes(100_000))


async def listen(websocket):
    async for _ in websocket:
        pass


@pytest.mark.parametrize("talk", [flood, listen])
@pytest.mark.parametrize("direction", ["both", "to_server", "to_client"])
def test_on_the_real_wire_a_cut_is_noticed_and_dialled_anew(talk, direction):
    seen = on_loopback(talk, listen, [torture.Cut(1, direction=direction)], until=12.0, ping_interval=None)
    first = next(one for one in seen.lives if one.end == "client")
    assert first.lost < 12 and len(seen.attempts) > 1


def test_on_the_real_wire_a_deaf_server_blocks_nobody_for_ever():
    seen = on_loopback(flood, torture.deaf, until=8.0, max_queue=1, ping_interval=None)
    assert len(seen.attempts) > 1


@pytest.mark.parametrize(("handler", "final"), [(torture.says(1008), True), (torture.returns, False), (torture.says(4003), False)])
def test_on_the_real_wire_no_dial_follows_another_at_once(handler, final):
    seen = on_loopback(listen, handler, spread=0.5, until=5.0)
    assert all(two - one >= 0.5 for one, two in zip(seen.attempts, seen.attempts[1:]))
    assert (len(seen.attempts) == 1) == final == isinstance(seen.problem, ConnectionClosed)


def test_on_the_real_wire_a_slow_line_lives():
    async def once(websocket):
        await websocket.send(bytes(800_000))
        assert await websocket.recv() == "800000"

    async def measure(websocket):
        await websocket.send(str(len(await websocket.recv())))
        await websocket.wait_closed()

    seen = on_loopback(once, measure, [torture.Throttle(0, rate=200_000)], until=20.0)
    assert len(seen.attempts) == 1 and seen.problem is None
    assert min(one.lost for one in seen.lives) > 6 * QUICK["close_timeout"]  # far longer than its patience
