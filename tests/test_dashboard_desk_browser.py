"""The desk in a real browser: nothing sticks out, and a button opens the window with the fields that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from dashboard.app import Pages
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.desk_views import FULL
from tests.pictures import LONGEST_MS, served

pytestmark = IN_CHROMIUM
SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    pages: Pages = {"desk": lambda _: FULL}
    with served(ordinary, pages) as (address, _):
        yield address


def test_a_button_opens_the_window_with_the_fields_that_it_needs(context: BrowserContext, url: str) -> None:
    page = page_of(context, 390, 844)
    page.goto(f"{url}desk?lang=fr")
    page.wait_for_selector(".desk-page .proposal", timeout=LONGEST_MS)
    for act, shown in (
        ("support", []),
        ("comment", ["note"]),
        ("adopt", ["note", "until"]),
        ("adapt", ["note", "until", "other"]),
    ):
        page.locator(f"#proposal-3 button[data-act={act}]").click()
        assert page.locator("#talk").is_visible()
        fields = [name for name in ("note", "until", "other") if page.locator(f".talk-{name}").is_visible()]
        assert fields == shown
        assert page.evaluate(SIDEWAYS) <= 0
        page.locator(".talk-close").click()
    page.locator("#proposal-3 button[data-act=support]").click()
    page.fill("#talk-who", "Anna")
    page.click("#talk-do")
    page.wait_for_function("() => document.getElementById('talk-said').textContent.startsWith('✗')", timeout=LONGEST_MS)
    assert "bureau" in page.inner_text("#talk-said"), "no desk is wired here, and it says so"
