"""The comparison and the robustness map in a real browser: nothing sticks out, chips and buttons work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from dashboard.app import Pages
from forecast.compare_view import CompareView
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.compare_views import COMPARED, ROBUST, compared
from tests.pictures import LONGEST_MS, served

pytestmark = IN_CHROMIUM


def asked(query: str) -> CompareView:
    return compared(("winter_peak", "one_more_doctor"), "nurses") if "view=nurses" in query else COMPARED["doctors"]()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    pages: Pages = {"compare": asked, "robustness": lambda _: ROBUST["whole"]()}
    with served(ordinary, pages) as (address, _):
        yield address


def test_another_point_of_view_is_a_tap_away_and_the_language_keeps_it(context: BrowserContext, url: str) -> None:
    page = page_of(context)
    page.goto(f"{url}compare?lang=en&view=doctors&with=one_more_doctor")
    page.get_by_text("Nurses", exact=True).click()
    page.wait_for_selector(".chip.on >> text=Nurses", timeout=LONGEST_MS)
    page.locator(".switch a").first.click()
    page.wait_for_selector(".chip.on >> text=Soignants", timeout=LONGEST_MS)
    assert "view=nurses" in page.url


def test_the_button_asks_once(context: BrowserContext, url: str) -> None:
    page = page_of(context)
    page.goto(f"{url}robustness?lang=en")
    button = page.locator("button.grid-act")
    button.wait_for(timeout=LONGEST_MS)
    with page.expect_response(lambda answer: "_dash-update-component" in answer.url and answer.ok):
        button.click()
    assert button.is_disabled()
