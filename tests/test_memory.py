"""Sockets in memory answer as the kernel's do: random sequences of calls, the same on both.

SOCKETS_SEED=… tries others: every sequence comes from that text and its own number.
"""

from __future__ import annotations

import os
import sys

import pytest
from sockets import Kernel, Memory, difference, kernel, shares, steps

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
    assert not told, f"{len(told)} of {last - first} differ (SOCKETS_SEED={SEED}); the first:\n" + told[0]


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
