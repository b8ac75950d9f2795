"""Make the learners' notebooks from the solutions: ``python notebooks/generate.py``.

``--check`` only says whether they are up to date.

A solution is a notebook like any other. What a learner is to find is marked in it:

    soonest = 11.99  # answer: seconds, from 8 to 12   becomes   soonest = ...  # seconds, from 8 to 12
    return asked + 3  # answer: a moment (s)           becomes   return ...  # a moment (s)

and a cell with the tag "solution" is left out. Outputs are never kept.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat

HERE = Path(__file__).parent
ANSWER = re.compile(r"^(\s*(?:\w+\s*=|return\b)\s*).*?\s{2}# answer:\s*(.*)$", re.MULTILINE)


def learner(solution: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The learner's notebook of a solution."""
    notebook = nbformat.from_dict(solution)
    notebook.cells = [
        _empty(cell) for cell in solution.cells if "solution" not in cell.metadata.get("tags", [])
    ]
    return notebook


def _empty(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    cell = nbformat.from_dict(cell)
    if cell.cell_type == "code":
        cell.source = ANSWER.sub(r"\1...  # \2", cell.source)
        cell.outputs, cell.execution_count = [], None
    return cell


def main(check: bool) -> int:
    """Write every learner's notebook, or only compare; returns the exit status."""
    stale = []
    for path in sorted((HERE / "solutions").glob("*.ipynb")):
        text = nbformat.writes(learner(nbformat.read(path, as_version=4))) + "\n"
        target = HERE / path.name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            stale.append(target.name)
            if not check:
                target.write_text(text, encoding="utf-8")
    if stale:
        print(
            ("not up to date, run make notebooks: " if check else "written: ") + ", ".join(stale)
        )
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
