"""The table of the ASVS: all 253 requirements of levels 1 and 2, each with a status that says what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from tests.assurance.documents import asvs_page
from tests.assurance.tables import Requirement, chapters, requirement

SECTIONS = {
    "1.1 1.2 1.3 1.4 1.5": (2, 9, 11, 3, 2),
    "2.1 2.2 2.3 2.4": (3, 3, 4, 1),
    "3.2 3.3 3.4 3.5 3.7": (2, 4, 6, 5, 2),
    "4.1 4.2 4.3 4.4": (3, 1, 2, 4),
    "5.1 5.2 5.3 5.4": (1, 3, 2, 3),
    "6.1 6.2 6.3 6.4 6.5 6.6 6.8": (3, 12, 4, 4, 5, 3, 4),
    "7.1 7.2 7.3 7.4 7.5 7.6": (3, 4, 2, 5, 2, 2),
    "8.1 8.2 8.3 8.4": (2, 3, 1, 1),
    "9.1 9.2": (3, 4),
    "10.1 10.2 10.3 10.4 10.5 10.6 10.7": (2, 2, 4, 11, 5, 2, 3),
    "11.1 11.2 11.3 11.4 11.5 11.6": (2, 3, 3, 4, 1, 1),
    "12.1 12.2 12.3": (3, 2, 4),
    "13.1 13.2 13.3 13.4": (1, 5, 2, 5),
    "14.1 14.2 14.3": (2, 4, 3),
    "15.1 15.2 15.3": (3, 3, 7),
    "16.1 16.2 16.3 16.4 16.5": (1, 5, 4, 3, 3),
    "17.1 17.2 17.3": (1, 4, 2),
}
"""How many requirements of levels 1 and 2 each section of the standard has."""


def counted(table: Mapping[str, tuple[Requirement, ...]]) -> Counter[str]:
    """How many requirements each section has."""
    return Counter(row.number.rpartition(".")[0] for rows in table.values() for row in rows)


def test_every_requirement_is_there_once_and_in_its_order() -> None:
    expected = {
        section: count
        for sections, counts in SECTIONS.items()
        for section, count in zip(sections.split(), counts, strict=True)
    }
    table = chapters()
    assert counted(table) == expected
    numbers = [tuple(map(int, row.number.split("."))) for rows in table.values() for row in rows]
    assert all(first < second for first, second in pairwise(numbers))
    assert Counter(row.level for rows in table.values() for row in rows) == {1: 70, 2: 183}


def test_a_table_without_a_requirement_is_seen() -> None:
    table = {name: rows[1:] for name, rows in chapters().items()}
    assert counted(table) != counted(chapters())
    assert asvs_page(table, {}) != asvs_page(chapters(), {})


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (["1.1.1", 1, "a", "met", "", ""], "1.1.1 is met, so it must name a test"),
        (["1.1.1", 1, "a", "in part", "test_x.py::test_y", ""], "1.1.1 is in part, so it must say why"),
        (["1.1.1", 1, "a", "not applicable", "", ""], "1.1.1 is not applicable, so it must say why"),
        (["1.1.1", 1, "a", "done", "", ""], "must be one of met, in part"),
    ],
)
def test_a_row_that_rests_on_nothing_is_refused(row: list[Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        requirement(row)


def test_the_page_counts_by_level() -> None:
    rows = tuple(requirement([f"1.1.{n}", 1, "a", "not applicable", "", "none"]) for n in (1, 2))
    assert "| 1 | 2 | 0 | 0 | 0 | 2 |\n" in asvs_page({"V1": rows}, {})
