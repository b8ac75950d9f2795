"""What the code of a CLOSE tells (RFC 6455 §7.4), and whose rule it was."""

from __future__ import annotations

KEEPALIVE = "keepalive ping timeout"  # the reason of its CLOSE 1011
OF_CODE = {
    1000: "goodbye",
    1005: "goodbye",
    1006: "tcp_lost",
    1001: "going_away",
    1012: "going_away",
} | {code: "refused_data" for code in (1002, 1003, 1007, 1008, 1009, 1010)}
WHOSE = {  # (code, whether this end sent it): whose rule that was
    (1002, True): "the peer broke the protocol, or something on the way meddles",
    (1002, False): "to the peer, what this end sent broke the protocol",
    (1007, True): "the peer's text was no UTF-8",
    (1007, False): "to the peer, this end's text was no UTF-8",
    (1008, True): "this end's rule",
    (1008, False): "the peer's rule: its reason, or its documentation, says which",
    (1009, True): "the limit is this end's max_size",
    (1009, False): "the limit is the peer's, max_size at this end does not matter",
}


def of_close(code: int, reason: str, mine: bool) -> str:
    """The cause that a CLOSE tells, by the end that was first to send it."""
    if code == 1011 and reason.startswith("keepalive ping"):
        return "own_timeout" if mine else "peer_timeout"
    if code == 1011:
        return "handler_raised" if mine else "peer_failed"
    return OF_CODE.get(code, "other_code")


def whose(code: int, mine: bool) -> str:
    """Words to put behind a code: whose rule it was."""
    return f": {WHOSE[code, mine]}" if (code, mine) in WHOSE else ""
