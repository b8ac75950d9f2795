"""Collected ledgers give the histograms that a room gives; what is broken is named and skipped."""

import json

import pytest

from checks import Ledger
from checks.workshop import POLLS
from labkit.__main__ import main

WHEN = POLLS[1]


def ledger(path, **answers):
    """A learner's file, written as notebooks write it."""
    for id, (guess, right) in answers.items():
        Ledger(path).keep(id, guess, WHEN.fact, right)
    return str(path)


def test_ledgers_are_counted_by_choice_and_by_belief(tmp_path, capsys):
    said = [15, 15.05, 12, 12, 13]
    files = [ledger(tmp_path / f"{n}.jsonl", **{WHEN.id: (guess, guess > 14)}) for n, guess in enumerate(said)]
    page = tmp_path / "class.html"
    assert main(["class", "merge", *files, "--html", str(page)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "first vote" in line and "█" in line]
    assert [int(row[1]) for row in rows] == [2, 1, 2]  # 12, 13, 15
    assert "the clock did not restart" in page.read_text()


def test_first_and_second_votes_stand_side_by_side(tmp_path, capsys):
    healed = "00 healed at 14 s"
    file = ledger(tmp_path / "a.jsonl", **{healed: ("live", False), f"{healed}, again": ("die", True)})
    assert main(["class", "merge", file]) == 0
    assert "00 healed at 14 s   first vote: 1, second vote: 1" in capsys.readouterr().out


def test_a_question_that_is_no_poll_is_counted_too(tmp_path, capsys):
    file = ledger(tmp_path / "a.jsonl", **{"00 how soon": ("minutes", False), "07 killed at": (12.0, False)})
    assert main(["class", "merge", file]) == 0
    out = capsys.readouterr().out
    assert "what TCP alone would take" in out and "12 s" in out


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 2"),
        ("[]", "no guess of the lab"),
        ('{"question": "00 who notices"}', "guess"),
        ('{"question": "00 who notices", "guess": "me", "fact": "server"}', "seen 'me'"),
        ('{"question": "99 what", "guess": 1, "fact": 1}', "99 what"),
        ('{"question": ["00"], "guess": 1, "fact": 1}', "line 2"),
        ('{"question": "00 the fruit fly", "guess": NaN, "fact": 15}', "expected a number"),
        ('{"question": "00 healed at 14 s", "guess": "die", "right": true, "count": 999}', "second answer"),
        ("[" * 100_000, "line 2"),
        ("\x00\x01", "line 2"),
    ],
)
def test_a_broken_line_is_named_and_skipped(tmp_path, capsys, line, why):
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"question": "00 healed at 14 s", "guess": "live", "fact": "die"}) + f"\n{line}\n")
    assert main(["class", "merge", str(file)]) == 1
    seen = capsys.readouterr()
    assert "first vote: 1" in seen.out and f"{file}, line 2" in seen.err and why in seen.err


@pytest.mark.parametrize("count", [0, -1, 1.5, True, None, 10**9])
def test_a_saved_room_with_an_odd_count_is_not_believed(tmp_path, capsys, count):
    file = tmp_path / "room.jsonl"
    file.write_text(json.dumps({"question": WHEN.id, "guess": 15, "right": True, "count": count}))
    assert main(["class", "merge", "--room", str(file)]) == 1
    assert "expected a count" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said_in_a_sentence(capsys):
    assert main(["class", "merge", "no such file"]) == 2
    assert "no such file" in capsys.readouterr().err
