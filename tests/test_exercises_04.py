"""Notebook 04: the law and the budget are judged by runs and answered by belief, and what stands below the figures is true."""

import math
from pathlib import Path

import nbformat
import pytest
from cases import DEFAULTS, FLY

from labkit import Cut, Experiment, Peer, predict, run, sweep
from labkit.exercises import Ledger
from labkit.exercises import law as law_exercise
from labkit.exercises.budget import check_budget
from labkit.exercises.law import WRONG, band, cases, check_law, facts, guess_delays, origin, settle_delays

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "04_detection_law.ipynb"
PHASES = [8 + n / 50 for n in range(1, 201)]
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def delays():
    return sweep(FLY, over={"cut.at": PHASES})


@pytest.fixture
def few(monkeypatch):
    """A hundred runs instead of a thousand."""
    monkeypatch.setattr(law_exercise, "RUNS", 100)


# guesses


def test_theory_s_band_holds_every_delay_and_no_wider_one(delays):
    low, high = band(FLY)
    assert low == min(delays["delay"]) and high - 0.03 < max(delays["delay"]) < high
    assert predict(FLY.but(faults=[Cut(8.000001)])).noticed_at("server") - 8 == high
    with pytest.raises(ValueError, match="not None"):
        band(Experiment(server=Peer(ping_interval=None)))


def test_right_guesses_are_right_and_kept(delays, capsys):
    settle_delays(guess_delays("q", 3, 5, 7), delays)
    assert capsys.readouterr().out.count("right") == 3
    assert {name: round(row["fact"], 2) for name, row in Ledger().entries().items()} == {
        "q: min": 3.0,
        "q: mean": 4.99,
        "q: max": 6.98,
    }


@pytest.mark.parametrize(
    ("guesses", "words"),
    [
        ((0, 4, 9), ["nothing to notice", "has only asked by then", "when the program is told"]),
        ((3, 3.5, 3), ["right", "only the wait for the ping varies", "clock starts with a ping"]),
        ((2, 2, 12), ["starts only when the server has noticed", "it was 6.98 s"]),
    ],
)
def test_a_guess_about_the_delays_is_answered_by_its_belief(guesses, words, delays, capsys):
    settle_delays(guess_delays("q", *guesses), delays)
    out = capsys.readouterr().out
    assert all(some in out for some in words), out


@pytest.mark.parametrize(
    ("guess", "words"), [(20, "close_timeout later"), (40, "when the server notices"), (50, "right"), (10, "starts only")]
)
def test_a_guess_about_being_told_is_answered_by_its_belief(guess, words, capsys):
    late = sweep(DEFAULTS, over={"cut.at": [60.1, 70, 79.9]})
    settle_delays(guess_delays("q", max=guess), late, moment="told")
    assert words in capsys.readouterr().out


def test_empty_and_odd_guesses_are_left_open(delays, capsys):
    settle_delays(guess_delays("q"), delays)
    assert guess_delays("q", "soon", True, 3).made == {"max": 3.0}
    out = capsys.readouterr().out
    assert "no guess made, so" in out and "'soon'" in out
    assert Ledger().entries() == {}


# the law


def test_theory_agrees_with_every_one_of_them():  # and that the law passes in all of them is seen in the solution's notebook
    assert law_exercise.RUNS == 1000
    assert [predict(case.experiment).noticed_at("server") for case in cases(200)] == pytest.approx(facts(200), abs=1e-6)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.sum)
def test_each_wrong_law_is_recognised_and_shown_a_run_that_it_gets_wrong(wrong, few, capsys):
    picture = check_law(wrong.law)
    out = capsys.readouterr().out
    assert origin([wrong.law(case.interval, case.timeout, case.cut) for case in cases(100)]) is wrong
    assert "not yet" in out and "✓" not in out and f"Your function is {wrong.sum}. {wrong.answer}" in out
    assert "a ping is sent, and is stuck" in out and "the server notices" in out
    assert "Your law" in picture.alt


def test_a_law_that_fails_only_at_ties_is_shown_a_tie(few, capsys):
    check_law(lambda interval, timeout, cut: (cut // interval + 1) * interval + timeout)
    out = capsys.readouterr().out
    assert "the very instant of a ping" in out and "is stuck: the cut came first" in out


def test_an_unknown_wrong_law_is_still_shown_its_counterexample(few, capsys):
    assert check_law(lambda interval, timeout, cut: 2 * cut + 1) is not None
    assert "Which ping is the first that finds nobody?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (..., "your turn"),
        (15, "seen 15"),
        (lambda interval, timeout, cut: ..., "your turn"),
        (lambda interval, timeout, cut: ... * timeout, "your turn"),
        (lambda interval, timeout, cut: None, "does it end with return?"),
        (lambda interval, timeout, cut: "15", "expected a number"),
        (lambda interval, timeout, cut: math.nan, "expected a number"),
        (lambda interval, timeout, cut: 1 / 0, "ZeroDivisionError"),
        (lambda interval, timeout: 1, "positional arguments"),
    ],
)
def test_an_unfinished_law_is_asked_for_in_words(function, words, few, capsys):
    assert check_law(function) is None
    out = capsys.readouterr().out
    assert words in out and "✓" not in out


# the budget


@pytest.mark.parametrize("timers", [(5, 1.5, 1.5), (5.8, 1.1, 1.1), (5.4, 1.3, 1.3)])
def test_timers_within_the_budget_pass(timers, capsys):
    assert check_budget(*timers) is not None
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("✓") and "not yet" not in out and "to spare" not in out


def test_a_timeout_that_is_hardly_longer_than_a_round_trip_passes_with_a_word(capsys):
    check_budget(5.9, 1.001, 1.05)
    out = capsys.readouterr().out
    assert "with 0.001 s to spare" in out and out.splitlines()[-1].startswith("✓")


@pytest.mark.parametrize(
    ("timers", "words"),
    [
        ((None, 1.5, 1.5), "turning pings off turns detection off"),  # belief 16
        ((5, None, 1.5), "traffic without detection"),
        ((5, 1.5, None), "told after some 16 minutes"),
        ((6, 1.5, 1.5), "told close_timeout later"),
        ((7, 1.5, 1.5), "ping_timeout is not the detection time"),  # belief 5
        ((5, 8, 1.5), "the wait for the ping comes before them"),  # belief 5
        ((6, 1, 1), "a tie, which only luck decides"),
        ((6, 0.9, 1), "false alarm"),
        ((6, 1.5, 0.4), "A goodbye is a question, too"),
        ((4, 2, 2), "ping_timeout need not fit ping_interval"),  # belief 14
        ((2, 4, 2), "bytes a minute, more than 200"),
        ((5000, 1500, 1500), "not in milliseconds"),  # belief 14
    ],
)
def test_timers_that_fail_are_answered_by_belief(timers, words, capsys):
    check_budget(*timers)
    out = capsys.readouterr().out
    assert words in out and not out.splitlines()[-1].startswith("✓")


@pytest.mark.parametrize("timers", [(..., 1, 1), ("a", 1, 1), (-1, 1, 1), (0.001, 1, 1), (1, 1, True)])
def test_timers_that_cannot_be_meant_never_raise(timers, capsys):
    assert check_budget(*timers) is None
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "ping" in out or "expected" in out)


# what the notebook says


def says(sentence):
    words = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    assert " ".join(sentence.split()) in " ".join(words.split()), sentence
    return True


def test_what_it_says_of_the_two_hundred_cuts(delays):
    assert says("All 200 cuts are noticed **at the same moment**, 15 s") and set(delays["noticed"]) == {15.0}
    assert says("`ping_timeout` later: **3 s**") and min(delays["delay"]) == 3
    assert says("almost 4 + 3 = **7 s**") and 6.9 < max(delays["delay"]) < 7
    assert says("3 + 4/2 = **5 s**") and sum(delays["delay"]) / 200 == pytest.approx(5, abs=0.02)
    assert says("In real time that would take almost an hour") and 3000 < sum(delays["told"]) < 3600


def test_what_it_says_of_the_defaults():
    assert says("It waits for the pong until 100 s, and **notices**: 37 s after the cut")
    assert says("Only now is the program **told**: 47 s after the cut")
    trace = run(DEFAULTS, "virtual")
    assert (trace.noticed_at("server"), trace.told_at("server")) == (100, 110)
    late = sweep(DEFAULTS, over={"cut.at": [60 + n / 10 for n in range(1, 201)]})
    told = late["told"] - late["cut.at"]
    assert says("**30 to 50 s** after it, 40 s on average")
    assert min(told) == 30 and 49.8 < max(told) < 50 and sum(told) / 200 == pytest.approx(40, abs=0.1)


def test_what_it_says_of_the_knobs():
    noticed = [run(FLY.but(faults=[Cut(at=at)]), "virtual").noticed_at("server") for at in (8.5, 10, 12, 12.5)]
    assert says("from 15 to 19, when it passes the ping of 12 s") and noticed == [15, 15, 15, 19]
    patient = run(FLY.but(server=Peer(ping_interval=2, ping_timeout=6, close_timeout=2)), "virtual")
    assert says("The ping of 10 s is stuck, and no other ping follows it") and patient.noticed_at("server") == 16
    assert [frame.sent_at for frame in patient.frames("server") if frame.opcode == "PING"] == [2, 4, 6, 8, 10]


def test_what_it_says_of_the_slow_wire():
    def pings(interval):
        slow = Experiment(server=Peer(ping_interval=interval, ping_timeout=3), latency=0.5, until=8.4)
        assert [f.sent_at for f in predict(slow).frames("server")] == [f.sent_at for f in run(slow, "virtual").frames("server")]
        return [frame.sent_at for frame in run(slow, "virtual").frames("server")]

    assert says("exactly on the grid: 4, 8 and 2, 4, 6, 8") and pings(4) == [4, 8] and pings(2) == [2, 4, 6, 8]
    assert says("the period is the round trip, **1 s**") and pings(0.5) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    tie = Experiment(server=Peer(ping_interval=4, ping_timeout=1, close_timeout=2), latency=0.5, until=12)
    assert says("The ping goes out at 4 s, and its pong arrives at 5 s") and run(tie, "virtual").noticed_at("server") == 5
    assert predict(tie).ties
