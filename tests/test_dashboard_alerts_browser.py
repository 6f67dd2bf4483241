"""Alarms in a real browser: nothing cut off on any screen; one taken on with the page's own window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, expect

from dashboard.app import WallSettings, build_app
from forecast.alert_settings import AlertSettings
from forecast.alert_watch import Watch
from forecast.pages import AlertsView
from tests.alert_views import ALARMED
from tests.alert_worlds import NOON, Department, department
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.pictures import SCREENS, opened, running, served
from tests.test_dashboard_browser import CUT_OFF, SIDEWAYS, watched

pytestmark = IN_CHROMIUM


@pytest.mark.parametrize("name", list(ALARMED))
def test_a_wall_with_alarms_is_cut_off_nowhere(context: BrowserContext, name: str) -> None:
    board = ALARMED[name]()
    with served(lambda: board) as (url, _):
        page = opened(context, url)
        assert page.evaluate(CUT_OFF) == []
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(300)
        assert page.evaluate(SIDEWAYS) == 0
        page.close()


@contextmanager
def page_of_alerts(d: Department) -> Iterator[str]:
    """The page, made anew whenever it is asked for, as in the house: its address."""
    watch, asked = Watch(d.alerts, AlertSettings(d.database), None), count()

    def view() -> AlertsView:
        return watch.view(NOON + next(asked) * timedelta(seconds=1), held=False)

    app = build_app(ordinary, WallSettings(refresh_s=0.5), pages={"alerts": view}, alerts=d.alerts)
    with running(app.server) as (url, _):
        yield f"{url}alerts?lang=fr"


def test_an_alarm_is_taken_on_in_the_page_and_typing_survives_its_refresh(context: BrowserContext) -> None:
    width, height = SCREENS["phone"]
    with department() as d:
        d.after(0, 0.5)
        with page_of_alerts(d) as url:
            page = page_of(context, width, height)
            complaints, _ = watched(page)
            page.goto(url)
            button = page.get_by_role("button", name="Je m'en charge")
            expect(button).to_be_in_viewport(timeout=20_000)
            button.click()
            page.locator("#desk-do").click()
            expect(page.locator("#desk-said")).to_contain_text("Dites qui vous êtes")
            page.locator("#desk-who").press_sequentially("Dr Martin", delay=150)  # longer than two refreshes
            page.locator("#desk-do").click()
            expect(page.locator("#desk-said")).to_contain_text("Pris en charge")
            expect(page.locator("#desk")).to_be_hidden(timeout=5_000)
            assert d.log == ["0 raised alert shift", "0 acknowledged alert Dr Martin"]
            expect(page.locator(".alarm-card.owned")).to_contain_text("Dr Martin")
            assert page.evaluate(SIDEWAYS) == 0
            assert complaints == []
            page.close()
