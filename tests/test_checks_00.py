"""Notebook 00: the first five minutes in their order, true to their figures; and one number that saves a connection."""

import time
from pathlib import Path

import nbformat
import pytest
from cases import FLY

from checks import check, guess, settle
from checks.start_here import ASKS, HEALED
from labkit import Cut, Peer, compare, live, recorded, run

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "solutions" / "00_start_here.ipynb"
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


@pytest.fixture(scope="module")
def trace():
    return run(FLY, "virtual")


@pytest.fixture(scope="module")
def mended():
    return run(HEALED, "virtual")


def tries(trace):
    return [(round(event.t, 2), event.data["through"]) for event in trace.select("retransmission", "server", "tcp")]


# the first five minutes


def test_before_the_cable_is_pulled_no_number_and_no_outcome_is_on_the_page():
    cells = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells]
    before = "\n".join(cells[: next(n for n, cell in enumerate(cells) if "live(timers=False)" in cell)])
    for secret in ("ping", "timeout", "interval", "Peer(", "15", "17 s", "never notices"):
        assert secret not in before.replace("Experiment, Peer, ", "")


def test_a_vote_is_settled_by_the_learners_own_pull_also_before_anybody_has_noticed(capsys):
    source = next(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.source.startswith("to_the_end"))
    votes = guess("00 who notices", "both"), guess("00 how soon", "never")
    with live(timers=False) as cable:
        cable.pull()
        while cable.trace.experiment.until is None:  # a stand-in
            time.sleep(0.05)
        assert cable.trace.noticed_at("server") is None
        exec(source, {"cable": cable, "run": run, "settle": settle, "votes": votes})
    out = capsys.readouterr().out
    assert "it was server" in out and "The client never asks" in out and "it was seconds" in out


def test_a_second_vote_on_the_same_question_is_one_of_its_own(mended, capsys):
    for id, word in (("00 healed at 14 s", "live"), ("00 healed at 14 s, again", "die")):
        settle(guess(id, word), mended)
    out = capsys.readouterr().out
    assert "you said live, and it was die" in out and "What does the ping still wait for?" in out
    assert "again: you said die, and it was die – right" in out


def test_a_guess_that_no_sum_gives_is_answered_too(trace, capsys):
    settle(guess("00 the fruit fly", 11), trace)
    assert "Which one finds nobody?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("id", "right", "wrong"), [("00 the luckiest cut", 11.98, 9), ("00 the unluckiest cut", 8.02, 11)], ids=["luckiest", "unluckiest"]
)
def test_the_luckiest_and_the_unluckiest_cut_are_judged_by_their_runs(id, right, wrong, capsys):
    check(id, right)
    assert "✓" in capsys.readouterr().out
    check(id, wrong)
    assert f"The server asked {12 - wrong:.2f} s after it" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "words"), [(19, "✓"), (17, "ping_timeout"), (15, "It is the first ping"), (40, "At which times")])
def test_a_new_cut_is_answered_by_its_belief(answer, words, capsys):
    check("00 a new cut", answer)
    assert words in capsys.readouterr().out


# one number


@pytest.mark.parametrize(
    "saved",
    [
        HEALED.but(latency=0.05),
        HEALED.but(faults=[Cut(at=9, heal=13)]),
        HEALED.but(server=Peer(ping_interval=4, ping_timeout=3.5, close_timeout=2)),
    ],
    ids=["a slower wire", "healed before a try", "more patience"],
)
def test_one_number_saves_it(saved, capsys):
    check("00 one number that saves it", saved)
    assert "✓ it lives: Nobody noticed anything" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (HEALED, "0 numbers are others"),
        (HEALED.but(faults=[]), "the cut has to stay"),
        (HEALED.but(until=14.5), "The server noticed at 15 s"),
        (HEALED.but(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=9)), "The server noticed at 15 s"),
        (HEALED.but(server=Peer(ping_interval=4, ping_timeout=5, close_timeout=9)), "2 numbers are others"),
        (HEALED.but(server=Peer(ping_timeout=5)), "write all three of the server's timers"),
        (14, "expected healed.but(…)"),
    ],
)
def test_what_does_not_save_it_is_told(mine, words, capsys):
    check("00 one number that saves it", mine)
    out = capsys.readouterr().out
    assert words in out and "not yet" in out


# the notebook's words


def test_what_notebook_00_says_below_its_figures_is_what_they_show(trace, words):
    stuck = [f for f in trace.frames() if f.arrived_at is None]
    for sentence, truth in (
        ("At 12 s the next ping is due. It is **stuck**", stuck[0].opcode == "PING" and stuck[0].sent_at == 12),
        ("At 15 s the server **notices**: it sends CLOSE with code 1011, and hangs up", trace.noticed_at("server") == 15),
        ("At 17 s it has waited 2 s more", trace.closed_at("server") == trace.told_at("server") == 17),
        ("The client asks nothing, and **never** notices", trace.noticed_at("client") is None),
        ("Theory and virtual time agree exactly", compare(trace).worst == 0),
        ("Look at the line with `PING` at 12 s", any("12.000 > PING" in line for line in trace.log("server")[-12:])),
    ):
        assert sentence in words and truth, sentence


def test_what_notebook_00_says_of_the_heal_at_14_s_is_what_the_run_and_a_kernel_show(mended, words):
    kernel = recorded("kernel-healed-at-14")
    assert tries(mended) == [(12.21, False), (12.42, False), (12.84, False), (13.68, False), (15.36, True)]
    assert "At 15.36 s everything arrives at once" in words and 14.9 < ASKS[-1].at < tries(mended)[-1][0]
    for seen in (mended, kernel):
        server, client = seen.raised("server")[0], seen.raised("client")[0]
        assert 14 < seen.noticed_at("server") < seen.closed_at("server") < 17  # hung up by the client, not by close_timeout
        assert (server.sent, server.received, client.received) == (1011, None, 1011)
    assert kernel.experiment.but(until=24) == HEALED
    assert compare(kernel).worst < 0.1 and "by a few hundredths of a second" in words


def test_a_slower_wire_is_tried_in_time(words):
    slower = run(HEALED.but(latency=0.05), "virtual")
    assert "the fourth try comes between 14.5 and 14.6 s" in words and 14.5 < tries(slower)[3][0] < 14.6
