"""Make the learners' notebooks, their map and the teacher's guide: run this file with Python.

``--check`` only says whether they are up to date.

A solution is a notebook like any other. What a learner is to find is marked in it:

    soonest = 11.99  # answer: from 8 to 12 s          becomes   soonest = ...  # from 8 to 12 s
    return asked + 3  # answer: a moment (s)           becomes   return ...  # a moment (s)

    # answer: say goodbye                              becomes   ...  # say goodbye
    await websocket.close(1001)
    # end of answer

and a cell with the tag "solution" is left out. Outputs are never kept. The last cell, whose id ends
in "-next", gets a link to the map.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from atlas import draw_map
from guide import draw_guide

SOLUTIONS = Path(__file__).parent
ANSWER = re.compile(r"^(\s*(?:\w+\s*=|return\b)\s*).*?\s{2}# answer:\s*(.*)$", re.MULTILINE)
MAP = " · [The map](map.md) of all notebooks"
BLOCK = re.compile(r"^(\s*)# answer: (.*)\n(?:.*\n)*?\s*# end of answer$", re.MULTILINE)


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
        cell.source = ANSWER.sub(r"\1...  # \2", BLOCK.sub(r"\1...  # \2", cell.source))
        cell.outputs, cell.execution_count = [], None
    elif cell.id.endswith("-next"):
        cell.source += MAP
    return cell


def main(check: bool) -> int:
    """Write the learners' notebooks, map and guide, or only compare; returns the exit status."""
    stale = []
    wanted = {
        path.name: nbformat.writes(learner(nbformat.read(path, as_version=4))) + "\n"
        for path in sorted(SOLUTIONS.glob("*.ipynb"))
    }
    wanted["map.md"] = draw_map(SOLUTIONS)
    wanted["TEACHING.md"] = draw_guide(SOLUTIONS)
    for name, text in wanted.items():
        target = SOLUTIONS.parent / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            stale.append(target.name)
            if not check:
                target.write_text(text, encoding="utf-8")
    if stale:
        print(("not up to date, run make notebooks: " if check else "written: ") + ", ".join(stale))
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
