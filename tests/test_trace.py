"""A trace is plain data: it prints, answers, and survives its file; a damaged file is refused with the line that is."""

import json
import os

import pytest
from cases import FLY, small

from labkit import Cut, Goodbye, Peer, Send, Trace, predict, run


@pytest.fixture(scope="module")
def fly():
    return run(FLY, "virtual")


@pytest.fixture
def saved(fly, tmp_path):
    return fly.save(tmp_path / "fly.jsonl")


def test_a_trace_survives_its_file(fly, saved):
    again = Trace.load(saved)
    assert again.events == fly.events and again.header == fly.header and again.experiment == fly.experiment
    assert str(again) == str(fly) and again.end == fly.end == 17


def test_unknown_fields_and_events_of_a_file_are_kept(saved, tmp_path):
    lines = saved.read_text().splitlines()
    event = json.loads(lines[1])
    lines[1] = json.dumps({**event, "mood": "calm"})
    lines.append(json.dumps({"t": 18, "where": "kernel", "witness": "kernel", "what": "orphan", "rto": 3.2}))
    header = json.loads(lines[0])
    lines[0] = json.dumps({**header, "events": header["events"] + 1, "class": "5b"})
    path = tmp_path / "other.jsonl"
    path.write_text("\n".join(lines) + "\n")
    trace = Trace.load(path)
    assert trace.events[0].data["mood"] == "calm" and trace.events[-1].data == {"rto": 3.2} and trace.header["class"] == "5b"
    assert Trace.load(trace.save(path)).events == trace.events


def damage(lines):
    """Ways to hurt a trace file, and the words that the refusal must hold."""
    header = json.loads(lines[0])
    yield "", ["not a trace", "''"]
    yield "hello\n", ["not a trace", "hello"]
    yield "\n".join(lines[1:]), ["not a trace"]
    yield "\n".join(lines[:-3]), ["cut short", f"expected {header['events']} events", f"seen {header['events'] - 3}"]
    yield "\n".join(lines)[:-20], ["line", str(len(lines))]
    yield "\n".join([lines[0], lines[1], '{"t": 1}', *lines[3:]]), ["damaged in line 3"]
    yield "\n".join([lines[0], "[1, 2]", *lines[2:]]), ["damaged in line 2"]
    yield "\n".join([json.dumps({**header, "labkit trace": 99}), *lines[1:]]), ["format 99", "reads format 1"]
    yield "\n".join([json.dumps({**header, "events": None}), *lines[1:]]), ["damaged in line 1", "how many events"]
    yield "\n".join([json.dumps({**header, "experiment": {"server": 3}}), *lines[1:]]), ["damaged in line 1", "Experiment.server"]


def test_a_damaged_file_is_refused_in_one_sentence_that_names_the_place(saved, tmp_path):
    for number, (text, words) in enumerate(damage(saved.read_text().splitlines())):
        path = tmp_path / f"damaged-{number}.jsonl"
        path.write_text(text)
        with pytest.raises(ValueError) as refusal:
            Trace.load(path)
        sentence = str(refusal.value)
        assert path.name in sentence and "\n" not in sentence and all(word in sentence for word in words), sentence


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ValueError, match="not a trace"):
        Trace.load(tmp_path / "x")


def test_saving_is_all_or_nothing(fly, tmp_path, monkeypatch):
    path = fly.save(tmp_path / "fly.jsonl")
    whole = path.read_text()

    def broken(self):
        yield "half"
        raise KeyboardInterrupt

    monkeypatch.setattr(Trace, "to_lines", broken)
    with pytest.raises(KeyboardInterrupt):
        fly.save(path)
    assert path.read_text() == whole and os.listdir(tmp_path) == ["fly.jsonl"]


def test_the_header_says_what_was_run_on_what_when_and_how_it_ended(fly):
    header = json.loads(next(fly.to_lines()))
    assert header["wire"] == header["clock"] == "virtual" and header["end"] == 17.0
    assert header["experiment"]["server"]["ping_interval"] == 4
    assert {"websockets", "python"} <= set(header["versions"]) and header["date"][:2] == "20" and "keepalive" in header["ended"]


@pytest.mark.parametrize(
    "header, word",
    [
        ({"over": "until", "ended": "its time was up; the client was busy"}, "until"),
        ({"ended": "its time was up; the client was busy"}, "until"),  # recorded before the word
        ({"ended": "the server has ended, and nobody else has keepalive"}, "keepers ended"),
        ({"ended": "nothing can happen any more: server: no task; client: read → recv"}, "stuck"),
        ({}, None),
    ],
)
def test_why_a_run_was_over_is_a_word_also_of_a_trace_that_has_the_sentence_only(fly, header, word):
    assert Trace(fly.experiment, [], header).over == word


def test_the_short_table_tells_the_story(fly):
    table = str(fly)
    for line in (
        "4.000  server  PING → arrives",
        "9.000  wire    cut begins, both ways",
        "12.000  server  PING → stuck",
        "15.000  server  CLOSE 1011 keepalive ping timeout → stuck",
        "server: noticed 15.000 s, closed 17.000 s, told 17.000 s",
        "client: noticed never, closed never, told never",
    ):
        assert line in table
    assert "CLOSED" in table and "ConnectionClosedError" in table


def test_the_table_of_a_long_trace_stays_short_and_says_what_it_leaves_out():
    flood = small(faults=[Send(0.01, every=0.0003)], until=1.0)
    trace = run(flood, "virtual")
    assert len(trace.frames("server")) > 1200
    table = str(trace)
    assert table.count("\n") < 60 and "data frames" in table
    long = run(FLY.but(faults=[], until=500), "virtual")
    assert "more lines" in str(long) and str(long).count("\n") < 60


def test_the_questions(fly):
    assert fly.states("server") == [(0, "CONNECTING"), (0, "OPEN"), (15, "CLOSING"), (17, "CLOSED")]
    assert [fly.state_at("server", t) for t in (-1, 14.9, 15, 16, 99)] == [None, "OPEN", "CLOSING", "CLOSING", "CLOSED"]
    assert [frame.receiver for frame in fly.frames("server")] == ["client"] * 4
    pings = {frame.payload for frame in fly.frames(opcode="PING") if frame.arrived_at is not None}
    assert (
        pings
        == {frame.payload for frame in fly.frames("client", "PONG")}
        == {e.data["payload"] for e in fly.select("frame", opcode="PONG")}
    )
    assert fly.frames("server")[-1].reason == "keepalive ping timeout"
    assert fly.latencies("server") == [(4, 0), (8, 0)]
    with pytest.raises(ValueError, match="'middle'"):
        fly.states("middle")


def test_the_log_is_what_production_shows_at_debug(fly):
    log = [line.split(None, 1)[1] for line in fly.log("server")]
    assert "= connection is OPEN" in log and "% sent keepalive ping" in log and "- timed out waiting for keepalive pong" in log
    assert any(line.startswith("> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]") for line in log)


def test_bytes_waiting_are_recorded_as_they_change():
    flood = Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_size=1000, send_every=0.05, buffer=4096)
    trace = run(FLY.but(server=flood, client=Peer(buffer=4096), until=20, faults=[Cut(2, heal=3.2)]), "virtual")
    waiting = trace.waiting("server")
    assert waiting and all(a[1] != b[1] for a, b in zip(waiting, waiting[1:]))
    assert 10_000 < max(count for _, count in waiting) and waiting[-1][1] == 0


def test_a_trace_turns_into_a_data_frame(fly):
    pandas = pytest.importorskip("pandas")
    rows = fly.to_pandas()
    assert isinstance(rows, pandas.DataFrame) and len(rows) == len(fly.events)
    assert rows[rows.what == "state"].query("where == 'server'").state.tolist()[-1] == "CLOSED"


def test_without_pandas_one_is_told_what_to_install(fly, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        fly.to_pandas()


def test_a_prediction_answers_the_same_questions(fly):
    assert [(f.sender, f.opcode, f.sent_at, f.arrived_at) for f in predict(FLY).frames()] == [
        (f.sender, f.opcode, f.sent_at, f.arrived_at) for f in fly.frames()
    ]
    assert predict(FLY).states("server")[0] == (0, "OPEN")


def test_close_codes_and_reasons_are_in_the_frames():
    trace = run(small(faults=[Goodbye(0.1, code=4001, reason="ça suffit")]), "virtual")
    assert [(f.code, f.reason) for f in trace.frames(opcode="CLOSE")] == [(4001, "ça suffit")] * 2


def test_a_handlers_own_mistake_is_raised_but_tells_it_nothing_of_the_connection():
    async def mistaken(websocket):
        raise KeyError("oops")

    async def loops(websocket):
        async for _ in websocket:
            pass

    trace = run(small(faults=[], until=5), "virtual", server=mistaken, client=loops)
    assert [one.type for one in trace.raised("server")] == ["KeyError"] and trace.told_at("server") is None
    assert "its handler raises KeyError: 'oops'" in str(trace)
    assert trace.raised("client")[0].awaiting == "recv" and trace.told_at("client") is not None  # async for calls recv()


def test_a_close_without_a_code_has_none_on_the_wire():
    async def like_a_browser(websocket):
        async with websocket.send_context():
            websocket.protocol.send_close()

    trace = run(small(faults=[], until=5), "virtual", client=like_a_browser)
    assert {(frame.opcode, frame.code, frame.size) for frame in trace.frames()} == {("CLOSE", None, 0)}
    assert "CLOSE without a code → arrives" in str(trace) and trace.raised("server")[0].code == 1005
