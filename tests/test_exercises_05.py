"""Notebook 05: what it says is what runs, and what is recorded; its checks judge by running; and it works with nothing on the shelf."""

import contextlib
import itertools
import re
import sys
import threading
from pathlib import Path

import nbformat
import pytest
from test_notebooks import execute, outputs, text

from labkit import Hole, Trace, Vintage, plots, recorded
from labkit.exercises import gap, gap_logs
from labkit.exercises.old_source import source_of, what_changed
from labkit.versions import pythons, shelf
from labkit.versions.matrix import recorded as recorded_matrix
from labkit.versions.worker import Worker

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WORDS = "\n".join(cell.source for cell in nbformat.read(NOTEBOOKS / "05_the_closing_gap.ipynb", as_version=4).cells)
ATTEMPTS = {  # what the notebook runs, and which lanes hang
    "none": ("quiet", "ws", ["14.1", "newest"]),
    "AB": ("backlog below the mark", "ws", ["13.1", "14.1", "14.2", "newest"]),
    "A": ("quiet", "wss server", [Vintage("14.1", python="3.10"), "14.1", Vintage("14.2", python="3.10")]),
    "ABC": ("ping before drain blocked", "ws", ["14.1", "14.2", "newest"]),
}


def on_the_shelf(*versions):
    return all(shelf.find(version, sys.executable) for version in versions)


needs_old = pytest.mark.skipif(not on_the_shelf("13.1", "14.1", "14.2"), reason="old versions: python -m labkit vintages fetch")


@pytest.fixture(scope="module", autouse=True)
def one_process_a_vintage():
    """Runs of one vintage share a worker, as a ``with`` statement lets them: to start one takes longer than what it runs here."""
    locks, workers = {}, {}
    with contextlib.ExitStack() as until_the_end, pytest.MonkeyPatch.context() as patched:

        @contextlib.contextmanager
        def shared(place, wire):
            with locks.setdefault(place, threading.Lock()):
                if place not in workers:
                    workers[place] = until_the_end.enter_context(Worker(place))
                yield workers[place]

        patched.setattr("labkit.versions.Worker", shared)
        yield


pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(params=["empty", pytest.param("full", marks=needs_old)])
def stock(request, monkeypatch):
    """The shelf, empty and as it is here."""
    if request.param == "empty":
        monkeypatch.setenv("LABKIT_SHELF", str(NOTEBOOKS / "no shelf"))
    return request.param


# one situation, many vintages


@pytest.mark.parametrize("fact", ATTEMPTS)
def test_what_hangs_is_the_same_live_and_recorded_and_it_says_which(fact, stock, capsys):
    situation, wire, vintages = ATTEMPTS[fact]
    lanes = gap.side_by_side(situation, wire, vintages)
    assert lanes.hanging == fact
    for letter, one, entry, source in zip("ABCD", vintages, lanes.traces, lanes.sources):
        python = getattr(one, "python", None)
        live = one == "newest" or (stock == "full" and pythons.find(python) is not None)
        assert source == "live" if live else source.startswith("recorded on 20"), letter
        assert isinstance(entry, Trace) if live else isinstance(entry, Hole) or "(recorded)" in entry.header["vintage"]
    assert re.findall(r"^([A-D])  ", capsys.readouterr().out, re.MULTILINE) == list("ABCD"[: len(vintages)])


def test_a_quiet_tls_client_of_14_1_is_closing_for_31_s(stock):
    client = gap.side_by_side("quiet", "wss client", ["14.1", "newest"])
    assert client.hanging == "none" and client.closing("A") == pytest.approx(31) and client.closing("B") == pytest.approx(1)


def test_a_lane_without_a_trace_says_what_the_matrix_knows(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_SHELF", str(tmp_path))
    lanes = gap.side_by_side("backlog below the mark", "ws", ["14.0", "14.1", "14.2"])  # on any Python: these went alike on all
    drawn = plots.lineup(lanes.traces)
    (hole,) = [one for one in lanes.traces if isinstance(one, Hole)]
    assert hole.vintage.version == "14.0" and hole.why.endswith("the recorded matrix says: in CLOSING until the cable is mended")
    assert sum("recorded" in text and "·" in text for text in drawn.words) == 2  # 14.1 and 14.2


def test_every_set_of_lanes_is_an_answer_and_only_once():
    assert gap.letters(2) == ("none", "A", "B", "AB") and len(set(gap.letters(4))) == 16
    assert set(ATTEMPTS) <= set(gap.letters(4))


# the log


def test_a_log_has_every_line_but_no_payload_and_messages_in_a_row_are_one_line():
    trace = recorded("matrix/14.1-asyncio-python3.11-ws-backlog_below_the_mark")
    lines = gap.log_lines(trace)
    sent = [int(found[1]) if (found := re.search(r", (\d+) times", line)) else 1 for line in lines if "BINARY" in line]
    assert sum(sent) == sum("BINARY" in line for line in trace.log("server")) and len(sent) == 3
    assert lines[0].endswith("= connection is OPEN") and not any(re.search(r"(PING|PONG|BINARY) \w\w ", line) for line in lines)
    assert [line for line in lines if "BINARY" not in line] == gap.log_lines(trace, data=False)
    assert gap.log_lines(trace, begin=2.5, stop=10, data=False)[-1].endswith("x half-closing TCP connection")


# the source


def order(source, *marks):
    places = [source.index(mark) for mark in marks]
    return places == sorted(places)


@needs_old
def test_the_source_of_14_1_waits_for_drain_outside_the_timeout_and_then_closes():
    source = source_of("14.1", *gap.SEND, since="# Write outgoing data")
    assert order(
        source,
        "await self.drain()",
        "asyncio_timeout_at(",
        "self.close_transport()",
        "await asyncio.shield(self.connection_lost_waiter)\n    raise",
    )
    assert "self.transport.close()" in source_of("14.1", gap.SEND[0], "Connection.close_transport")
    assert source.splitlines()[0].startswith("# websockets 14.1, asyncio/connection.py, Connection.send_context, from line ")


@needs_old
def test_14_2_changed_one_line_of_it():
    changed = [line for line in what_changed("14.1", "14.2", *gap.SEND).splitlines() if line[0] in "+-"]
    assert [(line[0], line[1:].strip()) for line in changed] == [("-", "self.close_transport()"), ("+", "self.transport.abort()")]
    assert what_changed("14.1", "14.1", *gap.SEND) == "Connection.send_context is the same in 14.1 and 14.1"


def test_the_newest_still_waits_for_drain_before_its_timeout():
    source = source_of(shelf.installed(), *gap.SEND)
    assert order(source, "await self.drain()", "timeout_at(", "self.transport.abort()")


def test_a_source_that_is_not_here_is_told_in_words(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_SHELF", str(tmp_path))
    told = source_of("14.1", *gap.SEND, otherwise=gap.IN_WORDS["14.1"])
    assert told.startswith("(websockets 14.1 is not here") and "transport.close()" in told and "http" not in told
    assert "transport.abort()" in what_changed("14.1", "14.2", *gap.SEND, otherwise=gap.IN_WORDS["14.2"])


def test_a_method_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"there is no Connection\.hang"):
        source_of(shelf.installed(), gap.SEND[0], "Connection.hang")
    with pytest.raises(ValueError, match="expected a method"):
        source_of(shelf.installed(), gap.SEND[0], "Connection")


# exercise 1


def truth(one):
    return one.family, "wss" if one.tls else "ws", one.ending


def test_the_logs_cover_every_version_wire_and_ending(stock):
    found = {truth(gap_logs.mystery(number)) for number in range(1, 10)}
    assert {one[0] for one in found} == set(gap_logs.VERSIONS) and {one[1] for one in found} == {"ws", "wss"}
    assert {one[2] for one in found} == set(gap_logs.ENDINGS)
    first = [truth(gap_logs.mystery(number)) for number in range(1, 5)]
    assert len(found) >= 8 and {one[0] for one in first} == set(gap_logs.VERSIONS) and {one[2] for one in first} == set(gap_logs.ENDINGS)


@pytest.mark.parametrize("number", range(1, 10))
def test_each_log_is_told_from_every_other_version_and_wire_by_running_them(number, stock, capsys):
    one = gap_logs.mystery(number)
    gap_logs.check_log(number, truth(one))
    assert capsys.readouterr().out.startswith(f"{number}: ✓")
    for claim in itertools.product(gap_logs.VERSIONS, ("ws", "wss")) if stock == "empty" or number in (1, 2, 6, 9) else []:
        gap_logs.check_log(number, (*claim, one.ending))
        said = capsys.readouterr().out
        assert ("✓" in said) == (claim == truth(one)[:2]) and ("not yet" in said) == (claim != truth(one)[:2])
        assert "the same log" not in said, claim
        assert stock == "full" or "run here" in said or "record" in said


def test_an_answer_that_is_wrong_about_the_end_hears_the_end(stock, capsys):
    one = gap_logs.mystery(2)  # of the installed version, so it always runs
    for ending in set(gap_logs.ENDINGS) - {one.ending}:
        gap_logs.check_log(2, (*truth(one)[:2], ending))
        assert (
            f"not yet: version and wire are right, but here is the rest of the run: CLOSED at {one.trace.closed_at(one.end):g} s"
            in capsys.readouterr().out
        )


def test_a_log_gives_neither_version_nor_future_away(stock):
    for number in range(1, 10):
        shown = str(gap_logs.mystery(number))
        assert "websockets" not in shown and not re.search(r"^ *[1-9]\d\.", shown, re.MULTILINE)


def test_what_is_no_answer_is_said_so_without_raising(capsys):
    gap_logs.check_logs(..., None, ("12", "ws", "healing"), "healing")
    out = capsys.readouterr().out.splitlines()
    assert "your turn" in out[0] and "your turn" in out[1] and "expected one of '13'" in out[2] and "expected three words" in out[3]
    with pytest.raises(ValueError, match="logs 1 to 9"):
        gap_logs.mystery(10)


# exercise 2


@pytest.mark.parametrize(
    ("size", "every", "says"),
    [
        (1000, 2, "✓"),
        (500, 1, "✓"),
        (10, 20, "too little"),
        (20_000, 60, "no message is sent between"),
        (1000, 1, "too much"),
        (40_000, 1, "too much"),
    ],
)
def test_traffic_is_judged_alike_by_running_both_and_by_the_write_buffer(size, every, says, stock, capsys):
    gap.check_traffic(size, every)
    out = capsys.readouterr().out
    assert says in out.splitlines()[-1] and ("not here" in out) == (stock == "empty") and ("run here" in out) == (stock == "full")


@pytest.mark.parametrize(
    ("size", "every", "says"),
    [(..., 1, "your turn"), (1, None, "your turn"), (1.5, 1, "expected"), (1, 0, "expected"), ("x", 1, "expected"), (9, 0.001, "expected")],
)
def test_traffic_that_is_none_is_refused_in_a_sentence(size, every, says, capsys):
    gap.check_traffic(size, every)
    assert capsys.readouterr().out.startswith(says)


# what the notebook says


def cells(**where):
    return [cell for cell in gap.everything() if all(cell[key] == value for key, value in where.items())]


def verdicts(**where):
    return {cell["verdict"] for cell in cells(**where)}


def test_what_is_said_of_the_matrix_is_in_it():
    newest, shown = recorded_matrix()[0]["websockets"][-1], gap.selection()
    assert len({(c["version"], c["implementation"], c["python"]) for c in gap.everything()}) == 93 and "93 rows" in WORDS
    assert recorded_matrix()[0]["websockets"][0] == "10.4" and "for every version from 10.4 on" in WORDS
    assert verdicts(situation="quiet", wire="ws") == {"bounded", "hole"}
    assert {c["verdict"] for c in shown if c["situation"] == "drain blocked before the ping"} == {"never"}
    assert verdicts(situation="drain blocked before the ping") == {"never", "hole"} and "in every version and implementation" in WORDS
    odd = {(c["wire"], c["python"]): c["verdict"] for c in shown if c["situation"].startswith("ping") and c["implementation"] == "asyncio"}
    assert {where for where, verdict in odd.items() if verdict == "bounded"} == {("wss server", "3.11")}
    assert not verdicts(implementation="legacy") & {"hangs", "late"}
    assert verdicts(implementation="threading", version=newest, situation="backlog below the mark") == {"never"}
    assert verdicts(implementation="trio", version=newest, situation="backlog below the mark") == {"hangs"}


def test_what_is_said_of_the_letter_and_of_the_riddle_is_in_the_recordings():
    letter, riddle = recorded("matrix/14.1-asyncio-python3.11-ws-backlog_below_the_mark"), recorded("closing-hang")
    assert letter.noticed_at("server") == 3 and round(letter.closed_at("server")) == 55
    assert "a gap of **52 s**" in WORDS and "healed at 55 s" in WORDS
    assert round(riddle.closed_at("server") - riddle.noticed_at("server")) == 48 and "CLOSING for 48 s" in WORDS
    before, after = (max(t_count[1] for t_count in riddle.waiting("server") if t_count[0] <= t) for t in (12, 14.9))
    assert before < riddle.experiment.server.write_limit < after <= gap.waiting_at_goodbye(riddle)


@needs_old
def test_the_backlog_is_below_the_mark_and_the_same_in_all_versions():
    lanes = gap.side_by_side(*ATTEMPTS["AB"])
    waiting = {gap.waiting_at_goodbye(trace) for trace in lanes.traces}
    assert len(waiting) == 1 and 0 < waiting.pop() < 32 * 1024


# the notebook, with nothing on the shelf


def test_the_notebook_runs_from_the_record_alone_and_says_so(monkeypatch):
    monkeypatch.setenv("LABKIT_SHELF", str(NOTEBOOKS / "no shelf"))
    learner, solution = (execute(folder / "05_the_closing_gap.ipynb") for folder in (NOTEBOOKS, NOTEBOOKS / "solutions"))
    for notebook in (learner, solution):
        assert not [o for _, o in outputs(notebook) if o.get("name") == "stderr" or o.output_type == "error"]
        assert "recorded on 20" in text(notebook) and "14.1 is not here, so its source cannot be shown" in text(notebook)
    assert "your turn" in text(learner) and "✓" not in text(learner)
    assert "not yet" not in text(solution) and text(solution).count("✓") == 5 and text(solution).count("– right") == 5
