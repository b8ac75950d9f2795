"""The promises of plots.landscape and plots.tradeoff: what a decision looks like, read from a sweep."""

import math
from dataclasses import astuple

import pytest
from axes_figures import overlaps, texts, title
from matplotlib.colors import to_hex
from matplotlib.text import Annotation

from labkit import Cut, Delay, Experiment, Peer, plots, sweep
from labkit.plots import palette
from labkit.plots.landscape import HIGH, LOW, WORDS, blend, cells_of, position
from labkit.plots.tradeoff import Setting, knee, settings_of

TIMERS = {"server.ping_interval": [1, 2, 4], "server.ping_timeout": [1, 3]}
FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=20)])


@pytest.fixture(scope="module")
def table():
    return sweep(FLY, over={**TIMERS, "cut.at": [20.01, 20.5, 21.3, 22.1, 23.9]})


@pytest.fixture(scope="module")
def shaky():
    base = FLY.but(faults=[Delay(0, latency=0.1, jitter=0.1, shape="heavy tail"), Cut(60)])
    return sweep(base, over={"server.ping_interval": [1, 4, 8, 16], "cut.at": [60, 65, 71]}, repeats=4)


def draw(table, **options):
    return plots.landscape(table, "server.ping_interval", "server.ping_timeout", **options)


def test_a_cell_is_the_worst_of_its_runs(table):
    cells = cells_of(table, "server.ping_interval", "server.ping_timeout", "delay")
    rows = table[(table["server.ping_interval"] == 4) & (table["server.ping_timeout"] == 3)]
    assert len(cells) == 6 and cells[4, 3] == rows.delay.max() > rows.delay.min()
    shown = {text for text in texts(draw(table)) if "cell" not in text}
    assert shown == {f"{round(value, 1):g}" for value in cells.values()}


def test_the_title_counts_who_keeps_the_budget(table):
    cells = cells_of(table, "server.ping_interval", "server.ping_timeout", "delay")
    assert title(draw(table, budget=5)) == f"{sum(v <= 5 for v in cells.values())} of 6 settings keep the budget of 5 s"
    assert "6 settings: worst delay" in title(draw(table))


def test_the_contour_runs_between_those_that_keep_the_budget_and_those_that_do_not(table):
    cells = cells_of(table, "server.ping_interval", "server.ping_timeout", "delay")
    line = draw(table, budget=3).collections[-1].get_segments()
    xs, ys = [1, 2, 4], [1, 3]
    kept = {(i, j): cells[x, y] <= 3 for i, x in enumerate(xs) for j, y in enumerate(ys)}
    borders = sum(kept[i, j] != kept[i + 1, j] for i in range(2) for j in range(2)) + sum(kept[i, 0] != kept[i, 1] for i in range(3))
    assert len(line) == borders > 0
    assert len(draw(table, budget=100).collections[-1].get_segments()) == 0


@pytest.mark.parametrize("yours", [(4, 3), (3, 2), (100, 0.1)])
def test_your_setting_is_a_star_where_it_belongs(table, yours):
    ax = draw(table, yours=yours)
    (star,) = ax.lines
    assert star.get_marker() == "*" and not overlaps(ax)
    assert position([1, 2, 4], 3) == 1.5 and -0.5 < star.get_xdata()[0] < 2.5


@pytest.mark.parametrize("empty", [None, (..., ...), (4, ...)])
def test_an_empty_setting_draws_nothing(table, empty):
    assert not draw(table, yours=empty).lines


def test_never_is_the_worst_and_keeps_no_budget():
    deaf = sweep(FLY, over={"server.ping_interval": [4], "server.ping_timeout": [3], "cut.direction": ["both"], "cut.heal": [None, 20.5]})
    assert math.isnan(cells_of(deaf, "server.ping_interval", "server.ping_timeout", "delay")[4, 3])
    assert title(draw(deaf, budget=100)).startswith("0 of 1") and "never" in texts(draw(deaf))


def test_false_alarms_are_a_share(shaky):
    ax = plots.landscape(shaky, "server.ping_interval", "cut.at", "false_alarm", budget=0.5)
    assert "share of runs" in " ".join(texts(ax)) and "50 % false alarms" in title(ax)


def test_the_alt_texts_say_what_the_pictures_show(table, shaky):
    alt = draw(table, budget=5, yours=(4, 3)).alt
    assert "keep the budget of 5 s" in alt and "Least" in alt and "Your setting: server.ping_interval 4" in alt
    alt = plots.tradeoff(shaky, "server.ping_interval").alt
    assert all(f"{value} s: " in alt for value in (4, 8, 16)) and "false alarms" in alt


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


def test_a_tradeoff_marks_the_knee_your_value_and_false_alarms(shaky):
    ax = plots.tradeoff(shaky, "server.ping_interval", yours=8)
    markers = [line.get_marker() for line in ax.lines]
    assert "*" in markers and ("X" in markers) == bool(shaky[shaky["server.ping_interval"] > 1].false_alarm.any())
    assert not overlaps(ax) and any("8 s" in text for text in texts(ax))


WIDE = {"server.ping_interval": [1, 2, 3, 4, 6, 8], "server.ping_timeout": [0.5, 1, 2, 3, 4, 5]}
INKED = dict(zip(astuple(palette.LIGHT), astuple(palette.DARK)))  # by a page in its dark theme


@pytest.fixture(scope="module")
def partly():
    """A cut that is healed: the settings of the slow never notice."""
    return sweep(FLY, over={**WIDE, "cut.at": [20.01, 23.9], "cut.heal": [26]})


def on_cells(ax):
    """(word, its colour, the colour that it lies on) of each cell."""
    filled = [patch for patch in ax.patches if patch.get_facecolor()[3]]
    for text in (text for text in ax.texts if not isinstance(text, Annotation)):
        x, y = ax.transData.transform(text.get_position())
        cell = next(patch for patch in reversed(filled) if patch.contains_point((x, y)))
        card = text.get_bbox_patch() or cell
        yield text.get_text(), to_hex(text.get_color()), to_hex(card.get_facecolor())


@pytest.mark.parametrize("theme, inked", [("light", {}), ("dark", {}), ("light", INKED)])
def test_every_word_stands_out_from_its_cell(partly, theme, inked):
    seen = list(on_cells(draw(partly, theme=theme)))
    assert len(seen) == 36 and 10 < sum(word == "never" for word, *_ in seen) < 30
    pairs = {(inked.get(ink, ink), inked.get(under, under)) for _, ink, under in seen}
    assert len(pairs) > 8 and [pair for pair in pairs if palette.contrast(*pair) < 4.5] == []


def test_words_stand_out_from_every_colour_that_a_cell_can_have():
    shades = [blend(LOW, HIGH, share / 1000) for share in range(1001)]
    assert min(max(palette.contrast(ink, shade) for ink in WORDS) for shade in shades) >= 4.5
    assert not {LOW, HIGH, *WORDS} & set(INKED), "a page's theme would change one and not the other"


def test_contrast_is_that_of_wcag():
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_are_pictures_that_can_be_saved(table, shaky, theme, tmp_path):
    for number, ax in enumerate([draw(table, theme=theme, budget=5), plots.tradeoff(shaky, "server.ping_interval", theme=theme)]):
        assert 'role="img"' in ax._repr_mimebundle_()["text/html"]
        assert plots.save(ax, tmp_path / f"{number}.png").stat().st_size > 5000


def test_what_is_no_such_sweep_is_refused_in_a_sentence(table):
    with pytest.raises(KeyError, match="takes what sweep"):
        plots.landscape(7, "server.ping_interval", "server.ping_timeout")
    with pytest.raises(KeyError, match="with a column 'latency'"):
        plots.landscape(table, "server.ping_interval", "latency")
    with pytest.raises(KeyError, match="no column 'latency'"):
        plots.tradeoff(table, "latency")
    with pytest.raises(ValueError, match="somebody was told"):
        plots.tradeoff(sweep(FLY, over={"latency": [0], "cut.at": [20], "cut.heal": [20.5]}), "latency")
