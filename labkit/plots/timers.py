"""The timers that led to an end's goodbye, as stretches of time with their words."""

from __future__ import annotations

from collections.abc import Iterator

from ..values.faults import ENDS
from .reading import Reading
from .wire import Crossing, is_ping

Timer = tuple[float, float, tuple[str, ...]]  # from, to (s), words, the longest first


def timers(r: Reading) -> list[Timer]:
    """The subject's, unless it left for another reason."""
    has_left = r.noticed(r.subject) is not None
    if r.is_asked or not r.peer.keepalive or (has_left and r.why_left(r.subject) != "noticed"):
        return []
    ping = _fatal_ping(r)
    found = [] if ping is None else [*_before(r, ping), *_after(r, ping)]
    return [(a, b, words) for a, b, words in found if b - a > r.tolerance]


def _fatal_ping(r: Reading) -> Crossing | None:
    """The ping whose pong did not come in time; if nobody noticed, the first one that got stuck."""
    noticed, timeout = r.noticed(r.subject), r.peer.ping_timeout
    pings = [one for one in r.crossings if one.sender == r.subject and is_ping(one)]
    if noticed is None:
        return next((ping for ping in pings if ping.stuck), None)
    if timeout is None:
        return None
    due = noticed - timeout
    return next((ping for ping in reversed(pings) if _near(ping.sent_at, due, timeout)), None)


def _near(a: float, b: float, limit: float) -> bool:
    """Whether two times (s) are one, as far as a real clock keeps a limit."""
    return abs(a - b) <= max(0.05, 0.01 * limit)


def _before(r: Reading, ping: Crossing) -> Iterator[Timer]:
    """From the cut to the ping."""
    rows = [row for end in ENDS for row in r.silences[end]]
    cuts = [at for at, heal in rows if at <= ping.sent_at < heal]
    if cuts:
        gap = f"{r.neat(ping.sent_at - min(cuts))} s"
        yield min(cuts), ping.sent_at, (f"{gap} to the next ping", f"{gap} to the\nnext ping", gap)


def _after(r: Reading, ping: Crossing) -> Iterator[Timer]:
    """From the ping to its late pong, or to the end."""
    noticed, closed = r.noticed(r.subject), r.closed(r.subject)
    timeout, limit = r.peer.ping_timeout, r.peer.close_timeout
    whose, sent = "" if r.subject == "server" else "client's ", ping.sent_at
    if timeout is None:
        return
    if noticed is None:
        yield from _late_pong(r, ping, timeout)
        return
    yield sent, noticed, _words(f"{whose}ping_timeout", f"{timeout:g} s")
    if closed is not None:
        is_full = limit is not None and _near(closed - noticed, limit, limit)
        name = f"{whose}close_timeout" if is_full else "closing"
        yield noticed, closed, _words(name, f"{r.neat(closed - noticed)} s")


def _late_pong(r: Reading, ping: Crossing, timeout: float) -> Iterator[Timer]:
    pongs = (one for one in r.crossings if one.receiver == r.subject and one.opcode == "PONG")
    pong = next((one for one in pongs if one.sent_at >= ping.stop), None)
    if ping.arrived_at is not None and pong is not None and pong.arrived_at is not None:
        took, sent = f"{r.neat(pong.stop - ping.sent_at)} s", ping.sent_at
        long = f"pong after {took}, under ping_timeout {timeout:g} s"
        yield sent, pong.stop, (long, f"pong after {took}\n(limit {timeout:g} s)", took)


def _words(name: str, length: str) -> tuple[str, ...]:
    return f"{name} {length}", f"{name}\n{length}", length
