"""The two commands and what they install: one environment told three times, and a Makefile that says what is wrong in a sentence."""

import os
import re
import shutil
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from labkit.wires.loop import PRIVATES

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
IN_CONDA = {"matplotlib": "matplotlib-base"}  # where conda's name is another; matplotlib-base comes without Qt
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#"))

PROMISED = ("3.11", "3.12", "3.13", "3.14")  # the whole suite has passed on each
SYSTEMS = {"Linux": "tested", "macOS": "never tried", "Windows": "never tried"}

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


# one environment, told by pyproject.toml, environment.yml and constraints.txt


def requirements(lines: list[str]) -> dict[str, str]:
    """Name → bounds of requirements as pip or conda writes them, without labkit itself."""
    found = [Requirement(line) for line in lines if not line.startswith("labkit[")]
    return {requirement.name: str(requirement.specifier) for requirement in found}


def test_conda_gives_the_same_packages_with_the_same_bounds():
    wanted = requirements([*PROJECT["dependencies"], *EXTRAS["lab"]])
    given = requirements([line for line in CONDA if isinstance(line, str) and line != "pip" and not line.startswith("python=")])
    assert given == {IN_CONDA.get(name, name): bounds for name, bounds in wanted.items()}


def test_conda_installs_labkit_itself_and_nothing_else_by_pip():
    assert "pip" in CONDA and [line for line in CONDA if isinstance(line, dict)] == [{"pip": ["-e ."]}]


def test_everybody_promises_the_same_pythons_and_systems():
    *most, last = PROMISED
    readme = " ".join((ROOT / "README.md").read_text().split())
    untried = [system for system, state in SYSTEMS.items() if state == "never tried"]
    assert f"Python {', '.join(most)} or {last} (with venv), on Linux." in readme
    assert f"{' and '.join(untried)} were never tried." in readme
    assert f"Python {', '.join(most)} and {last};" in (ROOT / "constraints.txt").read_text()
    assert PROJECT["requires-python"] == f">={PROMISED[0]}"
    tested = [system for system, state in SYSTEMS.items() if state == "tested"]
    told = [line.split(" :: ")[-1] for line in PROJECT["classifiers"]]
    assert told == [*tested, *PROMISED]


def test_conda_names_one_python_that_is_promised_and_tells_of_the_others():
    (line,) = re.findall(r"^.*python=.*$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    one, others = line.split("#")
    assert one.strip().removeprefix("- python=") in PROMISED
    assert sorted(re.findall(r"3\.\d+", line)) == sorted(PROMISED)


def test_the_privates_of_asyncio_were_seen_in_every_python_that_is_promised():
    assert all(set(PROMISED) <= set(seen.split()) for seen in PRIVATES.values())


def test_where_the_newest_python_cannot_be_had_that_is_said_in_a_banner(tmp_path):
    """Here, to a user who is not root."""
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    script = ["bash", ROOT / ".ci" / "newest-python"]
    done = subprocess.run(script, env=path, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    banner = r"^#{80}\n##  NOT TESTED ON THE NEWEST PYTHON: .*root.*\n#{80}$"
    assert done.returncode == 0 and re.search(banner, done.stdout, re.MULTILINE)


@pytest.mark.skipif(shutil.which("jupyter-repo2docker", path=Path(sys.executable).parent) is None, reason="repo2docker is not installed")
def test_binder_reads_the_environment(tmp_path):
    for name in ("environment.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    tool = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan", "."]
    read = subprocess.run(tool, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    said = read.stdout + read.stderr
    assert read.returncode == 0 and re.search(r"conda environment for python=3\.1[1-4]", said) and "environment.yml" in said, said


def test_the_lab_has_what_the_notebooks_are_written_for():
    lab = requirements([*PROJECT["dependencies"], *EXTRAS["lab"]])
    assert {"jupyterlab", "websockets", "matplotlib", "nest-asyncio", "nest-asyncio2", "ipywidgets", "ipykernel"} <= set(lab)
    assert lab["jupyterlab"] == ">=4.6" and lab["websockets"] == ">=17"


def test_the_constraints_pin_every_package_within_its_bounds():
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    for name, bounds in requirements(sum(EXTRAS.values(), PROJECT["dependencies"])).items():
        assert pins[canonicalize_name(name)] in SpecifierSet(bounds), f"{name}: constraints.txt is not within {bounds}: make constraints"


in_lowest = Path(sys.prefix).name == "lowest" and sys.version_info[:2] == (3, 11)


@pytest.mark.skipif(not in_lowest, reason="only in the environment of make test-lowest, on Python 3.11")
def test_the_lowest_environment_has_exactly_the_lower_bounds():
    wanted = [EXTRAS[extra] for extra in ("lab", "cluster", "class", "dev")]
    for name, bounds in requirements(sum(wanted, PROJECT["dependencies"])).items():
        assert SpecifierSet(bounds.replace(">=", "==")).contains(version(name)), f"{name} {bounds}"


def test_the_licence_is_mit_by_the_labkit_authors():
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "MIT" and text.startswith("MIT License") and "the labkit authors" in text


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git clone")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_machine_s_folders_or_a_package_index():
    found = []
    folders = r"/(home|Users|root|work)/\w|/\.pyenv/|/opt/\w+/simple"
    index = r"pypi\.org|pythonhosted|conda\.anaconda\.org|index-url"
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "ignore") if path != Path(__file__).resolve() else ""
        found += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in re.finditer(f"{folders}|{index}", text)]
    assert not found


# the Makefile, with a Python that only pretends: it keeps a diary of what it was asked to install and to run

PRETENDER = """#!/bin/sh
here="{here}"
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m "*) shift; echo "$*" >> "$here/diary"; [ "$1" != pip ] || [ ! -e "$here/no-network" ] ;;
  *) exec {python} -c 'import sys; sys.version_info = ({version}); sys.version = ".".join(map(str, sys.version_info))
{also}
exec(sys.argv.pop(1))' "$2" "$3" ;;
esac
"""


class Desk:
    """A folder with the Makefile and pretending Pythons."""

    def __init__(self, folder: Path):
        self.folder = folder

    def python(self, version: str, also: str = "") -> str:
        """The path of a Python that says it is of this version."""
        path = self.folder / f"python{version}"
        numbers = version.replace(".", ", ")
        path.write_text(PRETENDER.format(here=self.folder, python=sys.executable, version=numbers, also=also))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return f"./{path.name}"

    def make(self, *arguments: str) -> subprocess.CompletedProcess:
        clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PYTHON", "ARGS")}
        return subprocess.run(["make", *arguments], cwd=self.folder, env=clean, capture_output=True, text=True, timeout=60)

    def asked(self) -> list[str]:
        """What was asked of pip and other modules since the last look: "pip", "jupyterlab", …"""
        diary = self.folder / "diary"
        lines = diary.read_text().splitlines() if diary.exists() else []
        diary.unlink(missing_ok=True)
        return [line.split()[0] for line in lines]


@pytest.fixture
def desk(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return Desk(tmp_path)


OLD = "This lab needs Python 3.11 or newer; {} is {}. Try: make test PYTHON=python3.12\n"


@needs_make
@pytest.mark.parametrize(
    ("version", "also", "sentence"),
    [
        *((version, "", OLD) for version in ("2.7.18", "3.8.18", "3.10.14")),
        (None, "", OLD.replace("is {}", "is not to be found")),
        ("3.12.1", 'sys.modules["ensurepip"] = None', "{} comes without venv (Debian"),
    ],
)
def test_an_unusable_python_is_told_so_in_one_sentence(desk, version, also, sentence):
    python = desk.python(version, also) if version else "python-of-nowhere"
    done = desk.make("test", f"PYTHON={python}")
    assert done.returncode != 0 and done.stderr.startswith(sentence.format(python, version)) and "Traceback" not in done.stderr
    assert not (desk.folder / ".venv").exists()


@needs_make
def test_either_command_may_come_first_and_again_and_again(desk):
    python = f"PYTHON={desk.python('3.12.1')}"
    assert desk.make("test", python).returncode == 0 and desk.asked() == ["pip", "labkit", "pytest"]
    assert desk.make("lab", python).returncode == 0 and desk.asked() == ["jupyterlab"]
    assert desk.make("lab").returncode == 0 and desk.asked() == ["jupyterlab"]
    assert desk.make("test").returncode == 0 and desk.asked() == ["labkit", "pytest"]


@needs_make
def test_the_lowest_versions_have_an_environment_of_their_own(desk):
    python = f"PYTHON={desk.python('3.12.1')}"
    assert desk.make("test-lowest", python).returncode == 0
    asked = (desk.folder / "diary").read_text().splitlines()
    assert desk.asked() == ["pip", "uv", "uv", "labkit", "pytest"]
    assert "--resolution lowest-direct" in asked[1] and "constraints" not in " ".join(asked)
    assert desk.make("test-lowest", "ARGS=-k law").returncode == 0
    assert (desk.folder / "diary").read_text().endswith("-k law\n")
    assert desk.asked() == ["labkit", "pytest"]
    assert desk.make("test").returncode == 0 and desk.asked() == ["pip", "labkit", "pytest"]


@needs_make
@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_other_requirements_are_installed_the_next_time(desk, name):
    assert desk.make("lab", f"PYTHON={desk.python('3.12.1')}").returncode == 0
    later = (desk.folder / ".venv" / "has-lab").stat().st_mtime + 10
    os.utime(desk.folder / name, (later, later))
    desk.asked()
    assert desk.make("lab").returncode == 0 and desk.asked() == ["pip", "jupyterlab"]


@needs_make
def test_an_interrupted_installation_is_made_again_from_nothing(desk):
    python = f"PYTHON={desk.python('3.12.1')}"
    (desk.folder / "no-network").touch()
    assert desk.make("lab", python).returncode != 0 and desk.asked() == ["pip"]
    half_made = desk.folder / ".venv" / "half-made"
    half_made.touch()
    (desk.folder / "no-network").unlink()
    assert desk.make("lab", python).returncode == 0 and desk.asked() == ["pip", "jupyterlab"]
    assert not half_made.exists()


@needs_make
def test_another_python_makes_the_environment_again_and_none_keeps_it(desk):
    older, newer = (f"PYTHON={desk.python(version)}" for version in ("3.11.7", "3.13.0"))
    assert desk.make("lab", older).returncode == 0 and desk.asked() == ["pip", "jupyterlab"]
    again = desk.make("lab", newer)
    assert "Making .venv again, with Python 3.13.0." in again.stdout and desk.asked() == ["pip", "jupyterlab"]
    assert desk.make("lab").returncode == 0 and desk.asked() == ["jupyterlab"]


@needs_make
def test_a_refused_python_leaves_the_environment_as_it_was(desk):
    assert desk.make("lab", f"PYTHON={desk.python('3.12.1')}").returncode == 0
    assert desk.make("lab", f"PYTHON={desk.python('3.8.18')}").returncode != 0
    desk.asked()
    assert desk.make("lab").returncode == 0 and desk.asked() == ["jupyterlab"]


@needs_make
def test_a_moved_folder_makes_its_environment_again(desk):
    assert desk.make("lab", f"PYTHON={desk.python('3.12.1')}").returncode == 0
    moved = Desk(desk.folder.rename(desk.folder.with_name("moved away")))
    again = moved.make("lab", f"PYTHON={moved.python('3.12.1')}")
    assert again.returncode == 0 and "Making .venv again" in again.stdout and moved.asked()[-2:] == ["pip", "jupyterlab"]


@needs_make
def test_the_lab_keeps_its_token_and_its_address_and_hands_on_what_is_asked(desk):
    assert desk.make("lab", f"PYTHON={desk.python('3.12.1')}", "ARGS=--no-browser").returncode == 0
    asked = (desk.folder / "diary").read_text().replace(str(desk.folder), "")
    assert "/lab/tree/notebooks/00_start_here.ipynb" in asked and asked.rstrip().endswith("--no-browser")
    assert not re.search(r"token|password|--ip|ServerApp\.ip|allow_origin", asked)


@needs_make
def test_make_alone_says_what_there_is(desk):
    said = desk.make().stdout
    for target in ("lab", "test", "test-lowest", "check", "format", "demo", "bench", "notebooks", "constraints", "clean"):
        assert re.search(rf"^make {target} +\w", said, re.M), f"make {target} is not told"
