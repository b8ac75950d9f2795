"""The promises of plots.blocked, and of the awaits that it draws. Runs are in virtual time unless they say otherwise."""

from __future__ import annotations

import asyncio

import pytest
from figures import faint, outside, overlaps, texts, ticks
from machine import in_real_time

from labkit import Cut, Experiment, Goodbye, Peer, Send, Throttle, Trace, open_run, plots, predict, run
from labkit.plots.blockage import Blockage, goodbye, quiet
from labkit.plots.marks import Dot, Ticks

KEEPER = Peer(ping_interval=4, ping_timeout=3, close_timeout=2, buffer=4096)
NEAR = Peer(ping_interval=None, buffer=4096)


def flow(cut: float, every: float = 0.5, size: int = 20_000, heal: float | None = None, *more, until: float | None = 60) -> Experiment:
    """A server with keepalive that sends more than a cut can take."""
    server = Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=every, send_size=size, buffer=4096)
    return Experiment(server=server, client=Peer(buffer=4096), faults=[Cut(cut, heal=heal), *more], until=until)


BEFORE = flow(9)  # drain() is blocked at 9.5 s, the next ping is due at 12 s
SLOW = flow(9, 8, 60_000, until=23).but(faults=[Throttle(at=2, rate=8000)])  # no cut; drain() waits down to the low-water mark
AFTER = flow(11.5, every=1)  # the ping leaves at 12 s, drain() is blocked at 13 s


TWICE = flow(9, 0.5, 20_000, None, Goodbye(20), Goodbye(21))
QUIET = Experiment(server=KEEPER, faults=[Cut(9)])
DRAIN = "send send_context drain"


def chains(trace: Trace, task: str) -> list[tuple[float, str]]:
    return [(e.t, " ".join(e.data["chain"])) for e in trace.select("awaiting", "server") if e.data["task"] == task]


# which await


@pytest.mark.parametrize(
    ("experiment", "task", "first", "last"),
    [
        (BEFORE, "send", (9.0, "send sleep"), (9.5, f"send {DRAIN}")),
        (BEFORE, "keepalive", (9.0, "keepalive sleep"), (12.0, "keepalive ping send_context drain")),
        (AFTER, "keepalive", (12.0, "keepalive"), (15.0, "keepalive send_context drain")),  # for the pong; keepalive's own CLOSE
        (TWICE, "say_goodbye", (20.0, "say_goodbye close send_context drain"), (22.0, "")),
        (QUIET.but(faults=[Cut(9), Send(at=10, end="server", size=60_000)], client=NEAR, until=20), "send", (10.0, f"send {DRAIN}"), None),
    ],
)
def test_a_trace_says_in_which_await_each_task_is_while_bytes_wait(experiment, task, first, last):
    seen = chains(run(experiment, "virtual"), task)
    assert seen[0] == first and seen[-1] == (last or first)


@pytest.mark.parametrize("quiet_one", [QUIET, flow(9, size=10, until=11)], ids=["quiet", "small"])
def test_nobody_looks_while_no_bytes_wait(quiet_one):
    trace = run(quiet_one, "virtual")
    assert not trace.select("awaiting") and not trace.select("waiting")


def test_a_send_from_a_button_is_watched_too():
    with open_run(QUIET.but(client=NEAR, until=20), "virtual") as session:
        session.wait(10)
        session.do(Send(end="server", size=60_000))
        session.wait(5)
    assert chains(session.trace, "send")[0][1].endswith("drain")


@in_real_time
def test_awaits_are_seen_on_the_loopback_wire_as_well():
    server = Peer(ping_interval=0.8, ping_timeout=0.6, close_timeout=0.4, send_every=0.1, send_size=40_000, buffer=4096)
    trace = run(Experiment(server=server, client=NEAR, faults=[Cut(0.5)], until=1.6), "loopback", progress=False)
    assert all(chains(trace, task)[-1][1].endswith("drain") for task in ("send", "keepalive"))
    assert chains(trace, "send")[-1][0] < chains(trace, "keepalive")[-1][0]
    assert plots.blocked(trace).alt.startswith("Blocked, at the server. OPEN, still at 1.6 s")


def test_awaits_are_kept_in_the_file(tmp_path):
    trace = run(BEFORE, "virtual")
    again = Trace.load(trace.save(tmp_path / "a.jsonl"))
    assert chains(again, "keepalive") == chains(trace, "keepalive") and plots.blocked(again).alt == plots.blocked(trace).alt


# what theory promised


TALKING = Peer(ping_interval=None, buffer=4096, send_every=1, send_size=1)  # so that a run goes on until its time is up


@pytest.mark.parametrize(
    ("experiment", "due"),
    [
        (BEFORE, [(15, "notice"), (17, "close")]),
        (AFTER, [(17, "close")]),  # it did notice at 15 s
        (flow(9, every=1, size=1000), []),
        (TWICE, [(15, "notice"), (17, "close")]),
        (flow(9, 0.5, 20_000, None, Goodbye(20)), [(15, "notice"), (17, "close"), (22, "close")]),  # a goodbye has one of its own
        (flow(9, until=16).but(client=TALKING), [(15, "notice")]),  # what is due later is not held against a run
        (flow(9, 0.5, 20_000, None, Throttle(at=1, rate=1e6)), []),  # where theory does not know
    ],
)
def test_what_was_promised_and_not_kept(experiment, due):
    assert Blockage(run(experiment, "virtual"), "server").broken == due


def test_what_was_promised_is_what_theory_says_of_the_same_cut_without_traffic():
    theory = predict(quiet(BEFORE))
    assert (theory.noticed_at("server"), theory.closed_at("server")) == (15, 17)
    assert predict(goodbye(BEFORE, "server", 20)).closed_at("server") == 22 and predict(BEFORE).unknown


# the figure


@pytest.mark.parametrize(
    ("experiment", "finding"),
    [
        (BEFORE, "OPEN, still at 60 s: the ping waits in drain(), and its timer starts only after that"),
        (AFTER, "CLOSING, still at 60 s: keepalive's CLOSE waits in drain(), and close_timeout is looked at only after that"),
        (
            flow(9, 0.5, 20_000, None, Goodbye(20)),
            "CLOSING, still at 60 s: close() waits in drain(), and close_timeout is looked at only after that",
        ),
        (flow(9, heal=30, until=40), "Cut for 21 s, and the server never noticed: its ping waited in drain(), and no timer ran"),
        (flow(11.5, every=1, heal=30), "CLOSED at 38.68 s, 21.68 s after it was due: send() and keepalive's CLOSE waited in drain()"),
        (flow(9, every=1, size=1000), "Nothing is blocked: the server's write buffer never kept a task waiting"),
        (SLOW, "OPEN: send() and ping() waited in drain(), at most for 5.97 s"),
        (QUIET, "Nothing is blocked: the server's write buffer never kept a task waiting"),
    ],
)
def test_the_title_is_the_finding(experiment, finding):
    trace = run(experiment, "virtual")
    for figure in (plots.blocked(trace, theme="dark"), plots.blocked(trace)):
        assert figure.title == finding and figure.alt.startswith(f"Blocked, at the server. {finding}.")
        assert overlaps(figure) == faint(figure) == outside(figure) == []


def test_the_figure_says_in_words_what_waits_where_and_what_did_not_happen():
    figure = plots.blocked(run(BEFORE, "virtual"))
    assert {"15 due: notice", "17 due: close", "PING waits here, behind 35.9 kB", "send(): blocked in drain()"} <= set(texts(figure))
    assert "ping(): blocked in drain(), so the 3 s timer never starts" in texts(figure) and {"9", "12", "15"} <= set(ticks(figure))
    for words in ("notice due at 15 s, and it did not happen", "keepalive from 12 s to the end", "write_limit 32.8 kB", "Cut at 9 s"):
        assert words in figure.alt
    assert "low-water mark: drain() waits until here" in {*texts(plots.blocked(run(SLOW, "virtual")))} - {*texts(figure)}


def test_a_learners_watchdog_has_a_row_and_so_has_the_handler():
    async def handler(websocket):
        async def watchdog():
            await asyncio.sleep(10)
            await websocket.ping()

        dog = asyncio.create_task(watchdog())
        while True:
            await websocket.send(bytes(20_000))
            await asyncio.sleep(0.5)
        await dog

    figure = plots.blocked(run(Experiment(server=KEEPER, client=NEAR, faults=[Cut(9)]), "virtual", server=handler))
    assert {"watchdog", "handler", "keepalive"} <= set(texts(figure))


def test_the_clients_side_is_drawn_when_more_waits_there():
    trace = run(Experiment(server=NEAR, client=BEFORE.server, faults=[Cut(9)], until=60), "virtual")
    assert plots.blocked(trace).alt.startswith("Blocked, at the client. OPEN, still at 60 s")
    assert plots.blocked(trace, end="server").alt.startswith("Blocked, at the server. Nothing is blocked")


def test_every_promise_has_its_step_its_words_and_its_tick():
    figure = plots.blocked(run(TWICE, "virtual"))
    steps = [mark for mark in figure.panels[0].marks if isinstance(mark, Dot)]
    assert [mark.times for mark in figure.panels[0].marks if isinstance(mark, Ticks)] == [tuple(dot.t for dot in steps)]
    assert [(dot.t, dot.sign) for dot in steps] == [(15, "not kept"), (17, "not kept"), (20, "CLOSE"), (21, "CLOSE")]
    assert [dot.at for dot in steps] == sorted({dot.at for dot in steps}, reverse=True) and {"15", "17", "20", "21"} <= set(ticks(figure))
    assert {"15 due: notice", "17 due: close", "close()", "close() again"} <= set(texts(figure))


def test_bad_input_is_refused_in_a_sentence():
    with pytest.raises(TypeError, match="theory awaits nothing"):
        plots.blocked(predict(BEFORE))
    with pytest.raises(ValueError, match="end='server'"):
        plots.blocked(run(BEFORE, "virtual"), end="middle")
