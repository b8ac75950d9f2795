"""The promises of plots.reconnects: who dials when, in words, marks and bars."""

import sys

import pytest
from axes_figures import overlaps, texts, title

from labkit import plots
from labkit.many.crowds import Attempt, Crowd, Restart
from labkit.plots.reconnects import Story

RESTART = Restart(at=20, back=30)


def made(*times, refused=(), clients=3, acts=(RESTART,)):
    """A crowd that dialled at these times."""
    rows = [Attempt(t, 0, False) for t in times] + [Attempt(t, 0, True) for t in refused]
    return Crowd(clients, acts, 60.0, tuple(sorted(rows, key=lambda one: one.t)), (), ())


HERD = made(1, *[32.0] * 40, refused=[23.0] * 40 + [26.0] * 40)
CALM = made(1, *[30 + k / 2 for k in range(20)], refused=[20 + k / 2 for k in range(20)])
BOTH = {"herd": HERD, "with jitter": CALM}


def test_the_title_is_the_finding():
    assert title(plots.reconnects(BOTH)) == "3 clients after a restart: at most 40 and 2 dial in one second"
    assert title(plots.reconnects(made(1.0, 1.5, clients=1, acts=()))) == "1 client: at most 2 dial in one second"


def test_every_row_has_its_name_its_peak_and_the_time_without_a_server():
    said = texts(plots.reconnects(BOTH))
    assert {"herd", "with jitter", "● 40 in one second", "● 2 in one second"} <= set(said)
    assert said.count("no server from 20 to 30 s") == 2


def test_a_bound_is_a_line_and_each_peak_is_held_against_it():
    ax = plots.reconnects(BOTH, bound=10)
    said = texts(ax)
    assert "bound: 10 a second" in said and "● 40 in one second, 4.0 × the bound" in said and "● 2 in one second, within the bound" in said
    assert sum(line.get_linestyle() == "--" for line in ax.lines) == 2


def test_the_bars_hold_every_attempt_that_is_shown_on_one_scale():
    ax = plots.reconnects(BOTH)
    story = Story(BOTH, None, None)
    bars = [patch for patch in ax.patches if 0.9 < patch.get_width() < 0.95]
    high = sum(bar.get_height() for bar in bars)
    counts = sum(sum(story.counts(name, refused).values()) for name in BOTH for refused in (True, False))
    tallest = max(bar.get_height() for bar in bars)
    assert counts == 160 and high / tallest == pytest.approx(160 / 40)
    assert sum(bool(bar.get_hatch()) for bar in bars) == 2 + 10  # the refused ones


def test_the_peak_is_counted_from_the_restart_on_or_from_where_one_asks():
    early = made(*[1.0] * 9, 31.0)
    assert "at most 1 dial" in title(plots.reconnects(early)) and "at most 9 dial" in title(plots.reconnects(early, since=0))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, (5.0, 4.0)])
@pytest.mark.parametrize("crowds", [BOTH, HERD, made(), made(1.0, acts=(Restart(at=20),))], ids=["both", "one", "empty", "never back"])
def test_no_word_lies_on_another(crowds, size, theme):
    assert overlaps(plots.reconnects(crowds, bound=25, size=size, theme=theme)) == []


def test_the_alt_text_tells_the_whole_figure():
    alt = plots.reconnects(BOTH, bound=10).alt
    for words in ("at most 40 and 2", "10 a second", "Nobody listens from 20 s to 30 s", "herd: peak of 40", "at 23 s; 80 attempts"):
        assert words in alt
    assert "Nobody listens from 20 s on." in plots.reconnects(made(21.0, acts=(Restart(at=20),))).alt


def test_it_is_a_picture_and_registers_nothing(tmp_path):
    ax = plots.reconnects(HERD)
    assert 'role="img"' in ax._repr_mimebundle_()["text/html"] and "matplotlib.pyplot" not in sys.modules
    assert plots.save(ax, tmp_path / "r.svg").stat().st_size > 1000


@pytest.mark.parametrize("wrong", [7, {}, {"x": 7}, None])
def test_what_is_no_crowd_is_refused_in_a_sentence(wrong):
    with pytest.raises(TypeError, match="takes what crowd"):
        plots.reconnects(wrong)
    with pytest.raises(ValueError, match="above 0"):
        plots.reconnects(HERD, bound=0)
