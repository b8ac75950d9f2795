"""Notebook 00's first minutes by hand: a cable is pulled, by keyboard too, and no number is given away before its time."""

import pytest
from test_lab import brightness

QUICK = "quick = Experiment(server=Peer(ping_interval=1, ping_timeout=1, close_timeout=0.5))"
PULL = ("from labkit import Experiment, Peer, explore, live, plots", QUICK, "mine = live(quick, timers=False)\nmine")
TIMERS = ("ping_interval", "ping_timeout", "close_timeout", "theory")
SOME = ("from labkit import explore", "explore(show=('cut', 'heal'))")


def lamps(tab, says):
    shown = "says => document.querySelector('.labkit-lamps svg')?.getAttribute('aria-label').includes(says)"
    tab.page.wait_for_function(shown, arg=says, timeout=20_000)


def test_pulled_by_keyboard_the_server_turns_amber_the_client_stays_green_and_the_trace_is_mine(tab):
    tab.show(*PULL)
    lamps(tab, "The client is OPEN. The wire is whole.")
    tab.page.locator(".labkit-pull").focus()
    tab.page.keyboard.press("Enter")
    lamps(tab, "The client is OPEN. The wire is cut.")
    assert tab.page.locator(".labkit-live .labkit-picture svg").count() == 0, "the timeline shows when pings go"
    lamps(tab, "The server is CLOSED. The client is OPEN.")
    tab.page.wait_for_selector(".labkit-live .labkit-picture svg")
    picture = tab.page.evaluate(
        "(e => e.getAttribute('aria-label') + e.textContent)(document.querySelector('.labkit-live .labkit-picture svg'))"
    )
    page = tab.text(".labkit-live") + picture
    assert "server noticed" in page
    assert [word for word in TIMERS if word in page] == []
    tab.add("print(mine.story)\nassert mine.trace.noticed_at('server') and not mine.trace.noticed_at('client')")
    assert "You pulled the cable at" in tab.output() and "The server noticed at" in tab.output() and tab.problems() == []


def test_mended_the_lamps_stay_green_and_a_second_connection_is_pulled_elsewhere(tab):
    tab.show(*PULL)
    lamps(tab, "The client is OPEN. The wire is whole.")
    for name, wire in (("Pull", "cut"), ("Mend", "whole")):
        tab.wait_for_text(".labkit-pull", name)
        tab.page.click(".labkit-pull")
        lamps(tab, f"The wire is {wire}")
    tab.page.click(".labkit-reconnect")
    tab.wait_for_text(".labkit-status", "Both lamps are green")
    tab.page.click(".labkit-pull")
    lamps(tab, "The server is CLOSED")
    tab.add("print(len(mine.traces), mine.traces[0].experiment.cuts[0].heal is not None, mine.pulled == mine.trace.experiment.cuts[0].at)")
    assert "1 True True" in tab.output()


def test_the_sentence_of_the_lamps_is_a_live_region_that_changes_only_when_they_do(tab):
    tab.show(*PULL)
    lamps(tab, "The client is OPEN. The wire is whole.")
    tab.page.wait_for_selector(".labkit-status[role=status][aria-live=polite]")
    tab.page.evaluate("""() => {
        window.said = [];
        const place = document.querySelector('.labkit-status');
        new MutationObserver(() => window.said.push(place.innerText)).observe(place, {childList: true, subtree: true, characterData: true});
    }""")
    tab.page.click(".labkit-pull")
    lamps(tab, "The server is CLOSED")
    tab.wait_for_text(".labkit-status", "goes out")
    said = [one.split("s: ")[-1] for one in tab.page.evaluate("window.said") if one]
    assert said == [
        "the cable is pulled. Both lamps are still green.",
        "the server's lamp turns amber (CLOSING). The client's lamp is still green.",
        "the server's lamp goes out (CLOSED). The client's lamp is still green.",
    ]


def test_run_all_waits_for_nobody_and_a_run_stands_in_until_the_cable_is_pulled(tab):
    tab.show(*PULL, "print(mine.story)\nplots.timeline(mine.trace, timers=False)")
    assert tab.problems() == []
    tab.wait_for_text(".jp-Notebook", "Nobody has pulled the cable here, so a run in virtual time stands in.")


def test_a_saved_notebook_without_its_kernel_shows_the_lamps_one_after_the_other(tab):
    tab.show(*PULL)
    lamps(tab, "The client is OPEN. The wire is whole.")
    tab.page.evaluate("async () => await jupyterapp.commands.execute('docmanager:save')")
    tab.shut_down()
    tab.open(tab.path)
    tab.page.wait_for_selector(".jp-OutputArea-output img[alt^='Timeline']")
    alts = tab.page.eval_on_selector_all(".jp-OutputArea-output img[alt^='Two lamps']", "all => all.map(one => one.alt)")
    found = [[word for word in ("whole", "cut", "CLOSING", "CLOSED") if word in alt] for alt in alts]
    assert found == [["whole"], ["cut"], ["cut", "CLOSING"], ["cut", "CLOSED"]]


# explore()


def test_at_first_two_knobs_as_wide_as_the_picture_and_a_button_opens_the_rest(tab):
    tab.show(*SOME)
    tab.page.wait_for_selector(".labkit-picture svg")
    shown = "() => [...document.querySelectorAll('.labkit-explore .widget-slider')].filter(one => one.offsetParent).length"
    assert tab.page.evaluate(shown) == 2
    width = "s => document.querySelector(s).getBoundingClientRect().width"
    picture, track = (tab.page.evaluate(width, one) for one in (".labkit-picture svg", ".labkit-cut .noUi-base"))
    assert track > 0.6 * picture
    knobs = tab.page.evaluate(width, ".labkit-knobs")
    assert abs(knobs - picture) < 0.05 * picture
    tab.page.locator(".labkit-more").focus()
    tab.page.keyboard.press("Space")
    tab.wait_for_text(".labkit-more", "Fewer knobs")
    tab.page.wait_for_function("() => document.querySelector('.labkit-ping_interval').offsetParent")
    assert tab.page.evaluate(shown) == 8
    tab.page.keyboard.press("Space")
    tab.page.wait_for_function("() => !document.querySelector('.labkit-ping_interval').offsetParent")


@pytest.mark.parametrize(
    "keys, seconds",
    [(["ArrowRight"], "9.05"), (["ArrowLeft"] * 2, "8.9"), (["PageUp"], "10"), (["PageDown", "PageDown", "ArrowRight"], "7.05")],
)
def test_arrow_keys_move_by_a_twentieth_and_page_keys_by_a_second(tab, keys, seconds):
    tab.show(*SOME)
    tab.page.wait_for_selector(".labkit-picture svg")
    tab.page.wait_for_selector(".labkit-cut .noUi-handle[aria-label='cut at (s)']")
    tab.page.locator(".labkit-cut .noUi-handle").focus()
    for key in keys:
        tab.page.keyboard.press(key)
    tab.wait_for_text(".labkit-code", f"Cut(at={seconds})")


def test_a_number_is_typed_and_has_a_name(tab):
    tab.show(*SOME)
    tab.page.wait_for_selector(".labkit-picture svg")
    number = tab.page.locator(".labkit-cut [role=textbox][aria-label='cut at (s)']")
    number.wait_for()
    tab.page.locator(".labkit-cut .noUi-handle").focus()
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.type("11.35")
    tab.page.keyboard.press("Enter")
    tab.wait_for_text(".labkit-code", "Cut(at=11.35)")
    tab.wait_for_text(".labkit-sentence", "noticed at 15 s, 3.65 s after the cut")


# how it looks


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_readable_in_both_themes(tab, theme):
    tab.show(*PULL, SOME[1], theme=theme)
    lamps(tab, "The client is OPEN. The wire is whole.")
    tab.screenshot(f"whole-{theme}", ".labkit-live")
    tab.page.click(".labkit-pull")
    lamps(tab, "The server is CLOSED")
    tab.page.wait_for_selector(".labkit-live .labkit-picture svg")
    tab.screenshot(f"pull-{theme}", ".labkit-live")
    tab.screenshot(f"two-knobs-{theme}", ".labkit-explore")
    ink = tab.page.evaluate("getComputedStyle(document.querySelector('.labkit-lamps svg text')).fill")
    assert (brightness(ink) > 128) == (theme == "dark"), ink
