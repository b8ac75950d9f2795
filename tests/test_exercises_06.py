"""Notebook 06's exercises: what they accept, what they say to a wrong answer, and that they judge by experiment."""

import asyncio
import dataclasses

import pytest

from labkit import run
from labkit.exercises import backpressure as exercise
from labkit.exercises.backpressure import check_mysteries, check_size, check_watchdog, judge, last_lines, mystery, talk, trials


async def good(websocket, interval, patience):
    while True:
        await asyncio.sleep(interval)
        try:
            async with asyncio.timeout(patience):
                await (await websocket.ping())
        except TimeoutError:
            return websocket.transport.abort()


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


async def mute(websocket, interval, patience):
    """What a learner has who filled in the numbers only."""
    while True:
        await asyncio.sleep(interval)
        try:
            async with asyncio.timeout(patience):
                await (await websocket.ping())
        except TimeoutError:
            return ...


# exercise 1


def test_the_largest_message_is_found_by_experiment(capsys):
    limit = next(size for size in range(2000, 5000, 50) if run(talk(size, 0.5, 9), "virtual").closed_at("server") is None)
    assert 2500 < limit < 3200
    check_size(limit - 51)
    assert capsys.readouterr().out.startswith("✓")
    check_size(limit * 0.8)
    assert "with 15 % more it still is" in capsys.readouterr().out


@pytest.mark.parametrize(("size", "belief"), [(7000, "before the ping was due"), (3500, "its CLOSE has to get past drain(), too")])
def test_a_size_that_is_too_large_is_told_how_far_keepalive_came(size, belief, capsys):
    check_size(size)
    said = capsys.readouterr().out
    assert said.startswith("not yet") and belief in said and "still" in said


# exercise 2


def test_each_mystery_ends_as_its_answer_says():
    states = {answer: mystery(n).state_at("server", 1e9) for n, answer in enumerate(exercise.HIDDEN, start=1)}
    assert states == {"before": "OPEN", "after": "CLOSING", "not": "CLOSED"}


def test_logs_are_told_apart_by_what_is_in_them(capsys):
    check_mysteries(*exercise.HIDDEN)
    assert capsys.readouterr().out.count("✓") == 3
    check_mysteries("not", "before", "after")
    said = capsys.readouterr().out
    assert said.count("not yet") == 3 and "% sent keepalive ping" in said
    assert "no `= connection is CLOSED` came" in said and "CLOSED after close_timeout" in said


def test_the_lines_shown_have_what_it_takes():
    one, two, three = ("\n".join(last_lines(mystery(n))) for n in (1, 2, 3))
    assert "BINARY" not in one + two + three
    assert one.count("CLOSING") == 1 and "CLOSED" not in one and "CLOSED" in two and three.splitlines()[-1].split()[2] == "PING"
    assert last_lines(ValueError("not here")) == ["not here"]


# exercise 3

VIRTUAL = range(5)  # of the trials


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("number", VIRTUAL)
def test_a_good_watchdog_passes_every_hidden_run(number, seed):
    assert judge(trials(seed)[number], good, 5, 9).startswith("✓")


@pytest.mark.parametrize("number", [5, 6])
def test_a_good_watchdog_passes_in_real_time_too(number):
    assert judge(trials()[number], good, 5, 9).startswith("✓")


@pytest.mark.parametrize(
    ("watchdog", "interval", "patience", "number", "said"),
    [
        (polite, 5, 9, 0, "CLOSING to the end. Your watchdog itself is blocked: polite() → close() → send_context() → drain()"),
        (deaf, 5, 9, 2, "OPEN to the end. Your watchdog went on asking. Does it wait for the pong, too?"),
        (mute, 5, 9, 0, "OPEN to the end. Your watchdog had ended by then"),
        (good, 5, 6, 3, "it was healthy, and killed at"),
        (good, 10, 9, 0, "15 s were allowed: interval and patience add up"),
        (good, 7, 9, 2, "CLOSED 16.0 s after the cut, and 15 s were allowed"),
        (good, 5, 7, 4, "it was healthy, and killed at"),
    ],
)
def test_each_mistake_fails_the_run_that_is_about_it(watchdog, interval, patience, number, said):
    assert said in judge(trials()[number], watchdog, interval, patience)


def test_no_watchdog_at_all_fails_every_hidden_cut_but_the_quiet_one_is_not_freed_by_the_library():
    async def idle(websocket, interval, patience):
        await asyncio.sleep(1000)

    assert all(judge(trial, idle, 5, 9).startswith("not yet") for trial in trials()[:3])
    assert judge(trials()[3], idle, 5, 9).startswith("✓")


@pytest.mark.parametrize(("interval", "patience"), [(6, 9), (7, 8), (0.5, 14.5), (2, 7), (6.1, 9), (14, 2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_hidden_runs_in_virtual_time_pass_just_what_keeps_both_rules(interval, patience, seed):
    said = [judge(trials(seed)[number], good, interval, patience) for number in VIRTUAL]
    keeps = interval + patience <= exercise.BOUND and patience >= exercise.SLOWEST
    assert all(line.startswith("✓") for line in said) == keeps, said


def test_a_watchdog_that_raises_is_told_so():
    async def broken(websocket, interval, patience):
        await ...

    assert "your watchdog raised TypeError" in judge(trials()[0], broken, 5, 9)


def test_on_the_slow_lines_a_pong_takes_long_and_never_longer_than_promised():
    slowest = []
    for seed in range(2):
        said = judge(trials(seed)[3], good, 5, 60)
        slowest.append(float(said.split()[-2]))
    assert all(5 < t < exercise.SLOWEST for t in slowest)


def test_the_librarys_own_keepalive_survives_the_slow_virtual_line_as_the_notebook_says():
    trial = trials()[3]
    server = dataclasses.replace(trial.experiment.server, ping_interval=4, ping_timeout=3)
    assert judge(dataclasses.replace(trial, experiment=trial.experiment.but(server=server)), good, 5, 60).startswith("✓")


# empty and unusable answers


def test_empty_answers_are_the_learners_turn(capsys):
    check_size()
    check_mysteries()
    check_watchdog(good)
    check_watchdog()
    exercise.at_work(good)
    assert capsys.readouterr().out.count("your turn") == 1 + 3 + 1 + 1 + 1


def test_unusable_answers_are_refused_in_a_sentence(capsys):
    check_size("many")
    check_size(-1)
    check_mysteries("perhaps", "not", "before")
    check_watchdog(good, "5", 9)
    check_watchdog(good, 5, float("nan"))
    assert capsys.readouterr().out.count("expected ") == 5
    with pytest.raises(ValueError, match="mysteries 1 to 3"):
        mystery(4)


def test_the_learners_watchdog_is_shown_at_work():
    ax = exercise.at_work(good, 5, 9)
    assert "CLOSED at 19 s" in ax.alt and "dog from 10 s to 19 s: ping(): blocked in drain()" in ax.alt
