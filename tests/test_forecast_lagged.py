"""Rivals that look further back than now: the right hour of the right day, and what departures have told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecast import baselines, lagged
from forecast.baselines import History, fit, forecasts
from forecast.lagged import CARRIED_H, back_to, carried
from forecast.scores import crps_quantiles
from forecast.usual import A_DAY, A_WEEK
from forecast.values import LEVELS, Array, Series

START = datetime(2026, 1, 5, tzinfo=UTC)
LEADS = (60.0, 720.0, 1440.0, 1500.0)
QUARTER = timedelta(minutes=15)


def history(values: Array, now: int | None = None) -> History:
    return History(START, {"ed_census": values}, "UTC", values.size - 1 if now is None else now)


def ramp(days: int = 21) -> Array:
    """Each quarter of an hour has a number of its own."""
    return np.arange(days * A_DAY, dtype=np.float64)


def middles(told: dict[str, dict[str, Series]], rival: str) -> Array:
    return told[rival]["ed_census"].mean


def test_the_last_known_value_whole_days_or_weeks_before_the_valid_time_is_looked_up() -> None:
    steps = np.array([4, 96, 97, 192, 193])
    assert back_to(steps, A_DAY).tolist() == [92, 0, 95, 0, 95]
    assert back_to(steps, A_WEEK).tolist() == [668, 576, 575, 480, 479]


def of_a_day(days: int = 28) -> Array:
    """The quarter hour of the day, and a hundred for each day: what is said tells which day is meant."""
    at = np.arange(days * A_DAY)
    return np.asarray(at % A_DAY + 100.0 * (at // A_DAY))


@pytest.mark.parametrize("late_h", [0, 5])
def test_the_same_hour_is_meant_also_where_the_feed_is_late(late_h: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from the end of what is known, the mutant, it would be another hour of the day."""
    past = history(of_a_day())
    at = past.as_of + timedelta(hours=late_h)

    def hours() -> Array:
        told = fit(past, lead_min=LEADS).ahead(at, past.now, past)
        return np.asarray(middles(told, "yesterday") - 100.0) % 100.0  # its change of a day is known: 100

    valid = (np.array([(at + timedelta(minutes=lead) - START) // QUARTER for lead in LEADS]) % A_DAY) % 100.0
    late = [(lead / 15 + late_h * 4) // A_DAY for lead in LEADS]
    same = np.array(late) == np.array([lead // 15 // A_DAY for lead in LEADS])
    assert hours()[same] == pytest.approx(valid[same])
    if late_h:
        monkeypatch.setattr(baselines, "_STEP", timedelta(days=99))
        assert np.abs(hours()[same] - valid[same]).max() > 10.0


def remembering(days: int, seed: int) -> Array:
    """A daily wave with departures that the last two hours tell of: what came up goes on for a while, then turns."""
    rng = np.random.default_rng(seed)
    departure = np.zeros(days * 24)
    for i in range(2, departure.size):
        departure[i] = 1.6 * departure[i - 1] - 0.8 * departure[i - 2] + rng.normal(0.0, 1.0)
    hourly = 40.0 + 8.0 * np.sin(2 * np.pi * np.arange(days * 24) / 24) + departure
    whole = np.full(days * A_DAY, np.nan)
    whole[::4] = hourly
    return whole


def mean_crps(values: Array, rival: str, first: int) -> float:
    scored = []
    rivals = fit(history(values, first), lead_min=(120.0, 240.0))
    for now in range(first, values.size - 20, 28):
        past = history(values, now)
        told = rivals.ahead(past.as_of, past.now, past)[rival]["ed_census"]
        cuts = np.stack([told.quantiles[level] for level in LEVELS], axis=-1)
        scored.append(crps_quantiles(cuts, values[now + np.array([8, 16])], levels=LEVELS).mean())
    return float(np.mean(scored))


def test_hours_before_now_tell_more_than_now_alone() -> None:
    """The share of the departure of now that lasts, the mutant, does not know that it will turn."""
    values = remembering(120, seed=2)
    first = 84 * A_DAY
    assert mean_crps(values, "autoregression", first) < 0.85 * mean_crps(values, "anomaly_persistence", first)


def test_errors_are_those_of_weeks_that_were_not_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors on the very weeks that were learned from, the mutant, promise too much."""
    values = remembering(35, seed=3)

    def width() -> float:
        told = forecasts(history(values[: values.size - 3]), lead_min=(1440.0,))["autoregression"]["ed_census"]
        return float(told.quantiles[0.9][0] - told.quantiles[0.1][0])

    honest = width()
    monkeypatch.setattr(lagged._Sums, "coefficients", _on_all(lagged._Sums.coefficients))
    assert width() < 0.97 * honest


Coefficients = Callable[[lagged._Sums, lagged.Mask], Array]


def _on_all(coefficients: Coefficients) -> Coefficients:
    return lambda sums, folds: coefficients(sums, np.ones_like(folds))


def test_what_is_not_known_is_as_the_last_one_for_three_hours_then_as_usual() -> None:
    gone = np.concatenate([[np.nan, 5.0], np.full(CARRIED_H * 4 + 2, np.nan)])
    assert carried(gone).tolist() == [0.0] + [5.0] * (CARRIED_H * 4 + 1) + [0.0] * 2


def test_without_a_history_they_say_nothing() -> None:
    past = history(ramp())
    told = fit(past, lead_min=LEADS).ahead(past.as_of, past.now)
    assert all(np.isnan(middles(told, name)).all() for name in lagged.LAGGED)
    assert not np.isnan(middles(told, "climatology")).any()


def test_a_history_from_after_the_issue_is_refused() -> None:
    past = history(ramp(), 15 * A_DAY)
    rivals = fit(past, lead_min=LEADS)
    with pytest.raises(ValueError, match="looks ahead"):
        rivals.ahead(past.as_of, past.now, replace(past, now_index=past.now_index + 1))


def test_a_year_is_looked_back_on_and_no_further() -> None:
    def said(values: Array) -> Array:
        return middles(forecasts(history(values), lead_min=(60.0,)), "autoregression")

    values = remembering(400, seed=5)[: 400 * A_DAY - 3]
    other, recent = values.copy(), values.copy()
    other[: 30 * A_DAY] = 999.0
    recent[100 * A_DAY : 101 * A_DAY] = 999.0
    assert (said(values) == said(other)).all()
    assert (said(values) != said(recent)).all()
