"""Notebook 08's grid, its ss, and its services: what they accept, and what they say to a wrong answer."""

import socket

import pytest

from labkit import Cut, run
from labkit.exercises.below import QUIET, check_grid, check_options, ss
from labkit.trace import Trace
from labkit.trace.story import Event


def option(number, value, level=socket.IPPROTO_TCP):
    return lambda sock: sock.setsockopt(level, number, value)


def both(*parts):
    return lambda sock: [part(sock) for part in parts][:0]


def keepalive(idle, interval, count):
    values = ((socket.TCP_KEEPIDLE, idle), (socket.TCP_KEEPINTVL, interval), (socket.TCP_KEEPCNT, count))
    return both(option(socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET), *(option(*one) for one in values))


def user_timeout(seconds):
    return option(socket.TCP_USER_TIMEOUT, round(1000 * seconds))


def nothing(sock):
    pass


def said(capsys):
    return capsys.readouterr().out


def test_the_grid_that_the_runs_show(capsys):
    check_grid(("never", "minutes"), ("seconds", "minutes"), ["Never", "seconds"], ("seconds", "seconds"))
    assert said(capsys).count("✓") == 8


@pytest.mark.parametrize(
    ("guard", "words", "answers"),
    [
        (0, ("seconds", "never"), ["could stay unanswered", "count of tries"]),
        (1, ("never", "seconds"), ["what its probes are for", "probes are for idle connections"]),
        (2, ("seconds", "minutes"), ["only while bytes", "what it is for"]),
        (3, ("minutes", "never"), ["waits for its pong", "do not hold a ping up"]),
        (0, "never", ["expected two words"]),
        (1, ("soon", 7), ["seen 'soon'", "seen 7"]),
        (2, ..., ["your turn"]),
    ],
)
def test_a_wrong_word_of_the_grid_is_told_what_it_overlooks(guard, words, answers, capsys):
    check_grid(*[words if number == guard else ... for number in range(4)])
    told = said(capsys)
    assert all(answer in told for answer in answers) and "✓" not in told


RIGHT = [
    (keepalive(20, 10, 3), user_timeout(20), nothing),
    (both(keepalive(15, 8, 4), user_timeout(40)), both(user_timeout(15), keepalive(5, 5, 5)), user_timeout(700)),
]


@pytest.mark.parametrize("services", RIGHT)
def test_services_that_do_what_they_need_differ(services, capsys):
    check_options(*services)
    told = said(capsys)
    assert told.count("✓") == 6 and "not yet" not in told


@pytest.mark.parametrize(
    ("number", "wrong", "answer"),
    [
        (0, nothing, "what is missing is something that asks"),
        (0, user_timeout(20), "here nobody sends"),
        (0, option(socket.TCP_KEEPIDLE, 20), "what is missing is something that asks"),
        (0, option(socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET), "Which clock runs here"),
        (0, keepalive(2, 2, 3), "come out of a tunnel".replace("come", "comes")),
        (1, nothing, "Which clock runs here"),
        (1, keepalive(2, 2, 3), "here bytes are under way"),
        (1, option(socket.TCP_USER_TIMEOUT, 20), "counts milliseconds"),
        (1, user_timeout(5), "find the connection alive"),
        (2, user_timeout(20), "find the connection alive"),
        (2, lambda sock: 1 / 0, "raised ZeroDivisionError"),
        (2, lambda sock: ..., "your turn"),
        (2, ..., "your turn"),
    ],
)
def test_a_wrong_option_is_told_its_belief(number, wrong, answer, capsys):
    check_options(*[wrong if one == number else right for one, right in enumerate(RIGHT[0])])
    told = said(capsys)
    assert answer in told and told.count("✓") in (4, 5)


def test_ss_says_what_the_kernel_told_last(capsys):
    def told(t, **changes):
        data = {"state": "ESTABLISHED", "orphan": False, "timer": "", "expires": 0.0, "retransmits": 0}
        return Event(t, "server", "kernel", "socket", {**data, "unacknowledged": 0, "unsent": 0, "unread": 3, **changes})

    stuck = {"timer": "retransmit", "expires": 2.0, "retransmits": 4, "unacknowledged": 6, "unsent": 27}
    events = [told(1), told(5, **stuck), told(9, **stuck, orphan=True, state="FIN_WAIT1"), told(11, state="gone")]
    ss(Trace(QUIET, events, {}), 0, 5.5, 10, 20)
    lines = said(capsys).splitlines()[1:]
    assert "timer" not in lines[0] and lines[0].split() == ["0.0", "ESTABLISHED", "3", "0", "server"]
    assert lines[1].split() == ["5.5", "ESTABLISHED", "3", "33", "server", "timer:(on,1.5sec,4)"]
    assert "FIN_WAIT1" in lines[2] and "none" in lines[2] and "no such socket" in lines[3]


def test_ss_asks_a_kernel_only():
    with pytest.raises(ValueError, match="virtual wire"):
        ss(run(QUIET.but(faults=[Cut(at=9)], until=12), "virtual"), 3)
