"""The memory stick, as far as it can be told without fetching anything: its scripts, its page, and what it is made of.

The real build fetches some 300 MB, and is not made in CI: make usb.
"""

import functools
import re
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "web"), str(ROOT / "web" / "stick")]
import open_lab  # noqa: E402, I001 (a folder usb, once built, changes how usb is sorted)
import usb  # noqa: E402

FILES = {path.name: path.read_text(encoding="utf-8") for path in usb.STICK.iterdir() if path.is_file()}


@pytest.fixture
def stick(tmp_path, monkeypatch):
    """A stick without wheels: its scripts and its page, and one file of a site."""
    monkeypatch.setattr(usb, "USB", tmp_path)
    monkeypatch.setattr(open_lab, "HERE", tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "python.mjs").write_text("export {}")
    usb.scripts({"site": 1_000_000})
    usb.sums()
    return tmp_path


def test_the_scripts_start_one_program_and_name_one_python():
    assert {"start.sh", "start.command", "start.bat", "open_lab.py", "README.txt"} == set(FILES)
    assert "start.sh" in FILES["start.command"]
    for name in ("start.sh", "start.bat"):
        assert "open_lab.py" in FILES[name] and set(re.findall(r"3\.1\d", FILES[name])) == {usb.PYTHON}
    assert ".".join(map(str, open_lab.PYTHON)) == usb.PYTHON
    assert set(open_lab.WHEELS.values()) == set(usb.SYSTEMS)


def test_nothing_on_it_names_a_host_but_this_one():
    for name, text in FILES.items():
        assert set(re.findall(r"https?://([^/:{\s]*)", text)) <= {"127.0.0.1"}, name
        assert not re.search(r"\b(pypi|index.url|\.org|\.com|\.net)\b", text), name


def test_each_script_runs_as_a_file_of_its_system(stick):
    assert b"\r\n" in (stick / "start.bat").read_bytes() and b"\r" not in (stick / "start.sh").read_bytes()
    for name in ("start.sh", "start.command"):
        assert (stick / name).stat().st_mode & 0o111
        subprocess.run(["sh", "-n", stick / name], check=True)
    done = subprocess.run(["sh", stick / "start.command", "--verify"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "Every file is whole.\n")


def test_a_file_that_is_not_whole_is_named(stick, capsys):
    (stick / "site" / "python.mjs").write_text("export { }")
    assert open_lab.verify() == 1
    assert "site/python.mjs" in capsys.readouterr().out


def test_every_line_of_the_page_for_windows_leads_to_a_label_that_there_is():
    text = FILES["start.bat"]
    assert set(re.findall(r"goto (\w+)", text)) == set(re.findall(r"^:(\w+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("system", "machine", "version", "why"),
    [
        ("Linux", "x86_64", (3, 12), ""),
        ("Darwin", "arm64", (3, 12), ""),
        ("Windows", "AMD64", (3, 12), ""),
        ("Linux", "x86_64", (3, 14), "The packages here are for Python 3.12, and this is 3.14."),
        ("Darwin", "x86_64", (3, 12), "There are no packages for Darwin on x86_64 here."),
        ("Haiku", "x86_64", (3, 12), "There are no packages for Haiku on x86_64 here."),
    ],
)
def test_who_has_no_packages_here_is_told_so(system, machine, version, why, monkeypatch):
    monkeypatch.setattr(open_lab.platform, "system", lambda: system)
    monkeypatch.setattr(open_lab.platform, "machine", lambda: machine)
    monkeypatch.setattr(open_lab.sys, "version_info", (*version, 0))
    assert open_lab.misfit() == why


def test_the_site_is_served_with_the_types_that_a_browser_wants(stick):
    handler = functools.partial(open_lab.Site, directory=str(stick / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urlopen(f"http://127.0.0.1:{server.server_port}/python.mjs") as answer:
            assert answer.headers["Content-Type"] == "text/javascript"
        server.shutdown()


def test_the_learners_pack_has_the_lab_and_no_solutions(tmp_path, monkeypatch):
    monkeypatch.setattr(usb, "PACK", tmp_path / "none")
    usb.pack(tmp_path / "lab")
    there = {path.relative_to(tmp_path / "lab").as_posix() for path in (tmp_path / "lab").rglob("*") if path.is_file()}
    assert {"pyproject.toml", "labkit/__init__.py", "notebooks/workshop.ipynb", "notebooks/checks/__init__.py", "LICENSE"} <= there
    assert not [name for name in there if name.startswith(usb.NOT_FOR_LEARNERS)]
