"""The intended use: the same sentences on the page /about, in both languages, and in README.md."""

from __future__ import annotations

import re

from dashboard.panels import about
from dashboard.words import LANGUAGES, NBSP, Reader
from tests import term_views
from tests.assurance.locks import ROOT
from tests.component_trees import texts

SENTENCES = (
    "For those who manage the hospital and its beds: it shows how full the units are and how patients move between "
    "them, as administrative messages tell it, and forecasts totals, so that staff and beds can be decided on.",
    "It is not meant for diagnosing, sorting, treating, watching over or ranking any single patient.",
    "It is no alarm system: nobody may rely on being warned by it.",
    "Data may be late or incomplete: look at their state and their age on the screen before using a number.",
    "Keep the downtime procedure: paper, telephone, the last printed sheet.",
)


def untold(page: str, reader: Reader) -> list[str]:
    """The sentences that a page does not tell its reader."""
    return [text for text in SENTENCES if reader.text(text).replace(NBSP, " ") not in page]


def test_the_intended_use_is_told_on_the_page_in_both_languages() -> None:
    for language in LANGUAGES:
        reader = Reader(language, "Europe/Paris")
        page = " ".join(texts(about.panel(term_views.about(), reader)))
        assert untold(page, reader) == []


def test_the_readme_tells_it_in_the_same_words() -> None:
    readme = re.sub(r"\s+", " ", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert untold(readme, Reader("en", "Europe/Paris")) == []


def test_french_is_not_english() -> None:
    french = Reader("fr", "Europe/Paris")
    assert [text for text in SENTENCES if french.text(text) == text] == []


def test_a_page_that_leaves_a_sentence_out_is_seen() -> None:
    reader = Reader("fr", "Europe/Paris")
    page = " ".join(texts(about.panel(term_views.about(), reader))).replace("en particulier", "")
    assert untold(page, reader) == [SENTENCES[1]]
