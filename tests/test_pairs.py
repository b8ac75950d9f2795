"""What one of two faults means alone is not changed by the other where they do not touch.

Every pair, on both wires; lanes.py and pairs.py say what that means.
"""

import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from lanes import broken, hear
from machine import TRIES, both_wires, on_time
from pairs import (
    BEAT,
    KINDS,
    TALK,
    changed,
    disorder,
    experiment,
    lasting,
    pair_of_acts,
    pair_of_faults,
    rows,
    some,
)

from labkit import Cut, Delay, Freeze, HangUp, Idle, Peer, Send, SlowClose, StopReading, Tunnel, open_run, run
from labkit.values.faults import FAULTS

HOWS = ("apart", "directions", "together")
SEEDS = [0, pytest.param(range(1, 6), marks=pytest.mark.long)]
names = {"ids": lambda kind: getattr(kind, "__name__", None)}


def seeds(given):
    return given if isinstance(given, range) else [given]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("one", FAULTS, **names)
def test_a_fault_of_the_wire_means_the_same_beside_any_other(one, how, seed):
    pairs = [pair_of_faults(one, two, how, number) for two in FAULTS for number in seeds(seed)]
    assert [problem for pair in pairs if (problem := broken(*pair))] == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", ["apart", "together"])
@pytest.mark.parametrize("one", KINDS, **names)
def test_an_act_means_the_same_beside_any_other_in_a_whole_run(one, how, seed):
    """What ends a connection or stops a clock is not over before the other begins; nearly all of the rest say something."""
    pairs = [pair_of_acts(one, two, how, number) for two in KINDS for number in seeds(seed)]
    found = [changed(*pair, end=11.0) for pair in pairs]
    assert [problem for problem in found if problem not in (None, "touch")] == []
    if one.__name__ not in ("HangUp", "Reset", "Goodbye", "Idle", "Leave", "Limit", "Suspend"):
        assert found.count("touch") <= len(found) / (2 if one is Cut else 4)  # until TCP tries again


# of one kind


def test_two_equal_acts_are_two():
    once, twice = (hear(*[Delay(2, latency=0.3, until=6)] * number)[1, "server"] for number in (1, 2))
    assert [round(late - early, 6) for early, late in zip(once.probes, twice.probes)].count(0.3) == 10
    slow = [hear(*[SlowClose(at=2, delay=0.5)] * number)[2, "server"].fin for number in (0, 1, 2)]
    assert [round(fin - slow[0], 6) for fin in slow] == [0, 0.5, 1]
    sends = experiment(5.0).but(faults=[Send(at=2, size=700), Send(at=2, size=700)])
    assert [frame.size for frame in run(sends, "virtual").frames("server")].count(700) == 2


@pytest.mark.parametrize("kind", [kind for kind in KINDS if lasting(kind)], **names)
def test_what_is_finished_in_a_session_is_that_act_and_no_other_of_its_kind(kind):
    """Two begin at one instant; one is finished, and soon all is as if the other had been alone."""
    strong, weak = (some(kind, random.Random(f"{kind.__name__} {n}"), None, None, 10) for n in (1, 2))
    for first, second in ((strong, weak), (weak, strong), (strong, strong)):
        seen = []
        for done, left in (([first], second), ([], second)):
            with open_run(experiment(9.0), "virtual") as session:
                session.wait(1.9)
                done = [session.do(act) for act in done]
                session.do(left)
                session.wait(0.1)
                for act in done:
                    session.finish(act)
                session.wait()
            seen.append([row for row in rows(session.trace) if row[0] > 4])
        assert seen[0] == seen[1]


def test_what_is_finished_before_its_time_does_not_end_once_more():
    with open_run(experiment(9.0), "virtual") as session:
        planned = [session.do(act) for act in (Freeze(thaw=3), StopReading(resume=3), Cut(heal=3), Delay(until=3))]
        session.wait(1)
        done = [session.finish(act) for act in planned]
        session.do(StopReading(end="client"))
        session.wait()
    assert session.trace.experiment.faults[:4] == tuple(done) and [act.over for act in done] == [1] * 4
    assert sum(event.data["step"] == "end" for event in session.trace.select("act")) == 4
    messages = [event.t for event in session.trace.select("message", "server") if event.data["step"] == "received"]
    assert messages[-1] > 8.5, "it reads on"
    assert not [event for event in session.trace.select("message", "client") if event.data["step"] == "received"]


def test_only_what_goes_on_can_be_finished():
    with open_run(experiment(9.0).but(faults=[Cut(at=1, heal=2), Cut(at=5)]), "virtual") as session:
        session.wait(3)
        begun = session.do(HangUp())
        for act in (session.experiment.faults[0], Cut(at=5), begun):
            with pytest.raises(ValueError, match="does not go on here.*do\\(\\)"):
                session.finish(act)
        with pytest.raises(ValueError, match="after the end of the run"):
            session.do(Cut(heal=100))
    assert session.trace.experiment.faults[2] == begun


@both_wires
def test_a_forgotten_connection_stays_forgotten_whatever_heals(wire):
    faults = [Idle(at=0.3, after=0.15), Cut(at=0.9, heal=1.1)]
    alone = experiment(2.1).but(client=Peer(ping_interval=None), faults=faults)  # two would talk in turn on a machine that is late
    trace = run(alone, wire)
    (forgotten,) = trace.select("forgotten", "wire")
    assert [frame for frame in trace.frames() if frame.arrived_at is not None and frame.arrived_at > forgotten.t] == []
    assert [frame for frame in trace.frames() if frame.sent_at > max(1.1, forgotten.t)]


def moved(act, by):
    """An act that begins so much later (s), and is over so much sooner; another tunnel would have other dice."""
    if isinstance(act, Tunnel):
        return act
    over = {} if act.over is None else {act.finish: act.over - by}
    return dataclasses.replace(act, at=act.at + by, **over)


def off_the_beat(one, two):
    """Both talk, the client 50 ms after the server.

    If each sent what it sends at the instant at which the other's bytes come, which are an acknowledgement, a millisecond would decide
    from which byte on TCP counts its tries when a silence begins, and at which end.
    """
    late = Send(at=BEAT + 0.05, end="client", size=TALK.send_size, every=BEAT)
    until = max(when for act in (one, two) for when, _ in act.steps()) + 0.5
    return experiment(until).but(client=Peer(ping_interval=None), faults=[one, two, late])


def is_tie(one, two, margin):
    """Whether 30 ms more or less of one of two acts, or 10 ms of the wire, make another order, or other events."""
    virtual = run(off_the_beat(one, two), "virtual", progress=False)
    near = [(moved(one, by), two) for by in (-0.03, 0.03)] + [(one, moved(two, by)) for by in (-0.03, 0.03)]
    others = [off_the_beat(*acts).but(until=virtual.experiment.until) for acts in near]
    others += [virtual.experiment.but(latency=BEAT + by) for by in (-0.01, 0.01)]
    return any(disorder(virtual, run(other, "virtual", progress=False), margin) for other in others)


def spaced(act):
    """The act, but no message is due just as its Send ends, nor just as an idle connection is forgotten."""
    if isinstance(act, Send):
        return dataclasses.replace(act, every=BEAT)
    return dataclasses.replace(act, after=BEAT / 2) if isinstance(act, Idle) and act.after < BEAT else act


def in_real_time(one, two, how, margin=0.09):
    """What does not come in the order of virtual time, in words; three times on a machine that is on time.

    The first of eight seeds that makes no tie; "tie" if all do.
    """
    pairs = [[spaced(act) for act in pair_of_acts(one, two, how, seed, pause=0.4)] for seed in range(8)]
    acts = next((acts for acts in pairs if not is_tie(*acts, margin)), None)
    if acts is None:
        return "tie"
    pair = off_the_beat(*acts)
    virtual = run(pair, "virtual", progress=False)
    seen = 0
    for _ in range(TRIES):
        with on_time() as machine:
            problem = disorder(virtual, run(pair, "loopback", progress=False), margin)
        if problem is None:
            return None
        seen += not machine.late
        if seen == 3:
            break
    return f"{acts}: {problem}"


def real_pairs(ones, how):
    """What is wrong with pairs, so many at a time that two cores are not busy: they mostly wait."""
    pairs = [(one, two) for one, twos in ones for two in twos]
    with ThreadPoolExecutor(max_workers=7) as threads:
        found = list(threads.map(lambda pair: in_real_time(*pair, how), pairs))
    assert found.count("tie") <= len(found) / 4
    return [problem for problem in found if problem not in (None, "tie")]


def test_a_fault_means_the_same_beside_another_of_its_kind_in_real_time():
    assert real_pairs([(kind, [kind]) for kind in KINDS], "together") == []


@pytest.mark.long
@pytest.mark.parametrize("how", ["apart", "together"])
@pytest.mark.parametrize("one", KINDS, **names)
def test_an_act_means_the_same_beside_any_other_in_real_time(one, how):
    assert real_pairs([(one, KINDS)], how) == []
