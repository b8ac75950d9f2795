"""Notebook 07: its exercises judge by experiment, its two applications do what they say, and what stands below its figures is true."""

import asyncio
import time

import pytest

from labkit import Experiment, Freeze, Peer, Throttle, run
from labkit.exercises import alarms as lab
from labkit.exercises.alarms import TIMERS, blocks, check_blocks, check_repair, in_fragments, in_one, row, work

# exercise 1


@pytest.mark.parametrize(
    ("always", "lucky", "words"),
    [
        (3, 7, ["always: ✓", "lucky: ✓"]),
        (4, 7, ["always: not yet: a block of 3.95 s", "lucky: ✓"]),
        (2, 7, ["always: not yet: 2.05 s are survived", "lucky: ✓"]),
        (3, 4, ["always: ✓", "if they begin at 8.001 s"]),
        (3, 9, ["always: ✓", "survived nowhere"]),
    ],
)
def test_exercise_1_tries_blocks_at_every_phase(always, lucky, words, capsys):
    ax = check_blocks(always, lucky)
    out = capsys.readouterr().out
    assert all(word in out for word in words) and (ax is None) == ("not yet" not in out or "2.05" in out)


@pytest.mark.parametrize("given", [(..., ...), (3, ...), (None, 7)])
def test_exercise_1_left_open_is_your_turn(given, capsys):
    assert check_blocks(*given) is None and "your turn" in capsys.readouterr().out


@pytest.mark.parametrize("given", [("3", 7), (3, True), (-1, 7), (3, float("nan")), (3, 1e9)])
def test_exercise_1_refuses_what_is_no_duration(given, capsys):
    assert check_blocks(*given) is None and "expected two numbers of seconds" in capsys.readouterr().out


def test_the_answer_to_exercise_1_is_a_law():
    killed, survived = blocks(5)
    assert max(survived) < min(killed)  # begun soon enough after a pong it does no harm


# exercise 2


async def threaded(order):
    return await asyncio.to_thread(work, order)


async def naive(order):
    return work(order)


async def parrot(order):
    return order


async def broken(order):
    raise KeyError(order)


async def unfilled(order):
    return ...


@pytest.mark.parametrize(
    ("answer", "words"),
    [(threaded, "✓ two orders"), (naive, "was blocked for"), (parrot, "not what work() finds"), (broken, "raised KeyError")],
)
def test_exercise_2_judges_by_a_run_on_the_loopback_wire(answer, words, capsys):
    ax = check_repair(answer)
    out = capsys.readouterr().out
    assert words in out and ("✓" in out) == (answer is threaded) and ax.alt


def test_a_machine_that_was_too_busy_once_is_not_the_learners_fault(monkeypatch, capsys):
    real, runs = lab.shop, []

    def stalled(handler, orders, answers, until):
        async def stalls(websocket):
            await websocket.recv()
            time.sleep(1.5)

        runs.append(real(handler if runs else stalls, orders, answers, until))
        return runs[-1]

    monkeypatch.setattr(lab, "shop", stalled)
    check_repair(threaded)
    assert "✓ two orders" in capsys.readouterr().out and runs[0].noticed_at("client") is not None


@pytest.mark.parametrize("answer", [unfilled, None])
def test_exercise_2_left_open_is_your_turn(answer, capsys):
    assert check_repair(answer) is None and "your turn" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [work, 3, "to_thread"])
def test_exercise_2_wants_a_coroutine_function(answer, capsys):
    assert check_repair(answer) is None and "expected an `async def`" in capsys.readouterr().out


# what stands below the figures


def test_one_frame_and_twenty():
    for app, pieces in ((in_one, 1), (in_fragments, 21)):  # and an empty last one
        trace = run(Experiment(server=Peer(ping_interval=None), until=10), "virtual", server=app)
        frames = [frame for frame in trace.frames("server") if frame.opcode in ("BINARY", "CONT")]
        assert len(frames) == pieces and sum(frame.size for frame in frames) == lab.BIG


def test_the_four_lines_of_section_4(capsys):
    slow = Throttle(at=1, rate=10_000, direction="to_client")
    for some in ({}, dict(buffer=4096, write_limit=4096)):
        experiment = Experiment(server=Peer(**TIMERS, **some), client=Peer(buffer=some.get("buffer")), faults=[slow], until=24)
        for app in (in_one, in_fragments):
            row(app.__name__, run(experiment, "virtual", server=app))
    lines = capsys.readouterr().out.splitlines()
    assert ["killed at 11 s" in line for line in lines] == [True, True, False, False]
    assert [line.split("slowest answer")[1].strip() for line in lines] == ["7.0 s", "7.0 s", "7.0 s", "0.5 s"]
    assert [line.split("waited")[1].split()[0] for line in lines] == ["0.0", "0.0", "6.5", "0.0"]


def test_the_numbers_of_sections_1_to_3():
    busy = run(Experiment(server=Peer(**TIMERS), faults=[Freeze(at=9, end="client", thaw=20)]), "virtual")
    assert (busy.noticed_at("server"), busy.closed_at("server"), busy.told_at("client")) == (15, 17, 20)
    assert [(one.sent, one.received) for one in busy.raised()] == [(1011, None), (1011, 1011)]
    talk = Peer(ping_interval=None, send_every=0.45, send_size=100)
    unread = run(Experiment(server=talk, client=Peer(**TIMERS, reads=False), until=40), "virtual")
    assert unread.noticed_at("client") == 11 and unread.raised("server")[0].received == 1011
    other = run(Experiment(server=Peer(**TIMERS, send_every=0.45, send_size=100), client=Peer(reads=False), until=40), "virtual")
    assert other.noticed_at("server") == 11  # "if the server pings instead"
