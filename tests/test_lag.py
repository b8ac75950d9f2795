"""The promises of plots.lag: who waited for what, who is blamed, and who did it. Runs are in virtual time."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from figures import faint, marks, outside, overlaps, texts

from labkit import Cut, Experiment, Freeze, Peer, Send, Throttle, Trace, block, plots, predict, run
from labkit.plots.bars import Bar
from labkit.plots.blame import Blame, Block
from labkit.plots.marks import Dot, Path

KEEPER = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
TALK: dict[str, Any] = {"send_every": 0.45, "send_size": 100}


def keeper(**changes: Any) -> Peer:
    return dataclasses.replace(KEEPER, **changes)


STORIES = {
    "busy peer": Experiment(server=KEEPER, faults=[Freeze(at=9, end="client", thaw=20)]),
    "busy self": Experiment(server=KEEPER, latency=0.5, faults=[Freeze(at=12.2, end="server", thaw=20)], until=26),
    "peer does not read": Experiment(server=keeper(**TALK), client=Peer(reads=False), until=40),
    "does not read itself": Experiment(server=Peer(ping_interval=None, **TALK), client=keeper(reads=False), until=40),
    "slow": Experiment(server=KEEPER, faults=[Throttle(at=1, rate=10_000), Send(at=5, size=100_000)], until=24),
    "cut": Experiment(server=KEEPER, faults=[Cut(9)]),
    "short": Experiment(server=KEEPER, faults=[Freeze(at=9, end="client", thaw=14)], until=24),
    "healthy": Experiment(server=KEEPER, until=10),
    "long": Experiment(server=Peer(), faults=[Freeze(at=50, end="client", thaw=600)], until=700),
    "no keepalive": Experiment(server=Peer(ping_interval=None), faults=[Freeze(at=1, end="server", thaw=2)], until=5),
    "for ever": Experiment(server=KEEPER, faults=[Freeze(at=9, end="client")]),
}


@pytest.fixture(scope="module")
def traces() -> dict[str, Trace]:
    return {name: run(experiment, "virtual", progress=False) for name, experiment in STORIES.items()}


@pytest.mark.parametrize(
    ("name", "killer", "culprit", "title"),
    [
        ("busy peer", "server", ("client", "blocked"), "The server gave up at 15 s: the client was alive, only its loop was blocked"),
        ("busy self", "server", ("server", "blocked"), "The server gave up at 20 s: its own loop was blocked while the pong lay there"),
        ("peer does not read", "server", ("client", "unread"), "The server gave up at 11 s: the client was alive, but did not read"),
        (
            "does not read itself",
            "client",
            ("client", "unread"),
            "The client gave up at 11 s: its own program does not read, the pong waits in line",
        ),
        ("slow", "server", ("wire", "slow"), "The server gave up at 11 s: the ping was on its way, behind a message"),
        ("cut", "server", ("wire", "cut"), "The server gave up at 15 s, and the wire was cut: no false alarm"),
        ("for ever", "server", ("client", "blocked"), "The server gave up at 15 s: the client was alive, only its loop was blocked"),
        ("short", None, None, "Nobody gave up: the client's loop was blocked for 5 s, the longest answer took 2 s"),
        ("healthy", None, None, "Nobody gave up: the longest answer took 0 s"),
        ("no keepalive", None, None, "Nobody gave up: the server's loop was blocked for 1 s, the longest answer took 0 s"),
    ],
)
def test_who_gave_up_and_who_did_it(name, killer, culprit, title, traces):
    blame = Blame(traces[name])
    assert (blame.killer, blame.culprit, plots.lag(traces[name]).title) == (killer, culprit, title)


def test_a_saved_trace_tells_the_same(traces, tmp_path):
    for name, trace in traces.items():
        again = Trace.load(trace.save(tmp_path / "trace.jsonl"))
        assert plots.lag(again).alt == plots.lag(trace).alt, name


def test_an_end_reads_no_more_from_the_last_frame_that_it_read(traces):
    trace = traces["does not read itself"]
    blame, (deaf,) = Blame(trace), [end for end in ("server", "client") if Blame(trace).unread_since(end) is not None]
    read = [event.t for event in trace.select("got", deaf, "log") if event.data["opcode"] != "EOF"]
    waits = [frame.arrived_at for frame in trace.frames() if frame.sender != deaf and (frame.arrived_at or 0) > read[-1]]
    assert blame.unread_since(deaf) == read[-1] < min(waits)
    others = [Blame(traces[name]) for name in ("healthy", "busy peer", "busy self")]
    assert all(other.unread_since(end) is None for other in others for end in ("server", "client"))


def test_the_steps_of_a_ping(traces):
    ping = Blame(traces["busy self"]).fatal
    assert (ping.sent, ping.came, ping.heard, ping.answered, ping.back, ping.read) == (12, 12.5, 12.5, 12.5, 13, 20)
    ping = Blame(traces["busy peer"]).fatal
    assert (ping.sent, ping.came, ping.heard, ping.read) == (12, 12, 20, None)
    assert [frame.size for frame in Blame(traces["slow"]).before] == [100_000]


def test_blocks_are_seen_whoever_caused_them(traces):
    async def blocks(websocket):
        block(2)
        await websocket.wait_closed()

    trace = run(Experiment(server=KEEPER, until=10), "virtual", server=blocks, progress=False)
    assert Blame(trace).blocks == [Block("server", 0, 2)]
    assert Blame(traces["for ever"]).blocks == [Block("client", 9, traces["for ever"].end, over=False)]


@pytest.mark.parametrize("name", STORIES)
def test_every_story_is_drawn_and_said_and_its_words_can_be_read(name, traces):
    figures = [plots.lag(traces[name], theme=theme) for theme in ("light", "dark")]
    for figure in [*figures, *(figures[0].until(t) for t in (5, 12.5))]:
        assert {"blamed", "did it"} <= set(texts(figure)) and overlaps(figure) == faint(figure) == outside(figure) == []
    assert all(words in figures[0].alt for words in (figures[0].title, "Blamed:", "Did it:"))


WORDS = {
    "busy peer": [
        "the client's loop has not run for 11 s",
        "PONG, too late",
        "the server gives up: 1011",
        "its loop is blocked",
        "ping_timeout",
    ],
    "busy self": [
        "PONG is there at 13 s, read at 20 s",
        "the server itself: its event loop, blocked from 12.2 to 20 s; the pong came at 13 s",
    ],
    "does not read itself": ["reads no more: queue full"],
    "slow": ["100,000 bytes of messages, in front of the ping", "the wire: 100,000 bytes of messages went before the ping"],
}


@pytest.mark.parametrize("name", WORDS)
def test_the_words_of_the_figure(name, traces):
    assert set(WORDS[name]) <= set(texts(plots.lag(traces[name])))


def test_a_ramp_climbs_while_its_loop_is_blocked_and_a_ping_while_it_has_no_answer(traces):
    figure = plots.lag(traces["busy peer"])
    (ramp,) = [path for path in marks(figure, Path) if path.fill]
    assert ramp.points == ((9, 0), (20, 11), (20, 11), (20, 0))
    (fatal,) = [path for path in marks(figure, Path) if path.colour == "stuck"]
    assert fatal.points[0] == (12, 0) and fatal.points[-1] == (15, 3) and figure.panels[1].across.high >= 11
    signs = [(dot.sign, dot.t) for dot in marks(figure, Dot)]
    assert signs == [("PING", 4), ("PONG", 4), ("PING", 8), ("PONG", 8), ("PING", 12), ("stuck", 15), ("PONG", 20)]
    assert "The last ping was sent at 12 s, came at 12 s, was heard at 20 s" in figure.alt


def test_the_message_that_the_ping_waits_behind_is_drawn(traces):
    figure = plots.lag(traces["slow"])
    (bar,) = [mark for mark in marks(figure, Bar) if mark.lane == "wire"]
    assert (bar.begin, round(bar.end)) == (5, 15)


@pytest.mark.parametrize("wrong", [None, 3, predict(STORIES["busy peer"])])
def test_it_takes_a_trace(wrong):
    with pytest.raises(TypeError, match="takes a trace"):
        plots.lag(wrong)
