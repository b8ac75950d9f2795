"""The numbers of issue 2 §7, each beside its reference: ``python tests/bench.py [--only NAME] [--quick]``.

A machine is never quiet, so nothing here is believed for its milliseconds: contestants take turns, in another order each
round, and what counts is the median of the ratios round by round. A goal that is missed is printed as such; nothing fails.

    virtual    20/20/10 and cut at 63, beside async-solipsism, looptime, trio's MockClock and the sans-I/O floor; in a notebook too
    loopback   how late noticed and closed are at .2/.2/.2, beside the bare library; what the wire adds to a ping
    import     `import labkit` in a fresh interpreter
    figures    the timeline of the fruit fly, and of 10,000 frames: drawn by matplotlib, and as SVG
    doctor     a debug log of 100 MB, beside wc -l and a loop over its lines
    sweeps, fleets, law    many runs: see bench_many.py
    view       explore() and live(): from a moved slider to a new figure, and what watching costs
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import references  # noqa: E402

from labkit import Cut, Experiment, Peer, run  # noqa: E402
from labkit.wires.clock import set_aside  # noqa: E402

TWIN = Experiment(server=Peer(ping_interval=20, ping_timeout=20, close_timeout=10), faults=[Cut(at=63)])  # 100 → 110
SHORT = Experiment(server=Peer(ping_interval=0.2, ping_timeout=0.2, close_timeout=0.2), faults=[Cut(at=0.5)])  # 0.8 → 1.0
PINGS = 2  # of SHORT, that are answered before its cut: .2 and .4

Rounds = dict[str, list[float]]  # what each contestant took (s), round by round


# measuring


def compete(contestants: dict[str, Callable[[], object]], rounds: int) -> Rounds:
    """Let contestants take turns, shuffled so that nobody always pays for what the one before it left to the garbage collector."""
    shuffle = random.Random(0).shuffle
    taken: Rounds = {name: [] for name in contestants}
    for number in range(-3, rounds):  # the first three only warm up
        for name in _shuffled(contestants, shuffle):
            begin = time.perf_counter()
            contestants[name]()
            if number >= 0:
                taken[name].append(time.perf_counter() - begin)
    return taken


def _shuffled(names: Iterable[str], shuffle: Callable[[list[str]], None]) -> list[str]:
    order = list(names)
    shuffle(order)
    return order


def ratio(taken: Rounds, name: str, reference: str) -> float:
    """The median of the ratios, round by round."""
    return statistics.median(one / other for one, other in zip(taken[name], taken[reference]))


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


# printing


def title(text: str) -> None:
    print(f"\n{text}", flush=True)


def row(what: str, value: str, reference: str = "", measured: float | None = None, goal: float | None = None, unit: str = "×") -> None:
    """One line: what, its value, what it is held against, and whether the goal is met (``measured`` and ``goal`` in ``unit``)."""
    verdict = ""
    if measured is not None:
        verdict = f"{measured:6.3f} {unit:<2}"
    if measured is not None and goal is not None:
        verdict += f"  goal ≤ {goal:g} {unit:<2}  {'met' if measured <= goal else 'MISSED'}"
    print(f"  {what:<46} {value:>12}  {reference:<34} {verdict}".rstrip(), flush=True)


# virtual time


def unrecorded() -> None:
    check(run(TWIN, "virtual", record=False, progress=False).closed_at("server"), 110.0)


def recorded() -> None:
    check(run(TWIN, "virtual", progress=False).closed_at("server"), 110.0)


def check(seen: float | None, expected: float | None) -> None:
    if seen != expected and (seen is None or expected is None or abs(seen - expected) > 1e-6):
        raise AssertionError(f"a contestant's server was CLOSED at {seen} s, expected {expected} s: its time does not count")


def reference(name: str) -> Callable[[], None]:
    """A contestant out of references.py, which must close at 110."""

    def contest() -> None:
        with set_aside():
            check(getattr(references, name)(), 110.0)

    return contest


OURS = {"labkit unrecorded": unrecorded, "labkit recorded": recorded}
GOALS = {"labkit unrecorded": 0.6, "labkit recorded": 0.75}
OTHERS = {"async-solipsism": "solipsism", "sans-I/O floor": "floor", "looptime": "looptime", "trio MockClock": "mockclock"}


def virtual_rounds(rounds: int, others: Iterable[str] = tuple(OTHERS)) -> Rounds:
    """Both of ours beside the others, in this process; those who cannot play are left out and told."""
    return compete(OURS | {name: reference(OTHERS[name]) for name in others if _plays(name)}, rounds)


def _plays(name: str) -> bool:
    try:
        reference(OTHERS[name])()
    except Exception as problem:
        print(f"  {name}: skipped, {type(problem).__name__}: {problem}")
        return False
    return True


def show_virtual(taken: Rounds) -> None:
    for name, times in taken.items():
        held = ratio(taken, name, "async-solipsism") if "async-solipsism" in taken else None
        best = f"best {min(times) * 1e3:.2f} ms"
        row(name, f"{statistics.median(times) * 1e3:.2f} ms", best, held, GOALS.get(name))


def bench_virtual(quick: bool) -> None:
    title("virtual time: 20/20/10, cut at 63, ms a run (median); × async-solipsism, round by round")
    show_virtual(virtual_rounds(60 if quick else 400))
    title("the same inside a Jupyter kernel, in a cell")
    taken = in_a_notebook(f"json.dumps(bench.virtual_rounds({60 if quick else 300}, ['async-solipsism', 'sans-I/O floor']))")
    show_virtual(taken) if isinstance(taken, dict) else print(f"  skipped: {taken}")


def in_a_notebook(expression: str) -> Any:
    """What an expression gives in a cell of a fresh kernel, or why there is none, in words."""
    try:
        import nbformat
        from nbclient import NotebookClient
    except ImportError as problem:
        return str(problem)
    setup = f"import json, sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); import bench"
    cells = [nbformat.v4.new_code_cell(source) for source in (setup, expression)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    NotebookClient(book, timeout=120, extra_arguments=["--log-level=ERROR"]).execute()
    said = [output for output in book.cells[1].outputs if output.output_type == "execute_result"]
    return json.loads(said[0].data["text/plain"].strip("'")) if said else "the cell said nothing"


# loopback


def bench_loopback(quick: bool) -> None:
    """How late noticed (.8) and closed (1.0) are; the bare library is a server whose other end just stops answering."""
    pairs = 5 if quick else 40
    title(f"loopback: .2/.2/.2, cut at .5; |observed − predicted| over {pairs} runs, in turns with the bare library")
    ours, bare = [], []
    for number in range(pairs):
        turns = [lambda: ours.append(_observed()), lambda: bare.append(references.bare_loopback(0.2, 0.2, 0.2, PINGS))]
        for turn in turns if number % 2 else reversed(turns):
            turn()
    for column, (name, predicted) in enumerate([("noticed", 0.8), ("closed", 1.0)]):
        off = [[abs(one[column] - predicted) * 1e3 for one in many] for many in (ours, bare)]
        median, base = (statistics.median(values) for values in off)
        row(f"{name}: median", f"{median:.2f} ms", f"bare {base:.2f} ms", median / base, 1.15)
        row(f"{name}: p95", f"{percentile(off[0], 95):.2f} ms", f"bare {percentile(off[1], 95):.2f} ms")
    ping_latency(5 if quick else 10)


def _observed() -> tuple[float, float]:
    trace = run(SHORT, "loopback", progress=False)
    noticed, closed = trace.noticed_at("server"), trace.closed_at("server")
    assert noticed is not None and closed is not None, "the server did not close"
    return noticed, closed


def ping_latency(rounds: int) -> None:
    """What the wire adds to a round trip: pings of a server's handler, through the wire and directly, in turns."""
    times: dict[str, list[float]] = {"wire": [], "direct": []}

    def handler(kept: list[float]) -> Callable[[Any], Any]:
        async def pinging(websocket: Any) -> None:
            for _ in range(100):
                begin = time.perf_counter()
                await (await websocket.ping())
                kept.append(time.perf_counter() - begin)

        return pinging

    quiet = Experiment(server=Peer(ping_interval=None), until=10)
    for _ in range(rounds):
        run(quiet, "loopback", server=handler(times["wire"]), progress=False)
        references.bare_pings(handler(times["direct"]))
    wire, direct = (statistics.median(values) * 1e3 for values in times.values())
    row("a ping's round trip: what the wire adds", f"{wire:.3f} ms", f"direct {direct:.3f} ms", wire - direct, 0.3, "ms")


# import


IMPORT = """
import sys, time
begin = time.perf_counter()
import {what}
print(time.perf_counter() - begin, "matplotlib" in sys.modules)
"""


def fresh(what: str) -> float:
    """Seconds that an import takes in a fresh interpreter."""
    ran = subprocess.run([sys.executable, "-c", IMPORT.format(what=what)], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, drawing = ran.stdout.split()
    assert drawing == "False", f"import {what} has loaded matplotlib, which only a figure should"
    return float(seconds)


def bench_import(quick: bool) -> None:
    title("import in a fresh interpreter (median); matplotlib not loaded")
    bare, ours, whole = "websockets.asyncio.server, websockets.asyncio.client", "labkit", "labkit.engine.session, labkit.wires.virtual"
    taken: dict[str, list[float]] = {bare: [], ours: [], whole: []}
    for _ in range(5 if quick else 15):
        for what, times in taken.items():
            times.append(fresh(what))
    middle = {what: statistics.median(times) for what, times in taken.items()}
    base = f"websockets alone {middle[bare]:.3f} s"
    row("import labkit", f"{middle[ours]:.3f} s", base, middle[ours], 0.15, "s")
    row("… and everything that a run needs", f"{middle[whole]:.3f} s", base)


# figures


def bench_figures(quick: bool) -> None:
    title("figures: the call and the drawing (Agg), beside empty axes; and as SVG; median")
    from labkit.plots import timeline

    fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
    busy = fly.but(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=0.0009, send_size=20))
    empty = statistics.median(drawing(lambda ax: ax) for _ in range(5))
    for experiment, goal, svg_goal in ((fly, 0.1, 0.015), (busy, 1.0, 0.5)):
        trace = run(experiment, "virtual", progress=False)
        name = f"timeline of {len(trace.frames()):,} frames"
        first, *times = [drawing(lambda ax, trace=trace: timeline(trace, ax=ax)) for _ in range(3 if quick else 6)]
        middle = statistics.median(times)
        row(name, f"{middle:.3f} s", f"empty {empty:.3f} s, first {first:.3f} s", middle, goal, "s")
        if not hasattr(timeline(trace), "svg"):
            print("  … as SVG: not there yet")
            continue
        first, *times = [lasting(lambda trace=trace: timeline(trace).svg()) for _ in range(3 if quick else 20)]
        middle = statistics.median(times)
        row("… as SVG", f"{middle * 1e3:.1f} ms", f"first {first * 1e3:.1f} ms", middle, svg_goal, "s")


def lasting(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def drawing(plot: Callable[[Any], Any]) -> float:
    """Seconds that a plot takes, from nothing to pixels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    begin = time.perf_counter()
    figure, ax = pyplot.subplots(figsize=(9, 3))
    plot(ax)
    figure.canvas.draw()
    taken = time.perf_counter() - begin
    pyplot.close(figure)
    return taken


def elsewhere(module: str, name: str) -> Callable[[bool], None]:
    """A block of another file, which is loaded when it is asked for: some need a browser, or much memory."""

    def block(quick: bool) -> None:
        getattr(import_module(module), f"bench_{name}")(quick, title, row)

    return block


BLOCKS = {"virtual": bench_virtual, "loopback": bench_loopback, "import": bench_import, "figures": bench_figures}
HOMES = {"doctor": "bench_doctor", "sweeps": "bench_many", "fleets": "bench_many", "law": "bench_many", "view": "bench_view"}
BLOCKS |= {name: elsewhere(module, name) for name, module in HOMES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="The lab's numbers, each beside its reference.")
    parser.add_argument("--only", choices=BLOCKS, help="one block")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a measurement")
    asked = parser.parse_args()
    begin = time.perf_counter()
    for name, block in BLOCKS.items():
        if asked.only in (None, name):
            block(asked.quick)
    print(f"\n{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
