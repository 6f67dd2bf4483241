"""School holidays: the days of a zone, and what they do to arrivals, recovered from totals drawn with known effects."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from ingest.errors import ConfigurationError
from twin.errors import TwinError
from twin.learned_calendar import CalendarEffects, DayTotals, learn_effects, public_holidays
from twin.school_calendar import SUMMER, school_breaks
from twin.site import site_from

FIRST = date(2025, 1, 6).toordinal()
Array = npt.NDArray[np.float64]


def on(zone: str, *day: int) -> str | None:
    at = date(*day).toordinal()
    return school_breaks(zone, at, at).get(at)


def factors(days: int, short: float, summer: float, zone: str = "A") -> Array:
    named = school_breaks(zone, FIRST, FIRST + days - 1)
    of = {"": 1.0, SUMMER: summer}
    return np.array([of.get(named.get(FIRST + n, ""), short) for n in range(days)])


def totals(days: int, factor: Array | float, *, seed: int, cv: float = 0.06) -> DayTotals:
    chance = np.random.default_rng(seed)
    expected = np.full(days, 220.0)
    came = chance.poisson(expected * factor * chance.gamma(cv**-2, cv**2, days)).astype(np.float64)
    return DayTotals(FIRST, came, expected)


def learned(days: int, factor: Array | float, zone: str = "A") -> list[CalendarEffects]:
    return [learn_effects(totals(days, factor, seed=seed), "FR", zone) for seed in range(8)]


def test_the_zones_are_away_at_their_own_times_in_the_winter_of_2027() -> None:
    """As decreed for the school year 2026-2027."""
    assert [on(zone, 2027, 2, 15) for zone in "ABC"] == ["Vacances d'hiver", None, "Vacances d'hiver"]
    assert [on(zone, 2027, 2, 25) for zone in "ABC"] == ["Vacances d'hiver", "Vacances d'hiver", None]
    assert [on(zone, 2026, 12, 25) for zone in "ABC"] == ["Vacances de Noël"] * 3
    assert on("C", 2027, 8, 1) == SUMMER
    assert on("", 2027, 8, 1) is None


def test_a_zone_that_is_not_known_is_named() -> None:
    with pytest.raises(TwinError, match=r"school_zone must be A, B or C, or empty for none, but is 'D'"):
        school_breaks("D", FIRST, FIRST)
    with pytest.raises(ConfigurationError, match="school_zone"):
        site_from('school_zone = "D"')


def test_a_site_says_its_zone() -> None:
    assert site_from('school_zone = "B"').hospital.school_zone == "B"
    assert site_from("").hospital.school_zone == ""


def test_breaks_are_as_much_quieter_as_they_were_as_far_as_that_is_sure() -> None:
    found = learned(700, factors(700, 0.85, 0.9))
    assert np.mean([e.school_break for e in found]) == pytest.approx(0.87, abs=0.015)
    assert np.mean([e.summer_break for e in found]) == pytest.approx(0.94, abs=0.02)


def test_where_breaks_do_nothing_hardly_anything_is_learned() -> None:
    found = [f for days in (60, 200, 700) for e in learned(days, 1.0) for f in (e.school_break, e.summer_break)]
    assert np.sqrt(np.mean((np.array(found) - 1) ** 2)) < 0.012


def test_another_zone_finds_less_and_no_zone_finds_nothing() -> None:
    factor = factors(700, 0.85, 1.0)
    mine, other = (np.mean([e.school_break for e in learned(700, factor, zone)]) for zone in "AB")
    assert mine < other - 0.02
    assert {e.school_break for e in learned(700, factor, "")} == {1.0}


def test_public_holidays_within_a_break_are_beside_the_break_and_not_doubled() -> None:
    days = FIRST + np.arange(700)
    off = np.isin(days, list(public_holidays("FR", FIRST, FIRST + 699)))
    factor = factors(700, 0.85, 1.0) * np.where(off, 0.8, 1.0)
    effects = [learn_effects(totals(700, factor, seed=seed), "FR", "A") for seed in range(8)]
    christmas = np.array([date(2026, 12, 25).toordinal()])
    assert np.mean([e.holiday(christmas)[0] for e in effects]) == pytest.approx(0.85 * 0.8, abs=0.05)


def test_the_factor_of_a_day_is_that_of_its_break() -> None:
    effects = CalendarEffects("", school_zone="A", school_break=0.9, summer_break=0.8)
    days = np.array([date(*day).toordinal() for day in ((2027, 2, 15), (2027, 8, 1), (2027, 3, 15))])
    assert effects.holiday(days).tolist() == [0.9, 0.8, 1.0]
    assert effects.holiday(days[:0]).tolist() == []
