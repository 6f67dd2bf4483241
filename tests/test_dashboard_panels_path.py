"""The page of the path as a component tree."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from dashboard.pages.beside import BESIDE, Place, beside
from dashboard.panels import path
from dashboard.words import LANGUAGES, Language, Reader
from tests.component_trees import FRENCH, READER, children, classes, texts, with_class
from tests.path_views import PATHS, cramped, learned, not_whole, shipped


def picture(component: object) -> Any:
    return with_class(component, "path-picture")[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PATHS)
def test_every_example_makes_a_page(name: str, language: Language) -> None:
    page = beside(PATHS[name](), Reader(language, "Europe/Paris"), Place("path"))
    assert "path-page" in classes(page)
    assert "{" not in "".join(texts(page))


def test_it_says_where_the_numbers_come_from() -> None:
    said = [texts(with_class(path.panel(view(), READER), "source-said")[0])[0] for view in (shipped, cramped, learned)]
    assert said[0].startswith("Nothing is learned yet: this is the hospital that edtwin comes with.")
    assert said[1].startswith("Nothing is learned yet: this is what the site's own file says.")
    assert said[2].startswith("Numbers learned from 1,573 visits of the last weeks, as known at ")


def test_the_picture_is_an_image_that_carries_itself_and_is_told_in_words() -> None:
    image = picture(path.panel(shipped(), FRENCH))
    head, _, data = image.src.partition(",")
    assert head == "data:image/svg+xml;base64"
    assert "Examen" in b64decode(data).decode()
    assert image.alt.startswith("Le parcours en image")


def test_a_telephone_gets_another_picture() -> None:
    wide, narrow = (picture(path.panel(shipped(), replace(FRENCH, narrow=n))) for n in (False, True))
    assert wide.src != narrow.src
    assert narrow.style == {}


def test_doubts_come_first_then_the_load_as_bars() -> None:
    panel = path.panel(cramped(), READER)
    first, second = children(with_class(panel, "path-told")[0])[:2]
    assert texts(first)[:2] == ["▲", "What is unusual or doubtful"]
    assert texts(second)[0] == "What is asked of it, on average"
    rows = {texts(row)[0]: row for row in with_class(second, "load-row")}
    assert "over" in classes(rows["Beds of General medicine"])
    assert with_class(rows["Imaging rooms"], "bar")[0].children.style == {"width": "100.0%"}
    assert "over" not in classes(rows["Triage nurses"])


def test_beds_say_how_many_are_there_now() -> None:
    rows = {texts(row)[0]: texts(row) for row in with_class(path.panel(learned(), READER), "load-row")}
    assert rows["Beds of Cardiology"][-1] == "10 now"
    assert rows["Emergency doctors"][-1].endswith(" of 1.8")


def test_a_site_that_is_not_whole_says_what_to_add() -> None:
    said = texts(path.panel(not_whole(), READER))
    assert "The shipped path does not suit this hospital. Its file would have to add:" in said
    assert any("unknown unit reception" in text for text in said)
    assert with_class(path.panel(not_whole(), READER), "path-picture") == []


def test_it_is_one_of_the_pages_beside_the_wall() -> None:
    assert BESIDE["path"].name(READER) == "Path"
    assert BESIDE["path"].title(FRENCH).startswith("Par où passent")
