"""The matrix: what is recorded is what runs here, and it says what the notebook says of it."""

import sys
from itertools import zip_longest

import pytest

from labkit import Vintage, recorded
from labkit.ends.capabilities import has, number
from labkit.versions import shelf
from labkit.versions.matrix import CONTROLS, TELLING, live_or_recorded, load, save
from labkit.versions.matrix import recorded as recorded_matrix
from labkit.versions.matrix_cells import AFTER, SITUATIONS, VERDICTS, WIRES, clock_of, experiment, grid, judge, key, measure

HEADER, CELLS = recorded_matrix()
BY_KEY = {key(cell): cell for cell in CELLS}
PYTHON = ".".join(map(str, sys.version_info[:2]))
# a newer Python does as the newest in the record
RECORDED = PYTHON if PYTHON in HEADER["python"] else HEADER["python"][-1]
LIVE = [
    Vintage(version, implementation)
    for version in (*shelf.LIVE, shelf.installed())
    for implementation in ("asyncio", "legacy")
    if has(implementation, "exists", version)
]
MOMENTS = ("noticed", "closed", "told")


def on_record(version):
    """The recorded version that is nearest: what stands in for one between two of the record."""
    wanted = number(version)

    def far(known):
        return [abs(a - b) for a, b in zip_longest(number(known), wanted, fillvalue=0)]

    return min(HEADER["websockets"], key=far)


def verdict(version, situation, wire, implementation="asyncio", python="3.11"):
    (cell,) = [
        one
        for one in CELLS
        if (one["version"], one["situation"], one["wire"], one["implementation"], one["python"])
        == (version, situation, wire, implementation, python)
        and one["clock"] == clock_of(Vintage(version, implementation))
    ]
    return cell["verdict"]


@pytest.mark.parametrize("vintage", LIVE, ids=lambda one: f"{one.version}-{one.implementation}")
def test_a_live_cell_says_what_is_recorded(vintage):
    if shelf.find(vintage.version, sys.executable) is None:
        pytest.skip(f"websockets {vintage.version} is not on the shelf: python -m labkit vintages fetch")
    for cell, _ in measure(vintage):
        known = BY_KEY.get(key({**cell, "version": on_record(cell["version"]), "python": RECORDED}))
        assert known, f"{key(cell)} is not recorded: python -m labkit matrix"
        assert [cell[name] for name in ("verdict", "raised", "why")] == [known[name] for name in ("verdict", "raised", "why")], key(cell)
        assert [cell[name] for name in MOMENTS] == pytest.approx([known[name] for name in MOMENTS], abs=1e-6), key(cell)


def test_every_recorded_cell_has_a_verdict_that_its_moments_bear_out():
    assert {cell["verdict"] for cell in CELLS} == set(VERDICTS)
    for cell in CELLS:
        noticed, closed, told = (cell[name] for name in MOMENTS)
        assert all(moment is None or cell["cut"] < moment < cell["heal"] + 2 * AFTER for moment in (noticed, closed, told)), key(cell)
        if cell["verdict"] in ("bounded", "late"):
            assert max(closed, told) < cell["heal"]
        elif cell["verdict"] == "hangs":
            assert noticed < cell["heal"] and (closed is None or told is None or max(closed, told) >= cell["heal"])
        elif cell["verdict"] == "never":
            assert noticed is None or noticed >= cell["heal"]
        else:
            assert cell["why"]


def test_the_loopback_wire_bears_the_virtual_one_out():
    controls = [cell for cell in CELLS if cell["implementation"] == "asyncio" and cell["clock"] == "loopback"]
    assert len(controls) == len(CONTROLS) * len(SITUATIONS) >= 12
    for cell in controls:
        twin = BY_KEY[key({**cell, "clock": "virtual"})]
        assert cell["verdict"] == twin["verdict"], key(cell)
        if cell["verdict"] == "bounded":
            assert [cell[name] for name in MOMENTS] == pytest.approx([twin[name] for name in MOMENTS], abs=0.5)


def test_what_the_report_is_about():
    """The claims of notebook 05, one by one."""
    newest = HEADER["websockets"][-1]
    asyncio = [version for version in HEADER["websockets"] if has("asyncio", "exists", version)]
    assert {verdict(version, "quiet", "ws") for version in asyncio} == {"bounded"}  # a quiet plain connection hangs in no version
    before, after = asyncio[: asyncio.index("14.2")], asyncio[asyncio.index("14.2") :]
    assert {verdict(version, "backlog below the mark", "ws") for version in before} == {"hangs"}
    assert {verdict(version, "backlog below the mark", "ws") for version in after} == {"bounded"}
    assert {verdict(version, "ping before drain blocked", "ws") for version in asyncio} == {"hangs"}  # the newest, too
    assert {verdict(version, "drain blocked before the ping", "ws") for version in asyncio} == {"never"}
    assert verdict("14.1", "quiet", "wss server", python="3.10") == verdict("14.1", "quiet", "wss client", python="3.10") == "hangs"
    assert verdict("14.1", "quiet", "wss server") == "bounded" and verdict("14.1", "quiet", "wss client") == "late"
    assert verdict(newest, "quiet", "wss client") == "bounded"
    assert verdict(newest, "ping before drain blocked", "ws", "legacy") == "bounded"  # legacy never drains when it fails
    assert verdict(newest, "backlog below the mark", "ws", "trio") == "hangs"
    assert verdict(newest, "backlog below the mark", "ws", "threading") == "never"


@pytest.mark.parametrize("telling", TELLING)
def test_the_traces_of_the_telling_cells_stand_beside_and_say_the_same(telling):
    name = telling.replace("installed", HEADER["websockets"][-1])
    trace, cell = recorded(f"matrix/{name}"), BY_KEY[name]
    vintage = Vintage(cell["version"], cell["implementation"], cell["python"])
    assert trace.experiment == experiment(cell["situation"], cell["wire"], clock_of(vintage))
    assert judge(trace, WIRES[cell["wire"]][0], cell["heal"])["verdict"] == cell["verdict"]
    assert trace.header["versions"]["websockets"] == cell["version"] and trace.header["vintage"] == vintage.label


def test_a_cell_that_is_not_here_is_taken_from_the_record(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_SHELF", str(tmp_path))
    cell, source = live_or_recorded("backlog below the mark", "ws", Vintage("14.1", python="3.11"))
    assert cell["verdict"] == "hangs" and source.startswith("recorded on 20")
    cell, source = live_or_recorded("quiet", "ws", Vintage())
    assert cell["verdict"] == "bounded" and source == "live"
    cell, source = live_or_recorded("quiet", "ws", Vintage("11.0.3", "threading", python="3.11"))
    assert cell["verdict"] == "hole" and "no keepalive" in cell["why"]


def test_a_matrix_is_saved_whole_and_a_damaged_one_is_refused(tmp_path):
    path = save(CELLS[:3], tmp_path / "matrix.jsonl")
    assert load(path)[1] == CELLS[:3] and load(path)[0]["command"] == "python -m labkit matrix"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(ValueError, match="not a whole matrix"):
        load(path)


def test_a_cell_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="a cell is one of quiet"):
        experiment("loud", "ws")
    assert len(grid()) == 12
