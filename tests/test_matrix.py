"""Every page on every screen, in both languages and every state: the registry, the choice, half of the cells.

The other half is in `test_matrix_rest.py`, so that two processes share them; every cell is looked at in `make soak`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, product

import pytest
from playwright.sync_api import Browser

from dashboard.pages.beside import BESIDE, WALL
from dashboard.theme import THEMES
from dashboard.words import LANGUAGES
from tests.chromium import in_chromium, without_policy
from tests.examples import KNOWN, PAGES, PHONE, REPORT, STATES, every_page, lacking
from tests.matrix import (
    Cell,
    Shelf,
    Watched,
    cell_of,
    every_cell,
    in_both_themes,
    in_states,
    pairs_of,
    pairwise,
    shared_out,
    watched_house,
)
from tests.pictures import SCREENS

# --- the registry and the choice -------------------------------------------------------------------------------------


def test_every_page_of_the_house_has_its_examples() -> None:
    assert lacking() == [], "a page needs a row in tests/examples.py: what it shows in each state"
    assert set(PAGES) == set(every_page())


def test_a_page_without_a_row_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BESIDE, "new", BESIDE["feeds"])
    assert lacking() == ["new"]


def test_a_page_is_in_every_state_or_says_why_it_cannot_be() -> None:
    for name, row in PAGES.items():
        assert set(row.states()) | set(row.cannot) == set(STATES), name
        assert all(row.cannot.values()), name
        assert not set(row.more) & set(STATES), name


def test_what_is_shown_in_an_exercise_says_so() -> None:
    for name, row in PAGES.items():
        if "exercise" in row.states():
            assert row.view("exercise").mode == "exercise", name


def all_pairs(cells: list[Cell]) -> set[object]:
    """Every two things that can be seen together, counted by hand."""
    rows = {cell.page: {one.example for one in cells if one.page == cell.page} for cell in cells}
    shown = {(page, example) for page, examples in rows.items() for example in examples}
    told: set[object] = {((0, page), (1, example)) for page, example in shown}
    told |= {((0, page), (2, screen)) for page, screen in product(rows, SCREENS)}
    told |= {((0, page), (3, language)) for page, language in product(rows, LANGUAGES)}
    told |= {((1, example), (2, screen)) for (_, example), screen in product(shown, SCREENS)}
    told |= {((1, example), (3, language)) for (_, example), language in product(shown, LANGUAGES)}
    return told | {((2, screen), (3, language)) for screen, language in product(SCREENS, LANGUAGES)}


def test_the_chosen_cells_show_every_pair_and_are_few() -> None:
    every = in_states()
    chosen = pairwise(every)
    seen = {pair for cell in chosen for pair in pairs_of(cell)}
    assert seen == all_pairs(every)
    assert pairwise(every) == chosen, "the same every time"
    most = len({(cell.page, cell.example) for cell in every})
    assert len(chosen) <= 1.1 * most, "no more than one for each page in each state, and a few"
    alive, dead = shared_out()
    assert sorted(map(str, [*chain(*alive), *dead])) == sorted(map(str, chosen)), "each is looked at once"


def test_a_choice_that_leaves_a_pair_out_is_seen() -> None:
    chosen = pairwise(in_states())
    without = [cell for cell in chosen if cell.screen != "phone" or cell.language == "fr"]
    assert {pair for cell in without for pair in pairs_of(cell)} != all_pairs(in_states())


def test_in_full_there_is_every_combination() -> None:
    every = every_cell()
    assert len(set(every)) == len(every)
    assert len(every) == sum(len(row.names()) for row in PAGES.values()) * len(SCREENS) * len(LANGUAGES)


def test_in_full_a_page_that_has_two_themes_is_looked_at_in_both_and_no_cell_is_there_twice() -> None:
    every, both = every_cell(), in_both_themes(every_cell())
    assert len(set(both)) == len(both) == len(every) + sum(cell.page in (*BESIDE, KNOWN) for cell in every)
    assert set(every) < set(both)
    assert {(cell.screen, cell.shown) for cell in both if cell.page == "feeds"} == set(product(SCREENS, THEMES))
    assert {cell.shown for cell in both if cell.page in (WALL, PHONE, REPORT)} == {None}


def test_in_the_choice_the_screen_says_the_theme() -> None:
    chosen = pairwise(in_states())
    assert {(cell.screen, cell.theme) for cell in chosen} == {("wall", "light"), ("4k", "dark"), ("phone", "dark")}


# --- in a browser ----------------------------------------------------------------------------------------------------

MINE = shared_out()[0][0]


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Shelf]]:
    with watched_house(browser, tmp_path_factory.mktemp("houses")) as found:
        yield found


@in_chromium
@pytest.mark.timeout(400)  # the first waits for the compiled engine
@pytest.mark.parametrize("cell", MINE, ids=str)
def test_nothing_is_wrong_with(cell: Cell, watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    assert page.look(cell, shelf) == []


WRONG = {
    "sideways": "document.querySelector('.wall').style.width = '5000px'",
    "px too wide": "Object.assign(document.querySelector('.hospital').style, {maxWidth: '3rem', overflow: 'hidden'})",
    "px too high": "Object.assign(document.querySelector('.tile').style, {height: '2rem', overflow: 'hidden'})",
    "is written in": "document.querySelector('.tile .label').style.fontSize = '12px'",
    "html lang": "document.documentElement.lang = 'de'",
    "the theme is": "document.documentElement.dataset.theme = 'light'",
    "the ground is": "document.body.style.background = 'white'",
    "color-contrast-enhanced": "document.querySelectorAll('.tile .label')[3].style.color = '#777777'",
    "link-name": "document.querySelector('.switch a').textContent = ''",
    "Tab does not reach": "document.querySelector('.switch a').addEventListener('focus', e => e.target.blur(), true);"
    "document.addEventListener('keydown', e => e.preventDefault(), true)",
    "the focus is not seen": "document.head.append(Object.assign(document.createElement('style'), "
    "{textContent: ':focus-visible { outline: none !important; box-shadow: none !important }'}))",
    "console": "console.error('broken')",
}
"""What each check must see, and how a page is made wrong for it."""


ALONE = ("Tab does not reach", "the focus is not seen")
"""Of a page that is not reached by Tab the focus is not looked at."""


@in_chromium
@pytest.mark.timeout(400)
@pytest.mark.parametrize("wrongs", [[name for name in WRONG if name not in ALONE], *([name] for name in ALONE)])
def test_what_is_wrong_is_seen(wrongs: list[str], watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    cell = cell_of("wall", "ordinary", "wall", "fr")
    page.open(cell, shelf.put(cell))
    for name in wrongs:
        page.page.evaluate(f"() => {{ {WRONG[name]} }}")
    page.page.wait_for_timeout(100)
    faults = page.faults(cell)
    assert [name for name in wrongs if not any(name in fault for fault in faults)] == []


@in_chromium
@pytest.mark.timeout(400)
def test_a_request_to_another_host_is_seen(watched: tuple[Watched, Shelf]) -> None:
    page, shelf = watched
    cell = cell_of("feeds", "ordinary", "wall", "fr")
    other = without_policy(page.page.context.new_page())  # which would forbid it
    unguarded = Watched(other, shelf.urls.values())
    unguarded.open(cell, shelf.put(cell))
    unguarded.page.evaluate("fetch('http://127.0.0.2:9/x').catch(() => {})")
    unguarded.page.wait_for_timeout(100)
    assert [fault for fault in unguarded.faults(cell) if "asked of another host" in fault] != []
    other.close()
