"""The shelf: old versions of websockets, each in a folder of its own, fetched once.

It lies in the user's cache (``LABKIT_SHELF`` says where else). A version is installed by pip into
a draft beside the others and takes its place in one step, so an interrupted download leaves
nothing half-done, and two processes may fetch at once.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ..ends.capabilities import IMPLEMENTATIONS, has, number
from . import pythons

LIVE = ("10.4", "13.1", "14.1", "14.2")  # run by notebooks and tests, besides the installed one
ALL = (
    "10.4",
    "11.0.3",
    "12.0",
    "13.0.1",
    "13.1",
    "14.0",
    "14.1",
    "14.2",
    "15.0.1",
    "16.0",
    "17.0.1",
)
STALE = 3600.0  # s; an older draft is nobody's any more


def folder() -> Path:
    """Where the shelf is."""
    if given := os.environ.get("LABKIT_SHELF"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "labkit" / "websockets"


@functools.cache
def installed() -> str:
    """The version of websockets that is installed here."""
    return importlib.metadata.version("websockets")


def find(version: str, python: str) -> Path | None:
    """The folder to import this version from, for that interpreter.

    "." if the interpreter has it by itself; None if it is not here.
    """
    if (book := folder() / version).is_dir():
        return book
    return Path(".") if version == installed() and python == sys.executable else None


def here() -> list[str]:
    """The versions on the shelf, the oldest first."""
    if not folder().is_dir():
        return []
    return sorted((path.name for path in folder().iterdir() if path.name[0].isdigit()), key=number)


def report() -> str:
    """What is here, as a table: versions with their implementations, and Pythons."""
    rows = [f"the shelf is {folder()}", ""]
    place = dict.fromkeys([*LIVE, *ALL], "-")
    place.update(dict.fromkeys(here(), "on the shelf"))
    place[installed()] = "installed"
    for version in sorted(place, key=number):
        known = ", ".join(one for one in IMPLEMENTATIONS if has(one, "exists", version))
        rows.append(f"websockets {version:8} {place[version]:13} {known}")
    rows += ["", *(f"Python {one.version:8} {one.path}" for one in pythons.known())]
    return "\n".join(rows)


def fetch(version: str) -> bool:
    """Put a version on the shelf; returns whether it had to be fetched.

    ValueError for what is no version, RuntimeError if it cannot be fetched.
    """
    number(version)
    place = folder() / version
    if place.is_dir():
        return False
    with _draft(version) as draft:
        _install(version, draft)
        with contextlib.suppress(OSError):  # somebody else was faster
            os.rename(draft, place)
    if not (place / "websockets" / "version.py").is_file():
        raise RuntimeError(
            f"websockets {version} did not reach the shelf, {folder()}: is it full, or read-only?"
        )
    return True


@contextlib.contextmanager
def _draft(version: str) -> Iterator[Path]:
    """A folder beside the others to fetch into; gone at the end, unless it was renamed.

    Those that others have abandoned are removed.
    """
    folder().mkdir(parents=True, exist_ok=True)
    for old in folder().glob(".draft-*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > STALE:
                shutil.rmtree(old, ignore_errors=True)
    draft = folder() / f".draft-{version}-{os.getpid()}"
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _install(version: str, draft: Path) -> None:
    wanted = ["--quiet", "--no-deps", "--target", str(draft), f"websockets=={version}"]
    done = subprocess.run(
        [*_installer(), *wanted],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "BUILD_EXTENSION": "no"},  # optional: the pure Python is enough
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pip says nothing"]
        raise RuntimeError(
            f"websockets {version} could not be fetched ({said[-1]}): "
            "is this machine online, and is there such a version?"
        )


def _installer() -> list[str]:
    if importlib.util.find_spec("pip"):
        options = ["--disable-pip-version-check", "--no-input", "--no-compile"]
        return [sys.executable, "-m", "pip", "install", *options]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise RuntimeError("fetching needs pip, which this Python has not: python -m ensurepip")
