"""Notebook 06: a cut that is noticed, a size, three logs, and a watchdog of the learner's, each judged by runs."""

import asyncio
import contextlib
import time

import pytest

from checks import backpressure, check, watchdog
from labkit import run


async def good(websocket, interval, patience):
    while True:
        await asyncio.sleep(interval)
        try:
            async with asyncio.timeout(patience):
                await (await websocket.ping())
        except TimeoutError:
            return websocket.transport.abort()


async def by_a_second_close(websocket, interval, patience):
    async def question():
        await (await websocket.ping())

    with contextlib.suppress(TimeoutError):
        while True:
            await asyncio.wait_for(question(), patience)
            await asyncio.sleep(interval)
    first = asyncio.create_task(websocket.close())
    await asyncio.sleep(0)
    await websocket.close()
    await first


async def polite(websocket, interval, patience):
    """Frees the connection with close(), which waits in drain() itself."""
    while True:
        await asyncio.sleep(interval)
        try:
            async with asyncio.timeout(patience):
                await (await websocket.ping())
        except TimeoutError:
            await websocket.close()


async def deaf(websocket, interval, patience):
    """Does not wait for the pong."""
    while True:
        await asyncio.sleep(interval)
        try:
            async with asyncio.timeout(patience):
                await websocket.ping()
        except TimeoutError:
            return websocket.transport.abort()


async def lazy(websocket, interval, patience):
    """Only ends."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(interval + patience):
            await websocket.wait_closed()


async def blank(websocket, interval, patience):
    """Asks again and again."""
    ...  # your watchdog


async def deleted(websocket, interval, patience):
    """Asks again and again."""


async def at_once(websocket, interval, patience):
    websocket.transport.abort()


async def snores(websocket, interval, patience):
    time.sleep(interval)


def synchronous(websocket, interval, patience):
    """No coroutine."""


async def wrong(websocket, interval, patience):
    await websocket.ping(interval)


def said(capsys, id, *answers):
    picture = check(id, *answers)
    return capsys.readouterr().out, picture


async def raises_after_it(websocket, interval, patience):
    try:
        while True:
            await asyncio.sleep(interval)
            await asyncio.wait_for(asked(websocket), patience)
    finally:
        websocket.transport.abort()


async def asked(websocket):
    await (await websocket.ping())


@pytest.mark.parametrize(("code", "interval", "patience"), [(good, 5, 9), (by_a_second_close, 4, 8.5), (raises_after_it, 4, 9)])
def test_a_good_watchdog_passes_every_run(code, interval, patience, capsys):
    out, _ = said(capsys, "06 a watchdog", code, interval, patience)
    assert out.count("✓") == 7 and "not yet" not in out


@pytest.mark.parametrize(
    ("code", "interval", "patience", "belief"),
    [
        (polite, 5, 9, "Your watchdog itself is blocked: polite() → close() → send_context() → drain()"),
        (deaf, 5, 9, "cut just after a pong: OPEN to the end. Your watchdog went on asking. Does it wait for the pong, too?"),
        (lazy, 1, 1, "Your watchdog had ended, and the connection had not"),
        (at_once, 5, 9, "drain() blocked before the ping: it was healthy, and killed at 0 s"),
        (snores, 5, 9, "time.sleep(interval) raised Asleep"),
        (synchronous, 5, 9, "Does it begin with async def?"),
        (wrong, 5, 9, "raised TypeError"),
        (good, 5, 6, "healthy and slow: it was healthy, and killed at"),
        (good, 5, 7.8, "healthy and far away: it was healthy, and killed at"),
        (good, 7, 9, "CLOSED 16.0 s after the cut, and 15 s were allowed"),
        (good, 0.02, 14.9, "questions in a minute, and 20 were allowed"),
        (good, 0, 9, "expected a number of seconds, from 0.01 to 60"),
        (blank, 5, 9, "your turn"),
        (deleted, 5, 9, "Your watchdog had ended, and the connection had not"),
        (good, ..., 9, "your turn"),
    ],
)
def test_each_wrong_watchdog_hears_its_belief(code, interval, patience, belief, capsys):
    assert belief in said(capsys, "06 a watchdog", code, interval, patience)[0]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("interval", "patience"), [(6, 9), (7, 8), (3, 12), (2.5, 12), (2, 7), (6.1, 9), (14, 2)])
def test_the_runs_in_virtual_time_pass_just_what_keeps_the_three_rules(interval, patience, seed):
    wrong = [trial.wants(trial.run(good, interval, patience)) for trial in watchdog.trials(seed)[:-1]]
    keeps = interval + patience <= watchdog.BOUND and patience >= watchdog.SLOWEST and 60 / interval <= watchdog.OFTEN
    assert (not any(wrong)) == keeps, wrong


def test_the_watchdog_is_shown_at_work():
    ax = watchdog.at_work(good, 5, 9)
    assert "CLOSED at 19 s" in ax.alt and "watchdog from 10 s to 19 s: ping(): blocked in drain()" in ax.alt
    assert watchdog.at_work(blank, 5, 9) is None


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (11.5, "✓ the server leaves OPEN: at 15 s"),
        (9.5, "At 12 s, when the ping was due, 35,"),
        (12.5, "At 16 s, when"),
        (14, "expected"),
    ],
)
def test_a_cut_that_is_noticed_lets_the_ping_out_before_the_buffer_is_full(cut, words, capsys):
    assert words in said(capsys, "06 a cut that is noticed", cut)[0]


def test_the_largest_message_is_found_by_experiment(capsys):
    limit = next(size for size in range(2000, 5000, 50) if run(backpressure.talk(size, 0.5, 9), "virtual").closed_at("server") is None)
    assert "✓" in said(capsys, "06 the largest message", limit - 51)[0]
    assert "with 15 % more it still is" in said(capsys, "06 the largest message", limit * 0.8)[0]


@pytest.mark.parametrize(("size", "belief"), [(7000, "the ping of 12 s waits"), (3500, "its CLOSE has to get past drain(), too")])
def test_a_size_that_is_too_large_is_told_how_far_keepalive_came(size, belief, capsys):
    assert belief in said(capsys, "06 the largest message", size)[0]


def test_each_log_has_what_tells_where_drain_blocked(capsys):
    logs = {number: "\n".join(backpressure.last_lines(backpressure.mystery(number))) for number in (1, 2, 3)}
    assert "CLOSING" in logs[1] and "CLOSED" not in logs[1] and "CLOSED" in logs[2] and logs[3].splitlines()[-1].split()[2] == "PING"
    assert said(capsys, "06 three logs", "after", "not", "before")[0].count("✓") == 3
    for answers in (("not", "not", "before"), ("after", "before", "before"), ("after", "not", "after")):
        assert "not yet" in said(capsys, "06 three logs", *answers)[0]
    assert backpressure.last_lines(ValueError("not here")) == ["not here"]
