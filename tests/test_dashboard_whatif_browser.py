"""The page of what-if in a real browser: a slider moved is answered, the address holds the question, nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, page_of
from tests.pictures import served
from tests.test_dashboard_browser import watched
from tests.whatif_house import VIEW, asking_of

pytestmark = IN_CHROMIUM
LONG_MS = 60_000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with asking_of() as asking, served(ordinary, {"whatif": lambda: VIEW}, asking=asking) as (address, _):
        yield f"{address}whatif"


def opened(context: BrowserContext, address: str, *, width: int = 1920, height: int = 1080) -> Page:
    """The page with its answer."""
    page = page_of(context, width, height)
    page.goto(address)
    page.wait_for_selector(".whatif-answer", timeout=LONG_MS)
    return page


def move(page: Page, name: str, value: float) -> None:
    """Move a slider as a finger does."""
    slider = page.locator(".whatif-lever", has_text=name).first.locator("input")
    slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }", value)


def asked(page: Page) -> dict[str, list[str]]:
    """The question in the page's address."""
    return parse_qs(urlsplit(page.url).query)


def test_a_slider_is_moved_and_answered_without_complaint_or_stranger(context: BrowserContext, url: str) -> None:
    page = page_of(context)
    complaints, addresses = watched(page)
    page.goto(f"{url}?lang=en")
    expect(page.locator(".whatif-asked")).to_have_text("Nothing changes.", timeout=LONG_MS)
    expect(page.locator(".whatif-sentence")).to_have_text("Nothing changes here.")
    move(page, "Arrivals", 150)
    expect(page.locator(".whatif-asked")).to_contain_text("arrivals +50", timeout=LONG_MS)
    expect(page.locator(".whatif-sentence")).to_contain_text(re.compile(r"\d more patients present at \d\d:\d\d"))
    expect(page.locator(".whatif-sure")).to_contain_text("20 of 20 runs, whole", timeout=LONG_MS)
    expect(page.locator("#whatif-chart .main-svg").first).to_be_visible(timeout=LONG_MS)
    assert asked(page)["v"] == ["arrivals=150"]
    page.locator(".whatif-tab", has_text="Waiting for a bed").click()
    expect(page.locator(".whatif-sentence")).not_to_contain_text("patients present", timeout=LONG_MS)
    assert asked(page)["m"] == ["ed_boarders"]
    assert complaints == []
    origin = url.removesuffix("whatif")
    assert [address for address in addresses if not address.startswith((origin, "data:", "blob:"))] == []
    page.close()


def test_the_address_opens_the_same_question_in_the_other_language_too(context: BrowserContext, url: str) -> None:
    page = opened(context, f"{url}?lang=en&s=extra_doctor&n=number%3D2&v=arrivals%3D130&m=ed_waiting")
    said = page.locator(".whatif-asked")
    expect(said).to_contain_text("More emergency doctors: 2, for 8 h. From now on: arrivals +30", timeout=LONG_MS)
    page.locator(".switch a").click()
    expect(said).to_contain_text("Médecins urgentistes en renfort : 2, pendant 8 h.", timeout=LONG_MS)
    expect(page.locator(".whatif-preset select")).to_have_value("extra_doctor")
    expect(page.locator(".whatif-numbers output").first).to_have_text("2")
    assert {name: asked(page)[name] for name in ("s", "v", "m")} == {
        "s": ["extra_doctor"], "v": ["arrivals=130"], "m": ["ed_waiting"],
    }  # fmt: skip
    page.close()


def test_what_cannot_be_asked_is_said(context: BrowserContext, url: str) -> None:
    page = opened(context, f"{url}?lang=en&v=dragons%3D2")
    expect(page.locator(".whatif-answer.refused")).to_contain_text("This hospital has no slider dragons.")
    expect(page.locator("#place-whatif-chart")).to_have_class("chart none")
    page.locator(".whatif-reset").click()
    expect(page.locator(".whatif-sentence")).to_have_text("Nothing changes here.", timeout=LONG_MS)
    page.close()


def test_a_past_moment_is_asked_about(context: BrowserContext, url: str) -> None:
    page = opened(context, f"{url}?lang=en")
    page.locator(".whatif-moment input[type=datetime-local]").fill("2025-01-26T13:00")
    expect(page.locator(".whatif-sure")).to_contain_text("26 Jan 2025, 13:00", timeout=LONG_MS)
    assert asked(page)["at"] == ["2025-01-26T13:00"]
    page.close()


def test_a_question_is_saved_and_picked(context: BrowserContext, url: str) -> None:
    page = opened(context, f"{url}?lang=fr&v=arrivals%3D120")
    expect(page.locator("#whatif-send")).to_be_hidden()  # no desk is wired here
    page.locator(".whatif-keep summary").click()
    page.fill("#whatif-name", "plus_de_monde")
    page.click("#whatif-save")
    expect(page.locator("#whatif-kept")).to_contain_text("Il faut une phrase", timeout=LONG_MS)
    page.fill("#whatif-fr", "Plus de monde.")
    page.click("#whatif-save")
    expect(page.locator("#whatif-kept pre")).to_contain_text("[scenario.plus_de_monde]", timeout=LONG_MS)
    expect(page.locator(".whatif-preset option[value=plus_de_monde]")).to_have_count(1, timeout=LONG_MS)
    page.close()
