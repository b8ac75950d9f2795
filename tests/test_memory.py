"""Sockets in memory answer as the kernel's do: random sequences of calls, the same on both.

SOCKETS_SEED=… tries others: every sequence comes from that text and its own number.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from functools import partial

import pytest
from sockets import Kernel, Memory, difference, kernel, shares, steps

from labkit import Cut

SEED = os.environ.get("SOCKETS_SEED", "labkit")
linux = pytest.mark.skipif(sys.platform != "linux", reason="compares with Linux's TCP")


def sequences(first, last):
    return [steps(f"{SEED} {number}") for number in range(first, last)]


def differing(first, last, ours):
    """How the two worlds differ, in every sequence in which they do."""
    with kernel() as probe:
        worlds = {"memory": Memory, "kernel": lambda: Kernel(probe)}
        found = (difference(one, Kernel(probe), worlds[ours]()) for one in sequences(first, last))
        return [told for told in found if told]


def agree(first, last, ours="memory"):
    told = differing(first, last, ours)
    count = f"{len(told)} of {last - first} differ, SOCKETS_SEED={SEED}"
    assert not told, f"{count}; the first:\n{told[0]}"


def test_every_call_is_at_least_3_percent_of_all():
    assert min(shares(sequences(0, 2000)).values()) >= 0.03


@linux
def test_a_kernel_agrees_with_itself_so_what_is_compared_is_settled():
    agree(0, 300, "kernel")


@linux
def test_memory_sockets_answer_as_the_kernels_do():
    agree(0, 2000)


@linux
@pytest.mark.long
@pytest.mark.parametrize("thousand", range(10))
def test_memory_sockets_answer_as_the_kernels_do_in_10_000_sequences(thousand):
    agree(1000 * thousand, 1000 * thousand + 1000)


# What takes a while to arrive: latency is 1 s. The answers are those of Linux 6.18, between two
# namespaces with a tenth of that (when, who, call, argument, answer).

CUT = Cut(0.5, heal=2, direction="to_client")
TIMELINES = {
    "a reset that comes twice is told once": [
        (0.0, "server 0", "close", 0, None),  # 1.0: FIN
        (0.5, "client 0", "send", 1, 1),  # 1.5: nobody is there; 2.5: RST
        (0.7, "client 0", "send", 1, 1),  # 2.7: RST, once more
        (2.6, "client 0", "SO_ERROR", 0, errno.EPIPE),
        (2.8, "client 0", "SO_ERROR", 0, 0),
    ],
    "who has sent the last FIN is connected until it has arrived": [
        (0.0, "server 0", "shutdown(SHUT_WR)", 0, None),  # 1.0: FIN
        (1.2, "client 0", "shutdown(SHUT_WR)", 0, None),  # 2.2: FIN
        (1.5, "client 0", "getpeername", 0, True),
        (1.5, "client 0", "shutdown(SHUT_WR)", 0, None),
        (4.0, "client 0", "getpeername", 0, "ENOTCONN"),
        (4.0, "client 0", "shutdown(SHUT_WR)", 0, "ENOTCONN"),
    ],
    "a reset comes before the last FIN has arrived": [
        (0.0, "server 0", "shutdown(SHUT_WR)", 0, None),  # 1.0: FIN
        (1.2, "client 0", "shutdown(SHUT_WR)", 0, None),  # 2.2: FIN
        (1.5, "server 0", "SO_LINGER 0", 1, None),
        (1.5, "server 0", "close", 0, None),  # 2.5: RST
        (2.6, "client 0", "getpeername", 0, "ENOTCONN"),
        (2.6, "client 0", "SO_ERROR", 0, errno.ECONNRESET),
        (4.0, "client 0", "send", 1, "EPIPE"),
    ],
    "a FIN for nobody is answered with a reset, too": [
        (0.5, "wire", "begin", CUT, None),
        (1.0, "server 0", "SO_LINGER 0", 1, None),
        (1.0, "server 0", "close", 0, None),  # RST, lost
        (2.0, "wire", "end", CUT, None),
        (3.0, "client 0", "shutdown(SHUT_WR)", 0, None),  # 4.0: FIN; 5.0: RST
        (4.5, "client 0", "SO_ERROR", 0, 0),
        (5.5, "client 0", "SO_ERROR", 0, errno.ECONNRESET),
        (5.5, "client 0", "recv", 1, b""),
    ],
}


@pytest.mark.parametrize("timeline", TIMELINES.values(), ids=list(TIMELINES))
def test_with_latency_too(timeline):
    with contextlib.closing(Memory(latency=1.0)) as world:
        for call in ("listen", "dial", "accept"):
            world.answer("listener", call, 1)
        seen = []

        def do(who, call, argument):
            if who == "wire":
                seen.append(world.wire.do(argument, call))
            else:
                seen.append(world.answer(who, call, argument))

        for when, *step, _ in timeline:
            world.wire.at(when, partial(do, *step))
        world.wire.wait(lambda: False, 60)
    told = [(*step[:4], answer) for step, answer in zip(timeline, seen)]
    assert told == timeline
