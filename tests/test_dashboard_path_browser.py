"""The page of the path in a real browser: drawn, whole, within every screen, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.app import Pages
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of, without_policy
from tests.path_views import cramped
from tests.pictures import SCREENS, served
from tests.test_dashboard_browser import SIDEWAYS

pytestmark = IN_CHROMIUM

DRAWN = "() => { const i = document.querySelector('.path-picture'); return i.complete && i.naturalWidth > 0; }"
SEEN = (
    "() => { const r = document.querySelector('.path-picture').getBoundingClientRect(); return [r.width, r.bottom]; }"
)
CUT_OFF = """() => [...document.querySelectorAll('.path .card, .path li, .load-row > *')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').map(e => e.className)"""
LETTER_PX = """async () => { const i = document.querySelector('.path-picture');
    const text = await (await fetch(i.src)).text();
    const sizes = [...text.matchAll(/class="name"[^>]*font-size="([0-9.]+)"/g)].map(m => parseFloat(m[1]));
    const width = parseFloat(text.match(/viewBox="0 0 ([0-9.]+)/)[1]);
    return Math.min(...sizes) * i.getBoundingClientRect().width / width; }"""


def open_page(context: BrowserContext, url: str, screen: str) -> Page:
    width, height = SCREENS[screen]
    page = page_of(context, width, height)
    page.goto(url)
    page.locator(".path-picture").wait_for(timeout=60_000)
    page.wait_for_function(DRAWN)
    return page


@pytest.mark.parametrize("screen", ["wall", *(pytest.param(one, marks=pytest.mark.soak) for one in ("4k", "phone"))])
def test_the_picture_is_whole_on_every_screen_without_complaint(context: BrowserContext, screen: str) -> None:
    """Under the page's own policy; on a wall it is seen whole without scrolling; letters can be read."""
    pages: Pages = {"path": cramped}
    with served(ordinary, pages) as (url, _):
        width, height = SCREENS[screen]
        page = open_page(context, f"{url}path?lang=fr", screen)
        assert (screen, page.evaluate(SIDEWAYS), page.evaluate(CUT_OFF)) == (screen, 0, [])
        drawn, bottom = page.evaluate(SEEN)
        assert drawn <= width
        if screen != "phone":
            assert bottom < height
        expect(page.locator(".doubts")).to_contain_text("grandit sans fin")
        page.close()


def test_letters_of_the_picture_can_be_read_and_too_small_ones_are_seen(context: BrowserContext) -> None:
    pages: Pages = {"path": cramped}
    with served(ordinary, pages) as (url, _):
        page = without_policy(page_of(context))
        for screen, least_px in (("wall", 9.0), ("phone", 8.0)):
            page.set_viewport_size({"width": SCREENS[screen][0], "height": SCREENS[screen][1]})
            page.goto(f"{url}path?lang=fr")
            page.locator(".path-picture").wait_for(timeout=60_000)
            page.wait_for_function(DRAWN)
            assert page.evaluate(LETTER_PX) >= least_px, screen
        page.add_style_tag(content=".path-picture { width: 40% !important; }")
        assert page.evaluate(LETTER_PX) < least_px
        page.close()
