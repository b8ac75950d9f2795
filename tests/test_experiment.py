"""Experiments are values: equal, immutable, readable, and refused in a sentence when they make no sense."""

import dataclasses
import warnings

import pytest
from cases import FLY, quiet

from labkit import Cut, Experiment, Goodbye, Peer, Send, Slice, StopReading  # noqa: F401, for eval()

EXPERIMENTS = [
    FLY,
    Experiment(),
    FLY.but(faults=[Cut(9, heal=14, direction="to_client"), Goodbye(20, end="client", code=3000, reason="tschüss")]),
    FLY.but(faults=[Send(1, size=40_000, every=0.05, until=3), StopReading(2, end="client", resume=4)], latency=0.2, until=30),
    Experiment(server=Peer(ping_timeout=None, close_timeout=None, reads=False, buffer=4096), client=Peer(ping_interval=7), seed=3),
    FLY.but(tls=True),
    *map(quiet, range(20)),
]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=range(len(EXPERIMENTS)))
def test_an_experiment_survives_json_and_its_own_repr(experiment):
    assert Experiment.from_json(experiment.to_json()) == experiment
    names = {kind.__name__: kind for kind in (Experiment, Peer, Cut, Goodbye, Send, StopReading)}
    assert eval(repr(experiment), names) == experiment


def test_the_repr_of_the_fruit_fly_is_the_line_that_makes_it():
    assert repr(FLY) == "Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])"


def test_values_cannot_be_changed_but_copied_with_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FLY.latency = 1
    assert FLY.but(latency=1).latency == 1 and FLY.latency == 0
    assert hash(FLY) == hash(Experiment.from_json(FLY.to_json()))


def test_the_client_has_no_keepalive_unless_asked_and_the_server_has_that_of_websockets():
    assert Experiment().client.ping_interval is None
    assert Experiment(client=Peer(close_timeout=1)).client.ping_interval is None
    assert (Experiment().server.ping_interval, Experiment().server.ping_timeout, Experiment().server.close_timeout) == (20, 20, 10)


BAD = [  # what is written, the words that the one sentence must hold
    ("Peer(ping_interval='4')", ["Peer.ping_interval", "'4'", "seconds"]),
    ("Peer(ping_interval=0)", ["Peer.ping_interval", "greater than 0"]),
    ("Peer(ping_interval=True)", ["Peer.ping_interval", "True"]),
    ("Peer(ping_timeout=-1)", ["Peer.ping_timeout", "greater than 0"]),
    ("Peer(ping_timeout=float('nan'))", ["Peer.ping_timeout", "nan"]),
    ("Peer(close_timeout=float('inf'))", ["Peer.close_timeout", "None"]),
    ("Peer(close_timeout=1e9)", ["Peer.close_timeout", "10,000,000"]),
    ("Peer(reads=1)", ["Peer.reads", "True or False"]),
    ("Peer(send_size=1.5)", ["Peer.send_size", "bytes"]),
    ("Peer(send_every=0)", ["Peer.send_every", "greater than 0"]),
    ("Peer(close_code=1006)", ["Peer.close_code", "1006", "never on the wire"]),
    ("Peer(close_reason='x' * 124)", ["Peer.close_reason", "123 bytes"]),
    ("Peer(write_limit=0)", ["Peer.write_limit", "bytes"]),
    ("Peer(max_queue=0)", ["Peer.max_queue", "frames"]),
    ("Peer(buffer=10)", ["Peer.buffer", "1,024"]),
    ("Cut(at=-1)", ["Cut.at", "seconds"]),
    ("Cut(at='now')", ["Cut.at", "'now'"]),
    ("Cut(9, heal=9)", ["Cut.heal", "after at = 9"]),
    ("Cut(9, heal=4)", ["Cut.heal", "after at = 9"]),
    ("Cut(9, direction='up')", ["Cut.direction", "to_client"]),
    ("Goodbye(1, end='wire')", ["Goodbye.end", "server"]),
    ("Goodbye(1, code=999)", ["Goodbye.code", "3000"]),
    ("Send(1, size=-1)", ["Send.size", "bytes"]),
    ("Send(1, every=0)", ["Send.every"]),
    ("Send(at=-1)", ["Send.at", "seconds"]),
    ("Slice(1, gap=-1)", ["Slice.gap", "seconds"]),
    ("StopReading(3, resume=2)", ["StopReading.resume"]),
    ("Experiment(server=4)", ["Experiment.server", "Peer"]),
    ("Experiment(latency=-0.1)", ["Experiment.latency", "seconds"]),
    ("Experiment(until=0)", ["Experiment.until"]),
    ("Experiment(seed=-1)", ["Experiment.seed"]),
    ("Experiment(compression='deflate')", ["Experiment.compression", "True or False"]),
    ("Experiment(tls='yes')", ["Experiment.tls", "'yes'", "True or False"]),
    ("Experiment(tls=True, server=Peer(close_timeout=0))", ["Experiment.tls", "close_timeout", "greater than 0", "ssl_shutdown_timeout"]),
    ("Experiment(faults=Cut(9))", ["Experiment.faults", "list"]),
    ("Experiment(faults=[9])", ["Experiment.faults", "9", "Cut(at=9)"]),
    ("Experiment(faults=[Cut()])", ["Experiment.faults", "without a time"]),
    ("Experiment(faults=[Cut(30)], until=20)", ["after the end", "until=20"]),
    ("Experiment(faults=[Cut(10, heal=30)], until=20)", ["after the end", "until=20"]),
    ("FLY.but(fault=[])", ["Experiment", "'fault'", "did you mean 'faults'"]),
    ("FLY.peer('middle')", ["server", "'middle'"]),
    ("Experiment.from_json('{')", ["JSON"]),
    ("Experiment.from_json('[]')", ["JSON object"]),
    ("""Experiment.from_json('{"servers": {}}')""", ["'servers'", "did you mean 'server'"]),
    ("""Experiment.from_json('{"faults": [{"act": "Cat", "at": 1}]}')""", ["'Cat'", "did you mean 'Cut'"]),
    ("""Experiment.from_json('{"faults": [{"act": "Cut", "when": 1}]}')""", ["Cut", "'when'"]),
]


@pytest.mark.parametrize(("line", "words"), BAD, ids=[line for line, _ in BAD])
def test_what_makes_no_sense_is_refused_in_one_sentence(line, words):
    with pytest.raises((ValueError, TypeError)) as refusal:
        eval(line)
    sentence = str(refusal.value)
    assert "\n" not in sentence and all(word in sentence for word in words), sentence


def test_cuts_may_overlap_and_follow_each_other():
    Experiment(faults=[Cut(2, heal=6), Cut(5, direction="to_client")])
    Experiment(faults=[Cut(2, heal=5), Cut(5)])


@pytest.mark.parametrize(
    ("timers", "words"),
    [
        ({"ping_interval": 20_000}, "ping_interval is 20,000 s, which is 5.6 hours: if milliseconds were meant, write 20"),
        ({"ping_timeout": 1250.0}, "ping_timeout is 1,250 s, which is 0.3 hours: if milliseconds were meant, write 1.25"),
        ({"ping_interval": 3600, "close_timeout": 999}, None),
        ({"ping_timeout": None}, None),
    ],
)
def test_timers_that_look_like_milliseconds_are_warned_of_once_where_they_stand(timers, words):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Experiment(Peer(**timers))
    assert [(str(one.message).removeprefix("Peer."), one.filename) for one in caught] == ([(words, __file__)] if words else [])
