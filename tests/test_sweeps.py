"""A sweep is many runs and a row for each: tidy, serial, interruptible, and refused in a sentence."""

import pytest
from cases import FLY

from labkit import Experiment, predict, sweep
from labkit.sweeps import vary


def test_two_hundred_phases_agree_with_the_law():
    phases = sweep(FLY, over={"cut.at": [round(8 + n / 50, 2) for n in range(200)]})
    assert len(phases) == 200
    for row in phases:
        assert row["noticed"] == pytest.approx(predict(vary(FLY, {"cut.at": row["cut.at"]})).noticed_at("server"), abs=1e-6)
    assert min(phases["delay"]) >= 3 and max(phases["delay"]) <= 7
    assert sum(phases["delay"]) / 200 == pytest.approx(5, abs=0.05)


def test_several_parameters_give_every_combination():
    table = sweep(FLY, over={"server.ping_interval": [2, 4], "server.ping_timeout": [1, 3], "latency": [0, 0.1]})
    assert len(table) == 8 and table["latency"] == [0, 0.1] * 4
    assert table[0]["server.ping_interval"] == 2 and table[0]["delay"] == 2 and table[0]["told"] == 13
    assert table[0]["pings"] > table[4]["pings"] and table[0]["bytes"] > table[4]["bytes"]


def test_parameters_that_only_make_sense_together_are_set_together():
    assert vary(FLY, {"cut.at": 30, "cut.heal": 40}).cuts[0].heal == 40
    assert vary(FLY, {"server.ping_interval": None}).server.ping_interval is None


def test_rows_turn_into_a_data_frame():
    pandas = pytest.importorskip("pandas")
    table = sweep(FLY, over={"latency": [0, 0.1]}).to_pandas()
    assert isinstance(table, pandas.DataFrame) and list(table.latency) == [0, 0.1] and list(table.told) == [17, 17]


def test_an_interrupted_sweep_keeps_what_is_done(monkeypatch):
    import labkit.sweeps

    done, real = [], labkit.sweeps.run

    def interrupted(*args, **kwargs):
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(labkit.sweeps, "run", interrupted)
    assert len(sweep(FLY, over={"latency": [0, 0.1, 0.2, 0.3]})) == 2


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({}, "cut.at"),
        ([1, 2], "cut.at"),
        ({"latancy": [1]}, "latency"),
        ({"server.ping": [1]}, "ping_interval"),
        ({"wire.x": [1]}, "begins with server, client"),
        ({"cut.at": [-1]}, "Cut.at"),
    ],
)
def test_what_cannot_be_varied_is_refused_before_the_first_run(over, words):
    with pytest.raises((ValueError, TypeError), match=words):
        sweep(FLY, over=over)


def test_without_a_cut_there_is_no_delay():
    (row,) = sweep(Experiment(until=50), over={"latency": [0.1]})
    assert row["delay"] is None and row["noticed"] is None and row["pings"] == 2
    with pytest.raises(KeyError, match="it has latency, noticed"):
        sweep(Experiment(until=50), over={"latency": [0.1]})["colour"]
