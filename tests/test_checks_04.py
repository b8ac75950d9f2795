"""Notebook 04: runs judge a learner's law and timers, and a wrong one is answered by its belief."""

import math

import pytest
from cases import DEFAULTS, FLY

from checks import Ledger, check, detection_law, guess, laws, settle
from labkit import Cut, Experiment, Peer, predict, run, sweep

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def delays():
    return sweep(FLY, over={"cut.at": [8 + n / 50 for n in range(1, 201)]})


def said(capsys, id, *answers):
    picture = check(id, *answers)
    return capsys.readouterr().out, picture


# guesses


def test_theory_s_band_holds_every_delay_and_no_wider_one(delays):
    low, high = detection_law.band(FLY)
    assert low == min(delays["delay"]) and high - 0.03 < max(delays["delay"]) < high
    assert predict(FLY.but(faults=[Cut(8.000001)])).noticed_at("server") - 8 == high


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("min", 3, "– right"),
        ("min", 0, "nothing to notice"),
        ("mean", 4, "has only asked"),
        ("mean", 3.5, "always spent"),
        ("max", 9, "everything added"),
        ("max", 3, "its clock starts with a ping"),
        ("max", 2, "2 ways lead to 2 s"),
        ("max", 12, "How long may each take?"),
    ],
)
def test_a_guess_about_the_delays_is_answered_by_its_belief(name, value, words, delays, capsys):
    id = f"04 the fruit fly: {name}"
    settle(guess(id, value), delays)
    out = capsys.readouterr().out
    assert words in out and ("That is" in out) == ("– right" not in out and value != 12)
    assert Ledger().entries()[id]["right"] == ("– right" in out)


@pytest.mark.parametrize(("value", "words"), [(30, "ping_timeout + close_timeout"), (40, "the server notices"), (50, "– right")])
def test_a_guess_about_being_told_is_answered_by_its_belief(value, words, capsys):
    settle(guess("04 the defaults, told: max", value), sweep(DEFAULTS, over={"cut.at": [60.1, 70, 79.9]}))
    assert words in capsys.readouterr().out


# the law


def test_theory_agrees_with_the_runs_and_a_few_in_a_hundred_are_ties():
    assert [predict(laws.trace_of(case).experiment).noticed_at("server") for case in laws.cases()[:100]] == laws.facts()[:100]
    ties = sum(case.cut % case.interval == 0 for case in laws.cases())
    assert ties == len(range(0, laws.RUNS, laws.TIE)) and 0.02 < ties / laws.RUNS < 0.05


def by_rounding_up(interval, timeout, cut):
    return math.ceil(cut / interval) * interval + timeout


def by_going_along(interval, timeout, cut):
    ping = interval
    while ping < cut:
        ping += interval
    return ping + timeout


@pytest.mark.parametrize("law", [by_rounding_up, by_going_along])
def test_a_right_law_passes_however_it_is_written(law, capsys):
    out, picture = said(capsys, "04 the law", law)
    assert out.startswith("✓ 1,000 random connections: right in each of them; in 31 ") and picture is None


@pytest.mark.parametrize("belief", laws.wrong_laws(4, 3, 9))
def test_each_wrong_law_is_told_its_belief_and_shown_a_run(belief, capsys):
    out, picture = said(capsys, "04 the law", lambda *case: laws.wrong_laws(*case)[belief])
    assert out.startswith("not yet") and belief in out and "a ping is stuck" in out and "✓" not in out
    assert "Your law" in picture.alt


def test_a_law_that_fails_only_at_ties_is_shown_a_tie(capsys):
    out, _ = said(capsys, "04 the law", lambda i, t, c: (c // i + 1) * i + t)
    assert "right in 969 of 1,000" in out and "a ping is stuck: the cut came first" in out


def unfinished(interval, timeout, cut):
    number = ...
    return number * interval + timeout


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (unfinished, "your turn"),
        (15, "expected the law, of your own making; seen 15"),
        (lambda i, t, c: None, "does it end with return?"),
        (lambda i, t, c: "15", "no number of seconds"),
        (lambda i, t, c: 1 / 0, "ZeroDivisionError"),
        (lambda i, t: 1, "calling your code raised TypeError: "),
        (lambda i, t, c: 2 * c + 1, "Which ping is the first that finds nobody?"),
    ],
)
def test_what_is_no_law_is_answered_in_words(law, words, capsys):
    out, _ = said(capsys, "04 the law", law)
    assert words in out and "✓" not in out


# eight seconds


@pytest.mark.parametrize("timers", [(5, 2, 0.9), (5.6, 1.5, 0.5), (4.8, 1.6, 1)])
def test_timers_within_the_budget_pass(timers, capsys):
    out, _ = said(capsys, "04 eight seconds", *timers)
    assert out.count("✓") == 5 and "not yet" not in out


@pytest.mark.parametrize(
    ("timers", "words"),
    [
        ((5, 0.3, 1), "A pong takes up to 0.4 s, and ping_timeout is 0.3 s."),
        ((5, 0.4, 1), "a tie, which only luck decides"),
        ((5, 0.401, 1), "one lost packet: killed at 10.4 s, though nobody cut it"),
        ((5, 1.3, 1), "after 1.4 s in all"),
        ((5, 1.5, 0.3), "A goodbye is a question, too"),
        ((5.5, 2, 1), "When is the program told?"),
        ((7, 2, 1), "ping_timeout is not the detection time"),  # belief 5
        ((5, 7.5, 1), "the wait for a ping comes first"),
        ((4, 2, 2), "bytes a minute, more than 200"),  # belief 14
        ((5000, 1500, 1500), "a number of seconds, from 0.1 to 600; seen 5000"),  # belief 14, units
        ((5, ..., 1), "your turn"),
    ],
)
def test_timers_that_fail_are_answered_by_belief(timers, words, capsys):
    out, _ = said(capsys, "04 eight seconds", *timers)
    assert words in out and not out.splitlines()[-1].startswith("✓")


# what the notebook says


def test_what_it_says_of_the_many_cuts(delays):
    assert set(delays["noticed"]) == {15.0} and 3000 < sum(delays["told"]) < 3600
    assert sum(delays["delay"]) / 200 == pytest.approx(5, abs=0.02)
    late = sweep(DEFAULTS, over={"cut.at": [60 + n / 10 for n in range(1, 201)]})
    told = late["told"] - late["cut.at"]
    assert min(told) == 30 and 49.8 < max(told) < 50 and sum(told) / 200 == pytest.approx(40, abs=0.1)


def test_what_it_says_of_the_knobs():
    noticed = [run(FLY.but(faults=[Cut(at=at)]), "virtual").noticed_at("server") for at in (8.5, 10, 12, 12.5)]
    assert noticed == [15, 15, 15, 19]
    patient = run(FLY.but(server=Peer(ping_interval=2, ping_timeout=6, close_timeout=2)), "virtual")
    assert patient.noticed_at("server") == 16 and detection_law.law_holds(patient) == "yes"
    assert [frame.sent_at for frame in patient.frames("server") if frame.opcode == "PING"] == [2, 4, 6, 8, 10]
    tie = run(Experiment(server=Peer(4, 1, 2), latency=0.5, until=12), "virtual")
    assert tie.noticed_at("server") == 5 and predict(tie.experiment).ties


@pytest.mark.parametrize(
    ("timers", "noticed", "minutes"),
    [(dict(ping_interval=3000, ping_timeout=3000), 3935, 65), (dict(ping_interval=None), None, None), (dict(ping_timeout=None), 1015, 16)],
)
def test_what_it_says_of_milliseconds_and_of_timers_that_are_off(timers, noticed, minutes):
    trace = run(Experiment(server=Peer(**timers), faults=[Cut(at=63)], until=5000), "virtual")
    assert trace.told_at("server") == (noticed and pytest.approx(noticed, abs=0.1))
    assert minutes is None or minutes == int(noticed / 60)
