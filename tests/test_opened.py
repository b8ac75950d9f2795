"""A run whose ends begin OPEN is, from t = 0 on, the run with the opening handshake."""

import random

import pytest
from cases import DEFAULTS, FLY, frozen, goodbyes, overlapping, quiet

from labkit import Cut, Delay, Experiment, Goodbye, Idle, Limit, Peer, Reset, Send, StopReading, Throttle, Tunnel, fleet, run
from labkit.engine.engine import needs_handshake
from labkit.engine.session import Session

OPENING = "= connection is CONNECTING", "connection open", "server listening"


def talks(seed):
    """A goodbye's experiment, in which both ends send as well."""
    dice = random.Random(f"talks {seed}")
    first = goodbyes(seed)
    start = 2 * first.latency + 0.01
    more = [
        Send(round(start + dice.random(), 3), end=end, size=dice.randint(0, 9000), every=dice.choice([None, 0.5]))
        for end in ("server", "client")
    ]
    late = dice.choice(
        [
            Delay(0, latency=0.1, jitter=0.3),
            Throttle(0, rate=20_000),
            Tunnel(0, every=9, length=2),
            Limit(0, size=9000),
            Idle(0, after=first.latency + 0.3),
        ]
    )
    early = Cut(round(first.latency * dice.uniform(1, 2) + 0.001, 6), heal=round(start + dice.random() * 4, 6))
    return first.but(faults=[*first.faults, *more, *dice.sample([late, early], dice.randint(0, 2))], until=60)


KINDS = {"quiet": quiet, "overlapping": overlapping, "goodbyes": goodbyes, "frozen": frozen, "talks": talks}


def recorded(experiment, handshake):
    """The trace of a recorded run, with the opening handshake or (forced) without it."""
    session = Session(experiment, "virtual", {"server": None, "client": None}, True)
    if not handshake:
        session.skip_handshake()
    with session:
        session.wait()
    return session.trace


def story(trace):
    """What happens from t = 0 on, but for what the opening handshake itself says and the payloads of pings, which are random."""
    found = {"server": [], "client": [], "wire": []}  # where ends do something at one instant, nobody says who is first
    for event in trace.events:
        data = {name: value for name, value in event.data.items() if name != "payload"}
        if data.get("opcode") in ("PING", "PONG"):
            data.pop("line", None)  # it shows the payload
        if data.get("arrived_at") is not None:
            data["arrived_at"] = round(data["arrived_at"], 6)
        opening = event.what == "handshake" or str(data.get("line")).startswith(OPENING)
        if event.t >= 0 and not opening:
            found[event.where].append((round(event.t, 6), event.witness, event.what, data))
    return found, trace.header["ended"].split(":")[0], round(trace.end, 6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", range(0, 100, 20))
def test_from_zero_on_every_event_is_the_same_without_a_handshake(kind, first):
    skipped = 0
    for seed in range(first, first + 20):
        experiment = KINDS[kind](seed)
        without = recorded(experiment, handshake=False)
        skipped += without.header.get("handshake") is False
        whole = recorded(experiment, handshake=True)
        assert story(without) == story(whole), (kind, seed)
    assert skipped >= 15


STAYS = {
    "TLS": Experiment(tls=True, faults=[Cut(9)]),
    "compression": Experiment(compression=True),
    "a latency at which the handshake takes too long": Experiment(latency=5),
    "a cut before the client is OPEN": FLY.but(latency=0.5, faults=[Cut(0.5)]),
    "a reset at once": FLY.but(faults=[Reset(0)]),
    "a goodbye at once": FLY.but(faults=[Goodbye(0)]),
    "sends from the beginning": Experiment(server=Peer(send_every=1)),
    "who does not read": FLY.but(faults=[StopReading(0, end="client"), Cut(9)]),
    "a connection that is forgotten before it is OPEN": FLY.but(latency=2, faults=[Idle(0, after=1)]),
}


@pytest.mark.parametrize("experiment", STAYS.values(), ids=STAYS)
def test_where_the_handshake_matters_it_stays(experiment):
    trace = run(experiment.but(until=20), "virtual", record=False, progress=False)
    assert "handshake" not in trace.header


def test_a_handler_of_ones_own_and_every_recorded_run_has_a_handshake():
    asked = []

    async def handler(websocket):
        asked.append(websocket.request.path)

    assert "handshake" not in run(FLY, "virtual", record=False, progress=False, server=handler).header
    assert asked == ["/"] and "handshake" not in run(FLY, "virtual", progress=False).header


def test_an_unrecorded_run_says_that_it_had_none_and_counts_the_same_frames():
    less, whole = run(DEFAULTS, "virtual", record=False, progress=False), run(DEFAULTS, "virtual", progress=False)
    assert less.header["handshake"] is False and len(less.events) < len(whole.events)
    assert less.header["counted"]["pings"] == sum(frame.opcode == "PING" for frame in whole.frames()) > 0
    assert less.told_at("server") == whole.told_at("server") == pytest.approx(110)


@pytest.mark.parametrize("seed", range(40))
def test_a_fleet_is_the_same_with_and_without_a_handshake(seed, monkeypatch):
    experiment, apart = quiet(seed), 0.25 * (seed % 2)
    if apart:
        experiment = experiment.but(faults=[Cut(round(2 * experiment.latency + 1 + seed / 7, 3))], until=None)
    assert not needs_handshake(experiment, 3 * apart)
    without = fleet(experiment, 4, apart)
    monkeypatch.setattr("labkit.many.fleets.needs_handshake", lambda *_: True)
    whole = fleet(experiment, 4, apart)
    assert [row(one) for one in without] == [row(one) for one in whole] and without.ended == whole.ended


def row(of):
    return {name: value and pytest.approx(value, abs=1e-6) for name, value in of.items()}
