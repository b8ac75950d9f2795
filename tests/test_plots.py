"""What a timeline shows, says, and never gives away, and what all figures can. Virtual time."""

from __future__ import annotations

import dataclasses
import random
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest
from cases import FLY, quiet
from figures import SVG, blend, contrast, faint, marks, overlaps, sheet, texts, ticks
from text_widths import table

from labkit import Cut, Experiment, Goodbye, Peer, Reset, Send, Trace, plots, predict, recorded, run
from labkit.plots import palette, widths
from labkit.plots.labels import Room
from labkit.plots.marks import Dot, Label
from labkit.plots.reading import Reading
from labkit.plots.shapes import Outline, Words
from labkit.plots.states import spans
from labkit.trace import Event, Story

PEER = FLY.server
CLIENT = FLY.but(server=Peer(ping_interval=None), client=PEER)
TOLD = "its program was told at 17 s, the client never"


@cache
def trace_of(experiment: Experiment) -> Trace:
    return run(experiment, wire="virtual")


def cut(*cuts: Cut, **more: Any) -> Experiment:
    return FLY.but(faults=list(cuts), **more)


@pytest.fixture(scope="module")
def fly() -> Trace:
    return trace_of(FLY)


@dataclass
class Promise(Story):
    """What theory says, as the figure asks it: here what the trace says, ``shift`` (s) later."""

    trace: Trace
    shift: float = 0.0
    end: float = 17.0
    unknown: str | None = None
    ties: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:  # type: ignore[override]
        return [e._replace(t=e.t + self.shift, witness="theory") for e in self.trace.events]


def everything(figure: plots.Figure) -> str:
    """All that is written on it, and its alt text."""
    return " ".join([figure.title, *texts(figure), figure.alt])


# a story in words

STORIES = {  # an experiment: the title, and what is written
    FLY: (
        f"Cut at 9 s: the server noticed at 15 s, {TOLD}",
        "OPEN | believes OPEN | CLOSING | CLOSED | PING stuck | CLOSE 1011 stuck"
        " | 3 s to the next ping | ping_timeout 3 s | close_timeout 2 s | server noticed 15.0 s"
        " | server closed and told 17.0 s | recv() raises ConnectionClosedError | ● observed"
        " | cable cut at 9 s: nothing gets through",
    ),
    cut(Cut(at=9, heal=13)): (
        "Cut at 9 s, healed at 13 s: the pong arrived in time, the connection lives on",
        "healed at 13 s",
    ),
    cut(Cut(at=9, heal=20)): (
        f"Cut at 9 s, healed at 20 s: the server noticed at 15 s, {TOLD[:-6]}'s at 25.44 s",
        "PING stuck, arrives 25.44 | CLOSE 1011 stuck | healed at 20 s | RST",
    ),
    cut(Cut(at=9, direction="to_client")): (
        f"Cut at 9 s to the client only: the server noticed at 15 s, {TOLD}",
        "cut at 9 s, to the client only: the other way works | believes OPEN, hears nothing | believes OPEN, is not heard",
    ),
    FLY.but(server=Peer(ping_interval=4, ping_timeout=None), until=40): (
        "Cut at 9 s: nobody has noticed by 40 s",
        "nobody noticed anything until the end of this trace",
    ),
    CLIENT: ("Cut at 9 s: the client noticed at 15 s", "client's ping_timeout 3 s"),
    cut(Goodbye(at=5)): ("The server said goodbye at 5 s", "CLOSE 1000"),
}


@pytest.mark.parametrize("experiment", STORIES, ids=repr)
def test_the_title_is_the_finding_and_what_happens_has_a_word(experiment):
    figure, (title, words) = plots.timeline(trace_of(experiment)), STORIES[experiment]
    assert figure.title.startswith(title) and set(words.split(" | ")) <= set(texts(figure))


def test_ticks_stand_where_something_happens_on_an_axis_with_unit_and_zero(fly):
    assert ticks(plots.timeline(fly)) == "0 4 8 9 12 15 17 20".split()
    assert "20" in ticks(plots.timeline(trace_of(cut(Cut(at=9, heal=20)))))
    assert plots.timeline(fly).panels[0].along.label == "seconds since the server was OPEN"


def test_crossing_goodbyes_are_called_by_their_codes():
    both = [Goodbye(at=2, end="server", code=1001), Goodbye(at=2, end="client")]
    for acts in ([both[0]], [both[1]], both):
        slow = Experiment(server=Peer(ping_interval=None), latency=0.4, faults=acts)
        said = texts(plots.timeline(trace_of(slow)))
        assert len([text for text in said if text.startswith("CLOSE 100")]) == 2


def test_who_closes_first_noticed_and_the_other_got_the_close():
    client = Peer(ping_interval=3, ping_timeout=6, close_timeout=2)
    reading = Reading(trace_of(cut(Cut(at=9, heal=12.5), client=client)))
    assert [reading.why_left(end) for end in ("server", "client")] == ["noticed", "got the CLOSE"]


@pytest.mark.parametrize("draw", [plots.timeline, plots.ladder])
def test_a_tick_stands_wherever_tcp_tries_again_and_the_alt_text_has_them(draw):
    trace = trace_of(cut(Cut(at=9, heal=14)))
    tries = [(e.t, "got through" if e.data["through"] else "tried again") for e in trace.select("retransmission")]
    dots = [(dot.t, dot.sign) for dot in marks(draw(trace), Dot)]
    assert len(tries) == 5 and [dot for dot in dots if dot[1] in dict(tries).values()] == tries
    assert "The server's TCP tried again at 12.21 s, 12.42 s, 12.84 s, 13.68 s, 15.36 s and got through." in draw(trace).alt
    assert "TCP tried again at 12.21 s, 12.42 s." in draw(trace).until(12.5).alt


def test_what_is_sent_behind_what_is_stuck_is_stuck_too():
    stuck = Reading(trace_of(cut(Cut(at=9, heal=14)))).stuck
    assert [(one.name, round(one.arrived_at, 2)) for one in stuck] == [("PING", 15.36), ("CLOSE 1011", 15.36)]


def test_a_fin_and_an_rst_are_drawn_and_said():
    for act, name, whose in ((Goodbye(at=5), "FIN", "the server to the client"), (Reset(at=5), "RST", "the middle to the client")):
        figure = plots.timeline(trace_of(FLY.but(latency=0.2, faults=[act])))
        assert name in texts(figure) and f"{name} from {whose} at 5" in figure.alt


@pytest.mark.parametrize(
    "act, end, beliefs",
    [
        (Cut(at=9, heal=13), "server", [(0, "OPEN"), (9, "believes OPEN"), (13.68, "OPEN")]),
        (Cut(at=9, direction="to_client"), "client", [(9, "believes OPEN, hears nothing")]),
        (Cut(at=9, direction="to_client"), "server", [(9, "believes OPEN, is not heard")]),
    ],
)
def test_open_after_a_cut_is_a_belief_and_after_the_heal_a_fact(act, end, beliefs):
    found = spans(Reading(trace_of(cut(act))), end)
    assert set(beliefs) <= {(span.begin, span.belief or span.state) for span in found}


@pytest.mark.parametrize("end", ["server", "client"])
def test_no_stretch_of_a_state_is_too_short_to_be_seen(end):
    reading = Reading(recorded("closing-hang"))  # the client hears again, and closes in the next millisecond
    assert min(span.stop - span.begin for span in spans(reading, end)) > reading.tolerance / 2


@pytest.mark.parametrize("draw", [plots.timeline, plots.ladder, plots.lag, plots.blocked, plots.tcp])
def test_a_trace_that_ends_at_0_s_is_drawn(draw):
    states = [Event(0.0, end, "app", "state", {"state": state}) for state in ("OPEN", "CLOSED") for end in ("server", "client")]
    assert draw(Trace(FLY.but(faults=[]), states, {"end": 0.0})).svg().startswith("<svg")


def test_a_long_trace_is_thinned_and_says_so():
    talk = Send(at=0, every=0.01, end="client", size=10)
    figure = plots.timeline(trace_of(FLY.but(faults=[talk, Cut(at=90)])))
    said = " ".join(texts(figure))
    assert re.search(r"thinned: 9,\d\d\d messages, \d+ drawn", said)
    assert sum(len(one.paths) for one in figure.shapes() if isinstance(one, Outline)) < 1500


# guesses and theory


@pytest.mark.parametrize(
    "guess, words",
    [
        (13, "your guess 13.0 s 2.0 s too early"),
        (18, "your guess 18.0 s, 3.0 s too late"),
        (15.0, "your guess 15.0 s: right"),
    ],
)
def test_a_guess_has_its_error_in_words(fly, guess, words):
    assert {words, "★ guess"} <= set(texts(plots.timeline(fly, guess=guess)))


@dataclass
class Guess:
    seconds: float | None
    label: str


def test_a_guess_may_be_a_value_with_a_label(fly):
    said = texts(plots.timeline(fly, guess=Guess(13, "Mia's guess")))
    assert any("Mia's guess 13.0 s" in text for text in said)


@pytest.mark.parametrize("empty", [None, ..., float("nan"), float("inf"), -1, True, "soon", Guess(None, "")])
def test_an_empty_guess_draws_nothing(fly, empty):
    assert "★ guess" not in texts(plots.timeline(fly, guess=empty))


def test_a_guess_far_away_does_not_squeeze_the_story(fly):
    figure = plots.timeline(fly, guess=1000)
    assert figure.panels[0].along.high == 20 and "off the axis" in everything(figure)


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_every_moment_of_theory_has_its_tick_and_one_that_differs_its_time(fly, shift):
    figure = plots.timeline(fly, Promise(fly, shift))
    strokes = (one for one in figure.shapes() if isinstance(one, Outline) and one.z == 2.5)
    places = {round(one.paths[0][0][0], 6) for one in strokes}
    said = [mark.t for mark in marks(figure, Dot) if mark.sign == "theory"]
    scale = figure.area[0] / figure.panels[0].along.high
    assert len(said) == 2 and {round(t * scale, 6) for t in said} <= places
    assert ("theory 16.0 s" in texts(figure)) == (shift == 1.0)


@pytest.mark.parametrize(
    "more, words, signs",
    [
        ({"unknown": "it sends"}, "theory does not know: it sends", {"● observed"}),
        ({"ties": ["a race"]}, "a tie: a race", {"● observed", "◇ theory"}),
    ],
)
def test_what_theory_does_not_know_and_a_tie_are_said(fly, more, words, signs):
    said = set(texts(plots.timeline(fly, Promise(fly, **more))))
    assert words in said and said & {"★ guess", "◇ theory", "● observed"} == signs


def test_the_source_names_the_signs_that_occur_and_what_it_was_recorded_with(fly):
    alone, full = texts(plots.timeline(fly)), texts(plots.timeline(fly, Promise(fly), 13))
    promised = texts(plots.timeline(Promise(fly)))
    assert {"● observed", "★ guess", "◇ theory"} <= set(full)
    assert "● observed" in alone and not {"★ guess", "◇ theory"} & set(alone)
    assert "◇ theory" in promised and "● observed" not in promised
    assert any(re.fullmatch(r"websockets \S+ · virtual", text) for text in alone)


# before the run, and at any moment of it

BOTH = [Goodbye(at=2), Goodbye(at=2, end="client")]


@pytest.mark.parametrize(
    "acts, question",
    [
        ([Cut(at=9)], "Cut at 9 s: who notices, and when?"),
        ([Cut(at=1), Goodbye(at=2)], "Cut at 1 s: who notices, and when?"),
        (BOTH[1:], "The client says goodbye at 2 s: what happens next?"),
        (BOTH, "Both ends say goodbye at 2 s: what happens next?"),
        ([BOTH[0], Goodbye(at=5, end="client")], "The server says goodbye at 2 s: what happens"),
    ],
)
def test_before_the_run_the_title_asks(acts, question):
    assert plots.setup(FLY.but(faults=acts)).title.startswith(question)


def test_a_setup_gives_nothing_away_and_a_trace_up_to_the_cut_looks_like_it(fly):
    figure, early = plots.setup(FLY), plots.timeline(fly, until=9)
    assert ticks(figure) == ["0", "4", "8", "9", "20"] and "?" in texts(figure)
    assert figure.alt.startswith("Timeline. Cut at 9 s: who notices, and when? ")
    gives_away = "stuck|noticed|CLOSING|believes|12|15|17"
    assert not re.search(gives_away, everything(figure))
    assert (early.title, early.panels[0].along) == (figure.title, figure.panels[0].along)


def test_a_figure_stops_at_any_moment_and_gives_nothing_away(fly):
    drawn = plots.timeline(fly, Promise(fly), 13)
    early = drawn.until(12.5)
    assert early.title == plots.setup(FLY).title
    assert ticks(early) == "0 4 8 9 12 20".split()
    assert "PING stuck" in texts(early) and "believes OPEN" in early.alt
    assert not re.search("noticed at|CLOSING|1011|too early|15|17 s|17.0 s", everything(early))
    assert drawn.until(17.0).title == drawn.title
    assert set(texts(drawn.until(20.0))) == set(texts(drawn))


# no word on a word

CASES = {
    "fly": FLY,
    "cut just before a ping": cut(Cut(at=11.9)),
    "healed": cut(Cut(at=9, heal=16)),
    "one way": cut(Cut(at=9, direction="to_server")),
    "both ping": FLY.but(client=PEER),
    "latency": cut(Cut(at=9, heal=20), latency=0.3),
    "defaults": Experiment(faults=[Cut(at=63)]),
    "three cuts": cut(Cut(at=3, heal=5), Cut(at=9, heal=11, direction="to_client"), Cut(at=17)),
    "goodbye": FLY.but(latency=0.2, faults=[Goodbye(at=5, end="client", code=4000)]),
    "messages": FLY.but(faults=[Send(at=0, every=0.5, end="client"), Cut(at=9)]),
    "many pings": cut(Cut(at=300), server=dataclasses.replace(PEER, ping_interval=1)),
}


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read(name, theme):
    trace = trace_of(CASES[name])
    figure = plots.timeline(trace, Promise(trace), 13, theme=theme)
    assert overlaps(figure) == [] and faint(figure) == []


@pytest.mark.parametrize("block", range(10))
def test_no_word_of_random_stories_lies_on_another_or_on_a_mark(block):
    for seed in range(30 * block, 30 * block + 30):
        trace, dice = run(quiet(seed), "virtual"), random.Random(seed)
        look = {"size": dice.choice([None, None, (6.5, 3.9), (9, 5)])}
        look["theme"] = dice.choice(["light", "dark"])
        figure = plots.timeline(trace, predict(trace.experiment), dice.uniform(0, 30), **look)
        assert (seed, overlaps(figure), faint(figure)) == (seed, [], [])


class Anywhere(Label):
    """A label that does not ask for room."""

    def words(self, view: Any, room: Room) -> Any:
        yield Words(self.wordings[0], *self.anchor(view), 8.5, self.ink)


def test_what_looks_for_overlaps_and_faint_words_finds_them(fly):
    drawn = plots.timeline(fly)
    spoilt = (
        Anywhere(3, "server", wordings=("on the OPEN",), ink="open"),
        Anywhere(11, "wire", wordings=("across",)),
    )
    panel = dataclasses.replace(drawn.panels[0], marks=(*drawn.panels[0].marks, *spoilt))
    figure = dataclasses.replace(drawn, panels=(panel,))
    assert ("on the OPEN", 1.0) in faint(figure)
    assert {"across", "on the OPEN"} <= {text for pair in overlaps(figure) for text in pair}


def test_a_label_that_fits_nowhere_is_left_out():
    room = Room((0, 0, 100, 100))

    def fits(text: str, x: float = 50, y: float = 50) -> bool:
        return room.first([Words(text, x, y, 8.5, "ink", align="center")]) is not None

    assert fits("here") and not fits("there") and fits("there", y=30)
    assert not fits("far too long a text for such a narrow room", y=80)


# both canvases, and files


@pytest.mark.parametrize("name", CASES)
def test_matplotlib_measures_the_words_as_the_table_does(name):
    ax = plots.timeline(trace_of(CASES[name])).draw(sheet())
    ax.figure.canvas.draw()
    for text in ax.texts:
        size, bold = text.get_fontsize(), text.get_fontweight() == "bold"
        measured = text.get_window_extent().width * 72 / ax.figure.dpi
        assert measured <= 1.05 * widths.width(text.get_text(), size, bold) + 1.5, text.get_text()


def test_the_table_of_widths_is_the_fonts():
    assert table("DejaVuSans") == widths.SANS and table("DejaVuSans-Bold") == widths.BOLD


def test_an_axes_of_your_own_is_drawn_into_at_its_own_scale(fly):
    mine = sheet((5, 3))
    assert plots.timeline(fly, ax=mine) is mine
    assert mine.get_xlim() == (0, 20) and mine.alt == plots.alt_text(fly)
    said = " ".join(text.get_text() for text in mine.texts)
    assert all(word in said for word in ("Cut at 9 s: the server noticed", "believes OPEN", "17"))


def test_both_canvases_show_the_same_words(fly):
    drawn, mine = plots.timeline(fly, Promise(fly), 13), sheet()
    mine.set_position((53 / 648, 44 / 280.8, 570 / 648, 210.8 / 280.8))
    drawn.draw(mine)
    svg = [text.text for text in ElementTree.fromstring(drawn.svg()).iter(f"{SVG}text")]
    assert sorted(svg) == sorted(text.get_text() for text in mine.texts)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_figure_is_saved_by_its_suffix_and_leaves_nothing_else(fly, tmp_path, suffix):
    path = plots.save(plots.timeline(fly), tmp_path / f"fly{suffix}")
    assert path.stat().st_size > 1000 and list(tmp_path.iterdir()) == [path]


def test_the_same_picture_is_the_same_file_and_another_suffix_is_refused(fly, tmp_path):
    files = [plots.save(plots.timeline(fly), tmp_path / f"{k}.svg").read_bytes() for k in (1, 2)]
    assert files[0] == files[1]
    with pytest.raises(ValueError, match=r"expected \.svg, \.png or \.pdf, seen '\.gif'"):
        plots.save(plots.timeline(fly), tmp_path / "fly.gif")


def test_a_saved_trace_draws_the_same(fly, tmp_path):
    loaded = Trace.load(fly.save(tmp_path / "fly.jsonl"))
    assert texts(plots.timeline(loaded)) == texts(plots.timeline(fly))


# on a page


def page(figure: plots.Figure) -> str:
    return figure._repr_mimebundle_()["text/html"]


def test_the_alt_text_tells_the_whole_figure(fly):
    figure = plots.timeline(fly, Promise(fly), 13)
    for clause in (
        "noticed at 15",
        "Server: OPEN from 0 s, believes OPEN from 9 s",
        "Client: OPEN from 0 s, believes OPEN from 9 s to the end",
        "PING of the server, sent at 12 s, is stuck and never arrives",
        "recv() raises ConnectionClosedError at 17.0 s",
        "Your guess 13.0 s, 2.0 s too early",
        "leaves OPEN at 15.0 s",
    ):
        assert clause in figure.alt
    assert plots.alt_text(fly, Promise(fly), 13) == figure.alt


def test_the_alt_text_reaches_the_page_and_the_file(fly, tmp_path):
    from IPython.core.formatters import DisplayFormatter

    figure = plots.timeline(fly)
    data, _ = DisplayFormatter().format(figure)
    alt = plots.alt_text(fly)
    assert data["text/plain"] == alt
    alt = alt.replace("'", "&#x27;")
    assert 'role="img"' in data["text/html"] and f'aria-label="{alt}"' in data["text/html"]
    assert f"<title>{alt}</title>" in plots.save(figure, tmp_path / "fly.svg").read_text()


def test_the_inline_picture_follows_the_pages_theme(fly):
    text = page(plots.timeline(fly))
    assert f"var(--jp-content-font-color1, {palette.LIGHT.ink})" in text
    assert "var(--jp-layout-color0" in text
    assert '[data-jp-theme-light="false"]' in text and palette.DARK.ping in text
    assert not re.search(r'(fill|stroke)="#', text), "a colour that no theme can change"


def test_what_a_picture_refers_to_is_in_it_and_in_no_other(fly):
    pages = [page(plots.timeline(fly)) for _ in range(2)]
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in pages]
    assert ids[0] and not ids[0] & ids[1]
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', pages[0])) <= ids[0]


def test_words_that_html_would_misread_are_escaped(fly):
    text = page(plots.timeline(fly, Promise(fly, unknown='<b> & "quotes" \\1')))
    ElementTree.fromstring(text[text.index("<svg") :])
    assert "&lt;b&gt; &amp; &quot;quotes&quot; \\1" in text


# themes, manners

EACH_THEME = pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)


@EACH_THEME
def test_every_word_stands_out_from_what_it_lies_on(theme):
    band = blend(theme.band, theme.paper, palette.BAND)
    words = "ink faint ping_words stuck_words guess theory".split()
    on = [(getattr(theme, name), under) for name in words for under in (theme.paper, band)]
    states = ("open", "belief", "closing")
    on += [(getattr(theme, f"on_{state}"), getattr(theme, state)) for state in states]
    assert [pair for pair in on if contrast(*pair) < 4.5] == []


@EACH_THEME
def test_open_and_believed_open_differ_in_grey_and_no_two_meanings_share_a_colour(theme):
    colours = list(vars(theme).values())
    assert contrast(theme.open, theme.belief) > 2 and len(set(colours)) == len(colours) > 20


def test_the_dark_theme_is_dark(fly):
    drawn = plots.timeline(fly, theme="dark").svg()
    assert f"background:{palette.DARK.paper}" in drawn and palette.DARK.open in drawn
    assert palette.LIGHT.open not in drawn
    with pytest.raises(ValueError, match="'light' or 'dark', seen 'pink'"):
        plots.timeline(fly, theme="pink")


@pytest.mark.parametrize(
    "wrong, remedy",
    [
        (lambda fly: plots.timeline(FLY), "for an Experiment there is setup"),
        (lambda fly: plots.timeline(fly, 13), "a guess is given as guess="),
        (lambda fly: plots.setup(fly), "a trace is drawn by timeline"),
        (lambda fly: plots.ladder(FLY), "a trace or a prediction"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(fly, wrong, remedy):
    with pytest.raises(TypeError, match=remedy):
        wrong(fly)


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
    plots.tradeoff(table, timers[0]), plots.setup(fly), plots.blocked(trace), plots.lag(trace), plots.tcp(trace),
]
for figure in figures:
    assert figure.svg().startswith("<svg") and 'aria-label="' in figure.inline() and figure.alt
plots.save(figure, sys.argv[1])
"""


def test_a_figure_needs_no_matplotlib_no_thread_no_socket_and_no_process(tmp_path):
    subprocess.run([sys.executable, "-c", BROWSER, str(tmp_path / "setup.svg")], check=True)
    assert (tmp_path / "setup.svg").read_text().startswith("<svg")
