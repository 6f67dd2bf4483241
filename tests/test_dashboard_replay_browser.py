"""The replay in a browser: its clock lets the truth come in, its address opens the same view, by keyboard too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import BrowserContext, Page

from dashboard.app import build_app
from forecast.replay_address import asked_for
from forecast.replay_view import ReplayView
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.pictures import LONGEST_MS, served
from tests.replay_views import AT, compared, ordinary_replay, unsaid
from tests.test_dashboard_replay import Noted

pytestmark = IN_CHROMIUM

COUNT = """() => document.querySelector(".replay-chart .js-plotly-plot").data.find((t) => t.name === "came").x.length"""


def of_the_address(make: Callable[[], ReplayView]) -> Callable[[str], ReplayView]:
    """The example as the address asks for it."""

    def view(query: str) -> ReplayView:
        asked, made = asked_for(query, "Europe/Paris"), make()
        return ReplayView(**{**vars(made), "asked": asked, "at": asked.at or AT})

    return view


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for it; the page's policy lets no condition be evaluated in it."""
    for _ in range(LONGEST_MS // 100):
        if holds():
            return
        page.wait_for_timeout(100)
    pytest.fail("it did not come")


def there(context: BrowserContext, url: str) -> Page:
    page = page_of(context, 1400, 900)
    page.goto(url)
    page.wait_for_selector(".replay-play", timeout=LONGEST_MS)
    page.wait_for_selector(".replay-chart .main-svg", timeout=LONGEST_MS)
    return page


def test_the_truth_comes_in_with_the_clock_and_the_link_opens_the_same_view(context: BrowserContext) -> None:
    with served(ordinary, {"replay": of_the_address(compared)}) as (url, _):
        page = there(context, f"{url}replay?lang=en&at=2026-11-03T08:00&vs=2026-11-03T04:00&speed=900")
        assert page.evaluate(COUNT) == 0
        assert page.locator(".replay-came:visible").count() == 0
        page.focus(".replay-play")
        page.keyboard.press("Enter")
        until(page, lambda: page.evaluate(COUNT) >= 5)
        page.keyboard.press("Enter")
        until(page, lambda: "to=" in page.url)
        count, seen = page.evaluate(COUNT), page.locator(".replay-came:visible").all_inner_texts()
        assert 5 <= count < 97
        assert seen
        time = page.locator(".replay-time").inner_text()
        assert page.locator(".replay-speed").input_value() == "900"
        again = there(context, page.url)
        until(again, lambda: again.evaluate(COUNT) == count)
        assert again.locator(".replay-time").inner_text() == time
        assert again.locator(".replay-came:visible").all_inner_texts() == seen
        assert again.locator(".replay-vs").input_value() == "2026-11-03T04:00"
        again.click(".replay-end")
        until(again, lambda: again.evaluate(COUNT) == 97)
        assert again.locator(".replay-came:visible").count() > len(seen)
        page.close()
        again.close()


@pytest.mark.soak
def test_steps_and_the_day_line_lead_to_another_instant_and_back(context: BrowserContext) -> None:
    with served(ordinary, {"replay": of_the_address(ordinary_replay)}) as (url, _):
        page = there(context, f"{url}replay?lang=en&at=2026-11-03T08:00")
        page.click("a.replay-step >> nth=2")
        page.wait_for_selector("text=Tuesday, 3 November 2026, 09:00", timeout=LONGEST_MS)
        page.focus(".replay-day")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("text=Tuesday, 3 November 2026, 09:15", timeout=LONGEST_MS)
        page.go_back()
        page.wait_for_selector("text=Tuesday, 3 November 2026, 09:00", timeout=LONGEST_MS)
        page.fill(".replay-at", "2026-11-04T10:30")
        page.press(".replay-at", "Enter")
        page.wait_for_selector("text=Wednesday, 4 November 2026, 10:30", timeout=LONGEST_MS)
        assert "at=2026-11-04T10:30" in page.url
        page.close()


def test_the_button_reaches_who_forecasts(context: BrowserContext, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted()
    monkeypatch.setattr("tests.pictures.build_app", partial(build_app, replays=noted))
    with served(ordinary, {"replay": of_the_address(unsaid)}) as (url, _):
        page = there(context, f"{url}replay?lang=en&at=2026-11-03T08:00")
        page.click(".replay-act")
        page.wait_for_timeout(1500)
        assert [asked.at for asked in noted.told] == [AT]
        page.close()
