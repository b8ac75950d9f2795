"""The promises of plots.reconnects: who dials when, in words, marks and bars."""

import pytest
from figures import faint, marks, overlaps, texts, ticks

from labkit import plots
from labkit.many.crowds import Attempt, Crowd, Restart
from labkit.plots.bars import Bar
from labkit.plots.marks import Path

RESTART = Restart(at=20, back=30)


def made(*times, refused=(), clients=3, acts=(RESTART,)):
    """A crowd that dialled at these times."""
    rows = [Attempt(t, 0, False) for t in times] + [Attempt(t, 0, True) for t in refused]
    return Crowd(clients, acts, 60.0, tuple(sorted(rows, key=lambda one: one.t)), (), ())


HERD = made(1, *[32.0] * 40, refused=[23.0] * 40 + [26.0] * 40)
CALM = made(1, *[30 + k / 2 for k in range(20)], refused=[20 + k / 2 for k in range(20)])
BOTH = {"herd": HERD, "with jitter": CALM}


def test_the_title_is_the_finding():
    assert plots.reconnects(BOTH).title == "3 clients after a restart: at most 40 and 2 dial in one second"
    assert plots.reconnects(made(1.0, 1.5, clients=1, acts=())).title == "1 client: at most 2 dial in one second"


def test_every_row_has_its_name_its_peak_and_the_time_without_a_server():
    said = texts(plots.reconnects(BOTH))
    assert {"herd", "with jitter", "● 40 in one second", "● 2 in one second"} <= set(said)
    assert said.count("no server from 20 to 30 s") == 2


def test_a_bound_is_a_line_and_each_peak_is_held_against_it():
    figure = plots.reconnects(BOTH, bound=10)
    said = texts(figure)
    assert said.count("bound: 10 a second") == sum(path.colour == "theory" for path in marks(figure, Path)) == 2
    assert "● 40 in one second, 4.0 × the bound" in said and "● 2 in one second, within the bound" in said


def test_the_bars_hold_every_attempt_that_is_shown_on_one_scale():
    figure = plots.reconnects(BOTH)
    counts = {
        fill: [high - low for low, high in (bar.lane for bar in marks(figure, Bar) if bar.fill == fill)] for fill in ("let in", "refused")
    }
    assert counts == {"let in": [40] + [2] * 10, "refused": [40, 40] + [2] * 10}
    assert len({panel.across.high for panel in figure.panels if marks_of(panel)}) == 1


def marks_of(panel):
    return [mark for mark in panel.marks if isinstance(mark, Bar)]


def test_the_axis_goes_from_before_the_restart_to_after_the_last_attempt():
    assert ticks(plots.reconnects(BOTH)) == [str(second) for second in range(18, 43, 2)]


def test_the_peak_is_counted_from_the_restart_on_or_from_where_one_asks():
    early = made(*[1.0] * 9, 31.0)
    assert "at most 1 dial" in plots.reconnects(early).title and "at most 9 dial" in plots.reconnects(early, since=0).title


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [None, (5.0, 4.0)])
@pytest.mark.parametrize("crowds", [BOTH, HERD, made(), made(1.0, acts=(Restart(at=20),))], ids=["both", "one", "empty", "never back"])
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read(crowds, size, theme):
    figure = plots.reconnects(crowds, bound=25, size=size, theme=theme)
    assert overlaps(figure) == [] and faint(figure) == []


def test_the_alt_text_tells_the_whole_figure():
    alt = plots.reconnects(BOTH, bound=10).alt
    for words in ("at most 40 and 2", "10 a second", "Nobody listens from 20 s to 30 s", "herd: peak of 40", "at 23 s; 80 attempts"):
        assert words in alt
    assert "Nobody listens from 20 s on." in plots.reconnects(made(21.0, acts=(Restart(at=20),))).alt


def test_an_axes_of_your_own_counts_seconds():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert plots.reconnects(BOTH, ax=ax) is ax and ax.get_xlim() == (17, 42) and "at most 40 and 2" in ax.alt


@pytest.mark.parametrize("wrong", [7, {}, {"x": 7}, None])
def test_what_is_no_crowd_is_refused_in_a_sentence(wrong):
    with pytest.raises(TypeError, match="takes what crowd"):
        plots.reconnects(wrong)
    with pytest.raises(ValueError, match="above 0"):
        plots.reconnects(HERD, bound=0)
