"""A fleet is many connections in one run: each notices as it would alone, and nothing of it stays behind."""

import gc

import pytest
from cases import DEFAULTS, FLY, quiet, small
from machine import in_real_time

from labkit import Cut, Delay, Experiment, Freeze, Goodbye, Peer, Send, fleet, predict, run


def near(moment):
    return None if moment is None else pytest.approx(moment, abs=1e-6)


def test_all_that_open_together_notice_together():
    rows = fleet(FLY, clients=50)
    assert len(rows) == 50 and set(rows["noticed"]) == {15.0} and set(rows["told"]) == {17.0}
    assert set(rows["client_noticed"]) == {None} == set(rows["client_told"])
    assert "50 clients" in repr(rows) and "50 told" in repr(rows)


def test_those_that_open_one_after_the_other_have_a_grid_of_pings_each():
    rows = fleet(FLY.but(faults=[Cut(at=9.05)]), clients=40, apart=0.1)
    for row in rows:
        alone = predict(FLY.but(faults=[Cut(at=round(9.05 - row["opened"], 6))]))
        assert row["opened"] == pytest.approx(row["client"] * 0.1, abs=1e-6)
        assert row["noticed"] - row["opened"] == pytest.approx(alone.noticed_at("server"), abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_each_of_a_fleet_does_what_it_would_do_alone(seed):
    experiment = quiet(seed)
    alone = run(experiment, "virtual", progress=False)
    for row in fleet(experiment, clients=3):
        for end, prefix in (("server", ""), ("client", "client_")):
            assert (row[f"{prefix}noticed"], row[f"{prefix}told"]) == (near(alone.noticed_at(end)), near(alone.told_at(end)))
        assert row["closed"] == near(alone.closed_at("server"))


def test_applications_act_in_every_connection():
    rows = fleet(FLY.but(faults=[Goodbye(5, end="client")]), clients=5)
    assert set(rows["client_noticed"]) == {5.0} and set(rows["told"]) == {5.0}


def test_a_frozen_server_is_frozen_for_all():
    rows = fleet(FLY.but(client=Peer(ping_interval=4, ping_timeout=1), faults=[Freeze(5, thaw=12)], until=30), clients=5)
    assert set(rows["client_noticed"]) == {9.0}


def test_jitter_meets_each_connection_with_dice_of_its_own():
    rows = fleet(FLY.but(faults=[Delay(0, latency=0, jitter=0.5, shape="heavy tail")], until=400), clients=60)
    assert len({t for t in rows["noticed"] if t is not None}) > 5 and rows["noticed"] == fleet(rows.experiment, clients=60)["noticed"]


def test_who_comes_into_a_cut_is_never_open_and_has_an_empty_row():
    rows = fleet(FLY, clients=12, apart=1)
    assert [row["opened"] is None for row in rows] == [False] * 9 + [True] * 3
    assert rows[11]["noticed"] is None


def test_who_comes_later_begins_with_what_goes_on():
    rows = fleet(FLY.but(faults=[Send(0, every=1, size=10), Cut(9)]), clients=3, apart=2)
    assert all(row["told"] is not None for row in rows)


@in_real_time
def test_a_fleet_on_the_loopback_wire_keeps_the_order():
    rows = fleet(small(), clients=20, wire="loopback")
    assert all(row["opened"] < 0.45 < row["noticed"] <= row["closed"] <= row["told"] for row in rows)


def test_nothing_of_a_fleet_stays_behind():
    def left():
        gc.collect()
        return [thing for thing in gc.get_objects() if type(thing).__name__ in ("MemorySocket", "WatchedServer")]

    before = left()  # of other tests, perhaps
    fleet(DEFAULTS, clients=20)
    assert gc.isenabled() and [thing for thing in left() if all(thing is not other for other in before)] == []


def test_rows_turn_into_a_data_frame():
    table = fleet(FLY, clients=3).to_pandas()
    assert list(table.told) == [17, 17, 17] and list(table.client) == [0, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"clients": 0}, "at least one client"), ({"apart": -1}, "0 s or more apart"), ({"clients": 10**7, "wire": "loopback"}, "open files")],
)
def test_what_cannot_be_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        fleet(FLY, **wrong)
    with pytest.raises(ValueError, match="without TLS"):
        fleet(FLY.but(tls=True))
    with pytest.raises(TypeError, match="takes an Experiment"):
        fleet(7)
    with pytest.raises(KeyError, match="no column 'colour'"):
        fleet(Experiment(until=1), 1)["colour"]
