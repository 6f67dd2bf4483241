"""Rivals that follow their level: back on the right side soon after a change, no worse while nothing changes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from forecast import levelled
from forecast.baselines import History, fit
from forecast.calibrated import weighed
from forecast.levelled import FOLLOWERS, LEVELLED, level_before, level_by_day
from forecast.scores import crps_quantiles
from forecast.values import LEVELS, Array

START = datetime(2025, 1, 6, tzinfo=UTC)
DAY = 96
LEADS = (60.0, 240.0, 720.0, 1440.0)


def days_of(count: int, seed: int = 5, *, shifted_from: int | None = None, by: float = 1.15) -> Array:
    """Counts around a wave over the day, at another level from a day on; days differ, and hours within them."""
    rng, hour = np.random.default_rng(seed), np.arange(count * DAY) % DAY / 4.0
    level = np.where(np.arange(count) >= (count if shifted_from is None else shifted_from), by, 1.0)
    day = np.repeat(level * rng.normal(1.0, 0.06, count), DAY)
    return np.asarray(
        np.maximum(0.0, (40.0 + 15.0 * np.sin(2 * np.pi * (hour - 8.0) / 24.0)) * day + rng.normal(0, 2.0, day.size))
    )


def history(values: Array) -> History:
    return History(START, {"ed_census": values}, "UTC", values.size - 1)


def bias_and_crps(values: Array, first: int, name: str) -> tuple[float, float]:
    """Of forecasts from noon of each day from one on, at all leads."""
    off, crps = [], []
    for day in range(first, values.size // DAY - 1):
        now = day * DAY + DAY // 2
        past = history(values[: now + 1])
        said = fit(past, lead_min=LEADS).ahead(past.as_of, past.now, past)[name]["ed_census"]
        came = values[now + (np.array(LEADS) // 15).astype(int)]
        cuts = np.stack([said.quantiles[q] for q in LEVELS], axis=-1)
        off.append(said.mean - came)
        crps.append(crps_quantiles(cuts, came, levels=LEVELS))
    return float(np.mean(off)), float(np.mean(crps))


@pytest.mark.parametrize("name", list(FOLLOWERS))
def test_two_weeks_after_a_change_the_one_that_follows_is_right_again(name: str) -> None:
    values = days_of(107, shifted_from=84)
    late, late_crps = bias_and_crps(values, 98, name)
    follows, crps = bias_and_crps(values, 98, FOLLOWERS[name])
    assert late < -2.0, "the one that does not follow is still too low"
    assert abs(follows) < 0.4 * abs(late)
    assert crps < late_crps


@pytest.mark.parametrize("name", list(FOLLOWERS))
def test_while_nothing_changes_following_costs_next_to_nothing(name: str) -> None:
    values = days_of(96, seed=11)
    _, stays = bias_and_crps(values, 80, name)
    _, follows = bias_and_crps(values, 80, FOLLOWERS[name])
    assert follows < 1.04 * stays


def test_a_level_is_known_only_once_its_day_is_over() -> None:
    by_day = np.array([1.0, 2.0, 3.0])
    seen = level_before(by_day, np.array([0, 1]), 3 * DAY)
    assert seen[:, 0].tolist() == [1.0] * (DAY - 1) + [1.0] * DAY + [2.0] * DAY + [3.0]
    assert seen[-1].tolist() == [3.0, 2.0]


def test_one_that_looked_into_the_running_day_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the level of the day that is not over yet. It makes errors look smaller than they will be."""
    values = days_of(60, seed=3, shifted_from=40, by=1.5)

    def spread() -> float:
        said = fit(history(values), lead_min=LEADS).ahead(history(values).as_of, history(values).now)
        of = said["level_climatology"]["ed_census"].quantiles
        return float((of[0.9] - of[0.1]).mean())

    honest = spread()
    monkeypatch.setattr(levelled, "level_before", lambda by_day, steps, size: level_before(by_day, steps - DAY, size))
    assert spread() < 0.99 * honest


def test_what_can_be_below_zero_and_what_is_never_there_have_no_level() -> None:
    usual = np.full(3 * DAY, 2.0)
    assert level_by_day(usual - 3.0, usual).tolist() == [1.0] * 3
    assert level_by_day(np.zeros(3 * DAY), np.zeros(3 * DAY)).tolist() == [1.0] * 3
    assert level_by_day(np.full(10, 4.0), np.full(10, 2.0)).tolist() == [1.0]


def test_a_day_of_which_nothing_is_known_leaves_the_level() -> None:
    values = days_of(30, shifted_from=15)
    values[-2 * DAY :] = np.nan
    found = level_by_day(values, days_of(30, seed=6))
    assert found[-1] == found[-3]
    assert found[-1] > 1.05


def test_without_a_value_now_both_say_the_usual_at_its_level() -> None:
    past = history(days_of(40, shifted_from=20))
    found = fit(past, lead_min=LEADS).ahead(past.as_of, {"ed_census": np.nan})
    assert found["level_anomaly"]["ed_census"].mean.tolist() == found["level_climatology"]["ed_census"].mean.tolist()


def test_of_two_that_do_the_same_the_one_that_follows_is_weighed() -> None:
    names = ("persistence", "climatology", "anomaly_persistence", *LEVELLED)
    assert list(weighed(dict.fromkeys(names, 1))) == ["persistence", *LEVELLED]
    assert list(weighed(dict.fromkeys(names[:3], 1))) == list(names[:3]), "an archive of before knows no others"
