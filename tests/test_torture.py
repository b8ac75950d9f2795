"""The client and the server of labkit.patterns under torture; and that the torture's witnesses see a program that is no good."""

import asyncio
from functools import partial

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests import torture
from tests.torture import SLOW, SPREAD, of_today, ordeal

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


@pytest.mark.xfail(strict=True, reason="issue 16: to be mended")
@pytest.mark.parametrize("name", ["returns at once", "says 1008", "says 4003"])
def test_no_dial_follows_another_at_once(name):
    assert of_today(name).dials() <= AT_MOST


@pytest.mark.xfail(strict=True, reason="issue 16: to be mended")
@pytest.mark.parametrize("name", SLOW)
def test_a_slow_line_lives(name):
    seen = of_today(name)
    assert seen.missing == 0 and seen.dials() == 1
