"""Set up the lab on this computer, without a network, and open it.

    start.sh             the first time: a copy of the lab in your home folder, and what it needs;
                         then, and every other time, JupyterLab in the browser
    start.sh --check     the same, but one run in the terminal in place of JupyterLab
    start.sh --site      the lab as a web site, shown to this computer only, with nothing set up
    start.sh --to DIR    another folder than websocket-lab in your home
    start.sh --verify    whether every file of this stick is whole (SHA256SUMS)

Nothing is changed outside of that folder. What is in it stays as it is: to begin anew, rename it.
Runs on Python 3.8 and newer, with nothing installed; the packages beside it are for one Python.
"""

import argparse
import functools
import hashlib
import http.server
import os
import platform
import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = (3, 12)
WHEELS = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}
MACHINES = {"linux": ("x86_64",), "windows": ("AMD64",), "macos": ("arm64",)}
RUN = "run --ping-interval 4 --ping-timeout 3 --close-timeout 2 --cut 9 --wire virtual"
LAB = "--LabApp.default_url=/lab/tree/notebooks/workshop.ipynb --LabApp.extension_manager=readonly"
QUIET = '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'


def main():
    """Do what was asked; returns the exit status."""
    parser = argparse.ArgumentParser(prog="start", description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="one run, and no browser")
    parser.add_argument("--site", action="store_true", help="the lab as a web site")
    parser.add_argument("--verify", action="store_true", help="compare with SHA256SUMS")
    parser.add_argument("--to", type=Path, default=Path.home() / "websocket-lab", metavar="DIR")
    args = parser.parse_args()
    if args.verify:
        return verify()
    if args.site:
        return show_site()
    if why := misfit():
        print(f"{why} So the lab cannot be set up here.")
        return 1 if args.check else show_site()
    python = set_up(args.to.resolve())
    return open_lab(args.to.resolve(), python, args.check)


def misfit():
    """Why the packages of this stick are not for this computer, or nothing."""
    wheels = WHEELS.get(platform.system())
    if platform.machine() not in MACHINES.get(wheels, ()):
        return f"There are no packages for {platform.system()} on {platform.machine()} here."
    if sys.version_info[:2] != PYTHON:
        wanted, here = (".".join(map(str, two)) for two in (PYTHON, sys.version_info[:2]))
        return f"The packages here are for Python {wanted}, and this is {here}."
    return ""


def set_up(lab):
    """A copy of the lab with an environment of its own; the Python of that environment."""
    environment = lab / ".venv"
    place = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    python, made = environment / place, environment / "made"
    if made.is_file():
        return python
    print(f"Setting up the lab in {lab}; this takes a minute or two, the first time.", flush=True)
    if not lab.exists():
        shutil.copytree(HERE / "lab", lab)
        shutil.copytree(HERE / "vintages", lab / "vintages")
    shutil.rmtree(environment, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    wheels = HERE / "wheels" / WHEELS[platform.system()]
    subprocess.run([*pip, "--find-links", wheels, "-e", f"{lab}[lab]"], check=True)
    config = environment / "etc" / "jupyter" / "labconfig"
    config.mkdir(parents=True, exist_ok=True)
    (config / "page_config.json").write_text(QUIET)
    made.touch()
    return python


def open_lab(lab, python, check):
    """JupyterLab, until it is ended; or one run."""
    words = RUN.split() if check else [*LAB.split(), f"--ServerApp.root_dir={lab}"]
    if not check and getattr(os, "getuid", lambda: 1)() == 0:  # in a container
        words.append("--allow-root")
    module = "labkit" if check else "jupyterlab"
    environment = {**os.environ, "LABKIT_SHELF": str(lab / "vintages")}
    return subprocess.run([python, "-m", module, *words], cwd=lab, env=environment).returncode


class Site(http.server.SimpleHTTPRequestHandler):
    """Serves files; Windows may know some of their types by other names."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        """Say nothing."""


def show_site():
    """The folder site in the browser, shown to this computer only, until Ctrl-C."""
    handler = functools.partial(Site, directory=str(HERE / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        print(f"The lab as a web site: {address} (Ctrl-C ends it)", flush=True)
        webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
    return 0


def verify():
    """Compare every file with SHA256SUMS, and name those that differ."""
    wrong = []
    for line in (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        told, name = line.split("  ", 1)
        path = HERE / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != told:
            wrong.append(name)
    print("\n".join(["These files are not whole:", *wrong]) if wrong else "Every file is whole.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
