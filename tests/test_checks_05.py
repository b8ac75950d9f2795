"""Notebook 05: what it says is what runs, and what is recorded; its checks judge by running; and it works with nothing on the shelf."""

import contextlib
import re
import sys
import threading
from itertools import product
from pathlib import Path

import nbformat
import pytest
from test_notebooks import execute, outputs, text

from checks import check, gap_logs, guess, settle
from checks.closing_gap import LETTER, waiting_at_goodbye
from checks.gap import log_lines, selection, side_by_side
from checks.old_source import source_of, what_changed
from labkit import Hole, Trace, Vintage, plots, recorded
from labkit.trace.fate import fate
from labkit.versions import pythons, shelf
from labkit.versions.matrix import recorded as recorded_matrix
from labkit.versions.matrix_cells import clock_of
from labkit.versions.worker import Worker

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WORDS = "\n".join(cell.source for cell in nbformat.read(NOTEBOOKS / "05_the_closing_gap.ipynb", as_version=4).cells)
V13, V141, V142, NEWEST = Vintage("13.1"), Vintage("14.1"), Vintage("14.2"), Vintage()
ON_310 = [Vintage(version, python="3.10") for version in ("14.1", "14.2")]
ATTEMPTS = {  # what the notebook runs, and which lanes hang
    "none": ("quiet", "ws", [V141, NEWEST]),
    "AB": ("backlog below the mark", "ws", [V13, V141, V142, NEWEST]),
    "A": ("quiet", "wss server", [ON_310[0], V141, ON_310[1]]),
    "ABC": ("ping before drain blocked", "ws", [V141, V142, NEWEST]),
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
    """The shelf, empty and as it is here; a mystery is made anew."""
    if request.param == "empty":
        monkeypatch.setenv("LABKIT_SHELF", str(NOTEBOOKS / "no shelf"))
    for one in gap_logs.MYSTERIES:
        vars(one).pop("trace", None)
    return request.param


def said(capsys, id, *answers):
    check(id, *answers)
    return capsys.readouterr().out


# one situation, many vintages


@pytest.mark.parametrize("fact", ATTEMPTS)
def test_what_hangs_is_the_same_live_and_recorded_and_it_says_which(fact, stock, capsys):
    lanes = side_by_side(*ATTEMPTS[fact])
    assert lanes.hanging == fact
    lines = re.findall(r"^([A-D])  .*: (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert [letter for letter, _ in lines] == list("ABCD"[: len(lanes.traces)])
    for (letter, source), one, entry in zip(lines, ATTEMPTS[fact][2], lanes.traces):
        live = one == NEWEST or (stock == "full" and pythons.find(one.python) is not None)
        assert source == "live" if live else source.startswith("recorded on 20"), letter
        assert isinstance(entry, Trace) if live else isinstance(entry, Hole) or "(recorded)" in entry.header["vintage"]


def test_a_lane_without_a_trace_says_what_the_matrix_knows(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_SHELF", str(tmp_path))
    lanes = side_by_side("backlog below the mark", "ws", [Vintage("14.0"), V141, V142])  # on any Python: these went alike on all
    drawn = plots.lineup(lanes.traces)
    (hole,) = [one for one in lanes.traces if isinstance(one, Hole)]
    assert hole.vintage.version == "14.0" and hole.why.endswith("the recorded matrix says: in CLOSING until the cable is mended")
    assert sum("recorded" in text and "·" in text for text in drawn.words) == 2  # 14.1 and 14.2


@pytest.mark.parametrize(
    ("id", "answer", "belief"),
    [
        ("05 a quiet connection", "A", "there is nothing for the goodbye to wait for"),
        ("05 a backlog below the mark", "ABD", "the last step does not wait for the bytes"),
        ("05 a backlog below the mark", "none", "What does an old version do with them?"),
        ("05 drain() blocked", "AB", "Which wait comes before it?"),
    ],
)
def test_a_wrong_guess_hears_its_belief(id, answer, belief, capsys):
    situation = {"05 a quiet connection": "none", "05 drain() blocked": "ABC"}.get(id, "AB")
    settle(guess(id, answer), side_by_side(*ATTEMPTS[situation]))
    assert belief in capsys.readouterr().out


# the log, and the source


def test_a_log_has_every_line_but_no_payload_and_messages_in_a_row_are_one_line():
    trace = recorded(LETTER)
    lines = log_lines(trace)
    sent = [int(found[1]) if (found := re.search(r", (\d+) times", line)) else 1 for line in lines if "BINARY" in line]
    assert sum(sent) == sum("BINARY" in line for line in trace.log("server")) and len(sent) == 3
    assert lines[0].endswith("= connection is OPEN") and not any(re.search(r"(PING|PONG|BINARY) \w\w ", line) for line in lines)
    assert [line for line in lines if "BINARY" not in line] == log_lines(trace, data=False)
    assert log_lines(trace, begin=2.5, stop=10, data=False)[-1].endswith("x half-closing TCP connection")


def order(source, *marks):
    places = [source.index(mark) for mark in marks]
    return places == sorted(places)


@needs_old
def test_14_1_waits_for_drain_outside_the_timeout_and_14_2_changed_one_line_of_it():
    last = "await asyncio.shield(self.connection_lost_waiter)\n    raise"
    assert order(source_of("14.1", "# Write outgoing data"), "await self.drain()", "timeout_at(", "self.close_transport()", last)
    changed = [line for line in what_changed("14.1", "14.2").splitlines() if line[0] in "+-"]
    assert [(line[0], line[1:].strip()) for line in changed] == [("-", "self.close_transport()"), ("+", "self.transport.abort()")]


def test_the_newest_still_waits_for_drain_before_its_timeout():
    assert order(source_of(shelf.installed()), "await self.drain()", "timeout_at(", "self.transport.abort()")


def test_a_source_that_is_not_here_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_SHELF", str(tmp_path))
    for told in (source_of("14.1", "any"), what_changed("14.1", "14.2")):
        assert told.startswith("websockets 14.1 is not here") and "vintages fetch 14.1" in told


# exercise 1: a function that knows the gap


def by_moments(trace):
    noticed, closed = trace.noticed_at("server"), trace.closed_at("server")
    return noticed is not None and (closed or trace.end) - noticed > 1.5


def by_states(trace):
    """Looks at the state a moment after it ought to be CLOSED."""
    left = [t for t, state in trace.states("server") if state == "CLOSING"]
    return bool(left) and trace.state_at("server", left[0] + 1.5) == "CLOSING"


def any_goodbye(trace):
    return trace.noticed_at("server") is not None


def only_the_end(trace):
    return trace.closed_at("server") is None


def from_the_cut(trace):
    return trace.closed_at("server") - trace.experiment.cuts[0].start > 3


def long_ago(trace):
    return (trace.closed_at("server") or trace.end) - (trace.noticed_at("server") or 0) > 1.5


def deleted(trace):
    trace.noticed_at("server"), trace.closed_at("server")


def blank(trace): ...  # True or False


@pytest.mark.parametrize("finds", [by_moments, by_states])
def test_a_function_that_knows_the_gap_passes(finds, capsys):
    assert said(capsys, "05 a test for the gap", finds).count("✓") == 7


@pytest.mark.parametrize(
    ("finds", "belief"),
    [
        (any_goodbye, "14.2, with a backlog: you say True, but it is CLOSING at 3 s and CLOSED at 4 s: that is its close_timeout"),
        (only_the_end, "14.1, with a backlog: you say False, but it is CLOSING at 3 s and CLOSED at 55.03 s: close_timeout is 1 s"),
        (from_the_cut, "never mended: return trace.closed_at"),
        (long_ago, "it does not leave OPEN while the cable is cut, which is another fault"),
        (deleted, "14.1, with a backlog: it gave None; True or False was wanted"),
        (blank, "your turn"),
    ],
)
def test_each_wrong_function_hears_its_belief(finds, belief, capsys):
    assert belief in said(capsys, "05 a test for the gap", finds)


# exercise 2: the traffic that it takes


@pytest.mark.parametrize(
    ("size", "every", "says"),
    [
        (1000, 2, "✓"),
        (500, 1, "✓"),
        (10, 20, "Too little"),
        (20_000, 60, "No message is sent between"),
        (1000, 1, "Too much"),
        (40_000, 1, "Too much"),
        (9, 0.001, "expected"),
    ],
)
def test_traffic_is_judged_alike_by_running_both_and_by_the_write_buffer(size, every, says, stock, capsys):
    out = said(capsys, "05 traffic for the test", size, every)
    if says == "expected":
        assert says in out
    else:
        assert ("never notices" in out) != ("bytes waiting" in out)
        assert says in out and ("not here" in out) == (stock == "empty") and ("run here" in out) == (stock == "full")


# the logs


def test_the_logs_cover_every_version_wire_and_ending(stock):
    truths = [one.truth for one in gap_logs.MYSTERIES]
    assert {one[0] for one in truths} == set(gap_logs.VERSIONS)
    assert {one[1] for one in truths} == {"ws", "wss"} and {one[2] for one in truths} == set(gap_logs.ENDED.values())


@pytest.mark.parametrize("number", range(1, 5))
def test_each_log_is_told_from_every_other_version_and_wire_by_running_them(number, stock, capsys):
    one = gap_logs.MYSTERIES[number - 1]
    for claim in product(gap_logs.VERSIONS, ("ws", "wss")):
        out = said(capsys, f"05 log {number}", *claim, one.truth[2])
        right = claim == one.truth[:2]
        assert ("✓" in out) == right and ("not yet" in out) != right
        assert right or "by the record" in out or "where this log says" in out


def test_an_answer_that_is_wrong_about_the_end_hears_the_end(capsys):
    one = gap_logs.MYSTERIES[1]  # of the installed version, so it always runs
    for ending in set(gap_logs.ENDED.values()) - {one.truth[2]}:
        assert "version and wire are right, but it is CLOSED at 55" in said(capsys, "05 log 2", *one.truth[:2], ending)


def test_a_log_gives_neither_version_nor_future_away(stock):
    for one in gap_logs.MYSTERIES:
        assert "websockets" not in str(one) and not re.search(r"^ *[1-9]\d\.", str(one), re.MULTILINE)


# what the notebook says


def verdicts(cells, **where):
    return {cell["verdict"] for cell in cells if all(cell[key] == value for key, value in where.items())}


def test_what_is_said_of_the_matrix_is_in_it():
    header, cells = recorded_matrix()
    cells = [cell for cell in cells if cell["clock"] == clock_of(Vintage(None, cell["implementation"]))]
    newest, shown = header["websockets"][-1], selection()
    assert len(shown) == 10 * 12 and all(cell in cells for cell in shown)
    assert verdicts(cells, situation="quiet", wire="ws") == {"bounded", "hole"}
    assert verdicts(shown, situation="drain blocked before the ping") == {"never"}
    assert verdicts(cells, situation="drain blocked before the ping") == {"never", "hole"}
    assert "OPEN all the time, in every version and implementation" in WORDS
    backlog = dict(implementation="asyncio", situation="backlog below the mark", wire="ws")
    assert verdicts(shown, version="14.1", **backlog) == {"hangs"} and verdicts(shown, version="14.2", **backlog) == {"bounded"}
    assert verdicts(cells, implementation="trio", version=newest, situation="backlog below the mark") == {"hangs"}


def test_what_is_said_of_the_letter_and_of_the_riddle_is_in_the_recordings():
    letter, riddle = recorded(LETTER), recorded("closing-hang")
    assert letter.noticed_at("server") == 3 and round(letter.closed_at("server")) == 55 and fate(letter, "server", 55) == "hangs"
    assert "a gap of **52 s**" in WORDS and "healed at 55 s" in WORDS
    assert round(riddle.closed_at("server") - riddle.noticed_at("server")) == 48 and "CLOSING for 48 s" in WORDS
    assert waiting_at_goodbye(riddle) > riddle.experiment.server.write_limit


@needs_old
def test_the_backlog_is_below_the_mark_and_the_same_in_all_versions():
    waiting = {waiting_at_goodbye(trace) for trace in side_by_side(*ATTEMPTS["AB"]).traces}
    assert len(waiting) == 1 and 0 < waiting.pop() < 32 * 1024


# the notebook, with nothing on the shelf


def test_the_notebook_runs_from_the_record_alone_and_says_so(monkeypatch):
    monkeypatch.setenv("LABKIT_SHELF", str(NOTEBOOKS / "no shelf"))
    learner, solution = (execute(folder / "05_the_closing_gap.ipynb") for folder in (NOTEBOOKS, NOTEBOOKS / "solutions"))
    for notebook in (learner, solution):
        assert not [o for _, o in outputs(notebook) if o.get("name") == "stderr" or o.output_type == "error"]
        assert "recorded on 20" in text(notebook) and "14.1 is not here, so its source cannot be shown" in text(notebook)
    assert "your turn" in text(learner) and "✓" not in text(learner)
    assert "not yet" not in text(solution) and text(solution).count("✓") == 7 + 1 + 4 and text(solution).count("– right") == 3
