"""The promises of plots.matrix: which vintage ends how in which situation, a cell each of colour, sign and word."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from figures import faint, outside, overlaps, texts

from labkit import plots
from labkit.plots.bars import Bar
from labkit.plots.cells import SITUATIONS, VERDICTS, WIRES, Table

ENDS: dict[str, dict[str, Any]] = {
    "bounded": {"noticed": 3.0, "closed": 4.0, "told": 4.0},
    "late": {"noticed": 3.0, "closed": 34.0, "told": 34.0},
    "hangs": {"noticed": 3.0, "closed": 60.0, "told": 60.0},
    "never": {"noticed": None, "closed": None, "told": None},
    "hole": {"noticed": None, "closed": None, "told": None, "why": "no keepalive in threading before 15"},
}


def cell(version: str, situation: str, wire: str, verdict: str, implementation: str = "asyncio", python: str = "3.11") -> dict[str, Any]:
    where = {"version": version, "implementation": implementation, "python": python, "situation": situation, "wire": wire}
    return {**where, "cut": 1.5, "heal": 60.0, "verdict": verdict, **ENDS.get(verdict, {})}


def verdict(version: str, python: str, situation: str, wire: str) -> str:
    """Made up, near what was measured."""
    old = version in ("13.1", "14.1")
    if situation.startswith("drain"):
        return "never"
    if situation.startswith("ping") or (old and (situation.startswith("backlog") or (wire != "ws" and python == "3.10"))):
        return "hangs"
    return "late" if old and wire == "wss client" else "bounded"


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    rows = [(version, python) for version in ("14.2", "13.1", "14.1") for python in ("3.11", "3.10")] + [("17.4", "3.11")]
    columns = [(situation, wire) for wire in ("wss client", "ws", "wss server") for situation in SITUATIONS]
    made = [cell(v, s, w, verdict(v, p, s, w), python=p) for v, p in rows for s, w in columns]
    return made + [cell("14.1", s, w, "hole", "threading") for s, w in columns]


def bars(drawn: Any) -> list[Bar]:
    return [mark for mark in drawn.panels[0].marks if isinstance(mark, Bar)]


def test_rows_go_from_old_to_new_and_columns_as_the_situations_do(cells):
    grid = Table(cells)
    assert [row[0] for row in grid.rows] == ["13.1", "13.1", "14.1", "14.1", "14.2", "14.2", "17.4", "14.1"]
    assert [row[1:] for row in grid.rows[-2:]] == [("asyncio", "3.11"), ("threading", "3.11")]
    assert grid.columns == [(situation, wire) for situation in SITUATIONS for wire in WIRES]


def one(verdict: str, version: str = "14.1", **changes: Any) -> dict[str, Any]:
    """A cell of the first column."""
    return {**cell(version, "quiet", "ws", verdict), **changes}


def test_the_title_counts(cells):
    count = Counter(each["verdict"] for each in cells)
    expected = f"{count['hangs']} hang in CLOSING until healed and {count['never']} never notice; in 17.4, still 6 of 12"
    assert plots.matrix(cells).title == f"Of {len(cells) - count['hole']} connections that were cut, {expected}"


@pytest.mark.parametrize(
    ("some", "title"),
    [
        ([one("bounded", "17.4")], "Of 1 connection that was cut, none hangs"),
        ([one("hangs"), one("bounded", "14.2")], "Of 2 connections that were cut, 1 hangs in CLOSING until healed; in 14.2, none of 1"),
        ([one("never")], "Of 1 connection that was cut, 1 never notices"),
        ([one("hole")], "No cell of this matrix was run"),
    ],
)
def test_the_title_of_a_few(some, title):
    assert plots.matrix(some).title == title


ODD = {"raised": "AssertionError"}


@pytest.mark.parametrize(
    ("made", "words", "clause"),
    [
        (one("bounded"), "✓ told 2.5 s", "quiet ws bounded, told 2.5 s after the cut."),
        (one("late"), "◔ late 32.5 s", "late, told 32.5 s after the cut."),
        (one("hangs"), "✕ hangs CLOSING", "hung in CLOSING until healed."),
        (one("never"), "✕ never OPEN", "OPEN until healed: never noticed."),
        (one("hole"), "– a", "not run, no keepalive in threading before 15."),
        (one("bounded", told=None), "✓ closed 2.5 s", "bounded, closed 2.5 s after the cut."),
        (one("bounded", closed=4.0, told=6.0), "✓ told 4.5 s", "told 4.5 s after the cut."),
        (one("bounded", closed=6.0, told=4.0), "✓ told 4.5 s", "told 4.5 s after the cut."),
        (one("late", told=4.0, **ODD), "◔ late † 32.5 s", "late, over 32.5 s after the cut, told by AssertionError."),
        (one("hangs", **ODD), "✕ hangs † CLOSING", "hung in CLOSING until healed, told by AssertionError."),
        (one("late", raised="ConnectionClosedError"), "◔ late 32.5 s", "late, told 32.5 s after the cut."),
    ],
)
def test_a_cell_has_a_sign_and_words_and_the_legend_says_what_they_mean(made, words, clause):
    drawn = plots.matrix([made])
    said, meaning = texts(drawn), VERDICTS[made["verdict"]][-1].split("healed")[0]
    assert words in said and any(meaning in text for text in said) and drawn.alt.endswith(clause)
    odd = {"†", "told by AssertionError instead of ConnectionClosedError"}
    assert odd & set(said) == (odd if "†" in words else set()) and not overlaps(drawn)


def test_every_verdict_has_a_look_of_its_own():
    figures = [plots.matrix([one(kind)]) for kind in VERDICTS]
    looks = {tuple(bar.fill for bar in bars(drawn)) for drawn in figures}
    assert len(looks) == len(VERDICTS)


def test_the_legend_has_the_verdicts_that_occur_and_no_others():
    said = " ".join(texts(plots.matrix([one("hangs")])))
    assert "hung in CLOSING until healed (58.5 s after the cut)" in said
    assert not any(VERDICTS[kind][-1] in said for kind in ("bounded", "late", "never", "hole"))


def test_a_reason_for_holes_stands_once_and_its_letter_in_every_hole(cells):
    other = one("hole", "10.4", why="not here")
    said = texts(plots.matrix([*cells, other]))
    assert said.count("no keepalive in threading before 15") == 1 and said.count("not here") == 1
    assert said.count("– b") == 12 and said.count("– a") == 1


def test_a_cell_that_is_not_there_is_left_empty(cells):
    fewer = [each for each in cells if (each["version"], each["situation"], each["wire"]) != ("17.4", "quiet", "ws")]
    assert texts(plots.matrix(cells)).count("✓ told 2.5 s") - texts(plots.matrix(fewer)).count("✓ told 2.5 s") == 1


def test_a_data_frame_draws_the_same(cells):
    frame = pytest.importorskip("pandas").DataFrame(cells)
    assert plots.matrix(frame).alt == plots.matrix(cells).alt


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("wires", [("ws",), ("ws", "wss server"), tuple(WIRES)], ids=len)
def test_every_word_can_be_read(cells, wires, theme):
    drawn = plots.matrix([each for each in cells if each["wire"] in wires], theme=theme)
    assert overlaps(drawn) == faint(drawn) == outside(drawn) == []


def test_every_cell_has_its_words(cells):
    drawn = plots.matrix(cells)
    wanted = [bar.wordings[0].replace("\n", " ") for bar in bars(drawn) if bar.wordings]
    assert len(wanted) == len(cells) + len(VERDICTS) and Counter(wanted) <= Counter(texts(drawn))


def test_the_alt_text_tells_every_row(cells):
    alt = plots.matrix(cells).alt
    assert alt.startswith("Matrix of 8 vintages and 12 situations. Of 84 connections that were cut,")
    assert "13.1 asyncio, Python 3.10: quiet ws bounded, told 2.5 s after the cut; quiet wss server hung in CLOSING until healed;" in alt
    assert "drain blocked before the ping ws OPEN until healed: never noticed" in alt
    assert "14.1 threading, Python 3.11: quiet ws not run, no keepalive in threading before 15;" in alt


@pytest.mark.parametrize(
    ("some", "words"),
    [
        ([one("fine")], "a verdict is one of bounded, late, hangs, never, hole; seen 'fine'"),
        ([one("bounded", wire=None)], "lacks wire"),
        ([one("hole", why=None)], "a hole says why"),
        ([one("bounded")] * 2, "two cells for 14.1, asyncio, 3.11, quiet, ws"),
        ([], "at least one cell"),
    ],
)
def test_what_is_no_cell_is_refused_in_a_sentence(some, words):
    with pytest.raises(ValueError, match=words):
        plots.matrix(some)
