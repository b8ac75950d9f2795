"""Notebook 10: what it says of its figures is what they show, a law is tried on servers that talk, and a choice is judged by runs."""

from pathlib import Path

import nbformat
import pytest

from checks import check, guess, settle
from checks.choosing_timers import BUFFER, FACTORY, LIMIT, PHONE, TICKER, cut
from labkit import Cut, Experiment, Peer, fleet, plan, sweep
from labkit.plots.landscapes import cells_of
from labkit.plots.tradeoffs import knee, settings_of

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "solutions" / "10_choosing_timers.ipynb"
SETUP: dict = {}
exec(nbformat.read(NOTEBOOK, as_version=4).cells[1].source, SETUP)  # what its set-up cell names: fly, phone
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def says(id, *given, capsys):
    check(id, *given)
    return capsys.readouterr().out


# what the notebook says


def test_what_it_says_of_the_knee(words, capsys):
    cuts = [64.01, 64.6, 65.01, 66.01, 68.01, 72.01, 76.5, 80.01, 88.01, 96.01]
    assert str(cuts) in words
    prices = sweep(SETUP["fly"], over={"server.ping_interval": [1, 2, 4, 8, 16, 32], "cut.at": cuts})
    found = {one.value: one for one in settings_of(prices, "server.ping_interval")}
    assert "from 32 s to 16 s saves **16 s** for 30 bytes a minute" in words and "from 2 s to 1 s saves **1 s** for 450" in words
    assert found[32].delay - found[16].delay == pytest.approx(16, abs=0.1) and found[2].delay - found[1].delay == pytest.approx(1, abs=0.1)
    assert 20 < found[16].traffic - found[32].traffic < 40 and found[1].traffic - found[2].traffic == pytest.approx(450, abs=5)
    assert knee(list(found.values())).value in (4, 8)
    worst = (prices["told"] - prices["cut.at"]).groupby(prices["server.ping_interval"]).max()
    settle(guess("10 what the last ping buys", 16), worst)
    assert "it was 1 s" in (out := capsys.readouterr().out) and "That was the first step" in out


def test_what_it_says_of_tunnels(words, capsys):
    phone = SETUP["phone"]
    assert "only (5/6)¹², **one in nine**, live for an hour" in words and (5 / 6) ** 12 == pytest.approx(1 / 9, abs=0.01)
    share = sweep(phone, over={"latency": [0]}, repeats=40)["false_alarm"].mean()
    assert share == pytest.approx(8 / 9, abs=0.05)
    for word in ("none", "a few", "about half"):
        settle(guess("10 killed within an hour", word), share)
    out = capsys.readouterr().out
    assert out.count("and it was most\n   ") == 3 and "an hour has twelve of them" in out and "TCP's last try" in out
    over = {"server.ping_interval": [10, 80], "server.ping_timeout": [2, 20]}
    cells = cells_of(sweep(phone, over=over, repeats=10), "server.ping_interval", "server.ping_timeout", "false_alarm")
    assert "The harmless corner is at the upper right" in words and min(cells, key=cells.get) == (80, 20)


def test_what_it_says_of_a_thousand(words, capsys):
    rows = fleet(Experiment(server=Peer(), faults=[Cut(at=63)]), clients=1000, apart=0.02)
    delays = [noticed - 63 for noticed in rows["noticed"]]
    assert "the thousand are spread from 20 s to 40 s" in words and 20 <= min(delays) < 21 and 39 < max(delays) <= 40
    settle(guess("10 a thousand noticed", "at once"), rows)
    assert "it was spread" in capsys.readouterr().out


def test_a_server_that_talks_is_not_told_what_a_silent_one_is(words):
    assert "With 2, 2 and 1 s its program ought to be told within 5 s" in words and "send_size=1600, send_every=0.02" in words
    told = {rate: cut((2, 2, 1), 4.001, rate).told_at("server") for rate in (0, 80_000)}
    assert told[0] == pytest.approx(9) and told[80_000] is None


# exercise 1: the law


def solution():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    source = next(cell.source for cell in cells if cell.source.startswith("def longest_timeout"))
    made = {"BUFFER": BUFFER, "LIMIT": LIMIT}
    exec(source.rpartition("\n\n\n")[0], made)
    return made["longest_timeout"]


def counted_up(ping_interval, rate):
    """The same law, message by message."""
    waiting, t = 0.0, 0.0
    while waiting < BUFFER + LIMIT:
        waiting, t = waiting + rate / 50, t + 1 / 50
    return t - ping_interval


@pytest.mark.parametrize("law", [solution(), counted_up])
def test_a_law_that_holds_passes_however_it_is_written(law, capsys):
    out = says("10 the longest ping_timeout", law, capsys=capsys)
    assert out.count("✓") == 3 and "not yet" not in out


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (lambda interval, rate: (BUFFER + LIMIT) / rate, "How long after the cut does the next ping go out?"),
        (lambda interval, rate: BUFFER / rate - interval, "Where else can bytes wait?"),
        (lambda interval, rate: LIMIT / rate - interval, "Where else can bytes wait?"),
        (lambda interval, rate: 1.69, "twice as much: with 1.69 s"),
        (lambda interval, rate: 20, "its buffers are full"),
        (lambda interval, rate: (BUFFER + LIMIT) / interval, "its buffers are full"),
        (lambda interval, rate: (BUFFER + LIMIT) * rate, "its buffers are full"),
        (lambda interval, rate: rate / LIMIT - 10, "Where else can bytes wait?"),
        (lambda interval, rate: None, "a number of seconds was wanted"),
        (lambda interval, rate: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_a_law_that_does_not_hold_is_answered_by_its_belief(law, words, capsys):
    assert words in says("10 the longest ping_timeout", law, capsys=capsys)


def test_a_blank_is_the_learners_turn(capsys):
    def longest_timeout(ping_interval, rate):
        """The longest ping_timeout."""
        ...  # from BUFFER, LIMIT, the interval and the rate

    assert "your turn" in says("10 the longest ping_timeout", longest_timeout, capsys=capsys)
    assert "your turn" in says("10 a price ticker", 2, ..., 1, capsys=capsys)


# a choice


@pytest.mark.parametrize("service", [PHONE, FACTORY], ids=lambda service: service.name)
def test_a_plan_for_a_silent_service_passes_its_check(service, capsys):
    asked = {"detect_within": service.within, "connections": service.connections, "wire": service.wire, "pause": service.pause * 1.2}
    made = plan(false_alarms_per_day=service.alarms, verify=False, **asked).timers
    out = says(f"10 {service.name}", made.ping_interval, made.ping_timeout, made.close_timeout, capsys=capsys)
    assert out.count("✓") == 4 and "not yet" not in out


@pytest.mark.parametrize(
    ("service", "timers", "words"),
    [
        (TICKER, (2, 1.2, 1.5), "✓ false alarms"),
        (TICKER, (2, 1, 1), "✓ false alarms"),
        (TICKER, (2, 2, 1), "its buffers were full"),
        (TICKER, (2, 1.2, 3), "close_timeout later"),
        (TICKER, (2, 0.5, 1), "A pong that nobody has time for"),
        (TICKER, (1, 1, 1), "ask less often"),
        (TICKER, (0.1, 0.1, 0.1), "ask less often"),
        (TICKER, (20, 20, 10), "its buffers were full"),
        (PHONE, (150, 15, 10), "not the detection time"),
        (PHONE, (60, 150, 10), "ping_timeout alone"),
        (PHONE, (60, 5, 5), "silent for longer than ping_timeout too often"),
        (FACTORY, (10, 5, 2), "silent for longer than ping_timeout too often"),
        (PHONE, (10, -1, 2), "from 0.1 to 3,600"),
    ],
)
def test_a_choice_is_judged_by_runs_and_answered_by_its_belief(service, timers, words, capsys):
    out = says(f"10 {service.name}", *timers, capsys=capsys)
    assert words in out and ("not yet" in out) != (words[0] == "✓")


def test_a_service_says_what_it_needs():
    assert "1 in 30 days at most, of all of them together" in repr(FACTORY) and "80,000 bytes a second" in repr(TICKER)
