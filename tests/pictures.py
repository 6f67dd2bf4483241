"""Pictures of the wall: `python -m tests.pictures OUTDIR` serves the example boards and takes them in chromium."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from waitress.server import create_server

from dashboard.app import WallSettings, build_app
from forecast.board import Board
from tests.boards import EXAMPLES

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCREENS = {"wall": (1920, 1080), "4k": (3840, 2160), "phone": (390, 844)}


@contextmanager
def served(get_board: Callable[[], Board | None]) -> Iterator[tuple[str, Callable[[], None]]]:
    """The wall on a free loopback port: its address, and what to call to kill the server."""
    app = build_app(get_board, WallSettings(refresh_s=1.0))
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
    page.wait_for_selector(".wall", timeout=20_000)
    for chart in page.locator(".chart:not(.none)").all():
        chart.locator(".main-svg").first.wait_for(timeout=20_000)
    return page


def take(browser: Browser, out: Path, name: str) -> None:
    """One example on every screen; the English one on the wall only."""
    board = EXAMPLES[name]()
    with served(lambda: board) as (url, _):
        for screen, (width, height) in SCREENS.items():
            page = opened(browser, url, width=width, height=height)
            page.screenshot(path=out / f"{name}-{screen}-fr.png", full_page=screen == "phone")
            page.close()
        page = opened(browser, f"{url}?lang=en", width=1920, height=1080)
        page.screenshot(path=out / f"{name}-wall-en.png")
        page.close()


def main() -> None:
    """Take every example, or those named after the folder."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name in sys.argv[2:] or EXAMPLES:
            take(browser, out, name)
            print(f"{name} taken", flush=True)


if __name__ == "__main__":
    main()
