"""Notebook 11: the mysteries, their checks with an answer to every wrong cause, and the claims that stand below its figures."""

import asyncio
from pathlib import Path

import pytest

from labkit import run
from labkit.doctor import diagnose, draw
from labkit.exercises import clinic
from labkit.exercises.clinic import CAUSES, MYSTERIES, check_causes, check_interval, check_patience, log, look, own_log, show, silent_log

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "11_the_clinic.ipynb"
DOCTORS = {"own loop": "own_loop", "peer gave up": "peer_timeout", "no pong": "own_timeout", "idle box": "idle_drop"}


@pytest.mark.parametrize("number", MYSTERIES)
def test_the_doctor_and_the_experiment_agree_on_every_mystery(number):
    (one,) = diagnose(log(number)).verdicts
    assert one.cause == DOCTORS[MYSTERIES[number].cause]


@pytest.mark.parametrize("number", MYSTERIES)
def test_a_mystery_goes_wrong_and_its_cure_stays_open(number):
    mystery = MYSTERIES[number]
    assert run(mystery.experiment, "virtual").closed_at(mystery.end) is not None
    assert run(mystery.cured, "virtual").closed_at(mystery.end) is None


def test_exercise_1_answers_every_wrong_cause_and_no_line_gives_the_right_one_away(capsys):
    for number, mystery in MYSTERIES.items():
        for cause in CAUSES:
            answers = [...] * 4
            answers[number - 1] = cause
            check_causes(*answers)
            out = capsys.readouterr().out
            assert out.count("your turn") == 3 and ("✓" in out) == (cause == mystery.cause) == ("not yet" not in out)
            if cause != mystery.cause:
                judged = next(row for row in out.splitlines() if row.startswith(f"mystery {number}"))
                assert f"'{mystery.cause}'" not in judged
    assert sorted(one.cause for one in MYSTERIES.values()) == sorted(CAUSES)


@pytest.mark.parametrize("odd", [..., None, "soon", True, -3, float("inf"), [8]])
def test_a_check_without_a_usable_answer_never_raises(odd, capsys):
    check_causes(odd, odd, odd, odd)
    check_patience(odd)
    check_interval(odd)
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "expected" in out)


def test_a_log_is_shown_with_the_numbers_that_the_doctor_names(capsys):
    show(log(3))
    shown = {int(row.split()[0]): row for row in capsys.readouterr().out.splitlines()[1:]}
    for fact in diagnose(log(3)).verdicts[0].evidence:
        assert fact.words.split(" [")[0] in shown[fact.number]


# the fifth


def test_the_fifth_log_says_nothing_and_where_says_it_all(words):
    assert "> PING" in silent_log()[-7] and not any("timed out" in row or "CLOS" in row for row in silent_log())
    inside = look(60)
    keepalive = next(one for one in inside.tasks if one.name == "keepalive")
    assert keepalive.calls == ("keepalive", "ping", "send_context", "drain") and inside.waiting > inside.limit
    assert "12:00:00" in silent_log()[-7] and "went out at 12:00:00" in words
    assert "`keepalive → ping → send_context → drain`" in words


def careful_for(patience):
    async def careful(websocket):
        try:
            while True:
                async with asyncio.timeout(patience):
                    await websocket.send(bytes(40000))
                await asyncio.sleep(0.5)
        except TimeoutError:
            websocket.transport.abort()

    return careful


@pytest.mark.parametrize(
    ("patience", "passed", "said"),
    [
        (8, 2, "✓ CLOSED"),
        (13, 2, "✓ CLOSED"),
        (3, 1, "into its pause"),
        (4, 1, "into its pause"),  # enough in most moments, and too little in the worst
        (4.5, 2, "the buffers take what is sent at first"),
        (14.6, 1, "15 s were asked for"),  # in time, unless the cut comes just after a send
        (20, 1, "15 s were asked for"),
    ],
)
def test_exercise_2_runs_the_sender_against_a_dead_and_a_slow_peer(patience, passed, said, capsys):
    check_patience(patience, careful_for(patience))
    out = capsys.readouterr().out
    assert said in out and out.count("✓") == passed


def test_exercise_2_is_not_passed_by_a_sender_that_ends_before_anything_is_wrong(capsys):
    async def hasty(websocket):
        await websocket.send(bytes(40000))

    check_patience(8, hasty)
    out = capsys.readouterr().out
    assert "✓" not in out and "before the cut" in out and "before its pause" in out


def test_exercise_2_says_that_a_sender_without_a_timeout_stays_open_for_ever(capsys):
    async def patient(websocket):
        while True:
            await websocket.send(bytes(40000))
            await asyncio.sleep(0.5)

    check_patience(8, patient)
    assert "still OPEN when the run ends" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (30, "✓"),
        (40, "✓"),
        (29.9, "✓"),
        (59, "less is safer"),
        (60, "forgot"),
        (120, "forgot"),
        (28, "two a minute"),
        (0.5, "two a minute"),
        (9999, "expected"),
    ],
)
def test_exercise_3_runs_ten_minutes_behind_the_box(interval, said, capsys):
    check_interval(interval)
    assert said in capsys.readouterr().out


# one's own log


def test_ones_own_log_is_read_and_a_missing_file_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    clinic.write_log("fly.log")
    assert own_log("fly.log").causes == {"own_timeout"}
    assert own_log("no such.log") is None and own_log() is None
    out = capsys.readouterr().out
    assert "no such.log" in out and "your turn" in out


# what the notebook claims


def test_the_doctor_is_certain_of_mystery_3_and_only_likely_right_about_mystery_1(words):
    assert [diagnose(log(number)).verdicts[0].sure for number in (1, 3)] == ["likely", "certain"]
    assert "the pong stands above the timeout" in words
    waited = diagnose(log(1)).verdicts[0].evidence
    assert waited[1].t - waited[0].t == pytest.approx(8.5) and "that instant was 5 s after the ping, not 8.5 s" in words
    assert diagnose(log(4)).verdicts[0].sure == "possible" and "For mystery 4 it says *possible*" in words


def test_the_picture_says_that_the_other_end_is_not_in_the_log(words):
    ax = draw(diagnose(log(3)))
    assert ax.title == "The server noticed at 35 s" and "The client's state is not in this log" in ax.alt
    assert "? not in this log" in ax.words and "client never" not in ax.alt
    other = draw(diagnose(log(2)))
    assert other.panels[0].along.label == "seconds since the client was OPEN" and "server's state is not in this log" in other.alt


def test_the_hint_and_the_four_questions_are_true(words):
    first = {number: next((row for row in log(number) if " CLOSE " in row), "") for number in MYSTERIES}
    mine = [number for number, row in first.items() if "> CLOSE" in row and "keepalive ping timeout" in row]
    ponged = [number for number in mine if diagnose(log(number)).verdicts[0].cause == "own_loop"]
    assert len(mine) == 2 and len(ponged) == 1 and "In two of the four the **first** CLOSE begins with `>`" in words
