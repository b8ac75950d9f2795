"""Notebook 02: each belief is answered, the checks judge by experiment, and what stands below the figures is true."""

import itertools
import re
from pathlib import Path

import nbformat
import pytest

from labkit import Cut, Experiment, Goodbye, Peer, Reset, compare, predict, recorded, run
from labkit.exercises import Ledger
from labkit.exercises import goodbyes as g
from labkit.exercises.expect import expect

WORDS = "\n".join(
    cell.source for cell in nbformat.read(Path(__file__).parent.parent / "notebooks" / "02_closing_handshake.ipynb", as_version=4).cells
)
SLOW = Experiment(server=Peer(ping_interval=None), latency=0.4)
CLIENT, SERVER = (SLOW.but(faults=[Goodbye(at=2, end=end)]) for end in ("client", "server"))
BOTH = SLOW.but(faults=[Goodbye(at=2, end="server", code=1001), Goodbye(at=2, end="client")])
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


async def reader(websocket):
    async for _ in websocket:
        pass


ASKED = [
    ("who hangs up first", CLIENT, {}, "server"),
    ("when does it hang up", SERVER, {}, "after the answer"),
    ("how many CLOSEs", BOTH, {}, 2),
    ("which code", BOTH, {}, 1001),
    ("what does the loop do", SLOW, {"server": g.raises, "client": reader}, "raises"),
]


# guesses among a few answers


@pytest.mark.parametrize(("name", "experiment", "handlers", "fact"), ASKED, ids=[asked[0] for asked in ASKED])
def test_each_wrong_guess_is_answered_by_its_belief_and_kept(name, experiment, handlers, fact, capsys):
    trace, question = run(experiment, "virtual", **handlers), g.QUESTIONS[name]
    assert question.fact(trace) == fact and set(question.beliefs) == set(question.among) - {fact}
    for answer in question.among:
        g.reveal(g.choose(name, answer), trace)
        out = capsys.readouterr().out
        assert f"your guess is locked: {answer}" in out and (question.beliefs.get(answer, "right") in out)
        assert Ledger().entries()[question.text] == {"question": question.text, "guess": answer, "fact": fact}


def test_a_right_answer_is_not_followed_by_what_speaks_against_it(capsys):
    g.reveal(g.choose("which code", 1000), run(CLIENT, "virtual"))  # in another run than the notebook's
    assert capsys.readouterr().out.rstrip().endswith("you said 1000, and it was 1000 – right")


def test_what_never_came_is_said_as_it_is(capsys):
    cut = Experiment(server=Peer(ping_interval=None), faults=[Cut(at=1)], until=5)
    g.reveal(g.choose("which code", 1001), run(cut, "virtual"))
    assert "you said 1001, and it was None" in capsys.readouterr().out


def test_only_what_was_chosen_can_be_revealed():
    with pytest.raises(ValueError, match="a guess that choose"):
        g.reveal(expect("x", 1), run(CLIENT, "virtual"))


@pytest.mark.parametrize("given", [..., None, "me", True, 7, ["server"]])
def test_a_choice_that_is_none_is_left_open(given, capsys):
    made = g.choose("who hangs up first", given)
    g.reveal(made, run(CLIENT, "virtual"))
    out = capsys.readouterr().out
    assert not made.made and "no guess made" in out and "your guess is" not in out and Ledger().entries() == {}
    assert given is ... or given is None or f"seen {given!r}" in out


def test_the_loop_ends_if_the_handler_returns():
    assert g.QUESTIONS["what does the loop do"].fact(run(SLOW, "virtual", server=g.returns, client=reader)) == "ends"


# what each end reports


@pytest.mark.parametrize("wire", ["virtual", "loopback"])
@pytest.mark.parametrize("name", g.SITUATIONS)
def test_a_report_is_what_the_connection_itself_says(name, wire):
    """close_code, and the codes in the exception, of websockets' own objects."""
    situation = g.SITUATIONS[name]
    seen = {}

    def watched(end, handler):
        async def program(websocket):
            seen[end] = websocket
            await handler(websocket)

        return program

    quick = situation.experiment.but(latency=0.01, until=3)
    trace = run(quick, wire, progress=False, **{end: watched(end, getattr(situation, end)) for end in ("server", "client")})
    for end in ("server", "client"):
        one = g.report(trace, end)
        error = seen[end].protocol.close_exc
        assert one.code == seen[end].close_code == seen[end].protocol.close_code
        assert (one.sent, one.received) == tuple(close and close.code for close in (error.sent, error.rcvd))
        assert one.exception in (None, type(error).__name__)


def test_the_table_of_reports_names_codes_exceptions_and_who_was_told_nothing():
    table = g.reports(run(BOTH, "virtual"))
    assert [line.split() for line in table.splitlines()[1:]] == [
        ["server", "1000", "1001", "1000", "ConnectionClosedOK"],
        ["client", "1001", "1000", "1001", "ConnectionClosedOK"],
    ]
    assert "its handler raised KeyError" in g.reports(run(SLOW, "virtual", server=g.raises))
    silent = g.reports(run(CLIENT.but(server=Peer(ping_interval=None, reads=False)), "virtual"))
    assert "was told nothing" in silent
    assert "–" in g.reports(run(SLOW.but(until=1), "virtual"))


# exercise 1


def orders(cards):
    """Every order of the cards that the check accepts."""
    return [
        row
        for row in itertools.permutations(cards.cards)
        if not any(g.precedes(cards.cards, late, early) for n, early in enumerate(row) for late in row[n + 1 :])
    ]


def letters(cards, row):
    return "".join(cards.letters[cards.cards.index(card)] for card in row)


@pytest.mark.parametrize("seed", [0, 2])
def test_exactly_the_orders_are_right_that_do_not_break_cause_and_effect(seed):
    cards = g.shuffled(seed)
    right = orders(cards)
    other = {"server": "client", "client": "server"}[cards.begins]
    assert len(cards.cards) == 7 and cards.begins == {0: "client", 2: "server"}[seed]
    for row in right:
        texts = [card.text for card in row]
        place = {text: texts.index(text) for text in texts}
        assert texts[0] == f"the {cards.begins} sends CLOSE 1000"
        assert place["the server hangs up (FIN)"] < place["the client hangs up (FIN)"] < place["the server is CLOSED"]
        assert place[f"the {other} sends CLOSE 1000"] < place["the server hangs up (FIN)"] < place["the client is CLOSED"]
        assert place[f"the {other} is CLOSING"] < place[f"the {other} is CLOSED"]
    assert len(right) == 4  # free: CLOSING and the CLOSE that it answers with, the client's CLOSED and its FIN


def test_exercise_1_takes_every_possible_order_and_no_other(capsys):
    cards = g.shuffled(2)
    right = {letters(cards, row) for row in orders(cards)}
    for row in itertools.islice(itertools.permutations(cards.letters), 0, None, 97):
        g.check_order("".join(row), cards)
        assert ("✓" in capsys.readouterr().out) == ("".join(row) in right)
    for order in right:
        g.check_order(order, cards)
        out = capsys.readouterr().out
        assert "✓" in out and sorted(found := re.findall(r"(\d\.\d) s", out)) == found and len(found) == 7
    assert right == {order_of(short, cards) for short in ("CocFfxX", "CcoFfxX", "CocFxfX", "CcoFxfX")}
    assert 'order = ...  # the seven letters, such as "GFEDCBA"' in WORDS


NAMES = {  # of the cards when the server begins, in short
    "C": "the server sends CLOSE 1000", "o": "the client is CLOSING", "c": "the client sends CLOSE 1000", "F": "the server hangs up (FIN)",
    "f": "the client hangs up (FIN)", "x": "the client is CLOSED", "X": "the server is CLOSED",
}  # fmt: skip


def order_of(short, cards):
    """The letters of an order given by short names."""
    return "".join(cards.letters[[card.text for card in cards.cards].index(NAMES[name])] for name in short)


@pytest.mark.parametrize(
    ("short", "words"),
    [
        ("CocfFxX", "The server closes TCP first, whoever said goodbye"),
        ("CoFcfxX", "Nobody hangs up before the goodbye is said and answered"),
        ("FCocfxX", "Nobody hangs up before the goodbye is said and answered"),
        ("CocxFfX", "CLOSED when TCP is closed, not when the CLOSEs are exchanged"),
        ("CocFXfx", "CLOSED when TCP is closed"),
        ("cCoFfxX", "The server begins"),
        ("oCcFfxX", "The server begins"),
        ("CcFofxX", "as soon as it has sent or received a CLOSE, whichever comes first"),
        ("CcFfxoX", "as soon as it has sent or received a CLOSE, whichever comes first"),
    ],
)
def test_exercise_1_answers_by_belief(short, words, capsys):
    cards = g.shuffled(2)
    g.check_order(order_of(short, cards), cards)
    out = capsys.readouterr().out
    assert "not yet" in out and words in out and "✓" not in out


def test_every_wrong_order_has_an_answer_and_letters_may_be_written_as_one_likes(capsys):
    cards = g.shuffled(0)
    for early, late in itertools.permutations(cards.cards, 2):
        if g.precedes(cards.cards, late, early):
            assert len(g.why_not(early, late, cards.begins)) > 40
    spaced = " ".join(letters(cards, orders(cards)[0])).lower()
    g.check_order(spaced, cards)
    g.check_order(list(spaced.replace(" ", "")), cards)
    assert capsys.readouterr().out.count("✓") == 2


@pytest.mark.parametrize("empty", [..., None, "", "ABC", "AABCDEF", 12, ["A", 1]])
def test_exercise_1_without_a_usable_answer_never_raises(empty, capsys):
    g.check_order(empty, g.shuffled(1))
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "expected" in out)


# exercise 2


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("returned", (1000, "OK"), "✓"),
        ("returned", (1000, "Error"), "both CLOSEs had 1000, 1001 or no code"),
        ("returned", (1006, "Error"), "1006 is never sent"),
        ("returned", (1005, "OK"), "1005 is never sent"),
        ("returned", (1001, "OK"), "goes away"),
        ("returned", (1011, "Error"), "failure of its own"),
        ("raised", (1011, "Error"), "✓"),
        ("raised", (1011, "OK"), "everything else is ConnectionClosedError"),
        ("raised", (1000, "OK"), "has done what it wanted"),
        ("raised", (1006, "Error"), "here one did"),
        ("raised", (4000, "Error"), "4000 is another code"),
        ("killed", (1006, "Error"), "✓"),
        ("killed", (1000, "OK"), "would have had to send a CLOSE with 1000"),
        ("killed", (1001, "OK"), "would have had to send a CLOSE with 1001"),
        ("killed", (1005, "OK"), "no CLOSE arrived"),
        ("killed", (1006, "OK"), "said and answered"),
        ("reset", (1006, "Error"), "✓"),
        ("reset", (1002, "Error"), "would have had to send"),
        ("browser", (1005, "OK"), "✓"),
        ("browser", (1005, "Error"), "no code"),
        ("browser", (1000, "OK"), "came without a code"),
        ("browser", (1006, "Error"), "here one did"),
    ],
)
def test_exercise_2_answers_by_belief_and_gives_no_code_away(name, answer, words, capsys):
    g.check_codes(**{name: answer})
    out = capsys.readouterr().out
    assert words in out and ("✓" in out) != ("not yet" in out)
    fact = str(g.report(g.SITUATIONS[name].run(), g.SITUATIONS[name].asked).code)
    assert "✓" in out or answer[0] == int(fact) or fact not in out


@pytest.mark.parametrize("empty", [..., None, 1000, "OK", (1000,), (1000, "Okay"), (True, "OK"), ("1000", "OK")])
def test_exercise_2_without_a_usable_answer_never_raises(empty, capsys):
    g.check_codes(returned=empty, raises=(1000, "OK"))
    out = capsys.readouterr().out
    assert "✓" not in out and ("your turn" in out or "expected" in out) and "raises: there is no such situation" in out


# what the notebook says below its figures


def seconds(trace, what, end):
    return [round(event.t, 6) for event in trace.select(what) if (event.data["sender"], event.data["step"]) == (end, "sent")]


@pytest.mark.parametrize("experiment", [CLIENT, SERVER, BOTH], ids=["client", "server", "both"])
def test_theory_says_the_same_as_the_three_goodbyes(experiment):
    assert compare(run(experiment, "virtual"), predict(experiment)).worst < 1e-6


def test_what_is_said_of_the_clients_goodbye_is_what_happened():
    trace = run(CLIENT, "virtual")
    ask, answer = trace.frames()
    for sentence, truth in (
        ("At 2.0 s the client calls `close()`: it sends CLOSE 1000", (ask.sender, ask.sent_at, ask.code) == ("client", 2, 1000)),
        ("At 2.4 s that CLOSE arrives", round(ask.arrived_at, 6) == 2.4 == round(trace.noticed_at("server"), 6)),
        ("answers with the same code, and **hangs up** at once", answer.code == 1000 and seconds(trace, "fin", "server") == [2.4]),
        ("At 2.8 s the client has the answer and the FIN", round(answer.arrived_at, 6) == round(trace.closed_at("client"), 6) == 2.8),
        ("Now `close()` returns", round(trace.select("returned", "client")[0].t, 6) == 2.8),
        ("At 3.2 s the client's FIN arrives, and the server is CLOSED", trace.closed_at("server") == 3.2),
        ("the client from 2.0 s, the server from 2.4 s", trace.noticed_at("client") == 2),
        ("but the **server** hung up first", g.first_to_hang_up(trace) == "server"),
    ):
        assert sentence in WORDS and truth, sentence


def test_what_is_said_of_the_other_goodbyes_is_what_happened():
    trace, both = run(SERVER, "virtual"), run(BOTH, "virtual")
    assert "It hangs up at 2.8 s, when the answer is in" in WORDS and seconds(trace, "fin", "server") == [2.8]
    assert "returns after four trips over the wire, 1.6 s" in WORDS and round(trace.select("returned", "server")[0].t, 6) == 3.6
    assert "the client, which sent 1000, reports 1001, and the server reports 1000" in WORDS
    assert [(f.sender, f.code) for f in both.frames()] == [("server", 1001), ("client", 1000)] and "Two frames, no more" in WORDS
    assert both.raised("client")[0].text in WORDS and (g.report(both, "client").code, g.report(both, "server").code) == (1001, 1000)


def test_what_is_said_of_handlers_and_codes_is_so():
    raised = run(SLOW, "virtual", server=g.raises, client=reader)
    assert [g.report(raised, end).code for end in ("server", "client")] == [1011, 1011] and "both ends report 1011" in WORDS
    assert raised.raised("client")[0].text.startswith("received 1011") and raised.raised("client")[0].awaiting == "recv"
    assert "*received 1011 …; then sent 1011 …*" in WORDS and "raise KeyError" in raised.header["sources"]["server"]
    with pytest.raises(ValueError, match="never on the wire"):
        Goodbye(at=2, code=1006)
    refused = {}

    async def tries(websocket):
        for code in (1005, 1006):
            try:
                await websocket.close(code)
            except Exception as problem:
                refused[code] = type(problem).__name__

    run(SLOW, "virtual", client=tries)
    assert refused == {1005: "ProtocolError", 1006: "ProtocolError"} and "`websockets` refuses to send them" in WORDS


@pytest.mark.parametrize(("code", "kind"), [(1000, "OK"), (1001, "OK"), (1002, "Error"), (1011, "Error"), (3000, "Error")])
def test_which_codes_end_an_async_for_quietly(code, kind):
    trace = run(SLOW.but(faults=[Goodbye(at=2, code=code)]), "virtual", client=reader)
    assert [one.type for one in trace.raised("client")] == ([] if kind == "OK" else ["ConnectionClosedError"])


def test_no_close_crosses_the_wire_where_1006_is_noted():
    for name in ("killed", "reset"):
        assert g.SITUATIONS[name].run().frames() == []
    assert g.SITUATIONS["reset"].experiment.faults == (Reset(at=2),)


def test_a_browsers_close_has_no_code_on_the_wire_and_in_the_table():
    trace = g.SITUATIONS["browser"].run()
    assert [(f.code, f.size) for f in trace.frames()] == [(None, 0), (None, 0)] and "CLOSE without a code → arrives" in str(trace)


def test_what_is_said_of_the_hang_is_what_was_recorded():
    hang = recorded("closing-hang")
    server = hang.experiment.server
    assert (server.ping_interval, server.ping_timeout, server.close_timeout, hang.experiment.cuts[0].at) == (4, 3, 2, 9)
    assert "with the same timers (interval 4, timeout 3, `close_timeout` 2) and the same cut at 9 s" in WORDS
    assert "sends 2 kB five times a second" in WORDS and (server.send_size, server.send_every) == (2000, 0.2)
    assert "CLOSING for **48 s**" in WORDS and round(hang.closed_at("server") - hang.noticed_at("server")) == 48
    assert f"`websockets` {hang.header['versions']['websockets']}" in WORDS
    assert "drain" not in WORDS and "buffer" not in WORDS  # the answer is notebook 05's
