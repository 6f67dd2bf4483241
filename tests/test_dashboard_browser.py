"""The wall in a real browser: nothing breaks, nothing leaves the host, nothing is cut off, silence is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.app import Pages
from forecast.board import Board
from tests.boards import MADE_AT, ordinary, overfull, stale
from tests.chromium import IN_CHROMIUM, lent, page_of
from tests.feed_views import overfull_feeds, overfull_quarantine
from tests.pictures import CALL, opened, served

pytestmark = IN_CHROMIUM

CUT_OFF = """() => [...document.querySelectorAll(
        '.header, .banners, .card, .tile, .now, .ahead, .aside, .trust-table td')]
    .filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
    .map(e => e.className)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"


class Shelf:
    """Holds the board that the server shows, so that a test can change it."""

    def __init__(self, board: Board) -> None:
        self.board = board


@pytest.fixture(scope="module")
def wall() -> Iterator[tuple[str, Shelf]]:
    shelf = Shelf(ordinary())
    with served(lambda: shelf.board) as (url, _):
        yield url, shelf


@pytest.fixture(scope="module")
def page(browser: Browser, wall: tuple[str, Shelf]) -> Iterator[Page]:
    """One page that the tests share and resize: a cold first plot takes seconds."""
    with lent(browser) as context:
        yield opened(context, wall[0])


def show(page: Page, shelf: Shelf, board: Board, *, present: str, minute: int) -> None:
    """Put another board on the wall and wait until it is seen."""
    shelf.board = replace(board, made_at=MADE_AT + timedelta(minutes=minute))
    page.locator(".asof", has_text=f"14 h {34 + minute}").wait_for(timeout=10_000)
    expect(page.locator(".big").first).to_have_text(present)


def watched(page: Page) -> tuple[list[str], list[str]]:
    """What the page complains of and what it asks for, filled as it goes."""
    complaints: list[str] = []
    asked: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return complaints, asked


@pytest.mark.soak  # the matrix of pages looks at it in `make test`
def test_both_languages_without_complaint_and_without_a_stranger(
    context: BrowserContext, wall: tuple[str, Shelf]
) -> None:
    url, _ = wall
    page = page_of(context)
    complaints, asked = watched(page)
    page.goto(url)
    expect(page.get_by_text("Combien de patients dans les prochaines heures ?")).to_be_visible(timeout=20_000)
    expect(page.locator("#chart-census .main-svg").first).to_be_visible(timeout=20_000)
    page.locator(".switch a").click()
    expect(page.get_by_text("How many patients in the coming hours?")).to_be_visible(timeout=20_000)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#chart-census .main-svg").first).to_be_visible(timeout=20_000)
    assert complaints == []
    assert {address for address in asked if not address.startswith((url, "data:", "blob:"))} == set()
    assert any(address.endswith("/healthz") for address in asked)

    # the same watch sees a script and a picture that the policy forbids
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'void 0'}))")
    page.evaluate("new Image().src = 'http://127.0.0.2:9/x.png'")
    page.wait_for_timeout(300)
    assert len([text for text in complaints if "Content Security Policy" in text]) >= 2
    page.close()


def test_nothing_is_cut_off_and_charts_stay_when_numbers_change(page: Page, wall: tuple[str, Shelf]) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.evaluate("document.querySelector('#chart-census .js-plotly-plot').dataset.mine = 'yes'")
    places = "[...document.querySelectorAll('.big')].map(e => [e.offsetLeft, e.offsetTop, e.offsetHeight])"
    before = page.evaluate(places)
    assert (page.evaluate(CUT_OFF), page.evaluate(SIDEWAYS)) == ([], 0)
    show(page, wall[1], overfull(), present="127", minute=1)
    assert (page.evaluate(CUT_OFF), page.evaluate(places)) == ([], before)
    show(page, wall[1], replace(stale(), call=CALL), present="41", minute=2)
    assert page.evaluate(CUT_OFF) == []
    expect(page.locator(".banner .to-sheet")).to_have_attribute("href", "/downtime?lang=fr")
    assert page.evaluate("document.querySelector('#chart-census .js-plotly-plot').dataset.mine") == "yes"


def test_what_is_cut_off_is_seen(page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    style = page.add_style_tag(content=".wall .table td { font-size: 3rem }")
    assert "card scenarios" in page.evaluate(CUT_OFF)
    style.evaluate("element => element.remove()")


def test_letters_are_read_from_four_metres_and_grow_with_the_screen(page: Page, wall: tuple[str, Shelf]) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    show(page, wall[1], ordinary(), present="41", minute=3)
    sizes = """() => [...document.querySelectorAll('.wall *, .wall text')]
        .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
        .map(e => [e.className.baseVal ?? e.className, parseFloat(getComputedStyle(e).fontSize)])"""
    assert [entry for entry in page.evaluate(sizes) if entry[1] < 18] == []
    big = "parseFloat(getComputedStyle(document.querySelector('.big')).fontSize)"
    assert page.evaluate(big) >= 70
    page.set_viewport_size({"width": 3840, "height": 2160})
    assert page.evaluate(big) >= 140
    expect(page.locator(".xtick text").first).to_have_css("font-size", "40px", timeout=10_000)
    assert page.evaluate(CUT_OFF) == []


def test_the_pages_beside_the_wall_lead_to_each_other(context: BrowserContext) -> None:
    pages: Pages = {"feeds": overfull_feeds, "quarantine": overfull_quarantine}
    with served(ordinary, pages) as (url, _):
        page = page_of(context)
        complaints, asked = watched(page)
        page.goto(f"{url}quarantine?lang=en")
        page.locator(".beside .card").first.wait_for(timeout=20_000)
        widths = "() => ['.reasons', '.reasons-head'].map(name => document.querySelector(name).clientWidth)"
        whole, head = page.evaluate(widths)
        assert head > 0.95 * whole, "what is said of all reasons stands above all of them"
        page.locator(".turning a", has_text="next").click()
        expect(page.get_by_text("page 2 of 3")).to_be_visible(timeout=20_000)
        page.locator(".way", has_text="Feeds").click()
        expect(page.get_by_text("Are the data coming?")).to_be_visible(timeout=20_000)
        assert complaints == []
        assert {address for address in asked if not address.startswith((url, "data:", "blob:"))} == set()
        page.close()


def test_the_sheet_is_printed_black_on_white_on_two_pages_even_when_the_server_has_died(browser: Browser) -> None:
    with served(ordinary, call=CALL) as (url, kill):
        context = browser.new_context()  # a clock that is stopped is so for all pages of a context
        page, mutant = (page_of(context) for _ in range(2))
        mutant.route("**/sheet.css*", lambda route: route.abort())  # the mutant prints what is on the screen
        for one in (page, mutant):
            one.clock.install()
            one.goto(f"{url}downtime?lang=en")
            one.locator(".sheet .table").first.wait_for(timeout=20_000)
            one.emulate_media(media="print")
        kill()
        for one in (page, mutant):
            one.clock.fast_forward(15_000)
        expect(mutant.locator("#lost")).to_be_visible()
        expect(page.locator("#lost")).to_be_hidden()
        sheet = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", sheet)) == 2
        ink = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
        black_on_white = ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        assert page.locator(".sheet .card").first.evaluate(ink) == black_on_white
        assert mutant.locator(".sheet .card").first.evaluate(ink) != black_on_white
        expect(mutant.locator("#lost")).to_be_visible()
        context.close()


@pytest.mark.soak  # the matrix of pages looks at it in `make test`
def test_a_server_that_dies_is_seen_within_15_s_on_every_page(context: BrowserContext) -> None:
    """The overlay is drawn by a plain script alone; the mutant is the same page without it."""
    pages: Pages = {"feeds": overfull_feeds}
    with served(ordinary, pages, call=CALL) as (url, kill):
        wall, feeds, mutant = (page_of(context, 390, 844) for _ in range(3))
        mutant.route("**/alive.js*", lambda route: route.abort())
        for page, path in ((wall, ""), (feeds, "feeds"), (mutant, "")):
            page.goto(f"{url}{path}?lang=en")
            page.wait_for_selector(".beside" if path else "#wall.wall")
        wall.wait_for_timeout(500)
        assert [page.locator("#lost").is_hidden() for page in (wall, feeds, mutant)] == [True, True, True]
        kill()
        for page in (wall, feeds):
            expect(page.locator("#lost")).to_be_visible(timeout=15_000)
            said = str(page.locator("#lost").text_content())
            assert re.search(r"LINK LOST since \d\d:\d\d\n", said), "by the clock of the page, not AM and PM"
            assert said.endswith(f"\nDowntime procedure: call {CALL}")
        expect(mutant.locator("#lost")).to_be_hidden()
        for page in (wall, feeds, mutant):
            page.close()
