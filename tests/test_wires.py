"""One body of tests for both wires: they agree on order and verdict; and in virtual time the times are exact.

On the loopback wire the timers are small and only order is asserted, never how late a busy machine was.
"""

import asyncio
import socket

import pytest
from cases import FLY, small
from machine import both_wires, in_real_time

from labkit import Cut, Experiment, Freeze, Goodbye, Leave, Peer, Send, StopReading, Suspend, Tcp, compare, predict, run
from labkit.engine.session import Session


def opcodes(trace, sender):
    """What a sender put into the wire after the opening handshake: (opcode, whether it arrived)."""
    return [(frame.opcode, frame.arrived_at is not None) for frame in trace.frames(sender)]


@both_wires
def test_a_cut_that_is_never_healed(wire):
    trace = run(small(), wire)
    # 0.2, 0.4: pings come home; 0.45: cut; 0.6: the ping is stuck; 0.75: noticed; 0.85: closed and told
    assert opcodes(trace, "server") == [("PING", True), ("PING", True), ("PING", False), ("CLOSE", False)]
    stuck = trace.frames("server")[2]
    assert 0.45 <= stuck.sent_at < trace.noticed_at("server") < trace.closed_at("server") <= trace.told_at("server")
    assert [trace.noticed_at("client"), trace.closed_at("client"), trace.told_at("client")] == [None] * 3
    (error,) = trace.raised()
    assert (error.end, error.awaiting, error.type, error.code, error.sent, error.received) == (
        "server",
        "recv",
        "ConnectionClosedError",
        1006,
        1011,
        None,
    )
    assert error.text == "sent 1011 (internal error) keepalive ping timeout; no close frame received"
    assert error.cause.startswith("TimeoutError")


@both_wires
def test_a_cut_healed_in_time_is_noticed_by_nobody_and_nothing_is_lost(wire):
    # 0.6: the ping is stuck; 0.81: TCP tries again; 0.9: its time would run out
    patient = Peer(ping_interval=0.2, ping_timeout=0.3, close_timeout=0.1)
    trace = run(small(server=patient, faults=[Cut(0.45, heal=0.68)], until=0.95), wire)
    assert trace.noticed_at("server") is None and trace.noticed_at("client") is None
    late = [frame for frame in trace.frames("server") if frame.arrived_at and frame.arrived_at - frame.sent_at > 0.03]
    assert [frame.opcode for frame in late] == ["PING"] and late[0].arrived_at >= late[0].sent_at + 0.21 - 1e-9 > 0.68


@both_wires
def test_healed_too_late_the_client_learns_of_an_old_quarrel(wire):
    trace = run(small(faults=[Cut(0.45, heal=1.2)]), wire)
    assert trace.closed_at("server") < 1.2 <= trace.noticed_at("client")
    (error,) = trace.raised("client")
    assert (error.code, error.received, error.sent) == (1011, 1011, 1011) and error.text.startswith("received 1011")
    assert "PONG" in [frame.opcode for frame in trace.frames("client") if frame.sent_at >= 1.2]  # it answers the old ping first
    assert trace.header["ended"] == "both ends have ended"


@both_wires
def test_a_cut_to_the_client_only(wire):
    trace = run(small(faults=[Cut(0.45, direction="to_client")]), wire)
    assert trace.noticed_at("server") is not None and trace.noticed_at("client") is None
    assert opcodes(trace, "client") == [("PONG", True), ("PONG", True)]


@both_wires
def test_a_cut_to_the_server_only_lets_the_client_hear_the_goodbye(wire):
    trace = run(small(faults=[Cut(0.45, direction="to_server")]), wire)
    assert opcodes(trace, "server") == [("PING", True), ("PING", True), ("PING", True), ("CLOSE", True)]
    assert opcodes(trace, "client") == [("PONG", True), ("PONG", True), ("PONG", False), ("CLOSE", False)]
    assert trace.raised("client")[0].received == 1011 and trace.raised("server")[0].received is None


@both_wires
def test_a_socket_that_is_closed_answers_whatever_comes_late_with_a_reset(wire):
    """Once is not enough: the first resets meet the cut, and are gone."""
    client = Peer(ping_interval=0.2, ping_timeout=0.15, close_timeout=0.1)
    acts = [Cut(0.45, direction="to_server", heal=1.5), Send(0.15, size=10, every=0.1)]
    trace = run(Experiment(Peer(ping_interval=9), client, faults=acts, until=3), wire)
    resets = [event for event in trace.select("reset") if event.data["step"] == "sent"]
    assert trace.closed_at("client") < 1.5 < trace.noticed_at("server")
    assert len(resets) == 1 and "reset" in trace.raised("server")[0].cause


@both_wires
def test_a_run_is_over_when_its_keepers_have_ended_whatever_a_survivor_would_still_say(wire):
    """0.6: the ping is stuck; 0.75: noticed; 0.85: closed, and the run is over; 0.9: the client would meet a reset."""
    acts = [Cut(0.45, direction="to_server"), Send(0.1, end="client", size=10, every=0.2)]
    trace = run(small(faults=acts, until=3), wire)
    assert trace.header["ended"] == "the server has ended, and nobody else has keepalive"
    assert trace.raised("client") == [] or [error.awaiting for error in trace.raised("client")] == ["recv"]
    assert max(event.t for event in trace.events) <= trace.end < 0.9


@both_wires
def test_a_frozen_end_is_frozen_until_its_last_freeze_is_over(wire):
    acts = [Freeze(0.1, thaw=0.3), Freeze(0.2, thaw=0.5)]
    trace = run(small(faults=acts, until=0.7), wire)
    assert trace.frames("server")[0].sent_at >= 0.5


@pytest.mark.parametrize("tls", [False, True])
def test_nobody_waits_for_a_full_segment(tls):
    """Nagle's algorithm is off at both ends, as asyncio promises."""
    found = []

    async def look(websocket):
        sock = websocket.transport.get_extra_info("socket")
        found.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await websocket.wait_closed()

    run(small(tls=tls), "loopback", server=look, client=look, progress=False)
    assert len(found) == 2 and all(found)


@both_wires
def test_keepalive_on_both_sides_lets_both_notice(wire):
    trace = run(small(client=Peer(ping_interval=0.2, ping_timeout=0.15, close_timeout=0.1)), wire)
    for end in ("server", "client"):
        assert 0.45 < trace.noticed_at(end) < trace.closed_at(end) <= trace.told_at(end)
        assert trace.raised(end)[0].sent == 1011


@both_wires
@pytest.mark.parametrize("end", ["server", "client"])
def test_a_goodbye_reaches_the_other_end_with_its_code_and_reason(wire, end):
    trace = run(small(faults=[Goodbye(0.3, end=end, code=1001, reason="lunch")]), wire)
    other = {"server": "client", "client": "server"}[end]
    assert trace.raised(end)[0].text == "sent 1001 (going away) lunch; then received 1001 (going away) lunch"
    assert trace.raised(other)[0].text == "received 1001 (going away) lunch; then sent 1001 (going away) lunch"
    assert [frame.code for frame in trace.frames() if frame.opcode == "CLOSE"] == [1001, 1001]
    assert {error.type for error in trace.raised()} == {"ConnectionClosedOK"}
    assert any(event.what == "returned" and event.data["call"] == "close" for event in trace.events if event.where == end)


@both_wires
def test_an_application_that_does_not_read_is_closed_and_never_told(wire):
    trace = run(small(server=Peer(ping_interval=0.2, ping_timeout=0.15, close_timeout=0.1, reads=False)), wire)
    assert trace.closed_at("server") is not None and trace.told_at("server") is None


@both_wires
def test_messages_arrive_and_an_application_can_stop_reading_and_resume(wire):
    acts = [Send(0.1, end="client", size=10, every=0.05, until=0.42), StopReading(0.2, end="server", resume=0.6)]
    trace = run(small(faults=acts, until=0.75), wire)
    got = [event.t for event in trace.select("message", "server") if event.data["step"] == "received"]
    sent = [event.t for event in trace.select("message", "client") if event.data["step"] == "sent"]
    assert len(got) == len(sent) == len([f for f in trace.frames("client") if f.opcode == "BINARY"])
    assert not [t for t in got if 0.3 < t < 0.6] and [t for t in got if t >= 0.6]


@both_wires
def test_a_cut_builds_backpressure_until_drain_waits_and_keepalive_never_fires(wire):
    """Seen in websockets 17.4: with drain() blocked before the next ping, the server stays OPEN for as long as the cut lasts."""
    flood = Peer(ping_interval=0.4, ping_timeout=0.2, close_timeout=0.1, buffer=4096, write_limit=8192, send_size=40_000, send_every=0.02)
    trace = run(Experiment(server=flood, client=Peer(buffer=4096), faults=[Cut(0.1)], until=1.3), wire)
    assert trace.noticed_at("server") is None and trace.told_at("server") is None
    assert max(count for _, count in trace.waiting("server")) > 8192
    pings = [event for event in trace.select("sent", "server", "log") if event.data.get("opcode") == "PING"]
    assert len(pings) == 1  # written into the buffer, and its timer never started
    assert not [event for event in trace.select("keepalive", "server") if event.t > 0.1]


@both_wires
def test_a_handler_of_ones_own_is_run_and_its_source_kept(wire):
    async def handler(websocket):
        await websocket.send("hello")
        await websocket.recv()

    async def client(websocket):
        assert await websocket.recv() == "hello"
        await websocket.close(3001, "enough")

    trace = run(small(faults=[], until=5), wire, server=handler, client=client)
    assert trace.raised("server")[0].received == 3001 and trace.raised("server")[0].awaiting == "recv"
    assert "enough" in trace.header["sources"]["client"]


@both_wires
def test_a_handler_that_raises_closes_with_1011_and_one_that_returns_with_1000(wire):
    async def raises(websocket):
        raise KeyError("oops")

    async def returns(websocket):
        pass

    assert run(small(faults=[], until=5), wire, server=raises).raised("client")[0].received == 1011
    assert run(small(faults=[], until=5), wire, server=returns).raised("client")[0].received == 1000


@both_wires
def test_the_witnesses_agree(wire):
    """What the log says was sent, the tap saw; what the log says was received, the tap saw arrive; in the same order."""
    for experiment in (small(), small(faults=[Cut(0.45, heal=1.2)]), small(faults=[Goodbye(0.3)])):
        trace = run(experiment, wire)
        for end in ("server", "client"):
            logged = [
                (e.data["opcode"], e.data.get("size"), e.data.get("code"))
                for e in trace.select("sent", end, "log")
                if e.data["opcode"] != "EOF"
            ]
            tapped = [(f.opcode, f.size, f.code) for f in trace.frames(end)]
            if trace.select("reset"):  # what was written just before a reset may never have reached the wire
                logged = logged[: len(tapped)]
            assert logged == tapped
        got = [e.data["opcode"] for e in trace.select("got", "client", "log") if e.data["opcode"] != "EOF"]
        assert got == [f.opcode for f in trace.frames("server") if f.arrived_at is not None][: len(got)]
        told = [e.t for e in trace.select("raised", "server")]
        assert not told or told[0] >= trace.closed_at("server") - 1e-9
        assert [state for _, state in trace.states("server")][:2] == ["CONNECTING", "OPEN"]


@both_wires
def test_what_keepalive_measures_is_recorded(wire):
    trace = run(small(latency=0.01), wire)
    assert len(trace.latencies("server")) == 2 or wire == "loopback"  # a machine that stalls for 0.15 s makes a false alarm there
    assert trace.latencies("server") and all(latency >= 0.02 - 1e-9 for _, latency in trace.latencies("server"))


@both_wires
def test_a_run_that_is_not_recorded_still_tells_what_the_applications_saw(wire):
    trace = run(small(), wire, record=False)
    assert trace.told_at("server") is not None and trace.frames() == [] and trace.log("server") == []


@both_wires
def test_compression_is_off_unless_asked_for(wire):
    sends = small(faults=[Send(0.1, size=5000)], until=0.2)
    assert [f.size for f in run(sends, wire).frames("server")][0] == 5000
    asked = run(sends.but(compression=True), wire)
    assert [f.opcode for f in asked.frames("server")][0] == "BINARY" and "permessage-deflate" in "".join(asked.log("server"))


def test_the_fruit_fly_is_exact_in_virtual_time():
    virtual = run(FLY, "virtual")
    assert [virtual.noticed_at("server"), virtual.closed_at("server"), virtual.told_at("server")] == [15, 17, 17]
    assert virtual.frames("server")[2].sent_at == 12


@pytest.mark.long
@in_real_time
def test_the_fruit_fly_is_within_50_ms_in_real_time():
    assert compare(run(FLY, "loopback"), predict(FLY)).worst < 0.05


def test_two_virtual_runs_are_the_same_but_for_payloads():
    def events(trace):
        return [
            (e.t, e.where, e.witness, e.what, e.data.get("state"), e.data.get("opcode"), e.data.get("arrived_at")) for e in trace.events
        ]

    busy = FLY.but(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=0.3), latency=0.1)
    assert events(run(busy, "virtual")) == events(run(busy, "virtual"))


def test_payloads_are_seeded():
    def payloads(seed):
        return [f.payload for f in run(small(faults=[Send(0.1)], until=0.2, seed=seed), "virtual").frames("server")][0]

    assert payloads(1) == payloads(1) != payloads(2)


def test_what_a_wire_cannot_do_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="loopback.*virtual.*'carrier pigeon'"):
        run(FLY, "carrier pigeon")
    with pytest.raises(ValueError, match="never end on the loopback wire.*until.*virtual"):
        run(Experiment(server=Peer(ping_interval=None)), "loopback")
    with pytest.raises(TypeError, match="Experiment"):
        run("fly")


@both_wires
def test_a_timeout_of_the_handlers_own_names_the_call_that_it_interrupted(wire):
    async def impatient(websocket):
        async with asyncio.timeout(0.05):
            await websocket.recv()

    (error, *_) = run(small(faults=[], until=2), wire, server=impatient).raised("server")
    assert (error.type, error.awaiting) == ("TimeoutError", "recv")


@both_wires
def test_tcp_gives_up_and_where_the_forwarder_acknowledges_it_can_only_reset(wire):
    """0.4: the ping is stuck; 0.61, 0.82, 1.24: tried again; 1.32: given up, 0.5 s after the second try."""
    patient = Peer(ping_interval=0.4, ping_timeout=None, tcp=Tcp(user_timeout=0.5))
    trace = run(Experiment(patient, Peer(ping_interval=None), faults=[Cut(0.3)], until=3), wire)
    cause = {"virtual": "TimeoutError", "loopback": "ConnectionResetError"}[wire]
    assert trace.raised("server")[0].cause.startswith(cause)
    seen = [event for event in trace.events if event.witness == "tcp"]
    assert [event.what for event in seen] == ["retransmission"] * 3 + ["gave_up"]
    assert 1.3 < seen[-1].t <= trace.told_at("server")


# an end that is not there, or does not wait


@both_wires
def test_a_machine_that_sleeps_has_its_timers_left_and_is_tried_again_when_it_wakes(wire):
    """0.8: the ping is lost; 1: the client wakes; 1.01: the server's TCP tries again; its ping_timeout would be over at 1.2."""
    patient = Peer(ping_interval=0.4, ping_timeout=0.4, close_timeout=0.1)
    trace = run(Experiment(patient, faults=[Suspend(0.6, end="client", wake=0.95)], until=1.3), wire)
    late = [frame for frame in trace.frames("server") if frame.arrived_at and frame.arrived_at - frame.sent_at > 0.03]
    assert [frame.opcode for frame in late] == ["PING"] and late[0].arrived_at >= 1.01
    assert trace.noticed_at("server") is None


@both_wires
def test_the_clock_of_a_machine_that_sleeps_stands_still(wire):
    """0.4: ping and pong; 0.5: the client sleeps, for 0.7 s; its next ping is due at 0.8, and comes at 1.5."""
    keeper = Peer(ping_interval=0.4, ping_timeout=0.3, close_timeout=0.1)
    trace = run(Experiment(Peer(ping_interval=None), keeper, faults=[Suspend(0.5, end="client", wake=1.2)], until=1.7), wire)
    assert [frame.opcode for frame in trace.frames("client")] == ["PING", "PING"]
    assert trace.frames("client")[1].sent_at >= 1.5
    assert trace.noticed_at("client") is None


@both_wires
def test_whoever_leaves_sends_close_and_waits_for_nothing(wire):
    trace = run(small(faults=[Leave(0.3, end="client", code=1001)]), wire)
    told = {error.end: (error.code, error.received) for error in trace.raised()}
    assert told == {"client": (1006, None), "server": (1001, 1001)}
    if wire == "virtual":  # a real kernel may be done before the answer comes
        assert trace.select("reset")  # a socket that is gone


def test_two_that_let_a_machine_sleep_are_one_sleep():
    keeper = Peer(ping_interval=4, ping_timeout=3)
    faults = [Suspend(5, end="client", wake=15), Suspend(8, end="client", wake=25)]
    trace = run(Experiment(Peer(ping_interval=None), keeper, faults=faults, until=40), "virtual")
    assert [frame.sent_at for frame in trace.frames("client") if frame.opcode == "PING"] == [4, 28, 32, 36, 40]


@pytest.mark.parametrize("act", [Leave(1), Suspend(1)])
def test_only_asyncio_can_leave_or_sleep(act):
    with pytest.raises(ValueError, match="the trio implementation cannot do"):
        Session(small(faults=[act]), "loopback", {}, True, "trio")
