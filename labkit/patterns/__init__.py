"""Patterns for programs whose connections die: files to copy. They know nothing of this lab.

    client.py    a client that keeps a connection      server.py    a server whose connections end
    delivery.py  messages by number over any number of connections; copy client.py with it

Their docstrings say within which bounds. Who needs less removes a feature: the lines that end in
its name as a comment, each with what is indented below it.

    watchdog   both    ends a connection on which nothing moves, in whichever state
    goodbye    both    close() cannot hang
    pieces     client  long messages in pieces, so that a slow line is not taken for a dead one
    backoff    client  waits longer each time that connecting fails, or that it is closed at once
    final      client  gives up where trying again cannot help
    metrics    client  tells each connection and each loss
    broadcast  server  one message to all, without waiting for anybody
    where      server  kill -USR1 PID prints in which await each task is
    debug      server  log_connections(): the log at DEBUG, each line with its connection's id

Three things to know. At most 2 PIECE of what a client sends are under way: 32 KiB in a round trip,
or 650 kB/s at 50 ms; with a larger PIECE it is more, and a line has to be faster to live. A send()
of more than PIECE bytes that is cancelled has ended its connection, as always with fragments. And
the server sends whole messages: a client behind a slow line, one that does not ping itself, lives
if what the kernel holds gets through in ping_interval + P.

What a page shows of them is a ``fix``: their own lines.
"""

from inspect import getsource
from operator import attrgetter
from textwrap import dedent
from typing import Any

from . import client, delivery, server
from .client import jittered, keep_connected
from .delivery import (
    Outbox,
    deliver,
    first_to_end,
    goodbye,
    heartbeat,
    read_acknowledgements,
    receiver,
    send_kept,
)
from .server import Server, log_connections

__all__ = [
    "FIXES", "Outbox", "Server", "client", "deliver", "delivery", "first_to_end", "fix", "goodbye",
    "heartbeat", "jittered", "keep_connected", "log_connections", "read_acknowledgements",
    "receiver", "send_kept", "server",
]  # fmt: skip

FIXES: dict[str, tuple[Any, tuple[str, ...]]] = {  # by name: the file, and what of it is shown
    "reconnect": (client, ("jittered", "keep_connected")),
    "watchdog": (server, ("Connection",)),  # with its goodbye; a client's has the same lines
    "pieces": (client, ("Connection.send", "Connection.pieces", "Connection.room_for")),
    "jitter": (client, ("jittered",)),
    "goodbye": (delivery, ("goodbye",)),
    "broadcast": (server, ("Server.broadcast", "Server.forward")),
    "where": (server, ("Server.where",)),
    "debug": (server, ("log_connections",)),
}


def fix(name: str) -> str:
    """The lines of a fix as they stand in their file; KeyError if there is none of that name."""
    file, shown = FIXES[name]
    parts = [dedent(getsource(attrgetter(part)(file))).strip() for part in shown]
    return "\n\n\n".join(parts) + "\n"
