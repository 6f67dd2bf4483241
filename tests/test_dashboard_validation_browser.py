"""The validation in a browser: its button begins what was chosen, by keyboard, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from playwright.sync_api import Browser, sync_playwright

from dashboard.app import build_app
from forecast.validation_desk import chosen_of
from forecast.validation_view import ValidationView
from tests.boards import ordinary
from tests.pictures import CHROMIUM, LONGEST_MS, launch, served
from tests.test_dashboard_validation import Noted
from tests.validation_views import poor_validation

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no chromium at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = launch(playwright)
        yield one
        one.close()


def of_the_address(query: str) -> ValidationView:
    return replace(poor_validation(), chosen=chosen_of(query))


def test_the_button_begins_what_was_chosen(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted()
    monkeypatch.setattr("tests.pictures.build_app", partial(build_app, backtests=noted))
    with served(ordinary, {"validation": of_the_address}) as (url, _):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{url}validation?lang=en&run=30,1,100")
        page.wait_for_selector(".backtest-choices .chip", timeout=LONGEST_MS)
        page.locator(".backtest-choices .chip", has_text="300").click()
        page.wait_for_url("**run=30,1,300", timeout=LONGEST_MS)
        page.wait_for_selector(".backtest-act[data-act=start]", timeout=LONGEST_MS)
        page.focus(".backtest-act[data-act=start]")
        page.keyboard.press("Enter")
        page.click(".backtest-act[data-act=resume]")
        page.wait_for_timeout(1500)
        assert noted.told == [(30, 1, 300), "resume"]
        page.close()
