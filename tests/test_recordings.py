"""The recordings are found from wherever a notebook runs, and can be made again."""

import runpy
from pathlib import Path

import pytest

from labkit import recorded, run
from labkit.trace.recordings import BESIDE


def seen(trace):
    """What happened, without the random payloads of pings and the words of log lines that hold them."""
    known = ("state", "opcode", "size", "sender", "arrived_at", "bytes", "type", "text", "step", "code")
    return [(e.t, e.where, e.witness, e.what, *(e.data.get(key) for key in known)) for e in trace.events]


@pytest.mark.parametrize("folder", ["", "notebooks", "notebooks/solutions", "/"])
def test_a_recording_is_found_from_any_folder(folder, monkeypatch):
    monkeypatch.chdir(BESIDE.parent / folder)
    assert recorded("fruit-fly").noticed_at("server") == pytest.approx(15, abs=0.05)


def test_without_a_clone_it_is_found_in_a_folder_data_above(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    recorded("fruit-fly").save(tmp_path / "data" / "mine.jsonl")
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert len(recorded("mine").events) == len(recorded("fruit-fly").events)


def test_a_recording_that_is_not_there_is_refused_with_those_that_are(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no recording is called 'cat'.*closing-hang, fruit-fly"):
        recorded("cat")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("labkit.trace.recordings.BESIDE", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="neither beside labkit nor above"):
        recorded("fruit-fly")


def test_every_recording_stands_in_the_readme():
    words = (BESIDE / "README.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in words for path in [*BESIDE.glob("*.jsonl"), *BESIDE.glob("*.png")])
    assert (Path(BESIDE) / "closing_hang.py").exists() and "`python data/closing_hang.py`" in words


def test_the_hang_can_be_recorded_again():
    made = runpy.run_path(str(BESIDE / "closing_hang.py"))
    assert seen(run(made["EXPERIMENT"], wire="virtual", progress=False)) == seen(recorded("closing-hang"))


def test_the_hang_is_a_hang():
    hang = recorded("closing-hang")
    assert hang.experiment.server.close_timeout == 2
    assert hang.noticed_at("server") == 15 and hang.experiment.cuts[0].heal == 45
    assert hang.closed_at("server") == hang.told_at("server") == 62.59  # TCP's next try after the heal, and an acknowledgement
    assert hang.header["versions"]["websockets"] >= "17"
