"""The arrival profile, recovered from arrivals drawn from a known one."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest

from twin import learned_arrivals
from twin.learned_arrivals import Calendar, learn_arrivals
from twin.minutes import Minutes

START = datetime(2026, 1, 5, tzinfo=UTC)
PARIS = "Europe/Paris"


def arrivals(
    days: int, per_hour: npt.NDArray[np.float64], cv: float = 0.0, seed: int = 3
) -> tuple[Calendar, npt.NDArray[np.float64]]:
    chance = np.random.default_rng(seed)
    calendar = Calendar.of(Minutes(START), 0.0, days * 1440.0, PARIS)
    factor = chance.gamma(1 / cv**2, cv**2, days + 2) if cv else np.ones(days + 2)
    n = chance.poisson(per_hour[calendar.hour_of_week] * factor[calendar.day])
    at = np.repeat(calendar.start_min, n) + chance.uniform(0, 60, int(n.sum()))
    return calendar, at


def daily_shape() -> npt.NDArray[np.float64]:
    hour = 6 + 5 * np.sin(np.arange(24) / 24 * 2 * np.pi - 2)
    week = np.array([1.2, 1, 1, 1, 1, 0.9, 0.9])
    return np.asarray((week[:, None] * hour[None, :]).ravel())


def test_the_profile_is_recovered() -> None:
    profile = learn_arrivals(*arrivals(180, daily_shape()))
    error = np.abs(profile.per_hour - daily_shape()).mean() / daily_shape().mean()
    assert error < 0.06
    assert profile.per_hour.sum() == pytest.approx(daily_shape().sum(), rel=0.02)


def test_the_difference_between_days_is_recovered_beyond_poisson() -> None:
    assert learn_arrivals(*arrivals(360, daily_shape(), cv=0.10)).day_cv == pytest.approx(0.10, abs=0.02)
    assert learn_arrivals(*arrivals(360, daily_shape())).day_cv < 0.03


@pytest.mark.parametrize("together", [0.0, 0.1, 0.25])
def test_how_often_somebody_brings_another_along_is_recovered(together: float) -> None:
    """Taken for differences between days, the mutant, it would make whole days differ that do not."""
    found = []
    for seed in range(4):
        calendar, alone = arrivals(120, daily_shape(), seed=seed, cv=0.10)
        chance = np.random.default_rng(seed)
        found.append(learn_arrivals(calendar, np.append(alone, alone[chance.random(alone.size) < together])))
    assert np.mean([p.together for p in found]) == pytest.approx(together, abs=0.025)
    assert np.mean([p.day_cv for p in found]) == pytest.approx(0.105, abs=0.02)


def test_it_is_the_difference_from_what_was_expected_the_day_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight weeks: level and weekdays are learned from few days, so tomorrow may differ by more than these days did."""
    told = [learn_arrivals(*arrivals(56, daily_shape(), seed=seed, cv=0.10)).day_cv for seed in range(12)]
    monkeypatch.setattr(learned_arrivals, "_told_before", lambda by_day, expected, weekday: expected)
    in_sample = [learn_arrivals(*arrivals(56, daily_shape(), seed=seed, cv=0.10)).day_cv for seed in range(12)]
    assert 0.10 < np.mean(told) < 0.125
    assert np.mean(in_sample) < 0.10


def test_a_recent_rise_lifts_the_level() -> None:
    calendar, at = arrivals(56, daily_shape())
    _, more = arrivals(56, daily_shape() * 0.3, seed=9)
    risen = np.append(at, more[more > 42 * 1440.0])
    profile = learn_arrivals(calendar, risen)
    whole = risen.size / 56
    assert profile.per_hour.sum() / 7 > 1.03 * whole


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2026, 3, 28, 23, tzinfo=UTC), 23), (datetime(2026, 10, 24, 22, tzinfo=UTC), 25)]
)
def test_a_local_day_of_a_clock_change_has_its_hours(day: datetime, hours: int) -> None:
    calendar = Calendar.of(Minutes(day), 0.0, 1440.0 * 2, PARIS)
    assert (calendar.day == 0).sum() == hours
