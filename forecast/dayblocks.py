"""Intervals of means over forecasts: whole days are drawn anew, because forecasts of one day resemble one another.

Days are of the issue time, in UTC. Below `LEAST_DAYS` days there is no interval (NaN). Everything is seeded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from forecast.values import Array

Index = npt.NDArray[np.int64]
Instants = npt.NDArray[np.datetime64]

LEAST_DAYS = 5
RESAMPLES = 1000
ENDS = (0.025, 0.975)
NOTHING = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Band:
    """Means of groups with a band that holds all of them at once 95 times in 100, each `(group,)`."""

    mean: Array
    low: Array
    high: Array
    n: Index


def days_of(issued_at: Instants) -> Index:
    """The day of each issue, numbered from 0."""
    return np.unique(issued_at.astype("datetime64[D]"), return_inverse=True)[1]


def mean_interval(values: Array, day: Index, *, seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float]:
    """The 95 % interval of the mean of values, `(pair,)`; those that are NaN are left out."""
    known = ~np.isnan(values)
    means = _means(values[known], np.zeros(int(known.sum()), dtype=np.int64), day[known], 1, seed, resamples)
    return NOTHING if means is None else ends(means[:, 0])


def skill_interval(
    crps: Array, rival: Array, day: Index, *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """The 95 % interval of the skill, 1 - sum(crps) / sum(rival)."""
    low, high = ratio_interval(crps, rival, day, seed=seed, resamples=resamples)
    return 1.0 - high, 1.0 - low


def ratio_interval(
    over: Array, under: Array, day: Index, *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """The 95 % interval of sum(over) / sum(under), both `(pair,)`, on the pairs where neither is NaN."""
    both = ~np.isnan(over + under)
    days, numbers = _numbered(day[both])
    if days < LEAST_DAYS:
        return NOTHING
    draws = drawn_days(days, seed, resamples)
    above, below = (draws @ np.bincount(numbers, weights=values[both]) for values in (over, under))
    with np.errstate(divide="ignore", invalid="ignore"):
        return ends(np.where(below > 0, above / below, np.nan))


def band(values: Array, group: Index, groups: int, day: Index, *, seed: int = 0, resamples: int = RESAMPLES) -> Band:
    """The means of groups (0 .. groups - 1) with a simultaneous band.

    The band of a group is its mean +- c times the spread of its mean over the draws; c is the 95 % quantile over the
    draws of the largest distance of any group, in its own spread, wider by what few days leave open (Student's t). NaN
    values are left out; NaN for an empty group.
    """
    known = ~np.isnan(values)
    values, group, day = values[known], group[known], day[known]
    count = np.bincount(group, minlength=groups)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(group, weights=values, minlength=groups) / np.where(count, count, np.nan)
    means = _means(values, group, day, groups, seed, resamples)
    half = np.full(groups, np.nan) if means is None else _few_days(np.unique(day).size) * _half(means - mean)
    return Band(mean, mean - half, mean + half, count)


def share_band(hit: Array, group: Index, groups: int, day: Index, *, seed: int = 0, resamples: int = RESAMPLES) -> Band:
    """The shares of pairs that hit (1) in groups, with the band of their means, which ends at 0 and at 1."""
    wide = band(hit, group, groups, day, seed=seed, resamples=resamples)
    return replace(wide, low=np.maximum(wide.low, 0.0), high=np.minimum(wide.high, 1.0))


def _few_days(days: int) -> float:
    """How much wider an interval of a mean must be because its spread, too, is known from so many days only."""
    return float(np.sqrt(days / (days - 1.0)) * special.stdtrit(days - 1, ENDS[1]) / special.ndtri(ENDS[1]))


def _half(apart: Array) -> Array:
    """Half the band's width of each group, from how far draws lay from the mean, `(draw, group)`."""
    known = np.count_nonzero(~np.isnan(apart), axis=0)
    spread = np.sqrt(np.nansum(np.square(apart), axis=0) / np.where(known, known, np.nan))
    distance = np.abs(apart) / np.where(spread > 0, spread, np.nan)
    held = ~np.all(np.isnan(distance), axis=1)
    c = float(np.quantile(np.nanmax(distance[held], axis=1), 0.95)) if held.any() else 0.0
    return np.asarray(c * spread)


def _means(values: Array, group: Index, day: Index, groups: int, seed: int, resamples: int) -> Array | None:
    """The groups' means in each draw, `(draw, group)`; None where there are too few days."""
    days, numbers = _numbered(day)
    if days < LEAST_DAYS:
        return None
    cell = numbers * groups + group
    total = np.bincount(cell, weights=values, minlength=days * groups).reshape(days, groups)
    count = np.bincount(cell, minlength=days * groups).reshape(days, groups).astype(np.float64)
    draws = drawn_days(days, seed, resamples)
    drawn = draws @ count
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(drawn > 0, (draws @ total) / drawn, np.nan)


def _numbered(day: Index) -> tuple[int, Index]:
    numbers = np.unique(day, return_inverse=True)[1]
    return (int(numbers.max()) + 1 if numbers.size else 0), numbers


def drawn_days(days: int, seed: int = 0, resamples: int = RESAMPLES) -> Array:
    """How often each of so many days is drawn, `(draw, day)`."""
    drawn = np.random.default_rng(seed).multinomial(days, np.full(days, 1.0 / days), size=resamples)
    return np.asarray(drawn, dtype=np.float64)


def ends(values: Array) -> tuple[float, float]:
    """The ends of the interval of what draws gave."""
    low, high = np.quantile(values, ENDS)
    return float(low), float(high)
