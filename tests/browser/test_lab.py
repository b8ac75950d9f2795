"""The lab as a student meets it: JupyterLab's own menu, a hand on the keyboard, both themes."""

import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FLY = "fly = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])"
EXPLORE = ("from labkit import Cut, Experiment, Peer, explore", FLY, "bench = explore(fly)\nbench")
WIDGETS = {"00_start_here", "04_detection_law"}  # the notebooks with a bench in them


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_run_all_from_the_menu_ends_with_every_cell_numbered_and_no_error(tab, path):
    tab.open(f"notebooks/{path.name}")
    tab.run_all(240)
    assert tab.prompts() and tab.problems() == []
    if path.stem in WIDGETS:
        tab.page.wait_for_selector(".labkit-explore svg[role=img]")


# explore()


def handle(tab, name):
    return tab.page.locator(f".labkit-{name} .noUi-handle")


def test_a_slider_moved_by_keyboard_changes_the_figure_and_the_sentence(tab):
    tab.show(*EXPLORE)
    tab.wait_for_text(".labkit-sentence", "noticed at 15 s, 6 s after the cut")
    before = tab.page.inner_html(".labkit-picture")
    handle(tab, "cut").focus()
    for _ in range(10):  # 0.05 s each: 9 → 9.5
        tab.page.keyboard.press("ArrowRight")
    for _ in range(3):  # 1 s each: 9.5 → 12.5
        tab.page.keyboard.press("PageUp")
    tab.wait_for_text(".labkit-sentence", "noticed at 19 s, 6.5 s after the cut")
    assert tab.page.inner_html(".labkit-picture") != before
    label = tab.page.get_attribute(".labkit-picture svg", "aria-label")
    assert label.startswith("Timeline. Cut at 12.5")


def test_the_last_position_wins_and_the_picture_is_never_gone(tab):
    tab.show(*EXPLORE)
    tab.page.wait_for_selector(".labkit-picture svg")
    tab.page.evaluate("""() => {
        window.seen = {empty: 0, pictures: 0};
        new MutationObserver(() => {
            window.seen.pictures += 1;
            if (!document.querySelector('.labkit-picture svg')) window.seen.empty += 1;
        }).observe(document.querySelector('.labkit-picture'), {childList: true, subtree: true});
    }""")
    handle(tab, "cut").focus()
    for _ in range(40):
        tab.page.keyboard.press("ArrowRight")
    tab.wait_for_text(".labkit-code", "Cut(at=11)")
    tab.wait_for_text(".labkit-sentence", "noticed at 15 s, 4 s after the cut")
    seen = tab.page.evaluate("window.seen")
    assert seen["empty"] == 0 and seen["pictures"] > 0
    assert tab.page.locator(".labkit-code").count() == 1


def test_every_knob_can_be_reached_by_keyboard_and_has_a_name(tab):
    tab.show(*EXPLORE)
    tab.page.wait_for_selector(".labkit-picture svg")
    names = tab.page.evaluate("""() => [...document.querySelectorAll(
        '.labkit-explore [role=slider], .labkit-explore input, .labkit-explore select, .labkit-explore button')]
        .map(one => [one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.labels?.[0]?.innerText
                     || one.closest('label')?.innerText || one.innerText || one.title, one.outerHTML.slice(0, 120)])""")
    assert len(names) > 20
    assert [html for name, html in names if not (name or "").strip()] == []
    handle(tab, "ping_interval").focus()
    reached = []
    for _ in range(8):
        tab.page.keyboard.press("Tab")
        reached.append(tab.page.evaluate("document.activeElement.className + document.activeElement.type"))
    assert any("noUi-handle" in one for one in reached) and any("checkbox" in one for one in reached)


def test_copy_as_code_puts_the_experiment_on_the_clipboard(tab):
    tab.show(*EXPLORE)
    tab.page.click(".labkit-copy")
    copied = tab.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9)])"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_and_paper_differ_in_both_themes(tab, theme):
    tab.show(*EXPLORE, theme=theme)
    tab.page.wait_for_selector(".labkit-picture svg")
    ink = tab.page.evaluate("getComputedStyle(document.querySelector('.labkit-picture svg text')).fill")
    open_bar = tab.page.evaluate("""getComputedStyle(document.querySelector('.labkit-picture svg path[fill*="labkit-open"]')).fill""")
    assert (brightness(ink) > 128) == (theme == "dark"), ink
    assert open_bar.startswith("rgb")
    tab.screenshot(f"explore-{theme}", ".labkit-explore")


def test_a_saved_notebook_without_its_kernel_shows_the_picture_and_the_sentence(tab):
    tab.show(*EXPLORE)
    tab.page.wait_for_selector(".labkit-picture svg")
    tab.page.evaluate("async () => await jupyterapp.commands.execute('docmanager:save')")
    tab.shut_down()
    tab.open(tab.path)
    tab.page.wait_for_selector(".jp-OutputArea-output img[alt^='Timeline. Cut at 9']")
    tab.wait_for_text(".jp-Notebook", "The server noticed at 15 s")


# live()

SMALL = "small = Experiment(server=Peer(ping_interval=1, ping_timeout=1, close_timeout=0.5))"
LIVE = ("from labkit import Experiment, Peer, live", SMALL, "session = live(small)\nsession")
THREADS = "import threading\nprint('left:', sum(one.name.startswith('labkit') for one in threading.enumerate()))"


def lamp(tab, end, state, seconds=20):
    shown = "says => document.querySelector('.labkit-lamps svg')?.getAttribute('aria-label').includes(says)"
    tab.page.wait_for_function(shown, arg=f"The {end} is {state}.", timeout=seconds * 1000)


def cut_and_mended(tab):
    """Pull the cable until the server is closed, mend it, and hear how late what happened was (s); NaN where theory does not know."""
    lamp(tab, "client", "OPEN")
    tab.page.click(".labkit-pull")
    lamp(tab, "server", "CLOSING")
    lamp(tab, "server", "CLOSED")
    lamp(tab, "client", "OPEN")
    tab.wait_for_text(".labkit-pull", "Mend")
    tab.page.click(".labkit-pull")
    lamp(tab, "client", "CLOSED")
    tab.page.click(".labkit-end")
    tab.wait_for_text(".labkit-live .labkit-sentence", "The server noticed at")
    tab.add("from labkit import compare\nseen = compare(session.trace)\nprint('late by', [one.seconds for one in seen.rows], seen.unknown)")
    said = re.search(r"late by \[(.*)\] (.*)", tab.output())
    assert said, tab.output()
    return max(map(float, said[1].split(","))) if said[2] == "None" else math.nan


def test_live_a_cut_closes_the_server_when_theory_says_and_healing_tells_the_client(tab):
    """Whoever clicks does not choose the moment: one for which theory does not know is clicked again, twice at most."""
    tab.show(*LIVE)
    late = cut_and_mended(tab)
    for _ in range(2):
        if math.isnan(late):
            tab.page.click(".labkit-reconnect")
            late = cut_and_mended(tab)
    assert 0 <= late < 0.5, "later than theory has it by half a second: this was no tie and no accident"


def test_live_by_keyboard_goodbye_and_reconnect(tab):
    tab.show(*LIVE)
    lamp(tab, "client", "OPEN")
    tab.page.locator(".labkit-more").focus()
    tab.page.keyboard.press("Enter")
    tab.page.locator(".labkit-goodbye").wait_for()
    tab.page.locator(".labkit-goodbye").focus()
    tab.page.keyboard.press("Enter")
    lamp(tab, "server", "CLOSED")
    lamp(tab, "client", "CLOSED")
    tab.page.locator(".labkit-reconnect").focus()
    tab.page.keyboard.press("Space")
    lamp(tab, "server", "OPEN")
    lamp(tab, "client", "OPEN")


def test_live_moves_ten_times_a_second_and_does_not_flicker(tab):
    tab.show(*LIVE)
    lamp(tab, "client", "OPEN")
    seen = tab.page.evaluate("""async () => {
        const seen = {empty: 0, pictures: 0}, place = document.querySelector('.labkit-live .labkit-picture');
        new MutationObserver(() => { seen.pictures += 1; if (!place.querySelector('svg')) seen.empty += 1; })
            .observe(place, {childList: true, subtree: true});
        await new Promise(done => setTimeout(done, 3000));
        return seen;
    }""")
    assert seen["empty"] == 0 and seen["pictures"] > 3


def test_live_a_cell_that_is_run_again_and_a_closed_page_leave_nothing_behind(tab):
    tab.show(*LIVE)
    lamp(tab, "client", "OPEN")
    tab.run_all()
    lamp(tab, "client", "OPEN")
    tab.add(THREADS)
    assert "left: 4" in tab.output()  # the live thread, and three of one session
    tab.page.wait_for_timeout(1500)
    tab.add("import labkit.widgets.liveview as view\nview.DEAF = 3\nprint('beats', session.beat > 0)")
    assert "beats True" in tab.output(), "the page does not beat, so nobody would notice that it is closed"
    path = tab.path
    tab.page.goto("about:blank")
    tab.page.wait_for_timeout(6000)
    tab.open(path)
    tab.add(THREADS)
    assert "left: 0" in tab.output()


def test_live_a_restarted_kernel_starts_from_nothing(tab):
    tab.show(*LIVE)
    lamp(tab, "client", "OPEN")
    tab.page.evaluate("async () => await jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    tab.page.evaluate("async () => await jupyterapp.shell.currentWidget.sessionContext.session.kernel.info")
    tab.add(THREADS)
    assert "left: 0" in tab.output()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_live_is_readable_in_both_themes_and_large_for_a_class(tab, theme):
    tab.page.set_viewport_size({"width": 1920, "height": 1080})
    tab.show(LIVE[0], SMALL, "session = live(small, projector=True)\nsession", theme=theme)
    lamp(tab, "client", "OPEN")
    tab.page.wait_for_selector(".labkit-live .labkit-picture svg")
    tab.page.click(".labkit-pull")
    lamp(tab, "server", "CLOSED")
    sizes = tab.page.evaluate("""() => [...document.querySelectorAll('.labkit-live button, .labkit-live [role=status], .labkit-live label')]
        .filter(one => one.innerText.trim() && one.offsetParent).map(one => parseFloat(getComputedStyle(one).fontSize))""")
    assert min(sizes) >= 21, "16 pt are 21.3 px"
    assert tab.page.evaluate("(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.labkit-live .labkit-picture'))"), "too wide"
    tab.screenshot(f"live-{theme}", ".labkit-live")


def brightness(colour):
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", colour)[:3])
    return 0.3 * red + 0.59 * green + 0.11 * blue
