"""Durations as quantile tables, and what is left of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from twin import duration_loop
from twin.durations import LEVELS, Array, Duration, Laid, empirical, exponential, fixed, lognormal, stacked, tail_of
from twin.kernel import compiled_durations

N = 20_000
UNIFORM = np.random.default_rng(5).random(N)
ZERO = np.zeros(N, dtype=np.int64)


def draws(duration: Duration) -> Array:
    return np.asarray(duration.at(UNIFORM, ZERO, ZERO)[:, 0])


def left(duration: Duration, lasted_min: float) -> Array:
    return np.asarray(duration.residual(UNIFORM, np.full(N, lasted_min), ZERO, ZERO)[:, 0])


def test_an_exponential_table_draws_an_exponential() -> None:
    assert stats.kstest(draws(exponential(40)), "expon", args=(0, 40)).pvalue > 0.01
    assert draws(exponential(40)).mean() == pytest.approx(40, rel=0.02)
    assert exponential(40).mean_min()[0, 0, 0] == pytest.approx(40, rel=0.001)


def test_a_lognormal_table_draws_a_lognormal_and_its_tail() -> None:
    told = draws(lognormal(60, 0.8))
    assert stats.kstest(told, "lognorm", args=(0.8, 0, 60)).pvalue > 0.01
    assert told.mean() == pytest.approx(60 * np.exp(0.32), rel=0.03)
    assert lognormal(60, 0.8).mean_min()[0, 0, 0] == pytest.approx(60 * np.exp(0.32), rel=0.002)


def test_a_fixed_duration_is_always_the_same() -> None:
    assert set(draws(fixed(12.5)).tolist()) == {12.5}
    assert fixed(12.5).mean_min()[0, 0, 0] == pytest.approx(12.5)


@given(u=st.floats(0, 1, exclude_max=True), v=st.floats(0, 1, exclude_max=True))
@settings(max_examples=60, deadline=None)
def test_more_luck_never_lasts_shorter(u: float, v: float) -> None:
    low, high = sorted((u, v))
    zero = np.zeros(2, dtype=np.int64)
    told = lognormal(30, 0.5).at(np.array([low, high]), zero, zero)[:, 0]
    assert 0 <= told[0] <= told[1] < np.inf


def test_what_is_left_of_an_exponential_has_no_memory() -> None:
    for lasted_min in (0.0, 25.0, 400.0, 5000.0):
        assert stats.kstest(left(exponential(40), lasted_min), "expon", args=(0, 40)).pvalue > 0.005


def residual_holds(spoil: bool) -> bool:
    """What is left of those that lasted 50 is as long as it was among all that lasted longer than 50."""
    stay = lognormal(60, 0.5)
    longer = draws(stay)[draws(stay) > 50] - 50
    told = draws(stay) if spoil else left(stay, 50.0)
    return bool(stats.ks_2samp(longer, told).pvalue > 0.01)


def test_what_is_left_is_what_was_left_of_those_who_lasted_as_long() -> None:
    assert residual_holds(spoil=False)
    assert not residual_holds(spoil=True), "a residual that ignores how long it has lasted is seen"


def test_nothing_is_left_of_a_fixed_duration_that_is_over() -> None:
    assert set(left(fixed(30), 12.0).tolist()) == {18.0}
    assert set(left(fixed(30), 30.0).tolist()) == {0.0}
    assert set(left(fixed(30), 45.0).tolist()) == {0.0}


@given(elapsed=st.floats(0, 2000), u=st.floats(0, 1, exclude_max=True))
@settings(max_examples=80, deadline=None)
def test_a_residual_is_never_negative_nor_without_end(elapsed: float, u: float) -> None:
    zero = np.zeros(1, dtype=np.int64)
    told = lognormal(60, 0.9).residual(np.array([u]), np.array([elapsed]), zero, zero)[0, 0]
    assert 0 <= told < np.inf


def test_beyond_the_longest_seen_what_is_left_is_the_stated_tail() -> None:
    """The mean excess over the last level, whatever has passed: ending at the longest seen, the mutant, nothing is."""
    sample = np.random.default_rng(7).gamma(2.0, 30.0, 800)
    table, tail = empirical(sample)
    stay = Duration(table.reshape(1, 1, 1, -1), np.full((1, 1, 1), tail))
    for lasted_min in (float(sample.max()), 2 * float(sample.max())):
        told = left(stay, lasted_min)
        assert stats.kstest(told, "expon", args=(0, tail)).pvalue > 0.005
    assert set(left(Duration(stay.table, np.full((1, 1, 1), 1e-12)), 2 * float(sample.max())).round(6).tolist()) == {0}


def test_what_was_reached_once_serves_many_draws() -> None:
    stay, zero = lognormal(60, 0.9), np.zeros(N, dtype=np.int64)
    elapsed = np.random.default_rng(2).exponential(90.0, N)
    reached = stay.reached(elapsed, zero, zero)
    assert (stay.beyond(reached, UNIFORM, elapsed, zero, zero) == stay.residual(UNIFORM, elapsed, zero, zero)).all()
    assert reached[:, 0] == pytest.approx(1.0 - stay.survival(elapsed, zero, zero))


def test_survival_falls_from_one_to_nothing() -> None:
    stay, minutes = lognormal(60, 0.7), np.array([0.0, 30.0, 60.0, 200.0, 400.0, 2000.0])
    zero = np.zeros(minutes.size, dtype=np.int64)
    told = stay.survival(minutes, zero, zero)
    assert told == pytest.approx(stats.lognorm.sf(minutes, 0.7, scale=60), abs=0.002)
    assert (np.diff(told) <= 0).all()


def test_rows_by_class_block_and_load_are_told_apart() -> None:
    rows = [fixed(float(minutes)) for minutes in range(8)]
    table = stacked([(row.table[0, 0, 0], 0.0) for row in rows], (2, 2, 2))
    cls, block = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert table.at(np.full(4, 0.3), cls, block).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert table.loads == 2
    shared = fixed(3.0).at(np.full(4, 0.3), cls, block)
    assert shared.tolist() == [[3.0]] * 4


def test_scaled_lasts_in_proportion() -> None:
    assert np.allclose(draws(lognormal(10, 0.6).scaled(3)), 3 * draws(lognormal(10, 0.6)))


def test_a_sample_gives_back_its_quantiles_and_leaves_out_nan() -> None:
    sample = np.append(np.random.default_rng(2).gamma(2.0, 30.0, 5000), np.nan)
    table, tail = empirical(sample)
    assert table == pytest.approx(np.nanquantile(sample, LEVELS))
    assert tail == pytest.approx(30, rel=0.6)
    alone, alone_tail = empirical(np.array([7.0]))
    assert set(alone.tolist()) == {7.0}
    assert alone_tail > 0


def test_the_tail_of_a_lognormal_is_its_mean_excess() -> None:
    table = stats.lognorm.ppf(LEVELS, 0.8, scale=60)
    drawn = stats.lognorm.rvs(0.8, scale=60, size=400_000, random_state=np.random.default_rng(1))
    assert tail_of(table, 0.8) == pytest.approx(float((drawn[drawn > table[-1]] - table[-1]).mean()), rel=0.05)


def test_quantiles_that_fall_or_are_negative_are_refused() -> None:
    with pytest.raises(ValueError, match="must not fall"):
        Duration(fixed(1).table[..., ::-1] * np.linspace(2, 1, LEVELS.size), np.zeros((1, 1, 1)))
    with pytest.raises(ValueError, match="must not fall"):
        Duration(-fixed(1).table, np.zeros((1, 1, 1)))
    with pytest.raises(ValueError, match="table must be"):
        Duration(np.zeros((1, 1, 5)), np.zeros((1, 1)))


def test_several_laid_in_one_table_give_what_each_gives() -> None:
    """With the class's row of another duration, the mutant, they would not."""
    dice = np.random.default_rng(8)
    table = np.sort(dice.exponential(30.0, (3, 2, 4, LEVELS.size)), axis=3)
    some = [fixed(5.0), Duration(table, dice.random((3, 2, 4))), Duration(table[:, :1], dice.random((3, 1, 4)))]
    cls, block, which = (dice.integers(0, most, N) for most in (3, 2, 3))
    uniform = np.where(dice.random(N) < 0.1, 1.0 - 0.02 * UNIFORM, UNIFORM)
    told = Laid(some, 4).at(uniform, which, cls, block)
    for code, duration in enumerate(some):
        mine = which == code
        alone = np.broadcast_to(duration.at(uniform[mine], cls[mine], block[mine]), (mine.sum(), 4))
        assert np.array_equal(told[mine], alone)
    assert not np.array_equal(Laid([*some[::-1]], 4).at(uniform, which, cls, block), told)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
@settings(max_examples=200, deadline=None)
def test_quantiles_of_a_sample_are_those_of_numpy_and_never_fall(minutes: list[float]) -> None:
    table, _ = empirical(np.array([*minutes, np.nan]))
    assert np.array_equal(table, np.quantile(minutes, LEVELS))
    assert (np.diff(table) >= 0).all()


# --- by the loops, once they are compiled


TEXT = duration_loop.Loops(duration_loop.level, duration_loop.quantile)


def by_loops(loops: list[duration_loop.Loops]) -> list[Array]:
    """What some durations say of lengths and likelihoods, by these loops; by the definition where there are none."""
    rng, before = np.random.default_rng(11), list(duration_loop.ready)
    duration_loop.ready[:] = loops
    try:
        out = []
        for sigma in (0.2, 0.8, 2.0):
            both = stacked([tail_of_lognormal(30 * k, sigma) for k in range(1, 7)], (2, 1, 3))
            cls, zero = rng.integers(0, 2, 400), np.zeros(400, dtype=np.int64)
            lasted = np.append(rng.lognormal(3.5, 1.5, 396), [0.0, 1e-9, 1e6, np.nan])
            out += [both.reached(lasted, cls, zero), both.survival(lasted, cls, zero, 2)]
            out.append(both.residual(rng.random(400), np.nan_to_num(lasted), cls, zero))
        return out
    finally:
        duration_loop.ready[:] = before


def tail_of_lognormal(median: float, sigma: float) -> tuple[Array, float]:
    told = lognormal(median, sigma)
    return told.table.ravel(), float(told.tail_min.ravel()[0])


def alike(one: list[Array], other: list[Array]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def _above(*given: Any) -> int:
    """The mutant: a length that is a quantile itself lies below it."""
    levels, lines, at, minutes, out, late = given
    return duration_loop.level(levels, lines, at, np.nextafter(minutes, -np.inf), out, late)


@pytest.mark.timeout(400)
def test_the_loops_say_what_the_definition_says_to_the_last_bit() -> None:
    said = by_loops([])
    assert alike(said, by_loops([TEXT]))
    assert alike(said, by_loops([compiled_durations()]))
    assert not alike(said, by_loops([TEXT._replace(level=_above)]))
