"""Jitter and bursts of silence: each has the spread that its docstring says, is seeded, and loses nothing."""

import random
import statistics

import pytest

from labkit import Cut, Delay, Experiment, Peer, Send, Tunnel, run
from labkit.wires.effects import Delayed, Tunneled

SILENT = Peer(ping_interval=None)
CHATTER = Send(0, size=10, every=0.5)


def lateness(shape: str, count: int = 20_000) -> list[float]:
    """How late a delay of 10 ± 1 s makes things, beyond its 10 s."""
    effect = Delayed(Delay(0, latency=10, jitter=1, shape=shape), random.Random(1), lambda: None)
    return [effect(0.0, b"x")[0][0] - 10 for _ in range(count)]


def test_uniform_jitter_stays_within_its_bounds():
    late = lateness("uniform")
    assert min(late) >= -1 and max(late) <= 1 and statistics.stdev(late) == pytest.approx(3**-0.5, rel=0.02)


def test_normal_jitter_has_the_standard_deviation_that_it_was_given():
    late = lateness("normal")
    assert statistics.mean(late) == pytest.approx(0, abs=0.03) and statistics.stdev(late) == pytest.approx(1, rel=0.03)


def test_a_heavy_tail_is_never_early_and_late_as_often_as_it_says():
    late = lateness("heavy tail")
    assert min(late) >= 0
    for x in (0.5, 2, 20, 99):
        assert sum(value > x for value in late) / len(late) == pytest.approx((1 + x) ** -1.5, rel=0.35)


def test_a_jitter_never_makes_anything_arrive_before_it_was_sent():
    effect = Delayed(Delay(0, latency=0, jitter=1, shape="normal"), random.Random(1), lambda: None)
    assert min(effect(5.0, b"x")[0][0] for _ in range(100)) == 5.0


def test_an_unknown_shape_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="'uniform' or 'normal' or 'heavy tail'"):
        Delay(0, shape="gaussian")


def test_silences_come_as_often_and_last_as_long_as_asked_for():
    """Looked at once a second for 20,000 s: a share of length / (every + length) is silent."""
    effect = Tunneled(Tunnel(0, every=60, length=5), random.Random(2), lambda: None)
    left = [effect.end - t for t in range(20_000) if effect.is_silent(float(t))]
    assert len(left) / 20_000 == pytest.approx(5 / 65, rel=0.2)
    assert statistics.mean(left) == pytest.approx(5, rel=0.25)  # exponential: what is left is as long as the whole, on average


def test_what_a_silence_holds_arrives_when_tcp_tries_again():
    """Sent once a second: whoever is the first in a silence waits until a try that comes after it, the others with it."""
    effect, look = (Tunneled(Tunnel(0, every=60, length=5), random.Random(2), lambda: None) for _ in range(2))
    tries, free, held = [effect.retries.after(number) for number in range(12)], 0.0, 0
    for t in range(20_000):
        ((arrives, _),) = effect(float(t), b"x")
        if t >= free:
            expected = t if not look.is_silent(float(t)) else next(t + one for one in tries if not look.is_silent(t + one))
            held += expected > t
            free = expected
        assert arrives == free
    assert held > 100 and effect(20_000.0, None) in ([], [(20_000.0, None)])


@pytest.mark.parametrize("wire", ["virtual", "loopback"])
def test_a_silence_meets_both_directions_at_once_and_loses_nothing(wire):
    until, beat = (100.0, 0.5) if wire == "virtual" else (1.0, 0.01)
    faults = [Tunnel(0, every=until / 6, length=until / 20), *(Send(0, end=end, size=10, every=beat) for end in ("server", "client"))]
    trace = run(Experiment(SILENT, SILENT, faults=faults, until=until, seed=3), wire, progress=False)
    frames = [frame for frame in trace.frames() if frame.opcode == "BINARY" and frame.arrived_at is not None]
    slow = {
        end: [round(f.arrived_at, 3) for f in frames if f.sender == end and f.arrived_at - f.sent_at > until / 50]
        for end in ("server", "client")
    }
    assert slow["server"] and slow["client"]
    if wire == "virtual":
        assert set(slow["server"]) == set(slow["client"])  # one silence ends for both


def test_the_same_seed_makes_the_same_silences_and_another_seed_others():
    def silences(seed):
        trace = run(Experiment(SILENT, SILENT, faults=[Tunnel(0, every=10), CHATTER], until=60, seed=seed), "virtual")
        return [frame.arrived_at for frame in trace.frames("server")]

    assert silences(1) == silences(1) != silences(2)


def test_a_silence_longer_than_ping_timeout_is_a_false_alarm_and_a_short_one_is_not():
    server = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
    noticed = {
        length: run(Experiment(server, faults=[Tunnel(0, every=5, length=length)], until=120), "virtual").noticed_at("server")
        for length in (0.01, 60)
    }
    assert noticed[0.01] is None and noticed[60] is not None


def test_a_tunnel_and_a_cut_can_be_combined():
    server = Peer(ping_interval=4, ping_timeout=3, close_timeout=2)
    trace = run(Experiment(server, faults=[Tunnel(0, every=5, length=0.5), Cut(9)]), "virtual")
    assert trace.noticed_at("server") == pytest.approx(15, abs=4) and trace.noticed_at("client") is None
