"""The arrival model: local hours, the level of the day, candidates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from twin.arrivals import (
    HEADROOM,
    Calendar,
    calendar,
    day_levels,
    expected_today,
    reached_by,
    unheard_today,
)
from twin.keys import keys_of
from twin.luck_loop import candidates
from twin.parameters import Stream
from twin.small_hospitals import START, Array

PARIS = "Europe/Paris"


def candidates_min(seed: int, hours: Calendar, expected: Array, together: float = 0.0) -> Array:
    """When those of one member come."""
    gaps, company = keys_of(seed, [0], 1), keys_of(seed, [0], 2)
    return candidates(gaps, company, reached_by(expected[None]), hours.edge_min, together)[0]


def stream(per_hour: Array, day_cv: float = 0.0) -> Stream:
    return Stream("emergency", "arrival", per_hour, np.ones((1, 1)), day_cv)


def test_the_calendar_of_a_run_has_its_parts_of_hours() -> None:
    hours = calendar(datetime(2026, 3, 2, 22, 40, tzinfo=UTC), 100.0, "UTC")
    assert hours.edge_min.tolist() == [0.0, 20.0, 80.0, 100.0]
    assert hours.hour_of_week.tolist() == [22, 23, 24]
    assert hours.day.tolist() == [0, 0, 1]
    assert hours.hour_of_day_at(np.array([0.0, 19.9, 20.0, 99.0])).tolist() == [22, 22, 23, 0]


@pytest.mark.parametrize(("midnight", "hours"), [((3, 28, 23), 23), ((10, 24, 22), 25)])
def test_a_day_on_which_clocks_change_has_its_hours(midnight: tuple[int, int, int], hours: int) -> None:
    month, day, hour = midnight
    found = calendar(datetime(2026, month, day, hour, tzinfo=UTC), hours * 60.0 + 60, PARIS)
    assert found.day.tolist() == [0] * hours + [1]
    assert found.hour_of_week[0] % 24 == 0
    assert found.hour_of_week[-1] % 24 == 0


def test_expected_today_counts_from_local_midnight() -> None:
    per_hour = np.tile(np.arange(24.0), 7)
    half_past_two = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # 2:30 in Paris
    assert expected_today(stream(per_hour), half_past_two, PARIS) == pytest.approx(0 + 1 + 2 * 0.5)
    assert expected_today(stream(per_hour), datetime(2026, 3, 1, 23, tzinfo=UTC), PARIS) == 0.0


def test_the_level_of_a_day_is_gamma_and_learns_from_what_was_seen() -> None:
    uniform = np.random.default_rng(1).random((20000, 2))
    free = np.array([day_levels(u, 0.2, seen=0, expected=0) for u in uniform[:4000]])
    assert free.mean(axis=0) == pytest.approx([1.0, 1.0], abs=0.015)
    assert free.std(axis=0) == pytest.approx([0.2, 0.2], abs=0.01)
    known = np.array([day_levels(u, 0.2, seen=150, expected=100) for u in uniform[:4000]])
    assert known[:, 0].mean() == pytest.approx((25 + 150) / (25 + 100), abs=0.01)
    assert known[:, 0].std() == pytest.approx((25 + 150) ** 0.5 / 125, abs=0.01)
    assert known[:, 1] == pytest.approx(free[:, 1]), "tomorrow knows nothing of today"
    assert day_levels(uniform[0], 0.0, seen=9, expected=1).tolist() == [1.0, 1.0]


def level_today(rng: np.random.Generator, believed_late: Array, late_min: float, silent_min: float = 0.0) -> float:
    """The mean level drawn at noon on days of the usual level, when arrivals are told so late, or not for a while."""
    noon, of = datetime(2026, 3, 2, 12, tzinfo=UTC), stream(np.full(168, 10.0), 0.2)
    expected = expected_today(of, noon, "UTC") - unheard_today(of, noon, "UTC", believed_late, silent_min)
    levels = []
    for level in rng.gamma(25.0, 1 / 25.0, 3000):
        came = rng.uniform(0.0, 720.0, rng.poisson(120.0 * level))
        seen = int((came + late_min <= 720.0 - silent_min).sum())
        levels.append(day_levels(np.full(1, 0.5), 0.2, seen=seen, expected=expected)[0])
    return float(np.mean(levels))


def test_arrivals_that_are_told_late_do_not_make_the_day_a_quiet_one() -> None:
    """With all arrivals to noon expected to be heard, the mutant, two hours' delay would look like a tenth fewer."""
    rng = np.random.default_rng(3)
    assert level_today(rng, np.full(50, 120.0), 120.0) == pytest.approx(1.0, abs=0.015)
    assert level_today(rng, np.full(50, 1.0), 1.0) == pytest.approx(1.0, abs=0.015)
    assert level_today(rng, np.zeros(50), 120.0) < 0.9


def test_a_feed_that_has_been_silent_does_not_make_the_day_a_quiet_one() -> None:
    rng = np.random.default_rng(3)
    assert level_today(rng, np.full(50, 1.0), 1.0, silent_min=180.0) == pytest.approx(1.0, abs=0.015)
    of, noon = stream(np.full(168, 10.0)), datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert unheard_today(of, noon, "UTC", np.full(9, 1.0), 180.0) == pytest.approx(30.0, abs=0.5)
    assert unheard_today(of, noon, "UTC", np.empty(0), 180.0) == 0.0
    assert unheard_today(of, datetime(2026, 3, 2, tzinfo=UTC), "UTC", np.full(9, 1.0), 0.0) == 0.0


def test_a_day_seen_in_groups_tells_less_of_its_level() -> None:
    uniform = np.random.default_rng(1).random((4000, 1))
    known = np.array([day_levels(u, 0.2, seen=150, expected=100, dispersion=2.0) for u in uniform])
    assert known.mean() == pytest.approx((25 + 75) / (25 + 50), abs=0.01)


@pytest.mark.parametrize("together", [0.0, 0.1])
def test_who_brings_another_along_makes_numbers_differ_more_and_not_higher(together: float) -> None:
    """Each alone, the mutant (0), numbers differ as in a Poisson stream."""
    hours = calendar(START, 2000 * 60.0, "UTC")
    at = candidates_min(4, hours, hours.expected(np.full(168, 5.0)) / (1.0 + together), together)
    counts = np.histogram(at, np.arange(0, 2001) * 60.0)[0]
    assert counts.mean() == pytest.approx(5.0 * HEADROOM, rel=0.02)
    told = replace(stream(np.full(168, 5.0)), together=together)
    assert counts.var() / counts.mean() == pytest.approx(told.dispersion, rel=0.06)
    assert (np.diff(at) >= 0).all()


def test_candidates_are_a_poisson_process_at_headroom_times_the_rate() -> None:
    per_hour = np.where(np.arange(168) % 24 < 12, 2.0, 6.0)
    hours = calendar(START, 200 * 1440.0, "UTC")
    at = candidates_min(3, hours, hours.expected(per_hour))
    morning = at % 1440 < 720
    assert morning.sum() == pytest.approx(HEADROOM * 2 * 12 * 200, rel=0.03)
    assert (~morning).sum() == pytest.approx(HEADROOM * 6 * 12 * 200, rel=0.02)
    counts = np.bincount((at // 60).astype(int), minlength=4800).reshape(-1, 24)
    assert counts[:, 6].var() / counts[:, 6].mean() == pytest.approx(1.0, abs=0.3)
    assert (np.diff(at) > 0).all()


def test_without_a_rate_nobody_comes_and_a_longer_horizon_keeps_who_came() -> None:
    day, week = calendar(START, 1440.0, "UTC"), calendar(START, 7 * 1440.0, "UTC")
    assert candidates_min(3, day, np.zeros(24)).size == 0
    short = candidates_min(3, day, day.expected(np.full(168, 4.0)))
    long = candidates_min(3, week, week.expected(np.full(168, 4.0)))
    assert np.allclose(long[: short.size], short)


def test_a_holiday_changes_its_own_day_and_no_other() -> None:
    """Paris, from noon on Christmas Eve: 36 hours, of which 24 are Christmas Day's."""
    noon = datetime(2025, 12, 24, 11, tzinfo=UTC)
    hours = calendar(noon, 36 * 60.0, "Europe/Paris")
    christmas = datetime(2025, 12, 25, tzinfo=UTC).date().toordinal()
    usual = Stream("emergency", "arrival", np.full(168, 10.0), np.ones((1, 1)))
    told = hours.expected_of(replace(usual, on_days=((christmas, 0.8),)))
    assert told.tolist() == [10.0] * 12 + [8.0] * 24
    assert hours.expected_of(usual).tolist() == [10.0] * 36
