"""Pictures of every example of every page: `python -m tests.take_pictures OUTDIR [PAGE[/EXAMPLE] ..]`.

With `--small` one of each page, half as large and in few colours, as the README of the dashboard shows them: the wall
and the telephone's page dark, all others in the light of a desk.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, sync_playwright

from tests.boards import ordinary
from tests.chromium import launch, page_of
from tests.examples import CALL, PAGES, blind, every_page, lacking
from tests.matrix import Cell, Shelf, Watched, cell_of, houses
from tests.pictures import LONGEST_MS, SCREENS, opened, served

SMALL_WIDTH, SMALL_COLOURS, LARGEST_BYTES = 960, 128, 120_000
"""Of a picture in the README; its colours are chosen so that a red mark on a page of black and white stays red."""
TRIES = 5
SHOWN = {"instructor": "exercise", "debrief": "exercise", "path": "learned"}
"""Pages of which another example than the ordinary one says most."""


def cells(names: Iterable[str]) -> Iterator[Cell]:
    """What is taken: everything, or of the pages and examples named; in English on the wall's screen only."""
    wanted = list(names)
    for page, row in PAGES.items():
        for example in row.names():
            if wanted and not {page, f"{page}/{example}"} & set(wanted):
                continue
            yield from (cell_of(page, example, screen, "fr") for screen in SCREENS)
            yield cell_of(page, example, "wall", "en")


def take(watched: Watched, shelf: Shelf, cell: Cell, out: Path) -> None:
    """One picture; of a telephone's the whole length."""
    watched.open(cell, shelf.put(cell))
    if cell.example == "disconnected":
        watched.page.context.set_offline(True)
        watched.page.locator("#lost").wait_for(state="visible", timeout=LONGEST_MS)
    name = f"{cell.page}-{cell.example}-{cell.screen}-{cell.language}.png"
    watched.page.screenshot(path=out / name, full_page=cell.screen == "phone" and cell.example != "disconnected")
    watched.page.context.set_offline(False)


def take_small(watched: Watched, shelf: Shelf, page: str, out: Path) -> Path:
    """One picture of a page for the README."""
    cell = cell_of(page, SHOWN.get(page, "ordinary"), "wall", "en")
    watched.open(cell, shelf.put(cell))
    if page == "whatif":
        watched.page.wait_for_selector(".whatif-sentence", timeout=LONGEST_MS)
    watched.page.wait_for_timeout(300)
    file = out / f"{page}.png"
    for _ in range(TRIES):  # a slow machine may starve the page, which then says that its link is lost
        watched.page.locator("#lost:not([hidden])").wait_for(state="detached", timeout=LONGEST_MS)
        watched.page.screenshot(path=file)
        if watched.page.locator("#lost:not([hidden])").count() == 0:
            break
    with Image.open(file) as found:
        height = round(found.height * SMALL_WIDTH / found.width)
        small = found.convert("RGB").resize((SMALL_WIDTH, height), Image.Resampling.LANCZOS)
    colours = SMALL_COLOURS
    small.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, optimize=True)
    while file.stat().st_size > LARGEST_BYTES and colours > 8:
        colours //= 2
        small.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, optimize=True)
    return file


def take_sheet(context: BrowserContext, out: Path) -> None:
    """The downtime sheet of a dead feed as it comes out of the printer."""
    board = blind()
    with served(lambda: board) as (url, _):
        for language in ("fr", "en"):
            page = page_of(context, 760, 1080)
            page.goto(f"{url}downtime?lang={language}")
            page.wait_for_selector(".beside .card", timeout=LONGEST_MS)
            page.emulate_media(media="print")
            page.screenshot(path=out / f"downtime-print-{language}.png", full_page=True)
            page.pdf(path=out / f"downtime-{language}.pdf", prefer_css_page_size=True)
            page.close()


def take_frozen(context: BrowserContext, out: Path) -> None:
    """The wall and a telephone whose server has died."""
    with served(ordinary, call=CALL) as (url, kill):
        pages = {
            screen: opened(context, url, width=width, height=height)
            for screen, (width, height) in SCREENS.items() if screen != "4k"
        }  # fmt: skip
        kill()
        for screen, page in pages.items():
            page.locator("#lost").wait_for(state="visible", timeout=LONGEST_MS)
            page.screenshot(path=out / f"frozen-{screen}-fr.png")
            page.close()


@contextmanager
def studio() -> Iterator[tuple[BrowserContext, Watched, Shelf]]:
    """A context of chromium, a page of it, and the houses."""
    with tempfile.TemporaryDirectory() as folder, houses(Path(folder)) as shelf, sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context()
        yield context, Watched(context.new_page(), shelf.urls.values()), shelf
        browser.close()


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("names", nargs="*", help="pages, or page/example; also: print, frozen; none: everything")
    parser.add_argument("--small", action="store_true", help="one of each page, as the README shows them")
    return parser.parse_args()


def main() -> None:
    """Take them, and say which pages cannot be."""
    told = options()
    told.out.mkdir(parents=True, exist_ok=True)
    for name in lacking():
        print(f"{name}: no row in tests/examples.py, so no picture", flush=True)
    with studio() as (context, watched, shelf):
        if told.small:
            for page in told.names or [name for name in every_page() if name in PAGES]:
                file = take_small(watched, shelf, page, told.out)
                print(f"{file.name}: {file.stat().st_size // 1000} kB", flush=True)
            return
        for cell in cells(told.names):
            take(watched, shelf, cell, told.out)
            print(f"{cell} taken", flush=True)
        for name, special in (("print", take_sheet), ("frozen", take_frozen)):
            if not told.names or name in told.names:
                special(context, told.out)


if __name__ == "__main__":
    main()
