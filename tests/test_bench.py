"""The bench without a browser: knobs make experiments, whatever they say; moves are shown, and the last one wins."""

import html
import random
import re
import sys
import threading

import pytest
from cases import FLY, quiet
from machine import side_by_side, wait_until

import labkit
from labkit import Cut, Experiment, Freeze, Goodbye, Peer, Trace, explore, live, open_run, plots, predict, run
from labkit.widgets.knobs import WAYS, WHO, Knobs, difference
from labkit.widgets.page import outputs
from labkit.widgets.result import VIEWS, draw, inline, result
from labkit.widgets.session_thread import Runner


def anything(seed):
    """Knobs at random, also where they contradict each other."""
    dice = random.Random(seed)

    def number(high):
        return dice.choice([None, dice.randint(1, 2 * high) / 2, dice.uniform(0.01, high)])

    cut, heal, way = number(120), number(120), dice.choice(list(WAYS.values()))
    latency, jitter = dice.choice([0, 0.0, dice.uniform(0, 6)]), dice.choice([0, 0, dice.uniform(0, 5)])
    timers = number(60), number(60), dice.choice([0, number(60)])
    return Knobs(dice.choice(WHO), *timers, cut, heal, way, latency, jitter, dice.choice(["nobody", *WHO]), dice.choice([1, 5]))


# knobs


ONE_WAY = FLY.but(faults=[Cut(9, heal=20, direction="to_client")], latency=0.5)
WITHOUT_KNOBS = FLY.but(faults=[Cut(9), Goodbye(12, end="client"), Freeze(3, thaw=4)], seed=7)


@pytest.mark.parametrize("experiment", [FLY, ONE_WAY, WITHOUT_KNOBS, FLY.but(faults=[])])
def test_knobs_that_nobody_has_moved_change_nothing_nor_does_what_has_no_knob(experiment):
    assert Knobs.of(experiment).experiment(experiment) == experiment


def test_the_difference_is_told_by_the_names_of_the_knobs():
    one = Knobs.of(FLY)
    assert difference(one, Knobs.of(FLY.but(faults=[Cut(9, heal=14)], latency=0.5))) == "heal None → 14, latency 0 → 0.5"
    assert difference(one, one) == "nothing"


@pytest.mark.parametrize("seed", range(60))
def test_no_position_of_the_knobs_raises_and_each_says_something(seed):
    knobs = anything(seed)
    shown = result(lambda: knobs.experiment(Experiment()), random.Random(seed).choice(VIEWS))
    assert shown.sentence.endswith((".", ")")) and "could not be run" not in shown.sentence
    assert shown.raised == (shown.picture == "")
    if not shown.raised:
        assert eval(shown.code, vars(labkit) | {name: getattr(labkit, name) for name in labkit.__all__}) == knobs.experiment(Experiment())


# the picture


@pytest.mark.parametrize("seed", range(30))
def test_the_picture_shows_the_words_of_the_figure(seed):
    trace = run(quiet(seed), "virtual", progress=False)
    theory = predict(trace.experiment)
    svg = inline(draw(trace, theory, "timeline", 13.0))
    shown = [html.unescape(line) for line in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]
    assert sorted(" ".join(shown).split()) == sorted(" ".join(plots.timeline(trace, theory, 13.0).words).split())


ACTS = [Cut(9, heal=15), Goodbye(4), Freeze(3, thaw=5), labkit.Slice(1), labkit.Limit(1)]
ACTS += [labkit.Delay(2, latency=0.3), labkit.Tunnel(2), labkit.Throttle(2, rate=100)]
ACTS += [labkit.HangUp(5), labkit.SlowClose(2), labkit.Reset(5), labkit.Idle(0, after=6)]
ACTS += [labkit.StopReading(3), labkit.Send(2, size=4000, every=0.2)]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
@pytest.mark.parametrize("view", VIEWS)
def test_a_picture_shows_whatever_happens(view, act):
    trace = run(FLY.but(faults=[act], until=30), "virtual", progress=False)
    assert "textLength" in inline(draw(trace, predict(trace.experiment), view, 13.0))


def test_a_mistake_in_a_figure_is_told_and_not_drawn_over(monkeypatch):
    def mistaken(*_):
        return FLY.colour_of_nothing

    monkeypatch.setattr("labkit.widgets.result.timeline", mistaken)
    with pytest.raises(AttributeError, match="colour_of_nothing"):
        draw(run(FLY, "virtual", progress=False), predict(FLY))
    shown = result(lambda: FLY)
    assert shown.raised and "AttributeError" in shown.sentence


def test_a_picture_says_itself_and_takes_the_colours_of_the_page():
    svg = inline(draw(run(FLY, "virtual", progress=False), predict(FLY)))
    assert 'role="img" aria-label="Timeline. Cut at 9' in svg and "var(--jp-content-font-color1" in svg
    assert not re.search(r'(fill|stroke)="#(?!none)', svg), "a colour that no theme can change"


# the widget


def test_a_move_shows_another_picture_and_another_sentence():
    bench = explore(FLY)
    before = bench.picture.value, bench.sentence.value
    bench.rows["cut"].knob.value = 12.5
    assert bench.experiment.cuts == (Cut(12.5),)
    assert bench.picture.value != before[0] and "noticed at 19 s, 6.5 s after the cut" in bench.sentence.value != before[1]


def test_none_is_a_box_to_tick():
    bench = explore(FLY)
    bench.rows["ping_timeout"].none.value = True
    assert bench.experiment.server.ping_timeout is None and bench.rows["ping_timeout"].knob.disabled
    assert "until TCP gives up" in bench.sentence.value


def test_what_cannot_be_is_said_and_the_next_move_is_shown_again():
    bench = explore(FLY.but(faults=[Cut(9, heal=14)]))
    bench.rows["heal"].knob.value = 5
    assert "cannot be set up" in bench.sentence.value and bench.picture.value == ""
    bench.rows["heal"].knob.value = 13
    assert "<svg" in bench.picture.value and "in time" in bench.sentence.value


def test_a_guess_is_pinned_and_stays():
    bench = explore(FLY, guess=13)
    assert "your guess 13" in bench.picture.value
    bench.rows["cut"].knob.value = 8.5
    assert "your guess 13" in bench.picture.value
    bench.pinned.value = False
    assert "your guess" not in bench.picture.value


def test_two_settings_are_held_against_each_other():
    bench = explore(FLY)
    kept = bench.picture.value
    bench.hold.value = True
    bench.rows["ping_interval"].knob.value = 2
    assert bench.held_picture.value.count("<path") == kept.count("<path") and bench.picture.value != kept
    assert "Moved since: ping_interval 4 → 2" in bench.held_words.value
    bench.hold.value = False
    assert bench.held_picture.value == bench.held_words.value == ""


def test_the_code_makes_the_experiment_again():
    bench = explore(FLY.but(faults=[Cut(9, heal=20)], latency=0.25))
    (code,) = re.findall(r'data-code="([^"]*)"', bench.code.value)
    assert eval(html.unescape(code), {"Experiment": Experiment, "Peer": Peer, "Cut": Cut}) == bench.experiment


@pytest.mark.parametrize(
    "shown", [lambda: explore(FLY), lambda: explore(FLY, view="ladder"), lambda: live(SMALL)], ids=["timeline", "ladder", "live"]
)
def test_without_a_kernel_there_is_a_picture_and_words(shown):
    bench = shown()
    widget, still = outputs(bench.box, bench.shown, bench.key)
    assert '<img alt="' in still["text/html"] and "data:image/svg+xml;base64," in still["text/html"]
    assert "Experiment(server=Peer(ping_interval=" in still["text/plain"] and f"labkit-still-{bench.key}" in still["text/html"]
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == bench.box.model_id
    getattr(bench, "close", lambda: None)()


def test_explore_refuses_what_is_no_experiment():
    with pytest.raises(TypeError, match="takes an Experiment"):
        explore(run(FLY, "virtual", progress=False))
    with pytest.raises(ValueError, match="'timeline' or 'ladder'"):
        explore(FLY, view="clock")


def test_moves_from_several_threads_end_where_the_knobs_stand():
    bench = explore(FLY)

    def drag(name, values):
        for value in values:
            bench.rows[name].knob.value = value

    side_by_side(lambda: drag("cut", [10, 11, 12.5]), lambda: drag("ping_timeout", [5, 6, 2]))
    assert bench.shown.code == repr(bench.experiment) and "noticed at 18 s" in bench.sentence.value


def test_for_a_class_words_are_16_points_and_lines_3_pixels():
    large, usual = explore(FLY, projector=True), explore(FLY)
    assert [".labkit-projector" in bench.box.children[0].value for bench in (large, usual)] == [True, False]  # its style
    svg = large.picture.value
    shown, drawn = (float(re.search(pattern, svg)[1]) for pattern in (r'<svg[^>]* width="([\d.]+)pt"', r'viewBox="\S+ \S+ ([\d.]+) '))
    words = [float(size) * shown / drawn for size in re.findall(r'font-size="([\d.]+)"', svg)]
    lines = [float(wide) * shown / drawn / 0.75 for wide in re.findall(r'<path d[^>]*stroke-width="([\d.]+)"', svg.split("</defs>")[1])]
    assert min(words) >= 15.99 and min(lines) >= 2.9


# live()

SMALL = Experiment(server=Peer(ping_interval=0.4, ping_timeout=0.4, close_timeout=0.3))


def state(session, end):
    shown = re.search(rf"The {end} is (\w+)", session.lamps.value)
    return shown and shown[1]


def threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("labkit")]


@pytest.fixture
def session():
    with live(SMALL) as session:
        wait_until(lambda: state(session, "client") == "OPEN")
        wait_until(lambda: session.look.now > 0.05)  # before, the handshake's acknowledgement is not home, and TCP's clock runs from there
        yield session
    assert threads() == []


def test_a_cut_is_noticed_the_survivor_hears_of_it_when_healed_and_all_of_it_replays(session):
    session.press("Cut")
    wait_until(lambda: session.buttons["Cut"].disabled and not session.buttons["Heal"].disabled)
    wait_until(lambda: state(session, "server") == "CLOSED")
    assert state(session, "client") == "OPEN"
    session.press("Heal")
    wait_until(lambda: state(session, "client") == "CLOSED")
    session.press("End")
    trace = session.trace
    assert [type(act).__name__ for act in trace.experiment.faults] == ["Cut"] and trace.experiment.cuts[0].heal is not None
    assert trace.closed_at("client") <= trace.end < trace.experiment.until
    again = session.again()
    assert [again.noticed_at(end) is None for end in ("server", "client")] == [False, False]
    assert "virtual" in str(session.compare()) and "The server noticed" in session.sentence.value


def test_a_live_trace_is_saved_and_loaded_like_any_other(session, tmp_path):
    session.press("Goodbye")
    wait_until(lambda: state(session, "client") == "CLOSED")
    session.close()
    loaded = Trace.load(session.trace.save(tmp_path / "live.jsonl"))
    assert loaded.experiment == session.trace.experiment and loaded.header == session.trace.header
    assert [event.to_json() for event in loaded.events] == [event.to_json() for event in session.trace.events]


@pytest.mark.parametrize("name", ["Freeze", "Stop reading", "Flood"])
def test_what_is_begun_can_be_ended_by_the_same_button(session, name):
    before = session.buttons[name].description
    session.press(name)
    wait_until(lambda: session.buttons[name].description != before)
    session.press(name)
    wait_until(lambda: session.buttons[name].description == before)
    session.close()
    (act,) = session.trace.experiment.faults
    assert act.over is not None and act.end == "server"


@pytest.mark.parametrize("name, direction", [("Cut to client", "to_client"), ("Cut to server", "to_server")])
def test_a_cut_one_way_is_one_way(session, name, direction):
    session.press(name)
    wait_until(lambda: session.buttons["Cut"].disabled)
    session.close()
    assert session.trace.experiment.cuts[0].direction == direction


@pytest.mark.parametrize("name", ["Reset", "Hang up"])
def test_both_ends_hear_of_a_box_in_the_middle(session, name):
    session.press(name)
    wait_until(lambda: state(session, "server") == state(session, "client") == "CLOSED")


def test_a_close_code_that_may_not_be_sent_is_said_not_raised(session):
    session.code.value = 1006
    session.press("Goodbye")
    wait_until(lambda: "1006" in session.clock.value)
    assert state(session, "server") == "OPEN" and session.runner.alive


def test_reconnecting_keeps_the_trace_of_the_connection_before(session):
    session.press("Reset")
    wait_until(lambda: state(session, "server") == "CLOSED")
    session.press("Reconnect")
    wait_until(lambda: state(session, "server") == state(session, "client") == "OPEN")
    assert len(session.traces) == 1 and session.traces[0].closed_at("server") is not None


def test_a_new_one_ends_the_one_before():
    first, second = live(SMALL), live(SMALL)
    assert not first.runner.alive and second.runner.alive and first.traces
    second.close()
    assert threads() == []


def test_a_page_that_is_gone_ends_it(session, monkeypatch):
    monkeypatch.setattr("labkit.widgets.liveview.DEAF", 0.3)
    session.pulse.click()  # the page beats once, and never again
    wait_until(lambda: not session.runner.alive)
    assert session.traces


def test_what_goes_wrong_in_the_session_is_said_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr("labkit.widgets.liveview.draw", lambda *_: 1 / 0)
    broken = live(SMALL)
    wait_until(lambda: not broken.runner.alive)
    assert "could not go on: ZeroDivisionError" in broken.sentence.value and threads() == []


def test_what_happens_by_itself_in_an_experiment_happens_in_a_live_one():
    with live(SMALL.but(faults=[Cut(at=0.5)])) as session:
        wait_until(lambda: state(session, "server") == "CLOSED")
    assert session.trace.experiment.faults == (Cut(at=0.5),)


def test_a_look_at_a_run_changes_nothing_of_its_trace():
    with open_run(FLY, "virtual") as session:
        session.wait(13)
        look = session.so_far()
        session.wait()
    assert look.end == 13 and look.noticed_at("server") is None
    assert session.trace.noticed_at("server") == 15
    early = [event for event in session.trace.events if event.t <= 13]
    assert [event[:4] for event in look.events] == [event[:4] for event in early]


def test_a_live_session_lets_threads_give_way_more_often_and_only_while_it_lives():
    before, seen = sys.getswitchinterval(), []
    runner = Runner(Experiment(server=Peer(), until=0.5), lambda look: seen.append(sys.getswitchinterval())).start()
    runner.thread.join(30)
    assert seen[0] < before / 5 and sys.getswitchinterval() == before
