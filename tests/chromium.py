"""Debian's chromium, which `make test` installs where it can: how it is launched, the marks of what needs it, and a
context that tests lend each other.

Most of what a page of the house costs is that its scripts (Dash's and Plotly's) are compiled, by each process of
chromium anew. So there is one chromium for all tests of a process, which keeps all pages of a context in one process of
its own, and one context in it that each test has as if nobody had ever been there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, sync_playwright

Tested = TypeVar("Tested", bound=Callable[..., Any])

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--process-per-site",
]  # fmt: skip
IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no chromium at {CHROMIUM}"),
]
"""The marks of a module whose tests need it."""
WIDTH, HEIGHT = 1920, 1080
"""Of a page that nobody has sized."""
STAYS = "http://127.0.0.1/"
"""The address, which nobody is asked for, of the page that keeps the process of a site from ending."""


def in_chromium(test: Tested) -> Tested:
    """The marks of one test."""
    needs, skips = IN_CHROMIUM
    marked: Tested = needs(skips(test))
    return marked


def launch(playwright: Playwright) -> Browser:
    """One more of it."""
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)


# --- one for all tests -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives it: there can be one in a thread."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One for all tests of a process; its first context is the one that is lent."""
    one = launch(playwright)
    keep(one)
    yield one
    one.close()


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    """It, for those who need a context of their own; one that they leave open is closed."""
    yield chromium
    for context in chromium.contexts[1:]:
        context.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """The context of a device on which nobody has been."""
    with lent(browser) as one:
        yield one


def keep(one: Browser) -> None:
    """Make the context that is lent, and the page that stays in it."""
    stays = one.new_context(viewport={"width": WIDTH, "height": HEIGHT}).new_page()
    stays.route(STAYS, lambda route: route.fulfill(body="stays"))
    stays.goto(STAYS)


@contextmanager
def lent(browser: Browser) -> Iterator[BrowserContext]:
    """The context that has compiled already; afterwards it knows nothing of whoever had it.

    Not to be given a script of its own (`add_init_script`), which cannot be taken back: a page can.
    """
    context = browser.contexts[0]
    before = context.pages
    try:
        yield context
    finally:
        forget(context, before)


def forget(context: BrowserContext, before: list[Page]) -> None:
    """Close the pages that were not there before, and empty all that they can have left behind."""
    for page in context.pages:
        if page not in before:
            page.close()
    context.unroute_all()
    context.set_offline(False)
    context.clear_permissions()
    context.clear_cookies()
    line = context.new_cdp_session(context.pages[0])
    line.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    line.detach()


def page_of(context: BrowserContext, width: int = WIDTH, height: int = HEIGHT) -> Page:
    """A new page, so large."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": height})
    return page


def spoil(page: Page, script: str, sound: str, wrong: str) -> None:
    """From now on the page gets a script of ours with a fault in it."""

    def answer(route: Route) -> None:
        told = route.fetch().text()
        assert sound in told
        route.fulfill(body=told.replace(sound, wrong), content_type="text/javascript")

    page.route(f"**/{script}*", answer)


def without_policy(page: Page) -> Page:
    """The page, from now on without the policy that its server asks for: for what a test puts into it."""
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    return page
