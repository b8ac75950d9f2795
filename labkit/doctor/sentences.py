"""What exceptions say, by the library's own sentences: versions 7 to 17, and asyncio below it.

``CAUSES`` say what happened. ``HINTS`` stand in a traceback, or in the chain of causes below it,
and say how TCP ended or where this end stood. The codes of a CLOSE are read in exception_texts.py.
"""

from __future__ import annotations

import re

# sentence: cause, how sure, what it says
CAUSES = {
    r"[Nn]o close frame received(?: or sent)?$|no close frame received or sent"
    r"|ConnectionClosed\w*\(None, None": (
        "tcp_lost", "certain", "no close frame received or sent"),
    r"timed out while closing connection": (
        "unknown", "possible", "timed out while closing connection"),
    r"getaddrinfo failed|gaierror|Name or service not known|nodename nor servname"
    r"|Temporary failure in name resolution|No address associated": (
        "unreachable", "certain", "the server's name was not resolved (DNS)"),
    r"Connect call failed|ConnectionRefusedError|WinError 1225|Multiple exceptions: \[Errno": (
        "unreachable", "certain", "TCP was refused: nobody listens at that address and port"),
    r"[Nn]etwork is unreachable|No route to host|Errno 51\b|Errno 113\b|WinError 10051": (
        "unreachable", "certain", "this machine has no way to that network"),
    r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|SSLCertVerificationError": (
        "unreachable", "certain", "TLS failed: the certificate, or a server that speaks no TLS"),
    r"rejected WebSocket connection: HTTP \d+|InvalidStatus(?:Code)?\(\d+"
    r"|proxy rejected connection: HTTP \d+": (
        "handshake", "certain", "the server answered the opening handshake with HTTP {}"),
    r"did not receive a valid HTTP response|while reading HTTP status line"
    r"|Malformed HTTP message|connection closed during (?:opening )?handshake": (
        "handshake", "likely", "TCP ended, or no HTTP came, where the handshake's answer belongs"),
    r"timed out (?:during|while waiting for) (?:the )?(?:opening )?handshake": (
        "handshake", "certain", "the opening handshake took longer than open_timeout"),
    r"invalid Origin header|! invalid origin|Invalid origin": (
        "handshake", "certain", "the server does not allow this Origin"),
    r"did not receive a valid HTTP request|while reading HTTP request line"
    r"|invalid HTTP request line|[Ii]nvalid HTTP method|unsupported HTTP (?:method|version)"
    r"|opening handshake failed|! invalid (?:handshake|upgrade)|Invalid (?:handshake|upgrade)$"
    r"|(?:missing|invalid) (?:Connection|Upgrade|Sec-WebSocket-\w+) header"
    r"|connection (?:rejected|failed) \(\d+|Failed to open a WebSocket connection"
    r"|Error in opening handshake": (
        "probe", "likely", "somebody called who did not speak WebSocket"),
    r"cannot call \w+ (?:concurrently|while another)|get\(\) or get_iter\(\) is already running"
    r"|[Cc]annot write to a WebSocket in the \w+ state|already waiting for the next message"
    r"|is already running (?:recv|send|get)|Cannot call \"\w+\" once|Need to call \"accept\" first"
    r"|after sending 'websocket\.close'": (
        "misuse", "certain", "the program uses one connection from two tasks, or after its end"),
    r"(?:payload|payload length|[Mm]essage|frame .*?) ?exceeds (?:size )?limit|over size limit": (
        "refused_data", "certain", "sent 1009: a message above this end's max_size"),
}  # fmt: skip

HINTS = {
    "reset": r"ConnectionResetError|reset by peer|WinError 10054|Errno (?:104|54)\]",
    "hung up": r"IncompleteReadError|stream end(?:s after|ed)|bytes read on a total",
    "gave up": r"WinError (?:121|10060)\]|Errno (?:110|60)\]|ETIMEDOUT",
    "wrote": r"BrokenPipeError|Errno 32\]|ConnectionAbortedError|WinError 1005[35]\]",
    "failed itself": r"CancelledError",
    "reads slowly": r"_put_message_waiter",
    "drains": r"in _drain_helper|in _make_drain_waiter|line \d+, in drain$",
    "asserts": r"AssertionError",
    "here": r"websockets[\\/](?:legacy|asyncio|sync|trio|\w+\.py)",
}
HOW = {  # how TCP ended
    "reset": "TCP was reset, by the peer or by a box between (a proxy, a firewall)",
    "hung up": "the other side, or a box between, closed TCP without a CLOSE",
    "gave up": "this machine's TCP gave up: for minutes nothing that it sent was acknowledged,"
    " so the network or the peer is gone",
    "wrote": "this end wrote into a connection that had gone before",
}

CLOSE = r"(?:sent|received) \d{4}(?: \(.*|$)"
REPR = r"ConnectionClosed\w*\((?:None, )?Close\(code=.*"
OLD = r"code = \d{4}\b.*"
SENTENCES = "|".join((*CAUSES, CLOSE, REPR, OLD, *HINTS.values()))
FIND = re.compile(
    "|".join(f"(?P<c{n}>{how})" for n, how in enumerate(CAUSES))
    + f"|(?P<close>{CLOSE})|(?P<repr>{REPR})|(?P<old>{OLD})|"
    + "|".join(f"(?P<h{n}>{how})" for n, how in enumerate(HINTS.values()))
)
BY_GROUP = {f"c{n}": found for n, found in enumerate(CAUSES.values())}
HINT_BY_GROUP = {f"h{n}": name for n, name in enumerate(HINTS)}
