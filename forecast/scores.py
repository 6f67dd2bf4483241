"""THE SCORES: how far forecasts were from what came.

Every score takes `(forecast, observed)` in that order and gives one value a pair, in the shape of `observed`;
`mean` sums pairs up. Arrays broadcast; only an ensemble or a set of quantiles has one axis more, the last.

A pair with NaN on either side has the score NaN, and `mean` leaves it out and says how many it left out. In an
ensemble a NaN member is one in which the measure does not exist (a wait with nobody waiting): the forecast is then
the other members, and is NaN itself only when no member is left.

All are proper (best in expectation by honesty) except `absolute_error`, `error`, `below`, `inside`, `interval_width`,
`pit` and `pit_quantiles`, which describe.

Sources: Gneiting and Raftery 2007 (crps, pinball, brier); Zamo and Naveau 2018 (the sorted form of the crps);
Czado, Gneiting and Held 2009 (the randomised pit); Gneiting and Ranjan 2011 (the threshold-weighted crps).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from forecast.values import Array

Numbers = npt.ArrayLike
Interval = tuple[Numbers, Numbers]
"""The lower and the upper end, each in the shape of what is observed."""


@dataclass(frozen=True)
class Mean:
    """A score over several pairs: NaN when none is left."""

    value: float
    n: int
    """Pairs that count."""
    left_out: int
    """Pairs with NaN on either side."""


def mean(scores: Numbers) -> Mean:
    """The mean of the scores of pairs, those that are NaN left out."""
    values = np.asarray(scores, dtype=np.float64).ravel()
    kept = values[~np.isnan(values)]
    return Mean(float(kept.mean()) if kept.size else float("nan"), kept.size, values.size - kept.size)


def skill(scores: Array, rival: Array) -> float:
    """1 - the sum of the scores / that of a rival's: above 0 the rival was worse.

    Pairs with NaN on either side are left out. NaN where the rival was never wrong, and where there is no pair.
    """
    both = ~np.isnan(scores + rival)
    total = float(rival[both].sum())
    return 1.0 - float(scores[both].sum()) / total if total > 0 else float("nan")


def error(forecast: Numbers, observed: Numbers) -> Array:
    """Forecast - observed, in the measure's unit: above 0 the forecast was too high."""
    return _floats(forecast) - _floats(observed)


def absolute_error(forecast: Numbers, observed: Numbers) -> Array:
    """|forecast - observed|, in the measure's unit; for a single value it is also its crps."""
    return np.abs(error(forecast, observed))


def bias(forecast: Numbers, observed: Numbers) -> Mean:
    """The mean error: above 0 the forecasts were too high."""
    return mean(error(forecast, observed))


def mae(forecast: Numbers, observed: Numbers) -> Mean:
    """The mean absolute error; the median of a distribution has the least."""
    return mean(absolute_error(forecast, observed))


def crps(forecast_members: Numbers, observed: Numbers, *, fair: bool = True) -> Array:
    """The continuous ranked probability score of an ensemble, in the measure's unit; 0 is perfect.

    E|X - y| - E|X - X'| / 2, the second mean taken over the sorted members x(1) <= .. <= x(m) as
    sum((2i - m - 1) x(i)) / (m (m - 1)), in m log m steps. `fair` scores the distribution that the members were
    drawn from, whatever their number, and needs two members (NaN with fewer). Plain (`fair=False`) divides by m m
    instead: it scores the members themselves, and is right for equal-weight quantiles.

    `forecast_members` is `(.., member)`, `observed` `(..)`.
    Raises ValueError if the ensemble has no axis of members.
    """
    distances = _beside(forecast_members, observed)
    distances = np.sort(distances, axis=-1)
    count = np.sum(~np.isnan(distances), axis=-1)
    rank = np.arange(1, distances.shape[-1] + 1)
    weight = 2.0 * rank - count[..., None] - 1.0
    pairs = count * (count - 1.0) if fair else count * 1.0 * count
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.nansum(np.abs(distances), axis=-1) / count
        apart = np.nansum(weight * distances, axis=-1) / pairs
    return np.asarray(away - apart)


def crps_quantiles(forecast: Numbers, observed: Numbers, *, levels: Sequence[float], size: int = 99) -> Array:
    """The crps of a distribution given by some of its quantiles, in the measure's unit.

    Twice the mean pinball loss of the `size` equal-weight quantiles that `equal_weight` reads between and beyond the
    given ones. Whatever is compared is thus scored in one way: an ensemble, its archived quantiles, a baseline.
    For a normal distribution known by nine levels it lies within 0.1 % of the closed form.

    `forecast` is `(.., level)`, `observed` `(..)`. Raises ValueError as `equal_weight` does.
    """
    return _crps_of_sample(equal_weight(forecast, levels=levels, size=size), _floats(observed))


def crps_above(forecast: Numbers, observed: Numbers, threshold: Numbers, *, levels: Sequence[float]) -> Array:
    """The crps of what lies above a threshold, in the measure's unit: the threshold-weighted crps.

    The crps of max(X, threshold) against max(y, threshold): errors below the threshold do not count. Shapes and
    raises as `crps_quantiles`.
    """
    t = _floats(threshold)
    sample = np.maximum(equal_weight(forecast, levels=levels), t[..., None])
    return _crps_of_sample(sample, np.where(np.isnan(_floats(observed)), np.nan, np.maximum(_floats(observed), t)))


def _crps_of_sample(sample: Array, observed: Array) -> Array:
    losses = pinball(sample, observed[..., None], level=_middles(sample.shape[-1]))
    return np.asarray(2.0 * losses.mean(axis=-1))


def equal_weight(quantiles: Numbers, *, levels: Sequence[float], size: int = 99) -> Array:
    """The quantiles at the middles of `size` equal shares of probability, `(.., size)`: a sample without luck.

    Between the given quantiles, and beyond the outermost, values are linear in the normal score of the level (exact
    for a normal distribution). NaN where a given quantile is NaN.
    Raises ValueError unless `levels` are at least two, rise, lie inside (0, 1) and match the last axis.
    """
    values = _floats(quantiles)
    left, share = _between(tuple(levels), size)
    if values.ndim == 0 or values.shape[-1] != len(levels):
        raise ValueError(f"quantiles must have {len(levels)} levels on the last axis, but have shape {values.shape}")
    low, high = values[..., left], values[..., left + 1]
    return np.asarray(low + share * (high - low))


def pinball(forecast: Numbers, observed: Numbers, *, level: Numbers) -> Array:
    """The loss of a quantile: level (y - q) above it, (1 - level) (q - y) below it; in the measure's unit.

    Raises ValueError unless 0 < level < 1.
    """
    p = _floats(level)
    if np.any((p <= 0) | (p >= 1)):
        raise ValueError(f"level must lie between 0 and 1, but is {level!r}")
    above = _floats(observed) - _floats(forecast)
    return np.asarray(np.maximum(p * above, (p - 1.0) * above))


def below(forecast: Numbers, observed: Numbers) -> Array:
    """1 where the outcome lies below the quantile, 0.5 where it is the quantile, 0 where it lies above.

    Its mean less the level is the quantile bias: above 0 the quantile was too high.
    """
    return np.where(np.isnan(gap := error(forecast, observed)), np.nan, (np.sign(gap) + 1.0) / 2.0)


def brier(forecast: Numbers, observed: Numbers) -> Array:
    """(p - o)^2 for the probability p of something that came (o = 1, True) or did not (o = 0, False).

    Raises ValueError if a probability lies outside [0, 1] or an outcome is neither 0 nor 1.
    """
    p, o = _floats(forecast), _floats(observed)
    if np.any((p < 0) | (p > 1)):
        raise ValueError(f"a probability must lie in 0 .. 1, but one is {p[(p < 0) | (p > 1)].flat[0]}")
    if not np.all(np.isnan(o) | (o == 0) | (o == 1)):
        raise ValueError("an outcome must be 0, 1 or NaN")
    return np.asarray((p - o) ** 2)


def inside(forecast: Interval, observed: Numbers) -> Array:
    """1 where the outcome lies in the interval, ends included, and 0 where not."""
    low, high, came = (_floats(values) for values in (*forecast, observed))
    hit = np.where((low <= came) & (came <= high), 1.0, 0.0)
    return np.where(np.isnan(low) | np.isnan(high) | np.isnan(came), np.nan, hit)


def coverage(forecast: Interval, observed: Numbers) -> Mean:
    """The share of outcomes inside their interval; of a calibrated 80 % interval 0.8 (counts: 0.8 or more)."""
    return mean(inside(forecast, observed))


def interval_width(forecast: Interval, observed: Numbers) -> Array:
    """Upper - lower end, in the measure's unit: sharpness, over the same pairs as the coverage."""
    low, high, came = (_floats(values) for values in (*forecast, observed))
    return np.where(np.isnan(came), np.nan, high - low)


def pit(forecast_members: Numbers, observed: Numbers, *, rng: np.random.Generator) -> Array:
    """The probability integral transform, randomised for counts: uniform in 0 .. 1 when forecasts are calibrated.

    F(y-) + u (F(y) - F(y-)) with F the ensemble's distribution, the outcome counted as one member more, and u
    uniform from `rng`: a tie between the outcome and members is broken by luck, so counts give no false peaks.

    `forecast_members` is `(.., member)`, `observed` `(..)`. Raises ValueError if there is no axis of members.
    """
    distances = _beside(forecast_members, observed)
    count = np.sum(~np.isnan(distances), axis=-1)
    below, ties = np.sum(distances < 0, axis=-1), np.sum(distances == 0, axis=-1)
    luck = rng.random(count.shape)
    return np.where(count == 0, np.nan, (below + luck * (ties + 1)) / (count + 1))


def pit_quantiles(
    forecast: Numbers, observed: Numbers, *, levels: Sequence[float], rng: np.random.Generator, unit: float = 1.0
) -> Array:
    """The randomised pit of a distribution that is known by some of its quantiles: F(y-) + u (F(y) - F(y-)).

    `unit` is the step of the measure, 0 where it is continuous: of a count F(y-) is the probability of at most y - 1.
    Shapes and raises as `p_below`.
    """
    came = _floats(observed)
    least, most = (p_at_most(forecast, came - k * unit, levels=levels, unit=unit) for k in (1, 0))
    return np.asarray(least + rng.random(came.shape) * (most - least))


def p_above(forecast: Numbers, threshold: Numbers, *, levels: Sequence[float], unit: float = 1.0) -> Array:
    """The probability of more than a threshold, of a distribution that is known by some of its quantiles."""
    return np.asarray(1.0 - p_at_most(forecast, threshold, levels=levels, unit=unit))


def p_at_most(forecast: Numbers, value: Numbers, *, levels: Sequence[float], unit: float = 1.0) -> Array:
    """The probability of at most a value; of a count (`unit` 1) it is read half way to the next, and is 0 below 0."""
    at = _floats(value) + unit / 2.0
    return np.where((at < 0.0) & (unit > 0), 0.0, p_below(forecast, at, levels=levels))


def p_below(forecast: Numbers, value: Numbers, *, levels: Sequence[float]) -> Array:
    """The probability of at most a value, of a distribution that is known by some of its quantiles.

    Between them and beyond the outermost the normal score of the probability is linear in the value, as in
    `equal_weight`. `forecast` is `(.., level)`, `value` `(..)`. Raises ValueError as `equal_weight` does.
    """
    cuts, at = _floats(forecast), _floats(value)[..., None]
    known = _normal_scores(tuple(levels))
    if cuts.ndim == 0 or cuts.shape[-1] != known.size:
        raise ValueError(f"quantiles must have {known.size} levels on the last axis, but have shape {cuts.shape}")
    right = np.clip(np.sum(cuts <= at, axis=-1, keepdims=True), 1, known.size - 1)
    low, high = np.take_along_axis(cuts, right - 1, -1), np.take_along_axis(cuts, right, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, (at - low) / (high - low), np.where(at >= low, np.inf, -np.inf))
    p = ndtr(known[right - 1] + share * (known[right] - known[right - 1]))
    return np.where(np.isnan(at + low + high), np.nan, p)[..., 0]


def _floats(values: Numbers) -> Array:
    return np.asarray(values, dtype=np.float64)


def _beside(members: Numbers, observed: Numbers) -> Array:
    """Member - observed, `(.., member)`."""
    ensemble = _floats(members)
    if ensemble.ndim == 0:
        raise ValueError("an ensemble must have an axis of members, the last")
    return np.asarray(ensemble - _floats(observed)[..., None])


def _middles(size: int) -> Array:
    return (np.arange(size) + 0.5) / size


@cache
def _between(levels: tuple[float, ...], size: int) -> tuple[npt.NDArray[np.int64], Array]:
    """For each equal-weight quantile the given one on its left, and its share of the way to the next."""
    have, want = _normal_scores(levels), ndtri(_middles(size))
    left = np.clip(np.searchsorted(have, want) - 1, 0, have.size - 2)
    return left, (want - have[left]) / (have[left + 1] - have[left])


@cache
def _normal_scores(levels: tuple[float, ...]) -> Array:
    known = _floats(levels)
    if known.size < 2 or np.any(np.diff(known) <= 0) or known[0] <= 0 or known[-1] >= 1:
        raise ValueError(f"levels must be two or more, rise, and lie inside 0 .. 1, but are {levels}")
    return np.asarray(ndtri(known))
