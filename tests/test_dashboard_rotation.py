"""Several pages in turn on the wall's screen: without loading anything again, and never against whoever touches it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from dashboard.app import WallSettings, build_app
from dashboard.errors import CommandError
from dashboard.serve import _wall
from dashboard.settings import Settings
from tests.alert_views import ordinary_alerts
from tests.boards import ordinary
from tests.chromium import in_chromium
from tests.pictures import LONGEST_MS, opened, served

TURN = ("wall", "alerts")


def test_the_frame_tells_the_script_which_pages() -> None:
    turning = build_app(ordinary, WallSettings(rotation=TURN, rotation_s=20.0)).server.test_client().get("/").text
    assert '<div id="rotation" hidden data-pages="/ /alerts" data-seconds="20">' in turning
    assert 'id="rotation"' not in build_app(ordinary, WallSettings()).server.test_client().get("/").text


def test_a_page_that_there_is_not_is_refused_by_its_name() -> None:
    assert _wall(Settings(wall_rotation=TURN), is_exercise=False).rotation == TURN
    for name in ("wards", "debrief"):
        with pytest.raises(CommandError, match=f"wall_rotation: there is no page '{name}'.*alerts"):
            _wall(Settings(wall_rotation=("wall", name)), is_exercise=False)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    with served(ordinary, {"alerts": lambda *_: ordinary_alerts()}, rotation=TURN) as (url, _):
        page = opened(context, url)
        page.evaluate("window.same = true")
        yield page
        page.close()


@in_chromium
def test_pages_follow_each_other_and_nothing_is_loaded_again(page: Page) -> None:
    page.wait_for_selector(".alerts-page", timeout=LONGEST_MS)
    page.wait_for_selector("#wall.wall .census", timeout=LONGEST_MS)
    page.wait_for_selector(".alerts-page", timeout=LONGEST_MS)
    assert page.evaluate("window.same")


@in_chromium
def test_whoever_touches_the_screen_is_left_alone(page: Page) -> None:
    page.wait_for_selector(".alerts-page", timeout=LONGEST_MS)
    page.keyboard.press("Tab")
    here = page.url  # a slow machine may have turned once more by now
    page.wait_for_timeout(5000)  # two turns and more
    assert page.url == here


@pytest.mark.soak
@in_chromium
def test_a_telephone_does_not_turn(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    here = page.url
    page.wait_for_timeout(5000)
    assert page.url == here
