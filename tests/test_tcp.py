"""TCP below the connection: when Linux tries again, when it gives up, and what an acknowledgement needs."""

import errno
import os

import pytest
from cases import FLY, Line

from labkit import Cut, Experiment, Goodbye, Idle, Peer, Send, Tcp, compare, predict, run
from labkit.values.segments import HELD, in_one, in_windows
from labkit.values.stream import Stream


def near(measured, seconds):
    """Within 60 ms or 5 %, as two runs of a kernel are."""
    return abs(measured - seconds) <= max(0.06, 0.05 * measured)


@pytest.mark.parametrize(
    ("round_trip", "measured"),
    [
        (0.0005, [0.207, 0.42, 0.85, 1.68, 3.35, 6.7, 13.5, 26.8]),
        (0.05, [0.272, 0.528, 1.04, 2.06, 4.11]),
        (0.1, [0.331, 0.651, 1.29, 2.54, 5.20]),
        (0.4, [0.964, 1.92, 3.81, 7.59]),
    ],
)
def test_it_tries_again_when_linux_was_measured_to(round_trip, measured):
    retries = Tcp().retries_at(round_trip)
    for number, seconds in enumerate(measured):
        assert near(seconds, retries.after(number)), number


@pytest.mark.parametrize(
    ("sends", "round_trip", "measured"),
    [
        ([(1, 10)], 0, [0.207, 0.414, 0.834, 1.67]),
        ([(1, 3000)], 0, [0.013, 0.221, 0.661, 1.493]),
        ([(1, 10), (1.1, 10)], 0, [0.109, 0.317, 0.749, 1.581]),
        ([(1, 10), (1.28, 10)], 0, [0.210, 0.418, 0.858, 1.690]),
        ([(1, 3000), (1.13, 10)], 0, [0.009, 0.214, 0.641, 1.473]),
        ([(1, 10), (1.1, 10)], 0.04, [0.192, 0.441, 0.936, 1.928]),
        ([(1, 3000), (1.13, 10)], 0.04, [0.093, 0.253, 0.745, 1.737]),
        ([(1, 3000)], 0.1, [0.218, 0.546, 1.190, 2.466]),
    ],
)
def test_several_segments_are_tried_again_when_the_kernel_wire_was_seen_to(sends, round_trip, measured):
    """A tail loss probe waits for an acknowledgement only of a lone segment; one RTO after it comes the oldest."""
    quiet, acts = Peer(ping_interval=None), [Send(at, size=size) for at, size in sends]
    trace = run(Experiment(quiet, quiet, [Cut(0.7), *acts], latency=round_trip / 2, until=4.5), "virtual")
    assert [t - 1 for t, _ in tries(trace)][:4] == pytest.approx(measured, abs=0.04)


def test_what_is_sent_after_the_heal_brings_the_oldest_byte_forward():
    """1: a ping is lost; 1.32: probed; 1.4: healed; 1.5: another arrives, is answered at once (SACK), and the ping sent again."""
    quiet, acts = Peer(ping_interval=None), [Send(1, size=10), Send(1.5, size=10)]
    healed = Experiment(quiet, quiet, [Cut(0.7, heal=1.4), *acts], latency=0.05, until=3)
    frames = run(healed, "virtual").frames("server")
    assert [frame.arrived_at for frame in frames] == pytest.approx([1.65, 1.65])  # the kernel wire: 1.65, 1.65
    later = [Send(1, size=10), Send(1.6, size=10)]
    frames = run(healed.but(faults=[Cut(0.7, heal=1.4), *later]), "virtual").frames("server")
    assert frames[0].arrived_at == pytest.approx(1.696)  # no sooner than TCP tries by itself


def test_what_was_lost_comes_in_windows_that_double():
    """Three messages of three segments: one segment at the try, then two, four, eight, a round trip apart."""
    quiet, acts = Peer(ping_interval=None), [Send(1 + k / 100, size=3000) for k in range(3)]
    healed = Experiment(quiet, quiet, [Cut(0.7, heal=1.5), *acts], latency=0.05, until=4)
    times = [frame.arrived_at for frame in run(healed, "virtual").frames("server")]
    assert [b - a for a, b in zip(times, times[1:])] == pytest.approx([0.1, 0], abs=0.05)  # the kernel wire: 0.102, 0.009


def test_it_gives_up_when_linux_was_measured_to():
    retries = Tcp().retries_at(0.0005)
    assert 925 < retries.gives_up < 944  # measured: 927 to 944 s
    assert 105 < retries.orphan_gives_up(5) < 110  # an orphan
    assert retries.after(16) - retries.after(15) == 120  # the longest gap
    assert near(10.4, Tcp(user_timeout=10).retries_at(0).gives_up)
    assert near(13.5, Tcp(retries=5).retries_at(0).gives_up)


def tries(trace, end="server"):
    """When TCP tried again at an end, as (s, whether it got through)."""
    events = trace.select("retransmission", end, "tcp")
    return [(round(event.t, 3), event.data["through"]) for event in events]


# the fruit fly: pings at 4, 8 and 12; cut at 9; noticed at 15


@pytest.mark.parametrize(
    ("heal", "latency", "noticed", "tried"),
    [
        (None, 0, 15, [(12.21, False), (12.42, False), (12.84, False), (13.68, False), (15.36, False)]),
        (13, 0, None, [(12.21, False), (12.42, False), (12.84, False), (13.68, True)]),
        (14, 0, 15, [(12.21, False), (12.42, False), (12.84, False), (13.68, False), (15.36, True)]),
        (14, 0.05, None, [(12.323, False), (12.646, False), (13.292, False), (14.584, True)]),
    ],
)
def test_a_heal_takes_effect_at_the_next_try(heal, latency, noticed, tried):
    healed = FLY.but(faults=[Cut(9, heal=heal)], latency=latency)
    trace = run(healed, "virtual")
    assert trace.noticed_at("server") == noticed == predict(healed).noticed_at("server")
    assert tries(trace) == tried
    assert compare(trace).worst < 1e-6


def test_where_nothing_is_under_way_a_heal_takes_effect_at_once():
    trace = run(FLY.but(faults=[Cut(9, heal=11.9)]), "virtual")
    assert not tries(trace) and trace.noticed_at("server") is None
    assert [ping.arrived_at for ping in trace.frames("server")][2] == 12


def test_the_oldest_byte_sets_the_clock_and_what_waits_behind_it_follows_its_acknowledgement():
    """5: cut; 5.5, 6, 6.5 …: messages; 7: healed; 7.18: the fourth try; what was sent before the second comes with it."""
    talk = Send(0.5, every=0.5, size=100)
    quiet = Peer(ping_interval=None)
    trace = run(Experiment(quiet, quiet, faults=[talk, Cut(5.2, heal=7)], until=9), "virtual")
    late = [frame.arrived_at for frame in trace.frames("server") if 5.2 < frame.sent_at < 8]
    assert late == pytest.approx([7.18, 7.22, 7.22, 7.22, 7.5], abs=1e-6)


def test_closed_before_it_is_healed_it_resets_whoever_answers_and_its_close_is_never_read():
    """17: the server is CLOSED; 25.44: its TCP tries the ping again, and answers the pong with RST (measured on Linux, too)."""
    trace = run(FLY.but(faults=[Cut(9, heal=20)]), "virtual")
    (error,) = trace.raised("client")
    assert error.t == pytest.approx(25.44) and error.received is None and "ConnectionResetError" in error.cause
    assert compare(trace).worst < 1e-6


# it gives up


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        (Peer(ping_interval=4, ping_timeout=None), 12 + 935.04),
        (Peer(ping_interval=4, ping_timeout=None, tcp=Tcp(retries=5)), 12 + 13.44),
        (Peer(ping_interval=4, ping_timeout=None, tcp=Tcp(user_timeout=10)), 12 + 10.42),
    ],
)
def test_for_ever_is_until_it_gives_up(peer, told):
    patient = FLY.but(server=peer, until=1000)
    trace = run(patient, "virtual")
    assert trace.noticed_at("server") == trace.told_at("server") == pytest.approx(told)
    assert os.strerror(errno.ETIMEDOUT) in trace.raised("server")[0].cause
    (event,) = trace.select("gave_up", "server", "tcp")
    assert event.t == pytest.approx(told) and not event.data["orphan"]
    assert compare(trace).worst < 1e-6


@pytest.mark.parametrize("faults", [[Cut(5)], [Cut(5, direction="to_server")]])
def test_a_blocked_drain_ends_when_it_gives_up(faults):
    """Acknowledgements need the way back: without them the sender's buffer fills, too."""
    talker = Peer(ping_interval=None, send_every=1, send_size=3000, buffer=4096, write_limit=4096)
    trace = run(Experiment(talker, Peer(ping_interval=None), faults=faults, until=2000), "virtual")
    assert {error.awaiting for error in trace.raised("server")} == {"recv", "send"}
    assert trace.told_at("server") == pytest.approx(5 + 0.008 + 935.04 - 0.21)  # of three segments
    through = {is_through for _, is_through in tries(trace)}
    assert through == {faults[0].direction == "to_server"}


def test_an_idle_connection_and_a_closed_window_are_for_ever():
    quiet, day = Peer(ping_interval=None), 86_400
    assert run(Experiment(quiet, quiet, faults=[Cut(5)], until=day), "virtual").noticed_at("server") is None
    talker = Peer(ping_interval=None, send_every=1, send_size=3000, buffer=4096, write_limit=4096)
    lazy = Peer(ping_interval=None, reads=False, max_queue=1, buffer=4096)
    trace = run(Experiment(talker, lazy, until=day), "virtual")
    assert trace.noticed_at("server") is None and not tries(trace)


@pytest.mark.parametrize(("heal", "told"), [(60, 12 + 53.76), (120, None)])
def test_an_orphan_gives_up_after_107_s_and_the_other_end_is_never_told(heal, told):
    trace = run(FLY.but(faults=[Cut(9, heal=heal)], until=140), "virtual")
    gave_up = [(event.t, event.data["orphan"]) for event in trace.select("gave_up", "server")]
    assert gave_up == ([] if told else [(pytest.approx(12 + 107.52), True)])
    assert trace.told_at("client") == (told and pytest.approx(told))
    assert compare(trace).worst < 1e-6


# SO_KEEPALIVE and TCP_USER_TIMEOUT

KEEPALIVE = Tcp(keepalive_idle=1, keepalive_interval=1, keepalive_count=3)


def kept(tcp, **more):
    """A server with this TCP, no keepalive of WebSocket's, and a cut at 5.3 s."""
    return Experiment(Peer(ping_interval=None, tcp=tcp), Peer(ping_interval=None), faults=[Cut(5.3)], until=60).but(**more)


@pytest.mark.parametrize(
    ("changes", "told", "probed"),
    [
        ({}, 9, [6, 7, 8]),  # measured: 3.1 to 4 s after the cut
        ({"faults": [Cut(5.3, heal=7.5)]}, None, [6, 7]),
        ({"faults": [Cut(5.3, heal=8.5)]}, 9, [6, 7, 8]),  # after the last probe nobody asks any more
        ({"faults": []}, None, []),
        ({"faults": [Cut(5.3, direction="to_server")]}, 9, [6, 7, 8]),
        ({"faults": [Cut(5.3), Send(5.5)]}, 5.5 + 935.04, []),  # with bytes under way it does not probe
    ],
)
def test_keepalive_asks_an_idle_connection_only(changes, told, probed):
    experiment = kept(KEEPALIVE, **changes).but(until=1000)
    trace = run(experiment, "virtual")
    assert [event.t for event in trace.select("probe", "server", "tcp")] == pytest.approx(probed)
    assert trace.told_at("server") == (told and pytest.approx(told))
    assert compare(trace).worst < 1e-6


def test_whoever_probes_in_vain_resets_the_other_end_if_it_can():
    trace = run(kept(KEEPALIVE, faults=[Cut(5.3, direction="to_server")]), "virtual")
    assert "ConnectionResetError" in trace.raised("client")[0].cause and trace.told_at("client") == 9


@pytest.mark.parametrize(
    ("tcp", "faults", "told"),
    [
        (Tcp(user_timeout=5), [Cut(5.3)], None),  # idle: never
        (Tcp(user_timeout=5), [Cut(5.3), Send(6)], 6 + 0.42 + 5),
        (Tcp(keepalive_idle=1, keepalive_interval=1, user_timeout=5), [Cut(5.3)], 10),
    ],
)
def test_a_user_timeout_counts_from_the_first_timeout_of_what_is_under_way(tcp, faults, told):
    trace = run(kept(tcp, faults=faults), "virtual")
    assert trace.told_at("server") == (told and pytest.approx(told))


def test_keepalive_keeps_a_nat_from_forgetting():
    forgotten = [Idle(0, after=3)]
    assert run(kept(Tcp(), faults=forgotten), "virtual").select("forgotten")
    assert not run(kept(KEEPALIVE, faults=forgotten), "virtual").select("forgotten")


# acknowledgements need the way back


def test_only_the_way_back_is_cut():
    """What is sent arrives, and is tried again all the same; after the second try nothing new is sent until a try is answered."""
    line = Line()
    line.at(0, line.cut, "client")
    for when in (1, 1.4, 1.5, 4):
        line.at(when, line.push, b"x")
    line.at(3, line.heal, "client")
    assert [when for when, _ in line.run()] == [1, 1.4, 4.36, 4.36]
    assert line.seen == [(when, "through") for when in (1.21, 1.42, 1.84, 2.68, 4.36)]


def test_any_segment_from_the_other_end_acknowledges_what_has_arrived_there():
    line = Line()
    line.at(0, line.cut, "client")
    line.at(1, line.push, b"x")
    line.at(2, line.push, b"held")
    line.at(2.7, line.heal, "client")
    line.at(3, line.push, b"y", "client")
    assert line.run() == [(1, b"x"), (3, b"held")]


def test_an_acknowledgement_that_a_cut_takes_is_asked_for_again():
    """1: arrives, and the acknowledgement waits for 40 ms; 1.02: cut; 1.5: a message, held; 2: healed; 2.68: the fourth try."""
    line = Line()
    line.at(1, line.push, b"x")
    line.at(1.02, line.cut)
    line.at(1.5, line.push, b"y")
    line.at(2, line.heal)
    assert line.run() == [(1, b"x"), (2.68, b"y")]


def test_a_closed_socket_answers_every_late_segment_with_a_reset():
    """9: only the way to the server is cut; the client has closed at 17, and resets each try of the server's; healed, one arrives."""
    client = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
    acts = [Cut(9, direction="to_server", heal=30), Send(16.9, size=10, every=1)]
    trace = run(Experiment(Peer(ping_interval=None), client, faults=acts, until=60), "virtual")
    arrived = [event.t for event in trace.select("reset") if event.data["step"] == "arrived"]
    assert trace.closed_at("client") == 17 and len(arrived) == 1 and arrived[0] > 30
    assert "ConnectionResetError" in trace.raised("server")[0].cause
    assert compare(trace).worst < 1e-6


def test_a_goodbye_that_is_stuck_waits_as_long_as_tcp_does():
    polite = Peer(ping_interval=None, close_timeout=None)
    patient = Experiment(polite, polite, faults=[Cut(5), Goodbye(6)], until=1000)
    assert run(patient, "virtual").closed_at("server") == pytest.approx(6 + 935.04) == predict(patient).closed_at("server")


def test_a_probe_that_is_lost_just_before_the_heal_is_not_answered():
    """2.05: probed; 2.1: it would arrive; 2.143: healed; 3.05: 1.5 s have passed (the kernel wire: told at 3.065)."""
    tcp = Tcp(keepalive_idle=2, keepalive_interval=1, keepalive_count=2, user_timeout=1.5)
    quiet, asks = Peer(ping_interval=None), Peer(ping_interval=None, tcp=tcp)
    healed = Experiment(quiet, asks, [Cut(1.188, heal=2.143, direction="to_server")], latency=0.05, until=5)
    assert run(healed, "virtual").told_at("client") == pytest.approx(3.05)


def test_what_has_waited_is_sent_in_segments_and_each_round_trip_in_twice_as_many():
    out, small, large = Stream(0.05), bytes(700), bytes(5000)
    assert [in_one(out, [(0, item) for item in items]) for items in ([small] * 2, [small] * 3, [large, small], [])] == [2, 2, 1, 0]
    held = [(HELD, bytes(1000))] * 8
    sent, window = in_windows(out, held, 10.0, 1)
    assert [due for due, _ in sent] == [10.0, *[10.1] * 3, *[10.2] * 4] and window == 8
    sent, window = in_windows(out, [(9.5, small), (HELD + 11, small)], 10.0, 10)
    assert [due for due, _ in sent] == [9.5, 11] and window == 20  # on its way; sent later
