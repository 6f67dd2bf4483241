"""Whatever stands in a name, a sentence or a note is shown as text: no page takes it for markup, and none runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium import IN_CHROMIUM
from tests.examples import PAGES
from tests.hostile_words import HOSTILE, hostile
from tests.matrix import Shelf, Watched, cell_of, watched_house

pytestmark = [
    *IN_CHROMIUM,
    pytest.mark.timeout(400),  # the first waits for the compiled engine
]
WRITTEN_BY_HAND = ("phone", "known", "path", "report")
"""Pages of which the server writes markup itself; the others are made of components, which know nothing but text."""
TAKEN_FOR_MARKUP = "() => document.querySelectorAll('.hostile').length"
HAS_RUN = "() => window.hostile !== undefined"
SHOWN = "() => document.documentElement.textContent.includes('hostile')"


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Shelf]]:
    with watched_house(browser, tmp_path_factory.mktemp("houses")) as found:
        yield found


def look(watched: tuple[Watched, Shelf], name: str, words: str) -> list[str]:
    """What is wrong with a page of a busy day whose words are hostile; that it shows them is looked at too."""
    looker, shelf = watched
    row = PAGES[name]
    state = "overfull" if "overfull" in row.states() else "ordinary"
    cell = cell_of(name, state, "phone", "fr")
    looker.open(cell, shelf.put(cell, lambda view: hostile(view, words)))
    found = [f"console: {said}" for said in looker.complaints]
    found += ["words were taken for markup"] if looker.page.evaluate(TAKEN_FOR_MARKUP) else []
    found += ["words were run"] if looker.page.evaluate(HAS_RUN) else []
    return found + ([] if looker.page.evaluate(SHOWN) else ["nothing of them is shown"])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in WRITTEN_BY_HAND else [pytest.mark.soak]) for name in PAGES]
)
def test_hostile_words_are_shown_as_text(name: str, watched: tuple[Watched, Shelf]) -> None:
    assert [(words, fault) for words in HOSTILE for fault in look(watched, name, words)] == []


def test_words_that_are_taken_for_markup_are_seen_and_still_do_not_run(watched: tuple[Watched, Shelf]) -> None:
    """The mutant writes them into the page as they are: they are found, and the policy of the page lets none run."""
    looker, _ = watched
    look(watched, "phone", HOSTILE[0])
    for words in HOSTILE:
        looker.page.evaluate("words => document.body.insertAdjacentHTML('beforeend', words)", words)
    looker.page.wait_for_timeout(300)
    assert looker.page.evaluate(TAKEN_FOR_MARKUP) >= len(HOSTILE)
    assert not looker.page.evaluate(HAS_RUN)
    assert any("Content Security Policy" in said for said in looker.complaints)
