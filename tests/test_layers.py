"""Who may know whom: imports point down only, the values are pure, and a room is entered only when it is needed."""

import ast
import asyncio
import json
import subprocess
import sys
from contextlib import closing
from operator import attrgetter
from pathlib import Path

import pytest

from labkit.wires.loop import PRIVATES, VirtualLoop

ROOT = Path(__file__).resolve().parent.parent
LABKIT = ROOT / "labkit"

LAYERS = {  # from the ground up. layer: (its rooms, the layers that it may import besides itself, the packages from outside)
    "values": ("values", "", ""),
    "trace": ("trace", "values", "pandas"),
    "theory": ("theory", "values trace", "websockets"),
    "wires": ("wires", "values", "js pyodide"),
    "ends": ("ends", "values", "trio websockets"),
    "engine": ("engine", "values trace wires ends", "IPython cryptography trustme websockets"),
    "versions": ("versions", "values trace wires ends engine", ""),
    "run": ("running", "values trace ends engine versions", ""),
    "many": ("many", "values trace wires ends engine run", "pandas websockets"),
    "plots": ("plots", "values trace theory", "matplotlib"),
    "yours": ("yours", "values trace theory wires engine run", ""),
    "patterns": ("patterns", "", "websockets"),
    "doctor": ("doctor", "trace engine plots", ""),
    "widgets": ("widgets", "values trace theory wires ends engine run plots", "IPython ipywidgets websockets"),
    "classroom": ("classroom", "values trace theory engine run plots doctor", "checks tornado"),  # from a clone: checks is in notebooks
    "front door": (
        "__init__ __main__ commandline",
        "values trace theory ends engine versions run many plots patterns yours doctor widgets classroom",
        "",
    ),
}
ROOMS = {room: layer for layer, (rooms, _, _) in LAYERS.items() for room in rooms.split()}
PURE = ("values", "trace", "theory")
WORLDLY = {"asyncio", "concurrent", "multiprocessing", "selectors", "signal", "socket", "ssl", "subprocess", "threading", "time"}
NOT_IN_A_BROWSER = {"concurrent", "multiprocessing", "ssl", "subprocess"}  # and not in a worker before it needs them
SINCE_3_11 = {
    "asyncio": {"Runner", "TaskGroup", "timeout", "timeout_at", "Barrier"},
    "datetime": {"UTC"},
    "typing": {"Self", "assert_never"},
}
FILES = sorted(LABKIT.rglob("*.py"))


def module(path: Path) -> str:
    """labkit/wires/clock.py is labkit.wires.clock; a package is named as itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def room(name: str) -> str:
    """The room that a module of labkit is in: labkit.wires.clock is in wires."""
    return (name.split(".") + ["__init__"])[1]


def imported(path: Path, inner: bool = True) -> set[str]:
    """Every module that a file names in an import, those inside functions too if ``inner``: "socket", "labkit.values.faults"."""
    todo, names = [ast.parse(path.read_text())], set()
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            names |= {f"{base}.{alias.name}" for alias in node.names} if base == "labkit" else {base}
        if inner or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo += ast.iter_child_nodes(node)
    return names


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    package = path.relative_to(ROOT).parent.parts
    return ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])] if node.level else [node.module or ""])


def layer_of(path: Path) -> str:
    """The layer of a file; that of one in an unknown room is "?", and the first test says so."""
    return ROOMS.get(room(module(path)), "?")


def inside_and_outside(path: Path) -> tuple[set[str], set[str]]:
    """The rooms of labkit that a file imports, and the packages from outside that are not Python's own."""
    names = imported(path)
    ours = {name for name in names if name.split(".")[0] == "labkit"}
    # `from labkit import Cut`: a value of the front door, which knows where it lives
    rooms = {room(name) if (LABKIT / room(name)).is_dir() or (LABKIT / f"{room(name)}.py").exists() else "__init__" for name in ours}
    return rooms, {name.split(".")[0] for name in names - ours} - sys.stdlib_module_names


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_table_itself_points_down_and_knows_every_room():
    below: set[str] = set()
    for layer, (_, may, _) in LAYERS.items():
        assert set(may.split()) <= below, f"{layer} may import {set(may.split()) - below}, which is not below it"
        below.add(layer)
    assert {room(module(path)) for path in FILES} == set(ROOMS), "a room came or went: say in LAYERS where it belongs"


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_point_down_only(path):
    layer = layer_of(path)
    _, may, outside = LAYERS.get(layer, ("", "", ""))
    rooms, packages = inside_and_outside(path)
    too_high = {name for name in rooms if ROOMS.get(name) not in {layer, *may.split()}}
    if layer == "front door":
        too_high -= {"__init__"}
    assert not too_high, f"{module(path)} ({layer}) imports {too_high}; it may import {may or 'nothing'}"
    assert packages <= set(outside.split()), f"{module(path)} ({layer}) imports {packages}; it may import {outside or 'only Python itself'}"


@pytest.mark.parametrize("path", [path for path in FILES if layer_of(path) in PURE], ids=module)
def test_values_pipe_and_theory_are_pure(path):
    assert not {name.split(".")[0] for name in imported(path)} & WORLDLY


def test_importing_labkit_loads_nothing_heavy():
    loaded = python("import sys; before = set(sys.modules); import labkit; print(*sorted(set(sys.modules) - before))").split()
    assert "labkit" in loaded
    assert not {"IPython", "asyncio", "cryptography", "matplotlib", "pandas", "socket", "ssl", "trustme", "websockets"} & set(loaded)


def test_theory_and_a_saved_trace_need_no_websockets():
    loaded = python("import sys; from labkit import Trace, predict; print(*sys.modules)").split()
    assert "labkit.theory" in loaded and not {"asyncio", "matplotlib", "websockets"} & set(loaded)


def test_a_virtual_run_needs_neither_the_loopback_wire_nor_matplotlib_nor_what_a_browser_lacks():
    fly = "Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])"
    code = f"import sys; from labkit import Cut, Experiment, Peer, run; run({fly}, 'virtual', progress=False); print(*sys.modules)"
    loaded = set(python(code).split())
    assert (
        not {
            "labkit.wires.loopback",
            "labkit.plots",
            "labkit.engine.tls",
            "labkit.engine.tls_records",
            "cryptography",
            "matplotlib",
            "trustme",
        }
        & loaded
    )
    for path in FILES:
        if module(path) in loaded:
            lacking = {name.split(".")[0] for name in imported(path, inner=False)} & NOT_IN_A_BROWSER
            assert not lacking, f"{module(path)} imports {lacking} at once"


@pytest.mark.parametrize("path", [path for path in FILES if layer_of(path) not in ("patterns", "plots")], ids=module)
def test_what_a_worker_imports_runs_on_python_3_10(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 10))
    attributes = {(n.value.id, n.attr) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
    names = {(n.module, alias.name) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module for alias in n.names}
    new = {f"{base}.{name}" for base, name in attributes | names if name in SINCE_3_11.get(base, ())}
    assert not new, f"{module(path)} uses {new}, which Python 3.10 lacks"


# what asyncio keeps for itself

OTHERS = {"_current_frames", "_exit", "_replace"}  # documented, of sys, os and named tuples


def lacking(name: str) -> str | None:
    """What asyncio lacks of a name such as "events.Handle._run" in this Python; None: nothing."""
    place, _, private = name.rpartition(".")
    try:
        thing = attrgetter(place.removesuffix("()"))(asyncio)
    except AttributeError as problem:
        return f"asyncio.{name}: {problem}"
    if place.endswith("()"):  # one that only an instance has
        with closing(thing()) as loop:
            return None if hasattr(loop, private) else f"asyncio.{name}"
    return None if hasattr(thing, private) else f"asyncio.{name}"


@pytest.mark.parametrize("name", PRIVATES)
def test_this_python_has_what_virtual_time_needs_of_asyncio(name):
    assert lacking(name) is None, f"Python {sys.version.split()[0]} has no longer {lacking(name)}"


def test_a_python_that_has_changed_is_told_what_it_lacks(monkeypatch):
    monkeypatch.delattr(asyncio.events.Handle, "_run")
    monkeypatch.delattr(asyncio.tasks, "_enter_task")
    gone = [name for name in PRIVATES if lacking(name)]
    assert gone == ["events.Handle._run", "tasks._enter_task"]
    monkeypatch.delattr(asyncio, "selector_events")
    assert "selector_events" in (lacking("selector_events.BaseSelectorEventLoop") or "")


def test_the_privates_of_asyncio_stand_in_one_table():
    table, used, own = {name.rpartition(".")[2] for name in PRIVATES}, {}, set()
    for path in FILES:
        used[room(module(path))] = used.get(room(module(path)), set())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                own.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                own.add(node.attr)
            elif isinstance(node, ast.Attribute) and node.attr.strip("_") == node.attr[1:]:
                used[room(module(path))].add(node.attr)
    assert not set.union(*used.values()) - own - table - OTHERS
    overridden = {name for name in vars(VirtualLoop) if hasattr(asyncio.SelectorEventLoop, name)}
    assert table - {"BaseSelectorEventLoop"} <= used["wires"] | overridden
    assert {name for name in overridden if name.startswith("_") and not name.endswith("_")} <= table


def test_a_loopback_run_binds_and_connects_to_127_0_0_1_only():
    code = """
import json, sys
seen = []
sys.addaudithook(lambda event, args: event in ("socket.bind", "socket.connect") and seen.append([event, *args[1]]))
from labkit import Cut, Experiment, Peer, run
run(Experiment(server=Peer(ping_interval=.1, ping_timeout=.1, close_timeout=.1), faults=[Cut(at=.15)]), progress=False)
print(json.dumps(seen))
"""
    seen = json.loads(python(code))
    assert {event for event, *_ in seen} == {"socket.bind", "socket.connect"}
    assert {host for _, host, *_ in seen} == {"127.0.0.1"}
