"""The level of the last day: followed when it changed, left alone when it did not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from twin import levels
from twin.levels import lasting_now, level_now, levels_after

Array = npt.NDArray[np.float64]

A_DAY = 120.0
CV, MEMORY = 0.08, 0.3
"""How much days differ, and how much each resembles the next, as in the fabricated hospitals."""
HALF_LIFE_DAYS = 10.0


def ratios(level: Array, seed: int) -> Array:
    """What came on each day over what was expected, `(day,)`."""
    chance = np.random.default_rng(seed)
    score = chance.normal(size=level.size)
    for day in range(1, level.size):
        score[day] = MEMORY * score[day - 1] + (1 - MEMORY**2) ** 0.5 * score[day]
    return np.asarray(chance.poisson(A_DAY * level * np.exp(CV * score - CV**2 / 2)) / A_DAY)


def found(level: Array, streams: int = 40) -> Array:
    return np.array([level_now(ratios(level, seed), np.full(level.size, 1 / A_DAY)) for seed in range(streams)])


def forgetting(level: Array, streams: int = 40) -> Array:
    """The mutant: a weighted mean, days of so long ago counting half, whatever they tell."""
    weight = 0.5 ** (np.arange(level.size)[::-1] / HALF_LIFE_DAYS)
    return np.array([weight @ ratios(level, seed) / weight.sum() for seed in range(streams)])


def rising(days: int, since: int, factor: float) -> Array:
    return np.where(np.arange(days) >= days - since, factor, 1.0)


def test_a_rise_by_fifteen_in_a_hundred_is_followed_in_the_third_week() -> None:
    risen = rising(120, 17, 1.15)
    assert found(risen).mean() == pytest.approx(1.15, abs=0.025)
    assert forgetting(risen).mean() < 1.15 - 0.035


def test_while_nothing_changes_it_is_as_steady_as_a_long_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    level = np.ones(120)

    def off(values: Array) -> float:
        return float(np.sqrt(np.mean((values - 1.0) ** 2)))

    steady = off(found(level, 80))
    assert steady < 1.25 * off(forgetting(level, 80))
    monkeypatch.setattr(levels, "CHANGES_EVERY_DAYS", 3.0)
    assert off(found(level, 80)) > 1.4 * steady, "the mutant expects changes all the time"


def test_an_epidemic_that_is_over_is_a_change_back() -> None:
    """Nine days of a fifth more, ended ten days ago: what was before it counts again."""
    level = np.ones(120)
    level[101:110] = 1.2
    since_it_began = np.array([ratios(level, seed)[101:].mean() for seed in range(40)])
    assert found(level).mean() == pytest.approx(1.0, abs=0.035)
    assert since_it_began.mean() > 1.08, "the mutant forgets what was before a change for good"


def test_where_a_few_come_a_day_a_few_more_are_no_change() -> None:
    chance = np.random.default_rng(4)
    few = [chance.poisson(0.6, 200) / 0.6 for _ in range(40)]
    told = np.array([level_now(days, np.full(200, 1 / 0.6)) for days in few])
    weight = 0.5 ** (np.arange(200)[::-1] / HALF_LIFE_DAYS)
    assert told.std() < 0.16
    assert np.std([weight @ days / weight.sum() for days in few]) > 0.2, "the mutant"


def test_days_that_are_not_known_are_passed_over() -> None:
    days = ratios(rising(120, 20, 1.3), 1)
    gaps = days.copy()
    gaps[::5] = np.nan
    assert level_now(gaps, np.full(120, 1 / A_DAY)) == pytest.approx(level_now(days, np.full(120, 1 / A_DAY)), abs=0.06)
    assert level_now(np.full(3, np.nan), np.ones(3)) == 1.0
    assert level_now(np.empty(0), np.empty(0)) == 1.0


def test_one_day_is_half_believed() -> None:
    assert 1.0 <= level_now(np.array([1.4]), np.array([0.01])) <= 1.4


# --- how long things last


def stays(days: int, a_day: int, longer: Array, seed: int = 1) -> tuple[Array, Array]:
    """Days and minutes of stays of 100 minutes in the mean, as they differ."""
    chance = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), a_day).astype(np.float64)
    return day, chance.lognormal(np.log(100.0) - 0.32, 0.8, day.size) * longer[day.astype(np.int64)]


def test_stays_that_became_longer_are_followed_within_ten_days() -> None:
    longer = rising(60, 10, 1.15)
    samples = [stays(60, 80, longer, seed) for seed in range(30)]
    told = [lasting_now(day, minutes, np.full(day.size, 100.0)) for day, minutes in samples]
    assert np.mean(told) == pytest.approx(1.15, abs=0.03)
    assert np.mean([minutes.mean() / 100.0 for _, minutes in samples]) < 1.05, "the mutant takes all days alike"


def test_a_few_stays_a_day_say_little() -> None:
    told = [lasting_now(d, m, np.full(d.size, 100.0)) for d, m in (stays(60, 1, np.ones(60), s) for s in range(30))]
    assert float(np.std(told)) < 0.15


def test_a_day_without_a_stay_is_no_day() -> None:
    day, minutes = stays(60, 40, np.ones(60))
    some = day % 7 != 0
    assert lasting_now(day[some], minutes[some], np.full(int(some.sum()), 100.0)) == pytest.approx(1.0, abs=0.08)


def test_a_day_on_which_the_feed_was_down_is_no_new_level(monkeypatch: pytest.MonkeyPatch) -> None:
    days = ratios(np.ones(120), 2)
    days[-1] = 0.0
    chance = np.full(120, 1 / A_DAY)
    sound = level_now(days[:-1], chance[:-1])
    assert level_now(days, chance) == pytest.approx(sound, abs=0.07)
    monkeypatch.setattr(levels, "FARTHEST", np.inf)
    assert level_now(days, chance) < sound - 0.2, "the mutant believes any day"


def gaps_of_its_own(seed: int, gaps: int) -> Array:
    days = ratios(rising(120, 20 + 7 * seed, 1.2), seed)
    days[np.random.default_rng(seed).choice(days.size, gaps, replace=False)] = np.nan
    return days


def alone_as_side_by_side() -> bool:
    rows = [gaps_of_its_own(seed, gaps) for seed, gaps in enumerate((0, 0, 5, 119, 120, 0))]
    return np.array_equal(levels_after(np.stack(rows)), np.stack([levels_after(row) for row in rows]))


def test_several_are_followed_side_by_side_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant takes those of all rows together for the noise of each."""
    assert alone_as_side_by_side()
    true = levels._spread
    monkeypatch.setattr(levels, "_spread", lambda ratio: np.full(len(ratio), true(ratio).mean()))
    assert not alone_as_side_by_side()
