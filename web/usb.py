"""A folder for a memory stick, usb/: the lab for computers without a network.

    make usb             builds it, with the site; some 300 MB are fetched

It holds the site, the learners' pack, the wheels of one Python for three systems, the old versions
of websockets as pure Python, and the scripts and the page of web/stick. The packages are those of
constraints.txt. What each system needs uv says, and pip fetches it: a package without a wheel for
one of them ends the build. The real build is too large for CI; tests/test_usb.py holds its parts.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USB = ROOT / "usb"
STICK = ROOT / "web" / "stick"
PACK = ROOT / "dist" / "labkit-students.zip"  # made by: make students
PYTHON = "3.12"
GLIBCS = ("2_28", "2_24", "2_17", "2_12", "2_5")
SYSTEMS = {  # what uv calls it, and the tags of its wheels, the best one first
    "windows": ("x86_64-pc-windows-msvc", ("win_amd64",)),
    "macos": ("aarch64-apple-darwin", ("macosx_14_0_arm64",)),
    "linux": ("x86_64-manylinux_2_28", tuple(f"manylinux_{glibc}_x86_64" for glibc in GLIBCS)),
}
BUILD = "hatchling>=1.27\neditables\n"  # with which pip installs the lab itself
NOT_FOR_LEARNERS = ("tests/", "web/", "notebooks/solutions/", "notebooks/TEACHING.md", ".")


def build() -> None:
    """Make usb/ anew."""
    shutil.rmtree(USB, ignore_errors=True)
    (USB / "python").mkdir(parents=True)
    steps: dict[str, Callable[[Path], None]] = {
        "site": lambda to: shutil.copytree(ROOT / "site", to) and None,
        "lab": pack,
        "vintages": vintages,
        **{f"wheels/{system}": wheels for system in SYSTEMS},
    }
    sizes = {}
    for number, (name, step) in enumerate(steps.items(), start=1):
        print(f"[{number}/{len(steps)}] {name} …", end=" ", flush=True)
        begun = time.monotonic()
        step(USB / name)
        sizes[name] = size(USB / name)
        print(f"{sizes[name] / 1e6:.0f} MB, {time.monotonic() - begun:.0f} s")
    scripts(sizes)
    sums()
    print(f"usb/ is made: {size(USB) / 1e6:.0f} MB. Add the installers that README.txt names.")


def pack(to: Path) -> None:
    """The learners' pack: as `make students` has made it, or what git knows of it."""
    if PACK.is_file():
        with zipfile.ZipFile(PACK) as archive:
            archive.extractall(to)
        return
    for name in called("git", "ls-files").splitlines():
        if not name.startswith(NOT_FOR_LEARNERS):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)


def vintages(to: Path) -> None:
    """The old versions of websockets, without what was compiled for this machine."""
    os.environ["LABKIT_SHELF"] = str(to)
    from labkit.versions import shelf

    for version in shelf.LIVE:
        shelf.fetch(version)
    for path in [*to.rglob("*.so"), *to.rglob("*.pyd")]:
        path.unlink()


def wheels(to: Path) -> None:
    """Every wheel that the lab needs on the system that the folder is named after."""
    triple, tags = SYSTEMS[to.name]
    target = ("--python-version", PYTHON, "--python-platform", triple)
    asked = ("pyproject.toml", "-", "--extra", "lab", "-c", "constraints.txt")
    uv = (sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate")
    to.mkdir(parents=True)
    needed = to / "needed.txt"
    needed.write_text(called(*uv, *asked, *target, given=BUILD))
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    only = ("--no-deps", "--only-binary=:all:", "--implementation", "cp")
    platforms = [word for tag in tags for word in ("--platform", tag)]
    called(*pip, *only, "--python-version", PYTHON, *platforms, "-d", to, "-r", needed)


def scripts(sizes: dict[str, int]) -> None:
    """The scripts and the page of web/stick; Windows wants its own ends of lines."""
    rows = "\n".join(f"  {name:16} {many / 1e6:5.0f} MB" for name, many in sizes.items())
    for path in sorted(STICK.iterdir()):
        text = path.read_text(encoding="utf-8")
        text = text.replace("@PYTHON@", PYTHON).replace("@SIZES@", rows)
        ends = "\r\n" if path.suffix in (".bat", ".txt") else "\n"
        (USB / path.name).write_text(text, encoding="utf-8", newline=ends)
        (USB / path.name).chmod(0o755 if path.suffix in (".sh", ".command") else 0o644)


def sums() -> None:
    """SHA256SUMS, for sha256sum -c and for start --verify."""
    paths = sorted(path for path in USB.rglob("*") if path.is_file())
    lines = (
        f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.relative_to(USB).as_posix()}\n"
        for one in paths
    )
    text = "".join(lines)
    (USB / "SHA256SUMS").write_text(text, encoding="utf-8", newline="\n")


def size(folder: Path) -> int:
    """The bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def called(*command: object, given: str = "") -> str:
    """What a command prints; ends the build, with what it said, if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, input=given, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"\n{done.stdout}{done.stderr}\n{' '.join(words[:5])} … has failed: see above")
    return done.stdout


if __name__ == "__main__":
    build()
