"""Notebook 11: the mysteries, the fixes with an answer to every wrong one, and what the notebook says of its figures."""

import asyncio
import time
from pathlib import Path

import pytest

from checks import check, guess, settle
from checks.clinic import MYSTERIES, SILENT, TAKEN_AWAY, TIMERS, log, show
from labkit import Experiment, Freeze, Peer, open_run, run, where
from labkit.doctor import diagnose, draw

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "11_the_clinic.ipynb"
CAUSES = {1: ("own loop", "own_loop"), 2: ("slow way", "peer_timeout"), 3: ("no pong", "own_timeout"), 4: ("idle box", "idle_drop")}


@pytest.mark.parametrize("number", MYSTERIES)
def test_the_doctor_and_the_experiment_agree_on_every_mystery(number):
    (one,) = diagnose(log(number)).verdicts
    assert one.cause == CAUSES[number][1]


@pytest.mark.parametrize("number", MYSTERIES)
@pytest.mark.parametrize("cause", TAKEN_AWAY)
def test_only_the_true_cause_taken_away_keeps_a_mystery_open(number, cause, capsys):
    check(f"11 mystery {number}", cause)
    out, truth = capsys.readouterr().out, CAUSES[number][0]
    assert ("✓" in out and "stays OPEN" in out) if cause == truth else ("it ends all the same" in out and repr(truth) not in out)


def test_a_client_whose_own_loop_was_blocked_reads_ping_and_close_in_one_instant():
    pair = Experiment(Peer(**TIMERS), faults=[Freeze(23, end="client", thaw=37)], latency=0.2, until=60)
    lines = [(e.t, e.data["line"]) for e in run(pair, "virtual").events if (e.where, e.witness) == ("client", "log") and e.t > 23]
    read = [t for t, line in lines if line.startswith(("< PING", "< CLOSE"))]
    assert len(read) == 2 and read[0] == read[1]
    mine = [row for row in log(2) if "< PING" in row or "< CLOSE" in row]
    assert mine[-2].startswith("12:00:03.2") and mine[-1].startswith("12:00:08.2")  # not so in mystery 2


def test_a_log_is_shown_with_the_numbers_that_the_doctor_names(capsys):
    show(3)
    shown = {int(row.split()[0]): row for row in capsys.readouterr().out.splitlines()[1:]}
    for fact in diagnose(log(3)).verdicts[0].evidence:
        assert fact.words.split(" [")[0] in shown[fact.number]


# the fifth


def test_the_fifth_log_says_nothing_and_where_says_it_all(words):
    assert "> PING" in log(5)[-7] and not any("timed out" in row or "CLOS" in row for row in log(5))
    with open_run(SILENT, "virtual") as session:
        session.wait(60)
        inside = where(session.ends["server"].connection)
    keepalive = next(one for one in inside.tasks if one.name == "keepalive")
    assert keepalive.calls == ("keepalive", "ping", "send_context", "drain") and inside.waiting > inside.limit
    assert "12:00:00" in log(5)[-7] and "went out at 12:00:00" in words
    assert "`keepalive → ping → send_context → drain`" in words


def sender(patience, end):
    """Gives up a send() after so many seconds, and then does this."""

    async def careful(websocket):
        while True:
            try:
                async with asyncio.timeout(patience):
                    await websocket.send(bytes(40000))
            except TimeoutError:
                if await end(websocket):
                    return
            await asyncio.sleep(0.5)

    return careful


async def abort(websocket):
    websocket.transport.abort()
    return True


async def close(websocket):
    await websocket.close()
    return True


async def leave(websocket):
    return True


async def go_on(websocket):
    return False


async def with_wait_for(websocket):
    try:
        while True:
            await asyncio.wait_for(websocket.send(bytes(40000)), 10)
            await asyncio.sleep(0.5)
    except asyncio.TimeoutError:
        websocket.transport.abort()


async def with_a_watchdog(websocket):
    loop, moved = asyncio.get_running_loop(), asyncio.get_running_loop().time()

    async def send():
        nonlocal moved
        while True:
            await websocket.send(bytes(40000))
            moved = loop.time()
            await asyncio.sleep(0.5)

    sending = asyncio.create_task(send())
    while loop.time() - moved < 9:
        await asyncio.sleep(1)
    sending.cancel()
    websocket.transport.abort()


async def aborted_by_another_task(websocket):
    loop = asyncio.get_running_loop()
    timer = loop.call_later(8, websocket.transport.abort)
    while True:
        await websocket.send(bytes(40000))  # raises ConnectionClosed when it is aborted
        timer.cancel()
        timer = loop.call_later(8, websocket.transport.abort)
        await asyncio.sleep(0.5)


async def aborted_at_last(websocket):
    try:
        await sends_for(8, websocket)
    finally:
        websocket.transport.abort()


async def sends_for(patience, websocket):
    while True:
        await asyncio.wait_for(websocket.send(bytes(40000)), patience)
        await asyncio.sleep(0.5)


async def only_raises(websocket):
    await sends_for(8, websocket)


def synchronous(websocket):
    """No coroutine."""


async def idle(websocket):
    await websocket.wait_closed()


async def unfinished(websocket):
    while True:
        ...


async def snores(websocket):
    while True:
        await websocket.send(bytes(40000))
        time.sleep(0.5)


async def misspells(websocket):
    await websoket.send(bytes(40000))  # noqa: F821


@pytest.mark.parametrize(
    "handler",
    [sender(8, abort), sender(13, abort), sender(4.5, abort), with_wait_for, with_a_watchdog, aborted_by_another_task, aborted_at_last],
)
def test_handlers_that_free_themselves_are_accepted(handler, capsys):
    check("11 the fix", handler)
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("handler", "belief"),
    [
        (unfinished, "your turn"),
        (idle, "two a second"),
        (only_raises, "a CLOSE waits behind the same bytes"),
        (synchronous, "Does it begin with async def?"),
        (snores, "time.sleep(0.5) raised Asleep"),
        (misspells, "await websoket.send(bytes(40000))  # noqa: F821 raised NameError"),
        (sender(None, abort), "OPEN when the run ends"),
        (sender(8, go_on), "OPEN when the run ends"),
        (sender(8, close), "a CLOSE waits behind the same bytes"),
        (sender(8, leave), "a CLOSE waits behind the same bytes"),
        (sender(20, abort), "15 s were asked for"),
        (sender(14.6, abort), "15 s were asked for"),  # in time, unless the cut comes just after a send
        (sender(3, abort), "into the pause"),
        (sender(4, abort), "into the pause"),  # enough in most moments, and too little in the worst
    ],
)
def test_one_that_does_not_is_told_its_belief(handler, belief, capsys):
    check("11 the fix", handler)
    out = capsys.readouterr().out
    assert belief in out and out.count("✓") < 3


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (10, "✓ the server is busy once"),
        (20, "✓ the server is busy once"),
        (29.9, "✓ the server is busy once"),
        (40, "How much room is left"),
        (59.9, "How much room is left"),
        (60, "the box forgot it"),
        (120, "the box forgot it"),
        (5, "60 were to be enough"),
        (9999, "expected"),
        (..., "your turn"),
    ],
)
def test_an_interval_is_tried_for_ten_minutes_and_with_a_late_ping(interval, said, capsys):
    check("11 the idle box", interval)
    assert said in capsys.readouterr().out


# what the notebook asks and says


def test_the_doctor_is_certain_of_mystery_3_and_only_likely_right_about_mystery_1(words, capsys):
    opinions = {number: diagnose(log(int(number))) for number in ("1", "3")}
    assert [one.verdicts[0].sure for one in opinions.values()] == ["likely", "certain"]
    settle(guess("11 of which the doctor is certain", "both"), opinions)
    assert "it was 3" in (out := capsys.readouterr().out) and "the lines look the same" in out
    waited = opinions["1"].verdicts[0].evidence
    assert waited[1].t - waited[0].t == pytest.approx(8.5) and "that instant was 5 s after the ping, not 8.5 s" in words
    assert diagnose(log(4)).verdicts[0].sure == "possible" and "The doctor calls this cause *possible*" in words


@pytest.mark.parametrize(("said", "belief"), [("timer", "begins when ping() has returned"), ("asleep", "So it woke up")])
def test_a_wrong_reason_for_no_timeout_is_answered(said, belief, capsys):
    with open_run(SILENT, "virtual") as session:
        session.wait(60)
        settle(guess("11 why no timeout", said), where(session.ends["server"].connection))
    assert belief in (out := capsys.readouterr().out) and "it was drain" in out


def test_the_picture_says_that_the_other_end_is_not_in_the_log():
    ax = draw(diagnose(log(3)))
    assert ax.title == "The server noticed at 35 s" and "The client's state is not in this log" in ax.alt
    assert "? not in this log" in ax.words and "client never" not in ax.alt
    assert "PING ?" in ax.words and "whether it arrived is not in this log" in ax.alt and "stuck" not in ax.alt + " ".join(ax.words)
    silent = draw(diagnose(log(5)))
    assert silent.title == "2 pings have their pongs, the server stays OPEN" and "oth ends" not in silent.alt + " ".join(silent.words)
    other = draw(diagnose(log(2)))
    assert other.panels[0].along.label == "seconds since the client was OPEN" and "server's state is not in this log" in other.alt


def test_the_hint_is_true(words):
    first = {number: next((row for row in log(number) if " CLOSE " in row), "") for number in MYSTERIES}
    mine = [number for number, row in first.items() if "> CLOSE" in row and "keepalive ping timeout" in row]
    assert mine == [1, 3] and "In mysteries 1 and 3 the **first** CLOSE begins with `>`" in words
