"""Every fault of the wire, one body of tests for both wires; times are exact in virtual time, order and count hold on both."""

import pytest
from cases import small
from hypothesis import given
from hypothesis import strategies as st
from machine import both_wires

from labkit import Cut, Delay, Experiment, HangUp, Idle, Limit, Peer, Reset, Send, Slice, SlowClose, Throttle, open_run, run
from labkit.values.faults import FLOW
from labkit.wires.pipe import EOF, Pipe
from labkit.wires.virtual import VirtualWire

SILENT = Peer(ping_interval=None)


def delays(trace, sender="server"):
    return [frame.arrived_at - frame.sent_at for frame in trace.frames(sender) if frame.arrived_at is not None]


@both_wires
def test_a_delay_begins_and_ends(wire):
    trace = run(small(faults=[Delay(0.3, latency=0.1, until=0.5)], until=0.7), wire)
    before, during, after = delays(trace)
    assert before < 0.1 <= during + 1e-9 and after < 0.1
    assert wire == "loopback" or [before, during, after] == pytest.approx([0, 0.1, 0])


@both_wires
def test_a_delay_of_one_direction_leaves_the_other_alone(wire):
    trace = run(small(faults=[Delay(0.1, latency=0.08, direction="to_server")], until=0.55), wire)
    assert min(delays(trace, "client")) >= 0.08 - 1e-9 and min(delays(trace, "server")) < 0.08
    assert all(latency >= 0.08 - 1e-9 for _, latency in trace.latencies("server"))


@both_wires
def test_jitter_is_seeded_and_never_reorders(wire):
    flow = [Delay(0.05, latency=0.05, jitter=0.05), Send(0.1, size=10, every=0.01, until=0.3)]
    trace = run(Experiment(server=SILENT, faults=flow, until=0.6), wire)
    frames = [frame for frame in trace.frames("server") if frame.opcode == "BINARY"]
    arrivals = [frame.arrived_at for frame in frames]
    assert arrivals == sorted(arrivals) and len({round(d, 3) for d in delays(trace)}) > 3
    assert wire == "loopback" or max(delays(trace)) <= 0.1 + 1e-9
    if wire == "virtual":
        other = run(Experiment(server=SILENT, faults=flow, until=0.6, seed=1), wire)
        assert delays(trace) == delays(run(trace.experiment, wire)) != delays(other)


@both_wires
def test_a_throttled_line_carries_so_many_bytes_a_second(wire):
    trace = run(Experiment(server=SILENT, faults=[Throttle(0.05, rate=20_000), Send(0.1, size=4000)], until=0.6), wire)
    (took,) = delays(trace)
    assert took >= 0.2 - 1e-6  # 4,000 bytes and a header at 20,000 bytes/s
    assert wire == "loopback" or took == pytest.approx(4004 / 20_000)


@both_wires
def test_a_throttled_line_makes_small_frames_wait_behind_large_ones(wire):
    """Head-of-line blocking: the ping of 0.2 s stands behind a message that takes 0.4 s."""
    slow = small(faults=[Throttle(0.05, rate=10_000), Send(0.15, size=4000)], until=0.5)
    trace = run(slow, wire)
    ping = next(frame for frame in trace.frames("server") if frame.opcode == "PING")
    assert trace.noticed_at("server") is not None and (ping.arrived_at is None or ping.arrived_at > trace.noticed_at("server"))


@both_wires
def test_slices_arrive_one_by_one_and_whole(wire):
    trace = run(Experiment(server=SILENT, faults=[Slice(0.05, size=100, variation=20, gap=0.01), Send(0.1, size=1000)], until=0.6), wire)
    got = [event.data["size"] for event in trace.select("message", "client") if event.data["step"] == "received"]
    assert got == [1000] and delays(trace)[0] >= 7 * 0.01


@both_wires
def test_after_a_limit_the_connection_is_hung_up(wire):
    trace = run(small(faults=[Limit(0.1, size=2500, direction="to_client"), Send(0.15, size=1000, every=0.02)], until=2), wire)
    arrived = [frame for frame in trace.frames("server") if frame.opcode == "BINARY" and frame.arrived_at is not None]
    assert len(arrived) == 2 and trace.select("limit", "wire")
    assert trace.closed_at("client") is not None and trace.closed_at("server") is not None
    assert {error.code for error in trace.raised()} == {1006}


@both_wires
def test_a_hang_up_reaches_both_ends_as_a_lost_connection(wire):
    trace = run(small(faults=[HangUp(0.3)], until=2), wire)
    for end in ("server", "client"):
        assert trace.closed_at(end) >= 0.3 and trace.raised(end)[0].text == "no close frame received or sent"
    assert [event.data["sender"] for event in trace.select("fin") if event.data["step"] == "arrived"][:2] == ["wire", "wire"]


@both_wires
def test_a_half_close_is_heard_by_one_end_first(wire):
    trace = run(small(faults=[HangUp(0.3, direction="to_client")], until=2, latency=0.05), wire)
    assert 0.3 <= trace.closed_at("client") < trace.closed_at("server")  # the client hangs up in turn, and the server hears that


@both_wires
def test_a_hang_up_can_be_slow(wire):
    trace = run(small(faults=[HangUp(0.3, delay=0.08)], until=2), wire)
    assert trace.closed_at("server") >= 0.38 - 1e-9
    assert wire == "loopback" or trace.closed_at("server") == pytest.approx(0.38)


@both_wires
def test_a_slow_close_delays_the_fin_of_an_end_and_not_its_bytes(wire):
    polite = Peer(ping_interval=None, close_at=0.2)
    trace = run(Experiment(server=polite, faults=[SlowClose(0.1, delay=0.3, direction="to_client")], until=2), wire)
    close = next(frame for frame in trace.frames("server") if frame.opcode == "CLOSE")
    assert close.arrived_at < trace.closed_at("client") and trace.closed_at("client") - close.arrived_at >= 0.25
    assert wire == "loopback" or trace.closed_at("client") == pytest.approx(0.5)


@both_wires
def test_a_reset_reaches_both_ends_with_its_cause(wire):
    trace = run(small(faults=[Reset(0.3)], until=2), wire)
    for end in ("server", "client"):
        (error,) = trace.raised(end)
        assert trace.closed_at(end) >= 0.3 and error.code == 1006 and "ConnectionResetError" in error.cause


@both_wires
def test_a_reset_of_one_direction_leaves_the_other_end_to_find_out(wire):
    trace = run(small(faults=[Reset(0.3, direction="to_client")]), wire)
    assert trace.raised("client")[0].cause.startswith("ConnectionResetError")
    assert trace.closed_at("server") is not None and trace.closed_at("server") > trace.closed_at("client")


@both_wires
def test_what_a_cut_holds_never_arrives_when_a_box_in_the_middle_gives_up(wire):
    trace = run(small(faults=[Cut(0.1), HangUp(0.3), Send(0.15, size=77)], until=2), wire)
    stuck = [frame for frame in trace.frames("server") if frame.opcode == "BINARY"]
    assert [frame.arrived_at for frame in stuck] == [None] and trace.closed_at("client") >= 0.3


@both_wires
@pytest.mark.parametrize("then", ["silence", "fin", "rst"])
def test_an_idle_connection_is_forgotten(wire, then):
    quiet = Experiment(server=Peer(ping_interval=0.5, ping_timeout=0.2, close_timeout=0.1), faults=[Idle(0, after=0.3, then=then)], until=3)
    trace = run(quiet, wire)
    (forgotten,) = trace.select("forgotten", "wire")
    assert 0.3 - 1e-3 <= forgotten.t < 0.5
    if then == "silence":  # nobody hears of it before the server asks in vain
        assert trace.noticed_at("client") is None and trace.noticed_at("server") > 0.5 and trace.raised("server")[0].sent == 1011
    else:
        assert forgotten.t <= trace.closed_at("server") < 0.5 and trace.closed_at("client") < 0.5
        assert ("ConnectionResetError" in str(trace.raised("client")[0].cause)) == (then == "rst")


@both_wires
def test_a_heartbeat_keeps_an_idle_timeout_away(wire):
    lively = Experiment(server=Peer(ping_interval=0.15, ping_timeout=0.1, close_timeout=0.1), faults=[Idle(0, after=0.3)], until=1)
    trace = run(lively, wire)
    assert not trace.select("forgotten", "wire") and trace.closed_at("server") is None


@both_wires
def test_faults_can_be_combined_and_each_leaves_when_it_ends(wire):
    mixed = [
        Delay(0.05, latency=0.05, until=0.3),
        Throttle(0.05, rate=50_000, until=0.3),
        Slice(0.05, size=50, until=0.3),
        Cut(0.12, heal=0.2),
        Send(0.1, size=500, every=0.05, until=0.5),
    ]
    trace = run(Experiment(server=SILENT, faults=mixed, until=0.7), wire)
    frames = [frame for frame in trace.frames("server") if frame.opcode == "BINARY"]
    assert all(frame.arrived_at is not None for frame in frames)
    assert min(frame.arrived_at - frame.sent_at for frame in frames if frame.sent_at < 0.2) >= 0.05 - 1e-9
    assert min(frame.arrived_at - frame.sent_at for frame in frames if frame.sent_at > 0.35) < 0.05


@both_wires
def test_a_live_session_can_do_and_undo_every_lasting_fault(wire):
    with open_run(small(faults=[], until=5), wire) as session:
        session.wait(0.05)
        for fault in (Delay(latency=0.01), Throttle(rate=1e6), Slice(size=10), Limit(size=10**6), SlowClose(), Idle(after=50), Cut()):
            done = session.do(fault)
            session.wait(0.02)
            session.finish(done)
            session.wait(0.02)
        assert session.wire.force == []
        assert all(not pipe.effects and not pipe.silent for pipes in session.wire.pipes for pipe in pipes.values())
    assert session.trace.closed_at("server") is None


@given(
    st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=10),
    st.lists(
        st.sampled_from(
            [Delay(0, latency=0.2, jitter=0.2), Throttle(0, rate=500), Slice(0, size=7, variation=6, gap=0.01), Slice(0, size=1)]
        ),
        unique=True,
        max_size=4,
    ),
)
def test_whatever_shapes_a_stream_it_stays_the_same_stream(chunks, faults):
    wire = VirtualWire(0.1, {"server": None, "client": None})
    _, pipes = wire.lay()
    for fault in faults:
        wire.do(fault, "begin")
    pipe: Pipe = pipes["server"]
    for number, chunk in enumerate(chunks):
        pipe.push(number * 0.05, chunk)
    pipe.push(len(chunks) * 0.05, EOF)
    dues, out = [due for due, _ in pipe.queue], []
    while pipe.ready(1e9):
        out.append(pipe.head())
        pipe.advance(1e9, len(out[-1] or b""))
    assert b"".join(out) == b"".join(chunks) and out[-1] == EOF and dues == sorted(dues) and dues[0] >= 0.1
    assert FLOW["server"] == "to_client" and pipe.waiting == 0
    wire.close({})
