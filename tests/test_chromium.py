"""What tests are lent is as if nobody had been there: whatever the one before did is gone; and what is saved by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests import chromium
from tests.boards import ordinary
from tests.chromium import IN_CHROMIUM, lent, page_of, without_policy
from tests.pictures import served

pytestmark = IN_CHROMIUM
LEAVE = """async () => {
    localStorage.setItem('edtwin-theme', 'dark');
    sessionStorage.setItem('asked', 'yes');
    document.cookie = 'who=anna';
    const opened = indexedDB.open('kept');
    await new Promise(done => { opened.onsuccess = () => { opened.result.close(); done(); }; });
    await caches.open('mine');
    await navigator.serviceWorker.ready;
}"""
LEFT = """async () => ({
    local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookies: document.cookie,
    databases: (await indexedDB.databases()).map(one => one.name), caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    allowed: (await navigator.permissions.query({ name: 'geolocation' })).state, online: navigator.onLine,
})"""
CLEAN = {
    "local": [], "session": [], "cookies": "", "databases": [], "caches": [], "workers": 0,
    "allowed": "denied", "online": True, "pages": 1, "spoilt": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(ordinary) as (address, _):
        yield address


def at_work(context: BrowserContext, url: str) -> None:
    """All that a test may do to what it is lent, and it leaves its page open."""
    page = context.new_page()
    page.goto(f"{url}phone?lang=fr")
    page.evaluate(LEAVE)
    context.grant_permissions(["geolocation"])
    context.route("**/healthz", lambda route: route.fulfill(body="spoilt"))
    context.set_offline(True)


def left(browser: Browser, url: str) -> dict[str, Any]:
    """What the next one finds, and what it is answered."""
    with lent(browser) as context:
        others = len(context.pages)
        page = context.new_page()
        answer = page.goto(f"{url}healthz")
        assert answer is not None
        return {**page.evaluate(LEFT), "pages": others, "spoilt": answer.text() == "spoilt"}


def test_the_next_one_finds_nothing_of_the_one_before(browser: Browser, url: str) -> None:
    with lent(browser) as context:
        at_work(context, url)
    assert left(browser, url) == CLEAN


def test_what_failed_leaves_nothing_either(browser: Browser, url: str) -> None:
    def fails() -> None:
        with lent(browser) as context:
            at_work(context, url)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert left(browser, url) == CLEAN


def test_a_context_that_is_handed_on_as_it_is_is_seen(
    browser: Browser, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant forgets nothing."""
    sound = chromium.forget
    with monkeypatch.context() as mutant:
        mutant.setattr(chromium, "forget", lambda context, before: None)
        with lent(browser) as context:
            at_work(context, url)
        found = left(browser, url)
    sound(browser.contexts[0], browser.contexts[0].pages[:1])
    assert {name for name in found if found[name] != CLEAN[name]} == set(CLEAN) - {"session"}, "which is a page's own"
    assert left(browser, url) == CLEAN


def test_pages_that_were_there_before_stay(browser: Browser, url: str) -> None:
    with lent(browser) as outer:
        page = page_of(outer, 390, 844)
        page.goto(f"{url}phone?lang=fr")
        with lent(browser) as inner:
            inner.new_page()
        assert (page.is_closed(), len(outer.pages)) == (False, 2)
        assert page.viewport_size == {"width": 390, "height": 844}


PUT_IN = """() => { const script = document.createElement('script');
    script.textContent = 'window.ran = 1';
    document.body.append(script);
    return window.ran; }"""


def test_only_the_page_that_asks_for_it_is_without_its_policy(context: BrowserContext, url: str) -> None:
    def ran(page: Page) -> object:
        page.goto(f"{url}phone?lang=fr")
        return page.evaluate(PUT_IN)

    assert [ran(without_policy(context.new_page())), ran(context.new_page())] == [1, None]


def worked(browser: Browser) -> dict[int, float]:
    """The processes of it that hold pages or are there for the next one, and the seconds each has worked."""
    line = browser.new_browser_cdp_session()
    told = line.send("SystemInfo.getProcessInfo")["processInfo"]
    line.detach()
    return {int(one["id"]): float(one["cpuTime"]) for one in told if one["type"] == "renderer"}


WORK = "() => { const began = performance.now(); while (performance.now() - began < 700); }"
Having = Callable[[Browser], AbstractContextManager[BrowserContext]]


def holders(browser: Browser, contexts: Sequence[Having]) -> list[int]:
    """The process that held a page in each of some contexts, one after the other: the one that works when it does."""
    held = []
    for having in contexts:
        with served(ordinary) as (url, _), having(browser) as context:
            page = page_of(context)
            page.goto(f"{url}phone?lang=fr")
            page.wait_for_selector(".phone")
            before = worked(browser)
            page.evaluate(WORK)
            after = worked(browser)
            held.append(max(after, key=lambda one: after[one] - before.get(one, 0.0)))
    return held


def test_what_one_has_compiled_the_next_one_need_not(browser: Browser) -> None:
    """Though its house is another one, the process that has compiled the pages' scripts holds its page too."""
    first, second = holders(browser, [lent, lent])
    assert first == second


def test_tests_with_contexts_of_their_own_are_seen_to_compile_each_for_itself(browser: Browser) -> None:
    """The mutant lends nothing."""
    first, second = holders(browser, [Browser.new_context, Browser.new_context])
    assert first != second
