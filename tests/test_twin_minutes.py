"""Instants and minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.minutes import Minutes

ORIGIN = datetime(2026, 3, 28, 22, 40, 30, tzinfo=UTC)


@given(minute=st.integers(-10_000_000, 10_000_000))
@settings(max_examples=50, deadline=None)
def test_there_and_back_again(minute: int) -> None:
    minutes = Minutes(ORIGIN)
    assert minutes.of(minutes.at(minute)) == minute
    assert minutes.at(minute) - ORIGIN == timedelta(minutes=minute)


def test_what_has_not_happened_is_nan() -> None:
    told = Minutes(ORIGIN).of_many([ORIGIN, None, ORIGIN - timedelta(hours=2)])
    assert np.array_equal(told, [0.0, np.nan, -120.0], equal_nan=True)
    assert Minutes(ORIGIN).of_many([]).shape == (0,)


def test_hours_of_the_week_follow_the_clock_on_the_night_it_changes() -> None:
    minutes = Minutes(ORIGIN)
    assert minutes.past_the_hour() == 40.5
    found = minutes.hours_of_week(minutes.epoch_hour(), 5, "Europe/Paris")
    assert found.tolist() == [143, 144, 145, 147, 148], "Saturday 23 h, then Sunday 0, 1, 3, 4 h: 2 h is left out"
    autumn = Minutes(datetime(2026, 10, 24, 22, tzinfo=UTC))
    assert (autumn.hours_of_week(autumn.epoch_hour(), 5, "Europe/Paris") % 24).tolist() == [0, 1, 2, 2, 3]
