"""Written times become the right instants, by columns as one by one, also in the nights of a clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.clock import resolve
from ingest.local_times import ABSENT, instant_of, localise, micros_of, micros_of_min, read_times

PARIS = "Europe/Paris"
ZONES = ["Europe/Paris", "America/Montreal", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]
NIGHTS = [
    datetime(2026, 3, 29),
    datetime(2026, 10, 25),
    datetime(2026, 4, 5),
    datetime(2026, 10, 4),
    datetime(2026, 3, 8),
]
NEAR_A_CHANGE = st.builds(
    lambda night, minutes: night + timedelta(minutes=minutes), st.sampled_from(NIGHTS), st.integers(-300, 300)
)
ANY_TIME = st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1))


def instants(texts: list[str | None], zone: str = PARIS, time_format: str | None = None) -> list[datetime | None]:
    times = read_times(pa.array(texts, pa.string()), zone=zone, time_format=time_format)
    return [None if at == ABSENT else instant_of(at) for at in times.at]


def agrees(naive: list[datetime], zone: str, localised: tuple[np.ndarray, int, int]) -> bool:
    """Whether a column was resolved as `ingest.clock.resolve` resolves each, flags included."""
    resolved = [resolve(local, zone) for local in naive]
    at, ambiguous, missing = localised
    flags = [flag for _, flag in resolved]
    return [instant_of(a) for a in at] == [instant for instant, _ in resolved] and (ambiguous, missing) == (
        flags.count("ambiguous"), flags.count("missing"),
    )  # fmt: skip


def micros(naive: list[datetime]) -> np.ndarray:
    return np.array([micros_of(local.replace(tzinfo=UTC)) for local in naive], dtype=np.int64)


@given(st.lists(st.one_of(NEAR_A_CHANGE, ANY_TIME), max_size=20), st.sampled_from(ZONES))
@settings(max_examples=200)
def test_a_column_is_resolved_as_the_clock_resolves_each(naive: list[datetime], zone: str) -> None:
    assert agrees(naive, zone, localise(micros(naive), zone))


def test_a_column_that_took_the_second_passage_would_be_found_out() -> None:
    """Mutant: the repeated hour taken as its second passage."""
    naive = [datetime(2026, 10, 25, 2, 30)]
    at, ambiguous, missing = localise(micros(naive), PARIS)
    assert agrees(naive, PARIS, (at, ambiguous, missing))
    assert not agrees(naive, PARIS, (at + 3_600_000_000, ambiguous, missing))


def test_the_hours_of_a_clock_change_are_flagged() -> None:
    times = read_times(pa.array(["2026-10-25T02:30", "2026-03-29T02:30", "2026-03-29T03:30"]), zone=PARIS)
    assert [instant_of(at) for at in times.at] == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    ]
    assert (times.ambiguous, times.missing) == (1, 1)


NOON = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-01T12:00:00", "2026-07-01 12:00", " 2026-07-01T12:00 ", "2026-07-01T12:00:00.000", "2026-07-01T10:00Z",
        "2026-07-01T13:00:00+03:00", "2026-07-01T13:00:00+0300", "2026-07-01T06:00:00.0-04",
        "2026-07-01T12:00:00.0000000",
    ],
)  # fmt: skip
def test_iso_texts_are_read_with_and_without_offset(text: str) -> None:
    assert instants([text]) == [NOON]
    assert instants([text, "2026-02-30", None]) == [NOON, None, None], "neighbours change nothing"


@pytest.mark.parametrize(
    "text",
    ["2026-02-30", "2026-13-01T00:00", "2026-07-01T24:00", "2026-07-01T12:61", "2026-07", "12:00", "soon", "9999-12-31",
     "1899-12-31T23:00", "2026-07-01T12:00 CET", "46000"],
)  # fmt: skip
def test_impossible_texts_are_bad_and_alone_so(text: str) -> None:
    times = read_times(pa.array(["2026-07-01T12:00", text, None, ""]), zone=PARIS)
    assert times.bad.tolist() == [False, True, False, False]
    assert times.present.tolist() == [True, False, False, False]


@given(st.lists(st.one_of(ANY_TIME.map(datetime.isoformat), st.just("2026-02-30T10:00"), st.none()), max_size=15))
@settings(max_examples=100)
def test_one_impossible_date_does_not_change_how_others_are_read(texts: list[str | None]) -> None:
    assert instants([*texts, "2026-02-31"])[:-1] == [instants([text])[0] for text in texts]


def test_other_formats_are_read_as_the_mapping_says() -> None:
    assert instants(["01/07/2026 12:00", "31/02/2026 12:00", None], time_format="%d/%m/%Y %H:%M") == [NOON, None, None]
    assert instants(["01/07/2026 12:00 +0200"], time_format="%d/%m/%Y %H:%M %z") == [NOON]


def test_columns_that_are_times_already_need_no_reading() -> None:
    aware = pa.array([NOON, None], pa.timestamp("ns", "UTC"))
    naive = pa.array([datetime(2026, 7, 1, 12), None], pa.timestamp("s"))
    for column in (aware, naive):
        times = read_times(column, zone=PARIS)
        assert (times.at[0], times.at[1]) == (micros_of(NOON), ABSENT)
        assert not times.bad.any()
    day = read_times(pa.array([date(2026, 7, 1)]), zone="UTC")
    assert instant_of(day.at[0]) == datetime(2026, 7, 1, tzinfo=UTC)


def test_minutes_become_whole_microseconds() -> None:
    assert micros_of_min(1.5) == 90_000_000
