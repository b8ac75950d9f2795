"""The teacher's guide: every notebook has its minutes, its beliefs as the checks know them, and its links lead somewhere."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

from checks.catalogue import everything

FOLDER = Path(__file__).parent.parent / "notebooks"
sys.path.insert(0, str(FOLDER / "solutions"))
import atlas  # noqa: E402
import guide  # noqa: E402

GUIDE = (FOLDER / "TEACHING.md").read_text(encoding="utf-8")
SECTIONS = {number: (head, text) for head, number, text in re.findall(r"^## ((\d\d) .*)\n\n((?:(?!^## ).*\n)*)", GUIDE, re.MULTILINE)}
NUMBERED = sorted(FOLDER.glob("[0-9]*.ipynb"))
README = (FOLDER.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_a_notebook_has_its_title_and_its_minutes_by_part_are_those_of_the_course(path):
    (minutes,) = re.findall(rf"\(notebooks/{path.name}\) \| (\d+) \|", README)
    head, text = SECTIONS[path.name[:2]]
    assert f"# {head}" == f"{nbformat.read(path, as_version=4).cells[0].source.splitlines()[0]} ({minutes} minutes)"
    parts = re.split(r"\.(?:\s|$)", text)[0].split(" · ")
    assert sum(int(part.split()[-1]) for part in parts) == int(minutes)


@pytest.mark.parametrize("number", SECTIONS)
def test_it_says_what_is_believed_where_they_get_stuck_and_what_to_say_when_the_vote_splits(number):
    text = SECTIONS[number][1]
    asked = [one.id[3:] for one in everything("QUESTIONS") if one.id[:2] == number and not one.id.endswith(", again")]
    assert all(f"| {name} |" in text for name in asked)
    assert "**Where they get stuck.**" in text and "**If the vote splits" in text


def test_what_a_believer_is_told_is_what_the_checks_say_and_stands_nowhere_else():
    (healed,) = [one for one in everything("QUESTIONS") if one.id == "00 healed at 14 s"]
    (belief,) = healed.beliefs.values()
    assert f"| healed at 14 s | live | {belief} |" in GUIDE
    assert belief not in guide.TEXT.read_text(encoding="utf-8")


def test_a_wrong_number_is_answered_and_the_right_one_is_none_of_them():
    for id, given in guide.NUMBERS.items():
        (question,) = [one for one in everything("QUESTIONS") if one.id == id]
        assert all(text for _, text in guide.wrong(question)), id
        fact = question.fact(given.seen())
        assert not any(question.answer.right(value, fact) for value in given.values), id


def test_it_claims_no_shares_and_its_links_lead_to_cells():
    assert "%" not in GUIDE and "per cent" not in GUIDE
    there = {(place.file, place.id) for place in atlas.cells(FOLDER)}
    links = re.findall(r"\]\(([^)#]+)#cell-id=([^)]+)\)", GUIDE)
    assert links and set(links) <= there
    assert all((FOLDER / target).exists() for target in re.findall(r"\]\(([^)#]+)", GUIDE))
