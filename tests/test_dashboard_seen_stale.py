"""How soon it is seen that what a page shows is no longer so, by the page's own clock (15 s) and the house's (90 s).

A server that hangs takes calls and never answers; one that dies refuses them. In both the page greys itself. A feed
that has a heartbeat and falls silent is LATE on the wall within 90 s of its last one. Mutants: a page without the
script that watches, one that is patient, and a feed that is given the three minutes that it used to have.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from dashboard.panels import banner
from dashboard.settings import Settings
from dashboard.words import Reader
from forecast.board import Board
from forecast.feeds import Feeds
from ingest import health
from ingest.clock import Clock, SimulatedClock
from ingest.links import LinkNow
from tests.boards import ordinary
from tests.chromium import in_chromium, lent, page_of
from tests.component_trees import texts
from tests.histories import hospital
from tests.pictures import served
from tests.test_forecast_feeds import MINUTE, NOW, Site, site

__all__ = ["site"]
ROOT = Path(__file__).parents[1]
SEEN_WITHIN_MS = 15_000
SEEN_WITHIN = timedelta(seconds=90)
REFRESH_S = Settings().refresh_s
SERVER = f"""
import threading
from tests.boards import ordinary
from tests.pictures import served
with served(ordinary, refresh_s={REFRESH_S}) as (url, _):
    print(url, flush=True)
    threading.Event().wait()
"""
WATCH = """() => {
    const box = document.getElementById("lost");
    window.seenAt = null;
    new MutationObserver(() => {
        if (!box.hidden && window.seenAt === null) window.seenAt = performance.now();
        if (box.hidden) window.seenAt = null;
    }).observe(box, { attributes: true });
    return performance.now();
}"""
"""From here on the page notes when it says that its link is lost; the page's own clock now."""


# --- the page's own clock ---------------------------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A wall in a process of its own, which can be stopped and killed."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def shown(context: BrowserContext, url: str, *, watched: bool = True, is_patient: bool = False) -> Page:
    """The wall, as soon as it is there; a mutant has no script that watches, or waits for a minute."""
    page = page_of(context, 390, 844)
    if not watched:
        page.route("**/alive.js*", lambda route: route.abort())
    if is_patient:
        page.route(f"{url}?lang=en", patiently)
    page.goto(f"{url}?lang=en")
    page.wait_for_selector("#wall.wall", timeout=30_000)
    expect(page.locator("#beat")).to_have_text(re.compile("."), timeout=30_000)
    return page


def patiently(route: Route) -> None:
    """The page, with a minute for its own refresh."""
    answer = route.fetch()
    text = re.sub(r'data-silent-ms="\d+"', 'data-silent-ms="60000"', answer.text())
    route.fulfill(response=answer, body=text)


def only_healthz(route: Route) -> None:
    """All else is neither answered nor refused."""
    if route.request.url.endswith("/healthz"):
        route.continue_()


def seen_after_ms(page: Page, since_ms: float) -> float:
    """How long after an instant of the page's clock it said that its link is lost."""
    expect(page.locator("#lost")).to_be_visible(timeout=30_000)
    seen_at: float = page.evaluate("window.seenAt")
    return seen_at - since_ms


class Seen(NamedTuple):
    """What came of a page that lost its link, and of its mutant meanwhile."""

    after_ms: float
    said: str
    mutant_sees: bool


@pytest.fixture(scope="module")
def seen(browser: Browser) -> Iterator[dict[str, Seen]]:
    """Three ways to lose a link: a server that hangs, one that dies, and a page whose own refresh has stopped.

    All at once, since nothing is done meanwhile but wait. Afterwards the one that hung goes on, and its page with it.
    """
    with (
        server() as (hung, hung_url), server() as (dead, dead_url), served(ordinary, refresh_s=REFRESH_S) as (url, _),
        lent(browser) as context,
    ):  # fmt: skip
        pages = {"hangs": shown(context, hung_url), "dies": shown(context, dead_url), "deaf": shown(context, url)}
        mutants = {
            "hangs": shown(context, hung_url, watched=False), "dies": shown(context, dead_url, watched=False),
            "deaf": shown(context, url, is_patient=True),
        }  # fmt: skip
        assert mutants["deaf"].locator("#lost").get_attribute("data-silent-ms") == "60000"
        since = {name: page.evaluate(WATCH) for name, page in pages.items()}
        for page in (pages["deaf"], mutants["deaf"]):
            page.route("**/*", only_healthz)
        os.kill(hung.pid, signal.SIGSTOP)
        os.kill(dead.pid, signal.SIGKILL)
        found = {name: seen_lost(pages[name], mutants[name], since[name]) for name in pages}
        os.kill(hung.pid, signal.SIGCONT)
        expect(pages["hangs"].locator("#lost")).to_be_hidden(timeout=SEEN_WITHIN_MS)
        yield found


def seen_lost(page: Page, mutant: Page, since_ms: float) -> Seen:
    """Once the page has said that its link is lost."""
    after_ms = seen_after_ms(page, since_ms)
    return Seen(after_ms, page.locator("#lost").inner_text(), mutant.locator("#lost").is_visible())


@in_chromium
@pytest.mark.parametrize("link", ["hangs", "dies", "deaf"])
def test_a_link_that_is_lost_is_seen_within_15_s_of_the_pages_clock(link: str, seen: dict[str, Seen]) -> None:
    """A server that hangs, one that dies, and a page whose own refresh has stopped though the server answers."""
    assert 0 < seen[link].after_ms <= SEEN_WITHIN_MS
    assert "LINK LOST since" in seen[link].said


@in_chromium
@pytest.mark.parametrize("link", ["hangs", "dies", "deaf"])
def test_a_page_that_does_not_watch_or_is_patient_does_not_see_it(link: str, seen: dict[str, Seen]) -> None:
    """The mutants: without the script that watches, and with a minute for its own refresh."""
    assert not seen[link].mutant_sees


# --- the house's clock ------------------------------------------------------------------------------------------------


class Hall:
    """A house that is fed by a link with a heartbeat, and its wall."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self.clock, self.stops_at = clock, NOW + timedelta(days=1)
        site.past()
        site.links = [LinkNow(name="mllp", kind="kafka", heartbeat_at=NOW)]
        self._site, self._lock = site, threading.Lock()
        self._feeds = Feeds(site.log.traffic(), hospital(), lambda: site.links)
        self._feeds.learn(NOW)

    def board(self) -> Board:
        with self._lock:
            return self.board_at(self.clock.now())

    def board_at(self, at: datetime) -> Board:
        """The board of an instant; the heart beats as long as it was not stopped."""
        beat_at = min(at, self.stops_at)
        self._site.links = [replace(self._site.links[0], heartbeat_at=beat_at)]
        return replace(ordinary(), feed=self._feeds.feed(at), made_at=at)


def is_told(board: Board) -> bool:
    """Whether the wall says that the feed is late, or worse."""
    return any("LATE FEED" in t or "LAST KNOWN" in t for t in texts(banner.panel(board, Reader("en", "Europe/Paris"))))


def told_after(hall: Hall) -> timedelta:
    """How long after the last heartbeat a board says so; boards are made every second."""
    hall.stops_at = NOW
    after = timedelta(0)
    while not is_told(hall.board_at(NOW + after)):
        after += timedelta(seconds=1)
    return after


def latest(after: timedelta) -> timedelta:
    """When it is seen at the latest: a board may stand for two seconds, and a page asks every five."""
    return after + timedelta(seconds=2 + REFRESH_S)


def test_a_heart_that_stops_is_on_the_board_in_time(site: Site) -> None:
    assert latest(told_after(Hall(site, SimulatedClock(NOW)))) <= SEEN_WITHIN


def test_one_that_is_given_three_minutes_is_seen(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: what it used to be given."""
    monkeypatch.setattr(health, "HEARTBEAT_LIMIT", 3 * MINUTE)
    assert latest(told_after(Hall(site, SimulatedClock(NOW)))) > SEEN_WITHIN


def test_a_heart_that_beats_is_never_late(site: Site) -> None:
    hall = Hall(site, SimulatedClock(NOW))
    assert not any(is_told(hall.board_at(NOW + n * timedelta(seconds=7))) for n in range(30))


def check_in_chromium(context: BrowserContext, site: Site, speed: float) -> timedelta:
    """From the last heartbeat until the wall in a browser says so, by the house's clock."""
    clock = SimulatedClock(NOW, speed=speed)
    hall = Hall(site, clock)
    with served(hall.board, refresh_s=REFRESH_S / speed) as (url, _):
        page = page_of(context)
        page.goto(f"{url}?lang=en")
        page.locator(".banners").wait_for(timeout=30_000, state="attached")
        expect(page.get_by_text("LATE FEED")).to_have_count(0)
        hall.stops_at = clock.now()
        page.get_by_text("LATE FEED").first.wait_for(timeout=120_000)
        seen = clock.now() - hall.stops_at
        page.close()
    return seen


@in_chromium
def test_a_heart_that_stops_is_seen_in_a_browser_within_90_s_on_a_clock_four_times_as_fast(
    context: BrowserContext, site: Site
) -> None:
    assert health.HEARTBEAT_LIMIT < check_in_chromium(context, site, 4.0) <= SEEN_WITHIN


@in_chromium
@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_heart_that_stops_is_seen_in_a_browser_within_90_s(context: BrowserContext, site: Site) -> None:
    assert health.HEARTBEAT_LIMIT < check_in_chromium(context, site, 1.0) <= SEEN_WITHIN
