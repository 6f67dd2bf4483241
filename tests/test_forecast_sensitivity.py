"""Sensitivity: known slopes, and known shares of the variance."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from forecast.designs import Combination, Design
from forecast.sensitivity import sensitivity
from forecast.values import Array

DICE = np.random.default_rng(6)


def design_of(**levels: Array) -> Design:
    count = len(next(iter(levels.values())))
    rows = ({name: float(column[i]) for name, column in levels.items() if column[i] == column[i]} for i in range(count))
    return Design("random", tuple(Combination(str(i), row) for i, row in enumerate(rows)))


def test_a_line_is_found_with_its_range() -> None:
    x, y = DICE.uniform(0, 4, 400), DICE.uniform(0, 1, 400)
    one, other = sensitivity(design_of(x=x, y=y), 3.0 * x - y)
    assert (one.variable, other.variable) == ("x", "y")
    assert one.effect == pytest.approx(12.0, rel=0.03)
    assert one.variance_share > 0.95
    assert (one.sure and not other.sure) or other.effect < 0


def test_shares_are_the_sobol_indices_of_a_function_whose_are_known() -> None:
    """Ishigami and Homma 1990: first-order indices 0.314, 0.442 and 0."""
    a, b = 7.0, 0.1
    x = DICE.uniform(-pi, pi, (4000, 3))
    result = np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])
    design = design_of(x=x[:, 0], y=x[:, 1], z=x[:, 2])
    found = {one.variable: one.variance_share for one in sensitivity(design, result)}
    assert found["x"] == pytest.approx(0.314, abs=0.04)
    assert found["y"] == pytest.approx(0.442, abs=0.06)
    assert found["z"] == pytest.approx(0.0, abs=0.02)


def test_chance_alone_explains_nothing_on_average() -> None:
    """Without the correction, the mutant, eight parts explain 7 of 99 shares of nothing."""
    shares, plain = [], []
    for _ in range(200):
        x, y = DICE.random(100), DICE.random(100)
        shares.append(sensitivity(design_of(x=x), y)[0].variance_share)
        means = [y[np.argsort(x)[k::8]].mean() for k in range(8)]
        plain.append(np.var(means) / y.var())
    assert np.mean(shares) < 0.03 < np.mean(plain)


def test_intervals_hold_the_true_effect_as_often_as_they_say() -> None:
    held = []
    for _ in range(600):
        x = DICE.random(60)
        low, high = sensitivity(design_of(x=x), 2.0 * x + DICE.normal(0, 1, 60))[0].ci95
        held.append(low <= 2.0 * np.ptp(x) <= high)
    assert 0.92 < np.mean(held) < 0.97


def test_what_does_not_vary_or_hardly_applies_is_left_out() -> None:
    few = np.where(np.arange(20) < 5, DICE.random(20), np.nan)
    assert sensitivity(design_of(x=np.ones(20), few=few), DICE.random(20)) == []


def test_a_result_that_never_changes_is_moved_by_nothing() -> None:
    [one] = sensitivity(design_of(x=DICE.random(20)), np.full(20, 4.0))
    assert (one.effect, one.variance_share, one.sure) == (0.0, 0.0, False)


def test_what_applies_in_some_combinations_has_a_share_of_all_their_differences() -> None:
    x, y = DICE.random(400), DICE.random(400)
    here = np.where(np.arange(400) < 100, x, np.nan)
    result = 4.0 * y + np.where(np.arange(400) < 100, x, 0.0)
    found = {one.variable: one for one in sensitivity(design_of(x=here, y=y), result)}
    assert found["x"].n == 100
    assert found["x"].variance_share < 0.05 < 0.8 < found["y"].variance_share
