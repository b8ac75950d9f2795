"""A learner's notebook is its solution, with every answer taken out."""

import sys
from pathlib import Path

import nbformat.v4 as v4
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "notebooks" / "solutions"))
import generate  # noqa: E402


def emptied(source):
    (cell,) = generate.learner(v4.new_notebook(cells=[v4.new_code_cell(source)])).cells
    return cell.source


@pytest.mark.parametrize(
    ("solution", "learner"),
    [
        ("when = 15  # answer: seconds", "when = ...  # seconds"),
        (
            "def f(x):\n    n = x + 1  # answer: a count\n    return n * 2  # answer: twice it",
            "def f(x):\n    n = ...  # a count\n    return ...  # twice it",
        ),
        (
            "async def bye(ws):\n    # answer: say goodbye\n    await ws.close(1001)\n    return 2\n    # end of answer\n\nx = 3",
            "async def bye(ws):\n    ...  # say goodbye\n\nx = 3",
        ),
        ("when = 15  # seconds\nreturned = f(3)\nreturn when", "when = 15  # seconds\nreturned = f(3)\nreturn when"),
    ],
)
def test_what_is_marked_as_an_answer_is_emptied_and_nothing_else(solution, learner):
    assert emptied(solution) == learner


def test_a_cell_tagged_solution_is_left_out():
    cells = [v4.new_code_cell("1", metadata={"tags": ["solution"]}), v4.new_markdown_cell("when = 15  # answer: seconds")]
    (left,) = generate.learner(v4.new_notebook(cells=cells)).cells
    assert left.source == "when = 15  # answer: seconds"


def test_the_last_cell_links_to_the_map():
    last = v4.new_markdown_cell("**Next:** silence")
    last["id"] = "silence-next"
    (cell,) = generate.learner(v4.new_notebook(cells=[last])).cells
    assert cell.source.startswith("**Next:** silence") and "](map.md)" in cell.source
