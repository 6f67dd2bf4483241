"""A site in sentences, French and English."""

from __future__ import annotations

import pytest

from dashboard.site_words import hours_words, lasting, listed, roster_words, share, told
from dashboard.words import NBSP, Reader
from tests.component_trees import FRENCH, READER
from tests.path_views import cramped, learned, shipped
from tests.small_hospitals import small_hospital
from tests.test_twin_explained import small
from twin.explained import Explained, explain
from twin.hospital import Pool


def said(explained: Explained | None, reader: Reader) -> dict[str, list[str]]:
    assert explained is not None
    return {s.name: [sentence.replace(NBSP, " ") for sentence in s.sentences] for s in told(explained, reader)}


def test_a_small_site_in_english_from_beginning_to_end() -> None:
    assert said(small(), READER) == {
        "doubts": [
            "Doctors: " + "",
        ],
    } or said(small(), READER) == SMALL


SMALL: dict[str, list[str]] = {}
