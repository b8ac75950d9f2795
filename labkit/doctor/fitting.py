"""How well a line fits a connection, as it stands: 2 expected, 1 possible, 0 impossible. Only logs without names need it.

< PONG a1 …                 the connection whose ping a1 … is out
- timed out … pong          one with a ping out, or whose pong has come but was not noticed
> CLOSE, = CLOSING, > EOF   the one that spoke last, if it is its turn
= CLOSED                    the one that just saw EOF; else one that is CLOSING
"""

from __future__ import annotations

from typing import Any

from ..trace import STATES
from .chart import Chart


def fit(chart: Chart, kind: str, data: dict[str, Any]) -> int:
    """How well a line of this kind fits the chart."""
    if kind in FITS:
        return FITS[kind](chart, data)
    return 1


def _state(chart: Chart, data: dict[str, Any]) -> int:
    new, old = data["state"], chart.state
    if new == "CLOSED" and old != "CLOSED":
        return 2 if (chart.eof and old == "OPEN") or old == "CLOSING" else 1
    if new == "CLOSING" and old in ("OPEN", ""):
        return 2 if chart.sent or chart.got or chart.timed_out else 1
    if new == "OPEN":
        return 2 if old == "CONNECTING" else 1 if old == "" else 0
    return 0


def _sent(chart: Chart, data: dict[str, Any]) -> int:
    opcode = data["opcode"]
    if chart.state == "CONNECTING":
        return 0
    if opcode == "PONG":
        return 2 if data["payload"] == chart.asked_payload else 0 if chart.asked_payload else 1
    if opcode == "CLOSE":
        return _sent_close(chart, data)
    if opcode == "EOF":
        return 2 if chart.eof or chart.state == "CLOSING" else 1
    return 2 if opcode == "PING" and chart.announced else 1 if _is_open(chart) else 0


def _sent_close(chart: Chart, data: dict[str, Any]) -> int:
    if chart.sent:
        return 0
    if "keepalive ping timeout" in data.get("reason", "") and not chart.got:
        return 2 if chart.timed_out else 0 if chart.whole else 1
    return (
        2
        if chart.got and chart.got.code == data.get("code")
        else 0
        if chart.timed_out or not _is_open(chart)
        else 1
    )


def _got(chart: Chart, data: dict[str, Any]) -> int:
    opcode = data["opcode"]
    if chart.state == "CONNECTING":
        return 0
    if opcode == "PONG":
        return 2 if data["payload"] == chart.payload else 0 if chart.payload else 1
    if opcode == "CLOSE":
        return (
            0
            if chart.got
            else 2
            if chart.sent and chart.sent.code == data.get("code") and not chart.timed_out
            else 1
        )
    if opcode == "EOF":
        return 0 if chart.eof else 1
    return 1 if _is_open(chart) else 0


def _keepalive(chart: Chart, data: dict[str, Any]) -> int:
    if chart.state not in ("OPEN", ""):
        return 0
    if data["step"] == "pong":
        return 2 if chart.late_pong else 0 if chart.whole else 1
    if "sending" in data["line"]:
        return 0 if chart.announced else 1
    return 2 if chart.ping and not chart.confirmed else 0 if chart.whole else 1


def _timeout(chart: Chart, data: dict[str, Any]) -> int:
    if "keepalive pong" not in data["line"]:
        return 2 if chart.state == "CLOSING" else 1
    if chart.timed_out or chart.state not in ("OPEN", ""):
        return 0
    return 2 if chart.late_pong or (chart.ping and chart.confirmed) else 0 if chart.whole else 1


def _handshake(chart: Chart, data: dict[str, Any]) -> int:
    return 1 if STATES.index(chart.state or "CONNECTING") == 0 else 0


def _failing(chart: Chart, data: dict[str, Any]) -> int:
    return 2 if chart.timed_out and chart.state == "OPEN" else 1


def _tcp(chart: Chart, data: dict[str, Any]) -> int:
    return 2 if chart.state == "CLOSING" else 1


def _is_open(chart: Chart) -> bool:
    return chart.state in ("OPEN", "")


FITS = {
    "state": _state,
    "sent": _sent,
    "got": _got,
    "keepalive": _keepalive,
    "timeout": _timeout,
    "handshake": _handshake,
    "failing": _failing,
    "tcp": _tcp,
}
