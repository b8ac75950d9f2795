"""Notebook 10: what it says of its figures is what they show, a choice is judged by experiment, and the ledger knows its owner."""

from pathlib import Path

import nbformat
import pytest

from labkit import Cut, Delay, Experiment, Peer, Tunnel, fleet, plan, sweep
from labkit.exercises.choosing import FACTORY, PHONE, SERVICES, TICKER, calibration, check_choice
from labkit.exercises.guess import Ledger
from labkit.plots.landscapes import cells_of
from labkit.plots.tradeoffs import knee, settings_of

BOOK = nbformat.read(Path(__file__).parent.parent / "notebooks" / "solutions" / "10_choosing_timers.ipynb", as_version=4)
WORDS = " ".join(" ".join(cell.source for cell in BOOK.cells).split())
FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=64)])
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def says(text):
    return " ".join(text.split()) in WORDS


# what the notebook says


def test_what_it_says_of_the_knee():
    cuts = [64.01, 64.6, 65.01, 66.01, 68.01, 72.01, 76.5, 80.01, 88.01, 96.01]
    assert str(cuts) in WORDS
    prices = sweep(FLY, over={"server.ping_interval": [1, 2, 4, 8, 16, 32], "cut.at": cuts})
    found = {one.value: one for one in settings_of(prices, "server.ping_interval")}
    assert says("going from 32 s to 16 s saves **16 s** for 30 bytes a minute") and says("going from 2 s to 1 s saves **1 s** for 450")
    assert found[32].delay - found[16].delay == pytest.approx(16, abs=0.1) and found[2].delay - found[1].delay == pytest.approx(1, abs=0.1)
    assert 20 < found[16].traffic - found[32].traffic < 40 and found[1].traffic - found[2].traffic == pytest.approx(450, abs=5)
    assert knee(list(found.values())).value in (4, 8)


def test_what_it_says_of_tunnels():
    faults = [Delay(0, latency=0.1, jitter=0.02, shape="heavy tail"), Tunnel(0, every=300, length=6)]
    phone = Experiment(server=Peer(ping_interval=20, ping_timeout=5, close_timeout=5), faults=faults, until=3600)
    assert says("only (5/6)¹², **one in nine**, live for an hour") and (5 / 6) ** 12 == pytest.approx(1 / 9, abs=0.01)
    assert sweep(phone, over={"latency": [0]}, repeats=40)["false_alarm"].mean() == pytest.approx(8 / 9, abs=0.05)
    over = {"server.ping_interval": [10, 80], "server.ping_timeout": [2, 20]}
    cells = cells_of(sweep(phone, over=over, repeats=10), "server.ping_interval", "server.ping_timeout", "false_alarm")
    assert says("The harmless corner is at the upper right") and min(cells, key=cells.get) == (80, 20)


def test_what_it_says_of_a_thousand():
    rows = fleet(Experiment(server=Peer(), faults=[Cut(at=63)]), clients=1000, apart=0.02)
    delays = [noticed - 63 for noticed in rows["noticed"]]
    assert says("so the thousand are spread from 20 s to 40 s") and 20 <= min(delays) < 21 and 39 < max(delays) <= 40


# the exercises


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_plan_for_each_service_passes_its_own_check(service, capsys):
    a_day = service.alarms * 86_400 / service.per
    asked = {"detect_within": service.within, "connections": service.connections, "wire": service.wire, "pause": service.pause * 1.2}
    made = plan(false_alarms_per_day=a_day, verify=False, **asked).timers
    check_choice(service, made.ping_interval, made.ping_timeout, made.close_timeout)
    assert "✓ " + service.name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("service", "timers", "words"),
    [
        (PHONE, (20, 20, 10), "ask less often"),
        (PHONE, (100, 15, 10), "close_timeout later"),
        (PHONE, (150, 15, 10), "not the detection time"),
        (PHONE, (60, 5, 5), "too often"),
        (TICKER, (1, 6, 1), "ping_timeout alone"),
        (TICKER, (2.5, 0.5, 1), "busy event loop"),
        (FACTORY, (10, 5, 2), "too often"),
    ],
)
def test_a_choice_that_fails_is_answered_by_its_belief(service, timers, words, capsys):
    check_choice(service, *timers)
    out = capsys.readouterr().out
    assert words in out and "not yet" in out and "defend" not in out


def test_an_unfinished_or_impossible_choice_is_asked_for_again(capsys):
    check_choice(PHONE)
    check_choice(PHONE, 10, -1, 2)
    check_choice(PHONE, None, 10, 10)
    out = capsys.readouterr().out
    assert "your turn" in out and "ping_timeout" in out and "from 0.1 s to an hour" in out


def test_a_service_says_what_it_needs():
    assert "at most 1 a month, of all 100 together" in repr(FACTORY) and "at most 4 a day, of it" in repr(PHONE)


# the ledger


def test_an_empty_ledger_says_so(capsys):
    calibration()
    assert "no guesses in your ledger yet" in capsys.readouterr().out


def test_the_calibration_counts_by_notebook_and_says_in_which_direction_numbers_went_wrong(capsys):
    ledger = Ledger()
    for question, given, fact in [
        ("00 when", 15.05, 15.0), ("00 who", "client", "server"), ("04 min", 6.0, 3.0), ("04 max", 2.0, 8.0), ("04 mean", 20, 5.0),
        ("05 x", 3, None),
    ]:  # fmt: skip
        ledger.keep(question, given, fact)
    calibration()
    out = capsys.readouterr().out
    assert "notebook 00    1 of  2 right  ●○" in out and "notebook 04    0 of  3 right" in out
    assert "1 of  5 right" in out and "1 too small, 2 too large; the typical one was 2 × the fact" in out
