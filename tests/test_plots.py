"""The promises of labkit.plots: what a timeline shows, says, and never gives away. Runs are in virtual time."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import pytest
from figures import overlaps, texts, title

from labkit import Cut, Experiment, Goodbye, Peer, Send, Trace, plots, run
from labkit.plots import palette
from labkit.plots.room import Room
from labkit.plots.states import spans
from labkit.plots.tale import Tale
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


def ticks(ax: Any) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


# the fruit fly


def test_the_fruit_fly_has_its_ticks_where_something_happens(fly):
    assert ticks(plots.timeline(fly)) == "0 4 8 9 12 15 17 20".split()


def test_the_title_is_the_finding(fly):
    assert title(plots.timeline(fly)) == "Cut at 9 s: the server noticed at 15 s, its application was told at 17 s, the client never"


def test_the_axis_has_its_unit_and_its_zero(fly):
    assert plots.timeline(fly).get_xlabel() == "seconds since the server was OPEN"


def test_every_state_and_every_stuck_frame_has_a_word(fly):
    said = texts(plots.timeline(fly))
    for word in ("OPEN", "believes OPEN", "CLOSING", "CLOSED", "PING stuck", "CLOSE 1011 stuck"):
        assert word in said


def test_the_timers_have_their_lengths(fly):
    said = texts(plots.timeline(fly))
    assert {"3 s to the next ping", "ping_timeout 3 s", "close_timeout 2 s"} <= set(said)


def test_the_verdict_says_what_was_observed(fly):
    said = texts(plots.timeline(fly))
    assert {"noticed 15.0 s", "closed and told 17.0 s", "recv() raises ConnectionClosedError"} <= set(said)


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
    assert ax.get_xlim()[1] == 20 and any("off the axis" in text for text in texts(ax))


def test_theory_that_differs_has_its_own_time(fly):
    assert "theory 16.0 s" in texts(plots.timeline(fly, promise(fly, shift=1.0)))


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
    return [(span.begin, span.belief or span.state) for span in spans(Tale(trace_of(experiment)), end)]


def test_open_after_a_cut_is_a_belief_and_after_the_heal_a_fact():
    healed = FLY.but(faults=[Cut(at=9, heal=14)])
    assert beliefs(healed, "server") == [(0, "OPEN"), (9, "believes OPEN"), (14, "OPEN")]
    assert title(plots.timeline(trace_of(healed))) == "Cut at 9 s, healed at 14 s: the pong arrived in time, the connection lives on"


def test_a_one_way_cut_says_who_hears_nothing_and_who_is_not_heard():
    deaf = FLY.but(faults=[Cut(at=9, direction="to_client")])
    assert beliefs(deaf, "client")[1] == (9, "believes OPEN, hears nothing")
    assert beliefs(deaf, "server")[1] == (9, "believes OPEN, is not heard")
    ax = plots.timeline(trace_of(deaf))
    assert "cut at 9 s, to the client only: the other way works" in texts(ax) and "Cut at 9 s to the client only" in title(ax)


def test_what_was_stuck_arrives_after_the_heal():
    ax = plots.timeline(trace_of(FLY.but(faults=[Cut(at=9, heal=20)])))
    assert {"PING stuck, arrives 20", "CLOSE 1011 stuck, arrives 20", "healed at 20 s"} <= set(texts(ax))
    assert "20" in ticks(ax) and title(ax).endswith("the client's at 20 s")


def test_nobody_noticing_is_said_in_words():
    deaf = FLY.but(server=Peer(ping_interval=4, ping_timeout=None), until=40)
    assert "nobody noticed anything until the end of this trace" in texts(plots.timeline(trace_of(deaf)))


def test_keepalive_at_the_client_alone_makes_it_the_clients_story():
    ax = plots.timeline(trace_of(FLY.but(server=Peer(ping_interval=None), client=PEER)))
    assert title(ax).startswith("Cut at 9 s: the client noticed at 15 s") and "client's ping_timeout 3 s" in texts(ax)


def test_a_goodbye_is_not_called_noticing():
    ax = plots.timeline(trace_of(FLY.but(faults=[Goodbye(at=5)])))
    assert title(ax).startswith("The server said goodbye at 5") and "CLOSE 1000" in texts(ax)


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
    assert title(plots.setup(FLY.but(faults=acts))) == words


def test_who_closes_first_noticed_and_the_other_got_the_close():
    tie = FLY.but(client=Peer(ping_interval=3, ping_timeout=5, close_timeout=2), faults=[Cut(at=9, heal=14)])
    tale = Tale(trace_of(tie))
    assert (tale.why_left("client"), tale.why_left("server")) == ("noticed", "got the CLOSE")


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


@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another(name):
    trace = trace_of(CASES[name])
    assert overlaps(plots.timeline(trace, promise(trace), 13)) == []


def test_a_small_axes_of_your_own_is_drawn_into(fly):
    from matplotlib.figure import Figure

    mine = Figure(figsize=(5, 3)).subplots()
    assert plots.timeline(fly, ax=mine) is mine
    clashes = [pair for pair in overlaps(mine) if mine.get_xlabel() not in pair]  # below it, margins of your own have little room
    assert clashes == [] and title(mine).startswith("Cut at 9")


def test_a_long_trace_is_thinned_and_says_so():
    ax = plots.timeline(trace_of(FLY.but(faults=[Send(at=0, every=0.01, end="client", size=10), Cut(at=90)])))
    assert any(re.match(r"thinned: 9,\d\d\d messages, \d+ drawn", text) for text in texts(ax))
    assert sum(len(lines.get_paths()) for lines in ax.collections) < 1500


# before the run


def test_a_setup_gives_nothing_away():
    ax = plots.setup(FLY)
    assert ticks(ax) == ["0", "4", "8", "9", "20"] and "?" in texts(ax)
    assert title(ax) == "Cut at 9 s: who notices, and when?"
    said = " ".join([*texts(ax), ax.alt])
    assert [word for word in ("stuck", "noticed", "CLOSING", "believes", "12", "15", "17") if word in said] == []


def test_a_trace_up_to_the_cut_looks_like_the_setup(fly):
    cut, before = plots.timeline(fly, until=9), plots.setup(FLY)
    assert ticks(cut) == ticks(before) and title(cut) == title(before) and cut.get_xlim() == before.get_xlim()


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
    drawing = page[page.index("<svg") :]
    assert not re.search(rf"(?<!, ){palette.LIGHT.ink}", drawing)


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


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_figure_is_saved_by_its_suffix_and_leaves_nothing_else(fly, tmp_path, suffix):
    path = plots.save(plots.timeline(fly), tmp_path / f"fly{suffix}")
    assert path.stat().st_size > 1000 and list(tmp_path.iterdir()) == [path]


def test_the_same_picture_is_the_same_file(fly, tmp_path):
    one, two = (plots.save(plots.timeline(fly), tmp_path / f"{k}.svg").read_bytes() for k in range(2))
    assert one == two


def test_another_suffix_is_refused_in_a_sentence(fly, tmp_path):
    with pytest.raises(ValueError, match=r"expected \.png or \.svg, seen '\.pdf'"):
        plots.save(plots.timeline(fly), tmp_path / "fly.pdf")


def test_a_saved_trace_draws_the_same(fly, tmp_path):
    loaded = Trace.load(fly.save(tmp_path / "fly.jsonl"))
    assert texts(plots.timeline(loaded)) == texts(plots.timeline(fly))


# themes, manners


def blend(over: str, under: str, alpha: float) -> str:
    return "#" + "".join(f"{round(alpha * int(over[k : k + 2], 16) + (1 - alpha) * int(under[k : k + 2], 16)):02x}" for k in (1, 3, 5))


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_every_word_stands_out_from_what_it_lies_on(theme):
    band = blend(theme.band, theme.paper, palette.BAND)
    on = [(words, theme.paper) for words in (theme.ink, theme.faint, theme.ping_words, theme.stuck_words, theme.guess, theme.theory)]
    on += [(words, band) for words, _ in on]
    on += [(theme.on_open, theme.open), (theme.on_belief, theme.belief), (theme.on_closing, theme.closing)]
    assert [pair for pair in on if palette.contrast(*pair) < 4.5] == []


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_open_and_believed_open_differ_in_grey(theme):
    assert palette.contrast(theme.open, theme.belief) > 2


@pytest.mark.parametrize("theme", palette.THEMES.values(), ids=palette.THEMES)
def test_no_two_meanings_share_a_colour(theme):
    colours = list(dataclasses.asdict(theme).values())
    assert len(set(colours)) == len(colours)


def test_the_dark_theme_is_dark(fly):
    assert plots.timeline(fly, theme="dark").figure.get_facecolor()[:3] < (0.2, 0.2, 0.2)
    with pytest.raises(ValueError, match="'light' or 'dark', seen 'pink'"):
        plots.timeline(fly, theme="pink")


def test_an_experiment_is_sent_to_setup(fly):
    with pytest.raises(TypeError, match="for an Experiment there is setup"):
        plots.timeline(FLY)
    with pytest.raises(TypeError, match="a guess is given as guess="):
        plots.timeline(fly, 13)


def test_drawing_needs_no_pyplot_and_labkit_no_matplotlib():
    code = (
        "import sys, labkit; labkit.run; assert 'matplotlib' not in sys.modules;"
        "from labkit import Experiment, Cut, plots; plots.setup(Experiment(faults=[Cut(at=9)]));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_label_that_fits_nowhere_is_left_out(fly):
    from matplotlib.figure import Figure

    ax = Figure(figsize=(2, 2)).subplots()
    room = Room(ax, (0, 10), (0, 10))
    assert room.put("here", 5, 5, [(0, 0, "center", "center")])
    assert not room.put("there", 5, 5, [(0, 0, "center", "center")])
