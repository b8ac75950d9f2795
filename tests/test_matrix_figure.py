"""The promises of plots.matrix: which vintage ends how in which situation, a cell each of colour, sign and word."""

from __future__ import annotations

from typing import Any

import pytest
from axes_figures import lay_out, overlaps, texts, title

from labkit import plots
from labkit.plots.matrix_words import SITUATIONS, VERDICTS, WIRES, grid

ENDS: dict[str, dict[str, Any]] = {
    "bounded": {"noticed": 3.0, "closed": 4.0, "told": 4.0},
    "late": {"noticed": 3.0, "closed": 34.0, "told": 34.0},
    "hangs": {"noticed": 3.0, "closed": 60.0, "told": 60.0},
    "never": {"noticed": None, "closed": None, "told": None},
    "hole": {"noticed": None, "closed": None, "told": None, "why": "no keepalive in threading before 15"},
}


def cell(version: str, situation: str, wire: str, verdict: str, implementation: str = "asyncio", python: str = "3.11") -> dict[str, Any]:
    where = {"version": version, "implementation": implementation, "python": python, "situation": situation, "wire": wire}
    return {**where, "cut": 1.5, "heal": 60.0, "verdict": verdict, **ENDS[verdict]}


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


def test_rows_go_from_old_to_new_and_columns_as_the_situations_do(cells):
    table = grid(cells)
    assert [row[0] for row in table.rows] == ["13.1", "13.1", "14.1", "14.1", "14.2", "14.2", "17.4", "14.1"]
    assert [row[1:] for row in table.rows[-2:]] == [("asyncio", "3.11"), ("threading", "3.11")]
    assert table.columns == [(situation, wire) for situation in SITUATIONS for wire in WIRES]


def test_the_title_counts(cells):
    count = {kind: sum(one["verdict"] == kind for one in cells) for kind in VERDICTS}
    run = len(cells) - count["hole"]
    expected = f"Of {run} connections that were cut, {count['hangs']} hang in CLOSING until healed and {count['never']} never notice"
    assert title(plots.matrix(cells)) == f"{expected}; in 17.4, still 6 of 12"


def test_the_title_says_when_none_hangs():
    assert title(plots.matrix([cell("17.4", "quiet", "ws", "bounded")])) == "Of 1 connection that was cut, none hangs"
    mended = [cell("14.1", "quiet", "ws", "hangs"), cell("14.2", "quiet", "ws", "bounded")]
    assert title(plots.matrix(mended)) == "Of 2 connections that were cut, 1 hangs in CLOSING until healed; in 14.2, none of 1"
    assert title(plots.matrix([cell("14.1", "quiet", "ws", "hole")])) == "No cell of this matrix was run"


@pytest.mark.parametrize(
    "kind, words",
    [("bounded", ["✓ told", "2.5 s"]), ("late", ["◔ late", "32.5 s"]), ("hangs", ["✕ hangs", "CLOSING"]), ("never", ["✕ never", "OPEN"])],
)
def test_a_cell_has_a_sign_and_words(kind, words):
    said = texts(plots.matrix([cell("14.1", "quiet", "ws", kind)]))
    assert all(word in said for word in words)
    assert any(VERDICTS[kind][2].split("healed")[0] in text for text in said), "the legend says what the sign means"


def test_a_cell_that_told_nobody_does_not_say_told():
    said = texts(plots.matrix([{**cell("14.1", "quiet", "ws", "bounded"), "told": None}]))
    assert "✓ closed" in said and "✓ told" not in said


@pytest.mark.parametrize(("closed", "told"), [(4.0, 6.0), (6.0, 4.0)])
def test_a_cell_says_when_it_was_over_closed_and_told(closed, told):
    assert "4.5 s" in texts(plots.matrix([{**cell("14.1", "quiet", "ws", "bounded"), "closed": closed, "told": told}]))


def test_a_cell_that_was_told_by_a_wrong_exception_is_marked_and_says_so_below():
    early = {**cell("13.0.1", "quiet", "wss client", "late"), "told": 4.0, "raised": "AssertionError"}
    right = {**cell("14.1", "quiet", "wss client", "late"), "raised": "ConnectionClosedError"}
    ax = plots.matrix([early, right])
    assert {"◔ late †", "◔ late", "†", "told by AssertionError instead of ConnectionClosedError"} <= set(texts(ax))
    assert "late, over 32.5 s after the cut, told by AssertionError" in ax.alt and "late, told 32.5 s after the cut." in ax.alt
    assert "†" not in texts(plots.matrix([right])) and not overlaps(ax, ax._left_title)
    assert "✕ hangs †" in texts(plots.matrix([{**cell("13.0.1", "backlog below the mark", "ws", "hangs"), "raised": "AssertionError"}]))


def test_every_verdict_has_a_fill_of_its_own():
    fills = set()
    for kind in VERDICTS:
        ax = plots.matrix([cell("14.1", "quiet", "ws", kind)])
        fills.add(tuple((patch.get_facecolor(), patch.get_edgecolor(), patch.get_hatch(), patch.get_linestyle()) for patch in ax.patches))
    assert len(fills) == len(VERDICTS)


def test_the_legend_has_the_verdicts_that_occur_and_no_others():
    said = " ".join(texts(plots.matrix([cell("14.1", "quiet", "ws", "hangs")])))
    assert "hung in CLOSING until healed (58.5 s after the cut)" in said
    assert not any(VERDICTS[kind][2] in said for kind in ("bounded", "late", "never", "hole"))


def test_a_reason_for_holes_stands_once_and_its_letter_in_every_hole(cells):
    other = {**cell("10.4", "quiet", "ws", "hole"), "why": "not here"}
    said = texts(plots.matrix([*cells, other]))
    assert said.count("no keepalive in threading before 15") == 1 and said.count("not here") == 1
    assert said.count("– b") == 12 and said.count("– a") == 1


def test_a_cell_that_is_not_there_is_left_empty(cells):
    fewer = [one for one in cells if (one["version"], one["situation"], one["wire"]) != ("17.4", "quiet", "ws")]
    assert texts(plots.matrix(cells)).count("✓ told") - texts(plots.matrix(fewer)).count("✓ told") == 1


def test_a_data_frame_draws_the_same(cells):
    frame = pytest.importorskip("pandas").DataFrame(cells)
    assert plots.matrix(frame).alt == plots.matrix(cells).alt


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("wires", [("ws",), ("ws", "wss server"), tuple(WIRES)], ids=len)
def test_no_word_lies_on_another(cells, wires, theme):
    ax = plots.matrix([one for one in cells if one["wire"] in wires], theme=theme)
    assert overlaps(ax, ax._left_title) == []


def test_words_stay_in_their_cells(cells):
    ax = lay_out(plots.matrix(cells))
    boxes = [patch.get_window_extent() for patch in ax.patches if patch.get_width() > 40]
    for text in ax.texts:
        if text.get_text().startswith(("✓ ", "✕ ", "◔ ")):
            one = text.get_window_extent()
            assert any(box.x0 <= one.x0 and one.x1 <= box.x1 and box.y0 <= one.y0 and one.y1 <= box.y1 for box in boxes), text.get_text()


def test_no_word_lies_on_the_stripe_of_its_cell(cells):
    ax = lay_out(plots.matrix(cells))
    stripes = [patch.get_window_extent() for patch in ax.patches if patch.get_width() == 5]
    words = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert stripes and not any(one.overlaps(stripe) for one in words for stripe in stripes)


def test_the_alt_text_tells_every_row(cells):
    alt = plots.matrix(cells).alt
    assert alt.startswith("Matrix of 8 vintages and 12 situations. Of 84 connections that were cut,")
    assert "13.1 asyncio, Python 3.10: quiet ws bounded, told 2.5 s after the cut; quiet wss server hung in CLOSING until healed;" in alt
    assert "drain blocked before the ping ws OPEN until healed: never noticed" in alt
    assert "14.1 threading, Python 3.11: quiet ws not run, no keepalive in threading before 15;" in alt


def test_it_is_a_picture_in_both_themes(cells, tmp_path):
    assert plots.matrix(cells, theme="dark").figure.get_facecolor()[:3] < (0.2, 0.2, 0.2)
    assert plots.save(plots.matrix(cells), tmp_path / "matrix.svg").read_text().count("<svg") == 1


@pytest.mark.parametrize(
    "change, words",
    [
        ({"verdict": "fine"}, "a verdict is one of bounded, late, hangs, never, hole; seen 'fine'"),
        ({"wire": None}, "lacks wire"),
        ({"verdict": "hole"}, "a hole says why"),
    ],
)
def test_what_is_no_cell_is_refused_in_a_sentence(change, words):
    with pytest.raises(ValueError, match=words):
        plots.matrix([{**cell("14.1", "quiet", "ws", "bounded"), **change}])


def test_two_cells_in_one_place_are_refused():
    one = cell("14.1", "quiet", "ws", "bounded")
    with pytest.raises(ValueError, match="two cells for 14.1, asyncio, 3.11, quiet, ws"):
        plots.matrix([one, one])
    with pytest.raises(ValueError, match="at least one cell"):
        plots.matrix([])
