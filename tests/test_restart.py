"""Many clients and a server that goes and comes back: what is witnessed, and that unchanged code dials in virtual time."""

import asyncio
import os
import random
import socket
import threading

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from labkit import Cut, Experiment, Goodbye, Peer, Reset, run
from labkit.many.crowds import Attempt, Crowd, Restart, crowd
from labkit.wires.loop import VirtualTimeError
from labkit.wires.virtual import VirtualWire


async def loyal(uri, number):
    async for websocket in connect(uri):
        await websocket.wait_closed()


async def every_3_s(uri, number):
    while True:
        try:
            async with connect(uri) as websocket:
                await websocket.wait_closed()
        except OSError:
            pass
        await asyncio.sleep(3)


def test_of_two_restarts_the_last_one_brings_the_server_back():
    acts = [Restart(at=20, back=30), Restart(at=22, back=25, how="killed")]
    seen = crowd(every_3_s, clients=5, acts=acts, until=60)
    assert min(opening.t for opening in seen.openings if opening.t > 20) == 32
    again = crowd(every_3_s, clients=5, acts=[Restart(at=20, back=30), Restart(at=30, back=40)], until=60)
    assert min(opening.t for opening in again.openings if opening.t > 20) >= 40


# what clients do


def test_clients_that_dial_every_3_s_stay_in_step_for_ever():
    seen = crowd(every_3_s, clients=50, acts=[Restart(at=20, back=30)], until=60)
    assert seen.per_second(20) == {23: 50, 26: 50, 29: 50, 32: 50} and seen.peak() == (50, 23)
    assert [a.refused for a in seen.attempts if a.t >= 20] == [True] * 150 + [False] * 50
    assert seen.all_back(20) == 32


def test_the_iterator_of_websockets_17_has_no_jitter_before_its_first_attempt():
    """Last seen in websockets 17.4: the day this fails, notebook 09 has to tell another story."""
    seen = crowd(loyal, clients=50, acts=[Restart(at=20, back=40)], until=39)
    at_once = [a for a in seen.attempts if a.t == 20]
    assert len(at_once) == 50 and all(a.refused for a in at_once)
    second = [a.t for a in seen.attempts if 20 < a.t <= 25][:50]
    assert len(second) == 50 and max(second) - min(second) > 3.5  # then its 5 s of jitter
    first_gap = {c: [a.t for a in seen.attempts if a.client == c and a.t > 20][:2] for c in range(50)}
    assert all(b - a == pytest.approx(3.1) for a, b in first_gap.values())


def test_every_client_is_let_in_again():
    seen = crowd(loyal, clients=20, acts=[Restart(at=5, back=7), Restart(at=30, back=31)], until=60)
    assert [one.client for one in seen.openings[:20]] == list(range(20))
    assert len(seen.openings) == 60 and 7 < seen.all_back(5) < 20 and 31 < seen.all_back(30)
    assert seen.all_back(59) is None


@pytest.mark.parametrize(("how", "kind"), [("goodbye", ConnectionClosedOK), ("killed", ConnectionClosedError)])
def test_a_server_says_goodbye_or_is_killed(how, kind):
    async def once(uri, number):
        async with connect(uri) as websocket:
            await websocket.recv()

    seen = crowd(once, clients=3, acts=[Restart(at=5, back=6, how=how)], until=30)
    assert [(p.t, p.client, type(p.error)) for p in sorted(seen.problems, key=lambda p: p.client)] == [(5, n, kind) for n in range(3)]
    assert (seen.problems[0].error.rcvd is not None) == (how == "goodbye") and seen.end < 30


def test_no_code_of_a_killed_server_runs_any_more():
    told = []

    async def handler(websocket):
        try:
            await websocket.recv()
        except ConnectionClosed as problem:
            told.append(problem)

    crowd(loyal, handler, clients=3, acts=[Restart(at=5, back=6, how="killed")], until=10)
    assert told == []
    crowd(loyal, handler, clients=3, acts=[Restart(at=5, back=6)], until=10)
    assert len(told) == 3


def test_who_is_not_answered_for_the_opening_is_a_problem_or_tries_again():
    async def once(uri, number):
        async with connect(uri, open_timeout=4):
            pass

    seen = crowd(once, acts=[Cut(at=0)], apart=0, until=30)
    assert [(p.t, type(p.error)) for p in seen.problems] == [(4, TimeoutError)] and seen.openings == ()


@pytest.mark.parametrize(("status", "fatal"), [(500, False), (502, False), (503, False), (504, False), (403, True), (404, True)])
def test_the_iterator_tries_again_when_the_server_is_at_fault_only(status, fatal):
    seen = crowd(loyal, process_request=lambda connection, _: connection.respond(status, "no"), until=60)
    assert [type(p.error) for p in seen.problems] == [InvalidStatus] * fatal and (len(seen.attempts) == 1) == fatal


def test_who_is_refused_and_dials_again_without_a_pause_is_told():
    async def hasty(uri, number):
        while True:
            try:
                async with connect(uri) as websocket:
                    await websocket.wait_closed()
            except OSError:
                pass

    with pytest.raises(VirtualTimeError, match="turns at one instant"):
        crowd(hasty, acts=[Restart(at=2, back=3)], until=5)


def test_a_reset_of_the_wire_meets_everybody():
    seen = crowd(loyal, clients=5, acts=[Reset(at=5)], until=30)
    assert len(seen.openings) == 10 and all(5 <= one.t < 11 for one in seen.openings[5:])


# one run like another, and nothing left behind


def test_a_seed_gives_one_run_and_another_seed_another():
    one, two, three = (crowd(loyal, clients=20, acts=[Restart(at=5, back=12)], until=40, seed=seed) for seed in (1, 1, 2))
    assert one == two and one.attempts != three.attempts


def test_chance_and_environment_are_as_they_were(monkeypatch):
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    random.seed(5)
    expected = random.Random(5).random()
    assert crowd(loyal, until=5).openings != ()  # the proxy was not asked
    assert random.random() == expected and os.environ["no_proxy"] == "example.org" and "NO_PROXY" not in os.environ


def test_a_client_that_has_returned_ends_the_run_and_leaves_no_thread():
    async def short(uri, number):
        async with connect(uri):
            await asyncio.sleep(2)

    threads = threading.active_count()
    assert crowd(short, clients=2, until=600).end < 3
    assert crowd(short, acts=[Cut(0.5, heal=1)], until=20, wire="loopback").problems == ()
    assert threading.active_count() == threads


def test_clients_that_are_still_inside_of_the_iterator_are_taken_down_without_a_word(capfd):
    async def inside(uri, number):
        async for websocket in connect(uri):
            async for _ in websocket:
                pass
            raise KeyError  # and the iterator is left half-way

    crowd(loyal, clients=3, acts=[Restart(at=1, back=90)], until=10)
    crowd(inside, clients=3, acts=[Restart(at=1, back=90)], until=10)
    assert capfd.readouterr() == ("", "")


def test_a_crowd_runs_inside_a_running_loop():
    async def cell():
        return crowd(loyal, until=5)

    assert len(asyncio.run(cell()).openings) == 1


# what is refused


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (dict(clients=0), "at least one client"),
        (dict(clients=True), "at least one client"),
        (dict(acts=[Goodbye(at=5)]), "Restart, a Freeze or a fault"),
        (dict(acts=[Cut()]), "each with its time"),
        (dict(acts=[Restart(at=5)], wire="loopback"), "virtual wire only"),
        (dict(until=0), "until"),
        (dict(wire="carrier pigeon"), "loopback"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(wrong, words):
    with pytest.raises(ValueError, match=words):
        crowd(loyal, **wrong)


def test_a_restart_ends_after_it_begins_and_in_one_of_two_ways():
    with pytest.raises(ValueError, match="Restart.back"):
        Restart(at=5, back=5)
    with pytest.raises(ValueError, match="'goodbye' or 'killed'"):
        Restart(at=5, how="softly")
    assert repr(Restart(at=5, back=6)) == "Restart(at=5, back=6)"


def test_a_crowd_says_itself_in_a_sentence():
    seen = Crowd(3, (Restart(at=2, back=4),), 9.0, (Attempt(0.5, 0, False), Attempt(2.5, 0, True), Attempt(2.6, 1, True)), (), ())
    assert repr(seen) == "<Crowd of 3: 3 attempts to connect, 2 refused, at most 2 in a second, from 2 s>"
    assert seen.per_second() == {0: 1, 2: 2} and seen.peak(since=0) == (2, 2)
    assert Crowd(1, (), 0.0, (), (), ()).peak() == (0, 0)


# unchanged code on the virtual wire


def test_connect_and_serve_with_a_host_and_a_port_are_on_the_virtual_wire():
    got = []

    async def dialling(websocket):
        async with connect("ws://localhost:8765", proxy=None) as another:  # from within a handler
            got.append(another.remote_address)

    run(Experiment(Peer(ping_interval=None), until=5), "virtual", client=dialling)
    assert got == [("127.0.0.1", 8765)]


def wire_and(program):
    """What a coroutine gives that runs on the client's side of a virtual wire without a server."""
    wire, given = VirtualWire(0.0, {"server": None, "client": None}), []

    async def kept(_):
        try:
            given.append(await program())
        except Exception as problem:
            given.append(problem)

    wire.start("client", kept)
    try:
        wire.wait(lambda: bool(given), 60)
    finally:
        wire.close({})
    return given[0]


def test_who_dials_another_port_is_refused_as_by_tcp():
    async def program():
        await connect("ws://localhost:1", proxy=None)

    problem = wire_and(program)
    assert isinstance(problem, ConnectionRefusedError)


def test_who_dials_another_host_hears_that_there_is_none():
    async def program():
        await connect("ws://example.org", proxy=None)

    problem = wire_and(program)
    assert isinstance(problem, socket.gaierror) and "localhost" in str(problem)


def test_a_port_is_listened_at_once_only_and_again_when_it_is_free():
    async def nothing(websocket):
        pass

    async def program():
        async with serve(nothing, "localhost", 8765):
            with pytest.raises(OSError, match="listens already"):
                await serve(nothing, "localhost", 8765)
            async with connect("ws://localhost:8765", proxy=None) as websocket:
                await websocket.wait_closed()
        async with serve(nothing, "127.0.0.1", 8766), connect("ws://127.0.0.1:8766", proxy=None) as websocket:
            await websocket.wait_closed()
        return "both"

    assert wire_and(program) == "both"
