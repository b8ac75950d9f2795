"""The notebooks: generated from their solutions, run from top to bottom, and true to the figures that they talk about."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from cases import FLY
from nbclient import NotebookClient
from traitlets.config import Config

from labkit import Cut, compare, recorded, run

sys.path.insert(0, str(Path(__file__).parent.parent / "notebooks" / "solutions"))
import generate  # noqa: E402

FOLDER = generate.SOLUTIONS.parent
SOLUTIONS = sorted((FOLDER / "solutions").glob("*.ipynb"))
LEARNERS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Where the kernel runs, writes its ledger, and (with ipc, which is faster than tcp) keeps its sockets."""
    monkeypatch.chdir(tmp_path)


def execute(path, times=1):
    """Run a notebook from top to bottom, so many times in one kernel; returns it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    cells = list(notebook.cells)
    notebook.cells = [nbformat.from_dict(cell) for _ in range(times) for cell in cells]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    config = Config({"KernelManager": {"transport": "ipc" if sys.platform != "win32" else "tcp"}})
    client = NotebookClient(notebook, timeout=120, config=config, shutdown_kernel="immediate")
    return client.execute()


def outputs(notebook):
    return [(cell.source, output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def text(notebook):
    return "\n".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for _, o in outputs(notebook))


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_a_learners_notebook_runs_empty_and_twice_in_one_kernel(path):
    notebook = execute(path, times=2)
    assert not [o for _, o in outputs(notebook) if o.get("name") == "stderr" or o.output_type == "error"]
    assert "your turn" in text(notebook) and "✓" not in text(notebook)
    assert "no guess made" in text(notebook) and "your guess" not in text(notebook).replace("your guess is", "")


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_solution_runs_and_passes_its_own_checks(path):
    notebook = execute(path)
    assert not [o for _, o in outputs(notebook) if o.get("name") == "stderr" or o.output_type == "error"]
    assert "your turn" not in text(notebook) and "not yet" not in text(notebook) and "✓" in text(notebook)
    pictures = [o.data["text/html"] for _, o in outputs(notebook) if "text/html" in o.get("data", {})]
    assert pictures and all(map(says_itself, pictures))


def says_itself(picture):
    """Whether a figure has words for who cannot see it: an SVG its label, the still picture of a widget its alt text."""
    return ('role="img"' in picture and 'aria-label="' in picture) or re.search(r'<img alt="[^"]{20,}"', picture) is not None


def test_every_learners_notebook_is_up_to_date_with_its_solution(capsys):
    assert generate.main(check=True) == 0, capsys.readouterr().out
    assert [path.name for path in LEARNERS] == [path.name for path in SOLUTIONS]


@pytest.mark.parametrize("path", [*LEARNERS, *SOLUTIONS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_notebooks_are_committed_without_outputs_and_link_to_what_exists(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
        for target in re.findall(r"\]\(([^)#]+)\)", cell.source) if cell.cell_type == "markdown" else []:
            assert target.startswith(("attachment:", "http")) or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_a_learners_notebook_gives_no_answer_away(path):
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "# answer" not in code and "= ...  # " in code


@pytest.mark.parametrize("path", LEARNERS, ids=lambda path: path.stem)
def test_code_cells_are_short_and_nine_in_ten_are_shorter(path):
    cells = [cell.source.splitlines() for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"][1:]
    assert max(map(len, cells)) <= 15 and sum(len(cell) < 10 for cell in cells) >= 0.9 * len(cells)  # the first one imports
    assert max(len(line) for cell in cells for line in cell) <= 112


@pytest.fixture(scope="module")
def words_of_00():
    return "\n".join(cell.source for cell in nbformat.read(FOLDER / "00_start_here.ipynb", as_version=4).cells)


def test_what_notebook_00_says_below_its_figures_is_what_they_show(words_of_00):
    trace = run(FLY, "virtual")
    assert len([f for f in trace.frames() if f.arrived_at is not None and f.sent_at < 9]) == 4  # two pings, two pongs
    stuck = [f for f in trace.frames() if f.arrived_at is None]
    for sentence, truth in (
        ("At 12 s it is time for the next ping. It is **stuck**", stuck[0].opcode == "PING" and stuck[0].sent_at == 12),
        ("it sends CLOSE with code 1011, and hangs up in the same breath", trace.noticed_at("server") == 15),
        ("At 17 s it has waited 2 s more", trace.closed_at("server") == trace.told_at("server") == 17),
        ("its `recv()` raises `ConnectionClosedError`", trace.raised("server")[0].type == "ConnectionClosedError"),
        ("It **never** notices", trace.noticed_at("client") is None),
        ("Theory and virtual time agree exactly", compare(trace).worst == 0),
        ("Look at the line with `PING` at 12 s", any("12.000 > PING" in line for line in trace.log("server")[-12:])),
    ):
        assert sentence in words_of_00 and truth, sentence


HEALED = FLY.but(faults=[Cut(9, heal=14)], until=24)


def tries(trace):
    return [(round(event.t, 2), event.data["through"]) for event in trace.select("retransmission", "server", "tcp")]


def test_what_notebook_00_says_of_the_heal_at_14_s_is_what_the_run_and_a_kernel_show(words_of_00):
    trace, kernel = run(HEALED, "virtual"), recorded("kernel-healed-at-14")
    assert tries(trace) == [(12.21, False), (12.42, False), (12.84, False), (13.68, False), (15.36, True)]
    assert "12.21, 12.42, 12.84 and 13.68 s, in vain" in words_of_00 and "slept until **15.36 s**" in words_of_00
    for seen in (trace, kernel):
        server, client = seen.raised("server")[0], seen.raised("client")[0]
        assert 14 < seen.noticed_at("server") < seen.closed_at("server") < 17  # hung up by the client, not by close_timeout
        assert (server.sent, server.received, client.received) == (1011, None, 1011)
    assert trace.closed_at("server") - trace.noticed_at("server") == pytest.approx(0.36) and "here that took 0.36 s" in words_of_00
    assert kernel.experiment == HEALED or kernel.experiment.but(until=24) == HEALED
    assert compare(kernel).worst < 0.1 and "by a few hundredths of a second" in words_of_00


@pytest.mark.parametrize(
    ("change", "pong", "sentence"),
    [
        ({"faults": [Cut(9, heal=13)]}, 13.68, "the fourth try, at 13.68 s"),
        ({"latency": 0.05}, 14.65, "its fourth try comes between 14.5 and 14.6 s"),
    ],
)
def test_one_changed_number_saves_the_connection_of_notebook_00(change, pong, sentence, words_of_00):
    trace = run(HEALED.but(**change), "virtual")
    assert trace.noticed_at("server") is trace.noticed_at("client") is None and sentence in words_of_00
    assert trace.frames("client")[2].arrived_at == pytest.approx(pong, abs=0.05) and len(tries(trace)) == 4
