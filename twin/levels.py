"""At which level days are now, where it may have changed on any of them.

A day's ratio is what came over what was expected of it, or how long things lasted over how long they usually do. It is
the level plus chance. The level hardly drifts, and now and then it changes: on any day with the same small
probability, to one that lies around what days were at in the last months. When it changed last is not known, so all
answers are kept, each with its probability given the days since and the level that they tell, and the level now is
the mean over them (Adams and MacKay 2007, with a Kalman filter in each answer). While nothing changes memory is
long; after a change what was before it is forgotten as fast as days tell that there was one; an epidemic that is over
is a change back.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CHANGES_EVERY_DAYS = 60.0
"""A change of the level is expected once in so many days: epidemics begin and end."""
CHANGE_SIZE = 0.15
"""How far from the usual a level lies after a change, in standard deviations."""
DRIFT = 0.004
"""How much a level drifts from one day to the next."""
FARTHEST = 3.0
"""A day further from the level than this, in standard deviations, counts as one so far away."""
USUAL_HALF_LIFE_DAYS = 40.0
"""What is usual: days count half as much as those so many days younger."""
LONGEST_DAYS = 60
"""Changes longer ago than this are one answer."""
LOOKED_AT_DAYS = 120
"""Days that are looked at."""
FIRST_DAYS = 14
"""Days whose mean is the usual level to begin with."""
NORMAL_MEDIAN = 0.6745
"""Of the distances from the mean, in standard deviations."""
DAYS_RESEMBLE = 1.15
"""How much more days differ than from the next, which they resemble a little."""


def level_now(ratio: Array, chance: Array) -> float:
    """The level of the last of the days `(day,)`; `chance` is the variance that a day's ratio has at least.

    NaN days are passed over; 1 without a day.
    """
    known = ~np.isnan(ratio)
    days, least = ratio[known][-LOOKED_AT_DAYS:], chance[known][-LOOKED_AT_DAYS:]
    if not days.size:
        return 1.0
    *_, level = _followed(days[None], np.maximum(_spread(days[None])[:, None] ** 2, least))
    return float(level[0])


def levels_after(ratio: Array) -> Array:
    """The level after each of the days `(.., day)`, as far as days until then tell; NaN days leave it, 1 before any.

    Of several, each as it is alone.
    """
    rows = ratio.reshape(-1, ratio.shape[-1])
    known, out = ~np.isnan(rows), np.ones(rows.shape)
    masks, which = np.unique(known, axis=0, return_inverse=True)
    for number in np.flatnonzero(masks.any(axis=1)):
        alike = np.flatnonzero(which.ravel() == number)
        days = rows[alike][:, masks[number]]
        noise = np.broadcast_to(_spread(days)[:, None] ** 2, days.shape)
        found = np.stack([np.ones(alike.size), *_followed(days, noise)], axis=1)
        out[alike] = found[:, np.cumsum(masks[number])]
    return out.reshape(ratio.shape)


def lasting_now(day: Array, minutes: Array, usual_min: Array) -> float:
    """How much longer things last now than usual, from some that began on given days, `(n,)`; 1 without any.

    A day's chance is what that of one makes in as many, the longer ones weighing more.
    """
    _, number = np.unique(day, return_inverse=True)
    total, usual, squares = (np.bincount(number, weights=x) for x in (minutes, usual_min, usual_min**2))
    of_one = float(np.mean((minutes / usual_min - 1.0) ** 2)) if minutes.size else 0.0
    return level_now(total / usual, of_one * squares / usual**2)


def _followed(days: Array, noise: Array) -> Iterator[Array]:
    """The mean level of each row `(row, day)` after each day, `(row,)`, over all answers to when it changed, the
    longest ago first."""
    usual = np.stack([_usual_before(row) for row in days])
    mean, variance, p = usual[:, :1], np.full((len(days), 1), CHANGE_SIZE**2), np.ones((len(days), 1))
    for told, around, of_day in zip(days.T[:, :, None], usual.T[:, :, None], noise.T[:, :, None], strict=True):
        day = _believable(told, _expected(p, mean), of_day)
        mean, variance = _and(mean, around), _and(variance + DRIFT**2, np.full(told.shape, CHANGE_SIZE**2))
        p = _and(p * (1.0 - 1.0 / CHANGES_EVERY_DAYS), np.full(told.shape, 1.0 / CHANGES_EVERY_DAYS))
        p = p * _likely(day - mean, variance + of_day)
        gain = variance / (variance + of_day)
        mean, variance = mean + gain * (day - mean), (1.0 - gain) * variance
        mean, variance, p = _oldest_together(mean, variance, p / p.sum(axis=1, keepdims=True))
        yield _expected(p, mean)[:, 0]


def _expected(p: Array, values: Array) -> Array:
    """The mean over the answers of each row, `(row, 1)`."""
    return np.asarray((p * values).sum(axis=1, keepdims=True))


def _and(answers: Array, one: Array) -> Array:
    """One answer more to each row."""
    return np.concatenate([answers, one], axis=1)


def _believable(day: Array, level: Array, noise: Array) -> Array:
    """A day, no further from the level than days lie: a feed that was down or an accident is one day, no new level."""
    reach = FARTHEST * np.sqrt(noise)
    return np.asarray(np.clip(day, level - reach, level + reach))


def _likely(off: Array, variance: Array) -> Array:
    """How likely each answer makes a day, but for a factor that is the same for a row; never 0 for all."""
    log = -0.5 * (off**2 / variance + np.log(variance))
    return np.asarray(np.exp(log - log.max(axis=1, keepdims=True)) + 1e-12)


def _oldest_together(mean: Array, variance: Array, p: Array) -> tuple[Array, Array, Array]:
    """The two answers of the longest ago as one, once there are more than `LONGEST_DAYS`."""
    if p.shape[1] <= LONGEST_DAYS:
        return mean, variance, p
    total = p[:, :2].sum(axis=1, keepdims=True)
    joined = (_and(_expected(p[:, :2] / total, x[:, :2]), x[:, 2:]) for x in (mean, variance))
    return next(joined), next(joined), _and(total, p[:, 2:])


def _usual_before(days: Array) -> Array:
    """What was usual before each day, `(day,)`; that of the first days until there are as many."""
    weight = 0.5 ** (np.arange(days.size) / USUAL_HALF_LIFE_DAYS)
    usual = np.convolve(days, weight)[: days.size] / np.cumsum(weight)
    first = min(FIRST_DAYS, days.size)
    return np.concatenate([np.full(first, days[:first].mean()), usual[first - 1 : -1]])


def _spread(ratio: Array) -> Array:
    """How much days differ, from each to the next, `(row,)`: a shift of the level moves one of these differences
    only."""
    if ratio.shape[1] < 2:
        return np.full(len(ratio), CHANGE_SIZE)
    apart = np.median(np.abs(np.diff(ratio, axis=1)), axis=1) / (NORMAL_MEDIAN * np.sqrt(2.0))
    return np.asarray(np.maximum(apart * DAYS_RESEMBLE, 1e-6))
