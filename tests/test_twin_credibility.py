"""How far a few samples are believed, from groups of which it is known how much they differ."""

from __future__ import annotations

import numpy as np
import pytest

from twin.credibility import FEWEST, MOST, alike_at, drawn_mean
from twin.story import Array, Index

GROUPS, EACH = 400, 40


def drawn(apart: float, seed: int = 1) -> tuple[Array, Array, Index]:
    """Exponential samples of groups whose means differ by so much about what is expected of each, 50 to 200."""
    chance = np.random.default_rng(seed)
    expected = np.repeat(chance.uniform(50.0, 200.0, GROUPS), EACH)
    true = np.repeat(1.0 + apart * chance.choice([-1.0, 1.0], GROUPS), EACH)
    return chance.exponential(expected * true), expected, np.repeat(np.arange(GROUPS), EACH)


@pytest.mark.parametrize("apart", [0.2, 0.4])
def test_it_is_the_scatter_within_groups_over_that_between_them(apart: float) -> None:
    assert alike_at(*drawn(apart)) == pytest.approx((1.0 + apart**2) / apart**2, rel=0.25)


def test_groups_that_do_not_differ_are_hardly_believed_and_those_without_scatter_at_once() -> None:
    values, expected, group = drawn(0.0)
    assert alike_at(values, expected, group) == MOST
    assert alike_at(expected * np.where(group % 2 == 0, 0.5, 1.5), expected, group) == FEWEST


def test_what_differs_as_expected_does_not_differ() -> None:
    values, expected, group = drawn(0.0)
    assert alike_at(values, np.full(values.size, expected.mean()), group) < 20.0
    assert alike_at(values, expected, group) == MOST


def test_nothing_that_is_expected_proves_nothing() -> None:
    none = np.zeros(3)
    assert alike_at(none, none, np.zeros(3, dtype=np.int64)) == MOST
    assert alike_at(np.ones(1), np.ones(1), np.zeros(1, dtype=np.int64)) == MOST


def test_a_mean_is_drawn_towards_the_one_expected() -> None:
    assert drawn_mean(np.array([10.0, 20.0]), 30.0, 2.0) == pytest.approx(22.5)
    assert drawn_mean(np.empty(0), 30.0, 2.0) == 30.0
