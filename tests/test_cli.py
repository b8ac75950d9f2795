"""The command line: what it prints, what it writes, and how it refuses."""

import cases
import pytest

from labkit import Trace, run
from labkit.__main__ import main

FLY = "run --ping-interval 4 --ping-timeout 3 --close-timeout 2 --cut 9 --wire virtual".split()


@pytest.mark.parametrize("options", [[], ["--tls"], ["--log"]])
def test_a_run_prints_the_short_table_and_the_log_if_it_is_asked_for(options, capsys):
    assert main([*FLY, *options]) == 0
    out = capsys.readouterr()
    assert "server: noticed 15.000 s, closed 17.000 s, told 17.000 s" in out.out and out.err == ""
    assert ("- timed out waiting for keepalive pong" in out.out) == ("--log" in options)


def test_a_run_saves_its_trace_and_show_prints_it_again(capsys, tmp_path):
    path = tmp_path / "trace.jsonl"
    assert main([*FLY, "--heal", "14", "--until", "30", "--json", str(path)]) == 0
    printed = capsys.readouterr().out.split("\n\nsaved")[0]
    assert main(["show", str(path)]) == 0
    assert capsys.readouterr().out.strip() == printed.strip()
    assert Trace.load(path).experiment.cuts[0].heal == 14


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_run_draws_its_figure(tmp_path, suffix, capsys):
    path = tmp_path / f"figure.{suffix}"
    assert main([*FLY, "--figure", str(path)]) == 0
    start = path.read_bytes()[:100]
    assert start.startswith(b"\x89PNG") if suffix == "png" else b"<?xml" in start or b"<svg" in start


def test_none_switches_a_timer_off(capsys):
    assert main([*FLY[:1], "--ping-interval", "none", "--cut", "3", "--wire", "virtual"]) == 0
    assert "noticed never" in capsys.readouterr().out


WRONG = [
    ([], "command"),
    (["walk"], "walk"),
    (["run", "--cut", "soon"], "'soon'"),
    (["run", "--heal", "4"], "--heal needs --cut"),
    (["run", "--cut", "9", "--heal", "4"], "after at = 9"),
    (["run", "--ping-interval", "0", "--cut", "1"], "greater than 0"),
    (["run", "--ping-interval", "none", "--cut", "1"], "never end on the loopback wire"),
    (["run", "--wire", "copper"], "copper"),
    (["run", "--figure", "x.gif", "--wire", "virtual"], ".png or .svg"),
    (["show", "no such file"], "no such file"),
    (["show", __file__], "not a trace"),
    (["run", "--cut", "9", "--wire", "virtual", "--json", "no/such/folder/x"], "no/such/folder"),
]


@pytest.mark.parametrize(("words", "hint"), WRONG, ids=[" ".join(words)[:40] for words, _ in WRONG])
def test_wrong_usage_exits_with_2_and_one_sentence(words, hint, capsys):
    try:
        status = main(words)
    except SystemExit as exit:
        status = exit.code
    err = capsys.readouterr().err
    assert status == 2 and hint in err and err.count("\n") == 1, err


def test_the_doctor_tells_three_connections_of_a_cause_in_full_and_how_many_more_there_are(capsys, tmp_path):
    path = tmp_path / "app.log"
    path.write_text("\n".join(run(cases.FLY, "virtual").log("server") * 5))
    assert main(["doctor", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.count("certain: ") == 3 and "… and 2 more: connections 4 (line" in said


# vintages and the matrix


def test_vintages_are_listed(capsys):
    assert main(["vintages", "list"]) == 0
    printed = capsys.readouterr().out
    assert "websockets 14.1" in printed and "legacy, threading" in printed and "Python 3." in printed


def test_vintages_are_fetched_once(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_SHELF", str(tmp_path))
    monkeypatch.setattr("labkit.versions.shelf._install", lambda version, draft: _fake(draft))
    assert main(["vintages", "fetch", "12.0"]) == 0 == main(["vintages", "fetch", "12.0"])
    assert capsys.readouterr().out == "websockets 12.0: fetched\nwebsockets 12.0: was here already\n"
    assert main(["vintages", "fetch"]) == 0 and "websockets 14.2: fetched" in capsys.readouterr().out
    assert main(["vintages", "fetch", "--all"]) == 0 and "websockets 16.0: fetched" in capsys.readouterr().out


def _fake(draft):
    (draft / "websockets").mkdir(parents=True)
    (draft / "websockets" / "version.py").touch()


@pytest.mark.parametrize("version", ["newest", "../14.1"])
def test_a_version_that_is_none_is_refused_in_a_sentence(capsys, version):
    assert main(["vintages", "fetch", version]) == 2
    assert "a version of websockets is a string such as '14.1'" in capsys.readouterr().err


def test_the_matrix_is_recorded_where_one_asks(capsys, monkeypatch, tmp_path):
    from labkit import Vintage
    from labkit.versions import matrix

    everything = matrix.everything
    monkeypatch.setattr(matrix, "everything", lambda progress: everything([Vintage(), Vintage("14.1", "trio")], progress))
    assert main(["matrix", "--to", str(tmp_path / "here")]) == 0
    assert "24 cells (12 of them holes)" in capsys.readouterr().out
    header, cells = matrix.load(tmp_path / "here" / "matrix.jsonl")
    assert {cell["verdict"] for cell in cells} == {"bounded", "hangs", "never", "hole"}
