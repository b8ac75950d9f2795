"""A figure that plays, as a student meets it: by keyboard, in both themes, in a saved notebook without a kernel, trusted and not."""

import re

import pytest

SET_UP = """from labkit import Cut, Experiment, Peer, plots, predict, run
healed = Experiment(server=Peer(ping_interval=4, ping_timeout=3, close_timeout=2), faults=[Cut(at=9, heal=14)], until=24)
figure = plots.timeline(run(healed, wire="virtual"), predict(healed))
moves = plots.Ask(14, "What moves now?", ("the ping", "nothing yet"), then=15)
asks = moves, plots.Ask(15, "When does the client hear of it?", then=15.36)"""
PLAYS = (SET_UP, "figure.play(*asks)")
SEEN = """() => [...document.querySelectorAll('.labkit-player svg g')].filter(one => one.style.display !== 'none')
    .flatMap(one => [...one.querySelectorAll('text')].map(text => text.textContent))"""


class Player:
    """What a hand does with the figure, and what is seen."""

    def __init__(self, page):
        self.page = page
        self.now = page.locator(".labkit-player input")
        self.now.wait_for()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def moment(self):
        """Now, as it is said aloud (s)."""
        return float(self.now.get_attribute("aria-valuetext").removesuffix(" s"))

    @property
    def text(self):
        return self.page.inner_text(".labkit-player")

    @property
    def seen(self):
        """The words in the picture."""
        return self.page.evaluate(SEEN)

    @property
    def said(self):
        """The picture in words."""
        return self.page.get_attribute(".labkit-player svg", "aria-label")

    def wait(self, moment):
        self.page.wait_for_function(
            "moment => parseFloat(document.querySelector('.labkit-player input').getAttribute('aria-valuetext')) === moment", arg=moment
        )

    def choose(self, word):
        """By keyboard: on from the handle to the button that says it."""
        self.now.focus()
        for _ in range(6):
            self.press("Tab")
            if self.page.evaluate("document.activeElement.innerText") == word:
                return self.press("Enter")
        raise AssertionError(f"no button {word!r} after the handle: {self.text}")


def test_by_keyboard_now_moves_stops_to_ask_and_goes_on_after_a_guess_or_skip(tab):
    tab.show(*PLAYS)
    player = Player(tab.page)
    assert player.moment == 0 and "CLOSED" not in player.seen
    player.now.focus()
    player.press(*["ArrowRight"] * 3)
    assert 0.3 < player.moment < 1
    player.press("PageUp")
    assert 1 < player.moment < 4
    player.press("ArrowLeft", "Home")
    assert player.moment == 0
    player.press("End")
    assert player.moment == 14 and "What moves now?" in player.text
    player.press("ArrowRight", "PageUp")
    assert player.moment == 14, "not past a question that was neither answered nor skipped"
    assert "server noticed 15.0 s" not in player.seen and "CLOSING" not in player.said
    player.choose("nothing yet")
    player.wait(15)
    assert "You said: nothing yet." in player.text and "When does the client hear of it?" in player.text
    assert "server noticed 15.0 s" in player.seen and "CLOSING from 15 s" in player.said
    player.choose("skip")
    player.wait(15.36)
    assert "its program was told at 15.36 s" in player.text and "You said" not in player.text
    assert tab.page.evaluate("document.activeElement.type") == "range", "the keys are where they were"
    player.press("End")
    assert player.moment == 20 and "CLOSED" in player.seen
    player.press("Home")
    assert (
        player.moment == 0 and "CLOSED" not in player.seen and player.said.startswith("Timeline. Cut at 9 s, healed at 14 s: does anybody")
    )


def test_play_goes_to_the_question_by_itself_and_can_be_held(tab):
    tab.show(*PLAYS)
    player = Player(tab.page)
    tab.page.click(".labkit-player .go")
    tab.page.wait_for_function("document.querySelector('.labkit-player input').value > 5")
    tab.page.click(".labkit-player .go")
    held = player.moment
    assert 0 < held < 14 and "play" in tab.text(".labkit-player .go")
    tab.page.click(".labkit-player .go")
    player.wait(14)
    assert "What moves now?" in player.text and "play" in tab.text(".labkit-player .go")


def test_where_motion_is_not_wanted_it_goes_there_at_once(tab):
    tab.page.emulate_media(reduced_motion="reduce")
    tab.show(*PLAYS)
    player = Player(tab.page)
    tab.page.click(".labkit-player .go")
    assert player.moment == 14


def test_two_on_a_page_do_not_disturb_each_other_and_a_cell_may_run_again(tab):
    tab.show(SET_UP, "figure.play(*asks)", "figure.play()")
    tab.run_all()
    players = tab.page.locator(".labkit-player")
    assert players.count() == 2
    players.nth(1).locator("input").focus()
    tab.page.keyboard.press("End")
    assert [one.get_attribute("aria-valuetext") for one in players.locator("input").all()] == ["0 s", "20 s"]
    ids = tab.page.eval_on_selector_all(".labkit-play, .labkit-play [id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids)) > 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_readable_in_both_themes(tab, theme):
    tab.show(*PLAYS, theme=theme)
    player = Player(tab.page)
    player.now.focus()
    player.press("End")
    colour = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"
    words = {"svg text": "fill", ".question": "color", ".choices button": "color", "output": "color"}
    shades = {what: brightness(tab.page.evaluate(colour, [f".labkit-player {what}", name])) for what, name in words.items()}
    assert {shade > 128 for shade in shades.values()} == {theme == "dark"}, shades
    paper = brightness(tab.page.evaluate(colour, [".labkit-player .choices button", "backgroundColor"]))
    assert abs(paper - shades[".choices button"]) > 100
    tab.screenshot(f"play-{theme}", ".labkit-play")


def saved(tab):
    """The notebook as it was saved, opened once more without a kernel."""
    tab.page.evaluate("async () => await jupyterapp.commands.execute('docmanager:save')")
    tab.shut_down()
    tab.open(tab.path)


def test_a_saved_notebook_plays_without_its_kernel_where_it_is_trusted(tab):
    tab.show(*PLAYS)
    Player(tab.page)
    saved(tab)
    player = Player(tab.page)
    assert player.moment == 0 and tab.page.locator(".labkit-play > img").is_hidden()
    player.now.focus()
    player.press("End")
    assert player.moment == 14 and "believes OPEN" in player.seen


def test_where_it_is_not_trusted_the_whole_figure_stands_still_with_its_words(tab):
    tab.show(*PLAYS)
    tab.page.evaluate("async () => await jupyterapp.commands.execute('docmanager:save')")
    book = (tab.lab.files / tab.path).read_text()
    (tab.lab.files / tab.path).write_text(book.replace("figure.play(*asks)", "figure.play(*asks)  # by somebody else"))
    tab.shut_down()
    tab.open(tab.path)
    still = tab.page.locator(".jp-OutputArea-output img")
    still.wait_for()
    assert tab.page.locator(".labkit-player").count() == 0 and still.count() == 1
    assert "the server noticed at 15 s" in still.get_attribute("alt")
    assert still.evaluate("one => one.complete && one.naturalWidth") > 500
    assert tab.page.inner_text(".jp-OutputArea-output:has(img)").strip() == "", "no words of the script beside it"
    tab.screenshot("play-untrusted", ".jp-OutputArea-output:has(img)")


def test_a_page_of_its_own_plays_and_on_paper_it_is_whole(tab, tmp_path):
    tab.show(SET_UP, "print(figure.play(*asks).html())")
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{tab.output()}")
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.goto((tmp_path / "page.html").as_uri())
    player = Player(tab.page)
    player.now.focus()
    player.press("End")
    assert player.moment == 14
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    tab.page.emulate_media(media="print")
    assert tab.page.locator(".labkit-play > img").is_visible() and tab.page.locator(".labkit-player").is_hidden()


def brightness(colour):
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", colour)[:3])
    return 0.3 * red + 0.59 * green + 0.11 * blue
