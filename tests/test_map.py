"""The map of the notebooks: whatever is asked, believed, named and drawn stands in it, with a cell that there is."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

from checks.catalogue import everything

FOLDER = Path(__file__).parent.parent / "notebooks"
sys.path.insert(0, str(FOLDER / "solutions"))
import atlas  # noqa: E402

MAP = (FOLDER / "map.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)#]+)#cell-id=([^)]+)\)", MAP)


def test_it_is_up_to_date():
    assert atlas.draw_map(FOLDER / "solutions") == MAP


def test_every_question_and_exercise_is_asked_somewhere_and_stands_in_it():
    asked = {id for place in atlas.cells(FOLDER) if place.code for _, id in atlas.ASKED.findall(place.source)}
    known = {one.id for kind in ("QUESTIONS", "EXERCISES") for one in everything(kind)}
    loops = {re.sub(r"\{.*?\}", ".+", id) for id in asked if "{" in id}  # check(f"01 frame {name}", …)
    in_a_loop = {id for id in known for loop in loops if re.fullmatch(loop, id)}
    assert {id for id in asked if "{" not in id} == known - in_a_loop
    assert all(f"| {atlas.name_of(id)} (" in MAP for id in asked)


def test_every_link_leads_to_a_cell_of_a_learners_notebook():
    there = {(place.file, place.id) for place in atlas.cells(FOLDER)}
    assert LINKS and set(LINKS) <= there


def test_every_belief_has_code_that_shows_it():
    assert set(atlas.BELIEFS) == set(range(1, 26))
    code = {place.id for place in atlas.cells(FOLDER) if place.code}
    assert {id for _, ids in atlas.BELIEFS.values() for id in ids.split()} <= code


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_links_to_it(path):
    assert "](map.md)" in nbformat.read(path, as_version=4).cells[-1].source
