"""What a ladder shows: what crosses the wire, time downwards. Virtual time, unless it says so."""

from __future__ import annotations

import random
import sys
from functools import cache
from typing import Any

import pytest
from cases import FLY, quiet
from figures import faint, overlaps, sheet, texts, ticks

from labkit import Cut, Event, Experiment, Goodbye, HangUp, Peer, Reset, Send, Trace, plots, predict, run
from labkit.plots.shapes import Words

PEER = FLY.server
SLOW = FLY.but(latency=0.4)


@cache
def trace_of(experiment: Experiment) -> Trace:
    return run(experiment, wire="virtual")


def ladder(experiment: Experiment = FLY, **more: Any) -> plots.Figure:
    return plots.ladder(trace_of(experiment), **more)


# a story in words

HEALED = {heal: FLY.but(faults=[Cut(at=9, heal=heal)]) for heal in (13, 14, 20)}
CODE = Goodbye(at=5, code=4000, reason="lunch")
STORIES = {  # an experiment: the title, and what is written
    FLY: (
        "Two pings came home, the third did not",
        "notices: CLOSING | CLOSED recv() raises ConnectionClosedError | believes OPEN"
        " | still OPEN: no ping, no CLOSE, no error | PONG, the same four bytes | PING stuck"
        " | CLOSE 1011 and FIN stuck | cable cut at 9 s"
        " | 3 s to the next ping | ping_timeout 3 s | close_timeout 2 s",
    ),
    HEALED[13]: (
        "The third ping waited 1.68 s in the cut, the others came home at once",
        "PING stuck | healed at 13 s",
    ),
    HEALED[14]: (
        "The third ping waited 3.36 s in the cut: too long, the server had given up",
        "PING stuck, arrives at 15.36 s | CLOSE 1011 and FIN stuck | healed at 14 s",
    ),
    FLY.but(faults=[Cut(at=9, direction="to_server")]): (
        "Three pings arrived, the third pong got stuck",
        "PONG stuck",
    ),
    SLOW.but(faults=[CODE]): ("The server says goodbye", "CLOSE 4000 “lunch” | CLOSE 4000, the echo"),
    SLOW.but(faults=[Reset(at=5)]): ("The connection is reset", "RST, from the middle"),
    SLOW.but(faults=[HangUp(at=5)]): (
        "Somebody in the middle hangs up: FIN, no CLOSE",
        "FIN, from the middle",
    ),
    SLOW.but(faults=[Send(at=2, size=1200)], until=6): ("One ping, one pong", "BINARY, 1,200 bytes"),
}


@pytest.mark.parametrize("experiment", STORIES, ids=repr)
def test_the_title_is_the_finding_and_what_crosses_has_its_words(experiment):
    figure, (title, words) = ladder(experiment), STORIES[experiment]
    assert figure.title.startswith(title) and set(filter(None, words.split(" | "))) <= set(texts(figure))


def test_time_runs_downwards_and_ticks_stand_where_something_happens():
    along = ladder().panels[0].along
    assert ticks(ladder()) == "0 4 8 9 12 15 17 20".split() and (along.low, along.high) == (0, 20)
    assert along.label == "seconds since the server was OPEN, downwards"


def test_a_ping_shows_its_bytes():
    ping = trace_of(FLY).frames()[0]
    assert f"PING {bytes.fromhex(ping.payload).hex(' ')}" in texts(ladder())


def test_arrows_slope_by_their_latency_and_are_level_without():
    words = [one for figure in (ladder(), ladder(SLOW)) for one in figure.shapes() if isinstance(one, Words)]
    angles = [one.angle for one in words if "PONG, " in one.text]
    assert angles[0] == 0 and 0 < angles[-1] < 0.17


@pytest.mark.parametrize("latency", [0, 0.4])
@pytest.mark.parametrize("heal", HEALED)
def test_the_heal_is_marked_where_there_is_one(latency, heal):
    said = texts(ladder(HEALED[heal].but(latency=latency)))
    assert any(text.startswith("healed") for text in said)


def test_the_first_to_hang_up_is_the_first_in_the_trace():
    fins = [Event(3.0, "wire", "tap", "fin", {"sender": end, "step": step}) for end in ("client", "server") for step in ("sent", "arrived")]
    said = texts(plots.ladder(Trace(FLY.but(faults=[]), fins, {"end": 3.5})))
    assert {"the client hangs up (FIN)", "the server hangs up, too (FIN)"} <= set(said)


# goodbyes

GOODBYES = {
    "server": ([Goodbye(at=5)], "The server says goodbye, the client answers, the server hangs up"),
    "client": ([Goodbye(at=5, end="client")], "The client says goodbye, the server answers and hangs up"),
    "both": (
        [Goodbye(at=5), Goodbye(at=5, end="client")],
        "Both say goodbye at once: the CLOSEs cross, the server hangs up",
    ),
}


@pytest.mark.parametrize("who", GOODBYES)
def test_a_goodbye_says_who_begins_who_answers_and_who_hangs_up(who):
    faults, finding = GOODBYES[who]
    figure = ladder(SLOW.but(faults=faults), since=4.9)
    said = texts(figure)
    assert figure.title == finding
    assert "CLOSE 1000" in said and ("CLOSE 1000, the echo" in said) == (who != "both")
    assert {"the server hangs up (FIN)", "the client hangs up, too (FIN)"} <= set(said)
    assert sum("CLOSED" in text for text in said) == 2


def test_a_part_shows_nothing_of_the_rest():
    figure = ladder(SLOW.but(faults=[Goodbye(at=5)]), since=4.9, until=5.6)
    along = figure.panels[0].along
    assert (along.low, along.high) == (4.9, 5.6)
    assert not any("PING" in text or "FIN" in text for text in texts(figure))
    with pytest.raises(ValueError, match="from an earlier moment to a later one"):
        ladder(since=5, until=5)


def test_a_real_goodbye_is_told_in_milliseconds():
    trace = run(Experiment(server=Peer(close_at=0.05)), wire="loopback", progress=False)
    figure = plots.ladder(trace, since=0.05)
    assert figure.panels[0].along.label == "ms since the server was OPEN, downwards"
    assert figure.title == GOODBYES["server"][1] and overlaps(figure) == []


def test_a_part_late_in_a_long_story_counts_from_its_own_beginning():
    figure = ladder(FLY.but(latency=0.01, faults=[Goodbye(at=30)]), since=29.99)
    assert figure.panels[0].along.label == "ms since 29.99 s, downwards"
    assert {"10", "20", "30"} <= set(ticks(figure))


# other frames, and theory


@pytest.mark.parametrize("text", ["hello", "$x^2$"])
def test_a_text_is_shown_as_it_is_and_never_as_a_formula(text):
    data = {"sender": "server", "opcode": "TEXT", "size": 5, "payload": text.encode().hex(), "arrived_at": 1.4}
    events = [Event(0.0, end, "log", "state", {"state": "OPEN"}) for end in ("server", "client")]
    figure = plots.ladder(Trace(SLOW, [*events, Event(1.0, "wire", "tap", "frame", data)], {"end": 3.0}))
    assert f"TEXT “{text}”, 5 bytes" in texts(figure)


@pytest.mark.parametrize("handshake", [True, False])
def test_the_opening_handshake_is_shown_when_asked_for(handshake):
    said = texts(ladder(SLOW.but(faults=[], until=3), handshake=handshake))
    opening = {"GET / Upgrade: websocket", "HTTP 101: now it is a WebSocket"}
    assert opening & set(said) == (opening if handshake else set())


def test_a_long_story_is_thinned_and_says_so():
    said = texts(ladder(FLY.but(faults=[Send(at=0, every=0.01, end="client", size=10), Cut(at=9)])))
    assert any("thinned: 900 messages, 60 drawn" in text for text in said) and len(said) < 120
    assert "sends 1,701 messages, 10 bytes each" in " ".join(said)


def test_a_prediction_is_drawn_alone_or_says_why_there_is_none():
    known, unknown = (plots.ladder(predict(one)) for one in (SLOW, FLY.but(server=Peer(send_every=1), compression=True)))
    assert known.title == "Two pings came home, the third did not"
    assert "theory, nothing was run" in texts(known)
    assert unknown.title == "Theory does not know this one" and "does not know: " in " ".join(texts(unknown))


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
    "at once": FLY.but(faults=GOODBYES["both"][0]),
    "reset": SLOW.but(faults=[Reset(at=5)]),
    "messages": FLY.but(faults=[Send(at=0, every=0.5, end="client"), Cut(at=9)]),
    "many pings": FLY.but(server=Peer(ping_interval=1, ping_timeout=3, close_timeout=2), faults=[Cut(at=300)]),
    "nothing": Experiment(server=Peer(ping_interval=None), until=5),
}


@pytest.mark.parametrize("size", [None, (4, 4), (9, 5)])
@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read(name, size):
    for theme in ("light", "dark"):
        drawn = ladder(CASES[name], size=size, theme=theme)
        assert overlaps(drawn) == [] and faint(drawn) == []


@pytest.mark.parametrize("block", range(10))
def test_no_word_of_random_stories_lies_on_another_or_on_a_mark(block):
    for seed in range(30 * block, 30 * block + 30):
        drawn = ladder(quiet(seed), theme=random.Random(seed).choice(["light", "dark"]))
        assert (seed, overlaps(drawn), faint(drawn)) == (seed, [], [])


def test_the_alt_text_tells_the_whole_figure():
    alt = ladder().alt
    start = "Ladder, time downwards, from 0 s to 20 s. Two pings came home, the third did not. Cut at 9 s."
    assert alt.startswith(start)
    assert "PONG, the same four bytes, from the client to the server, sent at 4 s" in alt
    assert "sent at 12 s, stuck, never arrives" in alt
    assert "still OPEN: no ping, no CLOSE, no error at 15 s" in alt


def test_it_stops_at_any_moment():
    early = ladder().until(10)
    assert "believes OPEN" in texts(early) and not {"PING stuck", "notices: CLOSING"} & set(texts(early))
    assert "never" not in early.alt and ticks(early) == "0 4 8 9 20".split()


def test_an_axes_of_your_own_is_drawn_into():
    mine = sheet((6, 6))
    assert ladder(ax=mine) is mine and mine.get_ylim() == (20, 0)


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
