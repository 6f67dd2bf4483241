"""Every page in every language, on every screen, in every state: the cells, and how one of them is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations, product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError

from dashboard.app import Pages
from dashboard.known_door import KnownDoor
from dashboard.pages.beside import BESIDE, WALL
from dashboard.report.page import render
from dashboard.report.serving import ADDRESS
from dashboard.theme import THEMES, Theme
from dashboard.words import LANGUAGES, Language
from forecast.known_view import KnownView
from ingest.clock import stopwatch
from tests import page_checks as checks
from tests.boards import ordinary
from tests.chromium import lent
from tests.examples import CALL, KNOWN, PAGES, PHONE, REPORT, SHOW_THE_BOARD
from tests.exercise_views import Offered
from tests.floor_views import day_json
from tests.known_views import Sayings
from tests.pictures import LONGEST_MS, SCREENS, served
from tests.whatif_house import asking_of


@dataclass(frozen=True)
class Cell:
    """One thing to look at; the theme is what its device prefers."""

    page: str
    example: str
    screen: str
    language: Language
    theme: Theme = "light"

    @property
    def shown(self) -> Theme | None:
        """The theme it must be shown in; None where the page has none of its own."""
        return self.theme if self.page in (*BESIDE, KNOWN) else None

    def __str__(self) -> str:
        name = "" if self.page == WALL else self.page
        return f"/{name} {self.example} {self.screen} {self.language} {self.theme}"


USUAL: dict[str, Theme] = {"wall": "light", "4k": "dark", "phone": "dark"}
"""The theme that a screen is looked at in: one each, so that there are no more cells for it. The wall is looked at on a
light device too, and stays dark."""


def cell_of(page: str, example: str, screen: str, language: Language) -> Cell:
    """What is looked at of a screen, in its theme."""
    return Cell(page, example, screen, language, USUAL[screen])


def every_cell() -> list[Cell]:
    """Each example of each page on each screen in each language."""
    return [
        cell_of(page, example, screen, language)
        for page, row in PAGES.items()
        for example, screen, language in product(row.names(), SCREENS, LANGUAGES)
    ]


def in_both_themes(cells: Iterable[Cell]) -> list[Cell]:
    """The cells, and again in the other theme those of a page that has two."""
    return [replace(cell, theme=theme) for cell in cells for theme in THEMES if cell.shown or theme == cell.theme]


def pairs_of(cell: Cell) -> set[tuple[tuple[int, str], tuple[int, str]]]:
    """What a cell shows together, two by two."""
    values = enumerate((cell.page, cell.example, cell.screen, cell.language))  # the screen says the theme
    return set(combinations(values, 2))


def pairwise(cells: Sequence[Cell]) -> list[Cell]:
    """Few of the cells that show together whatever two things can be: of the cell with the most new pairs, the first.

    The same cells for the same choice every time.
    """
    left = set().union(*map(pairs_of, cells))
    chosen = []
    while left:
        best = max(cells, key=lambda cell: len(pairs_of(cell) & left))
        chosen.append(best)
        left -= pairs_of(best)
    return chosen


def in_states() -> list[Cell]:
    """The cells of the six states, without what else is worth a look."""
    return [cell for cell in every_cell() if cell.example in PAGES[cell.page].states()]


def living(cells: Iterable[Cell]) -> list[Cell]:
    """Those whose server lives."""
    return [cell for cell in cells if cell.example != "disconnected"]


def dying(cells: Iterable[Cell]) -> list[Cell]:
    """Those whose server dies."""
    return [cell for cell in cells if cell.example == "disconnected"]


PARTS = 2
"""The chosen cells whose server lives are dealt out to so many files, so that two processes share them."""


@cache
def shared_out() -> tuple[list[list[Cell]], list[Cell]]:
    """The chosen cells: those whose server lives in `PARTS`, page by page; and those whose server dies."""
    chosen = pairwise(in_states())
    alive = living(chosen)
    return [alive[k::PARTS] for k in range(PARTS)], dying(chosen)


TOGETHER = 5
"""So many pages lose their link at once."""
SEEN_WITHIN_MS = 15_000
LOOK_MS = 500
"""How long a look at one of several takes, whose time is over once the others were looked at."""


def groups(cells: list[Cell]) -> list[list[Cell]]:
    """Cells whose link is cut together."""
    return [cells[k : k + TOGETHER] for k in range(0, len(cells), TOGETHER)]


WALKED = ("ordinary", "overfull", "exercise")
"""Where it is tried whether Tab reaches everything: in the other states there is less to reach."""


class Shelf:
    """The houses that the cells are looked at in; what they show is put on the shelf."""

    def __init__(self, folder: Path) -> None:
        self.board: Any = ordinary()
        self.views: dict[str, Any] = {}
        self.report = folder / "report.html"
        self.urls: dict[bool, str] = {}

    def shown(self, name: str, *_: str) -> Any:
        """What a page shows now, whatever its address asks for."""
        return self.views.get(name)

    def put(self, cell: Cell, spoilt: Callable[[Any], Any] = lambda view: view) -> str:
        """Put a cell's view on the shelf, as it is or spoilt; its address."""
        row = PAGES[cell.page]
        view = spoilt(row.view(cell.example))
        self.board = ordinary()
        if cell.page == REPORT:
            self.report.unlink(missing_ok=True)
            if view is not None:
                self.report.write_text(render(view, cell.language), encoding="utf-8")
        elif cell.page in SHOW_THE_BOARD or (cell.page in BESIDE and BESIDE[cell.page].of_the_board):
            self.board = view
        else:
            self.views[cell.page] = view
        drilled = cell.example.startswith("exercise") or (cell.page in BESIDE and BESIDE[cell.page].of_exercises)
        path = {WALL: "", REPORT: ADDRESS.strip("/")}.get(cell.page, cell.page)
        asked = "&".join([f"lang={cell.language}", *filter(None, [row.asks.get(cell.example)])])
        return f"{self.urls[drilled]}{path}?{asked}"


class Said(Sayings):
    """What people said, as it lies on the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self._shelf = shelf

    def view(self) -> KnownView:
        """What the page shows now."""
        view: KnownView = self._shelf.views["known"]
        return view


REFRESH_S = 4.0
"""As seldom as a page can ask for news that knows within 12 s that its link is lost: what is looked at does not change,
and each question costs a large page most of a second of a processor."""


@contextmanager
def houses(folder: Path) -> Iterator[Shelf]:
    """A house and one in which an exercise is held, on loopback."""
    shelf = Shelf(folder)
    pages: Pages = {name: partial(shelf.shown, name) for name, page in BESIDE.items() if not page.of_the_board}
    with ExitStack() as stack:
        asking = stack.enter_context(asking_of())
        for exercise in (None, Offered()):
            house = served(
                lambda: shelf.board, pages, call=CALL, asking=asking, exercise=exercise, report=shelf.report,
                day=lambda _: day_json("ordinary"), known=KnownDoor(Said(shelf), "t"), refresh_s=REFRESH_S,
            )  # fmt: skip
            shelf.urls[exercise is not None], _ = stack.enter_context(house)
        yield shelf


class Watched:
    """A page of a browser, what it complains of and what it asks for."""

    def __init__(self, page: Page, origins: Iterable[str]) -> None:
        self.origins = tuple(origins)
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def look(self, cell: Cell, shelf: Shelf) -> list[str]:
        """Open a cell; everything that is wrong with it."""
        self.open(cell, shelf.put(cell))
        return self.faults(cell)

    def open(self, cell: Cell, url: str) -> None:
        """Open a cell and wait until it is drawn."""
        self.complaints.clear()
        self.asked.clear()
        width, height = SCREENS[cell.screen]
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=cell.theme)
        self.page.goto(url)
        self.drawn(cell)

    def drawn(self, cell: Cell) -> None:
        """Wait for the cell's panels and charts."""
        if cell.page == REPORT:
            return
        place = {WALL: "#wall.wall", PHONE: ".phone"}.get(cell.page, f".{cell.page}-page")
        self.page.wait_for_selector(place, timeout=LONGEST_MS)
        if cell.page == "whatif":
            self.page.wait_for_selector(".whatif-answer", timeout=LONGEST_MS)
        for chart in self.page.locator(".chart:not(.none):visible").all():
            chart.locator(".main-svg").first.wait_for(timeout=LONGEST_MS)

    def faults(self, cell: Cell) -> list[str]:
        """Everything that is wrong with a cell that is open."""
        away = [one for one in self.asked if not one.startswith((*self.origins, "data:", "blob:"))]
        answered = [text for text in self.complaints if not (cell.page == REPORT and "404" in text)]
        found = [
            *[f"console: {text}" for text in answered],
            *[f"asked of another host: {one}" for one in away],
            *checks.language_of(self.page, cell.language),
            *([] if cell.page == REPORT else checks.theme_of(self.page, cell.shown)),
            *checks.sideways(self.page),
            *checks.cut_off(self.page),
            *(checks.too_small(self.page, SCREENS[cell.screen][0]) if _on_the_wall(cell) else []),
            *(
                checks.barriers(self.page) if cell.screen != "4k" else []
            ),  # the wall's page, letter by letter twice as large
            *(checks.out_of_reach(self.page) if cell.example in WALKED else []),
        ]
        return [f"{cell}: {fault}" for fault in found]


def _on_the_wall(cell: Cell) -> bool:
    return cell.page == WALL and cell.screen != "phone"


@contextmanager
def watched_house(browser: Browser, folder: Path) -> Iterator[tuple[Watched, Shelf]]:
    """The houses, and one page of chromium in which all cells are opened, so that scripts are loaded once."""
    with houses(folder) as shelf, lent(browser) as context:
        yield Watched(context.new_page(), shelf.urls.values()), shelf


def lost(
    context: BrowserContext,
    shelf: Shelf,
    cells: Sequence[Cell],
    within_ms: float,
    at_first: Callable[[Cell, Page], object] = lambda cell, page: None,
) -> list[str]:
    """What is wrong with cells whose link is cut: all are opened, then cut off at once.

    `at_first` is done to the page of a cell before it is opened.
    """
    opened = []
    for cell in cells:
        watched, url = Watched(context.new_page(), shelf.urls.values()), shelf.put(cell)
        at_first(cell, watched.page)
        watched.open(cell, url)
        opened.append((cell, watched))
    try:
        context.set_offline(True)
        cut_at = stopwatch()
        return [f"{c}: {fault}" for c, watched in opened for fault in _seen_lost(watched, c, cut_at, within_ms)]
    finally:  # whoever looks next has a link again
        context.set_offline(False)
        for _, watched in opened:
            watched.page.close()


def _seen_lost(watched: Watched, cell: Cell, cut_at: float, within_ms: float) -> list[str]:
    left_ms = within_ms - 1000 * (stopwatch() - cut_at)
    try:
        watched.page.locator("#lost").wait_for(state="visible", timeout=max(left_ms, LOOK_MS))
    except TimeoutError:
        return [f"does not go grey within {within_ms / 1000:g} s of its link being cut"]
    return checks.greyed(watched.page, cell.language)
