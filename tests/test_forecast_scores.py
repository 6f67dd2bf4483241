"""Scores against hand-made cases, closed forms, another library, and versions known to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, poisson

from forecast import scores
from forecast.scores import Mean, skill
from forecast.values import LEVELS, Array
from tests import theirs

NAN = float("nan")
Crps = Callable[[Array, Array], Array]

ensembles = st.tuples(st.integers(1, 4), st.integers(2, 12)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float64, shape, elements=st.floats(-1e3, 1e3)),
        arrays(np.float64, shape[:1], elements=st.floats(-1e3, 1e3)),
    )
)


def normal_middles(size: int) -> Array:
    return np.asarray(norm.ppf((np.arange(size) + 0.5) / size))


def plain(forecast: Array, observed: Array) -> Array:
    return scores.crps(forecast, observed, fair=False)


def test_crps_of_two_members_by_hand() -> None:
    # |1 - 2| and |4 - 2| average 1.5; the members are 3 apart: E|X - X'| is 3 (fair) or 3 / 2 (plain)
    assert scores.crps([1.0, 4.0], 2.0) == pytest.approx(1.5 - 1.5)
    assert scores.crps([1.0, 4.0], 2.0, fair=False) == pytest.approx(1.5 - 0.75)


def test_plain_crps_of_one_member_is_its_absolute_error() -> None:
    assert scores.crps([[3.0]], [5.0], fair=False).tolist() == [2.0]


@settings(max_examples=60, deadline=None)
@given(ensembles)
def test_crps_equals_the_double_sum_over_members(case: tuple[Array, Array]) -> None:
    members, observed = case
    m = members.shape[1]
    apart = np.abs(members[:, :, None] - members[:, None, :]).sum(axis=(1, 2))
    away = np.abs(members - observed[:, None]).mean(axis=1)
    np.testing.assert_allclose(scores.crps(members, observed), away - apart / (2 * m * (m - 1)), atol=1e-9)
    np.testing.assert_allclose(plain(members, observed), away - apart / (2 * m * m), atol=1e-9)


def agrees_with_scoringrules(crps: Crps, estimator: str) -> bool:
    rng = np.random.default_rng(3)
    members, observed = rng.gamma(2.0, 9.0, size=(40, 25)), rng.gamma(2.0, 9.0, size=40)
    other = theirs.scoringrules.crps_ensemble(observed, members, estimator=estimator)
    return bool(np.allclose(crps(members, observed), other))


def without_spread(forecast: Array, observed: Array) -> Array:
    return np.asarray(np.abs(forecast - observed[:, None]).mean(axis=1))


def unsorted(forecast: Array, observed: Array) -> Array:
    m = forecast.shape[1]
    weight = 2.0 * np.arange(1, m + 1) - m - 1
    return np.asarray(without_spread(forecast, observed) - (weight * forecast).sum(axis=1) / (m * (m - 1)))


def test_crps_agrees_with_scoringrules_and_mutants_do_not() -> None:
    assert agrees_with_scoringrules(scores.crps, "fair")
    assert agrees_with_scoringrules(plain, "nrg")
    assert not agrees_with_scoringrules(plain, "fair")
    assert not agrees_with_scoringrules(without_spread, "fair")
    assert not agrees_with_scoringrules(unsorted, "fair")
    assert not agrees_with_scoringrules(lambda f, o: scores.crps(f + 1.0, o), "fair")


def test_crps_of_many_equal_weight_quantiles_is_the_closed_form() -> None:
    observed = np.array([-2.0, -0.3, 0.0, 1.7])
    members = np.tile(normal_middles(4000), (4, 1))
    np.testing.assert_allclose(plain(members, observed), theirs.scoringrules.crps_normal(observed, 0.0, 1.0), rtol=1e-4)
    levels = (np.arange(4000) + 0.5) / 4000
    waits = np.tile(-np.log1p(-levels) * 30.0, (4, 1))
    came = np.array([0.0, 12.0, 30.0, 95.0])
    np.testing.assert_allclose(plain(waits, came), theirs.scoringrules.crps_exponential(came, 1 / 30.0), rtol=1e-3)


def is_fair(crps: Crps) -> bool:
    """The mean score of five members drawn from the truth is that of the distribution itself (0.5642 sigma)."""
    rng = np.random.default_rng(5)
    drawn = crps(rng.normal(size=(60_000, 5)), rng.normal(size=60_000)).mean()
    return bool(abs(drawn - 1 / np.sqrt(np.pi)) < 0.01)


def test_fair_crps_does_not_depend_on_the_number_of_members_and_plain_does() -> None:
    assert is_fair(scores.crps)
    assert not is_fair(plain)


def is_proper(score: Crps) -> bool:
    """Honesty is best: of forecasts too low, too narrow, too wide and true, the true one scores least."""
    came = np.random.default_rng(7).normal(size=20_000)
    sample = normal_middles(99)
    wrong = [sample - 0.5, sample * 0.6, sample * 1.6]
    true = score(np.tile(sample, (came.size, 1)), came).mean()
    return all(bool(true < score(np.tile(each, (came.size, 1)), came).mean()) for each in wrong)


def test_crps_is_proper_and_the_error_of_a_member_is_not() -> None:
    assert is_proper(plain)
    assert not is_proper(without_spread)


def test_a_nan_member_is_absent_and_a_pair_without_members_or_outcome_is_left_out() -> None:
    members = np.array([[1.0, NAN, 4.0], [NAN, NAN, NAN], [1.0, 2.0, 3.0], [NAN, 5.0, NAN]])
    observed = np.array([2.0, 2.0, NAN, 3.0])
    whole = scores.crps([1.0, 4.0], 2.0, fair=False)
    np.testing.assert_array_equal(scores.crps(members, observed, fair=False), [whole, NAN, NAN, 2.0])
    np.testing.assert_array_equal(scores.crps(members, observed), [0.0, NAN, NAN, NAN])
    assert scores.mean(scores.crps(members, observed)) == Mean(0.0, 1, 3)


def test_crps_without_an_axis_of_members_is_refused() -> None:
    with pytest.raises(ValueError, match="axis of members"):
        scores.crps(1.0, 2.0)


def test_crps_of_large_values_keeps_its_digits() -> None:
    members = np.array([1.0, 2.0, 4.0])
    far = scores.crps(members + 1e9, 3.0 + 1e9)
    assert far == pytest.approx(float(scores.crps(members, 3.0)), abs=1e-9)


@pytest.mark.parametrize(("shift", "width"), [(0.0, 1.0), (0.7, 1.0), (0.0, 0.6), (0.0, 3.0)])
def test_crps_of_nine_quantiles_is_near_the_closed_form(shift: float, width: float) -> None:
    came = normal_middles(5000)
    quantiles = np.tile(shift + width * np.asarray(normal_at_levels()), (came.size, 1))
    found = scores.crps_quantiles(quantiles, came, levels=LEVELS).mean()
    assert found == pytest.approx(theirs.scoringrules.crps_normal(came, shift, width).mean(), rel=1e-3)
    plain_average = 2 * scores.pinball(quantiles, came[:, None], level=LEVELS).mean()
    assert plain_average < 0.85 * found, "the plain average over uneven levels is another scale"


def normal_at_levels() -> list[float]:
    return [float(norm.ppf(level)) for level in LEVELS]


def test_crps_of_evenly_spread_quantiles_is_the_plain_average_and_the_crps_of_the_sample() -> None:
    rng = np.random.default_rng(11)
    levels = tuple((np.arange(99) + 0.5) / 99)
    quantiles, came = np.sort(rng.gamma(3.0, 5.0, size=(20, 99)), axis=1), rng.gamma(3.0, 5.0, size=20)
    found = scores.crps_quantiles(quantiles, came, levels=levels)
    np.testing.assert_allclose(found, theirs.scoringrules.crps_quantile(came, quantiles, np.array(levels)), rtol=1e-12)
    np.testing.assert_allclose(found, plain(quantiles, came), rtol=1e-12)


def test_equal_weight_keeps_the_given_quantiles_and_rises() -> None:
    sample = scores.equal_weight([[10.0, 20.0, 60.0]], levels=(0.25, 0.5, 0.75), size=2)
    assert sample.tolist() == [[10.0, 60.0]]
    wide = scores.equal_weight([10.0, 20.0, 60.0], levels=(0.25, 0.5, 0.75), size=99)
    assert wide.shape == (99,)
    assert np.all(np.diff(wide) > 0)
    assert wide[49] == pytest.approx(20.0)


@pytest.mark.parametrize("levels", [(0.5,), (0.5, 0.4), (0.0, 0.5), (0.5, 1.0), (0.2, 0.5, 0.8)])
def test_levels_that_are_none_are_refused(levels: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="levels"):
        scores.equal_weight([1.0, 2.0], levels=levels)


def test_pinball_by_hand() -> None:
    assert scores.pinball(10.0, 14.0, level=0.9) == pytest.approx(3.6)
    assert scores.pinball(14.0, 10.0, level=0.9) == pytest.approx(0.4)
    assert np.isnan(scores.pinball(NAN, 1.0, level=0.5))
    with pytest.raises(ValueError, match="level must lie"):
        scores.pinball(1.0, 1.0, level=1.0)


def test_brier_by_hand() -> None:
    np.testing.assert_allclose(scores.brier([0.8, 0.8, NAN, 0.0], [1.0, 0.0, 1.0, NAN]), [0.04, 0.64, NAN, NAN])
    assert scores.brier(0.7, True) == pytest.approx(0.09)
    with pytest.raises(ValueError, match=r"1\.2"):
        scores.brier([0.1, 1.2], [0, 1])
    with pytest.raises(ValueError, match="outcome"):
        scores.brier(0.5, 2.0)


def test_mae_and_bias_by_hand_say_how_many_they_left_out() -> None:
    forecast, observed = [10.0, 12.0, NAN, 9.0], [12.0, 11.0, 3.0, NAN]
    assert scores.mae(forecast, observed) == Mean(1.5, 2, 2)
    assert scores.bias(forecast, observed) == Mean(-0.5, 2, 2)
    none = scores.mae([NAN], [1.0])
    assert (np.isnan(none.value), none.n, none.left_out) == (True, 0, 1)


def test_bias_is_forecast_less_observed_and_not_the_reverse() -> None:
    def too_high_is_positive(bias: Callable[[float, float], Mean]) -> bool:
        return bias(12.0, 10.0).value > 0

    assert too_high_is_positive(scores.bias)
    assert not too_high_is_positive(lambda f, o: scores.bias(o, f))


def counts_ends_in(coverage: Callable[[scores.Interval, Array], Mean]) -> bool:
    interval = (np.array([1.0, 1.0, 1.0, NAN]), np.array([3.0, 3.0, 3.0, 3.0]))
    return coverage(interval, np.array([1.0, 3.0, 4.0, 2.0])) == Mean(2 / 3, 3, 1)


def test_coverage_counts_the_ends_in_and_leaves_nan_out() -> None:
    def open_interval(forecast: scores.Interval, observed: Array) -> Mean:
        low, high = (np.asarray(end) for end in forecast)
        return scores.mean(np.where(np.isnan(low), NAN, (low < observed) & (observed < high)))

    assert counts_ends_in(scores.coverage)
    assert not counts_ends_in(open_interval)


def test_interval_width_is_over_the_pairs_that_coverage_counts() -> None:
    width = scores.interval_width(([1.0, 2.0, NAN], [4.0, 2.5, 1.0]), [0.0, NAN, 0.0])
    np.testing.assert_array_equal(width, [3.0, NAN, NAN])


def is_uniform(values: Array) -> bool:
    share = np.histogram(values, bins=10, range=(0, 1))[0] / values.size
    return bool(np.all(np.abs(share - 0.1) < 0.01))


def test_pit_of_calibrated_counts_is_uniform_and_without_luck_it_is_not() -> None:
    rng = np.random.default_rng(13)
    members, came = rng.poisson(2.0, size=(20_000, 60)).astype(float), rng.poisson(2.0, size=20_000).astype(float)
    assert is_uniform(scores.pit(members, came, rng=np.random.default_rng(1)))
    assert not is_uniform(np.mean(members <= came[:, None], axis=1)), "a plain pit of counts has false peaks"
    assert not is_uniform(scores.pit(members + 1, came, rng=np.random.default_rng(1)))


def test_pit_is_repeatable_stays_in_range_and_leaves_nan_out() -> None:
    members = np.array([[1.0, 2.0, NAN], [NAN, NAN, NAN], [1.0, 2.0, 3.0]])
    first, again = (scores.pit(members, [9.0, 1.0, NAN], rng=np.random.default_rng(2)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert 2 / 3 <= first[0] <= 1.0
    assert np.isnan(first[1:]).all()


# --- of quantiles ----------------------------------------------------------------------------------------------------


def test_pinball_brier_and_the_weighted_crps_agree_with_scoringrules_and_mutants_do_not() -> None:
    rng = np.random.default_rng(5)
    came, said = rng.gamma(2.0, 9.0, 60), np.sort(rng.gamma(2.0, 9.0, (60, len(LEVELS))), axis=1)
    other = theirs.scoringrules.quantile_score(came, said[:, 2], LEVELS[2])
    np.testing.assert_allclose(scores.pinball(said[:, 2], came, level=LEVELS[2]), other)
    assert not np.allclose(scores.pinball(said[:, 2], came, level=1 - LEVELS[2]), other)
    p, o = rng.random(60), (rng.random(60) < 0.4).astype(np.float64)
    np.testing.assert_allclose(scores.brier(p, o), theirs.scoringrules.brier_score(o, p))
    assert not np.allclose(scores.brier(p, 1.0 - o), theirs.scoringrules.brier_score(o, p))
    sample = scores.equal_weight(said, levels=LEVELS)
    weighted = theirs.scoringrules.twcrps_ensemble(came, sample, a=20.0, estimator="nrg")
    np.testing.assert_allclose(scores.crps_above(said, came, 20.0, levels=LEVELS), weighted)
    assert not np.allclose(scores.crps_quantiles(said, came, levels=LEVELS), weighted)


def test_the_weighted_crps_is_the_crps_where_all_lies_above_and_nothing_where_all_lies_below() -> None:
    said, came = norm.ppf(LEVELS, 50.0, 4.0), np.array([44.0, 57.0])
    both = np.tile(said, (2, 1))
    np.testing.assert_allclose(
        scores.crps_above(both, came, -99.0, levels=LEVELS), scores.crps_quantiles(both, came, levels=LEVELS)
    )
    assert scores.crps_above(both, came, 999.0, levels=LEVELS).tolist() == [0.0, 0.0]
    assert np.isnan(scores.crps_above(both, [NAN, NAN], 50.0, levels=LEVELS)).all()


def test_a_probability_is_read_from_quantiles_as_the_normal_law_has_it() -> None:
    said, at = norm.ppf(LEVELS, 40.0, 5.0), np.array([20.0, 33.3, 40.0, 58.0])
    found = scores.p_below(np.tile(said, (4, 1)), at, levels=LEVELS)
    np.testing.assert_allclose(found, norm.cdf(at, 40.0, 5.0), atol=1e-12)
    sure = np.full((3, len(LEVELS)), 7.0)
    assert scores.p_below(sure, [6.0, 7.0, 8.0], levels=LEVELS).tolist() == [0.0, 1.0, 1.0]
    assert np.isnan(scores.p_below(sure, [NAN, 7.0, 8.0], levels=LEVELS))[0]
    with pytest.raises(ValueError, match="must have 9 levels"):
        scores.p_below(np.zeros(3), 1.0, levels=LEVELS)


@cache
def poissons(least: float, most: float, n: int = 20_000) -> tuple[Array, Array, Array]:
    """Means, the quantiles of the Poisson laws that have them, and what came of these laws."""
    rng = np.random.default_rng(6)
    means = rng.uniform(least, most, n)
    return means, np.asarray(poisson.ppf(np.array(LEVELS), means[:, None])), rng.poisson(means).astype(np.float64)


def test_more_than_a_count_is_the_next_and_more() -> None:
    means, said, _ = poissons(20.0, 60.0, 2000)
    true = poisson.sf(40, means)
    assert np.abs(scores.p_above(said, 40.0, levels=LEVELS) - true).max() < 0.06
    assert abs(float((scores.p_above(said, 40.0, levels=LEVELS) - true).mean())) < 0.004
    assert float((scores.p_above(said, 40.0, levels=LEVELS, unit=0.0) - true).mean()) > 0.01  # the mutant: of 40 too
    assert scores.p_at_most(said[:1], -1.0, levels=LEVELS).tolist() == [0.0]


Ranks = Callable[[Array, Array], Array]


def uniform(ranks: Ranks, least: float, most: float) -> bool:
    _, said, came = poissons(least, most)
    shares = np.histogram(ranks(said, came), bins=10, range=(0.0, 1.0))[0] / came.size
    return bool(np.abs(shares - 0.1).max() < 0.008)


def test_the_randomised_pit_of_counts_is_flat_and_without_luck_it_is_not() -> None:
    def by_luck(said: Array, came: Array) -> Array:
        return scores.pit_quantiles(said, came, levels=LEVELS, rng=np.random.default_rng(7))

    def without_luck(said: Array, came: Array) -> Array:
        return scores.p_at_most(said, came, levels=LEVELS)

    def too_narrow(said: Array, came: Array) -> Array:
        return by_luck(said[:, 4:5] + 0.7 * (said - said[:, 4:5]), came)

    for least, most in ((0.5, 6.0), (20.0, 60.0)):
        assert uniform(by_luck, least, most)
        assert not uniform(without_luck, least, most)
        assert not uniform(too_narrow, least, most)


def test_below_counts_ties_half() -> None:
    assert scores.below([5.0, 5.0, 5.0], [4.0, 5.0, 6.0]).tolist() == [1.0, 0.5, 0.0]
    assert np.isnan(scores.below(NAN, 4.0))


def test_skill_is_what_is_better_than_a_rival_on_the_pairs_that_both_have() -> None:
    ours, rival = np.array([1.0, 2.0, np.nan, 9.0]), np.array([4.0, 2.0, 5.0, np.nan])
    assert skill(ours, rival) == 1.0 - 3.0 / 6.0
    assert skill(ours, rival) != 1.0 - np.nansum(ours) / np.nansum(rival)  # the mutant: each on the pairs of its own
    assert skill(rival, ours) == 1.0 - 6.0 / 3.0, "below 0 where the rival was better"
    assert np.isnan(skill(ours, np.zeros(4)))
    assert np.isnan(skill(np.empty(0), np.empty(0)))
