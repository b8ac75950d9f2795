"""The promises of plots.landscape and plots.tradeoff: what a decision looks like, read from a sweep."""

import math
from itertools import pairwise

import pytest
from figures import contrast, faint, marks, overlaps, texts

from labkit import Cut, Delay, Experiment, Peer, plots, sweep
from labkit.many.sweeps import Table
from labkit.plots import palette
from labkit.plots.bars import Bar
from labkit.plots.landscapes import cells_of, position
from labkit.plots.marks import Dot, Path
from labkit.plots.tradeoffs import Setting, knee, settings_of

TIMERS = {"server.ping_interval": [1, 2, 4], "server.ping_timeout": [1, 3]}
WIDE = {"server.ping_interval": [1, 2, 3, 4, 6, 8], "server.ping_timeout": [0.5, 1, 2, 3, 4, 5]}
FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=20)])


@pytest.fixture(scope="module")
def table():
    return sweep(FLY, over={**TIMERS, "cut.at": [20.01, 20.5, 21.3, 22.1, 23.9]})


@pytest.fixture(scope="module")
def partly():
    """A cut that is healed: the settings of the slow never notice."""
    return sweep(FLY, over={**WIDE, "cut.at": [20.01, 23.9], "cut.heal": [26]})


@pytest.fixture(scope="module")
def shaky():
    base = FLY.but(faults=[Delay(0, latency=0.1, jitter=0.1, shape="heavy tail"), Cut(60)])
    return sweep(base, over={"server.ping_interval": [1, 4, 8, 16], "cut.at": [60, 65, 71]}, repeats=4)


def draw(table, **options):
    return plots.landscape(table, "server.ping_interval", "server.ping_timeout", **options)


def cells(table):
    return cells_of(table, "server.ping_interval", "server.ping_timeout", "delay")


def plain(frame):
    """The same rows without pandas."""
    rows = [{name: None if value != value else value for name, value in row.items()} for row in frame.to_dict("records")]
    return Table(frame.attrs["experiment"], list(frame), rows)


# the landscape


def test_a_cell_is_the_worst_of_its_runs(table):
    rows, found = table[(table["server.ping_interval"] == 4) & (table["server.ping_timeout"] == 3)], cells(table)
    assert len(found) == 6 and found[4, 3] == rows.delay.max() > rows.delay.min()
    assert {bar.wordings for bar in marks(draw(table), Bar)} == {(f"{round(value, 1):g}",) for value in found.values()}


def test_the_title_counts_who_keeps_the_budget(table):
    kept = sum(value <= 5 for value in cells(table).values())
    assert draw(table, budget=5).title == f"{kept} of 6 settings keep the budget of 5 s"
    assert "6 settings: worst delay" in draw(table).title


def test_the_contour_runs_between_those_that_keep_the_budget_and_those_that_do_not(table):
    kept = {(i, j): cells(table)[x, y] <= 3 for i, x in enumerate([1, 2, 4]) for j, y in enumerate([1, 3])}
    borders = sum(kept[i, j] != kept[i + 1, j] for i in range(2) for j in range(2)) + sum(kept[i, 0] != kept[i, 1] for i in range(3))
    lines = [path for path in marks(draw(table, budget=3), Path) if path.colour == "stuck"]
    assert len(lines) == borders > 0 and marks(draw(table, budget=100), Path) == []


@pytest.mark.parametrize("yours", [(4, 3), (3, 2), (100, 0.1)])
def test_your_setting_is_a_star_where_it_belongs(table, yours):
    figure = draw(table, yours=yours)
    (star,) = marks(figure, Dot)
    assert star.sign == "guess" and position([1, 2, 4], 3) == 1.5 and -0.5 < star.t < 2.5
    assert overlaps(figure) == [] and len(set(texts(figure)) & {"★ your setting"}) == 1


@pytest.mark.parametrize("empty", [None, (..., ...), (4, ...)])
def test_an_empty_setting_draws_nothing(table, empty):
    assert marks(draw(table, yours=empty), Dot) == [] and "Your setting" not in draw(table, yours=empty).alt


def test_never_is_the_worst_and_keeps_no_budget():
    over = {"server.ping_interval": [4], "server.ping_timeout": [3], "cut.direction": ["both"], "cut.heal": [None, 20.5]}
    deaf = sweep(FLY, over=over)
    assert math.isnan(cells(deaf)[4, 3]) and draw(deaf, budget=100).title.startswith("0 of 1")
    assert "never" in texts(draw(deaf)) and "Never in 1 of them" in draw(deaf).alt


def test_false_alarms_are_a_share(shaky):
    figure = plots.landscape(shaky, "server.ping_interval", "cut.at", "false_alarm", budget=0.5)
    assert "share of runs" in " ".join(texts(figure)) and "50 % false alarms" in figure.title


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, (4.5, 3.2)])
def test_every_word_stands_out_from_its_cell_and_lies_on_no_other(partly, theme, size):
    figure = draw(partly, theme=theme, size=size, budget=5, yours=(4, 3))
    said = texts(figure)
    assert 10 < said.count("never") < 30 and len([text for text in said if text in {*"2345678", "never"}]) > 20
    assert len({bar.fill for bar in marks(figure, Bar)}) > 4 and overlaps(figure) == [] and faint(figure) == []


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_the_steps_of_the_scale_are_told_apart_in_grey_and_carry_words(theme):
    fills = [palette.FILLS[f"step {k}"] for k in range(palette.STEPS)]
    faces = [getattr(theme, fill.face) for fill in fills]
    grey = [contrast(face, "#000000") for face in faces]
    assert grey in (sorted(grey), sorted(grey, reverse=True))
    assert min(contrast(one, two) for one, two in pairwise(faces)) > 1.3
    assert min(contrast(face, getattr(theme, fill.words)) for face, fill in zip(faces, fills)) >= 4.5


# the trade-off


def test_a_tradeoff_is_worst_delay_against_traffic(shaky):
    settings = {one.value: one for one in settings_of(shaky, "server.ping_interval")}
    rows = shaky[(shaky["server.ping_interval"] == 16) & ~shaky.false_alarm]
    assert settings[16].delay == (rows.told - rows["cut.at"]).max()
    assert settings[4].traffic > settings[8].traffic > settings[16].traffic
    assert settings[4].alarms == shaky[shaky["server.ping_interval"] == 4].false_alarm.mean()


def test_the_knee_is_where_the_curve_bends():
    bent = [Setting(v, 960 / v, v + 5, 0) for v in (1, 2, 4, 8, 16, 32, 64)]
    best = knee(bent)
    assert best is not None and best.value in (4, 8)
    assert knee([Setting(v, 10 - v, v, 0) for v in (1, 2, 3, 4)]) is None and knee(bent[:2]) is None


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, (4.5, 3)])
def test_a_tradeoff_marks_the_knee_your_value_and_false_alarms(shaky, theme, size):
    figure = plots.tradeoff(shaky, "server.ping_interval", yours=8, theme=theme, size=size)
    signs = {(dot.sign, dot.t) for dot in marks(figure, Dot)}
    settings = {one.value: one for one in settings_of(shaky, "server.ping_interval")}
    assert ("guess", settings[8].traffic) in signs and ("knee", knee(list(settings.values())).traffic) in signs
    assert sum(sign == "stuck" for sign, _ in signs) == sum(one.alarms > 0 and one.value != 8 for one in settings.values()) > 0
    assert any("8 s" in text for text in texts(figure)) and overlaps(figure) == [] and faint(figure) == []


# both


def test_the_alt_texts_say_what_the_pictures_show(table, shaky):
    alt = draw(table, budget=5, yours=(4, 3)).alt
    assert "keep the budget of 5 s" in alt and "Least" in alt and "Your setting: server.ping_interval 4" in alt
    alt = plots.tradeoff(shaky, "server.ping_interval").alt
    assert all(f". {value} s: " in alt for value in (1, 4, 8, 16)) and "false alarms" in alt


def test_a_table_without_pandas_gives_the_same_figures(partly, shaky):
    assert draw(plain(partly), budget=5).svg() == draw(partly, budget=5).svg()
    assert plots.tradeoff(plain(shaky), "server.ping_interval").svg() == plots.tradeoff(shaky, "server.ping_interval").svg()


NEVER = sweep(FLY, over={"latency": [0], "cut.at": [20], "cut.heal": [20.5]}, progress=False)


@pytest.mark.parametrize(
    ("make", "found", "names", "error", "words"),
    [
        (plots.landscape, 7, ("x", "y"), TypeError, "takes what sweep"),
        (plots.landscape, NEVER, ("cut.at", "speed"), KeyError, "no column 'speed'"),
        (plots.tradeoff, NEVER, ("speed",), KeyError, "no column 'speed'"),
        (plots.tradeoff, NEVER, ("latency",), ValueError, "somebody was told"),
    ],
)
def test_what_is_no_such_sweep_is_refused_in_a_sentence(make, found, names, error, words):
    with pytest.raises(error, match=words):
        make(found, *names)
