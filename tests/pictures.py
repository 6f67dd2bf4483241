"""Pictures of the wall: `python -m tests.pictures OUTDIR` serves the example boards and takes them in chromium."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from waitress.server import create_server

from dashboard.app import Pages, WallSettings, build_app
from dashboard.instructor import Instructed
from dashboard.known_door import KnownDoor
from dashboard.states import ORDER
from forecast.board import Board
from forecast.compare_view import CompareView, RobustnessView
from forecast.pages import AlertsView, FeedsView, HuddleView, LearnedView, PageView, PathView, QuarantineView
from forecast.supplies_view import SuppliesView
from forecast.trust_view import TrustView
from forecast.whatif_ask import Asking
from tests.alert_views import ALARMED, ALERTS
from tests.boards import EXAMPLES, MADE_AT, late, off, ordinary, stale
from tests.compare_views import COMPARED, ROBUST
from tests.feed_views import FEEDS, QUARANTINES, feeds_in
from tests.huddle_sheets import VIEWS as HUDDLES
from tests.learned_views import LEARNED
from tests.path_views import PATHS
from tests.supply_views import VIEWS as SUPPLIES
from tests.trust_views import VIEWS as TRUSTS

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
CALL = "5999"
LONGEST_MS = 90_000
_PATHS: dict[type[PageView], str] = {
    AlertsView: "alerts", FeedsView: "feeds", QuarantineView: "quarantine", PathView: "path", LearnedView: "learned",
    HuddleView: "huddle", TrustView: "trust", CompareView: "compare", RobustnessView: "robustness",
    SuppliesView: "supplies",
}  # fmt: skip
SCREENS = {"wall": (1920, 1080), "4k": (3840, 2160), "phone": (390, 844)}


@contextmanager
def served(
    get_board: Callable[[], Board | None],
    pages: Pages | None = None,
    *,
    call: str | None = None,
    asking: Asking | None = None,
    exercise: Instructed | None = None,
    known: KnownDoor | None = None,
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The wall on a free loopback port: its address, and what to call to kill the server."""
    settings = WallSettings(refresh_s=1.0, downtime_call=call, is_exercise=exercise is not None)
    app = build_app(get_board, settings, pages=pages, asking=asking, exercise=exercise, known=known)
    server = create_server(app.server, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()

    def kill() -> None:
        server.close()
        server.task_dispatcher.shutdown(timeout=0)

    try:
        yield f"http://127.0.0.1:{server.effective_port}/", kill
    finally:
        kill()


def launch(playwright: Playwright) -> Browser:
    """Debian's chromium."""
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)


def opened(browser: Browser, url: str, *, width: int, height: int) -> Page:
    """A page whose panels and charts, if it has any, are drawn."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(url)
    page.wait_for_selector(".wall", timeout=LONGEST_MS)
    for chart in page.locator(".chart:not(.none)").all():
        chart.locator(".main-svg").first.wait_for(timeout=LONGEST_MS)
    return page


def take(browser: Browser, out: Path, name: str) -> None:
    """One example on every screen; the English one on the wall only."""
    board = {**EXAMPLES, **MORE}[name]()
    with served(lambda: board) as (url, _):
        for screen, (width, height) in SCREENS.items():
            page = opened(browser, url, width=width, height=height)
            page.screenshot(path=out / f"{name}-{screen}-fr.png", full_page=screen == "phone")
            page.close()
        page = opened(browser, f"{url}?lang=en", width=1920, height=1080)
        page.screenshot(path=out / f"{name}-wall-en.png")
        page.close()


def take_page(browser: Browser, out: Path, name: str, make: Callable[[], PageView]) -> None:
    """One example of a page beside the wall, in French on every screen and in English on the wall's."""
    view = make()
    path = _PATHS[type(view)]
    pages = {path: lambda *_: view}
    with served(ordinary, pages) as (url, _):
        for screen, (width, height) in SCREENS.items():
            for language in ("fr", "en") if screen == "wall" else ("fr",):
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{url}{path}?lang={language}")
                page.wait_for_selector(".beside .card", timeout=LONGEST_MS)
                page.screenshot(path=out / f"{path}-{name}-{screen}-{language}.png", full_page=screen == "phone")
                page.close()


def take_sheet(browser: Browser, out: Path) -> None:
    """The downtime sheet of a dead feed: on every screen, and as it comes out of the printer."""
    board = blind()
    with served(lambda: board) as (url, _):
        for screen, (width, height) in SCREENS.items():
            for language in ("fr", "en") if screen == "wall" else ("fr",):
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{url}downtime?lang={language}")
                page.wait_for_selector(".beside .card", timeout=LONGEST_MS)
                page.screenshot(path=out / f"downtime-{screen}-{language}.png", full_page=screen == "phone")
                if screen == "wall":
                    page.emulate_media(media="print")
                    page.set_viewport_size({"width": 760, "height": 1080})
                    page.screenshot(path=out / f"downtime-print-{language}.png", full_page=True)
                page.pdf(path=out / f"downtime-{language}.pdf", prefer_css_page_size=True)
                page.close()


def take_frozen(browser: Browser, out: Path) -> None:
    """The wall and a phone of which the server has died."""
    with served(ordinary, call=CALL) as (url, kill):
        pages = {
            screen: opened(browser, url, width=width, height=height)
            for screen, (width, height) in SCREENS.items() if screen != "4k"
        }  # fmt: skip
        kill()
        for screen, page in pages.items():
            page.locator("#lost").wait_for(state="visible", timeout=LONGEST_MS)
            page.screenshot(path=out / f"frozen-{screen}-fr.png")
            page.close()


def blind() -> Board:
    """The board of a dead feed, with a number to call."""
    return replace(off(), call=CALL)


def beside() -> dict[str, Callable[[], PageView]]:
    """Every example of the pages beside the wall, the feeds in each state."""
    states: dict[str, Callable[[], FeedsView]] = {state: partial(feeds_in, state) for state in ORDER}
    waiting = {f"q-{name}": make for name, make in QUARANTINES.items()}
    examples: dict[str, Callable[[], FeedsView]] = {**FEEDS, **states}
    paths = {f"p-{name}": make for name, make in PATHS.items()}
    learned = {f"l-{name}": make for name, make in LEARNED.items()}
    alerts = {f"a-{name}": make for name, make in ALERTS.items()}
    huddles = {f"h-{name}": make for name, make in HUDDLES.items()}
    compared = {f"c-{name}": make for name, make in COMPARED.items()}
    robust = {f"r-{name}": make for name, make in ROBUST.items()}
    trusts = {f"t-{name}": make for name, make in TRUSTS.items()}
    supplies = {f"s-{name}": make for name, make in SUPPLIES.items()}
    feeds = {f"f-{name}": make for name, make in examples.items()}
    return {**alerts, **feeds, **waiting, **paths, **learned, **huddles, **trusts, **compared, **robust, **supplies}


MORE: dict[str, Callable[[], Board]] = {
    "late-wider": lambda: replace(late(), cycle=replace(late().cycle, begins_at=MADE_AT - timedelta(minutes=49))),
    "stale-call": lambda: replace(stale(), call=CALL),
    "off-call": blind,
    **ALARMED,
}
"""Boards that are looked at beside the examples."""


def main() -> None:
    """Take every example, or those named after the folder."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name in sys.argv[2:] or [*EXAMPLES, *MORE, "sheet", "frozen", *beside()]:
            if name in EXAMPLES or name in MORE:
                take(browser, out, name)
            elif name in ("sheet", "frozen"):
                (take_sheet if name == "sheet" else take_frozen)(browser, out)
            else:
                take_page(browser, out, name.partition("-")[2], beside()[name])
            print(f"{name} taken", flush=True)


if __name__ == "__main__":
    main()
