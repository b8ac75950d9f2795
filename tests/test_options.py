"""What a socket is told is what its TCP does: on a kernel's socket, and on one in memory."""

import socket

import pytest

from labkit import Cut, Experiment, Peer, Send, Tcp, run
from labkit.wires.options import IDLE, OPTIONS, SWITCH, answered, asked

PROBES = Tcp(keepalive_idle=20, keepalive_interval=5, keepalive_count=3)
TCPS = [Tcp(), Tcp(user_timeout=30), PROBES, Tcp(keepalive_idle=7, user_timeout=12.5)]


@pytest.mark.parametrize("tcp", TCPS, ids=repr)
def test_what_is_asked_of_a_kernel_s_socket_is_what_it_answers(tcp):
    with socket.socket() as sock:
        for level, option, value in asked(tcp):
            sock.setsockopt(level, option, value)
        names = [SWITCH, *((level, option) for level, option, _ in OPTIONS.values())]
        assert answered(Tcp(), {name: sock.getsockopt(*name) for name in names}) == tcp


def test_so_keepalive_alone_waits_for_two_hours_and_its_idle_time_waits_for_so_keepalive():
    idle = OPTIONS["keepalive_idle"][:2]
    assert answered(Tcp(), {SWITCH: 1}).keepalive_idle == IDLE
    assert answered(Tcp(), {idle: 20}).keepalive_idle is None
    assert answered(PROBES, {SWITCH: 0}).keepalive_idle is None
    assert answered(PROBES, {idle: 40}).keepalive_idle == 40


@pytest.mark.parametrize("tcp", TCPS, ids=repr)
@pytest.mark.parametrize("acts", [[], [Send(at=10)]], ids=["idle", "bytes under way"])
def test_a_handler_s_setsockopt_is_what_the_peer_s_tcp_would_be(tcp, acts):
    async def handler(websocket):
        sock = websocket.transport.get_extra_info("socket")
        for level, option, value in asked(tcp):
            sock.setsockopt(level, option, value)
            assert sock.getsockopt(level, option) == value
        await websocket.recv()

    quiet = Experiment(server=Peer(ping_interval=None), faults=[Cut(at=9), *acts], until=1000)
    told = run(quiet, "virtual", server=handler).told_at("server")
    assert told == run(quiet.but(server=Peer(ping_interval=None, tcp=tcp)), "virtual").told_at("server")
