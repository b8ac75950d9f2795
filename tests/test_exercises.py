"""Guesses survive being empty, and checks judge by experiment and answer by belief."""

import pytest
from cases import FLY

from labkit import run
from labkit.exercises import Ledger, beliefs, check_new_cut, check_soonest_and_latest, guess, settle
from labkit.exercises.answers import is_number, one_of

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def trace():
    return run(FLY, "virtual")


def test_an_empty_guess_says_so_and_draws_nothing(trace, capsys):
    made = guess("q")
    settle(made, trace)
    assert made.seconds is None and not made.made and Ledger().entries() == {}
    assert "no guess made" in capsys.readouterr().out


def test_how_soon_is_judged_and_capitals_do_not_matter(trace, capsys):
    settle(guess("q", who="Server", how_soon="at once"), trace)
    out = capsys.readouterr().out
    assert "how soon: you said at once, and it was seconds" in out and "who: you said server, and it was server – right" in out


@pytest.mark.parametrize(("given", "is_one"), [(1, True), (2.5, True), (10**400, False), (float("nan"), False), ("1", False), (1j, False)])
def test_a_number_is_what_can_be_meant_as_one(given, is_one):
    assert is_number(given) is is_one


def test_numpys_numbers_are_numbers_and_its_truths_are_none():
    numpy = pytest.importorskip("numpy")
    assert is_number(numpy.float32(2)) and is_number(numpy.int64(2)) and not is_number(numpy.True_)
    assert one_of(numpy.int64(1001), (1000, 1001)) == 1001


@pytest.mark.parametrize(
    ("given", "among", "meant"),
    [
        ("closed", ("OPEN", "CLOSING", "CLOSED"), "CLOSED"),
        (" At 15s", ("at 15 s", "late"), "at 15 s"),
        ("again, and again", ("once", "again and again"), "again and again"),
        ("1001", (1000, 1001), 1001),
        (1001, (1000, 1001), 1001),
        ("yes.", ("yes", "no"), "yes"),
        (1001.0, (1000, 1001), 1001),
        (-1001, (1000, 1001), None),
        ("-3", ("1", "3", "both"), None),
        ("1,001", (1000, 1001), 1001),
        (True, ("True",), None),
        (["OPEN"], ("OPEN",), None),
        ("nepo", ("OPEN",), None),
        (None, ("a", "b"), None),
    ],
)
def test_an_answer_is_meant_whatever_its_case_and_order(given, among, meant):
    assert one_of(given, among) == meant


def test_a_guess_that_cannot_be_meant_is_asked_for_again(capsys):
    made = guess("q", seconds="soon", who="me", how_soon="seconds")
    out = capsys.readouterr().out
    assert (made.seconds, made.who, made.how_soon) == (None, None, "seconds") and "'soon'" in out and "'me'" in out


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (9, "nothing to notice yet"),
        (12, "starts with a ping, not with the cut"),
        (13, "the clock did not restart at the cut"),
        (14, "close_timeout comes after noticing"),
        (15, "right"),
        (16, "worst case"),
        (17, "the application is told"),
        (18, "everything added"),
        (40, "too late"),
    ],
)
def test_a_guess_is_answered_by_its_belief(seconds, words, trace, capsys):
    settle(guess("q", seconds=seconds), trace)
    assert words in capsys.readouterr().out


def test_every_belief_about_the_fruit_fly_gives_another_number():
    numbers = [round(belief.seconds, 3) for belief in beliefs(FLY)]
    assert sorted(set(numbers)) == [9, 12, 13, 14, 15, 16, 17, 18]


def test_the_ledger_keeps_the_newest_guess_of_each_question(trace):
    for seconds in (12, 16):
        settle(guess("a", seconds=seconds), trace)
    settle(guess("b", seconds=15), trace)
    assert {q: (row["guess"], row["fact"]) for q, row in Ledger().entries().items()} == {"a": (16, 15), "b": (15, 15)}
    Ledger().path.write_text("damaged")
    settle(guess("c", seconds=15), trace)
    assert list(Ledger().entries()) == ["c"]


@pytest.mark.parametrize(("soonest", "latest", "passed"), [(11.99, 8.01, 2), (12, 8.05, 2), (8.01, 11.99, 0), (10, 10, 0), (11.95, 10, 1)])
def test_exercise_1_is_judged_by_the_delay_that_the_run_shows(soonest, latest, passed, capsys):
    check_soonest_and_latest(soonest, latest)
    out = capsys.readouterr().out
    assert out.count("✓") == passed and out.count("not yet") == 2 - passed and "the next ping goes out at" in out


@pytest.mark.parametrize(
    ("answer", "words"), [(19, "✓"), (19.05, "✓"), (18, "did not restart"), (17, "starts with a ping"), (22, "told"), (40, "Which ping")]
)
def test_exercise_2_answers_by_belief(answer, words, capsys):
    check_new_cut(answer)
    out = capsys.readouterr().out
    assert words in out and ("19" not in out or "✓" in out)


@pytest.mark.parametrize("empty", [..., None, "soon", True, 99])
def test_a_check_without_a_usable_answer_never_raises(empty, capsys):
    check_new_cut(empty)
    check_soonest_and_latest(empty, empty)
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "expected" in out)
