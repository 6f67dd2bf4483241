"""The validation in a browser: its button begins what was chosen, by keyboard, and nothing scrolls sideways."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from playwright.sync_api import BrowserContext

from dashboard.app import build_app
from forecast.validation_desk import chosen_of
from forecast.validation_view import ValidationView
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.pictures import LONGEST_MS, served
from tests.test_dashboard_validation import Noted
from tests.validation_views import poor_validation

pytestmark = IN_CHROMIUM


def of_the_address(query: str) -> ValidationView:
    return replace(poor_validation(), chosen=chosen_of(query))


def test_the_button_begins_what_was_chosen(context: BrowserContext, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted()
    monkeypatch.setattr("tests.pictures.build_app", partial(build_app, backtests=noted))
    with served(ordinary, {"validation": of_the_address}) as (url, _):
        page = page_of(context, 1400, 900)
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
