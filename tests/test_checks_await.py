"""The ten minutes of await: code that awaits is judged in virtual time, and a wrong one is answered by what it did."""

import asyncio

import pytest

from checks import check, guess, settle

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


async def limited(answer, limit):
    try:
        async with asyncio.timeout(limit):
            return await answer
    except TimeoutError:
        return None


async def looked_after(answer, limit):
    done, _ = await asyncio.wait([answer], timeout=limit)
    return answer.result() if done else None


@pytest.mark.parametrize("code", [limited, looked_after])
def test_an_answer_or_nothing_passes_whichever_way_it_is_built(code, capsys):
    check("00 an answer or nothing", code)
    assert capsys.readouterr().out.count("✓") == 4


async def without_a_limit(answer, limit):
    return await answer


async def another_limit(answer, limit):
    return await limited(answer, 1)


async def nothing(answer, limit):
    return None


async def loses_its_answer(answer, limit):
    await limited(answer, limit)


async def sleeps_in_any_case(answer, limit):
    await asyncio.sleep(limit)
    return answer.result() if answer.done() else None


async def catches_nothing(answer, limit):
    return await asyncio.wait_for(answer, limit)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (without_a_limit, "it took 2 s; after 1 s it was to give up"),
        (another_limit, "it gave None after 1 s; 'tea' was wanted"),
        (nothing, "it gave None after 0 s; 'tea' was wanted"),
        (loses_its_answer, "it gave None after 0.1 s"),
        (sleeps_in_any_case, "it took 1 s; after 0.1 s the answer was there"),
        (catches_nothing, "return await asyncio.wait_for(answer, limit) raised TimeoutError"),
    ],
)
def test_what_a_wrong_one_did_is_said(code, words, capsys):
    check("00 an answer or nothing", code)
    out = capsys.readouterr().out
    assert words in out and "not yet" in out


def test_who_adds_both_waits_hears_why_not(capsys):
    settle(guess("00 two sleeps at once", 3), 2.004)
    assert "one after the other" in capsys.readouterr().out
