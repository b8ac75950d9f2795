"""The doctor meets what people paste: nothing wrong is said with any certainty, and most of what can be decided is said."""

import re
from collections import Counter

import pytest
from pasted import CORPUS, MEANS, UNDECIDED, cases, matrix, outcomes, wrong

from labkit.doctor.verdict import CAUSES

README = (CORPUS / "README.md").read_text(encoding="utf-8")
VOCABULARY = set(re.findall(r"^\| ([a-z -]+) \|", README.partition("| word |")[2], re.MULTILINE))


@pytest.fixture
def shown():
    """A failure shows the confusion matrix."""
    print(matrix())


@pytest.mark.usefixtures("shown")
def test_nothing_wrong_is_said_above_possible_and_nothing_that_must_not_be_said():
    assert not wrong(), "\n".join(wrong())


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("decided", "at_least"), [(True, 0.65), (False, 0.9)])
def test_most_of_what_can_be_decided_is_right_and_what_nobody_can_decide_is_left_open(decided, at_least):
    counts = outcomes(decided)
    assert counts["right"] >= at_least * counts.total()


def test_the_corpus_has_every_version_both_ends_and_ten_formats():
    versions, ends, forms = (Counter(getattr(case, of) for case in cases()) for of in ("versions", "end", "form"))
    assert all(versions[str(version)] >= 10 for version in range(8, 18))
    assert min(ends["server"], ends["client"]) >= 60
    assert len(forms) >= 10
    assert len(cases()) >= 120
    assert 0.15 <= sum(not case.decided for case in cases()) / len(cases()) <= 0.25


def test_its_files_are_well_formed():
    for case in cases():
        words = [*case.truth, *case.also, *case.never]
        assert VOCABULARY.issuperset(words), case.name
        assert len(words) == len(set(words)), case.name
        assert UNDECIDED not in (*case.also, *case.never), case.name
        assert case.made in ("run", "hand"), case.name
        assert not re.search(r"/(root|work|tmp)/", case.text), case.name


def test_every_verdict_has_a_meaning_and_every_word_a_case():
    meant = set().union(*(words for _, _, words in MEANS))
    assert VOCABULARY - meant == {"peer never pongs"}  # a log shows that this end waited, seldom that the peer never answers
    assert meant <= VOCABULARY
    assert {word for case in cases() for word in case.truth} == VOCABULARY
    assert {cause for cause, _, _ in MEANS} >= set(CAUSES) - {"unknown"}
    assert UNDECIDED in VOCABULARY
