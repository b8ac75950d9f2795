"""Notebook 03: sends are counted, traces are read, and a learner's function says how a program ended: judged by runs."""

import asyncio
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK

from checks import Ledger, check, guess, settle
from checks import silence as lab
from checks.silence import SMALL, TALK, mystery, returned, tally
from labkit import Cut, Experiment, Peer, Tcp, run
from labkit.theory import sends_into_a_cut

TINY = TALK.but(server=replace(SMALL, send_size=10), until=300)
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def tiny():
    return run(TINY, "virtual")


@pytest.fixture(scope="module")
def big():
    return run(TALK, "virtual")


@pytest.fixture(scope="module")
def healed():
    return run(TALK.but(faults=[Cut(5, heal=30)]), "virtual")


@pytest.fixture(scope="module")
def told():
    programs = {"A": {}, "B": dict(reads=False, send_every=1, send_size=10), "C": dict(reads=False)}
    return {name: run(Experiment(server=Peer(4, 3, 2, **habits), faults=[Cut(at=9)]), "virtual") for name, habits in programs.items()}


def said(capsys, id, *answers):
    picture = check(id, *answers)
    return capsys.readouterr().out, picture


# guesses


@pytest.mark.parametrize(
    ("sends", "words"),
    [(295, "– right"), (0, "asks nobody"), (3, "your own machine has the bytes"), (900, "once a second")],
)
def test_a_guess_about_sends_is_answered_by_belief(sends, words, tiny, capsys):
    settle(guess("03 sends before an error", sends), tiny)
    out = capsys.readouterr().out
    assert words in out and "it was 296" in out and Ledger().entries()


def test_the_votes_are_settled_by_runs(big, healed, told, capsys):
    settle(guess("03 without room", "waits"), big)
    settle(guess("03 after healing", "arrive"), healed)
    settle(guess("03 who is never told", "C"), told)
    assert capsys.readouterr().out.count("– right") == 3
    assert lab.all_home(big) == "lost" and lab.without_room(run(TALK.but(until=1200), "virtual")) == "raises"


def test_the_count_says_what_became_of_every_send(tiny, big, healed, capsys):
    for trace in (tiny, big, healed):
        tally(trace)
    first, second, third = capsys.readouterr().out.split("from the cut")[1:]
    assert first.split() == "at 5 s until 300 s 296 send() returned 0 send() raised 0 messages arrived".split()
    assert "8 send() returned\n     1 send() waits, since 13.0 s" in second
    assert "18 messages arrived, the first at 31.9 s" in third and "waits" not in third


# exercises


@pytest.mark.parametrize(("answer", "words"), [(12, "✓"), *lab.COUNTS.items(), (10, lab.HOW_MANY), (99, "an earlier one did not return")])
def test_a_number_of_sends_is_right_or_told_its_belief(answer, words, capsys):
    out, picture = said(capsys, "03 one reservoir grows", answer)
    assert words in out and ("✓" in out) == (answer == 12)
    assert picture is None  # the picture of the run would show the answer
    assert "12" not in out or answer == 12


def test_theory_and_runs_agree_on_the_number_of_sends():
    assert sends_into_a_cut(lab.WIDER) == 12 == len(returned(run(lab.WIDER, "virtual")))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_mystery_holds_no_trace_of_what_was_done_and_rules_out_what_was_not(number, capsys):
    trace = mystery(number)
    assert trace.experiment.faults == () and not trace.select("act")
    assert not any(word in str(trace) for word in ("cut", "Throttle", "StopReading", "Goodbye"))
    truth = lab.HIDDEN[number - 1]
    for cause in lab.HIDDEN:
        answers = [*lab.HIDDEN[: number - 1], cause, *lab.HIDDEN[number:]]
        out, _ = said(capsys, "03 what was it", *answers)
        assert ("not yet – what was it, number" in out) == (cause != truth)


async def by_exceptions(program):
    try:
        await program
    except ConnectionClosedOK:
        return "goodbye"
    except ConnectionClosed:
        return "lost"
    except TimeoutError:
        return "silence"
    return "goodbye"


async def by_questions(program):
    try:
        await program
        ended = "goodbye"
    except (ConnectionClosed, asyncio.TimeoutError) as problem:
        ended = "silence"
        if isinstance(problem, ConnectionClosed):
            ended = "goodbye" if problem.rcvd and problem.rcvd.code in (1000, 1001) else "lost"
    return ended


@pytest.mark.parametrize("ending", [by_exceptions, by_questions])
def test_a_function_that_knows_all_ways_passes_however_it_is_written(ending, capsys):
    out, _ = said(capsys, "03 told", ending)
    assert out.count("✓") == 7


async def only_an_exception(program):
    try:
        await program
    except ConnectionClosed:
        return "lost"
    except TimeoutError:
        return "silence"


async def closed_is_lost(program):
    try:
        await program
    except ConnectionClosed:
        return "lost"
    except TimeoutError:
        return "silence"
    return "goodbye"


async def no_clock(program):
    try:
        await program
    except ConnectionClosedError:
        return "lost"
    except ConnectionClosedOK:
        pass
    return "goodbye"


async def hides_everything(program):
    try:
        return await by_exceptions(program)
    except Exception:
        return "lost"


async def nothing(program):
    pass


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (only_an_exception, "a loop, a goodbye: The loop ended, with no exception. Your function said None"),
        (closed_is_lost, "send() raised ConnectionClosedOK. Your function said 'lost'"),
        (no_clock, "own timeout was over. Your function let TimeoutError() through"),
        (hides_everything, "the program had a mistake of its own"),
        (nothing, "Your function said None"),
        (..., "your turn"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine 'listens' was never awaited")
def test_a_function_that_misses_a_way_is_told_which(ending, words, capsys):
    out, _ = said(capsys, "03 told", ending)
    assert words in out and not out.splitlines()[-1].startswith("✓")


# what the notebook claims


def test_a_message_that_met_a_cut_arrives_in_order():
    got = []

    async def count(websocket):
        for number in range(30):
            await websocket.send(f"{number:>1000}")
            await asyncio.sleep(1)
        await asyncio.sleep(30)

    async def keep(websocket):
        async for message in websocket:
            got.append(int(message))

    run(TALK.but(server=replace(SMALL, send_every=None), faults=[Cut(5, heal=30)], until=60), "virtual", server=count, client=keep)
    assert got == list(range(30))


def test_who_is_told_and_who_never_is(told):
    assert {trace.closed_at("server") for trace in told.values()} == {17}
    assert {name: trace.told_at("server") for name, trace in told.items()} == {"A": 17, "B": 17, "C": None}


def test_what_stands_below_the_reservoirs_is_true(big, tiny):
    assert big.waiting("server")[-1] == (13, 4940) and 9 * 1004 - 4940 == 4096
    assert len(returned(big)) == 8 and big.raised() == [] == tiny.raised()
    assert sum(frame.arrived_at is not None for frame in big.frames("server")) == 5


def test_what_stands_below_the_healed_reservoirs_is_true(healed):
    got = [t for t in lab.messages(healed, "client", "received") if t > 5]
    tries = [event.t for event in healed.select("retransmission", "server", "tcp")]
    assert tries[-2:] == pytest.approx([18.44, got[0]]) and got[0] == pytest.approx(31.88)
    assert got[1:10] == [pytest.approx(got[0] + 0.04)] * 9 and healed.raised() == []


def test_what_it_says_of_tcp_that_gives_up():
    trace = run(TALK.but(until=1200), "virtual")
    raised = [one for one in trace.raised("server") if one.awaiting == "send"]
    assert len(raised) == 1 and "Connection timed out" in raised[0].cause and 15.5 * 60 < raised[0].t - 5 < 16 * 60
    assert trace.noticed_at("client") is None
    assert sends_into_a_cut(Experiment(server=Peer(ping_interval=None, send_size=10))) > 2 * Tcp().retries_at(0).gives_up


def test_the_loopback_wire_agrees_on_how_it_ends_but_not_on_the_count():
    fast = TALK.but(server=replace(SMALL, send_every=0.02), faults=[Cut(at=0.51)], until=2)
    trace = run(fast, "loopback")
    assert trace.noticed_at("server") is None and trace.raised() == []
    assert returned(trace) and lab.waits_since(trace) is not None
