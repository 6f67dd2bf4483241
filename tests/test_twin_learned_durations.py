"""Durations learned by cell, and from stays that still last."""

from __future__ import annotations

import numpy as np
import pytest

from twin.durations import LEVELS
from twin.learned_durations import Cells, learn_censored, learn_duration


def cells(n: int, shape: tuple[int, int, int], seed: int = 0) -> Cells:
    chance = np.random.default_rng(seed)
    return Cells(
        chance.integers(shape[0], size=n), chance.integers(shape[1], size=n), chance.integers(shape[2], size=n), shape
    )


def test_cells_with_many_samples_keep_their_own_quantiles() -> None:
    where = cells(20_000, (2, 2, 1))
    scale = np.where(where.cls == 0, 100.0, 300.0) * np.where(where.block == 0, 1.0, 1.5)
    minutes = np.random.default_rng(1).exponential(scale)
    learned = learn_duration(minutes, where)
    assert learned.mean_min()[:, :, 0] == pytest.approx(np.array([[100.0, 150.0], [300.0, 450.0]]), rel=0.06)


def test_a_cell_without_samples_takes_its_class_scaled_by_its_block() -> None:
    where = cells(20_000, (2, 2, 1))
    minutes = np.where(where.cls == 0, 100.0, 300.0) * np.where(where.block == 0, 1.0, 2.0)
    hidden = np.where((where.cls == 1) & (where.block == 1), np.nan, minutes)
    learned = learn_duration(hidden, where)
    assert learned.table[1, 1, 0, LEVELS.size // 2] == pytest.approx(600.0, rel=0.25)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(ValueError, match="no sample"):
        learn_duration(np.array([np.nan, -1.0]), cells(2, (1, 1, 1)))


def test_stays_that_still_last_do_not_shorten_the_quantiles() -> None:
    chance = np.random.default_rng(2)
    stays, seen_for = chance.exponential(1000.0, 8000), chance.uniform(0, 3000.0, 8000)
    ended = stays <= seen_for
    minutes = np.minimum(stays, seen_for)
    median = learn_censored(minutes, ended).table[0, 0, 0, np.searchsorted(LEVELS, 0.5)]
    assert median == pytest.approx(1000 * np.log(2), rel=0.05)
    naive = learn_censored(minutes[ended], ended[ended]).table[0, 0, 0, np.searchsorted(LEVELS, 0.5)]
    assert naive < 0.85 * 1000 * np.log(2)
