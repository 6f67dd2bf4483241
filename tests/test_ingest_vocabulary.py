"""Questions that readers ask of the event classes."""

from __future__ import annotations

from ingest.vocabulary import allowed_values, fields_of


def test_fields_are_those_of_the_kind_alone() -> None:
    assert fields_of("Departed") == ("to", "unit")
    assert fields_of("Moved", required=True) == ("unit",)
    assert fields_of("TestOrdered", required=True) == ("test",)
    assert fields_of("Arrived", required=True) == ()


def test_words_are_those_of_the_literal() -> None:
    assert allowed_values("Departed", "to") == ("home", "ward", "transfer", "died")
    assert allowed_values("Departed", "unit") == ()
