"""An open page asks whether there is news, is filled where there is, and else left alone; each with a mutant."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext, Page, TimeoutError, expect

from dashboard.app import Pages, WallSettings, build_app
from dashboard.filled import Fillings
from dashboard.news import ADDRESS
from dashboard.news import SCREEN as SCREEN_SAID
from dashboard.pages.beside import WALL
from forecast.board import Board
from tests.boards import ordinary
from tests.chromium import in_chromium, page_of, spoil
from tests.compare_views import robust
from tests.feed_views import overfull_feeds
from tests.pictures import LONGEST_MS, served
from tests.replay_views import VIEWS as REPLAYS
from tests.test_dashboard_app import refresh

SCREEN = {"tick": 3, "language": "fr", "rem_px": 20, "narrow": False}
REFRESH_S = 0.5
SETTLED_MS = 2000
"""Until charts that were drawn are drawn for good."""
MINUTE = timedelta(minutes=1)
LARGE = robust()
DRAWN = "#wall.wall, #page.page"


class Shown:
    """A house whose board and pages change when they are told to."""

    def __init__(self) -> None:
        self.board: Board | None = ordinary()
        self.asked: list[str] = []
        self.takes_s = 0.0

    def large(self) -> Any:
        """A page that is large, and may take long to make."""
        threading.Event().wait(self.takes_s)
        return LARGE

    def replay(self, query: str) -> Any:
        """A page that is asked for something."""
        self.asked.append(query)
        view = REPLAYS["ordinary"]()
        return replace(view, made_at=view.made_at + len(query) * MINUTE)

    def later(self, after: timedelta = MINUTE) -> None:
        """The next board, which says the same of another moment."""
        assert self.board is not None
        self.board = replace(self.board, made_at=self.board.made_at + after)


@pytest.fixture
def house() -> Shown:
    return Shown()


@pytest.fixture
def client(house: Shown) -> FlaskClient:
    pages: Pages = {"feeds": overfull_feeds, "replay": house.replay}
    client: FlaskClient = build_app(lambda: house.board, WallSettings(), pages=pages).server.test_client()
    return client


def news(client: FlaskClient, page: str, query: str = "") -> str:
    answer = client.get(f"{ADDRESS}/{page}{query}", headers={SCREEN_SAID: json.dumps(SCREEN)})
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.text


@pytest.mark.parametrize(
    ("page", "query"),
    [(WALL, ""), ("forecast", ""), ("feeds", ""), ("quarantine", ""), ("replay", "?at=2026-02-06T17:00")],
)
def test_it_is_the_word_of_what_the_page_shows(client: FlaskClient, page: str, query: str) -> None:
    filled = refresh(client, {**SCREEN, "path": f"/{page}", "query": query, "number": 1})
    word, name, _, asked = json.loads(filled["version"]["data"])[:4]
    assert (word, page, query) == (news(client, page, query), name, asked)


def test_it_changes_with_the_board_and_only_for_what_shows_it(client: FlaskClient, house: Shown) -> None:
    before = {page: news(client, page) for page in (WALL, "downtime", "feeds")}
    assert {page: news(client, page) for page in before} == before
    house.later()
    after = {page: news(client, page) for page in before}
    assert {page for page in before if after[page] != before[page]} == {WALL, "downtime"}


def test_a_board_that_reads_as_the_one_before_is_no_news(client: FlaskClient, house: Shown) -> None:
    """It is made anew every two seconds, and says minutes."""
    before = news(client, WALL)
    house.later(timedelta(seconds=10))
    assert news(client, WALL) == before
    house.later()
    assert news(client, WALL) != before


def test_a_word_of_when_it_was_made_is_seen(client: FlaskClient, house: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: what it used to be."""
    of = Fillings.of
    monkeypatch.setattr(Fillings, "of", lambda self, word, *more: replace(of(self, word, *more), word=word))
    before = news(client, WALL)
    house.later(timedelta(seconds=10))
    assert news(client, WALL) != before


def test_another_language_or_theme_is_another_word(client: FlaskClient) -> None:
    told = [SCREEN, {**SCREEN, "language": "en"}, {**SCREEN, "theme": "light"}]
    words = {client.get(f"{ADDRESS}/replay", headers={SCREEN_SAID: json.dumps(one)}).text for one in told}
    assert len(words) == 3


def test_before_the_first_board_it_is_the_word_of_a_house_that_wakes_up(client: FlaskClient, house: Shown) -> None:
    there = news(client, WALL)
    house.board = None
    assert news(client, WALL) == news(client, WALL) != there


def test_what_the_address_asks_for_is_handed_on_and_too_much_refused(client: FlaskClient, house: Shown) -> None:
    assert news(client, "replay", "?at=1") != news(client, "replay", "?at=12")
    assert house.asked == ["?at=1", "?at=12"]
    assert client.get(f"{ADDRESS}/replay?{'a' * 600}", headers={SCREEN_SAID: json.dumps(SCREEN)}).status_code == 400


@pytest.mark.parametrize(
    "said", [None, "", "{", "[]", "{}", '{"language": "de"}', json.dumps({**SCREEN, "rem_px": 1e9})]
)
def test_a_screen_that_is_nonsense_is_refused(client: FlaskClient, said: str | None) -> None:
    headers = {} if said is None else {SCREEN_SAID: said}
    assert client.get(f"{ADDRESS}/wall", headers=headers).status_code == 400


def test_the_page_is_that_of_the_address_whatever_the_screen_says(client: FlaskClient) -> None:
    """Who may ask was judged by the address."""
    said = json.dumps({**SCREEN, "path": "/settings", "query": "?a"})
    assert client.get(f"{ADDRESS}/wall", headers={SCREEN_SAID: said}).text == news(client, WALL)


# --- in a browser ----------------------------------------------------------------------------------------------------


class Opened:
    """A page, and what it has asked for since it was drawn."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.fills = self.news = 0
        page.goto(address)
        page.wait_for_selector(DRAWN, timeout=LONGEST_MS)
        expect(page.locator("#beat")).not_to_have_text("")
        page.wait_for_timeout(1000 * REFRESH_S)
        page.on("request", self._asks)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, and fail where it never is."""
        for _ in range(LONGEST_MS // 100):
            if is_so():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("it never was so")

    def _asks(self, request: Any) -> None:
        self.fills += "_dash-update-component" in request.url
        self.news += f"{ADDRESS}/" in request.url


@contextmanager
def at(
    context: BrowserContext, house: Shown, path: str, *mutants: Callable[[Page], object]
) -> Iterator[tuple[Page, str]]:
    """A page on which nothing stands yet, and its address."""
    pages: Pages = {"robustness": lambda *_: house.large()}
    with served(lambda: house.board, pages, refresh_s=REFRESH_S) as (url, _):
        page = page_of(context)
        for mutant in mutants:
            mutant(page)
        yield page, f"{url}{path}?lang=en"


@contextmanager
def opened(
    context: BrowserContext, house: Shown, path: str = "", *mutants: Callable[[Page], object]
) -> Iterator[Opened]:
    with at(context, house, path, *mutants) as (page, address):
        yield Opened(page, address)


def spoilt(sound: str, wrong: str) -> Callable[[Page], object]:
    """The script that asks, with a fault in it."""
    return lambda page: spoil(page, "screen.js", sound, wrong)


ALWAYS_FILLS = spoilt("if (!shown ||", "if (true ||")
NEVER_FILLS = spoilt("else if (since === times) fill();", "")
IMPATIENT = spoilt("if (waits()) return null;", "")
HEARS_NOTHING = spoilt('document.dispatchEvent(new Event("edtwin-beat"))', "")


@in_chromium
def test_a_page_without_news_is_left_alone(context: BrowserContext, house: Shown) -> None:
    with opened(context, house) as wall:
        wall.until(lambda: wall.news >= 4)
        assert wall.fills == 0


@in_chromium
def test_one_that_is_filled_each_time_is_seen(context: BrowserContext, house: Shown) -> None:
    with opened(context, house, "", ALWAYS_FILLS) as wall:
        wall.until(lambda: wall.fills >= 4)
        assert wall.news == 0


@in_chromium
def test_where_there_is_news_it_is_filled_once(context: BrowserContext, house: Shown) -> None:
    with opened(context, house) as wall:
        before = wall.page.locator("#wall").inner_text()
        house.later()
        wall.until(lambda: wall.page.locator("#wall").inner_text() != before)
        asked = wall.news
        wall.until(lambda: wall.news >= asked + 2)
        assert wall.fills == 1


@in_chromium
def test_one_that_hears_no_news_is_seen(context: BrowserContext, house: Shown) -> None:
    with opened(context, house, "", NEVER_FILLS) as wall:
        before = wall.page.locator("#wall").inner_text()
        house.later()
        wall.until(lambda: wall.news >= 4)
        assert (wall.page.locator("#wall").inner_text(), wall.fills) == (before, 0)


@in_chromium
def test_another_address_or_width_is_told_at_the_next_refresh(context: BrowserContext, house: Shown) -> None:
    with opened(context, house) as wall:
        wall.page.evaluate("history.replaceState(null, '', '/robustness' + location.search)")
        wall.page.wait_for_selector(".robustness-page", timeout=LONGEST_MS)
        before = wall.fills
        wall.page.set_viewport_size({"width": 390, "height": 844})
        wall.until(lambda: wall.fills > before)


@in_chromium
@pytest.mark.soak
@pytest.mark.parametrize(("mutants", "is_lost"), [((), False), ((HEARS_NOTHING,), True)], ids=["sound", "mutant"])
def test_a_page_without_news_knows_that_we_live(
    context: BrowserContext, house: Shown, mutants: tuple[Any, ...], is_lost: bool
) -> None:
    with opened(context, house, "", *mutants) as wall:
        wall.page.wait_for_timeout(15_000)
        assert wall.page.locator("#lost").is_visible() == is_lost


@in_chromium
@pytest.mark.parametrize(("mutants", "for_ms", "is_seen"), [((), LONGEST_MS, True), ((IMPATIENT,), 9000, False)])
def test_a_page_that_takes_longer_to_fill_than_from_one_refresh_to_the_next_is_seen(
    context: BrowserContext, house: Shown, mutants: tuple[Any, ...], for_ms: int, is_seen: bool
) -> None:
    """The mutant asks again meanwhile, and so begins anew for ever."""
    house.takes_s = 12 * REFRESH_S
    with at(context, house, "robustness", *mutants) as (page, address):
        page.goto(address)
        with suppress(TimeoutError):
            page.wait_for_selector(DRAWN, timeout=for_ms)
        assert page.locator(DRAWN).is_visible() == is_seen


def worked_s(page: Page, seconds: float) -> float:
    """Seconds that a page works in so many."""
    line = page.context.new_cdp_session(page)
    line.send("Performance.enable")

    def so_far() -> float:
        told = {one["name"]: one["value"] for one in line.send("Performance.getMetrics")["metrics"]}
        return float(told["TaskDuration"])

    began = so_far()
    page.wait_for_timeout(1000 * seconds)
    return so_far() - began


def works_s(context: BrowserContext, house: Shown, *mutants: Callable[[Page], object]) -> float:
    """What a large page that is drawn works in three seconds."""
    with opened(context, house, "robustness", *mutants) as large:
        large.page.wait_for_timeout(SETTLED_MS)
        return worked_s(large.page, 3.0)


@in_chromium
def test_a_large_page_works_a_small_part_of_what_it_would_if_it_were_filled_each_time(
    context: BrowserContext, house: Shown
) -> None:
    assert 4 * works_s(context, house) < works_s(context, house, ALWAYS_FILLS)
