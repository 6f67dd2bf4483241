"""Chances set from a budget of false alarms: events and outcomes by hand; forecasters known to be good or useless."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast import alert_budget
from forecast.alert_budget import (
    OWN,
    Trial,
    alarms,
    at_chance,
    chosen,
    events,
    judged,
    measured,
    minutes_of,
    once_a_part,
    setting,
)
from forecast.alert_levels import Limits, Standing, moved
from forecast.values import Array

START = datetime(2026, 3, 2, tzinfo=UTC)
LIMITS = Limits(0.2, 0.4, 0.7, timedelta(minutes=30))
HOUR = 60.0
ZERO = float(minutes_of([START])[0])


def grid(count: int, step_min: int = 15) -> list[datetime]:
    return [START + i * timedelta(minutes=step_min) for i in range(count)]


def found_events(values: list[float], *, is_over: bool = True, lasts_min: float = 30.0) -> list[tuple[float, float]]:
    """Onset and end in minutes from the first instant, for a threshold of 60."""
    at = grid(len(values))
    onset, end = events(np.array(values), np.full(len(values), 60.0), at, is_over=is_over, lasts_min=lasts_min)
    return [(a - ZERO, b - ZERO) for a, b in zip(onset.tolist(), end.tolist(), strict=True)]


def test_an_event_lasts_thirty_minutes_or_more() -> None:
    """Three instants a quarter of an hour apart are thirty minutes; two, and one that touches, are none."""
    assert found_events([50, 61, 61, 61, 50, 50]) == [(15.0, 60.0)]
    assert found_events([50, 61, 61, 50, 60, 60, 60, 60]) == []
    assert found_events([61, 61, np.nan, 61, 61, 61, 61]) == [(45.0, 90.0)], "what is not known ends it"
    assert found_events([70, 50, 50, 50, 70, 70], is_over=False) == [(15.0, 60.0)]
    assert found_events([50, 61, 50, 50], lasts_min=0) == [(15.0, 30.0)]


def test_an_event_counts_once_a_part_of_the_local_day() -> None:
    """Parts begin at 0, 6, 12 and 18 h of the hospital: an hour apart in UTC and in Paris."""
    onset = ZERO + HOUR * np.array([0.5, 3.0, 5.5, 12.0, 24.5])
    assert once_a_part(onset, "UTC").tolist() == [True, False, False, True, True]
    assert once_a_part(onset, "Europe/Paris").tolist() == [True, False, True, True, True]


def trial(p: Array, onset_h: list[float], *, lasts_h: float = 2.0, window_h: float = 8.0, every_min: int = 60) -> Trial:
    said = ZERO + every_min * np.arange(p.size, dtype=np.float64)
    onset = ZERO + HOUR * np.array(onset_h)
    return Trial(said, {OWN: p}, onset, onset + HOUR * lasts_h, np.ones(onset.size, dtype=bool), HOUR * window_h)


def one_alarm(first_h: int, last_h: int, hours: int = 48) -> Array:
    """Certain from one hour to before another, nothing else."""
    p = np.zeros(hours)
    p[first_h:last_h] = 1.0
    return p


@pytest.mark.parametrize(
    ("first_h", "last_h", "seen", "notice_min", "false"),
    [
        (10, 14, True, 120.0, 0),  # raised two hours before the event at 12 h, and still on
        (10, 11, False, None, 0),  # over before it began, though it was right
        (12, 14, False, None, 0),  # raised as it began: too late, and no false one
        (13, 14, False, None, 0),  # raised while it goes on
        (20, 22, False, None, 1),  # nothing came within eight hours
        (2, 14, True, 480.0, 1),  # eight hours for nothing, then right: notice is the window at the most
        (1, 3, False, None, 1),
    ],
)
def test_an_outcome_by_hand(first_h: int, last_h: int, seen: bool, notice_min: float | None, false: int) -> None:
    found = judged(trial(one_alarm(first_h, last_h), [12.0]), one_alarm(first_h, last_h), LIMITS)
    told = None if np.isnan(found.notice_min[0]) else float(found.notice_min[0])
    assert (bool(found.seen[0]), told, found.false_min.size) == (seen, notice_min, false)


def test_an_alarm_that_is_always_on_is_false_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant counts an alarm once, however long it stays on: then the one that is always on would be the best."""
    always = np.ones(24 * 28)
    whole = trial(always, [100.0])
    assert judged(whole, always, LIMITS).false_a_week > 15
    assert chosen(whole, OWN, LIMITS, 1.0) is None
    once = lambda t, raised, cleared: raised  # noqa: E731
    monkeypatch.setattr(alert_budget, "_false", once)
    assert chosen(whole, OWN, LIMITS, 1.0) is not None


DAYS = 60
DAILY = [24.0 * day + 15.0 for day in range(0, DAYS, 3)]
"""Every third day at 15 h."""


def forecaster(skill: float, seed: int = 3) -> Array:
    """Chances every hour, higher in the six hours before an event the more skill there is."""
    rng = np.random.default_rng(seed)
    noise = rng.beta(1.0, 3.0, size=24 * DAYS)
    hours = np.arange(24 * DAYS)
    before = np.any([(hours >= h - 6) & (hours <= h) for h in DAILY], axis=0)
    chances: Array = np.clip((1 - skill) * noise + skill * before, 0.0, 1.0)
    return chances


def test_a_perfect_forecaster_sees_every_event_with_all_of_its_notice() -> None:
    found = measured(trial(forecaster(1.0), DAILY), OWN, LIMITS, 1.0)
    assert (found.hits, found.events) == (20, 20)
    assert found.notice_min == (360.0, 360.0, 360.0)
    assert found.false_a_week == (0.0, 0.0, 0.0)


def test_better_forecasters_see_more_at_the_same_budget_and_noise_next_to_nothing() -> None:
    rates = []
    for skill in (0.0, 0.3, 0.7):
        found = measured(trial(forecaster(skill), DAILY), OWN, LIMITS, 1.0)
        assert found.hit_rate is not None
        rates.append(found.hit_rate[0])
    assert rates[0] < 0.15 < rates[1] < 0.9 < rates[2]


@pytest.mark.parametrize("budget", [0.5, 1.0, 3.0])
def test_the_chance_that_is_set_keeps_to_the_budget(budget: float) -> None:
    for seed in range(6):
        whole = trial(forecaster(0.25, seed), DAILY)
        p = chosen(whole, OWN, LIMITS, budget)
        if p is not None:
            assert judged(whole, whole.chances[OWN], at_chance(LIMITS, p)).false_a_week <= budget


def test_a_chance_set_for_hits_alone_breaks_it() -> None:
    """The mutant: a budget that nothing is held to."""
    whole = trial(forecaster(0.25, 0), DAILY)
    p = chosen(whole, OWN, LIMITS, 1e9)
    assert p is not None
    assert judged(whole, whole.chances[OWN], at_chance(LIMITS, p)).false_a_week > 3.0


def test_figures_are_not_those_of_the_days_on_which_the_chance_was_set() -> None:
    """Of noise, the chance that fits a period best does worse on another: reported is the other."""
    inside, outside = [], []
    for seed in range(8):
        whole = trial(forecaster(0.0, seed), DAILY)
        p = chosen(whole, OWN, LIMITS, 1.0)
        inside.append(0 if p is None else int(judged(whole, whole.chances[OWN], at_chance(LIMITS, p)).seen.sum()))
        outside.append(measured(whole, OWN, LIMITS, 1.0).hits)
    assert sum(outside) < sum(inside)


def test_intervals_hold_their_figures_and_narrow_with_more_days() -> None:
    found = measured(trial(forecaster(0.3), DAILY), OWN, LIMITS, 1.0)
    for three in (found.hit_rate, found.false_a_week, found.notice_min):
        assert three is not None
        assert three[1] <= three[0] <= three[2]
    assert found.hit_rate is not None
    assert 0 < found.hit_rate[2] - found.hit_rate[1] < 0.6


def test_a_setting_needs_weeks_and_events_and_has_the_rivals_beside_it() -> None:
    rivals = {"persistence": forecaster(0.2), "silent": np.full(24 * DAYS, np.nan)}
    whole = trial(forecaster(0.6), DAILY)
    whole = replace(whole, chances={**whole.chances, **rivals})
    found = setting(whole, LIMITS, 1.0, START)
    assert found is not None
    assert (found.days, found.own.name, [r.name for r in found.rivals]) == (60.0, OWN, ["persistence"])
    assert setting(whole.part(ZERO, ZERO + 20 * 24 * HOUR), LIMITS, 1.0, START) is None
    assert setting(replace(whole, counted=np.zeros(20, dtype=bool)), LIMITS, 1.0, START) is None


def by_the_house(p: list[float], limits: Limits) -> tuple[list[float], list[float]]:
    """The hours of alarms, by the levels that the house itself moves by."""
    standing, raised, cleared = Standing(), list[float](), list[float]()
    for hour, chance in enumerate(p):
        before, standing = standing, moved(standing, chance, limits, START + hour * timedelta(hours=1))
        if standing.level == "alert" != before.level:
            raised.append(hour)
        elif before.level == "alert" != standing.level:
            cleared.append(hour)
    return raised, cleared


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.14, 0.2, 0.27, 0.28, 0.39, 0.4, 0.41, 1.0]), max_size=60),
    st.sampled_from([0.0, 30.0, 60.0, 150.0]), st.sampled_from([0.4, 0.7, 1.0]),
)  # fmt: skip
def test_alarms_are_those_of_the_houses_own_levels(p: list[float], dwell_min: float, falls_at: float) -> None:
    limits = replace(LIMITS, dwell=timedelta(minutes=dwell_min), falls_at=falls_at)
    raised, cleared = alarms(np.array(p), ZERO + 60.0 * np.arange(len(p), dtype=np.float64), limits)
    told = ((raised - ZERO) / 60).tolist(), ((cleared[np.isfinite(cleared)] - ZERO) / 60).tolist()
    assert told == by_the_house(p, limits)


def test_what_says_nothing_moves_nothing() -> None:
    p = np.array([0.5, np.nan, np.nan, 0.5])
    raised, cleared = alarms(p, ZERO + 60.0 * np.arange(4, dtype=np.float64), LIMITS)
    assert (((raised - ZERO) / 60).tolist(), cleared.tolist()) == ([0.0], [np.inf])
