"""Notebook 02: runs judge an order of events, a handler's goodbyes and codes, and a wrong one is told its belief."""

import itertools

import pytest

from checks import Ledger, check, closing_handshake, guess, settle
from checks.closing_handshake import SLOW, cards, fins, look_at, reports
from labkit import Goodbye, Leave, recorded, run

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")
CLIENT = SLOW.but(faults=[Goodbye(at=2, end="client")])
SERVER = SLOW.but(faults=[Goodbye(at=2, end="server")])
BOTH = SLOW.but(faults=[Goodbye(at=2, end="server", code=1001), Goodbye(at=2, end="client")])


def said(capsys, id, *answers):
    picture = check(id, *answers)
    return capsys.readouterr().out, picture


async def raises(websocket):
    raise KeyError("a mistake")


async def reader(websocket):
    async for _ in websocket:
        pass


# guesses


@pytest.mark.parametrize(
    ("id", "experiment", "programs", "right"),
    [
        ("02 the client says goodbye: who hangs up first?", CLIENT, {}, "server"),
        ("02 the server says goodbye: when does it hang up?", SERVER, {}, "after the answer"),
        ("02 both say goodbye at once: how many CLOSE frames?", BOTH, {}, 2),
        ("02 both say goodbye at once: which close_code at the client?", BOTH, {}, 1001),
        ("02 the handler raises: what does the client's loop do?", SLOW, dict(server=raises, client=reader), "raises"),
    ],
)
def test_a_guess_is_settled_by_a_run(id, experiment, programs, right, capsys):
    settle(guess(id, right), run(experiment, "virtual", **programs))
    assert "– right" in capsys.readouterr().out and Ledger().entries()[id]["fact"] == right


def test_a_server_that_drops_its_socket_is_seen_to_hang_up_at_once():
    trace = run(SLOW.but(faults=[Leave(at=2, end="server")]), "virtual")
    assert closing_handshake.hangs_up_when(trace) == "at once"


def test_reports_say_what_each_end_received():
    lines = reports(run(BOTH, "virtual")).splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [["server", "1000", "1001", "1000"], ["client", "1001", "1000", "1001"]]


# in order


def letters(*changes):
    row = sorted(cards(), key=lambda letter: cards()[letter])
    for one, two in changes:
        row[one], row[two] = row[two], row[one]
    return "".join(row)


def test_what_happens_in_one_instant_may_stand_in_either_order(capsys):
    deck = cards()
    pairs = [(n, n + 1) for n, (a, b) in enumerate(itertools.pairwise(letters())) if deck[a][:2] == deck[b][:2]]
    assert len(pairs) == 1  # the client hangs up, and is CLOSED
    for order in (letters(), letters(*pairs)):
        assert "✓" in said(capsys, "02 in order", order)[0]


@pytest.mark.parametrize(
    ("early", "late", "words"),
    [
        ("the client hangs up", "the server hangs up", "The server closes TCP first"),
        ("the client is CLOSED", "the server hangs up", "An end is CLOSED when TCP is"),
        ("the server hangs up", "the client's CLOSE arrives at the server", "when it has said and heard"),
        ("the client says CLOSE", "the server says CLOSE", "takes 0.4 s to arrive"),
    ],
)
def test_a_wrong_order_is_told_its_belief(early, late, words, capsys):
    texts = [cards()[letter].text for letter in letters()]
    one, two = texts.index(late), texts.index(early)
    row = list(letters())
    row.insert(one, row.pop(two))
    out, _ = said(capsys, "02 in order", "".join(row))
    assert words in out and "✓" not in out


# say goodbye


async def by_a_table(websocket):
    async for order in websocket:
        word = look_at(order)
        if word == "go on":
            await websocket.send("served")
        else:
            await websocket.close({"done": 1000, "going away": 1001, "against the rules": 1008}[word])


async def step_by_step(websocket):
    try:
        while (word := look_at(await websocket.recv())) == "go on":
            await websocket.send("served")
    except KeyError:
        await websocket.close(1011, "sorry")
    else:
        if word == "going away":
            await websocket.close(1001, "closing time")
        elif word == "against the rules":
            await websocket.close(1008, "be polite")


@pytest.mark.parametrize("handler", [by_a_table, step_by_step])
def test_a_polite_handler_passes_however_it_is_written(handler, capsys):
    out, picture = said(capsys, "02 say goodbye", handler)
    assert out.count("✓") == 5 and picture is None


async def says_nothing(websocket):
    async for order in websocket:
        if look_at(order) == "go on":
            await websocket.send("served")


async def always_1000(websocket):
    async for order in websocket:
        if look_at(order) != "go on":
            return
        await websocket.send("served")


async def makes_up_1006(websocket):
    async for order in websocket:
        if look_at(order) != "go on":
            await websocket.close(1006)
        await websocket.send("served")


async def hangs_up(websocket):
    async for order in websocket:
        if look_at(order) != "go on":
            websocket.transport.abort()
            return
        await websocket.send("served")


async def swallows(websocket):
    async for order in websocket:
        try:
            word = look_at(order)
        except KeyError:
            continue
        if word == "go on":
            await websocket.send("served")
        else:
            await websocket.close({"done": 1000, "going away": 1001}.get(word, 1008))


async def too_soon(websocket):
    async for _ in websocket:
        return


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (says_nothing, "nobody says goodbye: the client waits"),
        (always_1000, "told 1000, which says “I am done, and all went well”"),
        (makes_up_1006, "Your handler raised"),
        (hangs_up, "hung up on without a CLOSE"),
        (swallows, "a broken order: The desk itself failed, and nobody says goodbye"),
        (too_soon, "your goodbye came too soon"),
        (15, "expected the goodbyes of your handler"),
    ],
)
def test_a_rude_handler_is_told_its_belief(handler, words, capsys):
    out, _ = said(capsys, "02 say goodbye", handler)
    assert words in out and not out.splitlines()[-1].startswith("✓")


# which code


def test_the_codes_are_those_of_the_runs(capsys):
    out, _ = said(capsys, "02 which code", 1006, 1005, 1008, 1006)
    assert out.count("✓") == 4


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((1000, 1005, 1008, 1006), "No CLOSE arrived there"),
        ((1006, 1000, 1008, 1006), "no code in it"),
        ((1006, 1005, 1006, 1006), "a note of an end"),
        ((1006, 1005, 1000, 1006), "Who answers a CLOSE, with which code?"),
        ((1006, 1005, 1008, 1000), "gone: 1000 at the client? No CLOSE arrived there."),  # belief 24
        ((1006, ...), "your turn"),
    ],
)
def test_a_wrong_code_is_told_its_belief(answers, words, capsys):
    out, _ = said(capsys, "02 which code", *answers)
    assert words in out and not out.splitlines()[-1].startswith("✓")


# what the notebook says


def test_what_it_says_of_the_two_goodbyes():
    trace = run(CLIENT, "virtual")
    assert [(e.t, e.data["sender"]) for e in fins(trace)] == [(pytest.approx(2.4), "server"), (pytest.approx(2.8), "client")]
    assert (trace.closed_at("client"), trace.closed_at("server")) == (pytest.approx(2.8), pytest.approx(3.2))
    returned = {end: run(e, "virtual").select("returned", end)[0].t for end, e in (("client", CLIENT), ("server", SERVER))}
    assert returned == {"client": pytest.approx(2.8), "server": pytest.approx(3.6)}


def test_what_it_says_of_the_hang():
    hang = recorded("closing-hang")
    assert hang.noticed_at("server") == pytest.approx(15, abs=0.1) and 47 < hang.closed_at("server") - 15 < 48.5
