"""Holidays, season and shifts of the level, recovered from totals of days drawn with known ones."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

import twin.levels
from twin.errors import TwinError
from twin.learned_calendar import (
    CalendarEffects,
    DayTotals,
    learn_effects,
    public_holidays,
    recent_level,
)

FIRST = date(2025, 1, 6).toordinal()
Array = npt.NDArray[np.float64]


def totals(days: int, factor: Array | float = 1.0, *, seed: int = 1, cv: float = 0.06) -> DayTotals:
    chance = np.random.default_rng(seed)
    expected = np.full(days, 220.0)
    came = chance.poisson(expected * factor * chance.gamma(cv**-2, cv**2, days)).astype(np.float64)
    return DayTotals(FIRST, came, expected)


# --- holidays


def test_holidays_are_those_of_the_place() -> None:
    christmas = date(2025, 12, 25).toordinal()
    assert [d - christmas for d in public_holidays("FR", christmas, christmas + 3)] == [0]
    assert [d - christmas for d in public_holidays("FR-57", christmas, christmas + 3)] == [0, 1]
    assert public_holidays("", christmas, christmas) == {}


@pytest.mark.parametrize("place", ["XX", "FR-nowhere"])
def test_a_place_that_is_not_known_is_named(place: str) -> None:
    with pytest.raises(TwinError, match=f"holidays must be a country .* but is '{place}'"):
        public_holidays(place, FIRST, FIRST)


def test_holidays_are_quieter_by_as_much_as_they_were() -> None:
    days = FIRST + np.arange(400)
    off = np.isin(days, list(public_holidays("FR", FIRST, FIRST + 399)))
    found = [learn_effects(totals(400, np.where(off, 0.8, 1.0), seed=s), "FR") for s in range(8)]
    assert np.mean([e.other_holidays for e in found]) == pytest.approx(0.82, abs=0.03)
    assert np.mean([e.other_holidays for e in (learn_effects(totals(400, seed=s), "FR") for s in range(8))]) == (
        pytest.approx(1.0, abs=0.02)
    )


def test_a_holiday_of_its_own_kind_is_told_from_the_others() -> None:
    days = FIRST + np.arange(1100)
    named = public_holidays("FR", FIRST, FIRST + 1099)
    factor = np.array([1.3 if "New Year" in named.get(int(d), "") else 0.8 if int(d) in named else 1.0 for d in days])
    of = learn_effects(totals(1100, factor), "FR").of_holiday
    assert of["New Year's Day"] > 1.05
    assert of["Christmas Day"] < 0.9


def test_other_days_have_no_factor() -> None:
    effects = CalendarEffects("FR", {"Christmas Day": 0.8}, 0.9)
    days = np.array([date(2025, 12, d).toordinal() for d in (24, 25, 26)])
    assert effects.factor(days).tolist() == [1.0, 0.8, 1.0]


# --- season


def test_a_season_is_found_in_a_year_and_not_looked_for_in_less() -> None:
    swing = 1.0 + 0.1 * np.cos(2 * np.pi * (FIRST + np.arange(730)) / 365.25)
    season = learn_effects(totals(730, swing), "").season
    assert season[0] == pytest.approx(0.1, abs=0.03)
    assert season[1] == pytest.approx(0.0, abs=0.03)
    assert learn_effects(totals(200, swing[:200]), "").season == (0.0, 0.0)


def test_nobody_has_no_effects() -> None:
    nobody = DayTotals(FIRST, np.zeros(60), np.full(60, 10.0))
    assert learn_effects(nobody, "FR").factor(nobody.days).tolist() == [1.0] * 60


# --- the level


def levels(since: int) -> Array:
    """Estimated levels so many days after a rise by 20 %, in forty streams."""
    found = []
    for seed in range(40):
        t = totals(120, np.where(np.arange(120) >= 120 - since, 1.2, 1.0), seed=seed)
        found.append(recent_level(t.came, t.expected))
    return np.array(found)


def test_a_shift_of_a_fifth_is_followed_within_two_weeks() -> None:
    """Within 5 % of the new level in the mean, and in nine streams of ten."""
    found = levels(14)
    assert found.mean() == pytest.approx(1.2, rel=0.03)
    assert (np.abs(found / 1.2 - 1) < 0.05).mean() >= 0.9


def test_where_nothing_is_expected_to_change_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin.levels, "CHANGES_EVERY_DAYS", 1e9)
    assert (np.abs(levels(14) / 1.2 - 1) < 0.05).mean() < 0.3


def test_days_on_which_nobody_is_expected_tell_nothing() -> None:
    t = totals(120)
    closed = np.arange(120) % 7 == 6
    found = recent_level(np.where(closed, 0.0, t.came), np.where(closed, 0.0, t.expected))
    assert found == pytest.approx(1.0, abs=0.05)


def test_where_a_few_come_a_day_a_few_more_are_neither_a_holiday_nor_a_shift() -> None:
    chance = np.random.default_rng(4)
    few = [DayTotals(FIRST, chance.poisson(0.6, 365).astype(np.float64), np.full(365, 0.6)) for _ in range(40)]
    factors = [f for t in few for f in learn_effects(t, "FR").of_holiday.values()]
    assert max(abs(f - 1.0) for f in factors) < 0.1
    assert np.std([recent_level(t.came, t.expected) for t in few]) < 0.18
