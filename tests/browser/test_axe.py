"""axe-core finds nothing serious in what we make: our pages, and the outputs of the lab in JupyterLab, whose own shell is not judged.

It comes from npm (MPL-2.0), pinned by its hash, for this test only.
"""

import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "web"))
import build  # noqa: E402
import solved  # noqa: E402
import start  # noqa: E402

AXE = "axe-core", "4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745", "axe.min.js"
FOUND = """async where => (await axe.run(where, {resultTypes: ['violations']})).violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 200)} ${node.any.map(check => check.message)}`))"""
OURS = ".jp-OutputArea-output"
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
LAB = """from labkit import Cut, Experiment, Freeze, Goodbye, Peer, explore, live, plots, predict, run, run_with_page, sweep
timers = {"ping_interval": 4, "ping_timeout": 3, "close_timeout": 2}
healed = Experiment(server=Peer(**timers), faults=[Cut(at=9, heal=14)], until=24)
leaves = Experiment(server=Peer(ping_interval=None), latency=0.4, faults=[Goodbye(at=2, end="client")])
talks = Peer(**timers, buffer=4096, send_size=20_000, send_every=0.5)
full = Experiment(server=talks, client=Peer(buffer=4096), faults=[Cut(at=9)])
busy = Experiment(server=Peer(**timers), latency=0.5, faults=[Freeze(at=12.2, end="server", thaw=20)], until=26)
ask = plots.Ask(14, "What moves now?", ("the ping", "nothing yet"))
def traced(experiment):
    return run(experiment, wire="virtual", progress=False)"""
PLAYS = (
    "plots.timeline(traced(healed), predict(healed)).play(ask)", "plots.ladder(traced(leaves), since=1.8, until=3.5).play()",
    "plots.blocked(traced(full)).play()", "plots.lag(traced(busy)).play()", "plots.reservoirs(traced(full)).play()",
)  # fmt: skip
STILL = (
    "plots.timeline(traced(healed), predict(healed), guess=12)", "plots.lineup([traced(healed)])",
    "plots.landscape(sweep(healed, over={'server.ping_interval': [2, 4], 'server.ping_timeout': [1, 3]}), 'server.ping_interval', "
    "'server.ping_timeout', 'delay')",
)  # fmt: skip

PAGE = "trace = run_with_page(Experiment(server=Peer(ping_interval=1, ping_timeout=1, close_timeout=0.5), faults=[Cut(at=1.5)]))"
CHECKS = (
    "import sys\nsys.path.insert(0, 'notebooks')\nimport checks.start_here\nfrom checks import check",
    "check('00 the luckiest cut', ...)", "check('00 the luckiest cut', 9)", "check('00 the luckiest cut', 11.99)",
)  # fmt: skip


@pytest.fixture(scope="session")
def axe():
    return build.from_npm(*AXE).decode()


def violations(page, axe, where="html"):
    """What is serious or critical, each with its element."""
    assert page.locator(where).count(), "there is nothing to judge"
    page.evaluate(axe)
    return page.evaluate(FOUND, where)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages") / "solved"
    solved.build(folder, [solved.SOLUTIONS / f"{name}.ipynb" for name in ("02_closing_handshake", "04_detection_law")])
    start.write(folder / "start.html")
    return folder


def test_it_finds_what_is_wrong(browser, axe):
    page = browser.new_page()
    page.set_content("<p style='color: #aaa; background: #fff'>pale</p><img src='data:,'><button></button>")
    assert {one.partition(":")[0] for one in violations(page, axe)} >= {"color-contrast", "image-alt", "button-name"}
    page.close()


@THEMES
def test_the_start_page_and_the_solved_pages(pages, browser, axe, theme):
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    for name in ("start", "index", "map", "02_closing_handshake", "04_detection_law"):
        page.goto((pages / f"{name}.html").as_uri())
        if page.locator("#query").count():
            page.fill("#query", "goodbye")
        assert violations(page, axe) == [], name
    context.close()


@THEMES
def test_figures_of_each_kind_at_their_start_at_a_question_and_at_their_end(tab, axe, theme):
    tab.show(LAB, *PLAYS, *STILL, theme=theme)
    assert tab.problems() == [] and tab.page.locator(".labkit-player").count() == len(PLAYS)
    assert violations(tab.page, axe, OURS) == []
    for handle in tab.page.locator(".labkit-player input").all():
        handle.focus()
        tab.page.keyboard.press("End")
    tab.wait_for_text(".labkit-player .question", "What moves now?")
    assert violations(tab.page, axe, OURS) == []


@THEMES
def test_explore(tab, axe, theme):
    tab.show(LAB, "explore(healed, guess=12)", "explore(healed, show=('cut', 'heal'))", theme=theme)
    tab.page.locator(".labkit-cut .noUi-handle[aria-label='cut at (s)']").last.wait_for()
    tab.page.locator(".labkit-more").click()
    tab.page.get_by_role("button", name="Hold this").first.click()
    tab.page.wait_for_selector("text=Let go")
    assert violations(tab.page, axe, OURS) == []


@THEMES
def test_live(tab, axe, theme):
    tab.show(LAB, "live(Experiment(server=Peer(ping_interval=1, ping_timeout=1, close_timeout=0.5)))", theme=theme)
    tab.wait_for_text(".labkit-status", "Both lamps are green")
    tab.page.locator(".labkit-more").click()
    assert violations(tab.page, axe, OURS) == []
    tab.page.click(".labkit-pull")
    tab.wait_for_text(".labkit-status", "goes out")
    assert violations(tab.page, axe, OURS) == []


@THEMES
def test_the_page_as_client_and_what_a_check_says(tab, axe, theme):
    tab.show(LAB, PAGE, *CHECKS, theme=theme)
    assert tab.problems() == []
    tab.wait_for_text(".labkit-page", "onclose")
    assert violations(tab.page, axe, OURS) == []
