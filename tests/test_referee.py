"""The kernel is the referee of the model: random experiments tell the same story on the kernel wire and in virtual time.

LABKIT_SEED is the first seed (0 if it is not set): `LABKIT_SEED=5000 make test-long` tries 200 others,
and `python tests/referee.py 300` prints the table of as many as one likes.
"""

import pytest
from referee import FIRST, MOST, differences, experiment, hearings, near, table

from labkit import Cut, Experiment, Peer, Send, recorded, run
from labkit.versions import why_no_kernel


def judge(first, count):
    """Hear so many cases, some at a time, as they mostly sleep; none may differ. Gives those that do not agree.

    Each is set aside, or undecided: on a machine that is late, as it does much else.
    """
    if why := why_no_kernel():
        pytest.skip(why)
    cases = list(hearings(range(first, first + count)))
    unlike = {case.verdict for case in cases} - {"agree", "set aside", "undecided"}
    assert not unlike, table(cases)
    return [case for case in cases if case.verdict != "agree"]


def test_the_kernel_and_the_model_tell_the_same_story():
    aside = judge(FIRST, 30)
    assert len(aside) <= MOST * 30, table(aside)


BLOCK, BLOCKS = 20, 10  # a block takes half a minute
ASIDE = []


@pytest.mark.long
@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_kernel_and_the_model_tell_the_same_story_200_times(block):
    ASIDE.extend(judge(FIRST + block * BLOCK, BLOCK))
    assert len(ASIDE) <= MOST * BLOCK * BLOCKS, table(ASIDE)


@pytest.mark.parametrize("name", ["kernel-healed-at-14", "kernel-orphan"])
def test_the_recorded_traces_tell_what_the_model_tells(name):
    trace = recorded(name)
    found, pairs = differences(run(trace.experiment, "virtual", progress=False), trace)
    assert not found and pairs


def test_the_recorded_orphan_lives_as_long_as_the_models():
    trace = recorded("kernel-orphan")
    (gave_up,) = run(trace.experiment, "virtual", progress=False).select("gave_up", "server", "tcp")
    (gone,) = [event for event in trace.select("socket", "server", "kernel") if event.data["state"] == "gone"]
    assert gave_up.data["orphan"] and gone.t - trace.closed_at("server") > 60
    assert near(trace.experiment, gave_up.t, gone.t)


FLY = Experiment(Peer(ping_interval=4, ping_timeout=3, close_timeout=2))


@pytest.mark.long
@pytest.mark.parametrize(("heal", "latency", "lives"), [(13, 0, True), (14, 0, False), (14, 0.05, True)])
def test_the_fruit_fly_lives_or_dies_on_the_kernel_wire_too(heal, latency, lives):
    if why := why_no_kernel():
        pytest.skip(why)
    fly = FLY.but(faults=[Cut(9, heal=heal)], latency=latency)
    virtual, kernel = (run(fly, wire, progress=False) for wire in ("virtual", "kernel"))
    assert (kernel.noticed_at("server") is None) == (virtual.noticed_at("server") is None) == lives
    assert not differences(virtual, kernel)[0]


def test_every_seed_is_an_experiment_of_its_own_and_short():
    cases = [experiment(seed) for seed in range(100)]
    assert len({repr(case) for case in cases}) == 100
    assert sum(case.until for case in cases) < 7 * 100
    assert all(case.cuts for case in cases)


CASE = Experiment(Peer(ping_interval=None), faults=[Cut(0.5, heal=1.1), Send(0.7, size=10)], until=4)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (CASE, ""),
        (CASE.but(faults=[Cut(0.5, heal=1.1), Send(0.9, size=10)]), "message sent: virtual 0.700"),
        (CASE.but(faults=[Cut(0.5, heal=3.1), Send(0.7, size=10)]), "BINARYs out of the wire"),
        (CASE.but(faults=[Cut(0.5), Send(0.7, size=10)]), "but kernel nothing"),
    ],
)
def test_stories_that_differ_are_told_apart(other, said):
    found, pairs = differences(run(CASE, "virtual", progress=False), run(other, "virtual", progress=False))
    assert any(said in line for line in found) if said else not found and pairs


def test_times_may_differ_by_60_ms_or_5_percent_of_the_time_since_the_cut():
    assert near(CASE, 1.5, 1.55) and not near(CASE, 1.5, 1.58)
    assert near(CASE, 10.5, 10.95) and not near(CASE, 10.5, 11.1)
