"""What a kernel says of its TCP sockets, those too that no program has any more: orphans.

It is asked through sock_diag(7), as ``ss -tnoi`` asks it.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
BY_FAMILY, DESTROY = 20, 21
REQUEST, DUMP, ERROR, DONE = 0x1, 0x300, 2, 3
WANTS_INFO, INET_DIAG_INFO = 2, 2
HEADER = struct.Struct("IHHII")  # struct nlmsghdr
ASK = struct.Struct("BBBxI")  # struct inet_diag_req_v2, without the socket's identity
TOLD = struct.Struct("BBBB48sIIIII")  # struct inet_diag_msg
STATES = (  # by number, as in the kernel's tcp_states.h
    "?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
)  # fmt: skip
TIMERS = ("", "retransmit", "keepalive", "time wait", "persist")
NEVER_HAD = ("SYN_RECV", "TIME_WAIT")  # a program
LISTENS = 1 << STATES.index("LISTEN")


@dataclass
class Told:
    """One socket, as its kernel tells of it."""

    state: str
    orphan: bool  # no program has it any more
    timer: str  # what the kernel waits for: one of TIMERS
    expires: float  # s until then
    retransmits: int  # of what is stuck, so far; or probes
    rto: float  # s; the pause after the next try
    unacknowledged: int  # bytes that are sent; FIN counts as one
    unsent: int  # bytes that wait behind them
    unread: int  # bytes that have arrived, and its program has not read

    def outline(self) -> tuple[Any, ...]:
        """What makes a difference worth telling."""
        changing = asdict(self)
        del changing["expires"], changing["rto"]
        return tuple(changing.values())


class Kernel:
    """The kernel of the network namespace in which this is made; any thread may ask it."""

    def __init__(self) -> None:
        self.netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG)
        self.netlink.settimeout(1)
        self.one_at_a_time = threading.Lock()  # who asks meanwhile would read half of the answer
        self.number = 0  # of the last question

    def close(self) -> None:
        """Ask no more."""
        self.netlink.close()

    def sockets(self) -> list[tuple[bytes, Told]]:
        """Every TCP socket that does not listen, with its identity."""
        with self.one_at_a_time:
            self._ask(BY_FAMILY, REQUEST | DUMP, 0xFFF & ~LISTENS, bytes(48))
            return list(self._answer())

    def destroy(self, identity: bytes) -> None:
        """Let the kernel forget a socket: it sends RST, and tries nothing again."""
        with self.one_at_a_time:
            self._ask(DESTROY, REQUEST, 0xFFF, identity)

    def _ask(self, kind: int, flags: int, states: int, identity: bytes) -> None:
        self.number += 1
        asked = ASK.pack(socket.AF_INET, socket.IPPROTO_TCP, WANTS_INFO, states) + identity
        header = HEADER.pack(HEADER.size + len(asked), kind, flags, self.number, 0)
        self.netlink.send(header + asked)

    def _answer(self) -> Iterator[tuple[bytes, Told]]:
        """What is told to the last question; an earlier one may have left a refusal behind."""
        while True:
            received = self.netlink.recv(2**16)
            while received:
                length, kind, _, number, _ = HEADER.unpack_from(received)
                message = received[HEADER.size : length]
                received = received[(length + 3) & ~3 :]
                if number != self.number:
                    continue
                if kind in (DONE, ERROR):
                    return
                yield _told(message)


def _told(message: bytes) -> tuple[bytes, Told]:
    _, state, timer, retransmits, identity, *numbers = TOLD.unpack_from(message)
    expires, unread, queued, _, inode = numbers
    info = _info(message[TOLD.size :])
    unsent = struct.unpack_from("I", info, 144)[0]  # tcpi_notsent_bytes
    rto = struct.unpack_from("I", info, 8)[0] / 1e6  # tcpi_rto, in µs
    name = STATES[state]
    return identity, Told(
        state=name,
        orphan=not inode and name not in NEVER_HAD,
        timer=TIMERS[timer],
        expires=expires / 1e3,
        retransmits=retransmits,
        rto=rto,
        unacknowledged=queued - unsent,
        unsent=unsent,
        unread=unread,
    )


def _info(attributes: bytes) -> bytes:
    """The struct tcp_info among the attributes of a socket; zeros if there is none."""
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("HH", attributes)
        if kind == INET_DIAG_INFO:
            return attributes[4:length].ljust(148, b"\0")
        attributes = attributes[(length + 3) & ~3 :]
    return bytes(148)
