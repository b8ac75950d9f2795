"""The sentence that says what happened and why: whatever it claims is in the trace."""

import re

import pytest
from cases import DEFAULTS, FLY, goodbyes, quiet, talk

from labkit import Cut, Experiment, Freeze, Goodbye, HangUp, Peer, Reset, Tcp, run
from labkit.trace.why import why

TRIES = "12.2, 12.4, 12.8, 13.7"  # s; 12.2 and 12.4 are one RTO apart, the others twice as far each


def virtual(experiment):
    return run(experiment, "virtual", progress=False)


def test_the_defaults_are_explained_by_the_ping_that_was_stuck():
    said = why(virtual(DEFAULTS))
    assert said.startswith(
        "The server noticed at 100 s, 37 s after the cut: the ping that it sent at 80 s had no pong for 20 s (ping_timeout)."
    )
    assert "Its program was told at 110 s." in said and "The client never noticed: it sends no pings" in said


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"faults": [Cut(9, heal=13)], "until": 24}, "the ping of 12 s was stuck until 13.68 s, and its pong was back at 13.68 s, in time"),
        ({"faults": [Cut(9, heal=20)]}, "The client noticed at 25.44 s, 16.44 s after the cut: its connection was reset (RST)"),
        ({"faults": [Cut(9, heal=14)]}, f"TCP tried again at {TRIES} and 15.4 s; the wire was healed between the last two. Its program"),
        ({"faults": [Cut(9, heal=13)], "until": 24}, f"in time. TCP tried again at {TRIES[:-6]} and 13.7 s; the wire was healed"),
        ({"faults": [Cut(2.1, heal=2.2), Cut(9)]}, f"(ping_timeout). TCP tried again at {TRIES} and 15.4 s. Its program"),
        (
            {"server": Peer(ping_interval=4, ping_timeout=None, tcp=Tcp(retries=5)), "until": 60},
            "16.44 s after the cut: TCP gave up, since nobody",
        ),
        (
            {"server": Peer(ping_interval=None, tcp=Tcp(keepalive_idle=1, keepalive_count=1)), "until": 99},
            "TCP asked whether anybody is there",
        ),
        ({"faults": [Reset(5)]}, "The server noticed at 5 s: its connection was reset (RST)"),
        ({"faults": [HangUp(5)]}, "hung up (FIN) without a CLOSE"),
        ({"faults": [Freeze(5, end="client")]}, "had no pong for 3 s (ping_timeout), though nobody had cut anything"),
        ({"faults": [Goodbye(5, end="client", code=4000)]}, "The client said goodbye (4000) at 5 s."),
        (
            {"server": Peer(ping_interval=4, ping_timeout=3, buffer=4096, send_size=20_000, send_every=0.5), "until": 27},
            "Nobody noticed anything by 27 s: the server's pings wait in its own write buffer, which holds 35,",
        ),
        ({"server": Peer(ping_interval=None)}, "Nobody noticed anything, and nothing more can happen: neither end sends pings"),
        ({"server": Peer(ping_interval=None), "until": 30}, "neither end sends pings, and silence alone says nothing"),
        ({"server": Peer(ping_interval=4, ping_timeout=None)}, "would wait for a pong until TCP gives up (ping_timeout is None)"),
        ({"latency": 6.0, "faults": []}, "The client was never OPEN: TimeoutError"),
    ],
)
def test_each_end_of_a_story_has_its_reason(changes, words):
    assert words in why(virtual(FLY.but(**changes)))


def test_whoever_said_goodbye_is_told_before_whoever_heard_it():
    said = why(virtual(FLY.but(faults=[Goodbye(5, end="client")])))
    assert said.index("The client said goodbye") < said.index("The server noticed")


def test_a_slow_pong_is_not_called_stuck():
    from labkit import Delay

    slow = Experiment(server=Peer(ping_interval=4, ping_timeout=3), faults=[Delay(at=0, latency=1)], until=20)
    assert "every ping that was due had its pong" in why(virtual(slow))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("kind", [quiet, goodbyes, lambda seed: talk(seed)[1]], ids=["quiet", "goodbyes", "talk"])
def test_every_moment_that_it_names_is_one_of_the_trace(kind, seed):
    trace = virtual(kind(seed))
    said = why(trace)
    for end, t in re.findall(r"The (server|client) noticed at ([\d.,]+) s", said):
        assert float(t.replace(",", "")) == pytest.approx(trace.noticed_at(end), abs=6e-4)
    pings = [frame for frame in trace.frames() if frame.opcode == "PING"]
    for t, waited in re.findall(r"the ping that it sent at ([\d.]+) s had no pong for ([\d.]+) s", said):
        assert any(abs(frame.sent_at - float(t)) < 6e-4 for frame in pings)
        limits = [trace.experiment.peer(end).ping_timeout for end in ("server", "client")]
        assert any(limit is not None and abs(limit - float(waited)) < 2e-3 for limit in limits)
    assert len(re.findall("never noticed|Nobody noticed", said)) > 0 or all(trace.noticed_at(e) is not None for e in ("server", "client"))
