"""The numbers of issue 6: from a moved slider to a new figure, and what watching a live connection costs. Called by bench.py.

explore    a move in this process, by kind of picture; and end to end, in a browser, if there is one
live       processor time of the view, and how late a run is with and without it, in turns
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from labkit import Cut, Experiment, Peer, compare, run
from labkit.widgets.explorer import explore
from labkit.widgets.result import draw, inline
from labkit.widgets.session_thread import Look, Runner

FLY = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])
TWIN = Experiment(server=Peer(), faults=[Cut(at=63)])
TALK = FLY.but(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2, send_every=0.5))
SHORT = Experiment(server=Peer(ping_interval=0.2, ping_timeout=0.2, close_timeout=0.2), faults=[Cut(at=0.5)])  # 0.8 → 1.0
CALM = Experiment(server=Peer(ping_interval=1, ping_timeout=1, close_timeout=1))
PRESSES = 40


def moves(experiment: Experiment, view: str, count: int) -> list[tuple[float, float]]:
    """Seconds from a moved slider to the new picture, set, in this process; and how many of them the processor was ours."""
    bench, taken = explore(experiment, view=view), []
    knob = bench.rows["cut"].knob
    for _ in range(count):
        begin, ours = time.perf_counter(), time.thread_time()
        knob.value = knob.value + knob.step
        taken.append((time.perf_counter() - begin, time.thread_time() - ours))
    return taken


def in_a_browser(presses: int = PRESSES) -> list[float] | str:
    """Seconds from a key pressed on a slider in JupyterLab to the new picture on the page, one at a time; or why there are none."""
    sys.path.insert(0, str(Path(__file__).parent / "browser"))
    try:
        from conftest import QUIET, Lab, Tab, chromium
        from playwright.sync_api import sync_playwright
    except BaseException as problem:
        return f"{problem}".splitlines()[0]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        try:
            lab.wait()
            browser = playwright.chromium.launch(executable_path=chromium(playwright), args=QUIET)
            tab = Tab(lab, browser.new_page(viewport={"width": 1280, "height": 1000}))
            tab.show("from labkit import explore", "explore()")
            tab.page.wait_for_selector(".labkit-picture svg")
            taken = tab.page.evaluate(PRESS, presses)
            tab.shut_down()
            browser.close()
            return [ms / 1000 for ms in taken]
        finally:
            lab.close()


PRESS = """async presses => {
    const place = document.querySelector('.labkit-picture'), handle = document.querySelector('.labkit-cut .noUi-handle'), taken = [];
    for (let n = 0; n < presses; n++) {
        const begin = performance.now();
        const drawn = new Promise(done => {
            const look = new MutationObserver(() => { look.disconnect(); requestAnimationFrame(() => done(performance.now() - begin)); });
            look.observe(place, {childList: true, subtree: true});
        });
        handle.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', code: 'ArrowRight', bubbles: true}));
        taken.push(await Promise.race([drawn, new Promise(done => setTimeout(() => done(5000), 5000))]));
        await new Promise(done => setTimeout(done, 30));
    }
    return taken;
}"""


class Watched:
    """A live session with the view's picture drawn ten times a second, as live() does, and nowhere to show it."""

    def __init__(self, experiment: Experiment) -> None:
        self.pictures, self.cpu = 0, 0.0
        self.runner = Runner(experiment, self.frame)

    def frame(self, look: Look) -> None:
        begin = time.thread_time()
        inline(draw(look.trace, look.prediction))
        self.cpu += time.thread_time() - begin
        self.pictures += 1


def cost(seconds: float) -> tuple[float, float, float]:
    """Of one core: all of a live process with its view, and without; and pictures a second."""

    def spent(do: Any) -> float:
        begin = time.process_time(), time.monotonic()
        do()
        return (time.process_time() - begin[0]) / (time.monotonic() - begin[1])

    watched = Watched(CALM)

    def watch() -> None:
        watched.runner.start()
        time.sleep(seconds)
        watched.runner.close()

    return spent(watch), spent(lambda: run(CALM.but(until=seconds), progress=False)), watched.pictures / seconds


def lateness(pairs: int) -> dict[str, list[float]]:
    """|observed − predicted| (s) of SHORT on the loopback wire, watched and not, in turns."""
    late: dict[str, list[float]] = {"with the view": [], "without": []}
    for _ in range(pairs):
        watched = Watched(SHORT.but(until=1.3))
        watched.runner.start()
        watched.runner.thread.join()
        assert watched.runner.trace is not None, watched.runner.problem
        for name, trace in (("with the view", watched.runner.trace), ("without", run(SHORT.but(until=1.3), progress=False))):
            late[name] += [abs(row.seconds) for row in compare(trace).rows if row.end == "server" and row.seconds is not None]
    return late


def bench_view(quick: bool, title: Any, row: Any) -> None:
    """Print the numbers; ``title`` and ``row`` are those of bench.py."""
    title("explore(): from a moved slider to the new figure (median)")
    for name, experiment in (("the fruit fly", FLY), ("20/20/10, cut at 63", TWIN), ("a message every 0.5 s", TALK)):
        for view in ("timeline", "ladder"):
            taken = moves(experiment, view, 10 if quick else 40)
            middle, ours = (statistics.median(times) * 1e3 for times in zip(*taken))
            row(f"{name}, {view}", f"{middle:.0f} ms", f"{ours:.0f} ms of the processor", middle, 100, "ms")
    seen = in_a_browser(10 if quick else PRESSES)
    if isinstance(seen, str):
        print(f"  in a browser: skipped, {seen}")
    else:
        middle = statistics.median(seen) * 1e3
        row("key pressed → figure on screen, in JupyterLab", f"{middle:.0f} ms", f"slowest {max(seen) * 1e3:.0f} ms", middle, 100, "ms")
    title("live(): what the view costs, and whether it moves what is measured")
    whole, bare, rate = cost(4 if quick else 15)
    row("a live process, of one core", f"{whole:.2f}", f"without its view {bare:.2f}", whole, 0.5, "cores")
    row("pictures a second", f"{rate:.1f}")
    late = lateness(3 if quick else 20)
    for name, values in late.items():
        row(f"late by, {name}", f"{statistics.median(values) * 1e3:.2f} ms", f"slowest {max(values) * 1e3:.1f} ms")
    assert threading.active_count() < 10
