"""The Pythons of this machine: this one, and those of pyenv, conda, uv or the py launcher."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PLACES = "the PATH, pyenv, conda, uv and the py launcher"
ASK = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
NAMES = [f"python3.{minor}" for minor in range(10, 20)]


class Python(NamedTuple):
    """An interpreter: where it is, and its version ("3.10.13")."""

    path: str
    version: str


def number(version: str) -> tuple[int, ...]:
    """The version as numbers: "3.10" is (3, 10); refuses what is none."""
    try:
        numbers = tuple(int(part) for part in version.split("."))
    except (ValueError, AttributeError):
        numbers = ()
    if len(numbers) < 2:
        raise ValueError(f"a Python is a string such as '3.10', seen {version!r}")
    return numbers


def here() -> str:
    """The version of this Python."""
    return ".".join(map(str, sys.version_info[:3]))


def find(version: str | None) -> Python | None:
    """An interpreter of that version ("3.10" or "3.10.13"), this one where it fits, or None."""
    wanted = number(version or here())
    mine = Python(sys.executable, here())
    if _fits(mine, wanted):
        return mine  # nobody else has to be asked
    return next((one for one in known() if _fits(one, wanted)), None)


def _fits(python: Python, wanted: tuple[int, ...]) -> bool:
    return number(python.version)[: len(wanted)] == wanted


@functools.cache
def known() -> tuple[Python, ...]:
    """This Python, and the others that were found, the newest first."""
    others: dict[str, str] = {}
    for path in _candidates():
        if (version := ask(path)) is not None:
            others.setdefault(version, path)
    others.pop(here(), None)
    newest_first = sorted(others, key=number, reverse=True)
    rest = [Python(others[version], version) for version in newest_first]
    return (Python(sys.executable, here()), *rest)


@functools.cache
def ask(path: str) -> str | None:
    """The version of an interpreter; None if it does not answer."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", ASK],
            capture_output=True,
            text=True,
            timeout=10,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 and done.stdout.startswith("3.") else None


@functools.cache
def imports(path: str, module: str) -> bool:
    """Whether an interpreter can import a module."""
    ask = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    done = subprocess.run(
        [path, "-c", ask], capture_output=True, timeout=30, stdin=subprocess.DEVNULL
    )
    return done.returncode == 0


def _candidates() -> Iterator[str]:
    """Where interpreters may be."""
    yield from filter(None, map(shutil.which, NAMES))
    for folder in _homes():
        for inner in ("bin/python3", "bin/python", "python.exe"):
            if (path := folder / inner).is_file():
                yield str(path)
                break
    if py := shutil.which("py"):
        listed = subprocess.run(
            [py, "-0p"], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL
        )
        for line in listed.stdout.splitlines():
            if line.strip().startswith("-"):
                yield line.split(None, 2)[-1].lstrip("* ")


def _homes() -> Iterator[Path]:
    """Folders that hold an installation of Python each."""
    home = Path.home()
    roots = [
        Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions",
        Path(os.environ.get("UV_PYTHON_INSTALL_DIR", home / ".local/share/uv/python")),
        *(home / name / "envs" for name in ("miniconda3", "miniforge3", "anaconda3", "mambaforge")),
    ]
    for root in roots:
        if root.is_dir():
            yield from sorted(
                path for path in root.iterdir() if path.is_dir() and not path.is_symlink()
            )
    listed = home / ".conda/environments.txt"
    if listed.is_file():
        yield from map(Path, listed.read_text(encoding="utf-8").split("\n"))
