"""What permessage-deflate (RFC 7692) changes: how many bytes a message is, and so what fills up in a cut. Nothing else."""

import asyncio
import random

import pytest
from cases import FLY

from labkit import run
from labkit.values.framing import frame_size

SIZE = 20_000  # bytes of a message
EQUAL, RANDOM = b"x" * SIZE, random.Random(0).randbytes(SIZE)


def cut_while_sending(payload, compression):
    """The fruit fly, whose server sends a message ten times a second: its trace, and how many sends returned."""
    returned = 0

    async def handler(websocket):
        nonlocal returned
        while True:
            await websocket.send(payload)
            returned += 1
            await asyncio.sleep(0.1)

    trace = run(FLY.but(compression=compression, until=40), "virtual", server=handler, progress=False)
    return trace, returned


RUNS = {(name, on): cut_while_sending(payload, on) for name, payload in (("equal", EQUAL), ("random", RANDOM)) for on in (False, True)}


def sizes(name, on, opcode):
    return {frame.size for frame in RUNS[name, on][0].frames("server") if frame.opcode == opcode}


def test_equal_bytes_become_a_frame_of_forty_and_random_ones_a_little_more_than_they_were():
    assert sizes("equal", False, "BINARY") == sizes("random", False, "BINARY") == {SIZE}
    assert max(sizes("equal", True, "BINARY")) < 40
    assert min(sizes("random", True, "BINARY")) > SIZE and frame_size(max(sizes("random", True, "BINARY")), "server") < 1.01 * SIZE


@pytest.mark.parametrize("run", RUNS)
def test_pings_and_goodbyes_are_never_compressed(run):
    assert sizes(*run, "PING") == {4}  # RFC 7692 §5: data frames only
    frames = RUNS[run][0].select("frame")
    assert {event.data["opcode"] for event in frames if "compressed" in event.data} == ({"BINARY"} if run[1] else set())


def test_what_fits_is_noticed_as_if_nobody_talked_and_what_fills_the_buffers_hides_the_cut():
    trace, returned = RUNS["equal", True]
    quiet = run(FLY, "virtual", progress=False)
    assert (trace.noticed_at("server"), trace.told_at("server")) == (quiet.noticed_at("server"), quiet.told_at("server"))
    assert trace.waiting("server") == []
    for blocked, fewer in (RUNS["equal", False], RUNS["random", False], RUNS["random", True]):
        assert blocked.noticed_at("server") is None and blocked.waiting("server")[-1][1] > blocked.experiment.server.write_limit
        assert fewer < returned
