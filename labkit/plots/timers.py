"""The dimensions of a timeline: the timers that led to its end, each from when to when, with words. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ..faults import ENDS
from ..trace import Frame
from .tale import Tale


def dimensions(tale: Tale) -> list[tuple[float, float, list[str]]]:
    """From, to (s), and words, the longest first, for the timers that led the hero to its end."""
    if tale.until is not None or tale.experiment is None or not tale.experiment.peer(tale.hero).keepalive:
        return []
    if tale.noticed(tale.hero) is not None and tale.why_left(tale.hero) != "noticed":
        return []
    ping = fatal_ping(tale)
    return [] if ping is None else [row for row in _timers(tale, ping) if row[1] - row[0] > tale.tolerance]


def fatal_ping(tale: Tale) -> Frame | None:
    """The ping whose pong did not come in time; if nobody noticed, the first one that got stuck."""
    pings = [frame for frame in tale.frames if frame.sender == tale.hero and frame.opcode == "PING"]
    noticed, timeout = tale.noticed(tale.hero), _timeout(tale)
    if noticed is None:
        return next((frame for frame in tale.stuck if frame.sender == tale.hero and frame.opcode == "PING"), None)
    near = [frame for frame in pings if timeout is not None and abs(frame.sent_at + timeout - noticed) <= max(0.05, 0.01 * timeout)]
    return near[-1] if near else None


def _timeout(tale: Tale) -> float | None:
    return tale.experiment.peer(tale.hero).ping_timeout if tale.experiment else None


def _timers(tale: Tale, ping: Frame) -> Iterable[tuple[float, float, list[str]]]:
    whose = "" if tale.hero == "server" else "client's "
    before = [at for way in ENDS for at, heal in tale.silences(way) if at <= ping.sent_at < heal]
    if before:
        gap = f"{tale.neat(ping.sent_at - min(before))} s"
        yield min(before), ping.sent_at, [f"{gap} to the next ping", f"{gap} to the\nnext ping", gap]
    noticed, closed, timeout = tale.noticed(tale.hero), tale.closed(tale.hero), _timeout(tale)
    if noticed is not None and timeout is not None:
        yield ping.sent_at, noticed, _timer(f"{whose}ping_timeout", f"{timeout:g} s")
        if closed is not None:
            limit = tale.experiment.peer(tale.hero).close_timeout if tale.experiment else None
            full = limit is not None and abs(closed - noticed - limit) <= max(0.05, 0.01 * limit)
            yield noticed, closed, _timer(f"{whose}close_timeout" if full else "closing", f"{tale.neat(closed - noticed)} s")
    elif ping.arrived_at is not None and timeout is not None:
        pongs = (f for f in tale.frames if f.receiver == tale.hero and f.opcode == "PONG" and f.sent_at >= (ping.arrived_at or 0.0))
        pong = next((f.arrived_at for f in pongs), None)
        if pong is not None:
            took, most = f"{tale.neat(pong - ping.sent_at)} s", f"{timeout:g} s"
            yield ping.sent_at, pong, [f"pong after {took}, under ping_timeout {most}", f"pong after {took}\n(limit {most})", took]


def _timer(name: str, length: str) -> list[str]:
    return [f"{name} {length}", f"{name}\n{length}", length]
