"""Signing in as people see it, in chromium: the page, the bar, what is hidden, a refused act, and being led out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from dashboard.access.gate import Gate
from dashboard.access.wiring import Access
from dashboard.app import WallSettings, build_app
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.desk_views import crowded_desk
from tests.page_checks import barriers, cut_off, out_of_reach, sideways
from tests.pictures import running
from tests.test_dashboard_access_sign_in import NOON, PASSWORD, House

pytestmark = IN_CHROMIUM
SCREENS = ((390, 844), (1920, 1080))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = House(tmp_path_factory.mktemp("house"))
    made.accounts.add("anna", "viewer", NOON, password=PASSWORD, with_code=False)
    return made


@pytest.fixture(scope="module")
def url(house: House) -> Iterator[str]:
    gate = Gate(house.sign_in.way, [house.sign_in.by_session, house.sign_in.by_token], "en")
    pages = {"desk": lambda *_: crowded_desk()}
    settings = WallSettings(refresh_s=0.5, language="en")
    app = build_app(ordinary, settings, pages=pages, access=Access(gate, house.sign_in))
    with running(app.server) as (address, _):
        yield address


def signs_in(page: Page, url: str, wanted: str) -> None:
    page.goto(f"{url}sign-in?lang=en&next={wanted}")
    page.fill("input[name=name]", "anna")
    page.fill("input[name=password]", PASSWORD)
    page.click("form.sign-in button >> nth=0")


@pytest.mark.parametrize(("width", "height"), [SCREENS[0], pytest.param(*SCREENS[1], marks=pytest.mark.soak)])
def test_the_sign_in_page_can_be_used_by_everybody(context: BrowserContext, url: str, width: int, height: int) -> None:
    page = page_of(context, width, height)
    for language in ("fr", "en"):
        page.goto(f"{url}desk?lang={language}")
        page.click("summary")
        assert [*barriers(page), *sideways(page), *cut_off(page), *out_of_reach(page)] == []
    page.close()


def test_a_viewer_sees_who_they_are_and_no_button_that_they_may_not_use(context: BrowserContext, url: str) -> None:
    page = page_of(context, 390, 844)
    signs_in(page, url, "/desk")
    page.wait_for_selector(".desk-page")
    assert page.locator("#signed-in .who").inner_text() == "anna · viewer"
    assert page.locator("[data-act=adopt]").count() > 0
    assert page.locator("[data-act]:visible").count() == 0
    assert sideways(page) == []
    page.evaluate("window.dash_clientside.set_props('grid-ask', {data: {act: 'start', n: 1}})")
    page.wait_for_selector("#refused:popover-open")
    said = page.locator("#refused").inner_text()
    assert said == "Not done: this takes the role “proposer”. You are signed in as “viewer”."
    page.close()


@pytest.mark.soak
def test_on_the_wall_the_bar_takes_its_line_and_titles_stay(context: BrowserContext, url: str) -> None:
    page = page_of(context)
    signs_in(page, url, "/wall")
    page.wait_for_selector("#wall.wall")
    assert page.evaluate("document.documentElement.scrollHeight") == 1080
    assert page.locator(".census .question").is_visible()
    page.close()


@pytest.mark.soak
def test_who_is_signed_out_elsewhere_is_led_to_sign_in_and_back(
    context: BrowserContext, house: House, url: str
) -> None:
    page = page_of(context)
    signs_in(page, url, "/desk%3Flang=en")
    page.wait_for_selector(".desk-page")
    house.sign_in.sessions._known.clear()
    page.wait_for_url("**/sign-in?*")
    page.fill("input[name=name]", "anna")
    page.fill("input[name=password]", PASSWORD)
    page.click("form.sign-in button >> nth=0")
    page.wait_for_selector(".desk-page")
    assert page.url == f"{url}desk?lang=en"
    page.close()


@pytest.mark.soak
def test_a_page_without_the_script_that_leads_out_stays_where_it_is(
    context: BrowserContext, house: House, url: str
) -> None:
    """The mutant of the test above."""
    page = page_of(context)
    page.route("**/assets/access.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    signs_in(page, url, "/desk%3Flang=en")
    page.wait_for_selector(".desk-page")
    house.sign_in.sessions._known.clear()
    page.wait_for_timeout(1500)
    assert page.url == f"{url}desk?lang=en"
    page.close()
