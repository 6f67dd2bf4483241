"""The other half of the chosen cells; in `make soak` every cell there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium import IN_CHROMIUM
from tests.examples import PAGES
from tests.matrix import (
    SEEN_WITHIN_MS,
    Cell,
    Shelf,
    Watched,
    dying,
    every_cell,
    groups,
    in_both_themes,
    living,
    lost,
    shared_out,
    watched_house,
)  # fmt: skip

pytestmark = [
    *IN_CHROMIUM,
    pytest.mark.timeout(400),  # the first waits for the compiled engine
]
[_, MINE], _ = shared_out()


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Shelf]]:
    with watched_house(browser, tmp_path_factory.mktemp("houses")) as found:
        yield found


@pytest.mark.parametrize("cell", MINE, ids=str)
def test_nothing_is_wrong_with(cell: Cell, watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    assert page.look(cell, shelf) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)  # some ninety cells, of which fifteen lose their link
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wrong_with_any_cell_of(name: str, watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    mine = in_both_themes(cell for cell in every_cell() if cell.page == name)
    assert [fault for cell in living(mine) for fault in page.look(cell, shelf)] == []
    assert [
        fault for cells in groups(dying(mine)) for fault in lost(page.page.context, shelf, cells, SEEN_WITHIN_MS)
    ] == []
