"""The method of websockets that notebook 05 reads, from a version on the shelf; never imported."""

from __future__ import annotations

import ast
import difflib
import sys
from pathlib import Path
from textwrap import dedent

import websockets

from labkit.versions import shelf

NAME = "send_context"


def source_of(version: str, since: str = "") -> str:
    """The method, from the first line with ``since`` on."""
    lines = _lines(version)
    if not lines:
        return _absent(version)
    first = next(k for k, line in enumerate(lines) if since in line)
    return f"# websockets {version}, Connection.{NAME}\n" + dedent("\n".join(lines[first:]))


def what_changed(old: str, new: str) -> str:
    """Its lines that two versions do not share, - the old and + the new."""
    before, after = _lines(old), _lines(new)
    if not before or not after:
        return _absent(new if before else old)
    diff = list(difflib.unified_diff(before, after, n=2, lineterm=""))[3:]
    return "\n".join([f"# Connection.{NAME}: - websockets {old}, + websockets {new}", *diff])


def _absent(version: str) -> str:
    return (
        f"websockets {version} is not here, so its source cannot be shown:\n"
        f"python -m labkit vintages fetch {version} gets it. Below it is told in words."
    )


def _lines(version: str) -> list[str]:
    """None of them if the version is not here."""
    found = shelf.find(version, sys.executable)
    if found is None:
        return []
    package = Path(websockets.__path__[0]) if found == Path(".") else found / "websockets"
    text = (package / "asyncio" / "connection.py").read_text(encoding="utf-8")
    nodes = (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.AsyncFunctionDef))
    node = next(one for one in nodes if one.name == NAME)
    return text.splitlines()[node.lineno - 1 : node.end_lineno]
