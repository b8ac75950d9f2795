"""The solved course as pages to read: every solution, executed. The folder solved/.

    make solved

It is for a teacher: no part of the site, and nothing links to it. Its pages need no server and ask
no other host for anything; the figures play. Where a widget would be stands its still picture.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from traitlets.config import Config

import start

ROOT = Path(__file__).resolve().parent.parent
SOLUTIONS = ROOT / "notebooks" / "solutions"
LIMIT = 15e6  # bytes
PATIENCE = 300  # s for a cell
WIDGET = "application/vnd.jupyter.widget-view+json"
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r'(href="[^":]+)\.(?:ipynb|md)\b')
MARKS = re.compile(r"[*`#]+|\]\(.*?\)")  # of Markdown, which nobody looks for
Section = tuple[str, str, str, str]  # address, page, title, text


def build(folder: Path, solutions: Iterable[Path]) -> None:
    """Make the folder anew, with a page for each of these notebooks, the map and the index."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sections: list[Section] = []
    contents = ["# The solved course"]
    for path in solutions:
        begun = time.monotonic()
        notebook = executed(path)
        found = list(sections_of(notebook, f"{path.stem}.html"))
        page = found[0][1]
        write(folder, path.stem, page, body(notebook))
        sections += found
        contents.append(f"* [{page}]({path.name})")
        print(f"{path.stem}: {time.monotonic() - begun:.0f} s", flush=True)
    told = (ROOT / "notebooks" / "map.md").read_text(encoding="utf-8")
    write(folder, "map", "The map", body(words(told)))
    write(folder, "index", "The solved course", body(words("\n".join(contents))))
    data = json.dumps(sections, ensure_ascii=False, separators=(",", ":"))
    script = (start.HERE / "search.js").read_text(encoding="utf-8")
    (folder / "search.js").write_text(f"const SECTIONS = {data};\n{script}", encoding="utf-8")


def executed(path: Path) -> nbformat.NotebookNode:
    """A notebook with its outputs, but for the widgets, which need a kernel."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}  # where the ledger of guesses is written
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})
        NotebookClient(notebook, timeout=PATIENCE, config=config, resources=where).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if WIDGET not in one.get("data", {})]
    return notebook


def sections_of(notebook: nbformat.NotebookNode, file: str) -> Iterator[Section]:
    """What is searched: what stands below each heading, figures and other outputs in words."""
    page = title = address = ""
    texts: list[str] = []
    for cell in notebook.cells:
        heading = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        if heading:
            if texts:
                yield address, page, title, " ".join(texts)
            title, texts = heading[1].replace("`", ""), []
            page = page or title
            address = f"{file}#cell-id={cell.id}"
        texts += [MARKS.sub("", cell.source), *map(said, cell.get("outputs", []))]
    yield address, page, title, " ".join(texts)


def said(output: nbformat.NotebookNode) -> str:
    """An output in words."""
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


def words(text: str) -> nbformat.NotebookNode:
    """A notebook of a text alone."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def body(notebook: nbformat.NotebookNode) -> str:
    """A notebook as HTML, without a page around it and without prompts."""
    plain = {"exclude_input_prompt": True, "exclude_output_prompt": True}
    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True, **plain)
    return str(exporter.from_notebook_node(notebook)[0])


def write(folder: Path, name: str, title: str, body: str) -> None:
    """Write a page, whose links to notebooks lead to pages."""
    page = start.filled("solved.html", title=title, body=LINK.sub(r"\1.html", body))
    (folder / f"{name}.html").write_text(page, encoding="utf-8")


def main() -> None:
    folder = ROOT / "solved"
    build(folder, sorted(SOLUTIONS.glob("*.ipynb")))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"solved/ is made: {size / 1e6:.1f} MB; open {folder / 'index.html'}")
    if size > LIMIT:
        sys.exit(f"which is more than {LIMIT / 1e6:g} MB")


if __name__ == "__main__":
    main()
