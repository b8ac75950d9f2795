"""The promises of plots.lineup: one experiment on many vintages, a lane each, a long hang on a broken axis."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from figures import faint, overlaps, texts, ticks, tight

from labkit import Cut, Experiment, Peer, Trace, plots, recorded, run
from labkit.plots.axis import Axis, broken
from labkit.plots.bars import Band, Bar, Slit
from labkit.plots.lineup_lanes import by_version, lanes
from labkit.plots.shapes import Words
from labkit.trace.recordings import folders
from labkit.versions.matrix import recorded as recorded_matrix
from labkit.versions.matrix_cells import WIRES, key

CUT = Cut(1.2, heal=54)  # TCP tries again at 54.96 s
TIMERS: dict[str, Any] = {"ping_interval": 1, "ping_timeout": 1, "close_timeout": 1}
SENDS = {"quiet": {}, "backlog": {"send_size": 1000}, "blocked": {"send_size": 40_000}}


def vintage(version: str, implementation: str = "asyncio", python: str = "3.11") -> str:
    return f"websockets {version} {implementation}, Python {python}"


def made(kind: str, *cuts: Cut, **changes: Any) -> Trace:
    """A run on the websockets of today: quiet is bounded, a backlog hangs in CLOSING, a blocked drain() never notices."""
    more = SENDS[kind] and {**SENDS[kind], "send_every": 0.05, "buffer": 4096}
    return run(Experiment(server=Peer(**TIMERS, **more), faults=cuts, **changes), wire="virtual", progress=False)


def called(trace: Trace, name: str) -> Trace:
    return replace(trace, header={**trace.header, "vintage": name})


def late(trace: Trace, by: float) -> Trace:
    """The same, but the server is CLOSED and told ``by`` s later."""
    at = trace.closed_at("server")
    events = [event._replace(t=event.t + by) if event.where == "server" and event.t == at else event for event in trace.events]
    return replace(trace, events=sorted(events, key=lambda event: event.t))


STORED = {path.stem for path in (folders()[0] / "matrix").glob("*.jsonl")}
HOLE = SimpleNamespace(vintage=vintage("14.2", "threading"), why="no keepalive in threading before 15")


@pytest.fixture(scope="module")
def quiet() -> Trace:
    return made("quiet", CUT)


@pytest.fixture(scope="module")
def backlog() -> Trace:
    return made("backlog", CUT)


@pytest.fixture(scope="module")
def blocked() -> Trace:
    return made("blocked", CUT)


@pytest.fixture(scope="module")
def story(quiet, backlog) -> list[Any]:
    """Before and after 14.2, and a hole."""
    rows = [("13.1", backlog), ("14.1", backlog), ("14.2", quiet), ("17.4", quiet)]
    return [*(called(trace, vintage(version)) for version, trace in rows), HOLE]


@pytest.fixture(scope="module")
def medley(quiet, backlog, blocked) -> list[Any]:
    """One lane of each kind."""
    rows = [("13.1", backlog), ("14.1", late(quiet, 30)), ("14.2", blocked), ("17.4", quiet)]
    return [*(called(trace, vintage(version)) for version, trace in rows), HOLE]


def marks(drawn: Any, kind: type) -> list[Any]:
    return [mark for mark in drawn.panels[0].marks if isinstance(mark, kind)]


def kinds(traces: list[Any], end: str = "server") -> list[str]:
    return [lane.kind for lane in lanes(traces, end)]


# how a lane ended


def test_how_a_lane_ended_is_read_from_its_trace(medley):
    assert kinds(medley) == ["hangs", "late", "never", "bounded", "hole"]


def test_the_recorded_hang_is_one():
    hang = [recorded("closing-hang")]
    assert (kinds(hang), kinds(hang, "client")) == (["hangs"], ["never"])


def test_a_run_that_is_stopped_while_closing_hangs():
    stopped = run(Experiment(server=Peer(**TIMERS | {"close_timeout": 50}), faults=[Cut(1.2)], until=20), wire="virtual", progress=False)
    assert kinds([stopped]) == ["hangs"]
    drawn = plots.lineup([called(stopped, vintage("17.4"))])
    assert "in CLOSING for 17 s, and still when the run ends" in texts(drawn)
    assert drawn.title == "17.4 hangs in CLOSING to the end of the run"


def test_without_a_cut_it_stays_open():
    alive = called(run(Experiment(until=30), wire="virtual", progress=False), vintage("17.4"))
    assert plots.lineup([alive]).title == "17.4 stays OPEN"


def test_legacy_may_take_five_times_its_close_timeout(quiet):
    slow = late(quiet, 3.5)
    assert kinds([called(slow, vintage("13.1")), called(slow, vintage("13.1", "legacy"))]) == ["late", "bounded"]


# the title


def test_the_title_is_the_finding(story):
    expected = "14.1 and older hang in CLOSING until the cable is mended; 14.2 and newer give up after close_timeout, 1 s"
    assert plots.lineup(story).title == expected
    swapped = [called(trace, other.header["vintage"]) for trace, other in zip(story[:4], story[3::-1])]
    assert plots.lineup(swapped).title.startswith("14.2 and newer hang in CLOSING")


def test_the_title_names_what_tells_the_lanes_apart(quiet, backlog):
    by_kind = [called(backlog, vintage("14.1")), called(quiet, vintage("14.1", "legacy"))]
    by_python = [called(backlog, vintage("14.1", python="3.10")), called(quiet, vintage("14.1", python="3.12"))]
    mixed = [called(backlog, vintage("14.1")), called(quiet, vintage("14.1", "legacy")), called(quiet, vintage("17.4"))]
    assert plots.lineup(by_kind).title.startswith("asyncio hangs in CLOSING until the cable is mended; legacy gives up")
    assert plots.lineup(by_python).title.startswith("Python 3.10 hangs in CLOSING until the cable is mended; Python 3.12 gives up")
    assert plots.lineup(mixed).title.startswith(
        "14.1 asyncio hangs in CLOSING until the cable is mended; 14.1 legacy and 17.4 asyncio give up"
    )


def test_lanes_that_all_end_alike_are_said_once(blocked):
    rows = [called(blocked, vintage(version)) for version in ("14.1", "17.4")]
    assert plots.lineup(rows).title == "Both never notice: OPEN until the cable is mended"


def test_versions_are_ordered_as_versions():
    assert sorted(["14.2", "9.1", "10.4"], key=by_version) == ["9.1", "10.4", "14.2"]


# the lanes


def test_each_lane_has_its_vintage(story):
    said = texts(plots.lineup(story))
    assert {"13.1 asyncio", "14.1 asyncio", "14.2 asyncio", "17.4 asyncio", "14.2 threading"} <= set(said)
    assert said.count("Python 3.11") == 5


def test_a_trace_without_a_vintage_is_named_by_its_versions(quiet):
    said = texts(plots.lineup([quiet]))
    assert quiet.header["versions"]["websockets"] in said
    assert f"Python {quiet.header['versions']['python'].rpartition('.')[0]}" in said


def test_a_hung_lane_says_how_long_and_until_when(medley, story):
    assert texts(plots.lineup(story)).count("in CLOSING for 52 s, until healed") == 2
    drawn = plots.lineup(medley)
    assert {"believes OPEN for 52.8 s, until healed: never noticed", "CLOSING for 31 s"} <= set(texts(drawn))
    assert "14.1 takes 31 s to close, though close_timeout is 1 s" in drawn.title


def test_what_nothing_can_end_runs_to_the_edge(quiet):
    drawn = plots.lineup([made("backlog", Cut(1.2)), made("quiet", Cut(1.2)), made("blocked", Cut(1.2))])
    said = " ".join(texts(drawn))
    assert "in CLOSING for 4.2 s, and still when the run ends" in said and "OPEN for 6 s, and still when the run ends" in said
    last = [bar for bar in marks(drawn, Bar) if bar.end == drawn.panels[0].along.high]
    assert [bar.goes_on for bar in last] == [True, False, True]


def test_a_hole_is_an_empty_lane_with_its_reason(story):
    assert "not run: no keepalive in threading before 15" in texts(plots.lineup(story))
    assert plots.lineup([HOLE]).title == "None of these could be run: no keepalive in threading before 15"


def test_the_moments_stand_under_their_lane(story):
    said = texts(plots.lineup(story))
    assert said.count("noticed 3.0 s") == 4 and said.count("closed and told 4.0 s") == 2 and said.count("closed and told") == 2


def test_the_client_has_a_story_too(story):
    drawn = plots.lineup(story, end="client")
    assert drawn.title == "All 4 never notice: OPEN until the cable is mended"
    with pytest.raises(ValueError, match="'server' or 'client', seen 'peer'"):
        plots.lineup(story, end="peer")


def test_tls_is_said_where_lanes_differ_in_it(quiet, backlog):
    secret = replace(backlog, experiment=backlog.experiment.but(tls=True))
    drawn = plots.lineup([called(secret, vintage("14.1")), called(quiet, vintage("14.1"))])
    assert {"Python 3.11 · wss", "Python 3.11 · ws"} <= set(texts(drawn))
    assert drawn.title.startswith("wss hangs in CLOSING")


# the axis


def test_ticks_stand_where_something_happens(story):
    assert ticks(plots.lineup(story)) == ["0", "1.2", "3", "4", "54", "55"]


def test_a_broken_axis_says_so_and_cuts_the_lanes(story):
    drawn, whole = plots.lineup(story), plots.lineup([recorded("closing-hang")])
    assert "seconds since the server was OPEN; at // the axis leaves out 50 s without a change" in texts(drawn)
    assert "seconds since the server was OPEN" in texts(whole)
    slits = [slit.t for slit in marks(drawn, Slit)]
    assert len(slits) == 4 and len(set(slits)) == 1 and 4 < slits[0] < 60 and not marks(whole, Slit)


def test_the_cut_and_the_heal_are_marked(story):
    drawn = plots.lineup(story)
    assert [(band.begin, band.end, band.begins, band.ends) for band in marks(drawn, Band)] == [(1.2, 54, True, True)]
    assert {"cable cut at 1.2 s: nothing gets through", "healed at 54 s"} <= set(texts(drawn))


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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("end", ["server", "client"])
@pytest.mark.parametrize("name", ["story", "medley"])
def test_every_word_can_be_read(name, end, theme, request):
    drawn = plots.lineup(request.getfixturevalue(name), end=end, theme=theme)
    assert overlaps(drawn) == [] and faint(drawn) == []


@pytest.mark.parametrize("size", [(6, 4), (5, 3.6)])
def test_no_word_lies_on_another_if_it_is_small(medley, size):
    assert overlaps(plots.lineup(medley, size=size)) == []


def test_words_stay_on_the_figure(medley):
    drawn = plots.lineup(medley)
    left, bottom, *_ = drawn.margins
    boxes = [box for one in drawn.shapes() if isinstance(one, Words) for box in tight(one)]
    low_x, low_y, high_x, high_y = zip(*boxes)
    assert min(low_x) >= -left and min(low_y) >= -bottom
    assert max(high_x) <= drawn.points[0] - left and max(high_y) <= drawn.points[1] - bottom


def test_the_alt_text_tells_the_whole_figure(medley):
    alt = plots.lineup(medley).alt
    assert alt.startswith("Line-up of 5 vintages, the states of the server. 13.1 hangs in CLOSING until the cable is mended;")
    assert "Cut at 1.2 s, healed at 54 s." in alt
    assert (
        "websockets 13.1 asyncio, Python 3.11: OPEN from 0 s, believes OPEN from 1.2 s, CLOSING from 3 s, CLOSED from 55 s,"
        " in CLOSING for 52 s, until healed, its application is told at 55.0 s." in alt
    )
    assert "its application is told at 34.0 s" in alt and "its application is never told" in alt
    assert "websockets 14.2 threading, Python 3.11: not run, no keepalive in threading before 15." in alt


def test_it_draws_into_an_axes_of_your_own(story):
    own = pytest.importorskip("matplotlib.figure").Figure().subplots()
    assert plots.lineup(story, ax=own) is own and own.texts


def test_before_it_is_over_nothing_of_the_outcome_is_told(story):
    begun = plots.lineup(story).until(10)
    assert begun.title == "Which of these notice, and when?" and "CLOSING" in texts(begun)
    assert not [text for text in [*begun.words, begun.alt] if "52 s" in text or "CLOSED from 55" in text or "told at 55" in text]


def test_what_is_not_in_a_log_is_no_fate(quiet):
    heard = [event for event in quiet.events if event.where != "client"]
    drawn = plots.lineup([called(replace(quiet, events=heard), "a log"), called(quiet, vintage("17.4"))], end="client")
    assert "? not in this log" in texts(drawn) and "a log: ? not in this log." in drawn.alt
    assert drawn.title == "17.4 never notices: OPEN until the cable is mended" and overlaps(drawn) == []


def test_what_it_cannot_line_up_is_refused_in_a_sentence(quiet):
    with pytest.raises(TypeError, match="takes traces, and holes that say why"):
        plots.lineup([quiet.experiment])
    with pytest.raises(ValueError, match="at least one trace"):
        plots.lineup([])
    with pytest.raises(ValueError, match="one experiment on many vintages; seen traces with different cuts"):
        plots.lineup([quiet, recorded("closing-hang")])


def test_a_lane_that_is_not_of_today_says_that_it_is_recorded(backlog, quiet):
    drawn = plots.lineup([called(backlog, f"{vintage('14.1')} (recorded)"), called(quiet, vintage("14.2"))])
    assert {"14.1 asyncio", "Python 3.11 · recorded", "14.2 asyncio", "Python 3.11"} <= set(texts(drawn))
    assert drawn.title.startswith("14.1 hangs in CLOSING")


def test_what_is_closed_in_time_and_told_late_is_late_and_says_so(quiet):
    told = [event for event in quiet.events if (event.what, event.where) == ("raised", "server")]
    events = [event._replace(t=40.0) if event in told else event for event in quiet.events]
    slow = called(replace(quiet, events=events), vintage("14.1"))
    assert kinds([slow]) == ["late"] and quiet.closed_at("server") < 6
    drawn = plots.lineup([slow, called(quiet, vintage("17.4"))])
    expected = "14.1 is CLOSED in time, and told only 37 s after leaving OPEN; 17.4 gives up"
    assert drawn.title.startswith(expected)
    assert not [text for text in texts(drawn) if text.startswith("CLOSING for")]
    both = plots.lineup([slow, called(late(quiet, 30), vintage("14.1"))])
    assert both.title == "Both are closed or told late, though close_timeout is 1 s"
    mute = replace(slow, events=[e for e in events if e.t != 40.0])
    assert plots.lineup([mute]).title == "14.1 is CLOSED in time, and told never"


def test_a_lane_and_its_cell_of_the_matrix_say_the_same():
    telling = [(recorded(f"matrix/{key(cell)}"), WIRES[cell["wire"]][0], cell) for cell in recorded_matrix()[1] if key(cell) in STORED]
    assert len(telling) == len(STORED) >= 12
    for trace, end, cell in telling:
        (lane,) = lanes([trace], end)
        assert lane.kind == cell["verdict"], key(cell)
