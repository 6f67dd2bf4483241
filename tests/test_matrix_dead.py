"""The chosen cells whose link is cut: each page greys itself by its own clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import IN_CHROMIUM
from tests.matrix import SEEN_WITHIN_MS, Cell, Shelf, Watched, cell_of, groups, lost, shared_out, watched_house

pytestmark = [
    *IN_CHROMIUM,
    pytest.mark.timeout(400),  # the first waits for the compiled engine
]
_, DYING = shared_out()


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Shelf]]:
    with watched_house(browser, tmp_path_factory.mktemp("houses")) as found:
        yield found


def named(cells: list[Cell]) -> str:
    return " ".join(cell.page for cell in cells)


FIRST, *FURTHER = groups(DYING)
MUTANT = cell_of("feeds", "disconnected", "phone", "fr")
"""Opened without the script that watches."""


def unwatched(cell: Cell, page: Page) -> None:
    if cell == MUTANT:
        page.route("**/alive.js*", lambda route: route.abort())


@pytest.fixture(scope="module")
def faults(watched: tuple[Watched, Shelf]) -> list[str]:
    """What is wrong with the first few and the mutant: all lose their link at once, since nothing is done but wait."""
    page, shelf = watched
    cells = [*(cell for cell in FIRST if cell != MUTANT), MUTANT]
    return lost(page.page.context, shelf, cells, SEEN_WITHIN_MS, unwatched)


def test_a_page_whose_link_is_cut_goes_grey_within_15_s(faults: list[str]) -> None:
    assert [fault for fault in faults if not fault.startswith(f"{MUTANT}:")] == []


def test_a_page_that_stays_as_it_was_is_seen(faults: list[str]) -> None:
    [fault] = [fault for fault in faults if fault.startswith(f"{MUTANT}:")]
    assert "does not go grey" in fault


@pytest.mark.soak
@pytest.mark.parametrize("cells", FURTHER, ids=named)
def test_so_do_all_others(cells: list[Cell], watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    assert lost(page.page.context, shelf, cells, SEEN_WITHIN_MS) == []
