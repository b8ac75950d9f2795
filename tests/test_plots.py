"""The promises of labkit.plots: what a timeline shows, says, and never gives away. Runs are in virtual time."""

from __future__ import annotations

import dataclasses
import random
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import pytest
from cases import quiet
from figures import blend, contrast, faint, overlaps, texts, ticks
from text_widths import table

from labkit import Cut, Experiment, Goodbye, Peer, Send, Trace, plots, predict, run
from labkit.plots import palette, widths
from labkit.plots.labels import Room
from labkit.plots.marks import Dot, Label
from labkit.plots.reading import Reading
from labkit.plots.shapes import Outline, Words
from labkit.plots.states import spans
from labkit.trace import Event, Story

PEER = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
FLY = Experiment(server=PEER, faults=[Cut(at=9)])


def trace_of(experiment: Experiment) -> Trace:
    return run(experiment, wire="virtual")


@pytest.fixture(scope="module")
def fly() -> Trace:
    return trace_of(FLY)


@dataclass
class Promise(Story):
    """What theory says, as the figure asks it."""

    experiment: Experiment
    events: list[Event]
    end: float = 17.0
    unknown: str | None = None
    ties: list[str] = field(default_factory=list)


def promise(trace: Trace, shift: float = 0.0, **more: Any) -> Promise:
    """A prediction that says what the trace says, ``shift`` seconds later."""
    return Promise(trace.experiment, [event._replace(t=event.t + shift, witness="theory") for event in trace.events], **more)


# the fruit fly


def test_the_fruit_fly_has_its_ticks_where_something_happens(fly):
    assert ticks(plots.timeline(fly)) == "0 4 8 9 12 15 17 20".split()


def test_the_title_is_the_finding(fly):
    assert plots.timeline(fly).title == "Cut at 9 s: the server noticed at 15 s, its application was told at 17 s, the client never"


def test_the_axis_has_its_unit_and_its_zero(fly):
    assert plots.timeline(fly).panels[0].along.label == "seconds since the server was OPEN"


def test_every_state_and_every_stuck_frame_has_a_word(fly):
    said = texts(plots.timeline(fly))
    for word in ("OPEN", "believes OPEN", "CLOSING", "CLOSED", "PING stuck", "CLOSE 1011 stuck"):
        assert word in said


def test_the_timers_have_their_lengths(fly):
    said = texts(plots.timeline(fly))
    assert {"3 s to the next ping", "ping_timeout 3 s", "close_timeout 2 s"} <= set(said)


def test_the_verdict_says_what_was_observed(fly):
    said = texts(plots.timeline(fly))
    assert {"server noticed 15.0 s", "server closed and told 17.0 s", "recv() raises ConnectionClosedError"} <= set(said)


def test_the_legend_names_the_marks_that_occur_and_no_others(fly):
    alone, full = texts(plots.timeline(fly)), texts(plots.timeline(fly, promise(fly), 13))
    assert "● observed" in alone and not {"★ guess", "◇ theory"} & set(alone)
    assert {"● observed", "★ guess", "◇ theory"} <= set(full)
    assert any(re.fullmatch(r"websockets \S+ · virtual", text) for text in alone)


# guesses and theory


@pytest.mark.parametrize(
    "guess, words",
    [(13, "your guess 13.0 s 2.0 s too early"), (18, "your guess 18.0 s, 3.0 s too late"), (15.0, "your guess 15.0 s: right")],
)
def test_a_guess_has_its_error_in_words(fly, guess, words):
    assert words in texts(plots.timeline(fly, guess=guess))


def test_a_guess_may_be_a_value_with_a_label(fly):
    @dataclass
    class Guess:
        seconds: float | None
        label: str

    assert any("Mia's guess 13.0 s" in text for text in texts(plots.timeline(fly, guess=Guess(13, "Mia's guess"))))
    assert "★ guess" not in texts(plots.timeline(fly, guess=Guess(None, "")))


@pytest.mark.parametrize("empty", [None, ..., float("nan"), float("inf"), -1, "soon"])
def test_an_empty_guess_draws_nothing(fly, empty):
    assert "★ guess" not in texts(plots.timeline(fly, guess=empty))


def test_a_guess_far_away_does_not_squeeze_the_story(fly):
    ax = plots.timeline(fly, guess=1000)
    assert ax.panels[0].along.high == 20 and any("off the axis" in text for text in texts(ax))


def test_theory_that_differs_has_its_own_time(fly):
    assert "theory 16.0 s" in texts(plots.timeline(fly, promise(fly, shift=1.0)))


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_every_moment_of_theory_has_its_tick(fly, shift):
    figure = plots.timeline(fly, promise(fly, shift))
    strokes = {round(shape.paths[0][0][0], 6) for shape in figure.shapes() if isinstance(shape, Outline) and shape.z == 2.5}
    said = [mark.t for mark in figure.panels[0].marks if isinstance(mark, Dot) and mark.sign == "theory"]
    wide = figure.points[0] - figure.margins[0] - figure.margins[2]
    assert len(said) == 2 and {round(t / figure.panels[0].along.high * wide, 6) for t in said} <= strokes


def test_theory_that_does_not_know_says_why(fly):
    ax = plots.timeline(fly, promise(fly, unknown="the server sends messages"))
    assert "theory does not know: the server sends messages" in texts(ax) and "◇ theory" not in texts(ax)


def test_a_tie_is_called_a_tie(fly):
    ax = plots.timeline(fly, promise(fly, ties=["the pong comes as its time runs out"]))
    assert "a tie: the pong comes as its time runs out" in texts(ax)


def test_a_prediction_is_drawn_alone(fly):
    ax = plots.timeline(promise(fly))
    assert "◇ theory" in texts(ax) and "● observed" not in texts(ax)


# beliefs, heals, directions


def beliefs(experiment: Experiment, end: str) -> list[tuple[float, str]]:
    return [(span.begin, span.belief or span.state) for span in spans(Reading(trace_of(experiment)), end)]


def test_open_after_a_cut_is_a_belief_and_after_the_heal_a_fact():
    healed = FLY.but(faults=[Cut(at=9, heal=13)])
    assert beliefs(healed, "server") == [(0, "OPEN"), (9, "believes OPEN"), (13.68, "OPEN")]
    assert plots.timeline(trace_of(healed)).title == "Cut at 9 s, healed at 13 s: the pong arrived in time, the connection lives on"


def test_a_one_way_cut_says_who_hears_nothing_and_who_is_not_heard():
    deaf = FLY.but(faults=[Cut(at=9, direction="to_client")])
    assert beliefs(deaf, "client")[1] == (9, "believes OPEN, hears nothing")
    assert beliefs(deaf, "server")[1] == (9, "believes OPEN, is not heard")
    ax = plots.timeline(trace_of(deaf))
    assert "cut at 9 s, to the client only: the other way works" in texts(ax) and "Cut at 9 s to the client only" in ax.title


def test_what_was_stuck_arrives_after_the_heal():
    ax = plots.timeline(trace_of(FLY.but(faults=[Cut(at=9, heal=14)])))
    assert {"PING stuck, arrives 15.36", "healed at 14 s"} <= set(texts(ax))
    assert "14" in ticks(ax) and ax.title.endswith("the client's at 15.36 s")


def test_nobody_noticing_is_said_in_words():
    deaf = FLY.but(server=Peer(ping_interval=4, ping_timeout=None), until=40)
    assert "nobody noticed anything until the end of this trace" in texts(plots.timeline(trace_of(deaf)))


def test_keepalive_at_the_client_alone_makes_it_the_clients_story():
    ax = plots.timeline(trace_of(FLY.but(server=Peer(ping_interval=None), client=PEER)))
    assert ax.title.startswith("Cut at 9 s: the client noticed at 15 s") and "client's ping_timeout 3 s" in texts(ax)


def test_a_goodbye_is_not_called_noticing():
    ax = plots.timeline(trace_of(FLY.but(faults=[Goodbye(at=5)])))
    assert ax.title.startswith("The server said goodbye at 5") and "CLOSE 1000" in texts(ax)


def test_crossing_goodbyes_are_called_by_their_codes():
    both = [Goodbye(at=2, end="server", code=1001), Goodbye(at=2, end="client")]
    for acts in ([both[0]], [both[1]], both):
        said = texts(plots.timeline(trace_of(Experiment(server=Peer(ping_interval=None), latency=0.4, faults=acts))))
        assert len([text for text in said if text.startswith("CLOSE 100")]) == 2


@pytest.mark.parametrize(
    ("acts", "words"),
    [
        ([Goodbye(at=2, end="client")], "The client says goodbye at 2 s: what happens next?"),
        ([Goodbye(at=2), Goodbye(at=2, end="client")], "Both ends say goodbye at 2 s: what happens next?"),
        ([Goodbye(at=2), Goodbye(at=5, end="client")], "The server says goodbye at 2 s: what happens next?"),
        ([Cut(at=1), Goodbye(at=2)], "Cut at 1 s: who notices, and when?"),
    ],
)
def test_before_the_run_a_goodbye_is_what_the_question_is_about(acts, words):
    assert plots.setup(FLY.but(faults=acts)).title == words


def test_who_closes_first_noticed_and_the_other_got_the_close():
    tie = FLY.but(client=Peer(ping_interval=3.5, ping_timeout=3.2, close_timeout=2), faults=[Cut(at=9, heal=13.8)])
    reading = Reading(trace_of(tie))  # 13.7: the client notices; 13.86: its TCP tries again
    assert (reading.why_left("client"), reading.why_left("server")) == ("noticed", "got the CLOSE")


# no word on a word


CASES = {
    "fly": FLY,
    "cut just before a ping": FLY.but(faults=[Cut(at=11.9)]),
    "healed": FLY.but(faults=[Cut(at=9, heal=16)]),
    "one way": FLY.but(faults=[Cut(at=9, direction="to_server")]),
    "both ping": FLY.but(client=PEER),
    "latency": FLY.but(latency=0.3, faults=[Cut(at=9, heal=20)]),
    "defaults": Experiment(faults=[Cut(at=63)]),
    "three cuts": FLY.but(faults=[Cut(at=3, heal=5), Cut(at=9, heal=11, direction="to_client"), Cut(at=17)]),
    "goodbye": FLY.but(latency=0.2, faults=[Goodbye(at=5, end="client", code=4000)]),
    "messages": FLY.but(faults=[Send(at=0, every=0.5, end="client"), Cut(at=9)]),
    "many pings": FLY.but(server=Peer(ping_interval=1, ping_timeout=3, close_timeout=2), faults=[Cut(at=300)]),
}


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read(name, theme):
    trace = trace_of(CASES[name])
    figure = plots.timeline(trace, promise(trace), 13, theme=theme)
    assert overlaps(figure) == [] and faint(figure) == []


@pytest.mark.parametrize("block", range(10))
def test_no_word_of_random_stories_lies_on_another_or_on_a_mark(block):
    for seed in range(30 * block, 30 * block + 30):
        trace, dice = trace_of(quiet(seed)), random.Random(seed)
        size = dice.choice([None, None, (6.5, 3.9), (9, 5)])
        figure = plots.timeline(trace, predict(trace.experiment), dice.uniform(0, 30), size=size, theme=dice.choice(["light", "dark"]))
        assert (seed, overlaps(figure), faint(figure)) == (seed, [], [])


class Anywhere(Label):
    """A label that does not ask for room."""

    def words(self, view: Any, room: Room) -> Any:
        yield Words(self.wordings[0], *self.anchor(view), 8.5, self.ink)


def test_what_looks_for_overlaps_and_faint_words_finds_them(fly):
    drawn = plots.timeline(fly)
    spoilt = (Anywhere(3, "server", wordings=("on the OPEN",), ink="open"), Anywhere(11, "wire", wordings=("across",)))
    panel = dataclasses.replace(drawn.panels[0], marks=(*drawn.panels[0].marks, *spoilt))
    spoilt_figure = dataclasses.replace(drawn, panels=(panel,))
    assert ("on the OPEN", 1.0) in faint(spoilt_figure)
    assert {"across", "on the OPEN"} <= {text for pair in overlaps(spoilt_figure) for text in pair}


@pytest.mark.parametrize("name", CASES)
def test_matplotlib_measures_the_words_as_the_table_does(name):
    figure = plots.timeline(trace_of(CASES[name])).draw(sheet())
    figure.figure.canvas.draw()
    for text in figure.texts:
        size, bold = text.get_fontsize(), text.get_fontweight() == "bold"
        measured = text.get_window_extent().width * 72 / figure.figure.dpi
        assert measured <= 1.05 * widths.width(text.get_text(), size, bold) + 1.5, text.get_text()


def test_the_table_of_widths_is_the_fonts():
    assert table("DejaVuSans") == widths.SANS and table("DejaVuSans-Bold") == widths.BOLD


def sheet(size=(9, 3.9)):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    return FigureCanvasAgg(Figure(figsize=size)).figure.subplots()


def test_an_axes_of_your_own_is_drawn_into_at_its_own_scale(fly):
    mine = sheet((5, 3))
    assert plots.timeline(fly, ax=mine) is mine
    assert mine.get_xlim() == (0, 20) and mine.alt == plots.alt_text(fly)
    said = " ".join(text.get_text() for text in mine.texts)
    assert "Cut at 9 s: the server noticed" in said and "believes OPEN" in said
    assert {"0", "9", "15", "17"} <= {text.get_text() for text in mine.texts}


def test_both_canvases_show_the_same_words(fly):
    drawn, mine = plots.timeline(fly, promise(fly), 13), sheet()
    mine.set_position((53 / 648, 44 / 280.8, 570 / 648, 210.8 / 280.8))
    plots.timeline(fly, promise(fly), 13, ax=mine)
    svg = [text.text for text in ElementTree.fromstring(drawn.svg()).iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(svg) == sorted(text.get_text() for text in mine.texts)


def test_a_long_trace_is_thinned_and_says_so():
    ax = plots.timeline(trace_of(FLY.but(faults=[Send(at=0, every=0.01, end="client", size=10), Cut(at=90)])))
    assert any(re.match(r"thinned: 9,\d\d\d messages, \d+ drawn", text) for text in texts(ax))
    assert sum(len(shape.paths) for shape in ax.shapes() if hasattr(shape, "paths")) < 1500


# before the run


def test_a_setup_gives_nothing_away():
    ax = plots.setup(FLY)
    assert ticks(ax) == ["0", "4", "8", "9", "20"] and "?" in texts(ax)
    assert ax.title == "Cut at 9 s: who notices, and when?"
    said = " ".join([*texts(ax), ax.alt])
    assert [word for word in ("stuck", "noticed", "CLOSING", "believes", "12", "15", "17") if word in said] == []


def test_a_trace_up_to_the_cut_looks_like_the_setup(fly):
    cut, before = plots.timeline(fly, until=9), plots.setup(FLY)
    assert ticks(cut) == ticks(before) and cut.title == before.title and cut.panels[0].along == before.panels[0].along


# saying itself, showing itself


def test_the_alt_text_tells_the_whole_figure(fly):
    alt = plots.alt_text(fly, promise(fly), 13)
    assert "noticed at 15" in alt and "believes OPEN from 9 s" in alt
    assert "PING of the server, sent at 12 s, is stuck and never arrives" in alt
    assert "recv() raises ConnectionClosedError at 17.0 s" in alt
    assert "Your guess 13.0 s, 2.0 s too early" in alt and "leaves OPEN at 15.0 s" in alt
    assert plots.timeline(fly, promise(fly), 13).alt == alt


def test_the_alt_text_reaches_the_page(fly):
    from IPython.core.formatters import DisplayFormatter

    data, _ = DisplayFormatter().format(plots.timeline(fly))
    assert data["text/plain"] == plots.alt_text(fly)
    assert 'role="img"' in data["text/html"] and f'aria-label="{plots.alt_text(fly)}"'.replace("'", "&#x27;") in data["text/html"]


def test_the_inline_picture_follows_the_pages_theme(fly):
    page = plots.timeline(fly)._repr_mimebundle_()["text/html"]
    assert f"var(--jp-content-font-color1, {palette.LIGHT.ink})" in page and "var(--jp-layout-color0" in page
    assert '[data-jp-theme-light="false"]' in page and palette.DARK.ping in page
    assert not re.search(r'(fill|stroke)="#', page), "a colour that no theme can change"


def test_two_pictures_on_a_page_share_no_id(fly):
    ids = [set(re.findall(r'\bid="([^"]+)"', plots.timeline(fly)._repr_mimebundle_()["text/html"])) for _ in range(2)]
    assert ids[0] and not ids[0] & ids[1]


def test_what_an_svg_refers_to_is_in_it(fly, tmp_path):
    text = plots.save(plots.timeline(fly), tmp_path / "fly.svg").read_text()
    ElementTree.fromstring(text)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(re.findall(r'\bid="([^"]+)"', text))
    assert f"<title>{plots.alt_text(fly)}</title>".replace("'", "&#x27;") in text


def test_words_that_html_would_misread_are_escaped(fly):
    page = plots.timeline(fly, promise(fly, unknown='<b> & "quotes" \\1'))._repr_mimebundle_()["text/html"]
    ElementTree.fromstring(page[page.index("<svg") :].replace("xlink:href", "href"))
    assert "&lt;b&gt; &amp; &quot;quotes&quot; \\1" in page


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_figure_is_saved_by_its_suffix_and_leaves_nothing_else(fly, tmp_path, suffix):
    path = plots.save(plots.timeline(fly), tmp_path / f"fly{suffix}")
    assert path.stat().st_size > 1000 and list(tmp_path.iterdir()) == [path]


def test_the_same_picture_is_the_same_file(fly, tmp_path):
    one, two = (plots.save(plots.timeline(fly), tmp_path / f"{k}.svg").read_bytes() for k in range(2))
    assert one == two


def test_another_suffix_is_refused_in_a_sentence(fly, tmp_path):
    with pytest.raises(ValueError, match=r"expected \.svg, \.png or \.pdf, seen '\.gif'"):
        plots.save(plots.timeline(fly), tmp_path / "fly.gif")


def test_a_saved_trace_draws_the_same(fly, tmp_path):
    loaded = Trace.load(fly.save(tmp_path / "fly.jsonl"))
    assert texts(plots.timeline(loaded)) == texts(plots.timeline(fly))


# themes, manners


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_every_word_stands_out_from_what_it_lies_on(theme):
    band = blend(theme.band, theme.paper, palette.BAND)
    on = [(words, theme.paper) for words in (theme.ink, theme.faint, theme.ping_words, theme.stuck_words, theme.guess, theme.theory)]
    on += [(words, band) for words, _ in on]
    on += [(theme.on_open, theme.open), (theme.on_belief, theme.belief), (theme.on_closing, theme.closing)]
    assert [pair for pair in on if contrast(*pair) < 4.5] == []


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_open_and_believed_open_differ_in_grey(theme):
    assert contrast(theme.open, theme.belief) > 2


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_no_two_meanings_share_a_colour(theme):
    colours = list(dataclasses.asdict(theme).values())
    assert len(set(colours)) == len(colours)


def test_the_dark_theme_is_dark(fly):
    drawn = plots.timeline(fly, theme="dark").svg()
    assert f"background:{palette.DARK.paper}" in drawn and palette.LIGHT.open not in drawn and palette.DARK.open in drawn
    with pytest.raises(ValueError, match="'light' or 'dark', seen 'pink'"):
        plots.timeline(fly, theme="pink")


def test_an_experiment_is_sent_to_setup(fly):
    with pytest.raises(TypeError, match="for an Experiment there is setup"):
        plots.timeline(FLY)
    with pytest.raises(TypeError, match="a guess is given as guess="):
        plots.timeline(fly, 13)


BROWSER = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("matplotlib", "numpy", "pandas", "trustme", "cryptography"):
            raise ImportError(f"{name} is not here, as in a browser")

sys.meta_path.insert(0, Missing())
import _thread, socket, subprocess, threading

def refuse(*args, **more):
    raise RuntimeError("not in a browser")

_thread.start_new_thread = threading._start_new_thread = subprocess.Popen.__init__ = refuse
socket.socket.__init__ = socket.socketpair = refuse

import labkit
from labkit import Cut, Experiment, Peer, plots, predict, run, sweep
from labkit.many.crowds import Attempt, Crowd, Restart

fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
trace = run(fly, "virtual", progress=False)
table = sweep(fly, over={"server.ping_interval": [2, 4, 8], "cut.at": [9, 10.5, 11]}, progress=False)
assert table["delay"] == [row["delay"] for row in table] and table.attrs["experiment"] == fly and len(table) == 9
seen = Crowd(2, (Restart(at=3, back=9),), 20.0, (Attempt(1, 0, False), Attempt(4, 0, True)), (), ())
timers = ("server.ping_interval", "cut.at")
figures = [
    plots.timeline(trace, predict(fly), 13), plots.ladder(trace), plots.reservoirs(trace), plots.reconnects(seen, bound=5),
    plots.distribution(table, band=(3, 7), guess=(1, 2, 3)), plots.landscape(table, *timers, budget=5),
    plots.tradeoff(table, timers[0]), plots.setup(fly), plots.blocked(trace), plots.lag(trace),
]
for figure in figures:
    assert figure.svg().startswith("<svg") and 'aria-label="' in figure.inline() and figure.alt
plots.save(figure, sys.argv[1])
"""


def test_a_figure_needs_no_matplotlib_no_thread_no_socket_and_no_process(tmp_path):
    subprocess.run([sys.executable, "-c", BROWSER, str(tmp_path / "setup.svg")], check=True)
    assert (tmp_path / "setup.svg").read_text().startswith("<svg")


# a moment of it


def test_a_figure_stops_at_any_moment_and_gives_nothing_away(fly):
    drawn = plots.timeline(fly, promise(fly), 13)
    early = drawn.until(12.5)
    assert early.title == "Cut at 9 s: who notices, and when?" and ticks(early) == "0 4 8 9 12 20".split()
    said = " ".join([*texts(early), early.alt])
    assert "PING stuck" in said and "believes OPEN" in said
    assert [word for word in ("noticed at", "CLOSING", "1011", "too early", "15", "17 s", "17.0 s") if word in said] == []
    assert drawn.until(17.0).title == drawn.title and set(texts(drawn.until(20.0))) == set(texts(drawn))


def test_a_label_that_fits_nowhere_is_left_out():
    room = Room((0, 0, 100, 100))

    def fits(text: str, x: float = 50, y: float = 50) -> bool:
        return room.first([Words(text, x, y, 8.5, "ink", align="center")]) is not None

    assert fits("here") and not fits("there") and fits("there", y=30)
    assert not fits("far too long a text for such a narrow room", y=80)
