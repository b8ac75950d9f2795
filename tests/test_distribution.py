"""The promises of plots.distribution: how many runs of a sweep gave what, beside theory and a guess."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from figures import faint, marks, outside, overlaps, texts

from labkit import Cut, Experiment, Peer, fleet, plots, sweep
from labkit.many.sweeps import Table, frame
from labkit.plots.bars import Bar
from labkit.plots.distributions import histogram
from labkit.plots.marks import Dot, Ticks

FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])


def rows(*delays: float | None, column: str = "delay"):
    """A sweep that gave these values."""
    return frame(FLY, {"cut.at": [9.0]}, [{"cut.at": 9.0, "false_alarm": False, column: delay} for delay in delays])


def guessed(figure: plots.Figure) -> list[float]:
    """Where the stars are."""
    return [dot.t for dot in marks(figure, Dot) if dot.sign == "guess"]


PHASES = sweep(FLY, over={"cut.at": [8 + 0.1 * k for k in range(1, 41)]}, progress=False)


@pytest.mark.parametrize(
    ("found", "column", "title"),
    [
        (PHASES, "delay", "40 cuts: noticed after 3.0 to 6.9 s, 5.0 s on average"),
        (PHASES, "told", "40 runs: always told at 17.0 s"),
        (rows(2, 3, column="pings"), "pings", "2 runs: 2 to 3 pings, 2.5 pings on average"),
        (rows(3, 4, None, 5, None), "delay", "5 cuts: noticed after 3.0 to 5.0 s, 4.0 s on average; 2 never"),
        (rows(None), "delay", "1 cut: never noticed"),
        (rows(0.9, 0.96), "delay", "2 cuts: noticed after 900 ms to 1.0 s, 930 ms on average"),
        (rows(0.001, 0.002), "delay", "2 cuts: noticed after 1 to 2 ms, 1.5 ms on average"),
    ],
)
def test_the_title_is_the_finding(found, column, title):
    assert plots.distribution(found, column).title == title


def test_one_cut_of_many_connections_is_not_many_cuts():
    figure = plots.distribution(fleet(FLY, clients=5, apart=0.1).to_pandas(), "noticed")
    assert figure.title.startswith("5 connections: noticed at 15.") and "clients" in texts(figure) and "runs" not in texts(figure)
    assert outside(figure) == []


def test_min_mean_and_max_have_words_and_units_and_those_that_are_alike_have_them_once():
    assert {"min 3.0 s", "mean 5.0 s", "max 6.9 s", "runs", "found"} <= set(texts(plots.distribution(PHASES)))
    assert "min, mean and max 5.0 s" in texts(plots.distribution(rows(5.0, 5.0, 5.0)))


def test_what_theory_allows_is_named_by_its_timers_and_held_against_the_runs():
    figure = plots.distribution(PHASES, band=(3, 7))
    assert "theory: from ping_timeout 3 s to ping_interval + ping_timeout 7 s" in texts(figure)
    assert "Theory allows 3.0 s to 7.0 s: all are inside." in figure.alt
    assert "theory: from 2 s to 8 s" in texts(plots.distribution(PHASES, band=(2, 8)))
    assert "1 outside" in plots.distribution(rows(3, 9), band=(3, 7)).alt
    assert "there is none" in plots.distribution(rows(None), band=(3, 7)).alt


@pytest.mark.parametrize(
    "guess", [(2, None, 8), {"min": 2, "max": 8}, SimpleNamespace(min=2, mean=..., max=8)], ids=["three", "dict", "value"]
)
def test_a_guess_is_stars_with_words_and_is_held_against_the_fact(guess):
    figure = plots.distribution(PHASES, guess=guess)
    assert {"guess", "min 2.0 s", "max 8.0 s"} <= set(texts(figure)) and guessed(figure) == [2, 8]
    assert "Guess of the min: 2.0 s, it was 3.0 s. Guess of the max: 8.0 s, it was 6.9 s." in figure.alt


@pytest.mark.parametrize("empty", [None, ..., (None, None, None), {}, {"mean": ...}, (True, float("nan"), "soon")])
def test_an_empty_guess_draws_nothing(empty):
    figure = plots.distribution(PHASES, guess=empty)
    assert "guess" not in texts(figure) and guessed(figure) == []


def test_a_guess_far_away_does_not_squeeze_the_story():
    figure = plots.distribution(PHASES, guess=(-1, 5, 600))
    along = figure.panels[0].along
    assert along.low < -1 and along.high < 10 and any("600.0 s, off the axis" in text for text in texts(figure))


def test_never_is_counted_in_words():
    figure = plots.distribution(rows(3, 4, None, 5, None))
    assert "2 of 5 never" in texts(figure) and figure.alt.endswith("2 of 5 never.")


@pytest.mark.parametrize("values", [[3.0, 3.2, 7.0], [5.0], [k / 10 for k in range(30, 71)], [0.001, 0.002]])
def test_every_value_is_in_one_bar_and_in_the_rug(values):
    counts, wide, start = histogram(values)
    assert sum(counts) == len(values) and start <= min(values) + 1e-9 and max(values) <= start + len(counts) * wide + 1e-9
    figure = plots.distribution(rows(*values))
    assert [bar.lane for bar in marks(figure, Bar)] == [(0, count) for count in counts]
    assert [list(rug.times) for rug in marks(figure, Ticks)] == [values]


CASES = {
    "alike": (rows(5.0, 5.01, 5.02), (4.9, 5, 5.1)),
    "never": (rows(*[3 + k / 10 for k in range(40)], None), (3, 5, 7)),
    "nothing": (rows(None, None), None),
    "short": (rows(0.001, 0.002, 0.004), None),
    "guess far": (rows(3, 5, 7), (0, 5, 400)),
    "guess near the edge": (rows(15.0, 15.02), (14, 14.5, 16)),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, (4.5, 3)])
@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read(name, size, theme):
    found, guess = CASES[name]
    figure = plots.distribution(found, band=(3, 7), guess=guess, size=size, theme=theme)
    assert overlaps(figure) == faint(figure) == [] and (size or outside(figure) == [])


def test_a_list_of_rows_and_a_table_without_pandas_give_the_same_figure():
    plain = [{"delay": delay} for delay in PHASES["delay"]]
    table = Table(FLY, ["delay", "told"], plain)
    assert plots.distribution(plain, guess=(2, 4, 8)).svg() == plots.distribution(PHASES, guess=(2, 4, 8)).svg()
    assert plots.distribution(table, band=(3, 7)).svg() == plots.distribution(PHASES, band=(3, 7)).svg()
    assert plots.distribution(table, "told").title == "40 runs: never told"


def test_a_table_without_pandas_gives_slices_and_rows_as_a_data_frame_does():
    rows = PHASES[["delay"]].to_dict("records")
    table = Table(FLY, ["delay"], rows)
    assert table[1::3].to_dict("records") == PHASES[["delay"]][1::3].to_dict("records")
    assert table[1:3]["delay"] == list(PHASES["delay"][1:3]) and table[0] == rows[0]
    with pytest.raises(ValueError, match="'records', seen 'list'"):
        table.to_dict("list")


@pytest.mark.parametrize(
    ("found", "more", "error", "words"),
    [
        (7, {}, TypeError, "takes what sweep"),
        (PHASES, {"column": "dleay"}, KeyError, "no column 'dleay'.*it has cut.at, seed, noticed"),
        ([{"delay": "soon"}], {}, TypeError, "holds 'soon': expected numbers"),
        (PHASES, {"guess": (1, 2)}, ValueError, "three numbers"),
        (PHASES, {"band": (7, 3)}, ValueError, "from low to high"),
    ],
)
def test_what_is_no_sweep_is_refused_in_a_sentence(found, more, error, words):
    with pytest.raises(error, match=words):
        plots.distribution(found, **more)
