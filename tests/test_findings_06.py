"""Findings of notebook 06 about websockets itself: when one has gone, a notebook has to be rewritten."""

import asyncio

import pytest
import websockets
from findings import SEEN_IN, last_seen
from websockets.asyncio.server import broadcast

from labkit import Cut, Experiment, Goodbye, Peer, run


def flow(cut: float, every: float, *more) -> Experiment:
    """A server with keepalive that sends more than a cut can take."""
    server = Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=every, send_size=20_000, buffer=4096)
    return Experiment(server=server, client=Peer(buffer=4096), faults=[Cut(cut), *more], until=900)  # later, TCP gives up


def test_a_ping_that_waits_in_drain_has_no_timer():
    trace = run(flow(9, 0.5), "virtual")
    last_seen(
        "drain() blocked before the next ping: OPEN until TCP gives up, keepalive never fires",
        trace.noticed_at("server") is None,
        "Update notebook 06, “A server that talks”",
    )


def test_keepalives_close_waits_in_drain():
    trace = run(flow(11.5, 1), "virtual")
    last_seen(
        "drain() blocked after the ping: CLOSING until TCP gives up",
        (trace.noticed_at("server"), trace.closed_at("server")) == (15, None),
        "Update notebook 06, “A cut at another moment”",
    )


def test_close_does_not_return():
    trace = run(flow(9, 0.5, Goodbye(20)), "virtual")
    last_seen(
        "drain() blocked: close() does not return within close_timeout",
        not trace.select("returned", "server") and trace.state_at("server", 900) == "CLOSING",
        "Update notebook 06, “Does close() return?”, and exercise 2, where close() is the wrong answer",
    )


def test_a_second_close_frees_it_at_the_firsts_close_timeout():
    trace = run(flow(9, 0.5, Goodbye(20), Goodbye(21)), "virtual")
    last_seen(
        "a second close() frees a connection whose first one waits in drain()",
        trace.closed_at("server") == trace.told_at("server") == 22 and len(trace.select("returned", "server")) == 2,
        "Update notebook 06, “What frees it?”",
    )


async def ticker(websocket):
    while True:
        broadcast([websocket], bytes(20_000))
        await asyncio.sleep(0.5)


def test_behind_broadcast_the_buffer_grows_and_nobody_notices():
    quiet = flow(9, 0.5)
    quiet = quiet.but(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, buffer=4096), until=69)
    trace, alive = (run(one, "virtual", server=ticker) for one in (quiet, quiet.but(faults=[])))
    last_seen(
        "broadcast() into a cut: 40,000 bytes a second wait, for ever, and the server stays OPEN",
        trace.noticed_at("server") is None and trace.waiting("server")[-1][1] > 2_000_000,
        "Update notebook 06, “When nothing ever waits”",
    )
    assert not alive.waiting("server")  # as long as everybody reads, it is free


def test_a_watchdog_frees_a_server_that_broadcasts():
    async def watched(websocket):
        talking = asyncio.create_task(ticker(websocket))
        while True:
            await asyncio.sleep(5)
            try:
                async with asyncio.timeout(9):
                    await (await websocket.ping())
            except TimeoutError:
                talking.cancel()
                return websocket.transport.abort()

    assert run(flow(9, 0.5).but(server=Peer(ping_interval=None, buffer=4096)), "virtual", server=watched).closed_at("server") <= 9 + 5 + 9


def test_a_finding_that_is_gone_says_what_to_do_and_whose_change_it_was(monkeypatch):
    monkeypatch.setattr(websockets.version, "version", "99.0")
    with pytest.raises(pytest.fail.Exception, match="websockets 99.0 no longer does this: it hangs .* Update notebook 06"):
        last_seen("it hangs", False, "Update notebook 06")
    monkeypatch.setattr(websockets.version, "version", SEEN_IN)
    with pytest.raises(pytest.fail.Exception, match="The lab has changed"):
        last_seen("it hangs", False, "Update notebook 06")
