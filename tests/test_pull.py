"""A cable that is pulled: what the lamps show and say, whose trace it is, and what stands in where nobody pulled it."""

import html
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from cases import FLY
from machine import wait_until

from labkit import Cut, Event, Experiment, Goodbye, Peer, Trace, explore, live, plots, run
from labkit.plots.palette import FILLS
from labkit.widgets.pulled import NOBODY, PULL, moments, pulled_at, sentence, stand_in, story
from labkit.widgets.result import NARROWER
from labkit.widgets.scene import SHAPES, scene

SMALL = Experiment(server=Peer(ping_interval=0.4, ping_timeout=0.4, close_timeout=0.3))
SECRETS = ("ping_interval", "ping_timeout", "close_timeout", "theory")
QUIET = FLY.but(faults=[])


def virtual(*acts, **more):
    return run(FLY.but(faults=list(acts), **more), "virtual", progress=False)


PULLED, MENDED = virtual(Cut(10.3)), virtual(Cut(9, heal=14), until=24)


@pytest.fixture
def mine():
    with live(SMALL, timers=False) as session:
        wait_until(lambda: "The client is OPEN" in session.lamps.value)
        yield session


# what the lamps show


@pytest.mark.parametrize(
    "t, says",
    [
        (0, "The server is OPEN. The client is OPEN. The wire is whole."),
        (10.3, "The server is OPEN. The client is OPEN. The wire is cut."),
        (15, "The server is CLOSING. The client is OPEN. The wire is cut."),
        (17, "The server is CLOSED. The client is OPEN. The wire is cut."),
    ],
)
def test_the_lamps_are_those_of_the_moment_and_know_nothing_of_later_ones(t, says):
    shown = scene(PULLED, t)
    assert shown.alt == f"Two lamps and a wire. {says}"
    words = [word.strip(".") for word in says.split()]
    assert sorted(filter(None, shown.words)) == sorted(["server", "client", "wire", words[3], words[7], words[11]])


def test_a_state_has_a_shape_and_a_colour_of_its_own_besides_its_word():
    states = ("OPEN", "CLOSING", "CLOSED")
    assert len({SHAPES[one] for one in states}) == len({FILLS[one].face for one in states}) == 3


@pytest.mark.parametrize("state", SHAPES)
@pytest.mark.parametrize("part", [1, NARROWER], ids=["on a page", "for a class"])
def test_every_state_has_room_for_its_word(state, part):
    events = [Event(0, end, "app", "state", {"state": state}) for end in ("server", "client")]
    shown = scene(Trace(FLY, events, {"end": 1}), 1)
    assert replace(shown, size=(shown.size[0] * part, shown.size[1])).words.count(state) == 2


def test_the_wire_is_whole_again_when_it_is_mended_and_says_which_way_is_cut():
    assert "The wire is whole" in scene(MENDED, 14).alt and "The wire is cut." in scene(MENDED, 13.99).alt
    assert "The wire is cut to the client." in scene(virtual(Cut(9, direction="to_client")), 9).alt


# what is said


@pytest.mark.parametrize(
    "t, said",
    [
        (10.2, "Both lamps are green: each end believes that the other is there."),
        (14.9, "10.3 s: the cable is pulled. Both lamps are still green."),
        (15, "15.0 s: the server's lamp turns amber (CLOSING). The client's lamp is still green."),
        (17, "17.0 s: the server's lamp goes out (CLOSED). The client's lamp is still green."),
    ],
)
def test_a_sentence_says_what_happened_last(t, said):
    assert sentence(PULLED, t) == said


def test_a_story_says_when_it_was_pulled_and_mended_and_who_noticed_first():
    said = "You pulled the cable at 10.3 s. The server noticed at 15.0 s, 4.7 s later. The client had noticed nothing by 17.0 s."
    assert story(PULLED) == said
    assert story(MENDED, by_hand=False).startswith("The cable was cut at 9.0 s, and mended at 14.0 s. The server noticed")
    assert story(virtual(Goodbye(4))) == "The cable was not pulled in this run." and pulled_at(virtual(Goodbye(4))) is None


@pytest.mark.parametrize("at", [8.04, 8.05, 9.349, 10.26, 11.949])
def test_the_wait_is_the_difference_of_the_two_times_that_are_written(at):
    pulled, noticed, wait = map(float, re.findall(r"([\d.]+) s", story(virtual(Cut(at))))[:3])
    assert round(noticed - pulled, 1) == wait


@pytest.mark.parametrize("trace", [PULLED, MENDED, virtual(Cut(9, heal=13), until=24), virtual(Goodbye(4, end="client"))])
def test_the_moments_are_those_of_the_trace_in_time_and_none_comes_after_its_end(trace):
    times = [t for t, _ in moments(trace)]
    left = {trace.noticed_at(end) for end in ("server", "client")} - {None}
    assert times == sorted(times) and left <= set(times) and (not times or times[-1] <= trace.end)


# whose trace it is


def test_a_trace_is_the_learner_s_own_from_the_pull_on_and_stays_when_it_is_over(mine):
    assert mine.pulled == PULL and mine.story.startswith(NOBODY)
    mine.pull()
    wait_until(lambda: "The server is CLOSED" in mine.lamps.value)
    assert mine.pulled == mine.trace.experiment.cuts[0].at != PULL
    assert mine.story.startswith("You pulled the cable at") and "The client had noticed nothing" in mine.story
    assert run(mine.trace.experiment, "virtual", progress=False).noticed_at("client") is None
    pulled = mine.pulled
    mine.close()
    assert mine.pulled == pulled and len(mine.traces) == 1
    mine.reconnect()
    wait_until(lambda: mine.look and not mine.look.over)
    assert mine.pulled == pulled, "a new connection that nobody has hurt is no story"


def test_one_button_pulls_and_mends(mine):
    mine.cable.click()
    wait_until(lambda: mine.cable.description == "Mend the cable")
    mine.cable.click()
    wait_until(lambda: mine.cable.description == "Pull the cable")
    mine.close()
    (cut,) = mine.trace.experiment.cuts
    assert cut.heal is not None and mine.cable.disabled


def test_no_number_is_given_away_and_the_timeline_waits_for_a_lamp_to_go_out():
    with live(QUIET.but(until=2.5), timers=False) as secret:
        secret.pull()
        wait_until(lambda: "The wire is cut" in secret.lamps.value)
        assert secret.picture.value == ""
        wait_until(lambda: secret.look.over)
        shown = [one.value for one in (secret.status, secret.lamps, secret.picture, secret.sentence, secret.copy)]
        words = re.sub(r"<style>.*?</style>|--labkit-\w+", "", "".join(shown)) + secret.stills.shown.sentence
    words += repr(secret)
    assert secret.picture.value and secret.copy.value == "" and [one for one in SECRETS if one in words] == []


def test_a_timeline_without_timers_has_everything_else():
    full, bare = plots.timeline(PULLED), plots.timeline(PULLED, timers=False)
    gone = set(full.words) - set(bare.words)
    assert gone and all(re.search(r"timeout|to the next ping|^[\d.]+ s$", word) for word in gone)
    assert not [word for word in bare.words if "timeout" in word]


# what stands in


@pytest.mark.parametrize(
    "experiment, at",
    [(QUIET, PULL), (QUIET.but(until=4), 2), (QUIET.but(server=Peer(ping_interval=None)), PULL), (FLY, 9)],
    ids=["the fly", "a short run", "nobody pings", "its own cut"],
)
def test_a_run_stands_in_that_says_when_it_is_cut(experiment, at):
    trace = stand_in(experiment)
    assert pulled_at(trace) == at and f"{at:.1f} s" in live_story(experiment) and trace.is_virtual


def test_what_stands_in_does_not_tell_when_the_fruit_fly_is_noticed():
    assert stand_in(QUIET).noticed_at("server") != virtual(Cut(9)).noticed_at("server")


def live_story(experiment):
    with live(experiment) as session:
        return session.story


def test_a_cut_that_the_experiment_has_is_not_the_learner_s():
    with live(SMALL.but(faults=[Cut(0.5)])) as session:
        wait_until(lambda: "The server is CLOSED" in session.lamps.value)
        assert session.story.startswith("The cable was cut at 0.5 s")


WITHOUT = """
import sys
sys.modules["ipywidgets"] = None
from labkit import explore, live, plots
mine = live(timers=False)
plots.timeline(mine.trace, timers=False)
print(mine.story, mine.pulled)
print(mine._repr_mimebundle_()["text/html"])
print(explore(show=("cut", "heal"))._repr_mimebundle_()["text/html"])
"""


def test_without_ipywidgets_there_are_pictures_in_the_same_order():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{NOBODY} The cable was cut at {PULL} s.")
    alts = [html.unescape(alt) for alt in re.findall(r'<img alt="([^"]*)"', done.stdout)]
    order = ["wire is whole", "wire is cut", "CLOSING", "CLOSED", f"Timeline. Cut at {PULL}", "Timeline. Cut at 9"]
    assert len(alts) == len(order) and all(words in alt for words, alt in zip(order, alts))


# the knobs that are seen


def test_explore_shows_the_knobs_that_it_is_asked_for_and_keeps_the_rest():
    bench = explore(FLY, show=("cut", "heal"))
    assert set(bench.rows) == set(explore(FLY).rows)
    bench.rows["ping_interval"].knob.value = 2
    assert bench.experiment.server.ping_interval == 2
    with pytest.raises(ValueError, match="ping_interval.*seen 'ping'"):
        explore(FLY, show=("ping",))


def test_explore_s_sliders_step_by_a_twentieth_of_a_second():
    assert {row.knob.step for row in explore(FLY).rows.values() if row.is_slider} == {0.05}
