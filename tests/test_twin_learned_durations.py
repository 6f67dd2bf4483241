"""Durations learned by cell, and from stays that still last."""

from __future__ import annotations

import numpy as np
import pytest

from twin import learned_durations
from twin.durations import LEVELS, Duration
from twin.learned_durations import Array, Cells, learn_censored, learn_duration

HOSPITAL = (12, 6, 6)


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


def skewed(where: Cells, seed: int) -> Array:
    """Minutes that differ by class, block and load, some of them hardly any: the logarithm leans to the left."""
    chance = np.random.default_rng(seed)
    usual = np.array([40.0, 70.0, 90.0, 120.0] * 3)[where.cls] * (1 + 0.1 * where.block) * (1 + 0.15 * where.load)
    return np.asarray(usual * chance.weibull(0.7, where.cls.size))


def mean_over(learned: Duration, where: Cells) -> float:
    return float(learned.mean_min()[where.cls, where.block, where.load].mean())


def as_the_median_of_logarithms(some: learned_durations._Some, _: Array) -> Array:
    """A mutant: a block and load is as much longer as the mean log-ratio to the class's median, which is not 0."""
    minutes, at = some.minutes, some.at
    median = np.array([np.median(minutes[at.cls == c]) for c in range(at.shape[0])])
    relative = np.log(np.maximum(minutes, 0.5) / median[at.cls])
    return np.array([np.exp(relative[at.moment == m].mean()) for m in range(at.shape[1] * at.shape[2])])


@pytest.mark.parametrize(("n", "seed"), [(300, 1), (3_000, 2), (12_000, 3)])
def test_the_mean_over_the_samples_own_cells_is_the_samples(n: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    where = cells(n, HOSPITAL, seed)
    minutes = skewed(where, seed)
    assert mean_over(learn_duration(minutes, where), where) == pytest.approx(minutes.mean(), rel=0.01)
    monkeypatch.setattr(learned_durations, "_longer", as_the_median_of_logarithms)
    monkeypatch.setattr(learned_durations, "_as_long", lambda learned, _: learned)
    monkeypatch.setattr(learned_durations, "_TURNS", 1)
    assert mean_over(learn_duration(minutes, where), where) < 0.97 * minutes.mean()


def test_waits_of_which_most_are_none_are_not_learned_longer() -> None:
    chance = np.random.default_rng(5)
    where = cells(5_000, HOSPITAL, 5)
    minutes = np.where(chance.random(5_000) < 0.1 * where.load, chance.exponential(60.0, 5_000), 0.0)
    assert mean_over(learn_duration(minutes, where), where) == pytest.approx(minutes.mean(), rel=0.01)


def test_what_lasts_no_time_at_all_is_learned_as_such() -> None:
    where = cells(100, (2, 2, 1))
    assert learn_duration(np.zeros(100), where).mean_min() == pytest.approx(np.zeros((2, 2, 1)), abs=1e-4)


def test_a_rare_class_that_differs_from_the_others_keeps_its_own_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    where = cells(6_000, HOSPITAL, 7)
    where.cls[where.cls == 3] = 2
    where.cls[:25] = 3
    minutes = np.random.default_rng(7).exponential(np.where(where.cls == 3, 400.0, 30.0 + 10.0 * where.cls))
    rare = float(minutes[:25].mean())

    def learned() -> float:
        told = learn_duration(minutes, where).mean_min()
        return float(told[where.cls, where.block, where.load][:25].mean())

    assert learned() == pytest.approx(rare, rel=0.15)
    monkeypatch.setattr(learned_durations, "alike_at", lambda *_: 30.0)
    assert learned() < 0.7 * rare, "the mutant draws all groups alike"


def test_cells_that_do_not_differ_are_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    where = cells(4_000, HOSPITAL, 8)
    minutes = np.random.default_rng(8).exponential(100.0, 4_000)
    spread = float(learn_duration(minutes, where).mean_min().std())
    assert spread < 12.0
    monkeypatch.setattr(learned_durations, "alike_at", lambda *_: 3.0)
    assert float(learn_duration(minutes, where).mean_min().std()) > 2 * spread, "the mutant believes each cell"


def test_the_last_weeks_tell_how_long_things_last_and_older_ones_only_what_is_rare_now() -> None:
    where = cells(8_000, (3, 2, 2), 9)
    recent = np.arange(8_000) >= 4_000
    where.cls[recent & (where.cls == 2)] = 1
    usual = np.array([50.0, 100.0, 400.0])[where.cls]
    minutes = np.random.default_rng(9).exponential(np.where(recent, 1.0, 0.5) * usual)
    told = learn_duration(minutes, where, recent).mean_min().mean(axis=(1, 2))
    assert told[:2] == pytest.approx([50.0, 100.0], rel=0.08)
    assert told[2] > 180.0


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
