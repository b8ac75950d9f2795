"""Findings of notebook 07 about websockets itself, with the newest version in which each was seen."""

import pytest
from findings import last_seen

from checks.false_alarms import TIMERS, in_fragments, in_one
from labkit import Experiment, Freeze, Peer, Throttle, run
from labkit.plots.blame import Blame

SLOW = Throttle(at=1, rate=10_000, direction="to_client")


def test_a_pong_and_a_timeout_in_one_turn_of_the_loop_and_the_timeout_wins():
    freeze = Freeze(at=12.2, end="server", thaw=20)
    trace = run(Experiment(server=Peer(**TIMERS), latency=0.5, faults=[freeze], until=26), "virtual")
    lines = [line for line in trace.log("server") if line.startswith("   20.000")]
    last_seen(
        "a pong that lay unread is logged, and the timeout fires at the same instant",
        "< PONG" in lines[0] and "timed out waiting for keepalive pong" in lines[1] and trace.noticed_at("server") == 20,
        "Update notebook 07, section 2",
    )


@pytest.mark.parametrize(("messages", "killed"), [(16, False), (17, True)])
def test_one_message_more_than_max_queue_and_ones_own_keepalive_gives_up(messages, killed):
    async def says(websocket):
        for _ in range(messages):
            await websocket.send(b"x")
        await websocket.wait_closed()

    lazy = Peer(**TIMERS, reads=False)
    trace = run(Experiment(server=Peer(ping_interval=None), client=lazy, until=30), "virtual", server=says)
    last_seen(
        f"with {messages} unread messages the keepalive of an end that does not read {'kills' if killed else 'goes on'}",
        (trace.noticed_at("client") is not None) == killed,
        "Update notebook 07, section 3: max_queue, or when reading is paused",
    )


def test_a_ping_waits_behind_fragments_that_have_been_handed_over():
    trace = run(Experiment(server=Peer(**TIMERS), faults=[SLOW], until=24), "virtual", server=in_fragments)
    ping = Blame(trace).fatal
    last_seen(
        "a ping of 8 s comes after all twenty fragments sent at 5 s, and the connection is killed meanwhile",
        trace.noticed_at("server") == 11 and ping is not None and ping.came > 15,
        "Update notebook 07, section 4",
    )


def test_data_is_no_sign_of_life():
    chatty = Experiment(server=Peer(**TIMERS), client=Peer(send_every=0.5, send_size=10), faults=[SLOW], until=24)
    trace = run(chatty, "virtual", server=in_one)
    came = [frame for frame in trace.frames("client") if frame.opcode == "BINARY" and 8 < frame.arrived_at < 11]
    last_seen(
        "five messages come between the ping and its timeout, and no pong: killed",
        (trace.noticed_at("server"), len(came)) == (11, 5),
        "Update notebook 07, section 4",
    )


def test_the_clock_of_a_ping_starts_after_its_drain():
    small = dict(buffer=4096, write_limit=4096)
    experiment = Experiment(server=Peer(**TIMERS, **small), client=Peer(buffer=4096), faults=[SLOW], until=24)
    trace = run(experiment, "virtual", server=in_one)
    last_seen(
        "a ping that waited 6.5 s in drain() has its pong after 7 s, and ping_timeout is 3 s: nobody gives up",
        trace.noticed_at("server") is None and max(latency for _, latency in trace.latencies("server")) > 7,
        "Update notebook 07, section 4, the four lines",
    )
