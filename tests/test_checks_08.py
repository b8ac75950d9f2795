"""Notebook 08: its grid, its services and its ss: what they accept, and what they say to a wrong answer."""

import socket
from pathlib import Path

import pytest

from checks import check, guess, settle
from checks.below_tcp import QUIET, SERVICES, ss
from labkit import Cut, Experiment, Peer, Send, run
from labkit.trace import Trace
from labkit.trace.story import Event

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "08_below_tcp.ipynb"


def option(number, value, level=socket.IPPROTO_TCP):
    return lambda sock: sock.setsockopt(level, number, value)


def both(*parts):
    return lambda sock: [part(sock) for part in parts]


def keepalive(idle, interval, count):
    values = ((socket.TCP_KEEPIDLE, idle), (socket.TCP_KEEPINTVL, interval), (socket.TCP_KEEPCNT, count))
    return both(option(socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET), *(option(*one) for one in values))


def user_timeout(seconds):
    return option(socket.TCP_USER_TIMEOUT, round(1000 * seconds))


def nothing(sock):
    pass


def unfinished(sock): ...  # set what is needed


# the grid


def test_the_grid_that_the_runs_show(capsys):
    check("08 four guards", "CFGH", "EA")
    assert capsys.readouterr().out.count("✓") == 2


@pytest.mark.parametrize(
    ("soon", "never", "belief"),
    [
        ("ACFGH", "AE", "A is not as you say. Nobody has anything to send"),
        ("CDFGH", "AE", "D is not as you say. Its probes are for idle"),
        ("FGH", "AE", "C is not as you say. This is just"),
        ("CEFGH", "AE", "E is not as you say. Its clock runs only"),
        ("CFG", "AE", "H is not as you say"),
        ("CFGH", "ABE", "B is not as you say. A kernel counts"),
        ("CFGH", "none", "A is not as you say"),
        ("CFGH", "XY", "expected letters out of"),
        ("CFGH", ..., "your turn"),
    ],
)
def test_a_wrong_letter_of_the_grid_is_told_what_it_overlooks(soon, never, belief, capsys):
    check("08 four guards", soon, never)
    out = capsys.readouterr().out
    assert belief in out and out.count("✓") < 2


# three services

RIGHT = {
    "the sensor": (keepalive(20, 10, 3), both(keepalive(15, 8, 4), user_timeout(40))),
    "the ticker": (user_timeout(20), both(user_timeout(15), keepalive(5, 5, 5))),
    "the phone": (nothing, user_timeout(700)),
}


@pytest.mark.parametrize(("name", "prepare"), [(name, one) for name, ways in RIGHT.items() for one in ways])
def test_services_that_do_what_they_need_differ(name, prepare, capsys):
    check(f"08 {name}", prepare)
    assert capsys.readouterr().out.count("✓") == 2
    assert [f"08 {one.name}" for one in SERVICES] == [f"08 {name}" for name in RIGHT]


@pytest.mark.parametrize(
    ("name", "wrong", "belief"),
    [
        ("the phone", user_timeout(1200), "This clock begins with the next message"),
        ("the sensor", nothing, "Who asks?"),
        ("the sensor", user_timeout(20), "Here nobody sends"),
        ("the sensor", option(socket.TCP_KEEPIDLE, 20), "not switched on does nothing"),
        ("the sensor", option(socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET), "Which clock runs here"),
        ("the sensor", keepalive(20_000, 10_000, 3), "take seconds"),
        ("the ticker", user_timeout(20_000), "take seconds"),
        ("the sensor", keepalive(2, 2, 3), "has to find it alive"),
        ("the ticker", nothing, "Which clock runs while bytes"),
        ("the ticker", keepalive(2, 2, 3), "for idle connections only"),
        ("the ticker", option(socket.TCP_USER_TIMEOUT, 20), "counts milliseconds"),
        ("the ticker", user_timeout(5), "has to find it alive"),
        ("the phone", user_timeout(20), "has to find it alive"),
        ("the phone", lambda sock: 1 / 0, "raised ZeroDivisionError"),
        ("the phone", unfinished, "your turn"),
        ("the phone", ..., "your turn"),
    ],
)
def test_a_wrong_option_is_told_its_belief(name, wrong, belief, capsys):
    check(f"08 {name}", wrong)
    out = capsys.readouterr().out
    assert belief in out and out.count("✓") < 2


# votes

MENDED = QUIET.but(faults=[Cut(at=9, heal=15), Send(at=10, size=100)], until=24)
FOR_EVER = QUIET.but(faults=[Cut(at=9), Send(at=10, size=100)], until=1200)
FLY = Experiment(server=Peer(4, 3, 2), client=Peer(ping_interval=600), faults=[Cut(at=9)], until=130)


@pytest.mark.parametrize(
    ("id", "said", "pair", "belief"),
    [
        ("08 after the cable is mended", 16.7, MENDED, "– right\n"),
        ("08 after the cable is mended", 15, MENDED, "TCP hears of a mended cable"),
        ("08 after the cable is mended", 12, MENDED, "still cut"),
        ("08 after the cable is mended", 16, MENDED, "The last try was in vain"),
        ("08 after the cable is mended", 25, MENDED, "There was a try before"),
        ("08 a cut for ever", "a quarter of an hour", FOR_EVER, "– right\n"),
        ("08 a cut for ever", "never", FOR_EVER, "counts its tries"),
        ("08 a cut for ever", "two minutes", FOR_EVER, "longest pause"),
        ("08 after CLOSED", "tries", FLY, "– right\n"),
        ("08 after CLOSED", "nothing", FLY, "Its kernel was given bytes"),
        ("08 after CLOSED", "waits", FLY, "Who would answer?"),
    ],
)
def test_a_vote_is_settled_by_its_run(id, said, pair, belief, capsys):
    settle(guess(id, said), run(pair, "virtual"))
    assert belief in capsys.readouterr().out


# ss


def test_ss_says_what_the_kernel_told_last(capsys):
    def told(t, **changes):
        data = {"state": "ESTABLISHED", "orphan": False, "timer": "", "expires": 0.0, "retransmits": 0}
        return Event(t, "server", "kernel", "socket", {**data, "unacknowledged": 0, "unsent": 0, "unread": 3, **changes})

    stuck = {"timer": "retransmit", "expires": 2.0, "retransmits": 4, "unacknowledged": 6, "unsent": 27}
    events = [told(1), told(5, **stuck), told(9, **stuck, orphan=True, state="FIN_WAIT1"), told(11, state="gone")]
    ss(Trace(QUIET, events, {}), 0, 5.5, 10, 20)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert "timer" not in lines[0] and lines[0].split() == ["0.0", "ESTABLISHED", "3", "0", "server"]
    assert lines[1].split() == ["5.5", "ESTABLISHED", "3", "33", "server", "timer:(on,1.5sec,4)"]
    assert "FIN_WAIT1" in lines[2] and "none" in lines[2] and "no such socket" in lines[3]


def test_ss_asks_a_kernel_only():
    with pytest.raises(ValueError, match="virtual wire"):
        ss(run(QUIET.but(faults=[Cut(at=9)], until=12), "virtual"), 3)


def test_what_the_notebook_says_of_the_tries_is_what_the_runs_show(words):
    tries = [round(e.t - 10, 2) for e in run(MENDED, "virtual").select("retransmission", "server")]
    assert tries == [0.21, 0.42, 0.84, 1.68, 3.36, 6.72] and "0.21, 0.42, 0.84, 1.68 s" in words  # mended after 5 s
    assert 900 < run(FOR_EVER, "virtual").told_at("server") < 1000 and "quarter of an hour" in words
