"""Handlers that do not let their run end, and a program that runs them: python nasty.py WIRE WAY NAME…

It prints "busy" when a handler has come to its worst, and a line of JSON when the run has been left: how long that took, what was
said, and what is left behind. tests/test_ending.py reads it, and sends the interrupts.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
import warnings

from labkit import Experiment, Peer, block, open_run

BLOCKS = 40  # s that a handler would block
SIGN: str | None = None  # a file that says "busy" by being there
UNTIL = 0.3  # s, on the loopback wire; what is virtual and not nasty enough to stay ends at once


class Mistake(Exception):
    """Raised in the cell."""


def ready():
    if SIGN is None:
        os.write(1, b"busy\n")  # at once, whoever else prints
    else:
        open(SIGN, "w").close()


async def sleeps(websocket):
    ready()
    time.sleep(BLOCKS)  # here


async def spins(websocket):
    ready()
    while True:  # here
        pass  # here


async def swallows(websocket):
    ready()
    while True:
        try:
            await asyncio.sleep(1)  # here
        except BaseException:
            pass


async def swallows_and_spins(websocket):
    """recv() raises at once when the connection is lost."""
    ready()
    while True:  # here
        try:  # here
            await websocket.recv()  # here
        except BaseException:  # here
            pass  # here


async def spins_for_ever(websocket):
    """It swallows interrupts, too."""
    ready()
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


async def fails_at_last(websocket):
    ready()
    try:
        await websocket.wait_closed()
    finally:
        raise KeyError("oops")


async def sleeps_at_last(websocket):
    try:
        await websocket.wait_closed()
    finally:
        ready()
        time.sleep(BLOCKS)  # here


async def spins_at_last(websocket):
    try:
        await websocket.wait_closed()
    finally:
        ready()
        while True:  # here
            pass  # here


async def sleeps_beside(websocket):
    ready()
    await asyncio.to_thread(time.sleep, BLOCKS)  # here


async def blocks(websocket):
    ready()
    while True:
        block(BLOCKS)


async def awaits_at_last(websocket):
    """A handler as it should be: it takes a moment to say goodbye."""
    ready()
    try:
        await websocket.wait_closed()
    finally:
        await asyncio.sleep(0.1)


async def dials_another(websocket):
    """It opens a connection of its own, and forgets about it."""
    reader, writer = await asyncio.open_connection(*websocket.local_address[:2])
    ready()
    await websocket.wait_closed()


def tasks() -> int:
    """Tasks that are not done, but for those beside a call that Python cannot break off, whose loop still runs."""
    gc.collect()
    return sum(isinstance(one, asyncio.Task) and not one.done() and not one.get_loop().is_running() for one in gc.get_objects())


def files() -> int:
    return len(os.listdir("/dev/fd"))


def connections() -> int:
    """TCP sockets of this process that listen, or that a peer believes to be open (Linux)."""
    own = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}
    with open("/proc/self/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(f"socket:[{row[9]}]" in own and row[3] not in ("06", "07") for row in rows)  # TIME_WAIT, CLOSE


def left_behind() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if "left behind" in one.name}


def leave(wire: str, way: str, handlers: dict) -> dict:
    """One run, left in one way; what can be told of that."""
    before = files(), threading.active_count(), tasks(), left_behind(), connections()
    row: dict = {"raised": None}
    session = open_run(Experiment(server=Peer(ping_interval=None), until=UNTIL), wire, **handlers)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            with session:
                session.wait(UNTIL / 2 if way == "exception" else None)
                row["end"] = time.monotonic()
                if way == "exception":
                    raise Mistake
        except BaseException as problem:
            row["raised"] = type(problem).__name__
    row["left"] = time.monotonic()
    while way == "interrupt" and row["raised"] is None and time.monotonic() < row["left"] + BLOCKS:
        try:
            time.sleep(0.01)  # it is on its way
        except KeyboardInterrupt:
            row["raised"] = "KeyboardInterrupt afterwards"
    row["ended"] = session.trace.header["ended"] if hasattr(session, "trace") else None  # None: it had not begun
    del session
    row["said"] = [str(one.message) for one in said]
    row["named"] = sorted(one.name for one in left_behind() - before[3])
    row["files"] = files() - before[0]
    row["threads"] = threading.active_count() - before[1] - len(left_behind()) + len(before[3])
    row["tasks"], row["connections"] = tasks() - before[2], connections() - before[4]
    return row


if __name__ == "__main__":
    wire, way, *names = sys.argv[1:]
    for name in names:
        handler, _, both = name.partition(" ")
        ends = ("server", "client") if both else ("server",)
        print(json.dumps(leave(wire, way, dict.fromkeys(ends, globals()[handler]))), flush=True)
    print(json.dumps({"finished": time.monotonic()}), flush=True)
