"""The notebooks: generated from their solutions, run from top to bottom, and true to the figures that they talk about."""

import ast
import builtins
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

sys.path.insert(0, str(Path(__file__).parent.parent / "notebooks" / "solutions"))
import generate  # noqa: E402

FOLDER = Path(generate.SOLUTIONS.parent)
SOLUTIONS = sorted((FOLDER / "solutions").glob("*.ipynb"))
LEARNERS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Where the kernel runs, writes its ledger, and (with ipc, which is faster than tcp) keeps its sockets."""
    monkeypatch.chdir(tmp_path)


def execute(path, times=1):
    """Run a notebook from top to bottom, so many times in one kernel; returns it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    cells = list(notebook.cells)
    notebook.cells = [nbformat.from_dict(cell) for _ in range(times) for cell in cells]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    config = Config({"KernelManager": {"transport": "ipc" if sys.platform != "win32" else "tcp"}})
    client = NotebookClient(notebook, timeout=120, config=config, shutdown_kernel="immediate")
    return client.execute()


def outputs(notebook):
    return [(cell.source, output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def text(notebook):
    return "\n".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for _, o in outputs(notebook))


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_a_learners_notebook_runs_empty_and_twice_in_one_kernel(path):
    notebook = execute(path, times=2)
    assert not [o for _, o in outputs(notebook) if o.get("name") == "stderr" or o.output_type == "error"]
    assert "your turn" in text(notebook) and "✓" not in text(notebook)
    assert "no guess made" in text(notebook) and "your guess" not in text(notebook).replace("your guess is", "")


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_solution_runs_and_passes_its_own_checks(path):
    notebook = execute(path)
    assert not [o for _, o in outputs(notebook) if o.get("name") == "stderr" or o.output_type == "error"]
    assert "your turn" not in text(notebook) and "not yet" not in text(notebook) and "✓" in text(notebook)
    pages = [o.data["text/html"] for _, o in outputs(notebook) if "text/html" in o.get("data", {})]
    pictures = [page for page in pages if "<svg" in page or "<img" in page]  # others are words themselves
    assert all(map(says_itself, pictures)) and (pictures or path.stem == "await_in_ten_minutes")


def says_itself(picture):
    """Whether a figure has words for who cannot see it: an SVG its label, the still picture of a widget its alt text."""
    return ('role="img"' in picture and 'aria-label="' in picture) or re.search(r'<img alt="[^"]{20,}"', picture) is not None


def test_every_learners_notebook_is_up_to_date_with_its_solution(capsys):
    assert generate.main(check=True) == 0, capsys.readouterr().out
    assert [path.name for path in LEARNERS] == [path.name for path in SOLUTIONS]


@pytest.mark.parametrize("path", [*LEARNERS, *SOLUTIONS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_notebooks_are_committed_without_outputs_and_link_to_what_exists(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
        for target in re.findall(r"\]\(([^)#]+)\)", cell.source) if cell.cell_type == "markdown" else []:
            assert target.startswith(("data:", "http")) or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_a_learners_notebook_gives_no_answer_away(path):
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "# answer" not in code and "= ...  # " in code


WORD = r"[^\W\d_][\w'’-]*"
VOTES = {"workshop": 7}  # others 3. It has the votes of 90 minutes: of 00, 04, 07, and the exit ticket


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_between_two_cells_are_120_words_at_most_and_a_notebook_has_few_votes(path):
    read, votes = 0, set()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            read += len(re.findall(WORD, re.sub(r"<[^>]+>|\]\([^)]*\)", "", cell.source)))
            continue
        assert read <= 120, f"{read} words before {cell.id}"
        read = 0
        if (asked := re.search(r'guess\("([^"]*?)(?:, again)?"', cell.source)) is not None:
            votes.add(asked[1])
    assert len(votes) <= VOTES.get(path.stem, 3), votes


def sections(path):
    """The code of each section, behind that of the set-up cell, by its heading."""
    setup, found, heading = None, {}, ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            heading = next((line for line in cell.source.splitlines() if line.startswith("## ")), heading)
        elif setup is None:
            setup = cell.source
        else:
            found[heading] = f"{found.get(heading, setup)}\n{cell.source}"
    return found


def unbound(code):
    """Names that are used and that neither the code nor Python itself has."""
    used, bound = set(), set(dir(builtins))
    for node in ast.walk(compile(code, "cells", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.add(node.id)
        else:
            names = (getattr(node, field, None) for field in ("id", "name", "asname", "arg"))
            bound |= {name.partition(".")[0] for name in names if isinstance(name, str)}
    return used - bound


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_every_section_needs_no_cell_but_its_own_and_the_first(path):
    for heading, code in sections(path).items():
        assert not unbound(code), heading


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_code_cells_are_short_and_nine_in_ten_are_shorter(path):
    cells = [cell.source.splitlines() for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"][1:]
    assert max(map(len, cells)) <= 15 and sum(len(cell) < 10 for cell in cells) >= 0.9 * len(cells)  # the first one imports
    assert max(len(line) for cell in cells for line in cell) <= 112
