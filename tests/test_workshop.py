"""What a class is asked: choices with beliefs, judged by a run, and pages that need no network."""

import re

import pytest

from checks.answers import Number
from checks.workshop import POLLS
from labkit.__main__ import main

every_poll = pytest.mark.parametrize("poll", POLLS, ids=lambda poll: poll.id)


@every_poll
def test_one_choice_is_right_and_each_other_one_has_a_belief(poll):
    assert 2 <= len(poll.choices) <= 4, "there are four cards"
    assert sum(choice.right for choice in poll.choices) == 1
    assert all(choice.right != bool(choice.beliefs) for choice in poll.choices)


@every_poll
def test_a_choice_is_what_the_notebook_takes_as_an_answer(poll):
    assert all(poll.question.answer.read(choice.value) == choice.value for choice in poll.choices)
    assert len({choice.said for choice in poll.choices}) == len(poll.choices)


@every_poll
def test_nothing_shown_before_the_vote_tells_the_answer(poll):
    given = poll.given()
    before = f"{poll.ask} {poll.talk} {getattr(given, 'alt', given)}"
    if isinstance(poll.question.answer, Number):
        assert not re.search(rf"\b{poll.fact:g} s\b", before)
    assert not any(belief in before for choice in poll.choices for belief in choice.beliefs)


def test_the_right_answer_does_not_always_stand_in_the_same_place():
    places = {[choice.right for choice in poll.choices].index(True) for poll in POLLS if poll.wrong}
    assert len(places) > 1


def test_the_exit_ticket_asks_the_opening_question_with_new_numbers():
    opening, ticket = POLLS[1].question, POLLS[-1].question
    assert (ticket.answer, ticket.fact, ticket.beliefs) == (opening.answer, opening.fact, opening.beliefs)
    assert POLLS[1].fact != POLLS[-1].fact


def test_the_cards_and_the_projector_s_page_ask_nobody_for_anything(tmp_path, capsys):
    assert main(["class", "cards", "--to", str(tmp_path / "stick")]) == 0
    cards, projector = ((tmp_path / "stick" / name).read_text() for name in ("cards.html", "projector.html"))
    assert re.findall(r"<h2>(.)</h2>", cards) == ["A", "B", "C", "D"]
    assert projector.count("<section") == len(POLLS)
    for page in (cards, projector):
        assert not re.findall(r'(?:src|href|action)="(?!data:)[^#"]|@import|url\((?!#)', page)
        assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert all(belief.split("'")[-1].split("`")[0] in projector for poll in POLLS for one in poll.choices for belief in one.beliefs)
