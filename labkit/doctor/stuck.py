"""Rules for a connection that hangs: in CLOSING, or OPEN with a ping that never left drain()."""

from __future__ import annotations

from .connection import Connection, Fact
from .families import number
from .verdict import Verdict

STUCK = 30.0  # s in CLOSING, longer than defaults explain
STUCK_LEGACY = 60.0  # s; legacy may take 5 × close_timeout


def stuck_in_closing(connection: Connection) -> Verdict | None:
    """CLOSING for longer than any default explains."""
    begin = connection.at("CLOSING")
    end = connection.at("CLOSED") if connection.is_over else connection.log_end
    if begin is None or end is None:
        return None
    gap = end - begin
    if gap < (STUCK_LEGACY if "legacy" in connection.clues else STUCK):
        return None
    still = "" if connection.is_over else ", and still when the log ends"
    why = f"CLOSING for {gap:,.0f} s{still}; close_timeout is 10 s by default."
    facts = connection.facts("CLOSING", "CLOSED", connection.timed_out, connection.sent)
    return Verdict("closing_gap", "likely", f"{why} {_why(connection)}", facts)


def _why(connection: Connection) -> str:
    version, clues = number(connection.version), connection.clues
    newest = "sent" in clues
    if version < (14, 2) if version else ("!" in clues and not newest):
        return (
            "This version's last step waits for the write buffer, and under TLS for the peer; "
            "14.2 mended that."
        )
    if version or newest:
        return (
            "In this version only a blocked drain() (under trio, a blocked send) does that: "
            "the CLOSE waits behind other bytes."
        )
    return (
        "Up to 14.1 bytes in the write buffer (or TLS) do that, in every version a blocked drain()."
    )


def blocked_drain(connection: Connection) -> Verdict | None:
    """OPEN, with a ping that never left drain()."""
    ping, interval, log_end = connection.ping, connection.interval, connection.log_end
    if not connection.is_open or ping is None or ping.t is None or log_end is None:
        return None
    since, opened = log_end - ping.t, connection.at("OPEN")
    if interval is None and opened is not None and not connection.clues:
        return _first_ping(ping, ping.t - opened, since)
    if interval is None:
        return None
    if "sent" in connection.clues and not connection.confirmed and since >= max(1.0, interval):
        newest = connection.newest_keepalive
        if newest is None or abs(ping.t - newest - interval) > 0.15 * interval:
            return None  # perhaps an application's own ping
        why = f"> PING without '% sent keepalive ping' for {since:,.0f} s"
        why += ": it waits in drain(), and its timer has not started"
        return Verdict("blocked_drain", "likely", why, (ping,))
    if "sending" in connection.clues and since >= max(60.0, 3 * interval):
        why = f"a ping without pong or timeout for {since:,.0f} s, and no further ping"
        return Verdict("blocked_drain", "likely", f"{why}: keepalive stands still", (ping,))
    return None


def _first_ping(ping: Fact, after: float, since: float) -> Verdict | None:
    """A ping that came ``after`` OPEN (s), may be keepalive's first, and was not answered."""
    if after < 1 or since < 2.5 * after:
        return None
    why = f"> PING, {after:.3g} s after OPEN, and nothing more for {since:,.0f} s"
    return Verdict("blocked_drain", "possible", f"{why}: it may wait in drain()", (ping,))
