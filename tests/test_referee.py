"""The kernel is the referee of the model: random experiments tell the same story on the kernel wire and in virtual time.

LABKIT_SEED is the first seed (0 if it is not set): `LABKIT_SEED=5000 make test-long` tries 200 others.
"""

import pytest
from referee import FIRST, MOST, differences, experiment, hearings, near, table

from labkit import Cut, Experiment, Peer, Send, run
from labkit.versions import why_no_kernel


def judge(count, *allowed):
    """Hear so many cases, some at a time, as they mostly sleep; they agree, or are set aside, or ``allowed``."""
    if why := why_no_kernel():
        pytest.skip(why)
    cases = list(hearings(range(FIRST, FIRST + count)))
    set_aside = sum(case.verdict == "set aside" for case in cases)
    unlike = {case.verdict for case in cases} - {"agree", "set aside", *allowed}
    assert not unlike and set_aside <= MOST * count, table(cases)


def test_the_kernel_and_the_model_tell_the_same_story():
    judge(30, "undecided")  # a machine that does much else is late


@pytest.mark.long
def test_the_kernel_and_the_model_tell_the_same_story_200_times():
    judge(200)


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
