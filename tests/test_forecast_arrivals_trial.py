"""The arrival model back-tested by itself: no look-ahead, scores by hand, rivals that lose where they must."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from forecast import arrivals_boosted, arrivals_trial
from forecast.arrivals_boosted import MISSING, Boosted
from forecast.arrivals_trial import (
    BOOSTED,
    CLIMATOLOGY,
    LAST_WEEK,
    MODEL,
    Arrivals,
    Trial,
    arrivals_of,
    by_climatology,
    by_last_week,
    by_model,
    in_words,
    trial,
)
from forecast.errors import ForecastError
from tests.histories import hospital, told, whole_log
from twin.minutes import Minutes

START = datetime(2025, 1, 6, tzinfo=UTC)
MINUTES = Minutes(datetime(1970, 1, 1, tzinfo=UTC))
FIRST, LAST = START + timedelta(days=60), START + timedelta(days=95)


@cache
def drawn(days: int = 100, *, late_min: float = 5.0, shift_on: int | None = None) -> Arrivals:
    """Ten an hour by day, five by night, fewer on Sundays; a fifth more from a day on, where one is given."""
    chance = np.random.default_rng(3)
    start = MINUTES.of(START) + 60.0 * np.arange(24 * days)
    hour, day = np.arange(24 * days) % 24, np.arange(24 * days) // 24
    rate = np.where(hour < 8, 5.0, 10.0) * np.where(day % 7 == 6, 0.7, 1.0)
    rate *= np.where(day >= (days if shift_on is None else shift_on), 1.2, 1.0)
    level = chance.gamma(300.0, 1 / 300.0, days)
    came = chance.poisson(rate * level[day])
    at = np.concatenate([s + np.sort(chance.random(n)) * 60 for s, n in zip(start, came, strict=True)])
    return Arrivals(MINUTES, at, at + late_min)


@cache
def tried(*, boosted: bool = False) -> Trial:
    return trial(drawn(), hospital(), FIRST, LAST, boosted=boosted)


def test_every_whole_day_of_the_period_is_forecast_and_scored_by_hour_and_in_total() -> None:
    found = tried()
    assert (found.first_day, found.days) == (date(2025, 3, 8), 34)  # local midnights, not those of UTC
    assert list(found.by_hour) == list(found.by_day) == [MODEL, CLIMATOLOGY, LAST_WEEK]
    hour, day = found.by_hour[MODEL], found.by_day[MODEL]
    assert hour.crps < hour.mae < 3.2  # Poisson with a mean of 8: mean distance from the median 2.3
    assert day.mae == pytest.approx(0.8 * np.hypot(14.0, 0.06 * 196.0), rel=0.4)
    assert abs(day.bias) < 6


def test_the_model_beats_last_week_and_is_no_worse_than_climatology() -> None:
    skill = tried().skill
    assert skill["hour"][LAST_WEEK][1] > 0.1
    assert skill["day"][LAST_WEEK][0] > 0.1
    assert skill["hour"][CLIMATOLOGY][0] > -0.01


def test_after_a_shift_the_model_is_back_before_climatology() -> None:
    shifted = drawn(shift_on=55)
    found = trial(shifted, hospital(), FIRST, LAST, boosted=False)
    assert found.skill["day"][CLIMATOLOGY][1] > 0.1
    assert found.by_day[CLIMATOLOGY].bias < found.by_day[MODEL].bias < 5


def test_it_is_the_same_each_time_and_another_seed_differs_a_little() -> None:
    again = trial(drawn(), hospital(), FIRST, LAST, boosted=False)
    assert again.as_json() == tried().as_json()
    other = trial(drawn(), hospital(), FIRST, LAST, boosted=False, seed=2).by_hour[MODEL].crps
    assert other == pytest.approx(tried().by_hour[MODEL].crps, rel=0.02)
    assert other != tried().by_hour[MODEL].crps


METHODS = {
    MODEL: lambda day, dice: by_model(day, hospital(), dice), CLIMATOLOGY: by_climatology, LAST_WEEK: by_last_week,
    BOOSTED: lambda day, dice: _boosted().members(day, dice, 50),
}  # fmt: skip


def _boosted() -> Boosted:
    pytest.importorskip("lightgbm", reason="LightGBM, the extra boosted, is not installed")
    return Boosted(hospital())


def forecast_of(arrivals: Arrivals, method: Any) -> Any:
    calendar = arrivals_trial._calendar(arrivals, hospital().zone, LAST)
    day, _ = arrivals_trial._day(arrivals, calendar, FIRST.date().toordinal() + 2, hospital().zone)
    return method(day, np.random.default_rng(1))


@pytest.mark.parametrize("name", METHODS)
def test_what_becomes_known_later_changes_no_bit(name: str) -> None:
    now, found = MINUTES.of(FIRST) + 2 * 1440 - 60.0, drawn(late_min=600.0)  # local midnight; recorded ten hours late
    later = replace(found, at_min=np.where(found.known_min > now, found.at_min + 7.0, found.at_min))
    assert np.array_equal(forecast_of(later, METHODS[name]), forecast_of(found, METHODS[name]))
    looks_ahead = replace(found, known_min=found.at_min)  # the mutant: all is taken as known at once
    assert not np.array_equal(forecast_of(looks_ahead, METHODS[name]), forecast_of(found, METHODS[name]))


def test_the_day_on_which_clocks_change_has_its_own_hours() -> None:
    calendar = arrivals_trial._calendar(drawn(), hospital().zone, LAST)
    hours = [
        arrivals_trial._day(drawn(), calendar, date(2025, 3, day).toordinal(), hospital().zone)[1].size
        for day in (29, 30, 31)
    ]
    assert hours == [24, 23, 24]


def test_the_total_is_scored_from_sums_of_members() -> None:
    members = np.array([[1.0, 3.0], [2.0, 6.0]])
    hours, total = arrivals_trial._scored(members, np.array([2.0, 4.0]))
    # members of the total are 3 and 9, it was 6: crps = 3 - 6 / 2 (fair) = 0
    assert total[1] == pytest.approx(0.0)
    assert total[3] == pytest.approx(0.0)
    assert hours[0] == pytest.approx(0.0)
    assert total[0] == pytest.approx(0.0)


def test_too_short_a_period_is_refused_with_a_sentence() -> None:
    with pytest.raises(ForecastError, match="from 28 days after the first on"):
        trial(arrivals_of(whole_log()), hospital(), START, LAST)


def test_arrivals_are_read_from_a_log_as_they_became_known() -> None:
    found = arrivals_of(whole_log())
    wanted = [e for e in told().events if type(e).__name__ == "Arrived"]
    assert found.at_min.size == len(wanted)
    assert found.at_min.sum() == pytest.approx(MINUTES.of_many([e.occurred_at for e in wanted]).sum())
    assert (found.known_min >= found.at_min).all()


# --- gradient boosting


def test_without_lightgbm_the_trial_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals_boosted, "find_spec", lambda _: None)
    found = trial(drawn(), hospital(), FIRST, FIRST + timedelta(days=4))
    assert found.missing == {BOOSTED: MISSING}
    assert list(found.by_hour) == [MODEL, CLIMATOLOGY, LAST_WEEK]
    assert list(in_words(found))[-1] == f"boosted: {MISSING}"


def test_boosting_learns_the_hours_and_how_much_days_differ() -> None:
    pytest.importorskip("lightgbm", reason="LightGBM, the extra boosted, is not installed")
    found = tried(boosted=True)
    assert found.by_hour[BOOSTED].crps < found.by_hour[LAST_WEEK].crps
    assert abs(found.skill["hour"][BOOSTED][0]) < 0.1
    assert found.missing == {}
