"""The promises of plots.lineup: one experiment on many vintages, a lane each, a long hang on a broken axis."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from figures import faint, marks, outside, overlaps, texts, ticks

from labkit import Cut, Experiment, Peer, Trace, plots, recorded, run
from labkit.plots.axis import Axis, broken
from labkit.plots.bars import Band, Bar, Slit
from labkit.plots.lineup_lanes import by_version, lanes
from labkit.trace.recordings import folders
from labkit.versions.matrix import recorded as recorded_matrix
from labkit.versions.matrix_cells import WIRES, key

CUT = Cut(1.2, heal=54)  # TCP tries again at 54.79 s
TIMERS: dict[str, Any] = {"ping_interval": 1, "ping_timeout": 1, "close_timeout": 1}
SENDS = {"quiet": {}, "backlog": {"send_size": 1000}, "blocked": {"send_size": 40_000}}
STORED = {path.stem for path in (folders()[0] / "matrix").glob("*.jsonl")}


def vintage(version: str, implementation: str = "asyncio", python: str = "3.11") -> str:
    return f"websockets {version} {implementation}, Python {python}"


def made(kind: str, *cuts: Cut, timers: dict[str, Any] = TIMERS, **changes: Any) -> Trace:
    """A run on the websockets of today: quiet is bounded, a backlog hangs in CLOSING, a blocked drain() never notices."""
    more = SENDS[kind] and {**SENDS[kind], "send_every": 0.05, "buffer": 4096}
    return run(Experiment(server=Peer(**timers, **more), faults=cuts, **changes), wire="virtual", progress=False)


def called(trace: Trace, name: str) -> Trace:
    return replace(trace, header={**trace.header, "vintage": name})


def late(trace: Trace, by: float) -> Trace:
    """The same, but the server is CLOSED and told ``by`` s later."""
    at = trace.closed_at("server")
    events = [event._replace(t=event.t + by) if event.where == "server" and event.t == at else event for event in trace.events]
    return replace(trace, events=sorted(events, key=lambda event: event.t))


HOLE = SimpleNamespace(vintage=vintage("14.2", "threading"), why="no keepalive in threading before 15")


@pytest.fixture(scope="module")
def sets() -> dict[str, list[Any]]:
    """Lanes by name."""
    quiet, backlog, blocked = (made(kind, CUT) for kind in SENDS)
    told = [event for event in quiet.events if (event.what, event.where) == ("raised", "server")]
    untold = replace(quiet, events=[event for event in quiet.events if event not in told])
    slow = called(replace(quiet, events=[*untold.events, *(event._replace(t=40.0) for event in told)]), vintage("14.1"))
    secret = replace(backlog, experiment=backlog.experiment.but(tls=True))
    stopped = made("quiet", Cut(1.2), timers={**TIMERS, "close_timeout": 50}, until=20)

    def of(*rows: tuple[Trace, Any]) -> list[Any]:
        """Traces with names: a version, or all that vintage() takes."""
        return [called(trace, vintage(*([name] if isinstance(name, str) else name))) for trace, name in rows]

    story = of((backlog, "13.1"), (backlog, "14.1"), (quiet, "14.2"), (quiet, "17.4"))
    return {
        "story": [*story, HOLE],
        "swapped": of((quiet, "13.1"), (quiet, "14.1"), (backlog, "14.2"), (backlog, "17.4")),
        "medley": [*of((backlog, "13.1"), (late(quiet, 30), "14.1"), (blocked, "14.2"), (quiet, "17.4")), HOLE],
        "by kind": of((backlog, "14.1"), (quiet, ("14.1", "legacy"))),
        "by python": of((backlog, ("14.1", "asyncio", "3.10")), (quiet, ("14.1", "asyncio", "3.12"))),
        "mixed": of((backlog, "14.1"), (quiet, ("14.1", "legacy")), (quiet, "17.4")),
        "tls": of((secret, "14.1"), (quiet, "14.1")),
        "alike": of((blocked, "14.1"), (blocked, "17.4")),
        "for ever": [made(kind, Cut(1.2)) for kind in ("backlog", "quiet", "blocked")],
        "stopped": of((stopped, "17.4")),
        "alive": of((made("quiet", until=30), "17.4")),
        "legacy": of((late(quiet, 3.5), "13.1"), (late(quiet, 3.5), ("13.1", "legacy"))),
        "hole": [HOLE],
        "told late": [slow, *of((quiet, "17.4"))],
        "both late": [slow, *of((late(quiet, 30), "14.1"))],
        "told never": of((untold, "14.1")),
        "recorded": [called(backlog, f"{vintage('14.1')} (recorded)"), *of((quiet, "14.2"))],
        "a log": [called(replace(quiet, events=[e for e in quiet.events if e.where != "client"]), "a log"), *of((quiet, "17.4"))],
        "old": [recorded("closing-hang")],
        "unnamed": [quiet],
    }


# how a lane ended


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("medley", ["hangs", "late", "never", "bounded", "hole"]),
        ("old", ["hangs"]),
        ("stopped", ["hangs"]),
        ("legacy", ["late", "bounded"]),  # which may take five times its close_timeout
        ("told late", ["late", "bounded"]),
        ("alive", ["never"]),
    ],
)
def test_how_a_lane_ended_is_read_from_its_trace(name, kinds, sets):
    assert [lane.kind for lane in lanes(sets[name], "server")] == kinds


def test_a_lane_and_its_cell_of_the_matrix_say_the_same():
    telling = [(recorded(f"matrix/{key(cell)}"), WIRES[cell["wire"]][0], cell) for cell in recorded_matrix()[1] if key(cell) in STORED]
    assert len(telling) == len(STORED) >= 12
    for trace, end, cell in telling:
        (lane,) = lanes([trace], end)
        assert lane.kind == cell["verdict"], key(cell)


HANG = "in CLOSING until the cable is mended"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("story", f"14.1 and older hang {HANG}; 14.2 and newer give up after close_timeout, 1 s"),
        ("swapped", f"14.1 and older give up after close_timeout, 1 s; 14.2 and newer hang {HANG}"),
        ("by kind", f"asyncio hangs {HANG}; legacy gives up after close_timeout, 1 s"),
        ("by python", f"Python 3.10 hangs {HANG}; Python 3.12 gives up after close_timeout, 1 s"),
        ("mixed", f"14.1 asyncio hangs {HANG}; 14.1 legacy and 17.4 asyncio give up after close_timeout, 1 s"),
        ("tls", f"wss hangs {HANG}; ws gives up after close_timeout, 1 s"),
        ("alike", "Both never notice: OPEN until the cable is mended"),
        ("stopped", "17.4 hangs in CLOSING to the end of the run"),
        ("alive", "17.4 stays OPEN"),
        ("hole", "None of these could be run: no keepalive in threading before 15"),
        ("told late", "14.1 is CLOSED in time, and told only 37 s after leaving OPEN; 17.4 gives up after close_timeout, 1 s"),
        ("both late", "Both are closed or told late, though close_timeout is 1 s"),
        ("told never", "14.1 is CLOSED in time, and told never"),
        ("recorded", f"14.1 hangs {HANG}; 14.2 gives up after close_timeout, 1 s"),
    ],
)
def test_the_title_is_the_finding(name, title, sets):
    assert plots.lineup(sets[name]).title == title


def test_a_title_may_be_another_for_the_client(sets):
    assert plots.lineup(sets["story"], end="client").title == "All 4 never notice: OPEN until the cable is mended"
    assert plots.lineup(sets["a log"], end="client").title == "17.4 never notices: OPEN until the cable is mended"
    assert "14.1 takes 31 s to close, though close_timeout is 1 s" in plots.lineup(sets["medley"]).title


def test_versions_are_ordered_as_versions():
    assert sorted(["14.2", "9.1", "10.4"], key=by_version) == ["9.1", "10.4", "14.2"]


# the lanes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("story", {"13.1 asyncio": 1, "14.2 threading": 1, "Python 3.11": 5, "not run: no keepalive in threading before 15": 1}),
        ("story", {"in CLOSING for 51.79 s, until healed": 2, "cable cut at 1.2 s: nothing gets through": 1, "healed at 54 s": 1}),
        ("story", {"noticed 3.0 s": 4, "closed and told 4.0 s": 2, "closed and told": 2}),
        ("medley", {"believes OPEN for 52.8 s, until healed: never noticed": 1, "CLOSING for 31 s": 1}),
        ("stopped", {"in CLOSING for 17 s, and still when the run ends": 1}),
        (
            "for ever",
            {
                "in CLOSING for 4.2 s, and still when the run ends": 1,
                "believes OPEN for 6 s, and still when the run ends: never noticed": 1,
            },
        ),
        ("tls", {"Python 3.11 · wss": 1, "Python 3.11 · ws": 1}),
        ("recorded", {"14.1 asyncio": 1, "Python 3.11 · recorded": 1, "Python 3.11": 1}),
        ("told late", {"closed 4.0 s": 1, "told 40.0 s": 1}),
    ],
)
def test_each_lane_says_whose_it_is_and_what_became_of_it(name, words, sets):
    said = texts(plots.lineup(sets[name]))
    assert {text: said.count(text) for text in words} == words


def test_a_trace_without_a_vintage_is_named_by_its_versions(sets):
    versions = sets["unnamed"][0].header["versions"]
    assert {versions["websockets"], f"Python {versions['python'].rpartition('.')[0]}"} <= set(texts(plots.lineup(sets["unnamed"])))


def test_what_nothing_can_end_runs_to_the_edge(sets):
    drawn = plots.lineup(sets["for ever"])
    assert [bar.goes_on for bar in marks(drawn, Bar) if bar.end == drawn.panels[0].along.high] == [True, False, True]


def test_what_is_not_in_a_log_is_no_fate(sets):
    drawn = plots.lineup(sets["a log"], end="client")
    assert "? not in this log" in texts(drawn) and "a log: ? not in this log." in drawn.alt


# the axis


def test_a_broken_axis_says_so_and_cuts_the_lanes(sets):
    drawn, whole = plots.lineup(sets["story"]), plots.lineup(sets["old"])
    assert ticks(drawn) == ["0", "1.2", "3", "4", "54", "54.79"]
    assert "seconds since the server was OPEN; at // the axis leaves out 50 s without a change" in texts(drawn)
    assert "seconds since the server was OPEN" in texts(whole) and not marks(whole, Slit)
    slits = [slit.t for slit in marks(drawn, Slit)]
    assert len(slits) == 4 and len(set(slits)) == 1 and 4 < slits[0] < 60
    assert [(band.begin, band.end, band.begins, band.ends) for band in marks(drawn, Band)] == [(1.2, 54, True, True)]


def test_a_broken_axis_keeps_the_order_and_the_short_distances():
    axis = replace(broken(Axis(0, 60), [1.2, 3, 4, 34], longest=15), high=61)
    places = [axis.place(t) for t in (0, 1.2, 3, 4, 34, 60, 61)]
    one = places[6] - places[5]
    assert places == sorted(set(places)) and axis.breaks == ((4, 34), (34, 60)) and places[5] < 8 * one
    assert places[:4] == pytest.approx([0, 1.2 * one, 3 * one, 4 * one])


@pytest.mark.parametrize("moments", [[1, 2, 3], [0.003, 1, 2, 3], [60], [9, 15, 17, 45], [20, 40, 75]])
def test_a_short_or_even_axis_is_not_broken(moments):
    axis = Axis(0, max(moments))
    assert broken(axis, moments, longest=30) == axis


# the figure


@pytest.mark.parametrize("end", ["server", "client"])
@pytest.mark.parametrize("name", ["story", "medley", "a log", "for ever", "hole"])
def test_every_word_can_be_read_and_stays_on_the_figure(name, end, sets):
    for theme, size in (("light", None), ("dark", None), ("dark", (6, 4)), ("light", (5, 3.6))):
        drawn = plots.lineup(sets[name], end=end, theme=theme, size=size)
        assert overlaps(drawn) == [] and (size or faint(drawn) == outside(drawn) == [])


def test_the_alt_text_tells_the_whole_figure(sets):
    alt = plots.lineup(sets["medley"]).alt
    for words in (
        "Line-up of 5 vintages, the states of the server. 13.1 hangs in CLOSING until the cable is mended;",
        "Cut at 1.2 s, healed at 54 s.",
        "websockets 13.1 asyncio, Python 3.11: OPEN from 0 s, believes OPEN from 1.2 s, CLOSING from 3 s, CLOSED from 54.79 s,"
        " in CLOSING for 51.79 s, until healed, its program is told at 54.79 s.",
        "its program is told at 34.0 s",
        "its program is never told",
        "websockets 14.2 threading, Python 3.11: not run, no keepalive in threading before 15.",
    ):
        assert words in alt


def test_before_it_is_over_nothing_of_the_outcome_is_told(sets):
    begun = plots.lineup(sets["story"]).until(10)
    assert begun.title == "Which of these notice, and when?" and "CLOSING" in texts(begun)
    assert not [text for text in [*begun.words, begun.alt] if "51.79 s" in text or "CLOSED from 54" in text or "told at 54" in text]


def test_what_it_cannot_line_up_is_refused_in_a_sentence(sets):
    with pytest.raises(TypeError, match="takes traces, and holes that say why"):
        plots.lineup([Experiment()])
    with pytest.raises(ValueError, match="at least one trace"):
        plots.lineup([])
    with pytest.raises(ValueError, match="'server' or 'client', seen 'peer'"):
        plots.lineup([], end="peer")
    with pytest.raises(ValueError, match="one experiment on many vintages; seen traces with different cuts"):
        plots.lineup([*sets["unnamed"], *sets["old"]])
