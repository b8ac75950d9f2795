"""A plan proposes timers from theory, and runs bear it out, or say that they do not."""

import ast
import asyncio
import random
import re

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from labkit import Cut, Delay, Timers, Tunnel, plan, predict, sweep
from labkit.many.crowds import hold
from labkit.many.plans import DAY, Plan, propose
from labkit.many.timers import alarm_rate, late_share, losses
from labkit.many.trials import Check, check_by_runs, experiment_of, false_alarms
from labkit.patterns import keep_connected
from labkit.wires.effects import JITTERS
from tests.torture import Whole, ordeal

NORMAL = [Delay(0, latency=0.05, jitter=0.03, shape="normal")]
HEAVY = [Delay(0, latency=0.05, jitter=0.002, shape="heavy tail")]
PHONE = [Delay(0, latency=0.1, jitter=0.02, shape="heavy tail"), Tunnel(0, every=300, length=6)]
LIFT = [Delay(0, latency=0.05), Tunnel(0, every=600, length=8)]


@pytest.mark.parametrize(("shape", "tolerance"), [("uniform", 0), ("normal", 0), ("heavy tail", 0.1)])  # the heavy tail is an approximation
def test_the_share_of_late_round_trips_is_what_dice_give(shape, tolerance):
    dice, jitter, latency = random.Random(1), 0.1, 0.5
    trips = [sum(latency + JITTERS[shape](dice, jitter) for _ in range(2)) for _ in range(100_000)]
    for timeout in (1.6, 2.2, 4) if shape == "heavy tail" else (1.02, 1.1, 1.16, 1.18):
        wanted = late_share(timeout, [Delay(0, latency=latency, jitter=jitter, shape=shape)])
        chance = 3 * (wanted / len(trips)) ** 0.5  # three standard deviations
        assert abs(sum(trip > timeout for trip in trips) / len(trips) - wanted) < chance + tolerance * wanted


@pytest.mark.parametrize(("wire", "timers"), [(LIFT, Timers(20, 5, 2)), (LIFT, Timers(4, 10, 2)), (HEAVY, Timers(10, 0.3, 1))])
def test_false_alarms_are_as_many_as_theory_promises(wire, timers):
    hours, alarms = false_alarms(timers, wire)
    wanted = alarm_rate(timers, wire) * hours * 3600
    assert wanted > 5 and abs(alarms - wanted) < 3.5 * wanted**0.5 + 0.1 * wanted


def test_a_ping_that_tcp_tries_again_has_its_round_trip_still_to_go():
    timers = Timers(20, 3.5, 3)  # tried again after 3.36 s, over a round trip of more than 0.2 s
    seen = sweep(experiment_of(timers, PHONE).but(until=3600), {"seed": range(300)}, progress=False)
    wanted = alarm_rate(timers, PHONE) * seen["noticed"].fillna(3600).sum()
    assert wanted > 200 and seen["false_alarm"].sum() == pytest.approx(wanted, rel=0.2)


def test_the_worst_case_of_timers_is_never_exceeded_and_nearly_reached():
    timers = Timers(5, 2, 1)
    told = [predict(experiment_of(timers, []).but(faults=[Cut(10 + n / 100)])).told_at("server") - 10 - n / 100 for n in range(1, 500)]
    assert timers.worst - 0.02 < max(told) <= timers.worst


def test_a_proposal_meets_both_and_no_longer_ping_interval_would():
    for rate in (1e-7, 1e-6, 1e-5):
        timers = propose(60, rate, HEAVY)
        assert timers.worst <= 60 and alarm_rate(timers, HEAVY) <= rate
        shorter = Timers(timers.ping_interval + 1, timers.ping_timeout - 1, timers.close_timeout)
        assert shorter.ping_timeout < 1 or alarm_rate(shorter, HEAVY) > rate


def test_a_plan_shows_theory_beside_runs_and_the_lines_to_paste():
    made = plan(detect_within=30, connections=1000, wire=NORMAL)
    assert made.met and made.timers.worst <= 30 and made.alarms_per_day <= 1
    text = str(made)
    for name in ("ping_interval", "ping_timeout", "close_timeout"):
        assert f"    {name}={getattr(made.timers, name):g}," in text
    assert "serve(" in text and "theory expects" in text and f"in {made.check.cuts} cuts" in text
    assert repr(made) == text


@pytest.mark.parametrize("within", [0.5, 7, 30, 86_400])
def test_the_lines_to_paste_give_a_real_server_those_timers(within):
    made, names = plan(detect_within=within, wire=[], verify=False), ("ping_interval", "ping_timeout", "close_timeout")
    lines = str(made)[str(made).index("serve(") :]

    async def pasted():
        seen = asyncio.get_running_loop().create_future()

        async def handler(connection):
            seen.set_result([getattr(connection, name) for name in names])

        known = {"serve": serve, "handler": handler, "host": "127.0.0.1", "port": 0}
        async with eval(lines, known) as server:
            async with connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"):
                return await seen

    assert asyncio.run(pasted()) == [getattr(made.timers, name) for name in names]


@pytest.mark.parametrize("within", [0.5, 7, 30, 300])
@pytest.mark.parametrize("end", ["server", "client"])
def test_the_lines_for_the_files_to_copy_tell_in_time(within, end):
    async def keep(websocket):
        opened.append(loop_time())
        try:
            await websocket.wait_closed()
        finally:
            told.append(loop_time() - at)

    loop_time, opened, told, at = (lambda: asyncio.get_running_loop().time()), [], [], 1 + 3 * within
    lines = str(plan(detect_within=within, verify=False)).splitlines()
    (line,) = (line for line in lines if line.startswith({"server": "Server(", "client": "keep_"}[end]))
    wanted = ast.parse(line, mode="eval").body.keywords
    timers = {one.arg: ast.literal_eval(one.value) for one in wanted}
    assert set(timers) == {"ping_interval", "close_timeout"}

    async def client(uri, number, seen):
        await keep_connected(uri, keep if end == "client" else hold, spread=0.1, **timers)

    cut = [Cut(at + within / 7)]
    ordeal(client, lambda _: keep if end == "server" else hold, cut, kind=Whole, until=at + 3 * within, latency=0.0, **timers)
    assert opened and 0 < told[0] - within / 7 <= within


def test_traffic_is_a_ping_and_a_pong_an_interval():
    made = plan(detect_within=30, connections=100, verify=False)
    on_the_wire = 6 + 10 + 3 * (20 + 32)  # ping, pong; and IPv4 and TCP of both, and of the last ACK
    assert made.bytes_per_second == pytest.approx(100 * on_the_wire / made.timers.ping_interval)
    assert made.check is None and not made.met and "not run" in str(made)


def test_more_connections_need_a_longer_timeout():
    few, many = (plan(detect_within=60, false_alarms_per_day=10, connections=n, wire=HEAVY, verify=False).timers for n in (1, 1000))
    assert few.ping_timeout < many.ping_timeout and few.ping_interval > many.ping_interval


def test_no_timer_is_shorter_than_a_program_may_be_busy():
    made = plan(detect_within=60, pause=5, verify=False).timers
    assert min(made.ping_timeout, made.close_timeout) >= 5


def test_runs_that_contradict_theory_are_told():
    check = Check(cuts=50, told=20.0, hours=10, alarms=50, expected=1.0, short=0, short_alarms=0, short_expected=0)
    assert not check.agrees
    made = Plan(30, 1, 1, (), Timers(20, 5, 5), 1.0, 1.0, check)
    assert not made.met


def test_on_a_wire_that_is_never_late_runs_find_no_alarm():
    check = check_by_runs(Timers(5, 2, 1), [])
    assert check.alarms == 0 == check.expected and check.agrees and check.told <= 8


def test_what_no_timers_can_do_is_said_with_the_best_that_there_is():
    with pytest.raises(ValueError, match="the fewest false alarms are .* a day for each connection") as refused:
        plan(detect_within=10, connections=1000, wire=LIFT)
    said = float(re.search(r"fewest false alarms are ([\d.]+) a day", str(refused.value))[1])
    close = propose(10, 1.0, LIFT).close_timeout
    every = [alarm_rate(Timers(10 - close - n / 10, n / 10, close), LIFT) * DAY for n in range(10, 88)]
    assert said == pytest.approx(min(every), rel=0.02) and said > 0.001


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"detect_within": 0}, "from 0.1"),
        ({"false_alarms_per_day": 0}, "more than 0"),
        ({"connections": 0}, "from 1"),
        ({"wire": [Cut(9)]}, "expected Delay and Tunnel"),
        ({"wire": [Delay(0, direction="to_client")]}, "both ways"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        plan(**{"detect_within": 30, **wrong})


def test_tls_costs_22_bytes_a_frame():
    plain, safe = (plan(detect_within=30, verify=False, tls=tls) for tls in (False, True))
    assert (safe.bytes_per_second - plain.bytes_per_second) * plain.timers.ping_interval == pytest.approx(2 * 22)


@pytest.mark.parametrize(("timeout", "trip", "lost"), [(0.2, 0, 0), (0.4, 0, 1), (0.8, 0, 2), (1, 0, 3), (0.4, 0.1, 0), (10, 0.1, 5)])
def test_a_short_ping_timeout_does_not_survive_lost_packets(timeout, trip, lost):
    assert losses(timeout, trip) == lost


def test_a_plan_says_how_many_lost_packets_it_survives():
    made = plan(detect_within=2, verify=False)
    assert made.timers.ping_timeout < 1 and made.losses == 2 and "2 in a row" in str(made)
