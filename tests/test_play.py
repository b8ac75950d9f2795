"""A figure that plays: what is shown at each moment is known by then, and no more; and it needs nothing else."""

import json
import re
from collections import Counter
from xml.etree import ElementTree

import pytest

from labkit import Cut, Experiment, Freeze, Goodbye, Peer, plots, predict, recorded, run
from labkit.plots import Ask, palette, svg
from labkit.plots.axis import Axis
from labkit.plots.bars import Band, Bar
from labkit.plots.layout import Panel
from labkit.plots.marks import ALWAYS, Area, Label, Path
from labkit.plots.play import Play

SVG = "{http://www.w3.org/2000/svg}"
TIMERS = {"ping_interval": 4, "ping_timeout": 3, "close_timeout": 2}
HEALED = Experiment(server=Peer(**TIMERS), faults=[Cut(at=9, heal=14)], until=24)
LEAVES = Experiment(server=Peer(ping_interval=None), latency=0.4, faults=[Goodbye(at=2, end="client")])
BUSY = Experiment(server=Peer(**TIMERS, buffer=4096, send_size=20_000, send_every=0.5), client=Peer(buffer=4096), faults=[Cut(at=9)])
OWN = Experiment(server=Peer(**TIMERS), latency=0.5, faults=[Freeze(at=12.2, end="server", thaw=20)], until=26)
FIGURES = {  # each with moments (s) just before a surprise, and what would give it away
    "the cut, healed": (
        lambda: plots.timeline(run(HEALED, wire="virtual"), predict(HEALED)),
        {14.9: r"15|arrives|hears nothing|not heard|CLOSING|noticed|1011", 15.3: r"15\.36|arrives|told|CLOSED|PONG.*PONG.*PONG"},
    ),
    "the goodbye": (
        lambda: plots.ladder(run(LEAVES, wire="virtual"), since=1.8, until=3.5),
        {2.38: r"2\.4|2\.8|FIN|hangs up|echo|arrives|Server:", 2.78: r"2\.8|3\.2|CLOSED|returns|client hangs up"},
    ),
    "the blocked drain": (
        lambda: plots.blocked(run(BUSY, wire="virtual")),
        {11.9: r"12 s|PING|ping\(\)|to the end|never|kept|at most", 14.9: r" 15 | 17 |due|to the end|never|timer|not kept"},
    ),
    "the late pong": (
        lambda: plots.lag(run(OWN, wire="virtual")),
        {13: r"20|read|gives up|gave up|1011|itself|CLOSING|has not", 19.9: r"20 s|read at|gives up|gave up|1011|itself|CLOSING"},
    ),
    "a kernel": (lambda: plots.timeline(recorded("kernel-healed-at-14"), predict(HEALED)), {14.9: "CLOSING|noticed|arrives|1011"}),
}


@pytest.fixture(scope="module", params=FIGURES)
def case(request):
    make, secrets = FIGURES[request.param]
    return make(), secrets


def everything(figure):
    return " ".join([figure.alt, *figure.words])


def test_before_a_surprise_neither_picture_nor_words_give_it_away(case):
    figure, secrets = case
    for t, secret in secrets.items():
        assert not re.search(secret, everything(figure.until(t))), everything(figure.until(t))
        assert re.search(secret, everything(figure)), "it is no secret that is never told"


def test_no_moment_in_the_words_is_later_than_now_unless_it_was_planned(case):
    figure, _ = case
    planned = {float(tick.text) for panel in figure.panels for tick in panel.along.ticks if tick.known is None}
    for t in Play(figure).stops:
        told = {float(text) for text in re.findall(r"\b(?:at|from|by|to|,) ([\d.]+) s\b", figure.until(t).alt)}
        assert max(told - planned, default=0) <= t + 0.1  # as a real clock is told: "15 s" for 15.003 s


def test_nothing_that_grows_is_drawn_beyond_now(case):
    figure, _ = case
    grown = 0
    for t in Play(figure).stops[:-1]:
        for panel in figure.until(t).panels:
            view = panel.view(*figure.area)
            edge, growing = view.point(t, 0.0), [mark for mark in panel.marks if isinstance(mark, Area) or mark.known > ALWAYS]
            shapes = (shape for mark in growing if isinstance(mark, (Area, Band, Bar, Path)) for shape in mark.shapes(view))
            for x, y in (point for shape in shapes for path in shape.paths for point in path):
                assert y >= edge[1] - 2.5 if panel.down else x <= edge[0] + 2.5, "a head is wide, and may lean over"
                grown += 1
    assert grown


def test_at_each_stop_the_shapes_shown_are_those_of_the_figure_until_then(case):
    play = case[0].play()
    key, shapes = "k", play._shapes()
    for number, t in enumerate(play.stops):
        whole = number == len(play.stops) - 1
        shown = Counter(shape for shape, first, last in shapes if first <= number <= last)
        expected = set((case[0] if whole else case[0].until(t)).shapes())
        extra = set(shown) - expected
        assert set(shown.values()) == {1} and expected <= set(shown)
        assert len(extra) == (not whole) and all(one.ink == "guess" for one in extra), "only the line of now"
    drawn = ElementTree.fromstring(page(play, key)["picture"])
    groups = [tuple(map(int, one.get("data-known").split())) for one in drawn.iter(f"{SVG}g")]
    assert Counter(groups) >= Counter({(first, last) for _, first, last in shapes})


def page(play, key="k"):
    """What the HTML of a figure that plays hands to its script."""
    text = play.html(key)
    picture = re.search(r"String\.raw`([^`]*)`", text)[1]
    return {"picture": picture, **json.loads(re.search(r"`, (\{.*\})\);\n", text)[1])}


def test_every_moment_is_a_stop_and_no_two_stops_are_far_apart(case):
    play = case[0].play()
    low, high = case[0].panels[0].along.limits
    known = {mark.known for panel in case[0].panels for mark in panel.marks if low <= mark.known <= high}
    assert all(any(0 <= stop - t < (high - low) / 500 for stop in play.stops) for t in known)
    assert (play.stops[0], play.stops[-1]) == (low, high) and list(play.stops) == sorted(set(play.stops))
    assert max(b - a for a, b in zip(play.stops, play.stops[1:])) <= (high - low) / 40


def test_the_page_is_self_contained_and_small_and_its_ids_are_its_own(case):
    play = case[0].play(Ask(case[0].panels[0].along.limits[0] + 0.1, "What now?", ("a", "b")))
    first, second = play.html(), play.html()
    assert len(first.encode()) < 200_000
    ids = [set(re.findall(r'(?<![-\w])id="([^"$]+)"', text)) for text in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    assert all(re.findall(r'(?<![-\w])id="([^"$]+)"', first).count(one) == 1 for one in ids[0])
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)|@import|url\((?!#)|fetch\(""", first)
    assert play.html("k") == play.html("k")


def test_where_no_script_runs_the_whole_figure_stands_as_an_image_with_its_words(case):
    bundle = case[0].play()._repr_mimebundle_()
    still = re.sub(r"<(script|style)>.*?</\1>", "", bundle["text/html"], flags=re.DOTALL)
    assert still.count("<img") == 1 and case[0].image in still
    assert re.sub(r"<[^>]*>", "", still).strip() == "", "no words beside the image"
    assert bundle["text/plain"] == case[0].alt


def test_the_words_told_at_a_stop_are_those_of_the_figure_until_then(case):
    play = case[0].play()
    told = page(play)["told"]
    assert [stop for stop, *_ in told] == sorted({stop for stop, *_ in told}) and told[0][0] == 0
    for number, t in enumerate(play.stops[:-1]):
        assert [alt for stop, alt, _ in told if stop <= number][-1] == case[0].until(t).alt
    assert told[-1][1] == case[0].alt


def test_a_question_has_its_stops_and_the_answer_goes_on_to_the_next():
    figure = FIGURES["the cut, healed"][0]()
    asks = Ask(15, "When?", ("now", "</script>"), then=15.36), Ask(14, "What?", ("this",))
    play = figure.play(*asks)
    first, second = page(play)["asks"]
    assert (play.stops[first["at"]], play.stops[first["then"]], first["choices"]) == (14, 15, ["this"])
    assert (play.stops[second["at"]], play.stops[second["then"]], second["question"]) == (15, 15.36, "When?")
    assert play.html().count("</script>") == 1 and page(play)["asks"][1]["choices"][1] == "</script>"
    assert page(figure.play(asks[1]))["asks"][0]["then"] == len(figure.play(asks[1]).stops) - 1


@pytest.mark.parametrize(
    "ask, says",
    [
        (Ask(at=40, question="?"), r"Ask\(at=40\) is not on the axis, which goes from 0 to 20 s"),
        (Ask(at=14, question="?", then=13), r"Ask\(at=14\) goes on to a later moment, seen 13"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(ask, says):
    with pytest.raises(ValueError, match=says):
        FIGURES["the cut, healed"][0]().play(ask)


def test_what_does_not_happen_in_time_does_not_play():
    still = plots.Figure("No time", (Panel(Axis(0, 1), Axis(0, 1), (Label(0.5, 0.5, wordings=("words",)),)),))
    with pytest.raises(ValueError, match="becomes known in time"):
        still.play()


@pytest.mark.parametrize("name", ["ink", "open", "paper"])
def test_colours_are_the_pages_own(name):
    figure = FIGURES["the goodbye"][0]()
    assert svg.variable(name) in page(figure.play())["picture"]
    assert palette.dark_rules(".labkit-figure") in figure.play().html()


def test_a_sentence_says_what_is_new_at_a_stop_and_at_the_end_it_is_the_finding():
    play = FIGURES["the cut, healed"][0]().play()
    news = {play.stops[stop]: text for stop, _, text in page(play)["told"]}
    assert news[0] == "" and news[9] == "Server: believes OPEN from 9 s. Client: believes OPEN from 9 s."
    assert news[12] == "PING of the server, sent at 12 s, is stuck."
    assert "CLOSING from 15 s." in news[15] and "OPEN from 0 s" not in news[15]
    assert news[15.36] == f"{play.figure.title}."
