"""The promises of plots.reservoirs: where the bytes are that send() has taken. Runs are in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from figures import faint, overlaps, texts

from labkit import Cut, Experiment, Peer, StopReading, Throttle, Trace, plots, predict, run
from labkit.plots.bars import Bar
from labkit.plots.levels import Levels
from labkit.plots.tanks import BASE, TOP


def flow(size: int = 1000, every: float = 0.1, buffer: int | None = 4096, **more: Any) -> Experiment:
    """A server that sends without end."""
    server = Peer(ping_interval=None, send_size=size, send_every=every, buffer=buffer)
    return Experiment(**{"server": server, "client": Peer(buffer=buffer), "faults": [Cut(5)], "until": 20, **more})


def trace_of(experiment: Experiment) -> Trace:
    return run(experiment, wire="virtual", progress=False)


@pytest.fixture(scope="module")
def cut() -> Trace:
    return trace_of(flow())


# what is counted


def test_every_byte_is_in_one_place_at_every_moment(cut):
    """86 messages and a blocked one, each 1,000 bytes and 4 of header: 50 are received, 4,096 bytes are in the wire, the rest waits."""
    levels = Levels(cut, "server")
    now = levels.at(8.6)
    assert (now.handed, now.received, now.wire, now.queue) == (87 * 1004, 50 * 1004, 4096, 0)
    assert now.buffer == 87 * 1004 - 50 * 1004 - 4096 == cut.waiting("server")[-1][1]
    assert all(min(row.buffer, row.wire, row.queue, row.received) >= 0 for row in levels.history)


def test_a_blocked_send_is_counted_as_handed_over_but_not_as_returned(cut):
    levels = Levels(cut, "server")
    assert len(levels.returned) == 86 and levels.at(8.6).handed == 87 * 1004 and levels.blocked == [(pytest.approx(8.6), None)]


def test_a_message_that_is_in_the_wire_in_part_is_counted_in_part():
    now = Levels(trace_of(flow(size=10_000)), "server").at(5.05)
    assert (now.wire, now.buffer) == (4096, 10_004 - 4096)


def test_a_send_blocks_until_tcp_tries_again_after_the_heal():
    levels = Levels(trace_of(flow(size=100_000, every=0.5, faults=[Cut(5, heal=9)])), "server")
    assert levels.blocked == [(5.0, 11.76)] and levels.at(20).received == levels.at(20).handed


def test_who_stops_reading_fills_its_queue_first():
    levels = Levels(trace_of(flow(faults=[StopReading(5, end="client")])), "server")
    assert levels.at(7).queue > 0 and levels.at(7).buffer == 0
    assert levels.at(10).buffer > 0 and levels.at(10).received == levels.at(5.5).received


def test_what_fits_into_the_kernels_never_waits():
    levels = Levels(trace_of(flow(buffer=None)), "server")
    assert levels.blocked == [] and levels.at(20).wire > 100_000


# what is said


def test_the_title_is_the_finding(cut):
    assert plots.reservoirs(cut).title == "86 sends returned, 50 messages were received; at 8.6 s a send() blocked"
    assert plots.reservoirs(cut, at=7).title == "71 sends returned, 50 messages were received, and no error"
    assert plots.reservoirs(trace_of(flow(faults=[]))).title == "201 sends returned, 201 messages were received"


def test_each_container_has_its_name_and_its_bytes(cut):
    said = texts(plots.reservoirs(cut))
    assert {"write buffer", "wire", "the client's queue"} <= set(said)
    assert {"33.1 kB, full", "4,096 bytes, full", "0 bytes", "50.2 kB", "write_limit"} <= set(said)
    assert {"86 sends returned", "one send() is blocked", "no error", "cut"} <= set(said)


def test_the_panel_marks_the_cut_and_the_moment_send_blocks(cut):
    said = texts(plots.reservoirs(cut))
    assert "cable cut at 5 s: nothing gets through" in said and any("8.6 s" in text and "send() blocks" in text for text in said)
    assert {"in the write buffer", "in the wire", "received"} <= set(said)


def test_a_client_may_be_the_sender():
    sender = Peer(send_every=0.1, send_size=5000, buffer=4096, write_limit=8192)
    trace = trace_of(Experiment(server=Peer(ping_interval=None, buffer=4096), client=sender, faults=[Cut(3, heal=6)], until=10))
    ax = plots.reservoirs(trace, at=5)
    assert "of what the client sends" in ax.alt and "the server's queue" in texts(ax)


def test_the_alt_text_tells_the_whole_figure(cut):
    alt = plots.reservoirs(cut).alt
    assert "Reservoirs at 20 s, of what the server sends. 86 sends returned" in alt and "Cut from 5 s." in alt
    assert (
        "In its write buffer 33.1 kB (write_limit 32.8 kB), in the wire 4,096 bytes, in the client's queue 0 bytes, received 50.2 kB."
        in alt
    )
    assert "A send() is blocked from 8.6 s on." in alt and "a message whose send() is blocked is counted" in alt


# no word on a word, manners


CASES = {
    "cut": (flow(), None),
    "before it blocks": (flow(), 6),
    "large": (flow(size=10_000), None),
    "healed": (flow(size=100_000, every=0.5, faults=[Cut(5, heal=9)]), 7),
    "not read": (flow(faults=[StopReading(5, end="client")]), None),
    "kernels": (flow(buffer=None), None),
    "nothing happens": (flow(faults=[]), None),
    "late": (flow(every=0.02, faults=[Cut(15)]), None),
    "nothing sent": (Experiment(server=Peer(ping_interval=4), until=5), None),
}


@pytest.mark.parametrize("size", [None, (7, 4.6)])
@pytest.mark.parametrize("name", CASES)
def test_no_word_lies_on_another_or_on_a_mark_and_each_can_be_read(name, size):
    experiment, at = CASES[name]
    for theme in ("light", "dark"):
        drawn = plots.reservoirs(trace_of(experiment), at, size=size, theme=theme)
        assert overlaps(drawn) == [] and faint(drawn) == []


def test_it_is_a_picture_in_both_themes_and_registers_nothing(cut, tmp_path):
    drawn = plots.reservoirs(cut, theme="dark")
    assert "background:#111111" in drawn.svg() and 'role="img"' in drawn._repr_mimebundle_()["text/html"]
    assert all(plots.save(drawn, tmp_path / f"r{kind}").stat().st_size > 1000 for kind in (".svg", ".png"))


def heights(drawn: Any) -> dict[str, float]:
    """How high each tank is filled, of all that it could be."""
    bars = [mark for mark in drawn.panels[0].marks if isinstance(mark, Bar)]
    return {bar.fill: (bar.lane[1] - BASE) / (TOP - BASE) for bar in bars}


def test_a_tank_that_takes_no_more_is_drawn_full(cut):
    assert heights(plots.reservoirs(cut)) == {"buffer": 1.0, "wire": 1.0}
    assert heights(plots.reservoirs(cut, at=7))["buffer"] < 0.8 and heights(plots.reservoirs(cut, at=5.2))["wire"] < 0.2


def test_a_send_that_is_blocked_below_the_limit_waits_for_the_low_water_mark():
    drawn = plots.reservoirs(trace_of(flow(60_000, 8, faults=[Throttle(at=2, rate=8000)], until=12)))
    assert "low-water mark, 8,192 bytes" in drawn.alt and "24.0 kB, full until 8,192 bytes" in texts(drawn)


def test_the_heal_is_marked_where_there_is_one():
    experiment, _ = CASES["healed"]
    drawn = plots.reservoirs(trace_of(experiment))
    assert "healed at 9 s" in texts(drawn) and "to 9 s" in drawn.alt


def test_what_it_cannot_count_is_refused_in_a_sentence(cut):
    with pytest.raises(TypeError, match="takes a trace"):
        plots.reservoirs(predict(Experiment(faults=[Cut(9)])))
    with pytest.raises(ValueError, match="run it without"):
        plots.reservoirs(trace_of(flow(compression=True, until=6)))
