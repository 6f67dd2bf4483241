"""Words of a file become the vocabulary's, ages become bands, and nothing unknown is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.extract_values import as_text, band, completed_years, read_ages, read_words
from ingest.local_times import ABSENT, micros_of
from ingest.mapping_parts import AgeColumn, Source, ValueColumn

SOURCE = Source(name="er", format="wide", site="north", zone="Europe/Paris", missing_values=("", "NA"), decimal=",")
SEXES = ("female", "male")
NOWHEN = np.full(3, ABSENT)


def words(column: ValueColumn, *texts: str | None) -> tuple[list[str | None], list[bool]]:
    read = read_words(pa.array(texts, pa.string()), column, SEXES, SOURCE)
    return read.words.to_pylist(), read.bad.tolist()


def test_words_go_through_the_map_and_unknown_ones_are_bad() -> None:
    column = ValueColumn(column="sex", values={"F": "female", "M": "male"}, absent=("U",))
    assert words(column, "F", " M ", "U", "NA", "", None, "X", "female") == (
        ["female", "male", None, None, None, None, None, None],
        [False, False, False, False, False, False, True, True],
    )


def test_without_a_map_the_vocabulary_itself_is_read() -> None:
    assert words(ValueColumn(column="sex"), "female", "F") == (["female", None], [False, True])


def test_a_reader_that_let_unknown_words_through_would_be_found_out() -> None:
    """Mutant: a map that gives back what it does not know keeps a name."""

    def keeps_only_known(values: dict[str, str]) -> bool:
        kept, _ = words(ValueColumn(column="sex", values=values), "F", "Durand")
        return set(kept) <= {*SEXES, None}

    assert keeps_only_known({"F": "female"})
    assert not keeps_only_known({"F": "female", "Durand": "Durand"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", "0-17"), ("17,9", "0-17"), ("18", "18-74"), ("74.9", "18-74"), ("75", "75+"), ("130", "75+"), ("NA", None)],
)
def test_years_become_bands(text: str, expected: str | None) -> None:
    read = read_ages(pa.array([text]), AgeColumn(column="age"), (), SOURCE, NOWHEN[:1])
    assert (read.words.to_pylist(), read.bad.tolist()) == ([expected], [False])


@pytest.mark.parametrize("text", ["-1", "131", "old", "nan", "inf"])
def test_an_age_that_nobody_has_is_bad(text: str) -> None:
    read = read_ages(pa.array([text]), AgeColumn(column="age"), (), SOURCE, NOWHEN[:1])
    assert (read.words.to_pylist(), read.bad.tolist()) == ([None], [True])


def test_bands_may_be_given_as_such() -> None:
    column = AgeColumn(column="age", holds="band", values={"child": "0-17"})
    assert read_ages(pa.array(["child"]), column, ("0-17",), SOURCE, NOWHEN[:1]).words.to_pylist() == ["0-17"]


def test_numbers_are_read_as_they_are_written() -> None:
    assert as_text(pa.array([3.0, None, float("nan")])).to_pylist() == ["3", None, None]
    assert as_text(pa.array([3.5])).to_pylist() == ["3.5"]
    assert as_text(pa.array([3])).to_pylist() == ["3"]
    assert as_text(pa.array(["NA"])).to_pylist() == ["NA"]


@given(
    st.datetimes(datetime(1920, 1, 1), datetime(2026, 1, 1)), st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1))
)
def test_years_are_birthdays_passed(born: datetime, day: datetime) -> None:
    counted = completed_years(
        np.array([micros_of(born.replace(tzinfo=UTC))]), np.array([micros_of(day.replace(tzinfo=UTC))])
    )
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    assert counted.tolist() == [years]


def test_no_band_for_no_age() -> None:
    assert band(-0.1) is None
    assert band(float("nan")) is None
