"""The lab as a static folder, site/: JupyterLite with Python in the browser, and a start page.

    make site                  builds it, from this repo, npm's pyodide and the wheels in wheels.txt
    make site ARGS=--serve     then serves it, on 127.0.0.1 only

It asks no other host for anything once it is built, and works below any path of any web server.

To raise versions, change build.in and wheels.in (websockets: in both), PYODIDE and PYODIDE_SHA256
here, then in this folder, with uv:

    uv pip compile --universal --generate-hashes --python-version 3.11 build.in -o build.txt
    uv pip compile --no-deps --generate-hashes --python-version 3.14 --only-binary :all: \\
        wheels.in -o wheels.txt

A release of jupyterlite-pyodide-kernel is made for one line of Pyodide (PYODIDE_VERSION in its
constants.py), whose Python is PYTHON here. `make test-site` says whether they work together.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import start

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "site"
WORK = ROOT / ".venv" / "site" / "work"
CACHE = ROOT / ".venv" / "site" / "cache"
PYODIDE = "314.0.7"
PYODIDE_SHA256 = "66b7949e5a0cba2250b586d7e368bf12fb482800748d182c4618254b685ffaa0"
PYTHON = "3.14"
NEEDED = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
KERNEL = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
ITS_OWN = ("ipykernel", "piplite", "pyodide_kernel")  # the kernel's wheels, which are loaded first
DATE = (1980, 1, 1, 0, 0, 0)  # of every file in a wheel made here: the same bytes each time


def build() -> None:
    """Make site/ anew."""
    for folder in (SITE, WORK):
        shutil.rmtree(folder, ignore_errors=True)
    contents = WORK / "contents" / "notebooks"
    contents.mkdir(parents=True)
    books = ROOT / "notebooks"
    for path in [*books.glob("*.ipynb"), *books.glob("*.md")]:
        shutil.copy(path, contents)
    distribution = WORK / "pyodide"
    unpack_pyodide(distribution)
    names = lock(distribution, wheels(distribution))
    settings(names)
    lite()
    shutil.copytree(distribution, SITE / "static" / "pyodide")
    for path in SITE.rglob("*.map"):
        path.unlink()
    start.write(SITE / "index.html")
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"site/ is made: {size / 1e6:.1f} MB")


# Python in the browser


def unpack_pyodide(to: Path) -> None:
    """Put the needed files of npm's package in a folder."""
    to.mkdir()
    for name in (*NEEDED, "pyodide-lock.json"):
        (to / name).write_bytes(from_npm("pyodide", PYODIDE, PYODIDE_SHA256, name))


def from_npm(package: str, version: str, expected: str, name: str) -> bytes:
    """A file of a package of npm's; ValueError if it is not the pinned one, by its sha256."""
    archive = CACHE / f"{package}-{version}.tgz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        called("npm", "pack", "--silent", f"{package}@{version}", "--pack-destination", CACHE)
    if seen := differs(archive, expected):
        archive.unlink()
        raise ValueError(f"{package} {version} is not the one pinned here: its sha256 is {seen}")
    with tarfile.open(archive) as packed:
        source = packed.extractfile(f"package/{name}")
        assert source is not None
        return source.read()


def wheels(to: Path) -> list[Path]:
    """Put every wheel in a folder: those pinned, the kernel's own, labkit and a stand-in."""
    target = ("--python-version", PYTHON, "--implementation", "py", "--abi", "none")
    pinned = ("--require-hashes", "--no-deps", "--only-binary=:all:", "-r", ROOT / "web/wheels.txt")
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    called(*pip, "-d", to, *target, "--platform", "any", *pinned)
    for name in ITS_OWN:
        (found,) = (Path(sys.prefix) / KERNEL).glob(f"{name}-*.whl")
        shutil.copy(found, to)
    lab = {path: path.relative_to(ROOT) for path in files(ROOT / "labkit")}
    lab |= {path: path.relative_to(ROOT) for path in files(ROOT / "data")}
    lab |= {path: path.relative_to(ROOT / "notebooks") for path in files(ROOT / "notebooks/checks")}
    texts = {str(name): path.read_bytes() for path, name in lab.items()}
    wheel(to, "labkit", texts)
    # The kernel asks for jedi, which is large: 7 MB. IPython completes without it, too.
    wheel(to, "jedi", {"jedi/__init__.py": b"raise ImportError('jedi is not in this site')\n"})
    return sorted(to.glob("*.whl"))


def files(folder: Path) -> list[Path]:
    """The files of a package, without what Python or an editor left there."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sorted(path for path in found if path.suffix in (".py", ".html", ".jsonl"))


def wheel(folder: Path, name: str, texts: dict[str, bytes]) -> None:
    """Write a wheel of files that need nothing to be built."""
    about = f"{name}-0.1.0.dist-info"
    texts = {
        **texts,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-0.1.0-py3-none-any.whl", "w") as archive:
        record = "".join(f"{path},,\n" for path in [*texts, f"{about}/RECORD"])
        for path, data in {**texts, f"{about}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(path, DATE), data, zipfile.ZIP_DEFLATED)


def lock(folder: Path, wheels: list[Path]) -> list[str]:
    """Write Pyodide's list of packages anew, with these wheels alone; their names."""
    path = folder / "pyodide-lock.json"
    told = json.loads(path.read_text())
    told["packages"] = {one["name"]: one for one in map(entry, wheels)}
    path.write_text(json.dumps(told))
    return sorted(told["packages"])


def entry(wheel: Path) -> dict[str, object]:
    """What Pyodide's list of packages says of a wheel. All are loaded, so none names others."""
    name, version = wheel.name.split("-")[:2]
    with zipfile.ZipFile(wheel) as archive:
        tops = {path.split("/")[0].removesuffix(".py") for path in archive.namelist()}
    return {
        "name": name.lower().replace("_", "-"),
        "version": version,
        "file_name": wheel.name,
        "sha256": sha256(wheel),
        "imports": sorted(top for top in tops if top.isidentifier()),
        "depends": [],
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


# JupyterLite


def settings(names: list[str]) -> None:
    """What JupyterLite is told: where Pyodide is, and that nothing comes from elsewhere."""
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": names},
    }
    plugins = {"@jupyterlite/pyodide-kernel-extension:kernel": kernel}
    told = {"appName": "labkit", "litePluginSettings": plugins, "exposeAppInBrowser": True}
    file = {"jupyter-lite-schema-version": 0, "jupyter-config-data": told}
    (WORK / "jupyter-lite.json").write_text(json.dumps(file))
    (WORK / "overrides.json").write_text(
        json.dumps({"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}})
    )


def lite() -> None:
    """Build JupyterLite into site/."""
    tool = (sys.executable, "-m", "jupyterlite_core.app", "build", "--lite-dir", WORK)
    small = ("--apps", "lab", "--no-sourcemaps", "--no-unused-shared-packages")
    called(*tool, "--contents", WORK / "contents", "--output-dir", SITE, *small, cwd=WORK)


def serve(port: int) -> None:
    """Serve site/ to this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


# what both need


def called(*command: object, cwd: Path = ROOT) -> None:
    """Run a command; shows what it said only if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{done.stdout.decode()}\n{' '.join(words[:4])} … has failed: see above")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def differs(path: Path, expected: str) -> str:
    """The sha256 of a file if it is another than expected."""
    seen = sha256(path)
    return "" if seen == expected else seen


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the lab as a static folder: site/.")
    parser.add_argument("--serve", action="store_true", help="serve it on 127.0.0.1 afterwards")
    parser.add_argument("--port", type=int, default=8000, help="where (default: %(default)s)")
    arguments = parser.parse_args()
    build()
    if arguments.serve:
        serve(arguments.port)


if __name__ == "__main__":
    main()
