"""Notebook 03: the count of sends, the exercises with their beliefs, and the claims that stand below its figures."""

import asyncio
from pathlib import Path

import pytest

from labkit import Cut, Experiment, Peer, Tcp, run
from labkit.exercises import Ledger
from labkit.exercises import silence as lab
from labkit.exercises.silence import check_mysteries, check_patience, check_sends, guess_sends, mystery, settle_sends, tally
from labkit.theory import sends_into_a_cut
from labkit.values.experiment import CAPACITY

SMALL = dict(ping_interval=None, buffer=4096, write_limit=4096)
TINY = Experiment(server=Peer(**SMALL, send_size=10, send_every=1), client=Peer(buffer=4096), faults=[Cut(at=5)], until=300)
BIG = TINY.but(server=Peer(**SMALL, send_size=1000, send_every=1), until=40)
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "03_silence.ipynb"
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def tiny():
    return run(TINY, "virtual")


@pytest.fixture(scope="module")
def big():
    return run(BIG, "virtual")


def returned(trace, end="server"):
    """How many sends of an end returned since the cut."""
    return len([e for e in trace.select("message", end) if e.data["step"] == "sent" and e.t >= trace.experiment.cuts[0].start])


# the guess and the count


def test_an_empty_guess_about_sends_settles_nothing(tiny, capsys):
    settle_sends(guess_sends("q"), tiny)
    out = capsys.readouterr().out
    assert out.count("no guess made") == 2 and Ledger().entries() == {}


@pytest.mark.parametrize("odd", ["soon", True, -1, float("nan"), float("inf"), [3]])
def test_a_guess_about_sends_that_cannot_be_meant_is_left_open(odd, capsys):
    assert guess_sends("q", odd).sends is None
    assert "left open" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sends", "words"),
    [("never", "none raised – right"), (0, "asks nobody"), (3, "your own machine has the bytes"), (900, "goes on trying for some sixteen")],
)
def test_a_guess_about_sends_is_answered_by_belief(sends, words, tiny, capsys):
    settle_sends(guess_sends("q", sends), tiny)
    out = capsys.readouterr().out
    assert words in out and "296" in out
    assert [row["guess"] for row in Ledger().entries().values()] == ([] if sends == "never" else [sends])


def test_the_count_says_what_became_of_every_send(tiny, big, capsys):
    for trace in (tiny, big, run(BIG.but(faults=[Cut(5, heal=30)]), "virtual")):
        tally(trace)
    first, second, third = capsys.readouterr().out.split("from the cut")[1:]
    assert first.split() == "at 5 s until 300 s 296 send() returned 0 send() raised 0 messages arrived".split()
    assert "until 40 s" in second and "8 send() returned" in second and "1 send() waits, since 13.0 s" in second
    assert "18 messages arrived, 10 of them at 31.9 s, when TCP tried again" in third and "waits" not in third


# exercise 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (12, "✓"),
        (11, "✓"),
        (13, "✓"),
        (0, "raises nothing"),
        (4, "write buffer only begins to fill"),
        (8, "the wire has to be full"),
        (16, "only one of the two reservoirs"),
        (10, "Which reservoirs"),
        (99, "an earlier one did not return"),
    ],
)
def test_exercise_1_answers_by_belief_and_gives_nothing_away(answer, words, capsys):
    check_sends(answer)
    out = capsys.readouterr().out
    assert words in out and ("✓" in out or ("not yet" in out and "12" not in out.replace("12 s", "")))


def test_the_answer_to_exercise_1_is_what_theory_says():
    assert sends_into_a_cut(lab.WIDER) == 12 == returned(run(lab.WIDER, "virtual"))


# exercise 2


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_mystery_holds_no_trace_of_what_was_done(number):
    trace = mystery(number)
    assert trace.experiment.faults == () and not trace.select("act")
    assert not any(word in str(trace) for word in ("cut", "Throttle", "StopReading", "Goodbye"))
    said = [[event for event in one.events if event.what != "handshake"] for one in (trace, mystery(number))]
    assert said[0] == said[1]  # and it is the same every time


@pytest.mark.parametrize("number", [0, 5, "cut"])
def test_there_are_four_mysteries(number):
    with pytest.raises(ValueError, match="1 to 4"):
        mystery(number)


def test_exercise_2_names_a_mark_that_speaks_against_every_wrong_cause(capsys):
    for number, truth in enumerate(lab.HIDDEN, start=1):
        for cause in lab.CAUSES:
            answers = [...] * 4
            answers[number - 1] = cause
            check_mysteries(*answers)
            out = capsys.readouterr().out
            assert out.count("your turn") == 3 and ("✓" in out) == (cause == truth) == ("not yet" not in out)
            assert "look at what lies" not in out
    assert sorted(lab.HIDDEN) == sorted(lab.CAUSES)


def test_the_marks_of_exercise_2_are_in_the_traces():
    marks = {cause: lab.Marks(mystery(number)) for number, cause in enumerate(lab.HIDDEN, start=1)}
    assert {cause: mark.unread > 0 for cause, mark in marks.items()} == {"unread": True, "cut": False, "goodbye": False, "slow": False}
    assert {cause: mark.closed is not None for cause, mark in marks.items()} == {
        "unread": False,
        "cut": False,
        "goodbye": True,
        "slow": False,
    }
    slow = marks["slow"].came
    assert slow[-1] > 35 and all(two - one > 1.5 for one, two in zip(slow[-5:], slow[-4:]))
    assert marks["cut"].came == marks["cut"].taken and marks["cut"].came[-1] < 11


# exercise 3


def impatient_for(patience):
    async def impatient(websocket):
        while True:
            async with asyncio.timeout(patience):
                await websocket.send(bytes(1000))
            await asyncio.sleep(1)

    return impatient


@pytest.mark.parametrize(
    ("patience", "passed", "words"),
    [
        (6, 2, "by TimeoutError"),
        (7.9, 2, "✓"),
        (1, 1, "gave up at 14 s, 0.5 s before the cut was mended"),
        (3, 1, "1.5 s after the cut was mended, but TCP had not tried again"),
        (8.5, 1, "did not start at the cut"),
        (10, 1, "told at 23 s"),
    ],
)
def test_exercise_3_runs_the_handler_through_both_cuts(patience, passed, words, capsys):
    check_patience(patience, impatient_for(patience))
    out = capsys.readouterr().out
    assert words in out and out.count("✓") == passed and out.count("not yet") == 2 - passed


def test_exercise_3_says_that_a_handler_without_a_timeout_is_never_told(capsys):
    async def patient(websocket):
        while True:
            await websocket.send(bytes(1000))
            await asyncio.sleep(1)

    check_patience(1.8, patient)
    assert "is not told" in capsys.readouterr().out


def test_exercise_3_is_not_passed_by_a_clock_that_measures_no_send(capsys):
    async def mute(websocket):
        async with asyncio.timeout(8):
            await asyncio.sleep(99)

    check_patience(2, mute)
    assert "no send ever waited" in capsys.readouterr().out


@pytest.mark.parametrize("empty", [..., None, "soon", True, -3, float("inf")])
def test_a_check_without_a_usable_answer_never_raises(empty, capsys):
    check_sends(empty)
    check_mysteries(empty, empty, empty, empty)
    check_patience(empty, impatient_for(1))
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "expected" in out)


# what the notebook claims


def test_a_message_that_met_a_cut_arrives_in_order(big):
    got = []

    async def count(websocket):
        for number in range(30):
            await websocket.send(f"{number:>1000}")
            await asyncio.sleep(1)
        await asyncio.sleep(30)

    async def keep(websocket):
        async for message in websocket:
            got.append(int(message))

    run(BIG.but(server=Peer(**SMALL), faults=[Cut(5, heal=30)], until=60), "virtual", server=count, client=keep)
    assert got == list(range(30))


def test_who_is_told_and_who_never_is(words):
    told = {}
    for name, habits in {"A": dict(reads=True), "B": dict(reads=False, send_every=1, send_size=10), "C": dict(reads=False)}.items():
        trace = run(Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, **habits), faults=[Cut(at=9)]), "virtual")
        assert trace.closed_at("server") == 17
        told[name] = trace.told_at("server"), trace.raised("server")[0].awaiting if trace.raised("server") else None
    assert told == {"A": (17, "recv"), "B": (17, "send"), "C": (None, None)}
    assert "`recv()` in A, `send()` in B" in words and "with which the server **is** CLOSED at 17 s" in words


def test_the_loopback_wire_agrees_on_the_verdict_but_not_on_the_count():
    fast = BIG.but(server=Peer(**SMALL, send_size=1000, send_every=0.02), faults=[Cut(at=0.51)], until=2)
    trace = run(fast, "loopback")
    assert trace.noticed_at("server") is None and trace.raised() == []
    assert returned(trace) > 0 and lab._waiting_since(trace) is not None  # some returned, and then one waits


def test_with_nothing_made_small_tcp_gives_up_before_the_buffers_are_full(words):
    hours = sends_into_a_cut(Experiment(server=Peer(ping_interval=None, send_size=10))) / 3600
    assert hours * 3600 > 2 * Tcp().retries_at(0).gives_up and CAPACITY == 256 * 1024 and Peer().write_limit == 32 * 1024
    assert "with the buffers of a real network never" in words
    assert "`write_limit` (32 KiB), and a wire that takes 256 KiB" in words


def test_an_impatient_program_with_small_messages_is_told_after_eleven_minutes(words):
    async def impatient(websocket):
        while True:
            async with asyncio.timeout(1.8):
                await websocket.send(bytes(10))
            await asyncio.sleep(1)

    trace = run(BIG.but(server=Peer(**SMALL), until=None), "virtual", server=impatient)
    assert 11 * 60 < trace.told_at("server") - 5 < 12 * 60 and "told after eleven minutes" in words
    assert trace.raised("server")[0].awaiting == "send"


def test_the_goodbye_of_the_open_question_waits_behind_the_bytes():
    trace = run(BIG.but(server=Peer(**SMALL)), "virtual", server=impatient_for(1.8))
    assert trace.told_at("server") == pytest.approx(14.8) and trace.closed_at("server") is None


def test_what_stands_below_the_first_figure_is_true(words, tiny):
    stuck = [frame for frame in tiny.frames("server") if frame.arrived_at is None]
    assert len(stuck) == returned(tiny) == 296 and "**296 messages are stuck**, and 296 calls" in words
    assert tiny.raised() == [] and tiny.noticed_at("server") is None


def test_what_stands_below_the_reservoirs_is_true(words, big):
    assert big.waiting("server")[-1] == (13, 4940)  # more than 4,096
    assert sum(frame.arrived_at is not None for frame in big.frames("server")) == 5 and returned(big) == 8
    assert big.raised() == []
    inside = 9 * 1004 - 4940
    assert inside == 4096 == BIG.server.buffer and 4 < inside / 1004 < 4.1  # four messages and a bit
    for sentence in (
        "It takes 4,096 bytes",
        "At 13 s there are 4,940",
        "13 sends returned (5 before the cut, 8 after it), 5 messages were received",
    ):
        assert sentence in words


def test_what_stands_below_the_healed_reservoirs_is_true(words):
    trace = run(BIG.but(faults=[Cut(5, heal=30)]), "virtual")
    got = [e.t for e in trace.select("message", "client") if e.data["step"] == "received"]
    sent = [e.t for e in trace.select("message", "server") if e.data["step"] == "sent"]
    first, rest = [t for t in got if t > 5][0], [t for t in got if t > 5][1:10]
    tries = [event.t for event in trace.select("retransmission", "server", "tcp")]
    assert tries[-2:] == pytest.approx([18.44, first]) and "had tried at 18.4 s, in vain, and its next try comes at **31.9 s**" in words
    assert first == pytest.approx(31.88) and rest == [pytest.approx(first + 0.04)] * 9 and "0.04 s later, everything else" in words
    assert sent[13:15] == [rest[0]] * 2  # the ninth, which waited, and a new one
    assert "(The tenth is a new one, which was overdue.)" in words and got[4] == 4
    assert round(sent[13] - 13) == 19 and "`send()` waited for 19 s" in words
    assert round(first - 5) == 27 and "A cut of 25 s became a silence of 27 s" in words
    assert [two - one for one, two in zip(got[-8:], got[-7:])] == [pytest.approx(1)] * 7 and trace.raised() == []


def test_a_send_that_waits_raises_when_tcp_gives_up_and_the_idle_client_is_open_for_ever(words):
    trace = run(BIG.but(until=1200), "virtual")
    told = [one for one in trace.raised("server") if one.awaiting == "send"]
    assert len(told) == 1 and "ETIMEDOUT" in words and "Connection timed out" in told[0].cause
    assert 15.5 * 60 < told[0].t - 5 < 16 * 60 and "after **some 16 minutes** TCP gave up" in words
    assert trace.noticed_at("client") is None and trace.over == "stuck"


def test_without_pings_only_who_sends_is_told(words):
    told = {}
    for name, habits in {"A": {}, "B": dict(reads=False, send_every=1, send_size=10), "C": dict(reads=False)}.items():
        trace = run(Experiment(server=Peer(ping_interval=None, **habits), faults=[Cut(at=9)], until=3000), "virtual")
        told[name] = trace.told_at("server")
    assert told["A"] is told["C"] is None and 900 < told["B"] < 960 and "B is told after some 16 minutes" in words
