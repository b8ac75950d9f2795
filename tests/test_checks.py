"""Questions are data: one set of verbs guesses, settles and checks, and a wrong answer names its belief."""

import json

import pytest
from cases import FLY

from checks import Code, Exercise, Ledger, Letters, Number, OneOf, Question, Trial, calibration, check, guess, settle, start_here
from checks.answers import is_empty, is_number
from checks.catalogue import FILES, everything
from labkit import run

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")
WHEN = "00 the fruit fly"


@pytest.fixture(scope="module")
def trace():
    return run(FLY, "virtual")


@pytest.fixture
def exercise(monkeypatch):
    """An exercise of three trials, for code that doubles a number."""

    def trial(number):
        return Trial(
            f"of {number}",
            lambda code: code(number),
            lambda seen: "" if seen == 2 * number else f"gave {seen}",
            str,
            lambda seen: [seen],
        )

    made = Exercise("00 double", Code(), [trial(1), trial(2), trial(3)])
    monkeypatch.setattr(start_here, "EXERCISES", [made])
    return made


# answers


@pytest.mark.parametrize(
    ("given", "is_one"), [(1, True), (2.5, True), (10**400, False), (float("nan"), False), ("1", False), (1j, False), (True, False)]
)
def test_a_number_is_what_can_be_meant_as_one(given, is_one):
    assert is_number(given) is is_one


@pytest.mark.parametrize(
    ("kind", "given", "meant"),
    [
        (OneOf("OPEN", "CLOSING"), "closing", "CLOSING"),
        (OneOf("at 15 s", "late"), " At 15s", "at 15 s"),
        (OneOf("again and again", "once"), "again, and again", "again and again"),
        (OneOf(1000, 1001), "1,001", 1001),
        (OneOf(1000, 1001), 1001.0, 1001),
        (OneOf(1000, 1001), -1001, None),
        (OneOf("1", "3"), "-3", None),
        (OneOf("True", "False"), True, None),
        (OneOf("OPEN", "CLOSED"), ["OPEN"], None),
        (Letters("ABC"), "b, a", "AB"),
        (Letters("ABC"), "A and C", "AC"),
        (Letters("ABC"), "none", "none"),
        (Letters("ABC"), "D", None),
        (Letters("ABC"), "", None),
        (Letters("ABC", ordered=True), "c b a", "CBA"),
        (Letters("ABC", ordered=True), "c b", None),
        (Number("s", 8, 12), 9, 9.0),
        (Number("s", 8, 12), 13, None),
        (Number(), "9", None),
    ],
)
def test_an_answer_is_meant_whatever_its_case_and_order(kind, given, meant):
    assert kind.read(given) == meant


def test_near_enough_is_a_tenth_or_two_in_a_hundred():
    assert Number().right(15.1, 15) and not Number().right(15.4, 15) and Number().right(102, 100) and not Number().right(1, None)


def test_code_is_empty_as_long_as_a_blank_is_left_in_it():
    def blank(x):
        return ...  # a moment

    def body(x): ...  # say goodbye

    assert is_empty(blank) and is_empty(body) and is_empty(...) and is_empty(None) and not is_empty(trace) and not is_empty(0)


# guesses


def test_an_empty_guess_says_so_and_is_not_kept(trace, capsys):
    made = guess(WHEN)
    settle(made, trace)
    assert made.seconds is None and not made.made and Ledger().entries() == {}
    assert capsys.readouterr().out.count("no guess made") == 2


def test_what_cannot_be_meant_is_asked_for_again(capsys):
    assert not guess(WHEN, "soon").made and not guess("00 who notices", "me").made
    out = capsys.readouterr().out
    assert "a number of seconds, from 0 to 600; seen 'soon'" in out and "'both' or 'nobody'; seen 'me'" in out


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (15.05, "– right"),
        (9, "That is the cut itself"),
        (12, "2 ways lead to 12 s. Which was yours?"),
        (13, "the clock did not restart"),
        (14, "close_timeout comes after noticing"),
        (16, "the worst case"),
        (17, "when the program is told"),
        (18, "everything added"),
    ],
)
def test_a_guess_is_answered_by_its_belief(trace, seconds, words, capsys):
    settle(guess(WHEN, seconds), trace)
    assert words in capsys.readouterr().out
    assert Ledger().entries()[WHEN] == {"question": WHEN, "guess": seconds, "fact": 15.0, "right": seconds == 15.05}


@pytest.mark.parametrize(
    ("id", "fact", "value", "words"),
    [
        ("00 two sleeps at once", 2, 1.5, "the last of the two"),
        ("00 two sleeps at once", 2, 3, "one after the other"),
        ("00 two sleeps at once", 2, 2, ""),
    ],
)
def test_a_number_that_no_belief_gives_is_answered_too_and_a_right_one_needs_none(id, fact, value, words, capsys):
    settle(guess(id, value), fact)
    out = capsys.readouterr().out
    assert words in out and ("– right" in out) == (out.count("\n") == 2) == (value == fact)


def test_a_settled_guess_is_locked(trace, capsys):
    settle(guess(WHEN, 13), trace)
    again = guess(WHEN, 15)
    settle(again, trace)
    assert "settled before: you said 13.0, and it was 15.0" in capsys.readouterr().out
    assert Ledger().entries()[WHEN]["guess"] == 13


def test_an_unknown_question_is_answered_by_those_that_there_are():
    with pytest.raises(ValueError, match="there is no '00 whn'; notebook 00 has 00 who notices, "):
        guess("00 whn", 3)
    with pytest.raises(ValueError, match="begins with a notebook's number"):
        guess("who notices", 3)


# the ledger


def test_calibration_counts_what_settlement_said_and_a_ledger_of_before(capsys):
    old = [dict(question="00 the fruit fly", guess=15, fact=15.0), dict(question="02 who", guess="server", fact="client")]
    new = [dict(question="04 delays: min", guess=3.05, fact=3.0, right=False), dict(question="04 x", guess=6.0, fact=3.0, right=False)]
    Ledger().path.write_text("".join(json.dumps(row) + "\n" for row in old + new))
    calibration()
    out = capsys.readouterr().out
    assert "notebook 00    1 of  1 right  ●" in out and "notebook 02    0 of  1 right  ○" in out and "notebook 04    0 of  2" in out
    assert "wrong numbers: 0 too small, 2 too large" in out


# exercises


def test_code_is_run_by_every_trial(exercise, capsys):
    assert check("00 double", lambda x: x + x) is None
    assert capsys.readouterr().out == "✓ of 1: 2\n✓ of 2: 4\n✓ of 3: 6\n"


def test_what_is_wrong_is_said_and_drawn_and_ends_the_check(exercise, capsys):
    assert check("00 double", lambda x: x + 1) == [3]
    assert capsys.readouterr().out == "✓ of 1: 2\nnot yet – double, of 2: gave 3\n"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((), "your turn – double: replace the ..."),
        ((3,), "expected your own code; seen 3"),
        ((lambda x: x / 0,), "raised ZeroDivisionError"),
    ],
)
def test_what_cannot_be_judged_is_said(exercise, given, words, capsys):
    assert check("00 double", *given) is None
    assert words in capsys.readouterr().out


# all of them


@pytest.mark.parametrize("kind", ["QUESTIONS", "EXERCISES"])
def test_every_id_is_there_once_and_in_the_file_of_its_notebook(kind):
    ids = [one.id for one in everything(kind)]
    assert len(ids) == len(set(ids))
    for number, name in enumerate(FILES):
        module = __import__(f"checks.{name}", fromlist=["x"])
        assert {one.id[:2] for one in getattr(module, kind)} <= {f"{number:02}"}


@pytest.mark.parametrize("question", list(everything("QUESTIONS")), ids=lambda one: one.id)
def test_every_question_has_its_beliefs(question: Question):
    """Of the choices, only the true one needs no belief; which one that is, a run says."""
    if callable(question.beliefs):
        return
    assert question.beliefs and all(question.beliefs.values())
    if isinstance(question.answer, OneOf):
        assert len(set(question.answer.choices) - set(question.beliefs)) <= 1
