"""The pace of days: recovered where days differ, none where they do not, and one for a whole run."""

from __future__ import annotations

import numpy as np
import pytest

from twin.learned_durations import Cells
from twin.learned_path import Sample
from twin.pace import learn_pace, pace_of
from twin.story import Array, Visits


def days(sigma: float, *, count: int = 200, a_day: int = 100) -> Sample:
    """Exponential stays; those of a day share a factor of which the logarithm has a deviation of sigma."""
    chance = np.random.default_rng(5)
    day = np.repeat(np.arange(count), a_day)
    arrived = day * 1440.0 + chance.uniform(0, 1440.0, day.size)
    stay = chance.exponential(180.0, day.size) * np.exp(sigma * chance.standard_normal(count))[day]
    return sample(arrived, arrived + stay)


def sample(arrived: Array, departed: Array) -> Sample:
    nothing, none = np.full(arrived.size, np.nan), np.empty(0, dtype=np.int64)
    code = np.zeros(arrived.size, dtype=np.int64)
    visits = Visits(arrived, nothing, nothing, nothing, departed, code, code, none, none, np.empty(0), np.empty(0))
    return Sample(
        visits, nothing, code - 1, Cells(code, code, code, (1, 1, 1)), lambda at: np.zeros(at.size, dtype=np.int64)
    )


@pytest.mark.parametrize("sigma", [0.1, 0.25])
def test_how_much_days_differ_is_recovered(sigma: float) -> None:
    assert learn_pace(days(sigma)) == pytest.approx(sigma, rel=0.25)


def test_days_that_do_not_differ_have_one_pace() -> None:
    assert learn_pace(days(0.0)) < 0.05


def test_the_scatter_of_days_alone_would_be_taken_for_pace() -> None:
    """The mutant: without taking the noise of a day's mean away, equal days seem to differ."""
    stays = days(0.0, a_day=25)
    at = stays.visits
    log = np.log(np.maximum(at.departed_min - at.arrived_min, 1.0))
    means = [log[at.arrived_min // 1440 == d].mean() for d in range(200)]
    assert np.std(means) > 0.2
    assert learn_pace(stays) < 0.1


def test_a_pace_has_mean_one_and_none_is_exactly_one() -> None:
    uniform = (np.arange(2000) + 0.5) / 2000
    assert np.mean([pace_of(float(u), 0.2) for u in uniform]) == pytest.approx(1.0, abs=0.005)
    assert pace_of(0.87, 0.0) == 1.0
