"""One rule says how a connection ended; matrix, line-up and notebook 05 all go by it."""

import pytest

from checks import closing_gap
from checks.gap_logs import ENDED, Mystery
from labkit import Event, Trace
from labkit.plots.lineup_lanes import lanes
from labkit.trace.fate import fate
from labkit.versions.matrix_cells import experiment, judge

HEAL = 60.0  # s; of the matrix's cells, whose close_timeout is 1 s
CASES = [  # noticed, closed, told (s): the fate of asyncio, and of legacy, which may take five times as long
    (3, 4, 4, "bounded", "bounded"),
    (3, 4.4, 4.4, "bounded", "bounded"),
    (3, 6, 6, "late", "bounded"),
    (3, 4, 40, "late", "late"),  # CLOSED after one second, and told at 40 s
    (3, 34, 34, "late", "late"),
    (3, 4, 61, "late", "late"),
    (3, 4, None, "late", "late"),
    (3, 60, 60, "hangs", "hangs"),
    (3, 59.99, 59.99, "hangs", "hangs"),  # healed, by a real clock that is a little early
    (3, 60, 4, "hangs", "hangs"),  # told a wrong exception, and not closed
    (3, None, None, "hangs", "hangs"),
    (60, 61, 61, "never", "never"),
    (None, None, None, "never", "never"),
]


def made(what, noticed, closed, told, implementation="asyncio", end="server"):
    """A trace in which an end leaves OPEN, is CLOSED and told at these moments (s)."""
    moments = [(0, "state", "OPEN"), (noticed, "state", "CLOSING"), (closed, "state", "CLOSED")]
    events = [Event(t, end, "log", "state", {"state": s}) for t, _, s in moments if t is not None]
    raised = {"type": "ConnectionClosedError", "text": "", "awaiting": "recv"}
    events += [Event(told, end, "app", "raised", raised)] if told is not None else []
    header = {"end": what.until or 400.0, "implementation": implementation}
    return Trace(what, sorted(events, key=lambda event: event.t), header)


@pytest.mark.parametrize(("noticed", "closed", "told", "asyncio", "legacy"), CASES)
def test_all_who_ask_get_the_same_answer(noticed, closed, told, asyncio, legacy):
    what = experiment("quiet", "ws")
    for implementation, expected in (("asyncio", asyncio), ("legacy", legacy)):
        trace = made(what, noticed, closed, told, implementation)
        assert fate(trace, "server", HEAL) == expected
        assert judge(trace, "server", HEAL)["verdict"] == expected
        (lane,) = lanes([trace], "server")
        assert lane.kind == expected
    if asyncio != "never":
        trace = made(what, noticed, closed, told)
        one = Mystery("quiet", "ws")
        vars(one)["trace"] = trace  # as if it had been run
        assert one.truth[2] == ENDED[asyncio]


@pytest.mark.parametrize(
    ("noticed", "closed", "told", "expected"),
    [
        (100, 110, 110, "bounded"),
        (100, 110, 250, "late"),
        (100, 300, 300, "hangs"),
        (300, 301, 301, "never"),
    ],
)
def test_notebook_05_judges_traffic_by_the_same_rule(monkeypatch, noticed, closed, told, expected):
    trace = made(closing_gap.DEFAULTS, noticed, closed, told)
    monkeypatch.setattr(closing_gap, "run_in", lambda *_, **__: trace)
    assert closing_gap.outcome(closing_gap.DEFAULTS, "14.1").fate == expected == fate(trace, "server", closing_gap.HEALED)


def test_without_a_heal_a_run_ends_as_it_stands():
    what = experiment("quiet", "ws")
    assert fate(made(what, 3, None, None), "server") == "hangs"
    assert fate(made(what, None, None, None), "server") == "never"
    assert fate(made(what, 3, 34, 34), "server") == "late"
