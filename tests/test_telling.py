"""My numbers: story() tells what the run shows, and its code makes the same experiment again."""

import re

import pytest

from labkit import Cut, predict, run, story
from labkit.__main__ import main
from labkit.trace.why import why

NUMBERS = [
    ((20, 20, 10), dict(cut=63), "The server noticed at 100 s, 37 s after the cut"),
    ((4, 3, 2), dict(cut=9, heal=14), "the wire was healed between the last two"),
    ((4, 3, 2), dict(cut=9, end="client"), "The server never noticed: it sends no pings"),
    ((5, 1, 1), dict(latency=0.6), "though nobody had cut anything"),
    ((20, None, 10), dict(cut=63), "TCP gave up, since nobody acknowledged what it sent (ETIMEDOUT)"),
    ((None, 20, 10), dict(cut=63), "neither end sends pings, and silence alone says nothing"),
    ((20, 20, None), dict(cut=63), "It was still CLOSING"),
    ((), {}, "every ping that was due had its pong"),
]
words_of = pytest.mark.parametrize(("timers", "acts", "words"), NUMBERS, ids=[f"{t} {a}" for t, a, _ in NUMBERS])


def one_line(text):
    return " ".join(str(text).split())


@words_of
def test_it_says_what_happens_and_why(timers, acts, words):
    told = story(*timers, **acts)
    said = one_line(told)
    assert words in said and one_line(why(told.trace)) in said and repr(told) == str(told)
    assert "Theory, from the numbers alone, says the same." in said
    assert all(len(line) <= 100 for line in str(told).splitlines())


@words_of
def test_its_code_makes_the_experiment_again_and_shows_every_number(timers, acts, words):
    told = story(*timers, **acts)
    assert told.code in re.sub("^    ", "", str(told), flags=re.MULTILINE)
    names = {}
    exec(told.code, names)
    assert names["mine"] == told.experiment and why(names["trace"]) == why(told.trace)
    for name, value in zip(("ping_interval", "ping_timeout", "close_timeout"), timers if timers[:1] != (None,) else ()):
        assert f"{name}={value!r}" in told.code


def test_it_is_watched_until_tcp_has_given_up_where_no_timer_ends_it():
    told = story(20, None, 10, cut=63)
    longer = run(told.experiment.but(until=told.experiment.until + 3000), "virtual", progress=False)
    assert longer.noticed_at("server") == told.trace.noticed_at("server") == predict(told.experiment).noticed_at("server") is not None


def test_the_command_line_tells_the_same(capsys):
    assert main("story 20 none 10 --cut 63 --latency 0.1 --end client".split()) == 0
    assert capsys.readouterr().out == f"{story(20, None, 10, cut=63, latency=0.1, end='client')}\n"
    assert main(["story"]) == 0 and "every ping that was due had its pong" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("timers", "acts", "words"),
    [
        ((0, 20, 10), {}, "Peer.ping_interval is 0: expected seconds, greater than 0"),
        (("20 s", 20, 10), {}, "Peer.ping_interval is '20 s': expected seconds"),
        ((20, 20, 10), dict(heal=95), "heal is 95, and nothing is cut: expected cut=…"),
        ((20, 20, 10), dict(cut=63, heal=9), "Cut.heal is 9: expected seconds after at = 63"),
        ((20, 20, 10), dict(end="router"), "end is 'router': expected 'server' or 'client'"),
        ((20, 20, 10), dict(latency=-1), "Experiment.latency is -1: expected seconds"),
    ],
)
def test_numbers_that_no_experiment_can_have_are_refused_in_words(timers, acts, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        story(*timers, **acts)


def test_a_cut_stands_in_the_experiment_as_it_was_asked_for():
    assert story(4, 3, 2, cut=9, heal=14).experiment.faults == (Cut(9, heal=14),)
