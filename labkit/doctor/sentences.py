"""What exceptions say, by the library's own sentences: versions 7 to 17, and asyncio below it.

sent 1011 (internal error) keepalive ping timeout; no close frame received      this end's keepalive
received 1011 (internal error) keepalive ping timeout; then sent 1011 …         the peer's
sent 1000 (OK); no close frame received                                         nobody answered
ConnectionClosedError(None, Close(code=1011, reason='keepalive …'), None)       the same, as a repr
code = 1006 (connection closed abnormally [internal]), no reason                versions 7 to 9

``HINTS`` stand in a traceback, or in the chain of causes below it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .codes import KEEPALIVE, of_close, whose

Told = tuple[str, str, str]  # a cause, how sure, what it says
REPEATED = 500  # lines that are kept in mind: tracebacks come again and again

CLOSES = re.compile(
    r"(?P<who>sent|received) (?P<code>[1-4]\d{3}) \((?:OK|going away|protocol error|unsupported"
    r"|no status|invalid|policy|message too|extension|mandatory|internal|unexpected|service"
    r"|try again|bad gateway|registered|private|unknown)[^)]*\)(?P<reason>[^;]*)(?P<rest>.*)"
)
CLOSE = r"Close\(code=\D*(?P<{0}>\d{{4}})>?, reason=(?P<q{0}>['\"])(?P<r{0}>.*?)(?P=q{0})\)"
REPRS = re.compile(
    rf"ConnectionClosed\w*\((?:None|{CLOSE.format('got')}), (?:None|{CLOSE.format('sent')})"
    r"(?:, (?P<order>\w+))?"
)
OLD = re.compile(r"code = (?P<code>\d{4})\b[^,]*, (?:no reason|reason = (?P<reason>[^'\")]*))")
STATUS = re.compile(
    r"(?:HTTP |Status(?:Code)?\(|response code: |connection (?:rejected|failed) \()(\d{3})"
)
CAUSES = [(sentence, told) for sentences, told in {
    "rejected WebSocket connection: HTTP|InvalidStatusCode(|InvalidStatus("
    "|rejected connection: HTTP|Unexpected response code: ":
        ("handshake", "certain", "the server answered the opening handshake with HTTP {}"),
    "timed out) while proxying upgraded connection":
        ("idle_drop", "certain", "nginx closed it after an idle time: its proxy_read_timeout"),
    "no close frame received or sent|No close frame received or sent":
        ("tcp_lost", "certain", "no close frame received or sent"),
    "getaddrinfo failed|gaierror|Name or service not known|nodename nor servname|in name resolution"
    "|No address associated":
        ("unreachable", "likely", "the server's name was not resolved (DNS)"),
    "Connect call failed|ConnectionRefusedError|WinError 1225|Multiple exceptions: [Errno":
        ("unreachable", "likely", "TCP was refused: nobody listens at that address and port"),
    "etwork is unreachable|No route to host|Errno 51]|Errno 113]|WinError 10051":
        ("unreachable", "likely", "this machine has no way to that network"),
    "CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|SSLCertVerificationError":
        ("unreachable", "likely", "TLS failed: the certificate, or a server that speaks no TLS"),
    "not receive a valid HTTP response|reading HTTP status line|Malformed HTTP message"
    "|connection closed during handshake|connection closed during opening handshake":
        ("handshake", "likely", "TCP ended, or no HTTP came, where the handshake's answer belongs"),
    "timed out during handshake|timed out during opening handshake|out while waiting for handshake":
        ("handshake", "certain", "the opening handshake took longer than open_timeout"),
    "connection rejected (401|connection rejected (403|connection failed (401"
    "|connection failed (403":
        ("handshake", "certain", "this server refused the opening handshake with HTTP {}"),
    "no subprotocols supported|invalid subprotocol|too many HTTP headers|missing subprotocol":
        ("handshake", "certain", "the ends do not agree on the opening handshake"),
    "isn't a valid URI":
        ("unreachable", "certain", "the address is no WebSocket URI"),
    "invalid Origin header|! invalid origin|Invalid origin":
        ("handshake", "certain", "the server does not allow this Origin"),
    "not receive a valid HTTP request|reading HTTP request line|invalid HTTP request line"
    "|nvalid HTTP method|unsupported HTTP|opening handshake failed|! invalid handshake"
    "|! invalid upgrade|! no valid HTTP|Invalid handshake|Invalid upgrade|g Connection header"
    "|d Connection header|g Upgrade header|d Upgrade header|missing Sec-WebSocket-"
    "|invalid Sec-WebSocket-|connection rejected (|connection failed (2|connection failed (4"
    "|connection failed (5|to open a WebSocket connection|unsupported protocol; expected"
    "|Error in opening handshake":
        ("probe", "likely", "somebody called who did not speak WebSocket"),
    "cannot call recv while|cannot call send while|cannot call get()|get_iter() is already running"
    "|annot write to a WebSocket in the|already waiting for the next message|already running recv"
    "|already running send|Cannot call \"send\" once|Cannot call \"receive\" once"
    "|to call \"accept\" first|after sending 'websocket.close'":
        ("misuse", "certain", "the program uses one connection from two tasks, or after its end"),
    "payload length exceeds|over size limit|exceeds limit of":
        ("refused_data", "certain", "sent 1009: a message above this end's max_size"),
}.items() for sentence in sentences.split("|")]  # fmt: skip
HINTS = [(sentence, hint) for hint, sentences in {
    "reset": "ConnectionResetError|reset by peer|WinError 10054|Errno 104]|Errno 54]",
    "hung up": "IncompleteReadError|stream ends after|stream ended|bytes read on a total",
    "gave up": "WinError 121]|WinError 10060]|WinError 64]|Errno 110]|Errno 60]|ETIMEDOUT"
    "|TimeoutError(110,|TimeoutError(60,",
    "wrote": "BrokenPipeError|Errno 32]|ConnectionAbortedError|WinError 10053]",
    "failed itself": "CancelledError",
    "reads slowly": "_put_message_waiter",
    "drains": "in _drain_helper|in _make_drain_waiter|, in drain",
    "asserts": "AssertionError",
    "opens": "self.open_timeout",
    "times out": "TimeoutError",
    "here": "websockets/|websockets\\",
    "elsewhere": "aiohttp|packages/requests|urllib3|HTTPConnectionPool|HTTPSConnectionPool|redis"
    "|psycopg|httpx|sqlalchemy|pymongo|packages/websocket/|kafka|botocore",
}.items() for sentence in sentences.split("|")]  # fmt: skip
PAIRS = {  # a hint that tells a cause, if another stands above it
    "asserts": (
        "drains",
        "legacy_bug",
        "AssertionError in drain(): two tasks waited in it at once",
    ),
    "times out": ("opens", "handshake", "the opening handshake took longer than open_timeout"),
}
HOW = {  # TCP ended
    "reset": "TCP was reset, by the peer or by a box between (a proxy, a firewall)",
    "hung up": "the other side, or a box between, closed TCP without a CLOSE",
    "gave up": "this machine's TCP gave up: for minutes nothing that it sent was acknowledged,"
    " so the network or the peer is gone",
    "wrote": "this end wrote into a connection that had gone before",
}


@lru_cache(REPEATED)
def hints(text: str) -> tuple[str, ...]:
    """What a line hints at."""
    return tuple(hint for sentence, hint in HINTS if sentence in text)


@lru_cache(REPEATED)
def told(text: str) -> Told | None:
    """The cause that a line tells; None: it tells none."""
    if ("sent " in text or "received " in text) and (found := CLOSES.search(text)):
        answered = "no close frame received" not in found["rest"]
        return of_code(found["who"] == "sent", int(found["code"]), found["reason"], answered)
    if "ConnectionClosed" in text and (found := REPRS.search(text)):
        return _of_repr(found)
    if "code = " in text and (found := OLD.search(text)):
        return _of_old(int(found["code"]), found["reason"] or "")
    for sentence, (cause, sure, words) in CAUSES:
        if sentence in text:
            status = STATUS.search(text)
            if status or "{}" not in words:
                return cause, sure, words.format(status and status[1])
    return None


def _of_repr(found: re.Match[str]) -> Told:
    if not (found["got"] or found["sent"]):
        return "tcp_lost", "certain", "no close frame received or sent"
    mine = not found["got"] or (found["sent"] is not None and found["order"] == "False")
    end = "sent" if mine else "got"
    return of_code(mine, int(found[end]), found[f"r{end}"], found["got"] is not None)


def _of_old(code: int, reason: str) -> Told:
    """Up to version 9 the code that was received; 1006: none was."""
    if code == 1006:
        words = "1006, as versions up to 9 say when no CLOSE came: TCP ended, or this end failed it"
        return "tcp_lost", "possible", words
    cause, sure, words = of_code(False, code, reason, True)
    if cause == "peer_failed":
        return cause, "possible", f"{words}: an error there, or its keepalive, which gave no reason"
    return cause, sure, words


def of_code(mine: bool, code: int, reason: str, answered: bool) -> Told:
    """What a CLOSE tells, ``mine`` if this end sent it first."""
    reason = reason.strip()
    reason = KEEPALIVE if reason.startswith("keepalive ping") else reason
    words = f"{'sent' if mine else 'received'} {code} {reason}".rstrip() + whose(code, mine)
    cause = of_close(code, reason, mine)
    if mine and not answered and cause in ("goodbye", "going_away", "other_code"):
        return "unanswered_close", "certain", f"{words}, and no CLOSE came back"
    return cause, "likely" if cause == "handler_raised" else "certain", words
