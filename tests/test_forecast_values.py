"""Series from members: quantiles in order, NaN members left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.values import LEVELS, Array, Members, or_none, packed, series, unpacked


@settings(max_examples=40)
@given(arrays(np.float64, (3, 7), elements=st.floats(-1e6, 1e6)))
def test_quantiles_rise_with_their_level_and_hold_the_median(values: np.ndarray) -> None:
    told = series(values)
    assert tuple(told.quantiles) == LEVELS
    assert (np.diff(np.array(list(told.quantiles.values())), axis=0) >= -1e-9).all()
    np.testing.assert_allclose(told.quantiles[0.5], np.median(values, axis=1))
    np.testing.assert_allclose(told.mean, values.mean(axis=1), atol=1e-6)


def test_an_interval_holds_one_more_member_as_often_as_it_says() -> None:
    """40 members and what came, all from one law: between the 10 % and 90 % quantiles lie 8 in 10."""
    drawn = np.random.default_rng(1).normal(size=(20_000, 41))
    told = series(drawn[:, :40]).quantiles
    came = drawn[:, 40]
    assert ((told[0.1] <= came) & (came <= told[0.9])).mean() == pytest.approx(0.8, abs=0.008)
    low, high = np.quantile(drawn[:, :40], (0.1, 0.9), axis=1)  # the mutant: the sample's own, a little too narrow
    assert ((low <= came) & (came <= high)).mean() < 0.775


def test_members_in_which_a_measure_does_not_exist_are_left_out() -> None:
    told = series(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]))
    assert told.mean[0] == 2.0
    assert told.quantiles[0.5][0] == 2.0
    assert np.isnan(told.mean[1])
    assert all(np.isnan(cut[1]) for cut in told.quantiles.values())


def test_quantiles_are_those_of_numpy_to_the_last_bit() -> None:
    """By another rule, the mutant, they would not be."""
    values = np.random.default_rng(2).gamma(2.0, 20.0, (60, 101))
    values[20:40, ::3] = np.nan
    values[40:50, 2:] = np.nan
    told = np.array(list(series(values).quantiles.values()))
    assert np.array_equal(told, np.nanquantile(values, LEVELS, axis=1, method="weibull"))
    assert not np.array_equal(told, np.nanquantile(values, LEVELS, axis=1))


def test_some_leads_of_a_series_are_its_own() -> None:
    told = series(np.array([[1.0, 3.0], [5.0, 7.0], [9.0, 9.0]]))
    some = told.at([2, 0])
    assert some.mean.tolist() == [9.0, 2.0]
    assert [values.tolist() for values in some.quantiles.values()] == [
        [values[2], values[0]] for values in told.quantiles.values()
    ]


def test_what_is_not_a_number_is_none() -> None:
    assert [or_none(value, 2) for value in (1.236, float("nan"))] == [1.24, None]
    assert or_none(1.236) == 1.236


def is_had_again(pack: Callable[[Array], npt.NDArray[np.int16] | Array], values: list[float]) -> bool:
    return np.array_equal(unpacked(pack(np.array(values))), np.array(values), equal_nan=True)


@pytest.mark.parametrize(
    ("values", "small"),
    [([0.0, -32_768.0, 32_767.0], True), ([0.5, 1.0], False), ([40_000.0], False), ([1.0, np.nan], False)],
)
def test_values_are_packed_small_only_where_nothing_is_lost(values: list[float], small: bool) -> None:
    assert is_had_again(packed, values)
    assert (packed(np.array(values)).dtype == np.int16) is small
    with np.errstate(invalid="ignore"):  # the mutant: all of them small
        assert is_had_again(lambda given: given.astype(np.int16), values) is small


def test_members_are_counted() -> None:
    assert Members(np.array([0.0, 15.0]), {"ed_census": np.zeros((2, 9))}).count == 9
