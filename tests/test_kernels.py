"""The promises of plots.tcp: what WebSocket believes, what the kernel has, when it tries, what it holds."""

import pytest
from cases import FLY

from labkit import Cut, Experiment, Goodbye, Peer, Send, plots, recorded, run
from labkit.plots.bars import Bar
from labkit.trace.sockets import socket_states

LONG = FLY.but(client=Peer(ping_interval=600), until=130)


def states(experiment, end="server"):
    return socket_states(run(experiment, "virtual"), end)


def test_an_orphan_is_tried_on_until_its_kernel_gives_up():
    trace = run(LONG, "virtual")
    gave_up = trace.select("gave_up", "server")[0].t
    assert socket_states(trace, "server") == [(0, "ESTABLISHED"), (15, "FIN_WAIT1"), (17, "orphan"), (gave_up, "gone")]
    assert socket_states(trace, "client") == [(0, "ESTABLISHED")]


def test_an_orderly_end_leaves_no_orphan():
    for end in ("server", "client"):
        found = [state for _, state in states(Experiment(faults=[Goodbye(at=2)], latency=0.1), end)]
        assert found[0] == "ESTABLISHED" and found[-1] == "gone" and "orphan" not in found


def test_a_kernel_that_gives_up_and_a_reset_end_it():
    quiet = Experiment(server=Peer(ping_interval=None), faults=[Cut(at=9), Send(at=10)], until=1000)
    (_, first), (t, last) = states(quiet)
    assert (first, last) == ("ESTABLISHED", "gone") and t > 900


@pytest.mark.parametrize("name", ["kernel-orphan", "kernel-healed-at-14"])
def test_a_kernel_s_own_words_are_the_model_s(name):
    trace = recorded(name)
    model = states(trace.experiment)
    told = socket_states(trace, "server")
    passing = {"FIN_WAIT2", "TIME_WAIT", "LAST_ACK", "CLOSE_WAIT", "CLOSING"}  # too short to be seen, or not
    pairs = list(zip(*([state for _, state in rows if state not in passing] for rows in (told, model))))
    assert len(pairs) >= 2 and all(one == other for one, other in pairs)


def test_the_figure_says_what_it_shows():
    figure = plots.tcp(run(LONG, "virtual"))
    assert "CLOSED at 17 s" in figure.title and "gives up at 119.5" in figure.title
    assert "orphan from 17 s, gone from 119.5" in figure.alt and "tried again at 12.21 s" in figure.alt
    assert "32 bytes" in figure.alt and "32 bytes" in plots.tcp(run(LONG.but(until=20), "virtual")).words
    drawn = [mark for mark in figure.panels[0].marks if isinstance(mark, Bar)]
    assert {bar.lane for bar in drawn} == {"WebSocket", "TCP"}
    assert "nothing to try" in plots.tcp(run(LONG, "virtual"), "client").title


@pytest.mark.parametrize("t", [8, 13, 16, 40])
def test_it_shows_nothing_that_is_not_known_yet(t):
    early = plots.tcp(run(LONG, "virtual")).until(t)
    assert all(mark.known <= t for mark in early.panels[0].marks)
    assert ("orphan" in early.alt) == (t >= 17) and ("gone" in early.alt) is False


def test_what_it_takes():
    with pytest.raises(TypeError, match="takes a trace"):
        plots.tcp(LONG)
    with pytest.raises(ValueError, match="seen 'middle'"):
        plots.tcp(run(FLY, "virtual"), "middle")
