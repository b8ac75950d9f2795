"""The promises of plots.reservoirs: where the bytes are that send() has taken. Runs are in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from figures import faint, marks, outside, overlaps, texts, ticks

from labkit import Cut, Experiment, Goodbye, Peer, StopReading, Throttle, Trace, plots, predict, run
from labkit.plots.bars import Bar
from labkit.plots.levels import Levels, byte_axis
from labkit.plots.marks import Area, Dot
from labkit.plots.tanks import BASE, TOP

FRAME = 1004  # bytes: a message of 1,000 and its header


def flow(size: int = 1000, every: float = 0.1, buffer: int | None = 4096, write_limit: int = 2**15, **more: Any) -> Experiment:
    """A server that sends without end."""
    server = Peer(ping_interval=None, send_size=size, send_every=every, buffer=buffer, write_limit=write_limit)
    return Experiment(**{"server": server, "client": Peer(buffer=buffer), "faults": [Cut(5)], "until": 20, **more})


TALKER = Peer(send_every=0.1, send_size=5000, buffer=4096, write_limit=8192)
CASES = {
    "cut": flow(),
    "large": flow(size=10_000),
    "healed": flow(size=100_000, every=0.5, faults=[Cut(5, heal=9)]),
    "not read": flow(faults=[StopReading(5, end="client")]),
    "kernels": flow(buffer=None),
    "nothing happens": flow(faults=[]),
    "late": flow(every=0.02, faults=[Cut(15)]),
    "nothing sent": Experiment(server=Peer(ping_interval=4), until=5),
    "slow": flow(60_000, 8, faults=[Throttle(at=2, rate=8000)], until=12),
    "slower": flow(1000, 1, write_limit=4096, faults=[Throttle(at=2, rate=500)], until=40),  # it blocks, goes on, and blocks
    "client": Experiment(server=Peer(ping_interval=None, buffer=4096), client=TALKER, faults=[Cut(3, heal=6)], until=10),
    "closed": flow(faults=[Goodbye(5, end="client")]),
    "the other way": flow(faults=[Cut(5, direction="to_server")]),
}


@pytest.fixture(scope="module")
def traces() -> dict[str, Trace]:
    return {name: run(experiment, wire="virtual", progress=False) for name, experiment in CASES.items()}


# what is counted


@pytest.mark.parametrize(
    ("name", "t", "buffer", "wire", "queue", "received"),
    [
        ("cut", 8.6, 37 * FRAME - 4096, 4096, 0, 50 * FRAME),
        ("large", 5.05, 10_004 - 4096, 4096, 0, 50 * 10_004),  # a part of a message is counted in part
        ("healed", 8.9, 100_010 - 4096, 4096, 0, 10 * 100_010),
        ("not read", 6, 0, 0, 11 * FRAME, 50 * FRAME),
        ("kernels", 20, 0, 151 * FRAME, 0, 50 * FRAME),
    ],
)
def test_every_byte_is_in_one_place(name, t, buffer, wire, queue, received, traces):
    levels = Levels(traces[name], "server")
    now = levels.at(t)
    assert (now.buffer, now.wire, now.queue, now.received) == (buffer, wire, queue, received)
    assert all(min(row.buffer, row.wire, row.queue, row.received) >= 0 for row in levels.history)


def test_a_blocked_send_is_counted_as_handed_over_but_not_as_returned(traces):
    levels = Levels(traces["cut"], "server")
    assert len(levels.returned) == 86 and levels.at(8.6).handed == 87 * FRAME
    assert levels.blocked_since(8.5) is None and levels.blocked_since(9) == pytest.approx(8.6)


@pytest.mark.parametrize("name", ["cut", "healed", "slow", "slower"])
def test_a_send_is_blocked_while_its_task_waits_in_drain(name, traces):
    seen = [e for e in traces[name].select("awaiting", "server") if e.data["task"] == "send"]
    waits = [(event.t, event.data["chain"][-1] == "drain") for event in seen]
    ends = [t for t, is_blocked in waits if not is_blocked]
    spans = [(t, next((end for end in ends if end > t), None)) for t, is_blocked in waits if is_blocked]
    assert Levels(traces[name], "server").blocked == spans != []


@pytest.mark.parametrize(("top", "last"), [(2.5, "2 bytes"), (9_000, "8,000 bytes"), (21_000, "20 kB"), (1.1e6, "1 MB")])
def test_all_ticks_of_bytes_have_one_unit(top, last):
    words = [tick.text for tick in byte_axis(0, top).ticks]
    assert words[0] == "0" and words[-1] == last and len({text.split()[1].rstrip("s") for text in words[1:]}) == 1


# what is drawn


@pytest.mark.parametrize(
    ("name", "at", "title"),
    [
        ("cut", None, "86 sends returned, 50 messages were received; at 8.6 s a send() blocked"),
        ("cut", 7, "71 sends returned, 50 messages were received, and no error"),
        ("nothing happens", None, "201 sends returned, 201 messages were received"),
        ("slow", None, "1 send returned, 1 message was received; at 8 s a send() blocked"),
        ("nothing sent", 1, "The client has sent nothing"),
        ("nothing sent", None, "10 bytes sent, 10 bytes received"),
    ],
)
def test_the_title_is_the_finding(name, at, title, traces):
    assert plots.reservoirs(traces[name], at, sender="client" if name == "nothing sent" else None).title == title


def test_each_container_has_its_name_and_its_bytes(traces):
    said = texts(plots.reservoirs(traces["cut"]))
    assert {"write buffer", "wire", "the client's queue", "33.1 kB, full", "4,096 bytes, full", "0 bytes", "50.2 kB"} <= set(said)
    assert {
        "86 sends returned",
        "one send() is blocked",
        "no error",
        "cut",
        "write_limit",
        "cable cut at 5 s: nothing gets through",
    } <= set(said)
    assert {"in the write buffer", "in the wire", "received"} <= set(said) and any("send() blocks" in text for text in said)
    assert {"the server's queue", "healed at 6 s"} <= set(texts(plots.reservoirs(traces["client"], at=5)))
    assert "the client stops reading at 5 s" in texts(plots.reservoirs(traces["not read"]))
    assert "cut" not in texts(plots.reservoirs(traces["the other way"], at=5.01))


def heights(drawn: Any) -> dict[str, float]:
    """How high each tank is filled, of all that it could be."""
    bars = [mark for mark in drawn.panels[0].marks if isinstance(mark, Bar)]
    return {bar.fill: (bar.lane[1] - BASE) / (TOP - BASE) for bar in bars}


def test_a_tank_that_takes_no_more_is_drawn_full(traces):
    assert heights(plots.reservoirs(traces["cut"])) == {"buffer": 1.0, "wire": 1.0}
    early = heights(plots.reservoirs(traces["cut"], at=7))
    assert 0.4 < early["buffer"] < 0.8 and heights(plots.reservoirs(traces["cut"], at=5.2))["wire"] < 0.2
    queue = heights(plots.reservoirs(traces["not read"]))
    assert queue["buffer"] == queue["wire"] == 1 and 0 < queue["queue"] < 0.8


def test_a_send_that_is_blocked_below_the_limit_waits_for_the_low_water_mark(traces):
    drawn = plots.reservoirs(traces["slow"])
    assert "low-water mark, 8,192 bytes" in drawn.alt and "24.0 kB: waits until low-water mark, 8,192" in texts(drawn)
    assert heights(drawn)["buffer"] < 1 and "write_limit" not in texts(plots.reservoirs(traces["nothing happens"]))


@pytest.mark.parametrize("name", ["healed", "nothing happens", "nothing sent", "closed"])
def test_empty_tanks_are_not_drawn(name, traces):
    drawn = plots.reservoirs(traces[name])
    assert heights(drawn) == {} and "write buffer" not in texts(drawn) and drawn.size < plots.reservoirs(traces["cut"]).size
    known = "the server has an error" if name == "closed" else "has no error"
    assert any("nothing is on its way" in text and known in text for text in texts(drawn))


def test_over_time_the_places_are_stacked_and_what_happens_has_its_tick(traces):
    drawn = plots.reservoirs(traces["cut"])
    areas = {area.fill: area.steps for area in marks(drawn, Area)}
    levels = Levels(traces["cut"], "server")
    assert [tuple(areas[place][-1][1:]) for place in ("received", "wire", "buffer")] == [
        (0, 50 * FRAME), (50 * FRAME, 50 * FRAME + 4096), (50 * FRAME + 4096, 87 * FRAME)
    ]  # fmt: skip
    assert [dot.t for dot in marks(drawn, Dot) if dot.sign == "blocks"] == [levels.blocked[0][0]]
    assert {"0", "5", "8.6"} <= {tick.text for tick in drawn.panels[1].along.placed(500)} and ticks(drawn) == []


def test_it_is_seen_and_said_where_nothing_can_happen_any_more(traces):
    drawn, end = plots.reservoirs(traces["not read"]), traces["not read"].end
    assert drawn.panels[1].along.high > end and f"From {end:g} s on nothing can happen any more" in drawn.alt
    assert plots.reservoirs(traces["slow"]).panels[1].along.high == traces["slow"].end


def test_a_long_story_begins_a_while_before_its_trouble(traces):
    along = plots.reservoirs(traces["late"]).panels[1].along
    end, cut = traces["late"].end, 15
    assert along.low == pytest.approx(cut - (end - cut)) and plots.reservoirs(traces["cut"]).panels[1].along.low == 0


def test_the_alt_text_tells_the_whole_figure(traces):
    alt = plots.reservoirs(traces["cut"]).alt
    for words in (
        f"Reservoirs at {traces['cut'].end:g} s, of what the server sends. 86 sends returned",
        "In its write buffer 33.1 kB (write_limit 32.8 kB), in the wire 4,096 bytes, in the client's queue 0 bytes, received 50.2 kB.",
        "Cut from 5 s. A send() is blocked from 8.6 s on. Its program has no error.",
    ):
        assert words in alt
    assert "Cut from 5 s to 9 s. A send() is blocked from 5 s to " in plots.reservoirs(traces["healed"]).alt


@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read_at_any_moment(name, traces):
    for at, theme, size in ((None, "light", None), (7, "dark", (7, 4.6))):
        drawn = plots.reservoirs(traces[name], at, size=size, theme=theme)
        assert size or outside(drawn) == []
        assert overlaps(drawn) == faint(drawn) == overlaps(drawn.until(0.1)) == overlaps(drawn.until(5.1)) == []


def test_what_it_cannot_count_is_refused_in_a_sentence():
    with pytest.raises(TypeError, match="takes a trace"):
        plots.reservoirs(predict(Experiment(faults=[Cut(9)])))
    with pytest.raises(ValueError, match="run it without"):
        plots.reservoirs(run(flow(compression=True, until=6), wire="virtual", progress=False))
