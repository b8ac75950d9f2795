"""The source of a method as it stands in a version of websockets on the shelf: read with ast, never imported, never kept.

    print(source_of("14.1", "asyncio/connection.py", "Connection.send_context"))
    print(what_changed("14.1", "14.2", "asyncio/connection.py", "Connection.send_context"))

A version that is not here gives a sentence that says so, and what ``otherwise`` tells instead.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import sys
from pathlib import Path
from textwrap import dedent, fill

from ..versions import shelf

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def source_of(version: str, file: str, name: str, since: str = "", otherwise: str = "") -> str:
    """The source of a method in a file of websockets, without its docstring, from the first line with ``since`` on."""
    lines = _method(version, file, name)
    if lines is None:
        return _absent(version, otherwise)
    first = next((k for k, (_, line) in enumerate(lines) if since in line), 0)
    body = dedent("\n".join(line for _, line in lines[first:]))
    return f"# websockets {version}, {file}, {name}, from line {lines[first][0]} on\n{body}"


def what_changed(old: str, new: str, file: str, name: str, otherwise: str = "") -> str:
    """The lines of a method that two versions do not share, - the old and + the new, with two lines around them."""
    texts = [_method(version, file, name) for version in (old, new)]
    if absent := [version for version, lines in zip((old, new), texts) if lines is None]:
        return _absent(absent[0], otherwise)
    a, b = (dedent("\n".join(line for _, line in lines or [])).split("\n") for lines in texts)
    diff = [
        line
        for line in difflib.unified_diff(a, b, n=2, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    return (
        "\n".join([f"# {name}: - websockets {old}, + websockets {new}", *diff])
        if diff
        else f"{name} is the same in {old} and {new}"
    )


def _absent(version: str, otherwise: str) -> str:
    why = f"(websockets {version} is not here, so its source cannot be shown: python -m labkit vintages fetch {version} gets it.)"
    return "\n".join(fill(text, 100) for text in (why, otherwise) if text)


def _method(version: str, file: str, name: str) -> list[tuple[int, str]] | None:
    """The lines of a method with their numbers, without the docstring; None if the version is not here."""
    folder = _package(version)
    if folder is None:
        return None
    text = (folder / file).read_text(encoding="utf-8")
    node = _find(ast.parse(text), name.split("."))
    doc = _docstring(node)
    numbers = [n for n in range(node.lineno, (node.end_lineno or node.lineno) + 1) if n not in doc]
    return [(n, text.splitlines()[n - 1]) for n in numbers]


def _package(version: str) -> Path | None:
    """The folder of the package websockets, in this version."""
    found = shelf.find(version, sys.executable)
    if found is None or found != Path("."):
        return found and found / "websockets"
    spec = importlib.util.find_spec("websockets")
    return (
        Path(spec.submodule_search_locations[0])
        if spec and spec.submodule_search_locations
        else None
    )


def _find(tree: ast.AST, path: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef:
    for step in path:
        inside = ast.iter_child_nodes(tree)
        found = next(
            (
                node
                for node in inside
                if isinstance(node, (*Function, ast.ClassDef)) and node.name == step
            ),
            None,
        )
        if found is None:
            raise ValueError(f"there is no {'.'.join(path)} in that file")
        tree = found
    if not isinstance(tree, Function):
        raise ValueError(
            f"expected a method, such as Connection.send_context; seen {'.'.join(path)}"
        )
    return tree


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> range:
    """The numbers of its lines."""
    if ast.get_docstring(node) is None:
        return range(0)
    return range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
