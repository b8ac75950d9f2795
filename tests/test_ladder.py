"""The promises of plots.ladder: what crosses the wire, time downwards. Runs are in virtual time unless they say otherwise."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest
from cases import quiet
from figures import faint, overlaps, texts, ticks

from labkit import Cut, Event, Experiment, Goodbye, HangUp, Peer, Reset, Send, Trace, plots, predict, run
from labkit.plots.shapes import Words

PEER = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
FLY = Experiment(server=PEER, faults=[Cut(at=9)])
SLOW = FLY.but(latency=0.4)


def trace_of(experiment: Experiment) -> Trace:
    return run(experiment, wire="virtual")


@pytest.fixture(scope="module")
def fly() -> Trace:
    return trace_of(FLY)


# the fruit fly


def test_the_title_is_the_finding(fly):
    assert plots.ladder(fly).title == "Two pings came home, the third did not"


def test_time_runs_downwards_and_ticks_stand_where_something_happens(fly):
    ax = plots.ladder(fly)
    assert ticks(ax) == "0 4 8 9 12 15 17 20".split() and (ax.panels[0].along.low, ax.panels[0].along.high) == (0, 20)
    assert ax.panels[0].along.label == "seconds since the server was OPEN, downwards"


def test_a_pong_carries_the_bytes_of_its_ping(fly):
    said, ping = texts(plots.ladder(fly)), fly.frames()[0]
    assert f"PING {bytes.fromhex(ping.payload).hex(' ')}" in said and "PONG, the same four bytes" in said


def test_the_margins_say_what_the_server_does_and_what_the_client_knows(fly):
    said = texts(plots.ladder(fly))
    assert {"notices: CLOSING", "CLOSED recv() raises ConnectionClosedError", "believes OPEN"} <= set(said)
    assert "still OPEN: no ping, no CLOSE, no error" in said


def test_what_is_stuck_is_called_stuck(fly):
    said = texts(plots.ladder(fly))
    assert "PING stuck" in said and "CLOSE 1011 and FIN stuck" in said and "cable cut at 9 s" in said


def test_the_timers_have_their_lengths(fly):
    assert {"3 s to the next ping", "ping_timeout 3 s", "close_timeout 2 s"} <= set(texts(plots.ladder(fly)))


# latency, healing, directions


def test_arrows_slope_by_their_latency_and_are_level_without():
    angles = []
    for experiment in (FLY, SLOW):
        words = (one for one in plots.ladder(trace_of(experiment)).shapes() if isinstance(one, Words))
        angles.append(next(one.angle for one in words if "PONG, " in one.text))
    assert angles[0] == 0 and 0 < angles[1] < 0.17


def test_what_was_stuck_arrives_after_the_heal():
    ax = plots.ladder(trace_of(FLY.but(faults=[Cut(at=9, heal=14)])))
    assert "PING stuck, arrives at 15.36 s" in texts(ax) and "healed at 14 s" in texts(ax)
    home = plots.ladder(trace_of(FLY.but(faults=[Cut(at=9, heal=13)])))
    assert home.title == "The third ping waited 1.68 s in the cut, the others came home at once"


@pytest.mark.parametrize("experiment", [FLY, SLOW])
@pytest.mark.parametrize("heal", [13, 14, 20])
def test_the_heal_is_marked_where_there_is_one(experiment, heal):
    assert any(text.startswith("healed") for text in texts(plots.ladder(trace_of(experiment.but(faults=[Cut(at=9, heal=heal)])))))


def test_a_ping_that_arrives_too_late_is_said_to():
    ax = plots.ladder(trace_of(FLY.but(faults=[Cut(at=9, heal=20)])))
    assert ax.title == "The third ping waited 13.4 s in the cut: too long, the server had given up"


def test_a_pong_that_is_stuck_is_not_a_ping_that_is():
    ax = plots.ladder(trace_of(FLY.but(faults=[Cut(at=9, direction="to_server")])))
    assert ax.title == "Three pings arrived, the third pong got stuck" and "PONG stuck" in texts(ax)


# goodbyes


GOODBYES = {
    "server": ([Goodbye(at=5)], "The server says goodbye, the client answers, the server hangs up"),
    "client": ([Goodbye(at=5, end="client")], "The client says goodbye, the server answers and hangs up"),
    "both": ([Goodbye(at=5), Goodbye(at=5, end="client")], "Both say goodbye at once: the CLOSEs cross, the server hangs up"),
}


@pytest.mark.parametrize("who", GOODBYES)
def test_a_goodbye_says_who_begins_who_answers_and_who_hangs_up(who):
    faults, finding = GOODBYES[who]
    ax = plots.ladder(trace_of(SLOW.but(faults=faults)), since=4.9)
    assert ax.title == finding
    said = texts(ax)
    assert "CLOSE 1000" in said and ("CLOSE 1000, the echo" in said) == (who != "both")
    assert {"the server hangs up (FIN)", "the client hangs up, too (FIN)"} <= set(said)
    assert sum("CLOSED" in text for text in said) == 2


def test_a_code_and_a_reason_stand_on_the_close():
    ax = plots.ladder(trace_of(SLOW.but(faults=[Goodbye(at=5, code=4000, reason="lunch")])))
    assert "CLOSE 4000 “lunch”" in texts(ax) and "CLOSE 4000, the echo" in texts(ax)


def test_a_part_shows_nothing_of_the_rest():
    ax = plots.ladder(trace_of(SLOW.but(faults=[Goodbye(at=5)])), since=4.9, until=5.6)
    assert (ax.panels[0].along.low, ax.panels[0].along.high) == (4.9, 5.6)
    assert not any("PING" in text or "FIN" in text for text in texts(ax))
    with pytest.raises(ValueError, match="from an earlier moment to a later one"):
        plots.ladder(trace_of(FLY), since=5, until=5)


def test_a_real_goodbye_is_told_in_milliseconds():
    trace = run(Experiment(server=Peer(close_at=0.05)), wire="loopback", progress=False)
    ax = plots.ladder(trace, since=0.05)
    assert ax.panels[0].along.label == "ms since the server was OPEN, downwards"
    assert ax.title == "The server says goodbye, the client answers, the server hangs up" and overlaps(ax) == []


def test_a_part_late_in_a_long_story_counts_from_its_own_beginning():
    ax = plots.ladder(trace_of(FLY.but(latency=0.01, faults=[Goodbye(at=30)])), since=29.99)
    assert ax.panels[0].along.label == "ms since 29.99 s, downwards" and {"10", "20", "30"} <= set(ticks(ax))


# other endings, other frames


def test_a_reset_and_a_hang_up_come_from_the_middle():
    reset, hung = (plots.ladder(trace_of(SLOW.but(faults=[act]))) for act in (Reset(at=5), HangUp(at=5)))
    assert "RST, from the middle" in texts(reset) and reset.title.startswith("The connection is reset")
    assert "FIN, from the middle" in texts(hung) and hung.title == "Somebody in the middle hangs up: FIN, no CLOSE"


def test_messages_have_their_size():
    ax = plots.ladder(trace_of(SLOW.but(faults=[Send(at=2, size=1200)], until=6)))
    assert "BINARY, 1,200 bytes" in texts(ax)


def test_a_text_is_shown_as_it_is_and_never_as_a_formula():
    def said(payload: bytes) -> list[str]:
        data = {"sender": "server", "opcode": "TEXT", "size": len(payload), "payload": payload.hex(), "arrived_at": 1.4}
        events = [Event(0.0, end, "log", "state", {"state": "OPEN"}) for end in ("server", "client")]
        return texts(plots.ladder(Trace(SLOW, [*events, Event(1.0, "wire", "tap", "frame", data)], {"end": 3.0})))

    assert "TEXT “hello”, 5 bytes" in said(b"hello") and "TEXT “$x^2$”, 5 bytes" in said(b"$x^2$")


def test_the_opening_handshake_is_shown_when_asked_for():
    trace = trace_of(SLOW.but(faults=[], until=3))
    assert "GET / Upgrade: websocket" in texts(plots.ladder(trace, handshake=True))
    assert not any("GET" in text for text in texts(plots.ladder(trace)))


def test_a_long_story_is_thinned_and_says_so():
    ax = plots.ladder(trace_of(FLY.but(faults=[Send(at=0, every=0.01, end="client", size=10), Cut(at=9)])))
    assert any("thinned: 900 messages, 60 drawn" in text for text in texts(ax)) and len(texts(ax)) < 120
    assert "sends 1,701 messages, 10 bytes each" in " ".join(texts(ax))


# theory


def test_a_prediction_is_drawn_alone():
    ax = plots.ladder(predict(SLOW))
    assert ax.title == "Two pings came home, the third did not" and "theory, nothing was run" in texts(ax)


def test_theory_that_does_not_know_says_why():
    ax = plots.ladder(predict(FLY.but(server=Peer(send_every=1), compression=True)))
    assert ax.title == "Theory does not know this one" and any("does not know:" in text for text in texts(ax))


# no word on a word, manners


CASES = {
    "fly": FLY,
    "slow": SLOW,
    "healed": SLOW.but(faults=[Cut(at=9, heal=20)]),
    "one way": FLY.but(faults=[Cut(at=9, direction="to_server")]),
    "both ping": FLY.but(client=PEER),
    "the client pings": FLY.but(server=Peer(ping_interval=None), client=PEER),
    "three cuts": FLY.but(faults=[Cut(at=3, heal=5), Cut(at=9, heal=11, direction="to_client"), Cut(at=17)]),
    "goodbye": SLOW.but(faults=[Goodbye(at=5, end="client", code=4000)]),
    "at once": FLY.but(faults=[Goodbye(at=5), Goodbye(at=5, end="client")]),
    "reset": SLOW.but(faults=[Reset(at=5)]),
    "messages": FLY.but(faults=[Send(at=0, every=0.5, end="client"), Cut(at=9)]),
    "many pings": FLY.but(server=Peer(ping_interval=1, ping_timeout=3, close_timeout=2), faults=[Cut(at=300)]),
    "nothing": Experiment(server=Peer(ping_interval=None), until=5),
}


@pytest.mark.parametrize("size", [None, (4, 4), (9, 5)])
@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read(name, size):
    for theme in ("light", "dark"):
        drawn = plots.ladder(trace_of(CASES[name]), size=size, theme=theme)
        assert overlaps(drawn) == [] and faint(drawn) == []


@pytest.mark.parametrize("block", range(10))
def test_no_word_of_random_stories_lies_on_another_or_on_a_mark(block):
    for seed in range(30 * block, 30 * block + 30):
        dice = random.Random(seed)
        drawn = plots.ladder(trace_of(quiet(seed)), theme=dice.choice(["light", "dark"]))
        assert (seed, overlaps(drawn), faint(drawn)) == (seed, [], [])


def test_the_alt_text_tells_the_whole_figure(fly):
    alt = plots.ladder(fly).alt
    assert alt.startswith("Ladder, time downwards, from 0 s to 20 s. Two pings came home, the third did not. Cut at 9 s.")
    assert "PONG, the same four bytes, from the client to the server, sent at 4 s" in alt
    assert "sent at 12 s, stuck, never arrives" in alt and "still OPEN: no ping, no CLOSE, no error at 15 s" in alt


def test_it_shows_itself_in_both_themes_and_is_saved(fly, tmp_path):
    drawn = plots.ladder(fly, theme="dark")
    assert "background:#111111" in drawn.svg()
    assert 'role="img"' in drawn._repr_mimebundle_()["text/html"] and plots.save(drawn, tmp_path / "l.png").stat().st_size > 1000
    with pytest.raises(TypeError, match="a trace or a prediction"):
        plots.ladder(FLY)


def test_it_stops_at_any_moment(fly):
    early = plots.ladder(fly).until(10)
    assert "believes OPEN" in texts(early) and "PING stuck" not in texts(early) and "notices: CLOSING" not in texts(early)
    assert "never" not in early.alt and ticks(early) == "0 4 8 9 20".split()


def test_an_axes_of_your_own_is_drawn_into(fly):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mine = FigureCanvasAgg(Figure(figsize=(6, 6))).figure.subplots()
    assert plots.ladder(fly, ax=mine) is mine and mine.get_ylim() == (20, 0)


# a day of it


def steps(trace: Trace) -> int:
    """How many instructions of Python a ladder takes: a measure that no other program disturbs."""
    count = 0

    def each(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return each

    before = sys.gettrace()
    sys.settrace(each)
    try:
        plots.ladder(trace).svg()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("kind", ["pings", "messages"])
def test_twice_as_many_frames_take_at_most_twice_the_work(kind):
    peer = Peer(ping_interval=1) if kind == "pings" else Peer(send_size=100, send_every=0.5)
    counts = []
    steps(trace_of(FLY))  # Python 3.12 counts nothing the first time
    for seconds in (400, 800):
        trace = trace_of(Experiment(server=peer, until=seconds))
        counts.append((len(trace.frames()), steps(trace)))
    (few, less), (many, more) = counts
    assert many > 1.9 * few > 700 and more < 2.05 * less
