"""What the wall shows before its scripts have come: the same figures in the same places, until the frame is filled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from dashboard.app import WallSettings, build_app
from tests.alert_views import alarmed
from tests.boards import ordinary
from tests.chromium import in_chromium, page_of, without_policy
from tests.exercise_views import Offered
from tests.feed_views import ordinary_feeds
from tests.pictures import LONGEST_MS, served

FIGURES = """(of) => [...document.querySelectorAll(of)].map(e => {
    const box = e.getBoundingClientRect();
    return [e.textContent, ...[box.x, box.y, box.width, box.height].map(Math.round)];
})"""
SEEN = ".tile, .tile .label, .tile .big, .tile .below, .header .time, .header .hospital, .alarm, #exercise"


def scriptless(browser: Browser, url: str, without: str = "") -> Page:
    """The page in a browser that runs no script, `without` some of its text."""
    page = browser.new_context(java_script_enabled=False, viewport={"width": 1920, "height": 1080}).new_page()

    def cut(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(without, ""))

    page.route(f"{url}?lang=fr", cut)
    page.goto(f"{url}?lang=fr")
    return page


def told(path: str, language: str = "fr") -> str:
    """The page as it comes from the server."""
    app = build_app(ordinary, WallSettings(), pages={"feeds": ordinary_feeds})
    answer: str = app.server.test_client().get(f"{path}?lang={language}").text
    return answer


def test_the_figures_are_in_the_page_itself_in_its_language() -> None:
    for path in ("/", "/wall"):
        assert 'id="first-sight"' in told(path)
    assert ("Présents" in told("/"), "Present" in told("/", "en")) == (True, True)


def test_no_other_page_begins_with_the_wall_and_nothing_is_shown_before_the_first_board() -> None:
    assert "first-sight" not in told("/feeds")
    nothing = build_app(lambda: None, WallSettings()).server.test_client().get("/").text
    assert "first-sight" not in nothing


def bare(context: BrowserContext, url: str) -> Page:
    """A page to which what fills it never comes."""
    page = without_policy(page_of(context))
    page.route("**/_dash-layout*", lambda route: route.abort())
    page.goto(f"{url}?lang=fr")
    page.locator("#first-sight .tile").first.wait_for(timeout=LONGEST_MS)
    return page


@in_chromium
@pytest.mark.parametrize("is_exercise", [False, True])
def test_nothing_moves_when_the_frame_is_filled(context: BrowserContext, is_exercise: bool) -> None:
    """The mutant has the margins that a browser gives to text."""
    board = replace(alarmed(), mode="exercise") if is_exercise else ordinary()
    with served(lambda: board, exercise=Offered() if is_exercise else None) as (url, _):
        first = bare(context, url)
        before = first.evaluate(FIGURES, SEEN)
        full = page_of(context)
        full.goto(f"{url}?lang=fr")
        full.wait_for_selector("#wall.wall", timeout=LONGEST_MS)
        expect(full.locator("#first-sight")).to_have_count(0)
        assert len(before) > 20
        assert full.evaluate(FIGURES, SEEN) == before
        first.add_style_tag(content="#first-sight p { margin: 1em 0 !important; }")
        assert first.evaluate(FIGURES, SEEN) != before
        first.close()
        full.close()


@in_chromium
def test_it_is_seen_before_any_script_of_charts_and_turns_grey_when_nothing_follows(context: BrowserContext) -> None:
    with served(ordinary) as (url, kill):
        page = bare(context, url)
        assert page.locator("#first-sight .big").first.inner_text() == "41"
        kill()
        expect(page.locator("#lost")).to_be_visible(timeout=15_000)
        assert "grayscale(1)" in page.locator("#first-sight").evaluate("e => getComputedStyle(e).filter")
        page.close()


@in_chromium
def test_a_narrow_screen_waits_for_its_own_frame(context: BrowserContext) -> None:
    with served(ordinary) as (url, _):
        page = page_of(context, 390, 844)
        page.route("**/_dash-layout*", lambda route: route.abort())
        page.goto(f"{url}wall?lang=fr")
        expect(page.locator("#first-sight")).to_be_hidden()
        page.close()


@in_chromium
def test_where_no_script_would_make_it_grey_it_is_not_shown(browser: Browser) -> None:
    """The mutant shows it all the same."""
    with served(ordinary) as (url, _):
        expect(scriptless(browser, url).locator("#first-sight")).to_be_hidden()
        expect(scriptless(browser, url, "#first-sight { display: none; }").locator("#first-sight")).to_be_visible()
