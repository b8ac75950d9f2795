"""The options of a TCP socket that say what Tcp says: one table for sockets asked and answered.

See tcp(7). Where a system has no name for one, it has Linux's number.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..values.tcp import Tcp

SWITCH = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
OPTIONS = {  # by the field of Tcp: level, option, and how many of its units are 1
    "keepalive_idle": (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), 1),
    "keepalive_interval": (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), 1),
    "keepalive_count": (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), 1),
    "user_timeout": (socket.IPPROTO_TCP, getattr(socket, "TCP_USER_TIMEOUT", 18), 1000),
}
IDLE = 7200  # s; how long a connection with SO_KEEPALIVE alone is idle before it is probed


def asked(tcp: Tcp) -> Iterator[tuple[int, int, int]]:
    """What a socket is told for this TCP: level, option, value."""
    if tcp.keepalive_idle is not None:
        yield *SWITCH, 1
    for name, (level, option, scale) in OPTIONS.items():
        value = getattr(tcp, name)
        if value != getattr(Tcp(), name):
            yield level, option, round(value * scale)


def answered(tcp: Tcp, told: Mapping[tuple[int, int], int]) -> Tcp:
    """What a TCP does for a socket that has been told these values, by level and option."""
    changed: dict[str, Any] = {}
    for name, (level, option, scale) in OPTIONS.items():
        if value := told.get((level, option)):
            changed[name] = value / scale if scale > 1 else value
    if SWITCH in told:
        changed["keepalive_idle"] = changed.get("keepalive_idle", IDLE) if told[SWITCH] else None
    elif tcp.keepalive_idle is None:
        changed.pop("keepalive_idle", None)  # it waits for the switch
    return replace(tcp, **changed)
