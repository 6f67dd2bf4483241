"""Rivals that look further back than now: same hour yesterday, same hour last week, and an autoregression.

- `yesterday`, `last_week`: the last known value that lies whole days, or whole weeks, before the valid time.
- `autoregression`: as usual at that hour, plus what departures from the usual have told in the past: those of now and
  of the hours before, of the same hour of the last days and week, of the last day, week and month on the whole. Learned
  by ridge for each lead, for all hours together and then by block of the valid time, drawn towards all hours. It learns
  from up to a year, each week's departures taken from what was usual in the weeks around it.

The distribution of each is its centre plus the errors that this very rule made in the past. A departure that is not
known is taken to be the last one known within three hours, else none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from forecast.usual import (
    A_DAY,
    A_WEEK,
    BLOCKS,
    STEP_MIN,
    Integers,
    at_valid_times,
    block_shares,
    blocks_of,
    errors_by_block,
    read,
    usual_without_own_week,
)
from forecast.values import Array

Mask = npt.NDArray[np.bool_]

LAGGED: tuple[str, ...] = ("yesterday", "last_week", "autoregression")
LONG_DAYS = 365
"""How far back they look, where the history goes that far."""
LAGS_H: tuple[int, ...] = (0, 1, 2, 3, 6, 12)
"""Hours before now whose departures are looked at."""
MEANS_DAYS: tuple[int, ...] = (1, 7, 28)
"""Days before now whose mean departure is looked at."""
CARRIED_H = 3
"""So long a departure stands for those not known after it."""
AROUND_WEEKS = 6
"""What is usual in a week is learned from so many to either side, twice as many to one side at the ends."""
RIDGE_DAYS = 1.0
"""Days of data that the draw towards nothing weighs as much as."""
BLOCK_RIDGE_DAYS = 30.0
"""Days of data that the draw of a block towards all hours weighs as much as."""
FOLDS = 4
"""Errors are those of every fourth week by coefficients learned from the others."""
RECENT = 5 * A_WEEK
"""Steps of the past that a forecast needs."""
_AN_HOUR = 60 // STEP_MIN
_BACK = tuple(h * _AN_HOUR for h in LAGS_H)
_PERIODS = (A_DAY, A_WEEK)


@dataclass(frozen=True)
class Lagged:
    """What the past of one measure says of them; of several, with an axis for them in front."""

    coefficients: Array
    """On what is looked at, `(block, lead, feature)`."""
    errors: Mapping[str, Array]
    """Rival to the mean and quantiles of its errors, `(block, lead, 1 + level)`."""


@dataclass(frozen=True)
class Recent:
    """The last weeks of some measures up to the present, on the grid, `(measure, time)`."""

    values: Array
    departures: Array
    """From the usual, carried over what is not known."""
    now: Array
    """The departures at the present, which may lie off the grid, `(measure,)`."""


def learn(values: Array, places: Array, steps: Integers, levels: tuple[float, ...]) -> Lagged:
    """What the past `(time,)`, at local quarter hours of the week, says for leads of so many steps."""
    around = usual_without_own_week(values, places.astype(np.int64), AROUND_WEEKS)
    departure = values - around
    coefficients, errors = _autoregression(departure, places, steps)
    changes = {name: _since(values, back_to(steps, period) + steps) for name, period in _named()}
    return Lagged(
        coefficients,
        {name: errors_by_block(found, places, levels) for name, found in {**changes, "autoregression": errors}.items()},
    )


def centres(learned: Lagged, recent: Recent, usual: Array, ahead: Array, steps: Integers) -> dict[str, Array]:
    """What each says is the middle of each measure, `(measure, lead)`.

    `usual` and `ahead`, the quarter hours, are those of the valid times.
    """
    last = recent.values.shape[-1] - 1
    said = {name: _at(recent.values, last - back_to(steps, period)) for name, period in _named()}
    at = np.array([last])
    total = _running(recent.departures)
    seen = np.concatenate([_features(recent.departures, total, at, int(step)) for step in steps], axis=1)
    seen[:, :, 0] = recent.now[:, None]
    coefficients = at_valid_times(learned.coefficients, ahead)
    return {**said, "autoregression": usual + (seen * coefficients).sum(axis=-1)}


def recent_of(values: Array, places: Array, usual: Array, now: Array, usual_now: Array) -> Recent:
    """The last weeks `(measure, time)` as the rivals look at them."""
    departures = carried(values - read(usual, places))
    return Recent(values, departures, np.where(np.isnan(now), departures[:, -1], now - usual_now))


def back_to(steps: Integers, period: int) -> Integers:
    """How many steps before now the last known value lies that is whole periods before each lead."""
    return np.asarray(-(-steps // period) * period - steps, dtype=np.int64)


def carried(departure: Array) -> Array:
    """Departures `(.., time)`, those not known as the last one known for `CARRIED_H`, then 0."""
    at = np.arange(departure.shape[-1])
    last = np.maximum.accumulate(np.where(np.isnan(departure), -1, at), axis=-1)
    fresh = (last >= 0) & (at - last <= CARRIED_H * _AN_HOUR)
    return np.where(fresh, np.take_along_axis(departure, np.maximum(last, 0), -1), 0.0)


def ridge(gram: Array, product: Array, towards: Array, draw: Array) -> Array:
    """Least squares from the sums of x x' and of x y, drawn towards given coefficients by a matrix like the first.

    Of several at once where the sums are `(.., feature, feature)` and `(.., feature)`.
    """
    return np.asarray(towards + np.linalg.solve(gram + draw, (product - gram @ towards)[..., None])[..., 0])


def _named() -> tuple[tuple[str, int], ...]:
    return tuple(zip(LAGGED, _PERIODS, strict=False))


def _since(values: Array, steps: Integers) -> Array:
    """The change of each value over so many steps, `(time, lead)`; NaN before the beginning."""
    at = np.arange(values.size)[:, None]
    return values[:, None] - _at(values, at - steps)


def _at(values: Array, index: Integers) -> Array:
    return np.where(index >= 0, values[..., np.maximum(index, 0)], np.nan)


def _autoregression(departure: Array, places: Array, steps: Integers) -> tuple[Array, Array]:
    """Coefficients `(block, lead, feature)` and errors at the valid times, `(time, lead)`; learned once an hour.

    Errors are those on weeks that the coefficients had not seen, a fold of the weeks at a time.
    """
    full = carried(departure)
    total = _running(full)
    errors = np.full((departure.size, steps.size), np.nan)
    found = []
    for i, step in enumerate(steps):
        at = np.arange(departure.size - 1 - int(step), A_WEEK, -_AN_HOUR)
        x, y, of = _features(full, total, at, int(step)), departure[at + step], blocks_of(places[at + step])
        fold = (departure.size - 1 - at) // A_WEEK % FOLDS
        sums = _Sums.of(x, y, of * FOLDS + fold)
        blind = np.stack([sums.coefficients(np.arange(FOLDS) != k) for k in range(FOLDS)])
        mine = np.einsum("tb,tbx->tx", block_shares(places[at + step]), blind[fold])
        errors[at + step, i] = y - (x * mine).sum(axis=1)
        found.append(sums.coefficients(np.ones(FOLDS, dtype=bool)))
    return np.stack(found, axis=1), errors


@dataclass(frozen=True)
class _Sums:
    """What least squares needs of the rows of each block and fold of the weeks, `(block, fold, ..)`."""

    gram: Array
    product: Array
    count: Array

    @classmethod
    def of(cls, x: Array, y: Array, cell: Integers) -> _Sums:
        size, known = BLOCKS * FOLDS, np.flatnonzero(~np.isnan(y))
        known = known[np.argsort(cell[known], kind="stable")]
        bounds = np.searchsorted(cell[known], np.arange(size + 1))
        mine = [(x[known[first:end]], y[known[first:end]]) for first, end in pairwise(bounds)]
        shape = (BLOCKS, FOLDS)
        return cls(
            np.array([x.T @ x for x, _ in mine]).reshape(*shape, x.shape[1], x.shape[1]),
            np.array([x.T @ y for x, y in mine]).reshape(*shape, x.shape[1]),
            np.diff(bounds).astype(np.float64).reshape(shape),
        )

    def coefficients(self, folds: Mask) -> Array:
        """Learned from some folds, `(block, feature)`."""
        gram, product, count = (part[:, folds].sum(axis=1) for part in (self.gram, self.product, self.count))
        scale = np.diag(np.maximum(np.diag(gram.sum(axis=0)) / max(float(count.sum()), 1.0), 1e-9))
        nothing = np.zeros(scale.shape[0])
        every = ridge(gram.sum(axis=0), product.sum(axis=0), nothing, RIDGE_DAYS * 24 * scale)
        own = BLOCK_RIDGE_DAYS * 24 / BLOCKS * scale
        return ridge(gram, product, every, own)


def _running(departure: Array) -> Array:
    """The sum of all departures before each time, and of all of them, `(.., time + 1)`."""
    return np.concatenate([np.zeros((*departure.shape[:-1], 1)), np.cumsum(departure, axis=-1)], axis=-1)


def _features(departure: Array, total: Array, at: Integers, step: int) -> Array:
    """What is looked at from some times for a lead of so many steps, `(.., time, feature)`; the departure now first.

    `total` is the running sum of departures.
    """
    days, week = (int(back_to(np.array([step]), period)[0]) for period in _PERIODS)
    lags = [departure[..., np.maximum(at - k, 0)] for k in (*_BACK, days, days + A_DAY, week)]
    spans = [np.minimum(n * A_DAY, at + 1) for n in MEANS_DAYS]
    means = ((total[..., at + 1] - total[..., at + 1 - span]) / span for span in spans)
    return np.stack([*lags, *means], axis=-1)
