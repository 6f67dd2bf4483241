"""Time stamps of every precision, offset and doubt, and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given

from ingest.hl7_times import Moment, birth_date, moment, stamp
from tests.strategies import instants


@pytest.mark.parametrize(
    ("text", "told", "flags"),
    [
        ("20260302080910.5", "2026-03-02T07:09:10.500000+00:00", ()),
        ("202603020809", "2026-03-02T07:09:00+00:00", ()),
        ("2026030208", "2026-03-02T07:00:00+00:00", ()),
        ("20260302", "2026-03-01T23:00:00+00:00", ("day_only",)),
        ("20260302080910.1234567-0530", "2026-03-02T13:39:10.123456+00:00", ()),
        ("20261025023000", "2026-10-25T00:30:00+00:00", ("ambiguous_time",)),
        ("20270328023000", "2027-03-28T01:30:00+00:00", ("missing_time",)),
        ("20270328013000+0100", "2027-03-28T00:30:00+00:00", ()),
    ],
)
def test_a_stamp_is_an_instant(text: str, told: str, flags: tuple[str, ...]) -> None:
    assert moment(text, "Europe/Paris") == Moment(datetime.fromisoformat(told), flags)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "202603", "20260230", "2026030224", "202603020860", "20260302080960", "20260302080910+2400",
     "1979010100", "2200010100", "2026-03-02", "20260302T08", "x20260302", "20260302080910.", "٢٠٢٦0302"],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert moment(text, "Europe/Paris") is None


@given(instants())
def test_a_stamp_comes_back(at: datetime) -> None:
    assert moment(stamp(at), "Europe/Paris") == Moment(at, ())


def test_a_birth_date_is_a_day_whatever_the_hour() -> None:
    assert birth_date("19510302") == birth_date("195103020815+0100") == datetime(1951, 3, 2)
    assert [birth_date(text) for text in ("", "1951", "19511302", "18790101", "DUPONT")] == [None] * 5
    assert stamp(datetime(2026, 3, 2, 8, 0, 0, 5, tzinfo=UTC)) == "20260302080000.000005+0000"
