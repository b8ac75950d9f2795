"""A session waits, acts and asks; and however it is left, it leaves nothing behind."""

import asyncio
import contextlib
import warnings
from types import SimpleNamespace

import pytest
from cases import FLY, small
from machine import both_wires, side_by_side

from labkit import Cut, Experiment, Goodbye, Peer, Send, block, open_run, run
from labkit.engine.session import Session

plain_and_tls = pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])


@both_wires
@plain_and_tls
@pytest.mark.usefixtures("nothing_stays")
def test_many_runs_in_a_row_leave_nothing_behind(wire, tls):
    quick = Peer(ping_interval=0.02, ping_timeout=0.015, close_timeout=0.01)
    cut, polite = Experiment(server=quick, faults=[Cut(0.025)], tls=tls), Experiment(server=Peer(close_at=0.001), tls=tls)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(40 if tls else 200):
            run(cut if number % 5 == 0 else polite, wire)


@both_wires
@plain_and_tls
@pytest.mark.parametrize("blow", [KeyboardInterrupt, RuntimeError])
@pytest.mark.usefixtures("nothing_stays")
def test_an_interrupted_run_leaves_nothing_behind(wire, tls, blow):
    ticks = []

    def tick():
        ticks.append(1)
        if session.now > 0.25 and len(ticks) > 3:
            raise blow

    with pytest.raises(blow), open_run(small(tls=tls), wire) as session:
        session.wait(tick=tick)
    assert session.trace.states("server")[1][1] == "OPEN" and session.trace.frames("server")  # what was seen until then is read


@both_wires
@plain_and_tls
@pytest.mark.usefixtures("nothing_stays")
def test_an_error_inside_an_end_is_raised_by_the_run(wire, tls, monkeypatch):
    async def broken(self, listener):
        raise RuntimeError("no server today")

    monkeypatch.setattr("labkit.ends.with_asyncio.AsyncioEnd.serve", broken)
    with pytest.raises(RuntimeError, match="no server today"):
        run(small(tls=tls), wire)


@both_wires
def test_a_run_works_inside_a_running_loop(wire):
    async def cell():
        task = asyncio.create_task(asyncio.sleep(0))
        trace = run(small(), wire)
        await task
        assert asyncio.get_running_loop() is loop
        return trace

    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(cell()).closed_at("server") is not None
    finally:
        loop.close()


@both_wires
@plain_and_tls
@pytest.mark.usefixtures("nothing_stays")
def test_runs_work_in_threads_side_by_side_each_with_its_own_keys(wire, tls):
    traces = []
    side_by_side(*[lambda: traces.append(run(small(tls=tls), wire))] * 4)
    assert [(trace.closed_at("server") > 0, trace.frames("server")[-1].opcode) for trace in traces] == [(True, "CLOSE")] * 4


@both_wires
def test_what_is_done_to_a_session_is_in_the_trace_and_can_be_run_again(wire):
    with open_run(small(faults=[], until=5), wire) as session:
        session.wait(0.3)
        assert session.state("server") == "OPEN" and session.now >= 0.3
        cut = session.do(Cut(direction="to_client"))
        session.wait(0.02)
        healed = session.finish(cut)
        session.wait(0.02)
        session.do(Goodbye(end="client", code=3000))
        session.wait()
    done = session.trace.experiment.faults
    assert [type(act) for act in done] == [Cut, Goodbye] and done[0] == healed and done[0].heal > done[0].at >= 0.3
    assert session.trace.raised("server")[0].received == 3000
    again = run(session.trace.experiment, "virtual")
    assert again.raised("server")[0].received == 3000


@both_wires
def test_a_run_ends_when_every_end_with_keepalive_has_ended(wire):
    trace = run(small(), wire)
    assert trace.header["ended"] == "the server has ended, and nobody else has keepalive"
    assert trace.end - trace.closed_at("server") < 0.3 and trace.state_at("client", trace.end) == "OPEN"


@both_wires
def test_a_run_ends_at_until(wire):
    trace = run(small(until=0.6), wire)
    assert trace.header["ended"] == "its time was up" and trace.end >= 0.6 and trace.noticed_at("server") is None


@both_wires
def test_a_run_that_nothing_would_end_has_a_limit_of_its_own(wire):
    saved = small(faults=[Cut(0.3, heal=0.32), Cut(0.45, heal=0.5)])
    assert saved.limit == pytest.approx(0.5 + 2 * 0.45)  # two worst cases after the last act
    trace = run(saved, wire)
    assert trace.header["ended"] == "its time was up" and trace.end >= saved.limit - 1e-6


def test_in_virtual_time_a_run_ends_when_nothing_can_happen_and_says_who_waits():
    trace = run(Experiment(server=Peer(ping_interval=None), faults=[Cut(5)]), "virtual")
    assert trace.header["ended"].startswith("nothing can happen any more") and "recv" in trace.header["ended"]


def test_zero_is_the_servers_open_and_the_handshake_has_negative_times():
    trace = run(FLY.but(latency=0.25), "virtual")
    assert trace.states("server") == [(-0.25, "CONNECTING"), (0.0, "OPEN"), (15.0, "CLOSING"), (17.0, "CLOSED")]
    assert trace.states("client")[:2] == [(-0.25, "CONNECTING"), (0.25, "OPEN")]


def test_a_long_run_says_what_goes_on(capsys, monkeypatch):
    from labkit.engine.progress import Living

    with open_run(FLY, "virtual") as session:
        session.wait(12.4)
        sentence = Living(session, guess=13.0).sentence()
        session.wait(4)
        later = Living(session, guess=13.0).sentence()
    assert sentence == "12.4 s · cut 3.4 s ago · server OPEN · client OPEN · your guess in 0.6 s"
    assert later == "16.4 s · cut 7.4 s ago · server CLOSING · client OPEN · your guess was 3.4 s ago"


def test_in_a_notebook_the_sentence_is_one_line_that_changes_in_place(monkeypatch):
    from labkit.engine.progress import _Cell

    shown = []
    handle = SimpleNamespace(update=lambda data, raw: shown.append(("again", data["text/plain"])))
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(("new", data["text/plain"])) or handle)
    cell = _Cell()
    for text in ("1 s", "2 s", ""):
        cell.show(text)
    assert shown == [("new", "1 s"), ("again", "2 s")]


def test_a_session_that_is_only_opened_can_be_left():
    with Session(FLY, "virtual", {"server": None, "client": None}, True) as session:
        pass
    assert session.trace.header["ended"] == "it was left"


def test_the_write_buffer_is_watched_whoever_asked_for_the_sends():
    """By a setting, by an act of the experiment, or by an act of a live session."""
    cut, small_buffer = Cut(at=1), {"ping_interval": None, "buffer": 4096}
    setting = run(Experiment(server=Peer(**small_buffer, send_every=1), faults=[cut], until=9), "virtual")
    act = run(Experiment(server=Peer(**small_buffer), faults=[cut, Send(at=0, every=1)], until=9), "virtual")
    with open_run(Experiment(server=Peer(**small_buffer), faults=[cut], until=9), "virtual") as session:
        session.do(Send(at=0, every=1))
        session.wait()
    assert setting.waiting("server") == act.waiting("server") == session.trace.waiting("server") != []


def test_the_write_buffer_is_watched_under_tls_to_the_end_and_beyond():
    """asyncio lets go of a TLS transport that it has closed; it is empty then."""
    peer, more = Peer(ping_interval=1, ping_timeout=1, close_timeout=1, buffer=4096), Send(at=2.2, size=40_000, every=0.05)
    trace = run(Experiment(server=peer, faults=[Cut(at=1.5, heal=9), more], tls=True, until=12), "virtual")
    assert max(count for _, count in trace.waiting("server")) > 40_000 and trace.waiting("server")[-1][1] == 0


def test_what_was_still_to_come_does_not_happen_while_a_run_is_taken_down():
    async def blocks_at_last(websocket):
        try:
            await websocket.wait_closed()
        finally:
            block(10)  # lets time pass

    with open_run(FLY, "virtual", server=blocks_at_last) as session:
        session.wait(1)
    assert session.wire.now() == 11 and session.going == [] and session.pending


def test_what_the_last_task_of_all_closes_closes_its_socket():
    async def closes_at_last(address):
        _, writer = await asyncio.open_connection(*address)
        for _ in range(4):  # until no other task is left
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        block(10)  # time passes in the very turn in which it closes what it has
        writer.close()

    async def begins_it(websocket):
        task = asyncio.create_task(closes_at_last(websocket.local_address[:2]))
        await asyncio.wait([task])

    with open_run(FLY, "virtual", server=begins_it) as session:
        session.wait(1)
        assert len(session.wire.sockets) == 5  # two connections, and who listens
    assert [sock.name for sock in session.wire.sockets.values() if not sock.closed] == []
