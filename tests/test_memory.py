"""Sockets in memory answer as the kernel's do: random sequences of calls, the same on both.

LABKIT_SEED=… tries others: every sequence comes from that text and its own number.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import sys
from functools import partial

import pytest
from sockets import Kernel, Memory, difference, kernel, shares, steps

from labkit import Cut

SEED = os.environ.get("LABKIT_SEED", "0")
WORLDS = {"memory": lambda _: Memory(), "kernel": Kernel}
linux = pytest.mark.skipif(sys.platform != "linux", reason="compares with Linux's TCP")


def sequences(first, last):
    return [steps(f"{SEED} {number}") for number in range(first, last)]


def differing(first, last, ours):
    """How the two worlds differ, in every sequence in which they do."""
    with kernel() as probe:
        pairs = ((one, Kernel(probe), WORLDS[ours](probe)) for one in sequences(first, last))
        found = (difference(*pair) for pair in pairs)
        return [told for told in found if told]


def agree(first, last, ours="memory"):
    told = differing(first, last, ours)
    count = f"{len(told)} of {last - first} differ, LABKIT_SEED={SEED}"
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


@linux
@pytest.mark.parametrize("world", ["kernel", "memory"])
def test_there_is_no_room_until_nothing_can_be_sent_any_more(world):
    with kernel() as probe, contextlib.closing(WORLDS[world](probe)) as world:
        for call in ("listen", "dial", "accept"):
            world.do(("listener", call, 1))
        while world.do(("client 0", "send", 60_000))[1]["client 0"]:
            pass
        assert world.ready()["client 0"] == 0
        world.do(("client 0", "shutdown(SHUT_WR)", 0))
        assert world.ready()["client 0"] == selectors.EVENT_WRITE
        assert world.answer("client 0", "send", 1) == "EPIPE"


@pytest.mark.parametrize("before", ["shutdown(SHUT_WR)", "close"])
def test_who_closes_what_is_gone_sends_nothing(before):
    """On the wire, that is: no call tells. Linux: "If socket has been already reset - kill it."."""
    with contextlib.closing(Memory()) as world:
        for call in ("listen", "dial", "accept"):
            world.do(("listener", call, 1))
        world.do(("server 0", "send", 9))
        world.do(("client 0", "send", 9))
        world.do(("client 0", "shutdown(SHUT_WR)", 0))
        world.do(("server 0", before, 0))  # with bytes unread, close() is a reset
        sent = []
        client = world.ends["client 0"]
        client.out.on_push = lambda now, item: sent.append(item)
        assert world.answer("client 0", "getpeername", 0) == "ENOTCONN"
        world.do(("client 0", "close", 0))
        assert client.fileno() == -1 and sent == []


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
