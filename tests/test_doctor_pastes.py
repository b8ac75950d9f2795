"""What people paste: exceptions in any wrapping, chains of causes, old versions' words, logs that are cut."""

import re

import pytest
from doctor_cases import CAUSES, render, seeded
from doctor_cases import verdicts as verdicts_of
from pasted import answers

from labkit.doctor import diagnose, text

TIMEOUT = "sent 1011 (internal error) keepalive ping timeout; no close frame received"
CHAIN = ["", "The above exception was the direct cause of the following exception:", ""]
TRACEBACK = "Traceback (most recent call last):"
NO_CLOSE = "websockets.exceptions.ConnectionClosedError: no close frame received or sent"


def causes(rows):
    return [(one.cause, one.sure) for one in diagnose(rows).verdicts]


def only(rows):
    (found,) = diagnose(rows).verdicts
    return found


WRAPPINGS = {
    "bare": [TIMEOUT],
    "a level and a name": [f"ERROR:app.feed:lost the feed: {TIMEOUT}"],
    "quotes": [f"reconnecting because '{TIMEOUT}'"],
    "CJK text": [f"连接断开{TIMEOUT}，正在重连"],
    "JSON": [f'{{"level": "error", "msg": "ws died: {TIMEOUT}"}}'],
    "a traceback in JSON": [f'{{"event": "died", "exception": "{TRACEBACK}\\n  File \\"x\\"\\nConnectionClosedError: {TIMEOUT}"}}'],
    "rich": [
        "│ in ensure_open:939   │",
        "ConnectionClosedError: sent 1011 (internal",
        "error) keepalive ping timeout; no close frame received",
    ],
    "rich, elsewhere": ["ConnectionClosedError: sent 1011 (internal error) keepalive ping ", "timeout; no close frame received"],
    "pytest": [f"E   websockets.exceptions.ConnectionClosedError: {TIMEOUT}"],
    "a repr": ["future: <Future finished exception=ConnectionClosedError(None, Close(code=1011, reason='keepalive ping timeout'), None)>"],
    "a repr with an enum": [
        "ConnectionClosedError(None, Close(code=<CloseCode.INTERNAL_ERROR: 1011>, reason='keepalive ping timeout'), None)"
    ],
    "a chain that repeats it": [f"TimeoutError: {TIMEOUT}", *CHAIN, TRACEBACK, f"RuntimeError: {TIMEOUT}"],
}


@pytest.mark.parametrize("rows", WRAPPINGS.values(), ids=WRAPPINGS)
def test_an_exceptions_text_is_found_in_any_wrapping(rows):
    assert only(rows).cause == "own_timeout" and only(rows).sure == "certain"


CODES = [
    ("sent 1000 (OK); no close frame received", "unanswered_close", "no CLOSE came back"),
    ("sent 1001 (going away); no close frame received", "unanswered_close", ""),
    ("received 1000 (OK); then sent 1000 (OK)", "goodbye", ""),
    ("received 1013 (try again later) too many; then sent 1013 (try again later) too many", "other_code", "too many"),
    ("received 4009 (private use) Session timed out; then sent 4009 (private use) x", "other_code", "Session timed out"),
    ("received 1012 (service restart); then sent 1012 (service restart)", "going_away", ""),
    ("received 1009 (message too big); then sent 1009 (message too big)", "refused_data", "the peer's"),
    ("sent 1009 (message too big); no close frame received", "refused_data", "this end's max_size"),
    ("received 1008 (policy violation) Invalid token; then sent 1008 (policy violation)", "refused_data", "Invalid token"),
    ("sent 1002 (protocol error) invalid opcode; no close frame received", "refused_data", "invalid opcode"),
    ("ConnectionClosedOK(Close(code=1000, reason=''), Close(code=1000, reason=''), True)", "goodbye", ""),
    ("ConnectionClosedError(Close(code=1011, reason='keepalive ping timeout'), Close(code=1011, reason=''), True)", "peer_timeout", ""),
    ("ConnectionClosedError(Close(code=1002, reason=''), Close(code=1000, reason=''), False)", "goodbye", "sent 1000"),
    ("code = 1000 (OK), reason = bye", "goodbye", "bye"),
    ("WebSocket connection is closed: code = 1001 (going away), no reason", "going_away", ""),
]


@pytest.mark.parametrize(("words", "cause", "said"), CODES, ids=[words[:40] for words, _, _ in CODES])
def test_any_code_is_told_with_its_reason_and_whose_it_was(words, cause, said):
    found = only([words])
    assert found.cause == cause and said in found.why


BELOW = [
    ("asyncio.exceptions.IncompleteReadError: 0 bytes read on a total of 2 expected bytes", "without a CLOSE"),
    ("ConnectionResetError: [Errno 104] Connection reset by peer", "reset, by the peer"),
    ("ConnectionResetError: [WinError 10054] Eine vorhandene Verbindung", "reset, by the peer"),
    ("OSError: [WinError 121] Das Zeitlimit für die Semaphore wurde erreicht", "this machine's TCP gave up"),
    ("TimeoutError: [Errno 110] Connection timed out", "this machine's TCP gave up"),
    ("BrokenPipeError: [Errno 32] Broken pipe", "had gone before"),
]


@pytest.mark.parametrize(("below", "said"), BELOW, ids=[below[:30] for below, _ in BELOW])
def test_the_chain_of_causes_tells_how_tcp_ended(below, said):
    assert only([TRACEBACK, below, *CHAIN, TRACEBACK, NO_CLOSE]).cause == "tcp_lost"
    assert said in only([TRACEBACK, below, *CHAIN, TRACEBACK, NO_CLOSE]).why
    as_legacy = only(["data transfer failed", TRACEBACK, below, *CHAIN, f"{TRACEBACK} sent 1011 (internal error); no close frame received"])
    assert as_legacy.cause == "tcp_lost" and said in as_legacy.why


def test_a_chain_of_another_traceback_is_not_taken_for_this_ones():
    far = [f"2026-11-23 07:00:00 INFO request {n} served" for n in range(300)]
    assert "reset" not in only(["aiohttp: ConnectionResetError", *far, NO_CLOSE]).why


ELSEWHERE = [
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x'): [Errno -2] Name or service not known",
    "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host x:443 [getaddrinfo failed]",
    "redis.exceptions.ConnectionError: ConnectionResetError: [Errno 104] Connection reset by peer",
    "the query exceeds limit",
    "my app sent 1011 (items) today",
    "received 1200 (of 2000) rows; done",
    "the parcel's code = 1234 was fine",
]


@pytest.mark.parametrize("words", ELSEWHERE)
def test_other_programs_errors_are_not_taken_for_the_librarys(words):
    assert causes([TRACEBACK, words]) == []


def test_a_reset_that_names_no_library_is_only_possible():
    assert causes(["ConnectionResetError: [Errno 104] Connection reset by peer"]) == [("tcp_lost", "possible")]


OTHERS = [
    ("socket.gaierror: [Errno -2] Name or service not known", "unreachable"),
    ("connect failed; reconnecting in 5.0 seconds: OSError: [Errno 51] Network is unreachable", "unreachable"),
    ("ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 8765)", "unreachable"),
    ("websockets.exceptions.InvalidStatusCode: server rejected WebSocket connection: HTTP 403", "handshake"),
    ("websockets.exceptions.InvalidMessage: did not receive a valid HTTP response", "handshake"),
    ("TimeoutError: timed out during opening handshake", "handshake"),
    ("websockets.exceptions.InvalidMessage: did not receive a valid HTTP request", "probe"),
    ("ERROR:websockets.server:opening handshake failed", "probe"),
    ("websockets.exceptions.InvalidUpgrade: invalid Connection header: keep-alive", "probe"),
    ("WebSocket connection to 'wss://x' failed: Error during WebSocket handshake: Unexpected response code: 502", "handshake"),
    ("[error] 31#31: *8 upstream timed out (110: Connection timed out) while proxying upgraded connection, client: 10.9.1.4", "idle_drop"),
    ("INFO:     connection rejected (403 Forbidden)", "handshake"),
    ("websockets.exceptions.NegotiationError: no subprotocols supported", "handshake"),
    ("websockets.exceptions.InvalidURI: http://x isn't a valid URI: scheme isn't ws or wss", "unreachable"),
    ("RuntimeError: cannot call recv while another coroutine is already waiting for the next message", "misuse"),
    ("websockets.exceptions.PayloadTooBig: payload length exceeds limit: 2097152 > 1048576 bytes", "refused_data"),
    ("websockets.exceptions.PayloadTooBig: frame with 2097152 bytes exceeds limit of 1048576 bytes", "refused_data"),
]


@pytest.mark.parametrize(("words", "cause"), OTHERS, ids=[words[:40] for words, _ in OTHERS])
def test_what_else_the_library_and_asyncio_say_is_known(words, cause):
    assert only([TRACEBACK, words]).cause == cause


def test_handshakes_of_health_checks_are_harmless_and_can_be_silenced():
    report = diagnose(["ERROR:websockets.server:opening handshake failed", TRACEBACK, "EOFError: stream ends after 0 bytes"])
    assert report.causes == {"probe"} and "harmless" in text(report) and "setLevel" in text(report)


def test_an_assertion_in_drain_says_to_leave_legacy():
    rows = [TRACEBACK, '  File "streams.py", line 194, in _drain_helper', "    assert waiter is None", "AssertionError"]
    assert causes(rows) == [("legacy_bug", "certain")] and "legacy" in text(diagnose(rows))
    assert causes([TRACEBACK, "AssertionError"]) == []


def test_a_full_queue_in_the_chain_says_that_this_end_reads_too_slowly():
    rows = [TRACEBACK, "    await self._put_message_waiter", "asyncio.exceptions.CancelledError", *CHAIN, TIMEOUT]
    assert causes(rows) == [("slow_reader", "likely")]


def test_1006_of_old_versions_is_never_certain_and_its_chain_helps():
    closed = "websockets.exceptions.ConnectionClosedError: code = 1006 (connection closed abnormally [internal]), no reason"
    assert causes([closed]) == [("tcp_lost", "possible")]
    assert causes(["ConnectionResetError: [Errno 104] Connection reset by peer", *CHAIN, closed]) == [("tcp_lost", "likely")]
    assert causes(["asyncio.exceptions.CancelledError", *CHAIN, closed]) == [("own_timeout", "possible")]


SAYS = {  # what is certain, and the line that says so by itself
    "own_timeout": "timed out waiting for keepalive pong|sent 1011 keepalive",
    "peer_timeout": "< CLOSE 1011 .*keepalive|received 1011 keepalive",
    "handler_raised": "connection handler failed",
    "peer_failed": "< CLOSE 1011|received 1011",
    "goodbye": "CLOSE (1000|1005|'')|CLOSE .0 bytes|(sent|received) (1000|1005)",
    "going_away": "CLOSE 10(01|12)|(sent|received) 10(01|12)",
    "other_code": "CLOSE (1013|1014|[34]...)|(sent|received) (1013|1014|[34]...)",
    "refused_data": "CLOSE 10(0[23789]|10)|(sent|received) 10(0[23789]|10)",
    "unanswered_close": "no CLOSE came back",
    "tcp_lost": "no close frame received or sent",
    "idle_drop": "nginx",
    "handshake": "handshake|HTTP",
    "probe": "did not speak WebSocket",
    "misuse": "two tasks",
    "legacy_bug": "AssertionError",
    "unreachable": "URI",
}


def test_what_is_certain_stands_in_one_line():
    found = [one for verdicts in answers().values() for one in verdicts if one.sure == "certain"]
    found += [one for cause in CAUSES for form in ("asctime", "json") for one in verdicts_of(render(seeded(cause, 0), form))]
    for one in found:
        if one.sure == "certain":
            assert any(re.search(SAYS[one.cause], fact.words) for fact in one.evidence), one
    assert len(found) > 100


# debug logs


OLD_LOG = [
    "server - state = CONNECTING",
    "server - event = connection_made(<_SelectorSocketTransport fd=8>)",
    "server - state = OPEN",
    r"server > Frame(fin=True, opcode=9, data=b'\x92\xd8m\x9d', rsv1=False, rsv2=False, rsv3=False)",
]
OLD_ENDS = [
    (["server ! timed out waiting for pong", "server ! failing OPEN WebSocket connection with code 1011"], "own_timeout"),
    (["server - event = connection_lost([Errno 104] Connection reset by peer)"], "tcp_lost"),
    (["server ! failing WebSocket connection in the OPEN state: 1009 [no reason]"], "refused_data"),
]
OLD_CLOSES = {1011: r"b'\x03\xf3'", 1009: r"b'\x03\xf1'"}


@pytest.mark.parametrize(("end", "cause"), OLD_ENDS, ids=[cause for _, cause in OLD_ENDS])
@pytest.mark.parametrize("prefix", ["", "[1616527748.5][websockets.protocol][DEBUG] ", "websockets.protocol - DEBUG - "])
def test_versions_7_to_9_are_read_in_their_own_words(end, cause, prefix):
    code = next((data for code, data in OLD_CLOSES.items() if str(code) in end[-1]), None)
    closing = ["server - state = CLOSING", f"server > Frame(fin=True, opcode=<Opcode.CLOSE: 8>, data={code}, rsv1=False)"] if code else []
    rows = [*OLD_LOG, *end, *closing, "server - state = CLOSED", "server x code = 1006, reason = [no reason]"]
    found = only([f"{prefix}{row}" for row in rows])
    assert found.cause == cause and found.side == "server"


def test_10_0_wrote_two_per_cent_signs():
    pings = ["%% sending keepalive ping", "> PING 4e 4a [binary, 2 bytes]", "< PONG 4e 4a [binary, 2 bytes]", "%% received keepalive pong"]
    assert causes(["= connection is OPEN", *pings]) == [("alive", "likely")]


def test_a_pong_with_other_bytes_is_the_peers_bug():
    rows = ["= connection is CONNECTING", "= connection is OPEN", "> PING 0a 0b [binary, 2 bytes]", "% sent keepalive ping"]
    rows += [
        "< PONG '' [0 bytes]",
        "- timed out waiting for keepalive pong",
        "> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]",
    ]
    assert causes(rows) == [("pong_bug", "likely")]


OPENED = ["= connection is CONNECTING", "= connection is OPEN"]


def test_a_peer_that_sends_but_does_not_pong_is_there():
    pinged = [*OPENED, "> PING 0a [binary, 1 byte]", "% sent keepalive ping"]
    end = ["- timed out waiting for keepalive pong", "> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]"]
    assert "answers no pings" in only([*pinged, "< TEXT 'x' [1 byte]", *end]).notes[0]
    assert not only([*OPENED, "< TEXT 'x' [1 byte]", *pinged[2:], *end]).notes


@pytest.mark.parametrize("size", ["", " [2 bytes]"])
def test_a_close_line_needs_no_byte_count(size):
    rows = [*OPENED, f"< CLOSE 4001 (private use) token expired{size}", f"> CLOSE 4001 (private use) token expired{size}"]
    assert only(rows).cause == "other_code" and "token expired" in only(rows).why


def test_a_close_that_was_not_answered_is_no_goodbye():
    rows = [*OPENED, "> CLOSE 1000 (OK) [2 bytes]", "= connection is CLOSING", "< EOF", "= connection is CLOSED"]
    assert causes(rows) == [("unanswered_close", "likely")]


def test_a_log_that_is_cut_in_closing_is_not_alive():
    pings = ["> PING 4e [binary, 1 byte]", "% sent keepalive ping", "< PONG 4e [binary, 1 byte]", "% received keepalive pong"]
    for last in ("x closing TCP connection", "- timed out waiting for TCP close", "= connection is CLOSING"):
        assert "alive" not in diagnose([*pings, last]).causes


def test_a_name_that_is_not_resolved_in_a_connection_is_not_its_end():
    assert "tcp_lost" not in diagnose([*OPENED, "< PING 61 [1 byte]", "> PONG 61 [1 byte]", "socket.gaierror: [Errno 11001]"]).causes


# which connection


def interleaved(name):
    """Two connections: one ends by its own keepalive, one by a goodbye; ``name`` is their column."""
    one = [*OPENED, "> PING aa [binary, 1 byte]", "% sent keepalive ping", "- timed out waiting for keepalive pong"]
    one += ["> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]", "= connection is CLOSING", "= connection is CLOSED"]
    two = [*OPENED, "> PING bb [binary, 1 byte]", "% sent keepalive ping", "< PONG bb [binary, 1 byte]"]
    two += ["% received keepalive pong", "< CLOSE 1000 (OK) [2 bytes]", "> CLOSE 1000 (OK) [2 bytes]", "= connection is CLOSED"]
    for pair in zip(one, two, strict=False):
        yield from (f"DEBUG {name(end)} {row}" for end, row in enumerate(pair))
    yield f"DEBUG {name(1)} {two[-1]}"


@pytest.mark.parametrize("column", ["Thread-{}", "[Task-{}]", "tid={}", "14012345678901{}"])
def test_a_thread_in_a_column_tells_connections_apart(column):
    found = diagnose(interleaved(lambda end: column.format(end + 3))).verdicts
    assert [(one.cause, one.sure) for one in found] == [("own_timeout", "certain"), ("goodbye", "certain")]
    assert not any(one.notes for one in found)


def test_a_thread_of_several_connections_tells_nothing():
    found = diagnose(interleaved(lambda _: "MainThread")).verdicts
    assert {one.cause for one in found} == {"own_timeout", "goodbye"}


def test_where_nothing_tells_them_apart_the_bytes_of_pings_do():
    rows = [*OPENED, *OPENED]
    for turn in range(5):
        for name in ("aa", "bb"):
            rows += [f"> PING {name} {turn} [binary, 2 bytes]", "% sent keepalive ping"]
        rows += [f"< PONG bb {turn} [binary, 2 bytes]", "% received keepalive pong"]
        if turn < 4:
            rows += [f"< PONG aa {turn} [binary, 2 bytes]", "% received keepalive pong"]
    rows += ["- timed out waiting for keepalive pong", "> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]"]
    assert [one.cause for one in diagnose(rows).verdicts] == ["own_timeout", "alive"]
