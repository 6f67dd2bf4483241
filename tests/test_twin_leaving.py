"""The clock of a ward: when in the week it lets patients go."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from twin.leaving import HOURS_A_WEEK, Timeline, clocks, lasted, learn_leaving, on_clock
from twin.minutes import Minutes

MONDAY = Minutes(datetime(2026, 3, 2, tzinfo=UTC))
DAY_MIN = 1440.0
AT_NOON = np.where(np.arange(HOURS_A_WEEK) % 24 == 12, 23.0, 0.04347826)
EVEN = np.ones(HOURS_A_WEEK)


def lasting(timeline: Timeline, speed: np.ndarray, start_min: np.ndarray, clock_min: np.ndarray) -> np.ndarray:
    """In how many minutes the clock goes on by so much from each start on."""
    [shown] = clocks(timeline.edge_min, timeline.hour_of_week, speed[None, :]).tolist()
    edge = timeline.edge_min.tolist()
    return np.array([on_clock(edge, shown, a, b) for a, b in zip(start_min.tolist(), clock_min.tolist(), strict=True)])


def week(days: float = 7.0, zone: str = "UTC") -> Timeline:
    return Timeline.of(MONDAY, 0.0, days * DAY_MIN, zone)


def test_at_speed_one_a_clock_shows_the_minutes() -> None:
    at = np.array([0.0, 90.0, 5000.0])
    assert week().shown(EVEN, at) == pytest.approx(at)
    assert lasting(week(), EVEN, np.array([100.0]), np.array([77.0])) == pytest.approx(77.0)


def test_a_stay_that_is_nearly_over_ends_at_the_next_noon() -> None:
    left = lasting(week(), AT_NOON, np.array([14 * 60.0]), np.array([700.0]))
    assert 22 * 60 - 60 < left[0] < 23 * 60


def test_what_the_clock_shows_and_how_long_it_takes_are_inverse() -> None:
    chance = np.random.default_rng(1)
    start, stay = chance.uniform(0, 3 * DAY_MIN, 500), chance.uniform(1, 3 * DAY_MIN, 500)
    on_clock = lasted(week(), AT_NOON[None, :], np.zeros(500, dtype=np.int64), start, start + stay)
    assert lasting(week(), AT_NOON, start, on_clock) == pytest.approx(stay, abs=1e-6)


def test_beyond_its_last_hour_a_clock_goes_at_speed_one() -> None:
    assert lasting(week(1.0), EVEN * 2, np.array([0.0]), np.array([2 * DAY_MIN + 50.0])) == pytest.approx(DAY_MIN + 50)


def test_hours_are_local_and_true_on_the_night_when_clocks_change() -> None:
    summer = Timeline.of(Minutes(datetime(2026, 3, 29, tzinfo=UTC)), 0.0, 6 * 60.0, "Europe/Paris")
    assert (summer.hour_of_week % 24).tolist() == [1, 3, 4, 5, 6, 7]


def stays(weeks: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Exponential stays of two days, ended at the next noon; on Saturdays and Sundays half wait for one more."""
    chance = np.random.default_rng(2)
    start = np.sort(chance.uniform(0, weeks * 7 * DAY_MIN, weeks * 300))
    noon = np.ceil((start + chance.exponential(2 * DAY_MIN, start.size)) / DAY_MIN - 0.5) + 0.5
    for _ in range(2):
        noon += (noon % 7 > 5) & (chance.random(start.size) < 0.5)
    return start, noon * DAY_MIN + chance.uniform(0, 50, start.size)


def learned(zone: str = "UTC") -> np.ndarray:
    start, end = stays()
    timeline = Timeline.of(MONDAY, 0.0, 20 * 7 * DAY_MIN, zone)
    return learn_leaving(timeline, start, np.minimum(end, 20 * 7 * DAY_MIN), end < 20 * 7 * DAY_MIN)


def test_the_hours_at_which_patients_leave_are_learned() -> None:
    speed = learned()
    assert speed.mean() == pytest.approx(1.0)
    hour = np.arange(HOURS_A_WEEK) % 24
    assert speed[hour == 12].min() > 5.0
    assert speed[hour != 12].max() < 0.1


def test_fewer_leave_at_weekends() -> None:
    noon = learned()[np.arange(HOURS_A_WEEK) % 24 == 12]
    assert 0.3 < noon[5:].mean() / noon[:5].mean() < 0.75


def test_more_leave_on_the_day_after_the_weekend() -> None:
    """Those whom the weekend kept: all who lie there are likelier to leave on a Monday, though none is fitter."""
    noon = learned()[np.arange(HOURS_A_WEEK) % 24 == 12]
    assert noon[0] > 1.1 * noon[2:5].mean()


def test_a_weekday_hardly_seen_is_taken_to_be_like_the_others() -> None:
    start, end = stays(weeks=1)
    few = np.arange(start.size) % 20 == 0
    timeline = Timeline.of(MONDAY, 0.0, 7 * DAY_MIN, "UTC")
    end = np.minimum(end, 7 * DAY_MIN)
    noon = learn_leaving(timeline, start[few], end[few], end[few] < 7 * DAY_MIN)[np.arange(HOURS_A_WEEK) % 24 == 12]
    assert noon[:5].max() / noon[:5].min() < 1.5


def test_on_its_clock_a_stay_is_as_likely_to_end_now_as_later_and_in_minutes_it_is_not() -> None:
    """Memoryless on the clock; the mutant, minutes, has a hazard that comes and goes with noon."""
    start, end = stays()
    timeline, speed = Timeline.of(MONDAY, 0.0, 30 * 7 * DAY_MIN, "UTC"), learned()
    on_clock = lasted(timeline, speed[None, :], np.zeros(start.size, dtype=np.int64), start, end)
    morning = start % DAY_MIN < 600.0
    assert np.mean(on_clock[morning] < 400.0) == pytest.approx(np.mean(on_clock[~morning] < 400.0), abs=0.05)
    in_minutes = end - start
    assert abs(np.mean(in_minutes[morning] < 700.0) - np.mean(in_minutes[~morning] < 700.0)) > 0.08
