"""The solved course as pages to read: two of its notebooks, opened as files."""

import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "web"))
import solved  # noqa: E402

NAMES = "00_start_here", "02_closing_handshake"
KNOWN = {path.stem for path in solved.SOLUTIONS.glob("*.ipynb")} | {"index", "map"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages") / "solved"
    solved.build(folder, [solved.SOLUTIONS / f"{name}.ipynb" for name in NAMES])
    return folder


@pytest.fixture(params=["light", "dark"])
def page(browser, request):
    """A tab that asks no other host and whose console stays empty."""
    context = browser.new_context(color_scheme=request.param)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or said.append(request.url))
    yield page
    context.close()
    assert said == []


def test_its_links_lead_to_pages_and_cells_and_it_is_small(folder):
    texts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}
    assert set(texts) == {*NAMES, "index", "map"}
    links = {link for text in texts.values() for link in re.findall(r'href="([\w.]+)\.html(?:#([^"]+))?"', text)}
    assert {page for page, _ in links} == KNOWN
    assert [link for link in links if link[1] and link[0] in texts and f'id="{link[1]}"' not in texts[link[0]]] == []
    assert sum(path.stat().st_size for path in folder.iterdir()) < solved.LIMIT * len(NAMES) / len(KNOWN)


def test_a_search_finds_the_section_where_its_words_stand(folder, page):
    page.goto((folder / "index.html").as_uri())
    page.fill("#query", "cable quokka")
    assert page.inner_text("#count").endswith(": 0") and page.locator("#found li").count() == 0
    page.fill("#query", "1006 SENDS")
    assert "codes that nobody sends" in page.inner_text("#found li:first-child a")
    page.click("#found li:first-child a")
    page.wait_for_url("**/02_closing_handshake.html#cell-id=*")
    assert "codes that nobody sends" in page.inner_text(":target")


def test_figures_play_and_where_a_widget_would_be_stands_its_picture(folder, page):
    page.goto((folder / "00_start_here.html").as_uri())
    page.locator(".labkit-player .go").click()
    page.wait_for_function("document.querySelector('.labkit-player .question').innerText")
    for call in "live(timers=False)", "explore(":
        cell = page.locator(f".code_cell:has(.input:has-text('{call}'))").first
        assert cell.locator("img").last.evaluate("one => one.complete && one.naturalWidth") > 500
    assert page.locator("svg[role=img]").count() > 5 and page.locator("[data-mime-type], .output_widget_view").count() == 0


def test_a_page_is_readable(folder, page):
    page.goto((folder / "00_start_here.html").as_uri())
    ink, paper = page.evaluate("(look => [look.color, look.backgroundColor])(getComputedStyle(document.body))")
    figure = page.evaluate("getComputedStyle(document.querySelector('.output_html > svg text')).fill")
    assert abs(brightness(ink) - brightness(paper)) > 150 < abs(brightness(figure) - brightness(paper))


def brightness(colour):
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3
