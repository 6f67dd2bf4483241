"""Weights: the better one is heeded, two that err apart are better together, and nothing is learned from the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from forecast.scores import crps_quantiles
from forecast.values import LEVELS, Array
from forecast.verify import Pairs, RivalScores
from forecast.weighting import Told, combined, heed_of, level_shares, spoken, weights, weights_by_block
from tests.test_forecast_calibrated import CAME, pairs
from tests.weighed import crps_of, published

NORMAL = ndtri(np.array(LEVELS))
EQUAL = np.array([0.5, 0.5])


def normal(middle: Array, sd: float) -> Array:
    return np.asarray(middle[:, None] + sd * NORMAL)


def told(n: int, *sds: float, seed: int = 1) -> Told:
    """Forecasters that err apart from one another, each honest about how much."""
    rng = np.random.default_rng(seed)
    came = rng.normal(50.0, 10.0, n)
    said = np.stack([normal(came + rng.normal(0.0, sd, n), sd) for sd in sds], axis=1)
    return Told(said, LEVELS, came, np.ones(n))


def crps(of: Told, weight: Array) -> float:
    return float(crps_quantiles(combined(of.quantiles, weight), of.observed, levels=LEVELS).mean())


def test_together_they_are_better_than_the_best_of_them() -> None:
    learned = weights(told(400, 3.0, 4.0), EQUAL, 0.02)
    later = told(2000, 3.0, 4.0, seed=2)
    alone = [crps(later, np.eye(2)[k]) for k in range(2)]
    assert 0.5 < learned[0] < 0.8
    assert crps(later, learned) < 0.92 * min(alone)


def test_one_that_knows_nothing_gets_next_to_no_weight() -> None:
    assert weights(told(400, 2.0, 30.0), EQUAL, 0.02)[1] < 0.03


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 60), sds=st.lists(st.floats(0.5, 20.0), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_weights_are_shares(n: int, sds: list[float], seed: int) -> None:
    found = weights_by_block(told(n, *sds, seed=seed), np.arange(n) % 3, 3)
    assert found.shape == (3, len(sds))
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(1.0)


def test_a_few_pairs_leave_weights_where_they_are_drawn_to() -> None:
    assert weights(told(19, 2.0, 30.0), EQUAL, 0.02).tolist() == [0.5, 0.5]


def test_the_harder_they_are_drawn_the_less_they_move() -> None:
    of = told(400, 2.0, 6.0)
    moved = [float(weights(of, EQUAL, strength)[0]) for strength in (0.01, 1.0, 100.0)]
    assert moved[0] > moved[1] > moved[2] == pytest.approx(0.5, abs=0.05)


def test_what_one_block_of_the_day_knows_stays_its_own() -> None:
    day, night = told(300, 2.0, 12.0), told(300, 12.0, 2.0)
    said, came = np.concatenate([day.quantiles, night.quantiles]), np.concatenate([day.observed, night.observed])
    both = Told(said, LEVELS, came, np.ones(600))
    block = np.repeat([0, 1], 300)
    apart, mixed = (weights_by_block(both, of, 2)[:, 0] for of in (block, np.arange(600) % 2))  # the second: the mutant
    assert apart[0] - apart[1] > 0.5
    assert abs(mixed[0] - mixed[1]) < 0.2


def test_the_recent_counts_more() -> None:
    old, new = told(300, 2.0, 12.0), told(300, 12.0, 2.0)
    said, came = np.concatenate([old.quantiles, new.quantiles]), np.concatenate([old.observed, new.observed])
    recent = Told(said, LEVELS, came, heed_of(np.repeat([360.0, 0.0], 300)))
    alike = replace(recent, heed=np.ones(600))  # the mutant
    assert heed_of(np.array([90.0])).tolist() == [0.5]
    assert weights(recent, EQUAL, 0.02)[1] > 0.8 > 0.6 > weights(alike, EQUAL, 0.02)[1]


def test_those_that_say_nothing_are_left_out() -> None:
    said = np.array([[1.0, 2.0], [np.nan, np.nan], [5.0, 6.0]])
    assert spoken(said, np.array([0.25, 0.5, 0.25])).tolist() == [0.5, 0.0, 0.5]
    assert combined(said, np.array([0.25, 0.5, 0.25])).tolist() == [3.0, 4.0]
    assert combined(said, np.array([0.0, 1.0, 0.0])).tolist() == [3.0, 4.0]
    assert np.isnan(combined(np.full((3, 2), np.nan), np.full(3, 1 / 3))).all()


def test_one_that_never_says_anything_is_not_learned_of() -> None:
    of = told(200, 2.0, 4.0, 6.0)
    silent = of.quantiles.copy()
    silent[:, 2] = np.nan
    assert weights_by_block(replace(of, quantiles=silent), np.zeros(200, dtype=np.int64), 1)[0, 2] == 0.0


def test_levels_stand_for_all_of_the_probability() -> None:
    assert level_shares(LEVELS).sum() == pytest.approx(1.0)
    assert level_shares((0.25, 0.5, 0.75)).tolist() == [0.375, 0.25, 0.375]


# --- weights of a house, replayed -------------------------------------------------------------------------------------


def house(days: int = 60, seed: int = 4) -> Pairs:
    """A simulation and a rival that err apart."""
    rng = np.random.default_rng(seed)
    n = days * 4
    rival = normal(CAME + rng.normal(0.0, 4.0, n), 4.0)
    column = np.ones(n)
    return pairs(days, rng.normal(0.0, 4.0, n), rivals={"climatology": RivalScores(column, column, rival)})


def test_what_is_published_is_better_than_the_simulation_and_the_rival() -> None:
    of = house(120)
    said = published(of, "UTC", every=timedelta(days=5), late=timedelta(days=7))
    later = np.flatnonzero(of.issued_at > of.issued_at.min() + np.timedelta64(40, "D"))
    mine = crps_of(said, of)[later].mean()
    rivals = crps_quantiles(of.rivals["climatology"].quantiles, of.observed, levels=LEVELS)[later].mean()
    assert mine < 0.9 * min(rivals, crps_of(of.raw_quantiles, of)[later].mean())


def test_weights_learn_from_what_was_known_and_from_nothing_later() -> None:
    """With the truth known a day before it comes, the mutant, another future changes what was said."""
    of = house()
    later = of.issued_at >= of.issued_at.min() + np.timedelta64(40, "D")
    changed = replace(of, observed=np.where(later, 500.0, of.observed), raw_error=np.where(later, -450.0, of.raw_error))
    until = np.flatnonzero(~later)

    def blind(late: timedelta) -> bool:
        said = [published(one, "UTC", every=timedelta(days=5), late=late)[until] for one in (of, changed)]
        return np.array_equal(said[0], said[1])

    assert blind(timedelta(days=7))
    assert blind(timedelta(0))
    assert not blind(-timedelta(days=10))
