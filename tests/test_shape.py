"""The shape of the notebooks: little to read between two things to do, few votes, short cells, and sections that stand alone."""

import ast
import builtins
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
SECTION = re.compile(r"^## ", re.MULTILINE)
WORD = re.compile(r"[^\s|`*]*[a-z][^\s|`*]*", re.IGNORECASE)
MOST_WORDS, MOST_LINES = 120, 15
MOST_VOTES = {"workshop": 7}  # others 3. It has the votes of 90 minutes: of 00, 04, 07, and the exit ticket
AGAIN = ", again"  # a question that is asked a second time, when the learner has thought
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path):
    return nbformat.read(path, as_version=4).cells


def parsed(cell):
    return compile(cell.source, cell.id, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@every_notebook
def test_little_is_to_be_read_between_two_things_to_do(path):
    words, found = 0, {}
    for cell in cells(path):
        if cell.cell_type == "markdown":
            words += len(WORD.findall(cell.source))
        else:
            found[cell.id], words = words, 0
    assert max(found.values()) <= MOST_WORDS, {id: words for id, words in found.items() if words > MOST_WORDS}


@every_notebook
def test_there_are_few_votes(path):
    votes = [cell for cell in cells(path) if cell.cell_type == "code" and "guess(" in cell.source and AGAIN not in cell.source]
    assert len(votes) <= MOST_VOTES.get(path.stem, 3)


@every_notebook
def test_no_cell_of_code_is_long(path):
    long = {cell.id: cell.source.count("\n") + 1 for cell in cells(path) if cell.cell_type == "code"}
    assert max(long.values()) <= MOST_LINES, long


def at_once(tree):
    """The names that a cell needs when it runs, and those that it makes; what is in its functions runs later."""
    needs, makes, todo = set(), set(), list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            makes.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            makes |= {(one.asname or one.name).split(".")[0] for one in node.names}
        elif isinstance(node, ast.Lambda):
            todo += node.args.defaults
        else:
            if isinstance(node, ast.Name):
                (needs if isinstance(node.ctx, ast.Load) else makes).add(node.id)
            elif isinstance(node, ast.ExceptHandler):
                makes.add(node.name)
            todo += ast.iter_child_nodes(node)
    return needs - makes, makes


@every_notebook
def test_a_section_needs_the_set_up_cell_alone(path):
    set_up, known, missing = None, set(), {}
    for cell in cells(path):
        if cell.cell_type == "markdown":
            known = set_up | set(dir(builtins)) if set_up and SECTION.search(cell.source) else known
            continue
        needs, makes = at_once(parsed(cell))
        if set_up is None:
            set_up, known = makes, makes | set(dir(builtins))
        elif needs - known:
            missing[cell.id] = needs - known
        known |= makes
    assert not missing
