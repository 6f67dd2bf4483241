"""The other half of the chosen cells, and those whose server dies; in full in `make soak`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.examples import PAGES
from tests.matrix import Cell, Shelf, Watched, dying, every_cell, living, lost, shared_out, watched_house
from tests.pictures import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(400),  # the first waits for the compiled engine
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no chromium at {CHROMIUM}"),
]
_, MINE, DYING = shared_out()
TOGETHER = 6
"""So many pages lose their link at once."""
SEEN_WITHIN_MS = 15_000


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Shelf]]:
    with watched_house(tmp_path_factory.mktemp("houses")) as found:
        yield found


@pytest.mark.parametrize("cell", MINE, ids=str)
def test_nothing_is_wrong_with(cell: Cell, watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    assert page.look(cell, shelf) == []


def groups(cells: list[Cell]) -> list[list[Cell]]:
    return [cells[k : k + TOGETHER] for k in range(0, len(cells), TOGETHER)]


@pytest.mark.parametrize("cells", groups(DYING), ids=lambda cells: " ".join(cell.page for cell in cells))
def test_a_page_whose_link_is_cut_goes_grey_within_15_s(cells: list[Cell], watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    assert lost(page.page.context, shelf, cells, SEEN_WITHIN_MS) == []


def test_a_page_that_stays_as_it_was_is_seen(watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    page.page.context.route("**/alive.js*", lambda route: route.abort())
    try:
        [fault] = lost(page.page.context, shelf, [Cell("feeds", "disconnected", "phone", "fr")], SEEN_WITHIN_MS)
        assert "does not go grey" in fault
    finally:
        page.page.context.unroute("**/alive.js*")


@pytest.mark.soak
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wrong_with_any_cell_of(name: str, watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    mine = [cell for cell in every_cell() if cell.page == name]
    assert [fault for cell in living(mine) for fault in page.look(cell, shelf)] == []
    assert [
        fault for cells in groups(dying(mine)) for fault in lost(page.page.context, shelf, cells, SEEN_WITHIN_MS)
    ] == []
