"""The cause that fits what a log says of one connection: pure rules, the certain ones first.

Where lines of several connections may be mixed up, only what CLOSE frames say is certain.
"""

from __future__ import annotations

from typing import TypeGuard

from .codes import of_close, whose
from .connection import Connection, Fact
from .families import family
from .sentences import HOW
from .stuck import blocked_drain, stuck_in_closing
from .verdict import Verdict

IDLES = (  # s, after which boxes on the way forget a connection
    30, 45, 50, 55, 60, 75, 90, 100, 110, 120, 180, 240,
    300, 350, 360, 400, 600, 900, 1200, 1800, 3600, 4000, 7200,
)  # fmt: skip
ANSWERED = ("goodbye", "going_away", "other_code")  # with a CLOSE, if all is well
SLOW = 5.0  # s, for a handshake
NO_PONGS = (
    "messages were read after that ping, so the peer is there: it answers no pings, or its pong "
    "waits behind data"
)
CLOSE_1011 = "sent CLOSE 1011 'keepalive ping timeout'"


def judge(connection: Connection, log_end: float | None) -> Verdict:
    """The verdict on a connection; ``log_end`` is when the log's last line was written (s)."""
    connection.log_end = log_end
    found = next(verdict for rule in RULES if (verdict := rule(connection)))
    return found._replace(sure=_sure(connection, found)) if connection.mixed else found


def completed(found: Verdict, connection: Connection) -> Verdict:
    """The verdict, with what is known of its connection."""
    first, last = connection.first, connection.last
    return found._replace(
        notes=(*found.notes, *_notes(connection)),
        connection=connection.number,
        who=connection.who,
        side=connection.side,
        family=family(connection),
        lines=(first.number if first else 0, last.number if last else 0),
        opened=connection.at("OPEN"),
        closing=connection.at("CLOSING"),
        closed=connection.at("CLOSED"),
        story=() if found.cause == "alive" else tuple(connection.story),
    )


def _sure(connection: Connection, found: Verdict) -> str:
    """How sure a verdict is, where lines of other connections may be mixed in."""
    whole = connection.sent and connection.got and found.cause not in ("own_timeout", "own_loop")
    return found.sure if whole else "possible"  # what is missing may be on another connection


def _notes(connection: Connection) -> list[str]:
    notes = []
    if connection.mixed:
        told = "this is the story that fits its lines best"
        notes.append(f"connections can't be told apart in this log: {told}")
    interval, seen = connection.interval, connection.intervals
    if interval and len(seen) >= 3 and max(seen) > 1.5 * interval:
        late = f"a keepalive ping was {max(seen) - interval:.3g} s late"
        notes.append(f"{late}: this end's event loop may have been blocked")
    if "CLOSING" in connection.states and not connection.is_over:
        notes.append("still CLOSING in its last line")
    return notes


def _never_open(connection: Connection) -> Verdict | None:
    if "OPEN" in connection.states:
        return None
    refused = connection.refused
    if refused:
        return Verdict(connection.refusal, "certain", refused.words, (refused,))
    if not (connection.whole and connection.is_over):
        return None
    evidence = connection.facts("CONNECTING", connection.status, "CLOSED")
    http = connection.http
    if connection.side == "server" and http in ("", "400", "426"):
        return Verdict("probe", "likely", "no WebSocket request came", evidence)
    if http.isdigit():
        why = f"the opening handshake was answered with HTTP {http}"
        return Verdict("handshake", "certain", why, evidence)
    begin, end = connection.at("CONNECTING"), connection.at("CLOSED")
    slow = begin is not None and end is not None and end - begin > SLOW
    why = "took longer than open_timeout" if slow else "ended: TCP ended before its answer"
    return Verdict(
        "handshake", "likely", f"the opening handshake {why}{_how(connection)}", evidence
    )


def _gave_up(connection: Connection) -> Fact | None:
    """Where this end's keepalive closed it; up to version 9 its CLOSE has no reason."""
    sent, got = connection.sent, connection.got
    failed = connection.timed_out if connection.failing == 1011 else None
    end = sent or failed
    if end is None or not (failed or _is_keepalive(sent)) or (got and got.number < end.number):
        return None
    return end


def _own_loop(connection: Connection) -> Verdict | None:
    """This end's keepalive closed it, though the pong had come."""
    pong, timed_out = connection.late_pong, connection.timed_out
    if pong is None or timed_out is None or timed_out.number < pong.number:
        return None
    end = _gave_up(connection)
    if end is None:
        return None
    why = "the pong was read before its own timeout was noticed: both waited for this end"
    facts = connection.facts(connection.ping_before, pong, timed_out, end)
    return Verdict("own_loop", "likely", why, facts)


def _pong_bug(connection: Connection) -> Verdict | None:
    """This end's keepalive closed it, since a pong was no answer."""
    ping, pong = connection.ping, connection.other_pong
    if ping is None or pong is None or pong.number < ping.number or connection.mixed:
        return None
    if _gave_up(connection) is None:
        return None
    why = "a pong came, but its bytes are not those of the ping, so that it answers nothing"
    return Verdict("pong_bug", "likely", why, connection.facts(ping, pong, connection.timed_out))


def _own_keepalive(connection: Connection) -> Verdict | None:
    """This end's keepalive closed it."""
    end, ping, timed_out = _gave_up(connection), connection.ping, connection.timed_out
    if end is None:
        return None
    why = f"this end {CLOSE_1011}"
    if connection.waited is not None:
        why += f", {connection.waited:.3g} s after the ping"
    sure = "likely" if _is_first(connection, end) else "possible"
    if ping and timed_out and ping.number < timed_out.number:
        sure = "certain"  # no pong came for this ping
    heard = connection.heard
    notes = (NO_PONGS,) if heard and ping and heard.number > ping.number else ()
    return Verdict("own_timeout", sure, why, connection.facts(ping, timed_out, end), notes)


def _peer_keepalive(connection: Connection) -> Verdict | None:
    """The peer's keepalive closed it."""
    ping, got = connection.peer_ping, connection.got
    if not _is_keepalive(got):
        return None
    why = f"the peer {CLOSE_1011}"
    if ping is None:
        why += "; this end's log has no PING of it that was left waiting"
    elif ping.t is not None and got.t is not None and got.t - ping.t < 0.05:
        why += (
            "; its last PING was read at the same instant as the CLOSE: nothing was read until then"
        )
    sure = "certain" if _is_first(connection, got) else "possible"
    return Verdict("peer_timeout", sure, why, connection.facts(ping, connection.peer_pong, got))


def _closed_with_a_code(connection: Connection) -> Verdict | None:
    sent, got = connection.sent, connection.got
    if not (sent or got):
        return None
    closes = connection.facts(sent, got)
    first = closes[0]
    mine, code, known = first is sent, first.code or 1005, _is_first(connection, first)
    who = "one end" if not known else "this end" if mine else "the peer"
    reason = f" ({first.reason})" if first.reason else ""
    why = f"{who} closed with {code}{reason}{whose(code, mine) if known else ''}"
    evidence = connection.facts(*closes, connection.failed if mine else None)
    cause, sure = of_close(code, first.reason, mine), "certain" if known else "likely"
    if code == 1011:
        if mine and connection.mistake:
            why += f": {connection.mistake}"
        if not known:
            sure = "possible"
        elif mine and not connection.failed:
            sure = "likely"
            if connection.how:  # legacy tells a failure of TCP as 1011
                cause, why = "tcp_lost", f"CLOSE 1011{_how(connection)}"
    elif cause in ANSWERED and not sent:
        sure = "likely"  # the answer is missing
    elif cause in ANSWERED and not got:
        why += ", and no CLOSE came back"
        sure = "likely" if known and connection.is_over else "possible"
        return Verdict("unanswered_close", sure, f"{why}{_how(connection)}", evidence)
    return Verdict(cause, sure, why, evidence)


def _how(connection: Connection) -> str:
    """How TCP ended, if the log says so."""
    return f": {HOW[connection.how]}" if connection.how else ""


def _lost(connection: Connection) -> Verdict | None:
    """TCP ended without a CLOSE."""
    active = connection.active
    was_open = "OPEN" in connection.states or active or connection.failing == 1006
    if not (connection.is_over and was_open):
        return None
    over = connection.at("CLOSED")
    evidence = connection.facts(active, connection.eof, "CLOSED")
    idle = over - active.t if over is not None and active and active.t is not None else None
    if idle is not None and any(abs(idle - one) <= max(0.5, 0.01 * one) for one in IDLES):
        why = f"no CLOSE either way, after {idle:,.1f} s without a frame, which is a round number"
        return Verdict("idle_drop", "possible", why, evidence, idle=idle)
    why = "CLOSED without a CLOSE from either end"
    if idle is not None:
        why += f", {idle:,.3g} s after the last frame"
    sure = "possible" if connection.mixed else "likely"
    return Verdict("tcp_lost", sure, f"{why}{_how(connection)}", evidence, idle=idle)


def _alive(connection: Connection) -> Verdict | None:
    """OPEN, and nothing speaks against it."""
    answered, active = connection.answered, connection.active
    if not connection.is_open or connection.ending or connection.ping or active is None:
        return None
    if not answered and not connection.peer_pong:
        return None
    interval, log_end = connection.interval, connection.log_end
    if interval is not None and log_end is not None and active.t is not None:
        if log_end - active.t > 2 * interval:
            return None  # it has been silent for too long
    why = f"{answered} of its pings were answered" if answered else "it answered the peer's pings"
    return Verdict("alive", "likely", f"{why}; OPEN at the end of the log", (active,))


def _unknown(connection: Connection) -> Verdict:
    state = connection.state
    where = f"{state} when the log ends" if state in ("OPEN", "CLOSING") else "CLOSED"
    if state in ("", "CONNECTING"):
        where = "its beginning is missing"
    if state == "OPEN" and connection.ping:
        where += ", with a ping that is not answered yet"
    evidence = connection.facts(connection.active, connection.last)
    return Verdict("unknown", "possible", f"{where}; the log does not say why", evidence)


RULES = (
    _never_open,
    stuck_in_closing,
    _own_loop,
    _pong_bug,
    _own_keepalive,
    _peer_keepalive,
    _closed_with_a_code,
    _lost,
    blocked_drain,
    _alive,
    _unknown,
)


def _is_keepalive(close: Fact | None) -> TypeGuard[Fact]:
    return close is not None and close.code == 1011 and close.reason.startswith("keepalive ping")


def _is_first(connection: Connection, close: Fact) -> bool:
    """Whether the first CLOSE in the log is known to be the connection's first.

    In a log that begins in the middle of a connection it may be an answer.
    """
    if connection.whole or (close is connection.got and connection.sent):
        return True
    begins = connection.first in (close, connection.states.get("CLOSING"))
    return close is connection.sent and not begins
