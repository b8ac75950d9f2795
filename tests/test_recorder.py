"""Log lines and bytes: what the dialect understands, and what the tap reads."""

import logging

import pytest
from cases import FLY
from websockets.frames import Frame, Opcode

from labkit import run
from labkit.engine.dialect import read
from labkit.engine.recorder import Recorder
from labkit.engine.tap import Stream

LINES = [
    ("= connection is CLOSING", "state", {"state": "CLOSING"}),
    ("> PING b8 df 8b e9 [binary, 4 bytes]", "sent", {"opcode": "PING", "size": 4}),
    ("< PONG 'abcd' [text, 4 bytes]", "got", {"opcode": "PONG", "size": 4}),
    (
        "> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]",
        "sent",
        {"opcode": "CLOSE", "size": 24, "code": 1011, "reason": "keepalive ping timeout"},
    ),
    ("< CLOSE 1000 (OK) [2 bytes]", "got", {"opcode": "CLOSE", "size": 2, "code": 1000, "reason": ""}),
    ("> TEXT 'a > b\n< c' [7 bytes]", "sent", {"opcode": "TEXT", "size": 7}),
    ("< BINARY 00 01 ... ff [40000 bytes, continued]", "got", {"opcode": "BINARY", "size": 40000}),
    ("> EOF", "sent", {"opcode": "EOF"}),
    ("< EOF", "got", {"opcode": "EOF"}),
    ("% sent keepalive ping", "keepalive", {"step": "ping"}),
    ("% sending keepalive ping", "keepalive", {"step": "ping"}),  # until 14
    ("% received keepalive pong", "keepalive", {"step": "pong"}),
    ("- timed out waiting for keepalive pong", "timeout", {}),
    ("! timed out waiting for keepalive pong", "timeout", {}),  # until 13
    ("x half-closing TCP connection", "tcp", {}),
    ("x closing TCP connection", "tcp", {}),
    ("! failing connection with code 1011", "failing", {}),  # legacy
    ("! error while sending data", "error", {}),
    ("> GET / HTTP/1.1", "handshake", {}),
    ("< HTTP/1.1 101 Switching Protocols", "handshake", {}),
    ("connection open", "note", {}),
    ("something nobody has ever seen", "note", {}),
]


@pytest.mark.parametrize(("line", "what", "data"), LINES, ids=[line for line, *_ in LINES])
def test_a_log_line_is_understood_or_kept_as_a_note(line, what, data):
    assert read(line) == (what, {**data, "line": line})


def test_every_line_of_a_run_is_understood_but_for_what_servers_say_of_themselves():
    trace = run(FLY, "virtual")
    notes = {event.data["line"] for event in trace.select("note")}
    assert notes <= {"connection open", "connection closed", "server listening on 127.0.0.1:8765"}
    assert len(trace.log("server")) > 20


def test_the_logger_takes_every_call_that_a_logger_takes():
    recorder = Recorder(lambda: 1.0, lambda end, state: None)
    logger = recorder.logger("server")
    adapter = logging.LoggerAdapter(logger, {"websocket": type("W", (), {"latency": 0.25})()})
    assert isinstance(logger, logging.Logger) and logger.isEnabledFor(logging.DEBUG)
    logger.debug("> %s", "PING")
    logger.log(logging.INFO, "100 % sure")
    try:
        raise ValueError("bad")
    except ValueError:
        logger.error("! oops", exc_info=True)
    adapter.debug("% received keepalive pong")
    lines = [event.data for event in recorder.events(0.0)]
    assert [data["line"] for data in lines] == ["> PING", "100 % sure", "! oops", "% received keepalive pong"]
    assert lines[2]["problem"] == "ValueError: bad" and lines[3]["latency"] == 0.25


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
@pytest.mark.parametrize("sender", ["server", "client"])
def test_the_tap_reads_frames_from_chunks_of_any_size(chunk, sender):
    frames = [Frame(Opcode.PING, b"ping"), Frame(Opcode.BINARY, b"x" * 300, fin=False), Frame(Opcode.CLOSE, b"\x03\xe8bye")]
    data = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"".join(frame.serialize(mask=sender == "client") for frame in frames)
    stream = Stream(sender)
    for start in range(0, len(data), chunk):
        stream.add(start, data[start : start + chunk])
    stream.arrive("whole", len(data) - 3)
    found = list(stream.frames())
    assert [what["opcode"] for _, _, what in found] == ["PING", "BINARY", "CLOSE"]
    assert [what["size"] for _, _, what in found] == [4, 300, 5] and found[1][2]["fin"] is False
    assert (found[2][2]["code"], found[2][2]["reason"]) == (1000, "bye") and found[0][2]["payload"] == b"ping".hex()
    assert [arrived for _, arrived, _ in found] == ["whole", "whole", None]  # a frame that lacks its last byte is stuck


@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
@pytest.mark.parametrize("masked", [False, True])
def test_the_tap_can_be_read_while_bytes_come_and_keeps_only_those_that_are_no_frame_yet(chunk, masked):
    frames = [Frame(Opcode.TEXT, b"hello"), Frame(Opcode.TEXT, b"x" * 200), Frame(Opcode.PONG, b"")]
    hello, deflated, pong = (frame.serialize(mask=masked) for frame in frames)
    deflated = bytes([deflated[0] | 0x40]) + deflated[1:]  # RSV1: compressed
    data = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + hello + deflated + pong
    whole, stream, found = Stream("server"), Stream("server"), []
    whole.add(0, data)
    for start in range(0, len(data), chunk):
        stream.add(0, data[start : start + chunk])
        found += stream.frames(since=len(found))
    assert found == list(whole.frames()) == list(stream.frames()) and len(found) == 3
    assert [what.get("compressed") for _, _, what in found] == [None, True, None] and found[0][2]["payload"] == b"hello".hex()
    assert b"".join(stream.data) == b"" and stream.head.endswith(b"Protocols\r\n\r\n")


def test_the_tap_stops_where_the_stream_is_no_websocket():
    stream = Stream("server")
    stream.add(0, b"HTTP/1.1 400 Bad Request\r\n\r\n\xff\xff\xff\xff")
    assert list(stream.frames()) == []
