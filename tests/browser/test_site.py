"""The lab in any browser, with nothing to install: the folder site below a path of a plain web server (make test-site)."""

import functools
import http.server
import re
import shutil
import threading

import pytest
from conftest import READY, ROOT, Tab

pytestmark = pytest.mark.site
SITE = ROOT / "site"
SUBPATH = "a/school"
LIMIT = 40e6  # bytes
RUN = [
    "00_start_here", "01_frames_and_states", "02_closing_handshake", "03_silence", "04_detection_law", "05_the_closing_gap",
    "06_backpressure", "08_below_tcp", "09_surviving", "11_the_clinic", "await_in_ten_minutes", "workshop",
]  # fmt: skip
NOT = {  # those that do not, and why
    "07_false_alarms": "its last exercise moves work to a thread, and virtual time has none",
    "10_choosing_timers": "it works with pandas' tables, and there is no pandas on PyPI for Pyodide",
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The address of a copy of it, below a path, with the solutions in place of the learners' notebooks."""
    assert SITE.is_dir(), "there is no folder site here: make test-site builds it"
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(SITE, root / SUBPATH)
    for path in (ROOT / "notebooks" / "solutions").glob("*.ipynb"):
        shutil.copy(path, root / SUBPATH / "files" / "notebooks")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{SUBPATH}/"
    server.shutdown()
    server.server_close()


class InSite(Tab):
    """A tab with a notebook of the site; ``asked`` is every address that its page and its workers ask for."""

    def __init__(self, site, context) -> None:
        self.site, self.asked = site, []
        context.on("request", lambda request: self.asked.append(request.url))
        super().__init__(None, context.new_page())

    def open(self, name, theme="light"):
        self.page.goto(f"{self.site}lab/index.html?path=notebooks/{name}.ipynb", timeout=120_000)
        self.page.wait_for_selector(".jp-Notebook", timeout=120_000)
        self.page.evaluate(READY)

    def foreign(self) -> list[str]:
        """What was asked of another host."""
        own = self.site.removesuffix(f"{SUBPATH}/"), "data:", "blob:"
        return [url for url in self.asked if not url.startswith(own)]


@pytest.fixture
def tab(site, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    context.set_default_timeout(60_000)
    yield InSite(site, context)
    context.close()


def test_of_every_notebook_it_is_said_whether_it_runs():
    assert sorted([*RUN, *NOT]) == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", RUN)
def test_run_all_with_the_solutions_ends_without_an_error_and_asks_no_other_host(tab, name):
    tab.open(name)
    tab.run_all(300)
    assert tab.problems() == []
    said = " ".join(tab.page.eval_on_selector_all(".jp-OutputArea-output", "all => all.map(one => one.innerText)"))
    assert "✓" in said and "not yet –" not in said
    assert tab.asked and tab.foreign() == []


def test_a_slider_moved_by_keyboard_changes_figure_and_sentence_and_a_pulled_cable_is_noticed(tab):
    tab.open("00_start_here")
    tab.run_all(300)
    words = ".labkit-explore .labkit-sentence"
    tab.page.wait_for_selector(".labkit-explore .labkit-picture svg")
    before = tab.text(words), tab.page.inner_html(".labkit-explore .labkit-picture")
    tab.page.locator(".labkit-explore .labkit-cut .noUi-handle").focus()
    tab.page.keyboard.press("PageUp")
    changed = "([selector, text]) => document.querySelector(selector).innerText !== text"
    tab.page.wait_for_function(changed, arg=[words, before[0]])
    assert tab.page.inner_html(".labkit-explore .labkit-picture") != before[1]

    for bench, inside in (("explore", "ping_interval"), ("live", "goodbye")):
        tab.page.click(f".labkit-{bench} .labkit-more")
        tab.page.locator(f".labkit-{bench} .labkit-{inside}").wait_for()

    tab.page.click(".labkit-pull")
    tab.wait_for_text(".labkit-status", "the cable is pulled")
    tab.wait_for_text(".labkit-status", "the server's lamp goes out (CLOSED)")
    tab.wait_for_text(".labkit-status", "The client's lamp is still green")


def test_the_start_page_has_a_figure_that_plays_and_leads_to_the_lab(tab):
    tab.page.goto(tab.site)
    tab.page.click(".labkit-player .go")
    tab.page.wait_for_function("document.querySelector('.labkit-player .question').innerText")
    tab.page.click("a.open")
    tab.page.wait_for_selector(".jp-Notebook", timeout=120_000)
    assert "/lab/" in tab.page.url and tab.foreign() == []


def test_the_folder_is_small_and_has_no_source_maps_and_names_no_network_of_its_own():
    files = [path for path in SITE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LIMIT
    assert [path for path in files if path.suffix == ".map"] == []
    assert not re.search(r"(src|href)=\"?https?:", (SITE / "index.html").read_text())
