"""An end whose event loop blocks: by an act from outside, and by its own program."""

import asyncio
import time

import pytest
from machine import both_wires

from labkit import Experiment, Freeze, Peer, block, open_run, run
from labkit.wires.loop import VirtualTimeError

KEEPER = Peer(ping_interval=0.4, ping_timeout=0.3, close_timeout=0.2)


async def slow(websocket):
    """A handler that takes 1.5 s for each message, and awaits nothing meanwhile."""
    async for _ in websocket:
        block(1.5)


@both_wires
def test_a_frozen_client_is_taken_for_dead_and_learns_of_it_when_it_thaws(wire):
    # 0.8 s: a ping is sent, nobody answers; 1.1 s: the server gives up; 2.0 s: the client reads the ping, and then the CLOSE
    trace = run(Experiment(server=KEEPER, faults=[Freeze(at=0.5, end="client", thaw=2.0)]), wire, progress=False)
    server, client = (trace.noticed_at(end) for end in ("server", "client"))
    assert server < 2.0 <= client
    assert [one.sent for one in trace.raised("server")] == [1011]
    assert [one.received for one in trace.raised("client")] == [1011]
    if wire == "virtual":
        assert (server, client) == pytest.approx((1.1, 2.0), abs=1e-6)


@both_wires
def test_a_frozen_server_pings_late_and_blames_nobody(wire):
    trace = run(Experiment(server=KEEPER, faults=[Freeze(at=0.6, end="server", thaw=2.0)], until=2.6), wire, progress=False)
    pings = [frame.sent_at for frame in trace.frames("server") if frame.opcode == "PING"]
    assert not [t for t in pings if 0.6 < t < 2.0] and [t for t in pings if t >= 2.0]
    assert trace.noticed_at("server") is None and trace.noticed_at("client") is None


@both_wires
def test_an_end_frozen_for_ever_keeps_no_run_alive(wire):
    trace = run(Experiment(server=KEEPER, faults=[Freeze(at=0.1, end="client")]), wire, progress=False)
    assert trace.closed_at("server") is not None and trace.noticed_at("client") is None


@both_wires
def test_block_stops_the_keepalive_of_its_own_end_and_is_told(wire):
    experiment = Experiment(server=KEEPER, client=Peer(send_every=1), until=2.5)
    trace = run(experiment, wire, server=slow, progress=False)
    assert {event.data["seconds"] for event in trace.select("blocked", "server")} == {1.5}
    assert not [frame for frame in trace.frames("server") if frame.opcode == "PING" and frame.sent_at < 1.5]


def test_block_passes_virtual_time_for_everybody_else():
    async def blocks_once(websocket):
        block(3)
        await websocket.wait_closed()

    client = Peer(ping_interval=1, ping_timeout=0.5, close_timeout=0.2)
    trace = run(Experiment(server=Peer(ping_interval=None), client=client), "virtual", server=blocks_once, progress=False)
    assert trace.noticed_at("client") == pytest.approx(1.5, abs=1e-6)  # its ping of 1 s found nobody awake
    assert trace.noticed_at("server") == pytest.approx(3.0, abs=1e-6)


@both_wires
def test_after_a_block_the_loop_goes_on_at_once_with_what_is_ready(wire):
    """Ten blocks of 0.1 s with a breath between them: pings that come meanwhile are answered within 0.1 s, and it all takes a second."""
    moments = []

    async def breathes(websocket):
        now = asyncio.get_running_loop().time
        start = now()
        for _ in range(10):
            block(0.1)
            await asyncio.sleep(0)
        moments.append(now() - start)
        await websocket.wait_closed()

    experiment = Experiment(server=Peer(ping_interval=None), client=KEEPER, until=2)
    trace = run(experiment, wire, server=breathes, progress=False)
    assert trace.noticed_at("client") is None and moments[0] < (2 if wire == "loopback" else 1 + 1e-6)


def test_a_block_beyond_the_end_of_the_run_ends_with_it():
    async def blocks(websocket):
        block(1e6)

    began = time.monotonic()
    trace = run(Experiment(server=KEEPER, until=2), "virtual", server=blocks, progress=False)
    assert trace.end == 2 and not trace.raised("server")
    quick = Experiment(server=KEEPER, until=0.3)
    trace = run(quick, "loopback", server=blocks, progress=False)
    assert time.monotonic() - began < 1e6 and not trace.raised("server")


def test_two_ends_that_block_one_within_the_other_are_told_so_in_virtual_time():
    async def first(websocket):
        await asyncio.sleep(1)
        block(2)

    async def second(websocket):
        await asyncio.sleep(2)
        block(3)

    trace = run(Experiment(server=KEEPER, until=20), "virtual", server=first, client=second, progress=False)
    (raised,) = [one for one in trace.raised() if one.type == VirtualTimeError.__name__]
    assert raised.end == "server" and "both ends block()" in raised.text and "loopback" in raised.text


def test_two_ends_may_block_from_the_same_moment_to_the_same_moment():
    async def blocks(websocket):
        await asyncio.sleep(1)
        block(2)

    trace = run(Experiment(server=KEEPER, until=20), "virtual", server=blocks, client=blocks, progress=False)
    assert not [one for one in trace.raised() if one.type == VirtualTimeError.__name__]


def test_a_live_session_can_freeze_and_thaw():
    with open_run(Experiment(server=KEEPER, until=10), "virtual") as session:
        act = session.do(Freeze(end="client"))
        session.wait(0.5)
        session.finish(act)
        session.wait(3)
    assert session.trace.noticed_at("server") is None
    assert session.trace.experiment.faults[0] == Freeze(at=0.0, end="client", thaw=0.5)


@pytest.mark.parametrize("wrong", [-1, float("nan"), "1", None, True])
def test_block_refuses_what_is_no_duration(wrong):
    with pytest.raises(ValueError, match="seconds"):
        block(wrong)


def test_block_outside_of_any_run_sleeps():
    began = time.monotonic()
    block(0.01)
    assert time.monotonic() - began >= 0.01
