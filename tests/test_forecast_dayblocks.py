"""Intervals that draw days anew hold what they should, all groups at once; single pairs would be too sure."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.dayblocks import band, mean_interval, ratio_interval, share_band
from forecast.floor import attained, floor_mae
from forecast.scores import pit_quantiles
from forecast.slices import BLOCKS, rank_shares, within
from forecast.values import LEVELS, Array

DAYS, HOURS = 60, 24
DAY = np.repeat(np.arange(DAYS), HOURS)
BLOCK = np.tile(np.arange(HOURS) // 4, DAYS)
NORMAL = np.array([-1.95996, -1.64485, -1.28155, -0.67449, 0.0, 0.67449, 1.28155, 1.64485, 1.95996])


def hospital(seed: int, width: float) -> Array:
    """Ranks of two months of hourly truths, alike within a day, among forecasts whose spread is `width` times right."""
    rng = np.random.default_rng(seed)
    came = 40.0 + 6.0 * (0.85 * np.repeat(rng.normal(size=DAYS), HOURS) + 0.527 * rng.normal(size=DAYS * HOURS))
    said = 40.0 + 6.0 * width * NORMAL + np.zeros((came.size, 1))
    return pit_quantiles(said, np.rint(came), levels=LEVELS, rng=rng)


def share_that_holds(width: float, day: np.ndarray = DAY, runs: int = 40) -> float:
    """How often the band of the coverage by hour block holds 0.8 in every block."""
    held = 0
    for seed in range(runs):
        found = band(within(hospital(seed, width)), BLOCK, BLOCKS, day, seed=seed, resamples=300)
        held += bool(np.all((found.low <= 0.8) & (found.high >= 0.8)))
    return held / runs


def test_the_band_holds_80_in_every_block_for_a_calibrated_forecast_and_not_for_a_60_percent_interval() -> None:
    assert share_that_holds(1.0) >= 0.85
    assert share_that_holds(0.84162 / 1.28155) == 0.0, "its 80 % interval holds 60 %"
    assert share_that_holds(1.0, day=np.arange(DAY.size)) < 0.8, "the mutant: pair by pair it is too sure"


def test_a_band_for_each_block_alone_is_too_narrow_for_all_at_once() -> None:
    """The mutant: 95 % for each of six blocks is not 95 % for the six."""
    alone = 0
    for seed in range(40):
        hit = within(hospital(seed, 1.0))
        ends = [mean_interval(hit[b == BLOCK], DAY[b == BLOCK], seed=seed, resamples=300) for b in range(BLOCKS)]
        alone += all(low <= 0.8 <= high for low, high in ends)
    assert alone / 40 < share_that_holds(1.0)


def test_means_of_groups_by_hand_and_an_empty_group_is_nan() -> None:
    values, group, day = np.array([1.0, 3.0, np.nan, 5.0]), np.array([0, 0, 0, 2]), np.arange(4)
    found = band(values, group, 3, day)
    assert found.mean[[0, 2]].tolist() == [2.0, 5.0]
    assert np.isnan(found.mean[1])
    assert found.n.tolist() == [2, 0, 1]
    assert np.isnan(found.low).all(), "below five days there is no band"


def test_the_band_of_shares_ends_at_none_and_at_all() -> None:
    """Five days apart from one another leave a share open as far as it goes; the mutant says fewer than none."""
    hit = np.repeat([0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 4)
    group, day = np.repeat([0, 1], 20), np.tile(np.repeat(np.arange(5), 4), 2)
    wide, found = band(hit, group, 2, day), share_band(hit, group, 2, day)
    assert found.mean.tolist() == [0.2, 0.8]
    assert wide.low[0] < 0.0 == found.low[0]
    assert wide.high[1] > 1.0 == found.high[1]
    assert (found.high[0], found.low[1]) == pytest.approx((0.517, 0.483), abs=1e-3)


def test_ranks_are_flat_only_if_the_spread_is_right() -> None:
    def flat(width: float) -> int:
        found = (rank_shares(hospital(seed, width), DAY, seed=seed) for seed in range(8))
        return sum(bool(np.all((shares.low <= 0.1) & (shares.high >= 0.1))) for shares in found)

    assert flat(1.0) >= 6
    assert flat(0.6) == 0
    assert rank_shares(hospital(3, 1.0), DAY).mean.sum() == pytest.approx(1.0)


def test_intervals_are_seeded_and_hold_the_mean() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, DAY.size)
    once, again = (mean_interval(values, DAY, seed=4) for _ in range(2))
    assert once == again
    assert once[0] < values.mean() < once[1]
    low, high = ratio_interval(values, values + 1.0, DAY)
    assert low < values.sum() / (values + 1.0).sum() < high
    assert np.isnan(mean_interval(values, np.zeros(values.size, dtype=np.int64))).all()


def test_what_can_be_had() -> None:
    # the mean absolute error of a Poisson count of 49 about its median is 5.59; the rule says 0.8 * 7
    came = np.random.default_rng(2).poisson(49.0, 200_000)
    assert floor_mae(np.full(3, 49.0)) == pytest.approx(5.6)
    assert np.abs(came - 49.0).mean() == pytest.approx(5.6, rel=0.01)
    assert np.isnan(floor_mae(np.array([np.nan])))
    assert attained(10.0, 7.0, 6.0) == pytest.approx(0.75)
    assert attained(10.0, 10.0, 6.0) == 0.0
    assert np.isnan(attained(5.0, 4.0, 6.0))
