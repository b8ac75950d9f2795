"""A room: votes that count once, phases that follow each other, and strangers who stay outside."""

import contextlib
import http.client
import json
import random
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from room_clients import ROOT, Class, Client, served

from checks.workshop import AGAIN, POLLS
from labkit.__main__ import main
from labkit.classroom.limit import Limit
from labkit.classroom.merge import Count
from labkit.classroom.room import MOST, Refused, Room

# the state, without a network


@pytest.fixture
def room():
    return Room(POLLS[:2])


def counts(room, vote=0):
    return [counts[vote] for _, counts in room.now.histogram().bars]


def test_of_the_votes_of_one_client_the_last_one_counts_and_once(room):
    room.do("open")
    for client, choice in [("a", 0), ("b", 1), ("a", 2), ("a", 3), ("a", 3)]:
        room.vote(client, 0, "first", choice)
    assert counts(room) == [0, 1, 0, 1] and room.mine("a") == 3 and room.mine("c") is None


def test_a_second_vote_leaves_the_first_one_as_it_was(room):
    for action, choice in [("open", 1), ("hide", None), ("again", 0)]:
        room.do(action)
        if choice is not None:
            room.vote("a", 0, room.now.phase, choice)
    assert counts(room) == [0, 1, 0, 0] and counts(room, 1) == [1, 0, 0, 0]
    assert [room.now.histogram().right(vote) for vote in (0, 1)] == [0, 1]


@pytest.mark.parametrize(
    ("actions", "at", "phase", "choice"),
    [
        ([], 0, "first", 0),
        (["open"], 1, "first", 0),
        (["open"], 0, "second", 0),
        (["open"], 0, "first", 4),
        (["open"], 0, "first", -1),
        (["open", "hide"], 0, "first", 0),
        (["open", "hide"], 0, "talk", 0),
        (["open", "reveal"], 0, "first", 0),
        (["open", "next"], 0, "first", 0),
    ],
)
def test_what_is_not_open_cannot_be_voted_for(room, actions, at, phase, choice):
    for action in actions:
        room.do(action)
    with pytest.raises(Refused):
        room.vote("a", at, phase, choice)
    assert room.save() == ""


def test_whatever_the_teacher_presses_the_room_offers_something_and_never_loses_a_vote(room):
    dice, cast = random.Random(19), 0
    for step in range(300):
        room.do(dice.choice(room.actions))
        assert room.actions
        if room.now.phase in ("first", "second"):
            cast += 1
            room.vote(f"{step}", room.at, room.now.phase, 0)
    assert cast and sum(json.loads(line)["count"] for line in room.save().splitlines()) == cast


def test_a_teacher_cannot_do_what_has_no_place_now(room):
    for action in ("hide", "again", "reveal", "back", "dance"):
        with pytest.raises(Refused):
            room.do(action)


def test_a_full_room_takes_nobody_more(room):
    for number in range(MOST):
        room.enter(str(number))
    with pytest.raises(Refused, match="full"):
        room.enter("one more")


def test_a_limit_lets_a_burst_through_and_then_so_many_a_second_for_each_key():
    now = [0.0]
    limit = Limit(3, 0.5, lambda: now[0])
    assert [limit.allows("a") for _ in range(5)] == [True] * 3 + [False] * 2 and limit.allows("b")
    now[0] = 2.0
    assert limit.allows("a") and not limit.allows("a")


# what is served, and where


@pytest.fixture(scope="module")
def lesson():
    with served() as lesson:
        yield lesson


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "localhost", "", "192.168.1.5/24", "999.1.1.1"])
def test_only_one_address_can_be_named_and_as_a_number(address, capsys):
    with pytest.raises(SystemExit) as exit:
        main(["class", "--address", address])
    assert exit.value.code == 2 and capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("typed", ["", "\n", "y\n", "no\n"])
def test_another_address_than_loopback_has_to_be_confirmed(typed):
    command = [sys.executable, "-m", "labkit", "class", "--address", "192.0.2.1", "--port", "0"]
    done = subprocess.run(command, cwd=ROOT, input=typed, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no room was opened" in done.stderr and "Learners" not in done.stdout


def test_a_confirmed_address_that_is_not_this_machine_s_is_said_so(capsys):
    assert main(["class", "--address", "192.0.2.1", "--port", "0", "--yes"]) == 2
    assert "cannot open a room at 192.0.2.1" in capsys.readouterr().err


def test_a_room_binds_the_address_that_was_named_and_no_other():
    code = """
import sys
sys.addaudithook(lambda event, args: event == "socket.bind" and print("bound", args[1][0], flush=True))
from labkit.__main__ import main
main(["class", "--port", "0"])
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(process.stdout.readline())
        process.terminate()
    assert {line.split()[1] for line in lines if line.startswith("bound")} == {"127.0.0.1"}


def test_a_reload_keeps_the_vote_and_a_wrong_code_does_not_enter(lesson):
    learner, stranger = lesson.learner(), Client(lesson.host)
    assert stranger.ask("/state")[0] == 403 and stranger.ask("/join", {"code": "BCDF GHJK"})[0] == 403
    assert lesson.teacher.do("open") == 200 and learner.vote(0, "first", 1) == 200
    again = Client(lesson.host)
    again.cookies = dict(learner.cookies)
    assert re.findall('data-choice="(.)" aria-pressed="true"', again.state()["html"]) == ["1"]
    assert again.ask("/join", {"code": lesson.code.lower()})[0] == 200 and again.vote(0, "first", 1) == 200
    assert json.loads(lesson.teacher.ask("/teacher/state")[1])["count"] == "1 votes, 1 in the room"
    assert lesson.teacher.do("reveal") == 200 and "<table>" in learner.state()["html"]


@pytest.mark.parametrize("path", ["/teacher", "/teacher/state", "/teacher/save", "/teacher/do", "/teacher/x"])
def test_the_teacher_s_pages_are_for_the_teacher(lesson, path):
    for client in (Client(lesson.host), lesson.learner()):
        status, text = client.ask(path, {"action": "open"} if path == "/teacher/do" else None)
        assert status == 403 and lesson.code not in text and lesson.secret not in text


def test_the_teacher_s_page_does_not_show_its_secret(lesson):
    status, text = lesson.teacher.ask("/teacher")
    assert status == 200 and lesson.secret not in text


def test_pages_ask_no_other_host_and_may_not_stand_in_another_page(lesson):
    for client, path in ((Client(lesson.host), "/"), (lesson.teacher, "/teacher")):
        connection = http.client.HTTPConnection(lesson.host)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Cookie": "; ".join(f"{n}={v}" for n, v in client.cookies.items())})
            answer = connection.getresponse()
            policy, page = answer.headers["Content-Security-Policy"], answer.read().decode()
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {f"http://{lesson.host}"}


# thirty learners, one of them hostile

WRONG_BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe",
    b"[" * 4000,
    b'{"at": true, "phase": "first", "choice": 0}',
    b'{"at": 0, "phase": ["first"], "choice": 0}',
    b'{"at": 0, "phase": "first", "choice": 1e400}',
    b'{"at": 0, "phase": "first", "choice": -1}',
    b'{"at": 0, "phase": "first", "choice": %d}' % 10**30,
    b'{"at": 99, "phase": "revealed", "choice": 0}',
    b'{"code": "' + b"x" * 3000 + b'"}',
    b"x" * 1_000_000,
]


def test_who_tries_codes_is_soon_told_to_wait():
    with served() as room:
        stranger = Client(room.host)
        told = (stranger.ask("/join", {"code": f"{n}"})[0] for n in range(1000))
        assert next((status for status in told if status != 403), None) == 429


class Hostile(threading.Thread):
    """One who has the code, and does all that should not be done, until the lesson is over."""

    def __init__(self, lesson: Class) -> None:
        super().__init__()
        self.lesson, self.over, self.answers = lesson, threading.Event(), Counter()
        self.voter, self.member, self.stranger = lesson.learner(), lesson.learner(), Client(lesson.host)

    def run(self) -> None:
        dice = random.Random(19)
        while not self.over.is_set():
            for client in (self.member, self.stranger):
                body = dice.choice(WRONG_BODIES)
                self.seen(client, dice.choice(["/vote", "/join", "/teacher/do", "/state"]), body)
                self.seen(client, f"/teacher/{dice.random()}")
                self.seen(client, "/vote", {"at": dice.randrange(8), "phase": dice.choice(["talk", "waiting"]), "choice": 0})
            self.seen(self.stranger, "/join", {"code": f"{dice.random()}"})
            self.seen(self.stranger, "/", None, Host="elsewhere.example")
            self.seen(self.stranger, "/vote", b"{}", Cookie="client=2|1:0|10:1|6:client|4:YWJj|forged")
            self.seen(self.stranger, "/../etc/passwd")
            self.noise(
                dice.choice([b"\x16\x03\x01\x02\n\n", b"GET / HTTP/9\r\n\r\n", b"POST /vote HTTP/1.1\r\nContent-Length: -5\r\n\r\n"])
            )

    def seen(self, client, path, body=None, **headers) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # what it refuses to read to its end
            status, text = client.ask(path, body, **headers)
            self.answers[status] += 1
            self.answers["traceback"] += "Traceback" in text or "File " in text

    def noise(self, data: bytes) -> None:
        host, port = self.lesson.host.split(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 5) as sock:
            sock.sendall(data)


LEARNERS, LATE, OFFLINE, SINCE = 24, 3, 2, 2  # and one who is hostile; the late ones come at that poll
LESSON = POLLS[:4]


def test_thirty_learners_are_counted_exactly_whatever_one_of_them_does(tmp_path):
    dice, expected = random.Random(30), Counter()

    def believe(at: int, vote: int) -> int:
        choice = dice.randrange(len(POLLS[at].choices))
        expected[POLLS[at].id + (AGAIN if vote else ""), POLLS[at].choices[choice].said] += 1
        return choice

    with served() as lesson, ThreadPoolExecutor(8) as pool:
        hostile = Hostile(lesson)
        hostile.start()
        try:
            learners = [lesson.learner() for _ in range(LEARNERS)]
            for at in range(len(LESSON)):
                learners += [lesson.learner() for _ in range(LATE)] if at == SINCE else []
                for vote, (phase, action) in enumerate([("first", "open"), ("second", "again")]):
                    assert lesson.teacher.do(action) == 200
                    votes = [(learner, at, phase, believe(at, vote)) for learner in learners]
                    assert set(pool.map(lambda vote: Client.vote(*vote), votes)) == {200}
                    for choice in (0, 1):  # twice, and the last one counts
                        while hostile.voter.vote(at, phase, choice) == 429:
                            pass
                    expected[POLLS[at].id + (AGAIN if vote else ""), POLLS[at].choices[1].said] += 1
                    assert lesson.teacher.do("reveal" if vote else "hide") == 200
                assert lesson.teacher.do("next") == 200
        finally:
            hostile.over.set()
            hostile.join()
        saved = tmp_path / "room.jsonl"
        saved.write_text(lesson.teacher.ask("/teacher/save")[1])
    count = Count()
    count.room(saved)
    for number in range(OFFLINE):
        ledger = tmp_path / f"{number}.jsonl"
        rows = [(poll, poll.choices[believe(at, 0)]) for at, poll in enumerate(LESSON)]
        ledger.write_text("".join(json.dumps({"question": p.id, "guess": c.value, "right": c.right}) + "\n" for p, c in rows))
        count.ledger(ledger)
    assert not count.skipped
    assert Counter({(id, choice.said): number for (id, choice), number in count.votes.items()}) == expected
    assert hostile.answers[403] and hostile.answers[400] and hostile.answers[409]  # whether 429 comes depends on its speed
    assert not hostile.answers["traceback"] and max(status for status in hostile.answers if isinstance(status, int)) < 500
