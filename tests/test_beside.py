"""A thread's work in virtual time, in a browser, which has no threads: the same story as a real thread's, on the loopback wire."""

import asyncio
import contextlib
import time

import pytest
from agreement import differences, story
from machine import in_real_time

from labkit import Experiment, Peer, block, run
from labkit.wires import browser

KEEPER = Peer(ping_interval=0.4, ping_timeout=0.3, close_timeout=0.2)
ASKS = Experiment(server=Peer(ping_interval=None), client=KEEPER, until=2.2)


def blocks(seconds):
    block(seconds)
    return b"x" * round(100 * seconds)


def sleeps(seconds):
    time.sleep(seconds)
    time.sleep(seconds)
    return b"yy"


def fails(seconds):
    block(seconds)
    raise ValueError("no work today")


async def one_after_the_other(websocket):
    for work, seconds in ((blocks, 0.5), (sleeps, 0.25), (blocks, 0.13)):
        await websocket.send(await asyncio.to_thread(work, seconds))
    await websocket.wait_closed()


async def all_at_once(websocket):
    loop = asyncio.get_running_loop()
    futures = [loop.run_in_executor(None, blocks, seconds) for seconds in (0.9, 0.3, 0.6)]
    for future in asyncio.as_completed(futures):
        await websocket.send(await future)
    await websocket.wait_closed()


async def raising(websocket):
    await websocket.send(await asyncio.to_thread(fails, 0.5))


async def caught(websocket):
    try:
        await asyncio.to_thread(fails, 0.5)
    except ValueError as problem:
        await websocket.send(str(problem))
    await websocket.wait_closed()


async def impatient(websocket):
    """Waits for half a second, no longer: the thread goes on, and nobody hears of it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await websocket.send(await asyncio.to_thread(blocks, 0.9))
    await websocket.send(b"too late")
    await websocket.wait_closed()


async def meanwhile(websocket):
    """Sends while the thread works, blocks its own loop once, and then waits for the thread."""
    work = asyncio.ensure_future(asyncio.to_thread(blocks, 0.95))
    await asyncio.sleep(0.13)
    await websocket.send(b"still here")
    block(0.13)
    await websocket.send(await work)
    await websocket.wait_closed()


async def for_ever(websocket):
    await websocket.send(await asyncio.to_thread(blocks, 60))


async def looks_for_a_loop(websocket):
    def is_there():
        with contextlib.suppress(RuntimeError):
            return str(asyncio.get_running_loop())
        return "no loop runs here"

    await websocket.send(await asyncio.to_thread(is_there))
    await websocket.wait_closed()


@pytest.mark.filterwarnings("ignore::labkit.wires.ending.StillBusy")  # of the thread that works for ever
@pytest.mark.parametrize(
    "handler",
    [one_after_the_other, all_at_once, raising, caught, impatient, meanwhile, for_ever, looks_for_a_loop],
)
@in_real_time
def test_a_thread_in_a_browser_tells_the_story_of_a_real_one(handler, monkeypatch):
    real = run(ASKS, "loopback", server=handler, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(browser, "HERE", True)
        virtual = run(ASKS, "virtual", server=handler, progress=False)
    assert "PONGs into the wire from the server" in story(real) and differences(real, virtual) == []


def test_what_it_sleeps_is_virtual_and_time_sleep_is_itself_again(monkeypatch):
    monkeypatch.setattr(browser, "HERE", True)
    real = time.sleep
    run(ASKS, "virtual", server=raising, progress=False)
    assert time.sleep is real
